"""The reader on real segment files and a real database: each vehicle once, proved, whatever breaks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.rooms.conftest import Clip, read_clip
from tests.rooms.recording.conftest import Yard, make_yard, yard  # noqa: F401  fixtures

from svidok.base import Clock, SystemClock, Unavailable, new_id
from svidok.db import Database
from svidok.plates.following import Follower
from svidok.plates.model import Read
from svidok.plates.parts import Plates
from svidok.simulate.scenes import Scene, prepare

SCENE = Scene(name="gate", length_s=8.0, plates=("UA",), width=800, height=450, kbit_s=1200)
SECONDS = 8


@pytest.fixture(scope="module")
def traffic(scratch: Path) -> Clip:
    """Eight seconds of a gate through which drawn vehicles drive."""
    return read_clip(prepare([SCENE], scratch / "gate", processes=1)[SCENE.name])


@dataclass
class Gate:
    """A plate camera whose footage lies in a yard, and whoever follows it."""

    database: Database
    yard: Yard
    plates: Plates
    folder: Path
    clock: Clock
    camera_id: UUID

    def follower(self, keep: Callable[[Sequence[Read]], int] | None = None) -> Follower:
        return Follower(
            database=self.database, keep=keep or self.plates.door.take_own, pictures=self.plates.pictures,
            folder=self.folder, node=self.yard.node, clock=self.clock, countries=("UA",),
        )  # fmt: skip

    def reads(self) -> list[dict[str, object]]:
        with self.database.transaction() as tx:
            return tx.all(
                "SELECT p.text, r.* FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id "
                "WHERE r.camera_id = %(id)s ORDER BY r.taken_at",
                id=self.camera_id,
            )

    def finish(self, follower: Follower) -> None:
        """All there is, and then a scene in which nobody is any more."""
        while follower.step():
            pass


@pytest.fixture
def gate(database: Database, yard: Yard, tmp_path: Path) -> Iterator[Gate]:  # noqa: F811
    clock, camera_id = SystemClock(), new_id()
    with database.transaction() as tx:
        tx.run("UPDATE fleet.camera SET kind = 'overview' WHERE kind = 'plate'")
        tx.run(
            "INSERT INTO fleet.camera (id, number, name_uk, kind, owner, region_code, lat, lon, heading_deg, life, "
            "life_since) VALUES (%(id)s, %(number)s, 'Ворота', 'plate', 'police', 'UA46', 49.8, 24.0, 90, 'working', "
            "now())",
            id=camera_id, number=f"G-{camera_id}",
        )  # fmt: skip
        tx.run(
            "INSERT INTO fleet.channel (id, camera_id) VALUES (%(id)s, %(camera)s)",
            id=yard.channel_id,
            camera=camera_id,
        )
        tx.run(
            "INSERT INTO fleet.stream (id, channel_id, role, url) VALUES (%(id)s, %(channel)s, 'main', 'rtsp://x/main')",
            id=new_id(), channel=yard.channel_id,
        )  # fmt: skip
    plates = Plates(database=database, data=tmp_path, clock=clock)
    yield Gate(database, yard, plates, tmp_path / "reader", clock, camera_id)
    with database.transaction() as tx:
        tx.run("DELETE FROM plates.read WHERE camera_id = %(id)s", id=camera_id)
        tx.run("DELETE FROM fleet.stream WHERE channel_id = %(id)s", id=yard.channel_id)
        tx.run("DELETE FROM fleet.channel WHERE id = %(id)s", id=yard.channel_id)
        tx.run("DELETE FROM fleet.camera WHERE id = %(id)s", id=camera_id)


def begin(gate: Gate, seconds_ago: float) -> None:
    """As if the camera had been followed up to then."""
    gate.folder.mkdir(exist_ok=True)
    at_us = round((gate.clock.now() - timedelta(seconds=seconds_ago)).timestamp() * 1e6)
    (gate.folder / "followed.json").write_text(json.dumps({str(gate.yard.channel_id): at_us}))


def test_each_vehicle_is_read_once_with_its_proof_and_its_pictures(gate: Gate, traffic: Clip) -> None:
    start = gate.clock.now() - timedelta(seconds=60)
    begin(gate, 61)
    first = gate.yard.record(traffic, start, count=4)
    second = gate.yard.record(traffic, start + timedelta(seconds=4), first=4, count=SECONDS - 4, seal=False)
    follower = gate.follower()
    gate.finish(follower)
    found = {row["text"]: row for row in gate.reads()}
    truth = SCENE.traffic()
    assert {one.plate for one in truth} == set(found)
    for one in truth:
        row = found[one.plate]
        seen_s = (row["taken_at"] - start).total_seconds()  # type: ignore[operator]
        assert one.from_s - 0.1 <= seen_s <= one.to_s + 0.1
        assert row["segment_id"] == (first if seen_s < 4 else second)
        assert row["country"] == "UA"
        assert row["direction"] in (("away", "unknown") if one.away else ("towards", "unknown"))
        for name in ("image", "patch"):
            assert gate.plates.pictures.read(row[name]).startswith(b"\xff\xd8")  # type: ignore[arg-type]
    follower.close()
    again = gate.follower()
    gate.finish(again)
    assert len(gate.reads()) == len(truth)


def test_killed_at_any_moment_it_tells_each_vehicle_once(gate: Gate, traffic: Clip) -> None:
    begin(gate, 61)
    start = gate.clock.now() - timedelta(seconds=60)
    for number in range(0, SECONDS, 2):  # two groups at a time, and a reader that dies after each
        gate.yard.record(traffic, start + timedelta(seconds=number), first=number, count=2)
        follower = gate.follower()
        gate.finish(follower)
        follower.close()
    texts = [row["text"] for row in gate.reads()]
    assert len(texts) == len(set(texts))
    assert set(texts) == {one.plate for one in SCENE.traffic()}


@pytest.mark.timeout(900)
def test_the_reader_role_killed_under_load_loses_nothing_and_tells_nothing_twice(
    gate: Gate, traffic: Clip, database_url: str, tmp_path: Path
) -> None:  # fmt: skip
    """A real process, with footage that waits to be read: SIGKILL on its way, SIGKILL when it has told something."""
    begin(gate, 61)
    gate.yard.record(traffic, gate.clock.now() - timedelta(seconds=60), count=SECONDS)
    environment = {
        **os.environ, "SVIDOK_DATABASE_URL": database_url, "SVIDOK_DATA": str(tmp_path), "SVIDOK_NODE": gate.yard.node,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    begun = (gate.folder / "followed.json").read_bytes()
    truth = sorted(one.plate for one in SCENE.traffic())

    def read_on(enough: Callable[[], bool]) -> None:
        with (tmp_path / "reader.log").open("ab") as log:
            reader = subprocess.Popen(
                [sys.executable, "-m", "svidok", "reader"], env=environment, stdout=log, stderr=log
            )
        try:
            until = time.monotonic() + 280
            while not enough():
                told = (tmp_path / "reader.log").read_text()[-2000:]
                assert reader.poll() is None, told
                assert time.monotonic() < until, told
                time.sleep(0.05)
        finally:
            reader.kill()
            reader.wait()

    read_on(lambda: (gate.folder / "followed.json").read_bytes() != begun)
    read_on(lambda: bool(gate.reads()))
    acknowledged = {row["id"] for row in gate.reads()}
    read_on(lambda: len(gate.reads()) >= len(truth))
    rows = gate.reads()
    assert acknowledged <= {row["id"] for row in rows}
    assert sorted(str(row["text"]) for row in rows) == truth


def test_while_the_store_is_away_reads_wait_and_nothing_is_passed_over(gate: Gate, traffic: Clip) -> None:
    begin(gate, 61)
    gate.yard.record(traffic, gate.clock.now() - timedelta(seconds=60), count=SECONDS)
    away = True

    def keep(reads: Sequence[Read]) -> int:
        if away:
            raise Unavailable("database-unavailable", "The database does not answer. Try again shortly.")
        return gate.plates.door.take_own(reads)

    follower = gate.follower(keep)
    for _ in range(4):
        follower.step()
    assert gate.reads() == []
    assert follower.followed[0].waiting
    away = False
    gate.finish(follower)
    assert {row["text"] for row in gate.reads()} == {one.plate for one in SCENE.traffic()}


def test_a_torn_group_costs_itself_only(gate: Gate, traffic: Clip) -> None:
    begin(gate, 61)
    segment = gate.yard.record(traffic, gate.clock.now() - timedelta(seconds=60), count=SECONDS)
    path = gate.yard.media()
    index = gate.yard.index(segment, path)
    broken = index.records[0]
    with path.open("r+b") as file:
        file.seek(broken.offset)
        file.write(b"\0" * broken.size)
    follower = gate.follower()
    gate.finish(follower)
    assert follower.followed[0].broken == 1
    late = {one.plate for one in SCENE.traffic() if one.from_s > 1.5}
    assert late <= {row["text"] for row in gate.reads()}
