"""Faces in a picture, by CenterFace: found to be blurred, never compared.

A miss is a leak, so whoever blurs takes a low threshold, grown boxes, and the
heads of persons whose faces are not seen (`to_blur`).
"""

from collections.abc import Iterable

import cv2
import numpy as np
import onnxruntime as ort

from svidok.vision.detect import PERSON
from svidok.vision.sessions import Picture, own
from svidok.vision.shapes import Box, Found, boxes_of, strongest

FACE = "face"

_STEP = 4  # pixels of the picture to one of the answer
_GRAIN = 32  # sides the net can take are multiples of this
_OVERLAP = 0.3
_MARGIN = 0.3
_HEAD = 1 / 3  # of a person's height
_HEAD_WITHIN = 0.5  # of a face that has to lie in the head's part of a person for the person to be covered by it


def find(
    picture: Picture, *, least: float = 0.25, long_side: int = 1280, model: ort.InferenceSession | None = None
) -> tuple[Found, ...]:
    """The faces in `picture`, the surest first. It is looked at with at most `long_side` pixels: more finds smaller."""
    net = model or own("centerface.onnx")
    height, width = picture.shape[:2]
    scale = min(1.0, long_side / max(height, width, 1))
    sides = [max(_GRAIN, _GRAIN * round(side * scale / _GRAIN)) for side in (width, height)]
    small = cv2.resize(picture, sides, interpolation=cv2.INTER_AREA)
    tensor = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32).transpose(2, 0, 1)[None]
    told = net.run(None, {net.get_inputs()[0].name: np.ascontiguousarray(tensor)})
    heat, size, offset = (np.asarray(one)[0] for one in told[:3])
    rows, columns = np.nonzero(heat[0] >= least)
    if not len(rows):
        return ()
    high, wide = (np.exp(size[axis, rows, columns]) * _STEP for axis in (0, 1))
    middle_y = (rows + offset[0, rows, columns] + 0.5) * _STEP
    middle_x = (columns + offset[1, rows, columns] + 0.5) * _STEP
    back = np.array([width / sides[0], height / sides[1]] * 2, np.float32)
    corners = np.stack(
        [middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2], axis=1
    ) * back  # fmt: skip
    found = [
        Found(kind=FACE, score=float(heat[0, row, column]), box=box)
        for row, column, box in zip(rows, columns, boxes_of(corners), strict=True)
    ]
    return strongest(found, overlap=_OVERLAP)


def to_blur(faces: Iterable[Found], others: Iterable[Found], *, margin: float = _MARGIN) -> tuple[Box, ...]:
    """What to blur so that nobody is known: every face, and the head of every person whose face is not seen.

    No finder of faces sees a head from behind or from far, and the finder of
    persons does: the upper third of such a person is covered.
    """
    seen = [face.box for face in faces]
    heads = [
        Box(x=one.box.x, y=one.box.y, width=one.box.width, height=one.box.height * _HEAD)
        for one in others
        if one.kind == PERSON
    ]
    unseen = [head for head in heads if not any(face.shared(head) > _HEAD_WITHIN * face.area for face in seen)]
    return tuple(box.grown(margin) for box in seen) + tuple(unseen)
