"""Clips that a camera recorded by itself (MP4 or Matroska), as groups of pictures, nothing decoded.

What comes out is what a live stream would have given: the same samples, cut at
key frames, with their times from the beginning of the clip. A clip whose end
is torn gives what is whole. Annex B streams are not taken: no maker tried
writes them into these files.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.packet import Packet

from svidok.base import BadInput
from svidok.media.model import VIDEO_CLOCK, AudioRun, AudioTrack, Group, Tracks, VideoTrack
from svidok.media.sdp import with_size

AnyPacket: TypeAlias = "Packet[Any]"  # generic in its description only

_NOMINAL = VIDEO_CLOCK // 25
_LONGEST = VIDEO_CLOCK * 3 // 2  # a picture shown longer than this, and than three usual ones, is the edge of a hole


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipGroup:
    """A group of pictures, `start_us` after the first picture of the clip, `duration_us` long."""

    group: Group
    start_us: int
    duration_us: int


class ClipFile:
    """An open clip. Raises `BadInput` where nothing in it can be played."""

    def __init__(self, path: Path) -> None:
        try:
            self._container = av.open(str(path), mode="r")
        except (av.FFmpegError, OSError) as error:
            raise BadInput("clip-unreadable", "This is no video that we can read; it is kept as it came.") from error
        if not self._container.streams.video:
            self.close()
            raise BadInput("clip-without-video", "There is no picture in this clip; it is kept as it came.")
        self._video = self._container.streams.video[0]
        sounds = [one for one in self._container.streams.audio if one.codec_context.name == "aac"]
        self._audio = sounds[0] if sounds else None
        self.tracks = Tracks(video=self._video_track(), audio=self._audio_track())

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def groups(self) -> Iterator[ClipGroup]:
        """The groups in order, until the end or the first damage."""
        streams = [self._video, *([self._audio] if self._audio is not None else [])]
        pictures: list[tuple[AnyPacket, int, int]] = []
        sounds: list[AnyPacket] = []
        first: int | None = None
        try:
            for packet in self._container.demux(streams):
                if not packet.size or packet.dts is None:
                    continue
                if packet.stream is not self._video:
                    sounds.append(packet)
                    continue
                at = _ticks(packet.dts, packet)
                shown = _ticks(packet.pts if packet.pts is not None else packet.dts, packet)
                hole = bool(pictures) and at - pictures[-1][1] > max(_LONGEST, 3 * _usual(pictures))
                if pictures and (packet.is_keyframe or hole):
                    first = pictures[0][1] if first is None else first
                    yield self._group(pictures, sounds, first, until=None if hole else at)
                    pictures, sounds = [], []
                    if hole and not packet.is_keyframe:
                        pictures.append((packet, at, shown))
                        continue
                if pictures or packet.is_keyframe:
                    pictures.append((packet, at, shown))
        except av.FFmpegError:
            pass  # the clip is torn here; what came before is whole
        if pictures:
            yield self._group(pictures, sounds, pictures[0][1] if first is None else first, until=None)

    def _group(
        self, pictures: list[tuple[AnyPacket, int, int]], sounds: list[AnyPacket], first: int, *, until: int | None
    ) -> ClipGroup:
        times = [at for _, at, _ in pictures]
        last = until - times[-1] if until is not None else _usual(pictures)
        durations = [max(1, step) for step in [*(after - before for before, after in pairwise(times)), last]]
        offsets = [shown - at for _, at, shown in pictures]
        lead = min(offsets)
        offsets = [one - lead for one in offsets]
        start_us = (times[0] - first) * 100 // 9
        group = Group(
            data=b"".join(bytes(packet) for packet, _, _ in pictures),
            sizes=[packet.size for packet, _, _ in pictures],
            durations=durations, offsets=offsets if any(offsets) else None, ticks=times[0], arrived_us=0,
            starts_clean=bool(pictures[0][0].is_keyframe), lost_packets=0, audio=self._run(sounds),
        )  # fmt: skip
        return ClipGroup(group=group, start_us=start_us, duration_us=sum(durations) * 100 // 9)

    def _run(self, sounds: list[AnyPacket]) -> AudioRun | None:
        if self.tracks.audio is None or not sounds:
            return None
        return AudioRun(
            data=bytearray(b"".join(bytes(packet) for packet in sounds)),
            sizes=[packet.size for packet in sounds],
            durations=[1024] * len(sounds),
        )

    def _video_track(self) -> VideoTrack:
        context = self._video.codec_context
        codec, extra = context.name, bytes(context.extradata or b"")
        try:
            if codec == "h264" and extra[:1] == b"\x01":
                sps, pps = _avc_sets(extra)
                track = with_size(VideoTrack(codec="h264", sps=sps, pps=pps))
            elif codec == "hevc" and extra[:1] == b"\x01":
                sets = _hevc_sets(extra)
                track = with_size(VideoTrack(codec="h265", vps=sets[32], sps=sets[33], pps=sets[34]))
            else:
                raise KeyError(codec)
        except (KeyError, IndexError, struct.error) as error:
            self.close()
            raise BadInput("clip-codec", "The video of this clip is neither H.264 nor H.265 as we play it.") from error
        if not track.ready:
            self.close()
            raise BadInput("clip-codec", "The parameter sets of this clip are damaged; it is kept as it came.")
        return track

    def _audio_track(self) -> AudioTrack | None:
        if self._audio is None or not self._audio.codec_context.extradata:
            return None
        context = self._audio.codec_context
        return AudioTrack(
            codec="aac", rate=context.sample_rate, channels=context.layout.nb_channels,
            config=bytes(context.extradata or b""),
        )  # fmt: skip


def _usual(pictures: list[tuple[AnyPacket, int, int]]) -> int:
    """How long a picture lasts as a rule, in ticks."""
    steps = sorted(after - before for (_, before, _), (_, after, _) in pairwise(pictures))
    return steps[len(steps) // 2] if steps else _NOMINAL


def _ticks(value: int, packet: AnyPacket) -> int:
    return round(Fraction(value) * packet.time_base * VIDEO_CLOCK)


def _avc_sets(extra: bytes) -> tuple[bytes, bytes]:
    """SPS and PPS out of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    (size,) = struct.unpack_from(">H", extra, 6)
    sps, at = extra[8 : 8 + size], 8 + size + 1
    (size,) = struct.unpack_from(">H", extra, at)
    return sps, extra[at + 2 : at + 2 + size]


def _hevc_sets(extra: bytes) -> dict[int, bytes]:
    """Parameter sets by kind out of an HEVCDecoderConfigurationRecord (8.3.3.1)."""
    found: dict[int, bytes] = {}
    at = 23
    for _ in range(extra[22]):
        kind, (count,) = extra[at] & 63, struct.unpack_from(">H", extra, at + 1)
        at += 3
        for _ in range(count):
            (size,) = struct.unpack_from(">H", extra, at)
            found.setdefault(kind, extra[at + 2 : at + 2 + size])
            at += 2 + size
    return found
