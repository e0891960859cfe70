"""Disposal: a row and an entry first, then the deed; held footage and absent volumes are never touched."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from svidok.access import Role, accounts
from svidok.base import NotFound, Span
from svidok.governance.keeping import agree_to_rule, make_rule, place_hold
from svidok.ledger import enter
from svidok.ledger.audit import audit_log, audit_register
from svidok.ledger.sidecar import Finding
from svidok.recording import export, idx, sweeper
from svidok.recording.check import How, check
from svidok.recording.judging import Governance
from svidok.recording.model import SegmentRow
from svidok.recording.reading import segment_of_channel
from svidok.recording.sweeper import DueGroup, Ruling, Sweeper
from svidok.recording.timeline import timeline
from svidok.recording.verifying import verify_export
from svidok.recording.volumes import MARKER

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass
class Ten:
    """A rule of ten seconds, and holds on single segments."""

    channels: Sequence[UUID]
    held: set[UUID] = field(default_factory=set)
    at: datetime = NOON

    def read(self, tx, *, at: datetime, channel_id: UUID | None = None) -> "Ten":
        return Ten(self.channels, self.held, at)

    def due(self) -> Sequence[DueGroup]:
        return [DueGroup(name="ten", channels=self.channels, before=self.at - timedelta(seconds=10))]

    def rule(self, segment: SegmentRow) -> Ruling:
        if segment.id in self.held:
            return Ruling(destroy=False, verdict="keep-held", grounds={"holds": ["H-1"]})
        due = segment.end_at + timedelta(seconds=10) <= self.at
        return Ruling(destroy=due, verdict="destroy" if due else "keep-not-due", grounds={"rule": "R-10s"})


@pytest.fixture
def swept(yard, clip):
    """Three sealed segments; the first two are due at 20 s."""
    for number in range(3):
        yard.record(clip, at(4 * number), first=4 * number)
    judge = Ten([yard.channel_id])
    return yard, judge, Sweeper(database=yard.database, judge=judge, node=yard.node)


def entries(yard, segment: UUID) -> list[str]:
    with yard.database.transaction() as tx:
        return [
            row["kind"]
            for row in tx.all("SELECT kind FROM ledger.entry WHERE subject = %(id)s ORDER BY id", id=segment)
        ]


def test_what_is_due_goes_and_everything_says_so(swept) -> None:
    yard, _, sweep = swept
    ids = [one.segment_id for one in yard.segments]
    did = sweep.sweep(at=at(20))
    assert (did.decided, did.done, did.withdrawn, did.waiting) == (2, 2, 0, 0)
    assert did.freed_bytes > 0
    assert [yard.media(n).exists() for n in range(3)] == [False, False, True]
    assert [idx.index_path(yard.media(n)).exists() for n in range(3)] == [False, False, True]
    assert entries(yard, ids[0]) == ["segment.sealed", "disposal.decided", "disposal.done"]
    with yard.database.transaction() as tx:
        told = timeline(tx, yard.channel_id, Span(at(0), at(12)))
        with pytest.raises(NotFound):
            segment_of_channel(tx, yard.channel_id, ids[0])
    assert [(gap.reason.value, gap.start_at, gap.end_at) for gap in told.gaps] == [("disposed", at(0), at(8))]
    assert [(one.span.start, one.span.end) for one in told.recorded] == [(at(8), at(12))]
    yard.sequence()
    assert check(yard.database, How(ledger=yard.log.folder)).findings == []


def test_the_grounds_are_in_the_ledger(swept) -> None:
    yard, _, sweep = swept
    sweep.sweep(at=at(20))
    with yard.database.transaction() as tx:
        row = tx.one(
            "SELECT payload FROM ledger.entry WHERE kind = 'disposal.decided' AND subject = %(id)s",
            id=yard.segments[0].segment_id,
        )
    told = json.loads(bytes(row["payload"]))
    assert told["grounds"] == {"rule": "R-10s"}
    assert told["verdict"] == "destroy"
    assert told["start"] == "2026-11-20T12:00:00.000000Z"


def test_the_seal_of_what_is_gone_is_mute_and_the_log_still_whole(swept, tmp_path: Path) -> None:
    yard, _, sweep = swept
    first, kept = yard.segments[0].segment_id, yard.segments[2].segment_id
    with yard.database.transaction() as tx:
        enter(tx, kind="segment.repaired", subject=first, payload={"segment": str(first)}, at=NOON)
    yard.sequence()
    with yard.database.transaction() as tx:
        planned = export.plan(tx, yard.channel_id, Span(at(0), at(12)))
    media = tmp_path / "before.mp4"
    media.write_bytes(b"".join(planned.chunks()))
    sidecar = b"".join(export.prove(yard.database, planned, log_folder=yard.log.folder))
    sweep.sweep(at=at(20))
    yard.sequence()

    def opens_of(subject: UUID) -> dict[str, bool]:
        with yard.database.transaction() as tx:
            rows = tx.all("SELECT kind, payload, salt FROM ledger.entry WHERE subject = %(id)s", id=subject)
        assert all((row["payload"] is None) == (row["salt"] is None) for row in rows)
        return {row["kind"]: row["payload"] is not None for row in rows}

    assert opens_of(first) == {
        "segment.sealed": False, "segment.repaired": False, "disposal.decided": True, "disposal.done": True,
    }  # fmt: skip
    assert opens_of(kept) == {"segment.sealed": True}
    report = audit_log(yard.log.folder, verifier=yard.log.verifier, origin=yard.log.origin)
    assert audit_register(yard.database, yard.log.folder, report.size, report).findings == []
    assert check(yard.database, How(ledger=yard.log.folder)).findings == []
    assert verify_export(media, sidecar, verifier=yard.log.verifier).finding == Finding.PROVED


def test_what_is_withdrawn_keeps_its_seal_open(swept, monkeypatch: pytest.MonkeyPatch) -> None:
    yard, judge, sweep = swept
    with monkeypatch.context() as patch:
        patch.setattr(Sweeper, "_finish_all", lambda *_: None)
        sweep.sweep(at=at(20))
    judge.held.add(yard.segments[0].segment_id)
    sweep.sweep(at=at(21))
    yard.sequence()
    assert check(yard.database, How(ledger=yard.log.folder)).findings == []


def test_held_footage_stays_and_is_counted(swept) -> None:
    yard, judge, sweep = swept
    judge.held.add(yard.segments[0].segment_id)
    did = sweep.sweep(at=at(20))
    assert (did.done, did.kept) == (1, {"keep-held": 1})
    assert yard.media(0).exists()
    assert entries(yard, yard.segments[0].segment_id) == ["segment.sealed"]


def test_no_rule_no_disposal(swept) -> None:
    _, judge, sweep = swept
    judge.channels = []
    assert sweep.sweep(at=at(10_000)).decided == 0


def test_dying_between_row_and_deed_is_finished_by_the_next_sweep(swept, monkeypatch: pytest.MonkeyPatch) -> None:
    yard, _, sweep = swept

    def die(one: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sweeper, "_remove", die)
        with pytest.raises(KeyboardInterrupt):
            sweep.sweep(at=at(20))
    assert yard.media(0).exists()
    assert entries(yard, yard.segments[0].segment_id) == ["segment.sealed", "disposal.decided"]
    did = sweep.sweep(at=at(21))
    assert (did.decided, did.done) == (0, 2)
    assert not yard.media(0).exists()


def test_dying_between_deed_and_done_is_finished_too(swept) -> None:
    yard, _, sweep = swept
    yard.media(0).unlink()
    did = sweep.sweep(at=at(20))
    assert did.done == 2
    assert entries(yard, yard.segments[0].segment_id)[-1] == "disposal.done"


def test_a_hold_placed_after_the_decision_withdraws_it(swept, monkeypatch: pytest.MonkeyPatch) -> None:
    yard, judge, sweep = swept
    first = yard.segments[0].segment_id
    with monkeypatch.context() as patch:
        patch.setattr(Sweeper, "_finish_all", lambda *_: None)
        sweep.sweep(at=at(20))
    judge.held.add(first)
    did = sweep.sweep(at=at(21))
    assert (did.withdrawn, did.done) == (1, 1)
    assert yard.media(0).exists()
    assert entries(yard, first) == ["segment.sealed", "disposal.decided", "disposal.withdrawn"]
    judge.held.clear()
    assert sweep.sweep(at=at(21)).done == 1


def test_an_unmounted_volume_is_left_alone_until_it_is_back(swept) -> None:
    yard, _, sweep = swept
    marker = yard.volume / MARKER
    text = marker.read_text()
    marker.unlink()
    did = sweep.sweep(at=at(20))
    assert (did.done, did.waiting) == (0, 2)
    assert yard.media(0).exists()
    marker.write_text(text)
    assert sweep.sweep(at=at(20)).done == 2


def test_another_machine_touches_nothing_of_ours(swept) -> None:
    yard, judge, _ = swept
    assert Sweeper(database=yard.database, judge=judge, node="another").sweep(at=at(20)).decided == 0
    assert yard.media(0).exists()


def test_room_is_made_on_one_volume_oldest_first_and_no_more_than_wanted(
    swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard, _, sweep = swept
    monkeypatch.setattr(sweeper, "PAGE", 1)
    assert sweep.sweep(at=at(20), volume_id=UUID(int=3)).decided == 0
    did = sweep.sweep(at=at(20), volume_id=yard.volume_id, wanted_bytes=1)
    assert did.done == 1
    assert [yard.media(n).exists() for n in range(3)] == [False, True, True]


def test_empty_day_folders_go_and_others_stay(swept) -> None:
    yard, _, sweep = swept
    day: Path = yard.media(0).parent
    sweep.sweep(at=at(20))
    assert day.is_dir()
    sweep.sweep(at=at(200))
    assert not day.exists()


def test_a_preview_counts_what_would_go_and_what_is_held(swept) -> None:
    yard, _, _ = swept
    judge = Governance(classes=lambda tx, channel_id: {yard.channel_id: "street"})
    now = at(86_400 + 9)
    with yard.database.transaction() as tx:
        boss, other = (
            accounts.add_account(
                tx, by=None, login=f"{name}-{yard.channel_id.hex[-8:]}", name="b", password=None, roles=[Role.SUPERVISOR],
                unit_id=None, at=NOON,
            )
            for name in ("boss", "other")
        )  # fmt: skip
        rule = make_rule(tx, actor=boss, retention_class="street", keep_days=1, legal_basis="Act 1, art. 2", at=NOON)
        agree_to_rule(tx, actor=other, rule_id=rule, at=NOON)
        place_hold(
            tx, actor=boss, channel_id=yard.channel_id, span=Span(at(0), at(1)), reason="a case", reference_id=None,
            at=NOON,
        )  # fmt: skip
    with yard.database.transaction() as tx:
        (told,) = judge.foresee(tx, at=now)
    assert (told.retention_class, told.channels, told.due, told.held, told.oldest_at) == ("street", 1, 2, 1, at(0))
    did = Sweeper(database=yard.database, judge=judge, node=yard.node).sweep(at=now)
    assert (did.done, did.kept) == (told.due - told.held, {"keep-held": 1})
    assert did.freed_bytes == told.due_bytes - told.held_bytes
