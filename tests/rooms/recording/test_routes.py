"""The routes of footage over real HTTP and real WebSockets: what they show, to whom, and what is written down."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import httpx
import msgspec
import pytest
import uvicorn
import websockets
from websockets.asyncio.client import connect

from svidok.access import Role, accounts, sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app, recording_live
from svidok.api.jobs import Jobs
from svidok.base import Span, SystemClock, new_id
from svidok.bus import Bus
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference
from svidok.ledger.sidecar import Finding
from svidok.media.fmp4 import frame_fragment, init_segment
from svidok.media.frames import probe
from svidok.media.model import Frame, Tracks
from svidok.recording import export
from svidok.recording import facts as f
from svidok.recording.feed import LiveFrame, LiveOpening, frames_subject, open_subject
from svidok.recording.verifying import verify_export

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FROM, TO = "2026-11-20T12:00:00Z", "2026-11-20T12:00:08Z"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass
class Person:
    """Somebody signed in, with a purpose where their role may choose one."""

    client: httpx.AsyncClient
    token: str
    purpose: str
    base: str

    async def get(self, path: str, purpose: bool = True, **kwargs: Any) -> httpx.Response:
        headers = kwargs.pop("headers", {}) | ({"X-Svidok-Purpose": self.purpose} if purpose else {})
        return await self.client.get(path, headers=headers, **kwargs)

    async def send(self, method: str, path: str, body: dict) -> httpx.Response:
        return await self.client.request(method, path, json=body, headers={"X-Svidok-CSRF": csrf_of(self.token)})

    def socket(self, path: str, origin: str | None = None) -> Any:
        url = self.base.replace("http", "ws") + path
        cookie = {"Cookie": f"svidok_session={self.token}"}
        return connect(url, additional_headers=cookie, origin=origin or self.base, max_size=None, close_timeout=0.5)


class House:
    """The web door over a yard, and people in front of it."""

    def __init__(self, yard, services: Services, base: str) -> None:
        self.yard, self.services, self.base = yard, services, base
        self.people: list[Person] = []

    def enter(self, role: Role) -> Person:
        now, login = SystemClock().now(), f"{role}-{new_id().hex[-12:]}"
        with self.services.database.transaction() as tx:
            actor = accounts.add_account(
                tx, by=None, login=login, name=login, password=None, roles=[role], unit_id=None, at=now
            )
            boss = accounts.add_account(
                tx, by=None, login=f"boss-{new_id().hex[-12:]}", name="boss", password=None, roles=[Role.SUPERVISOR],
                unit_id=None, at=now,
            )  # fmt: skip
            reference = open_reference(
                tx, actor=boss, kind=ReferenceKind.CASE, number=str(new_id()), title="t", legal_basis="Act 1, art. 2",
                at=now,
            )  # fmt: skip
            purpose = choose_purpose(tx, actor=actor, reference_id=reference.id, reason="to see", at=now)
            token = sessions.begin(tx, actor, address="test", how="test", at=now).token
        client = httpx.AsyncClient(base_url=self.base, cookies={"svidok_session": token}, timeout=20)
        self.people.append(Person(client, token, str(purpose.id), self.base))
        return self.people[-1]

    def lines(self, action: str) -> list[dict]:
        with self.services.database.transaction() as tx:
            query = "SELECT what FROM access.audit WHERE action = %(a)s AND what->>'channel_id' = %(c)s ORDER BY at"
            return [row["what"] for row in tx.all(query, a=action, c=str(self.yard.channel_id))]


@pytest.fixture
async def house(yard, nats_url: str, tmp_path: Path) -> AsyncIterator[House]:
    bus = await Bus.connect(nats_url, "hub")
    clock = SystemClock()
    services = Services(
        database=yard.database, bus=bus, data=tmp_path, ledger_folder=yard.log.folder, ledger_origin=yard.log.origin,
        clock=clock, jobs=Jobs(yard.database, clock), node=yard.node,
    )  # fmt: skip
    config = uvicorn.Config(build_app(services, web_folder=None), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    house = House(yard, services, f"http://127.0.0.1:{port}")
    yield house
    for person in house.people:
        await person.client.aclose()
    server.should_exit = True
    await serving
    services.jobs.close()
    await bus.close()


@pytest.fixture
def footage(house: House, clip) -> House:
    house.yard.record(clip, at(0))
    house.yard.record(clip, at(4), first=4)
    house.yard.sequence()
    return house


async def test_timeline_and_manifest_lead_to_pictures_that_play(footage: House) -> None:
    person, channel = footage.enter(Role.OPERATOR), footage.yard.channel_id
    gap = new_id()
    footage.yard.tell(f.GapOpened(gap_id=gap, channel_id=channel, at=at(8), reason="camera-silent", detail="d"))
    line = (
        await person.get(f"/api/channels/{channel}/timeline", params={"from": FROM, "to": "2026-11-20T13:00:00Z"})
    ).json()
    assert [(one["start"], one["end"]) for one in line["recorded"]] == [(FROM, TO)]
    assert line["gaps"] == [
        {"id": str(gap), "channel_id": str(channel), "start": TO, "end": None, "reason": "camera-silent", "detail": "d"}
    ]
    told = (await person.get(f"/api/channels/{channel}/playback", params={"from": FROM, "to": TO})).json()
    first = told["segments"][0]
    assert [len(one["fragments"]) for one in told["segments"]] == [4, 4]
    assert first["fragments"][0][:3] == [0, 1795176000000000, 1000000]
    init = await person.get(f"/api/channels/{channel}/playback/{first['id']}/init")
    media = await person.get(f"/api/channels/{channel}/playback/{first['id']}/media", params={"first": 1, "last": 2})
    assert media.headers["content-length"] == str(sum(one[3] for one in first["fragments"][1:3]))
    assert media.headers["cache-control"] == "no-store"
    assert probe(init.content + media.content).frames == 50


async def test_a_thumbnail_is_a_picture(footage: House) -> None:
    person, channel = footage.enter(Role.OPERATOR), footage.yard.channel_id
    got = await person.get(f"/api/channels/{channel}/thumbnail", params={"at": "2026-11-20T12:00:02Z", "width": 160})
    assert got.headers["content-type"] == "image/jpeg"
    with av.open(io.BytesIO(got.content)) as image:
        assert image.streams.video[0].width == 160


async def test_footage_needs_a_purpose_and_leaves_a_line(footage: House) -> None:
    person, channel = footage.enter(Role.OPERATOR), footage.yard.channel_id
    path, params = f"/api/channels/{channel}/thumbnail", {"at": "2026-11-20T12:00:02Z"}
    refused = await person.get(path, purpose=False, params=params)
    assert (refused.status_code, refused.json()["code"]) == (403, "purpose-needed")
    assert footage.lines("view_playback") == []
    assert (await person.get(path, params=params)).status_code == 200
    (line,) = footage.lines("view_playback")
    assert line["at"] == params["at"]


async def test_who_may_not_look_does_not(footage: House) -> None:
    channel = footage.yard.channel_id
    segment = footage.yard.segments[0].segment_id
    span = f"from={FROM}&to={TO}"
    looks = [
        f"timeline?{span}", f"playback?{span}", f"playback/{segment}/init", f"playback/{segment}/media?first=0&last=0",
        f"thumbnail?at={FROM}", f"export?{span}", f"export/proof?{span}",
    ]  # fmt: skip
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        person = footage.enter(role)
        for look in looks:
            assert (await person.get(f"/api/channels/{channel}/{look}")).status_code == 403, (role, look)
    operator = footage.enter(Role.OPERATOR)
    assert (await operator.get(f"/api/channels/{channel}/export?{span}")).status_code == 403
    stranger = httpx.AsyncClient(base_url=footage.base)
    for look in looks:
        assert (await stranger.get(f"/api/channels/{channel}/{look}")).status_code == 401, look
    await stranger.aclose()


async def test_an_export_comes_whole_in_ranges_and_with_its_proof(footage: House, tmp_path: Path) -> None:
    person, channel = footage.enter(Role.INVESTIGATOR), footage.yard.channel_id
    path, params = f"/api/channels/{channel}/export", {"from": "2026-11-20T12:00:01.5Z", "to": TO}
    whole = await person.get(path, params=params)
    assert whole.status_code == 200
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["content-disposition"].endswith('_20261120T120001Z_20261120T120008Z.mp4"')
    tag, size = whole.headers["etag"], len(whole.content)
    for asked, first, last in (
        ("bytes=0-9", 0, 10),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
    ):
        part = await person.get(path, params=params, headers={"Range": asked, "If-Range": tag})
        assert (part.status_code, part.content) == (206, whole.content[first:last])
        assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
    other = await person.get(path, params=params, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    for wrong in (f"bytes={size}-", "bytes=9-2", "bytes=0-1,4-5", "lines=1-2", "bytes=--1", "bytes=x-"):
        assert (await person.get(path, params=params, headers={"Range": wrong})).status_code == 416, wrong
    proof = await person.get(path + "/proof", params=params)
    (tmp_path / "a.mp4").write_bytes(whole.content)
    verdict = verify_export(tmp_path / "a.mp4", proof.content, verifier=footage.yard.log.verifier)
    assert verdict.finding == Finding.PROVED
    assert json.loads(proof.content)["media"]["name"] == whole.headers["content-disposition"].split('"')[1]


async def test_what_makes_no_sense_is_refused_by_name(footage: House) -> None:
    person, channel = footage.enter(Role.INVESTIGATOR), footage.yard.channel_id
    segment = footage.yard.segments[0].segment_id
    expected = {
        f"timeline?from={TO}&to={FROM}": (400, "span-backwards"),
        f"timeline?from=2020-01-01T00:00:00Z&to={TO}": (400, "span-too-long"),
        "timeline?from=yesterday&to=today": (400, "bad-request"),
        f"timeline?from=2026-11-20T12:00:00&to={TO}": (400, "span-no-zone"),
        "timeline": (400, "bad-request"),
        f"playback/{segment}/media?first=0&last=99": (404, "fragment-not-found"),
        f"playback/{segment}/media?first=3&last=1": (400, "fragments-backwards"),
        f"playback/{new_id()}/init": (404, "segment-not-found"),
        f"thumbnail?at={FROM}&width=9999": (400, "width-out-of-range"),
        "thumbnail?at=2026-11-20T12:00:02": (400, "span-no-zone"),
        "thumbnail?at=2020-01-01T00:00:00Z": (404, "no-footage-at"),
        "export?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z": (409, "nothing-recorded"),
        f"export?from=2026-10-01T00:00:00Z&to={TO}": (400, "span-too-long"),
    }
    for look, (status, code) in expected.items():
        got = await person.get(f"/api/channels/{channel}/{look}")
        assert (got.status_code, got.json()["code"]) == (status, code), look


async def test_storage_is_kept_by_administrators_and_seen_by_all(footage: House, tmp_path: Path) -> None:
    administrator, operator = footage.enter(Role.ADMINISTRATOR), footage.enter(Role.OPERATOR)
    footage.yard.tell(f.RecorderSeen(node="n1", at=NOON, channels=3, recording=2, bytes_per_s=10, waiting=0))
    told = (await operator.get("/api/recording/summary")).json()
    assert (told["recording"], told["cameras"], told["bytes_per_s"]) == (2, 3, 10)
    assert told["oldest_at"] == FROM
    disk = tmp_path / "disk"
    disk.mkdir()
    assert (await operator.send("POST", "/api/volumes", {"path": str(disk)})).status_code == 403
    added = await administrator.send("POST", "/api/volumes", {"path": str(disk), "quota_bytes": 10**9})
    assert added.status_code == 201, added.text
    volume = added.json()["id"]
    assert (disk / ".svidok-volume").read_text().strip() == volume
    changed = await administrator.send("PATCH", f"/api/volumes/{volume}", {"state": "retired"})
    assert (changed.json()["state"], changed.json()["quota_bytes"]) == ("retired", 10**9)
    changed = await administrator.send("PATCH", f"/api/volumes/{volume}", {"quota_bytes": None})
    assert (changed.json()["state"], changed.json()["quota_bytes"]) == ("retired", None)
    for body in ({"path": "relative"}, {"path": str(tmp_path / "none")}, {"path": str(disk), "node": "another"}):
        assert (await administrator.send("POST", "/api/volumes", body)).status_code == 400, body
    assert (await administrator.send("POST", "/api/volumes", {"path": str(disk)})).status_code == 409
    assert (await administrator.send("PATCH", f"/api/volumes/{new_id()}", {"state": "ready"})).status_code == 404
    assert len((await operator.get("/api/gaps", params={"channel": str(footage.yard.channel_id)})).json()["items"]) == 0
    assert (await operator.get("/api/alarms")).json() == {"items": []}


async def test_a_check_runs_as_a_job_and_names_what_is_wrong(footage: House) -> None:
    auditor = footage.enter(Role.AUDITOR)
    data = bytearray(footage.yard.media().read_bytes())
    data[-1] ^= 1
    footage.yard.media().write_bytes(data)
    job = (await auditor.send("POST", "/api/checks", {})).json()["job"]
    for _ in range(100):
        told = (await auditor.get(f"/api/jobs/{job}")).json()
        if told["state"] != "running":
            break
        await asyncio.sleep(0.1)
    assert told["state"] == "done"
    assert [(one["code"], one["path"]) for one in told["result"]["findings"]] == [
        ("fragment-differs", str(footage.yard.media()))
    ]


class Recorder:
    """Stands in for a recorder on the bus: answers openings, publishes pictures of a real clip."""

    def __init__(
        self, bus: Bus, channel: UUID, clip, *, problems: dict[str, str] | None = None, codec: str = ""
    ) -> None:
        self.bus, self.channel, self.clip, self.problems = bus, channel, clip, problems or {}
        self.codec, self.epoch, self.asked = codec, 1, []

    async def answer(self, subject: str, _body: bytes) -> bytes:
        role = subject.rsplit(".", 1)[1]
        self.asked.append(role)
        if role in self.problems:
            return msgspec.msgpack.encode(LiveOpening(problem=self.problems[role]))
        video = self.clip.tracks.video
        codec = self.codec if role == "main" and self.codec else video.codec_string()
        return msgspec.msgpack.encode(
            LiveOpening(
                codec=codec, width=video.width, height=video.height, init=init_segment(Tracks(video=video)),
                epoch=self.epoch,
            )
        )  # fmt: skip

    async def publish(self, group: int, role: str = "main") -> None:
        whole, base = self.clip.groups[group], 0
        for number, size in enumerate(whole.sizes):
            frame = Frame(
                data=bytes(whole.data[base : base + size]), ticks=0, duration=3600, is_key=number == 0, arrived_us=0
            )
            base += size
            made = frame_fragment(number + 1, frame, base=(group * 25 + number) * 3600, wall_us=0)
            body = msgspec.msgpack.encode(LiveFrame(epoch=self.epoch, is_key=number == 0, fragment=made))
            await self.bus.publish(frames_subject(self.channel, role), body)


@pytest.fixture
async def recorder(house: House, plain_clip, nats_url: str) -> AsyncIterator[Recorder]:
    bus = await Bus.connect(nats_url, "recorder")
    stands_in = Recorder(bus, house.yard.channel_id, plain_clip)
    await bus.subscribe(open_subject(house.yard.channel_id, "*"), stands_in.answer)
    yield stands_in
    await bus.close()


def live(house: House, person: Person, query: str = "quality=main") -> Any:
    return person.socket(f"/api/channels/{house.yard.channel_id}/live?purpose={person.purpose}&{query}")


async def taken(socket: Any, count: int) -> bytes:
    return b"".join([await asyncio.wait_for(socket.recv(), 5) for _ in range(count)])


async def test_live_says_what_comes_and_then_it_plays(house: House, recorder: Recorder) -> None:
    person = house.enter(Role.OPERATOR)
    async with live(house, person) as socket:
        told = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert told["channel"] == str(house.yard.channel_id)
        assert (told["width"], told["height"], told["quality"], told["because"]) == (256, 144, "main", None)
        assert told["codec"].startswith("avc1.")
        init = await taken(socket, 1)
        await recorder.publish(0)
        await recorder.publish(1)
        assert probe(init + await taken(socket, 50)).frames == 50
    assert len(house.lines("view_live")) == 1


async def test_a_new_epoch_begins_anew(house: House, recorder: Recorder) -> None:
    person = house.enter(Role.OPERATOR)
    async with live(house, person) as socket:
        await taken_opening(socket)
        recorder.epoch = 2
        await recorder.publish(0)
        told = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert told["codec"].startswith("avc1.")
        assert (await taken(socket, 1))[4:8] == b"ftyp"


async def taken_opening(socket: Any) -> dict:
    told = json.loads(await asyncio.wait_for(socket.recv(), 5))
    await asyncio.wait_for(socket.recv(), 5)
    return told


async def test_h265_falls_back_to_the_sub_stream_or_says_why_not(house: House, recorder: Recorder) -> None:
    person = house.enter(Role.OPERATOR)
    recorder.codec = "hvc1.1.6.L93.b0"
    async with live(house, person) as socket:
        told = await taken_opening(socket)
        assert (told["quality"], told["because"]) == ("sub", "codec-not-playable")
    async with live(house, person, "quality=main&hevc=true") as socket:
        assert (await taken_opening(socket))["codec"] == "hvc1.1.6.L93.b0"
    recorder.problems = {"sub": "no-sub-stream"}
    async with live(house, person) as socket:
        told = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert told["code"] == "codec-not-playable"
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


async def test_without_a_sub_stream_the_main_one_comes(house: House, recorder: Recorder) -> None:
    recorder.problems = {"sub": "no-sub-stream"}
    async with live(house, house.enter(Role.OPERATOR), "quality=sub") as socket:
        told = await taken_opening(socket)
        assert (told["quality"], told["because"]) == ("main", "no-sub-stream")


async def test_a_silent_camera_is_said_to_be_silent(
    house: House, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_live, "SILENT_S", 0.3)
    person = house.enter(Role.OPERATOR)
    async with live(house, person) as socket:
        await taken_opening(socket)
        assert json.loads(await asyncio.wait_for(socket.recv(), 5))["code"] == "no-picture"
        await recorder.publish(0)
        assert len(await taken(socket, 25)) > 1000
    recorder.problems = {"main": "wrong-password"}
    async with live(house, person) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), 5))["code"] == "wrong-password"
    assert recorder.asked.count("sub") == 0


async def test_nobody_watches_beyond_the_end_of_their_session(
    house: House, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_live, "LEAVE_EVERY_S", 0.2)
    person = house.enter(Role.OPERATOR)
    async with live(house, person) as socket:
        await taken_opening(socket)
        with house.services.database.transaction() as tx:
            sessions.sign_out(tx, token=person.token, at=SystemClock().now())
        assert json.loads(await asyncio.wait_for(socket.recv(), 5))["code"] == "not-signed-in"


async def test_live_is_refused_at_the_door(house: House, recorder: Recorder) -> None:
    operator, administrator = house.enter(Role.OPERATOR), house.enter(Role.ADMINISTRATOR)
    path = f"/api/channels/{house.yard.channel_id}/live"
    attempts = [
        operator.socket(path), administrator.socket(f"{path}?purpose={administrator.purpose}"),
        operator.socket(f"{path}?purpose={administrator.purpose}"),
        operator.socket(f"{path}?purpose={operator.purpose}", origin="http://elsewhere.example"),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
            async with attempt as socket:
                await asyncio.wait_for(socket.recv(), 5)
    assert recorder.asked == []
    assert house.lines("view_live") == []


async def test_a_viewer_that_does_not_read_holds_up_nobody(house: House, recorder: Recorder) -> None:
    slow, quick = house.enter(Role.OPERATOR), house.enter(Role.OPERATOR)
    async with live(house, slow) as stuck, live(house, quick) as socket:
        await taken_opening(stuck)
        await taken_opening(socket)
        reading = asyncio.create_task(taken(socket, 25 * 6 * 5))
        for _ in range(5):
            for group in range(6):
                await recorder.publish(group)
                await asyncio.sleep(0.02)
        assert len(await asyncio.wait_for(reading, 10)) > 100_000


async def test_an_export_of_a_growing_segment_is_planned_once_per_request(footage: House, clip) -> None:
    footage.yard.record(clip, at(8), first=8, seal=False)
    with footage.yard.database.transaction() as tx:
        planned = export.plan(tx, footage.yard.channel_id, Span(at(0), at(60)))
    person = footage.enter(Role.SUPERVISOR)
    got = await person.get(
        f"/api/channels/{footage.yard.channel_id}/export", params={"from": FROM, "to": "2026-11-20T12:01:00Z"}
    )
    assert (got.headers["etag"], len(got.content)) == (f'"{planned.tag}"', planned.size_bytes)


async def test_a_ticket_opens_one_export_to_one_person_and_can_be_stopped(footage: House) -> None:
    channel, span = footage.yard.channel_id, {"from": FROM, "to": TO}
    investigator, other = footage.enter(Role.INVESTIGATOR), footage.enter(Role.INVESTIGATOR)

    async def ticket() -> str:
        headers = {"X-Svidok-CSRF": csrf_of(investigator.token), "X-Svidok-Purpose": investigator.purpose}
        made = await investigator.client.post(f"/api/channels/{channel}/export/ticket", params=span, headers=headers)
        assert made.status_code == 201, made.text
        return str(made.json()["ticket"])

    one = await ticket()
    assert (await other.get(f"/api/exports/{one}/media", purpose=False)).status_code == 404
    whole = await investigator.get(f"/api/exports/{one}/media", purpose=False)
    plain = await investigator.get(f"/api/channels/{channel}/export", params=span)
    assert (whole.status_code, whole.content) == (200, plain.content)
    told = (await investigator.get(f"/api/exports/{one}", purpose=False)).json()
    assert (told["state"], told["sent_bytes"], told["size_bytes"]) == ("done", len(whole.content), len(whole.content))
    assert (await investigator.get(f"/api/exports/{one}/media", purpose=False)).json()["code"] == "ticket-used"
    assert (await investigator.get(f"/api/exports/{one}/proof", purpose=False)).json()["channel"] == str(channel)

    found = footage.services.exports.find(await ticket(), owner_id=actor_of(footage, investigator), now_s=0.0)
    found.begin(0)
    pieces = found.chunks(0, found.plan.size_bytes)
    assert next(pieces)
    assert (await investigator.send("DELETE", f"/api/exports/{found.id}", {})).json()["state"] == "cancelled"
    with pytest.raises(OSError, match="cancelled"):
        list(pieces)

    late = await ticket()
    with footage.services.database.transaction() as tx:
        tx.run("UPDATE governance.purpose SET expires_at = now() WHERE id = %(id)s", id=UUID(investigator.purpose))
    assert (await investigator.get(f"/api/exports/{late}/media", purpose=False)).json()["code"] == "purpose-over"


def actor_of(house: House, person: Person) -> UUID:
    with house.services.database.transaction() as tx:
        actor = sessions.find(tx, token=person.token, at=SystemClock().now())
    assert actor is not None
    return actor.id
