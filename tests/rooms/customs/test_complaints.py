"""A complaint finds, holds at once, is shown honestly, is decided with grounds; whom it is about touches nothing of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient
from tests.rooms.customs.conftest import NOON, Post, told

from svidok.access import Actor, Role, accounts, sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import BadInput, Conflict, Forbidden, Span, SystemClock, new_id
from svidok.bodyworn import issuing
from svidok.bodyworn.model import Service
from svidok.customs import checkpoints, complaints
from svidok.customs.complaints import ComplaintIn
from svidok.customs.importing import take
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.governance import keeping, purposes
from svidok.governance.model import ReferenceKind

END = NOON + timedelta(minutes=10)
CSV = """number;name_uk;kind;owner;region_code
L-1;Смуга;overview;customs;UA46060250010015970
W-1;Нагрудна;body_worn;customs;UA46060250010015970
"""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A checkpoint whose officer 140-7 is an operator too, wears a camera and works on lane 1."""

    post: Post
    lane: UUID
    worn: UUID
    officer: Actor
    procedure: UUID

    def told(self, **more: Any) -> ComplaintIn:
        usual = {
            "by_whom": "traveller", "text": "They were rude and slow", "contact": "", "checkpoint_id": self.post.id,
            "span": Span(NOON, END), "plate": "ВС 1234 АЕ",
        }  # fmt: skip
        return ComplaintIn(**usual | more)

    def open(self, **more: Any) -> UUID:
        with self.post.database.transaction() as tx:
            return complaints.open_complaint(
                tx, actor=self.post.people[Role.OPERATOR], told=self.told(**more), at=END + timedelta(hours=1)
            )


@pytest.fixture(scope="module")
def desk(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    admin, supervisor = post.people[Role.ADMINISTRATOR], post.people[Role.SUPERVISOR]
    import_cameras(post.database, CSV.encode(), actor=admin, at=NOON, safe=Safe(tmp_path_factory.mktemp("k") / "key"),
                   progress=lambda *_: None)  # fmt: skip
    with post.database.transaction() as tx:
        ids = {row["number"]: row["id"] for row in tx.all(
            "SELECT c.number, h.id FROM fleet.channel h JOIN fleet.camera c ON c.id = h.camera_id")}  # fmt: skip
        checkpoints.set_lane_cameras(tx, actor=admin, lane_id=post.lanes["1"], channel_ids=[ids["L-1"]], at=NOON)
        officer = accounts.add_account(tx, by=None, login="o-7", name="О. Сьомий", password=None, unit_id=None, at=NOON,
                                       roles=[Role.SUPERVISOR, Role.OPERATOR])  # fmt: skip
        issuing.set_pack(tx, actor=supervisor, service=Service.CUSTOMS, retention_class="worn", pause_kinds=[],
                         legal_basis="Act 1, article 2", hold_reasons=[], at=NOON)  # fmt: skip
        officer_id = issuing.add_officer(tx, actor=supervisor, badge="140-7", name="О. Сьомий", at=NOON,
                                         service=Service.CUSTOMS, account_id=officer.id)  # fmt: skip
        issuing.plan_shift(tx, actor=supervisor, officer_id=officer_id, checkpoint="UA209140", at=NOON,
                           span=Span(NOON - timedelta(hours=1), NOON + timedelta(hours=5)))  # fmt: skip
        issuing.enrol_camera(tx, actor=admin, number="W-1", serial="S1", service=Service.CUSTOMS, checkpoint="UA209140",
                             at=NOON)  # fmt: skip
        issuing.issue(tx, actor=supervisor, badge="140-7", camera="W-1", at=NOON - timedelta(minutes=50))
        take(tx, post.source, [(1, told("K-1", officers=["140-7"])), (2, told("K-2", plate="KA0001KA"))], at=END)
        mine = tx.one("SELECT id FROM customs.procedure WHERE number = 'K-1'")["id"]
    return Desk(post=post, lane=ids["L-1"], worn=ids["W-1"], officer=officer, procedure=mine)


def test_it_finds_by_plate_and_holds_lane_and_worn_cameras_at_once(desk: Desk) -> None:
    complaint = desk.open()
    with desk.post.database.transaction() as tx:
        row = complaints.read(tx, actor=desk.post.people[Role.SUPERVISOR], complaint_id=complaint)
        holds = keeping.holds(tx)
    assert [one["number"] for one in row["procedures"]] == ["K-1"]
    assert {one["channel_id"] for one in row["holds"]} == {desk.lane, desk.worn}
    for channel in (desk.lane, desk.worn):
        assert any(hold.touches(channel, Span(NOON, END)) for hold in holds)
        assert not any(
            hold.touches(channel, Span(END + timedelta(hours=1), END + timedelta(hours=2))) for hold in holds
        )
    assert row["against"] == [desk.officer.id], "nobody was named, so everybody present is concerned"


def test_by_place_and_time_by_declaration_and_where_nothing_fits(desk: Desk) -> None:
    def found(**more: Any) -> tuple[list[str], int]:
        with desk.post.database.transaction() as tx:
            row = complaints.read(tx, actor=desk.post.people[Role.INVESTIGATOR], complaint_id=desk.open(**more))
        return [one["number"] for one in row["procedures"]], len(row["holds"])

    assert found(plate=None)[0] == ["K-1", "K-2"]
    assert found(plate=None, declaration="26UA404") == ([], 1), "the whole place is held where nothing was found"
    with pytest.raises(BadInput):
        desk.open(against=("140-999",))
    with pytest.raises(BadInput):
        desk.open(text="rude")
    with pytest.raises(BadInput):
        desk.open(span=Span(NOON + timedelta(days=9), NOON + timedelta(days=10)))


def test_whom_it_is_about_knows_and_touches_neither_text_nor_decision(desk: Desk) -> None:
    complaint = desk.open()
    with desk.post.database.transaction() as tx:
        about = complaints.about(tx, actor=desk.officer)
        assert about
        assert not {"text", "contact", "opened_by"} & set(about[0])
        assert complaint not in [one["id"] for one in complaints.listed(tx, actor=desk.officer)]
        with pytest.raises(Forbidden) as refused:
            complaints.read(tx, actor=desk.officer, complaint_id=complaint)
        assert refused.value.details["grounds"] == "no-footage-for-whom-is-complained-of"
        with pytest.raises(Forbidden):
            complaints.decide(tx, actor=desk.officer, complaint_id=complaint, decision="not-upheld", at=END,
                              grounds="I was there and I say so")  # fmt: skip
    supervisor = desk.post.people[Role.SUPERVISOR]
    with desk.post.database.transaction() as tx:
        with pytest.raises(BadInput):
            complaints.decide(tx, actor=supervisor, complaint_id=complaint, decision="upheld", grounds="yes", at=END)
        complaints.decide(tx, actor=supervisor, complaint_id=complaint, decision="upheld-in-part", at=END,
                          grounds="The footage shows that the step took twice as long.")  # fmt: skip
        with pytest.raises(Conflict):
            complaints.decide(tx, actor=supervisor, complaint_id=complaint, decision="upheld", at=END,
                              grounds="The footage shows that the step took twice as long.")  # fmt: skip
        kinds = {row["kind"] for row in tx.all("SELECT kind FROM ledger.entry WHERE subject = %(i)s", i=complaint)}
    assert kinds == {complaints.OPENED, complaints.DECIDED}


@pytest.fixture(scope="module")
def client(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    clock, folder = SystemClock(), tmp_path_factory.mktemp("hub")
    services = Services(
        database=desk.post.database, bus=None, data=folder, ledger_folder=folder, ledger_origin="x", clock=clock,
        jobs=Jobs(desk.post.database, clock), node="n",
    )  # fmt: skip
    with TestClient(build_app(services, web_folder=None), base_url="http://testserver") as client:
        yield client


def as_actor(desk: Desk, actor: Actor) -> dict[str, str]:
    now = SystemClock().now()
    with desk.post.database.transaction() as tx:
        token = sessions.begin(tx, actor, address="a", how="test", at=now).token
        supervisor = desk.post.people[Role.SUPERVISOR]
        reference = purposes.open_reference(tx, actor=supervisor, kind=ReferenceKind.CASE, number=str(new_id()),
                                            title="t", legal_basis="Act 1, art. 2", at=now)  # fmt: skip
        purpose = purposes.choose_purpose(tx, actor=actor, reference_id=reference.id, reason="to see", at=now)
    return {"cookie": f"svidok_session={token}", "x-svidok-csrf": csrf_of(token), "x-svidok-purpose": str(purpose.id),
            "origin": "http://testserver"}  # fmt: skip


def test_the_door_refuses_every_way_to_the_footage_of_a_complaint_about_oneself(
    desk: Desk, client: TestClient[Any], tmp_path: Path
) -> None:
    desk.open()
    inside = f"from={NOON.isoformat()}&to={END.isoformat()}".replace("+", "%2B")
    outside = "from=2026-11-20T10:00:00Z&to=2026-11-20T10:10:00Z"
    segment = new_id()
    with desk.post.database.transaction() as tx:
        tx.run("INSERT INTO recording.volume (id, node, path) VALUES (%(i)s, 'q', %(p)s)", i=segment, p=str(tmp_path))
        tx.run(
            "INSERT INTO recording.segment (id, recording_id, channel_id, volume_id, path, start_at, end_at, size_bytes, "
            "fragments, root, codec, width, height, state) VALUES (%(i)s, %(i)s, %(c)s, %(i)s, 'p', %(s)s, %(e)s, 1, 1, "
            "%(r)s, 'avc1', 1, 1, 'sealed')", i=segment, c=desk.lane, s=NOON, e=END, r=b"0" * 32,
        )  # fmt: skip
    barred = [
        f"/api/channels/{channel}/{what}"
        for channel in (desk.lane, desk.worn)
        for what in (f"export?{inside}", f"export/proof?{inside}",
                     f"thumbnail?at={NOON.isoformat().replace('+', '%2B')}")
    ]  # fmt: skip
    barred += [f"/api/channels/{desk.lane}/playback/{segment}/init", f"/api/customs/procedures/{desk.procedure}"]
    officer, other = as_actor(desk, desk.officer), as_actor(desk, desk.post.people[Role.SUPERVISOR])
    for address in barred:
        refused = client.get(address, headers=officer)
        assert (refused.status_code, refused.json()["details"].get("grounds")) == (
            403, "no-footage-for-whom-is-complained-of",
        ), address  # fmt: skip
        assert client.get(address, headers=other).status_code != 403, address
    assert client.get(f"/api/channels/{desk.lane}/export?{outside}", headers=officer).status_code != 403
    assert client.get(f"/api/channels/{desk.lane}/timeline?{inside}", headers=officer).status_code == 200, "it exists"
    shown = client.get(f"/api/customs/procedures/{desk.procedure}", headers=other).json()
    assert shown["complaints"] >= 1
    assert [one["badge"] for one in shown["worn"]] == ["140-7"]
    assert client.get("/api/customs/complaints/about-me", headers=officer).json()["items"]
