"""The index beside each segment: one fixed record a fragment, so that any instant is found without opening the media.

    header   magic "SVIX", version, segment id, channel id, recording id, leaf hash of the init segment, its size
    record   offset, size, start_us, duration_us, flags, leaf hash (32 bytes), CRC-32 of all before it

All numbers are big-endian. A record is written only after the bytes it speaks
of are synced, so it can be missing but never lie; a torn last record is
ignored. What is missing is rebuilt from the segment itself.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

MAGIC = b"SVIX"
VERSION = 1
_HEADER = struct.Struct(">4sHxx16s16s16s32sII")
_RECORD = struct.Struct(">QIQII32sI")
SUFFIX = ".idx"

SYNC = 1  # the fragment begins with a picture that stands by itself
LOST = 2  # packets of it never came


class BadIndex(ValueError):
    """The file is not an index, or its header is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexHeader:
    """Whose index it is, and the init segment (leaf 0)."""

    segment_id: UUID
    channel_id: UUID
    recording_id: UUID
    init_hash: bytes
    init_size: int

    def pack(self) -> bytes:
        """As bytes, its CRC last."""
        body = _HEADER.pack(
            MAGIC, VERSION, self.segment_id.bytes, self.channel_id.bytes, self.recording_id.bytes, self.init_hash,
            self.init_size, 0,
        )[:-4]  # fmt: skip
        return body + struct.pack(">I", zlib.crc32(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecord:
    """One fragment: bytes `offset` to `offset + size` of the file, from `start_us` (since 1970) for `duration_us`."""

    offset: int
    size: int
    start_us: int
    duration_us: int
    flags: int
    leaf_hash: bytes

    @property
    def end_us(self) -> int:
        """The instant after its last picture."""
        return self.start_us + self.duration_us

    def pack(self) -> bytes:
        """As bytes, its CRC last."""
        body = _RECORD.pack(
            self.offset, self.size, self.start_us, self.duration_us, self.flags, self.leaf_hash, 0
        )[:-4]  # fmt: skip
        return body + struct.pack(">I", zlib.crc32(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A whole index: header, the records that are whole, and how many bytes after them are not."""

    header: IndexHeader
    records: tuple[IndexRecord, ...]
    torn: int

    @property
    def leaves(self) -> list[bytes]:
        """The leaf hashes of the segment's tree: init first, then each fragment."""
        return [self.header.init_hash, *(record.leaf_hash for record in self.records)]


HEADER_BYTES = _HEADER.size
RECORD_BYTES = _RECORD.size


def index_path(media: Path) -> Path:
    """Where the index of the segment file `media` is."""
    return media.with_suffix(SUFFIX)


def unpack(data: bytes) -> Index:
    """Read an index. Raises `BadIndex` for a damaged header; damaged records end it, and are counted as torn."""
    if len(data) < HEADER_BYTES:
        raise BadIndex("it is shorter than its header")
    magic, version, segment, channel, recording, init_hash, init_size, crc = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or crc != zlib.crc32(data[: HEADER_BYTES - 4]):
        raise BadIndex("its header is damaged")
    records: list[IndexRecord] = []
    at = HEADER_BYTES
    while at + RECORD_BYTES <= len(data):
        offset, size, start_us, duration_us, flags, leaf, crc = _RECORD.unpack_from(data, at)
        if crc != zlib.crc32(data[at : at + RECORD_BYTES - 4]):
            break
        records.append(
            IndexRecord(
                offset=offset, size=size, start_us=start_us, duration_us=duration_us, flags=flags, leaf_hash=leaf
            )
        )
        at += RECORD_BYTES
    header = IndexHeader(
        segment_id=UUID(bytes=segment),
        channel_id=UUID(bytes=channel),
        recording_id=UUID(bytes=recording),
        init_hash=init_hash,
        init_size=init_size,
    )
    return Index(header=header, records=tuple(records), torn=len(data) - at)


def read(path: Path) -> Index:
    """Read the index file `path`; `BadIndex` also where it cannot be read."""
    try:
        return unpack(path.read_bytes())
    except OSError as error:
        raise BadIndex(f"it cannot be read ({error.strerror})") from error


def pack(header: IndexHeader, records: Iterable[IndexRecord]) -> bytes:
    """A whole index as bytes."""
    return header.pack() + b"".join(record.pack() for record in records)
