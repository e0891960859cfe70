"""Who wears which camera: officers, shifts, issue, return, swap. A camera is in one pair of hands, or in the dock.

An officer is known by a badge number, or by what their card or QR code says;
of the latter only a hash is kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound, Span, new_id
from svidok.bodyworn.announcing import add_events
from svidok.bodyworn.model import DeviceEventKind, Pause, PauseKind, Service, Shift
from svidok.db import Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text

SQL = Queries.of("svidok.bodyworn")
CAMERA_ISSUED = "worn.camera-issued"
CAMERA_RETURNED = "worn.camera-returned"
PAUSE_DECLARED = "worn.pause-declared"
EARLY = timedelta(hours=2)  # a camera may be fetched this long before the shift begins
_LONGEST_SHIFT = timedelta(hours=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an issue came to; `warnings` are for the officer to read, and stop nothing."""

    issue_id: UUID
    number: str
    badge: str
    warnings: tuple[str, ...]


def set_pack(
    tx: Transaction, *, actor: Actor, service: Service, retention_class: str, legal_basis: str,
    pause_kinds: Sequence[PauseKind], hold_reasons: Sequence[str], at: datetime,
) -> None:  # fmt: skip
    """Say what the law lets a service do. How long footage is kept is a retention rule of `retention_class`."""
    require(actor, "manage_retention")
    if len(legal_basis.strip()) < 5 or not retention_class.strip():
        raise BadInput("pack-basis-needed", "Name the law and the retention class of this service.")
    tx.run(
        SQL["set_pack"], service=str(service), retention_class=retention_class.strip(), legal_basis=legal_basis.strip(),
        pause_kinds=[str(kind) for kind in pause_kinds], hold_reasons=list(hold_reasons), by=actor.id, at=at,
    )  # fmt: skip
    audit.record(
        tx, actor=actor, action="manage_retention", what={"pack": str(service)}, at=at, to_whom="",
        legal_basis=legal_basis.strip(),
    )  # fmt: skip


def enrol_camera(
    tx: Transaction, *, actor: Actor, number: str, serial: str, service: Service, checkpoint: str, at: datetime
) -> UUID:
    """Take a body-worn camera of the fleet into use; its id."""
    require(actor, "edit_fleet")
    row = tx.maybe(SQL["fleet_camera"], number=number)
    if row is None or row["kind"] != "body_worn":
        raise BadInput("worn-camera-not-in-fleet", "Import the camera into the fleet as body_worn first.")
    pack = _pack(tx, service)
    other = tx.maybe(SQL["device_by_serial"], serial=serial.strip())
    if not serial.strip() or (other is not None and other["camera_id"] != row["id"]):
        raise BadInput("serial-taken", "Give the serial number of this camera; no other may have it.")
    tx.run(
        SQL["enrol_device"], camera_id=row["id"], channel_id=row["channel_id"], number=number, serial=serial.strip(),
        service=str(service), checkpoint=checkpoint.strip(), model=row["model"], firmware=row["firmware"],
    )  # fmt: skip
    tx.run(SQL["set_retention_class"], camera_id=row["id"], retention_class=pack["retention_class"])
    audit.record(tx, actor=actor, action="edit_fleet", what={"worn": str(row["id"])}, at=at, to_whom="")
    camera_id: UUID = row["id"]
    return camera_id


def add_officer(
    tx: Transaction, *, actor: Actor, badge: str, name: str, service: Service, at: datetime, card: str = "",
    account_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Enter an officer; their id. Raises `BadInput` where the badge is taken or empty."""
    require(actor, "manage_shifts")
    if not badge.strip() or not name.strip():
        raise BadInput("officer-badge-needed", "Give the officer's badge number and name.")
    if tx.maybe(SQL["officer_by_badge"], badge=badge.strip(), card=_card(card)):
        raise BadInput("officer-badge-taken", "Another officer has this badge or card.")
    officer_id = new_id()
    tx.run(
        SQL["add_officer"], id=officer_id, badge=badge.strip(), card=_card(card), name=name.strip(),
        service=str(service), account_id=account_id,
    )  # fmt: skip
    audit.record(tx, actor=actor, action="manage_shifts", what={"officer": str(officer_id)}, at=at, to_whom="")
    return officer_id


def plan_shift(
    tx: Transaction, *, actor: Actor, officer_id: UUID, checkpoint: str, span: Span, at: datetime,
    duties: Sequence[Span] = (),
) -> UUID:  # fmt: skip
    """Plan a shift; its id. `duties` are when footage must exist, all of it where none is named."""
    require(actor, "manage_shifts")
    officer = tx.one(SQL["officer_by_id"], id=officer_id)
    _pack(tx, Service(officer["service"]))
    if not timedelta() < span.duration <= _LONGEST_SHIFT:
        raise BadInput("shift-length", "A shift ends after it begins, within 36 hours.")
    if tx.maybe(SQL["overlapping_shift"], officer_id=officer_id, start_at=span.start, end_at=span.end):
        raise Conflict("shift-overlaps", "This officer has another shift at that time. Change or choose another time.")
    if any(duty.start < span.start or duty.end > span.end for duty in duties):
        raise BadInput("duty-outside-shift", "Footage can be asked for within the shift only.")
    shift_id = new_id()
    tx.run(
        SQL["add_shift"], id=shift_id, officer_id=officer_id, service=officer["service"],
        checkpoint=checkpoint.strip(), start_at=span.start, end_at=span.end, at=at,
    )  # fmt: skip
    for duty in duties:
        tx.run(SQL["add_duty"], shift_id=shift_id, start_at=duty.start, end_at=duty.end)
    audit.record(tx, actor=actor, action="manage_shifts", what={"shift": str(shift_id)}, at=at, to_whom="")
    return shift_id


def issue(tx: Transaction, *, actor: Actor, badge: str, camera: str, at: datetime) -> Issued:
    """Hand a camera to whoever shows `badge`. Raises `Conflict` where either is not free, or no shift is near.

    The same said again, of the same instant, is answered as it was: the first answer may not have arrived.
    """
    require(actor, "use_dock")
    officer, device = find_officer(tx, badge), find_camera(tx, camera)
    _one_at_a_time(tx, officer["id"], device["camera_id"])
    has = tx.maybe(SQL["open_issue_of_officer"], officer_id=officer["id"])
    if has is not None and (has["camera_id"], has["issued_at"]) == (device["camera_id"], at):
        return Issued(issue_id=has["id"], number=device["number"], badge=officer["badge"], warnings=_warnings(device))
    if has is not None:
        raise Conflict("officer-has-camera", "You have a camera already. Return or swap it first.", has=has["number"])
    held = tx.maybe(SQL["open_issue_of_camera"], camera_id=device["camera_id"])
    if held is not None:
        raise Conflict(
            "camera-is-out",
            "This camera is with somebody else. Take another, or have it returned.",
            badge=held["badge"],
        )
    if device["service"] != officer["service"]:
        raise Conflict("camera-of-other-service", "This camera belongs to another service. Take one of yours.")
    shift = tx.maybe(SQL["shift_at"], officer_id=officer["id"], at=at, lead=EARLY)
    if shift is None:
        raise Conflict("no-shift", "No shift of yours is near. Ask the shift leader to enter it.")
    issue_id = new_id()
    tx.run(
        SQL["add_issue"], id=issue_id, shift_id=shift["id"], officer_id=officer["id"], camera_id=device["camera_id"],
        at=at,
    )  # fmt: skip
    tx.run(SQL["device_out"], camera_id=device["camera_id"])
    add_events(tx, device["camera_id"], [(at, DeviceEventKind.UNDOCKED)])
    _state(tx, CAMERA_ISSUED, issue_id, shift["id"], officer["id"], device["camera_id"], at)
    return Issued(issue_id=issue_id, number=device["number"], badge=officer["badge"], warnings=_warnings(device))


def take_back(tx: Transaction, *, actor: Actor, camera: str, at: datetime, why: str = "") -> UUID:
    """A camera comes back; the id of the issue that ends. Raises `Conflict` where nobody has it."""
    require(actor, "use_dock")
    device = find_camera(tx, camera)
    _one_at_a_time(tx, device["camera_id"])
    held = tx.maybe(SQL["open_issue_of_camera"], camera_id=device["camera_id"])
    if held is None:
        last = tx.maybe(SQL["last_issue_of_camera"], camera_id=device["camera_id"])
        if last is not None and last["returned_at"] == at:
            known: UUID = last["id"]
            return known
        raise Conflict("camera-not-out", "Nobody has this camera.")
    tx.run(SQL["end_issue"], id=held["id"], at=at, why=why)
    _state(tx, CAMERA_RETURNED, held["id"], held["shift_id"], held["officer_id"], device["camera_id"], at)
    issue_id: UUID = held["id"]
    return issue_id


def swap(tx: Transaction, *, actor: Actor, badge: str, camera: str, why: str, at: datetime) -> Issued:
    """An officer takes another camera in the middle of a shift, and says why."""
    if len(why.strip()) < 3:
        raise BadInput("swap-why", "Say why the camera is swapped: empty, broken, lost.")
    officer = find_officer(tx, badge)
    _one_at_a_time(tx, officer["id"])
    has = tx.maybe(SQL["open_issue_of_officer"], officer_id=officer["id"])
    if has is None:
        raise Conflict("officer-has-no-camera", "You have no camera to swap. Take one.")
    if has["issued_at"] == at:  # said before; the answer did not arrive
        return issue(tx, actor=actor, badge=badge, camera=camera, at=at)
    take_back(tx, actor=actor, camera=has["number"], at=at, why=why.strip())
    return issue(tx, actor=actor, badge=badge, camera=camera, at=at)


def declare_pause(
    tx: Transaction, *, actor: Actor, shift_id: UUID, span: Span, kind: PauseKind, reason: str, at: datetime
) -> UUID:
    """Say that an officer lawfully did not record. It hides no gap, and nobody takes it back."""
    require(actor, "declare_pause")
    shift = tx.one(SQL["shift_by_id"], id=shift_id)
    allowed = _pack(tx, Service(shift["service"]))["pause_kinds"]
    if str(kind) not in allowed:
        raise Conflict("pause-kind-not-lawful", "The policy pack of this service does not allow such a pause.")
    if len(reason.strip()) < 5:
        raise BadInput("pause-reason", "Say in a few words why recording was paused.")
    if span.start < shift["start_at"] or span.end > shift["end_at"] or span.start > at or not span.duration:
        raise BadInput("pause-outside-shift", "A pause lies within the shift, and has begun.")
    pause_id = new_id()
    payload: dict[str, JSON] = {
        "end": instant_text(span.end), "kind": str(kind), "reason": reason.strip(), "shift": str(shift_id),
        "start": instant_text(span.start), "said_by": str(actor.id),
    }  # fmt: skip
    entry_id = enter(tx, kind=PAUSE_DECLARED, subject=pause_id, payload=payload, at=at)
    tx.run(
        SQL["add_pause"], id=pause_id, shift_id=shift_id, start_at=span.start, end_at=span.end, kind=str(kind),
        reason=reason.strip(), by=actor.id, at=at, entry_id=entry_id,
    )  # fmt: skip
    return pause_id


def find_officer(tx: Transaction, badge: str) -> Row:
    """The officer whose badge number, card or QR code this is. Raises `NotFound`."""
    row = tx.maybe(SQL["officer_by_badge"], badge=badge.strip(), card=_card(badge))
    if row is None or not row["active"]:
        raise NotFound("badge-unknown", "No officer has this badge. Ask the shift leader.")
    return row


def find_camera(tx: Transaction, camera: str) -> Row:
    """The worn camera with this number or serial number. Raises `NotFound`."""
    row = tx.maybe(SQL["device_by_number"], number=camera.strip())
    if row is None:
        raise NotFound("worn-camera-unknown", "No worn camera has this number. Enrol it first.")
    return row


def shift_of(row: Row, duties: Sequence[Row] = ()) -> Shift:
    """A shift out of its rows."""
    span = Span(row["start_at"], row["end_at"])
    own = tuple(Span(duty["start_at"], duty["end_at"]) for duty in duties if duty["shift_id"] == row["id"])
    return Shift(
        id=row["id"], officer_id=row["officer_id"], service=Service(row["service"]), checkpoint=row["checkpoint"],
        span=span, required=own or (span,),
    )  # fmt: skip


def pause_of(row: Row) -> Pause:
    """A pause out of its row."""
    return Pause(
        id=row["id"], span=Span(row["start_at"], row["end_at"]), kind=PauseKind(row["kind"]), reason=row["reason"]
    )


def _one_at_a_time(tx: Transaction, *what: UUID) -> None:
    for one in what:
        tx.one(SQL["one_at_a_time"], what=str(one))


def _pack(tx: Transaction, service: Service) -> Row:
    row = tx.maybe(SQL["pack"], service=str(service))
    if row is None:
        raise Conflict("pack-missing", "Enter the policy pack of this service first: its law and retention class.")
    return row


def _card(text: str) -> bytes | None:
    return hashlib.sha256(text.strip().encode()).digest() if text.strip() else None


def _warnings(device: Row) -> tuple[str, ...]:
    found = []
    if device["battery_pct"] is not None and device["battery_pct"] < 30:
        found.append("battery-low")
    if device["storage_pct"] is not None and device["storage_pct"] > 80:
        found.append("storage-nearly-full")
    if device["clock_offset_ms"] is not None and abs(device["clock_offset_ms"]) >= 2000:
        found.append("clock-wrong")
    return tuple(found)


def _state(
    tx: Transaction, kind: str, issue_id: UUID, shift_id: UUID, officer_id: UUID, camera_id: UUID, at: datetime
) -> None:
    payload: dict[str, JSON] = {
        "at": instant_text(at), "camera": str(camera_id), "officer": str(officer_id), "shift": str(shift_id),
    }  # fmt: skip
    enter(tx, kind=kind, subject=issue_id, payload=payload, at=at)
