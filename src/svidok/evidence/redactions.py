"""Redactions: covers proposed by a search, moved by hand, looked over by two, and made into a derived exhibit.

The original is not touched: all is done on a working copy, and the result is
tied by the copy's hash to what it was made from. Whoever says that the covers
are whole (the first pass) cannot be the one who finds them so (the second).
"""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, new_id
from svidok.db import Database, Row, Transaction
from svidok.evidence import arriving, custody, exhibits, tracks
from svidok.evidence.cases import Admitted
from svidok.evidence.custody import SQL
from svidok.evidence.deriving import Tell, run_worker
from svidok.evidence.exhibits import Kept, admit_exhibit
from svidok.evidence.model import ExhibitKind, Happened, Source
from svidok.evidence.vault import Vault, blocks
from svidok.ledger import JSON
from svidok.media.pictures import measure
from svidok.recording import export
from svidok.recording.reach import HERE, Reach

LOOKS_PER_S = 4  # pictures that are looked at in a second of film; covers go straight between them
LOST_S, HOLD_S = 1.6, 0.6
_MOST_COVERS = 5000
_MOST_KEYS = 20_000
_MOST_SILENCES = 1000


def begin(
    database: Database, vault: Vault, *, actor: Actor, exhibit_id: UUID, at: datetime, reach: Reach = HERE
) -> UUID:
    """Make the working copy of an exhibit and the row of its redaction; the redaction's id."""
    with database.transaction() as tx:
        row, admitted = admit_exhibit(tx, actor=actor, action="redact_exhibit", exhibit_id=exhibit_id, at=at)
        admitted.require_open()
        if row["kind"] not in ("footage", "file"):
            raise Conflict("not-redactable", "Only footage and films can be redacted.")
        planned = None
        if row["kind"] == "footage":
            planned = export.plan(
                tx, row["channel_id"], Span(row["start_at"], row["end_at"]), reach=reach, with_signature=False
            )
        else:
            arriving.require_clean(row)
            if row["playable_type"] != "video/mp4":
                raise Conflict("not-redactable", "Only footage and films can be redacted.")
    redaction_id = new_id()
    copy = vault.workshop(f"{redaction_id}.mp4")
    with copy.open("wb") as file:
        for piece in planned.chunks() if planned else _blocks_of(vault, row["playable_path"]):
            file.write(piece)
    film = measure(copy)
    stored = vault.keep(copy, f"redactions/{redaction_id}.mp4")
    with database.transaction() as tx:
        tx.run(
            SQL["add_redaction"], id=redaction_id, exhibit_id=exhibit_id, by=actor.id, at=at, path=stored.path,
            source_sha256=stored.sha256, width=film.width, height=film.height, pictures=film.pictures,
            rate_mhz=film.rate_millihertz, has_sound=film.has_sound,
        )  # fmt: skip
        what: dict[str, JSON] = {"redaction": str(redaction_id), "copy": stored.sha256.hex()}
        custody.add(tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.PROPOSED, what=what, at=at)
    return redaction_id


def _blocks_of(vault: Vault, path: str) -> Iterator[bytes]:
    """A stranger's file is redacted from the copy made of it: the original is never decoded in this process."""
    file = vault.open_path(path)
    return blocks(file, 0, file.stat().st_size)


def propose(
    database: Database, vault: Vault, *, actor: Actor, redaction_id: UUID, at: datetime, tell: Tell = lambda *_: None
) -> int:
    """Look for what has to be covered, from where the search was broken off; how many covers there are then."""
    with database.transaction() as tx:
        row = _row(tx, redaction_id)
    if row["state"] != "proposing":
        raise Conflict("proposals-there", "The proposals of this redaction are there already.")
    rate = row["rate_mhz"] / 1000
    every = max(1, round(rate / LOOKS_PER_S))

    def take(said: dict[str, Any]) -> None:
        if "picture" in said:
            with database.transaction() as tx:
                found = json.dumps(said["found"])
                tx.run(SQL["add_sighting"], redaction_id=redaction_id, picture=said["picture"], found=found)
                tx.run(SQL["set_looked_at"], id=redaction_id, looked_at=said["picture"] + 1)

    run_worker(
        "svidok.evidence.finding",
        [str(vault.open_path(row["path"])), str(every), str(row["looked_at"])],
        tell=lambda done, _: tell(done, row["pictures"]),
        take=take,
    )
    with database.transaction() as tx:
        seen = [_sighting(one["picture"], each) for one in tx.all(SQL["sightings"], redaction_id=redaction_id)
                for each in one["found"]]  # fmt: skip
        covers = tracks.propose(
            seen, width=row["width"], height=row["height"], pictures=row["pictures"],
            lost=math.ceil(rate * LOST_S), hold=math.ceil(rate * HOLD_S),
        )  # fmt: skip
        if tx.run(SQL["begin_editing"], id=redaction_id):
            _add_covers(tx, actor, redaction_id, covers, at)
    return len(covers)


def _sighting(picture: int, told: list[Any]) -> tracks.Sighting:
    kind, left, top, width, height = told[:5]
    return tracks.Sighting(picture, str(kind), (float(left), float(top), float(width), float(height)))


def _add_covers(
    tx: Transaction, actor: Actor, redaction_id: UUID, covers: Sequence[tracks.Cover], at: datetime
) -> list[UUID]:
    ids = [new_id() for _ in covers]
    tx.run_many(
        SQL["add_cover"],
        [
            {
                "id": cover_id, "redaction_id": redaction_id, "kind": one.kind, "first": one.first, "last": one.last,
                "keys": json.dumps(one.keys), "by": actor.id, "at": at,
            }
            for cover_id, one in zip(ids, covers, strict=True)
        ],
    )  # fmt: skip
    return ids


def admit_redaction(
    tx: Transaction, *, actor: Actor, action: str, redaction_id: UUID, at: datetime
) -> tuple[Row, Admitted]:
    """A redaction and its case, for who may do `action` with its exhibit."""
    row = _row(tx, redaction_id)
    _, admitted = admit_exhibit(tx, actor=actor, action=action, exhibit_id=row["exhibit_id"], at=at)
    return row, admitted


def covers_of(tx: Transaction, redaction_id: UUID) -> list[Row]:
    """The covers of a redaction."""
    return tx.all(SQL["covers_of"], redaction_id=redaction_id)


def redactions_of(tx: Transaction, seen: list[Row]) -> list[Row]:
    """The redactions of the exhibits that are `seen`."""
    return tx.all(SQL["redactions_of"], ids=[row["id"] for row in seen])


def add_cover(tx: Transaction, *, actor: Actor, redaction_id: UUID, cover: tracks.Cover, at: datetime) -> UUID:
    """Draw a cover; its id."""
    row = _editable(tx, actor, redaction_id, at)
    _check(cover, row)
    if len(covers_of(tx, redaction_id)) >= _MOST_COVERS:
        raise BadInput("covers-too-many", "There are too many covers. Redact a shorter stretch.")
    return _add_covers(tx, actor, redaction_id, [cover], at)[0]


def change_cover(
    tx: Transaction, *, actor: Actor, redaction_id: UUID, cover_id: UUID, cover: tracks.Cover, off: bool, at: datetime
) -> None:
    """Move a cover, lengthen it, take it off or put it back."""
    row = _editable(tx, actor, redaction_id, at)
    _check(cover, row)
    if not tx.run(
        SQL["change_cover"], id=cover_id, redaction_id=redaction_id, first=cover.first, last=cover.last,
        keys=json.dumps(cover.keys), off=off, by=actor.id, at=at,
    ):  # fmt: skip
        raise NotFound("cover-not-found", "There is no such cover.")


def set_how(
    tx: Transaction,
    *,
    actor: Actor,
    redaction_id: UUID,
    style: str,
    mute: bool,
    silences: Sequence[tuple[int, int]],
    at: datetime,
) -> None:
    """How it is covered, and whether the sound goes: all of it, or from one millisecond of the film to another."""
    row = _editable(tx, actor, redaction_id, at)
    if style not in ("solid", "mosaic"):
        raise BadInput("style-unknown", "A cover is solid or a mosaic.")
    quiet = tracks.joined(silences)
    lasts_ms = math.ceil(row["pictures"] * 1_000_000 / row["rate_mhz"])
    if len(quiet) > _MOST_SILENCES or any(not 0 <= start < end <= lasts_ms for start, end in quiet):
        raise BadInput("silence-outside", "A stretch without sound begins before it ends, within the film.")
    tx.run(SQL["set_redaction"], id=redaction_id, style=style, mute=mute, silences=json.dumps(quiet))


def ask_review(tx: Transaction, *, actor: Actor, redaction_id: UUID, at: datetime) -> None:
    """The first pass: `actor` says that the covers are whole."""
    _editable(tx, actor, redaction_id, at)
    tx.run(SQL["ask_review"], id=redaction_id, by=actor.id, at=at)


def require_reviewer(tx: Transaction, *, actor: Actor, redaction_id: UUID, at: datetime) -> Row:
    """The redaction, if `actor` may do its second pass."""
    row, _ = admit_redaction(tx, actor=actor, action="review_redaction", redaction_id=redaction_id, at=at)
    if row["state"] != "asked":
        raise Conflict("no-review-asked", "Nobody has said yet that the covers are whole.")
    if row["asked_by"] == actor.id:
        raise Forbidden("four-eyes", "Whoever did the first pass cannot do the second. Ask a colleague.")
    return row


def give_back(tx: Transaction, *, actor: Actor, redaction_id: UUID, says: str, at: datetime) -> None:
    """The second pass found something that is not covered."""
    require_reviewer(tx, actor=actor, redaction_id=redaction_id, at=at)
    if len(says.strip()) < 5:
        raise BadInput("reason-needed", "Say what is not covered, and where.")
    tx.run(SQL["return_redaction"], id=redaction_id, says=says.strip())


def accept(
    database: Database, vault: Vault, *, actor: Actor, redaction_id: UUID, at: datetime, tell: Tell = lambda *_: None
) -> UUID:
    """The second pass found all covered: the film is made anew and booked in; the new exhibit's id."""
    with database.transaction() as tx:
        row = require_reviewer(tx, actor=actor, redaction_id=redaction_id, at=at)
        standing = [one for one in covers_of(tx, redaction_id) if not one["off"]]
    plan = {
        "covers": [[one["first"], one["last"], one["keys"]] for one in standing],
        "mute": row["mute"] or not row["has_sound"] or row["silences"], "style": row["style"],
        "pictures": row["pictures"],
    }  # fmt: skip
    made = vault.workshop(f"{redaction_id}.redacted.mp4")
    made.unlink(missing_ok=True)
    try:
        source = vault.open_path(row["path"])
        said = run_worker("svidok.media.redact", [str(source), str(made)], given=json.dumps(plan).encode(), tell=tell)
        if said["pictures"] != row["pictures"]:
            raise Conflict("redaction-not-whole", "The redacted film has not as many pictures as its source.")
        stored = vault.keep(made, f"{redaction_id.hex[:2]}/{redaction_id}.redacted.mp4")
    finally:
        made.unlink(missing_ok=True)
    file = Kept(
        path=stored.path, name=f"redacted-{row['exhibit_number']}.mp4", media_type="video/mp4",
        size_bytes=stored.size_bytes, sha256=stored.sha256, scan="not-scanned",
    )  # fmt: skip
    facts = {
        "redaction": str(redaction_id), "source_sha256": bytes(row["source_sha256"]).hex(), "covers": len(standing),
        "muted": plan["mute"], "how": f"{len(standing)} parts covered ({row['style']}); made anew from pictures",
        "first_pass": row["asked_by_name"], "second_pass": actor.name,
    }  # fmt: skip
    with database.transaction() as tx:
        return _book(tx, actor, row, file, facts, at)


def _book(tx: Transaction, actor: Actor, row: Row, file: Kept, facts: dict[str, Any], at: datetime) -> UUID:
    require_reviewer(tx, actor=actor, redaction_id=row["id"], at=at)
    number = exhibits.take_number(tx, row["case_id"])
    result_id = exhibits.add(
        tx, actor=actor, case_id=row["case_id"], number=number, kind=ExhibitKind.REDACTED,
        title=f"{row['exhibit_title'][:280]} (redacted)", source=Source.DERIVED, at=at, start_at=row["start_at"],
        end_at=row["end_at"], derived_from=row["exhibit_id"], file=file, facts=facts,
    )  # fmt: skip
    if not tx.run(SQL["accept_redaction"], id=row["id"], by=actor.id, at=at, result_id=result_id, says=""):
        raise Conflict("no-review-asked", "This redaction was decided meanwhile.")
    made: dict[str, JSON] = {"exhibit": str(result_id), "kind": "redacted", "sha256": file.sha256.hex()}
    custody.add(tx, exhibit_id=row["exhibit_id"], actor=actor, kind=Happened.DERIVED, what={"made": made}, at=at)
    return result_id


def _row(tx: Transaction, redaction_id: UUID) -> Row:
    row = tx.maybe(SQL["redaction_by_id"], id=redaction_id)
    if row is None:
        raise NotFound("redaction-not-found", "There is no such redaction, or you are not of its case.")
    return row


def _editable(tx: Transaction, actor: Actor, redaction_id: UUID, at: datetime) -> Row:
    row, admitted = admit_redaction(tx, actor=actor, action="redact_exhibit", redaction_id=redaction_id, at=at)
    admitted.require_open()
    if row["state"] != "editing":
        raise Conflict("not-editable", "Covers can be changed only before the second pass, or after it gave them back.")
    return row


def _check(cover: tracks.Cover, row: Row) -> None:
    """Raise `BadInput` where a cover lies outside of the film, or has no key."""
    pictures = [key[0] for key in cover.keys]
    if not cover.keys or len(cover.keys) > _MOST_KEYS or len(set(pictures)) < len(pictures):
        raise BadInput("cover-keys", "A cover needs keys, one a picture.")
    if not 0 <= cover.first <= cover.last < row["pictures"] or not all(0 <= one < row["pictures"] for one in pictures):
        raise BadInput("cover-outside", "The cover lies outside of the film.")
    for _, x, y, width, height in cover.keys:
        finite = all(math.isfinite(one) for one in (x, y, width, height))
        touches = x + width >= 0 and y + height >= 0 and x <= row["width"] and y <= row["height"]
        if not finite or width < 2 or height < 2 or not touches:
            raise BadInput("cover-outside", "The cover lies outside of the picture.")
