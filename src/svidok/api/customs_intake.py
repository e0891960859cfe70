"""Where customs systems tell of procedures. Not for people: a source shows its secret, and speaks for its checkpoints.

Nothing is shown here; who told what is in `customs.delivery` and in the ledger.
"""

from typing import Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Request, get, post

from svidok.api.door import PUBLIC
from svidok.api.services import Services
from svidok.customs import importing
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


@get("/api/customs/intake/schema", **PUBLIC, sync_to_thread=True)
def tell_schema() -> dict[str, Any]:
    """The JSON Schema of the contract."""
    return schema()


ROUTES = [take_procedures, tell_schema]
