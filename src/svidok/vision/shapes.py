"""Boxes in a picture, and choosing among those that overlap. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svidok.vision.sessions import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An upright box in pixels of the picture; its edges need not be whole numbers, and may lie outside it."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """In square pixels."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def shared(self, other: "Box") -> float:
        """How many square pixels two boxes share."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(wide, 0.0) * max(high, 0.0)

    def likeness(self, other: "Box") -> float:
        """Shared area over joint area, 0 to 1.

        >>> Box(x=0, y=0, width=2, height=2).likeness(Box(x=1, y=0, width=2, height=2)) == 1 / 3
        True
        """
        shared = self.shared(other)
        joint = self.area + other.area - shared
        return shared / joint if joint > 0 else 0.0

    def grown(self, by: float) -> "Box":
        """Wider and higher by a share of itself on each side."""
        wide, high = self.width * by, self.height * by
        return Box(x=self.x - wide, y=self.y - high, width=self.width + 2 * wide, height=self.height + 2 * high)

    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The whole pixels it covers in a picture of this size: left, top, right, bottom."""
        left, top = max(0, int(np.floor(self.x))), max(0, int(np.floor(self.y)))
        right = min(width, int(np.ceil(self.x + self.width)))
        bottom = min(height, int(np.ceil(self.y + self.height)))
        return left, top, max(left, right), max(top, bottom)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something found in a picture: what, where, and how sure (0 to 1)."""

    kind: str
    score: float
    box: Box


def boxes_of(corners: Numbers) -> list[Box]:
    """Boxes out of rows of left, top, right, bottom."""
    return [
        Box(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))
        for left, top, right, bottom in corners
    ]


def strongest(found: Sequence[Found], *, overlap: float) -> tuple[Found, ...]:
    """Of those of one kind that overlap by more than this, the surest; the surest first."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(one.kind != other.kind or one.box.likeness(other.box) <= overlap for other in kept):
            kept.append(one)
    return tuple(kept)
