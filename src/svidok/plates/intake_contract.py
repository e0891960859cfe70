"""Our own contract: reads as JSON, one or many at once, with a JSON Schema made of the very types that read it. Pure.

The least of it is `{"reads": [{"plate": "AA1234BB", "confidence": 0.97, "taken_at": "2026-11-24T10:00:00.120Z"}]}`.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from svidok.plates.intake_submission import Refusal, Submission, bad_body
from svidok.plates.model import Direction

MOST_READS = 1000
MOST_PICTURE = 2 * 1024 * 1024
_URI = "https://json-schema.org/draft/2020-12/schema"


class Alternative(msgspec.Struct, frozen=True):
    """Another reading of the same plate."""

    plate: str
    confidence: Annotated[float, Meta(ge=0, le=1)]


class Pictures(msgspec.Struct, frozen=True):
    """JPEG pictures in Base64 (RFC 4648, section 4), each at most 2 MiB; all of one message 4 MiB together."""

    overview: Annotated[str, Meta(description="The whole scene; `box` is in its pixels.")] | None = None
    patch: Annotated[str, Meta(description="The plate alone.")] | None = None


class ReadIn(msgspec.Struct, frozen=True, kw_only=True):
    """One plate at one camera at one instant."""

    plate: Annotated[str, Meta(description="As read; blanks and hyphens may stay. At most 16 letters and digits.")]
    confidence: Annotated[float, Meta(description="That the whole plate is right, 0 to 1.")]
    taken_at: Annotated[datetime, Meta(tz=True, description="When the picture was taken, RFC 3339 with its zone.")]
    key: Annotated[
        str, Meta(description="The device's own id of this read; sent again with the same instant it is the same read.")
    ] = ""
    camera: Annotated[str, Meta(description="What the device calls the camera, or our id of it; may be left out.")] = ""
    country: Annotated[str, Meta(description="Two letters, ISO 3166-1.")] | None = None
    alternatives: Annotated[tuple[Alternative, ...], Meta(description="Best first; the first 8 are kept.")] = ()
    direction: Annotated[Direction, Meta(description="As the camera sees it.")] = Direction.UNKNOWN
    heading_deg: Annotated[float, Meta(description="Clockwise from north.")] | None = None
    lane: int | None = None
    speed_kmh: float | None = None
    vehicle: Annotated[str, Meta(description="car, truck, bus, motorcycle, van or trailer.")] | None = None
    lat: float | None = None
    lon: float | None = None
    box: Annotated[tuple[float, float, float, float], Meta(description="x, y, width, height.")] | None = None
    pictures: Pictures | None = None


class Batch(msgspec.Struct, frozen=True):
    """What is posted."""

    reads: Annotated[tuple[ReadIn, ...], Meta(min_length=1, max_length=MOST_READS)]


class _RawBatch(msgspec.Struct, frozen=True):
    reads: tuple[msgspec.Raw, ...]


_BATCH = msgspec.json.Decoder(_RawBatch)
_READ = msgspec.json.Decoder(ReadIn)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a batch."""
    made = msgspec.json.schema(Batch)
    return {"$schema": _URI, "title": "Plate reads", **made}


def translate(body: bytes) -> list[Submission | Refusal]:
    """Each read of a batch, or what is wrong with that one. Raises `BadInput` where the body is no batch."""
    try:
        parts = _BATCH.decode(body).reads
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_body(f"The body is no batch of reads: {error}.") from error
    if not 1 <= len(parts) <= MOST_READS:
        raise bad_body(f"A batch has 1 to {MOST_READS} reads.")
    return [_one(bytes(part)) for part in parts]


def _one(raw: bytes) -> Submission | Refusal:
    try:
        told = _READ.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Refusal(code="read-form", says=f"{error}.", raw=raw)
    pictures = told.pictures or Pictures()
    return Submission(
        plate=told.plate, confidence=told.confidence, taken_at=told.taken_at.astimezone(UTC), key=told.key,
        camera=told.camera, country=told.country, direction=told.direction, heading_deg=told.heading_deg,
        alternatives=tuple((one.plate, one.confidence) for one in told.alternatives[:64]), lane=told.lane,
        speed_kmh=told.speed_kmh, vehicle=told.vehicle, lat=told.lat, lon=told.lon, box=told.box,
        overview=unpacked(pictures.overview), patch=unpacked(pictures.patch), raw=raw,
    )  # fmt: skip


def unpacked(text: str | None) -> bytes | None:
    """A picture out of Base64. What is none becomes bytes that are no picture: the read is kept, the picture is not."""
    if not text:
        return None
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b"no base64"


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object of another tongue. Raises `BadInput` where the body is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_body(f"The body is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise bad_body("The body is no JSON object.")
    return found


def shortened(told: dict[str, Any]) -> bytes:
    """A message of another tongue as it is kept aside: without what is longer than a line (pictures)."""

    def short(value: Any, level: int = 0) -> Any:
        if isinstance(value, str):
            return value if len(value) <= 200 else f"{value[:40]}… ({len(value)} characters)"
        if isinstance(value, dict) and level < 6:
            return {str(key)[:100]: short(one, level + 1) for key, one in list(value.items())[:60]}
        if isinstance(value, list) and level < 6:
            return [short(one, level + 1) for one in value[:20]]
        return value if isinstance(value, int | float | bool | None) else "…"

    return json.dumps(short(told), ensure_ascii=False).encode("utf-8", "replace")
