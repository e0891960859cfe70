"""Make alerts of hits. One taker at a time gets a hit; a vehicle that stands before a camera is one alert, not fifty.

The hits are the outbox of `plates`: they are marked as taken in the transaction
that raises their alerts, so that a crash between the two loses nothing and
doubles nothing. A camera that withdrew itself raises none; its hits stay.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from svidok.base import new_id
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger import enter
from svidok.plates.matching import SQL as HITS
from svidok.plates.model import Read, read_of
from svidok.plates.store import SQL as READS

SQL = Queries.of("svidok.incidents")
RAISED = "alert.raised"
SAME_VEHICLE = timedelta(minutes=2)
_AT_ONCE = 200


def raise_waiting(database: Database, *, at: datetime) -> list[UUID]:
    """Raise alerts for the hits that wait; those that are new or changed."""
    with database.transaction() as tx:
        hits = tx.all(HITS["take_hits"], at=at, limit=_AT_ONCE)
        if not hits:
            return []
        entries = {row["id"]: row for row in tx.all(HITS["entries_by_id"], ids=[hit["entry_id"] for hit in hits])}
        told = []
        for hit in sorted(hits, key=lambda one: one["taken_at"]):
            if not hit["withheld"]:
                told.append(_raise(tx, hit, entries[hit["entry_id"]], at))
        return list(dict.fromkeys(told))


def _raise(tx: Transaction, hit: Row, entry: Row, at: datetime) -> UUID:
    same = tx.maybe(
        SQL["same_alert"], entry_id=hit["entry_id"], camera_id=hit["camera_id"], since=hit["taken_at"] - SAME_VEHICLE,
        until=hit["taken_at"] + SAME_VEHICLE,
    )  # fmt: skip
    if same is not None:
        tx.run(SQL["join_hit"], id=same["id"], taken_at=hit["taken_at"])
        return UUID(str(same["id"]))
    alert_id = new_id()
    read = read_of(tx.one(READS["read_by_id"], id=hit["read_id"], taken_at=hit["taken_at"]))
    tx.run(SQL["add_alert"], id=alert_id, raised_at=at, **_of_hit(hit), **_of_read(read), **_of_entry(entry))
    payload = {
        "camera": str(hit["camera_id"]), "entry": str(hit["entry_id"]), "read": str(hit["read_id"]),
        "priority": entry["priority"],
    }  # fmt: skip
    enter(tx, kind=RAISED, subject=alert_id, payload=dict(payload), at=at)
    return alert_id


def _of_hit(hit: Row) -> Row:
    names = ("entry_id", "plate", "how", "likelihood", "camera_id", "read_id", "taken_at", "received_at")
    return {name: hit[name] for name in names}


def _of_read(read: Read) -> Row:
    return {
        "read_plate": read.plate, "confidence": read.confidence, "country": read.country, "image": read.image,
        "patch": read.patch, "segment_id": read.segment_id, "lat": read.lat, "lon": read.lon,
        "direction": str(read.direction), "alternatives": json.dumps([list(one) for one in read.alternatives]),
    }  # fmt: skip


def _of_entry(entry: Row) -> Row:
    names = ("list_id", "list_name", "priority", "reason", "legal_basis", "instructions", "see_units")
    return {name: entry[name] for name in names} | {"wanted": entry["plate"]}
