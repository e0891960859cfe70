"""Hotlists: whose, how long, agreed by whom; every arriving read is held against them in the same transaction."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.rooms.plates.conftest import CAMERAS, Station

from svidok.access import Role
from svidok.base import BadInput, Conflict, Forbidden, NotFound, SystemClock, new_id
from svidok.db import Row
from svidok.plates import hotlist_file, hotlists, standing
from svidok.plates.matching import SQL, Matcher, Watch
from svidok.plates.rules import Rules
from svidok.plates.store import Reads

CLOCK = SystemClock()
NOW = CLOCK.now()
TOMORROW = (NOW + timedelta(days=1)).date().isoformat()


def new_list(station: Station, *, see_units: tuple[UUID, ...] = ()) -> UUID:
    with station.database.transaction() as tx:
        return hotlists.make(
            tx, actor=station.actors[Role.SUPERVISOR], name=f"List {new_id()}", legal_basis="Act 1, art. 2", at=NOW,
            see_units=see_units,
        )  # fmt: skip


def enter(station: Station, list_id: UUID, plate: str, *, by: Role = Role.INVESTIGATOR, **how: object) -> int:
    known: dict[str, object] = {"reason": "stolen", "expires_at": NOW + timedelta(days=30), "at": NOW}
    one = hotlist_file.entry_of(plate=plate, **{**known, **how})  # type: ignore[arg-type]
    with station.database.transaction() as tx:
        return hotlists.add(tx, actor=station.actors[by], list_id=list_id, new=[one], at=NOW)


def entry(station: Station, list_id: UUID, *, waiting: bool = False) -> Row:
    with station.database.transaction() as tx:
        return hotlists.entries(tx, actor=station.actors[Role.SUPERVISOR], list_id=list_id, at=NOW, waiting=waiting)[0]


def hits(station: Station, make, plate: str, **how: object) -> list[Row]:
    matcher = Matcher(station.database, Rules())
    matcher.freshen(at=CLOCK.now(), now_s=CLOCK.monotonic())
    read = make(plate, id=new_id(), received_at=CLOCK.now(), **how)
    Reads(station.database).add([read], also=matcher.write_hits)
    with station.database.transaction() as tx:
        return tx.all("SELECT * FROM plates.hit WHERE read_id = %(id)s ORDER BY how", id=read.id)


def test_a_plate_a_pattern_and_another_reading_hit(station: Station, make) -> None:
    list_id = new_list(station)
    for plate in ("HA1111AA", "HA2???AA", "*9HZ9*"):
        assert enter(station, list_id, plate) == 1
    assert enter(station, list_id, "ha 1111 аа") == 0  # stands already
    assert [one["how"] for one in hits(station, make, "HA1111AA")] == ["exact"]
    assert [one["how"] for one in hits(station, make, "HA2345AA")] == ["pattern"]
    assert [one["how"] for one in hits(station, make, "A9HZ9B")] == ["pattern"]
    (other,) = hits(station, make, "HA111IAA", alternatives=(("HA1111AA", 0.4), ("HA2345AA", 0.01)))
    assert (other["how"], other["plate"], round(other["likelihood"], 2)) == ("alternative", "HA1111AA", 0.4)
    assert hits(station, make, "ZZ1111ZZ") == []


def test_high_priority_waits_for_a_second_person(station: Station, make) -> None:
    list_id = new_list(station)
    enter(station, list_id, "HB1111AA", priority="high", by=Role.SUPERVISOR)
    assert hits(station, make, "HB1111AA") == []
    waiting = entry(station, list_id, waiting=True)
    with station.database.transaction() as tx:
        for role in (Role.SUPERVISOR, Role.INVESTIGATOR):  # who entered it, and who may not
            with pytest.raises(Forbidden):
                hotlists.approve(tx, actor=station.actors[role], entry_id=waiting["id"], at=NOW)
    enter(station, list_id, "HB2222AA", priority="high", by=Role.INVESTIGATOR)
    with station.database.transaction() as tx:
        second = hotlists.entries(tx, actor=station.actors[Role.SUPERVISOR], list_id=list_id, at=NOW, text="HB2222")[0]
        hotlists.approve(tx, actor=station.actors[Role.SUPERVISOR], entry_id=second["id"], at=NOW)
        with pytest.raises(Conflict):
            hotlists.approve(tx, actor=station.actors[Role.SUPERVISOR], entry_id=second["id"], at=NOW)
    assert len(hits(station, make, "HB2222AA")) == 1


def test_what_ended_or_ran_out_hits_no_more(station: Station, make) -> None:
    list_id = new_list(station)
    enter(station, list_id, "HC1111AA")
    assert len(hits(station, make, "HC1111AA")) == 1
    with station.database.transaction() as tx:
        hotlists.end_entry(tx, actor=station.actors[Role.SUPERVISOR], entry_id=entry(station, list_id)["id"], at=NOW)
    assert hits(station, make, "HC1111AA") == []
    watch = Watch([(new_id(), "HC2222AA", False, NOW)])
    assert watch.matches(make("HC2222AA", received_at=NOW + timedelta(seconds=1)), Rules()) == []
    assert len(watch.matches(make("HC2222AA", received_at=NOW - timedelta(seconds=1)), Rules())) == 1


def test_a_list_of_another_unit_is_not_there(station: Station) -> None:
    list_id = new_list(station, see_units=(new_id(),))
    with station.database.transaction() as tx:
        with pytest.raises(NotFound):
            hotlists.entries(tx, actor=station.actors[Role.DISPATCHER], list_id=list_id, at=NOW)
        seen = {row["id"] for row in hotlists.all_lists(tx, actor=station.actors[Role.DISPATCHER], at=NOW)}
        own = {row["id"] for row in hotlists.all_lists(tx, actor=station.actors[Role.SUPERVISOR], at=NOW)}
    assert list_id not in seen
    assert list_id in own  # who made it sees it


def test_a_list_needs_its_law_and_a_name_of_its_own(station: Station) -> None:
    with station.database.transaction() as tx:
        supervisor = station.actors[Role.SUPERVISOR]
        with pytest.raises(BadInput):
            hotlists.make(tx, actor=supervisor, name="x", legal_basis="", at=NOW)
        hotlists.make(tx, actor=supervisor, name="Taken", legal_basis="Act 1, art. 2", at=NOW)
        with pytest.raises(Conflict):
            hotlists.make(tx, actor=supervisor, name="Taken", legal_basis="Act 1, art. 2", at=NOW)
        with pytest.raises(Forbidden):
            hotlists.make(tx, actor=station.actors[Role.DISPATCHER], name="y", legal_basis="Act 1, art. 2", at=NOW)


def test_a_camera_that_misreads_withdraws_and_comes_back(station: Station, make) -> None:
    list_id = new_list(station)
    enter(station, list_id, "HD1111AA")
    rules = Rules(misread_least=4, misread_share=0.5)
    found = [hits(station, make, "HD1111AA", camera=4)[0] for _ in range(4)]
    with station.database.transaction() as tx:
        for one in found[:2]:
            tx.run(SQL["judge_hit"], ids=[one["id"]], verdict="misread")
        tx.run(SQL["judge_hit"], ids=[found[2]["id"]], verdict="outdated")  # read rightly: the list was wrong
        assert not standing.judge(tx, CAMERAS[4], rules=rules, at=CLOCK.now())
        tx.run(SQL["judge_hit"], ids=[found[3]["id"]], verdict="misread")
        assert standing.judge(tx, CAMERAS[4], rules=rules, at=CLOCK.now())
        assert not standing.judge(tx, CAMERAS[4], rules=rules, at=CLOCK.now())  # said once
    assert [one["withheld"] for one in hits(station, make, "HD1111AA", camera=4)] == [True]
    with station.database.transaction() as tx:
        with pytest.raises(Forbidden):
            standing.reinstate(
                tx, actor=station.actors[Role.DISPATCHER], camera_id=CAMERAS[4], reason="", at=CLOCK.now()
            )
        supervisor = station.actors[Role.SUPERVISOR]
        standing.reinstate(tx, actor=supervisor, camera_id=CAMERAS[4], reason="cleaned", at=CLOCK.now())
        assert standing.record_of(tx, CAMERAS[4]) == standing.Record(right=0, misread=0)
    assert [one["withheld"] for one in hits(station, make, "HD1111AA", camera=4)] == [False]


def test_a_file_with_a_mark_semicolons_and_doubles() -> None:
    text = (
        "\ufeffPlate;Reason;Priority;Expires;Instructions\r\n"
        f"аа 1234 вв;викрадено;HIGH;{TOMORROW};стояти\r\n"
        f"AA1234BB;стоїть двічі;;{TOMORROW};\r\n"
        f"AA??34??;візерунок;low;31.12.{NOW.year + (NOW.month == 12)};\r\n"
        ";;;;\r\n"
        f"🚗;нічого;;{TOMORROW};\r\n"
        "AA1111BB;вчора;;2020-01-01;\r\n"
        "AA1112BB;коли?;;soon;\r\n"
        f"AA1113BB;;;{TOMORROW};\r\n"
        f"AA1114BB;так;urgent;{TOMORROW};\r\n"
    )
    found = hotlist_file.read(text.encode(), at=NOW)
    assert [(one.plate, one.priority, one.is_pattern) for one in found.entries] == [
        ("AA1234BB", "high", False), ("AA??34??", "low", True),
    ]  # fmt: skip
    assert found.doubles == 1
    assert [line for line, _ in found.bad] == [6, 7, 8, 9, 10]
    same = hotlist_file.read(text.removeprefix("\ufeff").encode("cp1251", "replace"), at=NOW)
    assert [one.plate for one in same.entries] == ["AA1234BB", "AA??34??"]


def test_what_is_written_is_read_back_and_runs_nothing() -> None:
    entries = [
        hotlist_file.entry_of(plate="AA1234BB", reason="=HYPERLINK(1)", expires_at=NOW + timedelta(days=2), at=NOW,
                              instructions="line; and\nanother"),
        hotlist_file.entry_of(plate="*12*", reason="why", expires_at=NOW + timedelta(days=2), at=NOW, priority="low"),
    ]  # fmt: skip
    written = hotlist_file.write(entries)
    assert ";=" not in written
    assert hotlist_file.read(written.encode(), at=NOW).entries == entries


@pytest.mark.parametrize("data", [b"", b"plate;reason\r\nAA1;x", b"\x00\x98\xff"])
def test_a_file_that_is_none_says_so(data: bytes) -> None:
    with pytest.raises(BadInput):
        hotlist_file.read(data, at=datetime(2026, 11, 25, tzinfo=UTC))


def test_a_hundred_thousand_entries_are_held_in_memory(make) -> None:
    watch = Watch((UUID(int=n + 1), f"W{n:06d}A", False, NOW + timedelta(days=99)) for n in range(100_000))
    assert watch.size == 100_000
    assert [one.entry_id for one in watch.matches(make("W054321A"), Rules())] == [UUID(int=54_322)]
