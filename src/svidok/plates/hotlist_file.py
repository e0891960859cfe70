"""Hotlists as CSV: read whatever a spreadsheet writes, name each bad row, and write the same form back. Pure.

Columns by name, in any order: `plate`, `reason`, `priority` (high, normal or
low; normal where left out), `expires` (a date or an instant; a date is the end
of that day), `instructions`. The separator is a comma, a semicolon or a tab; a
mark of byte order at the beginning is understood.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from svidok.base import BadInput
from svidok.plates.patterns import Asked, Pattern, parse

COLUMNS = ("plate", "reason", "priority", "expires", "instructions")
PRIORITIES = ("high", "normal", "low")
MOST_ROWS = 500_000
LONGEST = timedelta(days=366)
_FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would execute


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can be entered. `plate` in normal form, with `?` and `*` where it is a pattern."""

    plate: str
    is_pattern: bool
    reason: str
    expires_at: datetime
    priority: str = "normal"
    instructions: str = ""


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a file came to: good rows, bad ones by line and reason, and how many rows name a plate twice."""

    entries: list[Entry]
    bad: list[tuple[int, str]]
    doubles: int


def entry_of(
    *, plate: str, reason: str, expires_at: datetime, at: datetime, priority: str = "normal", instructions: str = ""
) -> Entry:
    """One entry, checked. Raises `BadInput` with what to do."""
    text, is_pattern = plate_or_pattern(plate)
    if len(reason.strip()) < 3:
        raise BadInput("entry-reason", "Say why this plate is looked for.")
    if priority not in PRIORITIES:
        raise BadInput("entry-priority", "The priority is high, normal or low.")
    if not at < expires_at <= at + LONGEST:
        raise BadInput("entry-expires", f"An entry ends within {LONGEST.days} days. Look at it again then.")
    if len(reason) > 500 or len(instructions) > 2000:
        raise BadInput("entry-long", "A reason has at most 500 characters, instructions 2,000.")
    return Entry(
        plate=text, is_pattern=is_pattern, reason=reason.strip(), priority=priority, expires_at=expires_at,
        instructions=instructions.strip(),
    )  # fmt: skip


def plate_or_pattern(typed: str) -> tuple[str, bool]:
    """The normal form of what is looked for, and whether it is a pattern."""
    asked: Asked = parse(typed)
    if asked.edits:
        raise BadInput("entry-near", "A hotlist takes plates and patterns, not errors of reading (~).")
    if asked.plate is not None:
        if len(asked.plate) < 3:
            raise BadInput("pattern-wide", "Name at least 3 characters of the plate.")
        return asked.plate, False
    return written(asked.pattern), True


def written(pattern: Pattern | None) -> str:
    """A pattern as it is typed."""
    if pattern is None:
        return ""
    return pattern.head if pattern.whole else "*".join([pattern.head, *pattern.middle, pattern.tail])


def read(data: bytes, *, at: datetime) -> FileRead:
    """Read a file. Raises `BadInput` where it is none, or lacks a column."""
    text = _text(data)
    first, _, _ = text.partition("\n")
    rows = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    rows.fieldnames = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in ("plate", "reason", "expires") if name not in rows.fieldnames]
    if missing:
        raise BadInput("csv-columns", f"The first line names the columns; missing: {', '.join(missing)}.")
    found: dict[str, Entry] = {}
    bad: list[tuple[int, str]] = []
    doubles = 0
    try:
        for number, row in enumerate(rows, 2):
            if number > MOST_ROWS:
                raise BadInput("csv-long", f"A file has at most {MOST_ROWS} rows. Send it in parts.")
            if not any(value for value in row.values() if isinstance(value, str) and value.strip()):
                continue
            entry = _entry(row, at)
            if isinstance(entry, str):
                bad.append((number, entry))
            elif entry.plate in found:
                doubles += 1
            else:
                found[entry.plate] = entry
    except csv.Error as error:
        raise BadInput("csv-form", f"The file is no CSV: {error}.") from error
    return FileRead(entries=list(found.values()), bad=bad, doubles=doubles)


def write(entries: Iterable[Entry]) -> str:
    """Entries as a file that `read` takes back; nothing in it is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in entries:
        cells = (one.plate, one.reason, one.priority, one.expires_at.astimezone(UTC).isoformat(), one.instructions)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return "\ufeff" + out.getvalue()


def _entry(row: dict[str, str | None], at: datetime) -> Entry | str:
    told = {name: (row.get(name) or "").strip().removeprefix("'") for name in COLUMNS}
    expires_at = _expiry(told["expires"])
    if expires_at is None:
        return "expires is no date (write 2026-12-31)"
    try:
        return entry_of(
            plate=told["plate"], reason=told["reason"], priority=told["priority"].lower() or "normal",
            expires_at=expires_at, instructions=told["instructions"], at=at,
        )  # fmt: skip
    except BadInput as error:
        return error.message


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput("csv-encoding", "The file is neither UTF-8 nor Windows-1251. Save it as UTF-8.")


def _expiry(text: str) -> datetime | None:
    dotted = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    if dotted:
        text = f"{dotted[3]}-{int(dotted[2]):02d}-{int(dotted[1]):02d}"
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
