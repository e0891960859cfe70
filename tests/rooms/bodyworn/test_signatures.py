"""Clips of a worn camera that signs: judged when they are read, told with their grounds, alarmed when its word fails."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from litestar.testing import TestClient
from tests.rooms.bodyworn.conftest import NODE, Place, Worn

from svidok.access import sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import Span, SystemClock, new_id
from svidok.bodyworn.receiving import Sent, acknowledge
from svidok.bodyworn.signatures import CLIP_JUDGED, judge_clip, verdict_of
from svidok.bodyworn.tending import Tender
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference
from svidok.recording.signatures.keeping import SignatureJudge, verdicts_between
from svidok.simulate.signing import make_identity
from svidok.simulate.worn import WornClip, write_clip
from svidok.simulate.worn_signing import sign_clip

NOW = SystemClock().now().replace(microsecond=0)
START = NOW - timedelta(hours=2)
SECONDS = 12
IDENTITY = make_identity("Worn camera 7", valid_from=NOW - timedelta(days=1))


@pytest.fixture
def tender(place: Place) -> Tender:
    return Tender(
        database=place.database, vault=place.vault, keys=place.keys, clock=SystemClock(), node=NODE,
        roots=IDENTITY.root,
    )  # fmt: skip


def clip(folder: Path, cache: Path, start: datetime, *, signed: bool = True, ending: str = "mkv") -> Path:
    """A clip of `SECONDS`, signed by its camera or not."""
    name = f"{start:%H%M%S}-{new_id().hex[-12:]}.{ending}"
    told = WornClip(name=name, start=start, seconds=SECONDS, sequence=1, serial=new_id().hex)
    path = write_clip(told, folder, cache=cache)
    if not signed:
        return path
    sign_clip(path, folder / f"signed-{name}", IDENTITY, start=start)
    return folder / f"signed-{name}"


def send(place: Place, worn: Worn, path: Path, start: datetime) -> None:
    """Keep a clip, as a door does."""
    incoming = place.vault.begin()
    incoming.write(path.read_bytes())
    span = Span(start, start + timedelta(seconds=SECONDS))
    sent = Sent(container=worn.serial, name=path.name, kind="video", serial=worn.serial, device_span=span)
    acknowledge(
        place.database, place.vault, dock=place.made.dock, sent=sent, staged=incoming.finish(), at=SystemClock().now()
    )


def read(tender: Tender) -> None:
    while tender.read_waiting():
        pass


def told(place: Place, worn: Worn) -> list[dict[str, Any]]:
    """The clips of a shift as the API tells them."""
    now, actor = SystemClock().now(), place.people.supervisor
    services = Services(
        database=place.database, bus=None, data=place.footage, ledger_folder=place.footage, ledger_origin="x",
        clock=SystemClock(), jobs=Jobs(place.database, SystemClock()), node=NODE,
    )  # fmt: skip
    with place.database.transaction() as tx:
        token = sessions.begin(tx, actor, address="a", how="test", at=now).token
        case = open_reference(tx, actor=actor, kind=ReferenceKind.CASE, number=str(new_id()), title="t",
                              legal_basis="Act 1, art. 2", at=now)  # fmt: skip
        purpose = choose_purpose(tx, actor=actor, reference_id=case.id, reason="to see", at=now)
    headers = {"cookie": f"svidok_session={token}", "x-svidok-csrf": csrf_of(token),
               "x-svidok-purpose": str(purpose.id), "origin": "http://testserver"}  # fmt: skip
    with TestClient(build_app(services, web_folder=None), base_url="http://testserver") as client:
        answer = client.get(f"/api/worn/shifts/{worn.shift_id}/clips", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def alarms(place: Place, worn: Worn) -> dict[str, bool]:
    """Alarms of a camera's signatures: whether each stands."""
    with place.database.transaction() as tx:
        rows = tx.all("SELECT a.code, a.cleared_at FROM recording.alarm a JOIN bodyworn.device d "
                      "ON a.subject = d.channel_id::text WHERE d.serial = %(s)s AND a.code LIKE 'device-%%'",
                      s=worn.serial)  # fmt: skip
    return {row["code"]: row["cleared_at"] is None for row in rows}


def lengths(data: bytes) -> list[tuple[int, int]]:
    """Where each NAL unit of a picture begins and ends."""
    found, at = [], 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((at + 4, at + 4 + size))
        at += 4 + size
    return found


def forged(path: Path) -> Path:
    """The clip with one bit of one later picture turned."""
    with av.open(str(path)) as file:
        pictures = [bytes(packet) for packet in file.demux(video=0) if packet.size]
    victim = pictures[len(pictures) // 2]
    start, end = lengths(victim)[-1]
    data, slice_ = bytearray(path.read_bytes()), victim[start:end]
    at = data.index(slice_) + len(slice_) - 4
    data[at] ^= 0x10
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_what_a_camera_signed_is_told_with_its_clip(
    place: Place, tender: Tender, cache: Path, tmp_path: Path, ending: str
) -> None:
    worn = place.shift(f"SG-{ending}", f"SIGN{ending}", START, 60)
    send(place, worn, clip(tmp_path, cache, START, ending=ending), START)
    (waiting,) = told(place, worn)
    assert waiting["signature"] is None
    read(tender)
    (one,) = told(place, worn)
    signature = one["signature"]
    assert (one["state"], one["reason"]) == ("kept", "")
    assert (signature["verdict"], signature["trust"], signature["grounds"]) == ("authentic", "trusted", [])
    assert signature["authentic"] >= 2
    assert signature["pending"] > 0, "nobody has spoken of the last group"
    assert signature["missing"] == signature["not_authentic"] == 0
    assert signature["signer"] == "CN=Worn camera 7"
    assert alarms(place, worn) in ({}, {"device-stopped-signing": False, "device-not-authentic": False})
    with place.database.transaction() as tx:
        entry = tx.one(
            "SELECT payload FROM ledger.entry WHERE kind = %(k)s AND subject = %(c)s", k=CLIP_JUDGED, c=one["id"]
        )
    assert b'"verdict":"authentic"' in bytes(entry["payload"])


def test_the_segments_cut_from_it_are_signed_too(place: Place, tender: Tender, cache: Path, tmp_path: Path) -> None:
    worn = place.shift("SG-seg", "SIGNSEG", START, 60)
    send(place, worn, clip(tmp_path, cache, START), START)
    read(tender)
    channel = told(place, worn)[0]["channel_id"]
    SignatureJudge(database=place.database, node=NODE, roots=IDENTITY.root).round(at=NOW + timedelta(hours=1))
    with place.database.transaction() as tx:
        found = verdicts_between(tx, channel, Span(START, START + timedelta(seconds=SECONDS)))
    assert found
    assert all(row["signed"] and row["authentic"] >= 2 and not row["not_authentic"] for row in found)


def test_a_camera_that_stops_signing_is_an_alarm_until_it_signs_again(
    place: Place, tender: Tender, cache: Path, tmp_path: Path
) -> None:
    worn = place.shift("SG-stop", "SIGNSTOP", START, 120)
    times = [START + timedelta(seconds=SECONDS * number) for number in range(4)]
    for at, signed, stands in zip(times, (True, False, False, True), (False, True, True, False), strict=True):
        send(place, worn, clip(tmp_path, cache, at, signed=signed), at)
        read(tender)
        assert alarms(place, worn).get("device-stopped-signing", False) is stands, at
    assert [one["signature"]["verdict"] for one in told(place, worn)] == [
        "authentic", "not-signed", "not-signed", "authentic",
    ]  # fmt: skip


def test_a_camera_that_never_signed_is_no_alarm(place: Place, tender: Tender, cache: Path, tmp_path: Path) -> None:
    worn = place.shift("SG-none", "SIGNNONE", START, 60)
    send(place, worn, clip(tmp_path, cache, START, signed=False), START)
    read(tender)
    assert told(place, worn)[0]["signature"]["verdict"] == "not-signed"
    assert alarms(place, worn) == {}


def test_one_turned_bit_is_told_and_the_clip_is_kept_all_the_same(
    place: Place, tender: Tender, cache: Path, tmp_path: Path
) -> None:
    worn = place.shift("SG-bit", "SIGNBIT", START, 60)
    send(place, worn, forged(clip(tmp_path, cache, START)), START)
    read(tender)
    (one,) = told(place, worn)
    assert one["signature"]["verdict"] == "not-authentic"
    assert "nal-unit-differs" in one["signature"]["grounds"]
    assert one["state"] == "kept"
    assert alarms(place, worn)["device-not-authentic"]


def test_old_footage_under_a_new_name_is_told_by_the_time_that_was_signed(
    place: Place, tender: Tender, cache: Path, tmp_path: Path
) -> None:
    worn = place.shift("SG-old", "SIGNOLD", START, 60)
    send(place, worn, clip(tmp_path, cache, START - timedelta(hours=1)), START)
    read(tender)
    signature = told(place, worn)[0]["signature"]
    assert (signature["verdict"], signature["grounds"]) == ("authentic", ["time-inconsistent"])
    assert alarms(place, worn)["device-not-authentic"]


def test_a_clock_that_the_dock_knows_to_be_wrong_is_no_lie(
    place: Place, tender: Tender, cache: Path, tmp_path: Path
) -> None:
    worn, ahead = place.shift("SG-clock", "SIGNCLOCK", START, 60), timedelta(hours=1)
    with place.database.transaction() as tx:
        tx.run("UPDATE bodyworn.device SET clock_offset_ms = 3600000 WHERE serial = %(s)s", s=worn.serial)
    send(place, worn, clip(tmp_path, cache, START + ahead), START + ahead)
    read(tender)
    (one,) = told(place, worn)
    assert datetime.fromisoformat(one["start"]) == START
    assert (one["signature"]["verdict"], one["signature"]["grounds"]) == ("authentic", [])
    SignatureJudge(database=place.database, node=NODE, roots=IDENTITY.root).round(at=NOW + timedelta(hours=1))
    with place.database.transaction() as tx:
        found = verdicts_between(tx, one["channel_id"], Span(START, START + timedelta(seconds=SECONDS)))
    assert [row["grounds"] for row in found] == [[]]
    assert not alarms(place, worn).get("device-not-authentic", False)


def test_who_signed_is_not_believed_without_the_makers_certificate(cache: Path, tmp_path: Path) -> None:
    span = Span(START, START + timedelta(seconds=SECONDS))
    found = judge_clip(clip(tmp_path, cache, START), roots=b"", claimed=span)
    assert (verdict_of(found), found.grounds) == ("authentic", ["signer-untrusted"])


def test_a_torn_end_leaves_what_came_before_authentic(cache: Path, tmp_path: Path) -> None:
    path = clip(tmp_path, cache, START)
    os.truncate(path, path.stat().st_size * 2 // 3)
    found = judge_clip(path, roots=IDENTITY.root, claimed=None)
    assert (verdict_of(found), found.grounds) == ("authentic", [])
