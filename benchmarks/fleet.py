"""Does a country's fleet answer at once while 7,000 cameras beat?

    PYTHONPATH=src python benchmarks/fleet.py [cameras] [beating]

Imports that many cameras from CSV; then beats arrive each 10 s while table, search and map are asked; prints p95 of
each, how long a camera that fell silent went unflagged, and the naive way beside it (one UPDATE a beat, LIKE without
an index).
"""

import random
import statistics
import sys
import threading
import time
from datetime import UTC, datetime

import rig

from svidok.access import Actor, Role, accounts
from svidok.db import Database
from svidok.fleet import health, search
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.fleet.regions import regions
from svidok.fleet.search import Filters, Frame


def csv_of(cameras: int) -> bytes:
    chance = random.Random(1)
    codes = list(regions().values())
    lines = ["number;name_uk;name_en;kind;owner;katotth;lat;lon;heading;life;url"]
    for n in range(cameras):
        region = chance.choice(codes)
        lines.append(
            f"UA-{n:06d};Камера {n} {region.name_uk};Camera {n};{chance.choice(('overview', 'plate', 'face_capable'))};"
            f"{chance.choice(('police', 'municipality', 'customs', 'private'))};{region.code};"
            f"{region.lat + chance.uniform(-0.8, 0.8):.5f};{region.lon + chance.uniform(-0.9, 0.9):.5f};"
            f"{chance.randrange(360)};working;rtsp://10.{n >> 16}.{n >> 8 & 255}.{n & 255}/main"
        )
    return ("\n".join(lines) + "\n").encode()


def timed(ask, times: int = 60) -> float:  # type: ignore[no-untyped-def]
    """p95 in ms."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        ask()
        took.append((time.monotonic() - began) * 1000)
    return statistics.quantiles(took, n=20)[18]


def main() -> None:
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    beating = int(sys.argv[2]) if len(sys.argv) > 2 else 7_000
    folder = rig.scratch()
    with rig.postgres(folder) as url:
        database = Database.open(url, size=6)
        now = lambda: datetime.now(UTC)  # noqa: E731
        with database.transaction() as tx:
            made = accounts.add_account(
                tx, by=None, login="bench", name="b", password=None, roles=[], unit_id=None, at=now()
            )
        actor = Actor(id=made.id, login="bench", name="b", unit_id=None, unit="", roles=frozenset([Role.ADMINISTRATOR]))
        data = csv_of(cameras)
        began = time.monotonic()
        report = import_cameras(
            database, data, actor=actor, safe=Safe(folder / "key"), at=now(), progress=lambda *_: None
        )
        print(f"import of {report.taken} cameras: {time.monotonic() - began:.1f} s", flush=True)
        with database.transaction() as tx:
            tx.run("ANALYZE")
            ids = [row["id"] for row in tx.all("SELECT id FROM fleet.camera ORDER BY number LIMIT %(n)s", n=beating)]
        stop, silent_from, flagged = threading.Event(), [0.0], [0.0]

        def beat() -> None:
            while not stop.is_set():
                fallen = bool(silent_from[0])
                with database.transaction() as tx:
                    health.heartbeats(
                        tx, [health.Heartbeat(camera_id=i, ok=not (fallen and i == ids[0])) for i in ids], at=now()
                    )
                stop.wait(10)

        def sweep() -> None:
            while not stop.is_set():
                with database.transaction() as tx:
                    if any(n.camera_id == ids[0] for n in health.sweep(tx, at=now())):
                        flagged[0] = time.monotonic()
                stop.wait(4)

        threads = [threading.Thread(target=beat), threading.Thread(target=sweep)]
        for thread in threads:
            thread.start()
        time.sleep(2)
        silent_from[0] = time.monotonic()

        def asked(work):  # type: ignore[no-untyped-def]
            def run() -> None:
                with database.transaction() as tx:
                    work(tx)

            return run

        table = timed(asked(lambda tx: (search.page(tx, Filters(), cursor=None), search.count(tx, Filters()))))
        text = timed(asked(lambda tx: search.page(tx, Filters(text="камера 4711"))))
        far = timed(asked(lambda tx: search.on_map(tx, Frame(west=22, south=44, east=40, north=52.5), zoom=6)), 30)
        near = timed(asked(lambda tx: search.on_map(tx, Frame(west=23.9, south=49.7, east=24.2, north=49.95), zoom=12)))
        naive = timed(
            asked(
                lambda tx: tx.all(
                    "SELECT * FROM fleet.camera WHERE lower(name_uk || number || maker) LIKE '%%камера 4711%%' ORDER BY number LIMIT 100"
                )
            ),
            20,
        )
        print(f"p95 while {beating} beat each 10 s: first page with count {table:.0f} ms, text {text:.0f} ms "
              f"(LIKE without an index {naive:.0f} ms), whole country on the map {far:.0f} ms, a city {near:.0f} ms", flush=True)  # fmt: skip
        while not flagged[0] and time.monotonic() - silent_from[0] < 60:
            time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join()
        with database.transaction() as tx:
            began = time.monotonic()
            health.heartbeats(tx, [health.Heartbeat(camera_id=i, ok=True) for i in ids], at=now())
            ours = time.monotonic() - began
            began = time.monotonic()
            for one in ids[:1000]:
                tx.run("UPDATE fleet.beat SET seen_at = now(), ok = true WHERE camera_id = %(i)s", i=one)
            one_by_one = (time.monotonic() - began) * beating / 1000
        print(f"a silent camera was flagged after {flagged[0] - silent_from[0]:.1f} s; {beating} beats in one statement "
              f"{ours * 1000:.0f} ms, one by one {one_by_one * 1000:.0f} ms ({ours / one_by_one:.2f} of it)")  # fmt: skip
        database.close()


if __name__ == "__main__":
    main()
