"""The server of ours: it starts, keeps what was committed through a kill, and leaves nothing behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from svidok.base import Unavailable
from svidok.db import Database
from svidok.db.server import PostgresServer


def test_what_was_committed_survives_a_kill(scratch: Path) -> None:
    server = PostgresServer(scratch / "killed")
    server.start()
    database = Database.open(server.url, size=2, wait_s=2)
    with database.transaction() as tx:
        tx.run("CREATE TABLE kept (n int)")
        tx.run("INSERT INTO kept VALUES (7)")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    while server.pid is not None:
        time.sleep(0.05)
    with pytest.raises(Unavailable) as refused, database.transaction() as tx:
        tx.one("SELECT 1 AS n")
    assert refused.value.code == "database-unavailable"

    again = PostgresServer(scratch / "killed")
    again.start()
    database.close()
    database = Database.open(again.url, size=2, wait_s=30)  # a busy machine takes its time
    with database.transaction() as tx:
        assert tx.one("SELECT n FROM kept")["n"] == 7
    database.close()
    again.stop()
    assert again.pid is None


def test_checksums_are_on(database: Database) -> None:
    with database.transaction() as tx:
        assert tx.one("SHOW data_checksums")["data_checksums"] == "on"
        assert tx.one("SHOW synchronous_commit")["synchronous_commit"] == "on"
        assert tx.one("SHOW fsync")["fsync"] == "on"
