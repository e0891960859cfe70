"""Exports under way: a plain download link that works once, for one person, and says how far it is.

The leave to export is asked for, and written down, when the ticket is made;
the link then streams to the person's disk without the page holding anything.
Tickets live in this process: one that is lost with it is made anew.
"""

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from svidok.base import Conflict, NotFound
from svidok.recording.export import ExportPlan

BEGIN_WITHIN_S = 120.0
LIVES_S = 12 * 3600.0
_MOST = 1000


class TicketState(StrEnum):
    """How an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"


class ExportCancelled(OSError):
    """Its owner stopped it: the connection breaks off, so that no half file is taken for a whole one."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """One export of one person. `sent` counts to the end of what left so far."""

    id: str
    owner_id: UUID
    purpose_id: UUID | None
    plan: ExportPlan
    made_s: float
    sent: int = 0
    state: TicketState = TicketState.WAITING

    def begin(self, first: int) -> None:
        """Bytes from `first` on are asked for. Raises `Conflict` where the link was used already."""
        broken_off = self.state == TicketState.STOPPED and first > 0
        if self.state != TicketState.WAITING and not broken_off:
            raise Conflict("ticket-used", "This link was used already. Begin the export anew.")
        self.state = TicketState.RUNNING

    def chunks(self, first: int, last: int) -> Iterator[bytes]:
        """The bytes, counted. Raises `ExportCancelled` as soon as the owner cancels."""
        self.sent = first
        try:
            for chunk in self.plan.chunks(first, last):
                if self.state == TicketState.CANCELLED:
                    raise ExportCancelled("the export was cancelled")
                self.sent += len(chunk)
                yield chunk
        finally:
            if self.state == TicketState.RUNNING:
                self.state = TicketState.DONE if self.sent >= self.plan.size_bytes else TicketState.STOPPED


class Tickets:
    """The exports of this process."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}
        self._lock = threading.Lock()

    def make(self, plan: ExportPlan, *, owner_id: UUID, purpose_id: UUID | None, now_s: float) -> Ticket:
        """A ticket for `plan`; forgets those whose time is over."""
        made = Ticket(
            id=secrets.token_urlsafe(24), owner_id=owner_id, purpose_id=purpose_id, plan=plan, made_s=now_s
        )  # fmt: skip
        with self._lock:
            for old in [one.id for one in self._tickets.values() if _over(one, now_s)]:
                del self._tickets[old]
            if len(self._tickets) >= _MOST:
                raise Conflict("exports-many", "Too many exports at once. Wait for some to end.")
            self._tickets[made.id] = made
        return made

    def find(self, ticket_id: str, *, owner_id: UUID, now_s: float) -> Ticket:
        """The person's own ticket; `NotFound` where there is none, or its time is over."""
        with self._lock:
            found = self._tickets.get(ticket_id)
        if found is None or found.owner_id != owner_id or _over(found, now_s):
            raise NotFound("ticket-over", "This link is not valid any more. Begin the export anew.")
        return found


def _over(ticket: Ticket, now_s: float) -> bool:
    age = now_s - ticket.made_s
    return age > LIVES_S or (ticket.state == TicketState.WAITING and age > BEGIN_WITHIN_S)
