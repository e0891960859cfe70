"""Decide whether footage may be destroyed. Destroys nothing, reads no clock.

The grounds, strongest first:

1. A hold that touches the footage keeps all of it. Nothing else is asked.
2. Footage that no rule covers is kept: silence never destroys.
3. Otherwise the longest rule of its class decides, counted from the footage's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from svidok.base import Span
from svidok.governance.model import Disposal, LegalHold, RetentionRule, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """What is asked about."""

    channel_id: UUID
    retention_class: str
    span: Span


def decide_disposal(
    footage: Footage, *, rules: Sequence[RetentionRule], holds: Sequence[LegalHold], at: datetime
) -> Disposal:
    """Say what is to be done with `footage` at `at`, given the rules and holds in force then.

    A hold on one second of it keeps the whole, because a sealed segment cannot
    be cut without changing its hash.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> minute = Footage(channel_id=UUID(int=1), retention_class="street", span=Span(noon, noon + timedelta(minutes=1)))
    >>> rule = RetentionRule(id=UUID(int=2), retention_class="street", keep_for=timedelta(days=30), legal_basis="…")
    >>> decide_disposal(minute, rules=[rule], holds=[], at=noon + timedelta(days=31)).verdict.value
    'destroy'
    >>> decide_disposal(minute, rules=[], holds=[], at=noon + timedelta(days=9999)).verdict.value
    'keep-no-rule'
    """
    held = tuple(hold.id for hold in holds if hold.touches(footage.channel_id, footage.span))
    if held:
        return Disposal(verdict=Verdict.KEEP_HELD, grounds=held, due_at=None)
    covering = [rule for rule in rules if rule.retention_class == footage.retention_class]
    if not covering:
        return Disposal(verdict=Verdict.KEEP_NO_RULE, grounds=(), due_at=None)
    longest = max(covering, key=lambda rule: rule.keep_for)
    due_at = footage.span.end + longest.keep_for
    verdict = Verdict.DESTROY if at >= due_at else Verdict.KEEP_NOT_DUE
    return Disposal(verdict=verdict, grounds=(longest.id,), due_at=due_at)
