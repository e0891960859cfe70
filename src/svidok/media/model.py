"""What a stream is made of: tracks, groups of pictures, frames, clock reports. Plain values, no decoding.

A *group* is what lies between two pictures that can be decoded by themselves
(a GOP). It is the unit in which footage is written, hashed and synced.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

VideoCodec = Literal["h264", "h265"]
AudioCodec = Literal["aac", "pcma", "pcmu"]

VIDEO_CLOCK = 90_000  # RTP ticks a second of every video payload (RFC 6184, 7798)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """The picture: codec, size in pixels, and parameter sets as bare NAL units (no start code, no length)."""

    codec: VideoCodec
    vps: bytes = b""
    sps: bytes = b""
    pps: bytes = b""
    width: int = 0
    height: int = 0

    @property
    def ready(self) -> bool:
        """Whether all parameter sets are known, so that an init segment can be written."""
        return bool(self.sps and self.pps and (self.codec == "h264" or self.vps))

    def codec_string(self) -> str:
        """How browsers name it (RFC 6381; ISO/IEC 14496-15, annex E)."""
        if self.codec == "h264":
            return f"avc1.{self.sps[1:4].hex()}"
        return _hevc_codec_string(self.sps)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """The sound: codec, sampling rate in Hz, channels, and for AAC its AudioSpecificConfig."""

    codec: AudioCodec
    rate: int
    channels: int = 1
    config: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """What one stream carries. `audio` is missing where there is none that we can keep."""

    video: VideoTrack
    audio: AudioTrack | None = None

    def with_video(self, video: VideoTrack) -> "Tracks":
        """The same with another picture."""
        return replace(self, video=video)


@dataclass(slots=True)
class AudioRun:
    """Sound that came while a group was gathered: samples laid end to end, their sizes, and ticks each."""

    data: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Group:
    """One group of pictures, samples laid end to end as length-prefixed NAL units (ISO/IEC 14496-15).

    `sizes` in bytes and `durations` in ticks of 1/90000 s, one for each sample
    in decoding order; `offsets` are composition offsets, or nothing where all
    are zero. `ticks` is the unwrapped RTP time of the first sample, `arrived_us`
    the instant our side had its first picture whole; it may have lain there for
    `waited_us` before, because we were held up. `starts_clean` is false where an
    overlong group was cut, and the first sample needs those before it.
    """

    data: bytes | bytearray | memoryview
    sizes: list[int]
    durations: list[int]
    offsets: list[int] | None
    ticks: int
    arrived_us: int
    starts_clean: bool
    lost_packets: int
    audio: AudioRun | None = None
    waited_us: int = 0

    @property
    def duration_ticks(self) -> int:
        """How long it lasts, in ticks of 1/90000 s."""
        return sum(self.durations)


@dataclass(slots=True, frozen=True, kw_only=True)
class Frame:
    """One picture for somebody who watches live."""

    data: bytes
    ticks: int
    duration: int
    is_key: bool
    arrived_us: int


@dataclass(slots=True, frozen=True, kw_only=True)
class SenderReport:
    """What the camera says of its clock (RTCP SR, RFC 3550, 6.4.1): at `ticks` of RTP time it was `camera_us`."""

    camera_us: int
    rtp_time: int
    ticks: int | None
    arrived_us: int


class Sink(Protocol):
    """Who takes what a camera sends. Called in the event loop; must not block."""

    def on_tracks(self, tracks: Tracks) -> None:
        """The stream begins, or its parameter sets changed: what follows needs a new init segment."""
        ...

    def on_group(self, group: Group) -> None:
        """A group is complete."""
        ...

    def on_frame(self, frame: Frame) -> None:
        """A picture is complete; only while the client is `watching`."""
        ...

    def on_clock(self, report: SenderReport) -> None:
        """The camera said what time it has."""
        ...


def _hevc_codec_string(sps: bytes) -> str:
    """`hvc1.<profile>.<compatibility>.<tier level>.<constraints>` from the general profile of an SPS."""
    raw = sps.replace(b"\x00\x00\x03", b"\x00\x00")
    if len(raw) < 15:
        return "hvc1"
    space, tier, profile = raw[3] >> 6, raw[3] >> 5 & 1, raw[3] & 31
    compatibility = int(f"{int.from_bytes(raw[4:8], 'big'):032b}"[::-1], 2)
    constraints = raw[8:14].rstrip(b"\x00")
    level = raw[14]
    parts = [f"{'ABC'[space - 1] if space else ''}{profile}", f"{compatibility:x}", f"{'H' if tier else 'L'}{level}"]
    return ".".join(["hvc1", *parts, *(f"{byte:x}" for byte in constraints)])
