"""The doors over HTTP: devices with their secrets, investigators with their purpose, the desk over its socket."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from tests.rooms.plates.conftest import CAMERAS, Station
from tests.rooms.plates.test_intake import jpeg

from svidok.access import Role, sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock, new_id
from svidok.governance import ReferenceKind
from svidok.incidents.raising import raise_waiting
from svidok.plates.accuracy import TRUTH_FILE, Truth, write_truths
from svidok.plates.model import Source
from svidok.plates.store import Reads

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def client(station: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    folder = tmp_path_factory.mktemp("hub")
    services = Services(
        database=station.database, bus=None, data=folder, ledger_folder=folder, ledger_origin="x", clock=CLOCK,
        jobs=Jobs(station.database, CLOCK), node="n", credentials_key=folder / "credentials.key", plates=station.plates,
    )  # fmt: skip
    with TestClient(build_app(services, web_folder=None), base_url="http://testserver") as client:
        yield client


def headers(station: Station, role: Role, kind: ReferenceKind | None = ReferenceKind.CASE) -> dict[str, str]:
    with station.database.transaction() as tx:
        token = sessions.begin(tx, station.actors[role], address="a", how="test", at=CLOCK.now()).token
    found = {"cookie": f"svidok_session={token}", "x-svidok-csrf": csrf_of(token), "origin": "http://testserver"}
    return found | ({"x-svidok-purpose": str(station.purpose(role, kind).id)} if kind else {})


def send(client: TestClient[Litestar], secret: str, *plates: str, **how: Any) -> Any:
    at = how.pop("at", CLOCK.now()).isoformat()
    reads = [{"plate": plate, "confidence": 0.9, "taken_at": at, "camera": "north", **how} for plate in plates]
    return client.post("/api/devices/reads", json={"reads": reads}, headers={"authorization": f"Bearer {secret}"})


def span(days: float = 1) -> dict[str, str]:
    now = CLOCK.now()
    return {"from": (now - timedelta(days=days)).isoformat(), "to": (now + timedelta(minutes=5)).isoformat()}


def test_a_device_shows_its_secret_and_nothing_else_opens(client: TestClient[Litestar], station: Station) -> None:
    good = send(client, station.secret, "LA1111AA", pictures={"overview": base64.b64encode(jpeg()).decode()})
    assert (good.status_code, good.json()["taken"], good.json()["rejected"]) == (200, 1, [])
    assert send(client, "svp_wrong", "LA1111AA").status_code == 401
    assert client.post("/api/devices/reads", content=b"{}").status_code == 401
    basic = base64.b64encode(f"camera:{station.secret}".encode()).decode()
    answer = client.post("/api/devices/reads", content=b"{}", headers={"authorization": f"Basic {basic}"})
    assert (answer.status_code, answer.json()["code"]) == (400, "body-form")
    huge = client.post("/api/devices/reads", content=b"x" * (7 * 1024 * 1024),
                       headers={"authorization": f"Bearer {station.secret}"})  # fmt: skip
    assert huge.status_code == 413
    assert client.get("/api/devices/schema").json()["$schema"].startswith("https://json-schema.org/")
    assert client.get("/api/plates/search", params={"q": "LA1111AA", **span()}).status_code == 401


def test_an_openalpr_agent_posts_as_it_does(client: TestClient[Litestar], station: Station) -> None:
    admin = headers(station, Role.ADMINISTRATOR, None)
    made = client.post("/api/plates/devices", headers=admin,
                       json={"name": "agent", "source": "openalpr", "cameras": {"7": str(CAMERAS[2])}})  # fmt: skip
    secret = made.json()["secret"]
    ms = int(CLOCK.now().timestamp() * 1000)
    body = {"data_type": "alpr_results", "uuid": "r1", "epoch_time": ms, "camera_id": 7,
            "results": [{"plate": "LB1111AA", "confidence": 88.0}]}  # fmt: skip
    answers = [
        client.post("/api/devices/openalpr", json=body, headers={"authorization": f"Bearer {secret}"}).json()
        for _ in range(2)
    ]
    assert [(one["taken"], one["repeated"]) for one in answers] == [(1, 0), (0, 1)]
    listed = client.get("/api/plates/devices", headers=admin).json()["items"]
    agent = next(one for one in listed if one["name"] == "agent")
    assert (agent["taken"], agent["repeated"], agent["source"]) == (1, 1, str(Source.OPENALPR))
    assert secret not in json.dumps(listed)


def test_search_needs_a_case_and_is_written_down(client: TestClient[Litestar], station: Station) -> None:
    send(client, station.secret, "LC1111AA", "LC1112AA")
    ask = {"q": "lc11??*", **span()}

    def status(role: Role, kind: ReferenceKind | None) -> tuple[int, str]:
        answer = client.get("/api/plates/search", params=ask, headers=headers(station, role, kind))
        return answer.status_code, answer.json().get("code", "")

    assert status(Role.INVESTIGATOR, None) == (403, "purpose-needed")
    assert status(Role.INVESTIGATOR, ReferenceKind.DUTY) == (403, "purpose-too-wide")
    assert status(Role.OPERATOR, ReferenceKind.CASE) == (403, "not-permitted")
    assert status(Role.ADMINISTRATOR, ReferenceKind.CASE) == (403, "not-permitted")
    told = client.get("/api/plates/search", params={**ask, "pictures": True},
                      headers=headers(station, Role.INVESTIGATOR)).json()  # fmt: skip
    assert {one["plate"] for one in told["reads"]} == {"LC1111AA", "LC1112AA"}
    assert told["plates_fitting"] == 2
    assert told["cameras"][0]["number"] == "P-0"
    assert told["completeness"]["answered"] >= 1
    with station.database.transaction() as tx:
        line = tx.one("SELECT a.what, s.asked FROM plates.search_done s JOIN access.audit a ON a.id = s.audit_id "
                      "ORDER BY s.at DESC LIMIT 1")  # fmt: skip
    assert line["asked"] == "LC11??*"
    assert line["what"]["q"] == "lc11??*"


def test_older_reads_and_journeys_take_a_second_person(client: TestClient[Litestar], station: Station) -> None:
    send(client, station.secret, "LD1111AA")
    mine = headers(station, Role.INVESTIGATOR)
    trace = {"plate": "LD1111AA", **span(3)}
    refused = client.get("/api/plates/journey", params=trace, headers=mine).json()
    assert (refused["code"], refused["details"]["kind"]) == ("leave-needed", "trace")
    asked = client.post("/api/plates/authorisations", headers=mine, json={
        "kind": "trace", "plate": "ld 1111 aa", "start": trace["from"], "end": trace["to"],
        "reason": "seen after the robbery",
    })  # fmt: skip
    leave_id = asked.json()["id"]
    path = f"/api/plates/authorisations/{leave_id}/decision"
    yes = {"granted": True, "note": "agreed, for this case"}
    assert client.post(path, headers=mine, json=yes).status_code == 403
    boss = headers(station, Role.SUPERVISOR, None)
    waiting = client.get("/api/plates/authorisations/all", headers=boss).json()["items"]
    assert (waiting[0]["id"], waiting[0]["granted"]) == (leave_id, None)
    assert client.post(path, headers=boss, json=yes).status_code == 201
    told = client.get("/api/plates/journey", params={**trace, "authorisation": leave_id}, headers=mine)
    assert [len(stop["reads"]) for stop in told.json()["stops"]] == [1]
    convoy = client.get("/api/plates/convoy", params={**trace, "authorisation": leave_id}, headers=mine)
    assert convoy.json()["companions"] == []
    assert client.get("/api/plates/search", params={"q": "LD1111AA", **span(120)}, headers=mine).status_code == 403
    assert client.get("/api/plates/authorisations", headers=mine).json()["items"][0]["granted"] is True


def test_a_place_for_hours_by_area_never_a_day(client: TestClient[Litestar], station: Station) -> None:
    send(client, station.secret, "LE1111AA")
    mine = headers(station, Role.INVESTIGATOR)

    def ask(**how: object) -> Any:
        return client.get("/api/plates/passing", params={**span(0.1), **how}, headers=mine)

    assert "LE1111AA" in {one["plate"] for one in ask(area="23.9,49.7,24.1,49.9", limit=200).json()["reads"]}
    assert ask(area="0,0,1,1").json()["reads"] == []
    assert ask().json()["code"] == "cameras-needed"
    assert ask(**span(1), cameras=str(CAMERAS[0])).json()["code"] == "place-too-long"
    assert ask(cameras="north").json()["code"] == "id-form"


def test_pictures_are_shown_under_the_same_purpose(client: TestClient[Litestar], station: Station) -> None:
    at = CLOCK.now()
    sent = send(client, station.secret, "LF1111AA", at=at,
                pictures={"overview": base64.b64encode(jpeg("black")).decode()})  # fmt: skip
    path = f"/api/plates/reads/{sent.json()['ids'][0]}"
    mine = headers(station, Role.INVESTIGATOR)
    shown = client.get(f"{path}/picture", params={"taken_at": at.isoformat()}, headers=mine)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert client.get(path, params={"taken_at": at.isoformat()}, headers=mine).json()["has_patch"] is False
    none = client.get(f"{path}/picture", params={"taken_at": at.isoformat(), "which": "patch"}, headers=mine)
    assert none.status_code == 404
    duty = headers(station, Role.INVESTIGATOR, ReferenceKind.DUTY)
    assert client.get(f"{path}/picture", params={"taken_at": at.isoformat()}, headers=duty).status_code == 403


def test_an_old_picture_is_shown_by_leave_alone(client: TestClient[Litestar], station: Station, make) -> None:
    taken_at = CLOCK.now() - timedelta(days=120)
    image = station.plates.pictures.put(jpeg("navy"), taken_at=taken_at)
    read = make("LX1111AA", taken_at=taken_at, image=image, id=new_id())
    Reads(station.database).add([read])
    path, mine = f"/api/plates/reads/{read.id}", headers(station, Role.INVESTIGATOR)
    asked = {"taken_at": taken_at.isoformat()}
    for one in (path, f"{path}/picture"):
        refused = client.get(one, params=asked, headers=mine)
        assert (refused.status_code, refused.json()["code"]) == (403, "leave-needed")
    leave_id = client.post("/api/plates/authorisations", headers=mine, json={
        "kind": "older", "plate": "LX11??AA", "start": (taken_at - timedelta(hours=1)).isoformat(),
        "end": (taken_at + timedelta(hours=1)).isoformat(), "reason": "the car of the first robbery",
    }).json()["id"]  # fmt: skip
    told = client.post(f"/api/plates/authorisations/{leave_id}/decision", json={"granted": True, "note": "agreed"},
                       headers=headers(station, Role.SUPERVISOR, None))  # fmt: skip
    assert told.status_code == 201
    shown = client.get(f"{path}/picture", params={**asked, "authorisation": leave_id}, headers=mine)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert client.get(path, params={**asked, "authorisation": leave_id}, headers=mine).json()["plate"] == "LX1111AA"


def test_a_list_from_a_file_to_the_desk(client: TestClient[Litestar], station: Station) -> None:
    mine, boss = headers(station, Role.INVESTIGATOR), headers(station, Role.SUPERVISOR)
    desk = headers(station, Role.DISPATCHER, ReferenceKind.DUTY)
    made = client.post("/api/hotlists", headers=boss, json={"name": "Stolen", "legal_basis": "Act 1, art. 2"})
    path = f"/api/hotlists/{made.json()['id']}"
    day = (CLOCK.now() + timedelta(days=3)).date().isoformat()
    file = f"\ufeffplate;reason;expires;priority\r\nLG1111AA;stolen;{day};high\r\nLG2222AA;x;{day};\r\nLG3333AA;third;{day};\r\n"
    told = client.post(f"{path}/import", content=file.encode(), headers=mine).json()
    assert (told["added"], told["bad"], told["bad_rows"][0]["line"]) == (2, 1, 3)
    entries = client.get(f"{path}/entries", params={"waiting": True}, headers=boss).json()["items"]
    assert [one["plate"] for one in entries] == ["LG1111AA"]
    approve = f"/api/hotlists/entries/{entries[0]['id']}/approve"
    assert client.post(approve, headers=mine).status_code == 403
    assert client.post(approve, headers=boss).status_code == 201
    assert "LG1111AA;stolen;high" in client.get(f"{path}/export", headers=mine).text
    station.plates.matcher._version = -1  # look at once, not within half a second
    with client.websocket_connect(f"/api/desk/live?purpose={desk['x-svidok-purpose']}", headers=desk) as socket:
        assert json.loads(socket.receive_text())["kind"] == "all"
        send(client, station.secret, "LG1111AA")
        raise_waiting(station.database, at=CLOCK.now())
        pushed = json.loads(socket.receive_text())
        assert [one["plate"] for one in pushed["alerts"]] == ["LG1111AA"]
        alert_id = pushed["alerts"][0]["id"]
        steps = f"/api/desk/alerts/{alert_id}/steps"
        assert client.post(steps, headers=desk, json={"step": "confirm"}).json()["state"] == "confirmed"
        assert client.post(steps, headers=desk, json={"step": "confirm"}).status_code == 409
        changed = json.loads(socket.receive_text())
        assert [(one["id"], one["state"]) for one in changed["alerts"]] == [(alert_id, "confirmed")]
    full = client.get(f"/api/desk/alerts/{alert_id}", headers=desk).json()
    assert [one["step"] for one in full["steps"]] == ["confirm"]
    listed = client.get("/api/desk/alerts", params={"states": "confirmed"}, headers=desk).json()
    assert alert_id in {one["id"] for one in listed["items"]}
    lists = client.get("/api/hotlists", headers=mine).json()["items"]
    assert next(one for one in lists if one["name"] == "Stolen")["standing"] == 2
    false = client.get("/api/hotlists/false-hits", headers=mine).json()["items"]
    assert next(one for one in false if one["name"] == "Stolen")["judged"] == 1


def test_quality_and_answering_tell_no_plates(client: TestClient[Litestar], station: Station) -> None:
    send(client, station.secret, "LH1111AA")
    anybody = headers(station, Role.AUDITOR, None)
    for path in ("/api/plates/quality", "/api/plates/answering", f"/api/plates/quality/{CAMERAS[0]}"):
        answer = client.get(path, params=span(), headers=anybody)
        assert answer.status_code == 200, path
        assert "LH1111AA" not in answer.text
    rules = client.get("/api/plates/rules", headers=headers(station, Role.INVESTIGATOR, None)).json()
    assert rules["age_tier_days"] == 90
    assert rules["searches_made_today"] >= 1


def test_accuracy_is_measured_on_a_known_truth_and_tells_no_plate(
    client: TestClient[Litestar], station: Station, make
) -> None:  # fmt: skip
    anybody = headers(station, Role.AUDITOR, None)
    assert client.get("/api/plates/accuracy", headers=anybody).json()["items"] == []
    folder: Path = client.app.state.services.data
    truth = {"P-3": Truth(loop_s=20.0, plates=("LM1111AA", "LM2222AA")), "X-1": Truth(loop_s=20.0, plates=())}
    write_truths(folder / TRUTH_FILE, truth)
    before = client.get("/api/plates/accuracy", headers=anybody).json()["items"]
    assert [(one["number"], one["passed"], one["share"]) for one in before] == [("P-3", 0, None)]
    began = CLOCK.now() - timedelta(minutes=5)
    seen = [(0, "LM1111AA"), (9, "LM2222AA"), (20, "LM1111AA"), (29, "LM2227AA"), (40, "LM1111AA"), (41, "KH0000ZZ")]
    Reads(station.database).add(
        [make(plate, 3, taken_at=began + timedelta(seconds=s), id=new_id()) for s, plate in seen]
    )
    answer = client.get("/api/plates/accuracy", headers=anybody)
    (told,) = answer.json()["items"]
    assert (told["passed"], told["right"], told["misread"], told["twice"], told["share"]) == (4, 3, 1, 0, 0.75)
    assert "LM" not in answer.text
