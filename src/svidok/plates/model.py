"""What a read is. Plain values.

The fields are those of the capture record of the National ANPR Standards for
Policing (UK Home Office, part 1), as far as a camera can tell them.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

PLATE_CLASS = "plate-read"  # the retention class of reads; nothing is kept until a rule for it states its legal basis
HIT_CLASS = "plate-hit"  # of reads that a hotlist hit

MAX_PLATE = 16
MAX_AS_READ = 32
MAX_ALTERNATIVES = 8


class Direction(StrEnum):
    """Where the vehicle goes, as the camera sees it."""

    TOWARDS = "towards"
    AWAY = "away"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Who read the plate, and in which tongue it was told."""

    OWN = "svidok"
    ONVIF = "onvif"
    OPENALPR = "openalpr"
    FRIGATE = "frigate"
    CONTRACT = "contract"


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One plate at one camera at one instant.

    `plate` is its normal form (`vision.plate_text`), `as_read` what the device
    wrote; `alternatives` are other normal forms with their probabilities, best
    first. `heading_deg` is clockwise from north, `box` x, y, width and height in
    pixels of the overview picture. `image` and `patch` name pictures in the
    picture store, `segment_id` the sealed footage that proves the read.
    """

    id: UUID
    camera_id: UUID
    taken_at: datetime
    received_at: datetime
    plate: str
    as_read: str
    confidence: float
    source: Source
    channel_id: UUID | None = None
    country: str | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    direction: Direction = Direction.UNKNOWN
    heading_deg: float | None = None
    lane: int | None = None
    speed_kmh: float | None = None
    vehicle: str | None = None
    lat: float | None = None
    lon: float | None = None
    box: tuple[int, int, int, int] | None = None
    image: UUID | None = None
    patch: UUID | None = None
    segment_id: UUID | None = None
    device_id: UUID | None = None


def read_of(row: Mapping[str, Any]) -> Read:
    """A read out of its row."""
    detail = row["detail"] or {}
    box = detail.get("box")
    return Read(
        id=row["id"], camera_id=row["camera_id"], taken_at=row["taken_at"], received_at=row["received_at"],
        plate=row["plate"], as_read=row["as_read"] or row["plate"], confidence=row["confidence"],
        source=Source(row["source"]), country=row["country"], direction=Direction(row["direction"]),
        image=row["image"], patch=row["patch"], segment_id=row["segment_id"],
        channel_id=_id(detail.get("channel_id")), device_id=_id(detail.get("device_id")),
        alternatives=tuple((text, p) for text, p in detail.get("alternatives", ())),
        heading_deg=detail.get("heading_deg"), lane=detail.get("lane"), speed_kmh=detail.get("speed_kmh"),
        vehicle=detail.get("vehicle"), lat=detail.get("lat"), lon=detail.get("lon"),
        box=(box[0], box[1], box[2], box[3]) if box else None,
    )  # fmt: skip


def detail_of(read: Read) -> dict[str, Any]:
    """What of a read nobody searches by, as one value; only what is known."""
    told: dict[str, Any] = {
        "channel_id": str(read.channel_id) if read.channel_id else None,
        "device_id": str(read.device_id) if read.device_id else None,
        "alternatives": [list(one) for one in read.alternatives] or None, "heading_deg": read.heading_deg,
        "lane": read.lane, "speed_kmh": read.speed_kmh, "vehicle": read.vehicle, "lat": read.lat, "lon": read.lon,
        "box": list(read.box) if read.box else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
