"""The trail: who, when, what, why, to whom (LED art. 25), written before the answer, and stated in the ledger."""

import json
from datetime import datetime
from uuid import UUID

from svidok.access.model import Actor
from svidok.base import new_id
from svidok.db import Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text

_SQL = Queries.of("svidok.access")

KIND = "audit.access"


def record(
    tx: Transaction,
    *,
    actor: Actor | None,
    action: str,
    what: dict[str, JSON],
    at: datetime,
    to_whom: str,
    purpose_id: UUID | None = None,
    legal_basis: str | None = None,
) -> UUID:
    """Write one line of the trail and its ledger entry, in the caller's transaction; the line's id."""
    audit_id = new_id()
    payload: dict[str, JSON] = {
        "action": action,
        "actor": str(actor.id) if actor else None,
        "at": instant_text(at),
        "legal_basis": legal_basis,
        "purpose": str(purpose_id) if purpose_id else None,
        "to_whom": to_whom,
        "what": what,
    }
    entry_id = enter(tx, kind=KIND, subject=audit_id, payload=payload, at=at)
    tx.run(
        _SQL["record"],
        id=audit_id,
        at=at,
        actor_id=actor.id if actor else None,
        action=action,
        what=json.dumps(what),
        purpose_id=purpose_id,
        legal_basis=legal_basis,
        to_whom=to_whom,
        entry_id=entry_id,
    )
    return audit_id


def trail(
    tx: Transaction,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    login: str | None = None,
    action: str | None = None,
    text: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Lines of the trail, newest first; `before` continues after the last line of a page."""
    before_at, before_id = before or (None, None)
    return tx.all(
        _SQL["trail"], start=start, end=end, login=login, action=action, text=text, before_at=before_at,
        before_id=before_id, limit=min(limit, 1000),
    )  # fmt: skip


def line(tx: Transaction, audit_id: UUID) -> Row:
    """One line; `NotFound` where there is none."""
    return tx.one(_SQL["audit_by_id"], id=audit_id)
