"""Whether a camera may alert: what people found of its hits, and when it withdraws itself."""

from datetime import datetime
from uuid import UUID

import msgspec

from svidok.access import Actor, audit, require
from svidok.base import Conflict
from svidok.base.time import EPOCH
from svidok.db import Row, Transaction
from svidok.ledger import JSON, enter
from svidok.plates.matching import SQL
from svidok.plates.rules import Rules

WITHDRAWN, REINSTATED = "plates.camera-withdrawn", "plates.camera-reinstated"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera's hits were judged since it was last let alert."""

    right: int
    misread: int

    def too_many(self, rules: Rules) -> bool:
        """Whether it misreads so often that its alerts do more harm than good. Pure."""
        judged = self.right + self.misread
        return judged >= rules.misread_least and self.misread / judged > rules.misread_share


def record_of(tx: Transaction, camera_id: UUID) -> Record:
    """The verdicts on a camera that count."""
    standing = tx.maybe(SQL["standing_of_camera"], camera_id=camera_id)
    since = standing["counted_from"] if standing and standing["withdrawn_at"] is None else EPOCH
    row = tx.one(SQL["verdicts_of_camera"], camera_id=camera_id, since=since)
    return Record(right=row["right_reads"], misread=row["misreads"])


def judge(tx: Transaction, camera_id: UUID, *, rules: Rules, at: datetime) -> bool:
    """Withdraw the camera from alerting where it misreads too much; whether it was withdrawn now."""
    found = record_of(tx, camera_id)
    if not found.too_many(rules):
        return False
    judged = found.right + found.misread
    why = f"{found.misread} of {judged} hits were misread"
    if not tx.run(SQL["withdraw_camera"], camera_id=camera_id, at=at, why=why):
        return False
    payload: dict[str, JSON] = {"camera": str(camera_id), "misread": found.misread, "judged": judged}
    enter(tx, kind=WITHDRAWN, subject=camera_id, payload=dict(payload), at=at)
    return True


def reinstate(tx: Transaction, *, actor: Actor, camera_id: UUID, reason: str, at: datetime) -> None:
    """A person lets the camera alert again, and says why (it was cleaned, turned, repaired)."""
    require(actor, "reinstate_camera")
    if not tx.run(SQL["reinstate_camera"], camera_id=camera_id, at=at, by=actor.id):
        raise Conflict("camera-not-withdrawn", "This camera may alert already.")
    what = {"camera": str(camera_id), "reason": reason.strip()[:500]}
    enter(tx, kind=REINSTATED, subject=camera_id, payload={**what, "by": str(actor.id)}, at=at)
    audit.record(tx, actor=actor, action="reinstate_camera", what=dict(what), at=at, to_whom="")


def quality(tx: Transaction, *, start: datetime, end: datetime) -> list[Row]:
    """How well each camera reads."""
    return tx.all(SQL["quality"], start=start, end=end)


def quality_by_hour(tx: Transaction, camera_id: UUID, *, start: datetime, end: datetime) -> list[Row]:
    """One camera hour by hour."""
    return tx.all(SQL["quality_by_hour"], camera_id=camera_id, start=start, end=end)


def false_hits_by_list(tx: Transaction, *, since: datetime) -> list[Row]:
    """How the hits of each list were judged."""
    return tx.all(SQL["false_hits_by_list"], since=since)
