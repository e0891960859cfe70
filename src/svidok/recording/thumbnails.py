"""Small pictures of any instant: the first picture of the fragment that shows it, decoded once and kept in memory.

Whether the footage still exists is asked of the database each time; the memory
only spares the decoding.
"""

import threading
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from svidok.base import BadInput, to_us
from svidok.db import Database
from svidok.media.frames import thumbnail as decode
from svidok.recording.playback import fragment_at, part_of
from svidok.recording.reach import HERE, Reach

KEPT_BYTES = 24 * 1024 * 1024
WIDTHS = range(32, 1921)

Key = tuple[UUID, int, int]


class Thumbnails:
    """Decodes, and remembers up to `kept_bytes` of JPEG, the least lately used forgotten first. Thread-safe."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._held_bytes = 0
        self._held: OrderedDict[Key, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, database: Database, channel_id: UUID, at: datetime, *, width: int, reach: Reach = HERE) -> bytes:
        """A JPEG, `width` pixels wide at most. Raises `NotFound` where there is no footage at `at`."""
        if width not in WIDTHS:
            raise BadInput("width-out-of-range", "The width must be from 32 to 1920 pixels.")
        with database.transaction() as tx:
            one, index, number = fragment_at(tx, channel_id, to_us(at), reach=reach)
        key = (one.segment.id, number, width)
        held = self._find(key)
        if held is not None:
            return held
        record = index.records[number]
        media = part_of(one, 0, index.header.init_size).read() + part_of(one, record.offset, record.size).read()
        picture = decode(media, width=width)
        self._keep(key, picture)
        return picture

    def _find(self, key: Key) -> bytes | None:
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def _keep(self, key: Key, picture: bytes) -> None:
        with self._lock:
            if key not in self._held:
                self._held[key] = picture
                self._held_bytes += len(picture)
            while self._held_bytes > self._kept_bytes and self._held:
                self._held_bytes -= len(self._held.popitem(last=False)[1])
