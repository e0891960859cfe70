"""The clips of worn cameras behind the door: what came, how far it is, what its camera signed. No footage."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get

from svidok.api.door import Shows, guarded
from svidok.api.services import Services
from svidok.api.signatures import GroupsOut, groups_of
from svidok.bodyworn import gathering
from svidok.db import Row


class SignatureOut(GroupsOut, kw_only=True):
    """What the camera's own signatures say of a clip, in one word too."""

    verdict: str


class ClipOut(msgspec.Struct):
    """A clip as a dock sent it. Without a `signature` nobody has judged it (yet)."""

    id: UUID
    name: str
    camera: str
    channel_id: UUID
    start: datetime
    end: datetime | None
    size_bytes: int
    sha256: str
    state: str
    reason: str
    received_at: datetime
    copied_at: datetime | None
    disposed_at: datetime | None
    signature: SignatureOut | None


@get("/api/worn/shifts/{shift_id:uuid}/clips", **guarded("view_shifts", shows=Shows.PERSONAL), sync_to_thread=True)
def clips_of_shift(services: Services, shift_id: UUID) -> list[ClipOut]:
    """The clips of a shift's cameras, each with its hash, where it is on its way, and what its camera signed."""
    with services.database.transaction() as tx:
        tx.one(gathering.SQL["shift_by_id"], id=shift_id)
        return [_clip(row) for row in tx.all(gathering.SQL["clips_of_shift"], shift_id=shift_id)]


def _clip(row: Row) -> ClipOut:
    signature = SignatureOut(verdict=row["verdict"], **groups_of(row)) if row["judged"] else None
    return ClipOut(
        id=row["id"], name=row["name"], camera=row["camera"], channel_id=row["channel_id"], start=row["start_at"],
        end=row["end_at"], size_bytes=row["size_bytes"], sha256=bytes(row["sha256"]).hex(), state=row["state"],
        reason=row["reason"], received_at=row["received_at"], copied_at=row["copied_at"],
        disposed_at=row["disposed_at"], signature=signature,
    )  # fmt: skip


ROUTES: list[Any] = [clips_of_shift]
