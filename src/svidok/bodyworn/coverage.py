"""Decide what of a shift is covered, and why the rest is not. Pure: reads no clock and no disk.

Every hole of two seconds or more in the footage of a required span becomes a
gap. Its cause is the strongest thing that is known about it, strongest first:

1. No camera was issued.
2. What it recorded there arrived and waits to be read; or its end was torn off, it is still being sent, its upload
   broke off, or it did not arrive at all.
3. Its battery was empty.
4. It was switched off, or recording was stopped.
5. It has not docked since, so that footage may still be on it.
6. Nothing: the cause is unknown, which is the worst one.

A pause names no cause. It says that somebody claims a lawful reason, and the
gap stays where it is.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from svidok.base import Span
from svidok.bodyworn.model import (
    Announced,
    Coverage,
    CoverageGap,
    DeviceEvent,
    DeviceEventKind,
    GapCause,
    Issue,
    Mark,
    Pause,
    Stretch,
    cut,
    merged,
    without,
)

TOLERANCE = timedelta(seconds=2)  # a shorter hole is the seam between two clips

_STRENGTH = (
    GapCause.NO_CAMERA,
    GapCause.NOT_READ,
    GapCause.CUT_GOP,
    GapCause.UPLOADING,
    GapCause.UPLOAD_CUT,
    GapCause.CHUNK_MISSING,
    GapCause.BATTERY,
    GapCause.SWITCHED_OFF,
    GapCause.DOCK_LATE,
    GapCause.UNKNOWN,
)
_STOPS = {
    DeviceEventKind.POWER_OFF: GapCause.SWITCHED_OFF,
    DeviceEventKind.RECORD_STOP: GapCause.SWITCHED_OFF,
    DeviceEventKind.BATTERY_EMPTY: GapCause.BATTERY,
}
_STARTS = {DeviceEventKind.POWER_ON, DeviceEventKind.RECORD_START}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one shift's cameras. `missing`: what they announced and what did not arrive."""

    issues: Sequence[Issue] = ()
    stretches: Sequence[Stretch] = ()
    missing: Sequence[Announced] = ()
    events: Sequence[DeviceEvent] = ()
    marks: Sequence[Mark] = ()
    pauses: Sequence[Pause] = ()


@dataclass(frozen=True, slots=True)
class _Ground:
    """A stretch of time in which `cause` would explain a hole."""

    span: Span
    cause: GapCause
    detail: str = field(default="")


def coverage_of(required: Sequence[Span], evidence: Evidence, *, at: datetime) -> Coverage:
    """What of `required` is covered as far as is known at `at`; what lies after `at` is not asked for yet."""
    wanted = [Span(one.start, min(one.end, at)) for one in merged(required) if one.start < at]
    covered = merged(one.span for one in evidence.stretches)
    grounds = list(_grounds(wanted, evidence, at))
    gaps = [gap for hole in without(wanted, covered) if hole.duration >= TOLERANCE for gap in _explained(hole, grounds)]
    gaps += _impaired(wanted, evidence)
    return Coverage(
        required=tuple(wanted),
        stretches=tuple(sorted(_cut_stretches(wanted, evidence.stretches), key=lambda one: one.span)),
        gaps=tuple(sorted(_with_pauses(gaps, evidence.pauses), key=lambda gap: (gap.span, gap.cause))),
        pauses=tuple(sorted(evidence.pauses, key=lambda pause: pause.span)),
    )


def within(coverage: Coverage, span: Span) -> Coverage:
    """The part of `coverage` that lies in `span`: what a procedure has of a shift. Short rests of gaps stay."""
    return Coverage(
        required=tuple(part for one in coverage.required if (part := cut(one, span)) is not None),
        stretches=tuple(_cut_stretches([span], coverage.stretches)),
        gaps=tuple(
            CoverageGap(span=part, cause=gap.cause, detail=gap.detail, paused=gap.paused)
            for gap in coverage.gaps
            if (part := cut(gap.span, span)) is not None
        ),
        pauses=tuple(pause for pause in coverage.pauses if pause.span.touches(span)),
    )


def _cut_stretches(wanted: Sequence[Span], stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    for one in stretches:
        for span in wanted:
            part = cut(one.span, span)
            if part is not None:
                yield Stretch(span=part, channel_id=one.channel_id, clip_id=one.clip_id)


def _grounds(wanted: Sequence[Span], evidence: Evidence, at: datetime) -> Iterator[_Ground]:
    """Everything that could explain a hole."""
    held = [Span(issue.issued_at, max(issue.issued_at, issue.returned_at or at)) for issue in evidence.issues]
    for span in without(wanted, held):
        yield _Ground(span, GapCause.NO_CAMERA)
    for one in evidence.missing:
        yield _Ground(one.span, _cause_of(one), one.name)
    yield from _stopped(evidence, at)
    for issue in evidence.issues:
        if issue.docked_at is None:
            yield _Ground(Span(issue.issued_at, max(at, issue.issued_at)), GapCause.DOCK_LATE)


def _cause_of(one: Announced) -> GapCause:
    if one.unread:
        return GapCause.NOT_READ
    if one.torn:
        return GapCause.CUT_GOP
    if one.sending:
        return GapCause.UPLOADING
    return GapCause.UPLOAD_CUT if one.begun else GapCause.CHUNK_MISSING


def _stopped(evidence: Evidence, at: datetime) -> Iterator[_Ground]:
    """From each event that ends recording to the next that begins it, or to the next footage."""
    starts = sorted(
        [event.at for event in evidence.events if event.kind in _STARTS]
        + [one.span.start for one in evidence.stretches]
    )
    for event in evidence.events:
        cause = _STOPS.get(event.kind)
        if cause is not None:
            until = next((start for start in starts if start > event.at), max(at, event.at))
            yield _Ground(Span(event.at - TOLERANCE, until + TOLERANCE), cause, str(event.kind))


def _explained(hole: Span, grounds: Sequence[_Ground]) -> list[CoverageGap]:
    """`hole` cut where its explanation changes; a part too short to be a gap of its own goes to its neighbour."""
    near = [one for one in grounds if one.span.touches(hole)]
    edges = {hole.start, hole.end}
    for one in near:
        edges |= {edge for edge in (one.span.start, one.span.end) if hole.start < edge < hole.end}
    marks = sorted(edges)
    parts = [_strongest(Span(start, end), near) for start, end in itertools.pairwise(marks)]
    return _joined(parts)


def _strongest(part: Span, grounds: Sequence[_Ground]) -> CoverageGap:
    found = [one for one in grounds if one.span.touches(part)]
    best = min(found, key=lambda one: _STRENGTH.index(one.cause), default=None)
    if best is None:
        return CoverageGap(span=part, cause=GapCause.UNKNOWN)
    return CoverageGap(span=part, cause=best.cause, detail=best.detail)


def _joined(parts: list[CoverageGap]) -> list[CoverageGap]:
    """Neighbours of one cause as one gap, and crumbs given to the longer neighbour."""
    done = _same_cause(parts)
    while len(done) > 1:
        number = min(range(len(done)), key=lambda n: done[n].span.duration)
        if done[number].span.duration >= TOLERANCE:
            break
        sides = [n for n in (number - 1, number + 1) if 0 <= n < len(done)]
        keeper = max(sides, key=lambda n: done[n].span.duration)
        first, last = sorted((number, keeper))
        whole = Span(done[first].span.start, done[last].span.end)
        done[first : last + 1] = [CoverageGap(span=whole, cause=done[keeper].cause, detail=done[keeper].detail)]
        done = _same_cause(done)
    return done


def _same_cause(parts: Sequence[CoverageGap]) -> list[CoverageGap]:
    done: list[CoverageGap] = []
    for part in parts:
        if done and (done[-1].cause, done[-1].detail) == (part.cause, part.detail):
            done[-1] = CoverageGap(span=Span(done[-1].span.start, part.span.end), cause=part.cause, detail=part.detail)
        else:
            done.append(part)
    return done


def _impaired(wanted: Sequence[Span], evidence: Evidence) -> Iterator[CoverageGap]:
    """Footage that shows nothing, where two seconds or more of it lie together."""
    for cause in sorted({mark.cause for mark in evidence.marks}):
        for span in merged(mark.span for mark in evidence.marks if mark.cause == cause):
            for one in wanted:
                part = cut(span, one)
                if part is not None and part.duration >= TOLERANCE:
                    yield CoverageGap(span=part, cause=cause)


def _with_pauses(gaps: Sequence[CoverageGap], pauses: Sequence[Pause]) -> Iterator[CoverageGap]:
    """Each gap cut where a pause begins or ends, so that no second is called paused that was not declared."""
    for gap in gaps:
        edges = {gap.span.start, gap.span.end}
        for pause in pauses:
            edges |= {edge for edge in (pause.span.start, pause.span.end) if gap.span.contains(edge)}
        marks = sorted(edges)
        for start, end in itertools.pairwise(marks):
            part = Span(start, end)
            kind = next((pause.kind for pause in pauses if pause.span.touches(part)), None)
            yield CoverageGap(span=part, cause=gap.cause, detail=gap.detail, paused=kind)
