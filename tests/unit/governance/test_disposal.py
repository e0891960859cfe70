"""Deciding disposal, over random rules and holds: silence never destroys, a hold always keeps."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Span
from svidok.governance import Footage, LegalHold, RetentionRule, Verdict, decide_disposal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHANNELS = [UUID(int=1), UUID(int=2)]

instants = st.integers(-100, 100).map(lambda hours: NOON + timedelta(hours=hours))
spans = st.tuples(instants, st.integers(1, 50)).map(lambda one: Span(one[0], one[0] + timedelta(hours=one[1])))
footage = st.builds(
    Footage, channel_id=st.sampled_from(CHANNELS), retention_class=st.sampled_from(["street", "yard"]), span=spans
)
rules = st.lists(
    st.builds(
        RetentionRule, id=st.uuids(), retention_class=st.sampled_from(["street", "yard", "none"]),
        keep_for=st.integers(1, 100).map(lambda hours: timedelta(hours=hours)), legal_basis=st.just("basis"),
    ),
    max_size=4,
)  # fmt: skip
holds = st.lists(
    st.builds(
        LegalHold, id=st.uuids(), channel_id=st.sampled_from([None, *CHANNELS]), span=spans, reason=st.just("case")
    ),
    max_size=3,
)


@given(footage, rules, holds, instants)
def test_destroyed_only_when_covered_due_and_unheld(
    one: Footage, rules: list[RetentionRule], holds: list[LegalHold], at: datetime
) -> None:
    decided = decide_disposal(one, rules=rules, holds=holds, at=at)
    held = {
        hold.id for hold in holds
        if hold.channel_id in (None, one.channel_id) and hold.span.start < one.span.end and one.span.start < hold.span.end
    }  # fmt: skip
    covering = [rule for rule in rules if rule.retention_class == one.retention_class]
    if held:
        assert (decided.verdict, set(decided.grounds)) == (Verdict.KEEP_HELD, held)
    elif not covering:
        assert (decided.verdict, decided.grounds) == (Verdict.KEEP_NO_RULE, ())
    else:
        due_at = one.span.end + max(rule.keep_for for rule in covering)
        assert decided.due_at == due_at
        assert decided.verdict == (Verdict.DESTROY if at >= due_at else Verdict.KEEP_NOT_DUE)
        assert decided.grounds[0] in {rule.id for rule in covering}
