"""Sums of days and months, so that two years of a country's checkpoints are read in an instant.

Whoever changes a procedure marks its day; `sum_due` makes the sums of marked
days anew out of the procedures themselves, so that no correction can leave
them wrong by a little for ever. Months are made of their days.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from svidok.base import Span
from svidok.customs.checkpoints import SQL
from svidok.customs.histogram import added, histogram, pack
from svidok.customs.model import KYIV
from svidok.db import Database, Row, Transaction

_COLUMNS = ("grain", "checkpoint_id", "day", "facet", "value", "procedures", "ended", "wait_s", "took", "waited")
_AT_ONCE = 31
WHOLE = UUID(int=0)
"""Stands in place of a checkpoint for all of them together."""


@dataclass(slots=True)
class _Cell:
    """What one value of one facet comes to."""

    procedures: int = 0
    ended: int = 0
    wait_s: int = 0
    took: list[float] | None = None
    waited: list[float] | None = None


def day_span(day: date) -> Span:
    """A day on the wall of a checkpoint, as instants: 23 or 25 hours when the clocks change."""
    start = datetime.combine(day, time(), KYIV).astimezone(UTC)
    return Span(start, datetime.combine(day + timedelta(days=1), time(), KYIV).astimezone(UTC))


def sum_due(database: Database) -> int:
    """Make the sums of all marked days anew; how many days that were."""
    done = 0
    while True:
        with database.transaction() as tx:
            due = [(row["checkpoint_id"], row["day"]) for row in tx.all(SQL["take_days_due"], most=_AT_ONCE)]
            for checkpoint_id, day in due:
                if checkpoint_id != WHOLE:
                    sum_day(tx, checkpoint_id, day)
            if due:
                tx.all(SQL["lock_whole"])
            days = {day for _, day in due}
            for day in sorted(days):
                sum_whole_day(tx, day)
            whole = {(WHOLE, day) for day in days}
            for checkpoint_id, month in sorted({(one, day.replace(day=1)) for one, day in {*due, *whole}}, key=str):
                sum_month(tx, checkpoint_id, month)
        done += len(due)
        if len(due) < _AT_ONCE:
            return done


def sum_day(tx: Transaction, checkpoint_id: UUID, day: date) -> None:
    """The sums of one day, anew."""
    span = day_span(day)
    rows = tx.all(SQL["day_rows"], checkpoint_id=checkpoint_id, start=span.start, end=span.end)
    cells = cells_of(rows)
    missing = tx.all(SQL["missing_of_day"], checkpoint_id=checkpoint_id, start=span.start, end=span.end)
    for row in missing:
        cells["missing", f"{row['requirement']}/{row['cause']}"] = _Cell(procedures=row["procedures"])
    _write(tx, "d", checkpoint_id, day, [
        (facet, value, one.procedures, one.ended, one.wait_s, pack(histogram(one.took or [])),
         pack(histogram(one.waited or [])))
        for (facet, value), one in cells.items()
    ])  # fmt: skip


def cells_of(rows: Iterable[Row]) -> dict[tuple[str, str], _Cell]:
    """What procedures come to, by facet and value. Pure."""
    cells: defaultdict[tuple[str, str], _Cell] = defaultdict(_Cell)
    for row in rows:
        hour = f"{row['start_at'].astimezone(KYIV).hour:02d}"
        for place in (("all", ""), ("lane", row["lane"]), ("kind", row["kind"]), ("hour", hour)):
            _add(cells[place], row)
        found = row["irregularities"]
        for one in json.loads(found) if isinstance(found, str) else found:
            cells["irregularity", f"{one['cause']}/{one['condition']}"].procedures += 1
    return dict(cells)


def _add(cell: _Cell, row: Row) -> None:
    cell.procedures += 1
    if row["end_at"] is not None:
        cell.ended += 1
        cell.took = cell.took if cell.took is not None else []
        cell.took.append((row["end_at"] - row["start_at"]).total_seconds())
    if row["queued_at"] is not None:
        waited = (row["start_at"] - row["queued_at"]).total_seconds()
        cell.wait_s += int(waited)
        cell.waited = cell.waited if cell.waited is not None else []
        cell.waited.append(waited)


def sum_whole_day(tx: Transaction, day: date) -> None:
    """The sums of one day of all checkpoints together, out of those of each."""
    _write(tx, "d", WHOLE, day, _together(tx.all(SQL["day_sums_of_all"], day=day)))


def sum_month(tx: Transaction, checkpoint_id: UUID, month: date) -> None:
    """The sums of one month, out of those of its days."""
    rows = tx.all(SQL["day_sums_of_month"], checkpoint_id=checkpoint_id, day=month)
    _write(tx, "m", checkpoint_id, month, _together(rows))


def _together(rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    """Sums added up by facet and value. Pure."""
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["facet"], row["value"]].append(row)
    return [
        (facet, value, *(sum(row[name] for row in some) for name in ("procedures", "ended", "wait_s")),
         pack(added(row["took"] for row in some)), pack(added(row["waited"] for row in some)))
        for (facet, value), some in groups.items()
    ]  # fmt: skip


def _write(tx: Transaction, grain: str, checkpoint_id: UUID, day: date, cells: list[tuple[Any, ...]]) -> None:
    tx.run(SQL["forget_sums"], grain=grain, checkpoint_id=checkpoint_id, day=day)
    tx.copy(
        f"COPY customs.sum ({', '.join(_COLUMNS)}) FROM STDIN",
        ([grain, checkpoint_id, day, *cell] for cell in cells),
    )


def parts(first: date, after: date) -> tuple[list[date], list[date]]:
    """Whole months and single days that together make the days from `first` up to, without, `after`. Pure.

    >>> months, days = parts(date(2026, 1, 31), date(2026, 3, 2))
    >>> [str(one) for one in months], [str(one) for one in days]
    (['2026-02-01'], ['2026-01-31', '2026-03-01'])
    """
    months, days, day = list[date](), list[date](), first
    while day < after:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if day.day == 1 and following <= after:
            months.append(day)
            day = following
        else:
            days.append(day)
            day += timedelta(days=1)
    return months, days


def mean_queue(wait_s: int, hours: float) -> float:
    """How many stood waiting on average: the seconds they waited together over those that passed (Little's law).

    >>> mean_queue(7200, 1.0)
    2.0
    """
    return float(np.round(wait_s / (hours * 3600), 2)) if hours else 0.0
