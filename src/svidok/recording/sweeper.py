"""Carry out what the retention rules decide: a row and a ledger entry, then the deed, then an entry that it is done.

The sweeper decides nothing. It asks a `Judge` (the rules and holds of
governance) twice: before the row is written, and again before the file goes,
because a hold may have been placed in between. It touches only volumes that
bear their marker: an unmounted disk looks like an empty folder, and calling its
footage gone would be a lie that comes back.

With the bytes goes what opens their seal (payload and salt): the leaf stays in
the log and is mute. What was destroyed, when and by which rule stays stated.
Copies elsewhere lose their keys in the same transaction, and are noise from
then on; the copier takes the noise away when the store lets it.

Dying at any point leaves either nothing, or a decided disposal that the next
sweep finishes or withdraws.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from svidok.base import new_id
from svidok.base.disk import sync_folder
from svidok.db import Database, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.ledger.register import mute
from svidok.recording import idx
from svidok.recording.check import bears_marker
from svidok.recording.model import (
    DISPOSAL_DECIDED,
    DISPOSAL_DONE,
    DISPOSAL_WITHDRAWN,
    SEGMENT_REPAIRED,
    SEGMENT_SEALED,
    SegmentRow,
)
from svidok.recording.reading import SQL, Located, located

PAGE = 200
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Whether footage goes, and on what grounds. `verdict` is governance's own word."""

    destroy: bool
    verdict: str
    grounds: dict[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueGroup:
    """Channels (of the retention class `name`) whose footage may be due once it ended before an instant."""

    name: str
    channels: Sequence[UUID]
    before: datetime


class Law(Protocol):
    """The rules and holds in force at one instant."""

    def due(self) -> Sequence[DueGroup]:
        """Where to look. Nothing where no rule is in force."""
        ...

    def rule(self, segment: SegmentRow) -> Ruling:
        """Whether `segment` goes."""
        ...


class Judge(Protocol):
    """Knows the rules and holds."""

    def read(self, tx: Transaction, *, at: datetime, channel_id: UUID | None = None) -> Law:
        """What is in force at `at`, read anew; for one channel where only one is asked about."""
        ...


@dataclass(slots=True, kw_only=True)
class Swept:
    """What a sweep did."""

    decided: int = 0
    done: int = 0
    withdrawn: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    freed_bytes: int = 0
    waiting: int = 0

    def keep(self, verdict: str) -> None:
        """Count footage that was looked at and stays."""
        self.kept[verdict] = self.kept.get(verdict, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Sweeps the volumes of one machine."""

    database: Database
    judge: Judge
    node: str

    def sweep(
        self,
        *,
        at: datetime,
        volume_id: UUID | None = None,
        wanted_bytes: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Swept:
        """Finish what was decided, then dispose of what is due, oldest first; of one volume where one is given.

        Stops early once `wanted_bytes` are freed, or when `cancelled`.
        """
        swept = Swept()
        self._finish_all(at, swept)
        for page in self._pages(at, volume_id, swept):
            self._decide(page, at, swept)
            self._finish_all(at, swept)
            if cancelled() or (wanted_bytes is not None and swept.freed_bytes >= wanted_bytes):
                break
        return swept

    def _pages(self, at: datetime, volume_id: UUID | None, swept: Swept) -> Iterator[list[tuple[Located, Ruling]]]:
        """What goes, a page at a time."""
        with self.database.transaction() as tx:
            groups = self.judge.read(tx, at=at).due()
        for group in groups:
            after, after_id, size = _BEGINNING, _NO_ID, PAGE
            while size == PAGE:
                with self.database.transaction() as tx:
                    rows = tx.all(
                        SQL["sealed_before"], node=self.node, channels=list(group.channels), before=group.before,
                        after=after, after_id=after_id, volume_id=volume_id, most=PAGE,
                    )  # fmt: skip
                    law = self.judge.read(tx, at=at)
                    ruled = [(one, law.rule(one.segment)) for one in map(located, rows)]
                size = len(rows)
                if rows:
                    after, after_id = rows[-1]["start_at"], rows[-1]["id"]
                for _, ruling in ruled:
                    if not ruling.destroy:
                        swept.keep(ruling.verdict)
                yield [(one, ruling) for one, ruling in ruled if ruling.destroy]

    def _decide(self, page: list[tuple[Located, Ruling]], at: datetime, swept: Swept) -> None:
        """The rows and entries that come before the deed."""
        with self.database.transaction() as tx:
            for one, ruling in page:
                payload = one.segment.seal_payload() | {"verdict": ruling.verdict, "grounds": ruling.grounds}
                entry_id = enter(tx, kind=DISPOSAL_DECIDED, subject=one.segment.id, payload=payload, at=at)
                tx.run(
                    SQL["decide_disposal"], id=new_id(), segment_id=one.segment.id, at=at, verdict=ruling.verdict,
                    grounds=json.dumps(ruling.grounds), entry_id=entry_id,
                )  # fmt: skip
        swept.decided += len(page)

    def _finish_all(self, at: datetime, swept: Swept) -> None:
        """Carry out every decided disposal of volumes that are here."""
        after, after_id, size, waiting = _BEGINNING, _NO_ID, PAGE, 0
        here: dict[UUID, bool] = {}
        while size == PAGE:
            with self.database.transaction() as tx:
                rows = tx.all(SQL["disposals_pending"], node=self.node, after=after, after_id=after_id, most=PAGE)
            size = len(rows)
            for row in rows:
                after, after_id = row["start_at"], row["disposal_id"]
                volume = row["volume_id"]
                if volume not in here:
                    here[volume] = bears_marker(Path(row["volume_path"]), volume)
                if here[volume]:
                    self._finish(row, at, swept)
                else:
                    waiting += 1
        swept.waiting = waiting

    def _finish(self, row: Row, at: datetime, swept: Swept) -> None:
        one = located(row)
        with self.database.transaction() as tx:
            ruling = self.judge.read(tx, at=at, channel_id=one.segment.channel_id).rule(one.segment)
            if not ruling.destroy:
                tx.run(SQL["withdraw_disposal"], id=row["disposal_id"])
                payload: dict[str, JSON] = {"segment": str(one.segment.id), "verdict": ruling.verdict}
                enter(tx, kind=DISPOSAL_WITHDRAWN, subject=one.segment.id, payload=payload, at=at)
                swept.withdrawn += 1
                return
        was_there = _remove(one)
        with self.database.transaction() as tx:
            if not tx.run(SQL["finish_disposal"], id=row["disposal_id"], at=at):
                return
            tx.run(SQL["mark_disposed"], segment_id=one.segment.id)
            _enter_gap(tx, one.segment)
            keys = tx.run(SQL["destroy_copy_keys"], segment_id=one.segment.id)
            done: dict[str, JSON] = {
                "segment": str(one.segment.id),
                "was_there": was_there,
                "copy_keys_destroyed": keys,
            }
            enter(tx, kind=DISPOSAL_DONE, subject=one.segment.id, payload=done, at=at)
            for kind in (SEGMENT_SEALED, SEGMENT_REPAIRED):
                mute(tx, subject=one.segment.id, kind=kind)
        swept.done += 1
        swept.freed_bytes += one.segment.size_bytes if was_there else 0


def _remove(one: Located) -> bool:
    """Remove a segment and its index for good; whether the segment was there."""
    was_there = _unlink(one.media)
    _unlink(idx.index_path(one.media))
    day = one.media.parent
    if day.is_dir():
        sync_folder(day)
        if not any(day.iterdir()):
            day.rmdir()
    return was_there


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _enter_gap(tx: Transaction, segment: SegmentRow) -> None:
    """The time line must say why there is nothing any more; one gap grows with each neighbour that goes."""
    span = {"channel_id": segment.channel_id, "start": segment.start_at, "end": segment.end_at}
    if not tx.all(SQL["extend_disposed_gap"], **span):
        tx.run(SQL["add_disposed_gap"], id=new_id(), **span)
