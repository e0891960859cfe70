"""Cameras' events by PullPoint against a device on a real socket, and as rows of a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from svidok.access import Actor, Role, accounts, sessions
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import BadInput, Forbidden, NotFound, SystemClock, Unavailable, new_id
from svidok.db import Database, Row
from svidok.fleet import events
from svidok.fleet.credentials import Safe
from svidok.fleet.drivers.onvif import CameraAnswer
from svidok.fleet.drivers.pullpoint import PullPoint
from svidok.fleet.events import CameraEvent
from svidok.fleet.importing import import_cameras
from svidok.fleet.listening import Listener
from svidok.fleet.model import EventKind
from svidok.fleet.regions import regions

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
TAMPER = "tns1:RuleEngine/TamperDetector/Tamper"
INPUT = "tns1:Device/Trigger/DigitalInput"


Device = Any  # the one of conftest.py


@pytest.fixture
def motion(device: Device) -> Callable[..., str]:
    def motion(state: bool, **more: object) -> str:
        text: str = device.message(MOTION, {"IsMotion": str(state).lower()}, source={"Rule": "R1"}, **more)
        return text

    return motion


@pytest.fixture
def boss(database: Database) -> Actor:
    with database.transaction() as tx:
        return accounts.add_account(
            tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[Role.ADMINISTRATOR],
            unit_id=None, at=NOON,
        )  # fmt: skip


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return Safe(tmp_path / "keys" / "credentials.key")


@pytest.fixture
def register(database: Database, boss: Actor, safe: Safe) -> Callable[..., UUID]:
    with database.transaction() as tx:
        tx.run("TRUNCATE fleet.camera, fleet.site, fleet.policy CASCADE")

    def register(address: str, *, number: str = "E-1", password: str = "secret", life: str = "working") -> UUID:
        region = next(iter(regions()))
        csv = (
            "number,name_uk,kind,owner,region_code,life,address,username,password\n"
            f"{number},Камера,overview,police,{region},{life},{address},eye,{password}\n"
        )
        report = import_cameras(database, csv.encode(), actor=boss, safe=safe, at=NOON, progress=lambda *_: None)
        assert report.taken == 1, report
        with database.transaction() as tx:
            found: UUID = tx.one("SELECT id FROM fleet.camera WHERE number = %(n)s", n=number)["id"]
        return found

    return register


class Hearing:
    """A listener that runs, and what came of it."""

    def __init__(self, database: Database, safe: Safe) -> None:
        self.database = database
        self.news: list[CameraEvent] = []
        self.stop = asyncio.Event()
        self.listener = Listener(
            database=database, safe=safe, clock=SystemClock(), on_news=self._take, hold_s=4.0, wait_s=1.0, pause_s=0.1,
            plan_every_s=0.5,
        )  # fmt: skip
        self.task = asyncio.create_task(self.listener.run(self.stop))

    async def _take(self, new: list[CameraEvent]) -> None:
        self.news += new

    def rows(self, camera_id: UUID) -> list[Row]:
        with self.database.transaction() as tx:
            return events.latest(tx, camera_id, before=None, limit=200)[::-1]

    def told(self, camera_id: UUID) -> list[tuple[str, bool | None]]:
        return [(row["kind"], row["active"]) for row in self.rows(camera_id)]

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 20)


@pytest.fixture
async def hear(database: Database, safe: Safe) -> AsyncIterator[Callable[[], Hearing]]:
    made: list[Hearing] = []

    def hear() -> Hearing:
        made.append(Hearing(database, safe))
        return made[-1]

    yield hear
    for one in made:
        await one.end()


async def until(true: Callable[[], object], wait_s: float = 15.0) -> None:
    for _ in range(int(wait_s * 20)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_motion_tamper_and_inputs_become_rows_and_news(
    device: Device, register: Callable[..., UUID], hear: Callable[[], Hearing], motion: Callable[..., str]
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    device.standing = [motion(False, operation="Initialized")]
    hearing = hear()
    await until(lambda: device.subscriptions)
    happened = datetime(2026, 11, 24, 11, 59, 30, tzinfo=UTC)
    await device.tell(motion(True, at=happened), device.message(TAMPER, {"IsTamper": "true"}))
    await device.tell(device.message("tns1:Monitoring/Backup/Last", {"Status": "1"}))
    await device.tell(
        motion(True), motion(False), device.message(INPUT, {"LogicalState": "true"}, source={"InputToken": "DI1"})
    )
    expected = [("motion", True), ("tamper", True), ("motion", False), ("digital_input", True)]
    await until(lambda: len(hearing.told(camera_id)) >= 4)
    assert hearing.told(camera_id) == expected
    first, *_, last = hearing.rows(camera_id)
    assert (first["source"], first["camera_at"], last["source"]) == ("R1", happened, "DI1")
    assert abs(first["at"] - datetime.now(UTC)) < timedelta(seconds=20)
    await until(lambda: len(hearing.news) == 4)
    await hearing.end()
    assert not device.subscriptions, "it unsubscribes when it goes"


async def test_a_subscription_is_renewed_and_a_forgotten_one_made_again_without_telling_twice(
    device: Device, register: Callable[..., UUID], hear: Callable[[], Hearing], motion: Callable[..., str]
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    device.standing = [motion(True, operation="Initialized")]
    hearing = hear()
    await until(lambda: any(one.renewed for one in device.subscriptions.values()))
    assert device.made == 1
    await device.restart()
    await until(lambda: device.made == 2 and device.subscriptions)
    await device.tell(motion(False))
    await until(lambda: len(hearing.told(camera_id)) == 2)
    assert hearing.told(camera_id) == [("motion", True), ("motion", False)]


async def test_a_camera_that_cannot_renew_is_pulled_on(
    device: Device, register: Callable[..., UUID], hear: Callable[[], Hearing], motion: Callable[..., str]
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    device.renewable = False
    hearing = hear()
    await until(lambda: device.asked.count("Renew") >= 1 and device.asked[-1] == "PullMessages")
    await device.tell(motion(True))
    await until(lambda: hearing.told(camera_id))
    assert (device.made, hearing.told(camera_id)) == (1, [("motion", True)])


@pytest.mark.parametrize(
    ("trouble", "code"), [("garbage", "camera-answer"), ("reset", "camera-answer"), ("wrong password", "camera-login")]
)
async def test_that_events_cannot_be_had_is_told_once_when_it_begins_and_when_it_ends(
    device: Device, register: Callable[..., UUID], hear: Callable[[], Hearing], trouble: str, code: str
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    hearing = hear()
    await until(lambda: device.subscriptions)
    if trouble == "wrong password":
        device.password = "changed behind our back"
    device.trouble = trouble
    await until(lambda: hearing.told(camera_id))
    asked = len(device.asked)
    await asyncio.sleep(1.0)
    assert len(device.asked) - asked < 30, "it is left alone for a while"
    device.trouble, device.password = "", "secret"
    await until(lambda: len(hearing.told(camera_id)) == 2)
    assert hearing.told(camera_id) == [("events_lost", True), ("events_lost", False)]
    assert hearing.rows(camera_id)[0]["detail"] == code


async def test_an_unreachable_camera_harms_no_other(
    device: Device, register: Callable[..., UUID], hear: Callable[[], Hearing], motion: Callable[..., str]
) -> None:
    gone = register("127.0.0.1:9", number="E-gone")
    silent_device = type(device)()
    silent_device.trouble = "silence"
    await silent_device.start()
    register(f"127.0.0.1:{silent_device.port}", number="E-silent")
    camera_id = register(f"127.0.0.1:{device.port}", number="E-good")
    register(f"127.0.0.1:{device.port}", number="E-destroyed", life="destroyed")
    hearing = hear()
    await until(lambda: device.subscriptions)
    await device.tell(motion(True))
    await until(lambda: hearing.told(camera_id) and hearing.told(gone))
    assert (hearing.told(camera_id), hearing.told(gone)) == ([("motion", True)], [("events_lost", True)])
    assert device.made == 1, "a destroyed camera is not asked"
    await hearing.end()
    await silent_device.stop()


async def test_a_flood_is_rationed_and_said(
    device: Device,
    register: Callable[..., UUID],
    hear: Callable[[], Hearing],
    motion: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    hearing = hear()
    await until(lambda: device.subscriptions)
    for _ in range(100):
        await device.tell(motion(True), motion(False))
    await until(lambda: len(hearing.told(camera_id)) >= 2 and not any(s.waiting for s in device.subscriptions.values()))
    await asyncio.sleep(0.7)
    assert len(hearing.told(camera_id)) <= 2 * events.MOST_A_MINUTE  # two minutes, where the test crosses one


async def test_a_device_without_events_says_so(device: Device) -> None:
    device.trouble = "no-events"
    with pytest.raises(CameraAnswer) as caught:
        async with PullPoint(f"127.0.0.1:{device.port}", username="eye", password="secret"):
            pass
    assert caught.value.code == "camera-no-events"


@pytest.mark.parametrize(("trouble", "code"), [("silence", "camera-timeout"), ("garbage", "camera-answer")])
async def test_a_device_that_does_not_answer_is_told_in_words(
    device: Device, trouble: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svidok.fleet.drivers.pullpoint._TIMEOUT_S", 0.5)
    device.trouble = trouble
    with pytest.raises(CameraAnswer) as caught:
        async with PullPoint(f"127.0.0.1:{device.port}", username="eye", password="secret"):
            pass
    assert caught.value.code == code


def event(camera_id: UUID, seconds: float, **more: object) -> CameraEvent:
    at = NOON + timedelta(seconds=seconds)
    values = {"camera_id": camera_id, "kind": EventKind.MOTION, "active": True, "at": at, "camera_at": at} | more
    return CameraEvent(**values)  # type: ignore[arg-type]


def test_the_same_event_is_entered_once_and_pages_go_on_where_they_stopped(
    database: Database, register: Callable[..., UUID]
) -> None:
    camera_id = register("127.0.0.1:9")
    batch = [event(camera_id, n) for n in range(5)] + [event(camera_id, 9, active=None), event(new_id(), 1)]
    with database.transaction() as tx:
        assert len(events.keep(tx, batch)) == 6, "one is of no camera"
    again = [event(camera_id, n, at=NOON + timedelta(hours=1)) for n in range(5)] + [event(camera_id, 9, active=None)]
    with database.transaction() as tx:
        assert events.keep(tx, again) == []
        first = events.latest(tx, camera_id, before=None, limit=4)
        rest = events.latest(tx, camera_id, before=(first[-1]["at"], first[-1]["id"]), limit=4)
        assert [row["at"].second for row in (*first, *rest)] == [9, 4, 3, 2, 1, 0]
        with pytest.raises(NotFound):
            events.latest(tx, new_id(), before=None, limit=4)


def test_events_are_forgotten_by_the_rule_that_an_administrator_sets(
    database: Database, register: Callable[..., UUID], boss: Actor
) -> None:
    camera_id = register("127.0.0.1:9")
    with database.transaction() as tx:
        events.keep(tx, [event(camera_id, -86400 * days) for days in (0, 3, 10, 40)])
        assert (events.keep_days(tx), events.forget(tx, at=NOON)) == (events.KEEP_DAYS, 1)
        events.set_keep_days(tx, actor=boss, days=7, at=NOON)
        assert (events.forget(tx, at=NOON), events.forget(tx, at=NOON)) == (1, 0)
        with pytest.raises(BadInput):
            events.set_keep_days(tx, actor=boss, days=0, at=NOON)
        nobody = Actor(id=new_id(), login="n", name="n", unit_id=None, unit="", roles=frozenset(), kind="person")
        with pytest.raises(Forbidden):
            events.set_keep_days(tx, actor=nobody, days=9, at=NOON)


async def test_what_cannot_be_entered_waits(
    device: Device,
    register: Callable[..., UUID],
    hear: Callable[[], Hearing],
    motion: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera_id = register(f"127.0.0.1:{device.port}")
    hearing = hear()
    await until(lambda: device.subscriptions)

    def away(*_: object) -> list[CameraEvent]:
        raise Unavailable("database-unavailable", "away")

    with monkeypatch.context() as patch:
        patch.setattr(Listener, "_keep_rows", away)
        await device.tell(motion(True))
        await asyncio.sleep(1.5)
        assert hearing.told(camera_id) == []
    await until(lambda: hearing.told(camera_id))


async def test_the_events_of_a_camera_are_asked_for_over_http_a_page_at_a_time(
    database: Database, register: Callable[..., UUID], boss: Actor, tmp_path: Path
) -> None:
    camera_id = register("127.0.0.1:9")
    with database.transaction() as tx:
        events.keep(tx, [event(camera_id, n) for n in range(5)])
        token = sessions.begin(tx, boss, address="test", how="test", at=SystemClock().now()).token
    clock = SystemClock()
    services = Services(
        database=database, bus=None, data=tmp_path, ledger_folder=tmp_path, ledger_origin="t.invalid", clock=clock,
        jobs=Jobs(database, clock), node="n1",
    )  # fmt: skip
    transport = httpx.ASGITransport(app=build_app(services, web_folder=None))  # type: ignore[arg-type]
    path = f"/api/cameras/{camera_id}/events"
    async with httpx.AsyncClient(transport=transport, base_url="http://svidok.local") as nobody:
        assert (await nobody.get(path)).status_code == 401
    cookies = {"svidok_session": token}
    async with httpx.AsyncClient(transport=transport, base_url="http://svidok.local", cookies=cookies) as client:
        first = (await client.get(path, params={"limit": 3})).json()
        rest = (await client.get(path, params={"limit": 3, "before": first["next"]})).json()
        seconds = [datetime.fromisoformat(one["at"]).second for one in first["items"] + rest["items"]]
        assert (seconds, rest["next"]) == ([4, 3, 2, 1, 0], None)
        assert (await client.get(path, params={"before": "yesterday"})).json()["code"] == "cursor-form"
        assert (await client.get(f"/api/cameras/{new_id()}/events")).status_code == 404
