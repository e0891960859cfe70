"""How fast are plates found among many millions of reads, against the plain LIKE or levenshtein query on the same rows?

PYTHONPATH=src python benchmarks/plates_search.py [MILLIONS [FOLDER [--lay-out-only]]]

60 days, 500 cameras, traffic skewed as it is (a few plates are read thousands of times, busy cameras read most), one
planted convoy. The rows are made by the database itself, two days at a time, unlogged; a folder that is given is kept and used again.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import psycopg.errors

from svidok.app.rooms import ROOMS
from svidok.base import Span
from svidok.db import Database, Transaction, migrate
from svidok.db.server import PostgresServer
from svidok.plates import journeys, store
from svidok.plates.dictionary import Dictionary
from svidok.plates.keeping_fresh import FreshDictionary
from svidok.plates.patterns import parse
from svidok.plates.search import Where, passing, search

DAYS, CAMERAS = 60, 500
END = datetime(2026, 11, 25, tzinfo=UTC)
GOALS_MS = {"exact, 30 days": 20, "wildcard": 100, "one edit": 50, "camera, 10 min": 20, "convoy": 300}
PLAIN_LIMIT_S = 120
# A number as a Ukrainian plate: no two numbers make the same one.
PLATES = """
INSERT INTO plates.plate (text, first_at)
SELECT substr(a, 1 + n %% 12, 1) || substr(a, 1 + n / 12 %% 12, 1) || lpad((n::bigint * 7919 %% 10000)::text, 4, '0')
       || substr(a, 1 + n / 144 %% 12, 1) || substr(a, 1 + (n / 1728 / 10000 + n / 1728) %% 12, 1) || n / 20736 %% 2, %(start)s
FROM generate_series(0, %(count)s - 1) n, (SELECT 'ABCEHIKMOPTX' AS a) letters
ON CONFLICT DO NOTHING
"""
# In the order of time, as reads come; its indexes once its rows are there. Nothing of it is logged (`wal_level` minimal).
DAY = """
CREATE TABLE {name} (LIKE plates.read INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT that_day
                     CHECK (taken_at IS NOT NULL AND taken_at >= '{start}' AND taken_at < '{end}'));
INSERT INTO {name} (id, taken_at, received_at, camera_id, plate_id, confidence, country, direction, source)
SELECT gen_random_uuid(), at, at + interval '1 second',
       lpad(to_hex(1 + floor({cameras} * power(random(), 2))::int), 32, '0')::uuid,
       1 + floor({plates} * power(random(), 3))::int, 0.7 + random() * 0.3, 'UA', 'towards', 'contract'
FROM (SELECT '{start}'::timestamptz + (n + random()) * interval '{step_us} microseconds' AS at
      FROM generate_series(0, {reads} - 1) n) made;
ALTER TABLE {name} ADD PRIMARY KEY (id, taken_at);
CREATE INDEX ON {name} (plate_id, taken_at);
CREATE INDEX ON {name} (camera_id, taken_at);
CREATE INDEX ON {name} USING brin (received_at) WITH (pages_per_range = 16, autosummarize = on);
"""
CONVOY = """
INSERT INTO plates.read (id, taken_at, received_at, camera_id, plate_id, confidence, country, direction, source)
SELECT gen_random_uuid(), at, at, lpad(to_hex(10 + n), 32, '0')::uuid, p, 0.9, 'UA', 'towards', 'contract'
FROM generate_series(0, 7) n, unnest(%(pair)s::int[]) WITH ORDINALITY AS pair (p, nth),
     LATERAL (SELECT %(start)s::timestamptz + n * interval '20 minutes' + nth * interval '15 seconds' AS at) times
"""
TOTALS = """
UPDATE plates.plate p SET reads = r.reads, last_at = r.last_at
FROM (SELECT plate_id, count(*) AS reads, max(taken_at) AS last_at FROM plates.read GROUP BY plate_id) r
WHERE r.plate_id = p.id
"""
LIKE = """
SELECT r.*, p.text FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE p.text LIKE %(like)s AND r.taken_at >= %(start)s AND r.taken_at < %(end)s
ORDER BY r.taken_at DESC, r.id DESC LIMIT 50
"""
LEVENSHTEIN = LIKE.replace("p.text LIKE %(like)s", "levenshtein(p.text, %(like)s) <= 1")


def fill(server: PostgresServer, reads: int) -> None:
    """Plates, then the days, two at a time."""
    began = time.monotonic()
    plates = max(20_000, reads // 20)
    database = Database.open(server.url, size=2)
    migrate(database, ROOMS)
    with database.transaction() as tx:
        tx.run("CREATE EXTENSION IF NOT EXISTS fuzzystrmatch")
        tx.run(PLATES, start=END - timedelta(days=DAYS), count=plates)
        known = int(tx.one("SELECT count(*) AS n FROM plates.plate")["n"])
    with ThreadPoolExecutor(2) as pool:
        for number, _ in enumerate(pool.map(lambda day: _fill_day(server.url, day, reads // DAYS, known), range(DAYS))):
            if (number + 1) % 10 == 0:
                print(f"day {number + 1} of {DAYS}, {time.monotonic() - began:.0f} s", flush=True)
    with database.transaction() as tx:
        tx.run(TOTALS)
        tx.run(CONVOY, pair=[known - 1, known - 2], start=END - timedelta(days=5))
    database.close()
    print(f"\n{known:,} plates, {reads:,} reads laid out in {time.monotonic() - began:.0f} s")


def _fill_day(url: str, number: int, reads: int, plates: int) -> None:
    day = (END - timedelta(days=DAYS - number)).date()
    start, end = store.bounds(day)
    name = f"plates.read_{day:%Y%m%d}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        made = DAY.format(
            name=name, cameras=CAMERAS, plates=plates, reads=reads, start=start, end=end,
            step_us=86_400_000_000 // reads,
        )  # fmt: skip
        with connection.transaction():
            connection.execute(made.encode())
        connection.execute(f"VACUUM (ANALYZE) {name}".encode())
        connection.execute(
            f"ALTER TABLE plates.read ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')".encode()
        )
        connection.execute(f"ALTER TABLE {name} DROP CONSTRAINT that_day".encode())


def unlogged(server: PostgresServer, wanted: bool) -> None:
    """Start the server anew so that tables are laid out without a log, or as the product runs it."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        for name, value in (("wal_level", "minimal"), ("max_wal_senders", "0"), ("autovacuum", "off")):
            connection.execute(f"ALTER SYSTEM SET {name} = {value}" if wanted else f"ALTER SYSTEM RESET {name}")
    server.stop()
    server.start()


class Questions:
    """The questions, each drawn anew from what there is: who is read often is asked for often."""

    def __init__(self, database: Database, dictionary: Dictionary, chance: random.Random) -> None:
        self._dictionary, self._chance = dictionary, chance
        with database.transaction() as tx:
            rows = tx.all("SELECT plate_id FROM plates.read TABLESAMPLE SYSTEM (0.01) LIMIT 20000")
        self._seen = [row["plate_id"] for row in rows]
        self.hot = max(set(self._seen), key=self._seen.count)

    def plate(self) -> str:
        return self._dictionary.text(self._chance.choice(self._seen))

    def pattern(self) -> str:
        text = self.plate()
        known = sorted(self._chance.sample(range(len(text)), 4))
        return "".join(char if at in known else "?" for at, char in enumerate(text))

    def exact(self, tx: Transaction) -> None:
        search(tx, self._dictionary, parse(self.plate()), Where(span=Span(END - timedelta(days=30), END)))

    def wildcard(self, tx: Transaction) -> None:
        search(tx, self._dictionary, parse(self.pattern()), Where(span=Span(END - timedelta(days=30), END)))

    def one_edit(self, tx: Transaction) -> None:
        search(tx, self._dictionary, parse(self.plate() + "~"), Where(span=Span(END - timedelta(days=30), END)))

    def camera(self, tx: Transaction) -> None:
        start = END - timedelta(minutes=self._chance.randrange(20, DAYS * 1440))
        camera = UUID(int=1 + int(CAMERAS * self._chance.random() ** 2))
        passing(tx, Where(span=Span(start, start + timedelta(minutes=10)), cameras=(camera,)))

    def convoy(self, tx: Transaction) -> None:
        journeys.companions(tx, self.plate(), Span(END - timedelta(days=30), END), slack=timedelta(seconds=60))


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and of all that descend from it; of those that ended, what their parents gathered."""
    parents: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else None
        except OSError:
            continue  # it ended meanwhile
        if fields:
            parents[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"))
    inside, before = {pid}, 0
    while len(inside) != before:
        before = len(inside)
        inside |= {child for child, (parent, _) in parents.items() if parent in inside}
    return sum(parents[one][1] for one in inside if one in parents)


def cpu_ms(database: Database, ask: Callable[[Transaction], None], times: int, server: int) -> float:
    """CPU milliseconds of each question, ours and the database's: what is left where a busy machine says nothing."""
    before = time.process_time() + tree_cpu_s(server)
    for _ in range(times):
        with database.transaction() as tx:
            ask(tx)
    return (time.process_time() + tree_cpu_s(server) - before) * 1000 / times


def measure(database: Database, ask: Callable[[Transaction], None], times: int) -> list[float]:
    """Milliseconds of each, the first ten left out."""
    found = []
    for number in range(times + 10):
        began = time.perf_counter()
        with database.transaction() as tx:
            ask(tx)
        if number >= 10:
            found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def plain(database: Database, query: str, texts: list[str]) -> float:
    """The median of the plain query, in milliseconds; the limit where it takes longer."""
    span: dict[str, Any] = {"start": END - timedelta(days=30), "end": END}
    found = []
    for text in texts:
        began = time.perf_counter()
        try:
            with database.transaction() as tx:
                tx.run(f"SET LOCAL statement_timeout = '{PLAIN_LIMIT_S}s'")
                tx.all(query, like=text, **span)
        except psycopg.errors.QueryCanceled:
            return PLAIN_LIMIT_S * 1000.0
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)[len(found) // 2]


def main() -> None:
    reads = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 10_000_000
    kept = len(sys.argv) > 2
    folder = Path(sys.argv[2] if kept else tempfile.mkdtemp(prefix="plates-search-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    server = PostgresServer(folder / "postgres")
    server.start()
    try:
        if not (folder / "filled").exists():
            unlogged(server, wanted=True)
            fill(server, reads)
            unlogged(server, wanted=False)
            (folder / "filled").touch()
        if "--lay-out-only" in sys.argv:
            return
        database = Database.open(server.url, size=2)
        migrate(database, ROOMS)
        report(database, reads, server.pid or 0)
        database.close()
    finally:
        server.stop()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def report(database: Database, reads: int, server: int) -> None:
    began = time.monotonic()
    fresh = FreshDictionary(database)
    fresh.load(at=END)
    print(f"dictionary of {fresh.dictionary.size:,} plates read in {time.monotonic() - began:.1f} s")
    asked = Questions(database, fresh.dictionary, random.Random(7))
    hot = fresh.dictionary.text(asked.hot)
    ours = {
        "exact, 30 days": measure(database, asked.exact, 300),
        "wildcard": measure(database, asked.wildcard, 200),
        "one edit": measure(database, asked.one_edit, 200),
        "camera, 10 min": measure(database, asked.camera, 300),
        "convoy": measure(database, asked.convoy, 100),
    }
    cpu = {
        name: cpu_ms(database, ask, 60, server)
        for name, ask in zip(
            ours, (asked.exact, asked.wildcard, asked.one_edit, asked.camera, asked.convoy), strict=True
        )
    }
    hottest = measure(
        database,
        lambda tx: _nothing(
            journeys.companions(tx, hot, Span(END - timedelta(days=30), END), slack=timedelta(minutes=1))
        ),
        5,
    )
    plates = [asked.plate() for _ in range(3)]
    theirs = {
        "exact, 30 days": plain(database, LIKE, plates),
        "wildcard": plain(database, LIKE, [asked.pattern().replace("?", "_") for _ in range(3)]),
        "one edit": plain(database, LEVENSHTEIN, plates),
    }
    for name, found in ours.items():
        p50, p95 = found[len(found) // 2], found[int(len(found) * 0.95)]
        peer = theirs.get(name)
        against = f"; plain {peer:.0f} ms, ratio of medians {p50 / peer:.5f}" if peer else ""
        print(f"{name}: p50 {p50:.1f}, p95 {p95:.1f} ms, CPU {cpu[name]:.1f} ms (goal {GOALS_MS[name]}){against}")
    print(f"convoy of the plate read most ({hot}): {hottest[len(hottest) // 2]:.0f} ms; {reads:,} reads")


def _nothing(_: object) -> None:
    return None


if __name__ == "__main__":
    main()
