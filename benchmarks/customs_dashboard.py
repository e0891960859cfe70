"""Does the dashboard of two years of twenty checkpoints answer at once?

    PYTHONPATH=src python benchmarks/customs_dashboard.py [procedures] [checkpoints] [copied]

Fills the table with that many procedures (made in the database, their indexes afterwards), makes the sums by the product's
own code, then asks for what the dashboard shows, as the page does: of one checkpoint over two years, of all of them,
of a month, and of single odd spans. Beside each, the same figures by plain SQL over the procedures themselves.
With `copied` the product sums one checkpoint alone and all of them together; the sums of the other checkpoints are
copies of those of the first, which saves most of the time and changes nothing of what is read.
"""

import random
import statistics
import sys
import time
from datetime import date, timedelta

import rig

from svidok.app.rooms import ROOMS
from svidok.base import new_id
from svidok.customs import dashboard
from svidok.customs.sums import WHOLE, day_span, sum_due
from svidok.db import Database, migrate

FIRST, LAST = date(2024, 11, 1), date(2026, 10, 31)
TIMES = 40

FILL = """
INSERT INTO customs.procedure (id, source_id, number, digest, checkpoint_id, lane_id, kind, direction, declaration,
    plate, officers, queued_at, start_at, end_at, outcome, scan_due, steps, irregularities, delivery_id, received_at,
    settled)
SELECT gen_random_uuid(), %(source)s, %(code)s || n, decode(md5(n::text), 'hex'), %(checkpoint)s,
    (%(lanes)s::uuid[])[1 + n %% 6], (ARRAY['car','car','car','lorry','bus'])[1 + n %% 5], 'in',
    CASE WHEN n %% 5 = 3 THEN '26UA' || n END, 'BC' || (n::bigint * 7919 %% 9999) || 'AE', ARRAY['140-1'],
    at - make_interval(secs => 60 + random() * 3000), at, at + make_interval(secs => 120 + exp(random() * 3) * 180),
    'released', n %% 9 = 0, %(steps)s, CASE WHEN n %% 50 = 0 THEN
    '[{"cause":"undeclared-goods","condition":"night"}]'::jsonb ELSE '[]' END, %(source)s, at, true
FROM (SELECT n, %(start)s::timestamptz + make_interval(secs => n::float8 / %(total)s * %(seconds)s) AS at
      FROM generate_series(%(low)s::int, %(high)s::int) AS n) AS rows
"""

STEPS = '[{"kind":"documents","started_at":"2026-11-23T10:00:00.000000Z","ended_at":"2026-11-23T10:05:00.000000Z"},{"kind":"release","started_at":"2026-11-23T10:05:00.000000Z","ended_at":"2026-11-23T10:06:00.000000Z"}]'

PLAIN = """
SELECT l.code, p.kind, extract(hour FROM p.start_at AT TIME ZONE 'Europe/Kyiv') AS hour, count(*),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM p.end_at - p.start_at)),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM p.start_at - p.queued_at))
FROM customs.procedure p JOIN customs.lane l ON l.id = p.lane_id
WHERE (%(checkpoint)s::uuid IS NULL OR p.checkpoint_id = %(checkpoint)s) AND p.start_at >= %(start)s AND p.start_at < %(end)s
GROUP BY GROUPING SETS ((), (l.code), (p.kind), (extract(hour FROM p.start_at AT TIME ZONE 'Europe/Kyiv')))
"""


def fill(database: Database, procedures: int, checkpoints: int, copied: bool) -> list[object]:
    source, made = new_id(), []
    each, start = procedures // checkpoints, day_span(FIRST).start
    seconds = (day_span(LAST).end - start).total_seconds()
    with database.transaction() as tx:
        kept = tx.all(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'customs' AND tablename = 'procedure'"
        )
        for row in kept:
            if not row["indexname"].endswith("pkey"):
                tx.run(f"DROP INDEX customs.{row['indexname']}")
        tx.run("INSERT INTO customs.source (id, name, secret, added_by, added_at) VALUES (%(i)s, 'bench', %(s)s, %(i)s, now())",
               i=source, s=b"x" * 32)  # fmt: skip
    for number in range(checkpoints):
        checkpoint, lanes = new_id(), [new_id() for _ in range(6)]
        made.append(checkpoint)
        with database.transaction() as tx:
            tx.run("INSERT INTO customs.checkpoint (id, code, name_uk, made_at) VALUES (%(i)s, %(c)s, %(c)s, now())",
                   i=checkpoint, c=f"UA{number:06d}")  # fmt: skip
            for place, lane in enumerate(lanes, start=1):
                tx.run("INSERT INTO customs.lane (id, checkpoint_id, code, name_uk) VALUES (%(i)s, %(c)s, %(p)s, %(p)s)",
                       i=lane, c=checkpoint, p=str(place))  # fmt: skip
            tx.run(FILL, source=source, code=f"{number:02d}/", checkpoint=checkpoint, lanes=lanes, steps=STEPS,
                   start=start, total=each, seconds=seconds, low=0, high=each - 1)  # fmt: skip
            if number == 0 or not copied:
                tx.run("INSERT INTO customs.sum_due SELECT %(c)s, d::date FROM generate_series(%(f)s::date, %(l)s::date, '1 day') AS d",
                       c=checkpoint, f=FIRST, l=LAST)  # fmt: skip
        print(f"  {number + 1} of {checkpoints} checkpoints filled", flush=True)
    for row in kept:
        if not row["indexname"].endswith("pkey"):
            with database.transaction() as tx:
                tx.run(row["indexdef"])
    return made


def copy_sums(database: Database, made: list[object]) -> None:
    """Give every checkpoint the sums of the first, then have the product sum them all together."""
    with database.transaction() as tx:
        tx.run("INSERT INTO customs.sum SELECT grain, c, day, facet, value, procedures, ended, wait_s, took, waited "
               "FROM customs.sum, unnest(%(others)s::uuid[]) AS c WHERE checkpoint_id = %(first)s",
               first=made[0], others=made[1:])  # fmt: skip
        tx.run("INSERT INTO customs.sum_due SELECT %(w)s, d::date FROM generate_series(%(f)s::date, %(l)s::date, '1 day') AS d",
               w=WHOLE, f=FIRST, l=LAST)  # fmt: skip
    began = time.monotonic()
    days = sum_due(database)
    took = time.monotonic() - began
    print(f"{days} days of all checkpoints together: {took:.0f} s, {took / days * 1000:.1f} ms a day", flush=True)


def timed(ask, times: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Median and p95 in ms."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        ask()
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=20)[18] if times > 1 else took[0]


def main() -> None:
    procedures = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    checkpoints = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    copied = sys.argv[3:] == ["copied"]
    folder, chance = rig.scratch(), random.Random(2)
    with rig.postgres(folder) as url:
        database = Database.open(url, size=4)
        migrate(database, ROOMS)
        began = time.monotonic()
        made = fill(database, procedures, checkpoints, copied)
        print(f"{procedures} procedures with their indexes: {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        days = sum_due(database)
        took = time.monotonic() - began
        print(f"{days} days of sums: {took:.0f} s, {took / days * 1000:.1f} ms a day", flush=True)
        if copied:
            copy_sums(database, made)
        with database.transaction() as tx:
            tx.run("ANALYZE")
            size = tx.one(
                "SELECT pg_total_relation_size('customs.procedure') AS p, pg_total_relation_size('customs.sum') AS s, (SELECT count(*) FROM customs.sum) AS n"
            )
        print(f"procedures {size['p'] / 1e9:.2f} GB, sums {size['s'] / 1e6:.0f} MB in {size['n']} rows", flush=True)

        def ours(checkpoint: object, first: date, last: date) -> None:
            with database.transaction() as tx:
                dashboard.overview(tx, checkpoint_id=checkpoint, first=first, last=last)  # type: ignore[arg-type]

        def plain(checkpoint: object, first: date, last: date) -> None:
            with database.transaction() as tx:
                tx.all(PLAIN, checkpoint=checkpoint, start=day_span(first).start, end=day_span(last).end)

        def odd() -> tuple[date, date]:
            first = FIRST + timedelta(days=chance.randrange(300))
            return first, first + timedelta(days=chance.randrange(200, 420))

        month = (date(2026, 10, 1), LAST)
        for says, ask_ours, ask_plain, times in (
            ("one checkpoint, two years", lambda: ours(chance.choice(made), FIRST, LAST), lambda: plain(made[0], FIRST, LAST), 5),
            ("one checkpoint, odd spans", lambda: ours(chance.choice(made), *odd()), lambda: plain(made[1], *odd()), 5),
            ("one checkpoint, a month", lambda: ours(chance.choice(made), *month), lambda: plain(made[2], *month), 5),
            ("all checkpoints, two years", lambda: ours(None, FIRST, LAST), lambda: plain(None, FIRST, LAST), 1),
            ("all checkpoints, odd spans", lambda: ours(None, *odd()), lambda: plain(None, *odd()), 1),
        ):  # fmt: skip
            median, p95 = timed(ask_ours, TIMES)
            slow, _ = timed(ask_plain, times)
            print(
                f"{says}: median {median:.0f} ms, p95 {p95:.0f} ms; plain SQL {slow:.0f} ms; {median / slow:.4f} of it",
                flush=True,
            )
        database.close()


if __name__ == "__main__":
    main()
