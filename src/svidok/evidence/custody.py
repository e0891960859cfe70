"""Write down what happens to an exhibit, and read it back: a row and a ledger entry each, every one naming the last.

The chain is for people: whoever holds the lines of one exhibit sees that none
is missing between two others. The ledger is for strangers: each line is an
entry of its own and names the commitment of the one before, so that whoever
owns the database cannot write the chain anew.
"""

import json
from datetime import datetime
from uuid import UUID

from svidok.access import Actor
from svidok.db import Queries, Row, Transaction
from svidok.evidence.model import CustodyLine, Happened, break_in, custody_payload
from svidok.ledger import JSON, canonical, enter
from svidok.ledger.register import entry_by_id

SQL = Queries.of("svidok.evidence")


def add(
    tx: Transaction,
    *,
    exhibit_id: UUID,
    actor: Actor,
    kind: Happened,
    what: dict[str, JSON],
    at: datetime,
    audit_id: UUID | None = None,
) -> int:
    """Write the next line; its number. It happened when, and only when, `tx` commits.

    Two people look at once, and whose line is second may have begun first. A stranger is told a chain whose instants
    never fall and whose places in the log rise, so the later line bears at least the instant of the one before.
    """
    tx.one(SQL["lock_exhibit"], id=exhibit_id)
    last = tx.maybe(SQL["last_custody"], exhibit_id=exhibit_id)
    number = int(last["number"]) + 1 if last else 1
    at = max(at, last["at"]) if last else at
    payload = custody_payload(
        exhibit_id=exhibit_id, number=number, at=at, actor=_named(actor), actor_id=actor.id, kind=kind, what=what,
        previous=bytes(last["hash"]) if last else None,
    )  # fmt: skip
    after = last["entry_id"] if last else None
    entry_id = enter(tx, kind=f"custody.{kind}", subject=exhibit_id, payload=payload, at=at, after=after)
    tx.run(
        SQL["add_custody"], exhibit_id=exhibit_id, number=number, at=at, actor_id=actor.id, kind=str(kind),
        payload=canonical(payload), hash=bytes(entry_by_id(tx, entry_id)["commitment"]), audit_id=audit_id,
        entry_id=entry_id,
    )  # fmt: skip
    return number


def add_look(
    tx: Transaction, *, exhibit_id: UUID, actor: Actor, kind: Happened, at: datetime, audit_id: UUID | None
) -> None:
    """Write that somebody looked, once for each line of the trail: a look that goes on is one look."""
    if audit_id is not None:
        tx.one(SQL["lock_exhibit"], id=exhibit_id)
        if tx.maybe(SQL["look_in_custody"], exhibit_id=exhibit_id, audit_id=audit_id) is not None:
            return
    what: dict[str, JSON] = {"trail": str(audit_id) if audit_id else None}
    add(tx, exhibit_id=exhibit_id, actor=actor, kind=kind, what=what, at=at, audit_id=audit_id)


def rows_of(tx: Transaction, exhibit_id: UUID) -> list[Row]:
    """The lines of an exhibit, in their order, each with its place in the ledger."""
    return tx.all(SQL["custody_of"], exhibit_id=exhibit_id)


def told(rows: list[Row]) -> list[Row]:
    """The lines as a reader wants them."""
    return [
        {
            "number": row["number"],
            "at": row["at"],
            "kind": row["kind"],
            "actor": row["actor"],
            "unit": row["actor_unit"],
            "what": json.loads(bytes(row["payload"]))["what"],
            "hash": bytes(row["hash"]).hex(),
            "leaf_index": row["leaf_index"],
        }
        for row in rows
    ]


def broken_at(exhibit_id: UUID, rows: list[Row]) -> int | None:
    """Where the chain does not hold, or where the ledger was told something else; nothing where all is well."""
    for row in rows:
        stated = row["stated"]
        if stated is None or bytes(stated) != bytes(row["payload"]) or bytes(row["commitment"]) != bytes(row["hash"]):
            return int(row["number"])
    return break_in(
        exhibit_id,
        [
            CustodyLine(
                number=row["number"], payload=bytes(row["payload"]), salt=bytes(row["salt"]),
                commitment=bytes(row["commitment"]),
            )
            for row in rows
        ],
    )  # fmt: skip


def _named(actor: Actor) -> str:
    """How somebody is named to people outside: by name and unit."""
    return f"{actor.name}, {actor.unit}" if actor.unit else actor.name
