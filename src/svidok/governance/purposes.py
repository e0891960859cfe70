"""References and purposes: nobody looks without leave, and leave names an incident, a case or a duty."""

from datetime import datetime, timedelta
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, require
from svidok.access import audit as trail
from svidok.base import BadInput, Conflict, Forbidden, NotFound, new_id
from svidok.db import Queries, Row, Transaction
from svidok.governance.model import Purpose, Reference, ReferenceKind

SQL = Queries.of("svidok.governance")

PURPOSE_LIVES = timedelta(hours=12)


def open_reference(
    tx: Transaction, *, actor: Actor, kind: ReferenceKind, number: str, title: str, legal_basis: str, at: datetime
) -> Reference:
    """Open an incident, a case or a duty that purposes can name."""
    require(actor, "open_reference")
    reference_id = new_id()
    try:
        tx.run(
            SQL["add_reference"], id=reference_id, kind=str(kind), number=number.strip(), title=title.strip(),
            legal_basis=legal_basis.strip(), opened_by=actor.id, at=at,
        )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("reference-taken", f"There is a {kind} {number} already.") from error
    except psycopg.errors.CheckViolation as error:
        raise BadInput("legal-basis-needed", "State the legal basis: the act and its article.") from error
    trail.record(
        tx, actor=actor, action="open_reference", at=at, to_whom="", legal_basis=legal_basis,
        what={"reference": str(reference_id), "kind": str(kind), "number": number},
    )  # fmt: skip
    return _reference(tx.one(SQL["reference_by_id"], id=reference_id))


def close_reference(tx: Transaction, *, actor: Actor, reference_id: UUID, at: datetime) -> None:
    """Close a reference: purposes bound to it end at once."""
    require(actor, "open_reference")
    if not tx.run(SQL["close_reference"], id=reference_id, at=at):
        raise NotFound("reference-not-open", "There is no open reference with this id.")
    trail.record(
        tx, actor=actor, action="open_reference", at=at, to_whom="", what={"closed": str(reference_id)}
    )  # fmt: skip


def references(tx: Transaction, *, with_closed: bool = False) -> list[Reference]:
    """The references, open ones first."""
    return [_reference(row) for row in tx.all(SQL["references"], all=with_closed)]


def choose_purpose(tx: Transaction, *, actor: Actor, reference_id: UUID, reason: str, at: datetime) -> Purpose:
    """Say why `actor` will look; it runs for a shift."""
    require(actor, "choose_purpose")
    if len(reason.strip()) < 5:
        raise BadInput("reason-needed", "Say in a few words why you look.")
    reference = tx.one(SQL["reference_by_id"], id=reference_id)
    if reference["closed_at"] is not None:
        raise Conflict("reference-closed", "This reference is closed. Choose an open one.")
    purpose_id = new_id()
    tx.run(
        SQL["add_purpose"], id=purpose_id, actor_id=actor.id, reference_id=reference_id, reason=reason.strip(), at=at,
        expires_at=at + PURPOSE_LIVES,
    )  # fmt: skip
    trail.record(
        tx, actor=actor, action="choose_purpose", at=at, to_whom="", purpose_id=purpose_id,
        legal_basis=reference["legal_basis"], what={"reference": str(reference_id), "reason": reason.strip()[:300]},
    )  # fmt: skip
    return valid_purpose(tx, actor=actor, purpose_id=purpose_id, at=at)


def valid_purpose(tx: Transaction, *, actor: Actor, purpose_id: UUID, at: datetime) -> Purpose:
    """The purpose, if it is the actor's own, runs, and its reference is open. Raises `Forbidden` otherwise."""
    row = tx.maybe(SQL["valid_purpose"], id=purpose_id, actor_id=actor.id, at=at)
    if row is None:
        raise Forbidden("purpose-over", "This purpose has run out or its reference was closed. Choose another.")
    return _purpose(row)


def purposes_of(tx: Transaction, *, actor: Actor, at: datetime) -> list[Purpose]:
    """The purposes of `actor` that run, latest first."""
    return [_purpose(row) for row in tx.all(SQL["purposes_of"], actor_id=actor.id, at=at)]


def purposes_named(tx: Transaction, ids: list[UUID]) -> dict[UUID, Row]:
    """What lines of the trail refer to: reason, and the reference's kind, number and legal basis."""
    return {row["id"]: row for row in tx.all(SQL["purposes_named"], ids=ids)}


def _reference(row: Row) -> Reference:
    return Reference(
        id=row["id"], kind=ReferenceKind(row["kind"]), number=row["number"], title=row["title"],
        legal_basis=row["legal_basis"], opened_at=row["opened_at"], closed_at=row["closed_at"],
    )  # fmt: skip


def _purpose(row: Row) -> Purpose:
    reference = _reference({**row, "id": row["reference_id"], "opened_at": row["reference_opened_at"]})
    return Purpose(
        id=row["id"], actor_id=row["actor_id"], reference=reference, reason=row["reason"],
        opened_at=row["opened_at"], expires_at=row["expires_at"],
    )  # fmt: skip
