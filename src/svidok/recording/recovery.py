"""After a crash or a power cut: cut torn tails, rebuild indexes, and seal what was whole.

Whole is what lies before the first byte that fits no fragment. The torn rest
is put aside, never thrown away, and counted. What is found here is told as
facts; the database may know them already, and then nothing happens.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import structlog

from svidok.base import SvidokError, from_us, new_id
from svidok.ledger import root_of
from svidok.media.boxes import FragmentInfo, scan_fragments
from svidok.media.inits import InitInfo, parse_init
from svidok.media.model import VideoTrack
from svidok.recording import facts as f
from svidok.recording.clocks import ticks_to_us
from svidok.recording.idx import SYNC, BadIndex, Index, IndexHeader, IndexRecord, index_path, pack, read
from svidok.recording.model import Volume
from svidok.recording.volumes import ASIDE

log = structlog.get_logger("recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A segment file after repair. `torn` bytes were put aside; `index` agrees with the bytes."""

    path: Path
    index: Index
    size: int
    torn: int
    changed: bool
    init: InitInfo


def segment_files(root: Path, *, days: int, newer_than_s: float = 0.0) -> Iterator[Path]:
    """The segment files in the last `days` day folders of every channel, those older than `newer_than_s` left out."""
    for channel in sorted(root.iterdir()):
        if channel.name == ASIDE or not channel.is_dir():
            continue
        for day in sorted((d for d in channel.iterdir() if d.is_dir()), reverse=True)[:days]:
            for media in sorted(day.glob("*.mp4")):
                if not newer_than_s or media.stat().st_mtime >= newer_than_s:
                    yield media


def segment_id_of(media: Path) -> UUID | None:
    """The segment that a file name speaks of."""
    try:
        return UUID(media.stem.partition("-")[2])
    except ValueError:
        return None


def repair(media: Path, *, aside: Path) -> Repaired | None:
    """Make `media` and its index whole and agreeing. Nothing where it holds no whole fragment: then it is put aside."""
    segment_id = segment_id_of(media)
    channel_id = UUID(media.parent.parent.name)
    with media.open("r+b") as file:
        scan = scan_fragments(file)
        file.seek(0)
        init = file.read(scan.init_size)
        torn = scan.torn
        if torn:
            file.seek(scan.whole)
            _keep(aside / f"{media.name}.{scan.whole}.torn", file.read())
        if segment_id is None or not scan.fragments or not scan.init_size:
            _put_aside(media, aside)
            return None
        file.truncate(scan.whole)  # also where nothing is torn: room asked for ahead goes back to the disk
        if torn:
            os.fsync(file.fileno())
        old = _old_index(media)
        header = IndexHeader(
            segment_id=segment_id,
            channel_id=channel_id,
            recording_id=old.header.recording_id if old else new_id(),
            init_hash=hashlib.sha256(b"\x00" + init).digest(),
            init_size=scan.init_size,
        )
        kept = {record.offset: record for record in old.records} if old else {}
        records = [_record(file, info, kept.get(info.offset)) for info in scan.fragments]
    index = Index(header=header, records=tuple(records), torn=0)
    changed = old is None or old.header != header or old.records != index.records or bool(old.torn)
    if changed:
        _keep(index_path(media), pack(header, records))
    return Repaired(
        path=media, index=index, size=scan.whole, torn=torn, changed=changed or bool(torn),
        init=parse_init(init, media.name),
    )  # fmt: skip


def sealed_fact(repaired: Repaired, volume: Volume) -> f.SegmentSealed:
    """What is told of a repaired segment."""
    records, header = repaired.index.records, repaired.index.header
    return f.SegmentSealed(
        segment_id=header.segment_id,
        recording_id=header.recording_id,
        channel_id=header.channel_id,
        volume_id=volume.id,
        path=str(repaired.path.relative_to(volume.path)),
        start_at=from_us(records[0].start_us),
        end_at=from_us(records[-1].end_us),
        size_bytes=repaired.size,
        fragments=len(records),
        root=root_of(repaired.index.leaves),
        codec=codec_of(repaired.init.video_entry),
        width=repaired.init.width,
        height=repaired.init.height,
        repaired=repaired.changed,
    )


def codec_of(video_entry: bytes) -> str:
    """The codec string (RFC 6381) of a sample entry."""
    configuration = video_entry[94:]  # the entry's own 86 bytes, then the header of avcC or hvcC
    if video_entry[4:8] == b"avc1":
        return f"avc1.{configuration[1:4].hex()}"
    return VideoTrack(codec="h265", sps=b"\x42\x01\x01" + configuration[1:13]).codec_string()


def recover(volume: Volume, files: Iterator[Path] | list[Path]) -> tuple[list[f.AnyFact], dict[UUID, int]]:
    """Repair `files` of `volume`: the facts to tell, and where the footage of each channel ends (microseconds)."""
    news: list[f.AnyFact] = []
    ends: dict[UUID, int] = {}
    for media in files:
        try:
            repaired = repair(media, aside=Path(volume.path) / ASIDE)
        except (OSError, SvidokError, ValueError) as error:
            log.error("cannot be repaired; left as it is", file=media.name, why=str(error))
            continue
        if repaired is None:
            segment_id = segment_id_of(media)
            if segment_id is not None:
                news.append(f.SegmentVanished(segment_id=segment_id))
            continue
        if repaired.torn:
            log.warning("torn tail cut and put aside", file=media.name, bytes=repaired.torn)
        news.append(sealed_fact(repaired, volume))
        channel_id = repaired.index.header.channel_id
        ends[channel_id] = max(ends.get(channel_id, 0), repaired.index.records[-1].end_us)
    return news, ends


def _old_index(media: Path) -> Index | None:
    try:
        return read(index_path(media))
    except BadIndex:
        return None


def _record(file: BinaryIO, info: FragmentInfo, kept: IndexRecord | None) -> IndexRecord:
    """The index record of a fragment: the one that was written, or one made anew from the bytes."""
    if kept is not None and kept.size == info.size:
        return kept
    file.seek(info.offset)
    return IndexRecord(
        offset=info.offset,
        size=info.size,
        start_us=info.wall_us,
        duration_us=ticks_to_us(info.duration),
        flags=SYNC if info.is_sync else 0,
        leaf_hash=hashlib.sha256(b"\x00" + file.read(info.size)).digest(),
    )


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def _put_aside(media: Path, aside: Path) -> None:
    aside.mkdir(parents=True, exist_ok=True)
    media.rename(aside / media.name)
    if index_path(media).exists():
        index_path(media).rename(aside / index_path(media).name)
