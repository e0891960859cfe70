"""One ordinary MP4 (`ftyp`, `moov`, `mdat`) out of fragments of segment files, planned before the media is read.

Only the heads of the fragments are read to plan it, so that its exact size is
known at once, its first byte leaves at once, and any byte range of it can be
served. The media of each fragment stays whole and in one piece, which is what
lets a stranger hash it against its leaf.

The header is a pure function of the init segments, the heads of the fragments
and the two instants that were asked for (`Arrangement`), so that a stranger
makes it anew and compares it byte for byte. Whoever changes what it writes
gives the sidecar's format another name.

Fragments follow each other without holes in time: where footage is missing the
picture goes on with what comes next, because a frozen picture would look like
footage. Pictures before the instant asked for, which decoding needs, are in the
file and hidden by an edit list.
"""

import os
import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from pathlib import Path
from typing import Protocol

from svidok.base import Conflict
from svidok.media.boxes import Run, Samples, head_wall_us, parse_head
from svidok.media.fmp4 import AUDIO_ID, VIDEO_ID, box, full_box, hdlr, mdhd, minf, mvhd, tkhd
from svidok.media.inits import InitInfo, parse_init
from svidok.media.model import VIDEO_CLOCK, VideoTrack

BLOCK_BYTES = 256 * 1024
_HEAD_GUESS = 4096  # holds the head of 250 pictures with sound; longer ones are read again
_PRFT_BYTES = 32
_MDAT_HEADER = 16
_LATEST_TICK = 1 << 42  # a year and a half at 90 kHz; beyond it, not every reader of a header could reckon alike
_HIGHEST_RATE = 1 << 18  # Hz


class Elsewhere(Protocol):
    """A file that is not of this machine. Raises `OSError` where it cannot be read."""

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, or as many as there are."""
        ...

    def read_many(self, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """A piece for each (offset, size)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Part of one segment file: the size of its init segment, and its `fragments` as (offset, size), in order.

    Where it is not of this machine, `elsewhere` reads it and `path` only names it.
    """

    path: Path
    init_size: int
    fragments: Sequence[tuple[int, int]]
    elsewhere: Elsewhere | None = None


@dataclass(slots=True, kw_only=True)
class _Track:
    """The sample table of one track as it grows."""

    timescale: int
    start: int = 0
    clock: int = 0
    lead: int = 0  # how long after its decoding the first picture is shown
    delay: int = 0  # what brings the present segment's lead to the first one's
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    times: list[list[int]] = field(default_factory=list)
    shifts: list[list[int]] = field(default_factory=list)
    shifted: bool = False
    syncs: "array[int]" = field(default_factory=lambda: array("I"))
    chunks: "array[int]" = field(default_factory=lambda: array("Q"))
    runs: list[tuple[int, int, int]] = field(default_factory=list)  # first chunk, samples in each, description
    entries: dict[bytes, int] = field(default_factory=dict)  # sample descriptions, each with its number

    def add(self, run: Run, *, at: int, offset: int, entry: bytes, begins: bool) -> None:
        """Append `run`, whose bytes lie at `offset` of the media, to begin at `at` as nearly as order allows.

        `begins` is true for the first of a segment: its pictures may come out of order by more or less than before.
        """
        if not self.sizes:
            self.start = self.clock = at
            self.lead = _lead(run)
        if begins:
            self.delay = self.lead - _lead(run)
        self._move_to(at)
        if run.first_is_sync:
            self.syncs.append(len(self.sizes) + 1)
        self.sizes.extend(run.sizes)
        for duration in run.durations:
            _count(self.times, duration)
        for shift in run.offsets or (0,) * len(run.sizes):
            _count(self.shifts, shift + self.delay)
        self.shifted = self.shifted or run.offsets is not None or self.delay != 0
        self.clock += sum(run.durations)
        if self.clock >= _LATEST_TICK:
            raise Conflict("footage-damaged", "The times of this footage cannot be right. Run `svidok check`.")
        self.chunks.append(offset)
        description = self._describe(entry)
        if not self.runs or self.runs[-1][1:] != (len(run.sizes), description):
            self.runs.append((len(self.chunks), len(run.sizes), description))

    def _move_to(self, at: int) -> None:
        """Stretch or shorten the last sample so that the next begins at `at`."""
        if not self.sizes:
            return
        wanted = max(1, self.times[-1][1] + at - self.clock)
        change = wanted - self.times[-1][1]
        if change:
            last = self.times[-1]
            last[0] -= 1
            if not last[0]:
                self.times.pop()
            _count(self.times, wanted)
            self.clock += change

    def _describe(self, entry: bytes) -> int:
        if entry not in self.entries:
            if self.entries and entry[4:8] != next(iter(self.entries))[4:8]:
                raise Conflict(
                    "codec-changed", "The camera changed its codec within this span. Export before and after it apart."
                )
            self.entries[entry] = len(self.entries) + 1
        return self.entries[entry]

    def table(self, base: int, *, wide: bool) -> bytes:
        """The `stbl`, with the media beginning at byte `base` of the file."""
        places = array("Q" if wide else "I", (offset + base for offset in self.chunks))
        parts = [
            full_box(b"stsd", 0, 0, struct.pack(">I", len(self.entries)), *self.entries),
            _rows(b"stts", ">II", self.times),
            full_box(
                b"stsc", 0, 0, struct.pack(">I", len(self.runs)), *(struct.pack(">III", *run) for run in self.runs)
            ),
            full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(self.sizes)), _big_endian(self.sizes)),
            full_box(b"co64" if wide else b"stco", 0, 0, struct.pack(">I", len(places)), _big_endian(places)),
        ]
        if self.shifted:
            parts.insert(2, _rows(b"ctts", ">Ii", self.shifts, version=1))
        if len(self.syncs) < len(self.sizes):
            parts.append(full_box(b"stss", 0, 0, struct.pack(">I", len(self.syncs)), _big_endian(self.syncs)))
        return box(b"stbl", *parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One fragment: where it is in its source file, and where its media is in the new file. All in bytes."""

    source: int
    offset: int
    head: int
    media_offset: int
    media_size: int


class ProgressiveFile:
    """The planned file. It opens source files only while its bytes are read."""

    def __init__(self, sources: Sequence[Source], header: bytes, placed: Sequence[Placed]) -> None:
        self.sources = sources
        self.placed = placed
        self.size_bytes = len(header) + sum(one.media_size for one in placed)
        self._header = header
        self._starts = [one.media_offset for one in placed]

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `end` (exclusive), in blocks. Raises `OSError` where a source has gone."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        if start < min(end, len(self._header)):
            yield self._header[start:end]
            start = min(end, len(self._header))
        if start >= end:
            return
        with _OneFile() as file:
            for number in range(bisect_right(self._starts, start) - 1, len(self.placed)):
                one = self.placed[number]
                if one.media_offset >= end:
                    return
                first = max(0, start - one.media_offset)
                last = min(one.media_size, end - one.media_offset)
                file.open(self.sources[one.source])
                yield from file.blocks(one.offset + one.head + first, last - first)

    def heads(self) -> Iterator[bytes]:
        """The bytes before the media of each fragment, in the order of `placed`."""
        with _OneFile() as file:
            for number, placed in groupby(self.placed, key=lambda one: one.source):
                file.open(self.sources[number])
                yield from file.read_many([(one.offset, one.head) for one in placed])


def plan_progressive(
    sources: Sequence[Source], *, start_us: int | None = None, end_us: int | None = None
) -> ProgressiveFile:
    """Plan one MP4 of `sources` that shows what lies between two instants (microseconds since 1970; all, where unset).

    Raises `Conflict` where a codec changes on the way or a source is damaged, and `OSError` where one is gone.
    """
    arrangement = Arrangement()
    placed: list[Placed] = []
    with _OneFile() as file:
        for number, source in enumerate(sources):
            file.open(source)
            arrangement.begin(file.read(0, source.init_size), source.path.name)
            guesses = file.read_many([(offset, min(_HEAD_GUESS, size)) for offset, size in source.fragments])
            for (offset, size), guess in zip(source.fragments, guesses, strict=True):
                head, at = _read_head(file, guess, offset, size), arrangement.media_size
                arrangement.add(head, size - len(head), offset=offset)
                placed.append(
                    Placed(source=number, offset=offset, head=len(head), media_offset=at, media_size=size - len(head))
                )
    header = arrangement.header(start_us=start_us, end_us=end_us)
    moved = [
        Placed(source=one.source, offset=one.offset, head=one.head, media_offset=one.media_offset + len(header),
               media_size=one.media_size) for one in placed
    ]  # fmt: skip
    return ProgressiveFile(sources, header, moved)


def _read_head(file: "_OneFile", head: bytes, offset: int, size: int) -> bytes:
    """The bytes before the media of a fragment that begins with `head`, or what looks like them where it is damaged."""
    length = _PRFT_BYTES + struct.unpack_from(">I", head, _PRFT_BYTES)[0] + 8 if len(head) >= _PRFT_BYTES + 8 else 0
    if len(head) < length <= size:
        head = file.read(offset, length)
    return head[:length]


class Arrangement:
    """The sample tables of one file as they grow, fragment by fragment. Knows heads, and no file."""

    def __init__(self) -> None:
        self.media_size = 0
        self._video = _Track(timescale=VIDEO_CLOCK)
        self._audio: list[_Track] = []
        self._first: InitInfo | None = None
        self._init: InitInfo | None = None
        self._where = ""
        self._shift: int | None = None
        self._begin_us: int | None = None
        self._end_us = 0

    def begin(self, init: bytes, where: str) -> None:
        """What follows is of the segment with the init segment `init`; `where` names it to a person.

        Raises `Conflict` where it is damaged.
        """
        self._init = parse_init(init, where)
        self._first = self._first or self._init
        self._where, self._shift = where, None

    def add(self, head: bytes, media_size: int, *, offset: int = 0) -> tuple[int, int]:
        """Append a fragment: its bytes before the media, and how many bytes of media follow them.

        From when to when it shows, by its own head, in microseconds since 1970. Raises `Conflict` where it is
        damaged, with its place `offset` in its file, or where the codec changes.
        """
        samples = parse_head(head) if _is_whole(head, media_size) else None
        if samples is None or self._init is None or _payload(samples) != media_size or not _is_plausible(samples):
            raise Conflict(
                "footage-damaged",
                f"A fragment of {self._where} is damaged. Run `svidok check`.",
                path=self._where,
                offset=offset,
            )
        begins = self._shift is None
        shift = self._video.clock - samples.base if self._shift is None else self._shift
        self._shift = shift
        _add(self._video, self._audio, self._init, samples, shift=shift, offset=self.media_size, begins=begins)
        self.media_size += media_size
        start_us = head_wall_us(head)
        self._begin_us = start_us if self._begin_us is None else self._begin_us
        self._end_us = start_us + sum(samples.video.durations) * 100 // 9
        return start_us, self._end_us

    def header(self, *, start_us: int | None = None, end_us: int | None = None) -> bytes:
        """All that comes before the media. Raises `Conflict` where no fragment was added."""
        if self._first is None or self._begin_us is None:
            raise Conflict("nothing-recorded", "There is no footage in this span.")
        skip_us = 0 if start_us is None else max(0, start_us - self._begin_us)
        drop_us = 0 if end_us is None else max(0, self._end_us - end_us)
        return _header(
            self._video, self._audio, self._first, self.media_size, skip=skip_us * 9 // 100, drop=drop_us * 9 // 100
        )


def _is_whole(head: bytes, media_size: int) -> bool:
    """Whether `head` is `prft`, `moof` and the header of an `mdat` of `media_size` bytes, and nothing else."""
    if len(head) < _PRFT_BYTES + 16:
        return False
    prft, moof = struct.unpack_from(">I4s", head), struct.unpack_from(">I4s", head, _PRFT_BYTES)
    mdat = struct.unpack_from(">I4s", head, len(head) - 8)
    return (
        prft == (_PRFT_BYTES, b"prft")
        and moof == (len(head) - _PRFT_BYTES - 8, b"moof")
        and mdat == (8 + media_size, b"mdat")
    )


def _is_plausible(samples: Samples) -> bool:
    runs = [samples.video, *([samples.audio] if samples.audio else [])]
    if any(run.offsets == () for run in runs):
        return False
    ticks = [samples.base, samples.audio_base, *(sum(run.durations) for run in runs)]
    return max(ticks) < _LATEST_TICK


def _add(
    video: _Track, audio: list[_Track], init: InitInfo, samples: Samples, *, shift: int, offset: int, begins: bool
) -> None:
    video.add(samples.video, at=shift + samples.base, offset=offset, entry=init.video_entry, begins=begins)
    if samples.audio is None or init.audio_entry is None:
        return
    if not 0 < init.audio_rate <= _HIGHEST_RATE:
        raise Conflict("footage-damaged", "The sound of this footage cannot be right. Run `svidok check`.")
    if not audio:
        audio.append(_Track(timescale=init.audio_rate))
    if init.audio_rate != audio[0].timescale:
        raise Conflict(
            "codec-changed", "The camera changed its sound within this span. Export before and after it apart."
        )
    audio[0].add(
        samples.audio,
        at=shift * init.audio_rate // VIDEO_CLOCK + samples.audio_base,
        offset=offset + sum(samples.video.sizes),
        entry=init.audio_entry,
        begins=False,
    )


def _payload(samples: Samples) -> int:
    return sum(samples.video.sizes) + (sum(samples.audio.sizes) if samples.audio else 0)


def _header(video: _Track, audio: list[_Track], init: InitInfo, media: int, *, skip: int, drop: int) -> bytes:
    wide = media > (1 << 32) - (1 << 28)  # the header of the longest export stays below 256 MiB
    ftyp = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isom", b"iso2", b"mp41")
    mdat = struct.pack(">I4sQ", 1, b"mdat", _MDAT_HEADER + media)
    without = len(ftyp) + len(_moov(video, audio, init, 0, wide=wide, skip=skip, drop=drop)) + len(mdat)
    return ftyp + _moov(video, audio, init, without, wide=wide, skip=skip, drop=drop) + mdat


def _moov(video: _Track, audio: list[_Track], init: InitInfo, base: int, *, wide: bool, skip: int, drop: int) -> bytes:
    shown = max(1, video.clock - skip - drop)
    picture = VideoTrack(codec="h264", width=init.width, height=init.height)  # tkhd takes nothing but the size of it
    traks = [
        box(
            b"trak",
            tkhd(VIDEO_ID, shown, picture),
            _edits(shown, [], video.lead + skip),
            _mdia(video, video.table(base, wide=wide), is_video=True),
        )
    ]
    for track in audio:
        late = track.start * VIDEO_CLOCK // track.timescale - skip
        empty = [late] if late > 0 else []
        begin = 0 if late > 0 else -late * track.timescale // VIDEO_CLOCK
        edits = _edits(max(1, shown - max(0, late)), empty, begin)
        traks.append(
            box(b"trak", tkhd(AUDIO_ID, shown, None), edits, _mdia(track, track.table(base, wide=wide), is_video=False))
        )
    return box(b"moov", mvhd(VIDEO_CLOCK, shown), *traks)


def _edits(shown: int, empty: list[int], begin: int) -> bytes:
    """An edit list: nothing for the `empty` ticks, then `shown` ticks from `begin` of the media."""
    rows = [(length, -1) for length in empty] + [(shown, begin)]
    body = b"".join(struct.pack(">QqI", length, media, 0x10000) for length, media in rows)
    return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(rows)), body))


def _mdia(track: _Track, stbl: bytes, *, is_video: bool) -> bytes:
    return box(b"mdia", mdhd(track.timescale, track.clock - track.start), hdlr(is_video), minf(is_video, stbl))


def _lead(run: Run) -> int:
    """When the earliest picture of `run` is shown, counted from its first decoding."""
    if run.offsets is None:
        return 0
    times = accumulate(run.durations, initial=0)
    return max(0, min(at + shift for at, shift in zip(times, run.offsets, strict=False)))


def _count(runs: list[list[int]], value: int) -> None:
    if runs and runs[-1][1] == value:
        runs[-1][0] += 1
    else:
        runs.append([1, value])


def _rows(name: bytes, row: str, rows: Sequence[Sequence[int]], version: int = 0) -> bytes:
    return full_box(name, version, 0, struct.pack(">I", len(rows)), *(struct.pack(row, *one) for one in rows))


def _big_endian(values: "array[int]") -> bytes:
    if sys.byteorder == "little":
        values = values[:]
        values.byteswap()
    return values.tobytes()


class _OneFile:
    """At most one open file, so that a day of segments needs one descriptor."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._handle = -1
        self._elsewhere: Elsewhere | None = None

    def __enter__(self) -> "_OneFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def open(self, source: Source) -> None:
        if source.path != self._path:
            self._close()
            self._elsewhere = source.elsewhere
            if self._elsewhere is None:
                self._handle = os.open(source.path, os.O_RDONLY)
            self._path = source.path

    def read(self, offset: int, size: int) -> bytes:
        if self._elsewhere is not None:
            return self._elsewhere.read(offset, size)
        return os.pread(self._handle, size, offset)

    def read_many(self, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        if self._elsewhere is not None:
            return self._elsewhere.read_many(ranges)
        return (os.pread(self._handle, size, offset) for offset, size in ranges)

    def blocks(self, offset: int, size: int) -> Iterator[bytes]:
        """`size` bytes from `offset`. Raises `OSError` where the file ends before."""
        while size > 0:
            block = self.read(offset, min(size, BLOCK_BYTES))
            if not block:
                raise OSError(f"{self._path} ends before its fragment does")
            yield block
            offset += len(block)
            size -= len(block)

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._path, self._handle, self._elsewhere = None, -1, None
