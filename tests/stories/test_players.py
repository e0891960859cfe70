"""Every export is read by ffprobe, and by players whose readers of MP4 are not FFmpeg's: VLC and GStreamer.

Cameras of H.264 and H.265, with and without sound, are recorded by the product; an export of each begins between two
key pictures and crosses segments. A player that is not on the machine is left out.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
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
from svidok.simulate.sound import make_sound

pytestmark = pytest.mark.timeout(300)
LENGTH_S = 5.0
KINDS = {
    "h264": ("h264", None), "h264-aac": ("h264", "aac"), "h264-g711": ("h264", "pcma"), "h265": ("h265", None),
    "h265-aac": ("h265", "aac"),
}  # fmt: skip
SOUND_NAMES = {"aac": "aac", "pcma": "pcm_alaw"}


async def record(database: Database, data: Path, scenes: dict[str, Path]) -> dict[str, UUID]:
    """Record a camera of each kind until enough of each is sealed; their channels."""
    cameras = [
        SimulatedCamera(name=name, main=load_footage(scenes[codec]), sound=make_sound(sound) if sound else None)
        for name, (codec, sound) in KINDS.items()
    ]  # type: ignore[arg-type]
    server = CameraServer(cameras)
    port = await server.start()
    channels = {name: new_id() for name in KINDS}
    streams = tuple(
        PlannedStream(
            channel_id=channel, stream_id=new_id(), camera_id=new_id(), role="main",
            url=f"rtsp://127.0.0.1:{port}/{name}/main", username="", password="",
        )
        for name, channel in channels.items()
    )  # fmt: skip
    settings = RecorderSettings(
        node=new_id().hex[-8:], data=data, volumes=(data / "disk",), segment_length=timedelta(seconds=3)
    )
    recorder = Recorder(settings, database, None, SystemClock(), lambda _tx: Plan(streams=streams))
    stop = asyncio.Event()
    task = asyncio.create_task(recorder.run(stop))
    for _ in range(900):
        await asyncio.sleep(0.1)
        spans = [spans_of(database, channel) for channel in channels.values()]
        if all(one is not None and one.duration > timedelta(seconds=LENGTH_S + 3) for one in spans):
            break
    stop.set()
    await asyncio.wait_for(task, 60)
    await server.close()
    return channels


def spans_of(database: Database, channel_id: UUID) -> Span | None:
    with database.transaction() as tx:
        row = tx.one(
            "SELECT min(start_at) AS first, max(end_at) AS last FROM recording.segment "
            "WHERE channel_id = %(c)s AND state = 'sealed'", c=channel_id,
        )  # fmt: skip
    return Span(row["first"], row["last"]) if row["first"] is not None else None


@pytest.fixture(scope="module")
def exports(database: Database, scratch: Path) -> dict[str, Path]:
    """An export of each kind, in a folder that anybody may read."""
    folder = scratch / "players"
    folder.mkdir()
    scenes = prepare(
        [Scene(name=codec, codec=codec, width=320, height=180, length_s=4.0, kbit_s=200) for codec in ("h264", "h265")],
        folder / "scenes", processes=1,
    )  # fmt: skip
    channels = asyncio.run(record(database, folder / "data", scenes))
    made = {}
    for name, channel_id in channels.items():
        whole = spans_of(database, channel_id)
        assert whole is not None
        start = whole.start + timedelta(seconds=1.3)
        with database.transaction() as tx:
            planned = export.plan(tx, channel_id, Span(start, start + timedelta(seconds=LENGTH_S)))
        assert len(planned.parts) >= 2
        made[name] = folder / f"{name}.mp4"
        made[name].write_bytes(b"".join(planned.chunks()))
        made[name].chmod(0o644)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_ffprobe_reads_it_and_ffmpeg_decodes_it_without_a_complaint(exports: dict[str, Path], kind: str) -> None:
    codec, sound = KINDS[kind]
    told = json.loads(run(["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(exports[kind])]))["streams"]
    names = {stream["codec_type"]: stream["codec_name"] for stream in told}
    wanted = {"video": "hevc" if codec == "h265" else "h264"} | ({"audio": SOUND_NAMES[sound]} if sound else {})
    assert names == wanted
    assert all(abs(float(stream["duration"]) - LENGTH_S) < 0.3 for stream in told)
    assert run(["ffmpeg", "-v", "error", "-xerror", "-i", str(exports[kind]), "-f", "null", "-"]) == ""


def gstreamer(media: Path, _folder: Path) -> int:
    """Pictures that GStreamer decodes and shows."""
    said = run(
        ["gst-launch-1.0", "-v", "playbin", f"uri=file://{media}",
         "video-sink=fakesink name=shown sync=false silent=false", "audio-sink=fakesink sync=false"]
    )  # fmt: skip
    return said.count("chain   ******* (shown:sink)")


def vlc(media: Path, folder: Path) -> int:
    """Pictures that VLC reads: it passes them on into another container, and they are counted there."""
    folder.chmod(0o777)
    passed_on = folder / "passed-on.ts"
    run(
        ["cvlc", "-q", "-I", "dummy", "--play-and-exit", "--sout", f"#std{{access=file,mux=ts,dst={passed_on}}}",
         str(media), "vlc://quit"],
        user="nobody" if os.geteuid() == 0 else None, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    return pictures(passed_on)


def mpv(media: Path, folder: Path) -> int:
    """Pictures that mpv decodes and shows, each written as a file."""
    run(["mpv", "--no-config", "--ao=null", "--vo=image", "--vo-image-format=jpg", f"--vo-image-outdir={folder}",
         str(media)])  # fmt: skip
    return len(list(folder.glob("*.jpg")))


def pictures(media: Path) -> int:
    """Coded pictures, as ffprobe counts them."""
    said = run(["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries",
                "stream=nb_read_packets", "-of", "json", str(media)])  # fmt: skip
    return int(json.loads(said)["streams"][0]["nb_read_packets"])


def run(command: list[str], **how: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **{"timeout": 120, **how})  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout) + str(done.stderr if command[0] == "ffmpeg" else "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("player", "program"), [(vlc, "cvlc"), (gstreamer, "gst-launch-1.0"), (mpv, "mpv")])
def test_a_player_shows_it_to_its_end(
    exports: dict[str, Path], scratch: Path, kind: str, player: Callable[[Path, Path], int], program: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    folder = scratch / f"shown-{program}-{kind}"
    folder.mkdir()
    shown = player(exports[kind], folder)
    held = pictures(exports[kind])  # a few of them stand before the instant asked for and are hidden
    assert 0.6 * held < shown <= held, f"{program} showed {shown} of {held} pictures"
