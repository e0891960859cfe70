"""Exhibits: booked in, looked at, annotated.

Footage is booked in as a range of a channel. Its bytes stay where they are, in
their sealed segments, and a hold keeps all of them: an exhibit that was copied
out would be one more thing to trust. What was there at that moment is kept as
a tag over the hashes of its fragments, so that a later look finds out whether
it still is.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from svidok.access import Actor, require
from svidok.base import BadInput, Conflict, NotFound, Span, new_id
from svidok.db import Row, Transaction
from svidok.evidence import custody
from svidok.evidence.cases import Admitted, admit
from svidok.evidence.custody import SQL
from svidok.evidence.model import ExhibitKind, Happened, Source
from svidok.governance import Purpose, keeping
from svidok.governance.purposes import SQL as GOVERNANCE
from svidok.ledger import JSON
from svidok.recording import export
from svidok.recording.reach import HERE, Reach

LONGEST = timedelta(hours=25)
_TITLE_MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file in the vault, as a row tells of it."""

    path: str
    name: str
    media_type: str
    size_bytes: int
    sha256: bytes
    scan: str


def book_footage(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    channel_id: UUID,
    span: Span,
    title: str,
    at: datetime,
    reach: Reach = HERE,
) -> UUID:
    """Book a range of a channel in, and hold it; the exhibit's id. The same range twice is the same exhibit.

    Of a camera that signs, the range goes on to the signature over its last pictures: that is held and disclosed too.
    Raises `Conflict` where there is no footage.
    """
    admitted = admit(tx, actor=actor, action="book_exhibit", case_id=case_id, at=at)
    admitted.require_open()
    if span.duration > LONGEST:
        raise BadInput("span-too-long", "Ask for a shorter span.", longest_s=int(LONGEST.total_seconds()))
    span = export.span_with_signature(tx, channel_id, span, reach=reach)
    number = take_number(tx, case_id)
    known = tx.maybe(
        SQL["same_footage"], case_id=case_id, channel_id=channel_id, start_at=span.start, end_at=span.end
    )  # fmt: skip
    if known is not None:
        return UUID(str(known["id"]))
    planned = export.plan(tx, channel_id, span, reach=reach, with_signature=False)
    hold_id = keeping.place_hold(
        tx, actor=actor, channel_id=channel_id, span=span, reason=f"Exhibit {number} of case {admitted.case['number']}",
        reference_id=admitted.case["reference_id"], at=at,
    )  # fmt: skip
    facts: dict[str, JSON] = {
        "tag": planned.tag,
        "segments": [str(part.one.segment.id) for part in planned.parts],
        "size_bytes": planned.size_bytes,
        "gaps": len(planned.gaps),
    }
    return add(
        tx, actor=actor, case_id=case_id, number=number, kind=ExhibitKind.FOOTAGE, title=title, source=Source.CAMERA,
        at=at, channel_id=channel_id, start_at=span.start, end_at=span.end, facts=facts, hold_id=hold_id,
    )  # fmt: skip


def book_fact(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    kind: ExhibitKind,
    subject_id: UUID,
    title: str,
    instant: datetime,
    channel_id: UUID | None,
    facts: dict[str, Any],
    at: datetime,
    file: Kept | None = None,
    obtained: str = "",
) -> UUID:
    """Book in a read or a scan, with what was known of it then; the caller has read it from the room that owns it."""
    admit(tx, actor=actor, action="book_exhibit", case_id=case_id, at=at).require_open()
    number = take_number(tx, case_id)
    known = tx.maybe(SQL["same_subject"], case_id=case_id, kind=str(kind), subject_id=subject_id)
    if known is not None:
        return UUID(str(known["id"]))
    return add(
        tx, actor=actor, case_id=case_id, number=number, kind=kind, title=title, source=Source.CAMERA, at=at,
        channel_id=channel_id, start_at=instant, end_at=instant, subject_id=subject_id, facts=facts, file=file,
        obtained=obtained,
    )  # fmt: skip


def take_number(tx: Transaction, case_id: UUID) -> int:
    """The next exhibit's number in a case; nobody else gets one until the transaction ends."""
    return int(tx.one(SQL["take_number"], case_id=case_id)["number"])


def add(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    number: int,
    kind: ExhibitKind,
    title: str,
    source: Source,
    at: datetime,
    obtained: str = "",
    channel_id: UUID | None = None,
    start_at: datetime | None = None,
    end_at: datetime | None = None,
    subject_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
    derived_from: UUID | None = None,
    hold_id: UUID | None = None,
    file: Kept | None = None,
) -> UUID:
    """The row and the first line of custody. Permission is the caller's to have asked."""
    if not title.strip() or len(title) > _TITLE_MOST:
        raise BadInput("title-needed", "Give the exhibit a short title.")
    exhibit_id = new_id()
    tx.run(
        SQL["add_exhibit"], id=exhibit_id, case_id=case_id, number=number, kind=str(kind), title=title.strip(),
        source=str(source), obtained=obtained.strip(), by=actor.id, at=at, channel_id=channel_id, start_at=start_at,
        end_at=end_at, subject_id=subject_id, facts=json.dumps(facts or {}, default=str), derived_from=derived_from,
        hold_id=hold_id, path=file.path if file else None, name=file.name if file else None,
        media_type=file.media_type if file else None, size_bytes=file.size_bytes if file else None,
        sha256=file.sha256 if file else None, scan=file.scan if file else None,
    )  # fmt: skip
    what: dict[str, JSON] = {
        "case": str(case_id),
        "kind": str(kind),
        "number": number,
        "channel": str(channel_id) if channel_id else None,
        "from": start_at.isoformat() if start_at else None,
        "to": end_at.isoformat() if end_at else None,
        "tag": str(facts["tag"]) if facts and "tag" in facts else None,
        "subject": str(subject_id) if subject_id else None,
        "sha256": file.sha256.hex() if file else None,
        "size_bytes": file.size_bytes if file else None,
        "derived_from": str(derived_from) if derived_from else None,
    }
    custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.BOOKED, what=what, at=at)
    return exhibit_id


def admit_exhibit(
    tx: Transaction, *, actor: Actor, action: str, exhibit_id: UUID, at: datetime
) -> tuple[Row, Admitted]:
    """An exhibit and its case, if `actor` may do `action` with it. Raises `NotFound` for who may not know of it."""
    row = tx.maybe(SQL["exhibit_by_id"], id=exhibit_id)
    if row is None:
        raise NotFound("exhibit-not-found", "There is no such exhibit, or you are not of its case.")
    admitted = admit(tx, actor=actor, action=action, case_id=row["case_id"], at=at)
    if not admitted.stand.sees(row["start_at"], row["end_at"], row["booked_at"]):
        raise NotFound("exhibit-not-found", "There is no such exhibit, or you are not of its case.")
    return row, admitted


def exhibits_of(tx: Transaction, admitted: Admitted) -> list[Row]:
    """The exhibits of a case that whoever was admitted may see."""
    rows = tx.all(SQL["exhibits_of"], case_id=admitted.case["id"])
    return [row for row in rows if admitted.stand.sees(row["start_at"], row["end_at"], row["booked_at"])]


def add_note(
    tx: Transaction,
    *,
    actor: Actor,
    case_id: UUID,
    exhibit_id: UUID | None,
    instant: datetime | None,
    text: str,
    at: datetime,
) -> UUID:
    """Write a note on a case or an exhibit; with an instant it is a bookmark."""
    admit(tx, actor=actor, action="annotate_exhibit", case_id=case_id, at=at).require_open()
    if not text.strip() or len(text) > 4000:
        raise BadInput("note-length", "A note has 1 to 4000 characters.")
    if exhibit_id is not None:
        row, _ = admit_exhibit(tx, actor=actor, action="annotate_exhibit", exhibit_id=exhibit_id, at=at)
        if row["case_id"] != case_id:
            raise Conflict("other-case", "This exhibit belongs to another case.")
    note_id = new_id()
    tx.run(
        SQL["add_note"], id=note_id, case_id=case_id, exhibit_id=exhibit_id, instant=instant, text=text.strip(),
        by=actor.id, at=at,
    )  # fmt: skip
    if exhibit_id is not None:
        custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.NOTED, what={"note": str(note_id)}, at=at)
    return note_id


def strike_note(tx: Transaction, *, actor: Actor, note_id: UUID, at: datetime) -> None:
    """Strike a note out: by whoever wrote it, or by the case's lead. It stays readable."""
    note = tx.one(SQL["note_by_id"], id=note_id)
    admitted = admit(tx, actor=actor, action="annotate_exhibit", case_id=note["case_id"], at=at)
    if note["by_id"] != actor.id:
        require(actor, "lead_case", {"standing": str(admitted.stand.standing)})
    tx.run(SQL["strike_note"], id=note_id, by=actor.id, at=at)


def notes_of(tx: Transaction, admitted: Admitted, seen: list[Row]) -> list[Row]:
    """The notes of a case, without those on exhibits that are not `seen`."""
    known = {row["id"] for row in seen}
    rows = tx.all(SQL["notes_of"], case_id=admitted.case["id"])
    return [row for row in rows if row["exhibit_id"] is None or row["exhibit_id"] in known]


def channels_named(tx: Transaction, rows: list[Row]) -> dict[UUID, Row]:
    """What the channels of exhibits are called, and where their cameras stand."""
    ids = sorted({row["channel_id"] for row in rows if row["channel_id"]})
    return {row["id"]: row for row in tx.all(SQL["channels_named"], ids=ids)}


def is_held(tx: Transaction, row: Row) -> bool:
    """Whether what an exhibit rests on is safe from disposal: a file of ours is, footage while its hold stands."""
    if row["hold_id"] is None:
        return row["path"] is not None
    return bool(tx.one(GOVERNANCE["hold_by_id"], id=row["hold_id"])["lifted_at"] is None)


def purpose_reference(purpose: Purpose | None) -> UUID | None:
    """The reference that a purpose is bound to."""
    return purpose.reference.id if purpose else None
