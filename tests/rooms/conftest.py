"""Footage for tests: real H.264 and AAC by ffmpeg, cut into groups, written as segment files by the product's own writer."""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from svidok.media.fmp4 import fragment, init_segment
from svidok.media.model import AudioRun, AudioTrack, Group, Tracks, VideoTrack
from svidok.media.sps import picture_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A source clip as groups of one second each."""

    tracks: Tracks
    groups: tuple[Group, ...]

    def write(self, path: Path, *, start_us: int, first: int = 0, count: int | None = None) -> None:
        """A segment file of `count` groups from group `first` on, the first at `start_us`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        groups = self.groups[first : None if count is None else first + count]
        with path.open("wb") as file:
            file.write(init_segment(self.tracks))
            video = audio = 0
            for number, group in enumerate(groups):
                wall_us = start_us + video * 100 // 9
                for part in fragment(number + 1, group, video_base=video, audio_base=audio, wall_us=wall_us):
                    file.write(part)
                video += group.duration_ticks
                audio += sum(group.audio.durations) if group.audio else 0


def make_clip(folder: Path, *, name: str, seconds: int, size: str = "320x180", sound: bool, b_frames: int) -> Clip:
    """`seconds` of a moving test picture, one group a second at 25 pictures a second."""
    path = folder / f"{name}.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25"]
    command += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000"] if sound else []
    command += ["-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-keyint_min", "25"]
    command += ["-sc_threshold", "0", "-bf", str(b_frames), "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-b:a", "32k", "-ac", "1"] if sound else []
    subprocess.run([*command, str(path)], check=True)
    return read_clip(path)


def read_clip(path: Path) -> Clip:
    """Cut an MP4 at its key pictures."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        tracks = Tracks(video=_video_track(bytes(video.codec_context.extradata)))
        if container.streams.audio:
            sound = container.streams.audio[0].codec_context
            audio = AudioTrack(codec="aac", rate=sound.rate, channels=1, config=bytes(sound.extradata))
            tracks = Tracks(video=tracks.video, audio=audio)
        groups: list[Group] = []
        waiting: list[av.Packet] = []
        for packet in container.demux():
            if packet.size == 0:
                continue
            if packet.stream.type == "audio":
                waiting.append(packet)
                continue
            if packet.is_keyframe:
                groups.append(_group(packet))
            _add(groups[-1], packet)
        _spread(groups, waiting)
    return Clip(tracks=tracks, groups=tuple(groups))


def _ticks(value: int, base: Fraction) -> int:
    return round(value * base * 90_000)


def _group(packet: av.Packet) -> Group:
    return Group(
        data=bytearray(), sizes=[], durations=[], offsets=[], ticks=_ticks(packet.dts, packet.time_base),
        arrived_us=0, starts_clean=True, lost_packets=0,
    )  # fmt: skip


def _add(group: Group, packet: av.Packet) -> None:
    group.data += bytes(packet)
    group.sizes.append(packet.size)
    group.durations.append(_ticks(packet.duration, packet.time_base))
    group.offsets.append(_ticks(packet.pts - packet.dts, packet.time_base))


def _spread(groups: list[Group], sound: list[av.Packet]) -> None:
    """Give each group the sound that falls into it."""
    for packet in sound:
        at = _ticks(packet.dts, packet.time_base)
        home = [group for group in groups if group.ticks <= max(at, groups[0].ticks)][-1]
        home.audio = home.audio or AudioRun()
        home.audio.data += bytes(packet)
        home.audio.sizes.append(packet.size)
        home.audio.durations.append(packet.duration)


def _video_track(avcc: bytes) -> VideoTrack:
    """Parameter sets out of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    length = int.from_bytes(avcc[6:8], "big")
    sps = avcc[8 : 8 + length]
    at = 8 + length + 1
    pps = avcc[at + 2 : at + 2 + int.from_bytes(avcc[at : at + 2], "big")]
    size = picture_size("h264", sps)
    return VideoTrack(codec="h264", sps=sps, pps=pps, width=size.width, height=size.height)


@pytest.fixture(scope="session")
def clip(scratch: Path) -> Clip:
    """Twelve seconds with sound and with pictures out of order."""
    return make_clip(scratch, name="clip", seconds=12, sound=True, b_frames=2)


@pytest.fixture(scope="session")
def plain_clip(scratch: Path) -> Clip:
    """Six seconds without sound, pictures in order, of another size."""
    return make_clip(scratch, name="plain", seconds=6, size="256x144", sound=False, b_frames=0)
