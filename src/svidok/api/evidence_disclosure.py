"""Disclosure behind the door: asked, shown exactly, approved by another, made by a job, taken out."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.response import Stream

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.evidence_exhibits import vault_of
from svidok.api.evidence_files import paced
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput, Span, Unavailable
from svidok.db import Row
from svidok.evidence import cases, disclosing, disclosures
from svidok.evidence.disclosures import Chosen, Wish
from svidok.evidence.vault import blocks


class ItemIn(msgspec.Struct):
    """An exhibit that is to leave, or a part of it."""

    exhibit_id: UUID
    start: datetime | None = None
    end: datetime | None = None


class DisclosureIn(msgspec.Struct):
    """What is to leave, to whom and why."""

    to_name: str
    reason: str
    legal_basis: str
    items: list[ItemIn]
    to_service: str = ""
    note: str = ""


class VerdictIn(msgspec.Struct):
    """Whether it may leave."""

    approve: bool
    says: str = ""


@post("/api/cases/{case_id:uuid}/disclosures", **guarded("prepare_disclosure"), sync_to_thread=True)
def ask_disclosure(case_id: UUID, data: DisclosureIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Ask to disclose."""
    wish = Wish(
        to_name=data.to_name, to_service=data.to_service, reason=data.reason, legal_basis=data.legal_basis,
        note=data.note,
    )  # fmt: skip
    with services.database.transaction() as tx:
        disclosure_id = disclosures.ask(
            tx, actor=actor, case_id=case_id, wish=wish, chosen=[_chosen(one) for one in data.items],
            at=services.clock.now(),
        )  # fmt: skip
    return {"id": disclosure_id}


def _chosen(item: ItemIn) -> Chosen:
    if item.start is None and item.end is None:
        return Chosen(exhibit_id=item.exhibit_id)
    start, end = item.start, item.end
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None or end <= start:
        raise BadInput("span-form", "Give a start and a later end, both with a time zone.")
    return Chosen(exhibit_id=item.exhibit_id, span=Span(start, end))


@get("/api/disclosures", **guarded("approve_disclosure"), sync_to_thread=True)
def list_asked(actor: Actor, services: Services) -> dict[str, list[Row]]:
    """What waits for me to approve it."""
    with services.database.transaction() as tx:
        return {"items": disclosures.asked(tx, actor=actor, at=services.clock.now())}


@get("/api/disclosures/{disclosure_id:uuid}", **guarded("view_cases", shows=Shows.PERSONAL), sync_to_thread=True)
def preview_disclosure(disclosure_id: UUID, look: Look, services: Services) -> dict[str, Any]:
    """Exactly what leaves."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        row = disclosures.for_reading(tx, actor=look.actor, disclosure_id=disclosure_id, at=at)
        cases.require_purpose(row, look.purpose)
        return disclosures.preview(tx, actor=look.actor, disclosure_id=disclosure_id, at=at, reach=services.reach)


@get("/api/disclosures/{disclosure_id:uuid}/reference", **guarded("view_cases"), sync_to_thread=True)
def reference_of_disclosure(disclosure_id: UUID, actor: Actor, services: Services) -> dict[str, Any]:
    """The reference that a purpose has to be bound to, before anything of the disclosure is shown."""
    with services.database.transaction() as tx:
        row = disclosures.for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=services.clock.now())
    return {"reference_id": row["reference_id"], "number": row["case_number"]}


@post("/api/disclosures/{disclosure_id:uuid}/decision", **guarded("approve_disclosure"), sync_to_thread=True)
def decide_disclosure(disclosure_id: UUID, data: VerdictIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Approve or refuse."""
    with services.database.transaction() as tx:
        disclosures.decide(
            tx, actor=actor, disclosure_id=disclosure_id, approve=data.approve, says=data.says,
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


@post("/api/disclosures/{disclosure_id:uuid}/withdraw", **guarded("prepare_disclosure"), sync_to_thread=True)
def withdraw_disclosure(disclosure_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """I want it no more."""
    with services.database.transaction() as tx:
        disclosures.withdraw(tx, actor=actor, disclosure_id=disclosure_id, at=services.clock.now())
    return {"ok": True}


@post("/api/disclosures/{disclosure_id:uuid}/bundle", **guarded("hand_over"), sync_to_thread=True)
def make_bundle(disclosure_id: UUID, actor: Actor, services: Services) -> dict[str, UUID]:
    """Make the bundle of what was approved; the job that does it."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        row = disclosures.for_reading(tx, actor=actor, disclosure_id=disclosure_id, at=at)
        cases.admit(tx, actor=actor, action="hand_over", case_id=row["case_id"], at=at)
    means = services.bundle_means
    if means is None:
        raise Unavailable("bundles-not-set-up", "This machine makes no bundles: its ledger and keys are elsewhere.")

    def work(progress: Progress) -> dict[str, Any]:
        made = disclosing.make_bundle(
            services.database, vault_of(services), actor=actor, disclosure_id=disclosure_id,
            ledger=services.ledger_folder, means=means, at=services.clock.now(), reach=services.reach,
            tell=paced(progress, services),
        )  # fmt: skip
        return {"disclosure": disclosure_id, "size_bytes": made["size_bytes"], "sha256": bytes(made["sha256"]).hex()}

    return {"job": services.jobs.start("make-bundle", actor.id, work, total=4)}


@get("/api/disclosures/{disclosure_id:uuid}/bundle", **guarded("hand_over", shows=Shows.FOOTAGE), sync_to_thread=True)
def take_bundle(request: Request[Any, Any, Any], disclosure_id: UUID, look: Look, services: Services) -> Stream:
    """The bundle. That it leaves is a row and a ledger entry before its first byte does."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        row = disclosures.for_reading(tx, actor=look.actor, disclosure_id=disclosure_id, at=at)
        cases.require_purpose(row, look.purpose)
        row = disclosures.hand_over(tx, actor=look.actor, disclosure_id=disclosure_id, at=at)
    file = vault_of(services).open_path(row["path"])
    headers = {
        "Cache-Control": "no-store",
        "Content-Length": str(row["size_bytes"]),
        "Content-Disposition": f'attachment; filename="svidok-disclosure-{row["number"]}.zip"',
    }
    return Stream(blocks(file, 0, row["size_bytes"]), media_type="application/zip", headers=headers)


ROUTES = [
    ask_disclosure, list_asked, reference_of_disclosure, preview_disclosure, decide_disclosure, withdraw_disclosure,
    make_bundle, take_bundle,
]  # fmt: skip
