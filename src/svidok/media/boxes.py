"""Reading our own segment files back: where each fragment lies, what it holds, and where a torn tail begins.

Nothing is trusted: a length that does not fit ends the walk, and what was read
up to there is what the file holds.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from svidok.media.fmp4 import AUDIO_ID, VIDEO_ID, prft_us

_MAX_HEAD = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentInfo:
    """One whole fragment in a file: bytes `offset` to `offset + size`, of which `head` come before the media."""

    offset: int
    size: int
    head: int
    sequence: int
    base: int
    duration: int
    wall_us: int
    is_sync: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The samples of one track in a fragment, in decoding order."""

    sizes: tuple[int, ...]
    durations: tuple[int, ...]
    offsets: tuple[int, ...] | None
    first_is_sync: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What a `moof` says of its picture and its sound."""

    sequence: int
    base: int
    audio_base: int
    video: Run
    audio: Run | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A whole file: the init segment's size, the fragments, and where whole bytes end."""

    init_size: int
    fragments: tuple[FragmentInfo, ...]
    whole: int
    size: int

    @property
    def torn(self) -> int:
        """How many bytes at the end belong to no whole fragment."""
        return self.size - self.whole


def top_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, offset, size) of each whole box at the top of `file`, until one does not fit."""
    offset = 0
    while offset + 8 <= size:
        file.seek(offset)
        length, name = struct.unpack(">I4s", file.read(8))
        if length < 8 or offset + length > size:
            return
        yield name, offset, length
        offset += length


def scan_fragments(file: BinaryIO) -> Scan:
    """Walk a segment file from its first byte."""
    file.seek(0, 2)
    size = file.tell()
    init_size, whole = 0, 0
    fragments: list[FragmentInfo] = []
    pending: dict[bytes, tuple[int, int]] = {}
    for name, offset, length in top_boxes(file, size):
        if name in (b"ftyp", b"moov"):
            init_size = whole = offset + length
            continue
        pending[name] = (offset, length)
        if name != b"mdat" or not init_size:
            continue
        info = _fragment(file, pending)
        if info is None:
            break
        fragments.append(info)
        whole, pending = offset + length, {}
    return Scan(init_size=init_size, fragments=tuple(fragments), whole=whole, size=size)


def _fragment(file: BinaryIO, boxes: dict[bytes, tuple[int, int]]) -> FragmentInfo | None:
    if set(boxes) != {b"prft", b"moof", b"mdat"}:
        return None
    start, prft_size = boxes[b"prft"]
    mdat, mdat_size = boxes[b"mdat"]
    head = mdat + 8 - start
    if prft_size != 32 or head > _MAX_HEAD:
        return None
    file.seek(start)
    bytes_of_head = file.read(head)
    samples = parse_head(bytes_of_head)
    if samples is None or _payload(samples) != mdat_size - 8:
        return None
    return FragmentInfo(
        offset=start,
        size=mdat + mdat_size - start,
        head=head,
        sequence=samples.sequence,
        base=samples.base,
        duration=sum(samples.video.durations),
        wall_us=head_wall_us(bytes_of_head),
        is_sync=samples.video.first_is_sync,
    )


def head_wall_us(head: bytes) -> int:
    """When the first picture behind `head` was taken, in microseconds since 1970. Raises `struct.error` where torn."""
    return prft_us(struct.unpack_from(">Q", head, 16)[0])


def _payload(samples: Samples) -> int:
    return sum(samples.video.sizes) + (sum(samples.audio.sizes) if samples.audio else 0)


def parse_head(head: bytes) -> Samples | None:
    """The samples that `prft` + `moof` + `mdat` header describe, or nothing where they are not ours."""
    try:
        return _parse_head(head)
    except (struct.error, LookupError, ValueError):
        return None


def _parse_head(head: bytes) -> Samples | None:
    sequence, runs, bases = 0, dict[int, Run](), dict[int, int]()
    moof = next((part for name, part in _children(memoryview(head)) if name == b"moof"), None)
    if moof is None:
        return None
    for name, part in _children(moof):
        if name == b"mfhd":
            sequence = struct.unpack_from(">I", part, 4)[0]
        elif name == b"traf":
            inner = dict(_children(part))
            track = struct.unpack_from(">I", inner[b"tfhd"], 4)[0]
            bases[track] = struct.unpack_from(">Q", inner[b"tfdt"], 4)[0]
            runs[track] = _run(inner[b"trun"])
    if VIDEO_ID not in runs:
        return None
    return Samples(
        sequence=sequence,
        base=bases[VIDEO_ID],
        audio_base=bases.get(AUDIO_ID, 0),
        video=runs[VIDEO_ID],
        audio=runs.get(AUDIO_ID),
    )


def _run(trun: memoryview) -> Run:
    flags, count = struct.unpack_from(">II", trun, 0)
    at, first_is_sync = 12, True
    if flags & 0x4:
        first_is_sync = struct.unpack_from(">I", trun, at)[0] & 0x10000 == 0
        at += 4
    width = 3 if flags & 0x800 else 2
    if at + 4 * width * count > len(trun):
        raise ValueError("the table says that it is longer than it is")
    values = struct.unpack_from(">" + ("IIi" if width == 3 else "II") * count, trun, at)
    return Run(
        durations=values[0::width],
        sizes=values[1::width],
        offsets=values[2::width] if width == 3 else None,
        first_is_sync=first_is_sync,
    )


def _children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length < 8:
            return
        yield name, data[at + 8 : at + length]
        at += length
