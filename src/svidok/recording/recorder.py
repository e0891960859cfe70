"""The recorder: one event loop for all its cameras.

It asks what to record, takes a lease on each camera, keeps one connection to
each, and tends disks, gaps, live viewers and facts. A camera that misbehaves
costs its own task a pause and nothing else. Without the bus it records what it
knows: twice recorded is harmless, not recorded is not. Without the database it
records on, and tells later.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from svidok.base import Clock, Unavailable, to_us
from svidok.bus import Bus, BusUnavailable, Lease
from svidok.db import Database, Transaction
from svidok.media import RtspClient, RtspError
from svidok.recording import facts as f
from svidok.recording.broadcast import Broadcast, SubStream
from svidok.recording.catalogue import Catalogue
from svidok.recording.channel import ChannelWriter
from svidok.recording.disks import Disks
from svidok.recording.feed import LiveOpening
from svidok.recording.model import GapReason
from svidok.recording.plan import Plan, PlannedStream, recall, remember
from svidok.recording.reach import answer_from
from svidok.recording.recovery import recover, segment_files
from svidok.recording.store import SQL, OnBeats
from svidok.recording.writer import Closed, Failed, WriterPool, Written

log = structlog.get_logger("recorder")

LEASE_S = 30.0
_TICK_S = 0.25
_PLAN_EVERY_S = 5.0
_SEEN_EVERY_S = 5.0
_BACKOFF_MAX_S = 30.0
_RECOVER_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """What a recorder is told when it starts. `volumes` are folders; `quota_bytes` holds for each of them."""

    node: str
    data: Path
    volumes: tuple[Path, ...]
    quota_bytes: int | None = None
    segment_length: timedelta = timedelta(seconds=60)
    stall_s: float = 5.0
    writer_threads: int = 3


@dataclass(slots=True)
class _Camera:
    """A channel with its task, its writer and its viewers."""

    stream: PlannedStream
    writer: ChannelWriter
    main: Broadcast | None
    sub: Broadcast | None
    task: asyncio.Task[None] | None = None
    sub_task: asyncio.Task[None] | None = None
    lease: Lease | None = None
    says: str = "connecting"
    falls: int = 0
    ok: bool = False
    bytes_before: int = 0


@dataclass(slots=True)
class Recorder:
    """See the module. `read_plan` says what to record; `on_beats` takes news of cameras; `make_room` disposes."""

    settings: RecorderSettings
    database: Database
    bus: Bus | None
    clock: Clock
    read_plan: Callable[[Transaction], Plan]
    on_beats: OnBeats | None = None
    make_room: Callable[[UUID, int], int] | None = None
    _cameras: dict[UUID, _Camera] = field(default_factory=dict)
    _plan: Plan = field(default_factory=Plan)
    _last_ends: dict[UUID, int] = field(default_factory=dict)
    _open_gaps: dict[UUID, GapReason] = field(default_factory=dict)
    _disks: Disks | None = None
    _pool: WriterPool | None = None
    _catalogue: Catalogue | None = None
    _bytes_per_s: int = 0
    _written_before: int = 0
    _segment_owners: dict[UUID, ChannelWriter] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set, then end every file in an orderly way."""
        folder = self.settings.data / "recorder"
        self._catalogue = Catalogue(self.database, folder / "spool.json", self.on_beats)
        self._disks = Disks(self.settings, self.database, self.clock, self._tell, self.make_room)
        await asyncio.to_thread(self._disks.enrol)
        await asyncio.to_thread(self._recover)
        await asyncio.to_thread(self._read_state)
        self._catalogue.start()
        self._pool = WriterPool(self.settings.writer_threads)
        if self.bus is not None:
            await self.bus.subscribe("live.open.*.*", self._on_live_request)
            await answer_from(self.bus, self.settings.node, self._disks.root_of)
        helpers = [asyncio.create_task(tend) for tend in (self._tend_plan(), self._tend_disks(), self._tend_leases())]
        try:
            await self._tick(stop)
        finally:
            for helper in helpers:
                helper.cancel()
            await self._end()

    @property
    def dropped_bytes(self) -> int:
        """Bytes that no disk would take."""
        return sum(camera.writer.dropped_bytes for camera in self._cameras.values())

    # start

    def _recover(self) -> None:
        """Make whole what a crash left behind."""
        if self._disks is None:
            return
        for disk in self._disks.there():
            files = list(segment_files(disk.root, days=_RECOVER_DAYS))
            news, ends = recover(disk.volume, self._disks.unsealed(files))
            self._tell(news)
            for channel_id, end_us in ends.items():
                self._last_ends[channel_id] = max(self._last_ends.get(channel_id, 0), end_us)
            if news:
                log.info("recovered", volume=str(disk.root), segments=len(news))

    def _read_state(self) -> None:
        """Where footage ended, and which gaps are open, by the database."""
        try:
            with self.database.transaction() as tx:
                self._plan = self.read_plan(tx)
                channels = list(self._plan.main())
                for row in tx.all(SQL["open_gaps"]):
                    self._open_gaps[row["channel_id"]] = GapReason(row["reason"])
                for row in tx.all(SQL["last_ends"], channels=channels):
                    end_us = to_us(row["end_at"])
                    self._last_ends[row["channel_id"]] = max(self._last_ends.get(row["channel_id"], 0), end_us)
            remember(self._plan, self._plan_file)
        except Unavailable:
            self._plan = recall(self._plan_file) or Plan()
            log.warning("starting without the database, by the plan remembered", channels=len(self._plan.main()))

    @property
    def _plan_file(self) -> Path:
        return self.settings.data / "recorder" / "plan.json"

    # the loop

    async def _tick(self, stop: asyncio.Event) -> None:
        seen_at = 0.0
        while not stop.is_set():
            try:
                async with asyncio.timeout(_TICK_S):
                    await stop.wait()
            except TimeoutError:
                pass
            self._take_results()
            for camera in self._cameras.values():
                for broadcast in (camera.main, camera.sub):
                    if broadcast is not None:
                        broadcast.lapse()
            now = self.clock.monotonic()
            if now - seen_at >= _SEEN_EVERY_S:
                self._tell_how_it_goes(now - seen_at if seen_at else _SEEN_EVERY_S)
                seen_at = now

    def _take_results(self) -> None:
        pool = self._pool
        while pool is not None and pool.results:
            result = pool.results.popleft()
            camera = self._segment_owners.get(result.segment_id)
            if isinstance(result, Failed) and self._disks is not None:
                self._disks.trouble(result.volume_id, result.error)
            if camera is None:
                continue
            if isinstance(result, Written):
                camera.on_written(result)
                continue
            if isinstance(result, Closed):
                camera.on_closed(result)
                del self._segment_owners[result.segment_id]
            else:
                camera.on_failed(result)

    async def _tend_plan(self) -> None:
        """Follow the plan: begin what is new, end what was taken out, hold the leases."""
        while True:
            self._follow()
            await asyncio.sleep(_PLAN_EVERY_S)
            try:
                plan = await asyncio.to_thread(self._ask_plan)
            except Unavailable:
                continue
            if plan != self._plan:
                self._plan = plan
                await asyncio.to_thread(remember, plan, self._plan_file)

    def _ask_plan(self) -> Plan:
        with self.database.transaction() as tx:
            return self.read_plan(tx)

    def _follow(self) -> None:
        wanted = self._plan.main()
        for channel_id, stream in wanted.items():
            camera = self._cameras.get(channel_id)
            if camera is None:
                self._cameras[channel_id] = self._begin(stream)
            elif camera.stream != stream:
                self._drop(camera, GapReason.DISABLED, "its address changed")
                self._cameras[channel_id] = self._begin(stream)
        for channel_id in [known for known in self._cameras if known not in wanted]:
            self._drop(self._cameras.pop(channel_id), GapReason.DISABLED, "it is not to be recorded any more")

    def _begin(self, stream: PlannedStream) -> _Camera:
        if self._pool is None or self._disks is None:
            raise RuntimeError("the recorder is not running")
        channel_id = stream.channel_id
        last_end_us = self._last_ends.get(channel_id, 0)
        writer = ChannelWriter(
            stream,
            node=self.settings.node,
            clock=self.clock,
            pool=self._pool,
            pick_disk=self._disks.pick,
            disk_states=self._disks.states,
            tell=self._tell_of(stream),
            segment_length=self.settings.segment_length,
            last_end_us=last_end_us,
            open_gap=self._open_gaps.pop(channel_id, None),
        )
        if last_end_us and writer.gaps.reason is None:
            self._tell(writer.gaps.failed(GapReason.RECORDER_CRASHED, to_us(self.clock.now())))
        main = Broadcast(self.bus, channel_id, "main", self.clock) if self.bus else None
        sub = Broadcast(self.bus, channel_id, "sub", self.clock) if self.bus else None
        camera = _Camera(stream, writer, main, sub)
        writer.on_segment = self._segment_owners.__setitem__
        if main is not None:
            writer.on_live = main.on_frame
            writer.on_live_tracks = main.on_tracks
        camera.task = asyncio.create_task(self._keep(camera), name=f"camera {channel_id}")
        return camera

    def _drop(self, camera: _Camera, reason: GapReason, detail: str) -> None:
        for task in (camera.task, camera.sub_task):
            if task is not None:
                task.cancel()
        camera.writer.failed(reason, detail)
        self._last_ends[camera.stream.channel_id] = camera.writer.gaps.last_end_us
        if camera.writer.gaps.reason is not None:
            self._open_gaps[camera.stream.channel_id] = camera.writer.gaps.reason
        if camera.lease is not None:
            asyncio.get_running_loop().create_task(_let_go(camera.lease))

    # one camera

    async def _keep(self, camera: _Camera) -> None:
        """Keep one camera connected for ever."""
        while True:
            if not await self._holds_lease(camera):
                await asyncio.sleep(LEASE_S / 3 * random.uniform(0.8, 1.2))  # noqa: S311 (spreads load, guards nothing)
                continue
            reason, detail = await self._connect_once(camera)
            camera.ok, camera.says = False, f"{reason}: {detail}"[:200]
            camera.writer.failed(reason, detail)
            if camera.writer.written_bytes != camera.bytes_before:
                camera.falls, camera.bytes_before = 0, camera.writer.written_bytes
            camera.falls += 1
            pause = min(_BACKOFF_MAX_S, 0.5 * 2 ** min(camera.falls, 8))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _connect_once(self, camera: _Camera) -> tuple[GapReason, str]:
        stream = camera.stream
        client = self._client(stream)
        try:
            async with client:
                await client.open()
                if camera.main is not None:
                    camera.main.client = client
                    if camera.main.watched:
                        client.watching = True
                camera.ok, camera.says = True, ""
                await client.play(camera.writer)
        except RtspError as error:
            return GapReason(error.reason), str(error)
        except (OSError, ValueError) as error:
            return GapReason.CAMERA_GARBAGE, f"{type(error).__name__}: {error}"
        finally:
            if camera.main is not None:
                camera.main.client = None
        return GapReason.CAMERA_SILENT, ""

    def _client(self, stream: PlannedStream) -> RtspClient:
        return RtspClient(
            stream.url,
            clock=self.clock,
            username=stream.username,
            password=stream.password,
            tls_verify=stream.tls_verify,
            stall_s=self.settings.stall_s,
        )

    async def _holds_lease(self, camera: _Camera) -> bool:
        if self.bus is None or camera.lease is not None:
            return True
        try:
            camera.lease = await self.bus.lease(
                f"channel.{camera.stream.channel_id}", self.settings.node, ttl_s=LEASE_S
            )
        except BusUnavailable:
            return True  # nobody can be asked: record, for twice is better than not at all
        if camera.lease is None:
            camera.ok, camera.says = True, "another recorder has it"
        return camera.lease is not None

    async def _tend_leases(self) -> None:
        """Renew every lease in time; a camera whose lease another took is left to it."""
        while True:
            await asyncio.sleep(LEASE_S / 3)
            for camera in list(self._cameras.values()):
                unasked = camera.lease is None and camera.ok and not camera.says  # nobody could be asked when it began
                try:
                    if camera.lease is not None and await camera.lease.renew():
                        continue
                except (BusUnavailable, OSError, TimeoutError):
                    break  # the bus is away: go on recording
                if camera.lease is not None or unasked:
                    await self._ask_again(camera)

    async def _ask_again(self, camera: _Camera) -> None:
        """Its lease lapsed while the bus was away. Where nobody took it, nothing need stop; otherwise leave it."""
        camera.lease = None
        if await self._holds_lease(camera):
            return
        if camera.task is not None:
            camera.task.cancel()
            camera.writer.failed(GapReason.DISABLED, "another recorder took it over")
            camera.task = asyncio.create_task(self._keep(camera))

    # live

    async def _on_live_request(self, subject: str, _body: bytes) -> bytes | None:
        channel_id, role = UUID(subject.split(".")[2]), subject.split(".")[3]
        camera = self._cameras.get(channel_id)
        if camera is None or (camera.lease is None and self.bus is not None and self.bus.connected):
            return None
        broadcast = camera.main if role == "main" else camera.sub
        if broadcast is None:
            return None
        broadcast.renew()
        if role == "sub" and (camera.sub_task is None or camera.sub_task.done()):
            stream = self._plan.find(channel_id, "sub")
            if stream is None:
                return msgspec.msgpack.encode(LiveOpening(problem="no-sub-stream"))
            camera.sub_task = asyncio.create_task(self._serve_sub(stream, broadcast))
        for _ in range(30):
            opening = broadcast.opening()
            if opening is not None and broadcast.client is not None:
                return msgspec.msgpack.encode(opening)
            if not camera.ok and role == "main":
                break
            await asyncio.sleep(0.1)
        problem = str(camera.writer.gaps.reason or GapReason.CAMERA_SILENT)
        return msgspec.msgpack.encode(LiveOpening(problem=problem))

    async def _serve_sub(self, stream: PlannedStream, broadcast: Broadcast) -> None:
        """Hold a sub-stream open while somebody watches it."""
        client = self._client(stream)
        client.watching = True
        try:
            async with client:
                await client.open()
                broadcast.client = client
                playing = asyncio.create_task(client.play(SubStream(broadcast)))
                try:
                    while broadcast.watched and not playing.done():
                        await asyncio.wait([playing], timeout=1.0)
                finally:
                    playing.cancel()
                    await asyncio.gather(playing, return_exceptions=True)
        except RtspError as error:
            log.info("the sub-stream ended", why=str(error))
        finally:
            broadcast.client = None

    # disks, facts, end

    async def _tend_disks(self) -> None:
        while self._disks is not None:
            await asyncio.to_thread(self._disks.tend)
            await asyncio.sleep(2.0)

    def _tell(self, news: list[f.AnyFact]) -> None:
        if news and self._catalogue is not None:
            self._catalogue.tell(news)

    def _tell_of(self, stream: PlannedStream) -> Callable[[list[f.AnyFact]], None]:
        def tell(news: list[f.AnyFact]) -> None:
            for fact in news:
                if isinstance(fact, f.GapOpened):
                    log.info("gap", channel=str(stream.channel_id), reason=fact.reason, detail=fact.detail)
            self._tell(news)

        return tell

    def _tell_how_it_goes(self, passed_s: float) -> None:
        cameras = list(self._cameras.values())
        written = sum(camera.writer.written_bytes for camera in cameras)
        self._bytes_per_s = max(0, int((written - self._written_before) / passed_s))
        self._written_before = written
        mine = [camera for camera in cameras if camera.lease is not None or self.bus is None or camera.ok]
        self._tell(
            [
                f.RecorderSeen(
                    node=self.settings.node,
                    at=self.clock.now(),
                    channels=len(cameras),
                    recording=sum(camera.ok and camera.writer.gaps.reason is None for camera in cameras),
                    bytes_per_s=self._bytes_per_s,
                    waiting=self._catalogue.waiting if self._catalogue else 0,
                    beats=tuple(f.Beat(camera_id=c.stream.camera_id, ok=c.ok, says=c.says) for c in mine),
                )
            ]
        )

    async def _end(self) -> None:
        for camera in self._cameras.values():
            for task in (camera.task, camera.sub_task):
                if task is not None:
                    task.cancel()
        await asyncio.sleep(0)
        for camera in self._cameras.values():
            camera.writer.stop()
            if camera.lease is not None:
                await _let_go(camera.lease)
        if self._pool is not None:
            await asyncio.to_thread(self._pool.stop)
            self._take_results()
        if self._catalogue is not None:
            await asyncio.to_thread(self._catalogue.stop)


async def _let_go(lease: Lease) -> None:
    try:
        async with asyncio.timeout(2.0):
            await lease.release()
    except (BusUnavailable, OSError, TimeoutError):
        return  # it lapses by itself
