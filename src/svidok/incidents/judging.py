"""What people do with alerts: acknowledge, confirm, refute, hand over. Each step is a row, and is in trail and ledger.

Only a confirmation lets anything else happen: it fills the outbox for the
channels that are on. A refutation as misread counts against the camera, which
may withdraw itself by it.
"""

import json
from datetime import datetime
from uuid import UUID

import msgspec

from svidok.access import Actor, audit, require
from svidok.base import BadInput, NotFound, new_id
from svidok.db import Row, Transaction
from svidok.incidents.model import State, Step, Why, after, verdict_of
from svidok.incidents.raising import SQL
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text
from svidok.plates import standing
from svidok.plates.hotlists import may_see
from svidok.plates.matching import SQL as HITS
from svidok.plates.rules import Rules

STEPPED = "alert.stepped"
MAX_PAGE = 200
OPEN = (State.NEW, State.ACKNOWLEDGED)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a step came to, and whether the camera withdrew itself by it."""

    state: State
    camera_withdrawn: bool


def take_step(
    tx: Transaction,
    *,
    actor: Actor,
    alert_id: UUID,
    step: Step,
    at: datetime,
    rules: Rules,
    note: str = "",
    why: Why | None = None,
    hand_to: UUID | None = None,
    purpose_id: UUID | None = None,
) -> Judged:
    """Take a step. Raises `Conflict` where somebody else was quicker, `BadInput` where a reason is missing."""
    require(actor, "judge_alert")
    alert = tx.maybe(SQL["alert_for_update"], id=alert_id)
    if alert is None or not may_see(actor, alert["see_units"]):
        raise NotFound("alert-unknown", "There is no such alert, or it is not yours to see.")
    state = after(State(alert["state"]), step)
    _check(step, note, why, hand_to)
    judged = state != alert["state"] and state in (State.CONFIRMED, State.REFUTED)
    see_units = _seeing(alert, hand_to)
    tx.run(
        SQL["set_state"], id=alert_id, state=str(state), why=str(why) if why and judged else None,
        holder=actor.id if step != Step.NOTE else None, handed_to=hand_to, see_units=see_units,
        judged_by=actor.id if judged else None, judged_at=at if judged else None,
    )  # fmt: skip
    _write_down(tx, actor, alert, step, note, at, why=why, hand_to=hand_to, purpose_id=purpose_id)
    withdrawn = False
    if judged:
        withdrawn = _mark_hits(tx, alert, state, why, rules, at)
    if judged and state == State.CONFIRMED:
        tx.run(SQL["add_deliveries"], alert_id=alert_id, body=json.dumps(told(alert, actor, note, at)), at=at)
    return Judged(state=state, camera_withdrawn=withdrawn)


def alerts(
    tx: Transaction,
    *,
    actor: Actor,
    states: tuple[State, ...] | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Alerts that the actor may see, latest first."""
    require(actor, "view_alerts")
    before_at, before_id = before or (None, None)
    return tx.all(
        SQL["alerts"], unit=actor.unit_id, states=[str(one) for one in states] if states else None, id=None,
        before=before_at, before_id=before_id, limit=max(1, min(limit, MAX_PAGE)),
    )  # fmt: skip


def one(tx: Transaction, *, actor: Actor, alert_id: UUID) -> Row:
    """One alert; `NotFound` where there is none, or it is not the actor's to see."""
    require(actor, "view_alerts")
    found = tx.all(SQL["alerts"], unit=actor.unit_id, states=None, id=alert_id, before=None, before_id=None, limit=1)
    if not found:
        raise NotFound("alert-unknown", "There is no such alert, or it is not yours to see.")
    return found[0]


def steps(tx: Transaction, alert_id: UUID) -> list[Row]:
    """What people did with an alert."""
    return tx.all(SQL["steps"], alert_id=alert_id)


def told(alert: Row, actor: Actor, note: str, at: datetime) -> dict[str, JSON]:
    """What a channel is told of a confirmed alert."""
    return {
        "kind": "alert-confirmed", "alert": str(alert["id"]), "plate": alert["plate"], "wanted": alert["wanted"],
        "list": alert["list_name"], "priority": alert["priority"], "reason": alert["reason"],
        "legal_basis": alert["legal_basis"], "instructions": alert["instructions"], "camera": str(alert["camera_id"]),
        "taken_at": instant_text(alert["taken_at"]), "confirmed_at": instant_text(at), "confirmed_by": actor.name,
        "note": note.strip(), "lat": _text(alert["lat"]), "lon": _text(alert["lon"]), "direction": alert["direction"],
        "confidence_percent": round(alert["confidence"] * 100),
    }  # fmt: skip


def forget(tx: Transaction, *, before: datetime) -> int:
    """Judged alerts of reads before an instant go; how many."""
    return tx.run(SQL["forget_alerts"], before=before)


def _text(degrees: float | None) -> str | None:
    return None if degrees is None else f"{degrees:.6f}"


def _check(step: Step, note: str, why: Why | None, hand_to: UUID | None) -> None:
    if step == Step.REFUTE and why is None:
        raise BadInput("refuted-why", "Say why it is false: misread, outdated or other.")
    if step == Step.REFUTE and why == Why.OTHER and len(note.strip()) < 3:
        raise BadInput("reason-needed", "Say in a few words why it is false.")
    if step == Step.HAND_OVER and hand_to is None and len(note.strip()) < 3:
        raise BadInput("hand-to-whom", "Name the unit, or say in a few words to whom it is handed over.")
    if step == Step.NOTE and not note.strip():
        raise BadInput("note-empty", "Write what there is to say.")
    if len(note) > 2000:
        raise BadInput("note-long", "A note has at most 2,000 characters.")


def _seeing(alert: Row, hand_to: UUID | None) -> list[UUID]:
    """Who may see it from now on: a unit it is handed to sees it too."""
    units: list[UUID] = list(alert["see_units"])
    return [*units, hand_to] if units and hand_to is not None and hand_to not in units else units


def _mark_hits(tx: Transaction, alert: Row, state: State, why: Why | None, rules: Rules, at: datetime) -> bool:
    hits = tx.all(
        SQL["hits_of_alert"], entry_id=alert["entry_id"], camera_id=alert["camera_id"], start=alert["taken_at"],
        end=alert["last_hit_at"],
    )  # fmt: skip
    tx.run(HITS["judge_hit"], ids=[row["id"] for row in hits], verdict=verdict_of(state, why))
    return why == Why.MISREAD and standing.judge(tx, alert["camera_id"], rules=rules, at=at)


def _write_down(
    tx: Transaction,
    actor: Actor,
    alert: Row,
    step: Step,
    note: str,
    at: datetime,
    *,
    why: Why | None,
    hand_to: UUID | None,
    purpose_id: UUID | None,
) -> None:
    what: dict[str, JSON] = {
        "alert": str(alert["id"]), "step": str(step), "why": str(why) if why else None,
        "handed_to": str(hand_to) if hand_to else None,
    }  # fmt: skip
    entry_id = enter(
        tx, kind=STEPPED, subject=alert["id"], payload={**what, "by": str(actor.id), "note": note.strip()}, at=at
    )
    tx.run(
        SQL["add_step"], id=new_id(), alert_id=alert["id"], at=at, actor_id=actor.id, step=str(step),
        note=note.strip(), entry_id=entry_id,
    )  # fmt: skip
    audit.record(
        tx, actor=actor, action="judge_alert", what=what, at=at, to_whom="", purpose_id=purpose_id,
        legal_basis=alert["legal_basis"],
    )  # fmt: skip
