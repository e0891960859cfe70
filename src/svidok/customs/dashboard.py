"""Figures on the work of checkpoints, read from sums: clearance, queue, coverage, irregularities. Never by officer.

Days are those on the wall of the checkpoint. Cells below the threshold are
withheld (`figures.withheld`), with the next smallest where the sum would give
them away; percentiles of a withheld cell are withheld with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from svidok.base import BadInput
from svidok.customs.checkpoints import SQL
from svidok.customs.figures import THRESHOLD, Work, compare, unlike, withheld
from svidok.customs.histogram import added, quantile
from svidok.customs.model import KYIV
from svidok.customs.sums import WHOLE, day_span, mean_queue, parts
from svidok.db import Row, Transaction

LONGEST_DAYS = 366 * 5
_FACETS = ("lane", "kind", "hour")
_PEERS_DAYS = 90
_PEERS = 400
_SHOWN_UNLIKE = 40
_SAMPLE = 20_000


def asked_days(first: date, last: date) -> tuple[date, date]:
    """The days from `first` to `last`, both included, as (first, the day after the last). Raises `BadInput`."""
    if last < first or (last - first).days > LONGEST_DAYS:
        raise BadInput("days-form", "Give a first day and a last day that is not before it, five years at most.")
    return first, last + timedelta(days=1)


def overview(tx: Transaction, *, checkpoint_id: UUID | None, first: date, last: date) -> dict[str, Any]:
    """Everything the dashboard shows of a span of days; of all checkpoints together where none is named."""
    begin, after = asked_days(first, last)
    months, days = parts(begin, after)
    rows = tx.all(SQL["sums_between"], checkpoint_id=checkpoint_id or WHOLE, months=months, days=days)
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["facet"], row["value"]].append(row)
    hours = (day_span(last).end - day_span(first).start) / timedelta(hours=1)
    whole = _cell(groups.get(("all", ""), []), hours)
    told: dict[str, Any] = {"all": whole | {"withheld": 0 < whole["procedures"] < THRESHOLD}}
    if told["all"]["withheld"]:
        told["all"] = _hidden()
    for facet in _FACETS:
        told[facet] = _facet(groups, facet, hours if facet != "hour" else (after - begin).days)
    told["irregularities"] = _counts(groups, "irregularity")
    told["missing"] = _counts(groups, "missing", threshold=1)
    told["trend"] = _trend(tx, checkpoint_id, begin, after) if checkpoint_id else []
    told["by_checkpoint"] = (
        [] if checkpoint_id else _by_checkpoint(tx.all(SQL["sums_by_checkpoint"], months=months, days=days))
    )
    return told | {"first": first, "last": last, "threshold": THRESHOLD}


def _cell(rows: Sequence[Row], hours: float) -> dict[str, Any]:
    took, waited = added(row["took"] for row in rows), added(row["waited"] for row in rows)
    wait_s = sum(row["wait_s"] for row in rows)
    return {
        "procedures": sum(row["procedures"] for row in rows), "ended": sum(row["ended"] for row in rows),
        "median_s": quantile(took, 0.5), "p90_s": quantile(took, 0.9), "wait_median_s": quantile(waited, 0.5),
        "wait_p90_s": quantile(waited, 0.9), "queue": mean_queue(wait_s, hours), "withheld": False,
    }  # fmt: skip


def _hidden() -> dict[str, Any]:
    names = ("procedures", "ended", "median_s", "p90_s", "wait_median_s", "wait_p90_s", "queue")
    return dict.fromkeys(names) | {"withheld": True}


def _facet(groups: dict[tuple[str, str], list[Row]], facet: str, hours: float) -> list[dict[str, Any]]:
    cells = {value: _cell(rows, hours) for (name, value), rows in groups.items() if name == facet}
    hide = withheld({value: one["procedures"] for value, one in cells.items()})
    order = sorted(cells, key=lambda value: (len(value), value))
    return [{"value": value, **(_hidden() if value in hide else cells[value])} for value in order]


def _counts(
    groups: dict[tuple[str, str], list[Row]], facet: str, *, threshold: int = THRESHOLD
) -> list[dict[str, Any]]:
    """Counts of pairs (what, why), the largest first."""
    counts = {value: sum(row["procedures"] for row in rows) for (name, value), rows in groups.items() if name == facet}
    hide = withheld(counts, threshold=threshold)
    told = []
    for value in sorted(counts, key=lambda one: (one in hide, -counts[one], one)):
        what, _, why = value.partition("/")
        told.append({"what": what, "why": why, "count": None if value in hide else counts[value],
                     "withheld": value in hide})  # fmt: skip
    return told


def _trend(tx: Transaction, checkpoint_id: UUID, begin: date, after: date) -> list[dict[str, Any]]:
    """A point for each day, or for each month where the days are many."""
    grain = "d" if (after - begin).days <= 93 else "m"
    rows = tx.all(SQL["sums_by_day"], grain=grain, checkpoint_id=checkpoint_id, first=begin, after=after)
    points = []
    for row in rows:
        hidden = row["procedures"] < THRESHOLD
        took = added([row["took"]])
        points.append({
            "day": row["day"], "procedures": None if hidden else row["procedures"],
            "median_s": None if hidden else quantile(took, 0.5), "p90_s": None if hidden else quantile(took, 0.9),
        })  # fmt: skip
    return points


def _by_checkpoint(rows: Iterable[Row]) -> list[dict[str, Any]]:
    groups: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["checkpoint_id"]].append(row)
    cells = {one: _cell(found, 0.0) for one, found in groups.items()}
    hide = withheld({str(one): cell["procedures"] for one, cell in cells.items()})
    return [{"checkpoint_id": one, **(_hidden() if str(one) in hide else cell)} for one, cell in cells.items()]


def before_after(
    tx: Transaction, *, checkpoint_id: UUID, kind: str | None, split: date, days: int
) -> dict[str, Any]:  # fmt: skip
    """Whether clearance changed at `split`: as many days before as after, with a confidence interval."""
    if not 7 <= days <= 366:
        raise BadInput("days-form", "Compare between seven days and a year on each side.")
    sides = []
    for first, after in ((split - timedelta(days=days), split), (split, split + timedelta(days=days))):
        start, end = day_span(first).start, day_span(after).start
        rows = tx.all(
            SQL["clearances"], checkpoint_id=checkpoint_id, kind=kind or None, start=start, end=end, most=_SAMPLE
        )
        sides.append([float(row["took_s"]) for row in rows])
    result = asdict(compare(*sides))
    result |= {"split": split, "days": days, "kind": kind, "method": "Hodges-Lehmann / Mann-Whitney"}
    return result


def unlike_peers(tx: Transaction, *, checkpoint_id: UUID, first: date, last: date) -> list[dict[str, Any]]:
    """Procedures that look unlike their peers, each with its reasons; by what is most, not by who."""
    begin, after = asked_days(first, last)
    if (after - begin).days > 31:
        raise BadInput("days-form", "Ask for at most a month.")
    start = day_span(begin).start
    rows = tx.all(SQL["work_of"], checkpoint_id=checkpoint_id, start=start, end=day_span(after).start)
    peers_rows = tx.all(
        SQL["work_of"], checkpoint_id=checkpoint_id, start=start - timedelta(days=_PEERS_DAYS), end=start
    ) + rows  # fmt: skip
    groups: defaultdict[tuple[str, bool], list[Work]] = defaultdict(list)
    for row in reversed(peers_rows):
        group = groups[_group(row)]
        if len(group) < _PEERS:
            group.append(_work(row))
    found = []
    for row in rows:
        reasons = unlike(_work(row), groups[_group(row)])
        if reasons:
            found.append({"id": row["id"], "number": row["number"], "kind": row["kind"], "lane": row["lane"],
                          "start_at": row["start_at"], "reasons": [asdict(one) for one in reasons]})  # fmt: skip
    found.sort(key=lambda one: (-len(one["reasons"]), one["start_at"]))
    return found[:_SHOWN_UNLIKE]


def _group(row: Row) -> tuple[str, bool]:
    return row["kind"], not time(6) <= row["start_at"].astimezone(KYIV).time() < time(22)


def _work(row: Row) -> Work:
    return Work(
        clearance_s=float(row["took_s"]), steps=tuple(step["kind"] for step in row["steps"]),
        officers=row["officers"], scan_due=row["scan_due"], scans=row["scans"],
    )  # fmt: skip


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of a month.

    >>> month_of(date(2026, 2, 14))
    (datetime.date(2026, 2, 1), datetime.date(2026, 2, 28))
    """
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def wall_today(at: datetime) -> date:
    """Today on the wall of a checkpoint."""
    return at.astimezone(KYIV).date()
