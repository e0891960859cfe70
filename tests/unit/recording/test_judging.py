"""What governance decides reaches the sweeper with its grounds; what it does not know is kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Span
from svidok.governance import LegalHold, RetentionRule
from svidok.recording.judging import LawInForce
from svidok.recording.model import NO_CLOCK, SegmentRow, SegmentState

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STREET, YARD, UNKNOWN = UUID(int=1), UUID(int=2), UUID(int=3)
MONTH = RetentionRule(id=UUID(int=10), retention_class="street", keep_for=timedelta(days=30), legal_basis="basis")
WEEK = RetentionRule(id=UUID(int=11), retention_class="street", keep_for=timedelta(days=7), legal_basis="basis")


def segment(channel: UUID, *, age: timedelta) -> SegmentRow:
    end = NOON - age
    return SegmentRow(
        id=UUID(int=5), recording_id=UUID(int=6), channel_id=channel, volume_id=UUID(int=7), path="p",
        start_at=end - timedelta(minutes=1), end_at=end, size_bytes=1, fragments=1, root=bytes(32), codec="avc1",
        width=1, height=1, clock=NO_CLOCK, state=SegmentState.SEALED,
    )  # fmt: skip


def law(*rules: RetentionRule, holds: tuple[LegalHold, ...] = ()) -> LawInForce:
    return LawInForce(at=NOON, rules=rules, holds=holds, classes={STREET: "street", YARD: "yard"})


def test_the_longest_rule_of_a_class_says_where_to_look() -> None:
    (group,) = law(WEEK, MONTH).due()
    assert list(group.channels) == [STREET]
    assert group.before == NOON - timedelta(days=30)
    assert law().due() == []


@given(days=st.integers(0, 100), channel=st.sampled_from([STREET, YARD, UNKNOWN]))
def test_what_would_go_is_always_looked_at_and_never_beyond_a_rule(days: int, channel: UUID) -> None:
    in_force = law(WEEK, MONTH)
    one = segment(channel, age=timedelta(days=days))
    ruling = in_force.rule(one)
    looked_at = any(channel in group.channels and one.end_at <= group.before for group in in_force.due())
    assert ruling.destroy == (channel == STREET and days >= 30)
    assert not ruling.destroy or looked_at


def test_a_hold_keeps_and_is_named() -> None:
    old = segment(STREET, age=timedelta(days=40))
    hold = LegalHold(
        id=UUID(int=20), channel_id=None, span=Span(old.end_at - timedelta(seconds=1), NOON), reason="case"
    )
    ruling = law(MONTH, holds=(hold,)).rule(old)
    assert (ruling.destroy, ruling.verdict, ruling.grounds["ids"]) == (False, "keep-held", [str(hold.id)])


def test_a_channel_of_no_class_is_kept() -> None:
    ruling = law(MONTH).rule(segment(UNKNOWN, age=timedelta(days=4000)))
    assert (ruling.destroy, ruling.verdict) == (False, "keep-no-rule")
