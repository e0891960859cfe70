"""`svidok up`: everything on one machine under one parent.

It refuses to start where a promise could not be kept (the clock is not set,
the data folder cannot be written), says so in a sentence, and touches nothing.
"""

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from svidok.access import accounts
from svidok.app.rooms import ROOMS
from svidok.app.settings import Settings
from svidok.app.supervisor import Supervisor, ourselves
from svidok.base import Conflict, SystemClock, Unavailable, new_id
from svidok.bus.server import NatsFolder
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer

log = structlog.get_logger("up")

_BUILT_AFTER_YEAR = 2026


def refuse_broken_promises(settings: Settings, *, at: datetime) -> None:
    """Raise `Conflict` where footage could not be kept, or would bear a false time."""
    if at.year < _BUILT_AFTER_YEAR:
        raise Conflict("clock-not-set", f"The machine believes it is {at:%Y-%m-%d}. Set its clock, then start again.")
    for folder in [settings.data, *settings.volumes()]:
        probe = folder / f".probe-{new_id().hex}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"svidok")
            probe.unlink()
        except OSError as error:
            raise Conflict(
                "folder-not-writable", f"{folder} cannot be written ({error.strerror}). Mount it or choose another."
            ) from error
    settings.keys.mkdir(exist_ok=True)
    settings.keys.chmod(0o700)


def clock_is_kept(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> bool | None:
    """Whether the system says its clock is synchronised; nothing where it cannot be asked."""
    try:
        said = run(
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = said.stdout.strip()
    return {"yes": True, "no": False}.get(answer)


class Machine:
    """What one machine runs: our PostgreSQL and NATS unless outside ones are named, then the roles."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.supervisor = Supervisor(self.clock, settings.data / "logs")
        self._postgres: PostgresServer | None = None
        self._environment: dict[str, str] = {}

    def start_ground(self) -> Database:
        """Start PostgreSQL and NATS, bring the schema up to date; an open database."""
        settings = self.settings
        if settings.database_url is None:
            self._postgres = PostgresServer(settings.data / "postgres")
            self._postgres.start()
            self.supervisor.watch("postgres", lambda: self._postgres is not None and self._postgres.pid is not None,
                                  self._revive_postgres)  # fmt: skip
        self._environment["SVIDOK_DATABASE_URL"] = self.database_url
        if settings.bus_url is None:
            nats = NatsFolder(folder=settings.data / "nats", port=settings.bus_port, name=settings.node)
            self.supervisor.run_child("nats", nats.command())
            self._environment["SVIDOK_BUS_URL"] = nats.url
        else:
            self._environment["SVIDOK_BUS_URL"] = settings.bus_url.get_secret_value()
        database = Database.open(self.database_url, size=4)
        for name in migrate(database, ROOMS):
            log.info("migrated", file=name)
        return database

    @property
    def database_url(self) -> str:
        """Where the database is."""
        if self._postgres is not None:
            return self._postgres.url
        if self.settings.database_url is None:
            raise Unavailable("database-not-started", "The database is not started yet.")
        return self.settings.database_url.get_secret_value()

    def start_roles(self, *, demo: bool) -> None:
        """Start intake, recorder and hub, in this order: who counts before who is counted."""
        environment = {
            **self._environment,
            "SVIDOK_DATA": str(self.settings.data),
            "SVIDOK_NODE": self.settings.node,
            "SVIDOK_HOST": self.settings.host,
            "SVIDOK_PORT": str(self.settings.port),
            "SVIDOK_DEMO": "1" if demo else "",
            "SVIDOK_WITNESSES": json.dumps(self.settings.witnesses),
            "SVIDOK_WITNESS_QUORUM": str(self.settings.witness_quorum),
            **({"SVIDOK_DOCK_PORT": str(self.settings.dock_port)} if self.settings.dock_port is not None else {}),
        }
        if demo and self.settings.device_roots is None:
            environment["SVIDOK_DEVICE_ROOTS"] = str(self.settings.data / "demo" / "maker" / "root.pem")
        copier = ("copier",) if self.settings.copies else ()
        dock = ("dock",) if self.settings.dock_port is not None else ()
        for role in ("intake", "recorder", "signatures", *copier, *dock, "reader", "hub"):
            self.supervisor.run_child(role, ourselves(role), environment)

    def told_to_outsiders(self) -> dict[str, str]:
        """What those need to know who play the outside of this machine: its doors, and nothing behind them."""
        settings = self.settings
        doors = {"SVIDOK_DATA": settings.data, "SVIDOK_HOST": settings.host, "SVIDOK_PORT": settings.port,
                 "SVIDOK_DOCK_PORT": settings.dock_port}  # fmt: skip
        return {name: str(value) for name, value in doors.items() if value is not None}

    def first_sign_in(self, database: Database) -> str | None:
        """The one-time address for the first administrator, or nothing when there is one already."""
        with database.transaction() as tx:
            token = accounts.first_token(tx, at=self.clock.now())
        return f"{self.address}/#token={token}" if token else None

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return self.settings.public_origin or f"http://{self.settings.host}:{self.settings.port}"

    def run(self) -> None:
        """Tend everything until SIGINT or SIGTERM, then stop all of it."""
        for sent in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sent, lambda *_: self.supervisor.stop.set())
        try:
            self.supervisor.tend()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop what was started, the database last."""
        self.supervisor.end()
        if self._postgres is not None:
            self._postgres.stop()

    def _revive_postgres(self) -> None:
        try:
            if self._postgres is not None:
                self._postgres.start()
        except Unavailable as error:
            log.warning("database stays down", why=error.message)


def only_one(data: Path) -> int:
    """Take the lock of a data folder, so that it is never served twice; raises `Conflict`. Keep what it returns."""
    data.mkdir(parents=True, exist_ok=True)
    lock = os.open(data / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise Conflict("already-running", f"Another Svidok already runs on {data}. Stop it first.") from error
    return lock
