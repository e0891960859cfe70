"""Judge key frames and sound: too dark, lens covered, picture frozen, microphone silent. Pure.

It judges pictures, never what people do in them. Each verdict needs to last
`LASTS`, so that a hand before the lens for a moment is nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from svidok.base import Span
from svidok.bodyworn.model import GapCause, Mark, merged
from svidok.media.looks import Look, Loudness

LASTS = timedelta(seconds=4)
SILENCE_LASTS = timedelta(seconds=60)  # people are silent; a whole minute without any noise is a microphone
_DARK = 26.0
_FLAT = 3.0
_BLURRED = 2.0
_STILL = 0.02
_SILENT_DB = -75.0


def cause_of(look: Look) -> GapCause | None:
    """What is wrong with one key frame, or nothing.

    >>> dark = Look(at_us=0, brightness=14, spread=6, sharpness=9, change=1)
    >>> covered = Look(at_us=0, brightness=60, spread=1, sharpness=0.1, change=1)
    >>> day = Look(at_us=0, brightness=110, spread=50, sharpness=300, change=4)
    >>> cause_of(dark).value, cause_of(covered).value, cause_of(day)
    ('too-dark', 'obstructed', None)
    """
    if look.spread < _FLAT and look.sharpness < _BLURRED:
        return GapCause.OBSTRUCTED
    if look.brightness < _DARK:
        return GapCause.TOO_DARK
    if 0 <= look.change < _STILL:
        return GapCause.FROZEN
    return None


def judge(looks: Sequence[Look], sound: Sequence[Loudness], *, start_at: datetime, end_at: datetime) -> list[Mark]:
    """The stretches of a clip from `start_at` to `end_at` that show nothing, or let nothing be heard."""

    def at(us: int) -> datetime:
        return start_at + timedelta(microseconds=us)

    marks: list[Mark] = []
    seen = [(Span(at(one.at_us), at(after.at_us)), cause_of(one)) for one, after in pairwise(looks)]
    if looks and at(looks[-1].at_us) < end_at:
        seen.append((Span(at(looks[-1].at_us), end_at), cause_of(looks[-1])))
    for cause in (GapCause.OBSTRUCTED, GapCause.TOO_DARK, GapCause.FROZEN):
        marks += _lasting((span for span, found in seen if found == cause), cause, LASTS)
    second = timedelta(seconds=1)
    quiet = (Span(at(one.at_us), at(one.at_us) + second) for one in sound if one.peak_db < _SILENT_DB)
    marks += _lasting(quiet, GapCause.SILENT_MICROPHONE, SILENCE_LASTS)
    return [mark for mark in marks if mark.span.start < end_at]


def _lasting(spans: Iterable[Span], cause: GapCause, least: timedelta) -> Iterator[Mark]:
    """Neighbouring spans as one mark, where they last long enough together."""
    return (Mark(span=span, cause=cause) for span in merged(spans) if span.duration >= least)
