"""Make the bundle of an approved disclosure: that it leaves goes into each exhibit's custody before it is written.

The bundle rests on one checkpoint, and all that it tells of must be in the log
by then: the maker waits for the sequencer, and gives up where it does not come.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from svidok.access import Actor
from svidok.base import Conflict, Span, Unavailable
from svidok.db import Database, Row, Transaction
from svidok.evidence import custody
from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.writer import FootageStore, Means, statement_of, write_bundle, zip_bundle
from svidok.evidence.custody import SQL
from svidok.evidence.exhibits import channels_named
from svidok.evidence.model import Happened
from svidok.evidence.vault import Vault
from svidok.fleet.model import PX_M_CLASSES
from svidok.ledger.gathering import best_note
from svidok.ledger.note import Checkpoint
from svidok.recording.reach import HERE, Reach
from svidok.recording.reading import clocks_between
from svidok.recording.signatures.keeping import verdicts_between

Tell = Callable[[int, int | None], None]
MakeMeans = Callable[[str], Means]
"""From the checkpoint that a bundle rests on, what it is made with (its footage is taken by the maker here)."""

_HOW = {
    "camera": m.How.RECORDED, "officer": m.How.HANDED_OVER, "service": m.How.HANDED_OVER, "public": m.How.UPLOADED,
    "business": m.How.UPLOADED, "derived": m.How.DERIVED,
}  # fmt: skip
_PATIENCE_S = 90.0
_STEPS = 4


def make_bundle(
    database: Database,
    vault: Vault,
    *,
    actor: Actor,
    disclosure_id: UUID,
    ledger: Path,
    means: MakeMeans,
    at: datetime,
    reach: Reach = HERE,
    tell: Tell = lambda *_: None,
) -> Row:
    """Make the bundle of an approved disclosure; the disclosure's row. What was made before is not made again."""
    with database.transaction() as tx:
        row = tx.one(SQL["disclosure_by_id"], id=disclosure_id)
        if row["state"] == "made":
            return row
        if row["state"] != "approved":
            raise Conflict("disclosure-not-approved", "This disclosure is not approved.")
        _write_custody(tx, actor, disclosure_id, row, at)
    tell(1, _STEPS)
    note = _wait_for_log(database, disclosure_id, ledger, lambda: tell(1, _STEPS))
    tell(2, _STEPS)
    with database.transaction() as tx:
        disclosure = assemble(tx, vault, disclosure_id, at=at)
    name = f"svidok-{row['case_number']}-{row['number']}".replace("/", "-").replace(" ", "-")
    folder = vault.workshop(f"{disclosure_id}") / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    footage = FootageStore(database, ledger=ledger, reach=reach)
    made_with = replace(means(note), footage=footage.take)
    try:
        write_bundle(folder, disclosure, made_with)
        tell(3, _STEPS)
        zipped = zip_bundle(folder, folder.parent / "bundle.zip")
        stored = vault.keep(zipped, f"bundles/{disclosure_id}.zip")
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    with database.transaction() as tx:
        tx.run(
            SQL["disclosure_made"], id=disclosure_id, path=stored.path, size_bytes=stored.size_bytes,
            sha256=stored.sha256, at=at,
        )  # fmt: skip
        return tx.one(SQL["disclosure_by_id"], id=disclosure_id)


def assemble(tx: Transaction, vault: Vault, disclosure_id: UUID, *, at: datetime) -> m.Disclosure:
    """All that leaves, as the bundle's writer takes it."""
    row = tx.one(SQL["disclosure_by_id"], id=disclosure_id)
    items = tx.all(SQL["items_of"], disclosure_id=disclosure_id)
    channels = channels_named(tx, items)
    chains = [line for item in items for line in custody.rows_of(tx, item["id"])]
    return m.Disclosure(
        id=disclosure_id,
        case=m.CaseFacts(
            id=row["case_id"], number=row["case_number"], title=row["case_title"], legal_basis=row["case_basis"],
            subjects=", ".join(row["data_subjects"]), unit=row["case_unit"] or "",
        ),
        made_at=at,
        made_by=m.Party(name=row["asked_by_name"], role="", service=row["asked_by_unit"] or ""),
        given_to=m.Party(name=row["to_name"], role="", service=row["to_service"]),
        legal_basis=row["legal_basis"],
        ranges=tuple(_range(tx, item, channels.get(item["channel_id"])) for item in items if item["kind"] == "footage"),
        files=tuple(_file(tx, vault, item) for item in items if item["kind"] != "footage"),
        custody=tuple(_statement(line) for line in chains),
        note=row["note"],
    )  # fmt: skip


def _range(tx: Transaction, item: Row, channel: Row | None) -> m.RangeItem:
    span = Span(item["item_start"], item["item_end"])
    clocks = clocks_between(tx, item["channel_id"], span)
    worst = max((one.reading for one in clocks), key=lambda one: abs(one.offset_us), default=None)
    clock = None
    if worst is not None:
        clock = m.ClockFacts(offset_us=worst.offset_us, error_us=worst.error_us, source=str(worst.source))
    return m.RangeItem(
        exhibit=item["id"], number=str(item["number"]), title=item["title"], channel=item["channel_id"], span=span,
        clock=clock, device=_device(item["channel_id"], channel), verdict=_verdict(tx, item["channel_id"], span),
    )  # fmt: skip


_GROUNDS = {
    "signer-untrusted": m.DeviceFinding.UNTRUSTED_KEY,
    "expired-at-claimed-time": m.DeviceFinding.EXPIRED,
    "nal-units-missing": m.DeviceFinding.MISSING_NAL,
    "document-missing": m.DeviceFinding.NOT_SIGNED,
}
_WRONG = {m.DeviceFinding.BAD_SIGNATURE, m.DeviceFinding.NOT_SIGNED}


def _verdict(tx: Transaction, channel_id: UUID, span: Span) -> m.DeviceVerdict | None:
    """What the camera's own signatures say of a range; nothing where it does not sign, or nobody judged yet."""
    rows = verdicts_between(tx, channel_id, span)
    signed = [row for row in rows if row["signed"]]
    if not signed:
        return None
    found = {_GROUNDS[ground] for row in signed for ground in row["grounds"] if ground in _GROUNDS}
    if any(row["not_authentic"] for row in signed) and not found & _WRONG:
        found.add(m.DeviceFinding.BAD_SIGNATURE)
    if len(signed) < len(rows):
        found.add(m.DeviceFinding.NOT_SIGNED)
    counts = {name: sum(row[name] for row in signed) for name in ("authentic", "missing", "not_authentic", "pending")}
    return m.DeviceVerdict(
        scheme="onvif", findings=tuple(sorted(found or {m.DeviceFinding.AUTHENTIC})),
        checked_at=max(row["judged_at"] for row in signed),
        grounds="; ".join([*(f"{name}: {n}" for name, n in counts.items()), f"signer: {signed[-1]['signer']}"]),
    )  # fmt: skip


def _device(channel_id: UUID, channel: Row | None) -> m.Device:
    """The camera as the fleet tells of it; a camera that is not in the fleet any more is named by its id."""
    if channel is None:
        return m.Device(name=str(channel_id))
    px_m = PX_M_CLASSES.get(channel["px_m_class"] or "")
    return m.Device(
        name=f"{channel['number']} {channel['name_uk']}", maker=channel["maker"], model=channel["model"],
        place=f"{channel['lat']:.5f}, {channel['lon']:.5f}" if channel["lat"] is not None else "",
        zone_px_m=px_m[0] if px_m else None,
    )  # fmt: skip


def _file(tx: Transaction, vault: Vault, item: Row) -> m.FileItem:
    derived = None
    if item["derived_from"] is not None:
        original = tx.one(SQL["exhibit_by_id"], id=item["derived_from"])
        digest = bytes(original["sha256"]).hex() if original["sha256"] else str(item["facts"].get("source_sha256", ""))
        derived = m.Derivation(exhibit=original["id"], sha256=digest, made_by=str(item["facts"].get("how", "")))
    return m.FileItem(
        exhibit=item["id"], number=str(item["number"]), title=item["title"], name=item["name"],
        media_type=item["media_type"], sha256=bytes(item["sha256"]).hex(), source=vault.open_path(item["path"]),
        how=_HOW[item["source"]], derived_from=derived, note=item["obtained"],
    )  # fmt: skip


def _statement(line: Row) -> m.Statement:
    return statement_of({
        "id": line["entry_id"], "kind": line["entry_kind"], "subject": line["entry_subject"], "at": line["entry_at"],
        "commitment": line["commitment"], "payload": line["stated"], "salt": line["salt"],
        "leaf_index": line["leaf_index"],
    })  # fmt: skip


def _write_custody(tx: Transaction, actor: Actor, disclosure_id: UUID, row: Row, at: datetime) -> None:
    """That it leaves, in each exhibit's custody, once."""
    for item in tx.all(SQL["items_of"], disclosure_id=disclosure_id):
        told = custody.told(custody.rows_of(tx, item["id"]))
        if any(line["what"].get("disclosure") == str(disclosure_id) for line in told):
            continue
        what = {
            "disclosure": str(disclosure_id), "number": row["number"], "to": row["to_name"],
            "from": item["item_start"].isoformat() if item["item_start"] else None,
            "until": item["item_end"].isoformat() if item["item_end"] else None,
        }  # fmt: skip
        custody.add(tx, exhibit_id=item["id"], actor=actor, kind=Happened.DISCLOSED, what=what, at=at)


def _wait_for_log(database: Database, disclosure_id: UUID, ledger: Path, alive: Callable[[], None]) -> str:
    """The checkpoint that covers every event of what is disclosed. Raises `Unavailable` where it does not come."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        with database.transaction() as tx:
            items = tx.all(SQL["items_of"], disclosure_id=disclosure_id)
            places = [line["leaf_index"] for item in items for line in custody.rows_of(tx, item["id"])]
        if None not in places:
            try:
                note = best_note(ledger)
            except OSError:
                note = ""
            if note and Checkpoint.parse(note).size > max(places):
                return note
        alive()
        time.sleep(0.5)
    raise Unavailable("ledger-behind", "The ledger does not take new entries. Look at the ledger, then try again.")
