"""A watched folder: cameras that are plugged in as a USB disk, or a maker's tool that writes files.

A folder with a `manifest.json` of our schema and the files that it names. Each
file is copied into the vault and hashed against the manifest; the disk itself
is never changed. What is named and not there stays announced, and is missing.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from svidok.base import BadInput, Span, SvidokError
from svidok.bodyworn.announcing import Manifest, announce, parse_manifest
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.receiving import SQL, Sent, acknowledge
from svidok.bodyworn.vault import Vault
from svidok.db import Database

log = structlog.get_logger("bodyworn")
MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_MOST = 8 << 20


@dataclass(slots=True, kw_only=True)
class Taken:
    """What came of one folder."""

    kept: int = 0
    known: int = 0
    missing: int = 0
    differing: int = 0


def take_folder(database: Database, vault: Vault, folder: Path, *, dock: Dock, at: datetime) -> Taken:
    """Take in what the manifest of `folder` names. Raises `BadInput` for a manifest that does not fit."""
    path = folder / MANIFEST
    if path.stat().st_size > _MOST:
        raise BadInput("manifest-too-large", "The manifest is larger than 8 MiB.")
    manifest = parse_manifest(path.read_bytes())
    with database.transaction() as tx:
        device = announce(tx, dock=dock, manifest=manifest, at=at)
        here = {row["name"] for row in tx.all(SQL["clips_in"], dock_id=dock.id, container=device["serial"])}
    taken = Taken()
    for clip in manifest.clips:
        if clip.name in here:
            taken.known += 1
            continue
        file = _inside(folder, clip.name)
        if file is None:
            taken.missing += 1
            continue
        wanted = bytes.fromhex(clip.sha256) if clip.sha256 else None
        span = Span(clip.start, clip.end)
        _take(database, vault, file, _sent(manifest, clip.name, span), wanted, taken, dock=dock, at=at)
    return taken


def folders(root: Path) -> list[Path]:
    """The folders below `root` (or it itself) that hold a manifest."""
    return sorted(one for one in [root, *root.glob("*"), *root.glob("*/*")] if (one / MANIFEST).is_file())


def _sent(manifest: Manifest, name: str, span: Span) -> Sent:
    kind = {"mp4": "video", "mkv": "video", "key": "key"}.get(name.rpartition(".")[2].lower(), "other")
    return Sent(container=manifest.serial, name=name, kind=kind, serial=manifest.serial, device_span=span)


def _take(
    database: Database, vault: Vault, file: Path, sent: Sent, wanted: bytes | None, taken: Taken, *, dock: Dock,
    at: datetime,
) -> None:  # fmt: skip
    incoming = vault.begin(expected=file.stat().st_size)
    try:
        with file.open("rb", buffering=0) as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while block := source.read(_BLOCK):
                incoming.write(block)
        staged = incoming.finish()
    except (OSError, SvidokError):
        incoming.abandon()
        raise
    if wanted is not None and wanted != staged.sha256:
        taken.differing += 1
        log.warning("a file differs from its manifest", name=sent.name, serial=sent.serial)
        sent = Sent(
            container=sent.container, name=sent.name, kind=sent.kind, serial=sent.serial,
            device_span=sent.device_span, reason="manifest-hash-differs",
        )  # fmt: skip
    try:
        acknowledge(database, vault, dock=dock, sent=sent, staged=staged, at=at)
    finally:
        staged.path.unlink(missing_ok=True)
    taken.kept += 1


def _inside(folder: Path, name: str) -> Path | None:
    """A file of the folder itself: no link and no way out of it."""
    path = folder / name
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return None
    return path
