"""The log on a real disk: growth, proofs, crashes at every step, and every flipped byte named."""

import os
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from svidok.base import Conflict
from svidok.ledger.audit import audit_log
from svidok.ledger.entry import Entry
from svidok.ledger.log import Log, LogDamaged
from svidok.ledger.note import Checkpoint
from svidok.ledger.signer import FileSigner
from svidok.ledger.tree import leaf_hash, root_of, verify_consistency, verify_inclusion

ORIGIN = "svidok.test/log"


def entries(first: int, count: int) -> list[bytes]:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return [
        Entry(id=UUID(int=n + 1), kind="test.made", subject=UUID(int=n), at=at, commitment=bytes(32)).leaf_bytes()
        for n in range(first, first + count)
    ]


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    return FileSigner(tmp_path / "ledger.pem")


def grown(folder: Path, signer: FileSigner, *batches: int) -> Log:
    log = Log(folder, signer, ORIGIN)
    for batch in batches:
        log.append(entries(log.size, batch))
    return log


def codes(folder: Path, log: Log, remembered: Checkpoint | None = None) -> list[tuple[str, str]]:
    report = audit_log(folder, verifier=log.verifier, origin=ORIGIN, remembered=remembered)
    return [(finding.code, finding.where) for finding in report.findings]


def test_it_grows_proves_and_reopens(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    sizes, log = [], Log(folder, signer, ORIGIN)
    for batch in (1, 2, 253, 1, 300, 700, 5):
        log.append(entries(log.size, batch))
        sizes.append(log.size)
        log = Log(folder, signer, ORIGIN)
        assert log.size == sizes[-1]
    hashes = [leaf_hash(entry) for entry in entries(0, log.size)]
    root = root_of(hashes)
    assert log.root(log.size) == root
    for index in (0, 1, 255, 256, 600, log.size - 1):
        path = log.inclusion_proof(index, log.size)
        assert verify_inclusion(hashes[index], index=index, size=log.size, path=path, root=root)
    for old in sizes:
        path = log.consistency_proof(old, log.size)
        assert verify_consistency(
            old_size=old, old_root=root_of(hashes[:old]), new_size=log.size, new_root=root, path=path
        )
    assert codes(folder, log) == []


def test_seventy_thousand_entries_reach_a_third_level(tmp_path: Path, signer: FileSigner) -> None:
    log = grown(tmp_path / "log", signer, 65_535, 2, 4_000)
    assert (tmp_path / "log/tile/2/000.p/1").exists()
    assert log.root(log.size) == root_of([leaf_hash(entry) for entry in entries(0, log.size)])


class PowerCut(Exception):
    """Raised where the machine would have gone dark."""


@pytest.mark.parametrize("at_call", range(1, 16))
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_crash_at_any_step_leaves_the_old_log_or_the_new(
    tmp_path: Path, signer: FileSigner, monkeypatch: pytest.MonkeyPatch, call: str, at_call: int
) -> None:
    folder = tmp_path / "log"
    log = grown(folder, signer, 250)
    calls = 0
    real = {"fsync": os.fsync, "rename": Path.rename}[call]

    def cut(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at_call:
            raise PowerCut
        return real(*arguments)  # type: ignore[operator]

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "rename")), cut)
    try:
        log.append(entries(250, 20))
    except PowerCut:
        pass
    monkeypatch.undo()
    again = Log(folder, signer, ORIGIN)
    assert again.size in (250, 270)
    again.append(entries(again.size, 300))
    assert codes(folder, again) == []


def test_every_flipped_byte_is_named(tmp_path: Path, signer: FileSigner) -> None:
    log = grown(tmp_path / "log", signer, 300)
    chance = random.Random(7)
    for path in sorted(p for p in (tmp_path / "log").rglob("*") if p.is_file()):
        for _ in range(4):
            broken = tmp_path / "broken"
            shutil.copytree(tmp_path / "log", broken)
            there = broken / path.relative_to(tmp_path / "log")
            data = bytearray(there.read_bytes())
            place = chance.randrange(len(data))
            data[place] ^= 1 << chance.randrange(8)
            there.write_bytes(data)
            found = codes(broken, log)
            assert found, f"{path.name} byte {place} was not noticed"
            name = str(path.relative_to(tmp_path / "log"))
            assert any(name in where or where.startswith(("leaf", "checkpoint")) for _, where in found), (name, found)
            shutil.rmtree(broken)


def test_a_removed_tile_a_rollback_and_a_rewrite_are_named(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    log = grown(folder, signer, 300)
    remembered = Checkpoint(origin=ORIGIN, size=300, root=log.root(300))
    (folder / "tile/0/000").unlink()
    assert ("tile-missing", "tile/0/000") in codes(folder, log)
    shutil.rmtree(folder)
    assert codes(folder, grown(folder, signer, 200), remembered) == [("rolled-back", "checkpoint")]
    shutil.rmtree(folder)
    log = Log(folder, signer, ORIGIN)
    log.append(entries(1, 301))
    assert codes(folder, log, remembered) == [("history-rewritten", "checkpoint")]


def test_a_log_that_disagrees_with_itself_is_not_opened(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    grown(folder, signer, 300)
    tile = folder / "tile/0/000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    (folder / "tile/1/000.p/1").write_bytes(bytes(32))
    with pytest.raises(LogDamaged):
        Log(folder, signer, ORIGIN)
    (folder / "checkpoint").unlink()
    with pytest.raises(LogDamaged):
        Log(folder, signer, ORIGIN)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, signer: FileSigner) -> None:
    (tmp_path / "ledger.pem").chmod(0o644)
    with pytest.raises(Conflict) as refused:
        FileSigner(tmp_path / "ledger.pem")
    assert refused.value.code == "key-too-open"


def test_an_older_partial_tile_that_was_changed_is_named(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    log = grown(folder, signer, 5, 4)
    assert codes(folder, log) == []
    for name in ("tile/0/000.p/5", "tile/entries/000.p/5"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
        assert codes(folder, log) == [("tile-wrong", name)]
        (folder / name).write_bytes(whole)


def test_what_a_crash_left_beyond_the_checkpoint_does_not_outlive_it(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    grown(folder, signer, 5)
    for name in ("tile/0/000.p/8", "tile/entries/000.p/8"):
        (folder / name).write_bytes(bytes(8 * 32))
    log = Log(folder, signer, ORIGIN)
    log.append(entries(log.size, 10))
    assert codes(folder, log) == []
