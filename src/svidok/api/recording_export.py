"""An export as a download that knows its size and can be continued, and the sidecar that proves it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from svidok.api.door import Shows, guarded
from svidok.api.services import Services
from svidok.base import SvidokError
from svidok.recording import export
from svidok.recording.timeline import asked_span

From = Annotated[datetime, QueryParameter(name="from")]
To = Annotated[datetime, QueryParameter(name="to")]


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
    return Stream(
        planned.chunks(first, last), media_type="video/mp4", headers=headers, status_code=206 if wanted else 200
    )


@get(
    "/api/channels/{channel_id:uuid}/export/proof",
    **guarded("export_footage", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def download_proof(channel_id: UUID, start: From, end: To, services: Services) -> Stream:
    """The sidecar of the export of the same range."""
    planned = _plan(services, channel_id, start, end)
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


ROUTES = [download_export, download_proof]
