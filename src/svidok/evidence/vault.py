"""The volume of exhibits' files: what came from outside, bit for bit, and what we made of it.

Names given from outside are never names on disk. A file is written to the end
and synced before its row exists; where the row never comes, the file is in
nobody's way. Originals are read-only and nothing here removes one.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from svidok.base import BadInput, Conflict, NotFound, Unavailable
from svidok.base.disk import sync_folder

LARGEST_BYTES = 64 * 1024**3
PIECE_BYTES = 16 * 1024**2
_BLOCK = 1024 * 1024
_KEEP_FREE_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file in the vault: its path in it, its size and its hash."""

    path: str
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """A folder of exhibits' files."""

    root: Path

    def arriving(self, upload_id: UUID) -> Path:
        """Where a file that comes in piece by piece grows."""
        return self.root / "arriving" / f"{upload_id}.part"

    def received(self, upload_id: UUID) -> int:
        """How far a file has come."""
        try:
            return self.arriving(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def begin(self, size: int) -> None:
        """Raise where a file of `size` cannot be taken."""
        if not 0 < size <= LARGEST_BYTES:
            raise BadInput("file-size", f"A file has 1 to {LARGEST_BYTES} bytes.")
        self.root.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.root).free < size + _KEEP_FREE_BYTES:
            raise Unavailable("vault-full", "The volume of exhibits is full. Tell the administrator.")

    def append(self, upload_id: UUID, offset: int, piece: bytes, *, size: int) -> int:
        """Put a piece at `offset`, which must be where the file ends now; how far it has come. Synced."""
        path = self.arriving(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            there = file.tell()
            if there != offset:
                raise Conflict("upload-offset", "Go on from where the file ends.", received=there)
            if len(piece) > PIECE_BYTES or there + len(piece) > size:
                raise BadInput("upload-too-long", "This piece goes beyond the size that was announced.")
            file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return there + len(piece)

    def take(self, upload_id: UUID, exhibit_id: UUID) -> Stored:
        """Make a file that arrived whole an original: hashed, read-only, synced with its folder."""
        came = self.arriving(upload_id)
        if not came.exists():
            raise NotFound("upload-not-found", "Nothing arrived of this file.")
        return self._settle(came, f"originals/{exhibit_id.hex[:2]}/{exhibit_id}.bin")

    def keep(self, made: Path, name: str) -> Stored:
        """Keep a file that we made, under `name`."""
        return self._settle(made, f"made/{name}")

    def open_path(self, path: str) -> Path:
        """The file at `path`. Raises `Unavailable` where it is not there."""
        found = self.root / path
        if not found.is_file():
            raise Unavailable("vault-file-missing", "The file of this exhibit cannot be read. Look at the volume.")
        return found

    def workshop(self, name: str) -> Path:
        """A place for a file in the making."""
        folder = self.root / "making"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def _settle(self, source: Path, path: str) -> Stored:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hash_of(source)
        source.chmod(0o440)
        handle = os.open(source, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        source.rename(target)
        sync_folder(target.parent)
        return Stored(path=path, size_bytes=size, sha256=digest)


def hash_of(path: Path, tell: Callable[[int], None] = lambda _: None) -> tuple[bytes, int]:
    """SHA-256 and size of a file, a block at a time."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            tell(size)
    return digest.digest(), size


def blocks(path: Path, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file from `start` to `end`."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        left = end - start
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block
