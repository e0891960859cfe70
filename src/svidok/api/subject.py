"""Nobody touches footage of a complaint about themselves: asked at the door, for everything that shows something."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection

from svidok.access import Actor, require
from svidok.base import Span
from svidok.customs import complaints
from svidok.db import Transaction

_WIDE = {"from": "to", "at": "at"}


def refuse_subject(
    tx: Transaction, connection: ASGIConnection[Any, Any, Any, Any], actor: Actor, action: str
) -> None:  # fmt: skip
    """Raise `Forbidden`, naming the policy, where a complaint about the actor holds what is asked for."""
    asked = connection.path_params
    if action == "view_live":  # what is seen now is not what was held
        return
    if "channel_id" in asked:
        subject = complaints.bars_channel(tx, actor, asked["channel_id"], _span(tx, connection))
    elif "procedure_id" in asked or "scan_id" in asked:
        subject = complaints.bars_procedure(
            tx, actor, procedure_id=asked.get("procedure_id"), scan_id=asked.get("scan_id")
        )
    else:
        return
    if subject:
        require(actor, action, {"complained_of": True})


def _span(tx: Transaction, connection: ASGIConnection[Any, Any, Any, Any]) -> Span | None:
    """When the asked footage was taken; nothing where it cannot be told, which bars all of the channel."""
    segment: UUID | None = connection.path_params.get("segment")
    if segment is not None:
        return complaints.span_of_segment(tx, segment)
    query = connection.query_params
    for first, last in _WIDE.items():
        try:
            start, end = datetime.fromisoformat(query[first]), datetime.fromisoformat(query[last])
            return Span(start, end)
        except (KeyError, ValueError, TypeError):
            continue
    return None
