"""Instants and spans.

An instant is an aware `datetime` in UTC, to the microsecond. Where instants
come by the thousand a second (frames, fragments) they travel as integers of
microseconds since 1970, in names that end in `_us`. A span is half-open:
`start` belongs to it, `end` does not, so that neighbours neither overlap nor
leave a hole. Nobody but `SystemClock` asks the machine for the time.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """What says what time it is."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 of an aware `instant`.

    >>> to_us(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (instant - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The instant that lies `us` microseconds after 1970.

    >>> from_us(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return EPOCH + timedelta(microseconds=us)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of time: `start` <= t < `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs instants with a time zone")
        if self.end < self.start:
            raise ValueError("a span may not end before it starts")

    @property
    def duration(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def contains(self, instant: datetime) -> bool:
        """Whether `instant` lies inside."""
        return self.start <= instant < self.end

    def touches(self, other: "Span") -> bool:
        """Whether the two share at least one instant.

        >>> hour = timedelta(hours=1)
        >>> Span(EPOCH, EPOCH + hour).touches(Span(EPOCH + hour, EPOCH + 2 * hour))
        False
        """
        return self.start < other.end and other.start < self.end
