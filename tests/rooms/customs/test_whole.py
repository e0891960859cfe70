"""Sums of all checkpoints together are what plain SQL says of the procedures, whatever was corrected in between."""

import random
import threading
import time
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.rooms.customs.conftest import NOON, Post

from svidok.access import Role
from svidok.base import SvidokError
from svidok.customs import checkpoints, dashboard
from svidok.customs.checkpoints import SQL, Source
from svidok.customs.histogram import added, histogram
from svidok.customs.importing import take
from svidok.customs.model import KYIV
from svidok.customs.sums import WHOLE, parts, sum_due
from svidok.db import Database

FIRST = date(2026, 9, 20)
DAYS = 50
CODES = ("UA100001", "UA100002", "UA100003")

PLAIN = """
WITH rows AS (
    SELECT l.code AS lane, p.kind, to_char(p.start_at AT TIME ZONE 'Europe/Kyiv', 'HH24') AS hour,
           extract(epoch FROM p.end_at - p.start_at)::float8 AS took,
           extract(epoch FROM p.start_at - p.queued_at)::float8 AS waited
    FROM customs.procedure p JOIN customs.lane l ON l.id = p.lane_id
    WHERE (p.start_at AT TIME ZONE 'Europe/Kyiv')::date BETWEEN %(first)s AND %(last)s)
SELECT lane, kind, hour, grouping(lane, kind, hour) AS by, count(*)::int AS procedures,
       array_remove(array_agg(took), NULL) AS took, array_remove(array_agg(waited), NULL) AS waited
FROM rows GROUP BY GROUPING SETS ((), (lane), (kind), (hour))
"""

IRREGULAR = """
SELECT i->>'cause' || '/' || (i->>'condition') AS value, count(*)::int AS procedures
FROM customs.procedure p, jsonb_array_elements(p.irregularities) AS i
WHERE (p.start_at AT TIME ZONE 'Europe/Kyiv')::date BETWEEN %(first)s AND %(last)s GROUP BY 1
"""

Sums = dict[tuple[str, str], tuple[int, int, int, bytes, bytes]]


@pytest.fixture(scope="module")
def country(post: Post) -> tuple[Post, Source]:
    """Three checkpoints of two lanes, and a source that speaks for all."""
    with post.database.transaction() as tx:
        admin = post.people[Role.ADMINISTRATOR]
        for code in CODES:
            made = checkpoints.add_checkpoint(
                tx, actor=admin, code=code, name_uk=code, name_en=code, plates_due=False, body_due=False,
                upload_within=timedelta(hours=12), at=NOON,
            )  # fmt: skip
            for lane in ("1", "2"):
                checkpoints.add_lane(
                    tx, actor=admin, checkpoint_id=made, code=lane, name_uk=lane, name_en=lane, at=NOON
                )
        _, secret = checkpoints.add_source(tx, actor=admin, name="all", checkpoints=None, at=NOON)
        return post, checkpoints.source_of(tx, secret, at=NOON)


def some(chance: random.Random, number: int) -> dict[str, Any]:
    """A procedure as a source might tell it, on any of the days, near midnight and the change of clocks too."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=KYIV) + timedelta(
        days=chance.randrange(DAYS), minutes=chance.choice((0, 30, 179, 181, 239, 719, 1438, chance.randrange(1440)))
    )
    told: dict[str, Any] = {
        "number": f"W-{number}", "checkpoint": chance.choice(CODES), "lane": chance.choice("12"),
        "kind": chance.choice(("car", "lorry", "bus")), "direction": "in", "officers": ["140-1"],
        "started_at": start.isoformat(),
    }  # fmt: skip
    if chance.random() < 0.9:
        ended = start + timedelta(seconds=chance.choice((0, 1, 60, 599, 7200, chance.randrange(20_000))))
        told |= {"ended_at": ended.isoformat(), "outcome": "released"}
    if chance.random() < 0.7:
        told["queued_at"] = (start - timedelta(seconds=chance.randrange(9000))).isoformat()
    if chance.random() < 0.2:
        told["irregularities"] = [{"cause": "undeclared-goods", "condition": chance.choice(("night", "long-queue"))}]
    return told


def summed(database: Database, first: date, last: date) -> Sums:
    """What the sums say of a span."""
    months, days = parts(first, last + timedelta(days=1))
    with database.transaction() as tx:
        rows = tx.all(SQL["sums_between"], checkpoint_id=WHOLE, months=months, days=days)
    groups: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["facet"], row["value"]].append(row)
    return {
        key: (
            *(sum(row[name] for row in found) for name in ("procedures", "ended", "wait_s")),
            added(row["took"] for row in found).tobytes(),
            added(row["waited"] for row in found).tobytes(),
        )
        for key, found in groups.items()
    }


def counted(database: Database, first: date, last: date) -> Sums:
    """What plain SQL says of it."""
    with database.transaction() as tx:
        rows = tx.all(PLAIN, first=first, last=last)
        irregular = tx.all(IRREGULAR, first=first, last=last)
    nothing = histogram([]).tobytes()
    found: Sums = {("irregularity", row["value"]): (row["procedures"], 0, 0, nothing, nothing) for row in irregular}
    for row in rows:
        if row["procedures"]:
            facet = {7: "all", 3: "lane", 5: "kind", 6: "hour"}[row["by"]]
            took, waited = row["took"] or [], row["waited"] or []
            value = "" if facet == "all" else row[facet]
            found[facet, value] = (
                row["procedures"], len(took), sum(map(int, waited)), histogram(took).tobytes(),
                histogram(waited).tobytes(),
            )  # fmt: skip
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_told_and_corrected_the_whole_is_what_plain_sql_says(
    country: tuple[Post, Source], seed: int
) -> None:
    (post, source), chance = country, random.Random(seed)
    for _ in range(4):
        rows = [some(chance, chance.randrange(400)) for _ in range(100)]
        with post.database.transaction() as tx:
            once = {row["number"]: row for row in rows}
            assert take(tx, source, list(enumerate(once.values(), start=1)), at=NOON).refused == []
        sum_due(post.database)
        for _ in range(4):
            first = FIRST + timedelta(days=chance.randrange(DAYS))
            last = first + timedelta(days=chance.randrange(60))
            assert summed(post.database, first, last) == counted(post.database, first, last), (first, last)
    assert summed(post.database, FIRST, FIRST + timedelta(days=DAYS))[("all", "")][0] > 200


def test_each_checkpoint_stands_beside_the_whole_as_it_does_alone(country: tuple[Post, Source]) -> None:
    post, last = country[0], FIRST + timedelta(days=DAYS)
    with post.database.transaction() as tx:
        whole = dashboard.overview(tx, checkpoint_id=None, first=FIRST, last=last)
        alone = {
            one["checkpoint_id"]: dashboard.overview(tx, checkpoint_id=one["checkpoint_id"], first=FIRST, last=last)
            for one in whole["by_checkpoint"]
        }
    assert len(alone) == len(CODES)
    for one in whole["by_checkpoint"]:
        wanted = alone[one["checkpoint_id"]]["all"]
        assert {key: one[key] for key in wanted if key != "queue"} == {
            key: value for key, value in wanted.items() if key != "queue"
        }
    parts_of = Counter({"n": sum(one["procedures"] for one in whole["by_checkpoint"])})
    assert parts_of["n"] == whole["all"]["procedures"]


def test_what_is_told_while_a_day_is_summed_is_not_forgotten(country: tuple[Post, Source]) -> None:
    post, source = country
    told = some(random.Random(9), 9001) | {"checkpoint": CODES[0]}

    def deliver() -> None:
        with post.database.transaction() as tx:
            take(tx, source, [(1, told)], at=NOON)

    with post.database.transaction() as tx:
        take(tx, source, [(1, told | {"number": "W-9000"})], at=NOON)
    with post.database.transaction() as tx:
        assert len(tx.all(SQL["take_days_due"], most=31)) == 1  # as `sum_due` begins; it reads the procedures now
        late = threading.Thread(target=deliver)
        late.start()
        _until_it_waits(post.database)
    late.join(30)
    assert sum_due(post.database) == 1
    day = datetime.fromisoformat(told["started_at"]).astimezone(KYIV).date()
    assert summed(post.database, day, day) == counted(post.database, day, day)


def _until_it_waits(database: Database) -> None:
    until = time.monotonic() + 30
    waits = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while time.monotonic() < until:
        with database.transaction() as tx:
            if tx.one(waits)["n"]:
                return
        time.sleep(0.02)
    raise AssertionError("who marks a day does not wait for who sums it")


def test_two_who_sum_at_once_leave_nothing_out(country: tuple[Post, Source]) -> None:
    (post, source), chance = country, random.Random(7)
    failed: list[Exception] = []

    def work() -> None:
        try:
            sum_due(post.database)
        except (SvidokError, psycopg.Error) as error:
            failed.append(error)

    for number in range(3):
        rows = [some(chance, 500 + number * 50 + n) for n in range(50)]
        with post.database.transaction() as tx:
            take(tx, source, list(enumerate(rows, start=1)), at=NOON)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    sum_due(post.database)
    assert failed == []
    last = FIRST + timedelta(days=DAYS)
    assert summed(post.database, FIRST, last) == counted(post.database, FIRST, last)


def test_days_that_were_summed_before_there_was_a_whole_are_made_up_for(country: tuple[Post, Source]) -> None:
    database, last = country[0].database, FIRST + timedelta(days=DAYS)
    with database.transaction() as tx:
        tx.run("DELETE FROM customs.sum WHERE checkpoint_id = %(w)s", w=WHOLE)
        tx.run("INSERT INTO customs.sum_due (checkpoint_id, day) SELECT DISTINCT %(w)s::uuid, day FROM customs.sum "
               "WHERE grain = 'd'", w=UUID(int=0))  # fmt: skip
    assert sum_due(database) > 20
    assert summed(database, FIRST, last) == counted(database, FIRST, last)
