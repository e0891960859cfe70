"""Cases behind the door: the list, one case with all that one may see of it, its members, its notes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post

from svidok.access import Actor
from svidok.api import evidence_booking, evidence_disclosure, evidence_exhibits, evidence_files, evidence_redaction
from svidok.api.door import Look, Shows, guarded
from svidok.api.services import Services
from svidok.base import BadInput, Span
from svidok.db import Row
from svidok.evidence import cases, disclosures, exhibits, redactions, transfers
from svidok.evidence.model import DataSubjects, Standing
from svidok.governance import ReferenceKind, purposes


class CaseIn(msgspec.Struct):
    """A case to open: on a reference that is there, or on a new one (number, title, legal basis)."""

    data_subjects: list[DataSubjects]
    reference_id: UUID | None = None
    number: str = ""
    title: str = ""
    legal_basis: str = ""
    summary: str = ""


class MemberIn(msgspec.Struct):
    """Somebody to let in, or to bar."""

    login: str
    standing: Standing
    reason: str
    until: datetime | None = None
    history_start: datetime | None = None
    history_end: datetime | None = None


class NoteIn(msgspec.Struct):
    """A note; with an instant it is a bookmark."""

    text: str
    exhibit_id: UUID | None = None
    instant: datetime | None = None


class ReasonIn(msgspec.Struct):
    """Why."""

    reason: str


@get("/api/cases", **guarded("view_cases"), sync_to_thread=True)
def list_cases(actor: Actor, services: Services) -> dict[str, list[Row]]:
    """My cases, open ones first."""
    with services.database.transaction() as tx:
        return {"items": cases.cases_of(tx, actor=actor, at=services.clock.now())}


@post("/api/cases", **guarded("open_case"), sync_to_thread=True)
def open_case(data: CaseIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Open a case, and its reference where there is none yet."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        reference_id = data.reference_id
        if reference_id is None:
            reference_id = purposes.open_reference(
                tx, actor=actor, kind=ReferenceKind.CASE, number=data.number, title=data.title,
                legal_basis=data.legal_basis, at=at,
            ).id  # fmt: skip
        case_id = cases.open_case(
            tx, actor=actor, reference_id=reference_id, data_subjects=data.data_subjects, summary=data.summary, at=at
        )
    return {"id": case_id, "reference_id": reference_id}


@get("/api/cases/people", **guarded("view_cases"), sync_to_thread=True)
def list_people(services: Services) -> dict[str, list[Row]]:
    """Everybody who could be let into a case."""
    with services.database.transaction() as tx:
        return {"items": cases.people(tx)}


@get("/api/cases/{case_id:uuid}", **guarded("view_cases", shows=Shows.PERSONAL), sync_to_thread=True)
def read_case(case_id: UUID, look: Look, services: Services) -> dict[str, Any]:
    """All that one may see of a case. The purpose must be bound to this very case."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        admitted = cases.admit(tx, actor=look.actor, action="view_cases", case_id=case_id, at=at)
        cases.require_purpose(admitted.case, look.purpose)
        seen = exhibits.exhibits_of(tx, admitted)
        return {
            "case": admitted.case,
            "standing": str(admitted.stand.standing),
            "history": _span(admitted.stand.history),
            "members": cases.members(tx, case_id),
            "exhibits": [exhibit_out(row) for row in seen],
            "channels": list(exhibits.channels_named(tx, seen).values()),
            "notes": exhibits.notes_of(tx, admitted, seen),
            "transfers": transfers.transfers_of(tx, admitted, seen),
            "disclosures": disclosures.disclosures_of(tx, case_id),
            "redactions": redactions.redactions_of(tx, seen),
        }


def _span(span: Span | None) -> dict[str, datetime] | None:
    return {"start": span.start, "end": span.end} if span else None


def exhibit_out(row: Row) -> Row:
    """An exhibit as the page reads it: no path of ours, hashes as text."""
    hidden = {"path", "playable_path", "sha256"}
    return {name: value for name, value in row.items() if name not in hidden} | {
        "sha256": bytes(row["sha256"]).hex() if row["sha256"] else None,
        "playable": row["kind"] == "footage" or bool(row["playable_path"]) or row["kind"] == "redacted",
        "held": row["hold_id"] is None or row["hold_lifted_at"] is None,
    }


@post("/api/cases/{case_id:uuid}/members", **guarded("lead_case"), sync_to_thread=True)
def let_in(case_id: UUID, data: MemberIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Let somebody in, for a time and a stretch of history where one is given."""
    with services.database.transaction() as tx:
        cases.let_in(
            tx, actor=actor, case_id=case_id, login=data.login, standing=data.standing, reason=data.reason,
            until_at=data.until, history=_history(data), at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


def _history(data: MemberIn) -> Span | None:
    start, end = data.history_start, data.history_end
    if start is None and end is None:
        return None
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None or end <= start:
        raise BadInput("span-form", "Give a start and a later end, both with a time zone.")
    return Span(start, end)


@post("/api/cases/{case_id:uuid}/members/{account_id:uuid}/end", **guarded("lead_case"), sync_to_thread=True)
def end_standing(case_id: UUID, account_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Somebody is of the case no more."""
    with services.database.transaction() as tx:
        cases.end_standing(tx, actor=actor, case_id=case_id, account_id=account_id, at=services.clock.now())
    return {"ok": True}


@post("/api/cases/{case_id:uuid}/close", **guarded("lead_case"), sync_to_thread=True)
def close_case(case_id: UUID, data: ReasonIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Close a case."""
    with services.database.transaction() as tx:
        cases.close_case(tx, actor=actor, case_id=case_id, reason=data.reason, at=services.clock.now())
    return {"ok": True}


@post("/api/cases/{case_id:uuid}/notes", **guarded("annotate_exhibit"), sync_to_thread=True)
def add_note(case_id: UUID, data: NoteIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Write a note, or a bookmark."""
    with services.database.transaction() as tx:
        note_id = exhibits.add_note(
            tx, actor=actor, case_id=case_id, exhibit_id=data.exhibit_id, instant=data.instant, text=data.text,
            at=services.clock.now(),
        )  # fmt: skip
    return {"id": note_id}


@post("/api/notes/{note_id:uuid}/strike", **guarded("annotate_exhibit"), sync_to_thread=True)
def strike_note(note_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Strike a note out; it stays readable."""
    with services.database.transaction() as tx:
        exhibits.strike_note(tx, actor=actor, note_id=note_id, at=services.clock.now())
    return {"ok": True}


ROUTES = [
    list_cases, open_case, list_people, read_case, let_in, end_standing, close_case, add_note, strike_note,
    *evidence_exhibits.ROUTES, *evidence_files.ROUTES, *evidence_disclosure.ROUTES,
    *evidence_redaction.ROUTES, *evidence_booking.ROUTES,
]  # fmt: skip
