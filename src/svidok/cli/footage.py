"""At the terminal: take footage out, with the same permission, purpose and line in the trail as in the web."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from svidok.access import Actor, audit, require, sessions
from svidok.access.sessions import SignInRefused
from svidok.base import BadInput, Conflict, SvidokError
from svidok.cli.reach import Reach, pass_reach
from svidok.db import Database
from svidok.governance.purposes import valid_purpose
from svidok.ledger import JSON
from svidok.recording import export
from svidok.recording.timeline import asked_span

_HERE = "terminal"


@click.command("export")
@click.argument("channel", type=click.UUID)
@click.argument("start")
@click.argument("end")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder.")
@click.option("--login", required=True, help="Your account; it must be allowed to export.")
@click.option("--purpose", required=True, type=click.UUID, help="Your purpose, chosen in the web.")
@click.option("--password", prompt=True, hide_input=True, help="Better not given here: you are asked for it.")
@click.option("--code", help="The code of your authenticator, where you have one.")
@pass_reach
def export_command(
    reach: Reach,
    *,
    channel: UUID,
    start: str,
    end: str,
    folder: Path,
    login: str,
    purpose: UUID,
    password: str,
    code: str | None,
) -> None:
    """Write footage of CHANNEL from START to END (e.g. 2026-11-24T10:00:00Z) as one MP4, and its sidecar proof."""
    span = asked_span(_instant(start), _instant(end), longest=export.LONGEST)
    database = reach.database()
    try:
        actor = _sign_in(reach, database, login, password, code)
        what: dict[str, JSON] = {"route": "terminal", "channel_id": str(channel), "from": start, "to": end}
        _write_down(reach, database, actor, purpose, what)
        with database.transaction() as tx:
            planned = export.plan(tx, channel, span)
        media = folder / planned.name
        _write(media, planned)
        with media.with_name(export.proof_name(planned.name)).open("xb") as file:
            for piece in export.prove(database, planned, log_folder=reach.ledger):
                file.write(piece)
        click.echo(f"{media}  {planned.size_bytes} bytes, {len(planned.gaps)} gaps")
    finally:
        database.close()


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput("instant-form", f"{text} is no instant; write 2026-11-24T10:00:00Z.") from error


def _sign_in(reach: Reach, database: Database, login: str, password: str, code: str | None) -> Actor:
    at = reach.clock.now()
    with database.transaction() as tx:
        begun = sessions.sign_in(tx, login=login, password=password, code=code, address=_HERE, at=at)
        if not isinstance(begun, SignInRefused):
            sessions.sign_out(tx, token=begun.token, at=at)
    if isinstance(begun, SignInRefused):
        raise begun
    return begun.actor


def _write_down(reach: Reach, database: Database, actor: Actor, purpose_id: UUID, what: dict[str, JSON]) -> None:
    """May they, why, and a line that says so, committed before the first byte is read."""
    at = reach.clock.now()
    with database.transaction() as tx:
        require(actor, "export_footage")
        purpose = valid_purpose(tx, actor=actor, purpose_id=purpose_id, at=at)
        audit.record(
            tx, actor=actor, action="export_footage", what=what, at=at, to_whom=_HERE, purpose_id=purpose.id,
            legal_basis=purpose.reference.legal_basis,
        )  # fmt: skip


def _write(media: Path, planned: export.ExportPlan) -> None:
    """Write the MP4; a broken one is not left behind."""
    media.parent.mkdir(parents=True, exist_ok=True)
    part = media.with_suffix(".part")
    try:
        with part.open("xb") as file:
            for chunk in planned.chunks():
                file.write(chunk)
        part.rename(media)
    except FileExistsError as error:
        raise Conflict("export-exists", f"{part} is there already. Remove it, or choose another folder.") from error
    except (OSError, SvidokError):
        part.unlink(missing_ok=True)
        raise
