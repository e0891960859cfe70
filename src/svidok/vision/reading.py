"""Read the plates of a picture: text, alternatives with probabilities, country, box, sureness sign by sign.

Lines of text are found in the whole picture, those that may be plates are read,
the grammars decide. Where no country's form fits, the picture gets a second
chance, larger, then vehicle by vehicle. What stays doubtful is not told as a
plate: `Plate.readable` says so, and `readings` gives it to whoever asks for all.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from svidok.vision import decode, detect, text
from svidok.vision.decode import Guess
from svidok.vision.grammar import NEIGHBOURS
from svidok.vision.sessions import Numbers, Picture
from svidok.vision.shapes import Box
from svidok.vision.text import Line, Sign

MAX_ALTERNATIVES = 8
LEAST_CONFIDENCE = 0.15

_STEPS_PX = (736, 1280, 1920)  # the long side a picture is looked at with, until a plate of a country is read
_VEHICLE_PX = 960
_SMALL_PX = 960  # a picture smaller than this is enlarged for the second chance
_MOST_LINES = 10
_LEAST_HEIGHT_PX = 7.0
_FLAT, _NARROW = 0.7, 12.0  # height to width: what is stood up or stretched is no plate
_SURE_PRICE = 2.2  # a country's form that cheap: nothing else is tried
_NOT_GRAMMAR = 3.0  # a price that only the general rule has
_SMALLER = 1.2  # price of being half as high as the tallest line


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A plate that was read: or, where `readable` is false, one that was seen and could not be.

    `sure` is the sureness of each sign, `confidence` that of the whole text, `alternatives` other texts it may be.
    """

    text: str
    confidence: float
    sure: tuple[float, ...]
    alternatives: tuple[tuple[str, float], ...]
    country: str | None
    form: str
    corners: tuple[tuple[float, float], ...]
    price: float

    @property
    def readable(self) -> bool:
        """Whether it may be told as a read."""
        return self.confidence >= LEAST_CONFIDENCE

    @property
    def box(self) -> Box:
        """The upright box around its corners."""
        xs, ys = zip(*self.corners, strict=True)
        return Box(x=min(xs), y=min(ys), width=max(xs) - min(xs), height=max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class _Seen:
    line: Line
    signs: tuple[Sign, ...]


def plates(picture: Picture, *, expected: Sequence[str] = NEIGHBOURS) -> tuple[Plate, ...]:
    """The plates of `picture` that can be read, the surest first; nothing where none can."""
    return tuple(plate for plate in readings(picture, expected=expected) if plate.readable)


def readings(picture: Picture, *, expected: Sequence[str] = NEIGHBOURS) -> tuple[Plate, ...]:
    """All that may be plates, those too that cannot be read well; the surest first."""
    longest = max(picture.shape[:2])
    found: tuple[Plate, ...] = ()
    for before, side in zip((0, *_STEPS_PX), _STEPS_PX, strict=False):
        if before < longest:
            found = _better(found, _look(picture, expected, long_side=side))
        if _good(found):
            return found
    if longest < _SMALL_PX:
        return _better(found, _look(picture, expected, long_side=_STEPS_PX[-1], least_side=_SMALL_PX))
    for vehicle in [one for one in detect.find(picture, least=0.3) if one.kind in detect.VEHICLES][:2]:
        left, top, right, bottom = vehicle.box.grown(0.05).within(picture.shape[1], picture.shape[0])
        part = np.ascontiguousarray(picture[top:bottom, left:right])
        near = _look(part, expected, long_side=_STEPS_PX[1], least_side=_VEHICLE_PX)
        found = _better(found, tuple(moved(plate, left, top) for plate in near))
    return found


def glance(picture: Picture, *, expected: Sequence[str] = NEIGHBOURS, long_side: int, most: int) -> tuple[Plate, ...]:
    """What one look finds in the `most` likeliest lines. No second chance: the next picture of footage is one."""
    return _look(picture, expected, long_side=long_side, most=most)


def moved(plate: Plate, left: float, top: float) -> Plate:
    """The same plate in the picture that its own was cut from."""
    return replace(plate, corners=tuple((x + left, y + top) for x, y in plate.corners))


def _good(found: Sequence[Plate]) -> bool:
    return bool(found) and found[0].price < _SURE_PRICE and found[0].country is not None


def _better(one: tuple[Plate, ...], other: tuple[Plate, ...]) -> tuple[Plate, ...]:
    if not one or not other:
        return one or other
    return other if other[0].price < one[0].price else one


def _look(
    picture: Picture, expected: Sequence[str], *, long_side: int, least_side: int = 0, most: int = _MOST_LINES
) -> tuple[Plate, ...]:  # fmt: skip
    lines = _plausible(text.lines(picture, long_side=long_side, least_side=least_side))[:most]
    tallest = max((line.height for line in lines), default=1.0)
    found: list[Plate] = []
    seen: list[_Seen] = []
    for line in lines:
        seen.append(_Seen(line, text.read(text.cut(picture, line.corners))))
        plate = _judged([seen[-1]], expected, tallest)
        if plate is not None:
            found.append(plate)
            alone = not any(_above(line, other) or _above(other, line) for other in lines if other is not line)
            if plate.price < _SURE_PRICE and plate.country is not None and line.height > tallest / 2 and alone:
                break
    for pair in _pairs(seen):
        plate = _judged(pair, expected, tallest)
        if plate is not None:
            found.append(plate)
    return _apart(found)


def _plausible(lines: Iterable[Line]) -> list[Line]:
    """Those that may be plates or halves of them, the likeliest first."""
    kept = [
        line
        for line in lines
        if line.height >= _LEAST_HEIGHT_PX and _FLAT <= line.width / max(line.height, 1.0) <= _NARROW
    ]
    tallest = max((line.height for line in kept), default=1.0)

    def unlikely(line: Line) -> float:
        shape = abs(math.log(max(line.width / line.height, 0.1) / 4.2))
        return shape + 0.8 * math.log2(tallest / line.height) - line.score

    return sorted(kept, key=unlikely)


def _pairs(seen: Sequence[_Seen]) -> Iterable[list[_Seen]]:
    """Lines that may be one plate: side by side, or one above the other."""
    for one in seen:
        for other in seen:
            if one is not other and (_beside(one.line, other.line) or _above(one.line, other.line)):
                yield [one, other]


def _beside(left: Line, right: Line) -> bool:
    gap = right.corners[0] - left.corners[1]
    alike = 0.65 < left.height / right.height < 1.55
    return alike and -0.4 * left.height < float(gap[0]) < 2.2 * left.height and abs(float(gap[1])) < 0.5 * left.height


def _above(upper: Line, lower: Line) -> bool:
    drop = lower.corners[:2].mean(axis=0) - upper.corners[2:].mean(axis=0)
    alike = 0.55 < upper.height / lower.height < 1.8
    near = -0.5 * upper.height < float(drop[1]) < 0.6 * upper.height
    return alike and near and abs(float(drop[0])) < 0.6 * max(upper.width, lower.width)


def _judged(parts: Sequence[_Seen], expected: Sequence[str], tallest: float) -> Plate | None:
    signs = [sign for part in parts for sign in part.signs]
    guesses = decode.guesses(signs, expected)
    if not guesses:
        return None
    best = guesses[0]
    high = min(part.line.height for part in parts)
    price = best.price + _SMALLER * max(0.0, math.log2(tallest / max(high, 1.0)) - 1.0) + 0.3 * (len(parts) - 1)
    odds = decode.probabilities(guesses)
    share = dict(odds)[best.text]
    confidence = share * math.prod(max(one, 0.05) for one in best.sure) ** (1 / 2)
    return Plate(
        text=best.text, confidence=round(_honest(confidence, best), 4), sure=tuple(round(one, 4) for one in best.sure),
        alternatives=tuple((said, round(p, 4)) for said, p in odds if said != best.text)[:MAX_ALTERNATIVES],
        country=best.form.country, form=best.form.pattern, corners=_around([part.line for part in parts]), price=price,
    )  # fmt: skip


def _honest(confidence: float, best: Guess) -> float:
    """Less sure of what no country's form fits, and of letters alone: they may be the name of a make."""
    return confidence * (0.6 if best.form.country is None else 1.0) * (0.5 if best.text.isalpha() else 1.0)


def _around(lines: Sequence[Line]) -> tuple[tuple[float, float], ...]:
    corners: Numbers = np.concatenate([line.corners for line in lines])
    if len(lines) > 1:
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return tuple((float(x), float(y)) for x, y in corners)


def _apart(found: Sequence[Plate]) -> tuple[Plate, ...]:
    """Of those that lie on each other the cheapest; the cheapest first."""
    kept: list[Plate] = []
    for plate in sorted(found, key=lambda one: one.price):
        if all(plate.box.shared(other.box) < 0.4 * min(plate.box.area, other.box.area) for other in kept):
            kept.append(plate)
    return tuple(kept)
