"""What the recording benchmarks share: cameras of 1080p25 at 3 Mbit/s on loopback, a recorder in a process of its own.

The cameras run on core 1 and the recorder on core 0; CPU time is that of the recorder's whole process tree
(utime + stime), memory is PSS out of smaps_rollup.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from svidok.app.rooms import ROOMS
from svidok.base import SystemClock
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import load_footage

FOOTAGE = Path(__file__).parents[1] / "src" / "svidok" / "simulate" / "footage" / "car-detection.mp4"
PORT = int(os.environ.get("SVIDOK_BENCH_PORT", "19554"))  # another, where two benchmarks run beside each other
TICKS = os.sysconf("SC_CLK_TCK")


def scratch() -> Path:
    """A folder that PostgreSQL's user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="svidok-bench-"))
    folder.chmod(0o755)
    return folder


def make_footage(folder: Path, *, seconds: int = 20, megabits: float = 3) -> Path:
    """1080p25 H.264 High at that many Mbit/s, a key picture every 2 s, no B-frames."""
    path = folder / "camera.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(FOOTAGE), "-an", "-vf",
         "scale=1920:1080,noise=alls=6:allf=t,fps=25", "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast",
         "-bf", "0", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-b:v", f"{megabits}M", "-maxrate", f"{megabits * 1.07}M",
         "-bufsize", f"{megabits}M", str(path)],
        check=True,
    )  # fmt: skip
    return path


def plan(cameras: int) -> Plan:
    """The streams of that many cameras, always the same ids."""
    return Plan(
        streams=tuple(
            PlannedStream(
                channel_id=UUID(int=1000 + n), stream_id=UUID(int=2000 + n), camera_id=UUID(int=3000 + n), role="main",
                url=f"rtsp://127.0.0.1:{PORT}/c{n}/main",
            )
            for n in range(cameras)
        )
    )  # fmt: skip


def serve(footage: str, cameras: int) -> None:
    """Be the cameras, until killed; tell how many pictures were late when the terminal asks (SIGUSR1)."""
    loaded = load_footage(Path(footage))
    served = [SimulatedCamera(name=f"c{n}", main=loaded) for n in range(cameras)]

    def tell(*_: object) -> None:
        sent, late = sum(c.frames_sent for c in served), sum(c.frames_late for c in served)
        Path(f"/tmp/svidok-bench-late-{os.getpid()}").write_text(f"{sent} {late}")

    signal.signal(signal.SIGUSR1, tell)

    async def run() -> None:
        await CameraServer(served, port=PORT).start()
        await asyncio.Event().wait()

    asyncio.run(run())


def record(database_url: str, volume: str, data: str, cameras: int) -> None:
    """Be the recorder, until told to stop."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        settings = RecorderSettings(
            node="bench", data=Path(data), volumes=(Path(volume),), segment_length=timedelta(seconds=60)
        )
        recorder = Recorder(
            settings, Database.open(database_url, size=2), None, SystemClock(), lambda _tx: plan(cameras)
        )
        await recorder.run(stop)

    asyncio.run(run())


def ourselves(*arguments: object, core: int, plain: bool = False) -> "subprocess.Popen[bytes]":
    """Another process of this file, on one core."""
    environment = {**os.environ, **({"SVIDOK_PLAIN_PYTHON": "1"} if plain else {})}
    command = ["taskset", "-c", str(core), sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A migrated database."""
    server = PostgresServer(folder / "postgres")
    server.start()
    database = Database.open(server.url, size=1)
    migrate(database, ROOMS)
    database.close()
    try:
        yield server.url
    finally:
        server.stop()


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = [int(one) for one in children.read_text().split()] if children.exists() else []
    return [pid, *(found for child in below for found in tree(child))]


def cpu_s(pid: int) -> float:
    """CPU seconds of a process tree."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss_mb(pid: int) -> float:
    """Proportional memory of a process tree in MB."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def late(server: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """(pictures sent, pictures late) by the camera server."""
    pid = tree(server.pid)[-1]
    os.kill(pid, signal.SIGUSR1)
    time.sleep(3)  # on a busy machine the signal waits for its turn
    sent, late_ones = Path(f"/tmp/svidok-bench-late-{pid}").read_text().split()
    return int(sent), int(late_ones)


def end(process: "subprocess.Popen[bytes]", sent: signal.Signals = signal.SIGTERM) -> None:
    """End a process and wait for it."""
    for pid in reversed(tree(process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
    process.wait()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        record(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
