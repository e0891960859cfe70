"""Doors for devices that read plates, and the register of those devices.

A device is no person: it has no session, no role and no purpose, and sees
nothing. So its doors are `PUBLIC` in the table of routes, and each asks for the
device's own secret (`Authorization: Bearer …`, or Basic with the secret as the
password), before it reads the body's meaning. What a device may do is add reads
of its own cameras; `plates.intake` holds it to that and to its rate.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Request, Response, get, patch, post

from svidok.access import Actor
from svidok.api.door import PUBLIC, guarded
from svidok.api.pace import TooOften
from svidok.api.plates_parts import plates_of
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.db import Row
from svidok.plates import devices, intake_contract, intake_openalpr
from svidok.plates.devices import Device
from svidok.plates.intake import Rejected, Taken
from svidok.plates.intake_submission import Refusal, Submission
from svidok.plates.model import Source

MOST_BODY = 6 * 1024 * 1024
_DOOR: dict[str, Any] = {"opt": {**PUBLIC["opt"], "device": True}, "request_max_body_size": MOST_BODY}
Translate = Callable[[bytes], list[Submission | Refusal]]


class TakenOut(msgspec.Struct, kw_only=True):
    """What a message came to. `ids` in the order of the message, unset for what was rejected. Taken is safe."""

    taken: int
    repeated: int
    rejected: list[Rejected]
    ids: list[UUID | None]
    left_out: dict[str, list[str]]


class DeviceCameraOut(msgspec.Struct, kw_only=True):
    """A camera that a device speaks for, and what the device calls it."""

    told: str
    camera_id: UUID


class DeviceOut(msgspec.Struct, kw_only=True):
    """A device and how it fares; never its secret."""

    id: UUID
    name: str
    source: str
    topic: str | None
    enabled: bool
    expires_at: datetime | None
    per_s: float
    added_at: datetime
    last_seen: datetime | None
    taken: int
    repeated: int
    rejected: int
    refused: int
    cameras: list[DeviceCameraOut]


class DevicesOut(msgspec.Struct, kw_only=True):
    """Every device."""

    items: list[DeviceOut]


class DeviceIn(msgspec.Struct, kw_only=True):
    """A device to register. `cameras`: by what the device calls them (empty: it names none), our ids."""

    name: str
    source: Source
    cameras: dict[str, UUID]
    topic: str | None = None
    per_s: float = devices.PER_S
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class SecretOut(msgspec.Struct, kw_only=True):
    """A secret, told this once."""

    id: UUID
    secret: str


class RotateIn(msgspec.Struct, kw_only=True):
    """For how many hours the old secret goes on working; none where it leaked."""

    grace_hours: int = 24


class RejectedOut(msgspec.Struct, kw_only=True):
    """What was kept aside."""

    id: UUID
    at: datetime
    code: str
    says: str
    bytes: int


class RejectedAllOut(msgspec.Struct, kw_only=True):
    """What was kept aside of a device, the latest first."""

    items: list[RejectedOut]


@post("/api/devices/reads", **_DOOR, status_code=200)
async def take_reads(request: Request[Any, Any, Any], services: Services) -> Response[TakenOut]:
    """Reads by our own contract (its schema: `/api/devices/schema`). An answer of 200 means: what was taken is safe."""
    return await _take(request, services, intake_contract.translate)


@post("/api/devices/openalpr", **_DOOR, status_code=200)
async def take_openalpr(request: Request[Any, Any, Any], services: Services) -> Response[TakenOut]:
    """What OpenALPR and Rekor Scout agents post."""
    return await _take(request, services, lambda body: intake_openalpr.translate(intake_contract.json_object(body)))


@get("/api/devices/schema", **PUBLIC)
async def show_schema() -> dict[str, Any]:
    """The JSON Schema of a batch of reads: it says what may be sent, and holds no data."""
    return intake_contract.schema()


async def _take(request: Request[Any, Any, Any], services: Services, translate: Translate) -> Response[TakenOut]:
    secret = secret_of(request.headers.get("authorization", ""))
    device = await anyio.to_thread.run_sync(_admit, request, services, secret)
    body = await request.body()

    def work() -> Taken:
        door, at = plates_of(services).door, services.clock.now()
        try:
            told = translate(body)
        except BadInput as error:
            door.reject_body(device, error, body, at=at)
            raise
        return door.take(device, told, at=at)

    taken = await anyio.to_thread.run_sync(work)
    return Response(TakenOut(**{name: getattr(taken, name) for name in TakenOut.__struct_fields__}))


def _admit(request: Request[Any, Any, Any], services: Services, secret: str) -> Device:
    """The device behind a secret. Who guesses is slowed down by address; who has a secret is not."""
    at = services.clock.now()
    device = None
    if secret:
        with services.database.transaction() as tx:
            device = devices.by_secret(tx, secret, at=at)
    if device is None:
        address = request.client.host if request.client else "unknown"
        if not request.app.state.pace.allows(address, services.clock.monotonic()):
            raise TooOften
    return plates_of(services).door.check(device, at=at)


def secret_of(header: str) -> str:
    """The secret in an `Authorization` header; empty where there is none.

    >>> secret_of("Bearer svp_x")
    'svp_x'
    """
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


@get("/api/plates/devices", **guarded("edit_fleet"), sync_to_thread=True)
def list_devices(services: Services) -> DevicesOut:
    """The devices that read plates by themselves, and how they fare."""
    with services.database.transaction() as tx:
        return DevicesOut(items=[_device_out(row) for row in devices.all_devices(tx)])


@post("/api/plates/devices", **guarded("edit_fleet"), sync_to_thread=True)
def add_device(data: DeviceIn, services: Services, actor: Actor) -> SecretOut:
    """Register a device; its secret is told this once."""
    with services.database.transaction() as tx:
        device_id, secret = devices.add(
            tx, actor=actor, name=data.name, source=data.source, cameras=data.cameras, topic=data.topic,
            per_s=data.per_s, expires_at=data.expires_at, at=services.clock.now(),
        )  # fmt: skip
    return SecretOut(id=device_id, secret=secret)


@patch("/api/plates/devices/{device_id:uuid}", **guarded("edit_fleet"), sync_to_thread=True)
def change_device(device_id: UUID, data: dict[str, Any], services: Services, actor: Actor) -> dict[str, bool]:
    """Change `name`, `topic`, `enabled`, `expires_at`, `per_s` or `cameras`."""
    with services.database.transaction() as tx:
        devices.change(tx, actor=actor, device_id=device_id, changes=_changes(data), at=services.clock.now())
    return {"ok": True}


@post("/api/plates/devices/{device_id:uuid}/rotate", **guarded("edit_fleet"), sync_to_thread=True)
def rotate_device(device_id: UUID, data: RotateIn, services: Services, actor: Actor) -> SecretOut:
    """A new secret; the old one goes on working for the hours given."""
    with services.database.transaction() as tx:
        secret = devices.rotate(
            tx, actor=actor, device_id=device_id, grace=timedelta(hours=data.grace_hours), at=services.clock.now()
        )
    return SecretOut(id=device_id, secret=secret)


@get("/api/plates/devices/{device_id:uuid}/rejected", **guarded("edit_fleet"), sync_to_thread=True)
def list_rejected(device_id: UUID, services: Services) -> RejectedAllOut:
    """What was kept aside of a device, without what it said: that may be a plate."""
    with services.database.transaction() as tx:
        rows = devices.rejected(tx, device_id)
    return RejectedAllOut(items=[RejectedOut(**row) for row in rows])


def _device_out(row: Row) -> DeviceOut:
    cameras = [DeviceCameraOut(told=one["told"], camera_id=UUID(one["camera_id"])) for one in row["cameras"] or ()]
    names = set(DeviceOut.__struct_fields__) - {"cameras"}
    return DeviceOut(cameras=cameras, **{name: row[name] for name in names})


def _changes(data: dict[str, Any]) -> dict[str, Any]:
    """What was sent, in the types that the room wants."""
    wanted: dict[str, Any] = {
        "name": str, "topic": str | None, "enabled": bool, "per_s": float,
        "expires_at": Annotated[datetime, msgspec.Meta(tz=True)] | None, "cameras": dict[str, UUID],
    }  # fmt: skip
    try:
        return {name: msgspec.convert(value, wanted.get(name, Any)) for name, value in data.items()}
    except msgspec.ValidationError as error:
        raise BadInput("device-field", f"{error}.") from error


ROUTES = [
    take_reads, take_openalpr, show_schema, list_devices, add_device, change_device, rotate_device, list_rejected,
]  # fmt: skip
