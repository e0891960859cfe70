"""A checkpoint works for a day: the supervisor sees exactly the three troubles there were, and nobody can delete anything.

The day is the demonstration's own, with its simulators: docks over the real
door with TLS, a customs system and a scanner over HTTP. It was an hour and a
half ago, so that nobody has to wait for it to end.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pypdf
import pytest
import uvicorn
from litestar import Litestar
from tests.rooms.bodyworn.conftest import add_footage_volume, serving

from svidok.access import Role, accounts
from svidok.api import Services, build_app
from svidok.api.docks import DockDoor
from svidok.api.jobs import Jobs
from svidok.app import demo, demo_bodyworn, demo_customs
from svidok.app.settings import Settings, load_settings
from svidok.base import SystemClock
from svidok.bodyworn.keys import door_keys
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import Tender, enrol_vault
from svidok.bodyworn.vault import Vault
from svidok.cli.simulate_customs import send
from svidok.customs import worklist
from svidok.db import Database

pytestmark = pytest.mark.timeout(600)
NODE = "dock-test"
AGO = timedelta(minutes=90)


class Shifted(SystemClock):
    """A clock that goes as any, and is set ahead or behind."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by

    def now(self) -> datetime:
        return super().now() + self.by


@contextmanager
def hub(app: Litestar) -> Iterator[str]:
    """The hub on a free port."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day that is over: its hub, its people, its vault."""

    database: Database
    address: str
    app: Litestar
    settings: Settings
    passwords: dict[str, str]
    vault: Vault
    tender: Tender
    start: datetime
    clock: Shifted

    @contextmanager
    def as_(self, login: str) -> Iterator[httpx.Client]:
        """Somebody who is signed in, and looks for a purpose."""
        with httpx.Client(base_url=self.address, timeout=60) as client:
            self._enter(client, login)
            yield client

    def _enter(self, client: httpx.Client, login: str) -> None:
        told = {"login": login, "password": self.passwords[login]}
        entered = client.post("/api/session", json=told)
        assert entered.status_code < 300, entered.text
        client.headers["X-Svidok-CSRF"] = entered.json()["csrf"]
        references = client.get("/api/references")
        if references.status_code == 200 and references.json()["items"]:
            told = {"reference_id": references.json()["items"][0]["id"], "reason": "чергування зміни"}
            chosen = client.post("/api/purposes", json=told)
            if chosen.status_code < 300:
                client.headers["X-Svidok-Purpose"] = chosen.json()["id"]


@pytest.fixture(scope="module")
def day(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder, clock = tmp_path_factory.mktemp("day"), Shifted()
    add_footage_volume(database, folder / "footage")
    vault = enrol_vault(database, [folder / "first", folder / "second"], node=NODE, at=clock.now())
    settings = load_settings(data=folder / "data")
    keys = door_keys(settings.keys, host="127.0.0.1", at=clock.now())
    tender = Tender(database=database, vault=vault, keys=keys, clock=clock, node=NODE)
    door = DockDoor(
        database=database, vault=vault, uploads=Uploads(database=database, vault=vault), clock=clock,
        token_key=keys.token_key, categories=(),
    )  # fmt: skip
    services = Services(
        database=database, bus=None, data=settings.data, ledger_folder=folder, ledger_origin="x", clock=clock,
        jobs=Jobs(database, clock), node=NODE,
    )  # fmt: skip
    app = build_app(services, web_folder=None)
    with pytest.MonkeyPatch.context() as patch, serving(door, keys) as docks, hub(app) as address:
        patch.setattr(demo_bodyworn, "CONTROL_MINUTES", 5)
        patch.setattr(demo_bodyworn, "OUT_MINUTES", 4)
        settings.dock_port, settings.port = int(docks.rpartition(":")[2]), int(address.rpartition(":")[2])
        passwords = demo.seed(database, settings, Shifted(-AGO), 1)
        secret, began, _ = demo_customs.secret_file(settings).read_text().split()
        start = datetime.fromisoformat(began)
        first = demo_customs.control(start)[0]
        assert demo_customs.bring_scan(address, secret, first)
        end = demo_bodyworn.out_shift(start).start + timedelta(minutes=3)
        further = demo_customs.further(first, end) | {"lane": "5"}  # no camera sees it: there is no recorder here
        send(address, secret, [further], form="json")
        worklist.check_due(database, at=clock.now() - timedelta(hours=1))
        demo_bodyworn.dock(settings, clock)
        yield Day(
            database=database, address=address, app=app, settings=settings, passwords=passwords, vault=vault,
            tender=tender, start=start, clock=clock,
        )  # fmt: skip
    services.jobs.close()


@pytest.fixture(scope="module")
def over(day: Day) -> Day:
    """The same when all was copied and read, and no dock has sent anything for a while."""
    while day.tender.copy_waiting() + day.tender.read_waiting():
        pass
    day.clock.by = timedelta(minutes=5)
    worklist.check_due(day.database, at=day.clock.now())
    return day


def test_while_docks_send_nothing_is_called_missing_that_is_on_its_way(day: Day) -> None:
    worklist.check_due(day.database, at=SystemClock().now())
    with day.as_("supervisor") as supervisor:
        told = supervisor.get("/api/customs/missing").json()
        board = supervisor.get("/api/worn/board").json()
    assert [(one["requirement"], one["cause"]) for one in told["items"]] == [("scan", "no-scan")]
    assert told["awaited"] == 5, "worn footage of the four of the control and of lane 1 is still coming"
    assert {one["missing"] for one in board} == {0}


def test_the_supervisor_sees_exactly_the_three_troubles_each_with_its_cause(over: Day) -> None:
    with over.as_("supervisor") as supervisor:
        told = supervisor.get("/api/customs/missing").json()
        alarms = supervisor.get("/api/alarms").json()["items"]
        query = {"from": over.start.isoformat(), "to": over.clock.now().isoformat()}
        shifts = supervisor.get("/api/worn/shifts", params=query).json()
        board = {one["number"]: one for one in supervisor.get("/api/worn/board").json()}
    number = f"{demo_customs.CODE}/{over.start:%y%m%d}/D-"
    assert [(one["number"], one["requirement"], one["cause"], one["missing_ms"]) for one in told["items"]] == [
        (f"{number}2", "body-camera", "switched-off", 40_000),
        (f"{number}3", "body-camera", "upload-cut", 30_000),
        (f"{number}4", "scan", "no-scan", 0),
    ]  # fmt: skip
    assert told["awaited"] == 0
    assert {one["subject"].partition(" · ")[2] for one in alarms if one["code"] == worklist.ALARM} == {
        "body-camera · switched-off", "body-camera · upload-cut", "scan · no-scan",
    }  # fmt: skip
    gaps = {one["badge"]: [(gap["cause"], seconds(gap)) for gap in one["gaps"]] for one in shifts}
    assert gaps == {"М-1041": [], "М-1042": [("switched-off", 40)], "М-1043": [("upload-cut", 60)], "М-1044": [],
                    "М-1045": []}  # fmt: skip
    assert {name for name, one in board.items() if not one["safe_to_wipe"]} == {"BW-03"}


def seconds(gap: dict[str, str]) -> int:
    return round((datetime.fromisoformat(gap["end"]) - datetime.fromisoformat(gap["start"])).total_seconds())


def test_the_monthly_report_opens_and_names_what_is_missing(over: Day) -> None:
    with over.as_("supervisor") as supervisor:
        checkpoint = supervisor.get("/api/customs/checkpoints").json()["items"][0]
        told = {"checkpoint_id": checkpoint["id"], "month": over.start.date().isoformat()}
        for language, words in (("uk", "вивантаження перервано"), ("en", "upload broken off")):
            begun = supervisor.post("/api/customs/reports", json=told | {"language": language})
            assert begun.status_code < 300, begun.text
            report = result_of(supervisor, begun.json()["job"])["report"]
            pdf = supervisor.get(f"/api/customs/reports/{report}")
            read = pypdf.PdfReader(BytesIO(pdf.content))
            text = " ".join(" ".join(page.extract_text() for page in read.pages).split())
            assert words in text, text


def result_of(client: httpx.Client, job: str) -> dict[str, Any]:
    for _ in range(600):
        found = next(one for one in client.get("/api/jobs").json()["items"] if one["id"] == job)
        if found["state"] != "running":
            assert found["state"] == "done", found
            result: dict[str, Any] = found["result"]
            return result
        time.sleep(0.1)
    raise AssertionError("the report was not made in time")


def test_a_complaint_finds_its_footage_and_holds_it(over: Day) -> None:
    with over.as_("supervisor") as supervisor:
        checkpoint = supervisor.get("/api/customs/checkpoints").json()["items"][0]
        told = {
            "by_whom": "traveller", "text": "Мене тримали без пояснень", "checkpoint_id": checkpoint["id"],
            "start": over.start.isoformat(), "end": (over.start + timedelta(minutes=15)).isoformat(),
            "plate": "вс 1042 нв",
        }  # fmt: skip
        opened = supervisor.post("/api/customs/complaints", json=told)
        assert opened.status_code < 300, opened.text
        complaint = supervisor.get(f"/api/customs/complaints/{opened.json()['id']}").json()
        (procedure,) = complaint["procedures"]
        page = supervisor.get(f"/api/customs/procedures/{procedure['id']}").json()
        (worn,) = page["worn"]
        held = {hold["camera"] for hold in complaint["holds"]}
        footage = supervisor.get(
            f"/api/channels/{worn['channels'][0]}/playback",
            params={"from": page["span"]["start"], "to": page["span"]["end"]},
        )
    assert procedure["number"].endswith("D-2")
    assert "BW-02" in held
    assert [gap["cause"] for gap in worn["gaps"]] == ["switched-off"]
    assert len(footage.json()["segments"]) >= 4, footage.text


def state(day: Day) -> dict[str, Any]:
    """Everything that proves the day, and the bytes of every file."""
    tables = ("bodyworn.clip", "bodyworn.stretch", "bodyworn.announced", "bodyworn.issue", "bodyworn.shift",
              "bodyworn.pause", "customs.procedure", "customs.scan", "customs.missing", "customs.complaint",
              "customs.complaint_hold", "recording.segment", "ledger.entry")  # fmt: skip
    with day.database.transaction() as tx:
        ids = {name: {str(tuple(row.values())) for row in tx.all(_KEYS[name])} for name in tables}
        disposed = tx.one("SELECT count(*) AS n FROM recording.segment WHERE state = 'disposed'")["n"]
    files = {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for root in (day.vault.disks[0].root, day.vault.disks[1].root, day.vault.disks[0].root.parent / "footage")
        for file in sorted(root.rglob("*")) if file.is_file() and "incoming" not in file.parts
    }  # fmt: skip
    return {"ids": ids, "files": files, "disposed": disposed}


_KEYS = {
    "bodyworn.clip": "SELECT id, sha256, path, disposed_at FROM bodyworn.clip",
    "bodyworn.stretch": "SELECT clip_id, start_at, end_at FROM bodyworn.stretch",
    "bodyworn.announced": "SELECT camera_id, name FROM bodyworn.announced",
    "bodyworn.issue": "SELECT id, issued_at FROM bodyworn.issue",
    "bodyworn.shift": "SELECT id, start_at, end_at FROM bodyworn.shift",
    "bodyworn.pause": "SELECT id FROM bodyworn.pause",
    "customs.procedure": "SELECT id, version, digest FROM customs.procedure",
    "customs.scan": "SELECT id, sha256, path FROM customs.scan",
    "customs.missing": "SELECT id, requirement, missing_ms, arrived_at FROM customs.missing",
    "customs.complaint": "SELECT id, text FROM customs.complaint",
    "customs.complaint_hold": "SELECT hold_id FROM customs.complaint_hold",
    "recording.segment": "SELECT id, path, state FROM recording.segment",
    "ledger.entry": "SELECT id FROM ledger.entry",
}


def test_nobody_deletes_anything_by_any_route(over: Day) -> None:
    before = state(over)
    with over.database.transaction() as tx:
        clip = str(tx.one("SELECT id FROM bodyworn.clip LIMIT 1")["id"])
        for role in Role:
            accounts.add_account(
                tx, by=None, login=f"all-{role}", name="n", password="seven quiet otters", roles=[role], unit_id=None,
                at=SystemClock().now(),
            )  # fmt: skip
            over.passwords[f"all-{role}"] = "seven quiet otters"
    routes = {one.path_format: getattr(one, "methods", set()) for one in over.app.routes}
    tried = 0
    for role in Role:
        with over.as_(f"all-{role}") as somebody:
            for path, verbs in routes.items():
                for verb in {"DELETE"} | (verbs & {"PUT", "PATCH"}):
                    if path.startswith(_OWN):
                        continue
                    said = somebody.request(verb, filled(path, clip), json={"id": clip})
                    assert said.status_code < 500 or said.status_code == 503, (role, verb, path, said.text)
                    tried += 1
    assert tried > len(Role) * 100
    after = state(over)
    assert after["files"] == before["files"]
    assert after["disposed"] == before["disposed"]
    for name, ids in before["ids"].items():
        assert ids <= after["ids"][name], f"{name} lost or changed rows"


_OWN = ("/api/session",)  # signing out ends one's own session, and is no deletion


def filled(path: str, value: str) -> str:
    while "{" in path:
        path = f"{path[: path.index('{')]}{value}{path[path.index('}') + 1 :]}"
    return path
