"""Everything about one procedure on one axis of time: worn cameras, lane cameras, reads, scans, steps. Reads only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.coverage import within
from svidok.bodyworn.gathering import CoveredShift
from svidok.customs import procedures, scans, worklist
from svidok.customs.checkpoints import SQL
from svidok.customs.completeness import Footage, check
from svidok.customs.evidence import gather, lane_footage, reads_of, rules_of, worn_by, worn_footage
from svidok.db import Row, Transaction
from svidok.fleet import registry

MARGIN = timedelta(minutes=2)


def of(tx: Transaction, procedure_id: UUID, *, at: datetime) -> dict[str, Any]:
    """The page of a procedure, as known at `at`."""
    row = procedures.one(tx, procedure_id)
    procedure = procedures.procedure_of(row)
    end = row["end_at"] or max(row["start_at"] + MARGIN, min(at, row["start_at"] + timedelta(hours=12)))
    span = Span(row["start_at"] - MARGIN, end + MARGIN)
    rules = rules_of(tx, row)
    found = check(procedure, rules, gather(tx, procedure, rules, at=at), at=at)
    cameras = registry.cameras_of_channels(tx, list(rules.lane_channels))
    lanes = [_lane(channel, cameras.get(channel), lane_footage(tx, channel, span)) for channel in rules.lane_channels]
    worn = worn_by(tx, procedure.told.officers, span, at=at)
    hidden = ("digest", "source_id", "delivery_id", "upload_within", "scan_within", "check_at")
    return {
        "procedure": {name: value for name, value in row.items() if name not in hidden},
        "span": {"start": span.start, "end": span.end},
        "findings": worklist.told(found),
        "missing": worklist.missing_of(tx, procedure_id),
        "lanes": lanes,
        "worn": [_worn(badge, worn.get(badge, []), span) for badge in procedure.told.officers],
        "reads": [{"at": when, "camera_id": camera} for when, camera in reads_of(tx, procedure)],
        "scans": scans.scans_of(tx, procedure_id),
        "versions": procedures.versions(tx, procedure_id),
        "complaints": tx.one(SQL["count_complaints"], id=procedure_id)["n"],
    }


def _lane(channel: UUID, camera: Row | None, footage: Footage) -> dict[str, Any]:
    named = {name: camera[name] for name in ("number", "name_uk", "name_en")} if camera else {"number": str(channel)}
    return {"channel_id": channel, "camera": named, **_told(footage)}


def _worn(badge: str, shifts: Sequence[CoveredShift], span: Span) -> dict[str, Any]:
    """An officer's cameras in a span; the channels in the order they were worn."""
    channels = [one.channel_id for shift in shifts for one in within(shift.coverage, span).stretches]
    held = [issue.channel_id for shift in shifts for issue in shift.issues]
    return {
        "badge": badge,
        "name": shifts[0].name if shifts else "",
        "channels": list(dict.fromkeys([*channels, *held])),
        "cameras": [number for shift in shifts for number in shift.cameras],
        **_told(worn_footage([shift.coverage for shift in shifts], span)),
    }


def _told(footage: Footage) -> dict[str, Any]:
    return {
        "recorded": [{"start": one.start, "end": one.end} for one in footage.covered],
        "gaps": [
            {"start": one.span.start, "end": one.span.end, "cause": one.cause, "footage": one.footage}
            for one in footage.holes
        ],
    }
