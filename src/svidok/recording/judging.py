"""Asks governance what is to be done with footage, in the sweeper's words.

The decision is `governance.decide_disposal`; this only gathers what it needs:
the rules and holds in force, and the retention class of each channel, which
`classes` tells. A channel of no known class has no rule, and is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.db import Transaction
from svidok.governance import Footage, LegalHold, RetentionRule, Verdict, decide_disposal
from svidok.governance.keeping import holds, rules
from svidok.recording.model import SegmentRow
from svidok.recording.reading import SQL
from svidok.recording.sweeper import DueGroup, Ruling

ReadClasses = Callable[[Transaction, UUID | None], Mapping[UUID, str]]  # of one channel, or of all


@dataclass(frozen=True, slots=True, kw_only=True)
class LawInForce:
    """The rules and holds at one instant. Pure once it was read."""

    at: datetime
    rules: Sequence[RetentionRule]
    holds: Sequence[LegalHold]
    classes: Mapping[UUID, str]

    def due(self) -> Sequence[DueGroup]:
        """For each class, the channels of it and the instant before which its footage may be due."""
        longest: dict[str, timedelta] = {}
        for rule in self.rules:
            longest[rule.retention_class] = max(rule.keep_for, longest.get(rule.retention_class, timedelta()))
        return [
            DueGroup(
                name=name,
                channels=[channel for channel, its in self.classes.items() if its == name],
                before=self.at - keep_for,
            )
            for name, keep_for in sorted(longest.items())
        ]

    def rule(self, segment: SegmentRow) -> Ruling:
        """What governance decides about `segment`; the grounds name rule or holds by their ids."""
        retention_class = self.classes.get(segment.channel_id, "")
        decided = decide_disposal(
            Footage(channel_id=segment.channel_id, retention_class=retention_class, span=segment.span),
            rules=self.rules,
            holds=self.holds,
            at=self.at,
        )
        return Ruling(
            destroy=decided.verdict == Verdict.DESTROY,
            verdict=str(decided.verdict),
            grounds={"class": retention_class, "ids": [str(one) for one in decided.grounds]},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a sweep would do with one class: `due` segments go, of which `held` stay. Sizes in bytes."""

    retention_class: str
    channels: int
    before: datetime
    due: int
    due_bytes: int
    held: int
    held_bytes: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenChannel:
    """The same for one channel: what is due lies between `oldest_at` and `newest_at`. Sizes in bytes."""

    channel_id: UUID
    retention_class: str
    due: int
    due_bytes: int
    held: int
    held_bytes: int
    oldest_at: datetime
    newest_at: datetime


def _stretches(found: Sequence[LegalHold]) -> dict[str, list[object]]:
    """Holds as the columns that a query takes."""
    return {
        "held": [hold.channel_id for hold in found],
        "starts": [hold.span.start for hold in found],
        "ends": [hold.span.end for hold in found],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """The judge of this installation."""

    classes: ReadClasses

    def read(self, tx: Transaction, *, at: datetime, channel_id: UUID | None = None) -> LawInForce:
        """The rules and holds in force at `at`; for one channel where only one is asked about."""
        return LawInForce(at=at, rules=rules(tx), holds=holds(tx), classes=self.classes(tx, channel_id))

    def foresee(self, tx: Transaction, *, at: datetime) -> list[Foreseen]:
        """What a sweep at `at` would do, class by class; decides and destroys nothing."""
        law = self.read(tx, at=at)
        held = _stretches(law.holds)
        foreseen = []
        for group in law.due():
            channels = list(group.channels)
            due = tx.one(SQL["due_volume"], channels=channels, before=group.before)
            kept = tx.one(SQL["held_volume"], channels=channels, before=group.before, **held)
            foreseen.append(
                Foreseen(
                    retention_class=group.name, channels=len(channels), before=group.before, due=due["segments"],
                    due_bytes=due["size_bytes"], held=kept["segments"], held_bytes=kept["size_bytes"],
                    oldest_at=due["oldest_at"],
                )
            )  # fmt: skip
        return foreseen

    def foresee_channels(self, tx: Transaction, *, at: datetime, most: int = 500) -> list[ForeseenChannel]:
        """The same channel by channel, those with the most bytes first; a channel without anything due is not here."""
        law = self.read(tx, at=at)
        pairs = [(channel, group.before) for group in law.due() for channel in group.channels]
        rows = tx.all(
            SQL["due_by_channel"], channels=[one for one, _ in pairs], befores=[before for _, before in pairs],
            most=most, **_stretches(law.holds),
        )  # fmt: skip
        return [ForeseenChannel(retention_class=law.classes[row["channel_id"]], **row) for row in rows]
