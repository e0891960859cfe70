"""What cameras tell besides their pictures, as rows: kept once, rationed, listed, and forgotten by rule.

How many days they are kept is the policy `camera_events`; footage and its
retention rules have nothing to do with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, new_id
from svidok.db import Row, Transaction
from svidok.fleet.model import EventKind
from svidok.fleet.registry import SQL

KEEP_DAYS = 30
MOST_A_MINUTE = 30
MOST_A_PAGE = 200
_FORGET_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEvent:
    """One event. `at` by our clock, `camera_at` by the camera's; `detail` is for people, never a secret."""

    camera_id: UUID
    kind: EventKind
    active: bool | None
    at: datetime
    camera_at: datetime
    source: str = ""
    detail: str = ""
    id: UUID = field(default_factory=new_id)


class Ration:
    """How much of one camera is kept: `MOST_A_MINUTE` events, and the number of those that were left out. Pure."""

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._taken = 0
        self._left_out = 0

    def take(self, at: datetime) -> bool:
        """Whether an event at `at` is kept."""
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        if self._taken > MOST_A_MINUTE:
            self._left_out += 1
            return False
        return True

    def left_out(self, at: datetime) -> int:
        """How many were left out in minutes before that of `at`; told once."""
        if not self._left_out or at.replace(second=0, microsecond=0) == self._minute:
            return 0
        count, self._left_out = self._left_out, 0
        return count


def keep(tx: Transaction, events: Sequence[CameraEvent]) -> list[CameraEvent]:
    """Enter `events`; those that were not there before."""
    if not events:
        return []
    rows = tx.all(
        SQL["add_camera_events"],
        ids=[event.id for event in events],
        cameras=[event.camera_id for event in events],
        kinds=[str(event.kind) for event in events],
        actives=[event.active for event in events],
        sources=[event.source for event in events],
        ats=[event.at for event in events],
        camera_ats=[event.camera_at for event in events],
        details=[event.detail[:200] for event in events],
    )
    new = {row["id"] for row in rows}
    return [event for event in events if event.id in new]


def latest(tx: Transaction, camera_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """A page of a camera's events, the latest first; `before` is the last of the page before it."""
    tx.one(SQL["camera_by_id"], id=camera_id)
    at, event_id = before if before is not None else (None, None)
    most = max(1, min(limit, MOST_A_PAGE))
    return tx.all(SQL["camera_events"], camera_id=camera_id, before=at, before_id=event_id, most=most)


def keep_days(tx: Transaction) -> int:
    """For how many days events are kept."""
    row = tx.maybe(SQL["policy"], key="camera_events")
    return int(row["value"]["keep_days"]) if row else KEEP_DAYS


def set_keep_days(tx: Transaction, *, actor: Actor, days: int, at: datetime) -> None:
    """Keep events for `days` from now on. Raises `BadInput`."""
    require(actor, "manage_settings")
    if not 1 <= days <= 3660:
        raise BadInput("keep-days-form", "Events are kept for 1 to 3660 days.")
    tx.run(SQL["set_policy"], key="camera_events", value=f'{{"keep_days": {days:d}}}', at=at)
    audit.record(tx, actor=actor, action="manage_settings", at=at, to_whom="", what={"camera_events_days": str(days)})


def forget(tx: Transaction, *, at: datetime) -> int:
    """Forget what is older than the policy keeps, a bounded part of it; how many."""
    before = at - timedelta(days=keep_days(tx))
    return tx.run(SQL["forget_camera_events"], before=before, most=_FORGET_AT_ONCE)
