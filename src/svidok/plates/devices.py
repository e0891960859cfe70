"""The devices that read plates by themselves: who they are, for which cameras they speak, and by what secret.

A secret is 256 random bits; it is shown once and kept as its SHA-256, which
needs no salt at that strength. Nothing here takes a read.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound, new_id
from svidok.db import Queries, Row, Transaction
from svidok.fleet import registry
from svidok.plates.model import Source

SQL = Queries.parse(resources.files(__package__).joinpath("devices.sql").read_text("utf-8"))

PER_S = 50.0
LONGEST_GRACE = timedelta(days=7)
# Their messages always name a part of the device itself; where it has one camera, that is meant.
_NAME_THEIR_PARTS = frozenset({Source.ONVIF, Source.OPENALPR})
_MOST_CAMERAS = 1000
_MOST_TOLD = 200
_PREFIX = "svp_"  # so that a secret which leaks is recognised for what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCamera:
    """A camera as the door needs it: where it is, and its first channel."""

    id: UUID
    lat: float | None
    lon: float | None
    channel_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as the door knows it. `cameras` by the name the device calls them; empty: the one it need not name."""

    id: UUID
    name: str
    source: Source
    enabled: bool
    expires_at: datetime | None
    per_s: float
    cameras: Mapping[str, DeviceCamera]

    def camera(self, told: str) -> DeviceCamera | None:
        """The camera it calls `told`, by its own name or by our id; nothing where it is none of its own."""
        found = self.cameras.get(told)
        if found is None and told:
            found = next((one for one in self.cameras.values() if str(one.id) == told.lower()), None)
        if (
            found is None
            and len(self.cameras) == 1
            and (not told or (self.source in _NAME_THEIR_PARTS and "" in self.cameras))
        ):
            found = next(iter(self.cameras.values()))
        return found


def secret_hash(secret: str) -> bytes:
    """How a secret is kept."""
    return hashlib.sha256(secret.encode()).digest()


def add(
    tx: Transaction,
    *,
    actor: Actor,
    name: str,
    source: Source,
    cameras: Mapping[str, UUID],
    at: datetime,
    topic: str | None = None,
    per_s: float = PER_S,
    expires_at: datetime | None = None,
) -> tuple[UUID, str]:
    """Register a device: its id, and its secret, which is told this once. `per_s` in reads a second."""
    require(actor, "edit_fleet")
    if source == Source.OWN:
        raise BadInput("device-source", "Our own reader needs no device. Choose onvif, openalpr, frigate or contract.")
    device_id, secret = new_id(), _new_secret()
    _check(name=name, topic=topic, per_s=per_s, expires_at=expires_at, at=at)
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_device"], id=device_id, name=name.strip(), source=str(source), secret=secret_hash(secret),
                topic=topic, expires_at=expires_at, per_s=per_s, added_by=actor.id, at=at,
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("device-known", "Another device has this name or this topic already.") from error
    _set_cameras(tx, device_id, cameras)
    _write_down(tx, actor, device_id, at, {"added": name.strip(), "source": str(source), "cameras": _named(cameras)})
    return device_id, secret


def change(
    tx: Transaction, *, actor: Actor, device_id: UUID, changes: Mapping[str, Any], at: datetime
) -> None:  # fmt: skip
    """Change `name`, `topic`, `enabled`, `expires_at`, `per_s` or `cameras`; raises `BadInput` for anything else."""
    require(actor, "edit_fleet")
    unknown = set(changes) - {"name", "topic", "enabled", "expires_at", "per_s", "cameras"}
    if unknown:
        raise BadInput("device-field", "This of a device cannot be changed.", field=sorted(unknown)[0])
    row = one(tx, device_id)
    new = {field: changes.get(field, row[field]) for field in ("name", "topic", "enabled", "expires_at", "per_s")}
    _check(
        name=new["name"], topic=new["topic"], per_s=new["per_s"], at=at,
        expires_at=changes.get("expires_at"),
    )  # fmt: skip
    try:
        with tx.connection.transaction():
            tx.run(SQL["change_device"], id=device_id, **new | {"name": new["name"].strip()})
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("device-known", "Another device has this name or this topic already.") from error
    if "cameras" in changes:
        _set_cameras(tx, device_id, changes["cameras"])
    told = {field: _named(value) if field == "cameras" else str(value) for field, value in changes.items()}
    _write_down(tx, actor, device_id, at, {"changed": told})


def rotate(tx: Transaction, *, actor: Actor, device_id: UUID, grace: timedelta, at: datetime) -> str:
    """A new secret, told this once. The old one works on for `grace` (0 to 7 days): none where it leaked."""
    require(actor, "edit_fleet")
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise BadInput("device-grace", "The old secret may go on working for 0 to 168 hours.")
    secret = _new_secret()
    if not tx.run(SQL["rotate_secret"], id=device_id, secret=secret_hash(secret), old_until=at + grace):
        raise NotFound("device-unknown", "There is no such device.")
    _write_down(tx, actor, device_id, at, {"rotated": True, "old_works_s": int(grace.total_seconds())})
    return secret


def all_devices(tx: Transaction) -> list[Row]:
    """Every device as a row with its cameras and what it came to; never a secret."""
    return tx.all(SQL["devices"], id=None)


def one(tx: Transaction, device_id: UUID) -> Row:
    """One device as a row; `NotFound` where there is none."""
    return tx.one(SQL["devices"], id=device_id)


def rejected(tx: Transaction, device_id: UUID, *, limit: int = 100) -> list[Row]:
    """What was kept aside of a device, the latest first; without the bodies."""
    return tx.all(SQL["rejected_of"], device_id=device_id, limit=max(1, min(limit, 500)))


def by_secret(tx: Transaction, secret: str, *, at: datetime) -> Device | None:
    """Whose secret this is; nothing where nobody's, or where its time is over. Enabled or not is for the door."""
    row = tx.maybe(SQL["device_by_secret"], secret=secret_hash(secret))
    if row is None or not (row["current"] or at < row["old_until"]):
        return None
    return by_id(tx, row["id"])


def by_topic(tx: Transaction, topic: str) -> Device | None:
    """Who stands behind `topic` of the customer's broker."""
    row = tx.maybe(SQL["device_by_topic"], topic=topic)
    return by_id(tx, row["id"]) if row else None


def by_id(tx: Transaction, device_id: UUID) -> Device:
    """A device as the door knows it; `NotFound` where there is none."""
    row = tx.one(SQL["device_to_hear"], id=device_id)
    cameras = {
        told: DeviceCamera(id=UUID(camera), lat=lat, lon=lon, channel_id=UUID(channel) if channel else None)
        for told, camera, lat, lon, channel in row["cameras"] or ()
    }
    return Device(
        id=row["id"], name=row["name"], source=Source(row["source"]), enabled=row["enabled"],
        expires_at=row["expires_at"], per_s=row["per_s"], cameras=cameras,
    )  # fmt: skip


def of_camera(tx: Transaction, camera_id: UUID) -> Device | None:
    """A camera of the fleet that we ask ourselves (PullPoint): its login is known already, so it has no secret."""
    row = tx.maybe(SQL["camera_to_hear"], camera_id=camera_id)
    if row is None:
        return None
    camera = DeviceCamera(id=row["id"], lat=row["lat"], lon=row["lon"], channel_id=row["channel_id"])
    return Device(
        id=row["id"], name=row["number"], source=Source.ONVIF, enabled=True, expires_at=None, per_s=PER_S,
        cameras={"": camera},
    )  # fmt: skip


def _new_secret() -> str:
    return _PREFIX + secrets.token_urlsafe(32)


def _check(*, name: str, topic: str | None, per_s: float, expires_at: datetime | None, at: datetime) -> None:
    if not 1 <= len(name.strip()) <= 80 or not name.isprintable():
        raise BadInput("device-name", "Give the device a name of 1 to 80 characters.")
    if not 0.1 <= per_s <= 5000:
        raise BadInput("device-rate", "A device may send 0.1 to 5,000 reads a second.")
    if topic is not None and (not 1 <= len(topic) <= _MOST_TOLD or {"#", "+", "\0"} & set(topic)):
        raise BadInput("device-topic", "A topic prefix has 1 to 200 characters and no wildcards.")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= at):
        raise BadInput("device-expiry", "Give an instant to come, with a time zone.")


def _set_cameras(tx: Transaction, device_id: UUID, cameras: Mapping[str, UUID]) -> None:
    if not 1 <= len(cameras) <= _MOST_CAMERAS or any(len(told) > _MOST_TOLD or "\0" in told for told in cameras):
        raise BadInput("device-cameras", f"A device speaks for 1 to {_MOST_CAMERAS} cameras with short names.")
    for camera_id in set(cameras.values()):
        if tx.maybe(registry.SQL["camera_by_id"], id=camera_id) is None:
            raise BadInput("camera-unknown", "There is no such camera. Enter it in the fleet first.")
    tx.run(SQL["drop_device_cameras"], device_id=device_id)
    tx.run_many(
        SQL["add_device_camera"],
        [{"device_id": device_id, "told": told, "camera_id": camera_id} for told, camera_id in cameras.items()],
    )


def _named(cameras: Mapping[str, UUID]) -> dict[str, Any]:
    return {told: str(camera_id) for told, camera_id in list(cameras.items())[:50]}


def _write_down(tx: Transaction, actor: Actor, device_id: UUID, at: datetime, what: dict[str, Any]) -> None:
    audit.record(tx, actor=actor, action="edit_fleet", what={"plate_device": str(device_id), **what}, at=at, to_whom="")
