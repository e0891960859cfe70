"""An export as a download that knows its size and can be continued, and the sidecar that proves it.

A page makes a ticket first, which is where leave is asked for and written
down; the ticket's plain links then go to disk by themselves.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.services import Services
from svidok.api.tickets import Ticket, TicketState
from svidok.base import SvidokError
from svidok.governance.purposes import valid_purpose
from svidok.recording import export
from svidok.recording.timeline import asked_span

From = Annotated[datetime, QueryParameter(name="from")]
To = Annotated[datetime, QueryParameter(name="to")]


class TicketOut(msgspec.Struct):
    """An export that may begin: its plain links are `/api/exports/<ticket>/media` and `…/proof`."""

    ticket: str
    name: str
    size_bytes: int
    sent_bytes: int
    state: TicketState


class RangeNotThere(SvidokError):
    """The bytes asked for lie outside of the file."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__("range-not-there", "The file has no such bytes.", size=size)


@get("/api/channels/{channel_id:uuid}/export", **guarded("export_footage", shows=Shows.FOOTAGE), sync_to_thread=True)
def download_export(
    request: Request[Any, Any, Any], channel_id: UUID, start: From, end: To, services: Services
) -> Stream:
    """A range of a channel as one MP4, whole or from where a broken download stopped."""
    planned = _plan(services, channel_id, start, end)
    first, last, headers = _range(request, planned)
    return Stream(
        planned.chunks(first, last), media_type="video/mp4", headers=headers,
        status_code=206 if "Content-Range" in headers else 200,
    )  # fmt: skip


def _range(request: Request[Any, Any, Any], planned: export.ExportPlan) -> tuple[int, int, dict[str, str]]:
    """The bytes that are asked for, and what to say of them."""
    tag = f'"{planned.tag}"'
    wanted = request.headers.get("range")
    if request.headers.get("if-range", tag) != tag:
        wanted = None
    first, last = parse_range(wanted, planned.size_bytes)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{planned.name}"',
        "Content-Length": str(last - first),
        "ETag": tag,
    }
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{planned.size_bytes}"
    return first, last, headers


@get(
    "/api/channels/{channel_id:uuid}/export/proof",
    **guarded("export_footage", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def download_proof(channel_id: UUID, start: From, end: To, services: Services) -> Stream:
    """The sidecar of the export of the same range."""
    return _proof(services, _plan(services, channel_id, start, end))


def _proof(services: Services, planned: export.ExportPlan) -> Stream:
    pieces = export.prove(services.database, planned, log_folder=services.ledger_folder)
    name = export.proof_name(planned.name)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(pieces, media_type="application/json", headers=headers)


def _plan(services: Services, channel_id: UUID, start: datetime, end: datetime) -> export.ExportPlan:
    span = asked_span(start, end, longest=export.LONGEST)
    with services.database.transaction() as tx:
        return export.plan(tx, channel_id, span, reach=services.reach)


def parse_range(header: str | None, size: int) -> tuple[int, int]:
    """First byte and the one after the last (RFC 9110, 14.1.2); all of the file where no range is asked for.

    Raises `RangeNotThere` for what lies outside, and for several ranges at once, which nobody needs here.

    >>> parse_range(None, 10), parse_range("bytes=2-4", 10), parse_range("bytes=7-", 10), parse_range("bytes=-3", 10)
    ((0, 10), (2, 5), (7, 10), (7, 10))
    """
    if not header:
        return 0, size
    unit, _, asked = header.partition("=")
    first, dash, last = asked.strip().partition("-")
    plain = all(part == "" or (part.isascii() and part.isdigit()) for part in (first, last))
    if unit.strip() != "bytes" or not dash or not plain or (not first and not last):
        raise RangeNotThere(size)
    if not first:
        return max(0, size - int(last)), size
    begin, end = int(first), min(size, int(last) + 1) if last else size
    if begin >= end:
        raise RangeNotThere(size)
    return begin, end


@post(
    "/api/channels/{channel_id:uuid}/export/ticket",
    **guarded("export_footage", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def make_ticket(channel_id: UUID, start: From, end: To, look: Look, services: Services) -> TicketOut:
    """Leave for one export: planned, written down, and good for one download that begins soon."""
    planned = _plan(services, channel_id, start, end)
    made = services.exports.make(
        planned, owner_id=look.actor.id, purpose_id=look.purpose.id if look.purpose else None,
        now_s=services.clock.monotonic(),
    )  # fmt: skip
    return _told(made)


@get("/api/exports/{ticket:str}", **guarded("export_footage"), sync_to_thread=True)
def read_ticket(ticket: str, actor: Actor, services: Services) -> TicketOut:
    """How far an export is."""
    return _told(_find(services, actor, ticket))


@delete("/api/exports/{ticket:str}", **guarded("export_footage"), sync_to_thread=True, status_code=200)
def cancel_ticket(ticket: str, actor: Actor, services: Services) -> TicketOut:
    """Stop an export: its download breaks off."""
    found = _find(services, actor, ticket)
    if found.state != TicketState.DONE:
        found.state = TicketState.CANCELLED
    return _told(found)


@get("/api/exports/{ticket:str}/media", **guarded("export_footage"), sync_to_thread=True)
def download_by_ticket(request: Request[Any, Any, Any], ticket: str, actor: Actor, services: Services) -> Stream:
    """The MP4, once; it goes on where a broken download stopped. Its look was written down with the ticket."""
    found = _find(services, actor, ticket)
    first, last, headers = _range(request, found.plan)
    found.begin(first)
    return Stream(
        found.chunks(first, last), media_type="video/mp4", headers=headers,
        status_code=206 if "Content-Range" in headers else 200,
    )  # fmt: skip


@get("/api/exports/{ticket:str}/proof", **guarded("export_footage"), sync_to_thread=True)
def download_proof_by_ticket(ticket: str, actor: Actor, services: Services) -> Stream:
    """The sidecar of the same export."""
    return _proof(services, _find(services, actor, ticket).plan)


def _find(services: Services, actor: Actor, ticket_id: str) -> Ticket:
    """The person's ticket, while its purpose holds."""
    found = services.exports.find(ticket_id, owner_id=actor.id, now_s=services.clock.monotonic())
    if found.purpose_id is not None:
        with services.database.transaction() as tx:
            valid_purpose(tx, actor=actor, purpose_id=found.purpose_id, at=services.clock.now())
    return found


def _told(one: Ticket) -> TicketOut:
    return TicketOut(
        ticket=one.id, name=one.plan.name, size_bytes=one.plan.size_bytes, sent_bytes=one.sent, state=one.state
    )


ROUTES = [
    download_export, download_proof, make_ticket, read_ticket, cancel_ticket, download_by_ticket,
    download_proof_by_ticket,
]  # fmt: skip
