"""How well a camera reads, where the truth is known: a demonstration, or a test drive with a list. Pure.

A simulated camera shows the same vehicles again every `loop`; when its loop
began is not known, and need not be: in a whole number of loops each vehicle is
read once a loop, or it was missed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from svidok.vision.plate_text import cost

_MISREAD = 10.0  # a text farther than about two errors from every true plate is nobody's


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One read, as far as accuracy asks: when, what."""

    taken_at: datetime
    plate: str


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """What reads were worth in a span of whole loops."""

    since: datetime | None
    until: datetime | None
    passed: int  # vehicles that drove by
    right: int
    misread: tuple[tuple[str, str], ...]  # read, true
    invented: tuple[str, ...]  # of which no vehicle is near
    twice: int

    @property
    def share(self) -> float | None:
        """Right reads over vehicles; nothing where none passed yet."""
        return self.right / self.passed if self.passed else None


def accuracy(truth: Sequence[str], reads: Iterable[Told], *, loop: timedelta) -> Accuracy:
    """Hold reads against the plates that pass once a loop. Without a whole loop of reads there is no figure yet."""
    ordered = sorted(reads, key=lambda one: one.taken_at)
    loops = int((ordered[-1].taken_at - ordered[0].taken_at) / loop) if ordered else 0
    if loops == 0:
        return Accuracy(since=None, until=None, passed=0, right=0, misread=(), invented=(), twice=0)
    since, until = ordered[0].taken_at, ordered[0].taken_at + loops * loop
    counted = Counter(one.plate for one in ordered if one.taken_at < until)
    often = Counter(truth)
    right = sum(min(counted[plate], times * loops) for plate, times in often.items())
    twice = sum(max(0, counted[plate] - times * loops) for plate, times in often.items())
    misread: list[tuple[str, str]] = []
    invented: list[str] = []
    for plate, times in counted.items():
        if plate in often:
            continue
        nearest = min(often, key=lambda true, plate=plate: cost(plate, true), default="")  # type: ignore[misc]
        if nearest and cost(plate, nearest) <= _MISREAD:
            misread += [(plate, nearest)] * times
        else:
            invented += [plate] * times
    return Accuracy(
        since=since, until=until, passed=len(truth) * loops, right=right, misread=tuple(misread),
        invented=tuple(invented), twice=twice,
    )  # fmt: skip
