"""A camera that signs, from its RTSP to the verdict kept, the export that can be verified, and the alarm when it stops."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import av
import pytest

from svidok.base import Span, SystemClock, new_id
from svidok.db import Database
from svidok.media.signing import Authenticity, Verifier
from svidok.recording import export
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.reading import Located, segments_between
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.recording.signatures.judging import judge
from svidok.recording.signatures.keeping import SignatureJudge, is_signed, verdicts_between
from svidok.simulate import CameraServer, Fault, SimulatedCamera
from svidok.simulate.packets import load_footage
from svidok.simulate.scenes import Scene, prepare
from svidok.simulate.signing import make_identity

CLOCK = SystemClock()
IDENTITY = make_identity("Camera 7", valid_from=CLOCK.now() - timedelta(days=1))
NODE = new_id().hex[-8:]


@pytest.fixture(scope="module")
def scene(scratch: Path) -> Path:
    one = Scene(name="signed", width=320, height=180, length_s=4.0, kbit_s=200)
    return prepare([one], scratch / "signed", processes=1)["signed"]


async def record(database: Database, data: Path, scene: Path, *, stops_after_s: float | None = None) -> UUID:
    camera = SimulatedCamera(name="gate", main=load_footage(scene), identity=IDENTITY)
    server = CameraServer([camera])
    port = await server.start()
    channel_id = new_id()
    stream = PlannedStream(
        channel_id=channel_id, stream_id=new_id(), camera_id=new_id(), role="main",
        url=f"rtsp://127.0.0.1:{port}/gate/main", username="", password="",
    )  # fmt: skip
    settings = RecorderSettings(node=NODE, data=data, volumes=(data / "disk",), segment_length=timedelta(seconds=3))
    recorder = Recorder(settings, database, None, CLOCK, lambda _tx: Plan(streams=(stream,)))
    stop = asyncio.Event()
    task = asyncio.create_task(recorder.run(stop))
    if stops_after_s is not None:
        await asyncio.sleep(stops_after_s)
        camera.fault = Fault(kind="unsigned")
    await asyncio.sleep(10.0)
    stop.set()
    await asyncio.wait_for(task, 20)
    await server.close()
    return channel_id


def whole(database: Database, channel_id: UUID) -> tuple[Span, list[Located]]:
    with database.transaction() as tx:
        row = tx.one(
            "SELECT min(start_at) AS first, max(end_at) AS last FROM recording.segment WHERE channel_id = %(c)s",
            c=channel_id,
        )
        span = Span(row["first"], row["last"])
        return span, segments_between(tx, channel_id, span)


def judged(database: Database, channel_id: UUID, *, roots: bytes = IDENTITY.root) -> list[dict]:
    SignatureJudge(database=database, node=NODE, roots=roots).round(at=CLOCK.now() + timedelta(seconds=10))
    span, _ = whole(database, channel_id)
    with database.transaction() as tx:
        return verdicts_between(tx, channel_id, span)


def nal_units(path: Path) -> Iterator[bytes]:
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            data, at = bytes(packet), 0
            while at + 4 <= len(data):
                length = int.from_bytes(data[at : at + 4], "big")
                yield data[at + 4 : at + 4 + length]
                at += 4 + length


@pytest.mark.timeout(90)
async def test_signed_footage_is_judged_stated_and_exported_so_that_others_can_judge_it(
    database: Database, tmp_path: Path, scene: Path
) -> None:
    channel_id = await record(database, tmp_path, scene)
    rows = await asyncio.to_thread(judged, database, channel_id)
    assert len(rows) >= 3
    assert all(row["signed"] and row["authentic"] >= 1 for row in rows[:-1])  # nothing speaks of the last group yet
    assert {(row["not_authentic"], row["missing"]) for row in rows} == {(0, 0)}
    assert {row["trust"] for row in rows[:-1]} == {"trusted"}
    assert [row["pending"] for row in rows[:-1]] == [0] * (len(rows) - 1)
    assert rows[0]["signer"] == "CN=Camera 7"
    assert await asyncio.to_thread(judged, database, channel_id) == rows  # once is enough
    with database.transaction() as tx:
        entry = tx.one("SELECT * FROM ledger.entry WHERE id = %(id)s", id=rows[0]["entry_id"])
    assert (entry["kind"], json.loads(bytes(entry["payload"]))["authentic"]) == ("device.judged", rows[0]["authentic"])

    span, _ = whole(database, channel_id)
    middle = Span(span.start + timedelta(seconds=2.4), span.start + timedelta(seconds=4.6))
    with database.transaction() as tx:
        assert is_signed(tx, channel_id, middle)
        planned = export.plan(tx, channel_id, middle)
    media = tmp_path / "middle.mp4"
    media.write_bytes(b"".join(planned.chunks()))
    verifier = Verifier(hevc=False, roots=IDENTITY.root)
    found = [one for nal in nal_units(media) for one in verifier.feed(nal)]
    assert {(one.verdict, one.grounds) for one in found} == {(Authenticity.AUTHENTIC, ())}
    assert max(one.end for one in found) >= middle.end  # the group that the span ends in is spoken of too


@pytest.mark.timeout(90)
async def test_changed_replayed_and_foreign_footage_is_called_so(
    database: Database, tmp_path: Path, scene: Path
) -> None:
    channel_id = await record(database, tmp_path, scene)
    _, segments = whole(database, channel_id)
    one, after = segments[1], segments[2]
    assert judge(one, before=segments[0], after=after, roots=b"").grounds == ["signer-untrusted"]
    later = replace(one, segment=replace(one.segment, start_at=one.segment.start_at + timedelta(hours=1),
                                         end_at=one.segment.end_at + timedelta(hours=1)))  # fmt: skip
    assert "time-inconsistent" in judge(later, before=None, after=None, roots=IDENTITY.root).grounds
    elsewhere = tmp_path / "changed"
    shutil.copytree(one.volume, elsewhere)
    changed = replace(one, volume=elsewhere)
    record_ = one.index().records[0]
    data = bytearray(changed.media.read_bytes())
    data[record_.offset + record_.size - 40] ^= 1
    changed.media.write_bytes(bytes(data))
    found = judge(changed, before=segments[0], after=after, roots=IDENTITY.root)
    assert found.count(Authenticity.NOT_AUTHENTIC) == 1
    assert "nal-unit-differs" in found.grounds


@pytest.mark.timeout(90)
async def test_a_camera_that_stops_signing_is_told_of(database: Database, tmp_path: Path, scene: Path) -> None:
    channel_id = await record(database, tmp_path, scene, stops_after_s=7.0)
    rows = await asyncio.to_thread(judged, database, channel_id)
    signed = [row["signed"] for row in rows]
    assert signed[0]
    assert not signed[-1]
    with database.transaction() as tx:
        alarms = tx.all(
            "SELECT code FROM recording.alarm WHERE subject = %(c)s AND cleared_at IS NULL", c=str(channel_id)
        )
    assert "device-stopped-signing" in {row["code"] for row in alarms}
