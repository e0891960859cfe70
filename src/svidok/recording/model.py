"""Recordings, segments, gaps and volumes as plain values.

A *recording* is unbroken footage of one channel. It is kept as *segments* of
about a minute, each a file that is never changed once it is sealed. Where a
channel should have footage and has none there is a *gap*, with its reason.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from svidok.base import Span
from svidok.ledger.entry import JSON, instant_text

SEGMENT_SEALED = "segment.sealed"
SEGMENT_REPAIRED = "segment.repaired"
GAP_OPENED = "gap.opened"
GAP_CLOSED = "gap.closed"
DISPOSAL_DECIDED = "disposal.decided"
DISPOSAL_DONE = "disposal.done"
DISPOSAL_WITHDRAWN = "disposal.withdrawn"


class SegmentState(StrEnum):
    """Where a segment is in its life."""

    OPEN = "open"
    SEALED = "sealed"
    DISPOSED = "disposed"


class GapReason(StrEnum):
    """Why there is no footage."""

    CAMERA_SILENT = "camera-silent"
    CAMERA_REFUSED = "camera-refused"
    CAMERA_GARBAGE = "camera-garbage"
    STREAM_STALLED = "stream-stalled"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    RECORDER_STOPPED = "recorder-stopped"
    RECORDER_CRASHED = "recorder-crashed"
    VOLUME_FULL = "volume-full"
    VOLUME_ABSENT = "volume-absent"
    DISABLED = "disabled"
    CLOCK_STEP = "clock-step"
    DISPOSED = "disposed"
    UNKNOWN = "unknown"


class VolumeState(StrEnum):
    """Whether a volume takes footage."""

    READY = "ready"
    FULL = "full"
    ABSENT = "absent"
    RETIRED = "retired"
    DROPPED = "dropped"


class ClockSource(StrEnum):
    """What the offset of a camera's clock was learnt from."""

    SENDER_REPORTS = "rtcp"
    DOCK = "dock"  # of a worn camera, read when it docked
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """How far the camera's clock was from ours: positive where the camera runs ahead. `error_us` is half the spread."""

    offset_us: int
    error_us: int
    drift_ppm: int
    source: ClockSource

    def told(self) -> dict[str, JSON]:
        """As the ledger states it."""
        return {
            "drift_ppm": self.drift_ppm,
            "error_us": self.error_us,
            "offset_us": self.offset_us,
            "source": str(self.source),
        }


NO_CLOCK = ClockReading(offset_us=0, error_us=0, drift_ppm=0, source=ClockSource.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A segment as the database knows it. `path` is relative to the volume; sizes in bytes; `root` of its leaves."""

    id: UUID
    recording_id: UUID
    channel_id: UUID
    volume_id: UUID
    path: str
    start_at: datetime
    end_at: datetime
    size_bytes: int
    fragments: int
    root: bytes | None
    codec: str
    width: int
    height: int
    clock: ClockReading
    state: SegmentState

    @property
    def span(self) -> Span:
        """The time it covers."""
        return Span(self.start_at, self.end_at)

    def seal_payload(self) -> dict[str, JSON]:
        """What is stated in the ledger when it is sealed. `leaves` counts the init segment as leaf 0."""
        return {
            "channel": str(self.channel_id),
            "clock": self.clock.told(),
            "codec": self.codec,
            "end": instant_text(self.end_at),
            "leaves": self.fragments + 1,
            "root": (self.root or b"").hex(),
            "segment": str(self.id),
            "size_bytes": self.size_bytes,
            "start": instant_text(self.start_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Time without footage; `end_at` is missing while it lasts. `detail` is for people, never a secret."""

    id: UUID
    channel_id: UUID
    start_at: datetime
    end_at: datetime | None
    reason: GapReason
    detail: str

    def payload(self) -> dict[str, JSON]:
        """What is stated in the ledger."""
        return {
            "channel": str(self.channel_id),
            "end": instant_text(self.end_at) if self.end_at else None,
            "reason": str(self.reason),
            "start": instant_text(self.start_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A folder on a disk of `node`. `quota_bytes` is what footage may take, or nothing for all but the floor."""

    id: UUID
    node: str
    path: str
    quota_bytes: int | None
    state: VolumeState
