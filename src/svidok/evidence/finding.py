"""A worker: look for what a redaction has to cover. Run as `python -m svidok.evidence.finding IN EVERY FIRST`.

It looks at each `EVERY`th picture from `FIRST` on, so that a search that was
broken off goes on where it was. It prints a line of JSON for each: the
picture's number and what was found on it, as
[kind, left, top, width, height, score in thousandths]. Pictures are looked at
side by side, one thread each, which costs less than many threads for one; what
is printed stays in order.
"""

import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2

from svidok.media.derive import bound, say
from svidok.media.pictures import Pixels, walk
from svidok.vision import detect, faces, text
from svidok.vision.sessions import own

LEAST_FACE, LEAST_PERSON, LEAST_VEHICLE = 0.25, 0.3, 0.4
_LONG_SIDE = 960
_PLATE_SIDE = 640
_SIDE_BY_SIDE = 2
_LEAST_VEHICLE_PX = 60


def look(picture: Pixels) -> list[list[Any]]:
    """All that may have to be covered on one picture."""
    face_net, other_net = own("centerface.onnx"), own("nanodet.onnx")
    found: list[list[Any]] = [
        _told("face", one.box.x, one.box.y, one.box.width, one.box.height, one.score)
        for one in faces.find(picture, least=LEAST_FACE, long_side=_LONG_SIDE, model=face_net)
    ]
    for one in detect.find(picture, least=LEAST_PERSON, model=other_net):
        if one.kind == detect.PERSON:
            found.append(_told("person", one.box.x, one.box.y, one.box.width, one.box.height, one.score))
        elif one.kind in detect.VEHICLES and one.score >= LEAST_VEHICLE and one.box.width >= _LEAST_VEHICLE_PX:
            left, top, right, bottom = one.box.within(picture.shape[1], picture.shape[0])
            found += _plates(picture[top:bottom, left:right], left, top)
    return found


def _plates(part: Pixels, left: int, top: int) -> list[list[Any]]:
    """Whatever bears letters within a vehicle."""
    if min(part.shape[:2]) < _LEAST_VEHICLE_PX // 2:
        return []
    told = []
    for line in text.lines(part, long_side=_PLATE_SIDE):
        xs, ys = [float(x) for x, _ in line.corners], [float(y) for _, y in line.corners]
        told.append(_told("plate", left + min(xs), top + min(ys), max(xs) - min(xs), max(ys) - min(ys), 1.0))
    return told


def _told(kind: str, *values: float) -> list[Any]:
    return [kind, *(round(one, 1) for one in values[:4]), round(values[4] * 1000)]


def looks(source: Path, *, every: int, first: int) -> Iterator[tuple[int, list[list[Any]]]]:
    """What is on each picture that is looked at, in order; the next are looked at meanwhile."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        waiting: deque[tuple[int, Future[list[list[Any]]]]] = deque()
        for number, picture in walk(source, every=every, first=first):
            waiting.append((number, pool.submit(look, picture)))
            if len(waiting) > _SIDE_BY_SIDE:
                at, found = waiting.popleft()
                yield at, found.result()
        for at, found in waiting:
            yield at, found.result()


def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    bound()
    cv2.setNumThreads(1)
    source, every, first = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    try:
        for number, found in looks(source, every=every, first=first):
            say({"done": number, "picture": number, "found": found})
    except (OSError, ValueError) as error:
        say({"problem": str(error)[:300]})
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
