"""Take what a customs system tells of its procedures: once, whatever came twice; corrections as new versions.

A row that was told before (now or in an earlier version) changes nothing. One
with other content becomes the next version, and what stood before is kept. A
row that cannot be taken is kept as it came, with its line and the reason. Each
delivery is one statement in the ledger over the digests of what it brought.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from svidok.base import BadInput, new_id
from svidok.customs.checkpoints import SQL, Source
from svidok.customs.contract import MOST_ROWS, body_of, parse, rows_of_csv
from svidok.customs.model import KYIV, ProcedureIn
from svidok.db import Row, Transaction
from svidok.ledger import canonical, enter

DELIVERED = "customs.delivered"
_BODY_KEPT = 8000
_COLUMNS = (
    "id", "source_id", "number", "version", "digest", "checkpoint_id", "lane_id", "kind", "direction", "declaration",
    "plate", "officers", "queued_at", "start_at", "end_at", "outcome", "scan_due", "steps", "irregularities",
    "delivery_id", "received_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that could not be taken: where it stood, its number as far as it can be told, why, and itself."""

    line: int
    number: str
    says: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A row that can be taken."""

    line: int
    told: ProcedureIn
    digest: bytes
    checkpoint_id: UUID
    lane_id: UUID


@dataclass(slots=True, kw_only=True)
class Delivery:
    """What became of a delivery."""

    id: UUID
    taken: int = 0
    corrected: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)


def rows_of_json(data: bytes) -> list[tuple[int, object]]:
    """The procedures of a JSON body: a list, an object with `procedures`, or a single one; numbered from 1."""
    try:
        told = json.loads(data)
    except ValueError as error:
        raise BadInput("delivery-form", "The body is not JSON.") from error
    if isinstance(told, dict) and "procedures" in told:
        told = told["procedures"]
    return list(enumerate(told if isinstance(told, list) else [told], start=1))


def rows_of_text(data: bytes) -> list[tuple[int, object]]:
    """The procedures of a CSV body."""
    try:
        return list(rows_of_csv(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise BadInput("delivery-form", "The CSV is not UTF-8.") from error
    except ValueError as error:
        raise BadInput("delivery-header", f"The CSV cannot be read: {error}.") from error


def take(tx: Transaction, source: Source, rows: Sequence[tuple[int, object]], *, at: datetime) -> Delivery:
    """Take `rows` of `source`, in one transaction; what became of each."""
    if len(rows) > MOST_ROWS:
        raise BadInput("delivery-too-long", "Send fewer procedures at once.", most=MOST_ROWS)
    tx.one(SQL["lock_source"], id=source.id)  # two deliveries of one source come one after the other
    delivery = Delivery(id=new_id())
    good, delivery.refused = _sort(rows, _places(tx), source)
    tx.run(SQL["add_delivery"], id=delivery.id, source_id=source.id, at=at, refused=len(delivery.refused))
    for batch in _rounds(good):
        _take_batch(tx, source, batch, delivery, at)
    tx.run_many(
        SQL["add_refused"],
        [
            {"id": new_id(), "delivery_id": delivery.id, "line": one.line, "number": one.number, "says": one.says,
             "body": one.body, "at": at}
            for one in delivery.refused
        ],
    )  # fmt: skip
    entry_id = None
    if delivery.taken or delivery.corrected:
        digest = hashlib.sha256(b"".join(sorted(one.digest for one in good))).hexdigest()
        entry_id = enter(
            tx, kind=DELIVERED, subject=delivery.id, at=at,
            payload={"source": str(source.id), "taken": delivery.taken, "corrected": delivery.corrected,
                     "refused": len(delivery.refused), "digest": digest},
        )  # fmt: skip
    tx.run(
        SQL["end_delivery"], id=delivery.id, taken=delivery.taken, corrected=delivery.corrected, known=delivery.known,
        entry_id=entry_id,
    )  # fmt: skip
    return delivery


def digest_of(told: ProcedureIn) -> bytes:
    """What two tellings of the same thing have in common."""
    return hashlib.sha256(canonical(body_of(told))).digest()


def wall_day(at: datetime) -> date:
    """The day on the wall of a checkpoint."""
    return at.astimezone(KYIV).date()


Places = dict[str, tuple[UUID, dict[str, UUID]]]


def _places(tx: Transaction) -> Places:
    """Checkpoints by code, each with its lanes by code."""
    found: Places = {}
    for row in tx.all(SQL["places"]):
        _, lanes = found.setdefault(row["checkpoint"], (row["checkpoint_id"], {}))
        if row["lane"] is not None:
            lanes[row["lane"]] = row["lane_id"]
    return found


def _sort(rows: Iterable[tuple[int, object]], places: Places, source: Source) -> tuple[list[Good], list[Refused]]:
    good, bad = list[Good](), list[Refused]()
    for line, raw in rows:
        try:
            good.append(_good(line, raw, places, source))
        except ValueError as error:
            number = str(raw.get("number") or "")[:64] if isinstance(raw, dict) else ""
            body = json.dumps(raw, ensure_ascii=False, default=str)[:_BODY_KEPT].replace("\\u0000", "")
            bad.append(Refused(line=line, number=number.replace("\x00", ""), says=str(error)[:300], body=body))
    return good, bad


def _good(line: int, raw: object, places: Places, source: Source) -> Good:
    if isinstance(raw, str):
        raise ValueError(raw)
    told = parse(raw)
    if told.checkpoint not in places:
        raise ValueError(f"no checkpoint has the code {told.checkpoint!r}; enter it first, then send the row again")
    checkpoint_id, lanes = places[told.checkpoint]
    if not source.speaks_for(checkpoint_id):
        raise ValueError(f"this source does not speak for the checkpoint {told.checkpoint!r}")
    if told.lane not in lanes:
        raise ValueError(f"{told.checkpoint!r} has no lane {told.lane!r}; enter it first, then send the row again")
    return Good(line=line, told=told, digest=digest_of(told), checkpoint_id=checkpoint_id, lane_id=lanes[told.lane])


def _rounds(good: list[Good]) -> Iterator[list[Good]]:
    """The rows in batches that name no number twice, in their order: a later row corrects an earlier one."""
    while good:
        seen, now, later = set[str](), list[Good](), list[Good]()
        for one in good:
            (later if one.told.number in seen else now).append(one)
            seen.add(one.told.number)
        yield now
        good = later


def _take_batch(tx: Transaction, source: Source, batch: list[Good], delivery: Delivery, at: datetime) -> None:
    numbers = [one.told.number for one in batch]
    have = {row["number"]: row for row in tx.all(SQL["procedures_known"], source_id=source.id, numbers=numbers)}
    fresh = [one for one in batch if one.told.number not in have]
    changed = [
        (one, have[one.told.number])
        for one in batch
        if one.told.number in have and one.digest not in map(bytes, have[one.told.number]["digests"])
    ]
    delivery.taken += len(fresh)
    delivery.corrected += len(changed)
    delivery.known += len(batch) - len(fresh) - len(changed)
    tx.copy(
        f"COPY customs.procedure ({', '.join(_COLUMNS)}) FROM STDIN",
        ([values[name] for name in _COLUMNS] for values in (_values(one, source, delivery, at) for one in fresh)),
    )
    ids = [row["id"] for _, row in changed]
    if ids:
        tx.run(SQL["keep_past"], ids=ids)
        tx.run_many(SQL["correct_procedure"],
                    [_values(one, source, delivery, at) | {"id": row["id"]} for one, row in changed])  # fmt: skip
    days = {(one.checkpoint_id, wall_day(one.told.start_at)) for one in [*fresh, *(new for new, _ in changed)]}
    days |= {(row["checkpoint_id"], wall_day(row["start_at"])) for _, row in changed}
    mark_due(tx, days)


def mark_due(tx: Transaction, days: Iterable[tuple[UUID, date]]) -> None:
    """Say that the sums of these days are not true any more."""
    tx.run_many(SQL["mark_due"], [{"checkpoint_id": one, "day": day} for one, day in sorted(days, key=str)])


def _values(one: Good, source: Source, delivery: Delivery, at: datetime) -> dict[str, Any]:
    told, body = one.told, body_of(one.told)
    return {
        "id": new_id(), "source_id": source.id, "number": told.number, "version": 1, "digest": one.digest,
        "checkpoint_id": one.checkpoint_id, "lane_id": one.lane_id, "kind": str(told.kind),
        "direction": str(told.direction), "declaration": told.declaration, "plate": told.plate,
        "officers": list(told.officers), "queued_at": told.queued_at, "start_at": told.start_at,
        "end_at": told.end_at, "outcome": str(told.outcome) if told.outcome else None, "scan_due": told.scan_due,
        "steps": json.dumps(body["steps"]), "irregularities": json.dumps(body["irregularities"]),
        "delivery_id": delivery.id, "received_at": at,
    }  # fmt: skip


def deliveries(tx: Transaction, *, most: int = 50) -> list[Row]:
    """The latest deliveries."""
    return tx.all(SQL["deliveries"], most=most)


def refused_rows(tx: Transaction, *, most: int = 200) -> list[Row]:
    """The latest rows that could not be taken."""
    return tx.all(SQL["refused_rows"], most=most)
