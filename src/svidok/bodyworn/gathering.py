"""Gather what is known of shifts, for `coverage_of`: issues, footage, what was announced, events, marks, pauses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.coverage import Evidence, coverage_of
from svidok.bodyworn.issuing import pause_of, shift_of
from svidok.bodyworn.model import (
    Announced,
    Coverage,
    DeviceEvent,
    DeviceEventKind,
    GapCause,
    Issue,
    Mark,
    Pause,
    Shift,
    Stretch,
    cut,
    without,
)
from svidok.db import Queries, Row, Transaction

SQL = Queries.of("svidok.bodyworn")
_MARGIN = timedelta(hours=1)
_CRUMB = timedelta(milliseconds=500)
_QUIET = timedelta(minutes=3)  # a dock that sent nothing of a camera for so long is not sending any more


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredShift:
    """A shift with what of it is covered. `badge` and `name` are the officer's."""

    shift: Shift
    badge: str
    name: str
    issues: tuple[Issue, ...]
    cameras: tuple[str, ...]
    coverage: Coverage


def covered_shifts(
    tx: Transaction, span: Span, *, at: datetime, checkpoint: str | None = None, officer_id: UUID | None = None
) -> list[CoveredShift]:
    """Every shift that touches `span`, with its coverage as it is known at `at`."""
    rows = tx.all(
        SQL["shifts_between"], start_at=span.start, end_at=span.end, checkpoint=checkpoint, officer_id=officer_id
    )
    return _covered(tx, rows, at)


def covered_shift(tx: Transaction, shift_id: UUID, *, at: datetime) -> CoveredShift:
    """One shift with its coverage; `NotFound` where there is none."""
    return _covered(tx, [tx.one(SQL["shift_by_id"], id=shift_id)], at)[0]


def is_sending(last_sent_at: datetime | None, at: datetime) -> bool:
    """Whether a dock is still sending what a camera has, as far as its latest sign of life tells."""
    return last_sent_at is not None and at - last_sent_at < _QUIET


def issues_between(tx: Transaction, officer_ids: Sequence[UUID], span: Span, *, at: datetime) -> list[Issue]:
    """The cameras that officers had in `span`: what a procedure shows beside its lane."""
    found = []
    for officer_id in officer_ids:
        for one in covered_shifts(tx, span, at=at, officer_id=officer_id):
            found += [issue for issue in one.issues if span.touches(_held(issue, at))]
    return found


def _covered(tx: Transaction, rows: list[Row], at: datetime) -> list[CoveredShift]:
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    duties = tx.all(SQL["duties_of"], shifts=ids)
    issues = tx.all(SQL["issues_of"], shifts=ids)
    pauses = tx.all(SQL["pauses_of"], shifts=ids)
    known = _Known.read(tx, issues, Span(min(r["start_at"] for r in rows), max(r["end_at"] for r in rows)))
    return [_one(row, duties, issues, pauses, known, at) for row in rows]


def _one(
    row: Row, duties: list[Row], issues: list[Row], pauses: list[Row], known: "_Known", at: datetime
) -> CoveredShift:
    shift = shift_of(row, duties)
    own = [one for one in issues if one["shift_id"] == shift.id]
    held = tuple(_issue(one) for one in own)
    evidence = known.of(held, [pause_of(one) for one in pauses if one["shift_id"] == shift.id], at)
    return CoveredShift(
        shift=shift, badge=row["badge"], name=row["name"], issues=held, cameras=tuple(one["number"] for one in own),
        coverage=coverage_of(shift.required, evidence, at=at),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Rows of several cameras, read at once."""

    stretches: list[Row]
    marks: list[Row]
    announced: list[Row]
    arrived: list[Row]
    events: list[Row]
    sent: dict[UUID, Row]

    @classmethod
    def read(cls, tx: Transaction, issues: list[Row], span: Span) -> "_Known":
        bounds = {"start_at": span.start - _MARGIN, "end_at": span.end + _MARGIN}
        channels = [one["channel_id"] for one in issues]
        cameras = [one["camera_id"] for one in issues]
        return cls(
            stretches=tx.all(SQL["stretches_between"], channels=channels, **bounds),
            marks=tx.all(SQL["marks_between"], channels=channels, **bounds),
            announced=tx.all(SQL["announced_between"], cameras=cameras, **bounds),
            arrived=tx.all(SQL["arrived_between"], cameras=cameras, **bounds),
            events=tx.all(SQL["events_between"], cameras=cameras, **bounds),
            sent={row["camera_id"]: row for row in tx.all(SQL["sent_of"], cameras=cameras)},
        )

    def of(self, issues: Sequence[Issue], pauses: Sequence[Pause], at: datetime) -> Evidence:
        """What of it belongs to the time in which these issues lasted."""
        stretches: list[Stretch] = []
        missing: list[Announced] = []
        events: list[DeviceEvent] = []
        marks: list[Mark] = []
        for issue in issues:
            held = _held(issue, at)
            own = [_stretch(row) for row in self.stretches if row["channel_id"] == issue.channel_id]
            stretches += [
                Stretch(span=part, channel_id=one.channel_id, clip_id=one.clip_id)
                for one in own
                if (part := cut(one.span, held)) is not None
            ]
            missing += self._missing(issue, [one.span for one in own], at)
            events += [
                DeviceEvent(at=row["at"], kind=DeviceEventKind(row["kind"]))
                for row in self.events
                if row["camera_id"] == issue.camera_id and held.contains(row["at"])
            ]
            marks += [
                Mark(span=part, cause=GapCause(row["cause"]))
                for row in self.marks
                if row["channel_id"] == issue.channel_id
                and (part := cut(Span(row["start_at"], row["end_at"]), held)) is not None
            ]
        return Evidence(issues=issues, stretches=stretches, missing=missing, events=events, marks=marks, pauses=pauses)

    def _missing(self, issue: Issue, have: list[Span], at: datetime) -> Iterator[Announced]:
        """What the camera announced, and what clips that came claim, without what can be played of it."""
        said = [row for row in (*self.announced, *self.arrived) if row["camera_id"] == issue.camera_id]
        own = [row for row in self.arrived if row["camera_id"] == issue.camera_id]
        came = {row["name"] for row in own}
        unread = {row["name"] for row in own if row["read_at"] is None and row["state"] != "quarantined"}
        sent = self.sent[issue.camera_id]
        sending = is_sending(sent["last_at"], at)
        for row in said:
            for span in without([Span(row["start_at"], row["end_at"])], have):
                if span.duration >= _CRUMB:
                    name: str = row["name"]
                    yield Announced(
                        span=span, name=name, torn=name in came, unread=name in unread, sending=sending,
                        begun=name in sent["begun"],
                    )  # fmt: skip


def _issue(row: Row) -> Issue:
    return Issue(
        id=row["id"], shift_id=row["shift_id"], officer_id=row["officer_id"], camera_id=row["camera_id"],
        channel_id=row["channel_id"], issued_at=row["issued_at"], returned_at=row["returned_at"],
        docked_at=row["docked_at"],
    )  # fmt: skip


def _held(issue: Issue, at: datetime) -> Span:
    return Span(issue.issued_at, max(issue.issued_at, issue.returned_at or at))


def _stretch(row: Row) -> Stretch:
    return Stretch(span=Span(row["start_at"], row["end_at"]), channel_id=row["channel_id"], clip_id=row["clip_id"])


def checkpoints(shifts: Iterable[CoveredShift]) -> list[str]:
    """The checkpoints of shifts, by name."""
    return sorted({one.shift.checkpoint for one in shifts})
