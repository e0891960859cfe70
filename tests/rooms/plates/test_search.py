"""What an investigator finds: plates however they were read, in pages that do not move, with journey and company."""

from datetime import timedelta
from uuid import UUID

import pytest
from tests.rooms.plates.conftest import CAMERAS, NOON, Station

from svidok.base import BadInput, Span, new_id
from svidok.plates import completeness, journeys
from svidok.plates.keeping_fresh import FreshDictionary
from svidok.plates.model import Direction
from svidok.plates.patterns import parse
from svidok.plates.search import Cursor, Page, Where, passing, search
from svidok.plates.store import Reads

DAY = Span(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


@pytest.fixture(scope="module")
def fresh(station: Station) -> FreshDictionary:
    return FreshDictionary(station.database)


def find(station: Station, fresh: FreshDictionary, typed: str, where: Where | None = None, **how: object) -> Page:
    if fresh._counted_to is None:
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
