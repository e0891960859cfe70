"""What a dock says of a camera before it sends: counters, clips, events, its clock. Kept once, never taken back.

A manifest is a JSON object of one schema (`MANIFEST_SCHEMA`), by HTTP or beside
the files of a USB disk. It is what turns silence into a gap with a cause: a
clip that was announced and did not come is missing, and says so.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from svidok.base import BadInput
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.model import DeviceEventKind, set_right
from svidok.db import Queries, Row, Transaction
from svidok.fleet import registry

SQL = Queries.of("svidok.bodyworn")


class ManifestClip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clip that the camera says it recorded; instants by its own clock, with a zone."""

    name: str
    start: datetime
    end: datetime
    sequence: int | None = None
    size_bytes: int | None = None
    sha256: str = ""


class ManifestEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened to the camera."""

    at: datetime
    kind: DeviceEventKind


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a dock knows of one camera at one moment. `device_now`: what its clock said then."""

    serial: str
    device_now: datetime | None = None
    firmware: str = ""
    battery_pct: int | None = None
    storage_pct: int | None = None
    counter_clips: int | None = None
    counter_bytes: int | None = None
    clips: list[ManifestClip] = []
    events: list[ManifestEvent] = []


def schema() -> dict[str, Any]:
    """The JSON Schema of a manifest, for makers of docks."""
    made, parts = msgspec.json.schema_components([Manifest], ref_template="#/$defs/{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made[0], "$defs": parts}


def parse_manifest(data: bytes) -> Manifest:
    """A manifest out of its bytes. Raises `BadInput` and says which field is wrong."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BadInput("manifest-unfit", f"The manifest does not fit its schema: {error}") from error
    instants = [manifest.device_now, *(one.at for one in manifest.events)]
    instants += [at for clip in manifest.clips for at in (clip.start, clip.end)]
    if any(at is not None and at.tzinfo is None for at in instants):
        raise BadInput("manifest-no-zone", "Give every instant of the manifest with a zone, e.g. 2026-11-25T10:00:00Z.")
    if any(clip.end < clip.start for clip in manifest.clips):
        raise BadInput("manifest-backwards", "A clip of the manifest ends before it starts.")
    return manifest


def announce(tx: Transaction, *, dock: Dock, manifest: Manifest, at: datetime) -> Row:
    """Enter what a manifest says, and that the camera is in the dock. Raises `BadInput` for a camera we do not know."""
    device = tx.maybe(SQL["device_by_serial"], serial=manifest.serial)
    if device is None:
        raise BadInput(
            "worn-camera-unknown", "No worn camera has this serial number. Enrol it first.", serial=manifest.serial
        )
    camera_id: UUID = device["camera_id"]
    offset_ms = _offset_ms(manifest, at)
    offset_ms = device["clock_offset_ms"] if offset_ms is None else offset_ms
    tx.run(
        SQL["device_seen"], camera_id=camera_id, at=at, firmware=manifest.firmware, battery_pct=manifest.battery_pct,
        storage_pct=manifest.storage_pct, clock_offset_ms=offset_ms, counter_clips=manifest.counter_clips,
        counter_bytes=manifest.counter_bytes,
    )  # fmt: skip
    if offset_ms is not None:
        tx.run(registry.SQL["set_clock_offset"], camera_id=camera_id, offset_ms=offset_ms)
    tx.run_many(
        SQL["announce"],
        [
            {
                "camera_id": camera_id, "name": clip.name, "sequence": clip.sequence, "at": at,
                "start_at": set_right(clip.start, offset_ms), "end_at": set_right(clip.end, offset_ms),
                "size_bytes": clip.size_bytes, "sha256": bytes.fromhex(clip.sha256) if clip.sha256 else None,
            }
            for clip in manifest.clips
        ],
    )  # fmt: skip
    happened = [(set_right(event.at, offset_ms), event.kind) for event in manifest.events]
    add_events(tx, camera_id, [*happened, (at, DeviceEventKind.DOCKED)])
    tx.run(SQL["issues_docked"], camera_id=camera_id, at=at)
    return device


def add_events(tx: Transaction, camera_id: UUID, events: list[tuple[datetime, DeviceEventKind]]) -> None:
    """Enter events of a camera, at our time, each once."""
    rows = [{"camera_id": camera_id, "at": at, "kind": str(kind)} for at, kind in events]
    tx.run_many(SQL["add_device_event"], rows)


def _offset_ms(manifest: Manifest, at: datetime) -> int | None:
    """How far the camera's clock ran ahead of ours when the dock read it."""
    if manifest.device_now is None:
        return None
    return round((manifest.device_now - at).total_seconds() * 1000)
