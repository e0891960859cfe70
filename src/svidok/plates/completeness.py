"""How complete an answer is: which cameras read in a stretch, were silent, or had gaps. And which lie where."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from svidok.base import BadInput, Span
from svidok.db import Row, Transaction
from svidok.plates.store import SQL

Point = tuple[float, float]  # longitude, latitude
_MOST_CORNERS = 100


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How many cameras should have answered; how many read, were silent, or had gaps while they read."""

    cameras: int
    answered: int
    silent: list[UUID]
    in_gap: list[UUID]

    @property
    def whole(self) -> bool:
        """Whether every camera read, and none had a gap."""
        return not self.silent and not self.in_gap


def rows(tx: Transaction, span: Span, cameras: Sequence[UUID] | None) -> list[Row]:
    """What each camera came to, with its gaps."""
    return tx.all(
        SQL["answering"], start=span.start, end=span.end, cameras=None if cameras is None else list(cameras)
    )  # fmt: skip


def of(found: Sequence[Row]) -> Completeness:
    """The sum of rows. Pure."""
    silent = [row["camera_id"] for row in found if not row["reads"]]
    gaps = [row["camera_id"] for row in found if row["reads"] and row["gaps"]]
    return Completeness(cameras=len(found), answered=len(found) - len(silent), silent=silent, in_gap=gaps)


def cameras_in(tx: Transaction, area: Sequence[Point]) -> list[UUID]:
    """The cameras that read plates within a polygon of (longitude, latitude); two corners are a box."""
    if not 2 <= len(area) <= _MOST_CORNERS:
        raise BadInput("area-form", f"An area has 2 (a box) to {_MOST_CORNERS} corners.")
    if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in area):
        raise BadInput("area-form", "Corners are longitude, latitude in degrees.")
    lons, lats = [lon for lon, _ in area], [lat for _, lat in area]
    found = tx.all(SQL["cameras_in_box"], west=min(lons), east=max(lons), south=min(lats), north=max(lats))
    return [row["id"] for row in found if len(area) == 2 or inside((row["lon"], row["lat"]), area)]


def area_of(text: str) -> list[Point]:
    """An area out of `lon,lat,lon,lat,…`; raises `BadInput`."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise BadInput("area-form", "An area is lon,lat,lon,lat,… in degrees.") from error
    if len(numbers) % 2 or any(number != number for number in numbers):
        raise BadInput("area-form", "An area is lon,lat,lon,lat,… in degrees.")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def inside(point: Point, corners: Sequence[Point]) -> bool:
    """Whether a point lies in a polygon (a ray to the east crosses its edges an odd number of times).

    >>> inside((1.0, 1.0), [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)])
    True
    >>> inside((2.0, 2.0), [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)])
    False
    """
    x, y = point
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            odd = not odd
    return odd


def span_of(start: datetime, end: datetime) -> Span:
    """A span out of two instants; raises `BadInput`."""
    if start.tzinfo is None or end.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    if end <= start:
        raise BadInput("span-backwards", "The end must lie after the beginning.")
    return Span(start, end)
