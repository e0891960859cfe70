"""What must outlive a power cut: a name in its folder, and a file that is there whole or not at all."""

import os
from pathlib import Path

PRIVATE = 0o600
"""The mode of what only its owner may read."""


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last; a file's own sync does not (fsync(2)). Raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Put `data` at `path` for good: after a crash the old bytes stand there or the new ones, never a mixture.

    Its folder must exist. Raises `OSError`, and then the old bytes stand.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)
