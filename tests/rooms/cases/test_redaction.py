"""A redacted film holds nothing of what was covered, of its source's metadata, or of its sound; two people passed it."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import av
import numpy as np
import pytest

from svidok.api.jobs import Cancelled
from svidok.evidence import redactions
from svidok.evidence.custody import SQL
from svidok.media.pictures import jpeg_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = Path(__file__).parents[3] / "src/svidok/simulate/footage/one-by-one-person-detection.mp4"


@pytest.fixture
def film(bureau, yard, clip) -> str:
    """An exhibit of six seconds of footage with sound."""
    yard.record(clip, NOON, count=6)
    told = {
        "channel_id": str(yard.channel_id), "start": NOON.isoformat(), "end": (NOON + timedelta(seconds=6)).isoformat(),
        "title": "The yard",
    }  # fmt: skip
    return bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=told).json()["id"]


def begin(bureau, exhibit: str) -> str:
    begun = bureau.ask("lead", "POST", f"/api/exhibits/{exhibit}/redactions")
    assert begun.status_code == 201, begun.text
    row = bureau.job("lead", begun.json()["job"])
    assert row["state"] == "done", row
    return row["result"]["redaction"]


def made(bureau, redaction: str) -> tuple[str, bytes]:
    """The second pass by a colleague, and the film that came of it."""
    accepted = bureau.ask("mate", "POST", f"/api/redactions/{redaction}/accept")
    assert accepted.status_code == 201, accepted.text
    row = bureau.job("mate", accepted.json()["job"])
    assert row["state"] == "done", row
    exhibit = row["result"]["exhibit"]
    return exhibit, bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}/media").content


def test_nothing_hidden_is_left(bureau, film, tmp_path: Path) -> None:
    redaction = begin(bureau, film)
    path = f"/api/redactions/{redaction}"
    cover = {"first": 0, "last": 149, "keys": [[0, 40, 30, 80, 60], [149, 180, 90, 80, 60]]}
    drawn = bureau.ask("lead", "POST", f"{path}/covers", json=cover)
    assert drawn.status_code == 201, drawn.text
    assert bureau.ask("lead", "POST", f"{path}/review").is_success
    exhibit, data = made(bureau, redaction)
    out = tmp_path / "out.mp4"
    out.write_bytes(data)
    told = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json", out], check=True,
        capture_output=True).stdout)  # fmt: skip
    assert [one["codec_name"] for one in told["streams"]] == ["h264"]
    assert set(told["format"].get("tags", {})) <= {"major_brand", "minor_version", "compatible_brands"}
    assert told["chapters"] == []
    assert nal_types(out) <= {1, 5, 7, 8}
    assert boxes_in(data) <= {
        b"ftyp", b"moov", b"mdat", b"free", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr",
        b"minf", b"vmhd", b"dinf", b"dref", b"stbl", b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco",
        b"sgpd", b"sbgp", b"udta", b"meta", b"ilst",
    }  # fmt: skip
    assert b"x264" not in data
    assert b"Lavf" not in data
    with av.open(str(out)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            x, y = 40 + (180 - 40) * number / 149, 30 + (90 - 30) * number / 149
            part = frame.to_ndarray(format="gray")[int(y) + 4 : int(y) + 56, int(x) + 4 : int(x) + 76]
            assert np.ptp(part.astype(int)) < 24, number
        assert number == 149
    told_case = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()
    result = next(one for one in told_case["exhibits"] if one["id"] == exhibit)
    assert (result["kind"], result["derived_from"]) == ("redacted", film)
    assert result["sha256"] == hashlib.sha256(data).hexdigest()
    assert result["facts"]["second_pass"] == "Name of mate"
    assert bureau.ask("lead", "GET", f"/api/exhibits/{film}").json()["intact"] == "same"


def nal_types(path: Path) -> set[int]:
    """The kinds of units in a film's pictures."""
    found = set()
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            data, at = bytes(packet), 0
            while at < len(data):
                size = int.from_bytes(data[at : at + 4], "big")
                found.add(data[at + 4] & 0x1F)
                at += 4 + size
    return found


def boxes_in(data: bytes) -> set[bytes]:
    """The names of all boxes, at any depth; `free` and `udta` must be empty of text, which the caller looks for."""
    found, holders = set(), {b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"udta"}

    def walk(part: bytes) -> None:
        at = 0
        while at + 8 <= len(part):
            size, name = int.from_bytes(part[at : at + 4], "big"), part[at + 4 : at + 8]
            size = size or len(part) - at
            found.add(name)
            if name in holders:
                walk(part[at + 8 : at + size])
            at += max(8, size)

    walk(data)
    return found


def test_two_people_pass_it_and_only_then_it_is_made(bureau, film) -> None:
    redaction = begin(bureau, film)
    path = f"/api/redactions/{redaction}"
    assert bureau.ask("mate", "POST", f"{path}/accept").json()["code"] == "no-review-asked"
    cover = {"first": 0, "last": 20, "keys": [[0, 10, 10, 30, 30]]}
    drawn = bureau.ask("lead", "POST", f"{path}/covers", json=cover).json()["id"]
    assert bureau.ask("lead", "POST", f"{path}/review").is_success
    for act in ("accept", "return"):
        refused = bureau.ask("lead", "POST", f"{path}/{act}", json={"says": "not covered"})
        assert refused.json()["code"] == "four-eyes"
    assert (
        bureau.ask("lead", "PUT", f"{path}/covers/{drawn}", json=cover | {"off": True}).json()["code"] == "not-editable"
    )
    assert bureau.ask("mate", "POST", f"{path}/return", json={"says": "a face at 0:04"}).is_success
    changed = cover | {"last": 140, "keys": [[0, 10, 10, 30, 30], [140, 60, 60, 30, 30]]}
    assert bureau.ask("lead", "PUT", f"{path}/covers/{drawn}", json=changed).is_success
    shown = bureau.ask("mate", "GET", path).json()
    assert (shown["redaction"]["says"], shown["covers"][0]["last"]) == ("a face at 0:04", 140)
    picture = bureau.ask("mate", "GET", f"{path}/picture?number=70&width=320")
    assert picture.content[:3] == b"\xff\xd8\xff"
    for bad in (
        [[0, 900, 900, 30, 30]],
        [[200, 0, 0, 9, 9]],
        [],
        [[0, 0, 0, 1, 1]],
        [[3, 0, 0, 9, 9], [3, 0, 0, 9, 9]],
    ):
        assert bureau.ask("lead", "POST", f"{path}/covers", json=cover | {"keys": bad}).status_code == 400, bad
    assert bureau.ask("stranger", "GET", path).status_code == 404
    assert bureau.ask("stranger", "GET", f"{path}/picture?number=1").status_code == 404


def test_sound_that_is_kept_is_kept(bureau, film, tmp_path: Path) -> None:
    redaction = begin(bureau, film)
    path = f"/api/redactions/{redaction}"
    assert bureau.ask("lead", "PUT", path, json={"style": "mosaic", "mute": False}).is_success
    assert bureau.ask("lead", "POST", f"{path}/review").is_success
    _, data = made(bureau, redaction)
    out = tmp_path / "out.mp4"
    out.write_bytes(data)
    with av.open(str(out)) as container:
        assert [one.type for one in container.streams] == ["video", "audio"]


def test_a_stretch_of_sound_is_taken_out_and_the_rest_stays(bureau, film, tmp_path: Path) -> None:
    redaction = begin(bureau, film)
    path = f"/api/redactions/{redaction}"
    how = {"style": "solid", "mute": False, "silences": [[3000, 4000], [2000, 3000]]}
    for bad in ([[5000, 4000]], [[-1, 4]], [[0, 7_000_000]]):
        assert bureau.ask("lead", "PUT", path, json=how | {"silences": bad}).json()["code"] == "silence-outside"
    assert bureau.ask("lead", "PUT", path, json=how).is_success
    assert bureau.ask("mate", "GET", path).json()["redaction"]["silences"] == [[2000, 4000]]
    assert bureau.ask("lead", "POST", f"{path}/review").is_success
    _, data = made(bureau, redaction)
    out = tmp_path / "out.mp4"
    out.write_bytes(data)
    loudest = [0.0] * 6
    with av.open(str(out)) as container:
        for frame in container.decode(audio=0):
            at = float(frame.time or 0)
            if not any(abs(at - edge) < 0.1 for edge in (2, 4)):
                second = min(5, int(at))
                loudest[second] = max(loudest[second], float(np.abs(frame.to_ndarray()).max()))
    assert [one > 0.01 for one in loudest] == [True, True, False, False, True, True], loudest


def test_a_search_that_is_broken_off_goes_on_and_finds_the_same(bureau, tmp_path: Path) -> None:
    part = tmp_path / "people.mp4"
    cut = [
        "ffmpeg",
        "-v",
        "error",
        "-ss",
        "6",
        "-i",
        PEOPLE,
        "-t",
        "3",
        "-an",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        part,
    ]
    subprocess.run(cut, check=True)
    exhibit = bureau.upload("lead", part.read_bytes(), name="people.mp4", title="People")["id"]
    lead, now = bureau.people["lead"], bureau.now
    first, second = (
        redactions.begin(bureau.database, bureau.vault, actor=lead, exhibit_id=UUID(exhibit), at=now) for _ in range(2)
    )
    told = []

    def stop(done: int, total: int | None) -> None:
        told.append(done)
        if len(told) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        redactions.propose(bureau.database, bureau.vault, actor=lead, redaction_id=first, at=now, tell=stop)
    again: list[int] = []
    redactions.propose(
        bureau.database, bureau.vault, actor=lead, redaction_id=first, at=now, tell=lambda done, _: again.append(done)
    )
    assert min(again) > told[-2]
    redactions.propose(bureau.database, bureau.vault, actor=lead, redaction_id=second, at=now)
    with bureau.database.transaction() as tx:
        one, other = ([(c["first"], c["last"], c["keys"]) for c in tx.all(SQL["covers_of"], redaction_id=each)]
                      for each in (first, second))  # fmt: skip
        path = redactions._row(tx, first)["path"]
    assert one == other
    assert one
    with pytest.raises(Exception, match="no such picture"):
        jpeg_of(bureau.vault.open_path(path), 10_000, width=320)
