"""The disks that keep what worn cameras recorded, bit for bit. Knows files and hashes, no database and no cameras.

An upload is written under `incoming/` and hashed as it is written. `place`
gives it its lasting name beside the one it has and syncs the folder: only what
was placed may be acknowledged, and the first name goes after that, so that who
dies in between goes on from where it was. Nothing here takes a placed file away but `destroy`, which
the retention engine calls after its row was committed.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from svidok.base import SvidokError, Unavailable, new_id
from svidok.base.disk import sync_folder
from svidok.recording.volumes import ASIDE, Disk, bears, enrol, look

INCOMING = "incoming"
UPLOAD = ".tus"
_BLOCK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Full(SvidokError):
    """No volume has room. The sender keeps what it has and tries again later."""

    status = 507

    def __init__(self) -> None:
        super().__init__("worn-volume-full", "There is no room for footage of worn cameras. Add a volume, then resend.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An upload that is whole and synced, and has no lasting name yet."""

    path: Path
    size: int
    sha256: bytes
    md5: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file is kept."""

    volume_id: UUID
    path: str


class Incoming:
    """An upload as it comes in."""

    def __init__(self, path: Path, *, with_md5: bool) -> None:
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None
        self.size = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Add `chunk`. Raises `Full` where the disk has no room."""
        self._sha256.update(chunk)  # before it is written: the kernel then copies what the processor still holds
        if self._md5 is not None:
            self._md5.update(chunk)
        write_all(self._handle, chunk)
        self.size += len(chunk)

    def finish(self) -> Staged:
        """Sync it."""
        os.fdatasync(self._handle)
        os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(self._handle)
        return Staged(
            path=self._path, size=self.size, sha256=self._sha256.digest(),
            md5=self._md5.digest() if self._md5 is not None else None,
        )  # fmt: skip

    def abandon(self) -> None:
        """The sender left before the end: nothing of it was acknowledged."""
        os.close(self._handle)
        self._path.unlink(missing_ok=True)


class Vault:
    """The volumes of this machine, the first of which takes uploads, the others second copies."""

    def __init__(self, folders: Sequence[Path], *, node: str, known: dict[str, UUID] | None = None) -> None:
        known = known or {}
        self.disks: list[Disk] = []
        for folder in folders:
            volume = enrol(folder, node=node, quota_bytes=None, known_id=known.get(str(folder)))
            disk = look(Disk(volume=volume, state=volume.state))
            self.disks.append(disk)
            if bears(folder, volume.id):
                (folder / INCOMING).mkdir(exist_ok=True)

    @property
    def shares_a_disk(self) -> bool:
        """Whether two volumes lie on one device, so that one broken disk takes both copies."""
        devices = [disk.root.stat().st_dev for disk in self.disks if disk.root.exists()]
        return len(set(devices)) < len(devices)

    def begin(self, *, expected: int = 0, with_md5: bool = False) -> Incoming:
        """Begin an upload of about `expected` bytes. Raises `Full`, or `Unavailable` where the volume is gone."""
        first = self._first()
        if look(first).room < max(expected, 1):
            raise Full
        try:
            return Incoming(first.root / INCOMING / f"{new_id().hex}.part", with_md5=with_md5)
        except OSError as error:
            raise trouble(error) from error

    def place(self, staged: Staged, name: str) -> Place:
        """Give a staged upload its lasting name too, durably. The first one goes once the upload is acknowledged."""
        first = self._first()
        target = first.root / name
        try:
            make_folders(first.root, target.parent)
            os.link(staged.path, target)
            sync_folder(target.parent)
        except OSError as error:
            raise trouble(error) from error
        return Place(volume_id=first.volume.id, path=name)

    def file(self, volume_id: UUID, path: str) -> Path | None:
        """The file of a place, where its volume is there."""
        root = next((disk.root for disk in self.disks if disk.volume.id == volume_id), None)
        return root / path if root is not None and bears(root, volume_id) else None

    def copy(self, volume_id: UUID, path: str) -> tuple[UUID, bytes, bytes]:
        """Copy a file to the next volume that has room: its id, and the hashes read back from first and second.

        Raises `Full` where no other volume has room, `Unavailable` where one cannot be read.
        """
        source = self.file(volume_id, path)
        second = next((one for one in self.disks if one.volume.id != volume_id and look(one).room > 0), None)
        if source is None:
            raise Unavailable("worn-volume-absent", "The volume of this clip is not mounted.")
        if second is None:
            raise Full
        target = second.root / path
        try:
            make_folders(second.root, target.parent)
            part = second.root / INCOMING / f"{new_id().hex}.part"
            first_hash = _copy(source, part)
            second_hash = hash_file(part)
            part.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            raise trouble(error) from error
        return second.volume.id, first_hash, second_hash

    def put_aside_strays(self, known: set[str]) -> int:
        """Move files of the first volume that no row knows to `aside/`; how many. They were never acknowledged."""
        root, moved = self._first().root, 0
        for file in list(self.files(self._first())):
            if str(file.relative_to(root)) not in known:
                (root / ASIDE).mkdir(exist_ok=True)
                file.rename(root / ASIDE / f"{new_id().hex}-{file.name}")
                moved += 1
        return moved

    def incoming_uploads(self) -> list[UUID]:
        """The uploads in parts that lie under `incoming/`."""
        return [upload for file in self._incoming() if (upload := upload_of(file)) is not None]

    def clear_incoming(self, *, unfinished: set[UUID], finished: set[UUID]) -> int:
        """Put `incoming/` in order at a start; how many files were put aside.

        Uploads in parts that are not finished stay. What is a clip has its lasting name. Half a copy, half of an
        upload in one piece and a clip in the clear were never acknowledged. Whatever else lies there is put aside.
        """
        moved = 0
        for file in self._incoming():
            upload = upload_of(file)
            if file.suffix in (".part", ".clear") or upload in finished:
                file.unlink()
            elif upload not in unfinished:
                aside = file.parents[1] / ASIDE
                aside.mkdir(exist_ok=True)
                file.rename(aside / f"{new_id().hex}-{file.name}")
                moved += 1
        return moved

    def _incoming(self) -> list[Path]:
        folders = [disk.root / INCOMING for disk in self.disks if bears(disk.root, disk.volume.id)]
        return [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]

    def files(self, disk: Disk) -> Iterator[Path]:
        """Every placed file of a volume."""
        for folder, below, names in os.walk(disk.root):
            if Path(folder) == disk.root:
                below[:] = [name for name in below if name not in (INCOMING, ASIDE)]
                continue
            yield from (Path(folder) / name for name in sorted(names))

    def destroy(self, path: str) -> int:
        """Take a file away from every volume; how many copies there were. Called by the retention engine alone."""
        gone = 0
        for disk in self.disks:
            if bears(disk.root, disk.volume.id):
                with contextlib.suppress(FileNotFoundError):
                    (disk.root / path).unlink()
                    gone += 1
        return gone

    def _first(self) -> Disk:
        if not self.disks or not bears(self.disks[0].root, self.disks[0].volume.id):
            raise Unavailable("worn-volume-absent", "The volume for worn cameras is not mounted.")
        return self.disks[0]


def upload_of(file: Path) -> UUID | None:
    """Which upload in parts a file under `incoming/` is, or nothing."""
    try:
        return UUID(file.stem) if file.suffix == UPLOAD else None
    except ValueError:
        return None


def trouble(error: OSError) -> SvidokError:
    """What an error in writing is to the sender."""
    if error.errno in _FULL:
        return Full()
    return Unavailable("worn-volume-refused", f"The volume refused ({os.strerror(error.errno or 0)}). Try again later.")


def write_all(handle: int, chunk: bytes | bytearray | memoryview) -> None:
    """Write all of `chunk`. Raises `Full`, or `Unavailable` where the disk refuses otherwise."""
    view = memoryview(chunk)
    try:
        while len(view):
            view = view[os.write(handle, view) :]
    except OSError as error:
        raise trouble(error) from error


def hash_file(path: Path) -> bytes:
    """The SHA-256 of a file as the disk has it: what the cache holds is dropped first."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(_BLOCK):
            digest.update(block)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.digest()


def make_folders(root: Path, folder: Path) -> None:
    """Make `folder` below `root`, each step synced."""
    if folder.exists():
        return
    make_folders(root, folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _copy(source: Path, target: Path) -> bytes:
    """Copy and sync; the hash of what was read."""
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            while block := file.read(_BLOCK):
                digest.update(block)
                write_all(handle, block)
            os.fdatasync(handle)
        finally:
            os.close(handle)
    return digest.digest()
