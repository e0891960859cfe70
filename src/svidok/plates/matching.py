"""Hold each arriving read against everything that is looked for, in memory.

A plate is one look into a table; a pattern is tried only where its first two
characters fit, or where it begins with a sign for anything. The lists are read
anew when their version changed, in a thread of their own: a read is matched
against what stood at most about `CHECK_S` seconds and one reading ago.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import resources
from uuid import UUID

import msgspec
import structlog

from svidok.base import SvidokError, new_id
from svidok.db import Database, Queries, Transaction
from svidok.plates.model import Read
from svidok.plates.patterns import Pattern, parse
from svidok.plates.rules import Rules

SQL = Queries.parse(resources.files(__package__).joinpath("hotlists.sql").read_text("utf-8"))
CHECK_S = 0.5
log = structlog.get_logger("hotlists")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is matched."""

    id: UUID
    expires_at: datetime
    pattern: Pattern | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A read that fits an entry: how, by which of its readings, and how probable that reading is."""

    read: Read
    entry_id: UUID
    plate: str
    how: str
    likelihood: float


class Watch:
    """What is looked for, at one version of the lists. Pure; never changed once made."""

    def __init__(self, entries: Iterable[tuple[UUID, str, bool, datetime]] = ()) -> None:
        self._plates: dict[str, list[Wanted]] = {}
        self._patterns: dict[str, list[Wanted]] = defaultdict(list)
        self.size = 0
        for entry_id, plate, is_pattern, expires_at in entries:
            self.size += 1
            if is_pattern:
                pattern = parse(plate).pattern
                head = pattern.head[:2] if pattern else ""
                key = head if len(head) == 2 and "?" not in head else ""
                self._patterns[key].append(Wanted(id=entry_id, expires_at=expires_at, pattern=pattern))
            else:
                self._plates.setdefault(plate, []).append(Wanted(id=entry_id, expires_at=expires_at))

    def matches(self, read: Read, rules: Rules) -> list[Match]:
        """Every entry that fits `read`, each once, by its most probable reading."""
        readings = [(read.plate, read.confidence, "")]
        readings += [(text, p, "alternative") for text, p in read.alternatives if p >= rules.alternative_least]
        found: dict[UUID, Match] = {}
        for plate, likelihood, other in readings:
            for how, wanted in self._fitting(plate):
                if wanted.expires_at > read.received_at and wanted.id not in found:
                    found[wanted.id] = Match(
                        read=read, entry_id=wanted.id, plate=plate, how=other or how, likelihood=likelihood
                    )
        return list(found.values())

    def _fitting(self, plate: str) -> Iterable[tuple[str, Wanted]]:
        for wanted in self._plates.get(plate, ()):
            yield "exact", wanted
        if self._patterns:
            for key in (plate[:2], ""):
                for wanted in self._patterns.get(key, ()):
                    if wanted.pattern is not None and wanted.pattern.fits(plate):
                        yield "pattern", wanted


class Matcher:
    """Keeps a `Watch` fresh, and writes hits in the transaction that keeps their reads. Safe from several threads."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database, self._rules = database, rules
        self._watch = Watch()
        self._version = -1
        self._checked_s = -1e9
        self._lock = threading.Lock()

    @property
    def watch(self) -> Watch:
        """What is looked for now."""
        return self._watch

    def freshen(self, *, at: datetime, now_s: float) -> None:
        """Look whether the lists changed, at most every `CHECK_S`; the first time, wait for them."""
        first = self._version < 0
        if not first and now_s - self._checked_s < CHECK_S:
            return
        if first:
            with self._lock:
                if self._version < 0:
                    self._read(at)
                    self._checked_s = now_s
        elif self._lock.acquire(blocking=False):
            self._checked_s = now_s
            threading.Thread(target=self._read_aside, args=(at,), name="hotlists", daemon=True).start()

    def write_hits(self, tx: Transaction, reads: Sequence[Read]) -> list[Match]:
        """Hits of `reads`, in the transaction that keeps them."""
        watch = self._watch
        found = [match for read in reads for match in watch.matches(read, self._rules)]
        if found:
            tx.run(
                SQL["add_hits"], ids=[new_id() for _ in found], reads=[one.read.id for one in found],
                takens=[one.read.taken_at for one in found], receiveds=[one.read.received_at for one in found],
                cameras=[one.read.camera_id for one in found], plates=[one.plate for one in found],
                entries=[one.entry_id for one in found], hows=[one.how for one in found],
                likelihoods=[one.likelihood for one in found],
            )  # fmt: skip
        return found

    def _read_aside(self, at: datetime) -> None:
        try:
            self._read(at)
        except SvidokError as error:
            log.warning("matching what stood before", why=error.message)
        finally:
            self._lock.release()

    def _read(self, at: datetime) -> None:
        with self._database.transaction() as tx:
            tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            version = int(tx.one(SQL["version"])["n"])
            if version == self._version:
                return
            rows = tx.stream(SQL["standing_entries"], batch=20_000, at=at)
            self._watch = Watch((row["id"], row["plate"], row["is_pattern"], row["expires_at"]) for row in rows)
        self._version = version
