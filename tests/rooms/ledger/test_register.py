"""From a transaction to the log on a real PostgreSQL: nothing lost, nothing doubled, every changed row named."""

import contextlib
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from svidok.base import new_id
from svidok.db import Database
from svidok.ledger import Log, enter, sequence_once
from svidok.ledger.audit import AuditReport, audit_log, audit_register
from svidok.ledger.log import LogDamaged
from svidok.ledger.register import count_waiting, mute
from svidok.ledger.signer import FileSigner

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
ORIGIN = "svidok.test/register"


@pytest.fixture
def log(tmp_path: Path, database: Database) -> Log:
    with database.transaction() as tx:
        tx.run("TRUNCATE ledger.entry")
    return Log(tmp_path / "log", FileSigner(tmp_path / "key.pem"), ORIGIN)


def state(database: Database, count: int) -> None:
    with database.transaction() as tx:
        for n in range(count):
            enter(tx, kind="test.made", subject=new_id(), payload={"n": n}, at=NOW)


def audit(database: Database, log: Log) -> AuditReport:
    report = audit_log(log.folder, verifier=log.verifier, origin=ORIGIN)
    return audit_register(database, log.folder, report.size, report)


def test_what_was_stated_is_in_the_log_once(database: Database, log: Log) -> None:
    state(database, 300)
    assert sequence_once(database, log) == 300
    assert sequence_once(database, log) == 0
    with database.transaction() as tx:
        assert count_waiting(tx) == 0
    report = audit(database, log)
    assert (report.size, report.rows, report.findings) == (300, 300, [])


def test_what_was_rolled_back_was_never_stated(database: Database, log: Log) -> None:
    with pytest.raises(RuntimeError), database.transaction() as tx:
        enter(tx, kind="test.made", subject=new_id(), payload={}, at=NOW)
        raise RuntimeError
    assert sequence_once(database, log) == 0


def test_dying_between_log_and_database_doubles_nothing(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(database, 10)
    real = log.append

    def append_and_die(entries: list[bytes]) -> range:
        real(entries)
        raise RuntimeError("killed")

    monkeypatch.setattr(log, "append", append_and_die)
    with pytest.raises(RuntimeError):
        sequence_once(database, log)
    monkeypatch.undo()
    state(database, 5)
    assert sequence_once(database, log) == 5
    report = audit(database, log)
    assert (report.size, report.rows, report.findings) == (15, 15, [])


def test_a_disk_that_fails_at_any_deed_loses_and_doubles_nothing(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, deeds, stated = os.fsync, 0, 0
    while deeds < 30:
        state(database, 40)
        stated += 40
        left = deeds

        def fail(handle: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(5, "input/output error")
            real(handle)

        with monkeypatch.context() as patch, contextlib.suppress(OSError):
            patch.setattr(os, "fsync", fail)
            sequence_once(database, log)
        deeds += 1
    sequence_once(database, log)
    report = audit(database, log)
    assert (report.size, report.rows, report.findings) == (stated, stated, [])
    with database.transaction() as tx:
        assert count_waiting(tx) == 0


def test_a_sequencer_that_takes_over_reads_where_the_other_stopped(
    database: Database, log: Log, tmp_path: Path
) -> None:
    second = Log(log.folder, FileSigner(tmp_path / "key.pem"), ORIGIN)
    for one, count in ((log, 3), (second, 300), (log, 5), (second, 1)):
        state(database, count)
        assert sequence_once(database, one) == count
    report = audit(database, log)
    assert (report.size, report.rows, report.findings) == (309, 309, [])


def test_two_sequencers_take_turns(database: Database, log: Log) -> None:
    state(database, 500)
    done: list[int] = []
    workers = [threading.Thread(target=lambda: done.append(sequence_once(database, log))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sequence_once(database, log)
    report = audit(database, log)
    assert (report.size, report.rows, report.findings) == (500, 500, [])


def test_a_log_that_was_rolled_back_must_not_grow(database: Database, log: Log, tmp_path: Path) -> None:
    state(database, 3)
    sequence_once(database, log)
    fresh = Log(tmp_path / "fresh", FileSigner(tmp_path / "key.pem"), ORIGIN)
    with pytest.raises(LogDamaged):
        sequence_once(database, fresh)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE ledger.entry SET at = at + interval '1 s' WHERE leaf_index = 2", "row-differs"),
        ("UPDATE ledger.entry SET payload = payload || '\\x20' WHERE leaf_index = 2", "row-does-not-open"),
        ("UPDATE ledger.entry SET commitment = sha256('x') WHERE leaf_index = 2", "row-differs"),
        ("DELETE FROM ledger.entry WHERE leaf_index = 2", "row-missing"),
        ("UPDATE ledger.entry SET leaf_index = 99 WHERE leaf_index = 4", "row-beyond-log"),
    ],
)
def test_a_changed_row_is_named(database: Database, log: Log, change: str, code: str) -> None:
    state(database, 5)
    sequence_once(database, log)
    with database.transaction() as tx:
        tx.run(change)
    assert code in [finding.code for finding in audit(database, log).findings]


def test_a_muted_statement_still_verifies(database: Database, log: Log) -> None:
    subject = new_id()
    with database.transaction() as tx:
        enter(tx, kind="test.made", subject=subject, payload={"name": "somebody"}, at=NOW)
    sequence_once(database, log)
    with database.transaction() as tx:
        assert mute(tx, subject=subject, kind="test.made") == 1
    assert audit(database, log).findings == []
