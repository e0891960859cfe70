"""Reading an init segment of ours back: the sample entries, the size of the picture, the rate of the sound."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from svidok.base import Conflict
from svidok.media.fmp4 import AUDIO_ID, VIDEO_ID

_ENTRIES = 8  # version, flags and count come before the first sample entry of an `stsd`


@dataclass(frozen=True, slots=True, kw_only=True)
class InitInfo:
    """Sample entries as bytes; width and height in pixels; `audio_rate` in Hz, 0 where there is no sound."""

    video_entry: bytes
    width: int
    height: int
    audio_entry: bytes | None
    audio_rate: int


def parse_init(init: bytes, where: str) -> InitInfo:
    """What `init` (`ftyp` + `moov`) declares. Raises `Conflict` where it is damaged; `where` names it to a person."""
    try:
        traks = {_track_id(trak): trak for name, trak in _inside(init, b"moov") if name == b"trak"}
        video = _entry(traks[VIDEO_ID])
        width, height = struct.unpack_from(">HH", video, 32)
        audio = traks.get(AUDIO_ID)
        return InitInfo(
            video_entry=video,
            width=width,
            height=height,
            audio_entry=_entry(audio) if audio is not None else None,
            audio_rate=_timescale(audio) if audio is not None else 0,
        )
    except (struct.error, KeyError, IndexError) as error:
        raise Conflict("footage-damaged", f"The beginning of {where} is damaged. Run `svidok check`.") from error


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length < 8:
            raise IndexError(at)
        yield name, data[at + 8 : at + length]
        at += length


def _inside(data: bytes, *names: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name in names:
        data = dict(_children(data))[name]
    return _children(data)


def _track_id(trak: bytes) -> int:
    return int(struct.unpack_from(">I", dict(_children(trak))[b"tkhd"], 20)[0])  # version 1: after two 64-bit times


def _timescale(trak: bytes) -> int:
    return int(struct.unpack_from(">I", dict(_inside(trak, b"mdia"))[b"mdhd"], 20)[0])


def _entry(trak: bytes) -> bytes:
    stsd = dict(_inside(trak, b"mdia", b"minf", b"stbl"))[b"stsd"]
    (length,) = struct.unpack_from(">I", stsd, _ENTRIES)
    entry = stsd[_ENTRIES : _ENTRIES + length]
    if len(entry) != length or length < 36:
        raise IndexError(length)
    return entry
