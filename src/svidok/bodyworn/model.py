"""Shifts, issues, clips and coverage as plain values.

An *officer* is on *shift* for a span of time and is *issued* a worn camera for
it. What the camera recorded comes home as *clips*, each kept as it was sent;
what of a clip can be played is a *stretch*. Time of a shift that should have
footage and has none, or has footage that shows nothing, is a *coverage gap*
with its cause. A *pause* is time an officer may lawfully not record; it is
told beside the gaps and hides none of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from svidok.base import Span


class Service(StrEnum):
    """Whose officer it is; each has a policy pack of its own."""

    CUSTOMS = "customs"
    POLICE = "police"
    BORDER_GUARD = "border_guard"


class GapCause(StrEnum):
    """Why a stretch of a shift is not covered. The last four have footage that does not show what it should."""

    NO_CAMERA = "no-camera"
    SWITCHED_OFF = "switched-off"
    BATTERY = "battery"
    DOCK_LATE = "dock-late"  # what was recorded may still be on the camera
    CHUNK_MISSING = "chunk-missing"  # the camera says that it recorded, and it did not arrive
    UPLOAD_CUT = "upload-cut"  # it began to arrive, and broke off: the camera was pulled out, or the link went
    UPLOADING = "uploading"  # its dock is sending, and has not come to it yet
    NOT_READ = "not-read"  # it arrived and is kept, and nobody looked into it yet
    CUT_GOP = "cut-gop"  # the end of a clip was torn off
    UNKNOWN = "unknown"
    OBSTRUCTED = "obstructed"
    TOO_DARK = "too-dark"
    FROZEN = "frozen"
    SILENT_MICROPHONE = "silent-microphone"


SHOWS_NOTHING = frozenset({GapCause.OBSTRUCTED, GapCause.TOO_DARK, GapCause.FROZEN, GapCause.SILENT_MICROPHONE})
"""Causes of gaps that have footage."""


AWAITED = frozenset({GapCause.DOCK_LATE, GapCause.UPLOADING, GapCause.NOT_READ})
"""Causes that may yet turn out to be footage: it is on the camera, on its way, or it came and waits to be read."""


class PauseKind(StrEnum):
    """Why an officer may stop recording, where the policy pack of the service allows it."""

    PERSONAL_NEEDS = "personal-needs"
    STATE_SECRET = "state-secret"  # noqa: S105
    MILITARY_OBJECT = "military-object"


class ClipState(StrEnum):
    """Where a clip is on its way. None of these is `gone`: disposal is a row of its own."""

    KEPT = "kept"  # on disk, synced, hashed, in the ledger's queue: acknowledged
    COPIED = "copied"  # its hash was read back, and a second copy too: the camera may be wiped
    QUARANTINED = "quarantined"  # kept and copied likewise, but what is in it cannot be played


class DeviceEventKind(StrEnum):
    """What a worn camera tells besides its pictures."""

    POWER_ON = "power-on"
    POWER_OFF = "power-off"
    RECORD_START = "record-start"
    RECORD_STOP = "record-stop"
    BATTERY_LOW = "battery-low"
    BATTERY_EMPTY = "battery-empty"
    STORAGE_FULL = "storage-full"
    DOCKED = "docked"
    UNDOCKED = "undocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An officer's duty at a place, `required` is when footage must exist (customs control, for instance)."""

    id: UUID
    officer_id: UUID
    service: Service
    checkpoint: str
    span: Span
    required: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A camera in somebody's hands from `issued_at` until `returned_at`; `docked_at`: all it had was taken off."""

    id: UUID
    shift_id: UUID
    officer_id: UUID
    camera_id: UUID
    channel_id: UUID
    issued_at: datetime
    returned_at: datetime | None = None
    docked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Footage of a worn camera that can be played."""

    span: Span
    channel_id: UUID
    clip_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What a camera said it recorded and what cannot be played of it: a whole clip, or the end of one that was `torn`.

    `unread`: it came, and within minutes somebody will have looked what of it can be played. `sending`: its dock sent
    something of this camera a moment ago. `begun`: a part of it came, and no more.
    """

    span: Span
    name: str
    torn: bool = False
    unread: bool = False
    sending: bool = False
    begun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """What the camera told, at our time."""

    at: datetime
    kind: DeviceEventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Footage that shows nothing: `cause` is one of `SHOWS_NOTHING`."""

    span: Span
    cause: GapCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Time an officer says they may lawfully not record, typed, and stated in the ledger."""

    id: UUID
    span: Span
    kind: PauseKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """Time that is not covered, with its cause; `paused` where a pause was declared for all of it."""

    span: Span
    cause: GapCause
    detail: str = ""
    paused: PauseKind | None = None

    @property
    def has_footage(self) -> bool:
        """Whether there are pictures, which do not show what they should."""
        return self.cause in SHOWS_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What of `required` is covered. Stretches and gaps are cut to it, in the order of time."""

    required: tuple[Span, ...]
    stretches: tuple[Stretch, ...]
    gaps: tuple[CoverageGap, ...]
    pauses: tuple[Pause, ...]

    @property
    def required_time(self) -> timedelta:
        """How long footage must exist."""
        return sum((one.duration for one in self.required), timedelta())

    @property
    def covered_time(self) -> timedelta:
        """How long it does, to the microsecond; time in which two cameras ran counts once."""
        return sum((one.duration for one in merged([one.span for one in self.stretches])), timedelta())

    @property
    def missing_time(self) -> timedelta:
        """How long there is none, no pause says why, and none is awaited."""
        return self._gap_time(lambda gap: not gap.has_footage and gap.paused is None and gap.cause not in AWAITED)

    @property
    def awaited_time(self) -> timedelta:
        """How long footage may yet come."""
        return self._gap_time(lambda gap: gap.cause in AWAITED and gap.paused is None)

    @property
    def paused_time(self) -> timedelta:
        """How long there is none, in declared pauses."""
        return self._gap_time(lambda gap: not gap.has_footage and gap.paused is not None)

    @property
    def impaired_time(self) -> timedelta:
        """How long there is footage that does not show what it should."""
        spans = [gap.span for gap in self.gaps if gap.has_footage]
        return sum((one.duration for one in merged(spans)), timedelta())

    def _gap_time(self, wanted: Callable[[CoverageGap], bool]) -> timedelta:
        return sum((gap.span.duration for gap in self.gaps if wanted(gap)), timedelta())


CLOCK_TOLERANCE_MS = 2000  # below this, what a dock measures is the way to it, not the camera's clock


def set_right(instant: datetime, offset_ms: int | None) -> datetime:
    """An instant by the camera's clock, by ours: `offset_ms` is how far the camera ran ahead when it docked.

    >>> set_right(datetime(2026, 1, 1, 1), 3_600_000), set_right(datetime(2026, 1, 1, 1), 40)
    (datetime.datetime(2026, 1, 1, 0, 0), datetime.datetime(2026, 1, 1, 1, 0))
    """
    if offset_ms is None or abs(offset_ms) < CLOCK_TOLERANCE_MS:
        return instant
    return instant - timedelta(milliseconds=offset_ms)


def cut(span: Span, to: Span) -> Span | None:
    """The part of `span` that lies in `to`, or nothing."""
    start, end = max(span.start, to.start), min(span.end, to.end)
    return Span(start, end) if end > start else None


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order; neighbours that touch become one.

    >>> from svidok.base import from_us
    >>> seconds = lambda a, b: Span(from_us(a * 1_000_000), from_us(b * 1_000_000))
    >>> [s.duration.seconds for s in merged([seconds(5, 9), seconds(0, 3), seconds(3, 6), seconds(20, 21)])]
    [9, 1]
    """
    done: list[Span] = []
    for one in sorted(spans):
        if done and one.start <= done[-1].end:
            done[-1] = Span(done[-1].start, max(done[-1].end, one.end))
        elif one.end > one.start:
            done.append(one)
    return done


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans` when `taken` is taken out of it, in order.

    >>> from svidok.base import from_us
    >>> seconds = lambda a, b: Span(from_us(a * 1_000_000), from_us(b * 1_000_000))
    >>> [s.duration.seconds for s in without([seconds(0, 10)], [seconds(2, 3), seconds(8, 20)])]
    [2, 5]
    """
    left: list[Span] = []
    blocks = merged(taken)
    for span in merged(spans):
        at = span.start
        for block in blocks:
            if block.end <= at or block.start >= span.end:
                continue
            if block.start > at:
                left.append(Span(at, block.start))
            at = max(at, block.end)
        if at < span.end:
            left.append(Span(at, span.end))
    return left
