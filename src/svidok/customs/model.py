"""Procedures, their steps and irregularities, and what the words of the contract are. Plain frozen values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from svidok.base import Span
from svidok.vision.plate_text import normal

KYIV = ZoneInfo("Europe/Kyiv")  # the day and the hour of a checkpoint are those on its wall


class Kind(StrEnum):
    """What is controlled."""

    CAR = "car"
    LORRY = "lorry"
    BUS = "bus"
    PERSON = "person"
    CONSIGNMENT = "consignment"


class Direction(StrEnum):
    """Which way it goes over the border."""

    IN = "in"
    OUT = "out"


class StepKind(StrEnum):
    """What is done in the course of a procedure."""

    DOCUMENTS = "documents"
    RISK = "risk"
    WEIGHING = "weighing"
    RADIATION = "radiation"
    SCAN = "scan"
    INSPECTION = "inspection"
    PAYMENT = "payment"
    RELEASE = "release"


class Outcome(StrEnum):
    """How a procedure ends."""

    RELEASED = "released"
    RELEASED_AFTER_INSPECTION = "released-after-inspection"
    REFUSED = "refused"
    DETAINED = "detained"
    WITHDRAWN = "withdrawn"


class Cause(StrEnum):
    """What was wrong with what crossed."""

    CONCEALED_GOODS = "concealed-goods"
    UNDECLARED_GOODS = "undeclared-goods"
    FALSE_DOCUMENTS = "false-documents"
    UNDERVALUED = "undervalued"
    PROHIBITED_GOODS = "prohibited-goods"
    EXCESS_EXCISE = "excess-excise"
    EXCESS_CASH = "excess-cash"


class Condition(StrEnum):
    """What of the place and of the work made it possible; never who."""

    NIGHT = "night"
    LONG_QUEUE = "long-queue"
    SCANNER_IDLE = "scanner-idle"
    STEP_LEFT_OUT = "step-left-out"
    DOCUMENTS_ONLY = "documents-only"
    SHORT_OF_STAFF = "short-of-staff"
    UNKNOWN = "unknown"


VEHICLES = frozenset({Kind.CAR, Kind.LORRY, Kind.BUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a procedure."""

    kind: StepKind
    start_at: datetime
    end_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Irregularity:
    """Something found that should not be: what it was, and what made it possible."""

    cause: Cause
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureIn:
    """One control of one vehicle, person or consignment as a customs system tells it. `officers` are badge numbers."""

    number: str
    checkpoint: str
    lane: str
    kind: Kind
    direction: Direction
    declaration: str | None
    plate: str | None
    officers: tuple[str, ...]
    queued_at: datetime | None
    start_at: datetime
    end_at: datetime | None
    outcome: Outcome | None
    scan_due: bool
    steps: tuple[Step, ...]
    irregularities: tuple[Irregularity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A procedure as we keep it: the latest version of what was told."""

    id: UUID
    version: int
    checkpoint_id: UUID
    lane_id: UUID
    told: ProcedureIn

    @property
    def span(self) -> Span | None:
        """From its start to its end; nothing while it lasts."""
        return Span(self.told.start_at, self.told.end_at) if self.told.end_at else None

    @property
    def clearance(self) -> timedelta | None:
        """How long it took."""
        return self.told.end_at - self.told.start_at if self.told.end_at else None


def normal_plate(text: str) -> str | None:
    """A plate as reads of cameras are compared: capitals, no spaces, Latin letters for those that look the same.

    >>> normal_plate("вс 1234-ае"), normal_plate(" ")
    ('BC1234AE', None)
    """
    return normal(text)[:16] or None


def is_night(at: datetime) -> bool:
    """Whether it is night at the checkpoint: from 22 to 6 by its wall clock."""
    return not 6 <= at.astimezone(KYIV).hour < 22
