"""Retention rules and legal holds: made and ended by people, with grounds, never edited.

What lets footage go sooner takes two people: a rule does nothing until another
than its author agrees, and a rule that keeps longer than one that would remain
is ended only when another agrees to that. What keeps footage takes one.
"""

from datetime import datetime, timedelta
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, require
from svidok.access import audit as trail
from svidok.access.permissions import Context
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, new_id
from svidok.db import Row, Transaction
from svidok.governance.model import LegalHold, RetentionRule
from svidok.governance.purposes import SQL
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text

_LONGEST_DAYS = 36_525  # a century: beyond it a due date would leave the calendar, and nothing could be decided at all
HOLD_PLACED, HOLD_LIFTED = "hold.placed", "hold.lifted"
RULE_AGREED, RULE_ENDED = "rule.agreed", "rule.ended"


def make_rule(
    tx: Transaction, *, actor: Actor, retention_class: str, keep_days: int, legal_basis: str, at: datetime
) -> UUID:
    """Footage of `retention_class` shall be kept for `keep_days`, by this law, once somebody else agrees."""
    require(actor, "manage_retention")
    if not 1 <= keep_days <= _LONGEST_DAYS:
        raise BadInput("rule-days", f"A rule keeps for 1 to {_LONGEST_DAYS} days. For ever is no rule at all.")
    rule_id = new_id()
    try:
        tx.run(
            SQL["add_rule"], id=rule_id, retention_class=retention_class.strip(), keep_days=keep_days,
            legal_basis=legal_basis.strip(), made_by=actor.id, at=at,
        )  # fmt: skip
    except psycopg.errors.CheckViolation as error:
        raise BadInput("rule-incomplete", "A rule needs at least one day and its legal basis.") from error
    trail.record(
        tx, actor=actor, action="manage_retention", at=at, to_whom="", legal_basis=legal_basis,
        what={"rule": str(rule_id), "class": retention_class, "keep_days": keep_days},
    )  # fmt: skip
    return rule_id


def agree_to_rule(tx: Transaction, *, actor: Actor, rule_id: UUID, at: datetime) -> None:
    """The second pair of eyes: the rule is in force from now on. Never by whoever stated it."""
    require(actor, "manage_retention")
    rule = _rule(tx, rule_id)
    if rule["made_by"] == actor.id:
        raise Forbidden("four-eyes", "Whoever stated a rule cannot agree to it. Ask another supervisor.")
    if not tx.run(SQL["agree_to_rule"], id=rule_id, by=actor.id, at=at):
        raise Conflict("rule-in-force", "This rule is in force already.")
    what: dict[str, JSON] = {"agreed": str(rule_id), "class": rule["retention_class"], "keep_days": rule["keep_days"]}
    enter(tx, kind=RULE_AGREED, subject=rule_id, payload=dict(what), at=at)
    trail.record(
        tx, actor=actor, action="manage_retention", at=at, to_whom="", legal_basis=rule["legal_basis"], what=what
    )


def end_rule(tx: Transaction, *, actor: Actor, rule_id: UUID, at: datetime) -> bool:
    """End a rule; whether it ended, or waits for a second person.

    Footage that no other rule covers is kept: that takes one person. Where a
    shorter rule would decide from then on, it takes another than who asked.
    """
    require(actor, "manage_retention")
    rule = _rule(tx, rule_id)
    alone = rule["agreed_at"] is None or not rule["keeps_longer"]
    if not alone and rule["end_asked_by"] in (None, actor.id):
        tx.run(SQL["ask_end"], id=rule_id, by=actor.id, at=at)
        trail.record(tx, actor=actor, action="manage_retention", at=at, to_whom="", what={"end_asked": str(rule_id)})
        return False
    tx.run(SQL["end_rule"], id=rule_id, at=at)
    enter(tx, kind=RULE_ENDED, subject=rule_id, payload={"ended": str(rule_id)}, at=at)
    trail.record(tx, actor=actor, action="manage_retention", at=at, to_whom="", what={"ended": str(rule_id)})
    return True


def _rule(tx: Transaction, rule_id: UUID) -> Row:
    row = tx.maybe(SQL["rule_by_id"], id=rule_id)
    if row is None:
        raise NotFound("rule-not-in-force", "There is no rule in force with this id.")
    return row


def rule_rows(tx: Transaction) -> list[Row]:
    """The rules in force, and those that wait for a second person, as rows."""
    return tx.all(SQL["rules_with_people"])


def rules(tx: Transaction) -> list[RetentionRule]:
    """The rules in force."""
    return [
        RetentionRule(
            id=row["id"], retention_class=row["retention_class"], keep_for=timedelta(days=row["keep_days"]),
            legal_basis=row["legal_basis"],
        )
        for row in tx.all(SQL["rules"])
    ]  # fmt: skip


def place_hold(
    tx: Transaction,
    *,
    actor: Actor,
    channel_id: UUID | None,
    span: Span,
    reason: str,
    reference_id: UUID | None,
    at: datetime,
    context: Context | None = None,
) -> UUID:
    """Stop the destruction of footage in `span`, of one channel or of all; `context` says who else asks for it."""
    require(actor, "place_hold", context)
    hold_id = new_id()
    try:
        tx.run(
            SQL["add_hold"], id=hold_id, channel_id=channel_id, start_at=span.start, end_at=span.end,
            reason=reason.strip(), reference_id=reference_id, placed_by=actor.id, at=at,
        )  # fmt: skip
    except psycopg.errors.CheckViolation as error:
        raise BadInput("hold-incomplete", "A hold needs a stretch of time and a reason.") from error
    what = {
        "hold": str(hold_id), "channel": str(channel_id) if channel_id else None,
        "start": instant_text(span.start), "end": instant_text(span.end),
    }  # fmt: skip
    enter(tx, kind=HOLD_PLACED, subject=hold_id, payload=dict(what), at=at)
    trail.record(tx, actor=actor, action="place_hold", at=at, to_whom="", what=dict(what))
    return hold_id


def lift_hold(tx: Transaction, *, actor: Actor, hold_id: UUID, reason: str, at: datetime) -> None:
    """Lift a hold; never by the person who placed it (four eyes)."""
    require(actor, "lift_hold")
    hold = tx.one(SQL["hold_by_id"], id=hold_id)
    if hold["placed_by"] == actor.id:
        raise Forbidden("four-eyes", "Whoever placed a hold cannot lift it. Ask another supervisor.")
    if len(reason.strip()) < 5:
        raise BadInput("reason-needed", "Say why the hold is lifted.")
    if not tx.run(SQL["lift_hold"], id=hold_id, by=actor.id, reason=reason.strip(), at=at):
        raise NotFound("hold-not-standing", "This hold was lifted before.")
    enter(tx, kind=HOLD_LIFTED, subject=hold_id, payload={"hold": str(hold_id)}, at=at)
    trail.record(tx, actor=actor, action="lift_hold", at=at, to_whom="", what={"hold": str(hold_id)})


def hold_rows(tx: Transaction, *, with_lifted: bool = False) -> list[Row]:
    """The holds as rows, those that stand first."""
    return tx.all(SQL["holds"], all=with_lifted)


def holds(tx: Transaction) -> list[LegalHold]:
    """The holds that stand."""
    return [
        LegalHold(
            id=row["id"], channel_id=row["channel_id"], span=Span(row["start_at"], row["end_at"]), reason=row["reason"]
        )
        for row in tx.all(SQL["standing_holds"])
    ]
