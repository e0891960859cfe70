"""Check an export against its sidecar, as a stranger would: with the two files and the public key, and nothing else.

`ledger.sidecar` leads the bytes of the pictures to the log. What is added here
needs to know what is inside a fragment:

1. The header of the MP4 is made anew from what was led to the log (init segments, heads) and from the span that was
   asked for, and compared byte for byte: order, speed, cuts and decoder settings are proved as well.
2. The instants of the pictures, which their heads bear, lie in the span and in the order that the sidecar states, and
   time without pictures has a gap that says why.
3. What nobody vouches for is named, from when to when and from byte to byte.

What this does not say: that the camera showed the truth.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from svidok.base import Conflict, from_us, to_us
from svidok.ledger.note import Verifier
from svidok.ledger.sidecar import (
    Finding,
    Ground,
    Sidecar,
    ToldGap,
    ToldSegment,
    altered,
    examine,
    name_of,
    read_sidecar,
)
from svidok.media.progressive import Arrangement

_UNBROKEN = timedelta(seconds=1)  # footage that goes on within a second of its end is unbroken, as in `gaps`
_SEAM = timedelta(milliseconds=50)  # between two fragments of one segment: rounding, and the slew of our clock
_NEVER = datetime.max.replace(tzinfo=UTC)
_BLOCK = 1 << 20

_GRAVITY = [
    Finding.CANNOT_TELL, Finding.UNTRUSTED, Finding.NOT_IN_LOG, Finding.ALTERED, Finding.PROVED_IN_PART,
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found, and why. `fragments` of them lead to a log of `size` entries."""

    finding: Finding
    grounds: tuple[Ground, ...]
    fragments: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A segment of the export in time: when its first fragment begins and ends, and when its last one does."""

    told: ToldSegment
    where: str
    begins: datetime
    first_ends: datetime
    last_begins: datetime
    ends: datetime
    sealed_begin: datetime | None
    sealed_end: datetime | None

    @property
    def covers_from(self) -> datetime:
        """From when on it is known to have footage, whether the export holds all of it or not."""
        return self.sealed_begin or self.begins

    @property
    def covers_to(self) -> datetime:
        """To when. Without a seal, as far as is sure: the length of a last fragment may be counted down later."""
        return self.sealed_end or self.last_begins


def verify_export(media: Path, sidecar: bytes, *, verifier: Verifier) -> Verdict:
    """Whether the MP4 `media` is what its `sidecar` says, and whether the log of `verifier` vouches for it.

    Codes: those of `ledger.sidecar.examine`, and sidecar-unreadable, media-unreadable, header-differs, span-differs,
    segments-reordered, segments-overlap, time-differs, gap-unexplained, nothing-sealed, seal-missing, not-sealed-yet.
    """
    try:
        told = read_sidecar(sidecar)
        with media.open("rb") as file:
            examined = examine(file, told, verifier=verifier)
            grounds = list(examined.grounds)
            if told.segments and all(segment.fragments for segment in told.segments):
                grounds += _judge(file, told)
    except OSError as error:
        return _unreadable("media-unreadable", media.name, error.strerror or str(error))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # no sidecar, no leaf, no statement
        return _unreadable("sidecar-unreadable", "sidecar", str(error))
    found = {ground.finding for ground in grounds}
    gravest = next((one for one in _GRAVITY if one in found), Finding.PROVED)
    return Verdict(finding=gravest, grounds=tuple(grounds), fragments=examined.proved, size=examined.size)


def _unreadable(code: str, where: str, says: str) -> Verdict:
    ground = Ground(finding=Finding.CANNOT_TELL, code=code, where=where, says=says)
    return Verdict(finding=Finding.CANNOT_TELL, grounds=(ground,), fragments=0, size=0)


def _judge(file: BinaryIO, told: Sidecar) -> list[Ground]:
    """Header and times; of a file whose header cannot be made anew, only that."""
    arrangement, shown = Arrangement(), []
    try:
        for number, segment in enumerate(told.segments):
            shown.append(_arrange(arrangement, segment, name_of(number, segment)))
        header = arrangement.header(start_us=to_us(told.start), end_us=to_us(told.end))
    except (Conflict, struct.error, OverflowError, LookupError) as error:
        says = error.message if isinstance(error, Conflict) else str(error)
        where = name_of(len(shown), told.segments[len(shown)]) if len(shown) < len(told.segments) else "header"
        return [altered("header-differs", where, f"no header can be made of these fragments: {says}")]
    return [
        *_compare_header(file, header, told.segments[0].fragments[0].media_offset),
        *_find_unvouched(shown),
        *_compare_span(told, shown),
        *_compare_order(shown),
        *_find_holes(told, shown),
    ]


def _arrange(arrangement: Arrangement, segment: ToldSegment, where: str) -> _Shown:
    arrangement.begin(segment.init, where)
    times = [arrangement.add(one.head, one.media_size, offset=one.media_offset) for one in segment.fragments]
    return _Shown(
        told=segment,
        where=where,
        begins=from_us(times[0][0]),
        first_ends=from_us(times[0][1]),
        last_begins=from_us(times[-1][0]),
        ends=from_us(times[-1][1]),
        sealed_begin=_sealed_instant(segment, "start"),
        sealed_end=_sealed_instant(segment, "end"),
    )


def _sealed_instant(segment: ToldSegment, which: str) -> datetime | None:
    if not segment.is_sealed or segment.payload is None:
        return None
    return datetime.strptime(str(segment.payload.get(which)), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _compare_header(file: BinaryIO, header: bytes, media_offset: int) -> Iterator[Ground]:
    if media_offset != len(header):
        says = f"it has {media_offset} bytes instead of {len(header)}"
        yield altered("header-differs", f"bytes 0 to {media_offset}", says)
        return
    file.seek(0)
    for at in range(0, len(header), _BLOCK):
        due = header[at : at + _BLOCK]
        have = file.read(len(due))
        if have != due:
            first = next((n for n, pair in enumerate(zip(have, due, strict=False)) if pair[0] != pair[1]), len(have))
            yield altered("header-differs", f"byte {at + first}", "the header is not the one that belongs to these")
            return


def _find_unvouched(shown: Sequence[_Shown]) -> Iterator[Ground]:
    """Footage without a seal, which anybody may have made up.

    After sealed footage it is a minute that was not sealed yet; before it, or alone, it is worth nothing.
    """
    last_sealed = max((number for number, one in enumerate(shown) if one.told.is_sealed), default=-1)
    for number, one in enumerate(shown):
        if one.told.is_sealed:
            continue
        first, last = one.told.fragments[0], one.told.fragments[-1]
        place = f"bytes {first.media_offset} to {last.media_offset + last.media_size}"
        finding, code, why = _without_seal(number, last_sealed)
        yield Ground(
            finding=finding, code=code, where=f"{one.where}, {_span(one.begins, one.ends)}, {place}",
            says=f"nobody vouches for these pictures: {why}",
        )  # fmt: skip


def _without_seal(number: int, last_sealed: int) -> tuple[Finding, str, str]:
    if last_sealed < 0:
        return Finding.NOT_IN_LOG, "nothing-sealed", "no part of this export is in the log; export it again"
    if number < last_sealed:
        return Finding.NOT_IN_LOG, "seal-missing", "they are not in the log, and what comes after them is"
    return Finding.PROVED_IN_PART, "not-sealed-yet", "they were not in the log when exported; export them again"


def _compare_span(told: Sidecar, shown: Sequence[_Shown]) -> Iterator[Ground]:
    if told.end <= told.start:
        yield altered("span-differs", "sidecar", "it ends before it begins")
    for one in shown:
        if one.begins >= told.end or one.last_begins >= told.end or one.first_ends <= told.start:
            says = f"these pictures are not of {_span(told.start, told.end)}"
            yield altered("span-differs", f"{one.where}, {_span(one.begins, one.ends)}", says)
        if one.begins < one.covers_from or one.last_begins > one.covers_to:
            says = "the pictures' own instants lie outside of those in their seal"
            yield Ground(finding=Finding.PROVED_IN_PART, code="time-differs", where=one.where, says=says)


def _compare_order(shown: Sequence[_Shown]) -> Iterator[Ground]:
    for before, after in pairwise(shown):
        if after.covers_from < before.covers_from:
            yield altered("segments-reordered", after.where, "it was recorded before the one that it follows here")
        elif after.covers_from < before.covers_to:
            says = "the same time was recorded twice, and is shown one after the other"
            yield Ground(finding=Finding.PROVED_IN_PART, code="segments-overlap", where=after.where, says=says)


def _find_holes(told: Sidecar, shown: Sequence[_Shown]) -> Iterator[Ground]:
    """Time of the span without pictures that no gap explains. Where a segment is cut, its neighbours are due."""
    first, last = shown[0], shown[-1]
    cut_before = first.told.fragments[0].index > 1
    cut_after = last.told.fragments[-1].index < last.told.leaves - 1
    holes = [(told.start, first.begins, _SEAM if cut_before else _UNBROKEN)]
    holes += [(before.covers_to, after.covers_from, _UNBROKEN) for before, after in pairwise(shown)]
    holes.append((last.ends, told.end, _SEAM if cut_after else _UNBROKEN))
    islands = _explained(told.gaps)
    for end, start, most in holes:
        if start - end > most and not _lies_in(islands, end, start, most):
            yield Ground(
                finding=Finding.PROVED_IN_PART, code="gap-unexplained", where=_span(end, start),
                says="there is no footage here, and no gap says why",
            )  # fmt: skip


def _explained(gaps: Sequence[ToldGap]) -> list[tuple[datetime, datetime]]:
    """Time that gaps of a known reason cover, joined where they adjoin; one that lasts has no end."""
    islands: list[tuple[datetime, datetime]] = []
    for gap in sorted(gaps, key=lambda one: one.start):
        if gap.reason == "unknown":
            continue
        end = gap.end or _NEVER
        if islands and gap.start - islands[-1][1] <= _UNBROKEN:
            islands[-1] = (islands[-1][0], max(islands[-1][1], end))
        else:
            islands.append((gap.start, end))
    return islands


def _lies_in(islands: list[tuple[datetime, datetime]], end: datetime, start: datetime, most: timedelta) -> bool:
    """Whether one island reaches from the `end` of footage to the `start` of the next, but for `most` at each side."""
    number = bisect_right(islands, end + most, key=lambda one: one[0]) - 1
    return number >= 0 and start - islands[number][1] <= most


def _span(start: datetime, end: datetime) -> str:
    return f"{start.isoformat()} to {end.isoformat()}"
