"""One channel being recorded: groups in, segment files out, gaps kept, and everything told as facts.

Lives in the event loop and never blocks: it decides where each group goes and
hands the bytes to the writer's threads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from svidok.base import Clock, from_us, new_id, to_us
from svidok.media.fmp4 import fragment, init_segment
from svidok.media.model import Frame, Group, SenderReport, Tracks
from svidok.recording import facts as f
from svidok.recording.clocks import CameraClock, WallClock
from svidok.recording.gaps import GapKeeper
from svidok.recording.idx import LOST, SYNC
from svidok.recording.model import ClockReading, GapReason, VolumeState
from svidok.recording.plan import PlannedStream
from svidok.recording.volumes import Disk
from svidok.recording.writer import AppendJob, Closed, CloseJob, Failed, OpenJob, WriterPool, Written

MAX_PENDING_BYTES = 96 * 1024 * 1024  # what may wait for a slow disk, a channel
_CLOCK_TOLD_US = 200_000  # an offset that changed by less is not worth a row


@dataclass(slots=True, kw_only=True)
class _Segment:
    """The segment that is being filled, as the event loop knows it."""

    id: UUID
    recording_id: UUID
    disk: Disk
    path: str
    tracks: Tracks
    start_us: int
    due_us: int
    sequence: int = 0
    video_base: int = 0
    audio_base: int = 0


class ChannelWriter:
    """The sink of one channel's main stream."""

    def __init__(
        self,
        stream: PlannedStream,
        *,
        node: str,
        clock: Clock,
        pool: WriterPool,
        pick_disk: Callable[[], Disk | None],
        disk_states: Callable[[], set[VolumeState]],
        tell: Callable[[list[f.AnyFact]], None],
        segment_length: timedelta,
        last_end_us: int = 0,
        open_gap: GapReason | None = None,
    ) -> None:
        self.stream = stream
        self.gaps = GapKeeper(stream.channel_id, last_end_us=last_end_us, open_reason=open_gap)
        self.camera_clock = CameraClock()
        self.on_live: Callable[[Frame, int], None] | None = None
        self.on_live_tracks: Callable[[Tracks], None] | None = None
        self.on_segment: Callable[[UUID, ChannelWriter], None] | None = None
        self.written_bytes = 0
        self.dropped_bytes = 0
        self.pending_bytes = 0
        self.tracks: Tracks | None = None
        self._node, self._clock, self._pool = node, clock, pool
        self._pick_disk, self._disk_states, self._tell = pick_disk, disk_states, tell
        self._length_us = segment_length // timedelta(microseconds=1)
        self._wall = WallClock(last_end_us)
        self._recording_id: UUID | None = None
        self._segment: _Segment | None = None
        self._closing: dict[UUID, tuple[_Segment, ClockReading]] = {}
        self._told_offset_us: int | None = None

    # what the camera sends

    def on_tracks(self, tracks: Tracks) -> None:
        """New parameter sets: what follows needs a file of its own."""
        self._end_segment()
        self.tracks = tracks
        if self.on_live_tracks is not None:
            self.on_live_tracks(tracks)

    def on_group(self, group: Group) -> None:
        """Place a group in time and hand it to the disk."""
        start_us, duration_us = self._wall.place(
            ticks=group.ticks, duration_ticks=group.duration_ticks, arrived_us=group.arrived_us,
            waited_us=group.waited_us,
        )  # fmt: skip
        if self.tracks is not None:
            self._store(group, start_us, duration_us)

    def on_frame(self, frame: Frame) -> None:
        """Pass a picture on to whoever watches."""
        if self.on_live is not None and self.tracks is not None:
            wall_us = self._wall.wall_of(frame.ticks)
            self.on_live(frame, wall_us or frame.arrived_us)

    def on_clock(self, report: SenderReport) -> None:
        """Measure the camera's clock; a step and a noticeable change are told."""
        if report.ticks is None:
            return
        wall_us = self._wall.wall_of(report.ticks)
        if wall_us is None:
            return
        stepped = self.camera_clock.report(camera_us=report.camera_us, wall_us=wall_us)
        reading = self.camera_clock.reading()
        if stepped or self._told_offset_us is None or abs(reading.offset_us - self._told_offset_us) > _CLOCK_TOLD_US:
            self._told_offset_us = reading.offset_us
            self._tell([self._measured(reading, report.arrived_us)])

    # what befalls the connection

    def failed(self, reason: GapReason, detail: str) -> None:
        """The stream ended or never began."""
        self._end_segment()
        self._recording_id = None
        self._wall = WallClock(max(self._wall.last_end_us, self.gaps.last_end_us))
        self._tell(self.gaps.failed(reason, to_us(self._clock.now()), detail))

    def stop(self) -> None:
        """The recorder is being stopped in an orderly way."""
        self.failed(GapReason.RECORDER_STOPPED, "")

    # what the disk answers

    def on_written(self, result: Written) -> None:
        """A fragment is safe."""
        self.pending_bytes -= result.size
        self.written_bytes += result.size

    def on_closed(self, result: Closed) -> None:
        """A segment is whole: it is sealed."""
        segment, clock = self._closing.pop(result.segment_id)
        segment.disk.used += result.size
        self._tell([self._sealed(segment, result, clock)])

    def on_failed(self, result: Failed) -> None:
        """The disk refused: the segment ends where it was whole, and what was refused goes to another disk."""
        segment = self._segment if self._segment and self._segment.id == result.segment_id else None
        if segment is not None:
            self._segment = None
        else:
            segment = self._closing.pop(result.segment_id, (None, None))[0]
        if segment is not None and result.closed is not None:
            self._tell([self._sealed(segment, result.closed, self.camera_clock.reading())])
        elif segment is not None:
            self._tell([f.SegmentVanished(segment_id=segment.id)])
        for job in result.lost:
            self.pending_bytes -= job.size
            self._store(job.group, job.start_us, job.duration_us)

    # within

    def _store(self, group: Group, start_us: int, duration_us: int) -> None:
        segment = self._segment
        if segment is not None and group.starts_clean and start_us >= segment.due_us:
            self._end_segment()
            segment = None
        if segment is None:
            segment = self._begin_segment(start_us)
        if segment is None or self.pending_bytes > MAX_PENDING_BYTES:
            self._drop(group, start_us, self._no_disk if segment is None else GapReason.VOLUME_ABSENT)
            return
        self._tell(self.gaps.footage(start_us, start_us + duration_us))
        segment.sequence += 1
        buffers = fragment(
            segment.sequence, group, video_base=segment.video_base, audio_base=segment.audio_base, wall_us=start_us
        )
        segment.video_base += group.duration_ticks
        segment.audio_base += sum(group.audio.durations) if group.audio else 0
        size = sum(map(len, buffers))
        self.pending_bytes += size
        flags = (SYNC if group.starts_clean else 0) | (LOST if group.lost_packets else 0)
        self._pool.submit(
            self.stream.channel_id,
            AppendJob(
                segment_id=segment.id, volume_id=segment.disk.volume.id, group=group, buffers=buffers,
                size=size, start_us=start_us, duration_us=duration_us, flags=flags,
            ),
        )  # fmt: skip

    def _drop(self, group: Group, start_us: int, reason: GapReason) -> None:
        """No disk takes footage, or the disk does not keep up."""
        self.dropped_bytes += len(group.data)
        self._end_segment()
        self._tell(self.gaps.lost(start_us, reason, to_us(self._clock.now())))

    @property
    def _no_disk(self) -> GapReason:
        states = self._disk_states()
        return GapReason.VOLUME_FULL if VolumeState.FULL in states else GapReason.VOLUME_ABSENT

    def _begin_segment(self, start_us: int) -> _Segment | None:
        disk = self._pick_disk()
        if disk is None or self.tracks is None:
            return None
        start, segment_id = from_us(start_us), new_id()
        news: list[f.AnyFact] = []
        if self._recording_id is None:
            self._recording_id = new_id()
            news.append(
                f.RecordingBegun(
                    recording_id=self._recording_id, channel_id=self.stream.channel_id,
                    stream_id=self.stream.stream_id, node=self._node, at=start,
                )
            )  # fmt: skip
        path = f"{self.stream.channel_id}/{start:%Y-%m-%d}/{start:%H%M%S}-{segment_id}.mp4"
        segment = _Segment(
            id=segment_id, recording_id=self._recording_id, disk=disk, path=path, tracks=self.tracks, start_us=start_us,
            due_us=start_us + self._length_us,
        )  # fmt: skip
        self._segment = segment
        if self.on_segment is not None:
            self.on_segment(segment_id, self)
        video = self.tracks.video
        news.append(
            f.SegmentOpened(
                segment_id=segment_id, recording_id=self._recording_id, channel_id=self.stream.channel_id,
                volume_id=disk.volume.id, path=path, start_at=start, codec=video.codec_string(),
                width=video.width, height=video.height,
            )
        )  # fmt: skip
        self._tell(news)
        job = OpenJob(
            segment_id=segment_id, channel_id=self.stream.channel_id, recording_id=self._recording_id,
            volume_id=disk.volume.id, root=disk.root, path=disk.root / path, init=init_segment(self.tracks),
        )  # fmt: skip
        self._pool.submit(self.stream.channel_id, job)
        return segment

    def _end_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        self._closing[segment.id] = (segment, self.camera_clock.reading())
        self._pool.submit(self.stream.channel_id, CloseJob(segment_id=segment.id))

    def _sealed(self, segment: _Segment, closed: Closed, clock: ClockReading) -> f.SegmentSealed:
        video = segment.tracks.video
        return f.SegmentSealed(
            segment_id=segment.id,
            recording_id=segment.recording_id,
            channel_id=self.stream.channel_id,
            volume_id=segment.disk.volume.id,
            path=segment.path,
            start_at=from_us(closed.start_us),
            end_at=from_us(closed.end_us),
            size_bytes=closed.size,
            fragments=closed.fragments,
            root=closed.root,
            codec=video.codec_string(),
            width=video.width,
            height=video.height,
            clock_offset_us=clock.offset_us,
            clock_error_us=clock.error_us,
            clock_drift_ppm=clock.drift_ppm,
            clock_source=str(clock.source),
        )

    def _measured(self, reading: ClockReading, at_us: int) -> f.ClockMeasured:
        return f.ClockMeasured(
            channel_id=self.stream.channel_id,
            camera_id=self.stream.camera_id,
            at=from_us(at_us),
            offset_us=reading.offset_us,
            error_us=reading.error_us,
            drift_ppm=reading.drift_ppm,
            source=str(reading.source),
        )
