"""Footage is recorded, sealed, played, exported and verified; then a byte is flipped, and it is named."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from svidok.base import Span, SystemClock, new_id
from svidok.db import Database
from svidok.ledger import Log, sequence_once
from svidok.ledger.sidecar import Finding
from svidok.ledger.signer import FileSigner
from svidok.media.frames import probe
from svidok.recording import export, playback
from svidok.recording.check import How, check
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.reading import segments_between
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.recording.thumbnails import Thumbnails
from svidok.recording.timeline import timeline
from svidok.recording.verifying import verify_export
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import load_footage
from svidok.simulate.scenes import Scene, prepare


async def until(true: Callable[[], bool], wait_s: float = 30) -> None:
    for _ in range(int(wait_s * 10)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen in time")


def sealed_count(database: Database, channel_id: UUID) -> int:
    with database.transaction() as tx:
        query = "SELECT count(*) AS n FROM recording.segment WHERE channel_id = %(c)s AND state = 'sealed'"
        return int(tx.one(query, c=channel_id)["n"])


async def record_a_while(database: Database, data: Path, scene: Path) -> UUID:
    """Record one camera, which is cut off for a while in between; its channel."""
    channel_id = new_id()
    footage = load_footage(scene)
    camera = SimulatedCamera(name="yard", main=footage, sub=footage, other=footage, username="eye", password="secret")
    server = CameraServer([camera])
    port = await server.start()
    stream = PlannedStream(
        channel_id=channel_id, stream_id=new_id(), camera_id=new_id(), role="main",
        url=f"rtsp://127.0.0.1:{port}/yard/main", username="eye", password="secret",
    )  # fmt: skip
    settings = RecorderSettings(
        node="n1", data=data, volumes=(data / "disk",), segment_length=timedelta(seconds=3), stall_s=1.5
    )
    recorder = Recorder(settings, database, None, SystemClock(), lambda _tx: Plan(streams=(stream,)))
    stop = asyncio.Event()
    task = asyncio.create_task(recorder.run(stop))
    try:
        await until(lambda: sealed_count(database, channel_id) >= 2)
        await server.close()
        await asyncio.sleep(2.5)
        server = CameraServer([camera], port=port)
        await server.start()
        before = sealed_count(database, channel_id)
        await until(lambda: sealed_count(database, channel_id) >= before + 2)
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
        await server.close()
    return channel_id


def sequence(database: Database, log: Log) -> None:
    while sequence_once(database, log):
        pass


def exported(database: Database, channel_id: UUID, span: Span, log: Log, folder: Path) -> tuple[Path, bytes]:
    with database.transaction() as tx:
        planned = export.plan(tx, channel_id, span)
    media = folder / planned.name
    media.write_bytes(b"".join(planned.chunks()))
    assert media.stat().st_size == planned.size_bytes
    return media, b"".join(export.prove(database, planned, log_folder=log.folder))


@pytest.mark.timeout(180)
async def test_footage_is_recorded_played_exported_proved_and_a_flipped_byte_is_named(
    database: Database, tmp_path: Path, scratch: Path
) -> None:
    scene = prepare(
        [Scene(name="story", width=320, height=180, length_s=4.0, kbit_s=200)], scratch / "story", processes=1
    )
    channel_id = await record_a_while(database, tmp_path, scene["story"])
    log = Log(tmp_path / "ledger", FileSigner(tmp_path / "keys" / "ledger.pem"), "story.invalid/log")
    sequence(database, log)
    how = How(ledger=log.folder)

    report = check(database, how)
    assert report.findings == []
    assert report.segments == sealed_count(database, channel_id) >= 4

    now = SystemClock().now()
    day = Span(now - timedelta(hours=1), now + timedelta(minutes=1))
    with database.transaction() as tx:
        line = timeline(tx, channel_id, day)
        manifest = playback.manifest(tx, channel_id, day)
        first = manifest.segments[0]
        init = playback.init(tx, channel_id, first.one.segment.id).read()
        media = playback.media(tx, channel_id, first.one.segment.id, first=0, last=len(first.fragments) - 1).read()
    assert len(line.recorded) >= 2
    assert [gap.reason.value for gap in line.gaps][-1] == "recorder-stopped"
    assert "unknown" not in {gap.reason.value for gap in line.gaps}
    assert any(gap.end_at and gap.end_at - gap.start_at > timedelta(seconds=1) for gap in line.gaps)
    assert probe(init + media).frames > 20
    span = Span(first.span.start, manifest.segments[-1].span.end)
    assert Thumbnails().at(database, channel_id, span.start, width=160)[:2] == b"\xff\xd8"

    inner = Span(span.start + timedelta(seconds=1), span.end - timedelta(seconds=1))
    mp4, sidecar = exported(database, channel_id, inner, log, tmp_path)
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-of", "json", str(mp4)], capture_output=True, check=True
    )
    recorded_s = sum((one.span.duration for one in line.recorded), timedelta()).total_seconds() - 2
    assert abs(float(json.loads(told.stdout)["format"]["duration"]) - recorded_s) < 0.5
    played = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(mp4), "-f", "null", "-"], capture_output=True
    )
    assert (played.returncode, played.stderr) == (0, b"")
    verdict = verify_export(mp4, sidecar, verifier=log.verifier)
    assert (verdict.finding, verdict.grounds) == (Finding.PROVED, ())

    with database.transaction() as tx:
        victim = segments_between(tx, channel_id, day)[1]
    record = victim.index().records[1]
    data = bytearray(victim.media.read_bytes())
    data[record.offset + record.size - 5] ^= 4
    victim.media.write_bytes(data)
    (finding,) = check(database, how).findings
    assert (finding.code, finding.path, finding.segment_id) == (
        "fragment-differs", str(victim.media), victim.segment.id,
    )  # fmt: skip
    assert "fragment 1," in finding.says
    verdict = verify_export(*exported(database, channel_id, inner, log, tmp_path), verifier=log.verifier)
    assert verdict.finding == Finding.ALTERED
    assert {ground.code for ground in verdict.grounds} == {"fragment-differs"}
