"""Where one vehicle went, and who went with it.

Both tell of a person's movements more than any single read does: the door
lets nobody here without the leave of a second person of another role.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from svidok.base import BadInput, Span
from svidok.db import Transaction
from svidok.plates.model import Read, read_of
from svidok.plates.store import SQL

MAX_STOPS = 5000
_SAME_STOP = timedelta(minutes=2)
_EARTH_KM = 6371.0
_FASTEST_KMH = 220.0  # faster than this between two cameras, one of the reads is of another vehicle
_CONVOY_READS = 200
CONVOY_SLACK = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Reads at one camera that follow each other: one passage. Speed is that of the straight line from the last."""

    reads: tuple[Read, ...]
    km: float | None
    speed_kmh: float | None
    impossible: bool

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.reads[0].taken_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A plate that passed the same cameras at about the same times."""

    plate: str
    cameras: int
    times: int
    first_at: datetime
    last_at: datetime
    apart_s: float


def journey(tx: Transaction, plate: str, span: Span) -> tuple[list[Stop], bool]:
    """The stops of a plate in `span`, in their order, and whether those are all."""
    row = tx.all(SQL["plate_ids"], texts=[plate])
    if not row:
        return [], True
    rows = tx.all(SQL["track"], plate=row[0]["id"], start=span.start, end=span.end, limit=MAX_STOPS + 1)
    return stops([read_of(one) for one in rows[:MAX_STOPS]]), len(rows) <= MAX_STOPS


def stops(reads: Sequence[Read]) -> list[Stop]:
    """Fold reads in their order into stops. Pure."""
    folded: list[list[Read]] = []
    for read in reads:
        last = folded[-1][-1] if folded else None
        if last is not None and last.camera_id == read.camera_id and read.taken_at - last.taken_at <= _SAME_STOP:
            folded[-1].append(read)
        else:
            folded.append([read])
    return [_stop(before, now) for before, now in zip([None, *folded], folded, strict=False)]


def companions(
    tx: Transaction, plate: str, span: Span, *, slack: timedelta = CONVOY_SLACK, cameras: int = 3, limit: int = 50
) -> list[Companion]:
    """Plates that passed at least `cameras` of the same cameras within `slack` of this one; the most faithful first."""
    if cameras < 2:
        raise BadInput("convoy-cameras", "Ask for at least two cameras: at one camera everybody is together.")
    row = tx.all(SQL["plate_ids"], texts=[plate])
    if not row:
        return []
    found = tx.all(
        SQL["together"], plate=row[0]["id"], start=span.start, end=span.end, slack=slack, cameras=cameras,
        most=_CONVOY_READS, limit=limit,
    )  # fmt: skip
    return [
        Companion(
            plate=one["plate"], cameras=one["cameras"], times=one["times"], first_at=one["first_at"],
            last_at=one["last_at"], apart_s=one["apart_s"],
        )
        for one in found
    ]  # fmt: skip


def _stop(before: list[Read] | None, reads: list[Read]) -> Stop:
    km = speed = None
    if before is not None and _placed(before[-1]) and _placed(reads[0]):
        km = kilometres(before[-1], reads[0])
        hours = (reads[0].taken_at - before[-1].taken_at).total_seconds() / 3600
        speed = km / hours if hours > 0 else None
    return Stop(
        reads=tuple(reads), km=km, speed_kmh=speed, impossible=bool(km and km > 1 and (speed or 1e9) > _FASTEST_KMH)
    )


def kilometres(one: Read, other: Read) -> float:
    """The great circle between the cameras of two reads, in kilometres."""
    lat1, lon1, lat2, lon2 = (radians(v or 0.0) for v in (one.lat, one.lon, other.lat, other.lon))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(half))


def _placed(read: Read) -> bool:
    return read.lat is not None and read.lon is not None
