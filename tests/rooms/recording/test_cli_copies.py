"""Second copies at the terminal, and the copier as the process that `svidok up` runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from svidok.base import BadInput, SystemClock
from svidok.cli.copies import copies_group
from svidok.cli.reach import Reach
from svidok.db import Database
from svidok.recording.copies.copier import Copier
from svidok.recording.copies.envelope import Keeper
from svidok.recording.copies.stores import FolderStore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "second").mkdir()
    return tmp_path / "second"


@pytest.fixture
def run(yard, database_url: str, tmp_path: Path, folder: Path) -> Callable[..., Result]:
    with yard.database.transaction() as tx:
        tx.run("TRUNCATE recording.copy, recording.inventory")
    reach = Reach(
        data=tmp_path, ledger=yard.log.folder, ledger_origin=yard.log.origin, keys=tmp_path / "keys",
        clock=SystemClock(), database=lambda: Database.open(database_url, size=2),
        stores=lambda: [FolderStore(folder)],
    )  # fmt: skip
    return lambda *args: CliRunner().invoke(copies_group, [str(one) for one in args], obj=reach)


def copied(yard, folder: Path, tmp_path: Path) -> None:
    store = FolderStore(folder)
    store.check()
    keeper = Keeper(tmp_path / "keys" / "copies.key")
    Copier(database=yard.database, stores=[store], keeper=keeper, node=yard.node).round(at=lambda: NOON)


def test_count_restore_and_rotate(yard, clip, run, folder: Path, tmp_path: Path) -> None:
    yard.record(clip, NOON)
    yard.sequence()
    copied(yard, folder, tmp_path)
    assert "1 copies" in run("list").output
    assert run("count", "--bytes").exit_code == 0
    assert "1 keys wrapped anew" in run("rotate-key").output
    original = yard.media().read_bytes()
    yard.media().unlink()
    told = run("restore", "--lost")
    assert (told.exit_code, "1 restored, 0 not" in told.output) == (0, True)
    assert yard.media().read_bytes() == original
    assert "nothing to restore" in run("restore", "--lost").output
    next(folder.glob("*/*/*.sealed")).unlink()
    told = run("count")
    assert (told.exit_code, "1 missing" in told.output) == (1, True)
    yard.media().unlink()
    told = run("restore", "--lost")
    assert (told.exit_code, "not restored" in told.output) == (1, True)


def test_where_no_place_is_set_it_says_what_to_do(yard, database_url: str, tmp_path: Path) -> None:
    reach = Reach(
        data=tmp_path, ledger=yard.log.folder, ledger_origin="x", keys=tmp_path, clock=SystemClock(),
        database=lambda: Database.open(database_url, size=1),
    )  # fmt: skip
    told = CliRunner().invoke(copies_group, ["count"], obj=reach)
    assert isinstance(told.exception, BadInput)
    assert "SVIDOK_COPIES" in told.exception.message


def test_the_copier_copies_by_itself_and_ends_when_told(
    yard, clip, database_url: str, folder: Path, tmp_path: Path
) -> None:
    yard.record(clip, NOON)
    environment = {
        **os.environ, "SVIDOK_DATABASE_URL": database_url, "SVIDOK_DATA": str(tmp_path / "data"),
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"), "SVIDOK_NODE": yard.node, "SVIDOK_COPIES": f'["file://{folder}"]',
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "svidok", "copier"], env=environment, cwd=tmp_path)
    try:
        until = time.monotonic() + 60
        while not list(folder.glob("*/*/*.sealed")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
