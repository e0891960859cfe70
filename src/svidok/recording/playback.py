"""Footage as a player asks for it: a manifest of fragments, then init segments and ranges of fragments.

The manifest comes from the index files; media files are opened only for the
bytes that leave. Fragments are numbered from 0 within their segment. A segment
that is still being written is played as far as its index says that its bytes
are safe on disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from svidok.base import BadInput, NotFound, Span, Unavailable, from_us, to_us
from svidok.db import Transaction
from svidok.recording import idx
from svidok.recording.model import Gap
from svidok.recording.reach import HERE, Reach, RemoteFile
from svidok.recording.reading import Located, segment_of_channel, segments_between
from svidok.recording.timeline import timeline

LONGEST = timedelta(hours=25)  # a day, also the long one in autumn
BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayableSegment:
    """A segment's part of a manifest: its fragments as (number, record). `init_id` is equal where the init is."""

    one: Located
    span: Span
    init_id: str
    init_size: int
    fragments: tuple[tuple[int, idx.IndexRecord], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What can be played of a span, and the gaps in it. `unreachable` segments lie on volumes that are away."""

    segments: tuple[PlayableSegment, ...]
    gaps: tuple[Gap, ...]
    unreachable: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRange:
    """Bytes of a file, of this machine or of another."""

    path: Path
    offset: int
    size: int
    elsewhere: RemoteFile | None = None

    def ensure(self) -> "FileRange":
        """Itself, once it is known that the bytes are there. Raises `Unavailable` where they are not."""
        try:
            there = self.path.stat().st_size if self.elsewhere is None else self.elsewhere.size()
        except OSError as error:
            raise Unavailable(
                "footage-unreachable", f"{self.path.name} cannot be read. Look at the volumes."
            ) from error
        if there < self.offset + self.size:
            raise Unavailable("footage-unreachable", f"{self.path.name} is shorter than its index says. Run the check.")
        return self

    def blocks(self) -> Iterator[bytes]:
        """The bytes, in blocks. Raises `OSError` where the file ends before."""
        if self.elsewhere is not None:
            yield from self._blocks_from(self.elsewhere)
            return
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            left = self.size
            while left > 0:
                block = file.read(min(left, BLOCK_BYTES))
                if not block:
                    raise OSError(f"{self.path} ends before its index does")
                yield block
                left -= len(block)

    def _blocks_from(self, file: RemoteFile) -> Iterator[bytes]:
        end = self.offset + self.size
        for at in range(self.offset, end, BLOCK_BYTES):
            block = file.read(at, min(BLOCK_BYTES, end - at))
            if len(block) < min(BLOCK_BYTES, end - at):
                raise OSError(f"{self.path} ends before its index does")
            yield block

    def read(self) -> bytes:
        """All of them. Raises `Unavailable` where they cannot be read."""
        try:
            return b"".join(self.blocks())
        except OSError as error:
            raise Unavailable(
                "footage-unreachable", f"{self.path.name} cannot be read. Look at the volumes."
            ) from error


def manifest(tx: Transaction, channel_id: UUID, span: Span, *, reach: Reach = HERE) -> Manifest:
    """What of `span` can be played. A fragment that touches the span is told whole."""
    playable: list[PlayableSegment] = []
    unreachable: list[UUID] = []
    for one in segments_between(tx, channel_id, span, reach=reach):
        try:
            part = playable_part(one, span)
        except Unavailable:
            unreachable.append(one.segment.id)
            continue
        if part.fragments:
            playable.append(part)
    gaps = timeline(tx, channel_id, span, reach=reach).gaps
    return Manifest(segments=tuple(playable), gaps=gaps, unreachable=tuple(unreachable))


def part_of(one: Located, offset: int, size: int) -> FileRange:
    """Bytes of a segment's file, wherever it lies."""
    elsewhere = one.elsewhere.file(one.segment.path) if one.elsewhere is not None else None
    return FileRange(path=one.media, offset=offset, size=size, elsewhere=elsewhere)


def playable_part(one: Located, span: Span) -> PlayableSegment:
    """The fragments of a segment that touch `span`. Raises `Unavailable` where its index cannot be read."""
    index = one.index()
    start_us, end_us = to_us(span.start), to_us(span.end)
    touching = tuple(
        (number, record)
        for number, record in enumerate(index.records)
        if record.start_us < end_us and record.end_us > start_us
    )
    covers = Span(one.segment.start_at, max(one.segment.start_at, one.segment.end_at))
    if index.records:
        covers = Span(from_us(index.records[0].start_us), from_us(index.records[-1].end_us))
    return PlayableSegment(
        one=one,
        span=covers,
        init_id=index.header.init_hash.hex()[:16],
        init_size=index.header.init_size,
        fragments=touching,
    )


def init(tx: Transaction, channel_id: UUID, segment_id: UUID, *, reach: Reach = HERE) -> FileRange:
    """The init segment of a segment."""
    one = segment_of_channel(tx, channel_id, segment_id, reach=reach)
    return part_of(one, 0, one.index().header.init_size)


def media(
    tx: Transaction, channel_id: UUID, segment_id: UUID, *, first: int, last: int, reach: Reach = HERE
) -> FileRange:
    """Fragments `first` to `last`, inclusive, as one range of bytes."""
    if not 0 <= first <= last:
        raise BadInput("fragments-backwards", "Fragments are numbered from 0; the last may not come before the first.")
    one = segment_of_channel(tx, channel_id, segment_id, reach=reach)
    records = one.index().records
    if last >= len(records):
        raise NotFound("fragment-not-found", "The segment has no such fragment.", fragments=len(records))
    begin, end = records[first].offset, records[last].offset + records[last].size
    return part_of(one, begin, end - begin)


def fragment_at(
    tx: Transaction, channel_id: UUID, at_us: int, *, reach: Reach = HERE
) -> tuple[Located, idx.Index, int]:
    """The fragment that shows the instant `at_us`, or the nearest that begins within two seconds of it.

    Raises `NotFound` where there is no footage.
    """
    at = from_us(at_us)
    span = Span(at - timedelta(seconds=2), at + timedelta(seconds=2))
    best: tuple[int, Located, idx.Index, int] | None = None
    for one in segments_between(tx, channel_id, span, reach=reach):
        index = one.index()
        for number, record in enumerate(index.records):
            away = max(0, record.start_us - at_us, at_us - record.end_us + 1)
            if best is None or away < best[0]:
                best = (away, one, index, number)
    if best is None or best[0] > 2_000_000:
        raise NotFound("no-footage-at", "There is no footage at this instant.")
    return best[1], best[2], best[3]
