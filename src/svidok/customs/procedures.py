"""Find procedures, and read one with all its versions."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.base import BadInput
from svidok.customs.checkpoints import SQL
from svidok.customs.contract import parse
from svidok.customs.model import Procedure, normal_plate
from svidok.db import Row, Transaction

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for; what is not given does not matter."""

    start: datetime
    end: datetime
    checkpoint_id: UUID | None = None
    lane_id: UUID | None = None
    kind: str | None = None
    plate: str | None = None
    declaration: str | None = None
    number: str | None = None
    lacking: bool = False  # only those of which something is missing
    irregular: bool = False


def find(tx: Transaction, asked: Asked, *, cursor: str | None = None, limit: int = 50) -> tuple[list[Row], str | None]:
    """Procedures that began in the span, the latest first; and the cursor of the next page, if there is one."""
    before_at, before_id = _cursor(cursor)
    limit = max(1, min(limit, MOST))
    rows = tx.all(
        SQL["find_procedures"], start=asked.start, end=asked.end, checkpoint_id=asked.checkpoint_id,
        lane_id=asked.lane_id, kind=asked.kind or None, plate=normal_plate(asked.plate) if asked.plate else None,
        declaration=asked.declaration or None, number=asked.number or None, lacking=asked.lacking,
        irregular=asked.irregular, before_at=before_at, before_id=before_id, most=limit + 1,
    )  # fmt: skip
    more = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], f"{more['start_at'].isoformat()}/{more['id']}" if more else None


def _cursor(text: str | None) -> tuple[datetime | None, UUID | None]:
    if not text:
        return None, None
    at, _, last = text.partition("/")
    try:
        return datetime.fromisoformat(at), UUID(last)
    except ValueError as error:
        raise BadInput("cursor-form", "Use the cursor as it was given.") from error


def one(tx: Transaction, procedure_id: UUID) -> Row:
    """One procedure with the codes and names of its place; `NotFound` where there is none."""
    return tx.one(SQL["procedure_by_id"], id=procedure_id)


def versions(tx: Transaction, procedure_id: UUID) -> list[Row]:
    """What it was before it was corrected, the latest first."""
    return tx.all(SQL["versions"], id=procedure_id)


def procedure_of(row: Row) -> Procedure:
    """The frozen value of a row as `one` reads it."""
    told: dict[str, Any] = {
        "number": row["number"], "checkpoint": row["checkpoint"], "lane": row["lane"], "kind": row["kind"],
        "direction": row["direction"], "declaration": row["declaration"], "plate": row["plate"],
        "officers": row["officers"], "queued_at": _text(row["queued_at"]), "started_at": _text(row["start_at"]),
        "ended_at": _text(row["end_at"]), "outcome": row["outcome"], "scan_due": row["scan_due"],
        "steps": _read(row["steps"]), "irregularities": _read(row["irregularities"]),
    }  # fmt: skip
    return Procedure(
        id=row["id"], version=row["version"], checkpoint_id=row["checkpoint_id"], lane_id=row["lane_id"],
        told=parse(told),
    )  # fmt: skip


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
