"""The recorder against real RTSP, a real disk, a real database and a real bus: what it keeps, and what it confesses."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from svidok.base import SystemClock, new_id
from svidok.bus import Bus
from svidok.db import Database, Row
from svidok.media.boxes import parse_head, scan_fragments
from svidok.media.frames import probe
from svidok.recording.feed import LiveFeed
from svidok.recording.idx import index_path, read
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.simulate import CameraServer, SimulatedCamera, parse_fault
from svidok.simulate.packets import Footage, load_footage
from svidok.simulate.scenes import Scene, prepare


@pytest.fixture(scope="module")
def footage(scratch: Path) -> dict[str, Footage]:
    small = {"width": 320, "height": 180, "length_s": 4.0, "kbit_s": 200}
    scenes = [Scene(name="car", **small), Scene(name="other", clip="one-by-one-person-detection.mp4", **small),
              Scene(name="h265", codec="h265", **small)]  # fmt: skip
    return {name: load_footage(path) for name, path in prepare(scenes, scratch / "scenes", processes=1).items()}


class Rig:
    """A recorder with its cameras."""

    def __init__(self, tmp: Path, database: Database, footage: dict[str, Footage]) -> None:
        self.tmp, self.database, self.footage = tmp, database, footage
        self.name = new_id().hex[-8:]  # a recorder takes up every volume of its machine, those of other tests too
        self.cameras: list[SimulatedCamera] = []
        self.streams: list[PlannedStream] = []
        self.volumes = [tmp / "disk-1"]
        self.recorder: Recorder | None = None
        self.server: CameraServer | None = None

    def camera(self, name: str, fault: str = "none", scene: str = "car", **login: str) -> UUID:
        camera = SimulatedCamera(
            name=name, main=self.footage[scene], sub=self.footage["other"], other=self.footage["other"],
            fault=parse_fault(fault), username="eye", password="secret",
        )  # fmt: skip
        self.cameras.append(camera)
        channel = new_id()
        for role in ("main", "sub"):
            self.streams.append(
                PlannedStream(
                    channel_id=channel, stream_id=new_id(), camera_id=new_id(), role=role, url=f"{name}/{role}",
                    username="eye", password=login.get("password", "secret"),
                )
            )  # fmt: skip
        return channel

    @asynccontextmanager
    async def running(
        self, bus: Bus | None = None, node: str = "node-a", segment_s: float = 2
    ) -> AsyncIterator[Recorder]:
        if self.server is None:
            self.server = CameraServer(self.cameras)
            self.port = await self.server.start()
        base = f"rtsp://127.0.0.1:{self.port}/"

        plan = Plan(streams=tuple(msgspec.structs.replace(s, url=base + s.url) for s in self.streams))
        recorder = Recorder(
            RecorderSettings(
                node=f"{node}-{self.name}", data=self.tmp / f"data-{node}", volumes=tuple(self.volumes),
                segment_length=timedelta(seconds=segment_s), stall_s=1.5,
            ),
            self.database, bus, SystemClock(), lambda _tx: plan,
        )  # fmt: skip
        stop = asyncio.Event()
        task = asyncio.create_task(recorder.run(stop))
        try:
            yield recorder
        finally:
            stop.set()
            await asyncio.wait_for(task, 15)

    def rows(self, query: str, **params: object) -> list[Row]:
        with self.database.transaction() as tx:
            return tx.all(query, **params)

    def sealed(self, channel: UUID) -> list[Row]:
        return self.rows(
            "SELECT s.*, v.path AS volume FROM recording.segment s JOIN recording.volume v ON v.id = s.volume_id "
            "WHERE channel_id = %(c)s AND s.state = 'sealed' ORDER BY start_at", c=channel,
        )  # fmt: skip

    def gaps(self, channel: UUID) -> list[tuple[str, bool]]:
        found = self.rows("SELECT * FROM recording.gap WHERE channel_id = %(c)s ORDER BY start_at", c=channel)
        return [(row["reason"], row["end_at"] is None) for row in found]


@pytest.fixture
async def rig(tmp_path: Path, database: Database, footage: dict[str, Footage]) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, database, footage)
    yield rig
    if rig.server is not None:
        await rig.server.close()


async def until(true: Callable[[], bool], wait_s: float = 40) -> None:
    for _ in range(int(wait_s * 10)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen in time")


def check_files(segments: list[Row]) -> None:
    """Every sealed file is whole, its index agrees with its bytes, and the instants follow each other."""
    before = None
    for row in segments:
        media = Path(row["volume"]) / row["path"]
        with media.open("rb") as file:
            scan = scan_fragments(file)
        index = read(index_path(media))
        assert scan.torn == 0
        assert len(scan.fragments) == len(index.records) == row["fragments"]
        assert [f.offset for f in scan.fragments] == [r.offset for r in index.records]
        assert media.stat().st_size == row["size_bytes"]
        if before is not None:
            assert row["start_at"] >= before
        before = row["end_at"]


async def test_it_records_seals_and_states(rig: Rig) -> None:
    one, two = rig.camera("one"), rig.camera("two", scene="h265")
    async with rig.running():
        await until(lambda: len(rig.sealed(one)) >= 3 and len(rig.sealed(two)) >= 3)
    segments = rig.sealed(one)
    check_files(segments)
    check_files(rig.sealed(two))
    assert rig.sealed(two)[0]["codec"].startswith("hvc1.")
    assert abs((segments[1]["start_at"] - segments[0]["end_at"]).total_seconds()) < 0.05
    assert rig.gaps(one) == [("recorder-stopped", True)]
    entries = rig.rows("SELECT kind FROM ledger.entry WHERE subject = ANY(%(s)s)", s=[s["id"] for s in segments])
    assert len(entries) == len(segments)
    assert segments[-1]["clock_source"] == "rtcp"
    assert abs(segments[-1]["clock_offset_us"]) < 400_000
    assert rig.rows("SELECT * FROM recording.segment WHERE channel_id = %(c)s AND state = 'open'", c=one) == []


async def test_a_second_start_goes_on_where_it_stopped(rig: Rig) -> None:
    one = rig.camera("one")
    async with rig.running():
        await until(lambda: len(rig.sealed(one)) >= 1)
    await asyncio.sleep(1.5)
    async with rig.running():
        await until(lambda: rig.gaps(one) == [("recorder-stopped", False)])
    check_files(rig.sealed(one))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("stall,after=2", "stream-stalled"),
        ("cut,after=2", "camera-silent"),
        ("garbage,after=2", "camera-garbage"),
        ("refuse", "camera-refused"),
        ("unauthorised", "wrong-password"),
    ],
)
async def test_a_fault_becomes_a_gap_with_its_reason_and_harms_nobody(rig: Rig, fault: str, reason: str) -> None:
    good, bad = rig.camera("good"), rig.camera("bad", fault)
    async with rig.running():
        await until(lambda: reason in [r for r, _ in rig.gaps(bad)])
        await until(lambda: len(rig.sealed(good)) >= 2)
        rig.cameras[1].fault = parse_fault("none")
        await until(lambda: rig.gaps(bad)[-1][1] is False)
    assert [r for r, _ in rig.gaps(good)] == ["recorder-stopped"]
    check_files(rig.sealed(bad))


async def test_new_parameter_sets_begin_a_new_file(rig: Rig) -> None:
    one = rig.camera("one", "sps-change,after=2")
    async with rig.running(segment_s=30):
        await until(lambda: len(rig.sealed(one)) >= 1)
        await asyncio.sleep(2)
    segments = rig.sealed(one)
    check_files(segments)
    assert len(segments) == 2


async def test_a_lying_clock_is_measured_and_changes_nothing(rig: Rig) -> None:
    one = rig.camera("one", "clock-wrong,seconds=47")
    async with rig.running():
        await until(lambda: len(rig.sealed(one)) >= 2)
    last = rig.sealed(one)[-1]
    assert abs(last["clock_offset_us"] - 47_000_000) < 600_000
    check_files(rig.sealed(one))


async def test_a_flood_is_survived(rig: Rig) -> None:
    good, bad = rig.camera("good"), rig.camera("bad", "flood,after=1")
    async with rig.running():
        await until(lambda: len(rig.sealed(good)) >= 3)
    check_files(rig.sealed(bad))
    assert len(rig.sealed(bad)) >= 1


async def test_a_volume_that_is_pulled_out_is_left_for_another(rig: Rig) -> None:
    rig.volumes = [rig.tmp / "disk-1", rig.tmp / "disk-2"]
    one = rig.camera("one")
    async with rig.running():
        await until(lambda: len(rig.sealed(one)) >= 1)
        first = Path(rig.sealed(one)[-1]["volume"])
        shutil.move(first, rig.tmp / "pulled")
        await until(lambda: any(Path(s["volume"]) != first for s in rig.sealed(one)))
        alarms = rig.rows("SELECT code FROM recording.alarm WHERE subject = %(s)s", s=str(first))
        assert [a["code"] for a in alarms] == ["volume-absent"]
        assert not first.exists() or not any(first.rglob("*.mp4"))


async def test_a_full_disk_alarms_and_confesses(rig: Rig, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=300k svidok {small}") != 0:
        pytest.skip("a small disk needs the right to mount")
    try:
        rig.volumes = [small]
        one = rig.camera("one")
        async with rig.running():
            await until(lambda: "volume-full" in {reason for reason, _ in rig.gaps(one)})
            query = "SELECT code FROM recording.alarm WHERE subject = %(s)s"
            await until(lambda: {row["code"] for row in rig.rows(query, s=str(small))} == {"volume-full"})
        check_files(rig.sealed(one))
    finally:
        os.system(f"umount {small}")


async def test_two_recorders_given_one_camera_record_it_once(rig: Rig, nats_url: str) -> None:
    one = rig.camera("one")
    first_bus, second_bus = await Bus.connect(nats_url, "a"), await Bus.connect(nats_url, "b")
    async with rig.running(second_bus, "node-b"), rig.running(first_bus, "node-a"):
        await until(lambda: len(rig.sealed(one)) >= 2)
        nodes = rig.rows("SELECT DISTINCT node FROM recording.recording WHERE channel_id = %(c)s", c=one)
        assert len(nodes) == 1
    await first_bus.close()
    await second_bus.close()


async def test_whoever_watches_gets_pictures_at_once(rig: Rig, nats_url: str) -> None:
    one = rig.camera("one")
    bus, viewer = await Bus.connect(nats_url, "a"), await Bus.connect(nats_url, "viewer")
    async with rig.running(bus):
        await until(lambda: len(rig.sealed(one)) >= 1)
        for role in ("main", "sub"):
            async with LiveFeed(viewer, one, role) as feed:
                opening = await feed.open()
                assert opening.problem == ""
                assert opening.codec.startswith("avc1.")
                assert opening.init[4:8] == b"ftyp"
                got = [await asyncio.wait_for(feed.frame(), 5) for _ in range(50)]
            assert all(b"moof" in frame.fragment for frame in got)
            assert any(frame.is_key for frame in got)
            bases = [parse_head(frame.fragment).base for frame in got]
            assert bases == sorted(set(bases))
            begun = parse_head(opening.group)
            begun_frames = len(begun.video.sizes)
            # a stream that was opened for us alone goes on with its second group
            assert bases[0] == begun.base + sum(begun.video.durations) or (role == "sub" and got[0].is_key)
            whole = opening.init + opening.group + b"".join(frame.fragment for frame in got)
            assert probe(whole).frames == begun_frames + 50
    await bus.close()
    await viewer.close()
