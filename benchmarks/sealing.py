"""How much of `sha256sum`'s speed is left when a segment is hashed fragment by fragment and sealed?

PYTHONPATH=src python benchmarks/sealing.py
"""

import hashlib
import os
import subprocess
import tempfile
import time

from svidok.ledger import canonical, root_of
from svidok.ledger.entry import commit

FRAGMENT = 750_000
FRAGMENTS = 30
SEGMENTS = 40


def main() -> None:
    data = os.urandom(FRAGMENT * FRAGMENTS)
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(SEGMENTS):
            file.write(data)
        file.flush()
        size = len(data) * SEGMENTS / 1e6
        ours, theirs = [], []
        for _ in range(5):
            began = time.process_time()
            for _ in range(SEGMENTS):
                view = memoryview(data)
                leaves = [hashlib.sha256(b"\x00" + b"init").digest()]
                for n in range(FRAGMENTS):
                    digest = hashlib.sha256(b"\x00")
                    digest.update(view[n * FRAGMENT : (n + 1) * FRAGMENT])
                    leaves.append(digest.digest())
                commit({"root": root_of(leaves).hex(), "leaves": len(leaves)})
                canonical({"segment": "x"})
            ours.append(size / (time.process_time() - began))
            began = os.times()
            subprocess.run(["sha256sum", file.name], check=True, stdout=subprocess.DEVNULL)
            ended = os.times()
            theirs.append(
                size / (ended.children_user + ended.children_system - began.children_user - began.children_system)
            )
    best, peer = max(ours), max(theirs)
    print(f"hash and seal {best:.0f} MB/s of CPU, sha256sum {peer:.0f} MB/s: {best / peer:.2f} of it")


if __name__ == "__main__":
    main()
