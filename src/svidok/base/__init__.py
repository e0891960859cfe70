"""The words everyone uses: ids, instants and spans, the error tree. Standard library only."""

from svidok.base.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    SvidokError,
    Unavailable,
)
from svidok.base.ids import new_id
from svidok.base.time import Clock, Span, SystemClock, from_us, to_us

__all__ = [
    "BadInput",
    "Clock",
    "Conflict",
    "Forbidden",
    "NotFound",
    "Span",
    "SvidokError",
    "SystemClock",
    "Unavailable",
    "from_us",
    "new_id",
    "to_us",
]
