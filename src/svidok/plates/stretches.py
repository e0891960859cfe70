"""Ask for the latest of many: reads lie in a partition for each day, and mostly the last days have enough.

So a question goes back in time in stretches that double, until it has enough.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from svidok.base import Span
from svidok.db import Row, Transaction

_DAY = timedelta(days=1)


def going_back(span: Span) -> Iterator[Span]:
    """`span` in stretches, latest first: the last day of it (of UTC), the two before, the four before, and so on.

    >>> at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    >>> [(f"{one.start:%d %H}", f"{one.end:%d %H}") for one in going_back(Span(at - timedelta(days=5), at))]
    [('25 00', '25 09'), ('23 00', '25 00'), ('20 09', '23 00')]
    """
    end, length = span.end, _DAY
    while end > span.start:
        midnight = datetime.combine((end - timedelta(microseconds=1)).astimezone(UTC).date(), time(), UTC)
        start = max(span.start, midnight - length + _DAY)
        yield Span(start, end)
        end, length = start, length * 2


def latest(tx: Transaction, query: str, span: Span, *, limit: int, **params: object) -> list[Row]:
    """The latest `limit` rows of `query` in `span`; it takes `start`, `end` and `limit`, and answers latest first."""
    rows: list[Row] = []
    for piece in going_back(span):
        rows += tx.all_planned_once(query, start=piece.start, end=piece.end, limit=limit - len(rows), **params)
        if len(rows) >= limit:
            break
    return rows
