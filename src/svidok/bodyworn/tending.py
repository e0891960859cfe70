"""What happens to clips after they were acknowledged: a second copy, both read back; cut, looked at, signatures judged.

Each step is a row when it is done and is done again when it was not. Only
after the first does the dock's screen say that a camera may be wiped.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from svidok.base import BadInput, Clock, Span, SvidokError, Unavailable, new_id, to_us
from svidok.bodyworn.cutting import Cut, Target, cut_clip, segment_ids
from svidok.bodyworn.keys import DoorKeys
from svidok.bodyworn.model import Mark
from svidok.bodyworn.quality import judge
from svidok.bodyworn.signatures import judge_clip, keep
from svidok.bodyworn.vault import INCOMING, Full, Vault
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger import enter
from svidok.media.looks import looks, loudness
from svidok.recording import facts as f
from svidok.recording.model import Volume, VolumeState
from svidok.recording.signatures.judging import Judged
from svidok.recording.store import enter_facts
from svidok.recording.volumes import Disk, choose, look

log = structlog.get_logger("bodyworn")
SQL = Queries.of("svidok.bodyworn")
CLIP_COPIED = "worn.clip-copied"
_BATCH = 16
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """Tends the clips of one machine. `roots`: certificates of makers whose cameras sign, in PEM."""

    database: Database
    vault: Vault
    keys: DoorKeys
    clock: Clock
    node: str
    roots: bytes = b""

    def copy_waiting(self, *, most: int = _BATCH) -> int:
        """Make second copies of clips that have none; how many were made. An alarm where one differs."""
        at = self.clock.now()
        with self.database.transaction() as tx:
            waiting = tx.all(SQL["clips_to_copy"], before=at, most=most)
        return sum(self._copy(row) for row in waiting)

    def read_waiting(self, *, most: int = _BATCH) -> int:
        """Cut clips that nobody looked into yet; how many. What cannot be played goes to quarantine, and is kept."""
        with self.database.transaction() as tx:
            waiting = tx.all(SQL["clips_to_read"], most=most)
        for row in waiting:
            self._read(row)
        return len(waiting)

    def _copy(self, row: Row) -> bool:
        try:
            volume_id, first, second = self.vault.copy(row["volume_id"], row["path"])
        except (Full, Unavailable) as error:
            self._alarm("worn-copy-waits", self.node, {"why": error.message})
            return False
        at, wanted = self.clock.now(), bytes(row["sha256"])
        if wanted != first or first != second:
            self._alarm("worn-clip-damaged", str(row["id"]), {"path": row["path"]})
            return False
        with self.database.transaction() as tx:
            enter(
                tx, kind=CLIP_COPIED, subject=row["id"], at=at,
                payload={"clip": str(row["id"]), "sha256": wanted.hex(), "volume": str(volume_id)},
            )  # fmt: skip
            tx.run(SQL["clip_copied"], id=row["id"], volume_id=volume_id, at=at)
            enter_facts(tx, [f.AlarmCleared(code="worn-copy-waits", subject=self.node, at=at)])
        return True

    def _read(self, row: Row) -> None:
        opened: Path | None = None
        try:
            path = self.vault.file(row["volume_id"], row["path"])
            if path is None:
                return  # its volume is away; tried again when it is back
            if row["channel_id"] is None:
                raise BadInput("clip-of-unknown-camera", "No worn camera has the serial number of this clip.")
            if row["key_path"] is not None:
                path = opened = self._open(row, path)
            if row["start_at"] is None:
                raise BadInput("clip-without-time", "Nothing says when this clip was taken.")
            with self.database.transaction() as tx:
                target = self._target(tx, row)
            cut = cut_clip(path, row["id"], row["start_at"], target)
            read = _Read(cut, self._marks(path, row, cut), judge_clip(path, roots=self.roots, claimed=_claimed(row)))
        except BadInput as error:
            self._done(row, None, reason=error.code)
        except Unavailable as error:
            log.warning("a clip waits", clip=str(row["id"]), why=error.message)
        else:
            self._done(row, read, reason="")
        finally:
            if opened is not None:
                opened.unlink(missing_ok=True)

    def _open(self, row: Row, path: Path) -> Path:
        """An encrypted clip in the clear, for as long as it is read."""
        key = self.vault.file(row["key_volume_id"], row["key_path"])
        if key is None:
            raise Unavailable("worn-volume-absent", "The volume of the clip's key is not mounted.")
        clear = self.vault.disks[0].root / INCOMING / f"{new_id().hex}.clear"
        with clear.open("wb") as file:
            try:
                for block in self.keys.opened(path, key.read_bytes()):
                    file.write(block)
            except SvidokError:
                clear.unlink(missing_ok=True)
                raise
        return clear

    def _target(self, tx: Transaction, row: Row) -> Target:
        start, end = row["start_at"] - _MARGIN, (row["end_at"] or row["start_at"]) + _MARGIN
        taken = tx.all(
            SQL["footage_of"], channel_id=row["channel_id"], start_at=start, end_at=end, own=segment_ids(row["id"])
        )
        disks = [look(_disk(one)) for one in tx.all(SQL["footage_volumes"], node=self.node)]
        disk = choose(disks)
        if disk is None:
            raise Unavailable("no-footage-volume", "No volume of this machine takes footage.")
        return Target(
            channel_id=row["channel_id"], node=self.node, disk=disk,
            taken=tuple(Span(one["start_at"], one["end_at"]) for one in taken),
            clock_offset_us=to_us(row["device_start"]) - to_us(row["start_at"]) if row["device_start"] else 0,
        )  # fmt: skip

    def _marks(self, path: Path, row: Row, cut: Cut) -> list[Mark]:
        if not cut.stretches:
            return []
        end_at = cut.stretches[-1].end
        return judge(list(looks(path)), list(loudness(path)), start_at=row["start_at"], end_at=end_at)

    def _done(self, row: Row, read: "_Read | None", *, reason: str) -> None:
        clip_id: UUID = row["id"]
        at = self.clock.now()
        with self.database.transaction() as tx:
            if read is not None:
                self._keep(tx, row, read, at)
            tx.run(SQL["clip_read"], id=clip_id, at=at, reason=reason)
        if reason:
            log.warning("a clip went to quarantine", clip=str(clip_id), why=reason)

    def _keep(self, tx: Transaction, row: Row, read: "_Read", at: datetime) -> None:
        """Enter what was found in a clip."""
        enter_facts(tx, list(read.cut.news))
        for span in read.cut.stretches:
            tx.run(
                SQL["add_stretch"], clip_id=row["id"], channel_id=row["channel_id"], start_at=span.start,
                end_at=span.end,
            )  # fmt: skip
        for mark in read.marks:
            tx.run(
                SQL["add_mark"], clip_id=row["id"], channel_id=row["channel_id"], cause=str(mark.cause),
                start_at=mark.span.start, end_at=mark.span.end,
            )  # fmt: skip
        keep(tx, row, read.signed, at=at)

    def _alarm(self, code: str, subject: str, details: dict[str, str | int]) -> None:
        alarm = f.AlarmRaised(code=code, subject=subject, at=self.clock.now(), details=details)
        with self.database.transaction() as tx:
            enter_facts(tx, [alarm])


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found in a clip."""

    cut: Cut
    marks: list[Mark]
    signed: Judged


def _claimed(row: Row) -> Span | None:
    """When the camera says that it recorded a clip, by its own clock, which is the one that it signs by."""
    start, end = row["device_start"], row["device_end"]
    return Span(start, end) if start is not None and end is not None else None


def enrol_vault(database: Database, folders: list[Path], *, node: str, at: datetime) -> Vault:
    """The vault of a machine: its volumes as they were known, entered; files that nobody acknowledged put aside."""
    with database.transaction() as tx:
        known = {row["path"]: row["id"] for row in tx.all(SQL["worn_volumes"], node=node)}
    vault = Vault(folders, node=node, known=known)
    with database.transaction() as tx:
        for rank, disk in enumerate(vault.disks):
            tx.run(SQL["see_worn_volume"], id=disk.volume.id, node=node, path=disk.volume.path, rank=rank, at=at)
        first = vault.disks[0]
        paths = {row["path"] for row in tx.all(SQL["known_paths"], volume_id=first.volume.id)}
        uploads = tx.all(SQL["uploads_known"], ids=vault.incoming_uploads())
        news: list[f.AnyFact] = [f.AlarmCleared(code="worn-copies-share-a-disk", subject=node, at=at)]
        if vault.shares_a_disk:
            news = [f.AlarmRaised(code="worn-copies-share-a-disk", subject=node, at=at)]
        enter_facts(tx, news)
    strays = vault.put_aside_strays(paths) + vault.clear_incoming(
        unfinished={row["id"] for row in uploads if not row["done"]},
        finished={row["id"] for row in uploads if row["done"]},
    )
    if strays:
        log.warning("files that were never acknowledged were put aside", count=strays)
    return vault


def _disk(row: Row) -> Disk:
    volume = Volume(
        id=row["id"], node=row["node"], path=row["path"], quota_bytes=row["quota_bytes"], state=VolumeState.READY
    )
    return Disk(volume=volume, state=VolumeState.READY)
