"""Fill a dictionary, and keep it as fresh as the rows.

What came is written down with the reads, batch by batch (`plates.seen`). Which
batches are new is told by PostgreSQL's own snapshots and not by clocks: one
that commits late is learnt late, but it is learnt, and once.
"""

from datetime import datetime, timedelta

from svidok.db import Database
from svidok.plates.dictionary import Dictionary
from svidok.plates.store import SEEN_KEPT, SQL

_SLEPT = SEEN_KEPT - timedelta(minutes=10)  # after it batches may be gone that were not learnt


class FreshDictionary:
    """A dictionary with its mark: the snapshot up to which it knows what came."""

    def __init__(self, database: Database) -> None:
        self.dictionary = Dictionary()
        self.loaded = False
        self._database = database
        self._snapshot = ""
        self._generation = -1
        self._refreshed_at: datetime | None = None

    def load(self, *, at: datetime) -> None:
        """Read every plate once, with its totals and what is not counted yet."""
        fresh = Dictionary()
        with self._database.transaction() as tx:
            tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            mark = tx.one(SQL["snapshot"])
            plates = tx.stream(SQL["all_plates"], batch=50_000)
            fresh.add((row["id"], row["text"], row["last_s"], max(0, row["reads"])) for row in plates)
            uncounted = tx.all(SQL["seen_uncounted"])
        fresh.seen((row["plate_id"], row["last_s"], row["reads"]) for row in uncounted)
        self.dictionary, self._snapshot, self._generation = fresh, mark["snapshot"], int(mark["generation"])
        self._refreshed_at, self.loaded = at, True

    def refresh(self, *, at: datetime) -> int:
        """Take in what came since; how many plates are new. Begins anew where some were forgotten, or it slept."""
        if not self.loaded or self._refreshed_at is None:
            raise RuntimeError("load it first")
        if at - self._refreshed_at > _SLEPT:
            self.load(at=at)
            return self.dictionary.size
        with self._database.transaction() as tx:
            rows = tx.all(SQL["seen_since"], before=self._snapshot)
            again = int(rows[0]["generation"]) != self._generation
            came = [
                one
                for row in rows
                if row["plates"]
                for one in zip(row["plates"], row["lasts_s"], row["reads"], strict=True)
            ]
            new = sorted({plate for plate, _, _ in came if self.dictionary.known(plate) is None})
            added = [] if again or not new else tx.all(SQL["plates_by_id"], ids=new)
        if again:
            self.load(at=at)
            return self.dictionary.size
        self.dictionary.add((row["id"], row["text"], 0, 0) for row in added)
        self.dictionary.seen(came)
        self._snapshot, self._refreshed_at = rows[0]["snapshot"], at
        return len(added)
