"""What the rules will take, camera by camera and days ahead, agrees with what a sweep then does."""

from datetime import UTC, datetime, timedelta

from svidok.access import Role, accounts
from svidok.base import Span, new_id
from svidok.governance.keeping import agree_to_rule, make_rule, place_hold
from svidok.recording.judging import Governance
from svidok.recording.sweeper import Sweeper

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_each_camera_is_foreseen_as_a_sweep_treats_it(yard, clip) -> None:
    for number in range(3):
        yard.record(clip, at(4 * number), first=4 * number)
    judge = Governance(classes=lambda tx, channel_id: {yard.channel_id: "lane", new_id(): "lane"})
    with yard.database.transaction() as tx:
        boss, other = (
            accounts.add_account(
                tx, by=None, login=f"{name}-{new_id().hex[-8:]}", name="b", password=None, roles=[Role.SUPERVISOR],
                unit_id=None, at=NOON,
            )
            for name in ("boss", "other")
        )  # fmt: skip
        rule = make_rule(tx, actor=boss, retention_class="lane", keep_days=1, legal_basis="Act 1, art. 2", at=NOON)
        agree_to_rule(tx, actor=other, rule_id=rule, at=NOON)
        place_hold(
            tx, actor=boss, channel_id=yard.channel_id, span=Span(at(0), at(1)), reason="a case", reference_id=None,
            at=NOON,
        )  # fmt: skip
    with yard.database.transaction() as tx:
        assert judge.foresee_channels(tx, at=at(9)) == []
        (told,) = judge.foresee_channels(tx, at=at(9) + timedelta(days=1))
    assert (told.channel_id, told.retention_class, told.due, told.held) == (yard.channel_id, "lane", 2, 1)
    assert (told.oldest_at, told.newest_at) == (at(0), at(8))
    did = Sweeper(database=yard.database, judge=judge, node=yard.node).sweep(at=at(9) + timedelta(days=1))
    assert (did.done, did.freed_bytes) == (told.due - told.held, told.due_bytes - told.held_bytes)
    with yard.database.transaction() as tx:
        (left,) = judge.foresee_channels(tx, at=at(9) + timedelta(days=1))
    assert (left.due, left.held) == (1, 1)
