"""The fleet on a real database: imported, found, followed through its life, judged, its logins sealed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from svidok.access import Actor, Role, accounts
from svidok.base import BadInput, Conflict, Forbidden, NotFound, new_id
from svidok.db import Database
from svidok.fleet import Life, health, inspection, registry, search
from svidok.fleet.credentials import Safe
from svidok.fleet.health import Heartbeat
from svidok.fleet.importing import ImportReport, import_cameras
from svidok.fleet.regions import regions
from svidok.fleet.search import Filters, Frame

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODES = list(regions())
HEAD = "number,name_uk,kind,owner,region_code,lat,lon,maker,firmware,life,retention_class,site,url,sub_url,username,password"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return Safe(tmp_path / "keys" / "credentials.key")


@pytest.fixture
def fleet(database: Database) -> None:
    with database.transaction() as tx:
        tx.run("TRUNCATE fleet.camera, fleet.site, fleet.policy CASCADE")


@pytest.fixture
def add(database: Database) -> Callable[[Role], Actor]:
    def add(role: Role) -> Actor:
        with database.transaction() as tx:
            return accounts.add_account(
                tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[role], unit_id=None,
                at=NOON,
            )  # fmt: skip

    return add


@pytest.fixture
def take(database: Database, safe: Safe, add, fleet: None) -> Callable[..., ImportReport]:
    boss = add(Role.ADMINISTRATOR)

    def take(*rows: str, progress: Callable[..., None] = lambda *_: None) -> ImportReport:
        data = "\n".join([HEAD, *rows]).encode()
        return import_cameras(database, data, actor=boss, safe=safe, at=NOON, progress=progress)

    return take


def row(
    number: str, *, region: int = 0, life: str = "working", lat: float = 50.0, lon: float = 30.0, kind: str = "overview",
    maker: str = "Acme", login: str = "eye", password: str = "secret",
) -> str:  # fmt: skip
    return (
        f"{number},Камера {number},{kind},police,{CODES[region]},{lat},{lon},{maker},1.0,{life},street,Майдан,"
        f"rtsp://10.0.0.1/{number},rtsp://10.0.0.1/{number}/sub,{login},{password}"
    )


def ids(database: Database) -> dict[str, UUID]:
    with database.transaction() as tx:
        return {one["number"]: one["id"] for one in search.page(tx, Filters(), limit=500)}


def test_an_import_takes_the_good_names_the_bad_and_twice_changes_nothing(database: Database, take) -> None:
    report = take(row("A-1"), "A-2,too,few", row("A-3"), row("A-1"))
    assert (report.taken, report.known, [line for line, _ in report.bad_rows]) == (2, 0, [3, 5])
    again = take(row("A-1"), row("A-3"), row("A-4"))
    assert (again.taken, again.known) == (1, 2)
    with database.transaction() as tx:
        assert search.count(tx, Filters()) == 3
        assert len(tx.all(registry.SQL["sites"])) == 1
        streams = registry.streams_of(tx, [ids(database)["A-1"]])
    assert [(s["role"], s["url"]) for s in next(iter(streams.values()))] == [
        ("main", "rtsp://10.0.0.1/A-1"), ("sub", "rtsp://10.0.0.1/A-1/sub"),
    ]  # fmt: skip


def test_what_was_taken_before_a_stop_is_written_down(database: Database, take, monkeypatch) -> None:
    monkeypatch.setattr("svidok.fleet.importing._BATCH", 2)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(row("A-1"), row("A-2"), row("A-3"), progress=stop)
    with database.transaction() as tx:
        assert search.count(tx, Filters()) == 2
        lines = tx.all("SELECT what FROM access.audit WHERE action = 'edit_fleet' ORDER BY id DESC LIMIT 1")
    assert lines[0]["what"]["imported"] == 2


def test_only_an_administrator_imports(database: Database, safe: Safe, add) -> None:
    with pytest.raises(Forbidden):
        import_cameras(database, b"", actor=add(Role.SUPERVISOR), safe=safe, at=NOON, progress=lambda *_: None)


def test_logins_are_sealed_to_their_camera_and_their_key(database: Database, take, safe: Safe, tmp_path: Path) -> None:
    take(row("A-1", password="canary-7f3a"), row("A-2", login="", password=""))
    found = ids(database)
    with database.transaction() as tx:
        everything = "".join(str(one) for table in ("camera", "stream", "life_change")
                             for one in tx.all(f"SELECT t::text FROM fleet.{table} t"))  # fmt: skip
        everything += "".join(str(one) for one in tx.all("SELECT a::text FROM access.audit a"))
        assert "canary-7f3a" not in everything
        sealed = {one["number"]: one["sealed_login"] for one in tx.all("SELECT number, sealed_login FROM fleet.camera")}
        (main, _) = [s for s in registry.streams_to_record(tx, safe) if s.camera_id == found["A-1"]]
        assert (main.username, main.password) == ("eye", "canary-7f3a")
        assert "sealed_login" not in registry.camera(tx, found["A-1"])
    assert safe.open(found["A-2"], sealed["A-2"]) == ("", "")
    for key, camera in ((safe, found["A-2"]), (Safe(tmp_path / "other.key"), found["A-1"])):
        with pytest.raises(Conflict):
            key.open(camera, bytes(sealed["A-1"]))
    (tmp_path / "open.key").write_bytes(bytes(32))
    (tmp_path / "open.key").chmod(0o644)
    with pytest.raises(Conflict):
        Safe(tmp_path / "open.key")


def test_pages_follow_each_other_and_filters_hold(database: Database, take) -> None:
    take(*[row(f"N-{n:03d}", region=n % 3, kind="plate" if n % 2 else "overview") for n in range(25)])
    with database.transaction() as tx:
        seen, cursor = [], None
        while batch := search.page(tx, Filters(), cursor=cursor, limit=10):
            seen += [one["number"] for one in batch]
            cursor = batch[-1]["number"]
        assert seen == [f"N-{n:03d}" for n in range(25)]
        for filters, expected in (
            (Filters(kind="plate"), 12), (Filters(region=CODES[0]), 9), (Filters(text="n-01"), 10),
            (Filters(text="КАМЕРА N-024"), 1), (Filters(text="%"), 0), (Filters(text="_"), 0), (Filters(text="\\"), 0),
            (Filters(text="  "), 25), (Filters(life="silent"), 0), (Filters(owner="police", region=CODES[1]), 8),
            (Filters(finding="no-tls"), 0), (Filters(site=new_id()), 0), (Filters(text="'; DROP TABLE"), 0),
        ):  # fmt: skip
            assert search.count(tx, filters) == expected, filters
            assert len(search.page(tx, filters, limit=500)) == expected, filters
        assert len(search.page(tx, Filters(), limit=-5)) == 1


def test_cameras_are_found_by_site_region_and_id(database: Database, take) -> None:
    far = row("S-2", region=3).replace("Майдан", "Вокзал Південний")
    take(row("S-1", region=1), far, row("S-3", region=3))
    found, oblast = ids(database), regions()[CODES[3]]
    with database.transaction() as tx:

        def numbers(filters: Filters) -> list[str]:
            assert search.count(tx, filters) == len(search.page(tx, filters))
            return [one["number"] for one in search.page(tx, filters)]

        assert numbers(Filters(text="вокзал півд")) == ["S-2"]
        assert (
            numbers(Filters(text=oblast.name_uk[:6])) == numbers(Filters(text=oblast.name_en.upper())) == ["S-2", "S-3"]
        )
        assert numbers(Filters(ids=(found["S-3"], found["S-1"], new_id()))) == ["S-1", "S-3"]
        assert numbers(Filters(ids=())) == []


def test_the_map_gathers_what_is_dense(database: Database, take) -> None:
    take(*[row(f"M-{n:03d}", lat=50 + n / 1000, lon=30 + n / 1000) for n in range(300)], row("M-far", lat=45, lon=34))
    frame = Frame.parse("29,49,32,52")
    with database.transaction() as tx:
        points, clusters = search.on_map(tx, frame, zoom=14)
        assert (len(points), clusters) == (300, [])
        for zoom in (0, 6, -3, 11.5, 5000, float("nan"), float("inf")):
            points, clusters = search.on_map(tx, frame, zoom=zoom)
            total = len(points) + sum(one["count"] for one in clusters)
            assert total == 300, zoom
    for text in ("", "1,2,3", "a,b,c,d", "1,2,3,4,5"):
        with pytest.raises(BadInput):
            Frame.parse(text)


def test_a_silent_camera_is_flagged_in_time_and_comes_back(database: Database, take) -> None:
    take(row("H-1"), row("H-2"), row("H-3", life="planned"), row("H-4", life="destroyed"))
    found = ids(database)

    def beat(second: float, **oks: bool) -> list[tuple[str, str]]:
        with database.transaction() as tx:
            beats = [
                Heartbeat(camera_id=found[n.replace("_", "-")], ok=ok, says="" if ok else "refused")
                for n, ok in oks.items()
            ]
            health.heartbeats(tx, beats, at=at(second))
            names = {camera: number for number, camera in found.items()}
            return sorted((names[n.camera_id], str(n.after)) for n in health.sweep(tx, at=at(second)))

    assert beat(0, H_1=True, H_2=True, H_3=True, H_4=True) == [("H-3", "working")]
    news = {second: beat(second, H_1=False, H_2=True) for second in range(5, 35, 5)}
    flagged = [second for second, told in news.items() if ("H-1", "silent") in told]
    assert flagged
    assert flagged[0] <= 30
    assert sum(len(told) for told in news.values()) == 1
    assert beat(40, H_1=True, H_2=True) == [("H-1", "working")]
    with database.transaction() as tx:
        told = tx.all(registry.SQL["life_of"], camera_id=found["H-1"])
        assert [(one["before"], one["after"]) for one in told] == [
            ("silent", "working"), ("working", "silent"), (None, "working"),
        ]  # fmt: skip
        assert told[1]["reason"] == "refused"
        assert registry.camera(tx, found["H-4"])["life"] == "destroyed"


def test_a_beat_of_a_camera_nobody_knows_harms_nobody(database: Database, take) -> None:
    take(row("H-1"))
    with database.transaction() as tx:
        health.heartbeats(tx, [Heartbeat(camera_id=new_id(), ok=True)], at=NOON)
        health.heartbeats(tx, [], at=NOON)
        assert health.sweep(tx, at=at(60)) == []


def test_a_life_is_changed_by_people_with_a_reason_and_only_where_it_may(database: Database, take, add) -> None:
    take(row("L-1"))
    camera, boss = ids(database)["L-1"], add(Role.ADMINISTRATOR)

    def change(to: Life, reason: str = "shelling", actor: Actor = boss, which: UUID = camera) -> None:
        with database.transaction() as tx:
            registry.change_life(tx, actor=actor, camera_id=which, to=to, reason=reason, at=NOON)

    change(Life.DESTROYED)
    for to, reason, actor, which, error in (
        (Life.WORKING, "it works", boss, camera, Conflict), (Life.RESTORED, " ", boss, camera, BadInput),
        (Life.RESTORED, "repaired", add(Role.OPERATOR), camera, Forbidden),
        (Life.RESTORED, "repaired", boss, new_id(), NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            change(to, reason, actor, which)
    change(Life.RESTORED, "repaired")
    change(Life.RETIRED, "replaced")
    with pytest.raises(Conflict):
        change(Life.WORKING, "again")


def test_what_a_person_may_change_of_a_camera(database: Database, take, add) -> None:
    take(row("C-1"))
    camera, boss = ids(database)["C-1"], add(Role.ADMINISTRATOR)
    with database.transaction() as tx:
        registry.change_camera(tx, actor=boss, camera_id=camera, changes={"name_en": "Square", "lat": 50.5}, at=NOON)
        changed = registry.camera(tx, camera)
        assert (changed["name_en"], changed["lat"], changed["lon"]) == ("Square", 50.5, 30.0)
    for changes in ({"number": "X"}, {"life": "working"}, {"sealed_login": "x"}, {"px_m_class": "best"}):
        with pytest.raises(BadInput), database.transaction() as tx:
            registry.change_camera(tx, actor=boss, camera_id=camera, changes=changes, at=NOON)


def test_policies_judge_all_and_denied_makers_are_not_recorded(database: Database, take, add, safe: Safe) -> None:
    take(row("P-1", maker="Acme"), row("P-2", maker="Denied"), row("P-3", maker="Lonely"))
    boss, found = add(Role.ADMINISTRATOR), ids(database)

    def standing() -> dict[str, set[str]]:
        with database.transaction() as tx:
            return {n: {f["code"] for f in tx.all(registry.SQL["findings_of"], camera_id=c)} for n, c in found.items()}

    with database.transaction() as tx:
        inspection.set_policies(
            tx, actor=boss, makers={"denied": "deny", "lonely": "isolate"},
            firmware_csv="\ufeffmaker,model,firmware,advisory\nAcme,*,1.0,CVE-1\n", at=NOON,
        )  # fmt: skip
    plain = {"plaintext-transport"}
    assert standing() == {
        "P-1": plain | {"vulnerable-firmware"}, "P-2": plain | {"maker-denied"}, "P-3": plain | {"maker-isolated"},
    }  # fmt: skip
    with database.transaction() as tx:
        assert found["P-2"] not in {one.camera_id for one in registry.streams_to_record(tx, safe)}
        assert search.count(tx, Filters(finding="maker-denied")) == 1
        inspection.set_policies(tx, actor=boss, makers={}, firmware_csv="maker,firmware\n", at=at(1))
    assert set().union(*standing().values()) == plain
    for makers, firmware in (({"x": "burn"}, None), (None, "a,b\n1,2\n")):
        with pytest.raises(BadInput), database.transaction() as tx:
            inspection.set_policies(tx, actor=boss, makers=makers, firmware_csv=firmware, at=NOON)
    with pytest.raises(Forbidden), database.transaction() as tx:
        inspection.set_policies(tx, actor=add(Role.OPERATOR), makers={}, firmware_csv=None, at=NOON)


def test_restoration_is_a_query(database: Database, take, add) -> None:
    take(*[row(f"R-{n}", region=n % 2) for n in range(10)])
    boss, found = add(Role.ADMINISTRATOR), ids(database)
    with database.transaction() as tx:
        for day, to, numbers in ((1, Life.DESTROYED, (0, 1, 2)), (2, Life.RESTORED, (0, 1)), (3, Life.SILENT, (0,))):
            for n in numbers:
                registry.change_life(
                    tx, actor=boss, camera_id=found[f"R-{n}"], to=to, reason="reason", at=NOON + timedelta(days=day)
                )
        days = search.restoration(tx, start=date(2026, 11, 23), end=date(2026, 11, 27))
        half = search.restoration(tx, start=date(2026, 11, 25), end=date(2026, 11, 25), region=CODES[0])
        for start, end in ((date(2026, 1, 2), date(2026, 1, 1)), (date(2000, 1, 1), date(2026, 1, 1))):
            with pytest.raises(BadInput):
                search.restoration(tx, start=start, end=end)
    assert [one["by_life"] for one in days] == [
        {}, {"working": 10}, {"working": 7, "destroyed": 3}, {"working": 7, "destroyed": 1, "restored": 2},
        {"working": 7, "destroyed": 1, "restored": 1, "silent": 1},
    ]  # fmt: skip
    assert half == [{"day": "2026-11-25", "by_life": {"working": 3, "destroyed": 2}}]


def test_the_summary_adds_up(database: Database, take) -> None:
    take(*[row(f"S-{n}", region=n % 2, life="silent" if n % 5 == 0 else "working") for n in range(10)])
    with database.transaction() as tx:
        told = search.summary(tx)
    assert (told["total"], told["by_life"]) == (10, {"working": 8, "silent": 2})
    assert sum(one["total"] for one in told["by_region"]) == 10
    assert {one["code"] for one in told["by_region"]} == set(CODES[:2])


def test_the_retention_class_of_a_channel(database: Database, take) -> None:
    take(row("T-1"))
    with database.transaction() as tx:
        classes = registry.retention_classes(tx)
        (channel,) = classes
        assert classes[channel] == "street"
        assert registry.retention_classes(tx, channel) == classes
        assert registry.retention_classes(tx, new_id()) == {}
