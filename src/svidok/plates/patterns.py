"""What somebody may type into the one field for plates, and what fits it. Pure.

    AA1234BB        this plate
    AA??34??        `?` stands for one place
    *477*           `*` stands for any number of places, none too
    AA1234BB~       this plate and what a camera may have taken it for: one error (`~~` two)

Blanks, hyphens and letters of another alphabet that look the same are
understood (`vision.plate_text`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from svidok.base import BadInput
from svidok.plates.model import MAX_PLATE
from svidok.vision.plate_text import normal

ANY = "?"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LEAST_KNOWN = 2  # a pattern that names fewer places describes half the country
_LEAST_KNOWN_NEAR = 4
MAX_EDITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern cut at its stars: what begins a plate, what lies within in this order, what ends it.

    Without a star it is `whole`, and only `head` is set.
    """

    head: str
    middle: tuple[str, ...] = ()
    tail: str = ""
    whole: bool = True

    @property
    def least(self) -> int:
        """The shortest plate that can fit."""
        return len(self.head) + sum(map(len, self.middle)) + len(self.tail)

    def fits(self, text: str) -> bool:
        """Whether a plate fits."""
        return re.fullmatch(self._expression(), text) is not None

    def _expression(self) -> str:
        parts = [self.head] if self.whole else [self.head, *self.middle, self.tail]
        return ".*".join("".join("." if char == ANY else re.escape(char) for char in part) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed: a whole plate with so many `edits` allowed, or a pattern."""

    plate: str | None = None
    edits: int = 0
    pattern: Pattern | None = None


def parse(typed: str) -> Asked:
    """Understand what was typed. Raises `BadInput` with what to do.

    >>> parse("аа 12-34 вв").plate
    'AA1234BB'
    >>> parse("*477*").pattern.middle
    ('477',)
    """
    text = typed.strip()
    edits = len(text) - len(text.rstrip("~"))
    text = text.rstrip("~")
    parts = [_piece(part) for part in re.split(r"\*+", text)]
    known = sum(char != ANY for part in parts for char in part)
    if len(parts) == 1 and ANY not in parts[0]:
        return _whole(parts[0], edits)
    if edits:
        raise BadInput("pattern-near", "Use either ~ or the signs ? and *, not both.")
    if known < _LEAST_KNOWN:
        raise BadInput("pattern-wide", f"Name at least {_LEAST_KNOWN} characters of the plate.")
    if sum(map(len, parts)) > MAX_PLATE:
        raise BadInput("plate-long", f"A plate has at most {MAX_PLATE} characters.")
    if len(parts) == 1:
        return Asked(pattern=Pattern(head=parts[0]))
    middle = tuple(part for part in parts[1:-1] if part)
    return Asked(pattern=Pattern(head=parts[0], middle=middle, tail=parts[-1], whole=False))


def means(typed: str, plate: str) -> bool:
    """Whether what was typed may mean this plate.

    >>> means("AA??34??", "AA1234BB"), means("AA1234B8~", "AA1234BB"), means("AA1234BB", "AA1234BC")
    (True, True, False)
    """
    asked = parse(typed)
    if asked.pattern is not None:
        return asked.pattern.fits(plate)
    return distance(asked.plate or "", plate, most=asked.edits) <= asked.edits


def _whole(plate: str, edits: int) -> Asked:
    if not plate:
        raise BadInput("plate-empty", "Type a plate, or a part of it with ? and *.")
    if len(plate) > MAX_PLATE:
        raise BadInput("plate-long", f"A plate has at most {MAX_PLATE} characters.")
    if edits > MAX_EDITS:
        raise BadInput("plate-edits", f"At most {MAX_EDITS} errors of reading can be allowed for.")
    if edits and len(plate) < _LEAST_KNOWN_NEAR:
        raise BadInput("pattern-wide", f"Name at least {_LEAST_KNOWN_NEAR} characters to allow for errors of reading.")
    return Asked(plate=plate, edits=edits)


def _piece(part: str) -> str:
    return ANY.join(normal(piece) for piece in part.split(ANY))


def one_edit(plate: str) -> Iterator[str]:
    """Every text that one error of reading away: a character taken for another, left out, or put in. Itself first.

    A plate of 8 characters has 280 + 8 + 324 of them; an index finds all in a millisecond.
    """
    yield plate
    for at, char in enumerate(plate):
        yield from (plate[:at] + other + plate[at + 1 :] for other in _ALPHABET if other != char)
    yield from (plate[:at] + plate[at + 1 :] for at in range(len(plate)))
    yield from (plate[:at] + other + plate[at:] for at in range(len(plate) + 1) for other in _ALPHABET)


def distance(one: str, other: str, *, most: int) -> int:
    """How many errors of reading lie between two plates (Levenshtein); `most` + 1 where it is more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before = list(range(len(other) + 1))
    for row, char in enumerate(one, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (char != against)))
        if min(now) > most:
            return most + 1
        before = now
    return min(before[-1], most + 1)
