"""Vehicles that never were, driving through real footage with plates that nobody has: what a plate camera sees.

Who drives when is known beforehand (`Passing`), so that a reader can be held
against the truth. A vehicle is drawn as a front with a plate, comes nearer
along a lane, is seen somewhat from aside, shakes with its own motion, and
stands in the scene's light. Nothing is left to chance but by a seed.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from svidok.simulate import plates
from svidok.simulate.plates import Array, Picture
from svidok.vision.grammar import Form, fitting, forms

_FRONT = (330, 520)  # of a drawn front, in its own pixels
_FRONT_CORNERS = np.array([[0, 0], [520, 0], [520, 330], [0, 330]], np.float32)
_PLATE_WIDE = 190
_EXPOSURES = 3
_COMMON = {"DE": "ll ll ddd"}
_SHUTTER_S = 1 / 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """One vehicle: its plate, when it comes into sight and goes out of it (seconds), its lane, and how it looks."""

    plate: str
    country: str
    from_s: float
    to_s: float
    lane: float
    away: bool
    seed: int


def schedule(seed: int, *, length_s: float, countries: Sequence[str], every_s: float = 2.6) -> tuple[Passing, ...]:
    """Vehicles one after another, none across the end of a loop of `length_s`."""
    chance = random.Random(seed)  # noqa: S311  nothing secret: the same every time
    passing: list[Passing] = []
    at = 0.8
    while at + 3.2 < length_s:
        country = chance.choice(countries)
        text, _ = _common(chance, country)
        lasts = chance.uniform(1.9, 3.0)
        passing.append(
            Passing(
                plate=text, country=country, from_s=round(at, 2), to_s=round(at + lasts, 2),
                lane=chance.choice((0.36, 0.62)) + chance.uniform(-0.04, 0.04), away=chance.random() < 0.25,
                seed=chance.randrange(2**31),
            )
        )  # fmt: skip
        at += max(every_s, lasts * 0.9) + chance.uniform(0, 0.6)
    return tuple(passing)


def _common(chance: random.Random, country: str) -> tuple[str, Form]:
    """A plate of the form most of a country's vehicles bear: the first of its grammar, but for Germany's."""
    first = next(
        form for form in forms() if form.country == country and form.pattern == _COMMON.get(country, form.pattern)
    )
    while True:
        text, form = plates.invent(chance, country)
        if form is first:
            return text, form


class Painter:
    """Paints the vehicles of a schedule into pictures. `night`: dark, head lamps, a plate that shines back."""

    def __init__(self, passing: Sequence[Passing], *, night: bool = False, noise: float = 0.0) -> None:
        self._passing = tuple(passing)
        self._night, self._noise = night, noise

    def paint(self, picture: Picture, at_s: float) -> Picture:
        """`picture` (blue first) as it would be at `at_s`, with whoever passes."""
        shown = np.array(cv2.convertScaleAbs(picture, alpha=0.3) if self._night else picture, np.uint8)
        for one in self._passing:
            if one.from_s <= at_s < one.to_s:
                self._drive(shown, one, at_s)
        if self._noise:
            grain = np.empty(shown.shape, np.int16)
            cv2.setRNGSeed(round(at_s * 1000))
            cv2.randn(grain, np.zeros(3), np.full(3, self._noise))
            shown = np.asarray(cv2.add(shown, grain, dtype=cv2.CV_8U), np.uint8)
        return shown

    def _drive(self, shown: Picture, one: Passing, at_s: float) -> None:
        height, width = shown.shape[:2]
        front, mask = _front(one.plate, one.country, one.seed, self._night)
        corners = _corners(one, at_s, width, height)
        left, top = np.maximum(np.floor(corners.min(axis=0) - 12), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0) + 12), [width, height]).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        size = (int(right - left), int(bottom - top))
        light = np.zeros((size[1], size[0], 3), np.float32)
        cover = np.zeros((size[1], size[0], 1), np.float32)
        for exposure in range(_EXPOSURES):
            seen = _corners(one, at_s + _SHUTTER_S * exposure / _EXPOSURES, width, height) - [left, top]
            turn = cv2.getPerspectiveTransform(_FRONT_CORNERS, seen.astype(np.float32))
            light += cv2.warpPerspective(front, turn, size, flags=cv2.INTER_LINEAR)
            cover += cv2.warpPerspective(mask, turn, size, flags=cv2.INTER_LINEAR)[..., None]
        part = shown[top:bottom, left:right] * (1 - cover / _EXPOSURES) + light / _EXPOSURES
        shown[top:bottom, left:right] = np.clip(part, 0, 255)


def _corners(one: Passing, at_s: float, width: int, height: int) -> Array:
    """Where the front is then: further down and larger as it comes nearer, seen from its lane's side."""
    share = (at_s - one.from_s) / (one.to_s - one.from_s)
    near = 1 - share if one.away else share
    depth = 1 / (1.0 + 2.4 * (1 - near))  # evenly in the world, quickly in the picture
    high, wide = _FRONT
    scale = depth * width / 1280 * 0.95
    x = width * (0.5 + (one.lane - 0.5) * (0.5 + 1.1 * depth))
    y = height * (0.14 + 0.66 * depth)
    aside = (one.lane - 0.5) * 0.35
    shake = 0.004 * np.sin(at_s * 23 + one.seed % 7) * height * depth
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * [wide * scale, high * scale]
    lean = np.array([[0, -aside], [0, aside], [0, aside * 0.4], [0, -aside * 0.4]]) * high * scale
    placed: Array = corners + lean + [x, y + shake]
    return placed


@lru_cache(maxsize=32)
def _front(plate: str, country: str, seed: int, night: bool) -> tuple[Array, Array]:
    """A drawn front (premultiplied) and its mask, in its own pixels."""
    chance = random.Random(seed)  # noqa: S311  nothing secret: the same every time
    high, wide = _FRONT
    paint = np.array([chance.randint(25, 210) for _ in range(3)], np.float32)
    body = np.zeros((high, wide, 3), np.float32)
    mask = np.zeros((high, wide), np.float32)
    cv2.rectangle(mask, (12, 90), (wide - 12, high - 22), 1.0, -1)
    cv2.fillPoly(mask, [np.array([[90, 0], [wide - 90, 0], [wide - 30, 100], [30, 100]])], 1.0)
    cv2.rectangle(mask, (30, high - 30), (90, high - 1), 1.0, -1)
    cv2.rectangle(mask, (wide - 90, high - 30), (wide - 30, high - 1), 1.0, -1)
    body[:] = paint * (np.linspace(1.1, 0.65, high, dtype=np.float32)[:, None, None])
    cv2.fillPoly(body, [np.array([[105, 10], [wide - 105, 10], [wide - 62, 88], [62, 88]])], (52, 46, 40))
    cv2.rectangle(body, (120, 150), (wide - 120, 205), (26, 26, 28), -1)
    for row in range(158, 204, 9):
        cv2.line(body, (122, row), (wide - 122, row), (70, 70, 72), 2)
    body *= 0.28 if night else 1.0
    lamp = 255 if night else 205
    for x in (66, wide - 66):
        cv2.ellipse(body, (x, 165), (42, 22), 0, 0, 360, (lamp, lamp, lamp), -1)
    form = next(one for one in fitting(plate) if one.country == country)
    drawn = plates.draw(chance, plate, form).picture
    size = (_PLATE_WIDE, round(_PLATE_WIDE * drawn.shape[0] / drawn.shape[1]))
    small = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    left, top = (wide - size[0]) // 2, 232
    body[top : top + size[1], left : left + size[0]] = small * (0.8 if night else chance.uniform(0.75, 1.0))
    soft = np.asarray(cv2.GaussianBlur(mask, (3, 3), 0))
    return body * soft[..., None], soft
