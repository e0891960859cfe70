"""Pictures of reads as files by content: `<folder>/<yyyy-mm-dd>/<two signs>/<id>.jpg`, a folder a day.

An id holds the day of its read and 106 bits of the SHA-256 of what is kept, so
that a picture is found without asking anybody, is kept once, and is never
written over. Only whole JPEG pictures are kept; what a device wrote beside the
picture (Exif, XMP, comments, anything after its end) is cut out. Nothing is
decoded here: a picture from outside is read marker by marker, in bounds.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from svidok.base import NotFound, new_id

MOST_BYTES = 2 * 1024 * 1024
_EPOCH = date(1970, 1, 1)
_MOST_PIXELS = 50_000_000
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF markers, without DHT, JPG and DAC
_KEPT_APPS = frozenset({0xE0, 0xEE})  # JFIF, and Adobe's colour transform, without which colours turn
_AFTER_SCAN = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # the next marker that is no stuffing and no restart
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadPicture(ValueError):
    """These bytes are no whole JPEG picture. The text says why."""


class Pictures:
    """The pictures under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes, *, taken_at: datetime) -> UUID:
        """Keep a picture of the day of `taken_at`: its id. Raises `BadPicture`, `OSError` where it cannot be kept."""
        kept = bare_jpeg(data)
        picture_id = id_of(kept, taken_at.astimezone(UTC).date())
        path = self.path(picture_id)
        if path.exists():
            return picture_id
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        part = path.with_name(f"{path.name}.{new_id().hex}.part")
        try:
            with part.open("xb") as file:
                file.write(kept)
                file.flush()
                os.fdatasync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return picture_id

    def path(self, picture_id: UUID) -> Path:
        """Where a picture lies, if it is kept."""
        return self._folder / f"{day_of(picture_id):%Y-%m-%d}" / picture_id.hex[-2:] / f"{picture_id}.jpg"

    def read(self, picture_id: UUID) -> bytes:
        """A picture; `NotFound` where there is none, or its time is over."""
        try:
            return self.path(picture_id).read_bytes()
        except (FileNotFoundError, OverflowError) as error:
            raise NotFound("picture-unknown", "There is no such picture, or its time is over.") from error

    def days(self) -> list[date]:
        """The days that have pictures, oldest first."""
        if not self._folder.is_dir():
            return []
        names = [entry.name for entry in self._folder.iterdir() if entry.is_dir() and _NAME.fullmatch(entry.name)]
        return sorted(date.fromisoformat(name) for name in names)

    def drop_day(self, day: date, *, keep: Collection[UUID] = ()) -> int:
        """The time of a day's pictures is over; how many went. Those whose reads outlive the day stay."""
        folder = self._folder / f"{day:%Y-%m-%d}"
        staying = {self.path(one) for one in keep}
        gone = 0
        for path in list(folder.glob("*/*")):
            if path not in staying:
                path.unlink(missing_ok=True)
                gone += 1
        if not any(path.exists() for path in staying):
            shutil.rmtree(folder, ignore_errors=True)
        return gone


def id_of(kept: bytes, day: date) -> UUID:
    """The id of a picture of `day` (UUID version 8, RFC 9562: 16 bits of days since 1970, then its hash)."""
    days = (day - _EPOCH).days & 0xFFFF
    value = days << 112 | int.from_bytes(hashlib.sha256(kept).digest()[:14], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def day_of(picture_id: UUID) -> date:
    """The day in an id."""
    return _EPOCH + timedelta(days=picture_id.int >> 112)


def bare_jpeg(data: bytes) -> bytes:
    """The picture alone, without what a device wrote beside it. Raises `BadPicture` where it is not whole."""
    if len(data) > MOST_BYTES:
        raise BadPicture("it is larger than 2 MiB")
    if data[:2] != b"\xff\xd8":
        raise BadPicture("it does not begin as a JPEG picture does")
    kept, at, framed = [data[:2]], 2, False
    while True:
        marker, at = _marker(data, at)
        if marker == _EOI:
            if not framed or len(kept) < 3:
                raise BadPicture("there is no picture in it")
            return b"".join(kept) + b"\xff\xd9"
        end = _segment_end(data, at)
        if marker in _FRAMES:
            _check_frame(data[at:end])
            framed = True
        if marker == _SOS:
            if not framed:
                raise BadPicture("its data come before its frame")
            end = _scan_end(data, end)
        if not _beside(marker):
            kept.append(b"\xff" + bytes([marker]) + data[at:end])
        at = end


def _beside(marker: int) -> bool:
    return marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in _KEPT_APPS)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and where its segment begins. Any number of 0xFF may come before it (ISO 10918-1)."""
    start = at
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at == start or at >= len(data) or data[at] in (0x00, 0x01, _SOI) or 0xD0 <= data[at] <= 0xD7:
        raise BadPicture("it ends too early" if at >= len(data) else "it is damaged")
    return data[at], at + 1


def _segment_end(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at : at + 2], "big")
    if length < 2 or at + length > len(data):
        raise BadPicture("it ends too early")
    return at + length


def _scan_end(data: bytes, at: int) -> int:
    """Where the entropy-coded data of a scan end."""
    found = _AFTER_SCAN.search(data, at)
    if found is None:
        raise BadPicture("it ends too early")
    return found.end() - 2


def _check_frame(segment: bytes) -> None:
    height, width = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[5:7], "big")
    if len(segment) < 8 or not width or not height or width * height > _MOST_PIXELS:
        raise BadPicture("its size is not one that a picture can have")
