"""Acknowledge what a dock sends: a row and a ledger entry in one transaction, and only then the answer.

The same bytes under the same name are one clip, however often they come. Other
bytes under a name that is taken are another clip, and an alarm: somebody
rewrote a recording. Bytes that came before under another name are kept too,
and go to quarantine as a replay.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from svidok.base import Span, new_id
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.model import set_right
from svidok.bodyworn.vault import Place, Staged, Vault
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.recording.facts import AlarmRaised
from svidok.recording.store import enter_facts

SQL = Queries.of("svidok.bodyworn")
CLIP_KEPT = "worn.clip-kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a dock says of a file. Instants are by the camera's clock."""

    container: str
    name: str
    kind: str
    meta: dict[str, str] = field(default_factory=dict)
    serial: str = ""
    device_span: Span | None = None
    reason: str = ""  # why it goes to quarantine at once: a dock calls it rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an acknowledgement names: the clip, its hash, its ledger entry; `known` where it had come before."""

    clip_id: UUID
    sha256: bytes
    entry_id: UUID
    known: bool


def acknowledge(database: Database, vault: Vault, *, dock: Dock, sent: Sent, staged: Staged, at: datetime) -> Receipt:
    """Keep a staged upload for good. Raises what `vault` raises, and `Unavailable` without the database.

    The staged file has its first name still: whoever staged it takes that away when they need it no more.
    """
    with database.transaction() as tx:
        known = _known(tx, dock, sent, staged)
    if known is not None and vault.file(known["volume_id"], known["path"]) is not None:
        return _receipt(known, known=True)
    clip_id = new_id()
    place = vault.place(staged, _path_of(clip_id, sent, at))
    return _enter(database, clip_id, place, dock=dock, sent=sent, staged=staged, at=at)


def _enter(
    database: Database, clip_id: UUID, place: Place, *, dock: Dock, sent: Sent, staged: Staged, at: datetime
) -> Receipt:
    """The row and the ledger entry of a clip that was placed."""
    with database.transaction() as tx:
        tx.run(SQL["lock_name"], name=f"{dock.id}/{sent.container}/{sent.name}")
        known = _known(tx, dock, sent, staged)
        if known is not None:
            return _receipt(known, known=True)
        device = tx.maybe(SQL["device_by_serial"], serial=sent.serial) if sent.serial else None
        payload = _payload(clip_id, dock, sent, staged)
        entry_id = enter(tx, kind=CLIP_KEPT, subject=clip_id, payload=payload, at=at)
        span = _our_span(sent.device_span, device)
        reason = sent.reason or _replayed(tx, sent, staged)
        _warn_of_rewriting(tx, dock, sent, at)
        tx.run(
            SQL["add_clip"], id=clip_id, dock_id=dock.id, container=sent.container, name=sent.name, kind=sent.kind,
            meta=json.dumps(sent.meta), camera_id=device["camera_id"] if device else None, sha256=staged.sha256,
            md5=staged.md5, size_bytes=staged.size, volume_id=place.volume_id, path=place.path,
            state="quarantined" if reason else "kept", reason=reason,
            device_start=sent.device_span.start if sent.device_span else None,
            device_end=sent.device_span.end if sent.device_span else None,
            start_at=span.start if span else None, end_at=span.end if span else None, at=at, entry_id=entry_id,
        )  # fmt: skip
        return Receipt(clip_id=clip_id, sha256=staged.sha256, entry_id=entry_id, known=False)


def _known(tx: Transaction, dock: Dock, sent: Sent, staged: Staged) -> Row | None:
    return tx.maybe(
        SQL["clip_by_content"], dock_id=dock.id, container=sent.container, name=sent.name, sha256=staged.sha256
    )


def _receipt(row: Row, *, known: bool) -> Receipt:
    return Receipt(clip_id=row["id"], sha256=bytes(row["sha256"]), entry_id=row["entry_id"], known=known)


def _path_of(clip_id: UUID, sent: Sent, at: datetime) -> str:
    """`<serial or unknown>/<day>/<clip><suffix>`: nothing of it is what a dock could choose to climb out of the volume.

    >>> _path_of(UUID(int=7), Sent(container="c", name="../../x.MP4", kind="video"), datetime(2026, 1, 2, tzinfo=UTC))
    'unknown/2026-01-02/00000000-0000-0000-0000-000000000007.mp4'
    """
    serial = "".join(letter for letter in sent.serial if letter.isascii() and letter.isalnum())[:40] or "unknown"
    ending = sent.name.rpartition(".")[2].lower()
    suffix = f".{ending}" if ending in {"mp4", "mkv", "key", "json"} else ".bin"
    return f"{serial}/{at.astimezone(UTC):%Y-%m-%d}/{clip_id}{suffix}"


def _payload(clip_id: UUID, dock: Dock, sent: Sent, staged: Staged) -> dict[str, JSON]:
    return {
        "clip": str(clip_id),
        "container": sent.container,
        "dock": str(dock.id),
        "name": sent.name,
        "serial": sent.serial,
        "sha256": staged.sha256.hex(),
        "size_bytes": staged.size,
    }


def _our_span(device_span: Span | None, device: Row | None) -> Span | None:
    """A span by the camera's clock, by ours: as far off as the dock measured when it last saw the camera."""
    if device_span is None or device is None:
        return device_span
    offset_ms = device["clock_offset_ms"]
    return Span(set_right(device_span.start, offset_ms), set_right(device_span.end, offset_ms))


def _replayed(tx: Transaction, sent: Sent, staged: Staged) -> str:
    if sent.kind == "video" and staged.size and tx.maybe(SQL["clip_by_hash"], sha256=staged.sha256):
        return "replay"
    return ""


def _warn_of_rewriting(tx: Transaction, dock: Dock, sent: Sent, at: datetime) -> None:
    if sent.kind in ("video", "key", "track") and tx.maybe(
        SQL["clip_by_name"], dock_id=dock.id, container=sent.container, name=sent.name
    ):
        details: dict[str, str | int] = {"dock": dock.name, "container": sent.container, "name": sent.name}
        alarm = AlarmRaised(
            code="worn-clip-rewritten", subject=f"{dock.name}/{sent.container}/{sent.name}"[:200], at=at,
            details=details,
        )  # fmt: skip
        enter_facts(tx, [alarm])
