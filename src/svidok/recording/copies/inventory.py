"""Hold the rows of copies against what their store lists, name every difference, and state the count in the ledger.

Two sorted lists are walked side by side, so that tens of millions of objects
need no memory. With `bytes_too` every object is read and hashed: a store that
lists an object may have lost its bytes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from svidok.base import Unavailable, new_id
from svidok.db import Database, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.recording import facts as f
from svidok.recording.copies.copier import SQL
from svidok.recording.copies.stores import CopyStore, Stored
from svidok.recording.store import enter_facts

COPIES_COUNTED = "copies.counted"
MOST_NAMED = 10_000
_ALARM = "copies-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One object that is not as its row says: `missing`, `differing` or `unknown` (no row knows it)."""

    kind: str
    object: str
    segment_id: UUID | None
    says: str


@dataclass(slots=True, kw_only=True)
class Inventory:
    """What was found at one target. `waiting` segments have no copy there yet; `digest` is over all whole copies."""

    target: str
    copies: int = 0
    missing: int = 0
    differing: int = 0
    unknown: int = 0
    waiting: int = 0
    digest: bytes = b""
    differences: list[Difference] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every copy that must be there is there, and is what it should be."""
        return not (self.missing or self.differing)

    def note(self, kind: str, name: str, segment_id: UUID | None, says: str) -> None:
        """Count a difference, and name it."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.differences) < MOST_NAMED:
            self.differences.append(Difference(kind=kind, object=name, segment_id=segment_id, says=says))


def take_inventory(
    database: Database,
    store: CopyStore,
    *,
    at: datetime,
    bytes_too: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Inventory:
    """Count, compare, state it in the ledger, raise or clear the alarm. Raises `Unavailable` where the store is not."""
    found, digest = Inventory(target=store.target), hashlib.sha256()
    with database.transaction() as tx:
        rows = tx.stream(SQL["listed_copies"], target=store.target)
        for row, stored in _side_by_side(rows, store.listed()):
            _compare(row, stored, store if bytes_too else None, found)
            if row is not None and row["whole"] and row["readable"]:
                digest.update(row["segment_id"].bytes + bytes(row["sha256"]))
                progress(found.copies)
    found.digest = digest.digest()
    with database.transaction() as tx:
        _settle(tx, found)
        found.waiting = tx.one(SQL["waiting"], target=store.target)["segments"]
        entry_id = enter(tx, kind=COPIES_COUNTED, subject=new_id(), payload=_payload(found), at=at)
        tx.run(
            SQL["add_inventory"], id=new_id(), target=found.target, at=at, copies=found.copies, missing=found.missing,
            differing=found.differing, unknown=found.unknown, waiting=found.waiting, digest=found.digest,
            entry_id=entry_id,
        )  # fmt: skip
        enter_facts(tx, [_alarm(found, at)])
    return found


def _side_by_side(rows: Iterator[Row], stored: Iterator[Stored]) -> Iterator[tuple[Row | None, Stored | None]]:
    """Rows and objects of the same name together, the others alone. Both come in the order of the names' bytes."""
    row, one = next(rows, None), next(stored, None)
    while row is not None or one is not None:
        wanted = row["object"].encode() if row is not None else None
        there = one.name.encode() if one is not None else None
        if there is None or (wanted is not None and wanted < there):
            yield row, None
            row = next(rows, None)
        elif wanted is None or there < wanted:
            yield None, one
            one = next(stored, None)
        else:
            yield row, one
            row, one = next(rows, None), next(stored, None)


def _compare(row: Row | None, stored: Stored | None, read_from: CopyStore | None, found: Inventory) -> None:
    if row is None:
        if stored is not None and not stored.name.startswith("conformance/"):
            found.note("unknown", stored.name, None, "no row knows this object")
        return
    name, segment_id = row["object"], row["segment_id"]
    if not (row["whole"] and row["readable"]):
        return  # being made, or without its key and waiting for its lock to end
    if stored is None:
        found.note("missing", name, segment_id, "the store does not list it")
    elif stored.size != row["size_bytes"]:
        found.note("differing", name, segment_id, f"{stored.size} bytes instead of {row['size_bytes']}")
    elif read_from is not None and (trouble := _trouble(read_from, row)):
        found.note("differing", name, segment_id, trouble)
    else:
        found.copies += 1


def _settle(tx: Transaction, found: Inventory) -> None:
    """Leave out what only looked like a difference because copies were made and erased while we counted."""
    names = [one.object for one in found.differences if one.kind != "differing"]
    now = {row["object"]: row["due"] for row in tx.all(SQL["due_now"], target=found.target, names=names)}
    kept = []
    for one in found.differences:
        known = one.object in now
        if (one.kind == "unknown" and known) or (one.kind == "missing" and not now.get(one.object, False)):
            setattr(found, one.kind, getattr(found, one.kind) - 1)
        else:
            kept.append(one)
    found.differences = kept


def _trouble(store: CopyStore, row: Row) -> str:
    """What is wrong with the bytes of a copy; empty where nothing is."""
    digest = hashlib.sha256()
    try:
        for piece in store.read(row["object"]):
            digest.update(piece)
    except (FileNotFoundError, Unavailable) as error:
        return f"it cannot be read: {error}"
    return "" if digest.digest() == bytes(row["sha256"]) else "its bytes are not those that were put"


def _payload(found: Inventory) -> dict[str, JSON]:
    return {
        "target": found.target, "copies": found.copies, "missing": found.missing, "differing": found.differing,
        "unknown": found.unknown, "waiting": found.waiting, "digest": found.digest.hex(),
    }  # fmt: skip


def _alarm(found: Inventory, at: datetime) -> f.AnyFact:
    if found.complete:
        return f.AlarmCleared(code=_ALARM, subject=found.target, at=at)
    details: dict[str, str | int] = {"missing": found.missing, "differing": found.differing}
    return f.AlarmRaised(code=_ALARM, subject=found.target, at=at, details=details)
