"""Where something moves: what is worth a closer look, and what is not. Cheap on purpose.

Two gates. `QuietBytes` needs no picture: a scene in which nothing moves costs
the camera's encoder few bytes. `Motion` compares small grey pictures with what
the scene looked like lately.
"""

from collections import deque

import cv2
import numpy as np

from svidok.vision.sessions import Array, Picture
from svidok.vision.shapes import Box

_WIDE = 192
_DIFFERENT = 16
_LEAST_SHARE = 0.002
_SLOW = 0.06
_MARGIN = 0.12
_REMEMBERED = 120
_ABOVE_QUIET = 1.25
_FIRST_LOOKS = 5
_TELLING = 2.0  # how much more a busy group must have than a quiet one
_STILL_BYTES = 200  # a picture: less than that is a scene that was not redrawn at all


class QuietBytes:
    """Whether the pictures between key pictures were as small as they are when nothing moves."""

    def __init__(self) -> None:
        self._lately: deque[int] = deque(maxlen=_REMEMBERED)

    def is_quiet(self, between_bytes: int, pictures: int) -> bool:
        """Judge a group by the bytes of its `pictures` but the key picture. Until enough was seen nothing is quiet.

        Bytes say something only where they differ: at night noise fills the
        stream, whether somebody passes or not.
        """
        least, most = np.quantile(self._lately, [0.1, 0.9]) if len(self._lately) >= _FIRST_LOOKS else (0.0, 0.0)
        self._lately.append(between_bytes)
        telling = most > _TELLING * least or between_bytes < _STILL_BYTES * pictures
        return bool(telling) and between_bytes <= _ABOVE_QUIET * float(least)


class Motion:
    """What a scene looks like, learnt slowly; and where a picture differs from it."""

    def __init__(self) -> None:
        self._scene: Array | None = None

    def look(self, picture: Picture) -> Box | None:
        """The part of `picture` in which something is new: all of it the first time, nothing where all is as it was."""
        height, width = picture.shape[:2]
        scale = _WIDE / max(width, 1)
        small = cv2.resize(picture, (_WIDE, max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
        grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (5, 5), 0).astype(np.float32)
        scene = self._scene
        if scene is None or scene.shape != grey.shape:
            self._scene = grey
            return Box(x=0, y=0, width=width, height=height)
        brighter = float(np.median(grey - scene))  # a cloud, or the camera's own exposure
        moved = (np.abs(grey - scene - brighter) > _DIFFERENT).astype(np.uint8)
        self._scene = scene + _SLOW * (grey - scene)
        moved = np.asarray(cv2.morphologyEx(moved, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)))
        if moved.mean() < _LEAST_SHARE:
            return None
        left, top, wide, high = cv2.boundingRect(moved)
        box = Box(x=left / scale, y=top / scale, width=wide / scale, height=high / scale).grown(_MARGIN)
        x0, y0, x1, y1 = box.within(width, height)
        return Box(x=x0, y=y0, width=x1 - x0, height=y1 - y0)
