"""Is every acknowledged read there once, when intake, NATS and PostgreSQL are killed in turn under load?

PYTHONPATH=src python benchmarks/plates_kill.py [KILLS_EACH]

Devices send batches over NATS to a real intake process and send again what was not answered. Each part is killed with
SIGKILL and started again by this program, as `svidok up` would. The peer is the same load without sending again.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from svidok.access import Role, accounts
from svidok.app.rooms import ROOMS
from svidok.base import SystemClock, Unavailable
from svidok.bus import Bus
from svidok.bus.server import NatsFolder
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.plates import devices
from svidok.plates.model import Source

CLOCK = SystemClock()
SENDERS, BATCH = 4, 20


class House:
    """PostgreSQL, NATS and an intake process, each to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = PostgresServer(folder / "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.nats_folder = NatsFolder(folder=folder / "nats", port=int(probe.getsockname()[1]))
        self.postgres.start()
        self.nats = self._start_nats()
        self.database = Database.open(self.postgres.url, size=4)
        migrate(self.database, ROOMS)
        self.intake = self._start_intake()

    def _start_nats(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "nats.log").open("ab")
        return subprocess.Popen(self.nats_folder.command(), stdout=log, stderr=log)

    def _start_intake(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "SVIDOK_DATABASE_URL": self.postgres.url, "SVIDOK_BUS_URL": self.nats_folder.url,
            "SVIDOK_DATA": str(self.folder / "data"), "SVIDOK_NODE": "bench",
        }  # fmt: skip
        log = (self.folder / "intake.log").open("ab")
        return subprocess.Popen([sys.executable, "-m", "svidok", "intake"], env=environment, stdout=log, stderr=log)

    def kill(self, what: str) -> None:
        """Kill a part at once, and start it again."""
        if what == "postgres":
            os.kill(self.postgres.pid or 0, signal.SIGKILL)
            self.start_postgres()
        elif what == "nats":
            self.nats.kill()
            self.nats.wait()
            self.nats = self._start_nats()
        else:
            self.intake.kill()
            self.intake.wait()
            self.intake = self._start_intake()

    def start_postgres(self) -> None:
        """Start it, however long its children take to be gone."""
        for _ in range(90):
            time.sleep(0.5)
            try:
                self.postgres.start()
                with self.database.transaction() as tx:
                    tx.one("SELECT 1")
                return
            except Unavailable:
                time.sleep(0.5)

    def end(self) -> None:
        for process in (self.intake, self.nats):
            process.kill()
            process.wait()
        self.database.close()
        self.postgres.stop()


def register(database: Database) -> str:
    with database.transaction() as tx:
        admin = accounts.add_account(tx, by=None, login="a-admin", name="a", password=None, roles=[Role.ADMINISTRATOR],
                                     unit_id=None, at=CLOCK.now())  # fmt: skip
        tx.run(
            "INSERT INTO fleet.camera (id, number, name_uk, kind, owner, region_code, life, life_since) VALUES "
            "(%(id)s, '1', 'x', 'plate', 'police', 'UA46', 'working', %(at)s)",
            id=UUID(int=1), at=CLOCK.now(),
        )  # fmt: skip
        return devices.add(tx, actor=admin, name="d", source=Source.CONTRACT, cameras={"": UUID(int=1)}, at=CLOCK.now(),
                           per_s=5000)[1]  # fmt: skip


async def send(bus: Bus, secret: str, which: int, stop: asyncio.Event, acked: list[str], tries: list[int]) -> None:
    """Send batches; what is not answered is sent again until it is."""
    chance, number = random.Random(which), 0
    while not stop.is_set():
        number += 1
        reads = [
            {"plate": f"K{which}{chance.randrange(10**5):05d}", "confidence": 0.9, "taken_at": CLOCK.now().isoformat(),
             "key": f"{which}-{number}-{place}"}
            for place in range(BATCH)
        ]  # fmt: skip
        body = json.dumps({"secret": secret, "reads": reads}).encode()
        while True:
            tries[0] += 1
            try:
                told = json.loads(await bus.request("plates.in", body, timeout_s=3.0))
            except Unavailable:
                await asyncio.sleep(0.2)
                continue
            if "ids" in told:
                acked += [one for one in told["ids"] if one]
                break
            tries[1] += 1
            await asyncio.sleep(0.2)


async def run(house: House, kills: int) -> tuple[list[str], list[int], dict[str, list[float]]]:
    secret = register(house.database)
    bus = await Bus.connect(house.nats_folder.url, "devices", wait_s=20)
    stop, acked, tries = asyncio.Event(), [], [0, 0]
    tasks = [asyncio.create_task(send(bus, secret, which, stop, acked, tries)) for which in range(SENDERS)]
    away: dict[str, list[float]] = {"intake": [], "nats": [], "postgres": []}
    await _until_more(acked, 200)
    for _ in range(kills):
        for what in away:
            await asyncio.sleep(random.Random().uniform(0.3, 1.5))
            began = time.monotonic()
            await asyncio.to_thread(house.kill, what)
            await _until_more(acked, BATCH)
            away[what].append(time.monotonic() - began)
    stop.set()
    await asyncio.gather(*tasks)
    await bus.close()
    return acked, tries, away


async def _until_more(acked: list[str], more: int) -> None:
    wanted = len(acked) + more
    async with asyncio.timeout(180):
        while len(acked) < wanted:  # noqa: ASYNC110  a list that several fill, and nobody is told
            await asyncio.sleep(0.05)


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = Path(tempfile.mkdtemp(prefix="plates-kill-"))
    folder.chmod(0o755)
    house = House(folder)
    try:
        acked, tries, away = asyncio.run(run(house, kills))
        house.start_postgres()  # what was started from a thread ends with the thread
        with house.database.transaction() as tx:
            rows = tx.all("SELECT id, count(*) AS n FROM plates.read GROUP BY id")
    finally:
        house.end()
        shutil.rmtree(folder, ignore_errors=True)
    there = {str(row["id"]): row["n"] for row in rows}
    lost = [one for one in acked if one not in there]
    doubled = [one for one, n in there.items() if n > 1]
    print(f"{len(acked):,} reads acknowledged through {3 * kills} kills: {len(lost)} lost, {len(doubled)} twice, "
          f"{len(there) - len(set(acked))} there that were never acknowledged; {tries[0]:,} requests, {tries[1]} refused")  # fmt: skip
    for what, seconds in away.items():
        print(f"{what}: reads go on after at most {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
