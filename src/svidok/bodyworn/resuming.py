"""Uploads in parts (tus 1.0.0): what was acknowledged is synced, and an upload goes on from there.

The row says how many bytes are synced. Whatever the file has beyond them, by a
cut in the middle of a write, is cut off before anything is added.
"""

import base64
import binascii
import contextlib
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from svidok.base import BadInput, Conflict, NotFound, Span, SvidokError, Unavailable, new_id
from svidok.base.disk import sync_folder
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.receiving import Receipt, Sent, acknowledge
from svidok.bodyworn.vault import INCOMING, UPLOAD, Full, Staged, Vault, hash_file, trouble, write_all
from svidok.db import Database, Queries, Row
from svidok.recording.volumes import look

SQL = Queries.of("svidok.bodyworn")
ALGORITHMS = ("sha256", "sha1", "md5")


class ChecksumWrong(SvidokError):
    """A part arrived with other bytes than its checksum says. None of it counts."""

    status = 460

    def __init__(self) -> None:
        super().__init__("checksum-wrong", "The part does not fit its checksum. Send it again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What the sender says a part hashes to."""

    algorithm: str
    digest: bytes

    @classmethod
    def parse(cls, header: str) -> "Checksum | None":
        """Out of `Upload-Checksum`; nothing where there is none. Raises `BadInput`."""
        if not header:
            return None
        algorithm, _, text = header.partition(" ")
        try:
            digest = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadInput("checksum-form", "Give Upload-Checksum as an algorithm and base64.") from error
        if algorithm not in ALGORITHMS:
            raise BadInput("checksum-algorithm", f"The algorithm is one of {', '.join(ALGORITHMS)}.")
        return cls(algorithm=algorithm, digest=digest)


def parse_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata` as names and values. Raises `BadInput`.

    >>> parse_metadata("name Y2xpcC5tcDQ=,serial U04x")
    {'name': 'clip.mp4', 'serial': 'SN1'}
    """
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name.lower()] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise BadInput("metadata-form", "Give Upload-Metadata as names and base64 of UTF-8.") from error
    return found


def sent_of(meta: dict[str, str]) -> Sent:
    """What an upload says it is. Raises `BadInput` where its name or its serial number is missing."""
    if not meta.get("name") or not meta.get("serial"):
        raise BadInput("upload-unnamed", "Upload-Metadata needs name and serial.")
    span = None
    if meta.get("start") and meta.get("end"):
        try:
            span = Span(datetime.fromisoformat(meta["start"]), datetime.fromisoformat(meta["end"]))
        except ValueError as error:
            raise BadInput("upload-span", "Give start and end as instants with a zone, in order.") from error
    ending = meta["name"].rpartition(".")[2].lower()
    kind = {"mp4": "video", "mkv": "video", "key": "key"}.get(ending, "other")
    return Sent(
        container=meta.get("container", meta["serial"]), name=meta["name"], kind=kind, meta=meta,
        serial=meta["serial"], device_span=span,
    )  # fmt: skip


@dataclass(slots=True)
class Part:
    """The file of an upload while one request writes to it."""

    path: Path
    handle: int
    acknowledged: int
    offset: int
    running: "hashlib._Hash"
    check: "hashlib._Hash | None"

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Add bytes. Raises `Full`."""
        self.running.update(chunk)
        if self.check is not None:
            self.check.update(chunk)
        write_all(self.handle, chunk)
        self.offset += len(chunk)


@dataclass(slots=True, kw_only=True)
class Uploads:
    """The uploads in parts of one machine."""

    database: Database
    vault: Vault
    _busy: set[UUID] = field(default_factory=set)
    _hashes: dict[UUID, tuple[int, Any]] = field(default_factory=dict)

    def begin(self, dock: Dock, *, length: int, meta: dict[str, str], at: datetime) -> UUID:
        """Begin an upload of `length` bytes; its id. Raises `Full`, `BadInput`."""
        sent_of(meta)
        first = self.vault.disks[0]
        if look(first).room < length:
            raise Full
        upload_id = new_id()
        path = self._path(upload_id)
        path.touch(mode=0o640)
        sync_folder(path.parent)  # or its name may be gone after a power cut, with every byte that was acknowledged
        with self.database.transaction() as tx:
            tx.run(
                SQL["add_upload"], id=upload_id, dock_id=dock.id, meta=json.dumps(meta), length=length,
                volume_id=first.volume.id, at=at,
            )  # fmt: skip
        return upload_id

    def state(self, dock: Dock, upload_id: UUID) -> Row:
        """How far an upload is. Raises `NotFound`."""
        with self.database.transaction() as tx:
            row = tx.maybe(SQL["upload"], id=upload_id, dock_id=dock.id)
        if row is None:
            raise NotFound("upload-unknown", "There is no such upload of this dock. Begin it anew.")
        return row

    def open(self, dock: Dock, upload_id: UUID, *, offset: int, checksum: Checksum | None) -> Part:
        """Go on with an upload at `offset`. Raises `Conflict` where it is not so far, or busy."""
        row = self.state(dock, upload_id)
        if row["clip_id"] is not None or row["acknowledged"] != offset:
            raise Conflict(
                "upload-offset", "Ask how far the upload is, and go on from there.", offset=row["acknowledged"]
            )
        if upload_id in self._busy:
            raise Conflict("upload-busy", "Another request writes to this upload.")
        path = self._path(upload_id)
        try:
            handle = os.open(path, os.O_RDWR)
            os.ftruncate(handle, offset)
            os.lseek(handle, offset, os.SEEK_SET)
        except OSError as error:
            raise trouble(error) from error
        self._busy.add(upload_id)
        known, running = self._hashes.pop(upload_id, (-1, None))
        if known != offset:
            running = _hash_of(path)
        check = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum is not None else None
        return Part(path, handle, offset, offset, running, check)

    def close(self, upload_id: UUID, part: Part, *, checksum: Checksum | None, whole: bool, at: datetime) -> int:
        """Sync what came and acknowledge it; how many bytes that are in all. `whole`: the request came to its end.

        Raises `ChecksumWrong` where a checksum was given and does not fit, or the request was cut: then none counts.
        """
        try:
            spoilt = checksum is not None and (
                not whole or part.check is None or part.check.digest() != checksum.digest
            )
            if spoilt:
                os.ftruncate(part.handle, part.acknowledged)
                raise ChecksumWrong
            os.fdatasync(part.handle)
            with self.database.transaction() as tx:
                tx.run(SQL["upload_grew"], id=upload_id, acknowledged=part.offset, at=at)
            self._hashes[upload_id] = (part.offset, part.running)
            return part.offset
        except OSError as error:
            raise trouble(error) from error
        finally:
            os.close(part.handle)
            self._busy.discard(upload_id)

    def finish(self, dock: Dock, upload_id: UUID, *, at: datetime) -> Receipt:
        """All of it is there: keep it as a clip. May be asked again after a crash."""
        row = self.state(dock, upload_id)
        if row["acknowledged"] != row["length"]:
            raise Conflict("upload-not-whole", "The upload is not whole yet.", offset=row["acknowledged"])
        if upload_id in self._busy:
            raise Conflict("upload-busy", "Another request finishes this upload.")
        self._busy.add(upload_id)
        try:
            return self._finish(dock, row, at)
        finally:
            self._busy.discard(upload_id)

    def _finish(self, dock: Dock, row: Row, at: datetime) -> Receipt:
        upload_id: UUID = row["id"]
        path = self._path(upload_id)
        if not path.exists():
            raise Unavailable("upload-gone", "The parts of this upload are gone. Begin it anew.")
        known, running = self._hashes.pop(upload_id, (-1, None))
        digest = running.digest() if known == row["length"] else hash_file(path)
        staged = Staged(path=path, size=row["length"], sha256=digest, md5=None)
        receipt = acknowledge(self.database, self.vault, dock=dock, sent=sent_of(row["meta"]), staged=staged, at=at)
        with self.database.transaction() as tx:
            tx.run(SQL["upload_done"], id=upload_id, clip_id=receipt.clip_id, at=at)
        path.unlink(missing_ok=True)
        return receipt

    def _path(self, upload_id: UUID) -> Path:
        return self.vault.disks[0].root / INCOMING / f"{upload_id.hex}{UPLOAD}"


def _hash_of(path: Path) -> "hashlib._Hash":
    digest = hashlib.sha256()
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest
