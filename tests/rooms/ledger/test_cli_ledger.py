"""The ledger's commands: what a stranger is given, and what an audit says and exits with."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from svidok.base import BadInput, Conflict, NotFound, SystemClock, new_id
from svidok.cli.ledger import ledger
from svidok.cli.reach import Reach
from svidok.db import Database
from svidok.ledger import Log, canonical, enter, leaf_hash, sequence_once, verify_inclusion
from svidok.ledger.note import Checkpoint, Verifier
from svidok.ledger.signer import FileSigner

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ORIGIN = "test.invalid/cli"


@pytest.fixture
def log(database: Database, tmp_path: Path) -> Log:
    with database.transaction() as tx:
        tx.run("TRUNCATE ledger.entry")
    return Log(tmp_path / "ledger", FileSigner(tmp_path / "keys" / "ledger.pem"), ORIGIN)


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Callable[..., Result]:
    reach = Reach(
        data=tmp_path, ledger=tmp_path / "ledger", ledger_origin=ORIGIN, keys=tmp_path / "keys", clock=SystemClock(),
        database=lambda: Database.open(database_url, size=1),
    )  # fmt: skip
    return lambda *args: CliRunner().invoke(ledger, [str(one) for one in args], obj=reach)


def state(database: Database, number: int = 1) -> list:
    with database.transaction() as tx:
        return [enter(tx, kind="test.fact", subject=new_id(), payload={"n": n}, at=NOON) for n in range(number)]


def test_an_entry_is_proved_to_a_stranger(database: Database, log: Log, run) -> None:
    entries = state(database, 5)
    assert isinstance(run("prove", entries[3]).exception, Conflict)
    sequence_once(database, log)
    told = json.loads(run("prove", entries[3]).output)
    verifier = Verifier.parse(run("key").output)
    checkpoint = Checkpoint.open(told["checkpoint"], verifier=verifier, origin=ORIGIN)
    assert verify_inclusion(
        leaf_hash(canonical(told["leaf"])), index=told["leaf_index"], size=checkpoint.size,
        path=[bytes.fromhex(one) for one in told["inclusion"]], root=checkpoint.root,
    )  # fmt: skip
    assert told["payload"] == {"n": 3}
    assert run("checkpoint").output == told["checkpoint"]
    assert isinstance(run("prove", new_id()).exception, NotFound)


def test_an_audit_is_clean_and_then_names_a_tile_and_a_row(database: Database, log: Log, run, tmp_path: Path) -> None:
    (entry,) = state(database)
    sequence_once(database, log)
    done = run("audit")
    assert (done.exit_code, "1 entries, 1 rows" in done.output, "no findings" in done.output) == (0, True, True)
    with database.transaction() as tx:
        tx.run("UPDATE ledger.entry SET payload = payload || ' '::bytea WHERE id = %(id)s", id=entry)
    done = run("audit")
    assert (done.exit_code, f"row-does-not-open  ledger.entry {entry}" in done.output) == (1, True)
    assert run("audit", "--log-only").exit_code == 0
    tile = tmp_path / "ledger" / "tile/0/000.p/1"
    tile.write_bytes(bytes(32))
    done = run("audit", "--log-only")
    assert (done.exit_code, "tile-wrong  tile/0/000.p/1" in done.output) == (1, True)


def test_a_log_that_shrank_is_found_against_a_remembered_checkpoint(
    database: Database, log: Log, run, tmp_path: Path
) -> None:
    state(database, 2)
    sequence_once(database, log)
    kept = tmp_path / "kept"
    kept.write_text(run("checkpoint").output)
    assert run("audit", "--remembered", kept).exit_code == 0
    other = Log(tmp_path / "other", FileSigner(tmp_path / "keys" / "ledger.pem"), ORIGIN)
    other.append([b"x"])
    done = run("audit", "--folder", tmp_path / "other", "--remembered", kept)
    assert (done.exit_code, "rolled-back" in done.output) == (1, True)
    kept.write_text("no checkpoint")
    assert isinstance(run("audit", "--remembered", kept).exception, BadInput)


def test_another_key_finds_the_checkpoint_bad(database: Database, log: Log, run, tmp_path: Path) -> None:
    other = Verifier(name=ORIGIN, key=FileSigner(tmp_path / "other.pem").public_key())
    done = run("audit", "--key", other.text())
    assert (done.exit_code, "checkpoint-bad" in done.output) == (1, True)
    assert isinstance(run("audit", "--key", "nonsense").exception, BadInput)


def test_a_log_that_grows_while_it_is_audited_is_not_called_wrong(database: Database, log: Log) -> None:
    from svidok.ledger.audit import audit_log, audit_register

    state(database, 3)
    sequence_once(database, log)
    report = audit_log(log.folder, verifier=log.verifier, origin=ORIGIN)
    state(database, 3)
    sequence_once(database, log)
    assert audit_register(database, log.folder, report.size, report).findings == []


def test_without_log_or_key_it_says_so(run) -> None:
    for command in ("key", "checkpoint", "audit"):
        assert isinstance(run(command).exception, NotFound)
