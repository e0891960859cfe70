"""Hotlists as people keep them: whose, why, by which law, until when, who may see, and who agreed. Matches nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, Context, audit, require
from svidok.base import BadInput, Conflict, Forbidden, NotFound, new_id
from svidok.db import Row, Transaction
from svidok.ledger import JSON, enter
from svidok.plates.hotlist_file import Entry, FileRead
from svidok.plates.matching import SQL

ENTRY_ADDED, ENTRY_APPROVED, ENTRY_ENDED = "hotlist.entry-added", "hotlist.entry-approved", "hotlist.entry-ended"
MOST_PATTERNS = 2000
MAX_PAGE = 500
_AT_ONCE = 5000


def make(
    tx: Transaction, *, actor: Actor, name: str, legal_basis: str, see_units: Sequence[UUID] = (), at: datetime
) -> UUID:
    """A new list of the actor's unit. `see_units` empty: every unit sees it."""
    require(actor, "edit_hotlists")
    list_id = new_id()
    if not 1 <= len(name.strip()) <= 120:
        raise BadInput("hotlist-name", "Give the list a name of 1 to 120 characters.")
    if len(legal_basis.strip()) < 5:
        raise BadInput("legal-basis-needed", "State the legal basis: the act and its article.")
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_hotlist"], id=list_id, name=name.strip(), legal_basis=legal_basis.strip(),
                owner_unit=actor.unit_id, see_units=list(see_units), made_by=actor.id, at=at,
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("hotlist-taken", "There is a list of this name. Add to it, or choose another name.") from error
    _write_down(tx, actor, at, {"hotlist": str(list_id), "name": name.strip()}, legal_basis=legal_basis.strip())
    return list_id


def end(tx: Transaction, *, actor: Actor, list_id: UUID, at: datetime) -> None:
    """The list holds no more."""
    require(actor, "edit_hotlists")
    one(tx, actor=actor, list_id=list_id, at=at)
    tx.run(SQL["end_hotlist"], id=list_id, at=at)
    tx.run(SQL["change_version"])
    _write_down(tx, actor, at, {"hotlist-ended": str(list_id)})


def all_lists(tx: Transaction, *, actor: Actor, at: datetime) -> list[Row]:
    """The lists that the actor may see."""
    require(actor, "view_hotlists")
    return tx.all(SQL["hotlists"], unit=actor.unit_id, actor=actor.id, id=None, at=at)


def one(tx: Transaction, *, actor: Actor, list_id: UUID, at: datetime) -> Row:
    """One list; `NotFound` where there is none, or it is not the actor's to see."""
    row = tx.maybe(SQL["hotlists"], unit=actor.unit_id, actor=actor.id, id=list_id, at=at)
    if row is None:
        raise NotFound("hotlist-unknown", "There is no such list, or it is not yours to see.")
    return row


def entries(
    tx: Transaction,
    *,
    actor: Actor,
    list_id: UUID,
    at: datetime,
    text: str | None = None,
    waiting: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Row]:
    """A page of a list in the order of plates, after the plate `after`."""
    require(actor, "view_hotlists")
    one(tx, actor=actor, list_id=list_id, at=at)
    return tx.all(
        SQL["entries"], list_id=list_id, text=text, waiting=waiting, after=after, limit=max(1, min(limit, MAX_PAGE))
    )


def add(tx: Transaction, *, actor: Actor, list_id: UUID, new: Sequence[Entry], at: datetime) -> int:
    """Enter `new`; how many were not on the list before. High priority waits for a second person."""
    require(actor, "edit_hotlists")
    one(tx, actor=actor, list_id=list_id, at=at)
    patterns = sum(entry.is_pattern for entry in new)
    if patterns > MOST_PATTERNS:
        raise BadInput("patterns-many", f"A list takes {MOST_PATTERNS} patterns at once; name whole plates.")
    tx.run(SQL["end_expired_entries"], list_id=list_id, at=at)
    added = 0
    for start in range(0, len(new), _AT_ONCE):
        part = new[start : start + _AT_ONCE]
        added += len(
            tx.all(
                SQL["add_entries"], list_id=list_id, added_by=actor.id, at=at, ids=[new_id() for _ in part],
                plates=[entry.plate for entry in part], patterns=[entry.is_pattern for entry in part],
                reasons=[entry.reason for entry in part], priorities=[entry.priority for entry in part],
                instructions=[entry.instructions for entry in part], expiries=[entry.expires_at for entry in part],
            )
        )  # fmt: skip
    tx.run(SQL["change_version"])
    told: dict[str, JSON] = {"hotlist": str(list_id), "added": added, "known": len(new) - added}
    if len(new) == 1:
        told["plate"] = new[0].plate
    enter(tx, kind=ENTRY_ADDED, subject=list_id, payload={**told, "by": str(actor.id)}, at=at)
    _write_down(tx, actor, at, told)
    return added


def approve(tx: Transaction, *, actor: Actor, entry_id: UUID, at: datetime) -> None:
    """A second person agrees that this plate is looked for urgently."""
    entry = _entry(tx, actor, entry_id)
    require(actor, "approve_hotlist", Context(own=entry["added_by"] == actor.id))
    if not tx.run(SQL["approve_entry"], id=entry_id, by=actor.id, at=at):
        raise Conflict("entry-approved", "This entry was approved or ended before.")
    tx.run(SQL["change_version"])
    enter(tx, kind=ENTRY_APPROVED, subject=entry_id, payload={"entry": str(entry_id), "by": str(actor.id)}, at=at)
    _write_down(tx, actor, at, {"approved": str(entry_id), "plate": entry["plate"]})


def end_entry(tx: Transaction, *, actor: Actor, entry_id: UUID, at: datetime) -> None:
    """This plate is looked for no more."""
    require(actor, "edit_hotlists")
    entry = _entry(tx, actor, entry_id)
    if not tx.run(SQL["end_entry"], id=entry_id, by=actor.id, at=at):
        raise Conflict("entry-ended", "This entry was ended before.")
    tx.run(SQL["change_version"])
    enter(tx, kind=ENTRY_ENDED, subject=entry_id, payload={"entry": str(entry_id), "by": str(actor.id)}, at=at)
    _write_down(tx, actor, at, {"ended": str(entry_id), "plate": entry["plate"]})


def told_of_file(file: FileRead, added: int) -> dict[str, object]:
    """What a person is told after an import."""
    return {
        "added": added, "known": len(file.entries) - added, "doubles": file.doubles, "bad": len(file.bad),
        "bad_rows": [{"line": line, "reason": reason} for line, reason in file.bad[:1000]],
    }  # fmt: skip


def may_see(actor: Actor, see_units: Sequence[UUID]) -> bool:
    """Whether an actor's unit may see what a list brings."""
    return not see_units or actor.unit_id in see_units


def _entry(tx: Transaction, actor: Actor, entry_id: UUID) -> Row:
    entry = tx.maybe(SQL["entry_by_id"], id=entry_id)
    if entry is None or not (may_see(actor, entry["see_units"]) or entry["added_by"] == actor.id):
        raise NotFound("entry-unknown", "There is no such entry, or it is not yours to see.")
    if entry["list_ended_at"] is not None:
        raise Forbidden("hotlist-over", "The list of this entry holds no more.")
    return entry


def _write_down(
    tx: Transaction, actor: Actor, at: datetime, what: dict[str, JSON], *, legal_basis: str | None = None
) -> None:
    audit.record(tx, actor=actor, action="edit_hotlists", what=what, at=at, to_whom="", legal_basis=legal_basis)
