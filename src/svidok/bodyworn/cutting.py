"""Cut a clip into sealed segments of its camera's channel, by the product's own writer.

The clip stays as it was sent. What is cut from it is played, exported, sealed
and disposed of as any footage is. Cutting the same clip twice gives the same
segments, byte for byte and with the same ids, so that dying in the middle
costs nothing but doing it again.

Within a channel footage never overlaps: groups of pictures that the channel
has already (another clip's pre-buffer, for instance) are left out.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

from svidok.base import Span, Unavailable, from_us, to_us
from svidok.base.disk import sync_folder
from svidok.bodyworn.model import merged
from svidok.bodyworn.vault import make_folders
from svidok.media.clips import ClipFile, ClipGroup
from svidok.media.fmp4 import fragment, init_segment
from svidok.media.model import Tracks
from svidok.recording import facts as f
from svidok.recording.idx import SYNC, index_path
from svidok.recording.model import ClockSource
from svidok.recording.volumes import Disk
from svidok.recording.writer import AppendJob, Closed, CloseJob, Failed, OpenJob, WriterPool

_SEGMENT_US = 60_000_000
_MOST_PENDING = 32 * 1024 * 1024
_SEAM_US = 500_000  # groups may be this far apart and still be one stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What came of a clip: facts for the recording, and the spans that can be played."""

    news: tuple[f.AnyFact, ...]
    stretches: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to: the channel, the disk, what the channel has already, and how far ahead the camera's clock ran."""

    channel_id: UUID
    node: str
    disk: Disk
    taken: tuple[Span, ...]
    clock_offset_us: int = 0


def cut_clip(path: Path, clip_id: UUID, start_at: datetime, target: Target) -> Cut:
    """Cut the clip at `path`, whose first picture was taken at `start_at`.

    Raises `BadInput` where nothing in it can be played, `Unavailable` where the disk refuses.
    """
    clip = ClipFile(path)
    try:
        return _Cutter(clip_id, target, clip.tracks).run(_placed(clip.groups(), to_us(start_at)))
    finally:
        clip.close()


def segment_ids(clip_id: UUID, count: int = 2000) -> list[UUID]:
    """The ids that segments cut from a clip may have."""
    return [uuid5(clip_id, str(number)) for number in range(count)]


def _placed(groups: Iterator[ClipGroup], start_us: int) -> Iterator[ClipGroup]:
    for one in groups:
        yield ClipGroup(group=one.group, start_us=start_us + one.start_us, duration_us=one.duration_us)


class _Cutter:
    """One clip on its way into segments."""

    def __init__(self, clip_id: UUID, target: Target, tracks: Tracks) -> None:
        self._clip_id, self._target, self._tracks = clip_id, target, tracks
        self._pool = WriterPool(threads=1)
        self._recording_id = uuid5(clip_id, "recording")
        self._paths: dict[UUID, tuple[str, Path]] = {}
        self._open: UUID | None = None
        self._due_us = self._end_us = self._video_base = self._audio_base = self._sequence = 0
        self._spans: list[tuple[int, int]] = []
        self._closed: list[Closed] = []
        self._pending = 0

    def run(self, groups: Iterator[ClipGroup]) -> Cut:
        taken = [(to_us(span.start), to_us(span.end)) for span in self._target.taken]
        try:
            for one in groups:
                self._seen(one)
                if not any(start < one.start_us + one.duration_us and one.start_us < end for start, end in taken):
                    self._add(one)
            self._close()
        finally:
            self._pool.stop()
        return Cut(news=tuple(self._news()), stretches=tuple(self._stretches()))

    def _seen(self, one: ClipGroup) -> None:
        end_us = one.start_us + one.duration_us
        if self._spans and one.start_us - self._spans[-1][1] <= _SEAM_US:
            self._spans[-1] = (self._spans[-1][0], max(end_us, self._spans[-1][1]))
        else:
            self._spans.append((one.start_us, end_us))

    def _add(self, one: ClipGroup) -> None:
        apart = one.start_us - self._end_us > _SEAM_US
        due = one.start_us >= self._due_us and one.group.starts_clean
        if self._open is None or apart or due:
            self._close()
            self._begin(one.start_us)
        self._sequence += 1
        buffers = fragment(
            self._sequence, one.group, video_base=self._video_base, audio_base=self._audio_base, wall_us=one.start_us
        )
        self._video_base += one.group.duration_ticks
        self._audio_base += sum(one.group.audio.durations) if one.group.audio else 0
        self._end_us = one.start_us + one.duration_us
        self._submit(
            AppendJob(
                segment_id=self._segment, volume_id=self._target.disk.volume.id, group=one.group, buffers=buffers,
                size=sum(map(len, buffers)), start_us=one.start_us, duration_us=one.duration_us,
                flags=SYNC if one.group.starts_clean else 0, sync=False,
            )
        )  # fmt: skip

    @property
    def _segment(self) -> UUID:
        if self._open is None:
            raise RuntimeError("no segment is open")
        return self._open

    def _begin(self, start_us: int) -> None:
        segment_id = uuid5(self._clip_id, str(len(self._paths)))
        start, root = from_us(start_us), self._target.disk.root
        name = f"{self._target.channel_id}/{start:%Y-%m-%d}/{start:%H%M%S}-{segment_id}.mp4"
        path = root / name
        make_folders(root, path.parent)
        part = path.with_suffix(".part")  # a recorder that starts meanwhile mends only what is named .mp4
        for stale in (part, index_path(part), index_path(path)):
            stale.unlink(missing_ok=True)
        self._paths[segment_id] = (name, path)
        self._open, self._due_us = segment_id, start_us + _SEGMENT_US
        self._video_base = self._audio_base = self._sequence = 0
        self._submit(
            OpenJob(
                segment_id=segment_id, channel_id=self._target.channel_id, recording_id=self._recording_id,
                volume_id=self._target.disk.volume.id, root=root, path=part, init=init_segment(self._tracks),
            )
        )  # fmt: skip

    def _close(self) -> None:
        if self._open is not None:
            self._submit(CloseJob(segment_id=self._open))
            self._open = None

    def _submit(self, job: OpenJob | AppendJob | CloseJob) -> None:
        self._pool.submit(self._target.channel_id, job)
        if isinstance(job, AppendJob):
            self._pending += job.size
        while self._pending > _MOST_PENDING:  # a disk slower than the reader must not fill the memory
            self._take()
            time.sleep(0.002)

    def _take(self) -> None:
        """What the disk answered so far."""
        while self._pool.results:
            result = self._pool.results.popleft()
            if isinstance(result, Failed):
                raise Unavailable("volume-refused", f"The volume refused ({os.strerror(result.error.errno or 0)}).")
            if isinstance(result, Closed):
                self._closed.append(result)
            else:
                self._pending -= result.size

    def _news(self) -> Iterator[f.AnyFact]:
        self._take()
        closed = self._closed
        if not closed:
            return
        yield f.RecordingBegun(
            recording_id=self._recording_id, channel_id=self._target.channel_id,
            stream_id=uuid5(self._target.channel_id, "worn"), node=self._target.node, at=from_us(closed[0].start_us),
        )  # fmt: skip
        for one in closed:
            yield self._sealed(one)

    def _sealed(self, one: Closed) -> f.SegmentSealed:
        name, path = self._paths[one.segment_id]
        video = self._tracks.video
        path.with_suffix(".part").rename(path)
        sync_folder(path.parent)
        return f.SegmentSealed(
            segment_id=one.segment_id, recording_id=self._recording_id, channel_id=self._target.channel_id,
            volume_id=self._target.disk.volume.id, path=name, start_at=from_us(one.start_us),
            end_at=from_us(one.end_us), size_bytes=one.size, fragments=one.fragments, root=one.root,
            codec=video.codec_string(), width=video.width, height=video.height,
            clock_offset_us=self._target.clock_offset_us,
            clock_source=str(ClockSource.DOCK if self._target.clock_offset_us else ClockSource.NONE),
        )  # fmt: skip

    def _stretches(self) -> list[Span]:
        return merged(Span(from_us(start), from_us(end)) for start, end in self._spans)
