"""Files from outside behind the door: announced, sent piece by piece, acknowledged once they are kept and stated."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Request, get, post, put
from litestar.params import QueryParameter

from svidok.access import Actor
from svidok.api.door import guarded
from svidok.api.evidence_exhibits import vault_of
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.evidence import arriving, deriving
from svidok.evidence.model import Source
from svidok.evidence.vault import PIECE_BYTES

_TELL_EVERY_S = 1.0


class UploadIn(msgspec.Struct):
    """What is said of a file before it comes."""

    name: str
    size_bytes: int
    title: str
    source: Source
    obtained: str
    media_type: str = "application/octet-stream"
    start: datetime | None = None
    end: datetime | None = None


@post("/api/cases/{case_id:uuid}/uploads", **guarded("book_exhibit"), sync_to_thread=True)
def announce_file(case_id: UUID, data: UploadIn, actor: Actor, services: Services) -> dict[str, Any]:
    """Say that a file will come; where to send it and how much at a time."""
    told = arriving.Told(
        name=data.name, size_bytes=data.size_bytes, media_type=data.media_type, title=data.title, source=data.source,
        obtained=data.obtained, start_at=data.start, end_at=data.end,
    )  # fmt: skip
    with services.database.transaction() as tx:
        upload_id = arriving.announce(
            tx, vault_of(services), actor=actor, case_id=case_id, told=told, at=services.clock.now()
        )
    return {"id": upload_id, "piece_bytes": PIECE_BYTES // 4, "received": 0}


@get("/api/uploads/{upload_id:uuid}", **guarded("book_exhibit"), sync_to_thread=True)
def read_upload(upload_id: UUID, actor: Actor, services: Services) -> dict[str, Any]:
    """How far a file has come: whoever goes on begins there."""
    with services.database.transaction() as tx:
        row = arriving.upload_of(tx, actor=actor, upload_id=upload_id)
    received = row["size_bytes"] if row["exhibit_id"] else vault_of(services).received(upload_id)
    return {"id": upload_id, "size_bytes": row["size_bytes"], "received": received, "exhibit_id": row["exhibit_id"]}


@put("/api/uploads/{upload_id:uuid}", **guarded("book_exhibit"))
async def send_piece(
    request: Request[Any, Any, Any],
    upload_id: UUID,
    actor: Actor,
    services: Services,
    offset: Annotated[int, QueryParameter(name="offset", ge=0)] = 0,
) -> dict[str, int]:
    """A piece of the file, in the body, that goes at `offset`."""
    piece = await request.body()

    def take() -> int:
        return arriving.receive(
            services.database, vault_of(services), actor=actor, upload_id=upload_id, offset=offset, piece=piece
        )

    return {"received": await anyio.to_thread.run_sync(take)}


@post("/api/uploads/{upload_id:uuid}/finish", **guarded("book_exhibit"), sync_to_thread=True)
def finish_file(upload_id: UUID, actor: Actor, services: Services) -> dict[str, UUID]:
    """The file is whole: it is hashed and entered before this answers. A job looks at it and makes a playable copy."""
    vault = vault_of(services)
    exhibit_id = arriving.finish(services.database, vault, actor=actor, upload_id=upload_id, at=services.clock.now())
    return {"id": exhibit_id, "job": look_at_file(services, actor, exhibit_id)}


def look_at_file(services: Services, actor: Actor, exhibit_id: UUID) -> UUID:
    """Begin the job that scans an exhibit's file and makes what browsers show of it."""
    vault = vault_of(services)

    def work(progress: Progress) -> dict[str, Any]:
        said = arriving.scan_exhibit(
            services.database, vault, actor=actor, exhibit_id=exhibit_id, socket=services.clamav_socket,
            at=services.clock.now(),
        )  # fmt: skip
        if said.verdict == "infected":
            return {"exhibit": exhibit_id, "scan": said.verdict, "playable": None}
        made = deriving.make_playable(
            services.database, vault, actor=actor, exhibit_id=exhibit_id, at=services.clock.now(),
            tell=paced(progress, services),
        )  # fmt: skip
        return {"exhibit": exhibit_id, "scan": said.verdict, "playable": made}

    return services.jobs.start("look-at-file", actor.id, work)


def paced(progress: Progress, services: Services) -> deriving.Tell:
    """Tells the job's row how far it is, once a second at most."""
    told = [0.0]

    def tell(done: int, total: int | None) -> None:
        now = services.clock.monotonic()
        if now - told[0] >= _TELL_EVERY_S:
            told[0] = now
            progress(done, total)

    return tell


ROUTES = [announce_file, read_upload, send_piece, finish_file]
