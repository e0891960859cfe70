"""Rebuild the whole log from nothing and say what is wrong, and where.

Nothing is believed but the entries themselves: their hashes are computed anew,
every tile is computed from the level below, and the root is compared with the
signed checkpoint. Then each row of the database is held against its leaf. All
of it streams: memory does not grow with the log.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from svidok.db import Database, Queries, Row
from svidok.ledger.entry import Entry, opens
from svidok.ledger.growing import Edge
from svidok.ledger.log import LogDamaged, LogReader
from svidok.ledger.note import BadNote, Checkpoint, Verifier
from svidok.ledger.tiles import WIDTH, bundles_of, hashes_at, tile_path, unpack
from svidok.ledger.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash, root_of

_SQL = Queries.of("svidok.ledger")

_REMEMBERED_IDS = 65_536  # doubles further apart are found by the database, where an id is there once


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: a stable code, the file or row it is in, and what it is in words."""

    code: str
    where: str
    says: str


@dataclass(slots=True, kw_only=True)
class AuditReport:
    """What an audit saw. Clean where there are no findings."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    entries: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: str, where: str, says: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(code=code, where=where, says=says))


def audit_log(folder: Path, *, verifier: Verifier, origin: str, remembered: Checkpoint | None = None) -> AuditReport:
    """Audit the log in `folder`; `remembered` is an older checkpoint, kept elsewhere, that it must have grown from.

    Codes: checkpoint-bad, checkpoint-root, bundle-bad, entry-bad, entry-double, tile-missing, tile-wrong,
    rolled-back, history-rewritten.
    """
    report = AuditReport()
    reader = LogReader(folder)
    try:
        checkpoint = Checkpoint.open((folder / "checkpoint").read_text("utf-8"), verifier=verifier, origin=origin)
    except (OSError, UnicodeDecodeError, BadNote) as error:
        report.add("checkpoint-bad", "checkpoint", str(error))
        return report
    report.size, report.root = checkpoint.size, checkpoint.root
    edge, tiles, remembered_root = Edge(), _Tiles(folder, report), EMPTY_ROOT
    for leaf in _leaf_hashes(reader, checkpoint.size, report):
        edge.add(leaf)
        tiles.add(leaf)
        if remembered is not None and edge.size == remembered.size:
            remembered_root = edge.root()
    report.entries = edge.size
    if edge.size != checkpoint.size:
        return report
    if edge.root() != checkpoint.root:
        report.add("checkpoint-root", "checkpoint", "the entries lead to another root than the one signed")
    tiles.end()
    _compare_older_partials(folder, checkpoint.size, report)
    if remembered is not None:
        _compare_history(edge.size, remembered, remembered_root, report)
    return report


def audit_register(database: Database, folder: Path, size: int, report: AuditReport) -> AuditReport:
    """Hold every row of `ledger.entry` against its leaf in the log of `size` entries.

    Codes: row-missing, row-beyond-log, row-differs, row-does-not-open.
    """
    rows = _rows(database)
    row = next(rows, None)
    for index, leaf in _leaves(LogReader(folder), size, report):
        while row is not None and row["leaf_index"] < index:
            row = next(rows, None)
        if row is None or row["leaf_index"] != index:
            report.add("row-missing", f"leaf {index}", f"the database has no row for entry {leaf.id}")
            continue
        report.rows += 1
        _compare_row(row, leaf, index, report)
    grown = _size_now(folder, size)  # while we looked, a log that is in use went on growing
    for beyond in [row] if row is not None and row["leaf_index"] >= grown else []:
        report.add("row-beyond-log", f"ledger.entry {beyond['id']}", f"claims leaf {beyond['leaf_index']} of {grown}")
    return report


def _size_now(folder: Path, known: int) -> int:
    try:
        return max(known, Checkpoint.parse((folder / "checkpoint").read_text("utf-8")).size)
    except (OSError, UnicodeDecodeError, BadNote):
        return known


def _rows(database: Database) -> Iterator[Row]:
    with database.transaction() as tx:
        yield from tx.stream(_SQL["entries_in_order"])


def _leaves(reader: LogReader, size: int, report: AuditReport) -> Iterator[tuple[int, Entry]]:
    for number, width in bundles_of(size):
        try:
            entries = reader.entries(number, width)
        except LogDamaged:
            continue
        for offset, data in enumerate(entries):
            try:
                yield number * WIDTH + offset, Entry.parse(data)
            except ValueError:
                continue


def _compare_row(row: Row, leaf: Entry, index: int, report: AuditReport) -> None:
    where = f"ledger.entry {row['id']}"
    have = (row["id"], row["kind"], row["subject"], row["at"], bytes(row["commitment"]))
    if have != (leaf.id, leaf.kind, leaf.subject, leaf.at, leaf.commitment):
        report.add("row-differs", where, f"says other things than leaf {index}")
    elif row["payload"] is not None and not opens(
        leaf.commitment,
        payload=bytes(row["payload"]),
        salt=bytes(row["salt"]),
    ):
        report.add("row-does-not-open", where, f"its payload is not what leaf {index} committed to")


def _leaf_hashes(reader: LogReader, size: int, report: AuditReport) -> Iterator[bytes]:
    """The hash of every entry in order, until a bundle cannot be read; notes what is no entry, or is there again."""
    recent: dict[UUID, int] = {}
    before = recent  # two halves of what is remembered: taking the oldest out of one, one by one, is slow
    for number, width in bundles_of(size):
        try:
            entries = reader.entries(number, width)
        except LogDamaged as error:
            report.add("bundle-bad", str(error.details["where"]), error.message)
            return
        for offset, data in enumerate(entries):
            index = number * WIDTH + offset
            yield leaf_hash(data)
            try:
                entry = Entry.parse(data)
            except ValueError as error:
                report.add("entry-bad", f"leaf {index}", str(error))
                continue
            first = recent.get(entry.id, before.get(entry.id))
            if first is not None:
                report.add("entry-double", f"leaf {index}", f"states {entry.id} again, first at leaf {first}")
            if len(recent) >= _REMEMBERED_IDS:
                recent, before = {}, recent
            recent[entry.id] = index


class _Tiles:
    """Every tile, computed from the leaves as they come by and compared with the one on disk; at most 256 a level."""

    def __init__(self, folder: Path, report: AuditReport) -> None:
        self._folder, self._report = folder, report
        self._levels: list[list[bytes]] = [[]]
        self._numbers: list[int] = [0]

    def add(self, leaf: bytes) -> None:
        """One more leaf."""
        level, one = 0, leaf
        while True:
            if level == len(self._levels):
                self._levels.append([])
                self._numbers.append(0)
            tile = self._levels[level]
            tile.append(one)
            if len(tile) < WIDTH:
                return
            self._compare(level, tile)
            one = root_of(tile)
            tile.clear()
            self._numbers[level] += 1
            level += 1

    def end(self) -> None:
        """There are no more leaves: what is left are partial tiles."""
        for level, tile in enumerate(self._levels):
            if tile:
                self._compare(level, tile)

    def _compare(self, level: int, tile: list[bytes]) -> None:
        number = self._numbers[level]
        path = tile_path(level, number, len(tile))
        try:
            have = _served(self._folder, level, number, len(tile))
        except OSError as error:
            self._report.add("tile-missing", path, error.strerror or "cannot be read")
            return
        if have != b"".join(tile):
            wrong = (i for i, one in enumerate(tile) if have[i * HASH_BYTES : (i + 1) * HASH_BYTES] != one)
            first = number * WIDTH + next(wrong, len(tile))
            self._report.add("tile-wrong", path, f"differs from the entries, first at hash {first} of level {level}")


def _served(folder: Path, level: int, number: int, width: int) -> bytes:
    """A tile as it is served: where a log in use grew beyond a partial one, the beginning of the full one in its stead.

    tlog-tiles, "Partial Tiles". Raises `OSError` where there is neither.
    """
    try:
        return (folder / tile_path(level, number, width)).read_bytes()
    except FileNotFoundError:
        return (folder / tile_path(level, number, WIDTH)).read_bytes()[: width * HASH_BYTES]


def _compare_older_partials(folder: Path, size: int, report: AuditReport) -> None:
    """Partial tiles and bundles of smaller sizes are served too, so they must be beginnings of what is there now."""
    known = {finding.where for finding in report.findings}
    # `os.walk`, and not `rglob`: a folder that goes while the log grows is passed over.
    folders = [(Path(at), names) for at, _, names in os.walk(folder / "tile") if at.endswith(".p")]
    for path in sorted(at / name for at, names in folders for name in names):
        place = path.relative_to(folder).as_posix()
        _, kind, *groups, width = place.split("/")
        number = int("".join(group.removeprefix("x").removesuffix(".p") for group in groups))
        level = 0 if kind == "entries" else int(kind)
        there = min(WIDTH, hashes_at(level, size) - number * WIDTH)
        if not width.isdigit() or int(width) > there or place in known:
            continue  # beyond the checkpoint: half written in a crash, or the log grew while we looked
        try:
            have = path.read_bytes()
            if kind == "entries":
                have = b"".join(leaf_hash(entry) for entry in unpack(have))
            now = _served(folder, level, number, there)
        except (OSError, ValueError) as error:
            if not path.exists() and (folder / tile_path(level, number, WIDTH)).exists():
                continue  # the log grew beyond it while we looked
            report.add("tile-wrong", place, f"cannot be read ({error})")
            continue
        if have != now[: int(width) * HASH_BYTES]:
            report.add("tile-wrong", place, "is not a beginning of what the log holds")


def _compare_history(size: int, remembered: Checkpoint, root: bytes, report: AuditReport) -> None:
    if remembered.size > size:
        report.add("rolled-back", "checkpoint", f"covers {size} entries; {remembered.size} were seen before")
    elif root != remembered.root:
        report.add("history-rewritten", "checkpoint", f"the first {remembered.size} entries are not those seen before")
