"""What every test may ask for: one real PostgreSQL a session, a fresh database a module, a real NATS."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from svidok.app.rooms import ROOMS
from svidok.base import new_id
from svidok.bus.server import NatsFolder
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that any system user may pass through (PostgreSQL does not run as root), removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="svidok-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(scratch: Path) -> Iterator[PostgresServer]:
    """One PostgreSQL of ours for the session."""
    server = PostgresServer(scratch / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    name = f"test_{new_id().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = postgres.url.replace("/svidok?", f"/{name}?")
    database = Database.open(url, size=1)
    migrate(database, ROOMS)
    database.close()
    yield url
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database."""
    opened = Database.open(database_url, size=8)
    yield opened
    opened.close()


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def nats_url(scratch: Path) -> Iterator[str]:
    """One NATS of ours for the session."""
    nats = NatsFolder(folder=scratch / "nats", port=free_port())
    with (scratch / "nats.log").open("wb") as log:
        process = subprocess.Popen(nats.command(), stdout=log, stderr=log)
    yield nats.url
    process.terminate()
    process.wait(10)
