"""An operator with the database, the disk and every key but the witnesses': how soon is each of his deeds seen?

    python benchmarks/operator_attacks.py [rounds]

Three witnesses and a monitor run over real HTTP. In each round the log grows honestly for some checkpoints; then the
operator does one thing, signs the result with the true key, and publishes it. Counted are the checkpoints he publishes
until somebody outside of his reach says so: 1 is at once. The policy asks the witnesses every 10 s, so that one
checkpoint is at most 10 s and a look of the monitor; the goal is 60 s.
"""

import http.server
import random
import shutil
import sys
import tempfile
import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from svidok.base import SystemClock, new_id  # noqa: E402
from svidok.ledger import Entry, Log  # noqa: E402
from svidok.ledger.cosigning import Key  # noqa: E402
from svidok.ledger.gathering import SILENT, Asked, Gathering  # noqa: E402
from svidok.ledger.monitor import Monitor, Watched, by_http  # noqa: E402
from svidok.ledger.signer import FileSigner  # noqa: E402
from svidok.ledger.witness import Witness, serve_witness  # noqa: E402

ORIGIN = "bench.invalid/log"
DEEDS = ("rewrite the past", "roll back", "show two logs", "date back", "swap two entries", "drop an entry")


def entries(count: int, at: datetime) -> list[bytes]:
    return [
        Entry(id=new_id(), kind="segment.sealed", subject=new_id(), at=at, commitment=random.randbytes(32)).leaf_bytes()
        for _ in range(count)
    ]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serve(server: http.server.HTTPServer) -> str:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def play(folder: Path, deed: str, dice: random.Random) -> int | None:
    """How many checkpoints the operator published before he was found out."""
    signer, clock = FileSigner(folder / "log.pem"), SystemClock()
    now = clock.now()
    log = Log(folder / "log", signer, ORIGIN)
    servers, asked = [], []
    for number in range(3):
        place = folder / f"w{number}"
        place.mkdir()
        (place / "logs").write_text(log.verifier.text() + "\n")
        witness = Witness(place, name=f"w{number}.test", clock=clock)
        servers.append(serve_witness(witness, "127.0.0.1", 0))
        asked.append(Asked.parse(f"{serve(servers[-1])} {witness.cosigner.key.text()}"))
    shown = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder / "log")))
    servers.append(shown)
    address = serve(shown)
    watched = Watched(
        key=Key.parse(log.verifier.text()),
        witnesses=[one.key for one in asked],
        quorum=2,
        late=timedelta(minutes=2),
        stale=timedelta(minutes=10),
    )
    monitor = Monitor(folder / "seen.json", watched)
    gathering = Gathering(folder=folder / "log", witnesses=asked, quorum=2)
    past: list[bytes] = []
    try:
        for _ in range(dice.randrange(2, 6)):
            more = entries(dice.randrange(1, 400), now)
            past += more
            log.append(more)
            assert gathering.gather() == []
            assert [f.code for f in monitor.look(by_http(address), clock.now())] == []
        forged = forge(deed, past, now, dice)
        for published in range(1, 6):
            shutil.rmtree(folder / "log")
            other = Log(folder / "log", signer, ORIGIN)
            for start in range(0, len(forged), 4096):
                other.append(forged[start : start + 4096])
            seen = [t.code for t in gathering.gather() if t.code != SILENT]
            seen += [f.code for f in monitor.look(by_http(address), clock.now())]
            if seen:
                return published
            forged += entries(50, now)
        return None
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def forge(deed: str, past: list[bytes], now: datetime, dice: random.Random) -> list[bytes]:
    forged = list(past)
    at = dice.randrange(len(past))
    if deed == "rewrite the past":
        forged[at] = entries(1, now)[0]
    elif deed == "roll back":
        return forged[: max(1, at)] if at else forged[:-1]
    elif deed == "show two logs":
        return forged[: len(forged) // 2] + entries(len(forged) - len(forged) // 2, now)
    elif deed == "date back":
        return forged + entries(3, now - timedelta(days=30))
    elif deed == "swap two entries":
        other = (at + 1) % len(past)
        forged[at], forged[other] = forged[other], forged[at]
    else:
        del forged[at]
        forged += entries(5, now)
    return forged


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    dice = random.Random(2026)
    for deed in DEEDS:
        found: Counter[int | None] = Counter()
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="svidok-operator-") as name:
                found[play(Path(name), deed, dice)] += 1
        said = ", ".join(f"after {after} checkpoint(s): {times}" for after, times in sorted(found.items(), key=str))
        print(f"{deed}: {rounds} rounds, seen {said}")


if __name__ == "__main__":
    main()
