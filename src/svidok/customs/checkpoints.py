"""The register: checkpoints, their lanes, and which cameras should see a lane; and the systems that tell us of work.

A source's secret is 256 random bits, shown once and kept as its SHA-256, which
needs no salt at that strength.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg.errors

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound, SvidokError, new_id
from svidok.db import Queries, Row, Transaction
from svidok.fleet import registry

SQL = Queries.of("svidok.customs")
_PREFIX = "svc_"  # so that a secret which leaks is recognised for what it is


class NotKnown(SvidokError):
    """The secret is nobody's, or no longer."""

    status = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A system that may tell us of procedures or bring scans; for all checkpoints where none is named."""

    id: UUID
    name: str
    checkpoints: frozenset[UUID] | None

    def speaks_for(self, checkpoint_id: UUID) -> bool:
        """Whether it may tell of this checkpoint."""
        return self.checkpoints is None or checkpoint_id in self.checkpoints


def add_checkpoint(
    tx: Transaction,
    *,
    actor: Actor,
    code: str,
    name_uk: str,
    name_en: str,
    plates_due: bool,
    body_due: bool,
    upload_within: timedelta,
    at: datetime,
    scan_within: timedelta = timedelta(hours=1),
) -> UUID:
    """Enter a checkpoint. `upload_within`, `scan_within`: until when a worn camera's footage and a scan may come."""
    require(actor, "manage_customs")
    if not 1 <= len(code.strip()) <= 32 or not 1 <= len(name_uk.strip()) <= 200:
        raise BadInput("checkpoint-form", "A checkpoint needs a code of at most 32 characters and a name.")
    if not timedelta(minutes=5) <= upload_within <= timedelta(days=7):
        raise BadInput("checkpoint-upload", "The time for docking a camera is between five minutes and seven days.")
    if not timedelta(minutes=1) <= scan_within <= timedelta(days=7):
        raise BadInput("checkpoint-scan", "The time for a scan to come is between a minute and seven days.")
    checkpoint_id = new_id()
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_checkpoint"], id=checkpoint_id, code=code.strip(), name_uk=name_uk.strip(),
                name_en=name_en.strip(), plates_due=plates_due, body_due=body_due, upload_within=upload_within,
                scan_within=scan_within, at=at,
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("checkpoint-known", "There is a checkpoint with this code already.") from error
    _write_down(tx, actor, at, checkpoint=code.strip())
    return checkpoint_id


def add_lane(
    tx: Transaction, *, actor: Actor, checkpoint_id: UUID, code: str, name_uk: str, name_en: str, at: datetime
) -> UUID:
    """Enter a lane of a checkpoint."""
    require(actor, "manage_customs")
    if not 1 <= len(code.strip()) <= 32 or not 1 <= len(name_uk.strip()) <= 200:
        raise BadInput("lane-form", "A lane needs a code of at most 32 characters and a name.")
    tx.one(SQL["checkpoint_by_id"], id=checkpoint_id)
    lane_id = new_id()
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_lane"], id=lane_id, checkpoint_id=checkpoint_id, code=code.strip(), name_uk=name_uk.strip(),
                name_en=name_en.strip(),
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("lane-known", "This checkpoint has a lane with this code already.") from error
    _write_down(tx, actor, at, checkpoint=str(checkpoint_id), lane=code.strip())
    return lane_id


def set_lane_cameras(tx: Transaction, *, actor: Actor, lane_id: UUID, channel_ids: list[UUID], at: datetime) -> None:
    """Say which channels should see a lane from now on."""
    require(actor, "manage_customs")
    tx.one(SQL["lane_by_id"], id=lane_id)
    unknown = set(channel_ids) - set(registry.cameras_of_channels(tx, channel_ids))
    if unknown:
        raise BadInput("channel-unknown", "The fleet knows no such channel.", channel=str(next(iter(unknown))))
    tx.run(SQL["forget_lane_cameras"], lane_id=lane_id)
    tx.run_many(SQL["add_lane_camera"], [{"lane_id": lane_id, "channel_id": one} for one in set(channel_ids)])
    _write_down(tx, actor, at, lane=str(lane_id), channels=", ".join(map(str, channel_ids)))


def checkpoints(tx: Transaction) -> list[Row]:
    """Every checkpoint, with its lanes and their channels."""
    rows = tx.all(SQL["checkpoints"])
    lanes = tx.all(SQL["lanes"])
    for row in rows:
        row["lanes"] = [lane for lane in lanes if lane["checkpoint_id"] == row["id"]]
    return rows


def lane_cameras(tx: Transaction) -> dict[UUID, str]:
    """The numbers of the cameras that should see some lane, by channel."""
    channels = [one for row in tx.all(SQL["lanes"]) for one in row["channels"]]
    return {channel: row["number"] for channel, row in registry.cameras_of_channels(tx, channels).items()}


def checkpoint(tx: Transaction, checkpoint_id: UUID) -> Row:
    """One checkpoint; `NotFound` where there is none."""
    return tx.one(SQL["checkpoint_by_id"], id=checkpoint_id)


def add_source(
    tx: Transaction, *, actor: Actor, name: str, checkpoints: list[UUID] | None, at: datetime
) -> tuple[UUID, str]:
    """Let a system in: its id, and its secret, which is told this once."""
    require(actor, "manage_customs")
    if not 1 <= len(name.strip()) <= 80:
        raise BadInput("source-name", "A source needs a name of at most 80 characters.")
    source_id, secret = new_id(), _PREFIX + secrets.token_urlsafe(32)
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_source"], id=source_id, name=name.strip(), secret=_hash(secret), checkpoints=checkpoints,
                by=actor.id, at=at,
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("source-known", "There is a source with this name already.") from error
    _write_down(tx, actor, at, source=name.strip())
    return source_id, secret


def end_source(tx: Transaction, *, actor: Actor, source_id: UUID, at: datetime) -> None:
    """Its secret opens nothing any more; what it told stays."""
    require(actor, "manage_customs")
    if not tx.run(SQL["end_source"], id=source_id, at=at):
        raise NotFound("source-not-there", "There is no source with this id that still works.")
    _write_down(tx, actor, at, source_ended=str(source_id))


def sources(tx: Transaction) -> list[Row]:
    """The sources; never their secrets."""
    return tx.all(SQL["sources"])


def source_of(tx: Transaction, secret: str, *, at: datetime) -> Source:
    """Whose secret this is. Raises `NotKnown`."""
    row = tx.maybe(SQL["source_by_secret"], secret=_hash(secret), at=at) if secret else None
    if row is None:
        raise NotKnown("source-unknown", "Send the secret of a source: Authorization: Bearer svc_…")
    return source(row)


def source(row: Row) -> Source:
    """A source from its row."""
    named = row["checkpoints"]
    return Source(id=row["id"], name=row["name"], checkpoints=frozenset(named) if named is not None else None)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _write_down(tx: Transaction, actor: Actor, at: datetime, **what: str) -> None:
    audit.record(tx, actor=actor, action="manage_customs", at=at, to_whom="", what=dict(what))
