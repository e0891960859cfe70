"""How many reads a second are taken for good with 100,000 plates on hotlists, and how soon does a hit reach the desk?

PYTHONPATH=src python benchmarks/plates_ingest.py [SECONDS]

The whole way of an intake process: JSON by the contract, the door's checks, matching, COPY, a durable commit
(`synchronous_commit` on), hits; beside it the raiser of alerts as the intake role runs it. Batches of 100 reads from 20
devices on two threads, one read in 500 is on a list. The peer is what a plain program would do: one INSERT a read.
"""

import json
import random
import shutil
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from plates_search import tree_cpu_s

from svidok.access import Role, accounts
from svidok.app.rooms import ROOMS
from svidok.base import SystemClock, new_id
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.incidents.raising import raise_waiting
from svidok.plates import devices, hotlist_file, hotlists, intake_contract
from svidok.plates.devices import Device
from svidok.plates.model import Source
from svidok.plates.parts import Plates

CLOCK = SystemClock()
LISTED, DEVICES, BATCH, ONE_IN = 100_000, 20, 100, 500
LETTERS = "ABCEHIKMOPTX"


def plate_of(number: int) -> str:
    a, b = divmod(number, 10_000)
    return f"{LETTERS[a % 12]}{LETTERS[a // 12 % 12]}{b:04d}{LETTERS[a // 144 % 12]}{LETTERS[a // 1728 % 12]}"


def prepare(database: Database) -> list[Device]:
    """Cameras, devices, and a list of 100,000 plates."""
    at = CLOCK.now()
    found = []
    with database.transaction() as tx:
        admin, boss = (
            accounts.add_account(
                tx, by=None, login=f"a-{role}", name="a", password=None, roles=[role], unit_id=None, at=at
            )
            for role in (Role.ADMINISTRATOR, Role.SUPERVISOR)
        )
        for number in range(DEVICES):
            camera = UUID(int=number + 1)
            tx.run(
                "INSERT INTO fleet.camera (id, number, name_uk, kind, owner, region_code, lat, lon, life, life_since) VALUES "
                "(%(id)s, %(number)s, 'x', 'plate', 'police', 'UA46', 49.8, 24, 'working', %(at)s)",
                id=camera, number=str(number), at=at,
            )  # fmt: skip
            device, _ = devices.add(tx, actor=admin, name=str(number), source=Source.CONTRACT, cameras={"": camera}, at=at,
                                    per_s=5000)  # fmt: skip
            found.append(devices.by_id(tx, device))
        list_id = hotlists.make(tx, actor=boss, name="stolen", legal_basis="Act 1, art. 2", at=at)
        wanted = [
            hotlist_file.Entry(plate=plate_of(n * 97), is_pattern=False, reason="stolen", expires_at=at + timedelta(days=9))
            for n in range(LISTED)
        ]  # fmt: skip
        hotlists.add(tx, actor=boss, list_id=list_id, new=wanted, at=at)
    return found


def body(chance: random.Random, at: datetime, number: int) -> bytes:
    """A batch; one read in `ONE_IN` is on the list."""
    reads = []
    for place in range(BATCH):
        hit = chance.randrange(ONE_IN) == 0
        plate = plate_of(chance.randrange(LISTED) * 97) if hit else plate_of(1 + 97 * chance.randrange(200_000))
        reads.append({"plate": plate, "confidence": 0.93, "taken_at": at.isoformat(), "key": f"{number}-{place}",
                      "country": "UA", "direction": "towards", "alternatives": [{"plate": "AA0000AA", "confidence": 0.02}]})  # fmt: skip
    return json.dumps({"reads": reads}).encode()


def run(database: Database, folder: Path, seconds: float, server: int) -> None:
    senders = prepare(database)
    plates = Plates(database=database, data=folder, clock=CLOCK)
    plates.matcher.freshen(at=CLOCK.now(), now_s=CLOCK.monotonic())
    print(f"{plates.matcher.watch.size:,} entries held in memory")
    stop = threading.Event()
    taken = [0, 0]

    def send(which: int) -> None:
        chance, number = random.Random(which), which * 10_000_000
        while not stop.is_set():
            number += 1
            at = CLOCK.now()
            told = intake_contract.translate(body(chance, at, number))
            taken[which] += plates.door.take(senders[number % DEVICES], told, at=at).taken

    waits: list[float] = []

    def alert() -> None:
        while not stop.is_set():
            told = raise_waiting(database, at=CLOCK.now())
            now = CLOCK.now()
            with database.transaction() as tx:
                rows = (
                    tx.all("SELECT received_at FROM incidents.alert WHERE id = ANY(%(ids)s)", ids=told) if told else []
                )
            waits.extend((now - row["received_at"]).total_seconds() * 1000 for row in rows)
            time.sleep(0.1)

    threads = [threading.Thread(target=send, args=(which,)) for which in (0, 1)] + [threading.Thread(target=alert)]
    began, cpu_s = time.monotonic(), time.process_time() + tree_cpu_s(server)
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    lasted = time.monotonic() - began
    cpu_s = time.process_time() + tree_cpu_s(server) - cpu_s
    rate = sum(taken) / lasted
    with database.transaction() as tx:
        kept = int(tx.one("SELECT count(*) AS n FROM plates.read")["n"])
    waits.sort()
    peer = one_by_one(database)
    print(
        f"{rate:,.0f} reads/s for {lasted:.0f} s, every one committed durably ({kept:,} there, {sum(taken):,} answered)"
    )
    print(f"{cpu_s / sum(taken) * 1000:.2f} s of CPU for 1,000 reads, making the messages included")
    print(f"INSERT one by one, durable: {peer:,.0f} reads/s; ratio {rate / peer:.1f}")
    print(f"read's arrival to alert raised: {len(waits)} alerts, p50 {waits[len(waits) // 2]:.0f} ms, "
          f"p99 {waits[int(len(waits) * 0.99)]:.0f} ms (goal 500)")  # fmt: skip


def one_by_one(database: Database, count: int = 300) -> float:
    """A plain program: a statement and a commit for each read, without lists."""
    at = CLOCK.now()
    began = time.monotonic()
    for _ in range(count):
        with database.transaction() as tx:
            tx.run(
                "INSERT INTO plates.read (id, taken_at, received_at, camera_id, plate_id, confidence, direction, source) "
                "VALUES (%(id)s, %(at)s, %(at)s, %(camera)s, 1, 0.9, 'towards', 'contract')",
                id=new_id(), at=at, camera=UUID(int=1),
            )  # fmt: skip
    return count / (time.monotonic() - began)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    folder = Path(tempfile.mkdtemp(prefix="plates-ingest-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "postgres")
    server.start()
    try:
        database = Database.open(server.url, size=8)
        migrate(database, ROOMS)
        run(database, folder, seconds, server.pid or 0)
        database.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
