"""Cases, exhibits and custody as plain values, and the chain that each exhibit's custody makes. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from svidok.base import Span
from svidok.ledger.entry import JSON, instant_text, opens


class DataSubjects(StrEnum):
    """Whose data a case holds: the categories that law enforcement keeps apart (LED art. 6)."""

    SUSPECT = "suspect"
    CONVICTED = "convicted"
    VICTIM = "victim"
    WITNESS = "witness"
    OTHER = "other"


class Standing(StrEnum):
    """How somebody stands to a case. A stranger is whoever it does not name, or names no longer."""

    LEAD = "lead"
    INVESTIGATOR = "investigator"
    READER = "reader"
    BARRED = "barred"
    STRANGER = "stranger"


class ExhibitKind(StrEnum):
    """What an exhibit is of."""

    FOOTAGE = "footage"  # a range of a channel: the bytes stay with recording, and are held there
    READ = "read"
    SCAN = "scan"
    FILE = "file"
    STILL = "still"
    REDACTED = "redacted"


class Source(StrEnum):
    """Where an exhibit comes from."""

    CAMERA = "camera"
    OFFICER = "officer"
    PUBLIC = "public"
    BUSINESS = "business"
    SERVICE = "service"
    DERIVED = "derived"


class Happened(StrEnum):
    """What can happen to an exhibit. Each is stated in the ledger as `custody.<kind>`."""

    BOOKED = "booked"
    VIEWED = "viewed"
    OPENED = "opened"
    SCANNED = "scanned"
    COPY_MADE = "copy-made"
    DERIVED = "derived"
    NOTED = "noted"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    PROPOSED = "proposed"
    DISCLOSED = "disclosed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How an actor stands to a case, and the stretch of history that they may see (all of it where there is none)."""

    standing: Standing
    history: Span | None = None

    def sees(self, start: datetime | None, end: datetime | None, booked_at: datetime) -> bool:
        """Whether what shows the time from `start` to `end` lies within their stretch; all of it must.

        >>> from datetime import UTC, timedelta
        >>> noon, hour = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(hours=1)
        >>> reader = Stand(standing=Standing.READER, history=Span(noon, noon + hour))
        >>> reader.sees(noon, noon + hour, noon), reader.sees(noon, noon + 2 * hour, noon)
        (True, False)
        """
        if self.history is None:
            return True
        first = start or booked_at
        last = end or first
        return self.history.start <= first and last <= self.history.end


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyLine:
    """One line of an exhibit's custody: what was stated, the salt that opens it, and the commitment in the ledger."""

    number: int
    payload: bytes
    salt: bytes
    commitment: bytes


def custody_payload(
    *,
    exhibit_id: UUID,
    number: int,
    at: datetime,
    actor: str,
    actor_id: UUID,
    kind: Happened,
    what: dict[str, JSON],
    previous: bytes | None,
) -> dict[str, JSON]:
    """What a line of custody states. `sha256` stands at the top where a file is spoken of: strangers look for it."""
    told: dict[str, JSON] = {
        "actor": actor,
        "actor_id": str(actor_id),
        "at": instant_text(at),
        "exhibit": str(exhibit_id),
        "kind": str(kind),
        "number": number,
        "previous": previous.hex() if previous else "",
        "what": what,
    }
    return told | ({"sha256": what["sha256"]} if what.get("sha256") else {})


def break_in(exhibit_id: UUID, lines: Sequence[CustodyLine]) -> int | None:
    """The number of the first line at which the chain of an exhibit does not hold, or nothing where all of it does.

    Each line is numbered from 1 without a hole, speaks of this exhibit, opens its commitment in the ledger, and names
    the commitment of the line before.
    """
    previous = ""
    for expected, line in enumerate(lines, start=1):
        told = json.loads(line.payload)
        holds = (
            line.number == expected == told.get("number")
            and told.get("exhibit") == str(exhibit_id)
            and told.get("previous") == previous
            and opens(line.commitment, payload=line.payload, salt=line.salt)
        )
        if not holds:
            return expected
        previous = line.commitment.hex()
    return None
