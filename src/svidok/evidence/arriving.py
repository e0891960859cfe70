"""Files from outside: announced, received piece by piece, and acknowledged only once they are kept and stated.

Any format is taken: what cannot be played is an exhibit too. A file that the
virus scanner finds wanting is kept and marked, and is given to nobody.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from svidok.access import Actor
from svidok.base import BadInput, Conflict, Forbidden, NotFound, new_id
from svidok.db import Database, Row, Transaction
from svidok.evidence import custody, exhibits
from svidok.evidence.cases import admit
from svidok.evidence.custody import SQL
from svidok.evidence.exhibits import Kept
from svidok.evidence.model import ExhibitKind, Happened, Source
from svidok.evidence.scanning import Scan, scan_file
from svidok.evidence.vault import Vault

_FROM_OUTSIDE = {Source.OFFICER, Source.PUBLIC, Source.BUSINESS, Source.SERVICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of a file before its first byte."""

    name: str
    size_bytes: int
    media_type: str
    title: str
    source: Source
    obtained: str
    start_at: datetime | None = None
    end_at: datetime | None = None


def announce(tx: Transaction, vault: Vault, *, actor: Actor, case_id: UUID, told: Told, at: datetime) -> UUID:
    """Say that a file will come; the upload's id. Raises `BadInput` where its way here is not told."""
    admit(tx, actor=actor, action="book_exhibit", case_id=case_id, at=at).require_open()
    if told.source not in _FROM_OUTSIDE:
        raise BadInput("source-needed", "Say where the file comes from: an officer, the public, a business, a service.")
    if len(told.obtained.strip()) < 5:
        raise BadInput("obtained-needed", "Say how the file was obtained and from whom.")
    if not told.title.strip():
        raise BadInput("title-needed", "Give the exhibit a short title.")
    if told.start_at and told.end_at and told.end_at < told.start_at:
        raise BadInput("span-backwards", "The end must lie after the beginning.")
    vault.begin(told.size_bytes)
    upload_id = new_id()
    kept = {
        "media_type": told.media_type[:100], "title": told.title.strip()[:300], "source": str(told.source),
        "obtained": told.obtained.strip()[:2000],
        "start_at": told.start_at.isoformat() if told.start_at else None,
        "end_at": told.end_at.isoformat() if told.end_at else None,
    }  # fmt: skip
    tx.run(
        SQL["add_upload"], id=upload_id, case_id=case_id, by=actor.id, name=Path(told.name).name[:250] or "file",
        size_bytes=told.size_bytes, told=json.dumps(kept), at=at,
    )  # fmt: skip
    return upload_id


def upload_of(tx: Transaction, *, actor: Actor, upload_id: UUID) -> Row:
    """An upload of `actor`'s. Raises `NotFound` for anybody else's."""
    row = tx.maybe(SQL["upload_by_id"], id=upload_id)
    if row is None or row["by_id"] != actor.id:
        raise NotFound("upload-not-found", "There is no such upload of yours.")
    return row


def receive(database: Database, vault: Vault, *, actor: Actor, upload_id: UUID, offset: int, piece: bytes) -> int:
    """Take a piece; how far the file has come."""
    with database.transaction() as tx:
        row = upload_of(tx, actor=actor, upload_id=upload_id)
    if row["exhibit_id"] is not None:
        raise Conflict("upload-done", "This file has arrived already.")
    return vault.append(upload_id, offset, piece, size=row["size_bytes"])


def finish(database: Database, vault: Vault, *, actor: Actor, upload_id: UUID, at: datetime) -> UUID:
    """The file has arrived: keep it, hash it, enter it; the exhibit's id. Only then is it acknowledged.

    Asking again gives the same answer. The same bytes twice in one case are the same exhibit.
    """
    with database.transaction() as tx:
        row = upload_of(tx, actor=actor, upload_id=upload_id)
        if row["exhibit_id"] is not None:
            return UUID(str(row["exhibit_id"]))
        admit(tx, actor=actor, action="book_exhibit", case_id=row["case_id"], at=at).require_open()
    if vault.received(upload_id) != row["size_bytes"]:
        raise Conflict("upload-not-whole", "Some of the file is missing.", received=vault.received(upload_id))
    stored = vault.take(upload_id, upload_id)
    told = row["told"]
    file = Kept(
        path=stored.path, name=row["name"], media_type=told["media_type"], size_bytes=stored.size_bytes,
        sha256=stored.sha256, scan="waiting",
    )  # fmt: skip
    with database.transaction() as tx:
        number = exhibits.take_number(tx, row["case_id"])
        known = tx.maybe(SQL["same_file"], case_id=row["case_id"], sha256=stored.sha256)
        if known is not None:
            exhibit_id = UUID(str(known["id"]))
        else:
            exhibit_id = exhibits.add(
                tx, actor=actor, case_id=row["case_id"], number=number, kind=ExhibitKind.FILE, title=told["title"],
                source=Source(told["source"]), obtained=told["obtained"], at=at, file=file,
                start_at=_instant(told["start_at"]), end_at=_instant(told["end_at"]),
            )  # fmt: skip
        tx.run(SQL["end_upload"], id=upload_id, exhibit_id=exhibit_id, refused=None)
    return exhibit_id


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def scan_exhibit(
    database: Database, vault: Vault, *, actor: Actor, exhibit_id: UUID, socket: Path | None, at: datetime
) -> Scan:
    """Let the scanner look at an exhibit's file, and write down what it said."""
    with database.transaction() as tx:
        row = tx.one(SQL["exhibit_by_id"], id=exhibit_id)
    said = scan_file(vault.open_path(row["path"]), socket)
    with database.transaction() as tx:
        tx.run(SQL["set_scan"], id=exhibit_id, scan=str(said.verdict))
        what = {"verdict": str(said.verdict), "says": said.says}
        custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.SCANNED, what=dict(what), at=at)
    return said


def require_clean(row: Row) -> None:
    """Raise `Forbidden` for a file that the scanner found wanting, and `Conflict` for one it has not seen yet."""
    if row["scan"] == "infected":
        raise Forbidden("file-infected", "The virus scanner found something in this file. It is kept and not opened.")
    if row["scan"] == "waiting":
        raise Conflict("file-not-scanned", "The file is being looked at. Ask again shortly.")
