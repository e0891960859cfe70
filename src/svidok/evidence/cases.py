"""Cases: opened on a reference, worked in by those they name, closed with a reason.

Who is not of a case is told that there is none: that a case exists is personal
data by itself. What somebody may do in it is decided by the policies from
their roles and from how they stand to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, new_id
from svidok.db import Row, Transaction
from svidok.evidence.custody import SQL
from svidok.evidence.model import DataSubjects, Stand, Standing
from svidok.governance import Purpose
from svidok.ledger import enter

_GRANTED = {Standing.LEAD, Standing.INVESTIGATOR, Standing.READER, Standing.BARRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A case, and how whoever asked stands to it."""

    case: Row
    stand: Stand

    def require_open(self) -> None:
        """Raise `Conflict` where the case is closed: nothing is added to it any more."""
        if self.case["closed_at"] is not None:
            raise Conflict("case-closed", "This case is closed. Nothing can be added to it.")


def open_case(
    tx: Transaction,
    *,
    actor: Actor,
    reference_id: UUID,
    data_subjects: Sequence[DataSubjects],
    summary: str,
    at: datetime,
) -> UUID:
    """Open a case on a reference of the kind `case`; the actor leads it."""
    require(actor, "open_case")
    if not data_subjects:
        raise BadInput("data-subjects-needed", "Say whose data the case holds: suspects, victims, witnesses or others.")
    reference = tx.one(
        "SELECT kind, closed_at, legal_basis FROM governance.reference WHERE id = %(id)s", id=reference_id
    )
    if reference["kind"] != "case" or reference["closed_at"] is not None:
        raise Conflict("reference-no-case", "Choose an open reference of the kind case.")
    if tx.maybe("SELECT id FROM evidence.case_file WHERE reference_id = %(id)s", id=reference_id) is not None:
        raise Conflict("case-exists", "This case was opened before. Ask its lead to let you in.")
    case_id = new_id()
    tx.run(
        SQL["add_case"], id=case_id, reference_id=reference_id, data_subjects=sorted(map(str, set(data_subjects))),
        unit_id=actor.unit_id, summary=summary.strip(), by=actor.id, at=at,
    )  # fmt: skip
    enter(tx, kind="case.opened", subject=case_id, payload={"case": str(case_id), "by": str(actor.id)}, at=at)
    audit.record(
        tx, actor=actor, action="open_case", at=at, to_whom="", legal_basis=reference["legal_basis"],
        what={"case": str(case_id), "reference": str(reference_id)},
    )  # fmt: skip
    _stand(tx, actor=actor, case_id=case_id, account_id=actor.id, standing=Standing.LEAD, reason="opened it", at=at)
    return case_id


def admit(tx: Transaction, *, actor: Actor, action: str, case_id: UUID, at: datetime) -> Admitted:
    """The case, if `actor` may do `action` in it. Raises `NotFound` for strangers, `Forbidden` for who may not."""
    case = tx.maybe(SQL["case_by_id"], id=case_id)
    stand = stand_of(tx, actor=actor, case_id=case_id, at=at)
    if case is None or stand.standing == Standing.STRANGER:
        raise NotFound("case-not-found", "There is no such case, or you are not of it.")
    require(actor, action, {"standing": str(stand.standing)})
    return Admitted(case=case, stand=stand)


def stand_of(tx: Transaction, *, actor: Actor, case_id: UUID, at: datetime) -> Stand:
    """How `actor` stands to a case at `at`."""
    row = tx.maybe(SQL["standing"], case_id=case_id, account_id=actor.id, at=at)
    if row is None:
        return Stand(standing=Standing.STRANGER)
    history = Span(row["history_start"], row["history_end"]) if row["history_start"] else None
    return Stand(standing=Standing(row["standing"]), history=history)


def require_purpose(case: Row, purpose: Purpose | None) -> None:
    """Raise `Forbidden` unless the purpose is bound to this very case: a case is not looked into for another."""
    if purpose is None or purpose.reference.id != case["reference_id"]:
        raise Forbidden("purpose-other-case", "Say for this case why you look into it.")


def cases_of(tx: Transaction, *, actor: Actor, at: datetime) -> list[Row]:
    """The cases that name `actor`, open ones first."""
    return tx.all(SQL["cases_of"], account_id=actor.id, at=at)


def let_in(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    login: str,
    standing: Standing,
    reason: str,
    until_at: datetime | None,
    history: Span | None,
    at: datetime,
) -> None:
    """Let somebody into a case, change how they stand to it, or bar them from it because it is about them."""
    admitted = admit(tx, actor=actor, action="lead_case", case_id=case_id, at=at)
    admitted.require_open()
    if standing not in _GRANTED:
        raise BadInput("standing-unknown", "Somebody can lead, investigate, read, or be barred.")
    if len(reason.strip()) < 5:
        raise BadInput("reason-needed", "Say why.")
    if until_at is not None and until_at <= at:
        raise BadInput("grant-over", "The grant would be over already. Give a later instant.")
    person = tx.maybe(SQL["account_by_login"], login=login.strip().lower())
    if person is None:
        raise NotFound("person-not-found", "There is nobody with this sign-in name.")
    if person["id"] == actor.id:
        raise Forbidden("own-standing", "Nobody changes how they stand to a case themselves.")
    tx.run(SQL["end_membership"], case_id=case_id, account_id=person["id"], by=actor.id, at=at)
    _stand(
        tx, actor=actor, case_id=case_id, account_id=person["id"], standing=standing, reason=reason.strip(), at=at,
        until_at=until_at, history=history,
    )  # fmt: skip


def end_standing(tx: Transaction, *, actor: Actor, case_id: UUID, account_id: UUID, at: datetime) -> None:
    """Somebody is of the case no more. A case is never left without a lead."""
    admit(tx, actor=actor, action="lead_case", case_id=case_id, at=at)
    ended = tx.all(SQL["end_membership"], case_id=case_id, account_id=account_id, by=actor.id, at=at)
    if not ended:
        raise NotFound("member-not-found", "They are not of this case.")
    if ended[0]["standing"] == Standing.LEAD and not tx.one(SQL["leads"], case_id=case_id)["n"]:
        raise Conflict("last-lead", "A case needs a lead. Name another one first.")
    _enter_standing(tx, actor, case_id, account_id, "ended", at)


def close_case(tx: Transaction, *, actor: Actor, case_id: UUID, reason: str, at: datetime) -> None:
    """Close a case. Its exhibits and holds stay: what becomes of them is decided elsewhere, by name."""
    admit(tx, actor=actor, action="lead_case", case_id=case_id, at=at)
    if len(reason.strip()) < 5:
        raise BadInput("reason-needed", "Say why the case is closed.")
    if not tx.run(SQL["close_case"], id=case_id, by=actor.id, at=at, reason=reason.strip()):
        raise Conflict("case-closed", "This case is closed already.")
    enter(tx, kind="case.closed", subject=case_id, payload={"case": str(case_id), "by": str(actor.id)}, at=at)
    audit.record(tx, actor=actor, action="lead_case", at=at, to_whom="", what={"closed": str(case_id)})


def members(tx: Transaction, case_id: UUID) -> list[Row]:
    """Who stands and stood how to a case."""
    return tx.all(SQL["members"], case_id=case_id)


def people(tx: Transaction) -> list[Row]:
    """Everybody who could be let into a case."""
    return tx.all(SQL["people"])


def _stand(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    account_id: UUID,
    standing: Standing,
    reason: str,
    at: datetime,
    until_at: datetime | None = None,
    history: Span | None = None,
) -> None:
    row: dict[str, Any] = {
        "history_start": history.start if history else None,
        "history_end": history.end if history else None,
    }
    tx.run(
        SQL["add_membership"], id=new_id(), case_id=case_id, account_id=account_id, standing=str(standing),
        until_at=until_at, reason=reason, by=actor.id, at=at, **row,
    )  # fmt: skip
    _enter_standing(tx, actor, case_id, account_id, str(standing), at)


def _enter_standing(
    tx: Transaction, actor: Actor, case_id: UUID, account_id: UUID, standing: str, at: datetime
) -> None:
    """The ledger's entry and the trail's line of who stands how."""
    what = {"account": str(account_id), "case": str(case_id), "standing": standing}
    enter(tx, kind="case.standing", subject=case_id, payload={**what, "by": str(actor.id)}, at=at)
    audit.record(tx, actor=actor, action="lead_case", at=at, to_whom="", what=dict(what))
