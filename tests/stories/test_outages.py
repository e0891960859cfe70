"""PostgreSQL or NATS is killed while the recorder records: footage goes on, and is indexed and stated afterwards."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.conftest import free_port

from svidok.app.rooms import ROOMS
from svidok.base import SystemClock, Unavailable, new_id
from svidok.bus import Bus
from svidok.bus.server import NatsFolder
from svidok.db import Database, Row, migrate
from svidok.db.server import PostgresServer
from svidok.recording.idx import read
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import Footage, load_footage
from svidok.simulate.scenes import Scene, prepare

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def footage(scratch: Path) -> Footage:
    scene = Scene(name="outage", width=320, height=180, length_s=4.0, kbit_s=200)
    return load_footage(prepare([scene], scratch / "outage-scenes", processes=1)["outage"])


async def until(true: Callable[[], bool], wait_s: float = 60) -> None:
    for _ in range(int(wait_s * 10)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen in time")


class Site:
    """One camera, its recorder, and what became of its footage."""

    def __init__(self, database: Database, data: Path, footage: Footage) -> None:
        self.database, self.data = database, data
        self.channel_id, self.node = new_id(), new_id().hex[-8:]
        self.server = CameraServer([SimulatedCamera(name="yard", main=footage)])

    @asynccontextmanager
    async def recording(self, bus: Bus | None = None, node: str = "") -> AsyncIterator[Recorder]:
        port = self.server._port or await self.server.start()
        stream = PlannedStream(
            channel_id=self.channel_id, stream_id=new_id(), camera_id=self.channel_id, role="main",
            url=f"rtsp://127.0.0.1:{port}/yard/main", username="", password="",
        )  # fmt: skip
        settings = RecorderSettings(
            node=f"{self.node}{node}", data=self.data / f"data{node}", volumes=(self.data / f"disk{node}",),
            segment_length=timedelta(seconds=2),
        )  # fmt: skip
        recorder = Recorder(settings, self.database, bus, SystemClock(), lambda _tx: Plan(streams=(stream,)))
        stop = asyncio.Event()
        task = asyncio.create_task(recorder.run(stop))
        try:
            yield recorder
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)

    def rows(self, query: str) -> list[Row]:
        with self.database.transaction() as tx:
            return tx.all(query, c=self.channel_id)

    def sealed(self) -> list[Row]:
        return self.rows(
            "SELECT * FROM recording.segment WHERE channel_id = %(c)s AND state = 'sealed' ORDER BY start_at"
        )

    def gaps(self) -> list[str]:
        return [row["reason"] for row in self.rows("SELECT reason FROM recording.gap WHERE channel_id = %(c)s")]

    def seconds_on_disk(self) -> float:
        """By the indices alone, which need no database."""
        indices = self.data.glob("disk*/*/*/*.idx")
        return sum(record.duration_us for index in indices for record in read(index).records) / 1e6

    def is_unbroken(self) -> bool:
        rows = self.sealed()
        return all(b["start_at"] - a["end_at"] < timedelta(seconds=0.1) for a, b in pairwise(rows))


@pytest.fixture
def own_postgres(scratch: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody else uses, running."""
    server = PostgresServer(scratch / f"outage-{new_id().hex[-8:]}")
    server.start()
    yield server
    server.stop()


async def test_the_database_is_killed_and_footage_is_indexed_when_it_is_back(
    own_postgres: PostgresServer, tmp_path: Path, footage: Footage
) -> None:
    server = own_postgres
    database = Database.open(server.url, size=4)
    migrate(database, ROOMS)
    site = Site(database, tmp_path, footage)
    async with site.recording() as recorder:
        await until(lambda: len(site.sealed()) >= 1)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        before = site.seconds_on_disk()
        await until(lambda: (tmp_path / "data" / "recorder" / "spool.json").exists())
        await until(lambda: site.seconds_on_disk() > before + 6)
        with pytest.raises(Unavailable):
            site.sealed()
        await asyncio.to_thread(server.start)
        seconds = site.seconds_on_disk()
        await until(lambda: _told(site) and recorder._catalogue is not None and recorder._catalogue.waiting == 0)
        await until(lambda: sum_s(site.sealed()) >= seconds)
        assert site.gaps() == []
        assert site.is_unbroken()
        assert not (tmp_path / "data" / "recorder" / "spool.json").exists()
    stated = site.rows(
        "SELECT e.id FROM ledger.entry e JOIN recording.segment s ON s.id = e.subject "
        "WHERE s.channel_id = %(c)s AND e.kind = 'segment.sealed'"
    )
    assert len(stated) == len(site.sealed())
    await site.server.close()
    database.close()


def _told(site: Site) -> bool:
    try:
        return len(site.sealed()) > 0
    except Unavailable:
        return False


def sum_s(rows: list[Row]) -> float:
    return sum((row["end_at"] - row["start_at"]).total_seconds() for row in rows)


class OwnNats:
    """A NATS that can be killed and started again on the same port, with what it had stored."""

    def __init__(self, folder: Path) -> None:
        self._nats, self._log = NatsFolder(folder=folder, port=free_port()), folder.with_suffix(".log")
        self.url = self._nats.url
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._nats.command(), stdout=log, stderr=log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def own_nats(scratch: Path) -> Iterator[OwnNats]:
    nats = OwnNats(scratch / f"nats-{new_id().hex[-8:]}")
    yield nats
    nats.kill()


async def test_the_bus_is_killed_for_longer_than_a_lease_and_footage_is_unbroken(
    own_nats: OwnNats, database: Database, tmp_path: Path, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svidok.recording.recorder.LEASE_S", 3.0)
    site = Site(database, tmp_path, footage)
    bus = await Bus.connect(own_nats.url, "a", wait_s=20)
    async with site.recording(bus) as recorder:
        await until(lambda: len(site.sealed()) >= 1)
        own_nats.kill()
        before = sum_s(site.sealed())
        await until(lambda: sum_s(site.sealed()) > before + 6)
        own_nats.start()
        await until(lambda: bus.connected)
        taken = await Bus.connect(own_nats.url, "b", wait_s=20)
        await until(lambda: not _is_free(recorder))
        before = sum_s(site.sealed())
        await until(lambda: sum_s(site.sealed()) > before + 4)
        assert await taken.lease(f"channel.{site.channel_id}", "b", ttl_s=3.0) is None
        assert site.gaps() == []
        assert site.is_unbroken()
        await taken.close()
    await bus.close()
    await site.server.close()


def _is_free(recorder: Recorder) -> bool:
    return any(camera.lease is None for camera in recorder._cameras.values())


async def test_a_recorder_that_dies_is_followed_by_another(
    own_nats: OwnNats, database: Database, tmp_path: Path, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets nothing go: it is cut off from the bus and stops at once, and its lease must lapse by itself."""
    monkeypatch.setattr("svidok.recording.recorder.LEASE_S", 3.0)
    site = Site(database, tmp_path, footage)
    first_bus, second_bus = [await Bus.connect(own_nats.url, name, wait_s=20) for name in "ab"]

    def nodes() -> set[str]:
        found = site.rows("SELECT DISTINCT node FROM recording.recording WHERE channel_id = %(c)s")
        return {row["node"] for row in found}

    async with site.recording(second_bus, "-b"):
        async with site.recording(first_bus, "-a"):
            await until(lambda: len(site.sealed()) >= 1)
            (holder,) = nodes()
            await (first_bus if holder.endswith("-a") else second_bus).close()
            await until(lambda: len(nodes()) == 2)
        await until(lambda: len(site.sealed()) >= 2)
    await first_bus.close()
    await second_bus.close()
    await site.server.close()
