"""Figures on customs work behind the door: dashboard, before and after, what is unlike, what is missing, reports."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput, NotFound
from svidok.customs import dashboard, worklist
from svidok.customs.report import make_report
from svidok.db import Row


class ExplanationIn(msgspec.Struct):
    """Why something is missing."""

    explanation: str


class MissingOut(msgspec.Struct):
    """What procedures lack, and how many wait for what may still come."""

    items: list[Row]
    awaited: int


class ReportIn(msgspec.Struct):
    """A monthly report to make: of a checkpoint, the month of a day, `uk` or `en`."""

    checkpoint_id: UUID
    month: date
    language: str = "uk"


@get("/api/customs/figures", **guarded("view_customs"), sync_to_thread=True)
def figures(services: Services, first: date, last: date, checkpoint: UUID | None = None) -> dict[str, Any]:
    """What the dashboard shows of a span of days."""
    with services.database.transaction() as tx:
        return dashboard.overview(tx, checkpoint_id=checkpoint, first=first, last=last)


@get("/api/customs/figures/comparison", **guarded("view_customs"), sync_to_thread=True)
def comparison(
    services: Services, checkpoint: UUID, split: date, days: int = 28, kind: str | None = None
) -> dict[str, Any]:  # fmt: skip
    """Whether clearance changed at a day, with a confidence interval."""
    with services.database.transaction() as tx:
        return dashboard.before_after(tx, checkpoint_id=checkpoint, kind=kind, split=split, days=days)


@get("/api/customs/figures/unlike", **guarded("view_procedures", shows=Shows.PERSONAL), sync_to_thread=True)
def unlike(services: Services, checkpoint: UUID, first: date, last: date) -> dict[str, list[dict[str, Any]]]:
    """Procedures that look unlike their peers, with the reasons."""
    with services.database.transaction() as tx:
        return {"items": dashboard.unlike_peers(tx, checkpoint_id=checkpoint, first=first, last=last)}


@get("/api/customs/missing", **guarded("view_customs"), sync_to_thread=True)
def list_missing(services: Services, checkpoint: UUID | None = None, explained: bool = False) -> MissingOut:
    """What is missing and not worked off, without names; and how many procedures wait for what may still come."""
    with services.database.transaction() as tx:
        return MissingOut(
            items=worklist.open_list(tx, checkpoint_id=checkpoint, explained=explained),
            awaited=worklist.awaited(tx, checkpoint_id=checkpoint),
        )


@post("/api/customs/missing/{missing_id:uuid}/explain", **guarded("explain_missing"), sync_to_thread=True)
def explain(missing_id: UUID, data: ExplanationIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Say why something is missing; it stays missing."""
    with services.database.transaction() as tx:
        worklist.explain(
            tx, actor=actor, missing_id=missing_id, explanation=data.explanation, at=services.clock.now()
        )  # fmt: skip
    return {"ok": True}


@post("/api/customs/reports", **guarded("view_customs"), sync_to_thread=True)
def begin_report(data: ReportIn, look: Look, services: Services) -> dict[str, str]:
    """Make a monthly report; the job's result names it."""
    if data.language not in ("uk", "en"):
        raise BadInput("report-language", "A report is in uk or en.")
    folder = services.data / "reports"

    def work(progress: Progress) -> dict[str, str]:
        report_id = make_report(
            services.database, folder, checkpoint_id=data.checkpoint_id, month=data.month, language=data.language,
            at=services.clock.now(), progress=progress,
        )  # fmt: skip
        return {"report": report_id}

    return {"job": str(services.jobs.start("customs-report", look.actor.id, work, total=5))}


@get("/api/customs/reports/{report_id:uuid}", **guarded("view_customs"), sync_to_thread=True)
def read_report(report_id: UUID, services: Services) -> Response[bytes]:
    """A report as PDF."""
    path = services.data / "reports" / f"{report_id}.pdf"
    if not path.exists():
        raise NotFound("report-not-found", "There is no such report. Make it anew.")
    return Response(
        path.read_bytes(), media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="svidok-customs-{report_id}.pdf"'},
    )  # fmt: skip


ROUTES = [figures, comparison, unlike, list_missing, explain, begin_report, read_report]
