"""Customs behind the door: the register of checkpoints and sources, deliveries, and procedures."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import QueryParameter

from svidok.access import Actor
from svidok.api import customs_complaints, customs_figures
from svidok.api.door import Shows, guarded
from svidok.api.services import Services
from svidok.customs import checkpoints, importing, procedures, scans
from svidok.customs.procedures import Asked
from svidok.db import Row
from svidok.recording.timeline import asked_span

From = Annotated[datetime, QueryParameter(name="from")]
To = Annotated[datetime, QueryParameter(name="to")]
LONGEST = timedelta(days=366)


class CheckpointIn(msgspec.Struct):
    """A checkpoint to enter."""

    code: str
    name_uk: str
    name_en: str = ""
    plates_due: bool = False
    body_due: bool = True
    upload_within_s: int = 43_200
    scan_within_s: int = 3600


class LaneIn(msgspec.Struct):
    """A lane to enter."""

    code: str
    name_uk: str
    name_en: str = ""


class ChannelsIn(msgspec.Struct):
    """Which channels should see a lane."""

    channel_ids: list[UUID]


class SourceIn(msgspec.Struct):
    """A system to let in; without checkpoints it speaks for all."""

    name: str
    checkpoints: list[UUID] | None = None


class MadeOut(msgspec.Struct):
    """What was entered. `secret` is told this once."""

    id: UUID
    secret: str | None = None


class ProceduresOut(msgspec.Struct):
    """A page of procedures."""

    items: list[Row]
    next: str | None


@get("/api/customs/checkpoints", **guarded("view_customs"), sync_to_thread=True)
def list_checkpoints(services: Services) -> dict[str, list[Row]]:
    """Every checkpoint with its lanes."""
    with services.database.transaction() as tx:
        rows = checkpoints.checkpoints(tx)
    for row in rows:
        row["upload_within_s"] = int(row.pop("upload_within").total_seconds())
        row["scan_within_s"] = int(row.pop("scan_within").total_seconds())
    return {"items": rows}


@post("/api/customs/checkpoints", **guarded("manage_customs"), sync_to_thread=True)
def add_checkpoint(data: CheckpointIn, actor: Actor, services: Services) -> MadeOut:
    """Enter a checkpoint."""
    with services.database.transaction() as tx:
        made = checkpoints.add_checkpoint(
            tx, actor=actor, code=data.code, name_uk=data.name_uk, name_en=data.name_en, plates_due=data.plates_due,
            body_due=data.body_due, upload_within=timedelta(seconds=data.upload_within_s),
            scan_within=timedelta(seconds=data.scan_within_s), at=services.clock.now(),
        )  # fmt: skip
    return MadeOut(id=made)


@post("/api/customs/checkpoints/{checkpoint_id:uuid}/lanes", **guarded("manage_customs"), sync_to_thread=True)
def add_lane(checkpoint_id: UUID, data: LaneIn, actor: Actor, services: Services) -> MadeOut:
    """Enter a lane."""
    with services.database.transaction() as tx:
        made = checkpoints.add_lane(
            tx, actor=actor, checkpoint_id=checkpoint_id, code=data.code, name_uk=data.name_uk, name_en=data.name_en,
            at=services.clock.now(),
        )  # fmt: skip
    return MadeOut(id=made)


@put("/api/customs/lanes/{lane_id:uuid}/cameras", **guarded("manage_customs"), sync_to_thread=True)
def set_lane_cameras(lane_id: UUID, data: ChannelsIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Say which channels should see a lane."""
    with services.database.transaction() as tx:
        checkpoints.set_lane_cameras(
            tx, actor=actor, lane_id=lane_id, channel_ids=data.channel_ids, at=services.clock.now()
        )
    return {"ok": True}


@get("/api/customs/lane-cameras", **guarded("manage_customs"), sync_to_thread=True)
def list_lane_cameras(services: Services) -> dict[str, dict[str, str]]:
    """The numbers of the cameras that see lanes, by channel."""
    with services.database.transaction() as tx:
        return {"items": {str(channel): number for channel, number in checkpoints.lane_cameras(tx).items()}}


@get("/api/customs/sources", **guarded("manage_customs"), sync_to_thread=True)
def list_sources(services: Services) -> dict[str, list[Row]]:
    """The systems that may tell us of procedures."""
    with services.database.transaction() as tx:
        return {"items": checkpoints.sources(tx)}


@post("/api/customs/sources", **guarded("manage_customs"), sync_to_thread=True)
def add_source(data: SourceIn, actor: Actor, services: Services) -> MadeOut:
    """Let a system in; its secret is told this once."""
    with services.database.transaction() as tx:
        made, secret = checkpoints.add_source(
            tx, actor=actor, name=data.name, checkpoints=data.checkpoints, at=services.clock.now()
        )
    return MadeOut(id=made, secret=secret)


@delete("/api/customs/sources/{source_id:uuid}", **guarded("manage_customs"), sync_to_thread=True, status_code=200)
def end_source(source_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Its secret opens nothing any more."""
    with services.database.transaction() as tx:
        checkpoints.end_source(tx, actor=actor, source_id=source_id, at=services.clock.now())
    return {"ok": True}


@get("/api/customs/deliveries", **guarded("view_customs"), sync_to_thread=True)
def list_deliveries(services: Services) -> dict[str, list[Row]]:
    """The latest deliveries, and the rows that could not be taken; never the rows themselves."""
    with services.database.transaction() as tx:
        return {"items": importing.deliveries(tx), "refused": importing.refused_rows(tx)}


@get("/api/customs/procedures", **guarded("view_procedures", shows=Shows.PERSONAL), sync_to_thread=True)
def find_procedures(
    services: Services,
    start: From,
    end: To,
    checkpoint: UUID | None = None,
    lane: UUID | None = None,
    kind: str | None = None,
    plate: str | None = None,
    declaration: str | None = None,
    number: str | None = None,
    lacking: bool = False,
    irregular: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> ProceduresOut:
    """Procedures that began in a span."""
    span = asked_span(start, end, longest=LONGEST)
    asked = Asked(
        start=span.start, end=span.end, checkpoint_id=checkpoint, lane_id=lane, kind=kind, plate=plate,
        declaration=declaration, number=number, lacking=lacking, irregular=irregular,
    )  # fmt: skip
    with services.database.transaction() as tx:
        rows, following = procedures.find(tx, asked, cursor=cursor, limit=limit)
    return ProceduresOut(items=rows, next=following)


@get("/api/customs/scans/aside", **guarded("view_customs"), sync_to_thread=True)
def list_aside(services: Services) -> dict[str, list[Row]]:
    """Scans that were put aside, and those that belong to no procedure yet."""
    with services.database.transaction() as tx:
        return {"items": tx.all(checkpoints.SQL["scans_aside"])}


@get(
    "/api/customs/scans/{scan_id:uuid}/picture", **guarded("view_procedures", shows=Shows.FOOTAGE), sync_to_thread=True
)
def scan_picture(scan_id: UUID, services: Services) -> Response[bytes]:
    """The picture of a scan."""
    with services.database.transaction() as tx:
        return Response(scans.picture_of(tx, scan_id), media_type="image/jpeg")


@get(
    "/api/customs/scans/{scan_id:uuid}/original", **guarded("view_procedures", shows=Shows.FOOTAGE), sync_to_thread=True
)
def scan_original(scan_id: UUID, services: Services) -> Response[bytes]:
    """The scan as it came, byte for byte."""
    with services.database.transaction() as tx:
        row, data = scans.original_of(tx, scan_id)
    name = f'attachment; filename="{scan_id}{Path(row["path"]).suffix}"'
    return Response(data, media_type="application/octet-stream", headers={"Content-Disposition": name})


ROUTES = [
    list_aside, scan_picture, scan_original,
    list_checkpoints, add_checkpoint, add_lane, set_lane_cameras, list_lane_cameras, list_sources, add_source,
    end_source, list_deliveries, find_procedures,
    *customs_complaints.ROUTES, *customs_figures.ROUTES,
]  # fmt: skip
