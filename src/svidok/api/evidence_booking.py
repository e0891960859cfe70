"""Reads and scans booked into a case, behind the door: whoever may see one, and may book into that case."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import post

from svidok.api.door import Look, Shows, guarded
from svidok.api.evidence_exhibits import vault_of
from svidok.api.plates import may_see, purpose_of
from svidok.api.plates_parts import plates_of
from svidok.api.services import Services
from svidok.evidence import booking


class ReadIn(msgspec.Struct, kw_only=True):
    """Which case; `taken_at` finds the read's day, `authorisation` says by which leave an old one was found."""

    case_id: UUID
    title: str
    taken_at: datetime
    authorisation: UUID | None = None


class ScanIn(msgspec.Struct, kw_only=True):
    """Which case."""

    case_id: UUID
    title: str


@post("/api/plates/reads/{read_id:uuid}/exhibits", **guarded("search_plates", shows=Shows.PERSONAL),
      sync_to_thread=True)  # fmt: skip
def book_read(read_id: UUID, data: ReadIn, look: Look, services: Services) -> dict[str, UUID]:
    """Book a read in. It must be one that the purpose of this request lets its reader see."""
    read = may_see(services, look, read_id, data.taken_at, data.authorisation)
    with services.database.transaction() as tx:
        exhibit_id = booking.book_read(
            tx, vault_of(services), plates_of(services).pictures, actor=look.actor, case_id=data.case_id, read=read,
            title=data.title, purpose=purpose_of(look), at=services.clock.now(),
        )  # fmt: skip
    return {"id": exhibit_id}


@post("/api/customs/scans/{scan_id:uuid}/exhibits", **guarded("view_procedures", shows=Shows.FOOTAGE),
      sync_to_thread=True)  # fmt: skip
def book_scan(scan_id: UUID, data: ScanIn, look: Look, services: Services) -> dict[str, UUID]:
    """Book a scan in, as it came."""
    with services.database.transaction() as tx:
        exhibit_id = booking.book_scan(
            tx, vault_of(services), actor=look.actor, case_id=data.case_id, scan_id=scan_id, title=data.title,
            purpose=purpose_of(look), at=services.clock.now(),
        )  # fmt: skip
    return {"id": exhibit_id}


ROUTES = [book_read, book_scan]
