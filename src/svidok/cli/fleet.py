"""`svidok cameras`: import and list the fleet at the terminal, as the person who signs in."""

import sys
from pathlib import Path

import click

from svidok.access import Actor, sessions
from svidok.access.sessions import SignInRefused
from svidok.cli.reach import Reach, pass_reach
from svidok.db import Database
from svidok.fleet import inspection, search
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.fleet.search import Filters

KEY_FILE = "credentials.key"
_TOLD_BAD_ROWS = 50


@click.group("cameras")
def cameras_group() -> None:
    """The register of cameras."""


@cameras_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--login", required=True, help="Your account; it must be an administrator's.")
@click.option("--password", prompt=True, hide_input=True, help="Better not given here: you are asked for it.")
@click.option("--code", help="The code of your authenticator, where you have one.")
@pass_reach
def import_file(reach: Reach, file: Path, *, login: str, password: str, code: str | None) -> None:
    """Import cameras from the CSV FILE. Good rows are taken; bad ones are named by line and reason."""
    database = reach.database()
    try:
        actor = sign_in(reach, database, login, password, code)
        report = import_cameras(
            database, file.read_bytes(), actor=actor, safe=Safe(reach.keys / KEY_FILE), at=reach.clock.now(),
            progress=_progress,
        )  # fmt: skip
        with database.transaction() as tx:
            inspection.judge(tx, camera_id=None, at=reach.clock.now())
    finally:
        database.close()
    for line, reason in report.bad_rows[:_TOLD_BAD_ROWS]:
        click.echo(f"line {line}: {reason}")
    more = len(report.bad_rows) - _TOLD_BAD_ROWS
    if more > 0:
        click.echo(f"and {more} more")
    click.echo(f"{report.taken} taken, {report.known} known already, {len(report.bad_rows)} not taken")
    if report.bad_rows:
        sys.exit(1)


def _progress(done: int, total: int | None, says: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total}: {says}", nl=False, err=True)


def sign_in(reach: Reach, database: Database, login: str, password: str, code: str | None) -> Actor:
    """Whoever acts at the terminal; raises `SignInRefused`."""
    at = reach.clock.now()
    with database.transaction() as tx:
        begun = sessions.sign_in(tx, login=login, password=password, code=code, address="terminal", at=at)
        if not isinstance(begun, SignInRefused):
            sessions.sign_out(tx, token=begun.token, at=at)
    if isinstance(begun, SignInRefused):
        raise begun
    return begun.actor


@cameras_group.command("list")
@click.option("--text", help="In number, name, maker, model or address.")
@click.option("--life", help="For example silent.")
@pass_reach
def list_cameras(reach: Reach, *, text: str | None, life: str | None) -> None:
    """List cameras: number, state since when, name."""
    database = reach.database()
    try:
        cursor: str | None = None
        while True:
            with database.transaction() as tx:
                rows = search.page(tx, Filters(text=text, life=life), cursor=cursor, limit=search.MAX_PAGE)
            for row in rows:
                click.echo(f"{row['number']}\t{row['life']}\t{row['life_since']:%Y-%m-%d %H:%M}\t{row['name_uk']}")
            if len(rows) < search.MAX_PAGE:
                return
            cursor = rows[-1]["number"]
    finally:
        database.close()
