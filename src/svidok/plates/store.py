"""Keep reads: in batches, each once, in the partition of its day.

Plates and days are made known in transactions of their own, before the reads
that need them: a plate without reads harms nobody, and what was learnt of
either can be remembered without asking again.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import psycopg.errors
from psycopg.types.json import Jsonb

from svidok.base import NotFound, new_id
from svidok.db import Database, Queries, Transaction
from svidok.plates.dictionary import seconds
from svidok.plates.model import Read, detail_of, read_of

SQL = Queries.of("svidok.plates")

_REMEMBERED = 500_000  # plates whose ids a process remembers; about 60 MB
_DAYS_LOCK = 0x5356_504C  # advisory lock: one process at a time makes a day
_PLATES_LOCK = 0x5356_504D  # advisory lock: shared by whoever adds reads, alone for whoever forgets plates
_COUNT_LOCK = 0x5356_504E  # advisory lock: one transaction at a time changes the totals of plates
_FORGET_AT_ONCE = 5000
SEEN_KEPT = timedelta(
    hours=1
)  # so long who holds plates in memory may sleep, and learn what came without beginning anew
_COLUMNS = (
    "id, taken_at, received_at, camera_id, plate_id, confidence, country, direction, source, as_read, segment_id, "
    "image, patch, detail"
)
MAX_REJECTED_BYTES = 4096
LOW_CONFIDENCE = 0.7

Also = Callable[[Transaction, Sequence[Read]], object]


class Reads:
    """The store of reads behind one database. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plates: dict[str, int] = {}
        self._generation = -1
        self._days: set[date] = set()
        self._lock = threading.Lock()

    def add(self, reads: Sequence[Read], *, also: Also | None = None) -> list[Read]:
        """Keep `reads`; those that were not there before. All of them are safe when this returns.

        `also` is called with the new ones in the same transaction: what it writes is true when they are kept.
        """
        unique = {read.id: read for read in reads}
        if not unique:
            return []
        while True:
            self._make_days({read.taken_at.astimezone(UTC).date() for read in unique.values()})
            plates = self._plate_ids(unique.values())
            try:
                with self._database.transaction() as tx:
                    if self._remembers_rightly(tx):
                        return self._take(tx, unique, plates, also)
            except psycopg.errors.CheckViolation as error:
                if error.diag.constraint_name is not None:
                    raise
                self._forget_days()  # the day was disposed of meanwhile; it begins anew

    def _take(
        self, tx: Transaction, unique: dict[UUID, Read], plates: dict[str, int], also: Also | None
    ) -> list[Read]:  # fmt: skip
        tx.run(SQL["make_batch"])
        tx.copy(f"COPY batch ({_COLUMNS}) FROM STDIN", (_row(read, plates) for read in unique.values()))
        ids = {row["id"] for row in tx.all(SQL["take_batch"])}
        new = [read for read in unique.values() if read.id in ids]
        _count_hours(tx, new)
        _note_seen(tx, new, plates)
        if also is not None:
            also(tx, new)
        return new

    def _remembers_rightly(self, tx: Transaction) -> bool:
        """Whether no plate was forgotten since we learnt its id; until `tx` ends none can be. Else we learn anew."""
        tx.run("SELECT pg_advisory_xact_lock_shared(%(key)s)", key=_PLATES_LOCK)
        generation = int(tx.one(SQL["generation"])["n"])
        if generation == self._generation:
            return True
        with self._lock:
            self._plates.clear()
            self._generation = generation
        return False

    def _plate_ids(self, reads: Iterable[Read]) -> dict[str, int]:
        firsts: dict[str, datetime] = {}
        for read in reads:
            firsts[read.plate] = min(read.taken_at, firsts.get(read.plate, read.taken_at))
        known = {text: self._plates[text] for text in firsts if text in self._plates}
        unknown = sorted(text for text in firsts if text not in known)  # sorted: two writers wait, never deadlock
        if unknown:
            with self._database.transaction() as tx:
                learnt = {row["text"]: row["id"] for row in tx.all(SQL["plate_ids"], texts=unknown)}
                new = [text for text in unknown if text not in learnt]
                if new:
                    made = tx.all(SQL["add_plates"], texts=new, firsts=[firsts[text] for text in new])
                    learnt |= {row["text"]: row["id"] for row in made}
                missing = [text for text in new if text not in learnt]  # another writer was quicker
                learnt |= {row["text"]: row["id"] for row in tx.all(SQL["plate_ids"], texts=missing)} if missing else {}
            known |= learnt
            with self._lock:
                if len(self._plates) > _REMEMBERED:
                    self._plates.clear()
                self._plates |= learnt
        return known

    def _make_days(self, days: set[date]) -> None:
        missing = days - self._days
        if missing:
            with self._database.transaction() as tx:
                make_days(tx, missing)
            with self._lock:
                self._days |= missing

    def _forget_days(self) -> None:
        """Ask again which days there are: some were dropped."""
        with self._lock:
            self._days.clear()


def make_days(tx: Transaction, days: Iterable[date]) -> None:
    """Make the partitions of `days`, where they are not there yet. Writers of other days are not held up."""
    tx.run("SELECT pg_advisory_xact_lock(%(key)s)", key=_DAYS_LOCK)
    there = {row["day"] for row in tx.all(SQL["days"])}
    for day in sorted(set(days) - there):
        name = f"plates.read_{day:%Y%m%d}"
        start, end = bounds(day)
        tx.run(f"CREATE TABLE IF NOT EXISTS {name} (LIKE plates.read INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        tx.run(f"ALTER TABLE plates.read ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')")


def bounds(day: date) -> tuple[datetime, datetime]:
    """A day of UTC, half-open."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def days(tx: Transaction) -> list[date]:
    """The days that have reads, oldest first."""
    return [row["day"] for row in tx.all(SQL["days"])]


def read_by_id(tx: Transaction, read_id: UUID, *, taken_at: datetime) -> Read:
    """One read; `NotFound` where there is none, or its time is over."""
    rows = tx.all_planned_once(SQL["read_by_id"], id=read_id, taken_at=taken_at)
    if not rows:
        raise NotFound("read-unknown", "There is no such read, or its time is over.")
    return read_of(rows[0])


def keep(tx: Transaction, read_id: UUID, *, taken_at: datetime) -> None:
    """Let a read outlive the partition of its day."""
    tx.run(SQL["keep_read"], id=read_id, taken_at=taken_at)


def count_seen(database: Database, *, at: datetime) -> int:
    """Add what came to the totals of the plates, each batch once; how many plates. Forget what everybody knows."""
    with database.transaction() as tx:
        _count_alone(tx)
        counted = tx.run(SQL["count_seen"])
        tx.run(SQL["forget_seen"], before=at - SEEN_KEPT)
    return counted


def drop_day(tx: Transaction, day: date) -> None:
    """The time of a day's reads is over: they go, all at once, and count no more."""
    if day in days(tx):
        start, end = bounds(day)
        _count_alone(tx)
        tx.run(SQL["discount_day"], start=start, end=end)
        name = f"plates.read_{day:%Y%m%d}"
        tx.run(f"ALTER TABLE plates.read DETACH PARTITION {name}")
        tx.run(f"DROP TABLE {name}")


def _count_alone(tx: Transaction) -> None:
    """Until `tx` ends nobody else changes totals, and no plate is forgotten: so nobody waits for another in a ring."""
    tx.run("SELECT pg_advisory_xact_lock(%(key)s)", key=_COUNT_LOCK)
    tx.run("SELECT pg_advisory_xact_lock_shared(%(key)s)", key=_PLATES_LOCK)


def reject(
    tx: Transaction, bad: Iterable[tuple[str, str, bytes]], *, device_id: UUID | None, at: datetime
) -> None:  # fmt: skip
    """Keep aside what could not be taken: a code, why, and the beginning of what came."""
    tx.run_many(
        SQL["reject"],
        [
            {"id": new_id(), "at": at, "device_id": device_id, "code": code, "says": says[:500],
             "body": body[:MAX_REJECTED_BYTES]}
            for code, says, body in bad
        ],
    )  # fmt: skip


def _count_hours(tx: Transaction, new: Sequence[Read]) -> None:
    """Add to what each camera came to in each hour; always in the same order, so that two writers never deadlock."""
    hours: dict[tuple[UUID, datetime], list[float]] = {}
    for read in new:
        hour = read.taken_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        sums = hours.setdefault((read.camera_id, hour), [0, 0.0, 0])
        sums[0] += 1
        sums[1] += read.confidence
        sums[2] += read.confidence < LOW_CONFIDENCE
    if hours:
        ordered = sorted(hours.items())
        tx.run(
            SQL["count_hours"], cameras=[camera for (camera, _), _ in ordered],
            hours=[hour for (_, hour), _ in ordered],
            reads=[int(sums[0]) for _, sums in ordered], confidences=[sums[1] for _, sums in ordered],
            lows=[int(sums[2]) for _, sums in ordered],
        )  # fmt: skip


def _note_seen(tx: Transaction, new: Sequence[Read], plates: dict[str, int]) -> None:
    """Write down what the batch came to, by plate, for the totals and for who holds plates in memory."""
    if not new:
        return
    sums: dict[int, list[int]] = {}
    for read in new:
        taken_s = seconds(read.taken_at)
        one = sums.setdefault(plates[read.plate], [0, taken_s])
        one[0] += 1
        one[1] = max(one[1], taken_s)
    tx.run(
        SQL["add_seen"], at=max(read.received_at for read in new), plates=list(sums),
        reads=[count for count, _ in sums.values()], lasts_s=[last_s for _, last_s in sums.values()],
    )  # fmt: skip


def plates_of_day(tx: Transaction, day: date) -> list[int]:
    """The plates that were read on a day."""
    start, end = bounds(day)
    return [row["plate_id"] for row in tx.all(SQL["plates_of_day"], start=start, end=end)]


def forget_plates(database: Database, plates: Sequence[int]) -> int:
    """Those of `plates` that no read speaks of any more go from the register; how many."""
    gone = 0
    for at in range(0, len(plates), _FORGET_AT_ONCE):
        with database.transaction() as tx:
            tx.run("SELECT pg_advisory_xact_lock(%(key)s)", key=_PLATES_LOCK)
            gone += tx.run(SQL["forget_plates"], ids=list(plates[at : at + _FORGET_AT_ONCE]))
            tx.run(SQL["next_generation"])
    return gone


def _row(read: Read, plates: dict[str, int]) -> tuple[object, ...]:
    detail = detail_of(read)
    return (
        read.id, read.taken_at, read.received_at, read.camera_id, plates[read.plate], read.confidence, read.country,
        str(read.direction), str(read.source), read.as_read if read.as_read != read.plate else None, read.segment_id,
        read.image, read.patch, Jsonb(detail) if detail else None,
    )  # fmt: skip
