"""The distinct plates in memory: patterns and errors of reading without a scan of the reads.

One column of bytes for each place in a plate, so that a pattern is a few
passes over contiguous memory in blocks that stay in the processor's cache.
Beside them, when each plate was last seen and how often. 10 million plates take
about 240 MB. What is here may lag behind the rows by a second; what is looked
up afterwards is exact.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from svidok.base.time import EPOCH
from svidok.plates.patterns import ANY, Pattern

WIDTH = 12  # places that have a column; longer plates are rare, and are held aside as text
_BLOCK = 1 << 18
_FIRST_ROOM = 1 << 16

Ids = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A plate that fits: its id in the database, its text, when it was last seen, and how often it was read."""

    id: int
    text: str
    last_s: int
    reads: int


class Dictionary:
    """Plates by their number in the database. One writer at a time; readers need no lock."""

    def __init__(self) -> None:
        self._columns = np.zeros((WIDTH, _FIRST_ROOM), np.uint8)
        self._lengths = np.zeros(_FIRST_ROOM, np.uint8)
        self._last_s = np.zeros(_FIRST_ROOM, np.uint32)
        self._reads = np.zeros(_FIRST_ROOM, np.uint32)
        self._odd: dict[int, str] = {}  # plates longer than WIDTH, or with letters beyond Latin
        self._lock = threading.Lock()
        self.size = 0  # ids below it are known

    def add(self, plates: Iterable[tuple[int, str, int, int]]) -> None:
        """Take in plates as (id, text, last seen in seconds since 1970, reads)."""
        with self._lock:
            for number, text, last_s, reads in plates:
                self._make_room(number)
                self._put(number, text)
                self._last_s[number] = max(last_s, self._last_s[number])
                self._reads[number] += reads
                self.size = max(self.size, number + 1)

    def seen(self, plates: Iterable[tuple[int, int, int]]) -> None:
        """Plates were read: (id, when in seconds since 1970, how often). Unknown ones are left to `add`."""
        with self._lock:
            for number, last_s, reads in plates:
                if number < self.size:
                    self._last_s[number] = max(last_s, self._last_s[number])
                    self._reads[number] += reads

    def find(self, pattern: Pattern, *, most: int) -> tuple[int, list[Known]]:
        """How many plates fit `pattern`, and the `most` of them that were seen last, latest first."""
        return self._latest(self._scan(lambda start, stop: self._fitting(pattern, start, stop), pattern.fits), most)

    def near(self, text: str, *, edits: int, fits: Callable[[str], bool], most: int) -> tuple[int, list[Known]]:
        """Plates that `fits` accepts among those that share an unbroken piece with `text`.

        With `edits` errors a text of `edits` + 1 pieces keeps one of them unharmed, moved by at most
        `edits` places (the pigeonhole filter of approximate matching); only those are asked.
        """
        pieces = list(_pieces(text, edits + 1))

        def sharing(start: int, stop: int) -> Mask:
            lengths = self._lengths[start:stop]
            close = (lengths >= len(text) - edits) & (lengths <= len(text) + edits)
            shares = np.zeros(stop - start, np.bool_)
            for offset, piece in pieces:
                for shift in range(-edits, edits + 1):
                    shares |= self._at(piece, offset + shift, start, stop)
            return close & shares

        found = self._scan(sharing, fits)
        good = [number for number in found.tolist() if fits(self.text(number))]
        return self._latest(np.array(good, np.int32), most)

    def known(self, number: int) -> Known | None:
        """What is known of the plate with this id; nothing where it is too new."""
        if number >= self.size or (not self._lengths[number] and number not in self._odd):
            return None
        return self._known(number)

    def text(self, number: int) -> str:
        """The plate with this id."""
        odd = self._odd.get(number)
        if odd is not None:
            return odd
        return bytes(self._columns[: self._lengths[number], number]).decode("ascii")

    def _scan(self, mask: Callable[[int, int], Mask], fits: Callable[[str], bool]) -> Ids:
        """Ids whose block `mask` marks, and the odd ones that `fits` accepts."""
        found = [
            np.flatnonzero(mask(start, min(start + _BLOCK, self.size))).astype(np.int32) + np.int32(start)
            for start in range(0, self.size, _BLOCK)
        ]
        odd = np.array([number for number, text in list(self._odd.items()) if fits(text)], np.int32)
        return np.concatenate([*found, odd]) if found else odd

    def _fitting(self, pattern: Pattern, start: int, stop: int) -> Mask:
        lengths = self._lengths[start:stop]
        head, middle, tail = pattern.head, pattern.middle, pattern.tail
        if pattern.whole:
            whole: Mask = (lengths == len(head)) & self._at(head, 0, start, stop)
            return whole
        fits = (lengths >= pattern.least) & self._at(head, 0, start, stop)
        for piece in middle:
            anywhere = np.zeros(stop - start, np.bool_)
            for offset in range(len(head), WIDTH - len(piece) - len(tail) + 1):
                anywhere |= self._at(piece, offset, start, stop) & (lengths >= offset + len(piece) + len(tail))
            fits &= anywhere
        if tail:
            ends = np.zeros(stop - start, np.bool_)
            for length in range(max(pattern.least, len(tail)), WIDTH + 1):
                ends |= (lengths == length) & self._at(tail, length - len(tail), start, stop)
            fits &= ends
        if len(middle) > 1:  # their order was not looked at
            for number in np.flatnonzero(fits):
                fits[number] = pattern.fits(self.text(start + int(number)))
        return fits

    def _at(self, piece: str, offset: int, start: int, stop: int) -> Mask:
        """Which plates have `piece` at `offset`."""
        if offset < 0 or offset + len(piece) > WIDTH:
            return np.zeros(stop - start, np.bool_)
        marks = np.ones(stop - start, np.bool_)
        for place, char in enumerate(piece, offset):
            if char != ANY:
                marks &= self._columns[place, start:stop] == ord(char)
        return marks

    def _latest(self, found: Ids, most: int) -> tuple[int, list[Known]]:
        ages = self._last_s[found]
        if len(found) > most:
            best = np.argpartition(ages, len(found) - most)[len(found) - most :]
        else:
            best = np.arange(len(found))
        ordered = found[best[np.argsort(ages[best], kind="stable")[::-1]]]
        return len(found), [self._known(number) for number in ordered.tolist()]

    def _known(self, number: int) -> Known:
        return Known(
            id=number, text=self.text(number), last_s=int(self._last_s[number]), reads=int(self._reads[number])
        )

    def _put(self, number: int, text: str) -> None:
        if len(text) > WIDTH or not text.isascii():
            self._odd[number] = text
            return
        self._columns[: len(text), number] = np.frombuffer(text.encode(), np.uint8)
        self._lengths[number] = len(text)

    def _make_room(self, number: int) -> None:
        room = len(self._lengths)
        if number < room:
            return
        more = max(number + 1, room + room // 2)
        columns = np.zeros((WIDTH, more), np.uint8)
        columns[:, :room] = self._columns
        self._columns = columns
        self._lengths = np.concatenate([self._lengths, np.zeros(more - room, np.uint8)])
        self._last_s = np.concatenate([self._last_s, np.zeros(more - room, np.uint32)])
        self._reads = np.concatenate([self._reads, np.zeros(more - room, np.uint32)])


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970."""
    return int((instant - EPOCH).total_seconds())


def _pieces(text: str, count: int) -> Sequence[tuple[int, str]]:
    """`text` in `count` pieces that follow each other, with their offsets."""
    size, extra = divmod(len(text), count)
    pieces, at = [], 0
    for number in range(count):
        length = size + (number < extra)
        if length:
            pieces.append((at, text[at : at + length]))
        at += length
    return pieces
