"""The trail and the ledger: who looked, and how anybody can check that nothing of it was changed."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import Parameter

from svidok.access import audit
from svidok.api.door import PUBLIC, guarded
from svidok.api.services import Services
from svidok.base import BadInput, NotFound
from svidok.governance.purposes import purposes_named
from svidok.ledger.cosigning import Key, Note, cosigned_at, read_note
from svidok.ledger.entry import Entry
from svidok.ledger.gathering import ALARMS, COSIGNED
from svidok.ledger.log import LogReader
from svidok.ledger.note import Checkpoint
from svidok.ledger.register import count_waiting, entry_by_id
from svidok.recording import wardens

_BASIS = "Oversight of processing (LED art. 25(2))"


class WitnessOut(msgspec.Struct):
    """A witness: when it countersigned the checkpoint that rests on the policy, and what stands against the ledger."""

    name: str
    signed_at: datetime | None
    alarms: list[str]
    alarm_since: datetime | None


class LedgerOut(msgspec.Struct):
    """How the ledger stands."""

    origin: str
    size: int
    root: str
    checkpoint: str
    pending: int
    verifier_key: str
    cosigned: str | None
    cosigned_size: int | None
    quorum: int
    witnesses: list[WitnessOut]
    trust_sha256: str | None


def _checkpoint(folder: Path) -> tuple[str, Checkpoint]:
    try:
        note = (folder / "checkpoint").read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound("ledger-not-begun", "The ledger has no checkpoint yet. Ask again shortly.") from error
    return note, Checkpoint.parse(note.partition("\n\n")[0] + "\n")


@get("/api/audit", **guarded("view_audit", recorded=True, legal_basis=_BASIS), sync_to_thread=True)
def read_trail(
    services: Services,
    start: Annotated[datetime | None, Parameter(query="from")] = None,
    end: Annotated[datetime | None, Parameter(query="to")] = None,
    login: Annotated[str | None, Parameter(query="actor")] = None,
    action: str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> dict[str, Any]:
    """The trail, newest first. Reading it is itself written down."""
    before = _before(cursor)
    with services.database.transaction() as tx:
        rows = audit.trail(
            tx, start=start, end=end, login=login, action=action, text=q, before=before, limit=max(1, limit)
        )
        named = purposes_named(tx, [row["purpose_id"] for row in rows if row["purpose_id"]])
    items = [_line(row, named.get(row["purpose_id"])) for row in rows]
    after = f"{rows[-1]['at'].isoformat()}~{rows[-1]['id']}" if len(rows) == min(max(1, limit), 1000) else None
    return {"items": items, "next": after}


@get("/api/audit/{audit_id:uuid}/proof", **guarded("view_audit", recorded=True, legal_basis=_BASIS),
     sync_to_thread=True)  # fmt: skip
def prove_line(audit_id: UUID, services: Services) -> dict[str, Any]:
    """What proves one line of the trail: its leaf, what opens it, its path, and the checkpoint."""
    with services.database.transaction() as tx:
        entry = entry_by_id(tx, audit.line(tx, audit_id)["entry_id"])
    if entry["leaf_index"] is None:
        raise NotFound("not-in-ledger-yet", "This line enters the ledger within seconds. Ask again.")
    note, checkpoint = _checkpoint(services.ledger_folder)
    path = LogReader(services.ledger_folder).inclusion_proof(entry["leaf_index"], checkpoint.size)
    leaf = Entry(
        id=entry["id"], kind=entry["kind"], subject=entry["subject"], at=entry["at"],
        commitment=bytes(entry["commitment"]),
    )  # fmt: skip
    return {
        "leaf": leaf.leaf(),
        "payload": bytes(entry["payload"]).decode() if entry["payload"] else None,
        "salt": bytes(entry["salt"]).hex() if entry["salt"] else None,
        "leaf_index": entry["leaf_index"],
        "inclusion": [one.hex() for one in path],
        "checkpoint": note,
    }


@get("/api/ledger", **guarded("view_ledger"), sync_to_thread=True)
def read_ledger(services: Services) -> LedgerOut:
    """How the ledger stands, and who countersigns it."""
    note, checkpoint = _checkpoint(services.ledger_folder)
    with services.database.transaction() as tx:
        pending = count_waiting(tx)
        standing = [one for one in wardens.alarms(tx) if one.code in ALARMS and one.cleared_at is None]
    key, cosigned = services.ledger_folder / "verifier.key", services.ledger_folder / COSIGNED
    trust = services.ledger_folder / "trust.json"
    signed = cosigned.read_text("utf-8") if cosigned.exists() else None
    read = read_note(signed.encode()) if signed else None
    return LedgerOut(
        origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root.hex(), checkpoint=note, pending=pending,
        verifier_key=key.read_text().strip() if key.exists() else "",
        cosigned=signed,
        cosigned_size=read.size if read else None,
        quorum=services.witness_quorum,
        witnesses=[_witness(one, read, standing) for one in services.witnesses],
        trust_sha256=hashlib.sha256(trust.read_bytes()).hexdigest() if trust.exists() else None,
    )  # fmt: skip


def _witness(key: Key, note: Note | None, standing: list[wardens.Alarm]) -> WitnessOut:
    seconds = cosigned_at(note, key)[0] if note else None
    mine = [one for one in standing if one.subject == key.name]
    return WitnessOut(
        name=key.name,
        signed_at=datetime.fromtimestamp(seconds, UTC) if seconds is not None else None,
        alarms=[one.code for one in mine],
        alarm_since=min((one.raised_at for one in mine), default=None),
    )


@get("/ledger/{path:path}", **PUBLIC, sync_to_thread=True)
def read_ledger_file(path: Path, services: Services) -> Response[bytes]:
    """The ledger's own files, for monitors and strangers (C2SP tlog-tiles)."""
    folder = services.ledger_folder.resolve()
    file = (folder / str(path).lstrip("/")).resolve()
    if not file.is_relative_to(folder) or not file.is_file() or file.suffix == ".part":
        raise NotFound("not-found", "The ledger has no such file.")
    is_text = file.name in ("checkpoint", COSIGNED, "verifier.key", "trust.json")
    age = "no-cache" if is_text else "public, max-age=31536000, immutable"
    return Response(
        file.read_bytes(),
        media_type="text/plain" if is_text else "application/octet-stream",
        headers={"Cache-Control": age},
    )


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    at, _, line = cursor.partition("~")
    try:
        return datetime.fromisoformat(at), UUID(line)
    except ValueError as error:
        raise BadInput("cursor-form", "The cursor does not come from us.") from error


def _line(row: dict[str, Any], purpose: dict[str, Any] | None) -> dict[str, Any]:
    told = None
    if purpose is not None:
        told = {"reference_number": purpose["number"], "kind": purpose["kind"], "reason": purpose["reason"],
                "legal_basis": purpose["legal_basis"]}  # fmt: skip
    return {
        "id": row["id"],
        "at": row["at"],
        "actor": {"id": row["actor_id"], "login": row["login"], "name": row["name"]} if row["actor_id"] else None,
        "action": row["action"],
        "what": row["what"],
        "purpose": told,
        "legal_basis": row["legal_basis"],
        "to_whom": row["to_whom"],
        "leaf_index": row["leaf_index"],
    }


ROUTES = [read_trail, prove_line, read_ledger, read_ledger_file]
