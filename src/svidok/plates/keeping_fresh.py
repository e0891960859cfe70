"""Fill a dictionary, and keep it as fresh as the rows.

It asks by the instant reads came, and asks again for what came in the last
half minute: a transaction may commit later than its reads say they came.
"""

from datetime import date, datetime, timedelta

from svidok.db import Database
from svidok.plates.dictionary import Dictionary, seconds
from svidok.plates.store import SQL, bounds, days

_COMMIT_WITHIN = timedelta(seconds=30)


class FreshDictionary:
    """A dictionary with its marks: up to which plate it knows, and up to when reads are counted."""

    def __init__(self, database: Database) -> None:
        self.dictionary = Dictionary()
        self._database = database
        self._counted_to: datetime | None = None
        self._generation = -1

    def load(self, *, at: datetime) -> None:
        """Read every plate once: the sums of days that are over, and the reads of those that are not."""
        counted_to = at - _COMMIT_WITHIN
        with self._database.transaction() as tx:
            tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            generation = int(tx.one(SQL["generation"])["n"])
            plates = tx.stream(SQL["all_plates"], batch=50_000)
            fresh = Dictionary()
            fresh.add((row["id"], row["text"], row["last_s"], row["reads"]) for row in plates)
            unsummed = tx.all(SQL["unsummed_days"], days=days(tx), today=date.max)
            start = bounds(unsummed[0]["day"])[0] if unsummed else at
            recent = tx.all(SQL["seen_on"], start=start, until=counted_to)
        self.dictionary, self._generation = fresh, generation
        self.dictionary.seen((row["plate_id"], seconds(row["last_at"]), row["reads"]) for row in recent)
        self._counted_to = counted_to
        self.refresh(at=at)

    def refresh(self, *, at: datetime) -> int:
        """Take in what came since the last time; how many plates are new. Where plates were forgotten, begin anew."""
        if self._counted_to is None:
            raise RuntimeError("load it first")
        counted_to = max(self._counted_to, at - _COMMIT_WITHIN)
        with self._database.transaction() as tx:
            if int(tx.one(SQL["generation"])["n"]) != self._generation:
                self._counted_to = None
        if self._counted_to is None:
            self.load(at=at)
            return self.dictionary.size
        with self._database.transaction() as tx:
            new = tx.all(SQL["plates_after"], id=max(0, self.dictionary.size - 1))
            came = tx.all(
                SQL["came_since"], since=min(self._counted_to, at - _COMMIT_WITHIN), counted_from=self._counted_to,
                counted_to=counted_to,
            )  # fmt: skip
        self.dictionary.add((row["id"], row["text"], seconds(row["first_at"]), 0) for row in new)
        self.dictionary.seen((row["plate_id"], seconds(row["last_at"]), row["reads"]) for row in came)
        self._counted_to = counted_to
        return len(new)
