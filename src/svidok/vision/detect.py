"""Vehicles and persons in a picture, by NanoDet-g. What they are, never who."""

import cv2
import numpy as np
import onnxruntime as ort

from svidok.vision.sessions import Numbers, Picture, own
from svidok.vision.shapes import Found, boxes_of, strongest

VEHICLES = frozenset({"car", "truck", "bus", "motorcycle", "bicycle"})
PERSON = "person"

_KINDS = {0: PERSON, 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
"""The classes of COCO that are wanted; the others are left out, they are mostly wrong on street cameras."""

_SIDE = 416
_STRIDES = (8, 16, 32)
_BINS = 11
_OVERLAP = 0.6
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_SPREAD = np.array([57.375, 57.12, 58.395], np.float32)
_GREY = (114, 114, 114)


def find(picture: Picture, *, least: float = 0.4, model: ort.InferenceSession | None = None) -> tuple[Found, ...]:
    """What stands or moves in `picture` and is at least so sure, the surest first.

    The model sees 416 x 416 pixels: of a wide scene, pass the part that matters.
    """
    net = model or own("nanodet.onnx")
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width, 1)
    canvas = np.full((_SIDE, _SIDE, 3), _GREY, np.uint8)
    small = cv2.resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=_by(scale))
    canvas[: small.shape[0], : small.shape[1]] = small
    tensor = ((canvas.astype(np.float32) - _MEAN) / _SPREAD).transpose(2, 0, 1)[None]
    names = [f"{what}_{stride}" for stride in _STRIDES for what in ("scores", "boxes")]
    told = net.run(names, {"picture": np.ascontiguousarray(tensor)})
    found: list[Found] = []
    for at, stride in enumerate(_STRIDES):
        found += _of_stride(np.asarray(told[2 * at])[0], np.asarray(told[2 * at + 1])[0], stride, least, scale)
    return strongest(found, overlap=_OVERLAP)


def _by(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR


def _of_stride(scores: Numbers, bins: Numbers, stride: int, least: float, scale: float) -> list[Found]:
    wanted = scores[:, list(_KINDS)]
    cells, kinds = np.nonzero(wanted >= least)
    if not len(cells):
        return []
    spread = bins[cells].reshape(-1, 4, _BINS)
    weight = np.exp(spread - spread.max(axis=2, keepdims=True))
    distance = (weight @ np.arange(_BINS, dtype=np.float32)) / weight.sum(axis=2) * np.float32(stride)
    across = _SIDE // stride
    middle = np.stack([(cells % across + 0.5) * stride, (cells // across + 0.5) * stride], axis=1)
    corners = (np.concatenate([middle - distance[:, :2], middle + distance[:, 2:]], axis=1) / scale).astype(np.float32)
    names = list(_KINDS.values())
    return [
        Found(kind=names[kind], score=float(wanted[cell, kind]), box=box)
        for cell, kind, box in zip(cells, kinds, boxes_of(corners), strict=True)
    ]
