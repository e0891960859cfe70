"""`svidok plates`: register the devices that read plates, and fill hotlists from files, as the person who signs in."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from svidok.access import Actor
from svidok.base import BadInput, NotFound
from svidok.cli.fleet import sign_in
from svidok.cli.plates_accuracy import accuracy
from svidok.cli.reach import Reach, pass_reach
from svidok.db import Database, Transaction
from svidok.plates import devices, hotlist_file, hotlists
from svidok.plates.model import Source

_TOLD_BAD_ROWS = 50
_SOURCES = [str(source) for source in Source if source != Source.OWN]


def signed_in(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of whoever acts."""
    for option in (
        click.option("--code", help="The code of your authenticator, where you have one."),
        click.option("--password", prompt=True, hide_input=True, help="Better not given here: you are asked for it."),
        click.option("--login", required=True, help="Your account."),
    ):
        command = option(command)
    return command


@contextmanager
def _acting(reach: Reach, login: str, password: str, code: str | None) -> Iterator[tuple[Database, Actor]]:
    database = reach.database()
    try:
        yield database, sign_in(reach, database, login, password, code)
    finally:
        database.close()


@click.group("plates")
def plates_group() -> None:
    """Plate reads: devices that send them, hotlists, and how well we read."""


plates_group.add_command(accuracy)


@plates_group.group("devices")
def devices_group() -> None:
    """What reads plates by itself and tells us."""


@devices_group.command("add")
@click.argument("name")
@click.option("--source", type=click.Choice(_SOURCES), default="contract", help="In which tongue it tells.")
@click.option("--camera", "cameras", multiple=True, required=True, metavar="[NAME=]NUMBER",
              help="A camera it speaks for, by its number in the fleet; NAME is what the device calls it.")  # fmt: skip
@click.option("--topic", help="The prefix of its topics on your MQTT broker.")
@click.option("--rate", default=devices.PER_S, help="Reads a second that it may send.")
@signed_in
@pass_reach
def add_device(
    reach: Reach, name: str, *, source: str, cameras: tuple[str, ...], topic: str | None, rate: float, login: str,
    password: str, code: str | None,
) -> None:  # fmt: skip
    """Register the device NAME. Its secret is told this once."""
    with _acting(reach, login, password, code) as (database, actor), database.transaction() as tx:
        device_id, secret = devices.add(
            tx, actor=actor, name=name, source=Source(source), cameras=_cameras(tx, cameras), topic=topic, per_s=rate,
            at=reach.clock.now(),
        )  # fmt: skip
    click.echo(f"{device_id}\nsecret, told this once: {secret}")


@devices_group.command("list")
@pass_reach
def list_devices(reach: Reach) -> None:
    """The devices: name, tongue, when last seen, reads taken, sent again, rejected, turned away."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            for row in devices.all_devices(tx):
                seen = f"{row['last_seen']:%Y-%m-%d %H:%M:%S}" if row["last_seen"] else "never"
                state = "" if row["enabled"] else "\tdisabled"
                counts = "\t".join(str(row[name]) for name in ("taken", "repeated", "rejected", "refused"))
                click.echo(f"{row['name']}\t{row['source']}\t{seen}\t{counts}{state}")
    finally:
        database.close()


@devices_group.command("rotate")
@click.argument("name")
@click.option("--grace-hours", default=24, help="How long the old secret goes on working; 0 where it leaked.")
@signed_in
@pass_reach
def rotate_device(
    reach: Reach, name: str, *, grace_hours: int, login: str, password: str, code: str | None
) -> None:  # fmt: skip
    """Give the device NAME a new secret."""
    with _acting(reach, login, password, code) as (database, actor), database.transaction() as tx:
        secret = devices.rotate(
            tx, actor=actor, device_id=_named(tx, name), grace=timedelta(hours=grace_hours), at=reach.clock.now()
        )
    click.echo(f"secret, told this once: {secret}")


@devices_group.command("enable")
@click.argument("name")
@click.option("--off", is_flag=True, help="Disable it instead.")
@signed_in
@pass_reach
def enable_device(reach: Reach, name: str, *, off: bool, login: str, password: str, code: str | None) -> None:
    """Let the device NAME send, or send no more."""
    with _acting(reach, login, password, code) as (database, actor), database.transaction() as tx:
        devices.change(
            tx, actor=actor, device_id=_named(tx, name), changes={"enabled": not off}, at=reach.clock.now()
        )  # fmt: skip


@plates_group.command("import")
@click.argument("hotlist")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@signed_in
@pass_reach
def import_hotlist(reach: Reach, hotlist: str, file: Path, *, login: str, password: str, code: str | None) -> None:
    """Enter the rows of the CSV FILE on the list named HOTLIST. Bad rows are named by line and reason."""
    with _acting(reach, login, password, code) as (database, actor):
        at = reach.clock.now()
        found = hotlist_file.read(file.read_bytes(), at=at)
        with database.transaction() as tx:
            lists = {row["name"]: row["id"] for row in hotlists.all_lists(tx, actor=actor, at=at)}
            if hotlist not in lists:
                raise NotFound("hotlist-unknown", "There is no list of this name that you may see.")
            added = hotlists.add(tx, actor=actor, list_id=lists[hotlist], new=found.entries, at=at)
    for line, reason in found.bad[:_TOLD_BAD_ROWS]:
        click.echo(f"line {line}: {reason}")
    click.echo(f"{added} entered, {len(found.entries) - added} known already, {found.doubles} named twice, "
               f"{len(found.bad)} not taken")  # fmt: skip
    if found.bad:
        sys.exit(1)


def _cameras(tx: Transaction, told: tuple[str, ...]) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    for one in told:
        name, _, number = one.rpartition("=")
        row = tx.maybe("SELECT id FROM fleet.camera WHERE number = %(number)s", number=number)
        if row is None:
            raise BadInput("camera-unknown", f"There is no camera {number}. Enter it in the fleet first.")
        found[name] = row["id"]
    return found


def _named(tx: Transaction, name: str) -> UUID:
    for row in devices.all_devices(tx):
        if row["name"] == name:
            found: UUID = row["id"]
            return found
    raise NotFound("device-unknown", "There is no device of this name. `svidok plates devices list` names them.")
