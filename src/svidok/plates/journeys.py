"""Where one vehicle went, and who went with it.

Both tell of a person's movements more than any single read does: the door
lets nobody here without the leave of a second person of another role.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from uuid import UUID

import msgspec

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


class Companion(msgspec.Struct, frozen=True, kw_only=True):
    """A plate that passed the same cameras at about the same times."""

    plate: str
    cameras: int
    times: int
    first_at: datetime
    last_at: datetime
    apart_s: float


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """One camera passed at one instant."""

    camera_id: UUID
    at: datetime


Near = tuple[int, int, int]  # which passage, whose plate (its id), how long after it in microseconds


def journey(tx: Transaction, plate: str, span: Span) -> tuple[list[Stop], bool]:
    """The stops of a plate in `span`, in their order, and whether those are all."""
    row = tx.all(SQL["plate_ids"], texts=[plate])
    if not row:
        return [], True
    rows = tx.all_planned_once(SQL["track"], plate=row[0]["id"], start=span.start, end=span.end, limit=MAX_STOPS + 1)
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
    plate_id = int(row[0]["id"])
    own = tx.all_planned_once(
        SQL["latest_of_plate"], plate=plate_id, start=span.start, end=span.end, limit=_CONVOY_READS
    )
    passages = [Passage(camera_id=one["camera_id"], at=one["taken_at"]) for one in own]
    rows = tx.all_planned_once(
        SQL["near_passages"], plate=plate_id, slack=slack, start=span.start - slack, end=span.end + slack,
        cameras=[one.camera_id for one in passages], takens=[one.at for one in passages],
    )  # fmt: skip
    near = [(int(found["nth"]) - 1, found["plate_id"], found["apart_us"]) for found in rows]
    together = faithful(passages, near, cameras=cameras)[:limit]
    texts = {one["id"]: one["text"] for one in tx.all(SQL["plates_by_id"], ids=[one for one, _ in together])}
    return [msgspec.structs.replace(one, plate=texts[found]) for found, one in together if found in texts]


def faithful(passages: Sequence[Passage], near: Iterable[Near], *, cameras: int) -> list[tuple[int, Companion]]:
    """Fold who was near which passage into companions, by the id of their plate; the most faithful first. Pure."""
    closest: dict[int, dict[int, int]] = defaultdict(dict)
    for nth, plate_id, apart_us in near:
        before = closest[plate_id].get(nth)
        if before is None or abs(apart_us) < abs(before):
            closest[plate_id][nth] = apart_us
    found = []
    for plate_id, times in closest.items():
        seen = {passages[nth].camera_id for nth in times}
        if len(seen) < cameras:
            continue
        ats = [passages[nth].at + timedelta(microseconds=apart_us) for nth, apart_us in times.items()]
        companion = Companion(
            plate="", cameras=len(seen), times=len(times), first_at=min(ats), last_at=max(ats),
            apart_s=sum(times.values()) / len(times) / 1e6,
        )  # fmt: skip
        found.append((plate_id, companion))
    return sorted(found, key=lambda one: (one[1].cameras, one[1].times, one[1].last_at), reverse=True)


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
