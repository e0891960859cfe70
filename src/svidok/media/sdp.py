"""What a camera says it can send: session descriptions (RFC 8866), read leniently. Pure.

Cameras write odd descriptions: no `a=rtpmap`, parameter sets missing or in
wrong base64, several video sections, controls that are absolute, relative, or
`*`. We take the first video section we can record, and the first sound.
"""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import urljoin

from svidok.media.model import AudioTrack, VideoTrack
from svidok.media.sps import BadParameterSet, picture_size

_STATIC = {"0": ("pcmu", 8000, 1), "8": ("pcma", 8000, 1)}
_VIDEO = {"h264": "h264", "h265": "h265", "hevc": "h265"}


@dataclass(slots=True)
class Section:
    """One `m=` section."""

    kind: str
    payload_type: str
    codec: str = ""
    rate: int = 0
    channels: int = 1
    control: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The sections we record, with the addresses to set them up at. `video` is missing where there is none."""

    video: VideoTrack | None
    video_url: str
    audio: AudioTrack | None
    audio_url: str
    aggregate_url: str
    offered: tuple[str, ...]


def parse_sdp(text: str, base_url: str) -> Description:
    """Read `text`; relative controls are resolved against `base_url`. Never raises: what is odd is left out."""
    aggregate, sections = "", list[Section]()
    for line in text.replace("\r", "").split("\n"):
        kind, _, value = line.partition("=")
        if kind == "m":
            words = value.split()
            sections.append(Section(words[0] if words else "", words[3] if len(words) > 3 else ""))
        elif kind == "a" and value.startswith("control:"):
            if sections:
                sections[-1].control = value[8:].strip()
            else:
                aggregate = value[8:].strip()
        elif kind == "a" and sections:
            _attribute(sections[-1], value)
    aggregate_url = _resolve(base_url, aggregate)
    videos = [(s, picture) for s in sections if s.kind == "video" and (picture := _video(s)) is not None]
    audios = [(s, sound) for s in sections if s.kind == "audio" and (sound := _audio(s)) is not None]
    return Description(
        video=videos[0][1] if videos else None,
        video_url=_resolve(aggregate_url, videos[0][0].control) if videos else "",
        audio=audios[0][1] if audios else None,
        audio_url=_resolve(aggregate_url, audios[0][0].control) if audios else "",
        aggregate_url=aggregate_url,
        offered=tuple(f"{s.kind}/{s.codec or s.payload_type}" for s in sections),
    )


def _resolve(base: str, control: str) -> str:
    if control in ("", "*"):
        return base
    if "://" in control:
        return control
    if control.startswith("/"):
        return urljoin(base, control)
    # Appended, not joined: cameras whose address has a query (Dahua: /cam/realmonitor?channel=1) expect it after that.
    return f"{base.removesuffix('/')}/{control}"


def _attribute(section: Section, value: str) -> None:
    name, _, rest = value.partition(":")
    payload_type, _, words = rest.strip().partition(" ")
    if payload_type != section.payload_type:
        return
    if name == "rtpmap":
        codec, *numbers = words.strip().split("/")
        section.codec = codec.strip().lower()
        section.rate = int(numbers[0]) if numbers and numbers[0].strip().isdigit() else 0
        section.channels = int(numbers[1]) if len(numbers) > 1 and numbers[1].strip().isdigit() else 1
    elif name == "fmtp":
        for pair in words.split(";"):
            key, _, content = pair.strip().partition("=")
            section.parameters[key.strip().lower()] = content.strip()


def _video(section: Section) -> VideoTrack | None:
    codec = _VIDEO.get(section.codec)
    if codec == "h264":
        sets = [_base64(part) for part in section.parameters.get("sprop-parameter-sets", "").split(",")]
        sps = next((s for s in sets if s and s[0] & 31 == 7), b"")
        pps = next((s for s in sets if s and s[0] & 31 == 8), b"")
        return with_size(VideoTrack(codec="h264", sps=sps, pps=pps))
    if codec == "h265":
        return with_size(
            VideoTrack(
                codec="h265",
                vps=_base64(section.parameters.get("sprop-vps", "")),
                sps=_base64(section.parameters.get("sprop-sps", "")),
                pps=_base64(section.parameters.get("sprop-pps", "")),
            )
        )
    return None


def with_size(track: VideoTrack) -> VideoTrack:
    """The track with the size its SPS states; an SPS that cannot be read is dropped, a better one will come in band."""
    if not track.sps:
        return track
    try:
        size = picture_size(track.codec, track.sps)
    except BadParameterSet:
        return VideoTrack(codec=track.codec, vps=track.vps, pps=track.pps)
    return VideoTrack(
        codec=track.codec, vps=track.vps, sps=track.sps, pps=track.pps, width=size.width, height=size.height
    )


def _audio(section: Section) -> AudioTrack | None:
    codec, rate, channels = section.codec, section.rate, section.channels
    if not codec and section.payload_type in _STATIC:
        codec, rate, channels = _STATIC[section.payload_type]
    if codec == "pcma":
        return AudioTrack(codec="pcma", rate=rate or 8000, channels=channels)
    if codec == "pcmu":
        return AudioTrack(codec="pcmu", rate=rate or 8000, channels=channels)
    if codec == "mpeg4-generic" and section.parameters.get("mode", "").lower() == "aac-hbr" and rate:
        try:
            config = bytes.fromhex(section.parameters.get("config", ""))
        except ValueError:
            return None
        return AudioTrack(codec="aac", rate=rate, channels=channels, config=config) if config else None
    return None


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except (binascii.Error, ValueError):
        return b""
