"""What an investigator finds: plates however they were read, in pages that do not move, with journey and company."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from tests.rooms.plates.conftest import CAMERAS, NOON, Station

from svidok.base import BadInput, Span, new_id
from svidok.db import Transaction
from svidok.plates import completeness, journeys, store
from svidok.plates.keeping_fresh import FreshDictionary
from svidok.plates.model import Direction
from svidok.plates.patterns import parse
from svidok.plates.search import Cursor, Page, Where, passing, search
from svidok.plates.store import SQL, Reads

DAY = Span(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


@pytest.fixture(scope="module")
def fresh(station: Station) -> FreshDictionary:
    return FreshDictionary(station.database)


def find(station: Station, fresh: FreshDictionary, typed: str, where: Where | None = None, **how: object) -> Page:
    if not fresh.loaded:
        fresh.load(at=NOON)
    fresh.refresh(at=NOON)
    with station.database.transaction() as tx:
        return search(tx, fresh.dictionary, parse(typed), where or Where(span=DAY), **how)  # type: ignore[arg-type]


def test_exact_patterns_and_errors_of_reading(station: Station, fresh: FreshDictionary, make) -> None:
    texts = ["AA3477BB", "AA3478BB", "AAO477BB", "BC3477XX", "AA3477B8", "AA347788"]
    Reads(station.database).add([make(text, minutes=n) for n, text in enumerate(texts)])
    assert [one.plate for one in find(station, fresh, "аа3477вв").reads] == ["AA3477BB"]
    assert {one.plate for one in find(station, fresh, "??34????").reads} == set(texts) - {"AAO477BB"}
    assert {one.plate for one in find(station, fresh, "*477*").reads} == set(texts) - {"AA3478BB"}
    one_edit = find(station, fresh, "AA3477BB~")
    assert {one.plate for one in one_edit.candidates} == {"AA3477BB", "AA3478BB", "AA3477B8", "AAO477BB"}
    assert [one.plate for one in one_edit.candidates][:2] == ["AA3477BB", "AA3477B8"]  # 8 and B are alike
    assert {one.plate for one in find(station, fresh, "AA3477BB~~").candidates} >= {"AA347788"}
    assert find(station, fresh, "ZZ9999ZZ").reads == []


def test_what_else_narrows(station: Station, fresh: FreshDictionary, make) -> None:
    away = make("KA1000AA", 1, 1, direction=Direction.AWAY, country="PL", confidence=0.5)
    Reads(station.database).add([make("KA1000AA", 0, 0, country="UA"), away])

    def found(**how: object) -> list[UUID]:
        return [one.id for one in find(station, fresh, "KA1000AA", Where(span=DAY, **how)).reads]  # type: ignore[arg-type]

    assert len(found()) == 2
    for how in ({"cameras": (CAMERAS[1],)}, {"direction": Direction.AWAY}, {"country": "PL"}):
        assert found(**how) == [away.id]
    assert found(least_confidence=0.6) != [away.id]
    assert found(cameras=()) == []


@pytest.mark.parametrize("typed", ["KB1???AA", "KB1000AA"])
def test_pages_do_not_move_while_reads_come(station: Station, fresh: FreshDictionary, make, typed: str) -> None:
    plates = ["KB1000AA"] if "?" not in typed else [f"KB1{n:03d}AA" for n in range(40)]
    old = [make(plates[n % len(plates)], n % 3, n // 3, id=new_id()) for n in range(90)]
    Reads(station.database).add(old)
    seen: list[UUID] = []
    page = find(station, fresh, typed, limit=25)
    known = {one.id for one in page.reads}
    while page.after is not None:
        seen += [one.id for one in page.reads]
        Reads(station.database).add([make(plates[0], 4, 100 + len(seen), id=new_id())])
        page = find(station, fresh, typed, limit=25, cursor=Cursor.parse(str(page.after)))
    seen += [one.id for one in page.reads]
    assert len(seen) == len(set(seen))
    assert set(seen) >= {one.id for one in old}
    assert known <= set(seen)
    with pytest.raises(BadInput):
        Cursor.parse("yesterday")


def test_all_reads_of_a_place_and_time(station: Station, make) -> None:
    Reads(station.database).add([make(f"KC{n:04d}AA", 5, n, id=new_id()) for n in range(30)])
    where = Where(span=Span(NOON + timedelta(minutes=5), NOON + timedelta(minutes=15)), cameras=(CAMERAS[5],))
    with station.database.transaction() as tx:
        page = passing(tx, where, limit=100)
        with pytest.raises(BadInput):
            passing(tx, Where(span=DAY))
    assert [one.plate for one in page.reads] == [f"KC{n:04d}AA" for n in range(14, 4, -1)]


def test_a_journey_has_stops_speeds_and_what_cannot_be(station: Station, make) -> None:
    Reads(station.database).add([make("KE1000AA", camera, minutes) for camera, minutes in
                                 [(0, 0), (0, 1), (1, 20), (2, 40), (5, 41)]])  # fmt: skip
    with station.database.transaction() as tx:
        stops, whole = journeys.journey(tx, "KE1000AA", DAY)
        assert journeys.journey(tx, "NOBODY", DAY) == ([], True)
    assert whole
    assert [len(stop.reads) for stop in stops] == [2, 1, 1, 1]
    assert [stop.impossible for stop in stops] == [False, False, False, True]
    assert stops[1].km == pytest.approx(11.1, abs=0.2)
    assert 30 < (stops[1].speed_kmh or 0) < 40


def test_who_travelled_together(station: Station, make) -> None:
    reads = []
    for camera in range(5):
        reads += [make("KH1000AA", camera, 500 + camera * 20), make("KH2000BB", camera, 500 + camera * 20 + 0.5)]
        reads += [make(f"KH{camera}{n:03d}XX", camera, 500 + camera * 20 + n / 10) for n in range(10)]
    reads += [make("KH3000CC", camera, 500 + camera * 20 + 1) for camera in range(2)]
    Reads(station.database).add(reads)
    with station.database.transaction() as tx:
        found = journeys.companions(tx, "KH1000AA", DAY, cameras=3)
        pair = journeys.companions(tx, "KH1000AA", DAY, cameras=2)
        with pytest.raises(BadInput):
            journeys.companions(tx, "KH1000AA", DAY, cameras=1)
    assert [(one.plate, one.cameras) for one in found] == [("KH2000BB", 5)]
    assert found[0].apart_s == pytest.approx(30, abs=1)
    assert [one.plate for one in pair] == ["KH2000BB", "KH3000CC"]


def test_company_is_found_across_midnight_and_counted_once_a_passage(station: Station, make) -> None:
    midnight = NOON - timedelta(days=9, hours=12)
    span = Span(midnight - timedelta(hours=2), midnight + timedelta(hours=2))
    own = [midnight - timedelta(hours=1), midnight - timedelta(seconds=20), midnight + timedelta(hours=1)]
    reads = [make("KM1000AA", camera, taken_at=at, id=new_id()) for camera, at in enumerate(own)]
    for camera, at in enumerate(own):  # it is read twice each time: the nearer read tells how far behind it was
        reads += [make("KM2000BB", camera, taken_at=at + timedelta(seconds=n), id=new_id()) for n in (40, 70)]
    Reads(station.database).add(reads)
    with station.database.transaction() as tx:
        found = journeys.companions(tx, "KM1000AA", span, cameras=3)
    assert [(one.plate, one.cameras, one.times, one.apart_s) for one in found] == [("KM2000BB", 3, 3, 40.0)]


def looked_into(plan: object) -> set[str]:
    """The partitions of reads that a plan looked into when it ran."""
    if isinstance(plan, list):
        return set().union(*map(looked_into, plan))
    if not isinstance(plan, dict):
        return set()
    name = str(plan.get("Relation Name", ""))
    below = set().union(*map(looked_into, plan.values()))
    return below | ({name} if name.startswith("read_") and plan["Actual Loops"] else set())


def test_questions_are_planned_once_and_look_into_the_days_that_they_mean_alone(station: Station, make) -> None:
    """A plan over many partitions is dear: it is kept, and partitions are left out when it runs."""
    Reads(station.database).add([make("KN1000AA", taken_at=NOON - timedelta(days=n), id=new_id()) for n in range(6)])
    own = NOON - timedelta(days=3)
    asked: dict[str, object] = {
        "plate": 1, "slack": journeys.CONVOY_SLACK, "start": NOON - timedelta(days=30), "end": NOON,
        "cameras": [CAMERAS[0]], "takens": [own],
    }  # fmt: skip
    with station.database.transaction() as tx:
        for _ in range(2):
            tx.all_planned_once(SQL["near_passages"], **asked)
        kept = tx.one(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%AS apart_us%%'"
        )
        assert (kept["generic_plans"], kept["custom_plans"]) == (2, 0)
        assert tx.one("SHOW plan_cache_mode")["plan_cache_mode"] == "auto"
        (row,) = tx.all_planned_once("EXPLAIN (ANALYZE, FORMAT JSON) " + SQL["near_passages"], **asked)
    assert looked_into(row["QUERY PLAN"]) == {f"read_{own:%Y%m%d}"}


def test_what_commits_late_is_learnt_late_and_once(station: Station, make) -> None:
    """Neither the order of ids nor the clock tells what a process that searches does not know yet."""
    fresh = FreshDictionary(station.database)
    fresh.load(at=NOON)
    begun, go_on = threading.Event(), threading.Event()

    def hold(_tx: Transaction, _new: object) -> None:
        begun.set()
        assert go_on.wait(60)

    slow = threading.Thread(target=lambda: Reads(station.database).add([make("KP1000AA", id=new_id())], also=hold))
    slow.start()
    assert begun.wait(60)
    Reads(station.database).add([make("KP2000AA", 1, n, id=new_id()) for n in range(2)])
    assert fresh.refresh(at=NOON) == 1
    go_on.set()
    slow.join()
    store.count_seen(station.database, at=NOON)
    assert fresh.refresh(at=NOON) == 1
    assert fresh.refresh(at=NOON) == 0
    _, known = fresh.dictionary.find(parse("KP?000AA").pattern, most=9)  # type: ignore[arg-type]
    assert {one.text: one.reads for one in known} == {"KP1000AA": 1, "KP2000AA": 2}
    anew = FreshDictionary(station.database)
    anew.load(at=NOON)
    assert set(anew.dictionary.find(parse("KP?000AA").pattern, most=9)[1]) == set(known)  # type: ignore[arg-type]


def test_who_slept_long_begins_anew(station: Station, make) -> None:
    fresh = FreshDictionary(station.database)
    fresh.load(at=NOON)
    Reads(station.database).add([make("KR1000AA", id=new_id())])
    store.count_seen(station.database, at=NOON + timedelta(days=1))
    fresh.refresh(at=NOON + timedelta(days=1))
    assert fresh.dictionary.find(parse("KR1000A?").pattern, most=9)[0] == 1  # type: ignore[arg-type]


def test_an_answer_says_how_complete_it_is(station: Station, make) -> None:
    quiet = Span(NOON - timedelta(days=40), NOON - timedelta(days=39))
    Reads(station.database).add([make("KI1000AA", 0, id=new_id(), taken_at=quiet.start + timedelta(hours=3)),
                                 make("KI1000AA", 1, id=new_id(), taken_at=quiet.start + timedelta(hours=3))])  # fmt: skip
    with station.database.transaction() as tx:
        channel = new_id()
        tx.run("INSERT INTO fleet.channel (id, camera_id) VALUES (%(id)s, %(camera)s)", id=channel, camera=CAMERAS[1])
        tx.run("INSERT INTO recording.gap (id, channel_id, start_at, end_at, reason) VALUES (%(id)s, %(c)s, %(s)s, %(e)s, "
               "'camera-silent')", id=new_id(), c=channel, s=quiet.start, e=quiet.start + timedelta(hours=1))  # fmt: skip
        told = completeness.of(completeness.rows(tx, quiet, CAMERAS[:3]))
    assert (told.cameras, told.answered, told.silent, told.in_gap) == (3, 2, [CAMERAS[2]], [CAMERAS[1]])
    assert not told.whole


def test_cameras_in_a_box_and_in_a_polygon(station: Station) -> None:
    with station.database.transaction() as tx:
        assert completeness.cameras_in(tx, [(23.9, 49.75), (24.1, 49.95)]) == CAMERAS[:2]
        triangle = completeness.area_of("23.9,49.75,24.1,49.75,24.1,50.1")
        assert completeness.cameras_in(tx, triangle) == CAMERAS[:2]
        for bad in ("1,2,3", "a,b", "nan,1,2,3"):
            with pytest.raises(BadInput):
                completeness.area_of(bad)
        with pytest.raises(BadInput):
            completeness.cameras_in(tx, [(0.0, 95.0), (1.0, 1.0)])
