"""One picture of footage exactly at an instant, as a JPEG of full size."""

import io

import av

from svidok.base import BadInput


def still_at(media: bytes, offset_ms: int) -> bytes:
    """The picture that `media` (an init segment and one fragment) shows `offset_ms` after its first."""
    try:
        with av.open(io.BytesIO(media), mode="r", format="mp4") as container:
            shown = None
            first: float | None = None
            for frame in container.decode(container.streams.video[0]):
                first = frame.time if first is None else first
                if shown is not None and (frame.time or 0) - (first or 0) > offset_ms / 1000:
                    break
                shown = frame
            if shown is None:
                raise BadInput("picture-unreadable", "This footage holds no picture.")
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = shown.width & ~1, shown.height & ~1, "yuvj420p"
            encoder.options = {"qmin": "1", "qmax": "2"}
            picture = shown.reformat(width=encoder.width, height=encoder.height, format="yuvj420p")
            picture.pts = 0
            return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
    except (av.FFmpegError, IndexError) as error:
        raise BadInput("picture-unreadable", "This footage cannot be decoded; it is kept as it is.") from error
