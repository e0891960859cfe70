"""From a camera's footage, group by group, to the vehicles that passed: gates, looks, tracks. No clock, no disk.

Most of footage shows nothing new, and costs next to nothing: a group whose
bytes say that nothing moved is not even decoded. Otherwise a few pictures of it
are looked at, and of each only the part that moved.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from svidok.vision import detect, reading
from svidok.vision.grammar import NEIGHBOURS
from svidok.vision.motion import Motion, QuietBytes
from svidok.vision.sessions import Picture
from svidok.vision.shapes import Box
from svidok.vision.tracks import Look, Sighting, Tracks

LOOKS_A_SECOND = 4.0
_LOOKS_TOLD = 2.0  # while all plates in sight are told already
_LONG_SIDE_PX = 800
_MOST_LINES = 4
_LEAST_LOOK = 0.2  # a plate less sure than this is no vote
_OVERVIEW_PX, _PATCH_PX = 1280, 480
_QUALITY = 85

Decode = Callable[[Sequence[int]], Iterable[tuple[int, int, Picture]]]
"""Gives the pictures of a group with these numbers: number, microseconds since the first, pixels."""


@dataclass(slots=True)
class Counts:
    """What was done, to be told as figures."""

    groups: int = 0
    undecoded: int = 0
    pictures: int = 0
    looks: int = 0
    told: int = 0


@dataclass(slots=True, kw_only=True)
class Watcher:
    """One camera's footage in order. `expected` countries, the likeliest first."""

    expected: tuple[str, ...] = NEIGHBOURS
    counts: Counts = field(default_factory=Counts)
    _quiet: QuietBytes = field(default_factory=QuietBytes)
    _motion: Motion = field(default_factory=Motion)
    _tracks: Tracks = field(default_factory=Tracks)

    @property
    def seen_since_us(self) -> int | None:
        """Since when a vehicle is in sight that was not told yet: after a crash, footage is seen again from there."""
        return self._tracks.seen_since_us

    def group(
        self, decode: Decode, *, sizes: Sequence[int], start_us: int, duration_us: int, source: str = "",
        thin: bool = False,
    ) -> Iterator[Sighting]:  # fmt: skip
        """Take the next group of pictures (sizes in bytes, when it begins, how long it is): the vehicles to tell.

        `thin` when there is no time: fewer pictures are looked at.
        """
        self.counts.groups += 1
        quiet = self._quiet.is_quiet(sum(sizes[1:]), len(sizes))
        if quiet and not self._tracks.busy:
            self.counts.undecoded += 1
            yield from self._tracks.take([], at_us=start_us + duration_us)
            return
        a_second = _LOOKS_TOLD if thin or self._tracks.told else LOOKS_A_SECOND
        count = max(1, min(len(sizes), round(a_second * duration_us / 1e6)))
        wanted = sorted({int(at) for at in np.linspace(0, len(sizes), count, endpoint=False)})
        for _, offset_us, picture in decode(wanted):
            self.counts.pictures += 1
            at_us = start_us + offset_us
            yield from self._tracks.take(self._look(picture, at_us, source), at_us=at_us)

    def end(self) -> Iterator[Sighting]:
        """Nothing more comes."""
        yield from self._tracks.end()

    def _look(self, picture: Picture, at_us: int, source: str) -> list[Look]:
        part = self._motion.look(picture)
        if part is None:
            return []
        self.counts.looks += 1
        left, top, right, bottom = part.within(picture.shape[1], picture.shape[0])
        cut = np.ascontiguousarray(picture[top:bottom, left:right])
        found = reading.glance(cut, expected=self.expected, long_side=_LONG_SIDE_PX, most=_MOST_LINES)
        return [
            Look(at_us=at_us, plate=reading.moved(plate, left, top), picture=picture, source=source)
            for plate in found
            if plate.confidence >= _LEAST_LOOK
        ]


def vehicle_of(sighting: Sighting) -> str | None:
    """What kind of vehicle bears the plate, where one is seen around it."""
    x, y = sighting.best.plate.box.middle
    around = [
        one
        for one in detect.find(sighting.best.picture, least=0.3)
        if one.kind in detect.VEHICLES and one.box.x <= x <= one.box.x + one.box.width
        and one.box.y <= y <= one.box.y + one.box.height
    ]  # fmt: skip
    return around[0].kind if around else None


def jpegs(sighting: Sighting) -> tuple[bytes, bytes, tuple[int, int, int, int]]:
    """The overview, the plate cut out of it, and the plate's box (x, y, width, height) in pixels of the overview."""
    whole = sighting.best.picture
    scale = min(1.0, _OVERVIEW_PX / max(whole.shape[:2]))
    box = sighting.best.plate.box
    left, top, right, bottom = Box(
        x=box.x - 0.12 * box.width, y=box.y - 0.4 * box.height, width=1.24 * box.width, height=1.8 * box.height
    ).within(whole.shape[1], whole.shape[0])
    patch = whole[top:bottom, left:right]
    wide = max(1, min(_PATCH_PX, 3 * patch.shape[1]))
    high = max(1, round(patch.shape[0] * wide / max(1, patch.shape[1])))
    small = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else whole
    told = (
        round(box.x * scale),
        round(box.y * scale),
        max(1, round(box.width * scale)),
        max(1, round(box.height * scale)),
    )
    return _jpeg(np.asarray(small, np.uint8)), _jpeg(np.asarray(cv2.resize(patch, (wide, high)), np.uint8)), told


def _jpeg(picture: Picture) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
