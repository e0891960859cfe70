"""Where customs systems tell of procedures. Not for people: a source shows its secret, and speaks for its checkpoints.

Nothing is shown here; who told what is in `customs.delivery` and in the ledger.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Request, get, post

from svidok.api.door import PUBLIC
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.customs import importing, scans
from svidok.customs.checkpoints import Source, source_of
from svidok.customs.contract import schema

_SHOWN_REFUSED = 1000


class RefusedOut(msgspec.Struct):
    """A row that could not be taken; it is kept."""

    line: int
    number: str
    reason: str


class DeliveryOut(msgspec.Struct):
    """What became of a delivery."""

    id: UUID
    taken: int
    corrected: int
    known: int
    refused_count: int
    refused: list[RefusedOut]


class ScanOut(msgspec.Struct):
    """A scan that is kept. `aside`: kept as it came, and not believed to be a scan; `says` why. `disposed`: it came
    before, and its retention rule ended it."""

    id: UUID
    sha256: str
    state: str
    says: str


def secret_of(request: Request[Any, Any, Any]) -> str:
    """What the caller shows."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


@post("/api/customs/intake/procedures", **PUBLIC, status_code=200)
async def take_procedures(request: Request[Any, Any, Any], services: Services) -> DeliveryOut:
    """Take procedures as JSON or, by its content type, as CSV; up to 10,000 at once."""
    secret, text = secret_of(request), request.headers.get("content-type", "").startswith("text/csv")
    source = await anyio.to_thread.run_sync(_source, services, secret)  # before the body is read at all
    return await anyio.to_thread.run_sync(_take, services, source, await request.body(), text)


def _source(services: Services, secret: str) -> Source:
    with services.database.transaction() as tx:
        return source_of(tx, secret, at=services.clock.now())


def _take(services: Services, source: Source, body: bytes, text: bool) -> DeliveryOut:
    rows = importing.rows_of_text(body) if text else importing.rows_of_json(body)
    with services.database.transaction() as tx:
        done = importing.take(tx, source, rows, at=services.clock.now())
    told = [RefusedOut(line=one.line, number=one.number, reason=one.says) for one in done.refused[:_SHOWN_REFUSED]]
    return DeliveryOut(
        id=done.id, taken=done.taken, corrected=done.corrected, known=done.known, refused_count=len(done.refused),
        refused=told,
    )  # fmt: skip


@post("/api/customs/intake/scans", **PUBLIC, status_code=201, request_max_body_size=scans.MOST_BYTES)
async def take_scan(
    request: Request[Any, Any, Any],
    services: Services,
    checkpoint: str,
    device: str,
    taken_at: datetime,
    procedure: str | None = None,
    declaration: str | None = None,
    plate: str | None = None,
) -> ScanOut:
    """Take one scan as the body of the request. 201: it is on disk, synced, hashed and in the ledger's queue."""
    if taken_at.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    told = scans.ScanTold(
        checkpoint=checkpoint, device=device[:80], taken_at=taken_at, procedure=procedure, declaration=declaration,
        plate=plate,
    )  # fmt: skip
    source = await anyio.to_thread.run_sync(_source, services, secret_of(request))
    incoming = await anyio.to_thread.run_sync(_begin_scan, services)
    try:
        async for piece in request.stream():
            await anyio.to_thread.run_sync(incoming.write, piece)
        return await anyio.to_thread.run_sync(_keep_scan, services, source, told, incoming)
    finally:
        incoming.drop()


def _begin_scan(services: Services) -> scans.Incoming:
    with services.database.transaction() as tx:
        return scans.Incoming(scans.place_for(tx, node=services.node))


def _keep_scan(services: Services, source: Source, told: scans.ScanTold, incoming: scans.Incoming) -> ScanOut:
    at = services.clock.now()
    with services.database.transaction() as tx:
        before = scans.known(tx, source, incoming.sha256)
        if before is None:
            scan_id = scans.enter_scan(tx, source, told, incoming, incoming.keep(at=at), at=at)
    if before is not None:
        return ScanOut(id=before["id"], sha256=incoming.sha256.hex(), state=before["state"], says=before["says"])
    row = scans.derive(services.database, scan_id)
    state = "disposed" if row["disposed_at"] else row["state"]
    return ScanOut(id=scan_id, sha256=incoming.sha256.hex(), state=state, says=row["says"])


@get("/api/customs/intake/schema", **PUBLIC, sync_to_thread=True)
def tell_schema() -> dict[str, Any]:
    """The JSON Schema of the contract."""
    return schema()


ROUTES = [take_procedures, take_scan, tell_schema]
