"""Tends the volumes of one machine: sees how they fare, says so, and makes room before they are full."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from svidok.base import Clock, Unavailable
from svidok.db import Database
from svidok.recording import facts as f
from svidok.recording.model import VolumeState
from svidok.recording.recovery import segment_id_of
from svidok.recording.store import SQL, known_segments
from svidok.recording.volumes import Disk, choose, enrol, look, measure_used, verdict_of

log = structlog.get_logger("recorder")

_ALARMING = {VolumeState.FULL, VolumeState.ABSENT, VolumeState.DROPPED}
_LOW_SHARE = 50  # room is made when less than a fiftieth of the disk is left above its floor


class DiskSettings(Protocol):
    """What it is told when it starts."""

    @property
    def node(self) -> str:
        """This machine."""
        ...

    @property
    def data(self) -> Path:
        """Where it remembers which volumes it knows."""
        ...

    @property
    def volumes(self) -> tuple[Path, ...]:
        """The folders for footage."""
        ...

    @property
    def quota_bytes(self) -> int | None:
        """What footage may take in each of them."""
        ...


class Disks:
    """The volumes of one recorder."""

    def __init__(
        self,
        settings: DiskSettings,
        database: Database,
        clock: Clock,
        tell: Callable[[list[f.AnyFact]], None],
        make_room: Callable[[UUID, int], int] | None,
    ) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._tell, self._make_room = tell, make_room
        self._disks: list[Disk] = []
        self._alarmed: dict[UUID, VolumeState] = {}
        self._retired: set[UUID] = set()
        self._dropped: set[UUID] = set()

    def enrol(self) -> None:
        """Find the volumes; one that was used before must bear its marker."""
        known = self._known()
        for path in self._settings.volumes:
            volume = enrol(
                path, node=self._settings.node, quota_bytes=self._settings.quota_bytes, known_id=known.get(str(path))
            )
            disk = Disk(volume=volume, state=volume.state)
            if volume.state == VolumeState.READY:
                disk.used = measure_used(path)
            self._disks.append(look(disk))
        self._heed()
        self._remember()
        self._say()

    def there(self) -> list[Disk]:
        """The volumes that can be read."""
        return [disk for disk in self._disks if disk.state != VolumeState.ABSENT]

    def root_of(self, volume_id: UUID) -> Path | None:
        """The folder of a volume that can be read, or nothing."""
        return next((disk.root for disk in self.there() if disk.volume.id == volume_id), None)

    def pick(self) -> Disk | None:
        """The volume that takes the next segment."""
        return choose(self._disks)

    def states(self) -> set[VolumeState]:
        """How the volumes fare."""
        return {disk.state for disk in self._disks}

    def trouble(self, volume_id: UUID, error: OSError) -> None:
        """Writing failed: leave the volume alone until it was looked at."""
        for disk in self._disks:
            if disk.volume.id == volume_id and disk.state == VolumeState.READY:
                disk.state, disk.trouble = verdict_of(error), os.strerror(error.errno or 0)
                log.error("a volume refused", path=disk.volume.path, state=disk.state, why=disk.trouble)

    def tend(self) -> None:
        """Look at every volume, make room where it is short, raise and clear alarms. Blocks: call it in a thread."""
        self._heed()
        for disk in self._disks:
            look(disk)
            self._rest(disk)
            if disk.state in (VolumeState.RETIRED, VolumeState.DROPPED):
                continue
            size = disk.volume.quota_bytes or (disk.free + disk.used)
            if disk.state != VolumeState.ABSENT and disk.room < size // _LOW_SHARE and self._make_room is not None:
                try:
                    disk.used -= self._make_room(disk.volume.id, size // _LOW_SHARE - disk.room)
                except Unavailable:
                    continue  # nothing is disposed of without a row
                look(disk)
        self._say()

    def _heed(self) -> None:
        """What an administrator changed since: new volumes, other quotas, volumes to be left alone."""
        try:
            with self._database.transaction() as tx:
                rows = tx.all(SQL["volumes_of"], node=self._settings.node)
        except Unavailable:
            return  # what was known holds on
        named = {str(path) for path in self._settings.volumes}
        self._retired = {row["id"] for row in rows if row["state"] == VolumeState.RETIRED}
        self._dropped = {row["id"] for row in rows if row["origin"] == "settings" and row["path"] not in named}
        have = {disk.volume.id: disk for disk in self._disks}
        for row in rows:
            disk = have.get(row["id"])
            if disk is not None:
                disk.volume = replace(disk.volume, quota_bytes=row["quota_bytes"])
            elif row["path"] not in {other.volume.path for other in self._disks}:
                self._take_up(row["path"], row["id"], row["quota_bytes"])
        for disk in self._disks:
            self._rest(disk)

    def _rest(self, disk: Disk) -> None:
        """No more is written to what was retired, nor to what the settings no longer name; both are read."""
        if disk.volume.id in self._retired:
            disk.state = VolumeState.RETIRED
        elif disk.volume.id in self._dropped and disk.state != VolumeState.ABSENT:
            disk.state, disk.trouble = VolumeState.DROPPED, "the settings do not name it any more"

    def _take_up(self, path: str, volume_id: UUID, quota_bytes: int | None) -> None:
        """Use a volume that was added while we ran."""
        volume = enrol(Path(path), node=self._settings.node, quota_bytes=quota_bytes, known_id=volume_id)
        disk = Disk(volume=volume, state=volume.state)
        if volume.state == VolumeState.READY:
            disk.used = measure_used(disk.root)
        self._disks.append(look(disk))
        self._remember()

    def unsealed(self, files: list[Path]) -> list[Path]:
        """Those of `files` that the database has not sealed; all of them while it is away."""
        named = {segment_id: media for media in files if (segment_id := segment_id_of(media)) is not None}
        try:
            with self._database.transaction() as tx:
                known = known_segments(tx, list(named))
        except Unavailable:
            known = set()
        return [media for segment_id, media in named.items() if segment_id not in known]

    def _say(self) -> None:
        at = self._clock.now()
        news: list[f.AnyFact] = []
        for disk in self._disks:
            volume = disk.volume
            news.append(
                f.VolumeSeen(
                    volume_id=volume.id, node=volume.node, path=volume.path, quota_bytes=volume.quota_bytes,
                    used_bytes=max(0, disk.used), free_bytes=disk.free, state=str(disk.state),
                    configured=Path(volume.path) in self._settings.volumes, at=at,
                )
            )  # fmt: skip
            news += self._alarms(disk, at)
        self._tell(news)

    def _alarms(self, disk: Disk, at: datetime) -> list[f.AnyFact]:
        """What changed; at a start, whatever another life of ours may have left standing is cleared."""
        volume, before = disk.volume, self._alarmed.get(disk.volume.id)
        if before == disk.state:
            return []
        self._alarmed[volume.id] = disk.state
        over = _ALARMING - {disk.state} if before is None else _ALARMING & {before}
        news: list[f.AnyFact] = [
            f.AlarmCleared(code=f"volume-{state}", subject=volume.path, at=at) for state in sorted(over)
        ]
        if disk.state in _ALARMING:
            details: dict[str, str | int] = {"path": volume.path, "why": disk.trouble}
            news.append(f.AlarmRaised(code=f"volume-{disk.state}", subject=volume.path, at=at, details=details))
        return news

    @property
    def _file(self) -> Path:
        return self._settings.data / "recorder" / "volumes.json"

    def _known(self) -> dict[str, UUID]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, UUID])
        except (OSError, msgspec.MsgspecError):
            pass
        try:
            with self._database.transaction() as tx:
                return {row["path"]: row["id"] for row in tx.all(SQL["volumes_of"], node=self._settings.node)}
        except Unavailable:
            return {}

    def _remember(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(msgspec.json.encode({disk.volume.path: disk.volume.id for disk in self._disks}))
