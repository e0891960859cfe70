"""What a device says it saw, and whether that can be a read. Pure: no clock, no store, no picture is opened here.

Each tongue (`intake_contract`, `intake_openalpr`, `intake_frigate`,
`intake_onvif`) only translates into `Submission`; what may be taken is decided
here, once for all of them. What makes a read unusable refuses it; a detail that
cannot be true is left out, and named, because the plate is worth more than its speed.
"""

import math
import unicodedata
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec

from svidok.base import BadInput
from svidok.plates.devices import Device, DeviceCamera
from svidok.plates.model import MAX_ALTERNATIVES, MAX_AS_READ, MAX_PLATE, Direction, Read, Source
from svidok.vision.plate_text import normal

AHEAD = timedelta(minutes=5)  # a camera's clock may be that fast
_SIGNS = frozenset(" -.·•_/\\:|'’°*–—")  # what separates groups on plates, or stands for a bolt or an emblem
_MOST_KEY = 200
_MOST_KMH = 500.0
_MOST_PIXELS = 65_535
_VEHICLES = {
    "car": "car", "sedan": "car", "suv": "car", "hatchback": "car", "wagon": "car", "taxi": "car",
    "truck": "truck", "lorry": "truck", "tractor": "truck", "garbage_truck": "truck", "bus": "bus", "school_bus": "bus",
    "coach": "bus", "motorcycle": "motorcycle", "motorbike": "motorcycle", "moped": "motorcycle",
    "van": "van", "minivan": "van", "pickup": "van", "trailer": "trailer",
}  # fmt: skip


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One read as a device tells it, in any tongue. `raw` is what is kept aside where it cannot be taken.

    `key` is the device's own name for the read; `camera` what it calls the
    camera, empty where it names none. `confidence` 0 to 1, `box` x, y, width, height.
    """

    plate: str
    confidence: float
    taken_at: datetime
    key: str = ""
    camera: str = ""
    country: str | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    direction: Direction = Direction.UNKNOWN
    heading_deg: float | None = None
    lane: int | None = None
    speed_kmh: float | None = None
    vehicle: str | None = None
    lat: float | None = None
    lon: float | None = None
    box: tuple[float, float, float, float] | None = None
    overview: bytes | None = None
    patch: bytes | None = None
    raw: bytes = b""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a read cannot be taken: a stable code and what to do about it."""

    code: str
    says: str
    raw: bytes = b""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """From when on reads are taken, judged `at` this instant."""

    at: datetime
    oldest: timedelta


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A read that can be taken, the details that were left out of it, and its pictures as they came."""

    read: Read
    left_out: tuple[str, ...] = ()
    overview: bytes | None = None
    patch: bytes | None = None


def judge(told: Submission, device: Device, limits: Limits) -> Judged | Refusal:
    """The read in what was told, or why there is none."""
    camera = device.camera(told.camera)
    if camera is None:
        return _refusal(told, "camera-not-the-devices", "This camera is not the device's. An administrator joins them.")
    for problem in (_plate_problem(told.plate), _time_problem(told.taken_at, limits)):
        if problem is not None:
            return _refusal(told, *problem)
    if not 0.0 <= told.confidence <= 1.0:  # NaN is refused here too
        return _refusal(told, "confidence-range", "Confidence lies between 0 and 1.")
    if len(told.key) > _MOST_KEY:
        return _refusal(told, "key-long", f"The device's own key has at most {_MOST_KEY} characters.")
    return _read(told, device, camera, limits)


def read_id(device_id: UUID, told: Submission, plate: str) -> UUID:
    """The same read has the same id however often it is told: by its instant, and the device's own key or the plate."""
    if told.key:
        return uuid5(device_id, f"{told.taken_at.isoformat()} key {told.key}")
    return uuid5(device_id, f"{told.taken_at.isoformat()} {told.camera} {plate}")


def _read(told: Submission, device: Device, camera: DeviceCamera, limits: Limits) -> Judged:
    plate = normal(told.plate)
    details, left_out = _details(told)
    at_camera: dict[str, Any] = {"lat": camera.lat, "lon": camera.lon} if "lat" not in details else {}
    read = Read(
        id=read_id(device.id, told, plate), camera_id=camera.id, channel_id=camera.channel_id,
        taken_at=told.taken_at, received_at=limits.at, plate=plate, as_read=told.plate.strip(),
        confidence=told.confidence, source=Source(device.source), device_id=device.id,
        alternatives=_alternatives(told, plate), direction=told.direction, **details, **at_camera,
    )  # fmt: skip
    return Judged(read=read, left_out=left_out, overview=told.overview, patch=told.patch)


def _refusal(told: Submission, code: str, says: str) -> Refusal:
    return Refusal(code=code, says=says, raw=told.raw)


def _plate_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a plate as it was written."""
    if len(text.strip()) > MAX_AS_READ:
        return "plate-long", f"A plate as read has at most {MAX_AS_READ} characters."
    folded = unicodedata.normalize("NFKC", text.strip())
    if not all(sign.isalnum() or sign in _SIGNS or unicodedata.category(sign) in ("Zs", "Mn") for sign in folded):
        return "plate-signs", "A plate has letters and digits; blanks and hyphens may part them."
    if not normal(text):
        return "plate-empty", "There is no letter or digit in this plate. Send nothing where nothing was read."
    if len(normal(text)) > MAX_PLATE:
        return "plate-long", f"A plate has at most {MAX_PLATE} letters and digits."
    return None


def _time_problem(taken_at: datetime, limits: Limits) -> tuple[str, str] | None:
    if taken_at > limits.at + AHEAD:
        return "from-future", "The read is dated more than 5 minutes ahead. Set the device's clock (NTP)."
    if taken_at < limits.at - limits.oldest:
        return "from-past", f"The read is older than {limits.oldest.days} days. Set the device's clock, or send sooner."
    return None


def _details(told: Submission) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What can be true of the details, and the names of those that cannot."""
    found: dict[str, Any] = {}
    left_out: list[str] = []

    def take(name: str, value: object, fits: bool) -> None:
        if value is not None:
            found.update({name: value}) if fits else left_out.append(name)

    country = told.country.strip().upper() if told.country else None
    take("country", country, bool(country) and len(country or "") == 2 and str(country).isascii()
         and str(country).isalpha())  # fmt: skip
    take("heading_deg", told.heading_deg, _within(told.heading_deg, 0, 360))
    take("lane", told.lane, _within(told.lane, 0, 99))
    take("speed_kmh", told.speed_kmh, _within(told.speed_kmh, 0, _MOST_KMH))
    vehicle = _VEHICLES.get(told.vehicle.strip().lower()) if told.vehicle else None
    take("vehicle", vehicle or told.vehicle or None, vehicle is not None)
    placed = _within(told.lat, -90, 90) and _within(told.lon, -180, 180)
    if told.lat is not None or told.lon is not None:
        take("lat", told.lat if told.lat is not None else told.lon, placed)
        take("lon", told.lon if told.lon is not None else told.lat, placed)
    box = _box(told.box)
    take("box", box or told.box, box is not None)
    return found, tuple(left_out)


def _within(value: float | None, least: float, most: float) -> bool:
    return value is not None and math.isfinite(value) and least <= value <= most


def _box(told: tuple[float, float, float, float] | None) -> tuple[int, int, int, int] | None:
    if told is None or not all(_within(side, 0, _MOST_PIXELS) for side in told) or not (told[2] >= 1 and told[3] >= 1):
        return None
    return round(told[0]), round(told[1]), round(told[2]), round(told[3])


def _alternatives(told: Submission, plate: str) -> tuple[tuple[str, float], ...]:
    """Other readings in normal form, the best first, each once; what cannot be one is left out."""
    found: dict[str, float] = {}
    for text, probability in told.alternatives[:64]:
        if _plate_problem(text) is None and 0.0 <= probability <= 1.0:
            other = normal(text)
            found[other] = max(probability, found.get(other, 0.0))
    found.pop(plate, None)
    return tuple(sorted(found.items(), key=lambda one: -one[1])[:MAX_ALTERNATIVES])


def instant(value: object) -> datetime | None:
    """An aware instant out of an ISO 8601 text; nothing where it is none. Without a zone it is no instant."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def bad_body(says: str) -> BadInput:
    """What to raise where a body is not in the tongue it should be."""
    return BadInput("body-form", says)
