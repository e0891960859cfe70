"""A worker: cover parts of a film, for good. Run as `python -m svidok.media.redact IN OUT`, the plan on standard input.

Every picture is decoded, covered and encoded anew, so that nothing of what lay
under a cover is in the result. Nothing else is carried over either: no
metadata, no chapters, no supplemental information (SEI) of camera or encoder,
no thumbnails; the sound goes along only where it is not muted, encoded anew.

The plan: `covers` as [first, last, [[picture, x, y, width, height], …]] with
straight lines between the keys, `mute` as [[from_ms, to_ms], …] or true, and
`style` (`solid` or `mosaic`).
"""

import json
import sys
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from numpy.typing import NDArray

from svidok.media.derive import bound, open_guarded, say

Plane = NDArray[np.uint8]
_NO_SEI = "filter_units=remove_types=6|9|12"
_CELLS = 5  # a mosaic has this many cells across, whatever its size: fewer than a face needs
_TELL_EVERY = 25
_GREY = (96, 128, 128)


@dataclass(frozen=True, slots=True)
class Cover:
    """A part that is covered from picture `first` to `last`, inclusive; keys as (picture, x, y, width, height)."""

    first: int
    last: int
    keys: tuple[tuple[float, ...], ...]

    def at(self, picture: int) -> tuple[float, float, float, float] | None:
        """Where it lies on a picture: between two keys on the straight line, beyond them where the last key was.

        >>> Cover(0, 10, ((0, 0, 0, 10, 10), (10, 20, 0, 10, 10))).at(5)
        (10.0, 0.0, 10.0, 10.0)
        """
        if not self.first <= picture <= self.last:
            return None
        after = bisect_right([key[0] for key in self.keys], picture)
        if after == 0 or after == len(self.keys):
            x, y, width, height = self.keys[0 if after == 0 else -1][1:5]
            return float(x), float(y), float(width), float(height)
        one, other = self.keys[after - 1], self.keys[after]
        part = (picture - one[0]) / (other[0] - one[0])
        x, y, width, height = (a + (b - a) * part for a, b in zip(one[1:5], other[1:5], strict=True))
        return float(x), float(y), float(width), float(height)


def read_covers(plan: dict[str, Any]) -> list[Cover]:
    """The covers of a plan. Raises `ValueError` where it is none."""
    covers = []
    for first, last, keys in plan["covers"]:
        ordered = tuple(sorted(tuple(float(one) for one in key) for key in keys))
        if not ordered or any(len(key) != 5 for key in ordered):
            raise ValueError("a cover needs keys of five numbers")
        covers.append(Cover(int(first), int(last), ordered))
    return covers


def cover(planes: tuple[Plane, Plane, Plane], box: tuple[float, float, float, float], *, style: str) -> None:
    """Cover a box in the three planes of a picture (colour at half the size), outwards to whole pairs of pixels."""
    height, width = planes[0].shape
    left, top = max(0, int(box[0]) & ~1), max(0, int(box[1]) & ~1)
    right = min(width, (int(np.ceil(box[0] + box[2])) + 1) & ~1)
    bottom = min(height, (int(np.ceil(box[1] + box[3])) + 1) & ~1)
    if right <= left or bottom <= top:
        return
    for plane, value, shrink in zip(planes, _GREY, (1, 2, 2), strict=True):
        part = plane[top // shrink : -(-bottom // shrink), left // shrink : -(-right // shrink)]
        if style == "mosaic":
            _mosaic(part)
        else:
            part[:] = value


def _mosaic(part: Plane) -> None:
    rows = np.linspace(0, part.shape[0], min(_CELLS, part.shape[0]) + 1, dtype=int)
    columns = np.linspace(0, part.shape[1], min(_CELLS, part.shape[1]) + 1, dtype=int)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = part[top:bottom, left:right]
            cell[:] = int(cell.mean()) & 0xF0


def redact(source: Path, target: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """Make the covered film; what it came to."""
    covers, style, mute = read_covers(plan), str(plan.get("style", "solid")), plan.get("mute", True)
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with open_guarded(source) as container, av.open(str(target), mode="w", format="mp4", options=options) as output:
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        audio = container.streams.audio[0] if container.streams.audio and mute is not True else None
        writer = _Writer(output, video, with_sound=audio is not None, mute=mute if isinstance(mute, list) else [])
        number = 0
        for frame in container.decode(*[one for one in (video, audio) if one is not None]):
            if isinstance(frame, av.AudioFrame):
                writer.sound(frame)
            elif isinstance(frame, av.VideoFrame):
                boxes = [box for one in covers if (box := one.at(number)) is not None]
                writer.picture(frame, boxes, style=style)
                number += 1
                if number % _TELL_EVERY == 0:
                    say({"done": number, "total": plan.get("pictures")})
        writer.finish()
    return {"pictures": number, "media_type": "video/mp4"}


class _Writer:
    """Takes pictures and sound, and writes what is left of them."""

    def __init__(self, output: OutputContainer, video: Any, *, with_sound: bool, mute: list[list[int]]) -> None:
        self._output, self._mute = output, mute
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        self._video = output.add_stream("libx264", rate=rate)
        self._video.width, self._video.height = video.width & ~1, video.height & ~1
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = video.time_base
        self._video.time_base = video.time_base
        self._video.options = {"preset": "superfast", "crf": "21", "g": "50", "threads": "0"}
        self._sound = output.add_stream("aac", rate=48_000, layout="mono") if with_sound else None
        if self._sound is not None:
            self._sound.options = {"flags": "+bitexact"}  # without its own name in the first packet
        self._resampler = AudioResampler(format="fltp", layout="mono", rate=48_000)
        self._filter: BitStreamFilterContext | None = None

    def picture(self, frame: av.VideoFrame, boxes: list[tuple[float, float, float, float]], *, style: str) -> None:
        """One picture with its covers."""
        width, height = self._video.width, self._video.height
        plain = frame.reformat(width=width, height=height, format="yuv420p")
        if boxes:
            stacked = np.ascontiguousarray(plain.to_ndarray(), dtype=np.uint8)
            flat, luma, chroma = stacked.reshape(-1), width * height, width * height // 4
            planes = (
                flat[:luma].reshape(height, width),
                flat[luma : luma + chroma].reshape(height // 2, width // 2),
                flat[luma + chroma :].reshape(height // 2, width // 2),
            )
            for box in boxes:
                cover(planes, box, style=style)
            covered = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
            covered.pts, covered.time_base = frame.pts, frame.time_base
            plain = covered
        plain.pict_type = 0
        self._put(self._video.encode(plain))

    def sound(self, frame: av.AudioFrame) -> None:
        """A piece of sound, silent where it is muted."""
        if self._sound is None:
            return
        for piece in self._resampler.resample(frame):
            at = int((piece.time or 0) * 1000)
            lasts = int(piece.samples * 1000 / 48_000)
            if any(start < at + lasts and at < end for start, end in self._mute):
                silent = av.AudioFrame.from_ndarray(
                    np.zeros((1, piece.samples), np.float32), format="fltp", layout="mono"
                )
                silent.pts, silent.rate, silent.time_base = piece.pts, piece.rate, piece.time_base
                piece = silent
            self._output.mux(self._sound.encode(piece))

    def finish(self) -> None:
        """What is still in the encoders."""
        self._put(self._video.encode(None))
        if self._sound is not None:
            self._output.mux(self._sound.encode(None))
        if self._filter is not None:
            for packet in self._filter.filter(None):
                self._output.mux(packet)

    def _put(self, packets: list[Any]) -> None:
        """Pictures without what the encoder says of itself."""
        for packet in packets:
            if self._filter is None:
                self._filter = BitStreamFilterContext(_NO_SEI, self._video)
            for clean in self._filter.filter(packet):
                clean.stream = self._video
                self._output.mux(clean)


def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    bound()
    try:
        say(redact(Path(arguments[0]), Path(arguments[1]), json.load(sys.stdin)))
    except (av.FFmpegError, ValueError, KeyError, TypeError, IndexError, MemoryError) as error:
        say({"problem": str(error)[:300]})
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
