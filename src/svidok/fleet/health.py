"""Beats by the thousand, and who fell silent or came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.base import new_id
from svidok.db import Transaction
from svidok.fleet.model import Life
from svidok.fleet.registry import SQL

SILENT_AFTER = timedelta(seconds=20)  # with beats each 5 s and a sweep each 5 s: flagged within 30 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Whether a camera sends, and what it says where it does not."""

    camera_id: UUID
    ok: bool
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeNews:
    """A camera that changed its state by itself."""

    camera_id: UUID
    before: Life
    after: Life
    reason: str


def heartbeats(tx: Transaction, beats: Sequence[Heartbeat], *, at: datetime) -> None:
    """Note `beats`, all of them in one statement."""
    tx.run(
        SQL["beats"],
        at=at,
        ids=[beat.camera_id for beat in beats],
        oks=[beat.ok for beat in beats],
        says=[beat.says[:200] for beat in beats],
    )


def sweep(tx: Transaction, *, at: datetime) -> list[LifeNews]:
    """Mark who fell silent and who came back; the news."""
    news = [
        LifeNews(camera_id=row["id"], before=Life(row["life"]), after=Life.SILENT, reason=row["says"] or "no signal")
        for row in tx.all(SQL["fell_silent"], before=at - SILENT_AFTER)
    ]
    news += [
        LifeNews(camera_id=row["id"], before=Life(row["life"]), after=Life.WORKING, reason="it sends")
        for row in tx.all(SQL["came_back"], after=at - SILENT_AFTER)
    ]
    if news:
        tx.run_many(
            SQL["set_life"],
            [{"camera_id": n.camera_id, "after": str(n.after), "at": at, "reason": n.reason} for n in news],
        )
        tx.run_many(
            SQL["add_life_change"],
            [
                {"id": new_id(), "camera_id": n.camera_id, "before": str(n.before), "after": str(n.after), "at": at,
                 "reason": n.reason, "actor_id": None}
                for n in news
            ],
        )  # fmt: skip
    return news
