"""Exhibits behind the door: booked in from a timeline, looked at, handed on, and what happened to each."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.recording_export import parse_range
from svidok.api.services import Services
from svidok.base import BadInput, Conflict, NotFound, Span
from svidok.db import Row, Transaction
from svidok.evidence import arriving, cases, custody, exhibits, stills, transfers
from svidok.evidence.model import Happened
from svidok.evidence.vault import Vault, blocks
from svidok.recording import export
from svidok.recording.timeline import asked_span

_BASIS = "Oversight of processing (LED art. 25(2))"
_QUIET = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
At = Annotated[datetime, QueryParameter(name="at")]


class FootageIn(msgspec.Struct):
    """A range to book in."""

    channel_id: UUID
    start: datetime
    end: datetime
    title: str


class OfferIn(msgspec.Struct):
    """To whom an exhibit is handed on, and why."""

    reason: str
    to_login: str | None = None
    to_unit_id: UUID | None = None


class DecisionIn(msgspec.Struct):
    """What becomes of an offer."""

    how: Happened
    says: str = ""


class StillIn(msgspec.Struct):
    """The instant that a still shows."""

    instant: datetime
    title: str


@post("/api/cases/{case_id:uuid}/exhibits/footage", **guarded("book_exhibit"), sync_to_thread=True)
def book_footage(case_id: UUID, data: FootageIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Book a range of a channel in, and hold it."""
    span = asked_span(data.start, data.end, longest=exhibits.LONGEST)
    with services.database.transaction() as tx:
        exhibit_id = exhibits.book_footage(
            tx, actor=actor, case_id=case_id, channel_id=data.channel_id, span=span, title=data.title,
            at=services.clock.now(), reach=services.reach,
        )  # fmt: skip
    return {"id": exhibit_id}


@get("/api/exhibits/{exhibit_id:uuid}", **guarded("view_exhibit", shows=Shows.PERSONAL), sync_to_thread=True)
def read_exhibit(exhibit_id: UUID, look: Look, services: Services) -> dict[str, Any]:
    """One exhibit with its custody, and whether that holds together."""
    with services.database.transaction() as tx:
        row = _seen(tx, look, exhibit_id, services, Happened.VIEWED)
        lines = custody.rows_of(tx, exhibit_id)
        return {
            "id": row["id"],
            "number": row["number"],
            "title": row["title"],
            "kind": row["kind"],
            "facts": row["facts"],
            "custody": custody.told(lines),
            "broken_at": custody.broken_at(exhibit_id, lines),
            "intact": _intact(tx, row, services),
        }


def _intact(tx: Transaction, row: Row, services: Services) -> str:
    """Whether what was booked in is still there: `same`, `changed`, or `away`."""
    if row["kind"] != "footage":
        return "same" if row["path"] and (vault_of(services).root / row["path"]).is_file() else "away"
    try:
        planned = export.plan(
            tx, row["channel_id"], Span(row["start_at"], row["end_at"]), reach=services.reach, with_signature=False
        )
    except Conflict:
        return "changed"
    return "same" if planned.tag == row["facts"].get("tag") else "changed"


@get("/api/exhibits/{exhibit_id:uuid}/media", **guarded("view_exhibit", shows=Shows.FOOTAGE), sync_to_thread=True)
def play_exhibit(request: Request[Any, Any, Any], exhibit_id: UUID, look: Look, services: Services) -> Stream:
    """An exhibit as a browser shows it, whole or by ranges: footage as one MP4, a file as its playable copy."""
    with services.database.transaction() as tx:
        row = _seen(tx, look, exhibit_id, services, Happened.VIEWED)
        if row["kind"] == "footage":
            span = Span(row["start_at"], row["end_at"])
            planned = export.plan(tx, row["channel_id"], span, reach=services.reach, with_signature=False)
            return _ranged(request, planned.size_bytes, planned.chunks, "video/mp4")
    return serve_file(request, vault_of(services), *_shown(row))


def _shown(row: Row) -> tuple[str, str]:
    """The path and the type of what is shown of an exhibit's file."""
    arriving.require_clean(row)
    if row["playable_path"]:
        return row["playable_path"], row["playable_type"]
    if row["path"] and (row["source"] == "derived" or (row["kind"], row["media_type"]) == ("read", "image/jpeg")):
        return row["path"], row["media_type"]
    raise NotFound("no-playable-copy", "There is no copy of this file that a browser shows. Take the original.")


def serve_file(request: Request[Any, Any, Any], vault: Vault, path: str, media_type: str) -> Stream:
    """A file of the vault, whole or by ranges."""
    file = vault.open_path(path)
    return _ranged(request, file.stat().st_size, lambda first, last: blocks(file, first, last), media_type)


def _ranged(request: Request[Any, Any, Any], size: int, chunks: Any, media_type: str) -> Stream:
    wanted = request.headers.get("range")
    first, last = parse_range(wanted, size)
    headers = {**_QUIET, "Accept-Ranges": "bytes", "Content-Length": str(last - first)}
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    pieces: Iterator[bytes] = chunks(first, last)
    return Stream(pieces, media_type=media_type, headers=headers, status_code=206 if wanted else 200)


@get("/api/exhibits/{exhibit_id:uuid}/original", **guarded("view_exhibit", shows=Shows.FOOTAGE), sync_to_thread=True)
def open_original(exhibit_id: UUID, look: Look, services: Services) -> Stream:
    """A file bit for bit as it came, to be kept and not shown by the browser."""
    with services.database.transaction() as tx:
        row = _seen(tx, look, exhibit_id, services, Happened.OPENED)
    if row["path"] is None:
        raise NotFound("no-file", "This exhibit is no file.")
    arriving.require_clean(row)
    file = vault_of(services).open_path(row["path"])
    headers = {
        **_QUIET,
        "Content-Disposition": f'attachment; filename="{exhibit_id}.bin"',
        "Content-Length": str(row["size_bytes"]),
    }
    return Stream(blocks(file, 0, row["size_bytes"]), media_type="application/octet-stream", headers=headers)


@get("/api/exhibits/{exhibit_id:uuid}/picture", **guarded("view_exhibit", shows=Shows.FOOTAGE), sync_to_thread=True)
def show_picture(exhibit_id: UUID, at: At, look: Look, services: Services) -> Response[bytes]:
    """The picture of footage at an instant, full size."""
    with services.database.transaction() as tx:
        row = _seen(tx, look, exhibit_id, services, Happened.VIEWED)
        picture = stills.picture(tx, row, at, reach=services.reach)
    return Response(picture, media_type="image/jpeg", headers=_QUIET)


@post("/api/exhibits/{exhibit_id:uuid}/stills", **guarded("book_exhibit"), sync_to_thread=True)
def book_still(exhibit_id: UUID, data: StillIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Book a single picture of footage in, tied to what it was taken from."""
    if data.instant.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    with services.database.transaction() as tx:
        still_id = stills.book_still(
            tx, vault_of(services), actor=actor, exhibit_id=exhibit_id, instant=data.instant, title=data.title,
            at=services.clock.now(), reach=services.reach,
        )  # fmt: skip
    return {"id": still_id}


@post("/api/exhibits/{exhibit_id:uuid}/transfers", **guarded("transfer_exhibit"), sync_to_thread=True)
def offer_exhibit(exhibit_id: UUID, data: OfferIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Offer an exhibit to a person or a unit."""
    with services.database.transaction() as tx:
        transfer_id = transfers.offer(
            tx, actor=actor, exhibit_id=exhibit_id, to_login=data.to_login, to_unit_id=data.to_unit_id,
            reason=data.reason, at=services.clock.now(),
        )  # fmt: skip
    return {"id": transfer_id}


@post("/api/transfers/{transfer_id:uuid}", **guarded("transfer_exhibit"), sync_to_thread=True)
def decide_transfer(transfer_id: UUID, data: DecisionIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Accept, refuse or withdraw an offer."""
    with services.database.transaction() as tx:
        transfers.decide(
            tx, actor=actor, transfer_id=transfer_id, how=data.how, says=data.says, at=services.clock.now()
        )
    return {"ok": True}


@get(
    "/api/custody/{exhibit_id:uuid}", **guarded("view_custody", recorded=True, legal_basis=_BASIS), sync_to_thread=True
)
def read_custody(exhibit_id: UUID, services: Services) -> dict[str, Any]:
    """What happened to an exhibit, for who oversees: no title, no picture, only the chain."""
    with services.database.transaction() as tx:
        lines = custody.rows_of(tx, exhibit_id)
        return {"custody": custody.told(lines), "broken_at": custody.broken_at(exhibit_id, lines)}


def _seen(tx: Transaction, look: Look, exhibit_id: UUID, services: Services, kind: Happened) -> Row:
    """The exhibit, for a purpose bound to its case; that it was looked at goes into its custody."""
    at = services.clock.now()
    row, admitted = exhibits.admit_exhibit(tx, actor=look.actor, action="view_exhibit", exhibit_id=exhibit_id, at=at)
    cases.require_purpose(admitted.case, look.purpose)
    goes_on = look.audit_id if kind == Happened.VIEWED else None  # an original that is taken is a line each time
    custody.add_look(tx, exhibit_id=exhibit_id, actor=look.actor, kind=kind, at=at, audit_id=goes_on)
    return row


def vault_of(services: Services) -> Vault:
    """The volume of exhibits."""
    return Vault(services.exhibits or services.data / "exhibits")


ROUTES = [
    book_footage, read_exhibit, play_exhibit, open_original, show_picture, book_still, offer_exhibit, decide_transfer,
    read_custody,
]  # fmt: skip
