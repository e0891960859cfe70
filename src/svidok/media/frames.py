"""Pictures out of footage: the one place of the product that decodes. Never on the recording path."""

import io
from dataclasses import dataclass

import av
from av.video.frame import VideoFrame

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
