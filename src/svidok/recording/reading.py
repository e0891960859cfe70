"""Rows out: segments where they lie, gaps, clocks, volumes. The writing half is `store`.

A segment that is being written has a row that knows only its beginning; how
far it has come is in its index file, and `Located.index` reads it there.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from uuid import UUID

from svidok.base import NotFound, Span, Unavailable, from_us
from svidok.db import Queries, Row, Transaction
from svidok.recording import idx
from svidok.recording.model import ClockReading, ClockSource, Gap, GapReason, SegmentRow, SegmentState
from svidok.recording.reach import HERE, Reach, RemoteVolume

SQL = Queries.parse(resources.files(__package__).joinpath("reading.sql").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A segment and the folder of the volume it lies on; `elsewhere` where that is not of this machine."""

    segment: SegmentRow
    volume: Path
    node: str
    elsewhere: RemoteVolume | None = None

    @property
    def media(self) -> Path:
        """Its file."""
        return self.volume / self.segment.path

    def index(self) -> idx.Index:
        """Its index as it is on disk now. Raises `Unavailable` where it cannot be read."""
        try:
            if self.elsewhere is None:
                return idx.read(idx.index_path(self.media))
            return idx.unpack(self.elsewhere.file(idx.index_path(Path(self.segment.path)).as_posix()).whole())
        except (idx.BadIndex, OSError) as error:
            raise Unavailable(
                "footage-unreachable",
                f"Footage on the volume {self.volume} cannot be reached: {error}. Look at the volumes.",
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSpan:
    """Unbroken footage of one recording. `growing` while it is being written; its true end is in the index then."""

    recording_id: UUID
    span: Span
    growing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPoint:
    """What was measured of a camera's clock at an instant."""

    at: datetime
    reading: ClockReading


def located(row: Row, elsewhere: RemoteVolume | None = None) -> Located:
    """A row of segment and volume as values."""
    clock = ClockReading(
        offset_us=row["clock_offset_us"],
        error_us=row["clock_error_us"],
        drift_ppm=row["clock_drift_ppm"],
        source=ClockSource(row["clock_source"]),
    )
    segment = SegmentRow(
        id=row["id"],
        recording_id=row["recording_id"],
        channel_id=row["channel_id"],
        volume_id=row["volume_id"],
        path=row["path"],
        start_at=row["start_at"],
        end_at=row["end_at"],
        size_bytes=row["size_bytes"],
        fragments=row["fragments"],
        root=bytes(row["root"]) if row["root"] is not None else None,
        codec=row["codec"],
        width=row["width"],
        height=row["height"],
        clock=clock,
        state=SegmentState(row["state"]),
    )
    return Located(segment=segment, volume=Path(row["volume_path"]), node=row["node"], elsewhere=elsewhere)


def segments_between(tx: Transaction, channel_id: UUID, span: Span, *, reach: Reach = HERE) -> list[Located]:
    """The segments of a channel that touch `span`, in order; those being written among them."""
    rows = tx.all(SQL["segments_between"], channel_id=channel_id, start=span.start, end=span.end)
    volumes = {row["volume_id"]: row for row in rows}
    places = {volume_id: _place(row, reach) for volume_id, row in volumes.items()}
    return [located(row, places[row["volume_id"]]) for row in rows]


def _place(row: Row, reach: Reach) -> RemoteVolume | None:
    return reach.elsewhere(volume_id=row["volume_id"], root=Path(row["volume_path"]), node=row["node"])


def segment_of_channel(tx: Transaction, channel_id: UUID, segment_id: UUID, *, reach: Reach = HERE) -> Located:
    """One segment. Raises `NotFound` where the channel has none of that id, or it was disposed of."""
    row = tx.maybe(SQL["segment_of_channel"], channel_id=channel_id, segment_id=segment_id)
    if row is None or row["state"] == SegmentState.DISPOSED:
        raise NotFound("segment-not-found", "There is no such footage. It may have been disposed of by its rule.")
    return located(row, _place(row, reach))


def recorded_islands(tx: Transaction, channel_id: UUID, span: Span) -> list[RecordedSpan]:
    """Unbroken footage that touches `span`, not cut to it."""
    rows = tx.all(SQL["recorded_islands"], channel_id=channel_id, start=span.start, end=span.end)
    return [
        RecordedSpan(
            recording_id=row["recording_id"], span=Span(row["start_at"], row["end_at"]), growing=row["growing"]
        )
        for row in rows
    ]


def gaps_between(tx: Transaction, channel_id: UUID, span: Span) -> list[Gap]:
    """The gaps of a channel that touch `span`, not cut to it."""
    return [gap_of(row) for row in tx.all(SQL["gaps_between"], channel_id=channel_id, start=span.start, end=span.end)]


def gaps_of_all(tx: Transaction, span: Span, *, channel_id: UUID | None, most: int) -> list[Gap]:
    """The latest gaps that touch `span`, of one channel or of all."""
    rows = tx.all(SQL["gaps_of_all"], channel_id=channel_id, start=span.start, end=span.end, most=most)
    return [gap_of(row) for row in rows]


def gap_of(row: Row) -> Gap:
    """A row as a value; a reason from a later version is told as unknown."""
    known = row["reason"] in GapReason.__members__.values()
    return Gap(
        id=row["id"],
        channel_id=row["channel_id"],
        start_at=row["start_at"],
        end_at=row["end_at"],
        reason=GapReason(row["reason"]) if known else GapReason.UNKNOWN,
        detail=row["detail"],
    )


def clocks_between(tx: Transaction, channel_id: UUID, span: Span) -> list[ClockPoint]:
    """What was measured of the camera's clock in `span`, and the last before it."""
    return [
        ClockPoint(
            at=row["at"],
            reading=ClockReading(
                offset_us=row["offset_us"],
                error_us=row["error_us"],
                drift_ppm=row["drift_ppm"],
                source=ClockSource(row["source"]),
            ),
        )
        for row in tx.all(SQL["clocks_between"], channel_id=channel_id, start=span.start, end=span.end)
    ]


def live_end(one: Located) -> datetime:
    """The instant after the last picture on disk: by the index while the segment is open, by its row afterwards."""
    if one.segment.state != SegmentState.OPEN:
        return one.segment.end_at
    try:
        records = one.index().records
    except Unavailable:
        return one.segment.end_at
    return from_us(records[-1].end_us) if records else one.segment.start_at
