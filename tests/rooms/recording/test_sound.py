"""Sound from a simulated camera to an export: it is there in each codec, it is heard, and it keeps step."""

import asyncio
import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from svidok.base import Span, SystemClock, new_id
from svidok.db import Database
from svidok.recording import export
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import load_footage
from svidok.simulate.scenes import Scene, prepare
from svidok.simulate.sound import SoundCodec, make_sound

FFPROBE_NAMES = {"aac": "aac", "pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}


async def record(database: Database, data: Path, scene: Path, sound: SoundCodec, seconds: float) -> UUID:
    footage = load_footage(scene)
    server = CameraServer([SimulatedCamera(name="hall", main=footage, sound=make_sound(sound))])
    port = await server.start()
    channel_id = new_id()
    stream = PlannedStream(
        channel_id=channel_id, stream_id=new_id(), camera_id=new_id(), role="main",
        url=f"rtsp://127.0.0.1:{port}/hall/main", username="", password="",
    )  # fmt: skip
    settings = RecorderSettings(
        node=new_id().hex[-8:], data=data, volumes=(data / "disk",), segment_length=timedelta(seconds=3)
    )
    recorder = Recorder(settings, database, None, SystemClock(), lambda _tx: Plan(streams=(stream,)))
    stop = asyncio.Event()
    task = asyncio.create_task(recorder.run(stop))
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.wait_for(task, 15)
    await server.close()
    return channel_id


def probed(path: Path) -> dict[str, dict[str, Any]]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    return {stream["codec_type"]: stream for stream in streams}


def loudness_db(path: Path) -> float:
    command = ["ffmpeg", "-v", "info", "-xerror", "-i", str(path), "-vn", "-af", "volumedetect", "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.search(r"mean_volume: (-?[\d.]+) dB", told)
    assert found, told
    return float(found[1])


@pytest.mark.timeout(90)
@pytest.mark.parametrize("sound", ["aac", "pcma", "pcmu"])
async def test_sound_is_recorded_and_an_export_plays_it_in_step(
    database: Database, tmp_path: Path, scratch: Path, sound: SoundCodec
) -> None:
    scenes = prepare(
        [Scene(name="heard", width=320, height=180, length_s=4.0, kbit_s=200)], scratch / "heard", processes=1
    )
    channel_id = await record(database, tmp_path, scenes["heard"], sound, 10.5)  # longer than one loop of either
    with database.transaction() as tx:
        row = tx.one(
            "SELECT min(start_at) AS first, max(end_at) AS last FROM recording.segment WHERE channel_id = %(c)s",
            c=channel_id,
        )
        span = Span(row["first"] + timedelta(seconds=1.3), row["last"] - timedelta(seconds=1.2))
        planned = export.plan(tx, channel_id, span)
    assert len(planned.parts) >= 3
    file = tmp_path / planned.name
    file.write_bytes(b"".join(planned.chunks()))

    streams = probed(file)
    assert streams["audio"]["codec_name"] == FFPROBE_NAMES[sound]
    lengths = {kind: float(stream["duration"]) for kind, stream in streams.items()}
    assert abs(lengths["video"] - lengths["audio"]) < 0.05
    assert abs(lengths["video"] - span.duration.total_seconds()) < 0.2
    assert -30 < loudness_db(file) < -10
    played = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(file), "-f", "null", "-"], capture_output=True
    )
    assert (played.returncode, played.stderr) == (0, b"")
