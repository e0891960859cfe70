"""What cameras' own signatures say of footage, behind the door."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get

from svidok.api.door import guarded
from svidok.api.recording import From, To
from svidok.api.services import Services
from svidok.db import Row
from svidok.recording.signatures.keeping import verdicts_between
from svidok.recording.timeline import LONGEST, asked_span


class GroupsOut(msgspec.Struct, kw_only=True):
    """Groups of pictures by verdict, NAL units that nothing speaks of, grounds, who signed."""

    authentic: int
    missing: int
    not_authentic: int
    pending: int
    grounds: list[str]
    signer: str | None
    fingerprint: str | None
    trust: str | None


class VerdictOut(GroupsOut, kw_only=True):
    """One segment's verdict."""

    start: datetime
    end: datetime
    signed: bool


def groups_of(row: Row) -> dict[str, Any]:
    """The fields of `GroupsOut`, out of a row that keeps a verdict. Pure."""
    told = {name: row[name] for name in GroupsOut.__struct_fields__}
    return told | {"fingerprint": bytes(row["fingerprint"]).hex() if row["fingerprint"] else None}


class VerdictsOut(msgspec.Struct):
    """Segment by segment, in order; what was not judged yet is not here."""

    items: list[VerdictOut]


@get("/api/channels/{channel_id:uuid}/signatures", **guarded("view_timeline"), sync_to_thread=True)
def read_signatures(channel_id: UUID, start: From, end: To, services: Services) -> VerdictsOut:
    """What the camera's own signatures say of a span."""
    span = asked_span(start, end, longest=LONGEST)
    with services.database.transaction() as tx:
        rows = verdicts_between(tx, channel_id, span)
    return VerdictsOut(
        [
            VerdictOut(start=row["start_at"], end=row["end_at"], signed=row["signed"], **groups_of(row))
            for row in rows
        ]
    )  # fmt: skip


ROUTES = [read_signatures]
