"""What a person sees and changes of volumes and recorders: quotas, retirement, how everything fares, alarms."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound
from svidok.db import Row, Transaction
from svidok.ledger import JSON
from svidok.recording.reading import SQL
from svidok.recording.volumes import MARKER

SMALLEST_QUOTA = 10**8
CHANGEABLE_TO = ("ready", "retired")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeStatus:
    """A volume as its recorder last saw it. Sizes in bytes."""

    id: UUID
    node: str
    path: str
    quota_bytes: int | None
    used_bytes: int
    free_bytes: int
    state: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChange:
    """What shall change; what is not given stays. `set_quota` tells "no quota" from "not given"."""

    set_quota: bool = False
    quota_bytes: int | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """A recorder as it last said. `waiting` facts are not in the database yet."""

    node: str
    seen_at: datetime
    channels: int
    recording: int
    bytes_per_s: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How recording fares as a whole."""

    recorders: tuple[RecorderStatus, ...]
    volumes: tuple[VolumeStatus, ...]
    oldest_at: datetime | None
    gaps_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a person must look at; `cleared_at` once it is over, `acknowledged_at` once somebody looks after it."""

    id: UUID
    code: str
    subject: str
    raised_at: datetime
    cleared_at: datetime | None
    details: dict[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: str | None


def list_volumes(tx: Transaction) -> list[VolumeStatus]:
    """All volumes."""
    return [_volume(row) for row in tx.all(SQL["volumes"])]


def add_volume(tx: Transaction, *, node: str, path: str, quota_bytes: int | None, volume_id: UUID) -> VolumeStatus:
    """Give the recorder of `node` the folder `path`. Raises `Conflict` where it has it already."""
    if not node or not path.startswith("/"):
        raise BadInput("volume-no-place", "Name the machine, and its folder as an absolute path.")
    _refuse_quota(quota_bytes)
    row = tx.maybe(SQL["add_volume"], id=volume_id, node=node, path=path.rstrip("/") or "/", quota_bytes=quota_bytes)
    if row is None:
        raise Conflict("volume-known", "This machine has this volume already.")
    return _volume(row)


def mark_volume(volume: VolumeStatus) -> None:
    """Put the volume's marker into its folder on this machine. Raises `BadInput` where it cannot be written."""
    marker = Path(volume.path) / MARKER
    try:
        if marker.exists():
            if marker.read_text().strip() != str(volume.id):
                raise Conflict("volume-known", "This folder is a volume already, of this or another installation.")
            return
        marker.write_text(f"{volume.id}\n")
    except OSError as error:
        says = f"{volume.path} cannot be written on this machine ({error.strerror}). Mount it, or add it where it is."
        raise BadInput("volume-not-here", says) from error


def change_volume(tx: Transaction, volume_id: UUID, change: VolumeChange) -> VolumeStatus:
    """Change quota or service of a volume. Raises `NotFound`, and `BadInput` for what a person may not set."""
    if change.state is not None and change.state not in CHANGEABLE_TO:
        raise BadInput("volume-state", "A volume can be set to ready or retired; the rest the recorder sees by itself.")
    _refuse_quota(change.quota_bytes)
    row = tx.maybe(
        SQL["change_volume"], id=volume_id, set_quota=change.set_quota, quota_bytes=change.quota_bytes,
        state=change.state,
    )  # fmt: skip
    if row is None:
        raise NotFound("volume-not-found", "There is no such volume.")
    return _volume(row)


def summary(tx: Transaction) -> Summary:
    """How recording fares."""
    return Summary(
        recorders=tuple(RecorderStatus(**row) for row in tx.all(SQL["recorders"])),
        volumes=tuple(list_volumes(tx)),
        oldest_at=tx.one(SQL["oldest"])["oldest_at"],
        gaps_open=tx.one(SQL["open_gap_count"])["gaps"],
    )


def alarms(tx: Transaction, *, most: int = 200) -> list[Alarm]:
    """The alarms that stand, then those that stood of late."""
    return [Alarm(**row) for row in tx.all(SQL["alarms"], most=most)]


def acknowledge(tx: Transaction, *, actor: Actor, alarm_id: UUID, at: datetime) -> None:
    """Say that one looks after an alarm; whoever said so first stays named. Raises `NotFound`."""
    require(actor, "acknowledge_alarm")
    row = tx.maybe(SQL["acknowledge_alarm"], id=alarm_id, by=actor.id, at=at)
    if row is None:
        raise NotFound("alarm-not-found", "There is no such alarm.")
    if row["first"]:
        what: dict[str, JSON] = {"alarm": str(alarm_id), "code": row["code"], "subject": row["subject"]}
        audit.record(tx, actor=actor, action="acknowledge_alarm", what=what, at=at, to_whom="")


def alarms_state(tx: Transaction) -> Row:
    """Something that is another whenever an alarm was raised, cleared or acknowledged."""
    return tx.one(SQL["alarms_state"])


def _volume(row: Row) -> VolumeStatus:
    return VolumeStatus(**{name: row[name] for name in VolumeStatus.__dataclass_fields__})


def _refuse_quota(quota_bytes: int | None) -> None:
    if quota_bytes is not None and not SMALLEST_QUOTA <= quota_bytes < 2**62:
        raise BadInput("quota-out-of-range", "A quota is at least 100 MB.")
