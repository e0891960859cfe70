"""Count: device counters against what came, what came against files, files against the ledger. Then say so, signed.

96,174 recordings of a police force were once lost in one migration, and nobody
noticed for twelve days. So each day, after every migration and whenever
somebody asks, everything is counted anew, the statement goes into the ledger,
and what is short raises an alarm that names each thing.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from svidok.access import Actor, require
from svidok.base import new_id
from svidok.bodyworn.receiving import CLIP_KEPT
from svidok.bodyworn.vault import Vault, hash_file
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text
from svidok.recording import facts as f
from svidok.recording.store import enter_facts

SQL = Queries.of("svidok.bodyworn")
INVENTORY_TAKEN = "worn.inventory-taken"
EVERY = timedelta(days=1)
_PAGE = 1000
_NAMED = 500  # things that a statement names; all are counted
_SHIFTS_BACK = timedelta(days=35)


@dataclass(slots=True, kw_only=True)
class Statement:
    """What a count came to. `short` names what is missing or differs: a kind and which."""

    clips: int = 0
    bytes: int = 0
    copies: int = 0
    hashed: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    short: list[tuple[str, str]] = field(default_factory=list)
    cameras: list[dict[str, JSON]] = field(default_factory=list)
    docks: Counter[str] = field(default_factory=Counter)
    shifts: list[dict[str, JSON]] = field(default_factory=list)

    def miss(self, kind: str, which: str) -> None:
        """Something is short."""
        self.counted[kind] += 1
        if len(self.short) < _NAMED:
            self.short.append((kind, which))

    @property
    def shortfall(self) -> int:
        """How much is short in all."""
        return sum(self.counted.values())

    def told(self, at: datetime) -> dict[str, JSON]:
        """As the ledger and people are told."""
        return {
            "at": instant_text(at),
            "bytes": self.bytes,
            "cameras": list(self.cameras),
            "clips": self.clips,
            "copies": self.copies,
            "docks": dict(self.docks),
            "hashed": self.hashed,
            "short": [{"kind": kind, "which": which} for kind, which in self.short],
            "shortfall": self.shortfall,
            "shifts": list(self.shifts),
        }


def take_inventory(database: Database, vault: Vault, *, at: datetime, hashing: bool = False) -> tuple[UUID, Statement]:
    """Count everything, state it, raise or clear the alarm; the inventory's id and what it says.

    `hashing` reads every file again, at the speed of the disk; otherwise its size is compared.
    """
    made = Statement()
    after = UUID(int=0)
    while True:
        with database.transaction() as tx:
            rows = tx.all(SQL["inventory_clips"], after=after, most=_PAGE)
        for row in rows:
            _count_clip(made, vault, row, hashing=hashing)
        if len(rows) < _PAGE:
            break
        after = rows[-1]["id"]
    with database.transaction() as tx:
        _count_cameras(tx, made, at)
        return _state(tx, made, at), made


def demand(database: Database, vault: Vault, *, actor: Actor, at: datetime) -> tuple[UUID, Statement]:
    """The same, because somebody asks."""
    require(actor, "take_inventory")
    return take_inventory(database, vault, at=at, hashing=True)


def latest(tx: Transaction, *, most: int = 30) -> list[Row]:
    """The latest statements."""
    return tx.all(SQL["inventories"], most=most)


def is_due(tx: Transaction, *, at: datetime) -> bool:
    """Whether a day has passed since the last."""
    rows = latest(tx, most=1)
    return not rows or at - rows[0]["at"] >= EVERY


def _count_clip(made: Statement, vault: Vault, row: Row, *, hashing: bool) -> None:
    made.clips += 1
    made.bytes += row["size_bytes"]
    made.docks[str(row["dock_id"])] += 1
    clip = str(row["id"])
    if row["entry_id"] is None:
        made.miss("not-in-ledger", clip)
    elif row["payload"] is not None and json.loads(bytes(row["payload"]))["sha256"] != bytes(row["sha256"]).hex():
        made.miss("ledger-differs", clip)
    _count_file(made, vault.file(row["volume_id"], row["path"]), row, "file", hashing=hashing)
    if row["copied_at"] is not None:
        made.copies += 1
        _count_file(made, vault.file(row["copy_volume_id"], row["path"]), row, "copy", hashing=hashing)


def _count_file(made: Statement, path: Path | None, row: Row, what: str, *, hashing: bool) -> None:
    clip = str(row["id"])
    if path is None:
        made.miss(f"{what}-volume-absent", clip)
    elif not path.exists():
        made.miss(f"{what}-missing", clip)
    elif path.stat().st_size != row["size_bytes"]:
        made.miss(f"{what}-size-differs", clip)
    elif hashing:
        made.hashed += 1
        if hash_file(path) != bytes(row["sha256"]):
            made.miss(f"{what}-hash-differs", clip)


def _count_cameras(tx: Transaction, made: Statement, at: datetime) -> None:
    for row in tx.all(SQL["orphaned_statements"], kind=CLIP_KEPT):
        made.miss("row-missing", str(row["subject"]))
    for row in tx.all(SQL["inventory_devices"]):
        if row["missing"]:
            made.counted["clip-announced-not-come"] += row["missing"]
            made.short.append(("clip-announced-not-come", f"{row['number']}: {row['missing']}"))
        lacking = (row["counter_clips"] or 0) - max(row["clips"], row["announced"])
        if lacking > 0:
            made.counted["clip-counted-not-announced"] += lacking
            made.short.append(("clip-counted-not-announced", f"{row['number']}: {lacking}"))
        made.cameras.append(
            {"announced": row["announced"], "camera": row["number"], "clips": row["clips"],
             "counter": row["counter_clips"], "missing": row["missing"]}
        )  # fmt: skip
    for row in tx.all(SQL["inventory_shifts"], since=at - _SHIFTS_BACK):
        if row["missing"]:
            made.shifts.append(
                {"announced": row["announced"], "missing": row["missing"], "shift": str(row["shift_id"])}
            )


def _state(tx: Transaction, made: Statement, at: datetime) -> UUID:
    inventory_id, told = new_id(), made.told(at)
    entry_id = enter(tx, kind=INVENTORY_TAKEN, subject=inventory_id, payload=told, at=at)
    tx.run(
        SQL["add_inventory"], id=inventory_id, at=at, statement=json.dumps(told), shortfall=made.shortfall,
        entry_id=entry_id,
    )  # fmt: skip
    news: list[f.AnyFact] = [f.AlarmCleared(code="worn-shortfall", subject="bodyworn", at=at)]
    if made.shortfall:
        details: dict[str, str | int] = {"count": made.shortfall, "kinds": ", ".join(sorted(made.counted))}
        news.append(f.AlarmRaised(code="worn-shortfall", subject="bodyworn", at=at, details=details))
    enter_facts(tx, news)
    return inventory_id
