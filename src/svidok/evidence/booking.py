"""Reads and scans as exhibits: what another room holds for a time is copied into the vault, and outlives it there.

A read's picture and a scan's file are copied bit for bit. A scan must still be
what the ledger states it was when it came; a read whose picture is gone is
booked in as the record alone. In its own room the read goes with its day as it
would have: nobody can search for it longer because a case has it. Whether
somebody may see the read or the scan was asked at the door; whether they may
book it into this case is asked here.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from svidok.access import Actor
from svidok.base import NotFound, new_id
from svidok.customs import scans
from svidok.db import Row, Transaction
from svidok.evidence import custody, exhibits
from svidok.evidence.cases import admit
from svidok.evidence.custody import SQL
from svidok.evidence.exhibits import Kept
from svidok.evidence.model import ExhibitKind, Happened
from svidok.evidence.vault import Vault
from svidok.governance import Purpose
from svidok.ledger.entry import instant_text
from svidok.plates.model import Read, detail_of
from svidok.plates.pictures import Pictures

_SCAN_TYPES = {"dicom": "application/dicom", "tiff": "image/tiff", "png": "image/png", "pdf": "application/pdf"}


def book_read(
    tx: Transaction,
    vault: Vault,
    pictures: Pictures,
    *,
    actor: Actor,
    case_id: UUID,
    read: Read,
    title: str,
    purpose: Purpose,
    at: datetime,
) -> UUID:
    """Book a read in with its picture; the exhibit's id. The same read twice is the same exhibit."""
    admit(tx, actor=actor, action="book_exhibit", case_id=case_id, at=at).require_open()
    known = _known(tx, case_id, ExhibitKind.READ, read.id)
    if known is not None:
        return known
    record = record_of(read)
    facts = record | {"looked_under": purpose.reference.number}
    file = _picture_of(vault, pictures, read) or _kept(
        vault, json.dumps(record, ensure_ascii=False, indent=2).encode(), f"{read.plate}.json",
        "application/json",
    )  # fmt: skip
    return exhibits.book_fact(
        tx, actor=actor, case_id=case_id, kind=ExhibitKind.READ, subject_id=read.id, title=title,
        instant=read.taken_at, channel_id=read.channel_id, facts=facts, file=file, at=at,
        obtained=f"{read.plate} · {instant_text(read.taken_at)} · {read.confidence:.0%}",
    )  # fmt: skip


def record_of(read: Read) -> dict[str, Any]:
    """What is known of a read, as it leaves with it. Pure."""
    return {
        "read": str(read.id), "plate": read.plate, "as_read": read.as_read, "taken_at": instant_text(read.taken_at),
        "camera": str(read.camera_id), "confidence": round(read.confidence, 4), "country": read.country,
        "direction": str(read.direction), "source": str(read.source),
        "segment": str(read.segment_id) if read.segment_id else None, **detail_of(read),
    }  # fmt: skip


def _picture_of(vault: Vault, pictures: Pictures, read: Read) -> Kept | None:
    """The overview, else the plate alone; nothing where neither is there any more."""
    for picture in (read.image, read.patch):
        if picture is None:
            continue
        try:
            return _kept(vault, pictures.read(picture), f"{read.plate}.jpg", "image/jpeg")
        except NotFound:
            continue
    return None


def book_scan(
    tx: Transaction,
    vault: Vault,
    *,
    actor: Actor,
    case_id: UUID,
    scan_id: UUID,
    title: str,
    purpose: Purpose,
    at: datetime,
) -> UUID:
    """Book a scan in as it came, with the picture made of it; the exhibit's id. Twice is the same exhibit."""
    admit(tx, actor=actor, action="book_exhibit", case_id=case_id, at=at).require_open()
    known = _known(tx, case_id, ExhibitKind.SCAN, scan_id)
    if known is not None:
        return known
    row, data = scans.original_of(tx, scan_id)
    suffix = Path(row["path"]).suffix
    file = _kept(vault, data, f"{scan_id}{suffix}", _SCAN_TYPES.get(row["form"], "application/octet-stream"))
    facts = {
        "scan": str(scan_id), "device": row["device"], "form": row["form"], "taken_at": instant_text(row["taken_at"]),
        "plate": row["plate"], "declaration": row["declaration"], "procedure": row["procedure_number"],
        "statement": str(row["entry_id"]), "looked_under": purpose.reference.number,
    }  # fmt: skip
    exhibit_id = exhibits.book_fact(
        tx, actor=actor, case_id=case_id, kind=ExhibitKind.SCAN, subject_id=scan_id, title=title,
        instant=row["taken_at"], channel_id=None, facts=facts, file=file, at=at,
        obtained=f"{row['device']} · {row['form'].upper()} · {instant_text(row['taken_at'])}",
    )  # fmt: skip
    _show(tx, vault, actor, exhibit_id, row, at)
    return exhibit_id


def _show(tx: Transaction, vault: Vault, actor: Actor, exhibit_id: UUID, scan: Row, at: datetime) -> None:
    """The picture that was made of a scan becomes the copy that browsers show, where there is one."""
    try:
        jpeg = scans.picture_of(tx, scan["id"])
    except NotFound:
        return
    picture, how = _kept(vault, jpeg, f"{exhibit_id}.jpg", "image/jpeg"), "brightness unfolded from the scan, JPEG"
    tx.run(
        SQL["add_playable"], exhibit_id=exhibit_id, path=picture.path, media_type=picture.media_type,
        size_bytes=picture.size_bytes, sha256=picture.sha256, how=how, at=at,
    )  # fmt: skip
    custody.add(
        tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.COPY_MADE, at=at,
        what={"copy_sha256": picture.sha256.hex(), "how": how, "media_type": picture.media_type},
    )  # fmt: skip


def _known(tx: Transaction, case_id: UUID, kind: ExhibitKind, subject_id: UUID) -> UUID | None:
    row = tx.maybe(SQL["same_subject"], case_id=case_id, kind=str(kind), subject_id=subject_id)
    return UUID(str(row["id"])) if row else None


def _kept(vault: Vault, data: bytes, name: str, media_type: str) -> Kept:
    """Bytes of another room as a file of the vault, whole before any row speaks of it."""
    made = vault.workshop(f"{new_id()}.bin")
    made.write_bytes(data)
    stored = vault.keep(made, f"{made.stem[-2:]}/{made.name}")
    return Kept(
        path=stored.path, name=name, media_type=media_type, size_bytes=stored.size_bytes, sha256=stored.sha256,
        scan="not-scanned",
    )  # fmt: skip
