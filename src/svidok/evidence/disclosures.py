"""Disclosures: one person chooses what leaves, why and to whom; another, of another unit or role, approves.

What leaves is told before it does, item by item, from the same rows that the
bundle is made of. A disclosure that was approved is never changed: whoever
wants another one asks anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor, Role, Verdict, accounts, audit, require
from svidok.access import decide as decided
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, new_id
from svidok.db import Row, Transaction
from svidok.evidence import custody
from svidok.evidence.cases import admit, stand_of
from svidok.evidence.custody import SQL
from svidok.evidence.exhibits import admit_exhibit, channels_named
from svidok.evidence.model import Standing
from svidok.ledger import enter
from svidok.recording import export
from svidok.recording.reach import HERE, Reach

ASKED, DECIDED, HANDED = "disclosure.asked", "disclosure.decided", "disclosure.handed-over"
_DISCLOSABLE = {"footage", "file", "still", "redacted", "read", "scan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An exhibit that is to leave; of footage, a part of it where `span` is given."""

    exhibit_id: UUID
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """To whom, why and by which law."""

    to_name: str
    to_service: str
    reason: str
    legal_basis: str
    note: str = ""


def ask(tx: Transaction, *, actor: Actor, case_id: UUID, wish: Wish, chosen: Sequence[Chosen], at: datetime) -> UUID:
    """Ask to disclose exhibits; the disclosure's id."""
    admit(tx, actor=actor, action="prepare_disclosure", case_id=case_id, at=at)
    if not chosen or len({one.exhibit_id for one in chosen}) < len(chosen):
        raise BadInput("items-needed", "Choose at least one exhibit, each once.")
    if not wish.to_name.strip() or len(wish.reason.strip()) < 5 or len(wish.legal_basis.strip()) < 5:
        raise BadInput("wish-incomplete", "Say to whom, why, and by which law.")
    rows = [_choose(tx, actor, case_id, one, at) for one in chosen]
    disclosure_id = new_id()
    number = tx.one(SQL["take_disclosure_number"], case_id=case_id)["number"]
    tx.run(
        SQL["add_disclosure"], id=disclosure_id, case_id=case_id, number=number, to_name=wish.to_name.strip(),
        to_service=wish.to_service.strip(), reason=wish.reason.strip(), legal_basis=wish.legal_basis.strip(),
        note=wish.note.strip(), by=actor.id, at=at,
    )  # fmt: skip
    tx.run_many(SQL["add_disclosure_item"], [row | {"disclosure_id": disclosure_id} for row in rows])
    _state(tx, ASKED, actor, disclosure_id, {"items": len(rows)}, at)
    return disclosure_id


def _choose(tx: Transaction, actor: Actor, case_id: UUID, one: Chosen, at: datetime) -> Row:
    row, _ = admit_exhibit(tx, actor=actor, action="prepare_disclosure", exhibit_id=one.exhibit_id, at=at)
    if row["case_id"] != case_id:
        raise Conflict("other-case", "This exhibit belongs to another case.")
    if row["kind"] not in _DISCLOSABLE:
        raise Conflict("kind-not-disclosable", "This kind of exhibit cannot be put into a bundle yet.")
    if row["scan"] in ("infected", "waiting"):
        raise Conflict("file-not-clean", "A file that was not found clean cannot leave.")
    span = one.span
    if row["kind"] == "footage":
        span = span or Span(row["start_at"], row["end_at"])
        if not (row["start_at"] <= span.start < span.end <= row["end_at"]):
            raise BadInput("span-outside", "Choose a part within the exhibit.")
    elif span is not None:
        raise BadInput("span-of-file", "A file leaves whole.")
    return {
        "exhibit_id": one.exhibit_id,
        "start_at": span.start if span else None,
        "end_at": span.end if span else None,
    }


def preview(tx: Transaction, *, actor: Actor, disclosure_id: UUID, at: datetime, reach: Reach = HERE) -> dict[str, Any]:
    """Exactly what leaves with a disclosure: each item, its size, how many events of custody, and whose names."""
    row = for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=at)
    items = tx.all(SQL["items_of"], disclosure_id=disclosure_id)
    channels = channels_named(tx, items)
    told: list[dict[str, Any]] = []
    names: set[str] = {row["asked_by_name"], row["to_name"]}
    for item in items:
        lines = custody.rows_of(tx, item["id"])
        names |= {line["actor"] for line in lines}
        told.append(_told_item(tx, item, channels.get(item["channel_id"]), len(lines), reach))
    hidden = {"path", "sha256"}
    return {
        "disclosure": {name: value for name, value in row.items() if name not in hidden}
        | {"sha256": bytes(row["sha256"]).hex() if row["sha256"] else None},
        "items": told,
        "names": sorted(names),
        "bytes": sum(one["bytes"] for one in told),
        "handed_over": tx.all(SQL["hand_overs_of"], disclosure_id=disclosure_id),
        "may_decide": row["state"] == "asked" and _objection(tx, actor, row, at) is None,
    }


def _told_item(tx: Transaction, item: Row, channel: Row | None, events: int, reach: Reach) -> dict[str, Any]:
    told: dict[str, Any] = {
        "exhibit_id": item["id"],
        "number": item["number"],
        "title": item["title"],
        "kind": item["kind"],
        "start": item["item_start"],
        "end": item["item_end"],
        "events": events,
        "camera": {name: channel[name] for name in ("number", "name_uk", "name_en")} if channel else None,
        "bytes": item["size_bytes"] or 0,
        "gaps": [],
        "sound": None,
        "name": item["name"],
    }
    if item["kind"] == "footage":
        planned = export.plan(
            tx, item["channel_id"], Span(item["item_start"], item["item_end"]), reach=reach, with_signature=False
        )
        told["bytes"] = planned.size_bytes
        told["gaps"] = [{"start": gap.start_at, "end": gap.end_at, "reason": str(gap.reason)} for gap in planned.gaps]
    return told


def for_reading(tx: Transaction, *, actor: Actor, disclosure_id: UUID, at: datetime) -> Row:
    """A disclosure, for who is of its case or may approve it. Raises `NotFound` for all others."""
    row = tx.maybe(SQL["disclosure_by_id"], id=disclosure_id)
    if row is not None:
        standing = stand_of(tx, actor=actor, case_id=row["case_id"], at=at).standing
        if standing not in (Standing.STRANGER, Standing.BARRED) or (
            standing == Standing.STRANGER and Role.SUPERVISOR in actor.roles
        ):
            return row
    raise NotFound("disclosure-not-found", "There is no such disclosure, or you are not of its case.")


def asked(tx: Transaction, *, actor: Actor, at: datetime) -> list[Row]:
    """What waits for `actor` to approve it: nothing of cases that are about them."""
    require(actor, "approve_disclosure")
    rows = tx.all(SQL["disclosures_asked"], account_id=actor.id)
    return [row for row in rows if _objection(tx, actor, tx.one(SQL["disclosure_by_id"], id=row["id"]), at) is None]


def decide(tx: Transaction, *, actor: Actor, disclosure_id: UUID, approve: bool, says: str, at: datetime) -> None:
    """Approve or refuse. Raises `Forbidden` for whoever asked, and for one who is too near to them."""
    row = for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=at)
    objection = _objection(tx, actor, row, at)
    if objection is not None:
        raise objection
    if not approve and len(says.strip()) < 5:
        raise BadInput("reason-needed", "Say why you refuse.")
    state = "approved" if approve else "refused"
    if not tx.run(
        SQL["decide_disclosure"], id=disclosure_id, state=state, by=actor.id, at=at, says=says.strip()
    ):  # fmt: skip
        raise Conflict("disclosure-decided", "This was decided before.")
    _state(tx, DECIDED, actor, disclosure_id, {"state": state}, at)


def withdraw(tx: Transaction, *, actor: Actor, disclosure_id: UUID, at: datetime) -> None:
    """Whoever asked wants it no more."""
    row = for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=at)
    if row["asked_by"] != actor.id:
        raise Forbidden("not-yours", "Only whoever asked can withdraw it.")
    if not tx.run(SQL["decide_disclosure"], id=disclosure_id, state="withdrawn", by=actor.id, at=at, says=""):
        raise Conflict("disclosure-decided", "This was decided before.")
    _state(tx, DECIDED, actor, disclosure_id, {"state": "withdrawn"}, at)


def hand_over(tx: Transaction, *, actor: Actor, disclosure_id: UUID, at: datetime) -> Row:
    """The bundle is taken out: a row and a ledger entry before its first byte is."""
    row = for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=at)
    admit(tx, actor=actor, action="hand_over", case_id=row["case_id"], at=at)
    if row["state"] != "made":
        raise Conflict("bundle-not-made", "The bundle of this disclosure is not made yet.")
    what = {"sha256": bytes(row["sha256"]).hex(), "to": row["to_name"]}
    entry_id = _state(tx, HANDED, actor, disclosure_id, what, at)
    tx.run(SQL["add_hand_over"], id=new_id(), disclosure_id=disclosure_id, by=actor.id, at=at, entry_id=entry_id)
    return row


def disclosures_of(tx: Transaction, case_id: UUID) -> list[Row]:
    """The disclosures of a case, latest first."""
    hidden = {"path", "sha256"}
    rows = tx.all(SQL["disclosures_of"], case_id=case_id)
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def _objection(tx: Transaction, actor: Actor, row: Row, at: datetime) -> Forbidden | None:
    """Why `actor` may not decide: four eyes, and eyes that are not of the same unit with the same roles."""
    standing = stand_of(tx, actor=actor, case_id=row["case_id"], at=at).standing
    may = decided(actor, "approve_disclosure", {"standing": str(standing)})
    if may.verdict != Verdict.ALLOW:
        return Forbidden("not-permitted", "Your roles do not permit this.", action="approve_disclosure")
    if row["asked_by"] == actor.id:
        return Forbidden("four-eyes", "Whoever asks cannot approve. Ask another supervisor.")
    asker = accounts.actor_of(tx.one(accounts.SQL["account_by_id"], id=row["asked_by"]))
    if asker.unit_id == actor.unit_id and asker.roles == actor.roles:
        return Forbidden("too-near", "Somebody of another unit or another role has to approve this.")
    return None


def _state(tx: Transaction, kind: str, actor: Actor, disclosure_id: UUID, what: dict[str, Any], at: datetime) -> UUID:
    """The ledger's entry of an act on a disclosure, and the trail's line; the entry's id."""
    told = {"disclosure": str(disclosure_id), "by": str(actor.id), **what}
    entry_id = enter(tx, kind=kind, subject=disclosure_id, payload=told, at=at)
    audit.record(tx, actor=actor, action=kind, at=at, to_whom=str(what.get("to", "")), what=dict(told))
    return entry_id
