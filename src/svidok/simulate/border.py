"""Days of a border checkpoint that is not there, as a customs system would tell of them. Pure and seeded.

Vehicles come by the hour of the day, the day of the week and the holidays;
each lane serves one at a time, so that queues grow and shrink by themselves;
work is slower at night. The same seed makes the same day.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_KYIV = ZoneInfo("Europe/Kyiv")
_HOLIDAYS = {(1, 1), (1, 6), (3, 8), (5, 1), (5, 8), (6, 28), (7, 15), (8, 24), (10, 1), (12, 25)}
_BY_HOUR = (2, 1, 1, 1, 2, 4, 7, 9, 10, 9, 8, 8, 7, 7, 8, 9, 10, 10, 8, 7, 6, 5, 4, 3)
_MINUTES = {"car": (11.0, 0.45), "bus": (38.0, 0.4), "lorry": (44.0, 0.55)}
_CAUSES = (
    ("undeclared-goods", 30), ("concealed-goods", 18), ("excess-excise", 22), ("false-documents", 12),
    ("undervalued", 10), ("excess-cash", 6), ("prohibited-goods", 2),
)  # fmt: skip
_SERIES = "ABCEHIKMOPTX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """A checkpoint to play. `pace` multiplies how long the work takes: 0.9 is a tenth quicker."""

    code: str
    lanes: tuple[str, ...]
    per_day: int = 300
    pace: float = 1.0
    scanner: bool = True
    seed: int = 1


def is_holiday(day: date) -> bool:
    """Whether it is a day off: a Sunday, a Saturday, or a public holiday."""
    return (day.month, day.day) in _HOLIDAYS or day.weekday() >= 5


def play_day(border: Border, day: date) -> Iterator[dict[str, Any]]:
    """The procedures whose vehicles come on `day` (by the wall clock of Kyiv), in the order of their start."""
    chance = random.Random(f"{border.seed}/{border.code}/{day.isoformat()}")  # noqa: S311 - play, not secrets
    free = dict.fromkeys(border.lanes, datetime.min.replace(tzinfo=UTC))
    made = []
    for number, (came, kind) in enumerate(_arrivals(border, day, chance), start=1):
        lane = min(border.lanes, key=lambda one: max(free[one], came))
        start = max(free[lane], came) + timedelta(seconds=chance.randrange(5, 40))
        told = _procedure(border, day, number, kind, lane, came, start, chance)
        free[lane] = datetime.fromisoformat(told["ended_at"])
        made.append(told)
    yield from sorted(made, key=lambda one: str(one["started_at"]))


def _arrivals(border: Border, day: date, chance: random.Random) -> list[tuple[datetime, str]]:
    off = is_holiday(day)
    total = border.per_day * (1.25 if off else 1.0) * chance.uniform(0.88, 1.12)
    came = []
    for hour, weight in enumerate(_BY_HOUR):
        wall = datetime.combine(day, time(hour), _KYIV).astimezone(UTC)
        for _ in range(_poisson(total * weight / sum(_BY_HOUR), chance)):
            kind = chance.choices(("car", "lorry", "bus"), (82, 10, 8) if off else (66, 28, 6))[0]
            came.append((wall + timedelta(seconds=chance.uniform(0, 3600)), kind))
    return sorted(came)


def _poisson(mean: float, chance: random.Random) -> int:
    return max(0, round(chance.gauss(mean, math.sqrt(mean))))


def _procedure(
    border: Border,
    day: date,
    number: int,
    kind: str,
    lane: str,
    came: datetime,
    start: datetime,
    chance: random.Random,
) -> dict[str, Any]:
    wall = start.astimezone(_KYIV)
    night = not 6 <= wall.hour < 22
    scan = border.scanner and kind == "lorry" and chance.random() < 0.7
    deep = chance.random() < (0.5 if kind == "lorry" else 0.12)
    minutes, spread = _MINUTES[kind]
    took = minutes * border.pace * (1.18 if night else 1.0) * (1.5 if deep else 0.85) * chance.lognormvariate(0, spread)
    end = start + timedelta(seconds=round(max(90.0, took * 60)))
    found = _irregularities(chance, night=night, queue=start - came > timedelta(hours=1), deep=deep, scan=scan)
    outcome = "released-after-inspection" if deep else "released"
    if found:
        outcome = chance.choice(("detained", "released-after-inspection", "refused"))
    return {
        "number": f"{border.code}/{day:%y%m%d}/{number:05d}",
        "checkpoint": border.code,
        "lane": lane,
        "kind": kind,
        "direction": "in" if border.lanes.index(lane) % 2 == 0 else "out",
        "declaration": f"26UA{border.code[-6:]}{day:%m%d}{number:05d}" if kind == "lorry" else None,
        "plate": _plate(chance),
        "officers": _officers(border, lane, wall, pair=deep),
        "queued_at": _text(came),
        "started_at": _text(start),
        "ended_at": _text(end),
        "outcome": outcome,
        "scan_due": scan,
        "steps": _steps(start, end, scan=scan, deep=deep, heavy=kind == "lorry"),
        "irregularities": found,
    }


def _steps(start: datetime, end: datetime, *, scan: bool, deep: bool, heavy: bool) -> list[dict[str, Any]]:
    """One after the other, each a share of the whole."""
    shares = [("radiation", 0.05), ("documents", 0.35)]
    shares += [("weighing", 0.08)] if heavy else []
    shares += [("scan", 0.2)] if scan else []
    shares += [("inspection", 0.6)] if deep else []
    shares += [("payment", 0.1)] if heavy else []
    shares.append(("release", 0.08))
    whole, at, steps = sum(share for _, share in shares), start, []
    for kind, share in shares:
        until = at + (end - start) * (share / whole)
        steps.append({"kind": kind, "started_at": _text(at), "ended_at": _text(until)})
        at = until
    return steps


def _irregularities(
    chance: random.Random, *, night: bool, queue: bool, deep: bool, scan: bool
) -> list[dict[str, str]]:  # fmt: skip
    likely = 0.012 + (0.01 if night else 0.0) + (0.03 if deep else 0.0)
    if chance.random() >= likely:
        return []
    condition = "night" if night else "long-queue" if queue else "documents-only" if not deep else "unknown"
    if not scan and chance.random() < 0.3:
        condition = "scanner-idle"
    cause = chance.choices([name for name, _ in _CAUSES], [weight for _, weight in _CAUSES])[0]
    return [{"cause": cause, "condition": condition}]


def _officers(border: Border, lane: str, wall: datetime, *, pair: bool) -> list[str]:
    """Whoever stands at the lane in this shift of twelve hours; two of them for an inspection."""
    shift = (wall.toordinal() * 2 + (0 if 8 <= wall.hour < 20 else 1)) % 4
    place = border.lanes.index(lane)
    badge = 1000 + place * 8 + shift
    return [f"{border.code[-3:]}-{badge + n * 4}" for n in range(2 if pair else 1)]


def _plate(chance: random.Random) -> str:
    letters = "".join(chance.choice(_SERIES) for _ in range(4))
    if chance.random() < 0.3:
        return f"{chance.choice(('L', 'R', 'K'))}{letters[0]} {chance.randrange(10000, 99999)}"
    return f"{letters[:2]} {chance.randrange(1000, 9999)} {letters[2:]}"


def _text(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()
