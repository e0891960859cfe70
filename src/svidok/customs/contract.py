"""The contract by which a customs system tells of procedures: one object as JSON, or one line of CSV.

Strict about what would be believed later (instants with a zone, an end after
its beginning, words of the contract), lenient about form (headers in any
order, `;` or `,`). What cannot be taken is a `ValueError` with a sentence that
names the field. `procedure.schema.json` states the same for other tools.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from typing import Any, TypeVar

from svidok.customs.model import (
    Cause,
    Condition,
    Direction,
    Irregularity,
    Kind,
    Outcome,
    ProcedureIn,
    Step,
    StepKind,
    normal_plate,
)
from svidok.ledger import JSON
from svidok.ledger.entry import instant_text

MOST_ROWS = 10_000
_MOST_OFFICERS = 12
_MOST_STEPS = 60
_FIELDS = (
    "number", "checkpoint", "lane", "kind", "direction", "declaration", "plate", "officers", "queued_at", "started_at",
    "ended_at", "outcome", "scan_due", "steps", "irregularities",
)  # fmt: skip
Told = TypeVar("Told", bound=StrEnum)


def schema() -> dict[str, Any]:
    """The JSON Schema of one procedure."""
    text = resources.files(__package__).joinpath("procedure.schema.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def parse(raw: object) -> ProcedureIn:
    """One procedure out of one object. Raises `ValueError` with what is wrong."""
    if not isinstance(raw, dict):
        raise ValueError("a procedure is an object")
    unknown = sorted(set(raw) - set(_FIELDS))
    if unknown:
        raise ValueError(f"the contract has no field {unknown[0]!r}")
    start, end = _instant(raw, "started_at"), _instant_or_none(raw, "ended_at")
    queued = _instant_or_none(raw, "queued_at")
    if start is None:
        raise ValueError("started_at is missing")
    if end is not None and end < start:
        raise ValueError("ended_at lies before started_at")
    if queued is not None and queued > start:
        raise ValueError("queued_at lies after started_at")
    outcome = raw.get("outcome") or None
    if (outcome is None) != (end is None):
        raise ValueError("outcome and ended_at come together")
    plate = _text_or_none(raw, "plate", 20)
    return ProcedureIn(
        number=_text(raw, "number", 64), checkpoint=_text(raw, "checkpoint", 32), lane=_text(raw, "lane", 32),
        kind=_word(Kind, raw.get("kind"), "kind"), direction=_word(Direction, raw.get("direction"), "direction"),
        declaration=_text_or_none(raw, "declaration", 64), plate=normal_plate(plate) if plate else None,
        officers=_officers(raw.get("officers")), queued_at=queued, start_at=start, end_at=end,
        outcome=_word(Outcome, outcome, "outcome") if outcome else None, scan_due=_flag(raw.get("scan_due", False)),
        steps=_steps(raw.get("steps") or []), irregularities=_irregularities(raw.get("irregularities") or []),
    )  # fmt: skip


def body_of(one: ProcedureIn) -> dict[str, JSON]:
    """A procedure as the contract writes it: what its digest is made over."""
    return {
        "number": one.number, "checkpoint": one.checkpoint, "lane": one.lane, "kind": str(one.kind),
        "direction": str(one.direction), "declaration": one.declaration, "plate": one.plate,
        "officers": list(one.officers), "queued_at": _text_of(one.queued_at), "started_at": _text_of(one.start_at),
        "ended_at": _text_of(one.end_at), "outcome": str(one.outcome) if one.outcome else None,
        "scan_due": one.scan_due, "steps": [_step_body(step) for step in one.steps],
        "irregularities": [_irregularity_body(found) for found in one.irregularities],
    }  # fmt: skip


def _step_body(step: Step) -> JSON:
    return {"kind": str(step.kind), "started_at": _text_of(step.start_at), "ended_at": _text_of(step.end_at)}


def _irregularity_body(found: Irregularity) -> JSON:
    return {"cause": str(found.cause), "condition": str(found.condition)}


def rows_of_csv(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Each line as (line number, object) or (line number, what is wrong). Raises `ValueError` for a wrong header.

    Lists stand in one cell, parted by `|`: officers; steps as `kind@start/end`; irregularities as `cause/condition`.
    """
    text = text.lstrip("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=first.count))
    header = [name.strip().lower() for name in next(reader, [])]
    missing = {"number", "checkpoint", "lane", "kind", "direction", "started_at"} - set(header)
    if missing:
        raise ValueError(f"the first line must name these columns: {', '.join(sorted(missing))}")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not readable as CSV: {error}"
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield reader.line_num, f"{len(cells)} cells instead of {len(header)}"
            continue
        yield reader.line_num, _object_of(dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def _object_of(cells: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {name: cell or None for name, cell in cells.items()}
    told["officers"] = [part.strip() for part in cells.get("officers", "").split("|") if part.strip()]
    told["scan_due"] = cells.get("scan_due", "").lower() in ("1", "true", "yes", "так")
    told["steps"] = [_step_of(part) for part in cells.get("steps", "").split("|") if part]
    pairs = [part.partition("/") for part in cells.get("irregularities", "").split("|") if part]
    told["irregularities"] = [{"cause": cause, "condition": condition} for cause, _, condition in pairs]
    return told


def _step_of(part: str) -> dict[str, Any]:
    kind, _, times = part.partition("@")
    start, _, end = times.partition("/")
    return {"kind": kind, "started_at": start, "ended_at": end or None}


def _steps(raw: object) -> tuple[Step, ...]:
    if not isinstance(raw, list) or len(raw) > _MOST_STEPS:
        raise ValueError(f"steps is a list of at most {_MOST_STEPS}")
    steps = []
    for one in raw:
        if not isinstance(one, dict):
            raise ValueError("a step is an object")
        start, end = _instant(one, "started_at"), _instant_or_none(one, "ended_at")
        if end is not None and end < start:
            raise ValueError("a step ends before it starts")
        steps.append(Step(kind=_word(StepKind, one.get("kind"), "a step's kind"), start_at=start, end_at=end))
    return tuple(sorted(steps, key=lambda step: step.start_at))


def _irregularities(raw: object) -> tuple[Irregularity, ...]:
    if not isinstance(raw, list) or len(raw) > _MOST_STEPS:
        raise ValueError(f"irregularities is a list of at most {_MOST_STEPS}")
    found = []
    for one in raw:
        if not isinstance(one, dict):
            raise ValueError("an irregularity is an object")
        cause, condition = one.get("cause"), one.get("condition") or "unknown"
        found.append(
            Irregularity(cause=_word(Cause, cause, "cause"), condition=_word(Condition, condition, "condition"))
        )
    return tuple(found)


def _officers(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= _MOST_OFFICERS:
        raise ValueError(f"officers is a list of 1 to {_MOST_OFFICERS} badge numbers")
    if not all(isinstance(one, str) and 1 <= len(one.strip()) <= 32 for one in raw):
        raise ValueError("a badge number is text of 1 to 32 characters")
    return tuple(sorted({one.strip() for one in raw}))


def _word(kind: type[Told], given: object, what: str) -> Told:
    try:
        return kind(str(given or "").strip().lower())
    except ValueError as error:
        raise ValueError(f"{what} {given!r} is not one of {', '.join(kind)}") from error


def _flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("scan_due is true or false")
    return given


def _text(raw: dict[str, Any], name: str, most: int) -> str:
    given = raw.get(name)
    if not isinstance(given, str) or not 1 <= len(given.strip()) <= most or "\x00" in given:
        raise ValueError(f"{name} is text of 1 to {most} characters")
    return given.strip()


def _text_or_none(raw: dict[str, Any], name: str, most: int) -> str | None:
    return _text(raw, name, most) if raw.get(name) else None


def _instant(raw: dict[str, Any], name: str) -> datetime:
    given = raw.get(name)
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError as error:
        raise ValueError(f"{name} {given!r} is not an instant; write 2026-11-25T10:00:00+02:00") from error
    if at.tzinfo is None:
        raise ValueError(f"{name} names no zone; write 2026-11-25T10:00:00+02:00")
    return at.astimezone(UTC)


def _instant_or_none(raw: dict[str, Any], name: str) -> datetime | None:
    return _instant(raw, name) if raw.get(name) else None


def _text_of(at: datetime | None) -> str | None:
    return instant_text(at) if at else None
