"""Decide what evidence a procedure has, what it lacks, why, and since when. Pure: reads no clock and no disk.

Each requirement is decided by itself, with its grounds:

- A **body camera** of every officer present must cover the procedure from its start to its end.
- Each **lane camera** must too.
- The **plate** must have been read on the way in and on the way out, where the checkpoint reads plates.
- A **scan** must exist where one was due.

What may still come (a camera that has not been docked, footage that is being
written) is *awaited* until its time is over, and *missing* from then on. A
hole shorter than two seconds is the seam between two files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.model import AWAITED, GapCause, merged, without
from svidok.customs.model import VEHICLES, Procedure

TOLERANCE = timedelta(seconds=2)
LANE_WITHIN = timedelta(minutes=5)  # by then a recorder has entered what it wrote
READ_WITHIN = timedelta(minutes=30)
SCAN_WITHIN = timedelta(hours=1)
_BEFORE = timedelta(minutes=30)
_MAY_COME = frozenset({*map(str, AWAITED), str(GapCause.UNKNOWN)})


class Requirement(StrEnum):
    """What a procedure should have."""

    BODY_CAMERA = "body-camera"
    LANE_CAMERA = "lane-camera"
    PLATE_IN = "plate-in"
    PLATE_OUT = "plate-out"
    SCAN = "scan"


class Verdict(StrEnum):
    """What was found of one requirement."""

    PRESENT = "present"
    MISSING = "missing"
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Time without footage, as whoever keeps the footage explains it."""

    span: Span
    cause: str
    detail: str = ""
    footage: bool = False  # there are pictures, which show nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """What one camera has, and why it has no more."""

    covered: tuple[Span, ...]
    holes: tuple[Hole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the checkpoint promises."""

    body_due: bool
    plates_due: bool
    upload_within: timedelta
    lane_channels: tuple[UUID, ...]
    scan_within: timedelta = SCAN_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known. `worn` by badge: an officer who is not in it was on no shift that we know of."""

    worn: Mapping[str, Footage]
    lane: Mapping[UUID, Footage]
    reads: Sequence[datetime]
    scans: int
    scans_aside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One requirement decided. `since` is from when the evidence should have been here."""

    requirement: Requirement
    subject: str
    verdict: Verdict
    cause: str = ""
    missing: timedelta = timedelta()
    since: datetime
    grounds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """All requirements decided."""

    findings: tuple[Finding, ...]

    @property
    def lacking(self) -> tuple[Finding, ...]:
        """What is missing."""
        return tuple(one for one in self.findings if one.verdict == Verdict.MISSING)

    @property
    def awaited_until(self) -> datetime | None:
        """Until when something may still come."""
        return max((one.since for one in self.findings if one.verdict == Verdict.AWAITED), default=None)


def check(procedure: Procedure, rules: Rules, evidence: Evidence, *, at: datetime) -> Completeness:
    """What `procedure`, which has ended, has and lacks as far as is known at `at`."""
    span = procedure.span
    if span is None:
        return Completeness(findings=())
    findings: list[Finding] = []
    if rules.body_due:
        for badge in procedure.told.officers:
            findings.append(_worn(badge, span, evidence.worn.get(badge), rules, at))
    for channel in sorted(rules.lane_channels, key=str):
        footage = evidence.lane.get(channel, Footage(covered=()))
        findings.append(
            _footage(Requirement.LANE_CAMERA, str(channel), span, footage, due=span.end + LANE_WITHIN, at=at)
        )
    if rules.plates_due and procedure.told.kind in VEHICLES and procedure.told.plate:
        findings += _plates(procedure, span, evidence.reads, at)
    if procedure.told.scan_due:
        findings.append(_scan(span, evidence, rules, at))
    return Completeness(findings=tuple(findings))


def _worn(badge: str, span: Span, footage: Footage | None, rules: Rules, at: datetime) -> Finding:
    due = span.end + rules.upload_within
    if footage is None:
        return Finding(
            requirement=Requirement.BODY_CAMERA, subject=badge, cause="no-shift", missing=span.duration, since=due,
            verdict=Verdict.AWAITED if at < due else Verdict.MISSING, grounds="no shift of this officer is known",
        )  # fmt: skip
    found = _footage(Requirement.BODY_CAMERA, badge, span, footage, due=due, at=at)
    if found.verdict == Verdict.AWAITED and found.cause not in _MAY_COME:
        # The camera is back and says why: there is nothing left to wait for.
        return Finding(
            requirement=found.requirement, subject=badge, verdict=Verdict.MISSING, cause=found.cause,
            missing=found.missing, since=span.end, grounds=found.grounds,
        )  # fmt: skip
    return found


def _footage(
    requirement: Requirement, subject: str, span: Span, footage: Footage, *, due: datetime, at: datetime
) -> Finding:
    """Footage of all of `span`, or how much is missing and the cause of most of it."""
    holes = [hole for hole in without([span], merged(footage.covered)) if hole.duration >= TOLERANCE]
    blind = [one for one in footage.holes if one.footage and one.span.touches(span)]
    dark = sum((_shared(one.span, span) for one in blind), timedelta())
    missing = sum((hole.duration for hole in holes), timedelta()) + dark
    if missing < TOLERANCE:
        return Finding(
            requirement=requirement, subject=subject, verdict=Verdict.PRESENT, since=due,
            grounds=f"footage of all {span.duration.total_seconds():.0f} s",
        )  # fmt: skip
    causes: dict[str, timedelta] = {}
    for hole in holes:
        told = [(one.cause, _shared(one.span, hole)) for one in footage.holes if one.span.touches(hole)]
        for cause, share in told or [("unknown", hole.duration)]:
            causes[cause] = causes.get(cause, timedelta()) + share
    for one in blind:
        causes[one.cause] = causes.get(one.cause, timedelta()) + _shared(one.span, span)
    cause = max(causes, key=lambda name: causes[name])
    parts = ", ".join(f"{name} {share.total_seconds():.0f} s" for name, share in sorted(causes.items()))
    return Finding(
        requirement=requirement, subject=subject, cause=cause, missing=missing, since=due,
        verdict=Verdict.AWAITED if at < due else Verdict.MISSING,
        grounds=f"{missing.total_seconds():.0f} of {span.duration.total_seconds():.0f} s are missing: {parts}",
    )  # fmt: skip


def _plates(procedure: Procedure, span: Span, reads: Sequence[datetime], at: datetime) -> list[Finding]:
    """One read before the middle of the procedure, and another after it."""
    middle = span.start + span.duration / 2
    begin = (procedure.told.queued_at or span.start) - _BEFORE
    ways = (
        (Requirement.PLATE_IN, [one for one in reads if begin <= one < middle], middle),
        (Requirement.PLATE_OUT, [one for one in reads if middle <= one < span.end + READ_WITHIN], span.end),
    )
    found = []
    for requirement, seen, moment in ways:
        due = moment + READ_WITHIN
        if seen:
            found.append(
                Finding(requirement=requirement, subject="", verdict=Verdict.PRESENT, since=due,
                        grounds=f"read {len(seen)} times, first at {min(seen).isoformat()}")
            )  # fmt: skip
            continue
        found.append(
            Finding(requirement=requirement, subject="", verdict=Verdict.AWAITED if at < due else Verdict.MISSING,
                    cause="no-read", since=due, grounds=f"no read of {procedure.told.plate} at this checkpoint")
        )  # fmt: skip
    return found


def _scan(span: Span, evidence: Evidence, rules: Rules, at: datetime) -> Finding:
    due = span.end + rules.scan_within
    if evidence.scans:
        return Finding(requirement=Requirement.SCAN, subject="", verdict=Verdict.PRESENT, since=due,
                       grounds=f"{evidence.scans} kept")  # fmt: skip
    return Finding(
        requirement=Requirement.SCAN, subject="", verdict=Verdict.AWAITED if at < due else Verdict.MISSING, since=due,
        cause="scan-aside" if evidence.scans_aside else "no-scan",
        grounds=f"{evidence.scans_aside} came and cannot be read" if evidence.scans_aside else "none came",
    )  # fmt: skip


def _shared(one: Span, other: Span) -> timedelta:
    return max(timedelta(), min(one.end, other.end) - max(one.start, other.start))
