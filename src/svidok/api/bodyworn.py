"""Worn cameras behind the door: the dock's screen, shifts with their coverage, pauses, docks, counts.

Nothing here deletes, and nothing changes what was recorded. The dock's screen
shows badges and no names; whatever names an officer needs a purpose.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.params import QueryParameter

from svidok.access import Actor
from svidok.api.door import Shows, guarded
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput, Conflict, Forbidden, Unavailable
from svidok.bodyworn import docks, gathering, inventory, issuing
from svidok.bodyworn.gathering import CoveredShift
from svidok.bodyworn.model import PauseKind, Service
from svidok.db import Row
from svidok.recording.timeline import asked_span

From = Annotated[datetime, QueryParameter(name="from")]
To = Annotated[datetime, QueryParameter(name="to")]
_LONGEST = timedelta(days=8)
_LATE = timedelta(hours=12)  # a screen without a link may keep what was done this long
_OWN_BASIS = "An officer sees their own shifts (LED art. 14)"


class IssueIn(msgspec.Struct):
    """Who takes, returns or swaps which camera. `at`: when, where the screen had no link."""

    camera: str
    badge: str = ""
    why: str = ""
    at: datetime | None = None


class GapOut(msgspec.Struct):
    """Time that is not covered."""

    start: datetime
    end: datetime
    cause: str
    detail: str
    footage: bool
    paused: str | None


class StretchOut(msgspec.Struct):
    """Footage that can be played."""

    start: datetime
    end: datetime
    channel_id: UUID


class ShiftOut(msgspec.Struct):
    """A shift with what of it is covered; times in milliseconds."""

    id: UUID
    badge: str
    name: str
    service: str
    checkpoint: str
    start: datetime
    end: datetime
    cameras: list[str]
    required_ms: int
    covered_ms: int
    missing_ms: int
    paused_ms: int
    impaired_ms: int
    awaited_ms: int
    stretches: list[StretchOut]
    gaps: list[GapOut]


class OfficerIn(msgspec.Struct):
    """A new officer."""

    badge: str
    name: str
    service: Service
    card: str = ""
    account_id: UUID | None = None


class SpanIn(msgspec.Struct):
    """From when to when."""

    start: datetime
    end: datetime


class ShiftIn(msgspec.Struct):
    """A shift to be planned."""

    officer_id: UUID
    checkpoint: str
    start: datetime
    end: datetime
    duties: list[SpanIn] = []


class PauseIn(msgspec.Struct):
    """A lawful pause that somebody declares."""

    start: datetime
    end: datetime
    kind: PauseKind
    reason: str


class PackIn(msgspec.Struct):
    """What the law lets a service do."""

    retention_class: str
    legal_basis: str
    pause_kinds: list[PauseKind] = []
    hold_reasons: list[str] = []


class DockIn(msgspec.Struct):
    """A dock to be made."""

    name: str
    checkpoint: str


class CameraIn(msgspec.Struct):
    """A camera of the fleet that is worn from now on."""

    number: str
    serial: str
    service: Service
    checkpoint: str


@get("/api/worn/board", **guarded("view_docks"), sync_to_thread=True)
def board(services: Services, checkpoint: str | None = None) -> list[dict[str, Any]]:
    """Every worn camera: where it is, whose badge has it, how it fares, whether it may be wiped."""
    with services.database.transaction() as tx:
        rows = tx.all(gathering.SQL["board"], checkpoint=checkpoint)
    return [_on_board(row, services.clock.now()) for row in rows]


@get("/api/worn/badge", **guarded("use_dock"), sync_to_thread=True)
def badge(services: Services, code: str) -> dict[str, str | None]:
    """Whose badge, card or QR code this is, as a badge number, and which camera that badge has."""
    with services.database.transaction() as tx:
        officer = issuing.find_officer(tx, code)
        has = tx.maybe(issuing.SQL["open_issue_of_officer"], officer_id=officer["id"])
    return {"badge": officer["badge"], "camera": has["number"] if has else None}


@post("/api/worn/issue", **guarded("use_dock"), sync_to_thread=True)
def issue(services: Services, actor: Actor, data: IssueIn) -> dict[str, Any]:
    """Hand out a camera."""
    with services.database.transaction() as tx:
        done = issuing.issue(tx, actor=actor, badge=data.badge, camera=data.camera, at=_at(services, data.at))
    return {"number": done.number, "badge": done.badge, "warnings": list(done.warnings)}


@post("/api/worn/return", **guarded("use_dock"), sync_to_thread=True)
def take_back(services: Services, actor: Actor, data: IssueIn) -> dict[str, Any]:
    """A camera comes back."""
    with services.database.transaction() as tx:
        issuing.take_back(tx, actor=actor, camera=data.camera, at=_at(services, data.at), why=data.why)
    return {"number": data.camera}


@post("/api/worn/swap", **guarded("use_dock"), sync_to_thread=True)
def swap(services: Services, actor: Actor, data: IssueIn) -> dict[str, Any]:
    """An officer takes another camera."""
    with services.database.transaction() as tx:
        at = _at(services, data.at)
        done = issuing.swap(tx, actor=actor, badge=data.badge, camera=data.camera, why=data.why, at=at)
    return {"number": done.number, "badge": done.badge, "warnings": list(done.warnings)}


@get("/api/worn/shifts", **guarded("view_shifts", shows=Shows.PERSONAL), sync_to_thread=True)
def shifts(services: Services, start: From, end: To, checkpoint: str | None = None) -> list[ShiftOut]:
    """Shifts that touch a span, with their coverage."""
    span = asked_span(start, end, longest=_LONGEST)
    with services.database.transaction() as tx:
        found = gathering.covered_shifts(tx, span, at=services.clock.now(), checkpoint=checkpoint)
    return [_shift(one) for one in found]


@get("/api/worn/shifts/{shift_id:uuid}", **guarded("view_shifts", shows=Shows.PERSONAL), sync_to_thread=True)
def one_shift(services: Services, shift_id: UUID) -> ShiftOut:
    """One shift with its coverage."""
    with services.database.transaction() as tx:
        return _shift(gathering.covered_shift(tx, shift_id, at=services.clock.now()))


@get("/api/worn/my-shifts", **guarded("view_own_shifts", recorded=True, legal_basis=_OWN_BASIS), sync_to_thread=True)
def my_shifts(services: Services, actor: Actor, start: From, end: To) -> list[ShiftOut]:
    """The shifts of whoever asks."""
    span = asked_span(start, end, longest=_LONGEST)
    with services.database.transaction() as tx:
        officer = tx.maybe(gathering.SQL["officer_by_account"], account_id=actor.id)
        if officer is None:
            return []
        found = gathering.covered_shifts(tx, span, at=services.clock.now(), officer_id=officer["id"])
    return [_shift(one) for one in found]


@post("/api/worn/shifts", **guarded("manage_shifts"), sync_to_thread=True)
def plan(services: Services, actor: Actor, data: ShiftIn) -> dict[str, UUID]:
    """Plan a shift."""
    duties = [asked_span(one.start, one.end, longest=_LONGEST) for one in data.duties]
    with services.database.transaction() as tx:
        shift_id = issuing.plan_shift(
            tx, actor=actor, officer_id=data.officer_id, checkpoint=data.checkpoint, at=services.clock.now(),
            span=asked_span(data.start, data.end, longest=_LONGEST), duties=duties,
        )  # fmt: skip
    return {"id": shift_id}


@post("/api/worn/shifts/{shift_id:uuid}/pauses", **guarded("declare_pause"), sync_to_thread=True)
def pause(services: Services, actor: Actor, shift_id: UUID, data: PauseIn) -> dict[str, UUID]:
    """Declare a lawful pause: of one's own shift, or of anybody's for whoever leads shifts."""
    with services.database.transaction() as tx:
        shift = tx.one(gathering.SQL["shift_by_id"], id=shift_id)
        own = tx.maybe(gathering.SQL["officer_by_account"], account_id=actor.id)
        if "supervisor" not in actor.roles and (own is None or own["id"] != shift["officer_id"]):
            raise Forbidden("not-your-shift", "You may declare pauses of your own shifts.")
        pause_id = issuing.declare_pause(
            tx, actor=actor, shift_id=shift_id, kind=data.kind, reason=data.reason, at=services.clock.now(),
            span=asked_span(data.start, data.end, longest=_LONGEST),
        )  # fmt: skip
    return {"id": pause_id}


@get("/api/worn/officers", **guarded("manage_shifts", shows=Shows.PERSONAL), sync_to_thread=True)
def officers(services: Services) -> list[Row]:
    """Every officer who may wear a camera."""
    with services.database.transaction() as tx:
        return tx.all(gathering.SQL["officers"])


@post("/api/worn/officers", **guarded("manage_shifts"), sync_to_thread=True)
def add_officer(services: Services, actor: Actor, data: OfficerIn) -> dict[str, UUID]:
    """Enter an officer."""
    with services.database.transaction() as tx:
        officer_id = issuing.add_officer(
            tx, actor=actor, badge=data.badge, name=data.name, service=data.service, card=data.card,
            account_id=data.account_id, at=services.clock.now(),
        )  # fmt: skip
    return {"id": officer_id}


@post("/api/worn/cameras", **guarded("edit_fleet"), sync_to_thread=True)
def enrol(services: Services, actor: Actor, data: CameraIn) -> dict[str, UUID]:
    """Take a body-worn camera of the fleet into use."""
    with services.database.transaction() as tx:
        camera_id = issuing.enrol_camera(
            tx, actor=actor, number=data.number, serial=data.serial, service=data.service, checkpoint=data.checkpoint,
            at=services.clock.now(),
        )  # fmt: skip
    return {"id": camera_id}


@get("/api/worn/packs", **guarded("view_docks"), sync_to_thread=True)
def packs(services: Services) -> list[Row]:
    """What the law lets each service do."""
    with services.database.transaction() as tx:
        return tx.all(gathering.SQL["packs"])


@put("/api/worn/packs/{service:str}", **guarded("manage_retention"), sync_to_thread=True)
def set_pack(services: Services, actor: Actor, service: str, data: PackIn) -> dict[str, str]:
    """Say what the law lets a service do."""
    if service not in set(Service):
        raise BadInput("service-unknown", f"The service is one of {', '.join(Service)}.")
    with services.database.transaction() as tx:
        issuing.set_pack(
            tx, actor=actor, service=Service(service), retention_class=data.retention_class,
            legal_basis=data.legal_basis, pause_kinds=data.pause_kinds, hold_reasons=data.hold_reasons,
            at=services.clock.now(),
        )  # fmt: skip
    return {"service": service}


@get("/api/worn/docks", **guarded("view_docks"), sync_to_thread=True)
def list_docks(services: Services) -> list[Row]:
    """Every dock."""
    with services.database.transaction() as tx:
        return tx.all(docks.SQL["docks"])


@post("/api/worn/docks", **guarded("manage_docks"), sync_to_thread=True)
def make_dock(services: Services, actor: Actor, data: DockIn) -> Response[bytes]:
    """Make a dock; its connection file, told once."""
    with services.database.transaction() as tx:
        made = docks.make_dock(tx, actor=actor, name=data.name, checkpoint=data.checkpoint, at=services.clock.now())
        return _connection(services, made)


@post("/api/worn/docks/{dock_id:uuid}/renew", **guarded("manage_docks"), sync_to_thread=True)
def renew_dock(services: Services, actor: Actor, dock_id: UUID) -> Response[bytes]:
    """Another connection file for a dock; the old one is worthless."""
    with services.database.transaction() as tx:
        return _connection(services, docks.renew_secret(tx, actor=actor, dock_id=dock_id, at=services.clock.now()))


@get("/api/worn/inventory", **guarded("view_inventory"), sync_to_thread=True)
def inventories(services: Services) -> list[dict[str, Any]]:
    """The latest counts as they were stated."""
    with services.database.transaction() as tx:
        rows = inventory.latest(tx)
    return [{"id": row["id"], "at": row["at"], "shortfall": row["shortfall"], **row["statement"]} for row in rows]


@post("/api/worn/inventory", **guarded("take_inventory"), sync_to_thread=True)
def count(services: Services, actor: Actor) -> dict[str, UUID]:
    """Count everything now, every file read again; a job."""
    worn = services.worn
    if worn is None:
        raise Unavailable("no-worn-volumes", "This machine keeps no footage of worn cameras.")

    def work(_progress: Progress) -> dict[str, Any]:
        inventory_id, made = inventory.demand(services.database, worn.vault, actor=actor, at=services.clock.now())
        return {"inventory": str(inventory_id), "shortfall": made.shortfall}

    return {"job": services.jobs.start("worn-inventory", actor.id, work)}


def _connection(services: Services, made: docks.NewDock) -> Response[bytes]:
    worn = services.worn
    if worn is None:
        raise Conflict("dock-door-closed", "Set dock_port, so that docks have a door, then make the file again.")
    data = docks.connection_file(
        made, origin=worn.origin, certificates=[worn.keys.certificate_der()], key_id=worn.keys.content_key_id(),
        public_key_pem=worn.keys.content_public_pem(), version=services.version,
    )  # fmt: skip
    return Response(
        data, media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="svidok-connection.json"', "Cache-Control": "no-store"},
    )  # fmt: skip


def _at(services: Services, given: datetime | None) -> datetime:
    """When something was done: now, or when a screen without a link says, within `_LATE`."""
    now = services.clock.now()
    if given is None:
        return now
    if given.tzinfo is None or not now - _LATE <= given <= now + timedelta(minutes=2):
        raise BadInput("too-late-to-enter", "This was done too long ago. Ask the shift leader to enter it.")
    return min(given, now)


def _on_board(row: Row, at: datetime) -> dict[str, Any]:
    clock_ms = row["clock_offset_ms"]
    coming = row["missing"] if gathering.is_sending(row["last_sent_at"], at) else 0
    return {
        "camera_id": row["camera_id"], "channel_id": row["channel_id"], "number": row["number"],
        "checkpoint": row["checkpoint"], "service": row["service"], "firmware": row["firmware"],
        "battery_pct": row["battery_pct"], "storage_pct": row["storage_pct"],
        "clock_wrong": clock_ms is not None and abs(clock_ms) >= 2000, "docked_at": row["docked_at"],
        "seen_at": row["seen_at"], "badge": row["badge"], "issued_at": row["issued_at"],
        "uploading": row["unsafe"] + coming, "missing": row["missing"] - coming, "last_clip_at": row["last_clip_at"],
        "safe_to_wipe": row["docked_at"] is not None and row["unsafe"] == 0 and row["missing"] == 0,
    }  # fmt: skip


def _shift(one: CoveredShift) -> ShiftOut:
    cover = one.coverage
    return ShiftOut(
        id=one.shift.id, badge=one.badge, name=one.name, service=str(one.shift.service),
        checkpoint=one.shift.checkpoint, start=one.shift.span.start, end=one.shift.span.end,
        cameras=list(one.cameras), required_ms=_ms(cover.required_time), covered_ms=_ms(cover.covered_time),
        missing_ms=_ms(cover.missing_time), paused_ms=_ms(cover.paused_time), impaired_ms=_ms(cover.impaired_time),
        awaited_ms=_ms(cover.awaited_time),
        stretches=_stretches(one),
        gaps=[
            GapOut(start=gap.span.start, end=gap.span.end, cause=str(gap.cause), detail=gap.detail,
                   footage=gap.has_footage, paused=str(gap.paused) if gap.paused else None)
            for gap in cover.gaps
        ],
    )  # fmt: skip


def _stretches(one: CoveredShift) -> list[StretchOut]:
    """Footage by camera, neighbours within a second joined: what a picture of the shift needs."""
    told: list[StretchOut] = []
    for part in one.coverage.stretches:
        last = told[-1] if told else None
        if (
            last is not None
            and last.channel_id == part.channel_id
            and part.span.start - last.end < timedelta(seconds=1)
        ):
            last.end = max(last.end, part.span.end)
        else:
            told.append(StretchOut(start=part.span.start, end=part.span.end, channel_id=part.channel_id))
    return told


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


ROUTES: list[Any] = [
    board, badge, issue, take_back, swap, shifts, one_shift, my_shifts, plan, pause, officers, add_officer, enrol,
    packs, set_pack, list_docks, make_dock, renew_dock, inventories, count,
]  # fmt: skip
