"""What is missing as rows and alarms: found, arrived, explained, never gone; over real tables of footage and reads."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.rooms.customs.conftest import NOON, Post, told

from svidok.access import Role
from svidok.base import Forbidden, NotFound, Span, new_id
from svidok.bodyworn import issuing
from svidok.bodyworn.model import Service
from svidok.customs import checkpoints, worklist
from svidok.customs.importing import take
from svidok.customs.sums import sum_due
from svidok.db import Transaction
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras

CSV = "number;name_uk;kind;owner;region_code\nC-1;Смуга;plate;customs;UA46060250010015970\n"
END = NOON + timedelta(minutes=10)
LATER = NOON + timedelta(hours=3)


@pytest.fixture(scope="module")
def lane_camera(post: Post, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    admin = post.people[Role.ADMINISTRATOR]
    import_cameras(post.database, CSV.encode(), actor=admin, at=NOON, safe=Safe(tmp_path_factory.mktemp("k") / "key"),
                   progress=lambda *_: None)  # fmt: skip
    with post.database.transaction() as tx:
        channel: UUID = tx.one("SELECT id FROM fleet.channel")["id"]
        checkpoints.set_lane_cameras(tx, actor=admin, lane_id=post.lanes["1"], channel_ids=[channel], at=NOON)
    return channel


def footage(tx: Transaction, channel: UUID, start: datetime, end: datetime) -> None:
    volume = new_id()
    tx.run("INSERT INTO recording.volume (id, node, path) VALUES (%(i)s, 'x', %(p)s)", i=volume, p=f"/v/{volume}")
    tx.run(
        "INSERT INTO recording.segment (id, recording_id, channel_id, volume_id, path, start_at, end_at, size_bytes, "
        "fragments, root, codec, width, height, state) VALUES (%(i)s, %(i)s, %(c)s, %(v)s, 'p', %(s)s, %(e)s, 1, 1, "
        "%(r)s, 'avc1', 1, 1, 'sealed')", i=new_id(), c=channel, v=volume, s=start, e=end, r=b"0" * 32,
    )  # fmt: skip


def alarms(post: Post) -> set[str]:
    with post.database.transaction() as tx:
        return {row["subject"] for row in tx.all("SELECT subject FROM recording.alarm WHERE cleared_at IS NULL")}


def test_found_alarmed_arrived_and_explained(post: Post, lane_camera: UUID) -> None:
    with post.database.transaction() as tx:
        footage(tx, lane_camera, NOON, END - timedelta(seconds=100))
        take(tx, post.source, [(1, told("W-1", scan_due=True)), (2, told("W-2", lane="2"))], at=END)
    assert worklist.check_due(post.database, at=END + timedelta(minutes=1)) == 0, "asked for before it could be there"
    assert worklist.check_due(post.database, at=END + timedelta(minutes=6)) == 2
    assert alarms(post) == {"UA209140 · lane-camera · unknown"}
    assert worklist.check_due(post.database, at=LATER) == 1  # the scan was awaited until now
    assert alarms(post) == {"UA209140 · lane-camera · unknown", "UA209140 · scan · no-scan"}
    with post.database.transaction() as tx:
        rows = worklist.open_list(tx, checkpoint_id=post.id)
        entries = tx.one("SELECT count(*) AS n FROM ledger.entry WHERE kind = %(k)s", k=worklist.MISSING_FOUND)["n"]
    assert [(one["number"], one["requirement"], one["missing_ms"]) for one in rows] == [
        ("W-1", "lane-camera", 100_000), ("W-1", "scan", 0),
    ]  # fmt: skip
    assert rows[1]["since"] == END + timedelta(hours=1)
    assert entries == 2
    with post.database.transaction() as tx:
        footage(tx, lane_camera, END - timedelta(seconds=100), END)
    worklist.check_due(post.database, at=LATER + timedelta(hours=1))
    assert alarms(post) == {"UA209140 · scan · no-scan"}
    supervisor, auditor = post.people[Role.SUPERVISOR], post.people[Role.AUDITOR]
    with post.database.transaction() as tx:
        with pytest.raises(Forbidden):
            worklist.explain(tx, actor=auditor, missing_id=rows[1]["id"], explanation="I say so", at=LATER)
        worklist.explain(tx, actor=supervisor, missing_id=rows[1]["id"], explanation="The scanner was away", at=LATER)
        with pytest.raises(NotFound):
            worklist.explain(tx, actor=supervisor, missing_id=rows[0]["id"], explanation="It came", at=LATER)
    assert alarms(post) == set()
    with post.database.transaction() as tx:
        assert worklist.open_list(tx, checkpoint_id=post.id) == []
        assert len(worklist.missing_of(tx, rows[0]["procedure_id"])) == 2
        assert len(worklist.open_list(tx, checkpoint_id=post.id, explained=True)) == 1
    sum_due(post.database)
    with post.database.transaction() as tx:
        counted = tx.all("SELECT value, procedures FROM customs.sum WHERE grain = 'd' AND facet = 'missing' "
                         "AND checkpoint_id = %(c)s", c=post.id)  # fmt: skip
    assert [(one["value"], one["procedures"]) for one in counted] == [("scan/no-scan", 1)], "explained is missing still"


def shift(post: Post, badge: str, *, camera: str | None) -> None:
    """An officer on shift from an hour before noon, with a camera, or without one."""
    supervisor, admin = post.people[Role.SUPERVISOR], post.people[Role.ADMINISTRATOR]
    with post.database.transaction() as tx:
        officer = issuing.add_officer(tx, actor=supervisor, badge=badge, name=badge, service=Service.CUSTOMS, at=NOON)
        issuing.plan_shift(
            tx, actor=supervisor, officer_id=officer, checkpoint="UA209140", at=NOON,
            span=Span(NOON - timedelta(hours=1), NOON + timedelta(hours=5)),
        )  # fmt: skip
        if camera is not None:
            issuing.enrol_camera(
                tx, actor=admin, number=camera, serial=camera, service=Service.CUSTOMS, checkpoint="UA209140", at=NOON
            )
            issuing.issue(tx, actor=supervisor, badge=badge, camera=camera, at=NOON - timedelta(minutes=50))


WORN = "number;name_uk;kind;owner;region_code\nW-1;Нагрудна;body_worn;customs;UA46060250010015970\n"


def test_a_worn_camera_is_waited_for_and_then_missed(post: Post, tmp_path: Path) -> None:
    admin, supervisor = post.people[Role.ADMINISTRATOR], post.people[Role.SUPERVISOR]
    import_cameras(post.database, WORN.encode(), actor=admin, at=NOON, safe=Safe(tmp_path / "key"),
                   progress=lambda *_: None)  # fmt: skip
    with post.database.transaction() as tx:
        issuing.set_pack(tx, actor=supervisor, service=Service.CUSTOMS, retention_class="worn", pause_kinds=[],
                         legal_basis="Act 1, article 2", hold_reasons=[], at=NOON)  # fmt: skip
    shift(post, "140-1", camera="W-1")
    shift(post, "140-2", camera=None)
    with post.database.transaction() as tx:
        tx.run("UPDATE customs.checkpoint SET body_due = true WHERE id = %(i)s", i=post.id)
        take(tx, post.source, [(1, told("W-3", lane="3", officers=["140-1", "140-2", "140-3"]))], at=END)
        mine = tx.one("SELECT id FROM customs.procedure WHERE number = 'W-3'")["id"]

    def check(hours: float) -> list[tuple[str, str]]:
        with post.database.transaction() as tx:
            found = worklist.check_one(tx, mine, at=NOON + timedelta(hours=hours))
        return [(one.subject, one.cause) for one in found.lacking]

    assert check(2) == [("140-2", "no-camera")], "what nobody wore cannot come any more"
    assert check(13) == [("140-1", "dock-late"), ("140-2", "no-camera"), ("140-3", "no-shift")]
    with post.database.transaction() as tx:
        shown = worklist.open_list(tx, checkpoint_id=post.id)
    assert [one["subject"] for one in shown] == ["", "", ""], "the list names an officer"


def test_history_from_before_the_checkpoint_was_entered_is_not_judged(post: Post) -> None:
    old = NOON - timedelta(days=400)
    row = told("OLD-1", started_at=old.isoformat(), ended_at=(old + timedelta(minutes=5)).isoformat(), scan_due=True)
    with post.database.transaction() as tx:
        take(tx, post.source, [(1, row)], at=NOON)
    assert worklist.check_due(post.database, at=NOON + timedelta(days=3)) == 0
    assert date(2025, 10, 19) < datetime.now(UTC).date()
