"""What a recorder has to tell the database. Small frozen values, so that they can wait in a file while it is away."""

from datetime import datetime
from uuid import UUID

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The root of all facts."""


class RecordingBegun(Fact, frozen=True, kw_only=True, tag=True):
    """Unbroken footage of a channel begins."""

    recording_id: UUID
    channel_id: UUID
    stream_id: UUID
    node: str
    at: datetime


class SegmentOpened(Fact, frozen=True, kw_only=True, tag=True):
    """A segment file was begun."""

    segment_id: UUID
    recording_id: UUID
    channel_id: UUID
    volume_id: UUID
    path: str
    start_at: datetime
    codec: str
    width: int
    height: int


class SegmentSealed(Fact, frozen=True, kw_only=True, tag=True):
    """A segment file is whole and will never change again. `repaired`: its end was cut off by a crash."""

    segment_id: UUID
    recording_id: UUID
    channel_id: UUID
    volume_id: UUID
    path: str
    start_at: datetime
    end_at: datetime
    size_bytes: int
    fragments: int
    root: bytes
    codec: str
    width: int
    height: int
    clock_offset_us: int = 0
    clock_error_us: int = 0
    clock_drift_ppm: int = 0
    clock_source: str = "none"
    repaired: bool = False


class SegmentVanished(Fact, frozen=True, kw_only=True, tag=True):
    """A segment was begun and never got a whole fragment; its file was put aside or never reached the disk."""

    segment_id: UUID


class GapOpened(Fact, frozen=True, kw_only=True, tag=True):
    """A channel has no footage from `at` on."""

    gap_id: UUID
    channel_id: UUID
    at: datetime
    reason: str
    detail: str = ""


class GapClosed(Fact, frozen=True, kw_only=True, tag=True):
    """Footage of the channel goes on at `at`."""

    channel_id: UUID
    at: datetime


class ClockMeasured(Fact, frozen=True, kw_only=True, tag=True):
    """How far a camera's clock is off."""

    channel_id: UUID
    camera_id: UUID
    at: datetime
    offset_us: int
    error_us: int
    drift_ppm: int
    source: str


class AlarmRaised(Fact, frozen=True, kw_only=True, tag=True):
    """Something a person must look at."""

    code: str
    subject: str
    at: datetime
    details: dict[str, str | int] = {}


class AlarmCleared(Fact, frozen=True, kw_only=True, tag=True):
    """It is over."""

    code: str
    subject: str
    at: datetime


class VolumeSeen(Fact, frozen=True, kw_only=True, tag=True):
    """How a volume fares."""

    volume_id: UUID
    node: str
    path: str
    quota_bytes: int | None
    used_bytes: int
    free_bytes: int
    state: str
    configured: bool = False  # whether the settings name it
    at: datetime


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a camera sends, and what it says where it does not."""

    camera_id: UUID
    ok: bool
    says: str = ""


class RecorderSeen(Fact, frozen=True, kw_only=True, tag=True):
    """How a recorder and its cameras fare. Only the latest matters; it never waits in a file."""

    node: str
    at: datetime
    channels: int
    recording: int
    bytes_per_s: int
    waiting: int
    beats: tuple[Beat, ...] = ()


AnyFact = (
    RecordingBegun
    | SegmentOpened
    | SegmentSealed
    | SegmentVanished
    | GapOpened
    | GapClosed
    | ClockMeasured
    | AlarmRaised
    | AlarmCleared
    | VolumeSeen
    | RecorderSeen
)
