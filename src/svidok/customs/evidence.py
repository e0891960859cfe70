"""Gather what is known of a procedure's footage, reads and scans, for `completeness.check`. Decides nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.coverage import within
from svidok.bodyworn.gathering import CoveredShift, covered_shifts
from svidok.bodyworn.model import Coverage
from svidok.customs.checkpoints import SQL
from svidok.customs.completeness import Evidence, Footage, Hole, Rules
from svidok.customs.model import VEHICLES, Procedure
from svidok.db import Row, Transaction
from svidok.fleet import registry
from svidok.plates import search
from svidok.recording.timeline import timeline

_AROUND = timedelta(minutes=30)


def worn_by(tx: Transaction, badges: Sequence[str], span: Span, *, at: datetime) -> dict[str, list[CoveredShift]]:
    """The shifts of these officers that touch a span, by badge; an officer who is on none is left out."""
    found: dict[str, list[CoveredShift]] = {}
    for row in tx.all(SQL["officers_by_badge"], badges=list(badges)):
        shifts = covered_shifts(tx, span, at=at, officer_id=row["id"])
        if shifts:
            found[row["badge"]] = shifts
    return found


def rules_of(tx: Transaction, row: Row) -> Rules:
    """What the checkpoint of a procedure promises; `row` as `procedures.one` reads it."""
    channels = [one["channel_id"] for one in tx.all(SQL["channels_of_lane"], lane_id=row["lane_id"])]
    return Rules(
        body_due=row["body_due"], plates_due=row["plates_due"], upload_within=row["upload_within"],
        lane_channels=tuple(channels), scan_within=row["scan_within"],
    )  # fmt: skip


def gather(tx: Transaction, procedure: Procedure, rules: Rules, *, at: datetime) -> Evidence:
    """All that is known of a procedure that has ended."""
    span = procedure.span
    if span is None:
        return Evidence(worn={}, lane={}, reads=(), scans=0)
    worn = worn_by(tx, procedure.told.officers, span, at=at) if rules.body_due else {}
    scans = tx.one(SQL["count_scans"], procedure_id=procedure.id)
    return Evidence(
        worn={badge: worn_footage([one.coverage for one in found], span) for badge, found in worn.items()},
        lane={channel: lane_footage(tx, channel, span) for channel in rules.lane_channels},
        reads=[one for one, _ in reads_of(tx, procedure)] if rules.plates_due else (),
        scans=scans["kept"],
        scans_aside=scans["aside"],
    )


def worn_footage(found: Sequence[Coverage], span: Span) -> Footage:
    """What worn cameras have of a procedure. A declared pause is a cause; it fills no hole."""
    parts = [within(one, span) for one in found]
    holes = tuple(
        Hole(
            span=gap.span, cause="paused" if gap.paused else str(gap.cause), detail=gap.detail,
            footage=gap.has_footage,
        )
        for part in parts
        for gap in part.gaps
    )  # fmt: skip
    return Footage(covered=tuple(one.span for part in parts for one in part.stretches), holes=holes)


def lane_footage(tx: Transaction, channel_id: UUID, span: Span) -> Footage:
    """What a fixed camera has of a procedure."""
    told = timeline(tx, channel_id, span)
    holes = tuple(
        Hole(span=Span(gap.start_at, max(gap.start_at, min(gap.end_at or span.end, span.end))), cause=str(gap.reason),
             detail=gap.detail)
        for gap in told.gaps
        if gap.start_at < span.end
    )  # fmt: skip
    return Footage(covered=tuple(one.span for one in told.recorded), holes=holes)


def reads_of(tx: Transaction, procedure: Procedure) -> list[tuple[datetime, UUID]]:
    """When the plate of a procedure was read at its checkpoint, and by which camera; in the order of time."""
    span, told = procedure.span, procedure.told
    if span is None or told.plate is None or told.kind not in VEHICLES:
        return []
    channels = [one["channel_id"] for one in tx.all(SQL["channels_of_checkpoint"], id=procedure.checkpoint_id)]
    cameras = {row["camera_id"] for row in registry.cameras_of_channels(tx, channels).values()}
    if not cameras:
        return []
    around = Span((told.queued_at or span.start) - _AROUND, span.end + _AROUND)
    where = search.Where(span=around, cameras=tuple(sorted(cameras, key=str)))
    found, cursor = list[tuple[datetime, UUID]](), None
    while True:
        page = search.passing(tx, where, cursor=cursor, limit=search.MAX_PAGE)
        found += [(one.taken_at, one.camera_id) for one in page.reads if one.plate == told.plate]
        if page.after is None:
            return sorted(found)
        cursor = page.after
