"""A single picture of footage: shown, and booked in as an exhibit tied to what it was taken from."""

from datetime import datetime
from uuid import UUID

from svidok.access import Actor
from svidok.base import BadInput, Conflict, Span, new_id, to_us
from svidok.db import Row, Transaction
from svidok.evidence import custody, exhibits
from svidok.evidence.exhibits import Kept, admit_exhibit
from svidok.evidence.model import ExhibitKind, Happened, Source
from svidok.evidence.vault import Vault
from svidok.media.stills import still_at
from svidok.recording.playback import fragment_at, part_of
from svidok.recording.reach import HERE, Reach


def picture(tx: Transaction, row: Row, at: datetime, *, reach: Reach = HERE) -> bytes:
    """The picture of a footage exhibit at an instant within it, as JPEG."""
    if row["kind"] != "footage":
        raise Conflict("not-footage", "Only footage has pictures at an instant.")
    if at.tzinfo is None or not Span(row["start_at"], row["end_at"]).contains(at):
        raise BadInput("instant-outside", "The instant lies outside of the exhibit.")
    one, index, number = fragment_at(tx, row["channel_id"], to_us(at), reach=reach)
    record = index.records[number]
    media = part_of(one, 0, index.header.init_size).read() + part_of(one, record.offset, record.size).read()
    return still_at(media, max(0, to_us(at) - record.start_us) // 1000)


def book_still(
    tx: Transaction,
    vault: Vault,
    *,
    actor: Actor,
    exhibit_id: UUID,
    instant: datetime,
    title: str,
    at: datetime,
    reach: Reach = HERE,
) -> UUID:
    """Book the picture at `instant` in; the still's id. The file is kept before the row is."""
    row, admitted = admit_exhibit(tx, actor=actor, action="book_exhibit", exhibit_id=exhibit_id, at=at)
    admitted.require_open()
    jpeg = picture(tx, row, instant, reach=reach)
    made = vault.workshop(f"{new_id()}.jpg")
    made.write_bytes(jpeg)
    stored = vault.keep(made, f"{exhibit_id.hex[:2]}/{made.name}")
    file = Kept(
        path=stored.path, name=f"{instant:%Y%m%dT%H%M%S.%fZ}.jpg", media_type="image/jpeg",
        size_bytes=stored.size_bytes, sha256=stored.sha256, scan="not-scanned",
    )  # fmt: skip
    number = exhibits.take_number(tx, row["case_id"])
    still_id = exhibits.add(
        tx, actor=actor, case_id=row["case_id"], number=number, kind=ExhibitKind.STILL, title=title,
        source=Source.DERIVED, at=at, channel_id=row["channel_id"], start_at=instant, end_at=instant,
        derived_from=exhibit_id, file=file, facts={"how": "picture decoded from the footage, JPEG"},
    )  # fmt: skip
    what = {"exhibit": str(still_id), "kind": "still", "sha256": stored.sha256.hex()}
    custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.DERIVED, what={"made": dict(what)}, at=at)
    return still_id
