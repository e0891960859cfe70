"""Retention rules and legal holds."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from svidok.access import Actor
from svidok.api.door import guarded
from svidok.api.services import Services
from svidok.base import BadInput, Span
from svidok.governance import keeping


class RuleIn(msgspec.Struct):
    """A rule to make."""

    retention_class: str
    keep_days: int
    legal_basis: str


class HoldIn(msgspec.Struct):
    """A hold to place."""

    start: datetime
    end: datetime
    reason: str
    channel_id: UUID | None = None
    reference_id: UUID | None = None


class ReasonIn(msgspec.Struct):
    """Why."""

    reason: str


@get("/api/retention-rules", **guarded("view_system"), sync_to_thread=True)
def list_rules(services: Services) -> dict[str, list[dict[str, Any]]]:
    """The rules in force, and those that wait for a second person."""
    with services.database.transaction() as tx:
        return {"items": keeping.rule_rows(tx)}


@post("/api/retention-rules", **guarded("manage_retention"), sync_to_thread=True)
def make_rule(data: RuleIn, actor: Actor, services: Services) -> dict[str, str]:
    """Make a rule."""
    with services.database.transaction() as tx:
        rule_id = keeping.make_rule(
            tx, actor=actor, retention_class=data.retention_class, keep_days=data.keep_days,
            legal_basis=data.legal_basis, at=services.clock.now(),
        )  # fmt: skip
    return {"id": str(rule_id)}


@post("/api/retention-rules/{rule_id:uuid}/agree", **guarded("manage_retention"), sync_to_thread=True)
def agree_to_rule(rule_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Agree to a rule that somebody else stated: it is in force from now on."""
    with services.database.transaction() as tx:
        keeping.agree_to_rule(tx, actor=actor, rule_id=rule_id, at=services.clock.now())
    return {"ok": True}


@delete("/api/retention-rules/{rule_id:uuid}", **guarded("manage_retention"), sync_to_thread=True, status_code=200)
def end_rule(rule_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """End a rule; the row stays. `ended` is false where a second person must agree first."""
    with services.database.transaction() as tx:
        ended = keeping.end_rule(tx, actor=actor, rule_id=rule_id, at=services.clock.now())
    return {"ended": ended}


@get("/api/holds", **guarded("view_system"), sync_to_thread=True)
def list_holds(services: Services, lifted: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The holds, those that stand first."""
    with services.database.transaction() as tx:
        return {"items": keeping.hold_rows(tx, with_lifted=lifted)}


@post("/api/holds", **guarded("place_hold"), sync_to_thread=True)
def place_hold(data: HoldIn, actor: Actor, services: Services) -> dict[str, str]:
    """Place a hold."""
    if data.start.tzinfo is None or data.end.tzinfo is None or data.end <= data.start:
        raise BadInput("span-form", "Give a start and a later end, both with a time zone.")
    with services.database.transaction() as tx:
        hold_id = keeping.place_hold(
            tx, actor=actor, channel_id=data.channel_id, span=Span(data.start, data.end), reason=data.reason,
            reference_id=data.reference_id, at=services.clock.now(),
        )  # fmt: skip
    return {"id": str(hold_id)}


@post("/api/holds/{hold_id:uuid}/lift", **guarded("lift_hold"), sync_to_thread=True)
def lift_hold(hold_id: UUID, data: ReasonIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Lift a hold."""
    with services.database.transaction() as tx:
        keeping.lift_hold(tx, actor=actor, hold_id=hold_id, reason=data.reason, at=services.clock.now())
    return {"ok": True}


ROUTES = [list_rules, make_rule, agree_to_rule, end_rule, list_holds, place_hold, lift_hold]
