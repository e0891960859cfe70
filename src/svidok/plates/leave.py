"""May this be asked of plates? Purpose, age, leave by a second person, quota: all are looked at before the search.

What the policies say is in `plates.cedar`; here is only what they are told. A
search that may go on leaves a row, by which quotas count and misuse is seen.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from svidok.access import Actor, Context, audit, require
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, SvidokError, new_id
from svidok.db import Row, Transaction
from svidok.governance import Purpose, ReferenceKind
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text
from svidok.plates.hotlist_file import plate_or_pattern
from svidok.plates.patterns import means
from svidok.plates.rules import Rules
from svidok.plates.store import SQL

ASKED, DECIDED = "plates.leave-asked", "plates.leave-decided"
LONGEST_LEAVE = timedelta(days=30)
_AGE_SLACK = timedelta(minutes=5)  # a search of exactly the tier's length, typed a little ago
KINDS = ("older", "trace")
READ = "read"  # one read that a search found


class QuotaSpent(SvidokError):
    """This person searched as often as they may."""

    status = 429

    def __init__(self, *, per: str, most: int) -> None:
        super().__init__(
            "search-quota", f"You made {most} searches within {per}. Wait, or ask your supervisor.", per=per, most=most
        )


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to know: the kind of search, of what plate (as asked), in which span, and by which leave."""

    kind: str  # search, place, journey or convoy; or a read that one of them found
    plate: str
    span: Span
    authorisation_id: UUID | None = None

    @property
    def is_trace(self) -> bool:
        """Whether it tells where somebody went."""
        return self.kind in ("journey", "convoy")


def allow(
    tx: Transaction,
    asking: Asking,
    *,
    actor: Actor,
    purpose: Purpose,
    rules: Rules,
    at: datetime,
    audit_id: UUID | None = None,
) -> None:
    """Raise `Forbidden` or `QuotaSpent` unless this may be asked; write down that it was."""
    longest = rules.longest_trace if asking.is_trace else rules.longest_search
    if asking.span.duration > longest:
        raise BadInput("span-too-long", f"Ask for at most {longest.days} days at once.", longest_days=longest.days)
    if asking.kind == "place" and asking.span.duration > rules.longest_place:
        hours = int(rules.longest_place.total_seconds() // 3600)
        raise BadInput("place-too-long", f"All reads of a place: at most {hours} hours at once.", longest_hours=hours)
    known = Context(purpose=str(purpose.reference.kind))
    needed = "trace" if asking.is_trace else "older"
    if not asking.is_trace:
        known["older"] = asking.span.start < at - rules.age_tier - _AGE_SLACK
    if asking.authorisation_id is not None:
        known["authorised"] = covers(tx, asking, needed, actor=actor, purpose=purpose, at=at)
    _say(asking, known, rules)
    require(actor, "trace_plate" if asking.is_trace else "search_plates", known)
    _spend(tx, asking, actor=actor, purpose=purpose, rules=rules, at=at, audit_id=audit_id)


def allow_read(
    tx: Transaction,
    *,
    plate: str,
    taken_at: datetime,
    authorisation_id: UUID | None,
    actor: Actor,
    purpose: Purpose,
    rules: Rules,
    at: datetime,
) -> None:
    """Raise `Forbidden` unless this one read may be seen: bound to purpose and age as the search that found it was."""
    span = Span(taken_at, taken_at + timedelta(microseconds=1))
    asking = Asking(kind=READ, plate=plate, span=span, authorisation_id=authorisation_id)
    known = Context(purpose=str(purpose.reference.kind), older=taken_at < at - rules.age_tier - _AGE_SLACK)
    if known["older"] and authorisation_id is not None:
        known["authorised"] = covers(tx, asking, "older", actor=actor, purpose=purpose, at=at)
    _say(asking, known, rules)
    require(actor, "search_plates", known)


def covers(tx: Transaction, asking: Asking, needed: str, *, actor: Actor, purpose: Purpose, at: datetime) -> bool:
    """Whether the leave that is named covers this: its asker, reference, plate, span and time. Says which it is not."""
    row = tx.maybe(SQL["leave_by_id"], id=asking.authorisation_id)
    if row is None or row["asked_by"] != actor.id:
        raise Forbidden("leave-unknown", "There is no such authorisation of yours.")
    kinds = ("trace",) if needed == "trace" else KINDS  # who may trace a plate may search for it
    for fits, code, says in (
        (row["granted"] is True, "leave-not-given", "This authorisation was not given yet, or was refused."),
        (row["kind"] in kinds, "leave-other-kind", "This authorisation is for another kind of search."),
        (row["expires_at"] is not None and row["expires_at"] > at, "leave-over", "This authorisation has run out."),
        (row["reference_id"] == purpose.reference.id, "leave-other-reference", "It was given for another case."),
        (_names(row["plate"], asking), "leave-other-plate", "It was given for another plate."),
        (row["start_at"] <= asking.span.start and asking.span.end <= row["end_at"] + timedelta(minutes=1),
         "leave-other-span", "It was given for another stretch of time."),
    ):  # fmt: skip
        if not fits:
            raise Forbidden(code, f"{says} Ask for one that covers this search.")
    return True


def _names(given: str, asking: Asking) -> bool:
    """Whether leave `given` for a plate is leave for this: to the letter, or for a read that it finds."""
    if asking.kind == READ:
        return not given or means(given, asking.plate)
    return given == asking.plate


def ask(
    tx: Transaction, *, actor: Actor, purpose: Purpose, kind: str, plate: str, span: Span, reason: str, at: datetime
) -> UUID:
    """Ask a second person for leave; the id of what is asked."""
    require(actor, "search_plates", Context(purpose=str(purpose.reference.kind)))
    if kind not in KINDS:
        raise BadInput("leave-kind", "Leave is asked for older reads (older) or for a journey or convoy (trace).")
    if len(reason.strip()) < 10:
        raise BadInput("reason-needed", "Say in a sentence why this is needed.")
    if span.duration <= timedelta():
        raise BadInput("span-backwards", "The end must lie after the beginning.")
    if span.duration > timedelta(days=3660):
        raise BadInput("span-too-long", "Ask for a shorter span.")
    asked = "" if not plate.strip() and kind == "older" else canonical(plate)
    leave_id = new_id()
    tx.run(
        SQL["ask_leave"], id=leave_id, kind=kind, asked_by=actor.id, asker_roles=sorted(map(str, actor.roles)), at=at,
        reference_id=purpose.reference.id, plate=asked, start=span.start, end=span.end, reason=reason.strip(),
    )  # fmt: skip
    payload = {
        "asked_by": str(actor.id), "kind": kind, "plate": asked, "start": instant_text(span.start),
        "end": instant_text(span.end), "reference": str(purpose.reference.id), "reason": reason.strip()[:500],
    }  # fmt: skip
    enter(tx, kind=ASKED, subject=leave_id, payload=dict(payload), at=at)
    audit.record(
        tx, actor=actor, action="search_plates", what={"leave_asked": str(leave_id), **payload}, at=at, to_whom="",
        purpose_id=purpose.id, legal_basis=purpose.reference.legal_basis,
    )  # fmt: skip
    return leave_id


def decide(
    tx: Transaction, *, actor: Actor, leave_id: UUID, granted: bool, note: str, lasts: timedelta, at: datetime
) -> None:
    """Give or refuse leave: another person, of another role, with a reason."""
    row = tx.maybe(SQL["leave_by_id"], id=leave_id)
    if row is None:
        raise NotFound("leave-unknown", "There is no such request.")
    known = Context(own=row["asked_by"] == actor.id, asker_roles=frozenset(row["asker_roles"]))
    require(actor, "authorise_plates", known)
    if len(note.strip()) < 5:
        raise BadInput("reason-needed", "Say why you give or refuse it.")
    if not timedelta() < lasts <= LONGEST_LEAVE:
        raise BadInput("leave-lasts", f"An authorisation lasts for up to {LONGEST_LEAVE.days} days.")
    expires_at = at + lasts if granted else None
    if not tx.run(
        SQL["decide_leave"], id=leave_id, by=actor.id, at=at, granted=granted, note=note.strip(), expires_at=expires_at
    ):
        raise Conflict("leave-decided", "This request was decided before.")
    payload: dict[str, JSON] = {
        "granted": granted, "decided_by": str(actor.id), "note": note.strip()[:500],
        "expires_at": instant_text(expires_at) if expires_at else None,
    }  # fmt: skip
    enter(tx, kind=DECIDED, subject=leave_id, payload=dict(payload), at=at)
    audit.record(
        tx, actor=actor, action="authorise_plates", what={"leave": str(leave_id), **payload}, at=at, to_whom="",
        legal_basis=row["legal_basis"],
    )  # fmt: skip


def leaves(tx: Transaction, *, asker: UUID | None, limit: int = 200) -> list[Row]:
    """What was asked: by one person, or by everybody; what waits comes first."""
    return tx.all(SQL["leaves"], asker=asker, limit=limit)


def canonical(typed: str) -> str:
    """What was typed as leave and trail write it: the normal form, with the signs of a pattern and of errors."""
    text = typed.strip()
    edits = len(text) - len(text.rstrip("~"))
    return plate_or_pattern(text.rstrip("~"))[0] + "~" * edits


def _say(asking: Asking, known: Context, rules: Rules) -> None:
    """Name what is missing in words, before the policies refuse by their names."""
    if known.get("purpose") == str(ReferenceKind.DUTY):
        raise Forbidden("purpose-too-wide", "A search of plates names a case or an incident. Choose such a purpose.")
    if known.get("authorised"):
        return
    if asking.is_trace:
        raise Forbidden("leave-needed", "A journey or convoy needs the authorisation of a second person.", kind="trace")
    if known.get("older"):
        days = rules.age_tier.days
        raise Forbidden(
            "leave-needed", f"Reads older than {days} days need a supervisor's authorisation.", kind="older", days=days
        )


def _spend(
    tx: Transaction,
    asking: Asking,
    *,
    actor: Actor,
    purpose: Purpose,
    rules: Rules,
    at: datetime,
    audit_id: UUID | None,
) -> None:
    lately = tx.one(SQL["searches_lately"], actor_id=actor.id, hour=at - timedelta(hours=1), day=at - timedelta(days=1))
    if lately["hour"] >= rules.searches_an_hour:
        raise QuotaSpent(per="an hour", most=rules.searches_an_hour)
    if lately["day"] >= rules.searches_a_day:
        raise QuotaSpent(per="a day", most=rules.searches_a_day)
    tx.run(
        SQL["add_search"], id=new_id(), at=at, actor_id=actor.id, kind=asking.kind, purpose_id=purpose.id,
        asked=asking.plate, audit_id=audit_id,
    )  # fmt: skip
