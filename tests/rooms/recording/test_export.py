"""An export plays, has exactly the size it announced, and a stranger finds every kind of tampering by name."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svidok.base import Conflict, Span, Unavailable, new_id
from svidok.ledger.note import Verifier
from svidok.ledger.sidecar import Finding
from svidok.recording import export
from svidok.recording import facts as f
from svidok.recording.verifying import verify_export

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def exported(yard, folder: Path, start: float, end: float) -> tuple[Path, Path]:
    with yard.database.transaction() as tx:
        planned = export.plan(tx, yard.channel_id, Span(at(start), at(end)))
    media, sidecar = folder / "out.mp4", folder / "out.proof.json"
    media.write_bytes(b"".join(planned.chunks()))
    assert media.stat().st_size == planned.size_bytes
    sidecar.write_bytes(b"".join(export.prove(yard.database, planned, log_folder=yard.log.folder)))
    return media, sidecar


@pytest.fixture
def minute(yard, clip, tmp_path: Path) -> tuple:
    """Three sealed segments of four seconds, exported from the middle of the first to that of the last."""
    for number in range(3):
        yard.record(clip, at(4 * number), first=4 * number)
    assert yard.sequence() == 3
    media, sidecar = exported(yard, tmp_path, 1.5, 10.5)
    return yard, media, sidecar


def verdict(yard, media: Path, sidecar: Path):
    return verify_export(media, sidecar.read_bytes(), verifier=yard.log.verifier)


def test_it_plays_for_as_long_as_was_asked(minute) -> None:
    _, media, _ = minute
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(media)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert abs(float(told["format"]["duration"]) - 9) < 0.1
    assert [one["codec_name"] for one in told["streams"]] == ["h264", "aac"]
    assert abs(int(told["streams"][0]["nb_read_frames"]) - 225) <= 2
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(media), "-f", "null", "-"], capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_stranger_finds_it_proved(minute) -> None:
    found = verdict(*minute)
    assert (found.finding, found.grounds, found.fragments, found.size) == (Finding.PROVED, (), 10, 3)


def test_nothing_personal_and_no_path_is_in_the_sidecar(minute, tmp_path: Path) -> None:
    assert str(tmp_path) not in minute[2].read_text()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_of_the_media_is_found(minute, place: float, bit: int) -> None:
    yard, media, sidecar = minute
    whole = bytearray(media.read_bytes())
    at_byte = int(place * len(whole))
    whole[at_byte] ^= 1 << bit
    changed = media.with_name("changed.mp4")
    changed.write_bytes(whole)
    found = verdict(yard, changed, sidecar)
    assert found.finding == Finding.ALTERED
    parts = [one for segment in json.loads(sidecar.read_text())["segments"] for one in segment["fragments"]]
    hit = [one for one in parts if one["media_offset"] <= at_byte < one["media_offset"] + one["media_size"]]
    codes = {ground.code for ground in found.grounds}
    assert codes == {"hash-differs", "fragment-differs" if hit else "header-differs"}


TAMPERINGS: dict[str, tuple[Callable[[dict], None], Finding, str]] = {
    "a fragment is dropped": (lambda s: s["segments"][1]["fragments"].pop(1), Finding.ALTERED, "fragment-missing"),
    "a segment is dropped": (lambda s: s["segments"].pop(1), Finding.ALTERED, "bytes-unproved"),
    "the root is another": (
        lambda s: s["segments"][0]["payload"].update(root="00" * 32), Finding.NOT_IN_LOG, "entry-not-opened",
    ),
    "the time is another": (
        lambda s: s["segments"][0]["payload"].update(start="2026-11-21T12:00:00.000000Z"), Finding.NOT_IN_LOG,
        "entry-not-opened",
    ),
    "the salt is another": (lambda s: s["segments"][0].update(salt="00" * 32), Finding.NOT_IN_LOG, "entry-not-opened"),
    "the channel is another": (lambda s: s.update(channel=str(new_id())), Finding.NOT_IN_LOG, "entry-of-another"),
    "the place in the log is another": (
        lambda s: s["segments"][0].update(leaf_index=1), Finding.NOT_IN_LOG, "entry-not-in-log",
    ),
    "the checkpoint is another": (
        lambda s: s.update(checkpoint=s["checkpoint"].replace("\n3\n", "\n4\n")), Finding.UNTRUSTED,
        "checkpoint-untrusted",
    ),
    "two fragments change places": (
        lambda s: s["segments"][1]["fragments"].reverse(), Finding.ALTERED, "fragment-missing",
    ),
    "the head is another": (
        lambda s: s["segments"][0]["fragments"][0].update(head="AAAA"), Finding.ALTERED, "fragment-differs",
    ),
    "the init is another": (lambda s: s["segments"][0].update(init="AAAA"), Finding.ALTERED, "init-differs"),
    "the last seal is taken away": (
        lambda s: s["segments"][2].update(leaf=None), Finding.PROVED_IN_PART, "not-sealed-yet",
    ),
    "the first seal is taken away": (
        lambda s: s["segments"][0].update(leaf=None), Finding.NOT_IN_LOG, "seal-missing",
    ),
    "a path is no hex": (
        lambda s: s["segments"][0].update(inclusion=["zz"]), Finding.CANNOT_TELL, "sidecar-unreadable",
    ),
    "the init is no base64": (lambda s: s["segments"][0].update(init="ї"), Finding.CANNOT_TELL, "sidecar-unreadable"),
    "a fraction in the payload": (
        lambda s: s["segments"][0]["payload"].update(leaves=1.5), Finding.CANNOT_TELL, "sidecar-unreadable",
    ),
    "the format is another": (lambda s: s.update(format="x/2"), Finding.CANNOT_TELL, "sidecar-unreadable"),
    "a field is missing": (lambda s: s.pop("segments"), Finding.CANNOT_TELL, "sidecar-unreadable"),
    "the size is another": (lambda s: s["media"].update(size_bytes=1), Finding.ALTERED, "size-differs"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_sidecar_is_found_by_name(minute, name: str) -> None:
    yard, media, sidecar = minute
    change, finding, code = TAMPERINGS[name]
    told = json.loads(sidecar.read_text())
    change(told)
    found = verify_export(media, json.dumps(told).encode(), verifier=yard.log.verifier)
    assert found.finding == finding
    assert code in {ground.code for ground in found.grounds}


def test_bytes_added_at_the_end_are_found(minute) -> None:
    yard, media, sidecar = minute
    with media.open("ab") as file:
        file.write(b"more")
    assert verdict(yard, media, sidecar).finding == Finding.ALTERED


def test_another_key_vouches_for_nothing(minute) -> None:
    yard, media, sidecar = minute
    stranger = Verifier(name=yard.log.origin, key=Ed25519PrivateKey.generate().public_key())
    found = verify_export(media, sidecar.read_bytes(), verifier=stranger)
    assert found.finding == Finding.UNTRUSTED


def test_no_file_and_no_json_are_said_to_be_so(minute, tmp_path: Path) -> None:
    yard, media, sidecar = minute
    assert verdict(yard, tmp_path / "none.mp4", sidecar).finding == Finding.CANNOT_TELL
    assert verify_export(media, b"\xff{", verifier=yard.log.verifier).finding == Finding.CANNOT_TELL
    assert verify_export(media, b"[" * 100_000, verifier=yard.log.verifier).finding == Finding.CANNOT_TELL


def test_what_is_not_sealed_yet_is_proved_in_part_only(yard, clip, tmp_path: Path) -> None:
    yard.record(clip, at(0))
    yard.sequence()
    yard.record(clip, at(4), first=4)
    yard.record(clip, at(8), first=8, seal=False)
    found = verdict(yard, *exported(yard, tmp_path, 0, 12))
    assert found.finding == Finding.PROVED_IN_PART
    assert [ground.code for ground in found.grounds] == ["not-sealed-yet", "not-sealed-yet"]
    assert found.fragments == 4


def test_a_gap_must_be_explained(yard, clip, tmp_path: Path) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(10))
    yard.sequence()
    found = verdict(yard, *exported(yard, tmp_path, 0, 14))
    assert [(ground.finding, ground.code) for ground in found.grounds] == [(Finding.PROVED_IN_PART, "gap-unexplained")]
    yard.tell(f.GapOpened(gap_id=new_id(), channel_id=yard.channel_id, at=at(4), reason="stream-stalled"))
    yard.tell(f.GapClosed(channel_id=yard.channel_id, at=at(10)))
    assert verdict(yard, *exported(yard, tmp_path, 0, 14)).finding == Finding.PROVED


def test_nothing_to_export_and_footage_that_is_away_are_told_apart(yard, clip) -> None:
    yard.record(clip, at(0))
    with yard.database.transaction() as tx:
        with pytest.raises(Conflict) as nothing:
            export.plan(tx, yard.channel_id, Span(at(100), at(200)))
        assert nothing.value.code == "nothing-recorded"
        yard.media(0).unlink()
        with pytest.raises(Unavailable) as away:
            export.plan(tx, yard.channel_id, Span(at(0), at(3)))
        assert away.value.code == "footage-unreachable"


def test_the_tag_names_the_bytes(yard, clip) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(4), first=4, seal=False)

    def tag(start: float, end: float) -> str:
        with yard.database.transaction() as tx:
            return export.plan(tx, yard.channel_id, Span(at(start), at(end))).tag

    assert tag(0, 4) == tag(0, 4)
    assert len({tag(0, 4), tag(0, 3.5), tag(0, 8), tag(1, 4)}) == 4
