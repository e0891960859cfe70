"""The files of a bundle: in a folder, in a ZIP (`zipped`), or in memory. Reads, and trusts no name."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

MOST_FILES = 20_000


class Files(Protocol):
    """The files of one bundle, named by their path in it with `/` between its parts."""

    def names(self) -> list[str]:
        """Every file. Raises `ValueError` where something is neither a file nor a folder, or they are too many."""
        ...

    def size(self, name: str) -> int:
        """How many bytes it has."""
        ...

    def open(self, name: str) -> BinaryIO:
        """It, to be read from the beginning. Raises `OSError` where it cannot be."""
        ...


class FolderFiles:
    """A bundle as a folder. Links are refused: what they lead to is not part of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        found = []
        for folder, folders, files in os.walk(self._folder):
            for name in [*folders, *files]:
                path = Path(folder, name)
                if name in folders and not path.is_symlink():
                    continue
                if path.is_symlink() or not path.is_file():
                    raise ValueError(f"{path.relative_to(self._folder)} is not an ordinary file")
                found.append(path.relative_to(self._folder).as_posix())
                if len(found) > MOST_FILES:
                    raise ValueError(f"there are more than {MOST_FILES} files")
        return sorted(found)

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("rb", buffering=0)


class MemoryFiles:
    """A bundle in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def names(self) -> list[str]:
        return sorted(self._files)

    def size(self, name: str) -> int:
        return len(self._files[name])

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self._files[name])
