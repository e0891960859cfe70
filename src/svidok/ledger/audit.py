"""Rebuild the whole log from nothing and say what is wrong, and where.

Nothing is believed but the entries themselves: their hashes are computed anew,
every tile is computed from the level below, and the root is compared with the
signed checkpoint. Then each row of the database is held against its leaf.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from svidok.db import Database, Queries, Row
from svidok.ledger.entry import Entry, opens
from svidok.ledger.log import LogDamaged, LogReader
from svidok.ledger.note import BadNote, Checkpoint, Verifier
from svidok.ledger.tiles import WIDTH, bundles_of, tile_path, tiles_of, unpack
from svidok.ledger.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash, root_of

_SQL = Queries.of("svidok.ledger")


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
    hashes = _hash_entries(reader, checkpoint.size, report)
    if len(hashes) != checkpoint.size:
        return report
    if root_of(hashes) != checkpoint.root:
        report.add("checkpoint-root", "checkpoint", "the entries lead to another root than the one signed")
    levels = _compare_tiles(folder, hashes, report)
    _compare_older_partials(folder, levels, report)
    if remembered is not None:
        _compare_history(hashes, remembered, report)
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


def _hash_entries(reader: LogReader, size: int, report: AuditReport) -> list[bytes]:
    hashes: list[bytes] = []
    seen: dict[object, int] = {}
    for number, width in bundles_of(size):
        try:
            entries = reader.entries(number, width)
        except LogDamaged as error:
            report.add("bundle-bad", str(error.details["where"]), error.message)
            return hashes
        for data in entries:
            index = len(hashes)
            hashes.append(leaf_hash(data))
            try:
                entry = Entry.parse(data)
            except ValueError as error:
                report.add("entry-bad", f"leaf {index}", str(error))
                continue
            if entry.id in seen:
                report.add("entry-double", f"leaf {index}", f"states {entry.id} again, first at leaf {seen[entry.id]}")
            seen[entry.id] = index
    report.entries = len(hashes)
    return hashes


def _compare_tiles(folder: Path, hashes: list[bytes], report: AuditReport) -> dict[int, list[bytes]]:
    """Hold every tile against the entries; the hashes of each level."""
    levels: dict[int, list[bytes]] = {0: hashes}
    for level, number, width in tiles_of(len(hashes)):
        if level not in levels:
            below = levels[level - 1]
            levels[level] = [root_of(below[i : i + WIDTH]) for i in range(0, len(below) - len(below) % WIDTH, WIDTH)]
        path = tile_path(level, number, width)
        expected = b"".join(levels[level][number * WIDTH : number * WIDTH + width])
        try:
            have = (folder / path).read_bytes()
        except OSError as error:
            report.add("tile-missing", path, error.strerror or "cannot be read")
            continue
        if have != expected:
            wrong = [i for i in range(width) if have[i * HASH_BYTES : (i + 1) * HASH_BYTES]
                     != expected[i * HASH_BYTES : (i + 1) * HASH_BYTES]]  # fmt: skip
            first = number * WIDTH + (wrong[0] if wrong else width)
            report.add("tile-wrong", path, f"differs from the entries, first at hash {first} of level {level}")
    return levels


def _compare_older_partials(folder: Path, levels: dict[int, list[bytes]], report: AuditReport) -> None:
    """Partial tiles and bundles of smaller sizes are served too, so they must be beginnings of what is there now."""
    for path in sorted((folder / "tile").rglob("*.p/*")):
        place = path.relative_to(folder).as_posix()
        _, kind, *groups, width = place.split("/")
        number = int("".join(group.removeprefix("x").removesuffix(".p") for group in groups))
        first, level = number * WIDTH, 0 if kind == "entries" else int(kind)
        if not width.isdigit() or first + int(width) > len(levels.get(level, [])):
            continue  # beyond the checkpoint: half written in a crash, or the log grew while we looked
        try:
            have = path.read_bytes()
            hashes = (
                [leaf_hash(entry) for entry in unpack(have)]
                if kind == "entries"
                else [have[i : i + HASH_BYTES] for i in range(0, len(have), HASH_BYTES)]
            )
        except (OSError, ValueError) as error:
            report.add("tile-wrong", place, f"cannot be read ({error})")
            continue
        if hashes != levels[level][first : first + int(width)]:
            known = {finding.where for finding in report.findings}
            if place not in known:
                report.add("tile-wrong", place, "is not a beginning of what the log holds")


def _compare_history(hashes: list[bytes], remembered: Checkpoint, report: AuditReport) -> None:
    if remembered.size > len(hashes):
        report.add("rolled-back", "checkpoint", f"covers {len(hashes)} entries; {remembered.size} were seen before")
    elif root_of(hashes[: remembered.size]) != remembered.root:
        report.add("history-rewritten", "checkpoint", f"the first {remembered.size} entries are not those seen before")
