"""Disposal behind the door: what the rules will take next, by class and by camera, and what they took."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import get

from svidok.api.door import guarded
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.db import Transaction
from svidok.fleet import registry
from svidok.recording.judging import Governance
from svidok.recording.reading import SQL

_FURTHEST_DAYS = 3660


class ForeseenOut(msgspec.Struct):
    """What a sweep would do with one retention class: `due` segments go, of which `held` stay."""

    retention_class: str
    channels: int
    before: datetime
    due: int
    due_bytes: int
    held: int
    held_bytes: int
    oldest_at: datetime | None


class PreviewOut(msgspec.Struct):
    """Class by class; a class without a rule in force is not here, and is kept."""

    items: list[ForeseenOut]


class ForeseenCameraOut(msgspec.Struct):
    """What a sweep would do with one channel; the camera is missing where the fleet knows it no more."""

    channel_id: UUID
    camera_id: UUID | None
    number: str
    name_uk: str
    name_en: str
    retention_class: str
    due: int
    due_bytes: int
    held: int
    held_bytes: int
    oldest_at: datetime
    newest_at: datetime


class CamerasPreviewOut(msgspec.Struct):
    """Camera by camera, those with the most bytes first."""

    items: list[ForeseenCameraOut]


def _then(services: Services, days: int) -> datetime:
    """The instant `days` from now; footage that is not there yet is not foreseen."""
    if not 0 <= days <= _FURTHEST_DAYS:
        raise BadInput("days-ahead", f"Look 0 to {_FURTHEST_DAYS} days ahead.")
    return services.clock.now() + timedelta(days=days)


@get("/api/disposals/preview", **guarded("view_storage"), sync_to_thread=True)
def preview_disposals(services: Services, days: int = 0) -> PreviewOut:
    """What a sweep `days` from now would do with each class, by the rules and holds in force now."""
    then = _then(services, days)
    with services.database.transaction() as tx:
        told = Governance(classes=registry.retention_classes).foresee(tx, at=then)
    return PreviewOut([msgspec.convert(one, ForeseenOut, from_attributes=True) for one in told])


@get("/api/disposals/preview/cameras", **guarded("view_storage"), sync_to_thread=True)
def preview_cameras(services: Services, days: int = 0, limit: int = 200) -> CamerasPreviewOut:
    """The same camera by camera."""
    then = _then(services, days)
    with services.database.transaction() as tx:
        told = Governance(classes=registry.retention_classes).foresee_channels(
            tx, at=then, most=max(1, min(limit, 1000))
        )
        named = registry.cameras_of_channels(tx, [one.channel_id for one in told])
    items = []
    for one in told:
        camera = named.get(one.channel_id, {})
        items.append(
            ForeseenCameraOut(
                channel_id=one.channel_id, camera_id=camera.get("camera_id"), number=camera.get("number", ""),
                name_uk=camera.get("name_uk", ""), name_en=camera.get("name_en", ""),
                retention_class=one.retention_class, due=one.due, due_bytes=one.due_bytes, held=one.held,
                held_bytes=one.held_bytes, oldest_at=one.oldest_at, newest_at=one.newest_at,
            )
        )  # fmt: skip
    return CamerasPreviewOut(items)


@get("/api/disposals", **guarded("view_storage"), sync_to_thread=True)
def read_disposals(services: Services, limit: int = 100, after: UUID | None = None) -> dict[str, Any]:
    """What was disposed of, the latest first, with its grounds and its place in the ledger.

    `next` is the `after` of the page that follows.
    """
    most = max(1, min(limit, 1000))
    with services.database.transaction() as tx:
        rows = tx.all(SQL["disposals"], most=most, after=after)
        items = _with_cameras(tx, rows)
    return {"items": items, "next": rows[-1]["id"] if len(rows) == most else None}


def _with_cameras(tx: Transaction, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = registry.cameras_of_channels(tx, list({row["channel_id"] for row in rows}))
    nobody = {"camera_id": None, "number": "", "name_uk": "", "name_en": ""}
    return [{**row, **{name: named.get(row["channel_id"], nobody)[name] for name in nobody}} for row in rows]


ROUTES = [preview_disposals, preview_cameras, read_disposals]
