"""Make the copies that are missing, erase those whose time is over. One machine copies what lies on its own volumes.

A copy counts once it was put, synced by its store, read back and found to be
the same bytes. Only footage that leads to its sealed root is copied: a damaged
file is told, and never takes the place of nothing.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from uuid import UUID

from svidok.base import Conflict, Unavailable
from svidok.db import Database, Queries, Row
from svidok.ledger import JSON, enter, root_of
from svidok.recording import facts as f
from svidok.recording.copies.envelope import Keeper, new_key, seal
from svidok.recording.copies.stores import CopyStore
from svidok.recording.reading import Located, located
from svidok.recording.store import enter_facts

SQL = Queries.parse(resources.files(__package__).joinpath("queries.sql").read_text("utf-8"))

COPY_ERASED = "copy.erased"
PAGE = 100
_IN_MEMORY = 64 * 1024 * 1024
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Copied:
    """What one round did. `damaged` segments were not copied: their bytes are not the sealed ones."""

    copies: int = 0
    size_bytes: int = 0
    erased: int = 0
    damaged: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copier:
    """Copies the footage of one machine to some stores."""

    database: Database
    stores: Sequence[CopyStore]
    keeper: Keeper
    node: str

    def round(self, *, at: Callable[[], datetime], cancelled: Callable[[], bool] = lambda: False) -> Copied:
        """Bring every store up to date; a store that does not answer is told by an alarm, and harms no other."""
        copied = Copied()
        for store in self.stores:
            try:
                self._fill(store, at, cancelled, copied)
                self._erase(store, at(), copied)
            except (Unavailable, Conflict) as error:
                details: dict[str, str | int] = {"why": error.message}
                self._tell(f.AlarmRaised(code="copies-unavailable", subject=store.target, at=at(), details=details))
            else:
                self._tell(f.AlarmCleared(code="copies-unavailable", subject=store.target, at=at()))
        return copied

    def _fill(
        self, store: CopyStore, at: Callable[[], datetime], cancelled: Callable[[], bool], copied: Copied
    ) -> None:
        for row in self._missing(store.target):
            if cancelled():
                return
            one = located(row)
            try:
                data = sealed_bytes(one)
            except Conflict as error:
                copied.damaged.append(one.segment.id)
                details: dict[str, str | int] = {"why": error.message}
                self._tell(f.AlarmRaised(code="footage-damaged", subject=str(one.media), at=at(), details=details))
                continue
            except OSError:
                continue  # the volume is away; its recorder says so, and the next round tries again
            copied.size_bytes += self._copy(store, row, one, data, at())
            copied.copies += 1

    def _missing(self, target: str) -> Iterator[Row]:
        after, after_id, size = _BEGINNING, UUID(int=0), PAGE
        while size == PAGE:
            with self.database.transaction() as tx:
                rows = tx.all(
                    SQL["without_copy"], target=target, node=self.node, after=after, after_id=after_id, most=PAGE
                )
            size = len(rows)
            yield from rows
            if rows:
                after, after_id = rows[-1]["start_at"], rows[-1]["id"]

    def _copy(self, store: CopyStore, row: Row, one: Located, data: bytes, at: datetime) -> int:
        segment_id, target = one.segment.id, store.target
        name = row["object"] or object_name(one)
        if row["key"] is not None:
            key = self.keeper.unwrap(bytes(row["key"]), segment_id=segment_id, target=target)
        else:
            key = new_key()
            with self.database.transaction() as tx:
                tx.run(SQL["about_to_write"])  # before the key is wrapped: who turns the keeper's key waits for us
                wrapped = self.keeper.wrap(key, segment_id=segment_id, target=target)
                tx.run(SQL["begin_copy"], segment_id=segment_id, target=target, object=name, key=wrapped)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            file, digest, size = cast(BinaryIO, spool), hashlib.sha256(), 0
            for block in seal(data, key=key, segment_id=segment_id):
                file.write(block)
                digest.update(block)
                size += len(block)
            file.seek(0)
            locked_until = store.put(name, file, size=size, sha256=digest.digest())
        if _hash(store.read(name)) != digest.digest():
            raise Conflict("copy-differs", f"{name} at {target} is not what was put there. Look at that store.")
        with self.database.transaction() as tx:
            tx.run(
                SQL["finish_copy"], segment_id=segment_id, target=target, at=at, size=size, sha256=digest.digest(),
                locked_until=locked_until,
            )  # fmt: skip
        return size

    def _erase(self, store: CopyStore, at: datetime, copied: Copied) -> None:
        """Remove the bytes of copies that nobody can read any more, as soon as their lock lets go."""
        with self.database.transaction() as tx:
            rows = tx.all(SQL["to_erase"], target=store.target, at=at, most=PAGE)
        for row in rows:
            if not store.remove(row["object"]):
                continue
            with self.database.transaction() as tx:
                tx.run(SQL["erased"], segment_id=row["segment_id"], target=store.target, at=at)
                payload: dict[str, JSON] = {"segment": str(row["segment_id"]), "target": store.target}
                enter(tx, kind=COPY_ERASED, subject=row["segment_id"], payload=payload, at=at)
            copied.erased += 1

    def _tell(self, fact: f.AnyFact) -> None:
        with self.database.transaction() as tx:
            enter_facts(tx, [fact])


def object_name(one: Located) -> str:
    """What a copy is called: by channel, day and segment; nothing in it tells who was filmed."""
    segment = one.segment
    return f"{segment.channel_id}/{segment.start_at:%Y-%m-%d}/{segment.id}.sealed"


def sealed_bytes(one: Located) -> bytes:
    """A segment's bytes. Raises `Conflict` where they are not the sealed ones, `OSError` where there are none."""
    data = one.media.read_bytes()
    index = one.index()
    ranges = [(0, index.header.init_size), *((record.offset, record.size) for record in index.records)]
    leaves = [hashlib.sha256(b"\x00" + data[offset : offset + size]).digest() for offset, size in ranges]
    if len(data) != sum(size for _, size in ranges) or root_of(leaves) != one.segment.root:
        raise Conflict("footage-damaged", f"{one.media.name} is not what was sealed. Run `svidok check`.")
    return data


def _hash(pieces: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def rotate(database: Database, keeper: Keeper) -> int:
    """Wrap every key anew and destroy what wrapped them before; how many keys those were.

    Afterwards what old backups of the database hold of destroyed keys opens
    nothing. Dying in between leaves both keys, and the next call goes on.
    """
    keeper.turn()
    with database.transaction() as tx:
        tx.run(SQL["nobody_else_writes"])
        rows = tx.all(SQL["keys"])
        for row in rows:
            named = {"segment_id": row["segment_id"], "target": row["target"]}
            key = keeper.wrap(keeper.unwrap(bytes(row["key"]), **named), **named)
            tx.run(SQL["set_key"], key=key, **named)
    keeper.forget()
    return len(rows)
