"""Room on the disk asked for before it is filled, beyond the end of the file.

A file system that must find room for each page as it comes spends more on that than on the bytes themselves:
asking for some megabytes at once took two fifths off the cost of writing and syncing a fragment. The size of the
file stays what was written; what was asked for and not used is given back when the file is closed, or when it is
repaired after a crash. Where this cannot be had, nothing is lost but speed.
"""

import ctypes
import os

AHEAD_BYTES = 4 * 1024 * 1024
_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE


def ask_ahead(handle: int, begin: int, size: int) -> bool:
    """Ask for `size` bytes from `begin` on; whether they were given."""
    return _FALLOCATE is not None and _FALLOCATE(handle, _KEEP_SIZE, begin, size) == 0


def give_back(handle: int, size: int) -> None:
    """The file is `size` bytes long and stays so: what was asked for beyond goes back to the disk."""
    os.ftruncate(handle, size)


def _load() -> "ctypes._NamedFuncPointer | None":
    try:
        fallocate = ctypes.CDLL(None).fallocate
    except (AttributeError, OSError):  # not Linux
        return None
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return fallocate


_FALLOCATE = _load()
