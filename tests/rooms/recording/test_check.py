"""One flipped byte anywhere (segment, index, row, seal) is named; what is whole is not."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from svidok.base import Conflict, Unavailable, new_id
from svidok.recording import idx
from svidok.recording.check import DO, Finding, How, check
from svidok.recording.mending import mend_index
from svidok.recording.reading import segment_of_channel
from svidok.recording.volumes import MARKER

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def findings(yard, **how) -> list[Finding]:
    return check(yard.database, How(ledger=yard.log.folder, **how)).findings


def codes(yard, **how) -> set[str]:
    return {finding.code for finding in findings(yard, **how)}


@pytest.fixture
def sealed(yard, clip):
    """Two sealed segments in the log and one that is being written."""
    yard.record(clip, at(0))
    yard.record(clip, at(4), first=4)
    yard.record(clip, at(8), first=8, seal=False)
    yard.sequence()
    return yard


def test_what_is_whole_has_no_findings(sealed) -> None:
    seen: list[tuple[int, int]] = []
    report = check(
        sealed.database, How(ledger=sealed.log.folder, progress=lambda done, total: seen.append((done, total)))
    )
    assert report.findings == []
    assert (report.segments, report.fragments, report.skipped) == (2, 8, 1)
    assert report.size_bytes == sum(sealed.media(n).stat().st_size for n in (0, 1))
    assert seen[-1] == (3, 3)


def flip(path: Path, at_byte: int, bit: int) -> bytes:
    data = path.read_bytes()
    changed = bytearray(data)
    changed[at_byte] ^= 1 << bit
    path.write_bytes(changed)
    return data


def test_every_flipped_byte_of_a_segment_is_named_with_its_fragment(sealed) -> None:
    path, dice = sealed.media(0), random.Random(1)
    index = idx.read(idx.index_path(path))
    size = path.stat().st_size
    edges = [0, index.header.init_size - 1, index.header.init_size, size - 1]
    heads = [record.offset + n for record in index.records for n in (0, 5, 17, 20, 33, 36, 60, 100)]
    for at_byte in edges + heads + [dice.randrange(size) for _ in range(60)]:
        whole = flip(path, at_byte, dice.randrange(8))
        (found,) = findings(sealed)
        hit = [n for n, record in enumerate(index.records) if record.offset <= at_byte < record.offset + record.size]
        assert found.code == ("fragment-differs" if hit else "init-differs"), at_byte
        assert found.path == str(path)
        if hit:
            assert f"fragment {hit[0]}," in found.says
        path.write_bytes(whole)


def test_every_flipped_byte_of_an_index_is_named(sealed) -> None:
    path = idx.index_path(sealed.media(1))
    for at_byte in range(path.stat().st_size):
        whole = flip(path, at_byte, at_byte % 8)
        found = findings(sealed)
        assert {one.code for one in found} == {"index-damaged"}, at_byte
        assert found[0].path == str(path)
        path.write_bytes(whole)


FORGED = [
    {"start_us": 1}, {"size": 5}, {"offset": 3}, {"flags": 0}, {"leaf_hash": bytes(32)},
]  # fmt: skip


@pytest.mark.parametrize("change", FORGED, ids=[next(iter(one)) for one in FORGED])
def test_an_index_forged_with_a_good_checksum_is_named(sealed, change: dict) -> None:
    path = idx.index_path(sealed.media(0))
    index = idx.read(path)
    records = list(index.records)
    told = {
        name: getattr(records[2], name) for name in ("offset", "size", "start_us", "duration_us", "flags", "leaf_hash")
    }
    records[2] = idx.IndexRecord(**(told | change))
    path.write_bytes(idx.pack(index.header, records))
    found = codes(sealed)
    assert found
    assert found <= {"index-differs", "fragment-differs"}


ROW_CHANGES = {
    "channel_id": ("gen_random_uuid()", "row-differs"),
    "start_at": ("start_at + interval '1 microsecond'", "row-differs"),
    "end_at": ("end_at + interval '1 second'", "row-differs"),
    "size_bytes": ("size_bytes + 1", "row-differs"),
    "fragments": ("fragments - 1", "row-differs"),
    "root": ("decode(repeat('00', 32), 'hex')", "row-differs"),
    "codec": ("'avc1.000000'", "row-differs"),
    "clock_offset_us": ("5", "row-differs"),
    "clock_error_us": ("5", "row-differs"),
    "clock_drift_ppm": ("5", "row-differs"),
    "clock_source": ("'rtcp'", "row-differs"),
    "width": ("width + 1", "row-differs"),
    "height": ("height + 1", "row-differs"),
    "recording_id": ("gen_random_uuid()", "index-differs"),
    "path": ("path || 'x'", "file-missing"),
    "entry_id": ("gen_random_uuid()", "seal-missing"),
    "state": ("'open'", "row-differs"),
}


@pytest.mark.parametrize("column", ROW_CHANGES)
def test_every_changed_column_of_a_row_is_named(sealed, column: str) -> None:
    value, code = ROW_CHANGES[column]
    segment = sealed.segments[0].segment_id
    with sealed.database.transaction() as tx:
        tx.run(f"UPDATE recording.segment SET {column} = {value} WHERE id = %(id)s", id=segment)
    found = findings(sealed)
    assert code in {one.code for one in found}
    assert segment in {one.segment_id for one in found}


ENTRY_CHANGES = {
    "payload": ("payload || 'x'::bytea", "seal-does-not-open"),
    "salt": ("decode(repeat('00', 32), 'hex')", "seal-does-not-open"),
    "commitment": ("decode(repeat('00', 32), 'hex')", "seal-not-in-log"),
    "at": ("at + interval '1 second'", "seal-not-in-log"),
    "leaf_index": ("1000", "seal-not-in-log"),
    "subject": ("gen_random_uuid()", "seal-missing"),
}


@pytest.mark.parametrize("column", ENTRY_CHANGES)
def test_every_changed_column_of_a_seal_is_named(sealed, column: str) -> None:
    value, code = ENTRY_CHANGES[column]
    with sealed.database.transaction() as tx:
        tx.run(f"UPDATE ledger.entry SET {column} = {value} WHERE subject = %(id)s", id=sealed.segments[0].segment_id)
    assert code in codes(sealed)


def test_a_deleted_row_and_a_row_called_disposed_are_named(sealed) -> None:
    first, second = (one.segment_id for one in sealed.segments[:2])
    with sealed.database.transaction() as tx:
        tx.run("DELETE FROM recording.segment WHERE id = %(id)s", id=first)
        tx.run("UPDATE recording.segment SET state = 'disposed' WHERE id = %(id)s", id=second)
    found = {(one.code, one.segment_id) for one in findings(sealed)}
    assert ("row-missing", first) in found
    assert ("disposed-without-decision", second) in found
    assert {code for code, _ in found} >= {"file-without-row", "file-not-disposed"}


Deed = Callable[[Path], object]
DEEDS: dict[str, tuple[Deed, str]] = {
    "removed": (lambda path: path.unlink(), "file-missing"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-7]), "size-differs"),
    "grown": (lambda path: path.write_bytes(path.read_bytes() + b"more"), "size-differs"),
    "emptied": (lambda path: path.write_bytes(b""), "size-differs"),
    "of zeroes": (lambda path: path.write_bytes(bytes(path.stat().st_size)), "fragment-differs"),
    "without index": (lambda path: idx.index_path(path).unlink(), "index-missing"),
    "of another": (lambda path: (path.parent / f"000000-{new_id()}.mp4").write_bytes(b"x"), "file-without-row"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_done_to_files_is_named(sealed, deed: str) -> None:
    act, code = DEEDS[deed]
    act(sealed.media(0))
    assert code in codes(sealed)


def test_a_quick_check_reads_no_media_and_still_sees_sizes_and_rows(sealed) -> None:
    path = sealed.media(0)
    flip(path, path.stat().st_size - 1, 0)
    assert codes(sealed, bytes_too=False) == set()
    path.write_bytes(path.read_bytes()[:-1])
    assert "size-differs" in codes(sealed, bytes_too=False)


def test_a_volume_that_is_away_is_one_finding_not_many(sealed) -> None:
    (sealed.volume / MARKER).unlink()
    assert [one.code for one in findings(sealed)] == ["volume-absent"]
    assert findings(sealed, node="another") == []


def test_a_ledger_that_cannot_be_read_is_named(sealed, tmp_path: Path) -> None:
    assert "ledger-unreadable" in {one.code for one in check(sealed.database, How(ledger=tmp_path / "none")).findings}


def test_it_can_be_cancelled(sealed) -> None:
    assert check(sealed.database, How(ledger=sealed.log.folder, cancelled=lambda: True)).segments == 1


def test_every_code_says_what_to_do(sealed) -> None:
    for code in DO:
        assert Finding(code=code, path="", segment_id=None, says="").do.endswith(".")


def test_a_lost_index_is_made_anew_from_whole_media_only(sealed) -> None:
    path = idx.index_path(sealed.media(0))
    whole = path.read_bytes()
    with sealed.database.transaction() as tx:
        one = segment_of_channel(tx, sealed.channel_id, sealed.segments[0].segment_id)
    for damage in (None, whole[:-20], whole[:100], b"", whole[:-1] + b"\0"):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        assert mend_index(one) == path
        assert path.read_bytes() == whole
        assert findings(sealed) == []
    flip(one.media, 5000, 0)
    path.unlink()
    with pytest.raises(Conflict):
        mend_index(one)
    assert not path.exists()
    one.media.unlink()
    with pytest.raises(Unavailable):
        mend_index(one)
