"""A ledger of many entries: how fast is append, how long takes a proof, how much memory does a full audit need?

    python benchmarks/ledger_size.py [million entries] [folder]

Entries are appended in the sequencer's batches (4,096, each synced with its tiles and checkpoint). The peer for append is
what an append costs without a tree: the same bytes written and synced in the same batches.
"""

import os
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from svidok.base import new_id  # noqa: E402
from svidok.ledger import Entry, Log, verify_inclusion  # noqa: E402
from svidok.ledger.audit import audit_log  # noqa: E402
from svidok.ledger.log import LogReader  # noqa: E402
from svidok.ledger.note import Checkpoint  # noqa: E402
from svidok.ledger.signer import FileSigner  # noqa: E402
from svidok.ledger.tree import leaf_hash  # noqa: E402

BATCH = 4096
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def batch() -> list[bytes]:
    return [
        Entry(id=new_id(), kind="segment.sealed", subject=new_id(), at=AT, commitment=os.urandom(32)).leaf_bytes()
        for _ in range(BATCH)
    ]


def main() -> None:
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp(prefix="svidok-ledger-"))
    log = Log(folder / "log", FileSigner(folder / "key.pem"), "bench.invalid/log")
    appending = plain = 0.0
    slowest, count = 0.0, 0
    with (folder / "plain").open("wb") as beside:
        while count < millions * 1e6:
            entries = batch()
            began = time.perf_counter()
            log.append(entries)
            taken = time.perf_counter() - began
            appending, slowest, count = appending + taken, max(slowest, taken), count + BATCH
            if count % (BATCH * 16) == 0:
                began = time.perf_counter()
                beside.write(b"".join(entries))
                beside.flush()
                os.fsync(beside.fileno())
                plain += (time.perf_counter() - began) * 16
    print(
        f"append: {count} entries, {count / appending:,.0f} a second (slowest batch {slowest * 1000:.0f} ms), "
        f"plain file {count / plain:,.0f} a second"
    )
    reader, dice, times = LogReader(folder / "log"), random.Random(1), []
    root = Checkpoint.parse((folder / "log" / "checkpoint").read_text()).root
    for _ in range(2000):
        index = dice.randrange(count)
        began = time.perf_counter()
        path = reader.inclusion_proof(index, count)
        times.append(time.perf_counter() - began)
    assert verify_inclusion(leaf_hash(log.entry(index)), index=index, size=count, path=path, root=root)
    times.sort()
    print(f"proof: median {times[1000] * 1000:.2f} ms, p99 {times[1980] * 1000:.2f} ms, of {count} entries")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    report = audit_log(folder / "log", verifier=log.verifier, origin=log.origin)
    taken = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"audit: {report.entries} entries, {len(report.findings)} findings, {report.entries / taken:,.0f} a second, "
        f"memory grew by {grown:.0f} MB"
    )


if __name__ == "__main__":
    main()
