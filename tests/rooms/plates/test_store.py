"""Reads on real PostgreSQL: each once, in the partition of its day, whoever writes how often."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.rooms.plates.conftest import NOON

from svidok.base import NotFound
from svidok.db import Database
from svidok.plates import store
from svidok.plates.model import Direction
from svidok.plates.store import Reads


def test_a_read_comes_back_as_it_was(database: Database, make, fresh_id) -> None:
    read = make(
        "AA1234BB", as_read="AA 1234 BB", id=fresh_id, country="UA", direction=Direction.AWAY, lane=2, speed_kmh=61.5,
        heading_deg=270.0, vehicle="car", alternatives=(("AA1234B8", 0.07),), box=(10, 20, 300, 200), image=fresh_id,
        channel_id=fresh_id,
    )  # fmt: skip
    assert Reads(database).add([read]) == [read]
    with database.transaction() as tx:
        assert store.read_by_id(tx, read.id, taken_at=read.taken_at) == read


def test_what_is_sent_again_is_kept_once(database: Database, make) -> None:
    reads = [make("AB1111CC", minutes=n) for n in range(5)]
    first, second = Reads(database), Reads(database)
    assert first.add([*reads, reads[0]]) == reads
    assert second.add(reads) == []
    assert second.add([*reads, make("AB1111CC", minutes=9)]) == [make("AB1111CC", minutes=9)]


def test_days_get_their_partitions_and_go_whole(database: Database, make) -> None:
    midnight = datetime(2026, 11, 18, tzinfo=UTC)
    kept = make("AC0001AA", taken_at=midnight - timedelta(microseconds=1), id=make("x1").id)
    later = make("AC0001AA", taken_at=midnight, id=make("x2").id)
    Reads(database).add([kept, later])
    with database.transaction() as tx:
        assert {date(2026, 11, 17), date(2026, 11, 18)} <= set(store.days(tx))
        store.keep(tx, kept.id, taken_at=kept.taken_at)
        store.drop_day(tx, date(2026, 11, 17))
        store.drop_day(tx, date(2026, 11, 17))
        store.drop_day(tx, date(2026, 11, 18))
        assert store.read_by_id(tx, kept.id, taken_at=kept.taken_at) == kept
        with pytest.raises(NotFound):
            store.read_by_id(tx, later.id, taken_at=later.taken_at)


def test_many_writers_of_the_same_new_plates_and_days_lose_nothing(database: Database, make) -> None:
    day = timedelta(days=3)
    batches = [
        [make(f"AK{n:04d}HH", camera, minutes=writer, taken_at=NOON - day, id=make(f"{n} {camera} {writer}").id)
         for n in range(40)]
        for writer in range(4) for camera in range(2)
    ]  # fmt: skip
    added: list[int] = []
    threads = [
        threading.Thread(target=lambda batch=batch: added.append(len(Reads(database).add(batch)))) for batch in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(added) == 8 * 40


def test_a_batch_that_fails_leaves_nothing_and_the_next_is_taken(database: Database, make) -> None:
    reads = Reads(database)
    with pytest.raises(Exception, match="confidence"):
        reads.add([make("AI0001AA"), make("AI0002AA", confidence=7.0)])
    assert len(reads.add([make("AI0001AA"), make("AI0002AA")])) == 2


def totals(database: Database, text: str) -> tuple[int, datetime | None]:
    with database.transaction() as tx:
        row = tx.one("SELECT reads, last_at FROM plates.plate WHERE text = %(text)s", text=text)
    return row["reads"], row["last_at"]


def test_what_comes_is_counted_once_however_often_it_is_sent_and_counted(database: Database, make) -> None:
    morning = datetime(2026, 10, 1, 5, tzinfo=UTC)
    reads = [make("AM7777AA", taken_at=morning + timedelta(minutes=n), id=make(f"s{n}").id) for n in range(3)]
    Reads(database).add(reads)
    assert totals(database, "AM7777AA") == (0, None)
    threads = [threading.Thread(target=lambda: store.count_seen(database, at=NOON)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Reads(database).add([*reads, make("AM7777AA", taken_at=morning - timedelta(days=2), id=make("late").id)])
    store.count_seen(database, at=NOON)
    assert totals(database, "AM7777AA") == (4, morning + timedelta(minutes=2))  # what came late was taken before
    with database.transaction() as tx:
        store.drop_day(tx, morning.date())
    assert totals(database, "AM7777AA") == (1, morning + timedelta(minutes=2))


def test_what_was_counted_is_kept_for_those_who_hold_plates_in_memory_and_then_goes(database: Database, make) -> None:
    at = NOON + timedelta(days=2)
    Reads(database).add([make("AN1111AA", received_at=at, id=make("an").id)])
    store.count_seen(database, at=at)

    def kept() -> int:
        with database.transaction() as tx:
            return int(tx.one("SELECT count(*) AS n FROM plates.seen WHERE at = %(at)s", at=at)["n"])

    assert kept() == 1
    store.count_seen(database, at=at + store.SEEN_KEPT + timedelta(seconds=1))
    assert kept() == 0
