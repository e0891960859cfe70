"""The files of a bundle: in a folder, in a ZIP, or in memory. Reads, and trusts no name."""

import io
import os
import zipfile
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
        for folder, _, files in os.walk(self._folder):
            for name in files:
                path = Path(folder, name)
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


class ZipFiles:
    """A bundle as a ZIP with one folder at its top."""

    def __init__(self, path: Path) -> None:
        """Raises `ValueError` where it is no ZIP of one folder, or a name is there twice."""
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"this is no ZIP ({error})") from error
        names = [one.filename for one in self._zip.infolist() if not one.is_dir()]
        tops = {name.partition("/")[0] for name in names}
        if len(tops) != 1 or any("/" not in name for name in names):
            raise ValueError("the ZIP does not hold one folder")
        if len(set(names)) != len(names) or len(names) > MOST_FILES:
            raise ValueError("a file is there twice, or there are too many")
        self._top = next(iter(tops)) + "/"
        self._names = [name.removeprefix(self._top) for name in names]

    def names(self) -> list[str]:
        return sorted(self._names)

    def size(self, name: str) -> int:
        return self._zip.getinfo(self._top + name).file_size

    def open(self, name: str) -> BinaryIO:
        try:
            return self._zip.open(self._top + name)  # type: ignore[return-value]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise OSError(str(error)) from error


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


def open_bundle(path: Path) -> Files:
    """The bundle at `path`, a folder or a ZIP. Raises `ValueError` where it is neither."""
    return FolderFiles(path) if path.is_dir() else ZipFiles(path)
