"""Where copies lie: what every store must do, and the one on another disk. The one in a bucket is `s3`."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from svidok.base import BadInput, Conflict, Unavailable
from svidok.base.disk import sync_folder
from svidok.recording.volumes import MARKER

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as its store lists it."""

    name: str
    size: int


class CopyStore(Protocol):
    """A place for copies. Every method raises `Unavailable` where it does not answer."""

    @property
    def target(self) -> str:
        """Its address, without secrets: what rows and people call it by."""
        ...

    def put(self, name: str, file: BinaryIO, *, size: int, sha256: bytes) -> datetime | None:
        """Keep `file` as `name`, safe on disk when this returns; until when the store refuses to delete it.

        An object of that name with these bytes is left as it is. Raises `Conflict` where it has others.
        """
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, in pieces. Raises `FileNotFoundError` where there is none."""
        ...

    def listed(self) -> Iterator[Stored]:
        """All objects, in the order of their names' bytes."""
        ...

    def remove(self, name: str) -> bool:
        """Remove an object with all its versions; whether it is gone (a lock may keep it)."""
        ...

    def check(self) -> None:
        """Raise `Conflict` where this store cannot keep what it promises."""
        ...


class FolderStore:
    """Copies in a folder of another disk. A mount point without its marker is a disk that is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def target(self) -> str:
        """`file://` and the folder."""
        return f"file://{self._root}"

    def check(self) -> None:
        """The folder must be there, and bear its mark; one that was never used gets it."""
        if not self._root.is_dir():
            raise Conflict("copies-folder-missing", f"{self._root} is not there. Mount the disk, or make the folder.")
        marker = self._root / MARKER
        if not marker.exists():
            if any(self._root.iterdir()):
                raise Conflict(
                    "copies-folder-foreign", f"{self._root} holds other things. Give copies their own folder."
                )
            marker.write_text("copies\n")

    def put(self, name: str, file: BinaryIO, *, size: int, sha256: bytes) -> datetime | None:
        """Write beside, sync, and give it its name."""
        self._there()
        path = self._root / name
        if path.exists() and path.stat().st_size == size:
            return None  # the caller reads it back and finds out whether it is the same
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                shutil.copyfileobj(file, out, _PIECE)
                out.flush()
                os.fsync(out.fileno())
            part.rename(path)
            for folder in (path.parent, path.parent.parent):
                sync_folder(folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise Unavailable("copies-unavailable", f"{self._root} takes no copies ({error.strerror}).") from error
        return None

    def read(self, name: str) -> Iterator[bytes]:
        """From the disk."""
        self._there()
        with (self._root / name).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def listed(self) -> Iterator[Stored]:
        """All of them but what is half written."""
        self._there()
        yield from (one for one in _walk(self._root, self._root) if not one.name.endswith(".part"))

    def remove(self, name: str) -> bool:
        """Off the disk."""
        self._there()
        path = self._root / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)
        return True

    def _there(self) -> None:
        if not (self._root / MARKER).exists():
            raise Unavailable("copies-unavailable", f"{self._root} does not bear its marker. Mount the disk.")


def _walk(root: Path, folder: Path) -> Iterator[Stored]:
    """Files below `folder` in the order of their names' bytes, as a bucket lists them: `a-b` comes before `a/b`."""
    entries = sorted(folder.iterdir(), key=lambda one: (one.name + "/" if one.is_dir() else one.name).encode())
    for entry in entries:
        if entry.is_dir():
            yield from _walk(root, entry)
        elif entry.name != MARKER:
            yield Stored(name=entry.relative_to(root).as_posix(), size=entry.stat().st_size)


def parse_target(text: str) -> tuple[str, str]:
    """Scheme and rest of a target. Raises `BadInput`.

    >>> parse_target("s3://evidence/region-7"), parse_target("file:///mnt/second")
    (('s3', 'evidence/region-7'), ('file', '/mnt/second'))
    """
    scheme, _, rest = text.partition("://")
    if scheme not in ("s3", "file") or not rest or (scheme == "file" and not rest.startswith("/")):
        raise BadInput("copies-target", f"{text}: a target is s3://bucket/prefix or file:///folder.")
    return scheme, rest.rstrip("/")


Clock = Callable[[], datetime]
