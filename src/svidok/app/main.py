"""The command line: the verbs of `cli`, and those that start processes."""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

import click
from pydantic import SecretStr

from svidok.app import demo as demonstration
from svidok.app import demo_bodyworn, demo_customs, demo_witnesses
from svidok.app.logs import set_up_logs
from svidok.app.roles.copier import open_stores, run_copier
from svidok.app.roles.dock import run_dock
from svidok.app.roles.hub import build_hub, run_hub
from svidok.app.roles.intake import run_intake
from svidok.app.roles.reader import run_reader
from svidok.app.roles.recorder import run_recorder
from svidok.app.roles.signatures import run_signatures
from svidok.app.settings import Settings, load_settings
from svidok.app.supervisor import ourselves
from svidok.app.up import Machine, clock_is_kept, only_one, refuse_broken_promises
from svidok.base import SvidokError, SystemClock
from svidok.cli.bundle import verify_bundle_command
from svidok.cli.copies import copies_group
from svidok.cli.fleet import cameras_group
from svidok.cli.ledger import ledger
from svidok.cli.plates import plates_group
from svidok.cli.reach import Reach
from svidok.cli.recording import COMMANDS
from svidok.cli.simulate import simulate
from svidok.cli.witness import witness_command
from svidok.cli.worn import worn
from svidok.db import Database
from svidok.db.server import PostgresServer


@click.group()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: ./data, or SVIDOK_DATA).")
@click.pass_context
def svidok(context: click.Context, data: Path | None) -> None:
    """Svidok: video and evidence that outsiders can check."""
    settings = load_settings(data=data)
    set_up_logs(settings.log_format)
    context.obj = Reach(
        data=settings.data,
        ledger=settings.ledger,
        ledger_origin=settings.known_origin(),
        keys=settings.keys,
        clock=SystemClock(),
        database=lambda: _database(settings),
        stores=lambda: open_stores(settings),
    )


def _database(settings: Settings) -> Database:
    """The database of this installation, whether `svidok up` runs it or an outside one is named."""
    if settings.database_url is not None:
        return Database.open(settings.database_url.get_secret_value(), size=4)
    return Database.open(PostgresServer(settings.data / "postgres").url, size=4)


@svidok.command()
@click.option("--demo", is_flag=True, help="Add the demonstration region with its simulated cameras.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: ./data).")
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=int, help="Port of the web door (default: 8480).")
def up(demo: bool, data: Path | None, host: str | None, port: int | None) -> None:
    """Start everything on this machine, and stop everything with Ctrl+C."""
    settings = load_settings(data=data, host=host, port=port)
    set_up_logs(settings.log_format)
    try:
        _up(settings, demo=demo)
    except SvidokError as error:
        click.echo(f"svidok: {error.message}", err=True)
        sys.exit(1)


def _up(settings: Settings, *, demo: bool) -> None:
    clock = SystemClock()
    refuse_broken_promises(settings, at=clock.now())
    lock = only_one(settings.data)
    if clock_is_kept() is False:
        click.echo("svidok: this machine's clock is not synchronised; the instants of footage may be wrong.", err=True)
    if demo and settings.dock_port is None:
        settings.dock_port = demo_bodyworn.DOCK_PORT
    machine = Machine(settings)
    try:
        database = machine.start_ground()
        people = demonstration.seed(database, settings, clock, settings.demo_port) if demo else {}
        if demo:
            demonstration.signing_identity(settings, clock.now())
            machine.supervisor.run_child("demo-cameras", ourselves("demo-cameras"), {"SVIDOK_DATA": str(settings.data)})
            demo_witnesses.start(settings, machine.supervisor, clock)
        machine.start_roles(demo=demo)
        if demo:
            for outsider in ("demo-border", "demo-docks"):
                machine.supervisor.run_child(outsider, ourselves(outsider), machine.told_to_outsiders())
        _greet(machine, database, people)
        database.close()
        machine.run()
    finally:
        machine.stop()
        os.close(lock)


def _greet(machine: Machine, database: Database, people: dict[str, str]) -> None:
    first = machine.first_sign_in(database)
    click.echo(f"\n  Svidok: {machine.address}\n")
    if first:
        click.echo(f"  First administrator, works once: {first}\n")
    for login, password in people.items():
        click.echo(f"  demonstration: {login:<13} {password}")
    click.echo("\n  Ctrl+C stops everything.\n")


@svidok.command()
def hub() -> None:
    """Serve the web and the API."""
    run_hub(load_settings())


@svidok.command()
def recorder() -> None:
    """Record cameras."""
    asyncio.run(run_recorder(load_settings()))


@svidok.command()
def reader() -> None:
    """Read the plates of what plate cameras record."""
    asyncio.run(run_reader(load_settings()))


@svidok.command()
def intake() -> None:
    """Sequence the ledger, sweep health, dispose of what is due."""
    asyncio.run(run_intake(load_settings()))


@svidok.command()
def copier() -> None:
    """Copy sealed footage of this machine to its second places."""
    asyncio.run(run_copier(load_settings()))


@svidok.command()
def signatures() -> None:
    """Judge what signing cameras signed."""
    asyncio.run(run_signatures(load_settings()))


@svidok.command()
def dock() -> None:
    """Let docks in over TLS, keep what they send twice, and cut it."""
    run_dock(load_settings())


@svidok.command("demo-docks", hidden=True)
def demo_docks() -> None:
    """Play the demonstration's dock, until its day is over."""
    demo_bodyworn.dock(load_settings(), SystemClock())
    threading.Event().wait()


@svidok.command("demo-border", hidden=True)
def demo_border() -> None:
    """Play the demonstration's customs system and scanner."""
    demo_customs.play(load_settings(), SystemClock())
    threading.Event().wait()


@svidok.command("demo-cameras", hidden=True)
def demo_cameras() -> None:
    """Serve the demonstration's cameras."""
    settings = load_settings()
    demonstration.serve(settings, settings.demo_port)


@svidok.command()
def openapi() -> None:
    """Print the API's schema (OpenAPI 3.1)."""
    settings = load_settings()
    settings.database_url = settings.database_url or SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    click.echo(json.dumps(build_hub(settings).openapi_schema.to_schema(), indent=1, ensure_ascii=False))


BUNDLES = (verify_bundle_command, witness_command)
for command in (simulate, worn, ledger, cameras_group, plates_group, copies_group, *BUNDLES, *COMMANDS):
    svidok.add_command(command)


def main() -> None:
    """The entry point; errors of ours end in a sentence, not in a trace."""
    try:
        svidok(standalone_mode=True)
    except SvidokError as error:
        click.echo(f"svidok: {error.message}", err=True)
        sys.exit(1)
