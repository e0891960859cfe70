"""Containers: a dock's name for one recording. Metadata only grows; complete means that nothing more comes."""

import json
from dataclasses import dataclass
from datetime import datetime

from svidok.bodyworn import axis
from svidok.bodyworn.announcing import add_events
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.model import set_right
from svidok.db import Queries, Row, Transaction

SQL = Queries.of("svidok.bodyworn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container as it is now; `made`: by this very request."""

    name: str
    meta: dict[str, str]
    made: bool


def find(tx: Transaction, dock: Dock, name: str) -> Row | None:
    """A container of a dock, or nothing."""
    return tx.maybe(SQL["container"], dock_id=dock.id, name=name)


def put(tx: Transaction, *, dock: Dock, name: str, meta: dict[str, str], at: datetime) -> Container:
    """Make a container, or add to its metadata. When it becomes complete, what it claims is announced."""
    said = {key: value for key, value in meta.items() if value}  # an empty value would take away what was said before
    row = tx.one(
        SQL["put_container"], dock_id=dock.id, name=name, meta=json.dumps(said), at=at,
        complete=meta.get("status") == axis.COMPLETE,
    )  # fmt: skip
    if row["completed"]:
        _completed(tx, name, row["meta"], at)
    return Container(name=name, meta=row["meta"], made=bool(row["made"]))


def _completed(tx: Transaction, name: str, meta: dict[str, str], at: datetime) -> None:
    """The camera is in its dock, and said from when to when it recorded and why it stopped."""
    device = tx.maybe(SQL["device_by_serial"], serial=axis.serial_of(name, meta))
    if device is None or name.startswith(axis.REJECTED):
        return
    offset_ms, span = device["clock_offset_ms"], axis.span_of(meta)
    tx.run(
        SQL["device_seen"], camera_id=device["camera_id"], at=at, firmware=meta.get("firmwareversion", ""),
        battery_pct=None, storage_pct=None, clock_offset_ms=None, counter_clips=None, counter_bytes=None,
    )  # fmt: skip
    if span is not None:
        tx.run(
            SQL["announce"], camera_id=device["camera_id"], name=name, sequence=None, at=at,
            start_at=set_right(span.start, offset_ms), end_at=set_right(span.end, offset_ms), size_bytes=None,
            sha256=None,
        )  # fmt: skip
    stop = axis.stop_of(meta)
    if stop is not None:
        add_events(tx, device["camera_id"], [(set_right(stop[0], offset_ms), stop[1])])
    tx.run(SQL["issues_docked"], camera_id=device["camera_id"], at=at)
