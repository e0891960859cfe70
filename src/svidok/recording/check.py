"""Prove that database, disk and ledger agree, or name what does not: a code, a file, an id, and what to do.

Three things are held against each other for every segment:

1. its bytes on disk, hashed anew (a quick check leaves the hashing out);
2. its index, record by record;
3. its row, and the ledger's leaf, commitment and payload.

Files that no row knows and rows that no file backs are named too. Segments that
are being written are counted and left alone. Nothing is changed or repaired.
`svidok ledger audit` does the same for the log itself.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from svidok.base import Conflict, from_us
from svidok.db import Database, Row
from svidok.ledger import Entry, LogDamaged, canonical, opens, root_of
from svidok.ledger.log import LogReader
from svidok.ledger.note import BadNote, Checkpoint
from svidok.ledger.tiles import WIDTH
from svidok.media.boxes import Scan, scan_fragments
from svidok.media.inits import parse_init
from svidok.recording import idx
from svidok.recording.model import SEGMENT_SEALED, SegmentState
from svidok.recording.reading import SQL, Located, located
from svidok.recording.volumes import ASIDE, MARKER

PAGE = 500
_BLOCK = 1 << 20

DO: dict[str, str] = {
    "volume-absent": "Mount the volume, then check again.",
    "file-missing": "Restore the file from a copy; its seal tells whether the copy is the same.",
    "file-without-row": "Start the recorder on this machine: it enters what it finds. If it stays, keep it aside.",
    "file-not-disposed": "Let the sweeper run: it finishes disposals. If it stays, remove it and note why.",
    "fragment-differs": "These pictures are not the ones recorded. Restore the file from a copy; keep this one.",
    "init-differs": "The beginning of the file is not the one recorded. Restore it from a copy; keep this one.",
    "size-differs": "Bytes were added or cut off. Restore the file from a copy; keep this one.",
    "root-differs": "The file's tree is not the one sealed. Restore the file from a copy; keep this one.",
    "index-missing": "Run `svidok check --mend-indexes` on the recorder's machine; the media is whole.",
    "index-damaged": "Run `svidok check --mend-indexes` on the recorder's machine, then check again.",
    "index-differs": "The index says other things than the media. Mend it, and find out who changed it.",
    "row-differs": "The database was changed. Restore the row from a backup or from the seal's payload.",
    "row-missing": "A sealed segment has no row. Restore it from a backup of the database.",
    "seal-missing": "The segment has no entry in the ledger. Restore ledger.entry from a backup.",
    "seal-does-not-open": "Payload or salt of the entry was changed. Restore ledger.entry from a backup.",
    "seal-not-in-log": "The log has another entry at this place. Run `svidok ledger audit`.",
    "ledger-unreadable": "Run `svidok ledger audit`.",
    "disposed-without-decision": "Somebody changed the database: no disposal was decided. Look for the file.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not agree: a stable code, the file or row, the segment, what is wrong."""

    code: str
    path: str
    segment_id: UUID | None
    says: str

    @property
    def do(self) -> str:
        """What to do about it."""
        return DO[self.code]


@dataclass(slots=True, kw_only=True)
class Report:
    """What a check saw. `skipped` segments are being written, or on volumes of other machines."""

    segments: int = 0
    fragments: int = 0
    size_bytes: int = 0
    skipped: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: str, path: str, segment_id: UUID | None, says: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(code=code, path=path, segment_id=segment_id, says=says))


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How to check. `node` limits it to one machine's volumes; `bytes_too` hashes all footage."""

    ledger: Path
    node: str | None = None
    bytes_too: bool = True
    progress: Callable[[int, int], None] = lambda done, total: None
    cancelled: Callable[[], bool] = lambda: False


def check(database: Database, how: How) -> Report:
    """Check everything that the database knows and everything that lies on the volumes."""
    report = Report()
    log = _LogLeaves(how.ledger)
    with database.transaction() as tx:
        volumes = tx.all(SQL["volumes"])
        total = int(tx.one(SQL["segment_count"])["segments"])
        for row in tx.all(SQL["seals_without_segment"]):
            report.add(
                "row-missing", f"leaf {row['leaf_index']}", row["subject"], "the ledger seals a segment of no row"
            )
        for row in tx.all(SQL["disposed_without_decision"]):
            report.add("disposed-without-decision", row["path"], row["id"], "the row says disposed of")
    if log.trouble:
        report.add("ledger-unreadable", "checkpoint", None, log.trouble)
    for volume in volumes:
        if how.node is not None and volume["node"] != how.node:
            continue
        _check_volume(database, volume, how, log, report, total)
    return report


def _check_volume(database: Database, volume: Row, how: How, log: "_LogLeaves", report: Report, total: int) -> None:
    root = Path(volume["path"])
    if not bears_marker(root, volume["id"]):
        report.add("volume-absent", str(root), None, "the volume does not bear its marker")
        return
    folders: dict[str, set[str]] = {}
    for row in _rows(database, volume["id"]):
        folder, _, name = row["path"].rpartition("/")
        folders.setdefault(folder, set()).add(name)
        _check_segment(row, how, log, report)
        how.progress(report.segments + report.skipped, total)
        if how.cancelled():
            return
    _check_strays(database, volume["id"], root, folders, report)


def bears_marker(root: Path, volume_id: UUID) -> bool:
    """Whether the volume `volume_id` is what lies at `root`."""
    try:
        return UUID((root / MARKER).read_text().strip()) == volume_id
    except (OSError, ValueError):
        return False


def _rows(database: Database, volume_id: UUID) -> Iterator[Row]:
    """All rows of a volume, a page in a transaction: a check of many terabytes must not hold one open for hours."""
    after = ""
    while True:
        with database.transaction() as tx:
            page = tx.all(SQL["segments_to_check"], volume_id=volume_id, after=after, most=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["path"]


def _check_segment(row: Row, how: How, log: "_LogLeaves", report: Report) -> None:
    one = located(row)
    if one.segment.state == SegmentState.OPEN and row["root"] is None and row["entry_id"] is None:
        report.skipped += 1
        return
    report.segments += 1
    note = _Notes(one, report)
    _check_seal(row, one, log, note)
    try:
        with one.media.open("rb") as file:
            _check_file(file, one, _due(row), how, note)
    except FileNotFoundError:
        note.add("file-missing", "there is no such file")
    except OSError as error:
        note.add("file-missing", f"the file cannot be read ({error.strerror})")


class _Notes:
    """Findings about one segment."""

    def __init__(self, one: Located, report: Report) -> None:
        self._one, self.report = one, report

    def add(self, code: str, says: str, *, index: bool = False) -> None:
        path = idx.index_path(self._one.media) if index else self._one.media
        self.report.add(code, str(path), self._one.segment.id, says)


def _check_seal(row: Row, one: Located, log: "_LogLeaves", note: _Notes) -> None:
    """The row against the payload, the payload against the commitment, the commitment against the log."""
    if one.segment.state == SegmentState.OPEN:
        note.add("row-differs", "the row says that it is being written, and has a seal")
    if row["entry_kind"] != SEGMENT_SEALED or row["entry_subject"] != one.segment.id:
        note.add("seal-missing", "its row names no seal of this segment")
        return
    payload = bytes(row["payload"] or b"")
    if payload != canonical(one.segment.seal_payload()):
        note.add("row-differs", "the row says other things than the payload of its seal")
    if not opens(bytes(row["commitment"]), payload=payload, salt=bytes(row["salt"] or b"")):
        note.add("seal-does-not-open", "payload and salt are not what the entry committed to")
    if row["leaf_index"] is None or log.trouble:
        return
    entry = Entry(
        id=row["entry_id"], kind=row["entry_kind"], subject=row["entry_subject"], at=row["entry_at"],
        commitment=bytes(row["commitment"]),
    )  # fmt: skip
    if log.leaf(row["leaf_index"]) != entry.leaf_bytes():
        note.add("seal-not-in-log", f"entry {row['leaf_index']} of the log is not this seal")


def _due(row: Row) -> int:
    """How many fragments there should be: by the seal where it can be read, else by the row."""
    try:
        return int(json.loads(bytes(row["payload"] or b""))["leaves"]) - 1
    except (ValueError, TypeError, KeyError):
        return int(row["fragments"])


def _check_file(file: BinaryIO, one: Located, due: int, how: How, note: _Notes) -> None:
    scan = scan_fragments(file)
    index = _index(one, due, note)
    if scan.size != one.segment.size_bytes:
        note.add("size-differs", f"it has {scan.size} bytes instead of {one.segment.size_bytes}")
    ranges = _ranges(index, scan)
    bad: set[int] = set()
    if how.bytes_too:
        bad = _check_bytes(file, one, index, ranges, note)
        note.report.size_bytes += scan.size
    note.report.fragments += len(ranges) - 1
    if index is not None:
        _check_index(index, scan, one, bad, note)
    if 0 not in bad:
        _check_picture(file, ranges[0][1], one, note)


def _index(one: Located, due: int, note: _Notes) -> idx.Index | None:
    path = idx.index_path(one.media)
    if not path.exists():
        note.add("index-missing", "there is no index beside the segment", index=True)
        return None
    try:
        index = idx.read(path)
    except idx.BadIndex as error:
        note.add("index-damaged", str(error), index=True)
        return None
    if index.torn or not index.records or len(index.records) != due:
        says = f"record {len(index.records)} is damaged, missing or too many; {due} are due"
        note.add("index-damaged", says, index=True)
        return None
    return index


def _ranges(index: idx.Index | None, scan: Scan) -> list[tuple[int, int]]:
    """(offset, size) of the init segment and of each fragment: by the index, or by the file where that is damaged."""
    if index is not None:
        return [(0, index.header.init_size), *((record.offset, record.size) for record in index.records)]
    return [(0, scan.init_size), *((info.offset, info.size) for info in scan.fragments)]


def _check_bytes(
    file: BinaryIO, one: Located, index: idx.Index | None, ranges: list[tuple[int, int]], note: _Notes
) -> set[int]:
    """Hash all leaves; the numbers of those that differ from the index. The root is held against the row."""
    leaves = [_leaf(file, offset, size) for offset, size in ranges]
    bad: set[int] = set()
    if index is not None:
        bad = {number for number, pair in enumerate(zip(leaves, index.leaves, strict=True)) if pair[0] != pair[1]}
    if root_of(leaves) == one.segment.root:
        if bad:
            note.add("index-differs", f"hashes of leaves {sorted(bad)} are not those of the media", index=True)
        return set()
    for number in sorted(bad):
        offset, size = ranges[number]
        where = f"bytes {offset} to {offset + size}"
        if number:
            note.add("fragment-differs", f"fragment {number - 1}, {where}, is not what was recorded")
        else:
            note.add("init-differs", f"{where} are not what was recorded")
    if not bad:
        note.add("root-differs", "media and index agree with each other, and not with the root in the row")
    return bad


def _leaf(file: BinaryIO, offset: int, size: int) -> bytes:
    digest = hashlib.sha256(b"\x00")
    file.seek(offset)
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.digest()


def _check_index(index: idx.Index, scan: Scan, one: Located, bad: set[int], note: _Notes) -> None:
    """Everything in the index that can be told from the media or the row."""
    segment, header = one.segment, index.header
    if (header.segment_id, header.channel_id, header.recording_id) != (
        segment.id, segment.channel_id, segment.recording_id,
    ):  # fmt: skip
        note.add("index-differs", "the index is of another segment, channel or recording", index=True)
    for number, (record, info) in enumerate(zip(index.records, scan.fragments, strict=False)):
        told = (record.offset, record.size, record.start_us, bool(record.flags & idx.SYNC))
        if number + 1 not in bad and told != (info.offset, info.size, info.wall_us, info.is_sync):
            note.add("index-differs", f"record {number} says other things than fragment {number}", index=True)
    if not bad and (len(scan.fragments) != len(index.records) or scan.torn):
        note.add("index-differs", f"it has {len(index.records)} records, the media {len(scan.fragments)}", index=True)
    first, last = index.records[0], index.records[-1]
    if (from_us(first.start_us), from_us(last.end_us)) != (segment.start_at, segment.end_at):
        note.add("index-differs", "its span is not the row's", index=True)


def _check_picture(file: BinaryIO, init_size: int, one: Located, note: _Notes) -> None:
    """Width and height, which the seal does not state, against the init segment, which it does."""
    file.seek(0)
    try:
        init = parse_init(file.read(init_size), one.media.name)
    except Conflict:
        note.add("init-differs", "the beginning of the file cannot be read")
        return
    if (init.width, init.height) != (one.segment.width, one.segment.height):
        note.add("row-differs", f"the picture is {init.width}x{init.height}, not as the row says")


def _check_strays(
    database: Database, volume_id: UUID, root: Path, folders: dict[str, set[str]], report: Report
) -> None:
    """Files that no row backs, or whose row says that they are gone."""
    for channel in sorted(root.iterdir()):
        if channel.name == ASIDE or not channel.is_dir():
            continue
        for day in sorted(folder for folder in channel.iterdir() if folder.is_dir()):
            folder = f"{channel.name}/{day.name}"
            known = folders.get(folder, set())
            stray = [path.name for path in sorted(day.glob("*.mp4")) if path.name not in known]
            stray += [
                path.with_suffix(".mp4").name for path in sorted(day.glob("*.idx"))
                if path.with_suffix(".mp4").name not in known and not path.with_suffix(".mp4").exists()
            ]  # fmt: skip
            if stray:
                _name_strays(database, volume_id, root, [f"{folder}/{name}" for name in stray], report)


def _name_strays(database: Database, volume_id: UUID, root: Path, paths: list[str], report: Report) -> None:
    with database.transaction() as tx:
        states = {row["path"]: row["state"] for row in tx.all(SQL["states_of_paths"], volume_id=volume_id, paths=paths)}
    for path in paths:
        state = states.get(path)
        if state is None:
            report.add("file-without-row", str(root / path), None, "the database does not know it")
        elif state == SegmentState.DISPOSED:
            report.add("file-not-disposed", str(root / path), None, "it should be gone")


class _LogLeaves:
    """The leaves of the log, a bundle in memory at a time."""

    def __init__(self, folder: Path) -> None:
        self.trouble = ""
        self.size = 0
        self._reader = LogReader(folder)
        self._bundle = lru_cache(maxsize=64)(self._read)
        try:
            self.size = Checkpoint.parse((folder / "checkpoint").read_text("utf-8")).size
        except (OSError, UnicodeDecodeError, BadNote) as error:
            self.trouble = f"the checkpoint cannot be read ({error})"

    def leaf(self, index: int) -> bytes | None:
        """The bytes of entry `index`, or nothing where the log has none or is damaged there."""
        if not 0 <= index < self.size:
            return None
        entries = self._bundle(index // WIDTH)
        return entries[index % WIDTH] if entries else None

    def _read(self, number: int) -> list[bytes] | None:
        try:
            return self._reader.entries(number, min(WIDTH, self.size - number * WIDTH))
        except LogDamaged:
            return None
