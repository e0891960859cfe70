"""The log on a real disk: growth, proofs, crashes at every step, and every flipped byte named."""

import os
import random
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from svidok.base import Conflict, Unavailable
from svidok.ledger.audit import audit_log
from svidok.ledger.entry import Entry
from svidok.ledger.log import MOST_ENTRIES, Log, LogDamaged
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


class PowerCut(BaseException):
    """Raised where the machine would have gone dark."""


DEEDS = {(os, "fsync"), (Path, "rename"), (Path, "unlink"), (Path, "mkdir"), (Path, "open"), (Path, "rmdir")}


open_path, unlink = Path.open, Path.unlink


class Fuse:
    """Lets so many deeds on the disk happen, and none after them, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, deeds: int, error: type[BaseException] = PowerCut) -> None:
        self.left, self.error, self._patch = deeds, error, monkeypatch.context()
        self.blown = False

    def __enter__(self) -> "Fuse":
        patch = self._patch.__enter__()
        for place, name in DEEDS:
            patch.setattr(place, name, self._counted(getattr(place, name)))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        self._patch.__exit__(None, None, None)
        return kind is self.error

    def _counted(self, real):
        def deed(*arguments, **named):
            if (real is open_path and "w" not in str(arguments[1:])) or (real is unlink and not arguments[0].exists()):
                return real(*arguments, **named)  # nothing is changed by it
            if self.left <= 0:
                self.blown = True
                raise self.error(28, "no space left on device")
            self.left -= 1
            return real(*arguments, **named)

        return deed


def beyond(folder: Path, size: int) -> list[str]:
    """Tiles and bundles, whole or partial or half written, of entries that the checkpoint does not cover."""
    found = []
    for path in (path for path in (folder / "tile").rglob("*") if path.is_file()):
        place = path.relative_to(folder).as_posix()
        name, _, partial = place.partition(".p/")
        groups = name.split("/")[2:]
        if place.endswith(".part"):
            found.append(place)
            continue
        number = int("".join(group.removeprefix("x") for group in groups))
        level = 0 if place.startswith("tile/entries") else int(place.split("/")[1])
        if number * 256 + int(partial or 256) > size >> (8 * level):
            found.append(place)
    return sorted(found)


def holds(log: Log, count: int) -> None:
    """That it holds just these entries, each once and in order."""
    assert log.size == count
    bundles = [log.entries(n, min(256, count - n * 256)) for n in range((count + 255) // 256)]
    assert [entry for bundle in bundles for entry in bundle] == entries(0, count)
    assert codes(log.folder, log) == []


def test_a_crash_at_every_step_leaves_the_old_log_or_the_new(
    tmp_path: Path, signer: FileSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(tmp_path / "before", signer, 250)
    sizes, deeds = set(), 0
    while True:
        folder = tmp_path / f"log{deeds}"
        shutil.copytree(tmp_path / "before", folder)
        log = Log(folder, signer, ORIGIN)
        with Fuse(monkeypatch, deeds) as fuse:
            log.append(entries(250, 700))
        again = Log(folder, signer, ORIGIN)
        sizes.add(again.size)
        again.append(entries(again.size, 1))
        assert beyond(folder, again.size) == []
        again.append(entries(again.size, 1200 - again.size))
        holds(again, 1200)
        shutil.rmtree(folder)
        if not fuse.blown:
            break
        deeds += 1
    assert (sizes, deeds > 40) == ({250, 950}, True)


def test_a_log_that_failed_is_not_grown_upon_but_taken_up_anew(
    tmp_path: Path, signer: FileSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(tmp_path / "before", signer, 250)
    deeds = 0
    while True:
        folder = tmp_path / f"log{deeds}"
        shutil.copytree(tmp_path / "before", folder)
        log = Log(folder, signer, ORIGIN)
        with Fuse(monkeypatch, deeds, OSError) as fuse:
            log.append(entries(250, 300))
        with log.writing():
            assert log.size in {250, 550}
            log.append(entries(log.size, 700 - log.size))
        holds(log, 700)
        shutil.rmtree(folder)
        if not fuse.blown:
            return
        deeds += 1


@pytest.mark.parametrize("deeds", [1, 30, 60, 80, 100, 110])
def test_a_crash_in_the_largest_batch_leaves_nothing_beyond(
    tmp_path: Path, signer: FileSigner, monkeypatch: pytest.MonkeyPatch, deeds: int
) -> None:
    log = grown(tmp_path / "log", signer, 5)
    with Fuse(monkeypatch, deeds) as fuse:
        log.append(entries(5, 4096))
    assert fuse.blown
    log = Log(tmp_path / "log", signer, ORIGIN)
    before = log.size
    assert log.append(entries(before, 2)) == range(before, before + 2)
    assert beyond(log.folder, log.size) == []
    holds(log, before + 2)


def test_the_size_is_that_of_the_checkpoint_as_soon_as_it_stands(
    tmp_path: Path, signer: FileSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = grown(tmp_path / "log", signer, 255)

    def refuse(*_: object) -> None:
        raise OSError(5, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(log, "_drop_superseded", refuse)
        with pytest.raises(OSError, match="input/output"):
            log.append(entries(255, 10))
    assert log.size == Checkpoint.parse(log.checkpoint()).size == 265


def test_an_older_checkpoint_put_back_destroys_nothing(tmp_path: Path, signer: FileSigner) -> None:
    folder = tmp_path / "log"
    log = grown(folder, signer, 250)
    older = log.checkpoint()
    log.append(entries(250, 300))
    newer = log.checkpoint()
    (folder / "checkpoint").write_text(older)
    with pytest.raises(LogDamaged):
        log.append(entries(250, 1))
    assert Log(folder, signer, ORIGIN).size == 250
    (folder / "checkpoint").write_text(newer)
    holds(Log(folder, signer, ORIGIN), 550)


OTHER = """
import sys, time
from pathlib import Path
from svidok.ledger.log import Log
from svidok.ledger.signer import FileSigner
log = Log(Path(sys.argv[1]), FileSigner(Path(sys.argv[2])), sys.argv[3])
with log.writing():
    print("holding", flush=True)
    sys.stdin.readline()
    log.append([line.encode() for line in sys.argv[4:]])
    print("appended", flush=True)
sys.stdin.readline()
"""


def test_two_processes_take_turns_and_see_each_other(tmp_path: Path, signer: FileSigner) -> None:
    log = grown(tmp_path / "log", signer, 3)
    theirs = [entry.decode() for entry in entries(3, 2)]
    command = [sys.executable, "-c", OTHER, str(log.folder), str(tmp_path / "ledger.pem"), ORIGIN, *theirs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
        for act in (lambda: log.append(entries(3, 1)), lambda: Log(log.folder, signer, ORIGIN)):
            with pytest.raises(Unavailable) as busy:
                act()
            assert busy.value.code == "ledger-busy"
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "appended\n"
        other.stdin.close()
        assert other.wait(10) == 0
    assert log.append(entries(5, 2)) == range(5, 7)
    holds(log, 7)


def test_a_child_that_is_being_started_does_not_keep_the_log(tmp_path: Path, signer: FileSigner) -> None:
    """Between fork and exec a child holds a copy of every handle; one that lingers there must lock nobody out."""
    log = grown(tmp_path / "log", signer, 3)
    waits, lets_go = os.pipe()
    with log.writing():
        child = os.fork()
        if child == 0:
            os.close(lets_go)
            os.read(waits, 1)
            os._exit(0)
    os.close(waits)
    try:
        assert log.append(entries(3, 2)) == range(3, 5)
    finally:
        os.close(lets_go)
        os.waitpid(child, 0)
    holds(log, 5)


def test_a_log_that_grows_while_it_is_audited_is_not_called_wrong(tmp_path: Path, signer: FileSigner) -> None:
    log = grown(tmp_path / "log", signer, 250)
    enough = threading.Event()

    def grow() -> None:
        while not enough.is_set() and log.size < 40_000:
            log.append(entries(log.size, 97))

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        found = [codes(log.folder, log) for _ in range(60)]
    finally:
        enough.set()
        growing.join()
    assert log.size > 250
    assert [one for one in found if one] == []


def test_an_append_has_a_largest_size(tmp_path: Path, signer: FileSigner) -> None:
    with pytest.raises(ValueError):
        grown(tmp_path / "log", signer).append([b"x"] * (MOST_ENTRIES + 1))


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
