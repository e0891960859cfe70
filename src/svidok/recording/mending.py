"""Make a segment's index anew from its media, where the media is what was sealed.

The index is the one file that may be written again: everything in it can be
told from the segment, and the seal tells whether the segment is the right one.
A segment that is not what was sealed is left as it is.
"""

import hashlib
import os
from pathlib import Path

from svidok.base import Conflict, Unavailable, to_us
from svidok.ledger import root_of
from svidok.media.boxes import Scan, scan_fragments
from svidok.recording import idx
from svidok.recording.reading import Located


def mend_index(one: Located) -> Path:
    """Write the index of a sealed segment again; its path.

    Raises `Conflict` where the media does not lead to the sealed root, `Unavailable` where it cannot be read.
    """
    try:
        with one.media.open("rb") as file:
            scan = scan_fragments(file)
            file.seek(0)
            data = file.read()
    except OSError as error:
        raise Unavailable("footage-unreachable", f"{one.media.name} cannot be read ({error.strerror}).") from error
    leaves = [_leaf(data, 0, scan.init_size), *(_leaf(data, info.offset, info.size) for info in scan.fragments)]
    if scan.torn or root_of(leaves) != one.segment.root:
        raise Conflict("footage-damaged", f"{one.media.name} is not what was sealed; its index stays as it is.")
    segment = one.segment
    header = idx.IndexHeader(
        segment_id=segment.id, channel_id=segment.channel_id, recording_id=segment.recording_id, init_hash=leaves[0],
        init_size=scan.init_size,
    )  # fmt: skip
    path = idx.index_path(one.media)
    _replace(path, idx.pack(header, _records(one, scan, leaves[1:])))
    return path


def _records(one: Located, scan: Scan, leaves: list[bytes]) -> list[idx.IndexRecord]:
    """Each fragment lasts until the next begins, as it was placed; the last until the segment ends."""
    old = _old(one)
    ends = [*(info.wall_us for info in scan.fragments[1:]), to_us(one.segment.end_at)]
    records = []
    for info, end_us, leaf in zip(scan.fragments, ends, leaves, strict=True):
        was = old.get(info.offset)
        same = was is not None and (was.size, was.start_us, was.leaf_hash) == (info.size, info.wall_us, leaf)
        records.append(
            idx.IndexRecord(
                offset=info.offset, size=info.size, start_us=info.wall_us,
                duration_us=was.duration_us if was and same else end_us - info.wall_us,
                flags=was.flags if was and same else idx.SYNC * info.is_sync, leaf_hash=leaf,
            )
        )  # fmt: skip
    return records


def _old(one: Located) -> dict[int, idx.IndexRecord]:
    try:
        return {record.offset: record for record in idx.read(idx.index_path(one.media)).records}
    except idx.BadIndex:
        return {}


def _leaf(data: bytes, offset: int, size: int) -> bytes:
    return hashlib.sha256(b"\x00" + data[offset : offset + size]).digest()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
