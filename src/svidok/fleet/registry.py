"""The register of cameras: what to record, who they are, how their state changes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, new_id
from svidok.db import Queries, Row, Transaction
from svidok.fleet.credentials import Safe
from svidok.fleet.model import PX_M_CLASSES, RECORDED_IN, Life, RecordedStream, may_become

SQL = Queries.of("svidok.fleet")


def streams_to_record(tx: Transaction, safe: Safe) -> list[RecordedStream]:
    """Every stream that a recorder should know, with its login opened. Makers on the deny list are left out."""
    denied = {maker for maker, verdict in maker_policy(tx).items() if verdict == "deny"}
    found = []
    for row in tx.all(SQL["streams_to_record"], lives=[str(life) for life in RECORDED_IN]):
        if row["maker"] in denied:
            continue
        username, password = safe.open(row["camera_id"], row["sealed_login"])
        found.append(
            RecordedStream(
                channel_id=row["channel_id"], stream_id=row["stream_id"], camera_id=row["camera_id"],
                role=row["role"], url=row["url"], username=username, password=password,
                tls_verify=row["tls_verify"], retention_class=row["retention_class"],
            )
        )  # fmt: skip
    return found


def retention_classes(tx: Transaction, channel_id: UUID | None = None) -> dict[UUID, str]:
    """The retention class of one channel, or of all."""
    return {
        row["channel_id"]: row["retention_class"] for row in tx.all(SQL["retention_classes"], channel_id=channel_id)
    }


def maker_policy(tx: Transaction) -> dict[str, str]:
    """Makers by lower-case name: deny, isolate or allow."""
    row = tx.maybe(SQL["policy"], key="makers")
    return {str(maker).lower(): str(verdict) for maker, verdict in (row["value"] if row else {}).items()}


def change_life(tx: Transaction, *, actor: Actor, camera_id: UUID, to: Life, reason: str, at: datetime) -> None:
    """A person says that a camera is in another state from `at` on, and why."""
    require(actor, "edit_fleet")
    if len(reason.strip()) < 3:
        raise BadInput("reason-needed", "Say why the state changes.")
    row = tx.one(SQL["camera_by_id"], id=camera_id)
    if not may_become(Life(row["life"]), to):
        raise Conflict("life-not-so", f"A camera that is {row['life']} cannot become {to}.", before=row["life"])
    tx.run(SQL["set_life"], camera_id=camera_id, after=str(to), at=at, reason=reason.strip())
    tx.run(
        SQL["add_life_change"], id=new_id(), camera_id=camera_id, before=row["life"], after=str(to), at=at,
        reason=reason.strip(), actor_id=actor.id,
    )  # fmt: skip
    audit.record(
        tx, actor=actor, action="edit_fleet", at=at, to_whom="",
        what={"camera": str(camera_id), "from": row["life"], "to": str(to)},
    )  # fmt: skip


_CHANGEABLE = ("name_uk", "name_en", "lat", "lon", "heading_deg", "fov_deg", "px_m_class", "lawful_basis",
               "retention_class")  # fmt: skip


def change_camera(tx: Transaction, *, actor: Actor, camera_id: UUID, changes: dict[str, Any], at: datetime) -> None:
    """Change what a person may change of a camera."""
    require(actor, "edit_fleet")
    unknown = set(changes) - set(_CHANGEABLE)
    if unknown:
        raise BadInput("field-unknown", f"This cannot be changed: {', '.join(sorted(unknown))}.")
    if changes.get("px_m_class") not in (None, *PX_M_CLASSES):
        raise BadInput("px-m-class-unknown", f"The px/m class is one of {', '.join(PX_M_CLASSES)}.")
    row = tx.one(SQL["camera_by_id"], id=camera_id)
    tx.run(SQL["change_camera"], id=camera_id, **{name: changes.get(name, row[name]) for name in _CHANGEABLE})
    audit.record(
        tx, actor=actor, action="edit_fleet", at=at, to_whom="",
        what={"camera": str(camera_id), "changed": ", ".join(sorted(changes))},
    )  # fmt: skip


def set_login(
    tx: Transaction, safe: Safe, *, actor: Actor, camera_id: UUID, username: str, password: str, at: datetime
) -> None:
    """Keep a camera's login, sealed."""
    require(actor, "edit_fleet")
    tx.one(SQL["camera_by_id"], id=camera_id)
    tx.run(SQL["set_login"], camera_id=camera_id, sealed=safe.seal(camera_id, username, password))
    audit.record(
        tx, actor=actor, action="edit_fleet", at=at, to_whom="", what={"camera": str(camera_id), "login": "set"}
    )


def camera(tx: Transaction, camera_id: UUID) -> Row:
    """One camera; `NotFound` where there is none. Its sealed login is left out."""
    row = tx.one(SQL["camera_by_id"], id=camera_id)
    del row["sealed_login"]
    return row


def cameras_of_channels(tx: Transaction, channel_ids: list[UUID]) -> dict[UUID, Row]:
    """For each channel that the fleet knows: the id, number and names of its camera."""
    return {row["channel_id"]: row for row in tx.all(SQL["cameras_of_channels"], ids=channel_ids)}


def streams_of(tx: Transaction, camera_ids: list[UUID]) -> dict[UUID, list[Row]]:
    """Channels and streams by camera."""
    found: dict[UUID, list[Row]] = {camera_id: [] for camera_id in camera_ids}
    for row in tx.all(SQL["streams_of"], ids=camera_ids):
        found[row["camera_id"]].append(row)
    return found
