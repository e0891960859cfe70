"""A channel with footage in real files and real rows, made by the product's own writer and store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from svidok.base import from_us, new_id, to_us
from svidok.db import Database
from svidok.ledger import Log, leaf_hash, root_of, sequence_once
from svidok.ledger.signer import FileSigner
from svidok.media.boxes import scan_fragments
from svidok.recording import facts as f
from svidok.recording import idx
from svidok.recording.store import enter_facts
from svidok.recording.volumes import MARKER

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Yard:
    """One channel on one volume, with a ledger."""

    database: Database
    volume: Path
    log: Log
    node: str = "n1"
    channel_id: UUID = field(default_factory=new_id)
    volume_id: UUID = field(default_factory=new_id)
    recording_id: UUID = field(default_factory=new_id)
    segments: list[f.SegmentOpened] = field(default_factory=list)

    def tell(self, *facts: f.AnyFact) -> None:
        with self.database.transaction() as tx:
            enter_facts(tx, list(facts))

    def record(self, clip, start: datetime, *, first: int = 0, count: int = 4, seal: bool = True) -> UUID:
        """`count` seconds of `clip` as a segment that begins at `start`; its id."""
        segment_id = new_id()
        path = f"{self.channel_id}/{start:%Y-%m-%d}/{start:%H%M%S}-{segment_id}.mp4"
        clip.write(self.volume / path, start_us=to_us(start), first=first, count=count)
        index = self.index(segment_id, self.volume / path)
        video = clip.tracks.video
        opened = f.SegmentOpened(
            segment_id=segment_id, recording_id=self.recording_id, channel_id=self.channel_id,
            volume_id=self.volume_id, path=path, start_at=start, codec=video.codec_string(), width=video.width,
            height=video.height,
        )  # fmt: skip
        self.segments.append(opened)
        self.tell(opened)
        if seal:
            self.tell(self.sealed(opened, index, (self.volume / path).stat().st_size))
        return segment_id

    def sealed(self, opened: f.SegmentOpened, index: idx.Index, size: int) -> f.SegmentSealed:
        return f.SegmentSealed(
            segment_id=opened.segment_id, recording_id=opened.recording_id, channel_id=opened.channel_id,
            volume_id=opened.volume_id, path=opened.path, start_at=opened.start_at,
            end_at=from_us(index.records[-1].end_us), size_bytes=size, fragments=len(index.records),
            root=root_of(index.leaves), codec=opened.codec, width=opened.width, height=opened.height,
        )  # fmt: skip

    def index(self, segment_id: UUID, path: Path) -> idx.Index:
        with path.open("rb") as file:
            scan = scan_fragments(file)
        data = path.read_bytes()
        header = idx.IndexHeader(
            segment_id=segment_id, channel_id=self.channel_id, recording_id=self.recording_id,
            init_hash=leaf_hash(data[: scan.init_size]), init_size=scan.init_size,
        )  # fmt: skip
        records = [
            idx.IndexRecord(
                offset=one.offset, size=one.size, start_us=one.wall_us, duration_us=one.duration * 100 // 9,
                flags=idx.SYNC, leaf_hash=leaf_hash(data[one.offset : one.offset + one.size]),
            )
            for one in scan.fragments
        ]  # fmt: skip
        idx.index_path(path).write_bytes(idx.pack(header, records))
        return idx.Index(header=header, records=tuple(records), torn=0)

    def media(self, number: int = 0) -> Path:
        return self.volume / self.segments[number].path

    def sequence(self) -> int:
        return sequence_once(self.database, self.log)


@pytest.fixture
def make_yard(database: Database, tmp_path: Path) -> Callable[[], Yard]:
    """Makes yards that share a database and a ledger folder of the test."""
    log: list[Log] = []

    def make() -> Yard:
        if not log:
            with database.transaction() as tx:
                tx.run("TRUNCATE ledger.entry")
                tx.run("TRUNCATE recording.segment, recording.gap, recording.volume, recording.disposal CASCADE")
            log.append(Log(tmp_path / "ledger", FileSigner(tmp_path / "keys" / "ledger.pem"), "test.invalid/yard"))
        yard = Yard(database=database, volume=tmp_path / f"volume-{new_id()}", log=log[0])
        yard.volume.mkdir()
        (yard.volume / MARKER).write_text(f"{yard.volume_id}\n")
        yard.tell(
            f.VolumeSeen(
                volume_id=yard.volume_id, node=yard.node, path=str(yard.volume), quota_bytes=None, used_bytes=0,
                free_bytes=10**9, state="ready", at=NOON,
            ),
            f.RecordingBegun(
                recording_id=yard.recording_id, channel_id=yard.channel_id, stream_id=new_id(), node=yard.node, at=NOON
            ),
        )  # fmt: skip
        return yard

    return make


@pytest.fixture
def yard(make_yard: Callable[[], Yard]) -> Yard:
    return make_yard()


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
