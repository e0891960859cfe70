"""Does memory stand still while the whole product records?

    PYTHONPATH=src python benchmarks/soak.py [cameras] [minutes] [Mbit/s]

Runs recorder, intake and hub as `svidok up` does, with a PostgreSQL and a NATS of their own, on cameras of 1080p25.
Each ten seconds it notes the PSS of each role. The first five minutes fill caches and are left out; over the rest it
prints the slope of a straight line with its 95 % interval, by the means of five-minute blocks, since samples that
follow each other are not independent.
"""

import contextlib
import math
import os
import shutil
import statistics
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import rig

from svidok.access import Actor, Role, accounts
from svidok.app.settings import load_settings
from svidok.app.up import Machine
from svidok.db import Database
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras

ROLES = ("recorder", "intake", "hub")
EVERY_S = 10.0
WARM_MIN, BLOCK_MIN = 5.0, 5.0
STUDENT_975 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23}


def enter(database: Database, keys: Path, cameras: int) -> None:
    """Register the cameras."""
    at = datetime.now(UTC)
    with database.transaction() as tx:
        account = accounts.add_account(tx, by=None, login="bench", name="Bench", password=None, roles=[], unit_id=None,
                                       at=at)  # fmt: skip
        tx.run("UPDATE access.account SET kind = 'service' WHERE id = %(id)s", id=account.id)
    actor = Actor(id=account.id, login="bench", name="Bench", unit_id=None, unit="", kind="service",
                  roles=frozenset([Role.ADMINISTRATOR]))  # fmt: skip
    lines = ["number;name_uk;name_en;kind;owner;katotth;lat;lon;heading;life;url"]
    lines += [f"C-{n};Камера {n};Camera {n};overview;police;UA46060250010015970;49.8;24.0;0;planned;"
              f"rtsp://127.0.0.1:{rig.PORT}/c{n}/main" for n in range(cameras)]  # fmt: skip
    report = import_cameras(database, "\n".join(lines).encode(), actor=actor, safe=Safe(keys / "credentials.key"),
                            at=at, progress=lambda *_: None)  # fmt: skip
    if report.taken != cameras:
        raise SystemExit(f"only {report.taken} cameras were taken: {report.bad_rows[:2]}")


def role_pids() -> dict[str, int]:
    """The process of each role below this one."""
    found = {}
    for pid in rig.tree(os.getpid()):
        with contextlib.suppress(OSError):  # a child of a child that has just ended
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"svidok" in words:
                found.update({role: pid for role in ROLES if role.encode() in words})
    return found


def slope(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """(MB a minute, half of its 95 % interval) of (minute, MB) by block means."""
    blocks: dict[int, list[tuple[float, float]]] = {}
    for minute, size in samples:
        blocks.setdefault(int((minute - WARM_MIN) / BLOCK_MIN), []).append((minute, size))
    means = [(statistics.fmean(m for m, _ in b), statistics.fmean(s for _, s in b)) for b in blocks.values()]
    x, y = [m for m, _ in means], [s for _, s in means]
    line = statistics.linear_regression(x, y)
    rest = sum((b - line.intercept - line.slope * a) ** 2 for a, b in means)
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    free = len(means) - 2
    return line.slope, STUDENT_975[min(free, 10)] * math.sqrt(rest / free / spread) if free > 0 else math.inf


def watch(minutes: float) -> dict[str, list[tuple[float, float]]]:
    """PSS of each role, in MB, at each look."""
    seen: dict[str, list[tuple[float, float]]] = {role: [] for role in ROLES}
    first, began = role_pids(), time.monotonic()
    while (minute := (time.monotonic() - began) / 60) < minutes:
        for role, pid in role_pids().items():
            if pid != first[role]:
                raise SystemExit(f"{role} fell and was started again")
            seen[role].append((minute, rig.pss_mb(pid)))
        if int(minute * 6) % 30 == 0:
            print(f"minute {minute:4.1f}: " + ", ".join(f"{role} {seen[role][-1][1]:.1f} MB" for role in ROLES),
                  flush=True)  # fmt: skip
        time.sleep(EVERY_S)
    return seen


def main() -> None:
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    megabits = float(sys.argv[3]) if len(sys.argv) > 3 else 3
    folder = rig.scratch()
    footage = rig.make_footage(folder, megabits=megabits)
    server = rig.ourselves("serve", footage, cameras, core=1)
    time.sleep(3)
    machine = Machine(load_settings(data=folder / "data", port=rig.PORT + 1, bus_port=rig.PORT + 2))
    machine.settings.keys.mkdir(parents=True)
    tender = threading.Thread(target=machine.supervisor.tend)
    try:
        database = machine.start_ground()
        enter(database, machine.settings.keys, cameras)
        machine.start_roles(demo=False)
        tender.start()
        time.sleep(30)
        seen = watch(minutes)
        with database.transaction() as tx:
            sealed = tx.one("SELECT count(*) AS n, coalesce(sum(size_bytes), 0) AS bytes FROM recording.segment "
                            "WHERE state = 'sealed'")  # fmt: skip
            gaps = tx.all("SELECT reason, count(*) AS n, coalesce(sum(end_at - start_at), interval '0') AS lasted "
                          "FROM recording.gap GROUP BY reason ORDER BY n DESC")  # fmt: skip
        database.close()
        sent, late = rig.late(server)
        print(f"{cameras} cameras, {minutes:.0f} min: {sealed['n']} segments sealed, {float(sealed['bytes']) / 1e9:.1f} GB, "
              f"{late} of {sent} pictures late")  # fmt: skip
        for gap in gaps:
            print(f"gaps of reason {gap['reason']}: {gap['n']}, {gap['lasted'].total_seconds():.1f} s in all")
        for role, samples in seen.items():
            rise, error = slope([one for one in samples if one[0] >= WARM_MIN])
            print(f"{role}: {samples[-1][1]:.1f} MB; slope {rise:+.3f} ± {error:.3f} MB a minute")
    finally:
        machine.supervisor.stop.set()
        if tender.is_alive():
            tender.join()
        machine.stop()
        rig.end(server)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
