"""A complaint: what it is about is found and held at once, shown honestly, and decided with grounds.

Holds are placed in the same transaction that opens the complaint, on the lane
cameras and on the worn cameras of everybody present, so that no rule can reach
the footage between the two. Whoever is complained of (where nobody is named:
every officer present) knows that the complaint exists, and the policies refuse
them its footage, its text and its decision for as long as the holds stand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound, Span, new_id
from svidok.customs import procedures
from svidok.customs.checkpoints import SQL
from svidok.customs.evidence import worn_by
from svidok.customs.model import Procedure, normal_plate
from svidok.db import Row, Transaction
from svidok.governance import keeping
from svidok.ledger import enter

OPENED, DECIDED = "complaint.opened", "complaint.decided"
DECISIONS = ("upheld", "upheld-in-part", "not-upheld", "cannot-tell")
LONGEST = timedelta(days=31)
_MARGIN = timedelta(minutes=5)
_MOST_PROCEDURES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintIn:
    """What somebody complains of. `against` are badge numbers, where the person can name any."""

    by_whom: str
    text: str
    contact: str
    checkpoint_id: UUID
    span: Span
    plate: str | None = None
    declaration: str | None = None
    against: tuple[str, ...] = ()


def open_complaint(tx: Transaction, *, actor: Actor, told: ComplaintIn, at: datetime) -> UUID:
    """Write a complaint down, find what it is about, and hold it; its id."""
    require(actor, "open_complaint")
    _refuse_form(told, at)
    found = _find(tx, told)
    badges = sorted({badge for one in found for badge in one.told.officers})
    against = _accounts(tx, told.against or badges, named=bool(told.against))
    complaint_id = new_id()
    entry_id = enter(
        tx, kind=OPENED, subject=complaint_id, at=at,
        payload={"by_whom": told.by_whom, "procedures": [str(one.id) for one in found], "against": len(against)},
    )  # fmt: skip
    tx.run(
        SQL["add_complaint"], id=complaint_id, by_whom=told.by_whom, text=told.text.strip(),
        contact=told.contact.strip(), checkpoint_id=told.checkpoint_id, start=told.span.start, end=told.span.end,
        plate=normal_plate(told.plate) if told.plate else None, declaration=told.declaration or None, against=against,
        opened_by=actor.id, at=at, entry_id=entry_id,
    )  # fmt: skip
    how = "plate" if told.plate else "declaration" if told.declaration else "place and time"
    tx.run_many(
        SQL["add_complaint_procedure"],
        [{"complaint_id": complaint_id, "procedure_id": one.id, "found_by": how} for one in found],
    )
    _hold(tx, actor, complaint_id, told, found, at)
    audit.record(
        tx, actor=actor, action="open_complaint", at=at, to_whom="",
        what={"complaint": str(complaint_id), "procedures": len(found)},
    )  # fmt: skip
    return complaint_id


def _refuse_form(told: ComplaintIn, at: datetime) -> None:
    if told.by_whom not in ("traveller", "officer"):
        raise BadInput("complaint-by-whom", "Say who complains: traveller or officer.")
    if len(told.text.strip()) < 10:
        raise BadInput("complaint-text", "Write down in a sentence what is complained of.")
    if told.span.start > at or not timedelta() < told.span.duration <= LONGEST:
        raise BadInput("complaint-span", "Give when it happened: a stretch of at most 31 days that has begun.")


def _find(tx: Transaction, told: ComplaintIn) -> list[Procedure]:
    """The procedures that fit; by plate or declaration where one is given, else all of the place and time."""
    asked = procedures.Asked(
        start=told.span.start - timedelta(hours=12), end=told.span.end, checkpoint_id=told.checkpoint_id,
        plate=told.plate, declaration=told.declaration,
    )  # fmt: skip
    rows, more = procedures.find(tx, asked, limit=_MOST_PROCEDURES)
    found = [procedures.procedure_of(procedures.one(tx, row["id"])) for row in rows]
    fit = [one for one in found if _reached(one, told.span)]
    if more is not None and len(fit) == len(rows):
        raise BadInput("complaint-too-wide", "More than 200 procedures fit. Narrow the time, or give a plate.")
    return fit


def _reached(one: Procedure, span: Span) -> bool:
    end = one.told.end_at or max(one.told.start_at, span.end)
    return one.told.start_at < span.end and end >= span.start


def _accounts(tx: Transaction, badges: Sequence[str], *, named: bool) -> list[UUID]:
    rows = tx.all(SQL["officers_by_badge"], badges=list(badges))
    unknown = set(badges) - {row["badge"] for row in rows}
    if named and unknown:
        raise BadInput("badge-unknown", "No officer has this badge.", badge=sorted(unknown)[0])
    return [row["account_id"] for row in rows if row["account_id"] is not None]


def _hold(
    tx: Transaction, actor: Actor, complaint_id: UUID, told: ComplaintIn, found: Sequence[Procedure], at: datetime
) -> None:
    """Hold what lane cameras and worn cameras have of the procedures; of the whole place where none was found."""
    wanted: dict[UUID, list[Span]] = {}
    for one in found:
        span = Span(one.told.start_at - _MARGIN, (one.told.end_at or max(told.span.end, one.told.start_at)) + _MARGIN)
        for row in tx.all(SQL["channels_of_lane"], lane_id=one.lane_id):
            wanted.setdefault(row["channel_id"], []).append(span)
        for channel in _worn_channels(tx, one, span, at):
            wanted.setdefault(channel, []).append(span)
    if not found:
        for row in tx.all(SQL["channels_of_checkpoint"], id=told.checkpoint_id):
            wanted.setdefault(row["channel_id"], []).append(Span(told.span.start - _MARGIN, told.span.end + _MARGIN))
    for channel, spans in sorted(wanted.items(), key=str):
        for span in _joined(spans):
            hold_id = keeping.place_hold(
                tx, actor=actor, channel_id=channel, span=span, reason=f"complaint {complaint_id}", reference_id=None,
                at=at, context={"complaint": True},
            )  # fmt: skip
            tx.run(SQL["add_complaint_hold"], complaint_id=complaint_id, hold_id=hold_id, channel_id=channel,
                   start=span.start, end=span.end)  # fmt: skip


def _worn_channels(tx: Transaction, one: Procedure, span: Span, at: datetime) -> set[UUID]:
    shifts = worn_by(tx, one.told.officers, span, at=at)
    return {issue.channel_id for found in shifts.values() for shift in found for issue in shift.issues}


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch, as one: so that a busy lane is held by few holds."""
    done: list[Span] = []
    for span in sorted(spans):
        if done and span.start <= done[-1].end:
            done[-1] = Span(done[-1].start, max(done[-1].end, span.end))
        else:
            done.append(span)
    return done


def decide(
    tx: Transaction, *, actor: Actor, complaint_id: UUID, decision: str, grounds: str, at: datetime
) -> None:  # fmt: skip
    """End a complaint with a decision and its grounds; never by whom it is about. Holds stay until people lift them."""
    row = _one(tx, complaint_id)
    require(actor, "decide_complaint", {"complained_of": actor.id in row["against"]})
    if decision not in DECISIONS:
        raise BadInput("complaint-decision", f"Decide one of {', '.join(DECISIONS)}.")
    if len(grounds.strip()) < 20:
        raise BadInput("complaint-grounds", "Give the grounds of the decision in a sentence or more.")
    entry_id = enter(tx, kind=DECIDED, subject=complaint_id, at=at, payload={"decision": decision})
    if not tx.run(SQL["decide_complaint"], id=complaint_id, decision=decision, grounds=grounds.strip(), by=actor.id,
                  at=at):  # fmt: skip
        raise Conflict("complaint-decided", "This complaint was decided before.")
    audit.record(
        tx, actor=actor, action="decide_complaint", at=at, to_whom="",
        what={"complaint": str(complaint_id), "decision": decision, "entry": str(entry_id)},
    )  # fmt: skip


def listed(tx: Transaction, *, actor: Actor, most: int = 200) -> list[Row]:
    """All complaints but those about the actor; undecided ones first."""
    return tx.all(SQL["complaints"], actor_id=actor.id, most=most)


def about(tx: Transaction, *, actor: Actor) -> list[Row]:
    """That there are complaints about the actor, and how each stands: not what they say, and not by whom."""
    return tx.all(SQL["complaints_about"], actor_id=actor.id)


def read(tx: Transaction, *, actor: Actor, complaint_id: UUID) -> Row:
    """One complaint with its procedures and holds."""
    row = _one(tx, complaint_id)
    require(actor, "view_complaints", {"complained_of": actor.id in row["against"]})
    row["procedures"] = tx.all(SQL["procedures_of_complaint"], id=complaint_id)
    row["holds"] = tx.all(SQL["holds_of_complaint"], id=complaint_id)
    return row


def _one(tx: Transaction, complaint_id: UUID) -> Row:
    row = tx.maybe(SQL["complaint_by_id"], id=complaint_id)
    if row is None:
        raise NotFound("complaint-not-found", "There is no such complaint.")
    return row


def bars_channel(tx: Transaction, actor: Actor, channel_id: UUID, span: Span | None) -> bool:
    """Whether a standing hold of a complaint about the actor touches this footage; all of it where no span is told."""
    return bool(
        tx.one(
            SQL["bars_channel"], actor_id=actor.id, channel_id=channel_id, start=span.start if span else None,
            end=span.end if span else None,
        )["barred"]
    )  # fmt: skip


def bars_procedure(tx: Transaction, actor: Actor, *, procedure_id: UUID | None, scan_id: UUID | None) -> bool:
    """Whether a complaint about the actor is about this procedure, or about that of this scan."""
    return bool(tx.one(SQL["bars_procedure"], actor_id=actor.id, procedure_id=procedure_id, scan_id=scan_id)["barred"])


def span_of_segment(tx: Transaction, segment_id: UUID) -> Span | None:
    """When a segment was taken."""
    row = tx.maybe(SQL["span_of_segment"], id=segment_id)
    return Span(row["start_at"], row["end_at"]) if row else None
