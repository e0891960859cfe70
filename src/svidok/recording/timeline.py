"""What a channel has of a span: footage, gaps with their reasons, and how its clock was.

Nothing here opens a media file. Time between footage that no gap explains is
told as a gap of its own, with the reason `unknown`: a hole in our own books
must be as visible as a broken camera.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from svidok.base import BadInput, Span
from svidok.db import Transaction
from svidok.recording.model import Gap, GapReason
from svidok.recording.reach import HERE, Reach
from svidok.recording.reading import (
    ClockPoint,
    RecordedSpan,
    clocks_between,
    gaps_between,
    live_end,
    recorded_islands,
    segments_between,
)

LONGEST = timedelta(days=366)
TOLERANCE = timedelta(seconds=2)  # below this, footage counts as unbroken


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Footage and gaps, each cut to the span that was asked for; the clock's readings."""

    span: Span
    recorded: tuple[RecordedSpan, ...]
    gaps: tuple[Gap, ...]
    clocks: tuple[ClockPoint, ...]


def asked_span(start: datetime, end: datetime, *, longest: timedelta) -> Span:
    """The span from `start` to `end`. Raises `BadInput` where it runs backwards, is too long, or names no zone."""
    if start.tzinfo is None or end.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    if end <= start:
        raise BadInput("span-backwards", "The end must lie after the beginning.")
    if end - start > longest:
        raise BadInput("span-too-long", "Ask for a shorter span.", longest_s=int(longest.total_seconds()))
    return Span(start, end)


def timeline(tx: Transaction, channel_id: UUID, span: Span, *, reach: Reach = HERE) -> Timeline:
    """What the channel has of `span`."""
    islands = recorded_islands(tx, channel_id, span)
    if any(island.growing for island in islands):
        islands = [_grown(tx, channel_id, island, reach) for island in islands]
    recorded = [cut for island in islands if (cut := _cut_recorded(island, span)) is not None]
    gaps = [_cut_gap(gap, span) for gap in gaps_between(tx, channel_id, span)]
    gaps += unexplained(channel_id, [one.span for one in recorded], gaps)
    return Timeline(
        span=span,
        recorded=tuple(recorded),
        gaps=tuple(sorted(gaps, key=lambda gap: gap.start_at)),
        clocks=tuple(clocks_between(tx, channel_id, span)),
    )


def unexplained(channel_id: UUID, recorded: list[Span], gaps: list[Gap]) -> list[Gap]:
    """Time between what is known that is neither footage nor gap, as gaps of reason `unknown`. Pure.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> minutes = [Span(noon + timedelta(minutes=n), noon + timedelta(minutes=n + 1)) for n in (0, 1, 5)]
    >>> [(g.start_at.minute, g.end_at.minute, g.reason.value) for g in unexplained(UUID(int=1), minutes, [])]
    [(2, 5, 'unknown')]
    """
    known = sorted(
        [(one.start, one.end) for one in recorded] + [(gap.start_at, gap.end_at) for gap in gaps if gap.end_at]
    )
    lasting = min((gap.start_at for gap in gaps if gap.end_at is None), default=None)
    if lasting is not None:
        known.append((lasting, lasting))
    holes: list[Gap] = []
    reached: datetime | None = None
    for start, end in known:
        if reached is not None and start - reached > TOLERANCE:
            holes.append(
                Gap(
                    id=uuid5(channel_id, start.isoformat()), channel_id=channel_id, start_at=reached, end_at=start,
                    reason=GapReason.UNKNOWN, detail="",
                )
            )  # fmt: skip
        reached = end if reached is None else max(reached, end)
    return holes


def _grown(tx: Transaction, channel_id: UUID, island: RecordedSpan, reach: Reach) -> RecordedSpan:
    """An island with a segment being written, as far as that has come."""
    if not island.growing:
        return island
    whole = Span(island.span.start, island.span.end + timedelta(microseconds=1))
    last = segments_between(tx, channel_id, whole, reach=reach)
    ends = [live_end(one) for one in last if one.segment.recording_id == island.recording_id]
    return RecordedSpan(
        recording_id=island.recording_id,
        span=Span(island.span.start, max([island.span.end, *ends])),
        growing=True,
    )


def _cut_recorded(one: RecordedSpan, span: Span) -> RecordedSpan | None:
    start, end = max(one.span.start, span.start), min(one.span.end, span.end)
    if end <= start:
        return None
    return RecordedSpan(recording_id=one.recording_id, span=Span(start, end), growing=one.growing)


def _cut_gap(gap: Gap, span: Span) -> Gap:
    """The part of a gap that lies in `span`; one that lasts keeps its open end."""
    end = gap.end_at if gap.end_at is None else min(gap.end_at, span.end)
    return Gap(
        id=gap.id, channel_id=gap.channel_id, start_at=max(gap.start_at, span.start), end_at=end, reason=gap.reason,
        detail=gap.detail,
    )  # fmt: skip
