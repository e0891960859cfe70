"""Lines of text in a picture, and what each may say, sign by sign, by PP-OCRv6. Knows no plates.

What comes out is not a text but its parts (`Sign`): for each place where
something was read, how probable each digit and each Latin capital is. Letters
of other alphabets that look the same count as Latin ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from svidok.vision.grammar import SIGNS
from svidok.vision.plate_text import normal
from svidok.vision.sessions import Array, Numbers, Picture, ocr

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

_GRAIN = 32
_INK = 0.3  # from which a pixel of the detector's answer is text
_LEAST_SCORE = 0.45
_LEAST_SIDE_PX = 3
_SPREAD = 1.6  # the detector marks the core of a line: by how much it is grown, in areas over outlines
_LINE_PX = 48
_WIDEST_PX = 640
_STEP_PX = 8
_FAINT = 0.08  # a sign that is at least so probable where nothing was read is kept as a doubtful one


@dataclass(frozen=True, slots=True)
class Line:
    """Where a line of text is: its corners in pixels, from the upper left as one reads, and how sure that is."""

    corners: Numbers
    score: float

    @property
    def width(self) -> float:
        """Along the text."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        """Across the text."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


@dataclass(frozen=True, slots=True)
class Sign:
    """One place of a line: how probable each of `SIGNS` is, what was read, and how probable nothing is."""

    odds: Numbers
    read: str
    nothing: float


def lines(picture: Picture, *, long_side: int, least_side: int = 0) -> list[Line]:
    """The lines of text in `picture`, looked at with at most `long_side` pixels and at least `least_side`."""
    height, width = picture.shape[:2]
    longest = max(height, width, 1)
    scale = min(1.0, long_side / longest) if longest >= least_side else least_side / longest
    sides = [max(_GRAIN, _GRAIN * round(side * scale / _GRAIN)) for side in (width, height)]
    small = _scaled(picture, sides, scale)
    net = ocr(DETECTOR)
    told = net.run(None, {net.get_inputs()[0].name: _tensor(small)})
    back = np.array([width / sides[0], height / sides[1]], np.float32)
    return _boxes(np.asarray(told[0])[0, 0], back)


def _scaled(picture: Picture, sides: Sequence[int], scale: float) -> Picture:
    """Smaller by whole steps first: averaging over whole pixels is many times quicker."""
    step = int(1 / scale)
    if step > 1:
        height, width = (side // step for side in picture.shape[:2])
        whole = picture[: height * step, : width * step]
        return _scaled(np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8), sides, 1)
    return np.asarray(cv2.resize(picture, list(sides), interpolation=cv2.INTER_LINEAR), np.uint8)


def _tensor(picture: Picture) -> Numbers:
    scaled = picture.astype(np.float32) * np.float32(2 / 255) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _boxes(heat: Numbers, back: Numbers) -> list[Line]:
    mask = cv2.dilate((heat > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    found = []
    for contour in cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]:
        (x, y), (wide, high), angle = cv2.minAreaRect(contour)
        if min(wide, high) < _LEAST_SIDE_PX:
            continue
        score = _mean_within(heat, contour)
        if score < _LEAST_SCORE:
            continue
        grown = wide * high * _SPREAD / (2 * (wide + high)) * 2
        corners = cv2.boxPoints(((x, y), (wide + grown, high + grown), angle))
        found.append(Line(corners=_ordered(np.asarray(corners, np.float32)) * back, score=score))
    return found


def _mean_within(heat: Numbers, contour: Array) -> float:
    left, top, wide, high = cv2.boundingRect(contour)
    mask = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(mask, [contour - np.array([left, top])], 1)
    return float(cv2.mean(heat[top : top + high, left : left + wide], mask)[0])


def _ordered(corners: Numbers) -> Numbers:
    """Corners from the upper left, clockwise; a line lies rather than stands."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    upper_left, lower_left = left[np.argsort(left[:, 1])]
    upper_right, lower_right = right[np.argsort(right[:, 1])]
    return np.stack([upper_left, upper_right, lower_right, lower_left])


def cut(picture: Picture, corners: Numbers, *, high: int = _LINE_PX) -> Picture:
    """The part of `picture` between four corners, straightened, `high` pixels high."""
    top, right, bottom, left = (float(np.linalg.norm(corners[one] - corners[one - 1])) for one in (1, 2, 3, 0))
    across, down = max(top, bottom), max(left, right, 1.0)
    wide = int(np.clip(round(high * across / down), high, high * _WIDEST_PX // _LINE_PX))
    if down > 2 * high:  # far larger than needed: average, or thin strokes are lost between the pixels
        twice = cut(picture, corners, high=2 * high)
        return np.asarray(cv2.resize(twice, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    goal = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
    straight = cv2.warpPerspective(picture, turn, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(straight, np.uint8)


def read(strip: Picture) -> tuple[Sign, ...]:
    """What a straightened line says, place by place."""
    net = ocr(RECOGNISER)
    wide = max(_LINE_PX, -(-strip.shape[1] // _STEP_PX) * _STEP_PX)
    tensor = np.zeros((1, 3, _LINE_PX, wide), np.float32)
    tensor[:, :, :, : strip.shape[1]] = _tensor(strip)
    told = np.asarray(net.run(None, {net.get_inputs()[0].name: tensor})[0])[0]
    columns, groups = _alphabet()
    return signs_of(told[:, columns] @ groups, told[:, 0], _letters_of(told))


def _letters_of(told: Numbers) -> list[str]:
    """What was read at each step, in normal form; empty where nothing was."""
    names = _names()
    return [names[best] if best else "" for best in told.argmax(axis=1)]


def signs_of(odds: Numbers, blank: Numbers, letters: Sequence[str]) -> tuple[Sign, ...]:
    """The steps of a reader gathered into places: runs of one sign, and doubtful ones that hide between them."""
    signs: list[Sign] = []
    best = odds.argmax(axis=1)
    sure = odds.max(axis=1)
    at = 0
    while at < len(letters):
        end = at + 1
        letter = letters[at]
        while end < len(letters) and letters[end] == letter and (letter != "" or best[end] == best[at]):
            end += 1
        peak = at + int(sure[at:end].argmax())
        if len(letter) == 1 or sure[peak] >= _FAINT:
            mass = float(odds[peak].sum())
            signs.append(Sign(odds=odds[peak], read=letter, nothing=max(0.0, 1.0 - mass)))
        at = end
    return tuple(signs)


@cache
def _names() -> tuple[str, ...]:
    """The normal form of each class of the recogniser; empty for the blank and for what is no sign of ours."""
    told = ocr(RECOGNISER).get_modelmeta().custom_metadata_map["character"]
    classes = ["", *told.splitlines(), " "]
    forms = [normal(one) for one in classes]
    return tuple(form if len(form) == 1 and form in SIGNS else "" for form in forms)


@cache
def _alphabet() -> tuple[Array, Numbers]:
    """Which classes of the recogniser are signs of ours, and which sign each is."""
    names = _names()
    columns = np.array([at for at, name in enumerate(names) if name])
    groups = np.zeros((len(columns), len(SIGNS)), np.float32)
    groups[np.arange(len(columns)), [SIGNS.index(names[at]) for at in columns]] = 1
    return columns, groups
