"""Facts into rows. Each fact may come twice (a crash, a retry) and is entered once."""

import json
from collections.abc import Callable
from uuid import UUID

import msgspec

from svidok.base import new_id
from svidok.db import Queries, Transaction
from svidok.ledger import JSON, enter
from svidok.ledger.entry import instant_text
from svidok.recording import facts as f
from svidok.recording.model import (
    GAP_CLOSED,
    GAP_OPENED,
    SEGMENT_REPAIRED,
    SEGMENT_SEALED,
    ClockReading,
    ClockSource,
    SegmentRow,
    SegmentState,
)

SQL = Queries.of("svidok.recording")

OnBeats = Callable[[Transaction, f.RecorderSeen], None]


def enter_facts(tx: Transaction, news: list[f.AnyFact], on_beats: OnBeats | None = None) -> None:
    """Enter `news` in their order, in the caller's transaction."""
    for fact in news:
        if isinstance(fact, f.SegmentSealed):
            _seal(tx, fact)
        elif isinstance(fact, f.GapOpened):
            _open_gap(tx, fact)
        elif isinstance(fact, f.GapClosed):
            _close_gap(tx, fact)
        elif isinstance(fact, f.AlarmRaised):
            values = msgspec.structs.asdict(fact) | {"id": new_id(), "details": json.dumps(fact.details)}
            tx.run(SQL["raise_alarm"], **values)
        elif isinstance(fact, f.RecorderSeen):
            tx.run(SQL["see_recorder"], **msgspec.structs.asdict(fact))
            if on_beats is not None and fact.beats:
                on_beats(tx, fact)
        else:
            tx.run(SQL[_PLAIN[type(fact)]], **msgspec.structs.asdict(fact))


_PLAIN: dict[type[f.Fact], str] = {
    f.RecordingBegun: "begin_recording",
    f.SegmentOpened: "open_segment",
    f.SegmentVanished: "forget_segment",
    f.ClockMeasured: "clock_reading",
    f.AlarmCleared: "clear_alarm",
    f.VolumeSeen: "see_volume",
}


def segment_of(fact: f.SegmentSealed) -> SegmentRow:
    """The segment that a seal speaks of."""
    return SegmentRow(
        id=fact.segment_id,
        recording_id=fact.recording_id,
        channel_id=fact.channel_id,
        volume_id=fact.volume_id,
        path=fact.path,
        start_at=fact.start_at,
        end_at=fact.end_at,
        size_bytes=fact.size_bytes,
        fragments=fact.fragments,
        root=fact.root,
        codec=fact.codec,
        width=fact.width,
        height=fact.height,
        clock=ClockReading(
            offset_us=fact.clock_offset_us,
            error_us=fact.clock_error_us,
            drift_ppm=fact.clock_drift_ppm,
            source=ClockSource(fact.clock_source),
        ),
        state=SegmentState.SEALED,
    )


def _seal(tx: Transaction, fact: f.SegmentSealed) -> None:
    """Row and ledger entry in one transaction; a segment that is sealed already stays as it is."""
    have = tx.maybe(SQL["segment_state"], segment_id=fact.segment_id)
    if have is not None and have["state"] != SegmentState.OPEN:
        return
    segment = segment_of(fact)
    entry_id = enter(tx, kind=SEGMENT_SEALED, subject=segment.id, payload=segment.seal_payload(), at=fact.end_at)
    tx.run(SQL["seal_segment"], entry_id=entry_id, **msgspec.structs.asdict(fact))
    if fact.repaired:
        enter(tx, kind=SEGMENT_REPAIRED, subject=segment.id, payload={"segment": str(segment.id)}, at=fact.end_at)


def _open_gap(tx: Transaction, fact: f.GapOpened) -> None:
    if tx.run(SQL["open_gap"], **msgspec.structs.asdict(fact)):
        payload: dict[str, JSON] = {
            "channel": str(fact.channel_id),
            "reason": fact.reason,
            "start": instant_text(fact.at),
        }
        enter(tx, kind=GAP_OPENED, subject=fact.gap_id, payload=payload, at=fact.at)


def _close_gap(tx: Transaction, fact: f.GapClosed) -> None:
    for gap in tx.all(SQL["close_gap"], channel_id=fact.channel_id, at=fact.at):
        payload: dict[str, JSON] = {
            "channel": str(fact.channel_id),
            "end": instant_text(gap["end_at"]),
            "reason": gap["reason"],
            "start": instant_text(gap["start_at"]),
        }
        enter(tx, kind=GAP_CLOSED, subject=gap["id"], payload=payload, at=fact.at)


def known_segments(tx: Transaction, ids: list[UUID]) -> set[UUID]:
    """Which of `ids` need no recovery."""
    return {row["id"] for row in tx.all(SQL["known_segments"], ids=ids)}
