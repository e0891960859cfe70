"""The disks that take footage: which one next, which is full, which was pulled out.

Each volume bears a marker file with its id. A mount point without its marker
is a volume that is not there, however writable the folder below it looks:
footage written under an unmounted disk would vanish when it comes back.
"""

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from svidok.base import new_id
from svidok.recording.model import Volume, VolumeState

MARKER = ".svidok-volume"
ASIDE = "aside"
_FLOOR_SHARE = 20  # a twentieth of the disk stays free …
_FLOOR_MAX = 2 * 1024**3  # … but never more than this
_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(slots=True, kw_only=True)
class Disk:
    """A volume with what was last seen of it, in bytes."""

    volume: Volume
    state: VolumeState
    used: int = 0
    free: int = 0
    floor: int = 0
    trouble: str = ""

    @property
    def root(self) -> Path:
        """Its folder."""
        return Path(self.volume.path)

    @property
    def room(self) -> int:
        """What footage may still take."""
        left = self.free - self.floor
        if self.volume.quota_bytes is not None:
            left = min(left, self.volume.quota_bytes - self.used)
        return max(0, left)


def choose(disks: list[Disk]) -> Disk | None:
    """The ready volume with most room, or nothing.

    Pure: it believes what was last seen. The writer finds out the rest.
    """
    ready = [disk for disk in disks if disk.state == VolumeState.READY and disk.room > 0]
    return max(ready, key=lambda disk: disk.room, default=None)


def verdict_of(error: OSError) -> VolumeState:
    """What an error in writing says of the volume: full, or not there.

    >>> verdict_of(OSError(errno.ENOSPC, "")).value, verdict_of(OSError(errno.EIO, "")).value
    ('full', 'absent')
    """
    return VolumeState.FULL if error.errno in _FULL_ERRORS else VolumeState.ABSENT


def enrol(path: Path, *, node: str, quota_bytes: int | None, known_id: UUID | None) -> Volume:
    """The volume at `path`. One that was never used gets its marker; one known before must still bear it."""
    marker = path / MARKER
    marked = _marked(marker)
    state = VolumeState.READY
    if known_id is not None and marked != known_id:
        state = VolumeState.ABSENT
    elif marked is None:
        path.mkdir(parents=True, exist_ok=True)
        marked = _write_marker(marker, new_id())
    return Volume(id=known_id or marked or new_id(), node=node, path=str(path), quota_bytes=quota_bytes, state=state)


def look(disk: Disk) -> Disk:
    """See how a volume fares now: is it there, can it be written, how much is free."""
    marker = disk.root / MARKER
    try:
        there = UUID(marker.read_text().strip()) == disk.volume.id
        stat = os.statvfs(disk.root)
    except (OSError, ValueError) as error:
        disk.state, disk.trouble = VolumeState.ABSENT, str(error)
        return disk
    size = stat.f_blocks * stat.f_frsize
    disk.free = stat.f_bavail * stat.f_frsize
    disk.floor = min(_FLOOR_MAX, size // _FLOOR_SHARE)
    read_only = bool(stat.f_flag & os.ST_RDONLY)
    if not there or read_only or not os.access(disk.root, os.W_OK):
        disk.state, disk.trouble = VolumeState.ABSENT, "read-only" if read_only else "another volume is mounted there"
    elif disk.room <= 0:
        disk.state, disk.trouble = VolumeState.FULL, ""
    elif disk.state != VolumeState.FULL or disk.room > disk.floor:
        disk.state, disk.trouble = VolumeState.READY, ""
    return disk


def measure_used(root: Path) -> int:
    """How many bytes footage takes under `root`. Slow on a full disk: once at the start, in a thread."""
    total, folders = 0, [str(root)]
    while folders:
        here, below = _measure_folder(folders.pop())
        total += here
        folders += below
    return total


def _measure_folder(folder: str) -> tuple[int, list[str]]:
    """Bytes of the files in one folder, and the folders in it; what is disposed of meanwhile counts as nothing."""
    total, below = 0, list[str]()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            else:
                total += entry.stat(follow_symlinks=False).st_size
    return total, below


def bears(root: Path, volume_id: UUID) -> bool:
    """Whether the folder `root` is the volume `volume_id`."""
    return _marked(root / MARKER) == volume_id


def is_there(root: Path) -> bool:
    """Whether the volume itself, and not the bare mount point, is at `root`."""
    return (root / MARKER).exists()


def _marked(marker: Path) -> UUID | None:
    try:
        return UUID(marker.read_text().strip())
    except (OSError, ValueError):
        return None


def _write_marker(marker: Path, volume_id: UUID) -> UUID | None:
    """Mark a fresh volume; where somebody else was quicker, theirs stands.

    The marker takes its name only once it is whole: whoever looks at the same moment sees none or all of it.
    """
    part = marker.with_name(f"{MARKER}.{new_id().hex}.part")
    with part.open("x") as file:
        file.write(f"{volume_id}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        marker.hardlink_to(part)
        part.unlink()
    except FileExistsError:
        part.unlink()
    except OSError:  # a file system without links
        part.rename(marker)
    return _marked(marker)
