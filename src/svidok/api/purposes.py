"""References and purposes."""

from uuid import UUID

import msgspec
from litestar import get, post

from svidok.access import Actor
from svidok.api.door import guarded
from svidok.api.services import Services
from svidok.governance import Purpose, Reference, ReferenceKind
from svidok.governance import purposes as verbs


class ReferenceOut(msgspec.Struct):
    """An incident, a case or a duty."""

    id: str
    kind: str
    number: str
    title: str
    legal_basis: str
    opened_at: str
    closed_at: str | None


class PurposeOut(msgspec.Struct):
    """Why somebody looks."""

    id: str
    reference: ReferenceOut
    reason: str
    opened_at: str
    expires_at: str


class ReferenceIn(msgspec.Struct):
    """A reference to open."""

    kind: ReferenceKind
    number: str
    title: str
    legal_basis: str


class PurposeIn(msgspec.Struct):
    """A purpose to choose."""

    reference_id: UUID
    reason: str


def reference_out(reference: Reference) -> ReferenceOut:
    """As the page reads it."""
    return ReferenceOut(
        id=str(reference.id), kind=str(reference.kind), number=reference.number, title=reference.title,
        legal_basis=reference.legal_basis, opened_at=reference.opened_at.isoformat(),
        closed_at=reference.closed_at.isoformat() if reference.closed_at else None,
    )  # fmt: skip


def purpose_out(purpose: Purpose) -> PurposeOut:
    """As the page reads it."""
    return PurposeOut(
        id=str(purpose.id), reference=reference_out(purpose.reference), reason=purpose.reason,
        opened_at=purpose.opened_at.isoformat(), expires_at=purpose.expires_at.isoformat(),
    )  # fmt: skip


@get("/api/references", **guarded("choose_purpose"), sync_to_thread=True)
def list_references(services: Services, closed: bool = False) -> dict[str, list[ReferenceOut]]:
    """The references, open ones first."""
    with services.database.transaction() as tx:
        return {"items": [reference_out(one) for one in verbs.references(tx, with_closed=closed)]}


@post("/api/references", **guarded("open_reference"), sync_to_thread=True)
def open_reference(data: ReferenceIn, actor: Actor, services: Services) -> ReferenceOut:
    """Open a reference."""
    with services.database.transaction() as tx:
        return reference_out(
            verbs.open_reference(
                tx, actor=actor, kind=data.kind, number=data.number, title=data.title, legal_basis=data.legal_basis,
                at=services.clock.now(),
            )
        )  # fmt: skip


@post("/api/references/{reference_id:uuid}/close", **guarded("open_reference"), sync_to_thread=True)
def close_reference(reference_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Close a reference."""
    with services.database.transaction() as tx:
        verbs.close_reference(tx, actor=actor, reference_id=reference_id, at=services.clock.now())
    return {"ok": True}


@get("/api/purposes", **guarded("choose_purpose"), sync_to_thread=True)
def list_purposes(actor: Actor, services: Services) -> dict[str, list[PurposeOut]]:
    """My purposes that run."""
    with services.database.transaction() as tx:
        return {"items": [purpose_out(one) for one in verbs.purposes_of(tx, actor=actor, at=services.clock.now())]}


@post("/api/purposes", **guarded("choose_purpose"), sync_to_thread=True)
def choose_purpose(data: PurposeIn, actor: Actor, services: Services) -> PurposeOut:
    """Say why I look."""
    with services.database.transaction() as tx:
        return purpose_out(
            verbs.choose_purpose(
                tx, actor=actor, reference_id=data.reference_id, reason=data.reason, at=services.clock.now()
            )
        )


ROUTES = [list_references, open_reference, close_reference, list_purposes, choose_purpose]
