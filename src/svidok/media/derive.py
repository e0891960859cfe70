"""A worker: make of any file what every browser shows. Run as a process: `python -m svidok.media.derive IN OUT`.

It reads what strangers sent, so it is bounded: formats that name other files
or addresses are not opened, memory and time have an end, and nothing of the
source's metadata is carried over. It prints a line of JSON now and then:
`{"done": …, "total": …}` in milliseconds, at last what it made and how, or
`{"problem": …}`.
"""

import json
import resource
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler
from av.container import InputContainer, OutputContainer

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg,wav,mp3,aac,flac,h264,hevc,mpegvideo,dv,mxf,"
    "gif,image2,png_pipe,jpeg_pipe,bmp_pipe,tiff_pipe,webp_pipe,jpegxl_pipe,amr,aiff,w64,caf,ivf,y4m,rm,dhav"
)
GUARDED = {"protocol_whitelist": "file", "format_whitelist": _FORMATS, "enable_drefs": "0"}
_IMAGES = {"image2", "png_pipe", "jpeg_pipe", "bmp_pipe", "tiff_pipe", "webp_pipe", "jpegxl_pipe", "gif"}
_MOST_MEMORY = 6 * 1024**3
_MOST_CPU_S = 6 * 3600
_WIDEST = 1920
_TELL_EVERY_MS = 500


def bound() -> None:
    """Bound this process, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def say(told: dict[str, Any]) -> None:
    """Print a line for whoever runs us."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def open_guarded(path: Path) -> InputContainer:
    """Open a stranger's file."""
    return av.open(str(path), mode="r", options=GUARDED, metadata_errors="ignore")


def fitted(width: int, height: int) -> tuple[int, int]:
    """A picture's size brought within what every browser plays, both even.

    >>> fitted(3840, 2160), fitted(641, 481)
    ((1920, 1080), (640, 480))
    """
    scale = min(1.0, _WIDEST / width)
    return max(2, round(width * scale) & ~1), max(2, round(height * scale) & ~1)


def derive(source: Path, target: Path) -> dict[str, Any]:
    """Make the copy; what it is and how it was made."""
    with open_guarded(source) as container:
        video = container.streams.video
        still = bool(video) and (set(container.format.name.split(",")) & _IMAGES) and not container.streams.audio
        if still:
            return _picture(container, target)
        if not video and not container.streams.audio:
            raise ValueError("This file holds no picture and no sound.")
        return _film(container, target)


def _picture(container: InputContainer, target: Path) -> dict[str, Any]:
    frame = next(container.decode(video=0))
    width, height = fitted(frame.width, frame.height)
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.options = {"qmin": "2", "qmax": "4"}
    small.pts, small.pict_type = 0, 0
    target.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)]))
    return {"media_type": "image/jpeg", "how": f"JPEG, {width}x{height}, from {container.format.name}"}


def _film(container: InputContainer, target: Path) -> dict[str, Any]:
    video = container.streams.video[0] if container.streams.video else None
    audio = container.streams.audio[0] if container.streams.audio else None
    total = container.duration // 1000 if container.duration else None
    with av.open(str(target), mode="w", format="mp4", options={"movflags": "+faststart"}) as output:
        picture = _add_picture(output, video) if video else None
        sound = output.add_stream("aac", rate=48_000, layout="stereo") if audio else None
        resampler = AudioResampler(format="fltp", layout="stereo", rate=48_000)
        told = 0
        for frame in container.decode(*[one for one in (video, audio) if one is not None]):
            if isinstance(frame, av.VideoFrame) and picture is not None:
                shown = frame.reformat(width=picture.width, height=picture.height, format="yuv420p")
                shown.pict_type = 0
                output.mux(picture.encode(shown))
            elif isinstance(frame, av.AudioFrame) and sound is not None:
                for piece in resampler.resample(frame):
                    output.mux(sound.encode(piece))
            at = int((getattr(frame, "time", None) or 0) * 1000)
            if at >= told + _TELL_EVERY_MS:
                told = at
                say({"done": told, "total": total})
        for stream in (picture, sound):
            if stream is not None:
                output.mux(stream.encode(None))
    names = [one.codec_context.name for one in (video, audio) if one is not None]
    kind = "video/mp4" if video else "audio/mp4"
    return {"media_type": kind, "how": f"H.264 and AAC in MP4, from {container.format.name} ({', '.join(names)})"}


def _add_picture(output: OutputContainer, video: Any) -> Any:
    rate = video.average_rate or video.guessed_rate or Fraction(25)
    picture = output.add_stream("libx264", rate=min(rate, Fraction(60)))
    picture.width, picture.height = fitted(video.width, video.height)
    picture.pix_fmt = "yuv420p"
    picture.time_base = video.time_base
    picture.codec_context.time_base = video.time_base
    picture.options = {"preset": "veryfast", "crf": "21", "g": "50"}
    return picture


def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    bound()
    try:
        say(derive(Path(arguments[0]), Path(arguments[1])))
    except (av.FFmpegError, ValueError, StopIteration, IndexError, MemoryError) as error:
        say({"problem": str(error)[:300]})
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
