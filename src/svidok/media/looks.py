"""What the key frames of a clip look like, and how loud it is: small numbers, cheaply, no judgement.

Only key frames are decoded, and shrunk to grey at once. Sound is decoded
whole, because silence between two looks would be missed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

_WIDTH, _HEIGHT = 96, 54
_SILENCE_DB = -120


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One key frame, `at_us` after the first: brightness and its spread (0 to 255), sharpness, change since the last.

    `sharpness` is the variance of the Laplacian, `change` the mean difference from the key frame before (-1: none).
    """

    at_us: int
    brightness: float
    spread: float
    sharpness: float
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """The loudest sample of a second of sound, in decibels below full scale."""

    at_us: int
    peak_db: float


def looks(path: Path) -> Iterator[Look]:
    """The key frames of a clip; ends where it cannot be decoded any further."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            stream.thread_type = "NONE"
            first: float | None = None
            before: np.ndarray[tuple[int, int], np.dtype[np.float32]] | None = None
            for frame in container.decode(stream):
                first = frame.time if first is None else first
                picture = _grey(frame)
                yield Look(
                    at_us=round((frame.time - first) * 1_000_000),
                    brightness=float(picture.mean()),
                    spread=float(picture.std()),
                    sharpness=_sharpness(picture),
                    change=-1.0 if before is None else float(np.abs(picture - before).mean()),
                )
                before = picture
    except (av.FFmpegError, IndexError, OSError):
        return


def loudness(path: Path) -> Iterator[Loudness]:
    """The peak of each second of sound; nothing where there is none."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return
            second, peak, first = 0, 0.0, None
            for frame in container.decode(container.streams.audio[0]):
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                now = int(frame.time - first)
                if now != second:
                    yield Loudness(at_us=second * 1_000_000, peak_db=_decibels(peak))
                    second, peak = now, 0.0
                samples = frame.to_ndarray()
                scale = 1.0 if samples.dtype.kind == "f" else 32767.0
                peak = max(peak, float(np.abs(samples.astype(np.float32)).max()) / scale)
            yield Loudness(at_us=second * 1_000_000, peak_db=_decibels(peak))
    except (av.FFmpegError, IndexError, OSError):
        return


def _grey(frame: VideoFrame) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return frame.reformat(width=_WIDTH, height=_HEIGHT, format="gray").to_ndarray().astype(np.float32)


def _sharpness(picture: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> float:
    middle = picture[1:-1, 1:-1]
    laplacian = picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:] - 4 * middle
    return float(laplacian.var())


def _decibels(peak: float) -> float:
    return 20 * math.log10(peak) if peak > 0 else float(_SILENCE_DB)
