"""A bundle in a ZIP, read only where no two programs could unpack it differently.

One program goes by the directory at the end of a ZIP, another by what stands
before each file. So both must say the same, and every byte must belong to
something: records one after the other from the first byte, then the directory,
then its end. What an archive seldom holds and readers differ over is refused:
a comment, encryption, sums behind a file, links, and another kind of extra.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from svidok.evidence.bundle.files import MOST_FILES, Files, FolderFiles

_TORN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_LOCAL, _END, _END_64, _LOCATOR_64 = 0x04034B50, 0x06054B50, 0x06064B50, 0x07064B50
_LOCAL_BYTES, _END_BYTES, _ENDS_64_BYTES = 30, 22, 76
_FLAGS = 0x0806  # names in UTF-8, and how hard it was packed; neither encrypted, nor with sums behind the file
_WIDE = 0xFFFFFFFF
_ZIP64 = 0x0001
_EXTRAS = {_ZIP64, 0x000A, 0x5455, 0x7875}  # sizes, and what systems note of times and owners
_BLOCK = 1 << 20


class ZipFiles:
    """A bundle as a ZIP with one folder at its top."""

    def __init__(self, path: Path) -> None:
        """Raises `ValueError` where it is no ZIP of one folder, or is not written in the one plain way."""
        try:
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
            with path.open("rb") as file:
                _check_layout(file, infos)
        except (*_TORN, struct.error, UnicodeError) as error:
            raise ValueError(f"this is no ZIP that is read here ({error})") from error
        names = [one.filename for one in infos if not one.is_dir()]
        tops = {one.filename.partition("/")[0] for one in infos}
        if len(tops) != 1 or any("/" not in name for name in names) or tops & {"", ".", ".."}:
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
            return io.BufferedReader(_Unpacked(self._zip.open(self._top + name)), _BLOCK)
        except _TORN as error:
            raise OSError(str(error)) from error


def open_bundle(path: Path) -> Files:
    """The bundle at `path`, a folder or a ZIP. Raises `ValueError` where it is neither."""
    return FolderFiles(path) if path.is_dir() else ZipFiles(path)


class _Unpacked(io.RawIOBase):
    """A file of a ZIP as it is unpacked. What is torn is an `OSError`, as it is on a disk."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._inner.seek(offset, whence)
        except _TORN as error:
            raise OSError(str(error)) from error

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(into))
        except _TORN as error:
            raise OSError(str(error)) from error
        into[: len(data)] = data
        return len(data)


def _check_layout(file: BinaryIO, infos: list[zipfile.ZipInfo]) -> None:
    """Raises `ValueError` where directory and records differ, or bytes of the ZIP belong to nothing."""
    total, directory = _end(file)
    at = 0
    for one in sorted(infos, key=lambda info: info.header_offset):
        if one.header_offset != at:
            raise ValueError("its files overlap, or bytes between them belong to nothing")
        at = _end_of_record(file, at, one)
        if stat.S_IFMT(one.external_attr >> 16) not in (0, stat.S_IFDIR if one.is_dir() else stat.S_IFREG):
            raise ValueError("it holds a link")
    if at != directory or total != len(infos):
        raise ValueError("bytes before its directory belong to nothing")


def _end(file: BinaryIO) -> tuple[int, int]:
    """How many files there are, and where the directory begins, by the end of the ZIP."""
    ends = file.seek(0, os.SEEK_END) - _END_BYTES
    file.seek(max(0, ends))
    mark, *disks, here, total, size, begins, comment = struct.unpack("<IHHHHIIH", file.read(_END_BYTES))
    if (mark, disks, here, comment) != (_END, [0, 0], total, 0):
        raise ValueError("it has a comment, or is one of several")
    if total == 0xFFFF or _WIDE in (size, begins):
        ends -= _ENDS_64_BYTES
        file.seek(max(0, ends))
        wide = struct.unpack("<IQHHIIQQQQIIQI", file.read(_ENDS_64_BYTES))
        if (wide[0], wide[1], wide[4:7], wide[10:]) != (_END_64, 44, (0, 0, wide[7]), (_LOCATOR_64, 0, ends, 1)):
            raise ValueError("the end of its directory has another form")
        total, size, begins = wide[7:10]
    if begins + size != ends:
        raise ValueError("bytes behind its directory belong to nothing")
    return total, begins


def _end_of_record(file: BinaryIO, at: int, one: zipfile.ZipInfo) -> int:
    """Where the record at byte `at` ends, which the directory says is `one`."""
    file.seek(at)
    packed: int
    full: int
    mark, _, flags, method, _, _, packed, full, name_size, extra_size = struct.unpack(
        "<IHHHIIIIHH", file.read(_LOCAL_BYTES)
    )
    name, extra = file.read(name_size), file.read(extra_size)
    if mark != _LOCAL or name != one.orig_filename.encode("utf-8" if flags & 0x800 else "cp437"):
        raise ValueError("it says two things of one file")
    if (flags, method) != (one.flag_bits, one.compress_type) or flags & ~_FLAGS or method not in (0, 8):
        raise ValueError("a file in it is encrypted, or packed in a way that is not known here")
    if b"\\" in name or b"\0" in name or one.filename != one.orig_filename:
        raise ValueError("a name in it is no name")
    fields = dict(_extras(extra))
    if not {*fields, *dict(_extras(one.extra))} <= _EXTRAS:
        raise ValueError("it says more of a file than is known here")
    if (packed, full) == (_WIDE, _WIDE) and len(fields.get(_ZIP64, b"")) == 16:
        full, packed = struct.unpack("<QQ", fields[_ZIP64])
    if (packed, full) != (one.compress_size, one.file_size) or (method == 0 and packed != full):
        raise ValueError("it says two sizes of one file")
    return at + _LOCAL_BYTES + len(name) + len(extra) + packed


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + size]
        at += 4 + size
