"""Answer what an investigator asks of plates: which plates fit, which reads there are, and how complete that is.

A search runs in two steps. The dictionary (in memory) or an index of the
distinct plates says which plates may be meant; then only their reads are
looked up, by plate and time, from the latest day back until there are enough. Nothing here asks for leave: the door
and `limits` did that before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from svidok.base import BadInput, Span
from svidok.db import Transaction
from svidok.plates.dictionary import Dictionary, Known, seconds
from svidok.plates.model import Direction, Read, read_of
from svidok.plates.patterns import Asked, distance, one_edit
from svidok.plates.store import SQL
from svidok.plates.stretches import latest
from svidok.vision.plate_text import likeness

MAX_PAGE = 200
MAX_PLATES = 1000  # plates whose reads one answer looks up; the answer says when more fit
_SHOWN_PLATES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What else narrows a search. `cameras` empty means: nowhere; unset: everywhere."""

    span: Span
    cameras: tuple[UUID, ...] | None = None
    direction: Direction | None = None
    country: str | None = None
    least_confidence: float = 0.0

    @property
    def only_time(self) -> bool:
        """Whether nothing but the time narrows."""
        narrows = (self.cameras, self.direction, self.country)
        return all(one is None for one in narrows) and self.least_confidence <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in the order of reads, latest first; stable while new reads come."""

    taken_at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Out of `str(cursor)`; raises `BadInput`."""
        at, _, read_id = text.partition("~")
        try:
            cursor = cls(taken_at=datetime.fromisoformat(at), id=UUID(read_id))
        except ValueError as error:
            raise BadInput("cursor-form", "The cursor does not come from us.") from error
        if cursor.taken_at.tzinfo is None:
            raise BadInput("cursor-form", "The cursor does not come from us.")
        return cursor

    def __str__(self) -> str:
        return f"{self.taken_at.isoformat()}~{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plate that may be meant, and how probable it is that what was asked is read as this."""

    plate: str
    probability: float
    last_s: int
    reads: int
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Reads, latest first; the plates they may be of; how many plates fit, and whether all of them were looked up."""

    reads: list[Read]
    after: Cursor | None
    candidates: list[Candidate] = field(default_factory=list)
    plates_fitting: int = 0
    plates_looked_up: int = 0


def search(
    tx: Transaction,
    dictionary: Dictionary,
    asked: Asked,
    where: Where,
    *,
    cursor: Cursor | None = None,
    limit: int = 50,
) -> Page:
    """A page of reads of the plates that `asked` may mean."""
    limit = max(1, min(limit, MAX_PAGE))
    fitting, candidates = find_plates(tx, dictionary, asked)
    likely = candidates
    if cursor is None and where.only_time and seconds(where.span.end) >= max((c.last_s for c in candidates), default=0):
        # The newest `limit` reads can only be of the `limit` plates seen last, and of those seen in the same second.
        newest = sorted((one.last_s for one in candidates), reverse=True)[:limit]
        likely = [one for one in candidates if one.last_s >= newest[-1]] if newest else []
    reads = _reads(tx, SQL["reads_of_plates"], where, cursor, limit, plates=[one.id for one in likely])
    after = Cursor(taken_at=reads[-1].taken_at, id=reads[-1].id) if len(reads) == limit else None
    return Page(
        reads=reads, after=after, candidates=candidates[:_SHOWN_PLATES], plates_fitting=fitting,
        plates_looked_up=len(candidates),
    )  # fmt: skip


def passing(tx: Transaction, where: Where, *, cursor: Cursor | None = None, limit: int = 50) -> Page:
    """A page of all reads at the cameras of `where`. Raises `BadInput` where no camera is named."""
    if not where.cameras:
        raise BadInput("cameras-needed", "Name a camera or an area: all reads of everywhere are no question.")
    limit = max(1, min(limit, MAX_PAGE))
    reads = _reads(tx, SQL["reads_at_cameras"], where, cursor, limit)
    after = Cursor(taken_at=reads[-1].taken_at, id=reads[-1].id) if len(reads) == limit else None
    return Page(reads=reads, after=after)


def find_plates(tx: Transaction, dictionary: Dictionary, asked: Asked) -> tuple[int, list[Candidate]]:
    """How many plates fit, and those of them that are looked up: best first, at most `MAX_PLATES`."""
    if asked.pattern is not None:
        fitting, known = dictionary.find(asked.pattern, most=MAX_PLATES)
        return fitting, [_candidate(one, 1.0) for one in known]
    plate = asked.plate or ""
    if asked.edits == 2:
        fitting, known = dictionary.near(
            plate, edits=2, fits=lambda text: distance(plate, text, most=2) <= 2, most=MAX_PLATES
        )
        exact = [] if any(one.text == plate for one in known) else _by_text(tx, dictionary, [plate])
        return fitting + len(exact), _ranked(plate, [*known, *exact])
    texts = list(dict.fromkeys(one_edit(plate))) if asked.edits else [plate]
    found = _by_text(tx, dictionary, texts)
    return len(found), _ranked(plate, found)


def _by_text(tx: Transaction, dictionary: Dictionary, texts: Sequence[str]) -> list[Known]:
    """Plates by their texts, exactly, also those that the dictionary does not know yet."""
    return [
        dictionary.known(row["id"]) or Known(id=row["id"], text=row["text"], last_s=0, reads=0)
        for row in tx.all(SQL["plate_ids"], texts=texts)
    ]


def _ranked(plate: str, found: list[Known]) -> list[Candidate]:
    candidates = [_candidate(one, likeness(plate, one.text)) for one in found]
    return sorted(candidates, key=lambda one: (-one.probability, -one.last_s))[:MAX_PLATES]


def _candidate(known: Known, probability: float) -> Candidate:
    return Candidate(
        plate=known.text, probability=probability, last_s=known.last_s, reads=known.reads, id=known.id
    )  # fmt: skip


def _reads(
    tx: Transaction, query: str, where: Where, cursor: Cursor | None, limit: int, plates: Sequence[int] | None = None
) -> list[Read]:
    end = where.span.end if cursor is None else min(where.span.end, cursor.taken_at + timedelta(microseconds=1))
    if end <= where.span.start:
        return []
    asked: dict[str, object] = {
        "cameras": None if where.cameras is None else list(where.cameras), "country": where.country,
        "direction": str(where.direction) if where.direction else None, "confidence": where.least_confidence,
        "before": cursor.taken_at if cursor else None, "before_id": cursor.id if cursor else None,
    }  # fmt: skip
    if plates is not None:
        asked["plates"] = list(plates)
    if plates is not None and len(plates) == 1:  # a look into each day, latest first, is cheaper than asking often
        rows = tx.all_planned_once(query, start=where.span.start, end=end, limit=limit, **asked)
    else:
        rows = latest(tx, query, Span(where.span.start, end), limit=limit, **asked)
    return [read_of(row) for row in rows]
