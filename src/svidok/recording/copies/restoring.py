"""Bring footage back out of its copies. What comes back leads to the sealed root, or is not taken."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from svidok.base import BadInput, Conflict, SvidokError
from svidok.base.disk import write_whole
from svidok.db import Database, Row
from svidok.ledger import root_of
from svidok.media.boxes import scan_fragments
from svidok.recording.copies.copier import SQL
from svidok.recording.copies.envelope import Keeper, opened
from svidok.recording.copies.stores import CopyStore
from svidok.recording.mending import mend_index
from svidok.recording.reading import SQL as READING
from svidok.recording.reading import Located, located
from svidok.recording.volumes import ASIDE, bears


@dataclass(slots=True, kw_only=True)
class Restored:
    """What came back, and for each segment that did not, why."""

    segments: list[UUID] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restorer:
    """Restores from some stores. `onto` names a volume of this machine where the footage's own is gone for good."""

    database: Database
    stores: Sequence[CopyStore]
    keeper: Keeper
    onto: UUID | None = None

    def restore(self, segment_ids: Sequence[UUID]) -> Restored:
        """Bring back these segments, each from the first copy that is whole."""
        told = Restored()
        with self.database.transaction() as tx:
            rows = {row["id"]: row for row in tx.all(READING["segments_by_id"], ids=list(segment_ids))}
            copies: dict[UUID, list[Row]] = {}
            for copy in tx.all(SQL["copies_of"], ids=list(segment_ids)):
                copies.setdefault(copy["segment_id"], []).append(copy)
        place = self._place()
        for segment_id in segment_ids:
            if segment_id not in rows:
                told.failed[segment_id] = "there is no such segment"
                continue
            one = located(rows[segment_id])
            try:
                self._bring_back(replace(one, volume=place) if place else one, copies.get(segment_id, []))
                told.segments.append(segment_id)
            except (SvidokError, OSError) as error:
                told.failed[segment_id] = str(error)
        return told

    def _place(self) -> Path | None:
        if self.onto is None:
            return None
        with self.database.transaction() as tx:
            for row in tx.all(READING["volumes"]):
                if row["id"] == self.onto:
                    return Path(row["path"])
        raise BadInput("volume-not-found", "There is no such volume.")

    def _bring_back(self, one: Located, copies: list[Row]) -> None:
        if not bears(one.volume, self.onto or one.segment.volume_id):
            raise Conflict("volume-absent", f"{one.volume} does not bear its marker. Mount it, or name another volume.")
        data = self._whole(one, copies)
        _keep_aside(one)
        _write(one.media, data)
        mend_index(one)
        if self.onto is not None:
            with self.database.transaction() as tx:
                tx.run(SQL["move_segment"], segment_id=one.segment.id, volume_id=self.onto)

    def _whole(self, one: Located, copies: list[Row]) -> bytes:
        """The segment out of the first copy that is what was sealed."""
        by_target = {store.target: store for store in self.stores}
        trouble = "it has no copy"
        for copy in copies:
            store = by_target.get(copy["target"])
            if store is None:
                trouble = f"{copy['target']} is not among the settings"
                continue
            try:
                named = {"segment_id": one.segment.id, "target": copy["target"]}
                key = self.keeper.unwrap(bytes(copy["key"]), **named)
                data = b"".join(opened(store.read(copy["object"]), key=key, segment_id=one.segment.id))
            except (SvidokError, OSError) as error:
                trouble = str(error) or "the copy is not there"
                continue
            if _root(data) == one.segment.root:
                return data
            trouble = f"the copy at {copy['target']} is not what was sealed"
        raise Conflict("no-whole-copy", f"{one.segment.id} cannot be restored: {trouble}.")


def _root(data: bytes) -> bytes | None:
    scan = scan_fragments(io.BytesIO(data))
    if scan.torn:
        return None
    ranges = [(0, scan.init_size), *((info.offset, info.size) for info in scan.fragments)]
    return root_of([hashlib.sha256(b"\x00" + data[offset : offset + size]).digest() for offset, size in ranges])


def _keep_aside(one: Located) -> None:
    """What lies in its place is damaged; it is kept, because damage is evidence too."""
    if one.media.exists():
        aside = one.volume / ASIDE
        aside.mkdir(exist_ok=True)
        number = 0
        while (place := aside / f"{one.segment.id}.{number}.damaged").exists():
            number += 1
        one.media.rename(place)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
