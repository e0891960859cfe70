"""Check one clip against its proof: every byte of it, and every second of the range.

The clip is a header and the media of fragments, one after the other. What makes
it true, step by step: each seal opens and lies in the log; each fragment (head
from the proof, media from the clip) leads to its seal's root; the header is
made anew from init segments, heads and range and compared byte for byte; the
pictures' own instants lie within the seals and the range; and time of the range
without pictures has a gap that the log knows and that has a reason.
"""

import hashlib
import re
import struct
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, BinaryIO

from svidok.base import Conflict
from svidok.evidence.bundle.entries import open_entry
from svidok.evidence.bundle.faults import Fault
from svidok.evidence.bundle.told import HASH, ID, ToldClip, ToldRange, ToldSegment, instant_us, unhex
from svidok.ledger.cosigning import Note, unbase64
from svidok.ledger.tree import leaf_hash, verify_inclusion
from svidok.media.progressive import Arrangement

SEALED, GAP_CLOSED, GAP_OPENED = "segment.sealed", "gap.closed", "gap.opened"
UNBROKEN_US = 1_000_000  # footage that goes on within a second of its end is unbroken
SEAM_US = 50_000  # between two fragments of one segment: rounding, and the slew of a clock
_BLOCK = 1 << 20


@dataclass(slots=True, kw_only=True)
class _Segment:
    """One segment of the clip: what was told, what its seal says, and its heads read."""

    told: ToldSegment
    where: str
    id: str = ""
    root: bytes = b""
    leaves: int = 0
    start_us: int = 0
    end_us: int = 0
    index: int = -1
    init: bytes = b""
    heads: list[bytes] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)


def check_clip(file: BinaryIO, size: int, *, clip: ToldClip, told: ToldRange, note: Note) -> Iterator[Fault]:
    """What is wrong with the clip `file` of `size` bytes. Raises `ValueError` where its proof is of no known form.

    Codes: malformed, not-in-log, order-changed, fragment-missing, fragment-changed, header-changed, bytes-missing,
    extra-bytes, time-inconsistent, times-overlap, gap-unexplained.
    """
    checker = _Checker(clip, told, note)
    yield from checker.seals()
    header = yield from checker.arrange()
    yield from checker.compare(file, size, header)
    if header is not None:
        yield from checker.times()


class _Checker:
    """The steps over one clip. It yields faults as it finds them."""

    def __init__(self, clip: ToldClip, told: ToldRange, note: Note) -> None:
        self._clip, self._told, self._note = clip, told, note
        self._item = clip.path
        self._start, self._end = instant_us(told.start), instant_us(told.end)
        same = (told.clip, told.channel, told.start, told.end) == (clip.path, clip.channel, clip.start, clip.end)
        if not same or self._end <= self._start or not told.segments:
            raise ValueError("the proof is not of the range that is disclosed")
        self._segments = [_read_segment(number, one) for number, one in enumerate(told.segments)]

    def _fault(self, code: str, where: str, says: str, **place: int | None) -> Fault:
        return Fault(item=self._item, code=code, where=where, says=says, **place)  # type: ignore[arg-type]

    def seals(self) -> Iterator[Fault]:
        """Whether each seal opens, lies in the log, and is of this segment; and whether fragments are whole."""
        seen: set[object] = set()
        for number, one in enumerate(self._segments):
            opened = open_entry(one.told.seal, self._note)
            payload = opened.payload
            one.id, one.index = _text_of(ID, payload.get("segment")), opened.index
            one.where = f"segment {number + 1} ({one.id})"
            one.leaves, one.root = _positive(payload.get("leaves")), bytes.fromhex(_text_of(HASH, payload.get("root")))
            one.start_us, one.end_us = instant_us(payload.get("start")), instant_us(payload.get("end"))
            if not opened.is_good:
                yield self._fault("not-in-log", one.where, opened.says)
            if opened.kind != SEALED or opened.subject != one.id or payload.get("channel") != self._told.channel:
                yield self._fault("not-in-log", one.where, "the entry is not the seal of a segment of this channel")
            if {one.id, opened.index} & seen:
                yield self._fault("order-changed", one.where, "this segment is in the clip twice")
            seen |= {one.id, opened.index}
            yield from self._omissions(number, one)

    def _omissions(self, number: int, one: _Segment) -> Iterator[Fault]:
        have = [fragment.leaf for fragment in one.told.fragments]
        first_due = have[0] if number == 0 and have else 1
        last_due = have[-1] if number == len(self._segments) - 1 and have else one.leaves - 1
        if first_due < 1 or not have or have != list(range(first_due, first_due + len(have))) or have[-1] != last_due:
            says = "fragments are left out, there twice, or in another order"
            yield self._fault("fragment-missing", one.where, says)

    def arrange(self) -> Generator[Fault, None, bytes | None]:
        """The header that belongs to these fragments."""
        arrangement = Arrangement()
        try:
            for one in self._segments:
                arrangement.begin(one.init, one.where)
                for head, fragment in zip(one.heads, one.told.fragments, strict=True):
                    one.times.append(arrangement.add(head, fragment.size))
            return arrangement.header(start_us=self._start, end_us=self._end)
        except (Conflict, struct.error, OverflowError, LookupError, ValueError) as error:
            says = error.message if isinstance(error, Conflict) else str(error)
            yield self._fault("header-changed", "header", f"no header can be made of these fragments: {says}")
            return None

    def compare(self, file: BinaryIO, size: int, header: bytes | None) -> Iterator[Fault]:
        """Whether header and media are those that were sealed, and nothing stands before, between or after them."""
        media = sum(fragment.size for one in self._segments for fragment in one.told.fragments)
        at = len(header) if header is not None else max(0, size - media)
        if header is not None:
            yield from self._compare_header(file, header)
        if size != at + media:
            code, what = ("bytes-missing", "fewer") if size < at + media else ("extra-bytes", "more")
            yield self._fault(code, self._item, f"the file has {size} bytes, {what} than the {at + media} it should")
        file.seek(at)
        shown = 0
        for one in self._segments:
            if not verify_inclusion(
                leaf_hash(one.init), index=0, size=one.leaves, path=unhex(one.told.init_path), root=one.root
            ):
                yield self._fault("header-changed", one.where, "the decoder settings are not those that were sealed")
            for number, fragment in enumerate(one.told.fragments):
                leaf = _hash_leaf(file, one.heads[number], fragment.size)
                start, end = one.times[number] if number < len(one.times) else (None, None)
                if not verify_inclusion(
                    leaf, index=fragment.leaf, size=one.leaves, path=unhex(fragment.path), root=one.root
                ):
                    where = f"{one.where}, fragment {fragment.leaf}, bytes {at} to {at + fragment.size}"
                    yield self._fault(
                        "fragment-changed", where, "these pictures are not the ones that were sealed",
                        start_us=start, end_us=end, second=shown // 1_000_000,
                    )  # fmt: skip
                at += fragment.size
                shown += end - start if start is not None and end is not None else 0

    def _compare_header(self, file: BinaryIO, header: bytes) -> Iterator[Fault]:
        file.seek(0)
        have = _read(file, len(header))
        if have != header:
            first = next((n for n, pair in enumerate(zip(have, header, strict=False)) if pair[0] != pair[1]), len(have))
            yield self._fault("header-changed", f"byte {first}", "the header is not the one that belongs to these")

    def times(self) -> Iterator[Fault]:
        """Whether the pictures are of the range, within their seals, in order, and whether every hole has a reason."""
        for one in self._segments:
            begins, last_begins = one.times[0][0], one.times[-1][0]
            if begins < one.start_us or last_begins > one.end_us:
                yield self._fault("time-inconsistent", one.where, "the pictures' instants lie outside of their seal's")
            if begins >= self._end or last_begins >= self._end or one.times[0][1] <= self._start:
                yield self._fault("time-inconsistent", one.where, "these pictures are not of the range")
        for before, after in pairwise(self._segments):
            if after.start_us < before.start_us:
                yield self._fault("order-changed", after.where, "it was recorded before the one that it follows here")
            elif after.start_us < before.end_us:
                yield self._fault("times-overlap", after.where, "the same time was recorded twice")
        yield from self._holes()

    def _holes(self) -> Iterator[Fault]:
        first, last = self._segments[0], self._segments[-1]
        cut_before = first.told.fragments[0].leaf > 1
        cut_after = last.told.fragments[-1].leaf < last.leaves - 1
        holes = [(self._start, first.times[0][0], SEAM_US if cut_before else UNBROKEN_US)]
        holes += [(before.end_us, after.start_us, UNBROKEN_US) for before, after in pairwise(self._segments)]
        holes.append((last.times[-1][1], self._end, SEAM_US if cut_after else UNBROKEN_US))
        gaps: list[tuple[int, int]] = []
        for told in self._told.gaps:
            opened = open_entry(told, self._note)
            if not opened.is_good or opened.kind not in (GAP_CLOSED, GAP_OPENED):
                yield self._fault("not-in-log", "gap", opened.says or "the entry is not a gap")
            elif opened.kind == GAP_CLOSED and opened.payload.get("channel") == self._told.channel:
                span = instant_us(opened.payload.get("start")), instant_us(opened.payload.get("end"))
                gaps += [span] if opened.payload.get("reason") != "unknown" else []
        islands = _join(gaps)
        for start, end, most in holes:
            if end - start > most and not _lies_in(islands, start, end, most):
                yield self._fault(
                    "gap-unexplained",
                    "range",
                    "there is no footage here, and no gap that has ended says why",
                    start_us=start,
                    end_us=end,
                )


def _read_segment(number: int, told: ToldSegment) -> _Segment:
    if not told.fragments:
        raise ValueError("a segment holds no fragment")
    return _Segment(
        told=told, where=f"segment {number + 1}", init=unbase64(told.init),
        heads=[unbase64(fragment.head) for fragment in told.fragments],
    )  # fmt: skip


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 32:
        raise ValueError("a seal does not say how many leaves it has")
    return value


def _text_of(form: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError("what a seal says has another form")
    return value


def _hash_leaf(file: BinaryIO, head: bytes, size: int) -> bytes:
    leaf = hashlib.sha256(b"\x00" + head)
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        leaf.update(block)
        size -= len(block)
    return leaf.digest()


def _read(file: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0 and (block := file.read(size)):
        parts.append(block)
        size -= len(block)
    return b"".join(parts)


def _join(gaps: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gaps joined where they adjoin."""
    islands: list[tuple[int, int]] = []
    for start, end in sorted(gaps):
        if islands and start - islands[-1][1] <= UNBROKEN_US:
            islands[-1] = (islands[-1][0], max(islands[-1][1], end))
        else:
            islands.append((start, end))
    return islands


def _lies_in(islands: list[tuple[int, int]], start: int, end: int, most: int) -> bool:
    """Whether one island reaches from `start` to `end`, but for `most` at each side."""
    number = bisect_right(islands, start + most, key=lambda one: one[0]) - 1
    return number >= 0 and end - islands[number][1] <= most
