"""References, purposes, retention rules, holds and disposals as plain values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from svidok.base import Span


class ReferenceKind(StrEnum):
    """What a purpose can be bound to."""

    INCIDENT = "incident"
    CASE = "case"
    DUTY = "duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An incident, a case or a duty, with the law it rests on."""

    id: UUID
    kind: ReferenceKind
    number: str
    title: str
    legal_basis: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why an actor looks, from `opened_at` until `expires_at`; bound to a reference."""

    id: UUID
    actor_id: UUID
    reference: Reference
    reason: str
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """How long footage of a class is kept, and by which law. There is no default."""

    id: UUID
    retention_class: str
    keep_for: timedelta
    legal_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Nothing that it touches is destroyed until it is lifted. Without a channel it holds all of them."""

    id: UUID
    channel_id: UUID | None
    span: Span
    reason: str

    def touches(self, channel_id: UUID, span: Span) -> bool:
        """Whether it holds footage of `channel_id` in `span`."""
        return self.channel_id in (None, channel_id) and self.span.touches(span)


class Verdict(StrEnum):
    """What is to be done with footage."""

    KEEP_HELD = "keep-held"
    KEEP_NO_RULE = "keep-no-rule"
    KEEP_NOT_DUE = "keep-not-due"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """A verdict with the ids of the holds or of the rule that decided, and when it falls due."""

    verdict: Verdict
    grounds: tuple[UUID, ...]
    due_at: datetime | None
