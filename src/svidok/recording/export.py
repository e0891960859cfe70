"""One ordinary MP4 of any range of a channel, and the sidecar that proves it.

The plan is made from index files and the heads of fragments, so its size is
exact before the media is read. An export never leaves out in silence what it
should hold: footage on a volume that is away refuses the export, and gaps are
told in the sidecar. Nothing here is copied to disk.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from svidok.base import Conflict, Span, Unavailable, from_us, to_us
from svidok.db import Database, Row, Transaction
from svidok.ledger import JSON, Entry, LogDamaged
from svidok.ledger.entry import instant_text
from svidok.ledger.log import LogReader
from svidok.ledger.note import Checkpoint
from svidok.media.progressive import ProgressiveFile, Source, plan_progressive
from svidok.recording import proof
from svidok.recording.model import Gap
from svidok.recording.playback import PlayableSegment, part_of, playable_part
from svidok.recording.reach import HERE, Reach
from svidok.recording.reading import SQL, segments_between
from svidok.recording.signatures.keeping import is_signed
from svidok.recording.timeline import timeline

LONGEST = timedelta(hours=25)
_A_MOMENT = timedelta(milliseconds=1)
_TRIES = 3  # the log may grow, and drop its partial tiles, between reading its checkpoint and its tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """An export that can be sent, whole or by ranges, as often as one likes."""

    channel_id: UUID
    span: Span
    name: str
    file: ProgressiveFile
    parts: tuple[PlayableSegment, ...]
    gaps: tuple[Gap, ...]

    @property
    def size_bytes(self) -> int:
        """Exactly how long it is."""
        return self.file.size_bytes

    @property
    def tag(self) -> str:
        """Equal for equal bytes, so that a broken download goes on only with the same file."""
        digest = hashlib.sha256(f"{self.span.start} {self.span.end}".encode())
        for part in self.parts:
            digest.update(part.one.segment.id.bytes)
            for _, record in part.fragments:
                digest.update(record.leaf_hash)
        return digest.hexdigest()[:32]

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `end` (exclusive). Raises `OSError` where a volume goes away meanwhile."""
        return self.file.chunks(start, end)


def plan(
    tx: Transaction, channel_id: UUID, span: Span, *, reach: Reach = HERE, with_signature: bool = True
) -> ExportPlan:
    """Plan the export of `span`, and of a signing camera as much more as `span_with_signature` says.

    Without it, exactly what touches `span`, whenever it is asked: a camera's signatures are judged after a while.
    Raises `Conflict` where there is no footage, where the codec changes within the span, or where footage is
    damaged; `Unavailable` where some of it lies on a volume that is away.
    """
    whole = span_with_signature(tx, channel_id, span, reach=reach) if with_signature else span
    parts = _parts(tx, channel_id, whole, reach)
    if not parts:
        raise Conflict("nothing-recorded", "There is no footage in this span.")
    sources = [
        Source(
            path=part.one.media,
            elsewhere=part_of(part.one, 0, 0).elsewhere,
            init_size=part.init_size,
            fragments=[(record.offset, record.size) for _, record in part.fragments],
        )
        for part in parts
    ]
    try:
        file = plan_progressive(sources, start_us=to_us(span.start), end_us=to_us(span.end))
    except OSError as error:
        raise Unavailable("footage-unreachable", f"Footage cannot be read ({error.strerror or error}).") from error
    return ExportPlan(
        channel_id=channel_id,
        span=span,
        name=export_name(channel_id, span),
        file=file,
        parts=parts,
        gaps=timeline(tx, channel_id, span, reach=reach).gaps,
    )


def span_with_signature(tx: Transaction, channel_id: UUID, span: Span, *, reach: Reach = HERE) -> Span:
    """`span`, and of a signing camera one group of pictures more: what speaks of the last group comes with the next."""
    parts = _parts(tx, channel_id, span, reach) if is_signed(tx, channel_id, span) else ()
    if not parts:
        return span
    last = from_us(parts[-1].fragments[-1][1].end_us)
    parts = _parts(tx, channel_id, Span(span.start, max(span.end, last + _A_MOMENT)), reach)
    return Span(span.start, max(span.end, from_us(parts[-1].fragments[-1][1].end_us)))


def _parts(tx: Transaction, channel_id: UUID, span: Span, reach: Reach) -> tuple[PlayableSegment, ...]:
    found = [playable_part(one, span) for one in segments_between(tx, channel_id, span, reach=reach)]
    return tuple(part for part in found if part.fragments)


def export_name(channel_id: UUID, span: Span) -> str:
    """What the file is called: channel, beginning and end in UTC.

    >>> from datetime import UTC, datetime
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> export_name(UUID(int=1), Span(noon, noon + timedelta(minutes=1)))
    '00000000-0000-0000-0000-000000000001_20260301T120000Z_20260301T120100Z.mp4'
    """
    return f"{channel_id}_{span.start:%Y%m%dT%H%M%SZ}_{span.end:%Y%m%dT%H%M%SZ}.mp4"


def proof_name(name: str) -> str:
    """What the sidecar of the export `name` is called.

    >>> proof_name("yard.mp4")
    'yard.proof.json'
    """
    return name.removesuffix(".mp4") + ".proof.json"


def prove(database: Database, planned: ExportPlan, *, log_folder: Path) -> Iterator[bytes]:
    """The sidecar of a planned export, in pieces. Reads the whole export once, for its hash.

    Raises `Unavailable` before the first piece where the log has no checkpoint yet.
    """
    ids = [part.one.segment.id for part in planned.parts]
    with database.transaction() as tx:
        seals = {row["segment_id"]: row for row in tx.all(SQL["seals_of"], ids=ids)}
    checkpoint, statements = _statements(seals, log_folder)
    media = proof.hash_media(planned.chunks(), name=planned.name)
    return proof.write_sidecar(
        media,
        channel_id=planned.channel_id,
        span=planned.span,
        checkpoint=checkpoint,
        segments=_exported(planned, statements),
        gaps=[_told_gap(gap) for gap in planned.gaps],
    )


def sealed_parts(
    database: Database, planned: ExportPlan, *, note: str, log_folder: Path
) -> Iterator[proof.ExportedSegment]:
    """The segments of a planned export with the proofs of their seals in the log of the checkpoint `note`.

    Raises `Conflict` where the log of this checkpoint does not hold them all yet.
    """
    ids = [part.one.segment.id for part in planned.parts]
    with database.transaction() as tx:
        seals = {row["segment_id"]: row for row in tx.all(SQL["seals_of"], ids=ids)}
    size, log = Checkpoint.parse(note).size, LogReader(log_folder)
    statements = {key: _statement(row, log, size) for key, row in seals.items() if _is_covered(row, size)}
    if len(statements) < len(planned.parts):
        raise Conflict(
            "not-sealed-yet", "Not all of this footage is in the ledger's checkpoint yet. Try again in a minute."
        )
    return _exported(planned, statements)


def _statements(seals: dict[UUID, Row], folder: Path) -> tuple[str, dict[UUID, proof.Statement]]:
    """The checkpoint, and the seals that it covers."""
    for left in reversed(range(_TRIES)):
        try:
            note = (folder / "checkpoint").read_text("utf-8")
            size = Checkpoint.parse(note).size
            log = LogReader(folder)
            covered = {key: row for key, row in seals.items() if _is_covered(row, size)}
            return note, {key: _statement(row, log, size) for key, row in covered.items()}
        except LogDamaged:
            if not left:
                raise
        except (OSError, ValueError) as error:
            raise Unavailable("ledger-unavailable", "The ledger's checkpoint cannot be read. Try again.") from error
    raise AssertionError("unreachable")


def _is_covered(row: Row, size: int) -> bool:
    return row["leaf_index"] is not None and row["leaf_index"] < size and row["payload"] is not None


def _statement(row: Row, log: LogReader, size: int) -> proof.Statement:
    entry = Entry(
        id=row["id"], kind=row["kind"], subject=row["subject"], at=row["at"], commitment=bytes(row["commitment"])
    )
    return proof.Statement(
        leaf=entry.leaf(),
        payload=json.loads(bytes(row["payload"])),
        salt=bytes(row["salt"]),
        leaf_index=row["leaf_index"],
        inclusion=log.inclusion_proof(row["leaf_index"], size),
    )


def _exported(planned: ExportPlan, statements: dict[UUID, proof.Statement]) -> Iterator[proof.ExportedSegment]:
    heads = zip(planned.file.placed, planned.file.heads(), strict=True)
    for part in planned.parts:
        index = part.one.index()
        fragments = []
        for number, _ in part.fragments:
            placed, head = next(heads)
            fragments.append(
                proof.ExportedFragment(
                    leaf=number + 1, head=head, media_offset=placed.media_offset, media_size=placed.media_size
                )
            )
        yield proof.ExportedSegment(
            segment_id=part.one.segment.id,
            statement=statements.get(part.one.segment.id),
            init=part_of(part.one, 0, part.init_size).read(),
            leaf_hashes=index.leaves,
            fragments=fragments,
        )


def _told_gap(gap: Gap) -> dict[str, JSON]:
    return {
        "start": instant_text(gap.start_at),
        "end": instant_text(gap.end_at) if gap.end_at else None,
        "reason": str(gap.reason),
    }
