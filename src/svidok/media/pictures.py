"""Pictures of a file as arrays, all in their order or one by its number. A number counts pictures as they are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from svidok.base import BadInput, NotFound
from svidok.media.derive import GUARDED

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a file shows: its size, how many pictures and how many of them a second (times 1000)."""

    width: int
    height: int
    pictures: int
    rate_millihertz: int
    has_sound: bool


def measure(path: Path) -> Film:
    """Count a file's pictures without decoding them. Raises `BadInput` where it holds none."""
    try:
        with av.open(str(path), mode="r", options=GUARDED) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            counted = sum(1 for packet in container.demux(stream) if packet.size)
            return Film(
                width=stream.width, height=stream.height, pictures=counted, rate_millihertz=int(rate * 1000),
                has_sound=bool(container.streams.audio),
            )  # fmt: skip
    except (av.FFmpegError, IndexError) as error:
        raise BadInput("picture-unreadable", "This file holds no pictures that we can decode.") from error


def walk(path: Path, *, every: int = 1, first: int = 0) -> Iterator[tuple[int, Pixels]]:
    """Each `every`th picture from number `first` on, blue first, with its number."""
    with av.open(str(path), mode="r", options=GUARDED) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            if number >= first and number % every == 0:
                yield number, np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)


def jpeg_of(path: Path, number: int, *, width: int) -> bytes:
    """Picture `number` of a file as JPEG, at most `width` pixels wide."""
    try:
        with av.open(str(path), mode="r", options=GUARDED) as container:
            return encode_jpeg(_picture(container, number), width=width)
    except (av.FFmpegError, IndexError) as error:
        raise BadInput("picture-unreadable", "This file holds no pictures that we can decode.") from error


def encode_jpeg(frame: VideoFrame, *, width: int) -> bytes:
    """A picture as JPEG, at most `width` pixels wide."""
    wide = max(16, min(width, frame.width)) & ~1
    high = max(2, round(frame.height * wide / frame.width)) & ~1
    small = frame.reformat(width=wide, height=high, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = wide, high, "yuvj420p"
    encoder.options = {"qmin": "2", "qmax": "5"}
    small.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])


def _picture(container: av.container.InputContainer, number: int) -> VideoFrame:
    """Picture `number`: those before it since the last key picture are decoded and thrown away."""
    stream = container.streams.video[0]
    shown = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None and packet.size)
    if not 0 <= number < len(shown):
        raise NotFound("picture-not-there", "The film has no such picture.", pictures=len(shown))
    wanted = shown[number]
    container.seek(wanted, stream=stream, backward=True)
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= wanted:
            return frame
    raise NotFound("picture-not-there", "The film has no such picture.", pictures=len(shown))
