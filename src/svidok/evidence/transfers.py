"""Exhibits from hand to hand: offered by whoever has them, and theirs until somebody accepts."""

from datetime import datetime
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, require
from svidok.base import BadInput, Conflict, Forbidden, NotFound, new_id
from svidok.db import Row, Transaction
from svidok.evidence import custody
from svidok.evidence.cases import Admitted, stand_of
from svidok.evidence.custody import SQL
from svidok.evidence.exhibits import admit_exhibit
from svidok.evidence.model import Happened, Standing

_STATES = {Happened.ACCEPTED: "accepted", Happened.REFUSED: "refused", Happened.WITHDRAWN: "withdrawn"}


def offer(
    tx: Transaction,
    *,
    actor: Actor,
    exhibit_id: UUID,
    to_login: str | None,
    to_unit_id: UUID | None,
    reason: str,
    at: datetime,
) -> UUID:
    """Offer an exhibit to a person, or to whoever of a unit takes it. Only whoever has it can."""
    row, _ = admit_exhibit(tx, actor=actor, action="transfer_exhibit", exhibit_id=exhibit_id, at=at)
    if row["custodian_id"] != actor.id:
        raise Forbidden("not-custodian", "Only whoever has an exhibit can hand it on.")
    if len(reason.strip()) < 5:
        raise BadInput("reason-needed", "Say why the exhibit changes hands.")
    if bool(to_login) == bool(to_unit_id):
        raise BadInput("addressee-needed", "Name either a person or a unit.")
    to_id = None
    if to_login:
        person = tx.maybe(SQL["account_by_login"], login=to_login.strip().lower())
        if person is None:
            raise NotFound("person-not-found", "There is nobody with this sign-in name.")
        if person["id"] == actor.id:
            raise BadInput("addressee-self", "You have the exhibit already.")
        to_id = person["id"]
    transfer_id = new_id()
    try:
        tx.run(
            SQL["add_transfer"], id=transfer_id, exhibit_id=exhibit_id, from_id=actor.id, to_id=to_id,
            to_unit_id=to_unit_id, reason=reason.strip(), at=at,
        )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("transfer-open", "This exhibit is on offer already. Withdraw that offer first.") from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFound("unit-not-found", "There is no such unit.") from error
    _write(tx, actor, exhibit_id, Happened.OFFERED, transfer_id, at)
    return transfer_id


def decide(tx: Transaction, *, actor: Actor, transfer_id: UUID, how: Happened, says: str, at: datetime) -> None:
    """Accept or refuse what was offered to one, or withdraw what one offered."""
    row = tx.maybe(SQL["transfer_by_id"], id=transfer_id)
    if row is None or how not in _STATES:
        raise NotFound("transfer-not-found", "There is no such transfer.")
    _check_side(tx, actor, row, how, at)
    if how == Happened.REFUSED and len(says.strip()) < 5:
        raise BadInput("reason-needed", "Say why you refuse it.")
    if not tx.run(SQL["decide_transfer"], id=transfer_id, state=_STATES[how], by=actor.id, at=at, says=says.strip()):
        raise Conflict("transfer-decided", "This was decided before.")
    if how == Happened.ACCEPTED:
        tx.run(SQL["set_custodian"], id=row["exhibit_id"], account_id=actor.id)
    _write(tx, actor, row["exhibit_id"], how, transfer_id, at)


def transfers_of(tx: Transaction, admitted: Admitted, seen: list[Row]) -> list[Row]:
    """The transfers of the exhibits that are `seen`, latest first."""
    known = {row["id"] for row in seen}
    return [row for row in tx.all(SQL["transfers_of"], case_id=admitted.case["id"]) if row["exhibit_id"] in known]


def _check_side(tx: Transaction, actor: Actor, row: Row, how: Happened, at: datetime) -> None:
    """Raise unless it is theirs to decide. Whoever takes an exhibit must be of its case."""
    stand = stand_of(tx, actor=actor, case_id=row["case_id"], at=at)
    if stand.standing == Standing.STRANGER:
        raise NotFound("transfer-not-found", "There is no such transfer.")
    require(actor, "transfer_exhibit", {"standing": str(stand.standing)})
    mine = row["from_id"] == actor.id
    to_me = row["to_id"] == actor.id or (row["to_unit_id"] is not None and row["to_unit_id"] == actor.unit_id)
    if mine if how != Happened.WITHDRAWN else not mine:
        raise Forbidden("not-yours", "Whoever offers an exhibit withdraws it; the other side accepts or refuses.")
    if how != Happened.WITHDRAWN and not to_me:
        raise Forbidden("not-yours", "This exhibit was offered to somebody else.")


def _write(tx: Transaction, actor: Actor, exhibit_id: UUID, kind: Happened, transfer_id: UUID, at: datetime) -> None:
    custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=kind, what={"transfer": str(transfer_id)}, at=at)
