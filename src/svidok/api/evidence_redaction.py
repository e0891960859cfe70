"""Redaction behind the door: proposed by a job, edited picture by picture, passed twice, made by a job."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.evidence_exhibits import vault_of
from svidok.api.evidence_files import paced
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.db import Row
from svidok.evidence import cases, exhibits, redactions
from svidok.evidence.tracks import Cover
from svidok.media.pictures import jpeg_of

_QUIET = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
_WIDEST = 1920


class CoverIn(msgspec.Struct):
    """A cover: keys as [picture, x, y, width, height]."""

    first: int
    last: int
    keys: list[tuple[int, float, float, float, float]]
    kind: str = "region"
    off: bool = False


class HowIn(msgspec.Struct):
    """How it is covered."""

    style: str
    mute: bool
    silences: list[tuple[int, int]] = []  # without sound, from and to in milliseconds of the film


class SaysIn(msgspec.Struct):
    """What somebody says."""

    says: str = ""


@post("/api/exhibits/{exhibit_id:uuid}/redactions", **guarded("redact_exhibit"), sync_to_thread=True)
def begin_redaction(exhibit_id: UUID, actor: Actor, services: Services) -> dict[str, UUID]:
    """Begin a redaction; the job that copies the film and looks for what has to be covered."""
    with services.database.transaction() as tx:
        exhibits.admit_exhibit(tx, actor=actor, action="redact_exhibit", exhibit_id=exhibit_id, at=services.clock.now())

    def work(progress: Progress) -> dict[str, Any]:
        redaction_id = redactions.begin(
            services.database, vault_of(services), actor=actor, exhibit_id=exhibit_id, at=services.clock.now(),
            reach=services.reach,
        )  # fmt: skip
        return _propose(services, actor, redaction_id, progress)

    return {"job": services.jobs.start("redact-propose", actor.id, work)}


@post("/api/redactions/{redaction_id:uuid}/propose", **guarded("redact_exhibit"), sync_to_thread=True)
def go_on_proposing(redaction_id: UUID, actor: Actor, services: Services) -> dict[str, UUID]:
    """Go on with a search that was broken off."""
    with services.database.transaction() as tx:
        redactions.admit_redaction(
            tx, actor=actor, action="redact_exhibit", redaction_id=redaction_id, at=services.clock.now()
        )
    work = lambda progress: _propose(services, actor, redaction_id, progress)  # noqa: E731
    return {"job": services.jobs.start("redact-propose", actor.id, work)}


def _propose(services: Services, actor: Actor, redaction_id: UUID, progress: Progress) -> dict[str, Any]:
    covers = redactions.propose(
        services.database, vault_of(services), actor=actor, redaction_id=redaction_id, at=services.clock.now(),
        tell=paced(progress, services),
    )  # fmt: skip
    return {"redaction": redaction_id, "covers": covers}


@get("/api/redactions/{redaction_id:uuid}", **guarded("view_exhibit", shows=Shows.FOOTAGE), sync_to_thread=True)
def read_redaction(redaction_id: UUID, look: Look, services: Services) -> dict[str, Any]:
    """A redaction with its covers."""
    with services.database.transaction() as tx:
        row = _admitted(tx, redaction_id, look, services)
        hidden = {"path", "source_sha256"}
        return {
            "redaction": {name: value for name, value in row.items() if name not in hidden},
            "covers": redactions.covers_of(tx, redaction_id),
            "yours_to_review": row["state"] == "asked" and row["asked_by"] != look.actor.id,
        }


@get("/api/redactions/{redaction_id:uuid}/reference", **guarded("view_exhibit"), sync_to_thread=True)
def reference_of_redaction(redaction_id: UUID, actor: Actor, services: Services) -> dict[str, Any]:
    """The reference that a purpose has to be bound to, before anything of the redaction is shown."""
    with services.database.transaction() as tx:
        _, admitted = redactions.admit_redaction(
            tx, actor=actor, action="view_exhibit", redaction_id=redaction_id, at=services.clock.now()
        )
    return {"reference_id": admitted.case["reference_id"], "number": admitted.case["number"]}


@get(
    "/api/redactions/{redaction_id:uuid}/picture",
    **guarded("view_exhibit", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def show_redaction_picture(
    redaction_id: UUID, number: int, look: Look, services: Services, width: int = 960
) -> Response[bytes]:
    """A picture of the film, not covered: for whoever covers it."""
    if not 32 <= width <= _WIDEST:
        raise BadInput("width-out-of-range", "The width must be from 32 to 1920 pixels.")
    with services.database.transaction() as tx:
        row = _admitted(tx, redaction_id, look, services)
    picture = jpeg_of(vault_of(services).open_path(row["path"]), number, width=width)
    return Response(picture, media_type="image/jpeg", headers=_QUIET)


@put("/api/redactions/{redaction_id:uuid}", **guarded("redact_exhibit"), sync_to_thread=True)
def set_redaction(redaction_id: UUID, data: HowIn, actor: Actor, services: Services) -> dict[str, bool]:
    """How it is covered, and whether the sound goes."""
    with services.database.transaction() as tx:
        redactions.set_how(
            tx, actor=actor, redaction_id=redaction_id, style=data.style, mute=data.mute, silences=data.silences,
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


@post("/api/redactions/{redaction_id:uuid}/covers", **guarded("redact_exhibit"), sync_to_thread=True)
def draw_cover(redaction_id: UUID, data: CoverIn, actor: Actor, services: Services) -> dict[str, UUID]:
    """Draw a cover."""
    with services.database.transaction() as tx:
        cover_id = redactions.add_cover(
            tx, actor=actor, redaction_id=redaction_id, cover=_cover(data), at=services.clock.now()
        )
    return {"id": cover_id}


@put("/api/redactions/{redaction_id:uuid}/covers/{cover_id:uuid}", **guarded("redact_exhibit"), sync_to_thread=True)
def change_cover(
    redaction_id: UUID, cover_id: UUID, data: CoverIn, actor: Actor, services: Services
) -> dict[str, bool]:
    """Move, lengthen, take off or put back a cover."""
    with services.database.transaction() as tx:
        redactions.change_cover(
            tx, actor=actor, redaction_id=redaction_id, cover_id=cover_id, cover=_cover(data), off=data.off,
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


def _cover(data: CoverIn) -> Cover:
    kind = data.kind if data.kind in ("face", "head", "plate") else "region"
    return Cover(kind=kind, first=data.first, last=data.last, keys=tuple(data.keys))


@post("/api/redactions/{redaction_id:uuid}/review", **guarded("redact_exhibit"), sync_to_thread=True)
def ask_review(redaction_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """The first pass is done: ask another person for the second."""
    with services.database.transaction() as tx:
        redactions.ask_review(tx, actor=actor, redaction_id=redaction_id, at=services.clock.now())
    return {"ok": True}


@post("/api/redactions/{redaction_id:uuid}/return", **guarded("review_redaction"), sync_to_thread=True)
def return_redaction(redaction_id: UUID, data: SaysIn, actor: Actor, services: Services) -> dict[str, bool]:
    """The second pass found something that is not covered."""
    with services.database.transaction() as tx:
        redactions.give_back(tx, actor=actor, redaction_id=redaction_id, says=data.says, at=services.clock.now())
    return {"ok": True}


@post("/api/redactions/{redaction_id:uuid}/accept", **guarded("review_redaction"), sync_to_thread=True)
def accept_redaction(redaction_id: UUID, actor: Actor, services: Services) -> dict[str, UUID]:
    """The second pass found all covered; the job that makes the film anew."""
    with services.database.transaction() as tx:
        redactions.require_reviewer(tx, actor=actor, redaction_id=redaction_id, at=services.clock.now())

    def work(progress: Progress) -> dict[str, Any]:
        made = redactions.accept(
            services.database, vault_of(services), actor=actor, redaction_id=redaction_id, at=services.clock.now(),
            tell=paced(progress, services),
        )  # fmt: skip
        return {"exhibit": made}

    return {"job": services.jobs.start("redact-make", actor.id, work)}


def _admitted(tx: Any, redaction_id: UUID, look: Look, services: Services) -> Row:
    row, admitted = redactions.admit_redaction(
        tx, actor=look.actor, action="view_exhibit", redaction_id=redaction_id, at=services.clock.now()
    )
    cases.require_purpose(admitted.case, look.purpose)
    return row


ROUTES = [
    begin_redaction, go_on_proposing, reference_of_redaction, read_redaction, show_redaction_picture, set_redaction,
    draw_cover, change_cover, ask_review, return_redaction, accept_redaction,
]  # fmt: skip
