"""Scans end by the retention rule of the customs service alone: a row before the deed, holds and complaints respected."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from tests.rooms.customs.conftest import NOON, Post, told

from svidok.access import Actor, Role, accounts
from svidok.base import NotFound, Span, new_id
from svidok.bodyworn import issuing
from svidok.bodyworn.model import Service
from svidok.customs import complaints, disposing, scans
from svidok.customs.checkpoints import SQL
from svidok.customs.disposing import DISPOSAL_DECIDED, DISPOSAL_DONE, ScanDisposer
from svidok.customs.importing import take
from svidok.db import Row
from svidok.fleet import registry
from svidok.governance import keeping
from svidok.recording.judging import Governance
from svidok.recording.volumes import enrol

NODE = "scan-node"
DAYS = 30
LATER = NOON + timedelta(days=DAYS + 1)
LANE = UUID(int=77)
PDF = b"%PDF-1.7 scan "


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A checkpoint with a volume for scans, and somebody to agree to rules."""

    post: Post
    root: Path
    volume: UUID
    second: Actor
    disposer: ScanDisposer

    def scan(self, number: str | None, *, taken: datetime = NOON, procedure: bool = True) -> UUID:
        """A scan that is kept; of a procedure of that number."""
        with self.post.database.transaction() as tx:
            if number is not None and procedure:
                take(tx, self.post.source, [(1, told(number, scan_due=True))], at=NOON)
            incoming = scans.Incoming(scans.Place(volume_id=self.volume, root=self.root))
            incoming.write(PDF + new_id().bytes)
            said = scans.ScanTold(checkpoint="UA209140", device="MS-7", taken_at=taken, procedure=number)
            return scans.enter_scan(tx, self.post.source, said, incoming, incoming.keep(at=NOON), at=NOON)

    def row(self, scan_id: UUID) -> Row:
        with self.post.database.transaction() as tx:
            return tx.one("SELECT s.*, d.decided_at, d.grounds FROM customs.scan s LEFT JOIN customs.scan_disposal d "
                          "ON d.scan_id = s.id WHERE s.id = %(i)s", i=scan_id)  # fmt: skip

    def there(self, scan_id: UUID) -> bool:
        return (self.root / self.row(scan_id)["path"]).exists()

    def entries(self, scan_id: UUID) -> dict[str, bytes | None]:
        with self.post.database.transaction() as tx:
            rows = tx.all("SELECT kind, payload FROM ledger.entry WHERE subject = %(i)s ORDER BY at, id", i=scan_id)
        return {row["kind"]: row["payload"] for row in rows}


@pytest.fixture(scope="module")
def yard(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Yard:
    root = tmp_path_factory.mktemp("scans")
    made = enrol(root, node=NODE, quota_bytes=None, known_id=None)
    with post.database.transaction() as tx:
        tx.run("INSERT INTO recording.volume (id, node, path, free_bytes) VALUES (%(i)s, %(n)s, %(p)s, 1)",
               i=made.id, n=NODE, p=str(root))  # fmt: skip
        second = accounts.add_account(
            tx, by=None, login="c-second", name="n", password=None, roles=[Role.SUPERVISOR], unit_id=None, at=NOON
        )
        tx.run("INSERT INTO customs.lane_camera (lane_id, channel_id) VALUES (%(l)s, %(c)s)", l=post.lanes["1"], c=LANE)
    disposer = ScanDisposer(database=post.database, judge=Governance(classes=registry.retention_classes), node=NODE)
    return Yard(post=post, root=root, volume=made.id, second=second, disposer=disposer)


@pytest.fixture
def ruled(yard: Yard) -> Iterator[Yard]:
    """With the pack of the customs service, and a rule in force for its class."""
    people, supervisor = yard.post.people, yard.post.people[Role.SUPERVISOR]
    with yard.post.database.transaction() as tx:
        issuing.set_pack(
            tx, actor=supervisor, service=Service.CUSTOMS, retention_class="customs-records", at=NOON,
            legal_basis="МКУ, ст. 324", pause_kinds=[], hold_reasons=[],
        )  # fmt: skip
        rule = keeping.make_rule(
            tx,
            actor=supervisor,
            retention_class="customs-records",
            keep_days=DAYS,
            legal_basis="Act 1, art. 2",
            at=NOON,
        )
        keeping.agree_to_rule(tx, actor=yard.second, rule_id=rule, at=NOON)
    yield yard
    with yard.post.database.transaction() as tx:
        assert people
        keeping.end_rule(tx, actor=supervisor, rule_id=rule, at=NOON)


def test_without_a_pack_or_a_rule_every_scan_is_kept(yard: Yard) -> None:
    scan = yard.scan("D-0")
    assert yard.disposer.sweep(at=NOON + timedelta(days=36_000)) == 0
    with yard.post.database.transaction() as tx:
        issuing.set_pack(
            tx, actor=yard.post.people[Role.SUPERVISOR], service=Service.CUSTOMS, retention_class="customs-records",
            legal_basis="МКУ, ст. 324", pause_kinds=[], hold_reasons=[], at=NOON,
        )  # fmt: skip
    assert yard.disposer.sweep(at=NOON + timedelta(days=36_000)) == 0
    assert yard.there(scan)


def test_a_scan_goes_when_its_rule_says_so_and_its_end_is_stated(ruled: Yard) -> None:
    scan = ruled.scan("D-1")
    picture = (ruled.root / ruled.row(scan)["path"]).with_suffix(".picture.jpg")
    picture.write_bytes(b"picture")
    assert ruled.disposer.sweep(at=NOON + timedelta(days=DAYS, minutes=9)) == 0, "its procedure ended ten past"
    assert ruled.there(scan)
    assert ruled.disposer.sweep(at=LATER) >= 1
    row = ruled.row(scan)
    assert not ruled.there(scan)
    assert not picture.exists()
    assert (row["disposed_at"], row["decided_at"], row["picture"]) == (LATER, LATER, False)
    assert row["grounds"]["rules"]
    entries = ruled.entries(scan)
    assert [*entries] == ["customs.scan", DISPOSAL_DECIDED, DISPOSAL_DONE]
    assert entries["customs.scan"] is None  # mute: what was destroyed, and by which rule, stays stated
    assert json.loads(bytes(entries[DISPOSAL_DECIDED] or b""))["scan"] == str(scan)
    with ruled.post.database.transaction() as tx:
        with pytest.raises(NotFound) as gone:
            scans.original_of(tx, scan)
        counted = tx.one(SQL["count_scans"], procedure_id=row["procedure_id"])
    assert gone.value.code == "scan-disposed"
    assert counted["kept"] == 1, "a procedure does not lack what the law ended"
    assert ruled.disposer.sweep(at=LATER) == 0


@pytest.mark.parametrize("what", ["everything", "its lane"])
def test_a_hold_keeps_it_until_it_is_lifted(ruled: Yard, what: str) -> None:
    scan, free = ruled.scan(f"D-{what}"), ruled.scan(f"D-{what}-2", taken=NOON + timedelta(minutes=5))
    span = Span(NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))
    with ruled.post.database.transaction() as tx:
        hold = keeping.place_hold(
            tx, actor=ruled.post.people[Role.SUPERVISOR], channel_id=LANE if what == "its lane" else None, span=span,
            reason="case 7", reference_id=None, at=NOON,
        )  # fmt: skip
        other = keeping.place_hold(
            tx, actor=ruled.post.people[Role.SUPERVISOR], channel_id=UUID(int=5), span=span, reason="case 8",
            reference_id=None, at=NOON,
        )  # fmt: skip
    assert ruled.disposer.sweep(at=LATER) == 0
    assert ruled.there(scan)
    assert ruled.there(free), "its procedure reaches into the hold"
    with ruled.post.database.transaction() as tx:
        keeping.lift_hold(tx, actor=ruled.second, hold_id=hold, reason="decided", at=NOON)
    assert ruled.disposer.sweep(at=LATER) == 2
    assert not ruled.there(scan)
    with ruled.post.database.transaction() as tx:
        keeping.lift_hold(tx, actor=ruled.second, hold_id=other, reason="decided", at=NOON)


def test_a_complaint_keeps_the_scan_of_its_procedure(ruled: Yard) -> None:
    scan = ruled.scan("D-C")
    supervisor = ruled.post.people[Role.SUPERVISOR]
    with ruled.post.database.transaction() as tx:
        made = complaints.open_complaint(
            tx, actor=supervisor, told=complaints.ComplaintIn(
                by_whom="traveller", text="They were rude to us.", contact="", checkpoint_id=ruled.post.id,
                span=Span(NOON, NOON + timedelta(minutes=5)), plate=None, declaration=None,
            ), at=LATER,
        )  # fmt: skip
        holds = [row["hold_id"] for row in tx.all("SELECT hold_id FROM customs.complaint_hold WHERE complaint_id = %(c)s",
                                                  c=made)]  # fmt: skip
        assert holds
        for hold in holds:
            keeping.lift_hold(tx, actor=ruled.second, hold_id=hold, reason="by mistake", at=LATER)
    assert ruled.disposer.sweep(at=LATER) == 0, "the complaint is not decided"
    with ruled.post.database.transaction() as tx:
        complaints.decide(tx, actor=ruled.second, complaint_id=made, decision="not-upheld", grounds="The pictures show that nobody was rude.",
                          at=LATER)  # fmt: skip
    assert ruled.disposer.sweep(at=LATER) == 1
    assert not ruled.there(scan)


def test_what_was_decided_is_done_after_a_fall_and_waits_for_its_volume(ruled: Yard) -> None:
    scan = ruled.scan("D-F")
    assert ruled.disposer._decide(scan, LATER)  # and then the process dies
    assert ruled.there(scan)
    marker = ruled.root / ".svidok-volume"
    kept = marker.read_bytes()
    marker.unlink()
    try:
        assert ruled.disposer.sweep(at=LATER) == 0
    finally:
        marker.write_bytes(kept)
    assert ruled.there(scan)
    assert ruled.row(scan)["disposed_at"] is None
    assert ruled.disposer.sweep(at=LATER) == 1
    assert not ruled.there(scan)


def test_many_that_are_held_keep_no_other_from_its_turn(ruled: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disposing, "_PAGE", 2)
    held = [ruled.scan(None, taken=NOON - timedelta(days=3)) for _ in range(5)]
    free = ruled.scan(None, taken=NOON - timedelta(days=5))
    with ruled.post.database.transaction() as tx:
        hold = keeping.place_hold(
            tx, actor=ruled.post.people[Role.SUPERVISOR], channel_id=LANE, reason="case 9", reference_id=None, at=NOON,
            span=Span(NOON - timedelta(days=4), NOON - timedelta(days=2)),
        )  # fmt: skip
    assert ruled.disposer.sweep(at=LATER) == 1
    assert not ruled.there(free)
    assert all(ruled.there(one) for one in held)
    with ruled.post.database.transaction() as tx:
        keeping.lift_hold(tx, actor=ruled.second, hold_id=hold, reason="decided", at=NOON)


def test_another_machine_leaves_it_alone_and_nobody_deletes_its_row(ruled: Yard) -> None:
    scan = ruled.scan("D-X")
    other = ScanDisposer(database=ruled.post.database, judge=ruled.disposer.judge, node="elsewhere")
    assert other.sweep(at=LATER) == 0
    assert ruled.there(scan)
    for table in ("scan", "scan_disposal"):
        with pytest.raises(psycopg.errors.RaiseException), ruled.post.database.transaction() as tx:
            tx.run(f"DELETE FROM customs.{table}")
