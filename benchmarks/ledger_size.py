"""A ledger of many entries: how fast is append, how long takes a proof, how much memory does a full audit need?

    python benchmarks/ledger_size.py grow MILLIONS FOLDER    make or lengthen a log in bulk (not a measurement)
    python benchmarks/ledger_size.py append FOLDER [batches] the product's append onto it, and a plain synced file
    python benchmarks/ledger_size.py proof FOLDER            inclusion proofs of entries chosen at random
    python benchmarks/ledger_size.py audit FOLDER [seconds]  a full audit, its memory sampled as it goes

In steps, so that none holds a shared machine for long. `grow` writes the same files as the product would, without its
sync for each batch. Entries are appended in the sequencer's batches (4,096, each synced with its tiles and checkpoint);
the peer for append is what it costs without a tree: the same bytes written and synced in the same batches. The memory
of the audit is PSS, told as the slope over the second half of it.
"""

import os
import random
import sys
import threading
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from svidok.base import new_id  # noqa: E402
from svidok.ledger import Entry, Log, verify_inclusion  # noqa: E402
from svidok.ledger.audit import audit_log  # noqa: E402
from svidok.ledger.log import LogReader  # noqa: E402
from svidok.ledger.note import Checkpoint, Verifier, sign_note  # noqa: E402
from svidok.ledger.signer import FileSigner  # noqa: E402
from svidok.ledger.tiles import WIDTH, bundle_path, tile_path  # noqa: E402
from svidok.ledger.tree import leaf_hash, root_of  # noqa: E402

ORIGIN = "bench.invalid/log"
BATCH = 4096
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
HEX = numpy.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), numpy.uint8).reshape(256, 2)


def batch(count: int = BATCH) -> list[bytes]:
    return [
        Entry(id=new_id(), kind="segment.sealed", subject=new_id(), at=AT, commitment=os.urandom(32)).leaf_bytes()
        for _ in range(count)
    ]


class Bulk:
    """Writes the files of a log from its first entry on, a bundle of 256 at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (like,) = batch(1)
        self.length = len(like)
        row = len(like).to_bytes(2, "big") + like
        self.rows = numpy.tile(numpy.frombuffer(row, numpy.uint8), (WIDTH, 1)).copy()
        self.commitment = row.index(b'"commitment":"') + 14
        self.ids = [row.index(name) + len(name) for name in (b'"id":"', b'"subject":"')]
        self.levels: list[list[bytes]] = [[]]
        self.numbers = [0]

    def bundle(self, number: int) -> None:
        """One bundle, all of its entries with ids and commitments of their own."""
        dice = HEX[numpy.frombuffer(os.urandom(WIDTH * 64), numpy.uint8)].reshape(WIDTH, 128)
        self.rows[:, self.commitment : self.commitment + 64] = dice[:, :64]
        for place, taken in zip(self.ids, (64, 96), strict=True):
            at = place
            for width in (8, 4, 4, 4, 12):
                self.rows[:, at : at + width] = dice[:, taken : taken + width]
                at, taken = at + width + 1, taken + width
        data = self.rows.tobytes()
        self._write(bundle_path(number), data)
        step = self.length + 2
        zero = b"\x00"
        self.tile(0, [sha256(zero + data[at + 2 : at + step]).digest() for at in range(0, len(data), step)])

    def tile(self, level: int, hashes: list[bytes]) -> None:
        """Hashes more at `level`; whole tiles are written, and lead to the level above."""
        if level == len(self.levels):
            self.levels.append([])
            self.numbers.append(0)
        held = self.levels[level]
        held += hashes
        if len(held) == WIDTH:
            self._write(tile_path(level, self.numbers[level]), b"".join(held))
            self.numbers[level] += 1
            self.levels[level] = []
            self.tile(level + 1, [root_of(held)])

    def finish(self, size: int, signer: FileSigner) -> None:
        """Partial tiles, and the checkpoint."""
        for level, held in enumerate(self.levels):
            if held:
                self._write(tile_path(level, self.numbers[level], len(held)), b"".join(held))
        os.sync()
        verifier = Verifier(name=ORIGIN, key=signer.public_key())
        checkpoint = Checkpoint(origin=ORIGIN, size=size, root=LogReader(self.folder).root(size))
        note = sign_note(checkpoint.text(), verifier=verifier, sign=signer.sign)
        self._write("checkpoint", note.encode())

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        try:
            path.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            path.write_bytes(data)


def grow(millions: float, folder: Path) -> None:
    began, count = time.monotonic(), int(millions * 1e6) // WIDTH
    bulk = Bulk(folder / "log")
    for number in range(count):
        bulk.bundle(number)
        if number % 39_062 == 0:
            print(f"{number * WIDTH:,} entries, {time.monotonic() - began:.0f} s", flush=True)
    bulk.finish(count * WIDTH, FileSigner(folder / "key.pem"))
    print(f"grown to {count * WIDTH:,} entries in {time.monotonic() - began:.0f} s")


def append(folder: Path, batches: int) -> None:
    log = Log(folder / "log", FileSigner(folder / "key.pem"), ORIGIN)
    before, times, plain = log.size, [], []
    with (folder / "plain").open("wb") as beside:
        for number in range(batches):
            entries = batch()
            began = time.perf_counter()
            log.append(entries)
            times.append(time.perf_counter() - began)
            if number % 8 == 0:
                began = time.perf_counter()
                beside.write(b"".join(entries))
                beside.flush()
                os.fsync(beside.fileno())
                plain.append(time.perf_counter() - began)
    (folder / "plain").unlink()
    ours, theirs = BATCH * len(times) / sum(times), BATCH * len(plain) / sum(plain)
    print(
        f"append onto {before:,}: {BATCH * batches:,} entries, {ours:,.0f} a second (slowest batch "
        f"{max(times) * 1000:.0f} ms), plain synced file {theirs:,.0f} a second"
    )


def proofs(folder: Path) -> None:
    reader, dice, times = LogReader(folder / "log"), random.Random(1), []
    checkpoint = Checkpoint.parse((folder / "log" / "checkpoint").read_text())
    for _ in range(2000):
        index = dice.randrange(checkpoint.size)
        began = time.perf_counter()
        path = reader.inclusion_proof(index, checkpoint.size)
        times.append(time.perf_counter() - began)
    number, offset = divmod(index, WIDTH)
    entry = reader.entries(number, min(WIDTH, checkpoint.size - number * WIDTH))[offset]
    assert verify_inclusion(leaf_hash(entry), index=index, size=checkpoint.size, path=path, root=checkpoint.root)
    times.sort()
    print(
        f"proof out of {checkpoint.size:,}: median {times[1000] * 1000:.2f} ms, p99 {times[1980] * 1000:.2f} ms, "
        f"at most {times[-1] * 1000:.2f} ms"
    )


def pss_mb() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def audit(folder: Path, every_s: float) -> None:
    signer = FileSigner(folder / "key.pem")
    seen: list[tuple[float, float]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            seen.append((time.monotonic(), pss_mb()))

    watcher = threading.Thread(target=watch)
    began, used = time.monotonic(), time.process_time()
    watcher.start()
    report = audit_log(folder / "log", verifier=Verifier(name=ORIGIN, key=signer.public_key()), origin=ORIGIN)
    taken, used = time.monotonic() - began, time.process_time() - used
    over.set()
    watcher.join()
    half = numpy.array([one for one in seen if one[0] - began > taken / 2] or seen or [(began, pss_mb())])
    slope = numpy.polyfit(half[:, 0], half[:, 1], 1)[0] * 60 if len(half) > 2 else 0.0
    print(
        f"audit: {report.entries:,} entries, {len(report.findings)} findings, {report.entries / taken:,.0f} a second, "
        f"{report.entries / used:,.0f} for a second of CPU; memory {half[:, 1].min():.1f} to {half[:, 1].max():.1f} MB "
        f"PSS in the second half, slope {slope:+.2f} MB a minute over {len(half)} looks"
    )


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "grow":
        folder = Path(rest[1])
        (folder / "log").mkdir(parents=True, exist_ok=True)
        grow(float(rest[0]), folder)
    elif what == "append":
        append(Path(rest[0]), int(rest[1]) if len(rest) > 1 else 100)
    elif what == "proof":
        proofs(Path(rest[0]))
    else:
        audit(Path(rest[0]), float(rest[1]) if len(rest) > 1 else 1.0)


if __name__ == "__main__":
    main()
