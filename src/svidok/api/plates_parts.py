"""The room of plates behind the routes, and how reads, cameras and pictures are written for the page."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from svidok.api.services import Services
from svidok.base import BadInput, NotFound
from svidok.db import Row, Transaction
from svidok.plates.completeness import Completeness
from svidok.plates.model import Read
from svidok.plates.parts import Plates
from svidok.plates.pictures import Pictures
from svidok.plates.search import Candidate


class CameraOut(msgspec.Struct, kw_only=True):
    """A camera by its names and place."""

    id: UUID
    number: str
    name_uk: str
    name_en: str
    lat: float | None
    lon: float | None


class AlternativeOut(msgspec.Struct, kw_only=True):
    """Another reading of the same plate."""

    plate: str
    probability: float


class ReadOut(msgspec.Struct, kw_only=True):
    """One read. `patch_jpeg` is Base64, where pictures were asked for; `has_*` say what can be fetched."""

    id: UUID
    camera_id: UUID
    channel_id: UUID | None
    taken_at: datetime
    received_at: datetime
    plate: str
    as_read: str
    confidence: float
    country: str | None
    alternatives: list[AlternativeOut]
    direction: str
    heading_deg: float | None
    lane: int | None
    speed_kmh: float | None
    vehicle: str | None
    lat: float | None
    lon: float | None
    box: tuple[int, int, int, int] | None
    source: str
    segment_id: UUID | None
    has_overview: bool
    has_patch: bool
    patch_jpeg: str | None = None


class CandidateOut(msgspec.Struct, kw_only=True):
    """A plate that may be meant. First and last seen only where they lie in the span that was asked for."""

    plate: str
    probability: float
    reads: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None


class CompletenessOut(msgspec.Struct, kw_only=True):
    """Which cameras should have answered: how many read, which were silent, which had gaps while they read."""

    cameras: int
    answered: int
    silent: list[UUID]
    in_gap: list[UUID]
    whole: bool


def plates_of(services: Services) -> Plates:
    """The parts of the room in this process, made at the first call."""
    if services.plates is None:
        services.plates = Plates(
            database=services.database, data=services.data, clock=services.clock, rules=services.plate_rules
        )
    found: Plates = services.plates
    return found


def read_out(read: Read, pictures: Pictures | None = None) -> ReadOut:
    """As the page reads it; with the picture of the plate where `pictures` are given."""
    return ReadOut(
        id=read.id, camera_id=read.camera_id, channel_id=read.channel_id, taken_at=read.taken_at,
        received_at=read.received_at, plate=read.plate, as_read=read.as_read, confidence=round(read.confidence, 4),
        country=read.country,
        alternatives=[AlternativeOut(plate=text, probability=round(p, 4)) for text, p in read.alternatives],
        direction=str(read.direction), heading_deg=read.heading_deg, lane=read.lane, speed_kmh=read.speed_kmh,
        vehicle=read.vehicle, lat=read.lat, lon=read.lon, box=read.box, source=str(read.source),
        segment_id=read.segment_id, has_overview=read.image is not None, has_patch=read.patch is not None,
        patch_jpeg=_picture(pictures, read.patch),
    )  # fmt: skip


def candidates_out(
    tx: Transaction, candidates: Sequence[Candidate], start: datetime, end: datetime
) -> list[CandidateOut]:
    """The plates that may be meant; nothing is told of the time before and after what was asked for."""
    rows = tx.all("SELECT id, first_at FROM plates.plate WHERE id = ANY(%(ids)s)", ids=[one.id for one in candidates])
    firsts: Mapping[int, datetime] = {row["id"]: row["first_at"] for row in rows}

    def within(at: datetime | None) -> datetime | None:
        return at if at is not None and start <= at < end else None

    return [
        CandidateOut(
            plate=one.plate, probability=round(one.probability, 4), reads=one.reads,
            first_seen_at=within(firsts.get(one.id)),
            last_seen_at=within(datetime.fromtimestamp(one.last_s, UTC) if one.last_s else None),
        )
        for one in candidates
    ]  # fmt: skip


def completeness_out(found: Completeness) -> CompletenessOut:
    """As the page reads it."""
    return CompletenessOut(
        cameras=found.cameras, answered=found.answered, silent=found.silent, in_gap=found.in_gap, whole=found.whole
    )


def cameras_out(tx: Transaction, ids: Iterable[UUID]) -> list[CameraOut]:
    """The cameras of some reads."""
    rows: list[Row] = tx.all(
        "SELECT id, number, name_uk, name_en, lat, lon FROM fleet.camera WHERE id = ANY(%(ids)s) ORDER BY number",
        ids=list(set(ids)),
    )
    return [CameraOut(**row) for row in rows]


def uuids(text: str | None) -> tuple[UUID, ...] | None:
    """Ids that are parted by commas; raises `BadInput`."""
    if not text:
        return None
    try:
        return tuple(UUID(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput("id-form", "Ids are parted by commas.") from error


def _picture(pictures: Pictures | None, picture_id: UUID | None) -> str | None:
    if pictures is None or picture_id is None:
        return None
    try:
        return base64.b64encode(pictures.read(picture_id)).decode()
    except NotFound:
        return None
