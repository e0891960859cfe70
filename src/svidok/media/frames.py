"""Pictures out of footage: the one place of the product that decodes. Never on the recording path."""

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from svidok.base import BadInput

MAX_WIDTH = 1920


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file says of itself once a picture of it was decoded."""

    codec: str
    width: int
    height: int
    frames: int


def first_picture(media: bytes) -> VideoFrame:
    """The first picture of `media` (an init segment and fragments). Raises `BadInput` where none can be decoded."""
    try:
        with av.open(io.BytesIO(media), mode="r", format="mp4") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in container.decode(stream):
                return frame
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise BadInput("picture-unreadable", "This footage cannot be decoded; it is kept as it is.") from error
    raise BadInput("picture-unreadable", "This footage holds no picture.")


def thumbnail(media: bytes, *, width: int) -> bytes:
    """A JPEG of the first picture of `media`, `width` pixels wide at most, its proportions kept."""
    frame = first_picture(media)
    width = max(16, min(width, frame.width, MAX_WIDTH)) & ~1
    height = max(2, round(frame.height * width / frame.width)) & ~1
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.options = {"q:v": "4", "qmin": "2", "qmax": "6"}
    small.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])


def probe(media: bytes) -> Probe:
    """Decode all of `media` and say what it was."""
    try:
        with av.open(io.BytesIO(media), mode="r", format="mp4") as container:
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            return Probe(codec=stream.codec_context.name, width=stream.width, height=stream.height, frames=frames)
    except (av.FFmpegError, IndexError) as error:
        raise BadInput("picture-unreadable", "This footage cannot be decoded; it is kept as it is.") from error


def pictures(media: bytes, wanted: Collection[int]) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """The pictures of `media` with these numbers (from 0): number, microseconds since the first, blue-green-red pixels.

    Ends where it cannot be decoded any further; raises `BadInput` where not even a first picture can.
    """
    last, first, number = max(wanted, default=-1), None, 0
    try:
        with av.open(io.BytesIO(media), mode="r", format="mp4") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in container.decode(stream):
                first = first if first is not None else frame.time or 0.0
                if number in wanted:
                    offset_us = round(((frame.time or 0.0) - first) * 1e6)
                    yield number, offset_us, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                number += 1
                if number > last:
                    return
    except (av.FFmpegError, IndexError, ValueError) as error:
        if number == 0:
            raise BadInput("picture-unreadable", "This footage cannot be decoded; it is kept as it is.") from error
