"""Finding cameras: pages of 60,000, the map, the numbers, and the story of restoration."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from svidok.base import BadInput
from svidok.db import Row, Transaction
from svidok.fleet.model import Region
from svidok.fleet.regions import OBLAST_PREFIX, region_of, regions
from svidok.fleet.registry import SQL

MAX_PAGE = 500
_MAX_POINTS = 1500
_MAX_DAYS = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is looked for; what is missing does not matter. `region` is a KATOTTH code of any depth.

    `text` is found in what names a camera, in the name of its site, and in the name of its oblast.
    """

    text: str | None = None
    ids: tuple[UUID, ...] | None = None
    region: str | None = None
    kind: str | None = None
    owner: str | None = None
    life: str | None = None
    finding: str | None = None
    site: UUID | None = None

    def params(self) -> dict[str, Any]:
        """As the queries want them."""
        text = self.text.strip().lower() if self.text else None
        named = [code[:OBLAST_PREFIX] for code, one in regions().items() if text and text in _names(one)]
        if text:
            text = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {
            "text": text or None,
            "named": named,
            "ids": list(self.ids) if self.ids is not None else None,
            "region": self.region[:OBLAST_PREFIX] if self.region else None,
            "kind": self.kind,
            "owner": self.owner,
            "life": self.life,
            "finding": self.finding,
            "site": self.site,
        }


def _names(region: Region) -> str:
    return f"{region.name_uk} {region.name_en}".lower()


def page(tx: Transaction, filters: Filters, *, cursor: str | None = None, limit: int = 100) -> list[Row]:
    """A page of cameras in the order of their numbers, after the number `cursor`."""
    return tx.all(SQL["cameras"], cursor=cursor, limit=max(1, min(limit, MAX_PAGE)), **filters.params())


def count(tx: Transaction, filters: Filters) -> int:
    """How many cameras the filters leave."""
    return int(tx.one(SQL["count_cameras"], **filters.params())["total"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame of the map in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> "Frame":
        """`west,south,east,north`; raises `BadInput`."""
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError as error:
            raise BadInput("bbox-form", "A frame is west,south,east,north in degrees.") from error
        return cls(west=west, south=south, east=east, north=north)


def on_map(tx: Transaction, frame: Frame, *, zoom: float) -> tuple[list[Row], list[Row]]:
    """(points, clusters) in a frame: points where they are few or the map is near, clusters otherwise."""
    edges = {"west": frame.west, "south": frame.south, "east": frame.east, "north": frame.north}
    points = tx.all(SQL["map_points"], limit=_MAX_POINTS + 1, **edges)
    if len(points) <= (_MAX_POINTS if zoom >= 12 else 250):
        return points, []
    step = max(0.002, 90.0 / 2.0 ** max(1.0, min(zoom, 24.0)))
    return [], tx.all(SQL["map_clusters"], step=step, **edges)


def summary(tx: Transaction) -> dict[str, Any]:
    """The fleet in numbers."""

    def counted(name: str) -> dict[str, int]:
        return {row["key"]: row["n"] for row in tx.all(SQL[name])}

    by_life = counted("summary_life")
    regions = []
    for row in tx.all(SQL["summary_region"]):
        region = region_of(row.pop("prefix"))
        names = {"code": region.code, "name_uk": region.name_uk, "name_en": region.name_en} if region else {
            "code": "", "name_uk": "Невідома", "name_en": "Unknown"}  # fmt: skip
        regions.append({**names, **row})
    return {
        "total": sum(by_life.values()),
        "by_life": by_life,
        "by_kind": counted("summary_kind"),
        "by_owner": counted("summary_owner"),
        "by_region": regions,
        "findings": counted("summary_findings"),
    }


def restoration(tx: Transaction, *, start: date, end: date, region: str | None = None) -> list[dict[str, Any]]:
    """How many cameras were in each state at the end of each day from `start` to `end`."""
    if not start <= end <= start + timedelta(days=_MAX_DAYS):
        raise BadInput("days-form", f"Give a start and a later end, at most {_MAX_DAYS} days apart.")
    until = datetime.combine(end + timedelta(days=1), time(), UTC)
    changes = tx.all(SQL["restoration_changes"], end=until, region=region[:OBLAST_PREFIX] if region else None)
    return daily_counts([(row["camera_id"], row["after"], row["at"].date()) for row in changes], start=start, end=end)


def daily_counts(changes: list[tuple[UUID, str, date]], *, start: date, end: date) -> list[dict[str, Any]]:
    """Fold changes of state, in their order, into counts at the end of each day. Pure.

    >>> day = date(2026, 1, 1)
    >>> daily_counts([(UUID(int=1), "working", day)], start=day, end=day)
    [{'day': '2026-01-01', 'by_life': {'working': 1}}]
    """
    states: dict[UUID, str] = {}
    counts: Counter[str] = Counter()
    days: list[dict[str, Any]] = []
    position, day = 0, start
    while day <= end:
        while position < len(changes) and changes[position][2] <= day:
            camera_id, after, _ = changes[position]
            before = states.get(camera_id)
            if before is not None:
                counts[before] -= 1
            states[camera_id] = after
            counts[after] += 1
            position += 1
        days.append({"day": day.isoformat(), "by_life": {life: n for life, n in counts.items() if n}})
        day += timedelta(days=1)
    return days
