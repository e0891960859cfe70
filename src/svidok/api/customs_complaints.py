"""The complaint desk, and the page of one procedure with all its evidence."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post

from svidok.access import Actor
from svidok.api.door import Shows, guarded
from svidok.api.services import Services
from svidok.base import BadInput, Span
from svidok.customs import complaints, page
from svidok.db import Row


class ComplaintIn(msgspec.Struct):
    """A complaint to write down."""

    by_whom: str
    text: str
    checkpoint_id: UUID
    start: datetime
    end: datetime
    contact: str = ""
    plate: str | None = None
    declaration: str | None = None
    against: list[str] = []


class DecisionIn(msgspec.Struct):
    """How a complaint ends."""

    decision: str
    grounds: str


@get("/api/customs/procedures/{procedure_id:uuid}", **guarded("view_procedures", shows=Shows.PERSONAL),
     sync_to_thread=True)  # fmt: skip
def read_procedure(procedure_id: UUID, services: Services) -> dict[str, Any]:
    """One procedure: what was told, every piece of evidence on one axis of time, and what is missing."""
    with services.database.transaction() as tx:
        return page.of(tx, procedure_id, at=services.clock.now())


@post("/api/customs/complaints", **guarded("open_complaint"), sync_to_thread=True)
def open_complaint(data: ComplaintIn, actor: Actor, services: Services) -> dict[str, str]:
    """Write a complaint down; what it is about is held at once."""
    if data.start.tzinfo is None or data.end.tzinfo is None or data.end <= data.start:
        raise BadInput("span-form", "Give a start and a later end, both with a time zone.")
    told = complaints.ComplaintIn(
        by_whom=data.by_whom, text=data.text, contact=data.contact, checkpoint_id=data.checkpoint_id,
        span=Span(data.start, data.end), plate=data.plate or None, declaration=data.declaration or None,
        against=tuple(one.strip() for one in data.against if one.strip()),
    )  # fmt: skip
    with services.database.transaction() as tx:
        made = complaints.open_complaint(tx, actor=actor, told=told, at=services.clock.now())
    return {"id": str(made)}


@get("/api/customs/complaints", **guarded("view_complaints", shows=Shows.PERSONAL), sync_to_thread=True)
def list_complaints(actor: Actor, services: Services) -> dict[str, list[Row]]:
    """All complaints but those about oneself."""
    with services.database.transaction() as tx:
        return {"items": complaints.listed(tx, actor=actor)}


@get("/api/customs/complaints/about-me", **guarded("view_own_complaints"), sync_to_thread=True)
def complaints_about(actor: Actor, services: Services) -> dict[str, list[Row]]:
    """That there are complaints about oneself, and how they stand."""
    with services.database.transaction() as tx:
        return {"items": complaints.about(tx, actor=actor)}


@get("/api/customs/complaints/{complaint_id:uuid}", **guarded("view_complaints", shows=Shows.PERSONAL),
     sync_to_thread=True)  # fmt: skip
def read_complaint(complaint_id: UUID, actor: Actor, services: Services) -> Row:
    """One complaint with its procedures and holds."""
    with services.database.transaction() as tx:
        return complaints.read(tx, actor=actor, complaint_id=complaint_id)


@post("/api/customs/complaints/{complaint_id:uuid}/decide", **guarded("decide_complaint"), sync_to_thread=True)
def decide_complaint(complaint_id: UUID, data: DecisionIn, actor: Actor, services: Services) -> dict[str, bool]:
    """End a complaint with a decision and its grounds."""
    with services.database.transaction() as tx:
        complaints.decide(
            tx, actor=actor, complaint_id=complaint_id, decision=data.decision, grounds=data.grounds,
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


ROUTES = [read_procedure, open_complaint, list_complaints, complaints_about, read_complaint, decide_complaint]
