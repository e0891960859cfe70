"""A dock uploads a shift through both doors, over real TLS; what came is kept, copied, cut, and covered."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.rooms.bodyworn.conftest import Place, Worn

from svidok.base import Span, SystemClock
from svidok.bodyworn.gathering import covered_shift
from svidok.bodyworn.receiving import CLIP_KEPT
from svidok.db import Row
from svidok.recording.playback import manifest
from svidok.recording.timeline import timeline
from svidok.simulate.docking import offload_swift, offload_tus
from svidok.simulate.worn import shift_of_camera

NOW = SystemClock().now().replace(microsecond=0)
START = NOW - timedelta(minutes=30)
LONG_AFTER = NOW + timedelta(hours=1)  # no dock is sending any more


def gaps(place: Place, worn: Worn, *, at: datetime = LONG_AFTER) -> list[tuple[str, int]]:
    with place.database.transaction() as tx:
        found = covered_shift(tx, UUID(worn.shift_id), at=at).coverage
    return [(str(gap.cause), round(gap.span.duration.total_seconds())) for gap in found.gaps]


def rows(place: Place, serial: str) -> list[Row]:
    with place.database.transaction() as tx:
        return tx.all(
            "SELECT c.*, e.kind AS entry_kind FROM bodyworn.clip c JOIN bodyworn.device d ON d.camera_id = c.camera_id "
            "JOIN ledger.entry e ON e.id = c.entry_id WHERE d.serial = %(s)s ORDER BY c.name", s=serial,
        )  # fmt: skip


def tend(place: Place) -> None:
    while place.tender.copy_waiting():
        pass
    while place.tender.read_waiting():
        pass


@pytest.mark.parametrize("door", ["swift", "tus"])
def test_a_whole_shift_is_kept_copied_and_played(place: Place, cache: Path, tmp_path: Path, door: str) -> None:
    worn = place.shift(f"B-{door}", f"ACCC{door}", START, 180)
    camera = shift_of_camera(worn.serial, start=START - timedelta(seconds=5), seconds=190, clip_s=70)
    if door == "swift":
        done = offload_swift(place.client(), camera, user="u1", folder=tmp_path, cache=cache)
    else:
        done = offload_tus(place.client(), camera, now=SystemClock().now, folder=tmp_path, cache=cache)
    assert (len(done.acknowledged), done.failed) == (3, ())
    kept = rows(place, worn.serial)
    assert [row["entry_kind"] for row in kept] == [CLIP_KEPT] * 3
    for row in kept:
        file = place.vault.file(row["volume_id"], row["path"])
        assert file is not None
        assert hashlib.sha256(file.read_bytes()).digest() == bytes(row["sha256"])
    receipt = place.client().ask("GET", f"/dock/v1/receipts/{worn.serial}").body.decode()
    assert '"safe_to_wipe": false' in receipt
    tend(place)
    assert {row["state"] for row in rows(place, worn.serial)} == {"copied"}
    assert gaps(place, worn) == []
    receipt = place.client().ask("GET", f"/dock/v1/receipts/{worn.serial}").body.decode()
    assert '"safe_to_wipe": true' in receipt
    with place.database.transaction() as tx:
        channel = tx.one("SELECT channel_id FROM bodyworn.device WHERE serial = %(s)s", s=worn.serial)["channel_id"]
        line = timeline(tx, channel, Span(START, START + timedelta(seconds=180)))
        playable = manifest(tx, channel, Span(START, START + timedelta(seconds=180)))
    assert line.gaps == ()
    assert sum((one.span.duration for one in line.recorded), timedelta()) == timedelta(seconds=180)
    assert len(playable.segments) >= 3


def test_each_fault_is_a_gap_with_its_cause(place: Place, cache: Path, tmp_path: Path) -> None:
    wanted = {
        "switched-off": [("switched-off", 40)],
        "battery": [("battery", 40)],
        "missing": [("chunk-missing", 60)],
        "pulled": [("upload-cut", 60)],
        "clock-wrong": [],
        "checksum": [],
        "dark": [("too-dark", 60)],
        "covered": [("obstructed", 60)],
        "frozen": [("frozen", 59)],
        "silent": [("silent-microphone", 60)],
    }
    found = {}
    shifts = {}
    for number, fault in enumerate(wanted):
        shifts[fault] = place.shift(f"F-{number}", f"FAULT{number}", START, 180)
        camera = shift_of_camera(f"FAULT{number}", start=START, seconds=180, clip_s=60, fault=fault, fault_s=40)
        offload_tus(place.client(), camera, now=SystemClock().now, folder=tmp_path, cache=cache)
    tend(place)
    for fault, worn in shifts.items():
        found[fault] = gaps(place, worn)
    assert found == wanted


def test_the_torn_end_of_a_clip_is_told(place: Place, cache: Path, tmp_path: Path) -> None:
    worn = place.shift("T-1", "TORN1", START, 120)
    camera = shift_of_camera("TORN1", start=START, seconds=120, clip_s=60, fault="torn", fault_s=40)
    offload_tus(place.client(), camera, now=SystemClock().now, folder=tmp_path, cache=cache)
    tend(place)
    ((cause, seconds),) = gaps(place, worn)
    assert cause == "cut-gop"
    assert 8 <= seconds <= 12


def test_a_pulled_camera_goes_on_where_it_was(place: Place, cache: Path, tmp_path: Path) -> None:
    worn = place.shift("P-1", "PULL1", START, 120)
    camera = shift_of_camera("PULL1", start=START, seconds=120, clip_s=60, fault="pulled")
    first = offload_tus(place.client(), camera, now=SystemClock().now, folder=tmp_path, cache=cache)
    assert len(first.failed) == 1
    again = shift_of_camera("PULL1", start=START, seconds=120, clip_s=60)
    second = offload_tus(place.client(), again, now=SystemClock().now, folder=tmp_path, cache=cache)
    assert second.failed == ()
    tend(place)
    assert gaps(place, worn) == []
    assert len(rows(place, "PULL1")) == 2  # what came twice is one clip


def test_a_replay_is_kept_aside(place: Place, cache: Path, tmp_path: Path) -> None:
    place.shift("R-1", "REPLAY1", START, 60)
    camera = shift_of_camera("REPLAY1", start=START, seconds=60, clip_s=60, fault="replay")
    offload_tus(place.client(), camera, now=SystemClock().now, folder=tmp_path, cache=cache)
    tend(place)
    states = {row["name"]: (row["state"], row["reason"]) for row in rows(place, "REPLAY1")}
    assert sorted(states.values()) == [("copied", ""), ("quarantined", "replay")]


def test_a_camera_that_never_docked_is_late(place: Place) -> None:
    worn = place.shift("L-1", "LATE1", START, 120, back=False)
    assert gaps(place, worn) == [("dock-late", 120)]


def test_rubbish_is_kept_in_quarantine_and_never_refused(place: Place) -> None:
    client = place.client()
    account = f"/v1/AUTH_{client.account}"
    place.camera("RUB1")
    client.ask("PUT", f"{account}/u_RUB1_20261125T100000Z", {"Content-Length": "0"})
    said = client.ask("PUT", f"{account}/u_RUB1_20261125T100000Z/x_1.mkv", {}, b"this is no video")
    assert said.status == 201
    assert said.headers["etag"] == hashlib.md5(b"this is no video").hexdigest()
    tend(place)
    (row,) = rows(place, "RUB1")
    assert (row["state"], row["reason"]) == ("quarantined", "clip-without-time")
    file = place.vault.file(row["copy_volume_id"], row["path"])
    assert file is not None
    assert file.read_bytes() == b"this is no video"
