"""Somebody who can write any MP4 and any sidecar, but neither sign nor find a collision, never reaches `proved`.

Each forgery here is thorough: offsets, sizes, hash and header are made to fit what was changed.
"""

import base64
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from svidok.base import Conflict, Span, to_us
from svidok.ledger.sidecar import Finding
from svidok.ledger.tree import inclusion_path, leaf_hash, root_of
from svidok.media.fmp4 import fragment, init_segment
from svidok.media.progressive import Arrangement
from svidok.recording import export
from svidok.recording.verifying import Verdict, verify_export

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Told = dict


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def text(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Forger:
    """An export taken apart, to be put together in any other way."""

    def __init__(self, yard, folder: Path, start: float, end: float) -> None:
        self.yard, self.folder = yard, folder
        with yard.database.transaction() as tx:
            planned = export.plan(tx, yard.channel_id, Span(at(start), at(end)))
        whole = b"".join(planned.chunks())
        self.told: Told = json.loads(b"".join(export.prove(yard.database, planned, log_folder=yard.log.folder)))
        for part in self.fragments():
            part["media"] = whole[part["media_offset"] : part["media_offset"] + part["media_size"]]
        self.header = whole[: self.fragments()[0]["media_offset"]]

    def fragments(self) -> list[Told]:
        return [part for segment in self.told["segments"] for part in segment["fragments"]]

    def make_header(self) -> bytes:
        arrangement = Arrangement()
        for segment in self.told["segments"]:
            arrangement.begin(base64.b64decode(segment["init"]), "forged")
            for part in segment["fragments"]:
                arrangement.add(base64.b64decode(part["head"]), len(part["media"]))
        start, end = (to_us(datetime.fromisoformat(self.told[name])) for name in ("from", "to"))
        return arrangement.header(start_us=start, end_us=end)

    def judge(self, header: bytes | None = None) -> Verdict:
        """Put everything together so that it fits, and ask."""
        told = json.loads(json.dumps({**self.told, "segments": []}))
        try:
            header = self.make_header() if header is None else header
        except Conflict:
            header = b""
        whole = bytearray(header)
        for segment in self.told["segments"]:
            parts = []
            for part in segment["fragments"]:
                kept = {name: value for name, value in part.items() if name != "media"}
                parts.append(kept | {"media_offset": len(whole), "media_size": len(part["media"])})
                whole += part["media"]
            told["segments"].append({**segment, "fragments": parts})
        told["media"] = {"name": "x.mp4", "size_bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
        (self.folder / "x.mp4").write_bytes(whole)
        return self.ask(told)

    def ask(self, told: object) -> Verdict:
        text = json.dumps(told).encode()
        return verify_export(self.folder / "x.mp4", text, verifier=self.yard.log.verifier)


def codes(verdict: Verdict) -> set[str]:
    return {ground.code for ground in verdict.grounds}


@pytest.fixture
def forger(yard, clip, tmp_path: Path) -> Forger:
    """Three sealed segments of four seconds, exported from the middle of the first to that of the last."""
    for number in range(3):
        yard.record(clip, at(4 * number), first=4 * number)
    yard.sequence()
    return Forger(yard, tmp_path, 1.5, 10.5)


def test_what_is_put_together_as_it_was_is_proved(forger: Forger) -> None:
    assert forger.make_header() == forger.header
    assert forger.judge().finding == Finding.PROVED


FORGERIES: dict[str, tuple[Callable[[list[Told]], object], Finding, str]] = {
    "no segments": (lambda s: s.clear(), Finding.CANNOT_TELL, "nothing-told"),
    "a segment without fragments": (lambda s: s[1]["fragments"].clear(), Finding.ALTERED, "fragment-missing"),
    "a segment twice": (lambda s: s.insert(1, s[1]), Finding.ALTERED, "segment-repeated"),
    "all segments twice": (lambda s: s.extend(s[:]), Finding.ALTERED, "segment-repeated"),
    "segments backwards": (lambda s: s.reverse(), Finding.ALTERED, "segments-reordered"),
    "two whole segments swapped": (lambda s: s.insert(0, s.pop(1)), Finding.ALTERED, "segments-reordered"),
    "a fragment twice": (
        lambda s: s[1]["fragments"].insert(1, s[1]["fragments"][1]), Finding.ALTERED, "fragment-missing",
    ),
    "fragments backwards": (lambda s: s[1]["fragments"].reverse(), Finding.ALTERED, "fragment-missing"),
    "a fragment dropped": (lambda s: s[1]["fragments"].pop(1), Finding.ALTERED, "fragment-missing"),
    "a segment dropped": (lambda s: s.pop(1), Finding.PROVED_IN_PART, "gap-unexplained"),
    "the first fragment dropped": (lambda s: s[0]["fragments"].pop(0), Finding.PROVED_IN_PART, "gap-unexplained"),
    "the last fragment dropped": (lambda s: s[2]["fragments"].pop(), Finding.PROVED_IN_PART, "gap-unexplained"),
    "the first segment dropped": (lambda s: s.pop(0), Finding.PROVED_IN_PART, "gap-unexplained"),
    "the last segment dropped": (lambda s: s.pop(), Finding.PROVED_IN_PART, "gap-unexplained"),
    "a byte taken from a head into the media": (
        lambda s: s[1]["fragments"][0].update(
            head=base64.b64encode(base64.b64decode(s[1]["fragments"][0]["head"])[:-1]).decode(),
            media=base64.b64decode(s[1]["fragments"][0]["head"])[-1:] + s[1]["fragments"][0]["media"],
        ), Finding.ALTERED, "header-differs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_that_fits_in_all_its_parts_is_named(forger: Forger, name: str) -> None:
    change, finding, code = FORGERIES[name]
    change(forger.told["segments"])
    found = forger.judge()
    assert (found.finding, code in codes(found)) == (finding, True), found


def changed(header: bytes, name: bytes, place: int, value: int = 1) -> bytes:
    """The header with one byte of the last box `name` changed, `place` bytes after the box's name."""
    box = header.rindex(name)
    out = bytearray(header)
    out[box + 4 + place] ^= value
    return bytes(out)


@pytest.mark.parametrize(
    ("box", "place"),
    [(b"stts", 15), (b"ctts", 15), (b"stsz", 15), (b"stco", 11), (b"stss", 11), (b"stsc", 15), (b"elst", 19),
     (b"tkhd", 83), (b"mdhd", 31), (b"avcC", 10), (b"ftyp", 3), (b"mdat", 5)],
)  # fmt: skip
def test_a_header_that_arranges_the_pictures_otherwise_is_found(forger: Forger, box: bytes, place: int) -> None:
    found = forger.judge(changed(forger.header, box, place))
    assert (found.finding, codes(found)) == (Finding.ALTERED, {"header-differs"})


def test_a_header_of_another_length_is_found(forger: Forger) -> None:
    for header in (forger.header + b"\0\0\0\x08free", forger.header[:-1], b""):
        found = forger.judge(header)
        assert (found.finding, codes(found)) == (Finding.ALTERED, {"header-differs"})


@pytest.mark.parametrize(
    ("change", "finding", "code"),
    [
        ({"from": text(-3600), "to": text(-3590)}, Finding.ALTERED, "span-differs"),
        ({"from": text(3600), "to": text(3610)}, Finding.ALTERED, "span-differs"),
        ({"from": text(2.5)}, Finding.ALTERED, "span-differs"),
        ({"to": text(9.5)}, Finding.ALTERED, "span-differs"),
        ({"from": text(0)}, Finding.PROVED_IN_PART, "gap-unexplained"),
        ({"to": text(60)}, Finding.PROVED_IN_PART, "gap-unexplained"),
        ({"from": text(10.5), "to": text(1.5)}, Finding.ALTERED, "span-differs"),
    ],
)
def test_a_span_that_the_pictures_are_not_of_is_found(forger: Forger, change: Told, finding, code: str) -> None:
    forger.told |= change
    found = forger.judge()
    assert (found.finding, code in codes(found)) == (finding, True), found


def test_cutting_the_span_shows_other_pictures_and_so_needs_another_header(forger: Forger) -> None:
    forger.told |= {"from": text(1.2)}
    found = forger.judge(forger.header)
    assert (found.finding, codes(found)) == (Finding.ALTERED, {"header-differs"})


def made_up(forger: Forger, clip, seconds: float) -> Told:
    """A segment that no camera sent, complete with heads, hashes and paths, and no seal."""
    init = init_segment(clip.tracks)
    heads, medias = [], []
    for n, group in enumerate(clip.groups[:2]):
        us = to_us(at(seconds + n))
        parts = fragment(n + 1, group, video_base=n * 90_000, audio_base=n * 16_000, wall_us=us)
        heads.append(bytes(parts[0]))
        medias.append(b"".join(map(bytes, parts[1:])))
    hashes = [leaf_hash(init), *(leaf_hash(head + media) for head, media in zip(heads, medias, strict=True))]

    def path(index: int) -> list[str]:
        return [one.hex() for one in inclusion_path(hashes, index)]

    return {
        "segment": "00000000-0000-7000-8000-000000000001", "state": "open", "leaf": None, "payload": None,
        "salt": None, "leaf_index": None, "inclusion": [], "leaves": 3, "init": base64.b64encode(init).decode(),
        "init_path": path(0),
        "fragments": [
            {"index": n + 1, "head": base64.b64encode(heads[n]).decode(), "media": medias[n], "path": path(n + 1)}
            for n in range(2)
        ],
    }  # fmt: skip


def test_made_up_footage_is_never_proved(forger: Forger, clip) -> None:
    real = forger.told["segments"]
    forger.told["segments"] = [made_up(forger, clip, 4)]
    forger.told |= {"from": text(4), "to": text(6)}
    found = forger.judge()
    assert (found.finding, codes(found), found.fragments) == (Finding.NOT_IN_LOG, {"nothing-sealed"}, 0)
    forger.told["segments"] = [real[0], made_up(forger, clip, 4), real[2]]
    forger.told |= {"from": text(1.5), "to": text(10.5), "gaps": []}
    found = forger.judge()
    assert (found.finding, "seal-missing" in codes(found)) == (Finding.NOT_IN_LOG, True)
    forger.told["segments"] = [*real[:2], made_up(forger, clip, 8)]
    forger.told |= {"to": text(10)}
    found = forger.judge()
    assert (found.finding, codes(found)) == (Finding.PROVED_IN_PART, {"not-sealed-yet"})
    (ground,) = found.grounds
    assert "2026-11-20T12:00:08+00:00 to 2026-11-20T12:00:10+00:00" in ground.where
    assert "nobody vouches for these pictures" in ground.says


def test_the_same_time_recorded_twice_is_said_to_be_so(yard, clip, tmp_path: Path) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(2), first=4)
    yard.sequence()
    found = Forger(yard, tmp_path, 0, 6).judge()
    assert (found.finding, codes(found)) == (Finding.PROVED_IN_PART, {"segments-overlap"})


HOSTILE: dict[str, Callable[[list[Told]], object]] = {
    "a huge count of leaves": lambda s: s[1].update(leaves=1 << 32),
    "more leaves than there can be": lambda s: s[1].update(leaves=1 << 80),
    "a huge index": lambda s: s[2]["fragments"][-1].update(index=1 << 31),
    "index zero": lambda s: s[1]["fragments"][0].update(index=0),
    "a huge size": lambda s: s[1]["fragments"][0].update(media_size=1 << 60),
    "a negative size": lambda s: s[1]["fragments"][0].update(media_size=-1),
    "a negative offset": lambda s: s[1]["fragments"][0].update(media_offset=-1),
    "a huge offset": lambda s: s[1]["fragments"][0].update(media_offset=1 << 61),
    "an offset back in the file": lambda s: s[2]["fragments"][-1].update(media_offset=0),
    "an endless path": lambda s: s[1]["fragments"][0].update(path=["00" * 32] * 100),
    "a hash of another length": lambda s: s[1]["fragments"][0].update(path=["00" * 31]),
    "no head": lambda s: s[1]["fragments"][0].update(head=""),
    "a head that claims four thousand million pictures": lambda s: s[1]["fragments"][0].update(
        head=base64.b64encode(
            base64.b64decode(s[1]["fragments"][0]["head"]).replace(b"trun\x01\x00", b"trun\x01\x00", 1)[:-200]
            + b"\xff" * 200
        ).decode()
    ),
    "no init": lambda s: s[1].update(init=""),
    "control characters for a name": lambda s: s[1].update(segment="\x1b[2Jproved"),
    "a start that is no instant": lambda s: s[1]["payload"].update(start=None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_numbers_are_answered_in_bounded_memory(forger: Forger, name: str) -> None:
    assert forger.judge().finding == Finding.PROVED
    told = {**forger.told, "segments": []}
    offset = len(forger.header)
    for segment in forger.told["segments"]:
        parts = []
        for part in segment["fragments"]:
            size = len(part["media"])
            parts.append({name: value for name, value in part.items() if name != "media"} | {"media_offset": offset})
            offset += size
        told["segments"].append({**segment, "fragments": parts})
    HOSTILE[name](told["segments"])
    tracemalloc.start()
    found = forger.ask(told)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.finding in {Finding.ALTERED, Finding.CANNOT_TELL, Finding.NOT_IN_LOG}, found
    assert peak < 8 << 20
    assert not any("\x1b" in ground.where + ground.says for ground in found.grounds)


def test_a_root_of_our_own_is_not_one_that_was_sealed(forger: Forger) -> None:
    segment = forger.told["segments"][1]
    leaves = [leaf_hash(base64.b64decode(segment["init"]))]
    for part in segment["fragments"]:
        part["media"] = bytes([part["media"][0] ^ 1]) + part["media"][1:]
        leaves.append(leaf_hash(base64.b64decode(part["head"]) + part["media"]))
    for number, part in enumerate(segment["fragments"]):
        part["path"] = [one.hex() for one in inclusion_path(leaves, number + 1)]
    segment["init_path"] = [one.hex() for one in inclusion_path(leaves, 0)]
    segment["payload"]["root"] = root_of(leaves).hex()
    found = forger.judge()
    assert (found.finding, codes(found)) == (Finding.NOT_IN_LOG, {"entry-not-opened"})
