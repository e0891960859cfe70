"""How old is the live picture on the glass?

    PYTHONPATH=src python benchmarks/glass_to_glass.py [samples] [port to begin from]

A camera of 720p25 with a key picture each second bears its picture's number as black and white cells, and notes when it
sends each. The whole product runs beside it (recorder, intake, hub, a real Chromium at /live); a canvas reads the cells
off the video element, and the age is the instant of reading less the instant of sending. The camera's own sensor and
encoder are not in it, nor the screen's. Beside it: what one would make with ffmpeg, HLS of one-second segments played
by hls.js (fetched by npm) in the same Chromium, set to stay as near to the live edge as it can.

Needs `npm run build` in web/.
"""

import asyncio
import contextlib
import http.server
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np
import rig
import soak

from svidok.access import Role, accounts
from svidok.app.settings import load_settings
from svidok.app.up import Machine
from svidok.governance import ReferenceKind, purposes
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import Footage, PreparedFrame, load_footage

PICTURES, WIDTH, HEIGHT, RATE, CELL, BITS = 1000, 1280, 720, 25, 40, 10
PASSWORD = "seven quiet otters"
PAGE = """<!doctype html><video muted autoplay></video><script src="hls.min.js"></script><script>
const hls = new Hls({liveSyncDurationCount: 1, liveMaxLatencyDurationCount: 2, maxLiveSyncPlaybackRate: 1.5,
                     lowLatencyMode: true});
hls.loadSource("live.m3u8"); hls.attachMedia(document.querySelector("video"));</script>"""


@dataclass(frozen=True, slots=True)
class ClockedFrame(PreparedFrame):
    """A picture that tells when it is sent."""

    tell: Callable[[], None]

    def patched(self, *, sequence: int, ticks: int, ssrc: int) -> bytearray:
        self.tell()
        return PreparedFrame.patched(self, sequence=sequence, ticks=ticks, ssrc=ssrc)


def cells(number: int) -> list[int]:
    """The picture's number as cells: light, dark, its bits, their parity."""
    bits = [number >> place & 1 for place in range(BITS)]
    return [1, 0, *bits, sum(bits) & 1]


def make_pictures(path: Path) -> None:
    """A street with numbered pictures, encoded as a camera would."""
    with av.open(str(rig.FOOTAGE)) as source:
        street = [f.reformat(WIDTH, HEIGHT, "gray").to_ndarray() for f in islice(source.decode(video=0), 100)]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", RATE, options={"preset": "veryfast", "tune": "zerolatency", "g": str(RATE),
                                "keyint_min": str(RATE), "sc_threshold": "0", "b": "2M"})  # fmt: skip
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, picture in enumerate(islice(cycle(street), PICTURES)):
            image = picture.copy()
            image[:CELL, : CELL * (BITS + 3)] = np.repeat(cells(number), CELL) * 235
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, "gray").reformat(format="yuv420p")))
        out.mux(stream.encode(None))


def serve(pictures: Path, notes: Path) -> None:
    """Be two cameras, ours and the peer's, until killed; each picture sent is a line."""
    loaded = load_footage(pictures)
    with notes.open("w", buffering=1) as log:

        def told(name: str) -> SimulatedCamera:
            frames = tuple(
                ClockedFrame(one.data, one.headers, one.ticks, one.is_key,
                             partial(lambda n: print(name, n, time.time(), file=log), number))
                for number, one in enumerate(loaded.frames)
            )  # fmt: skip
            footage = Footage(
                loaded.codec, loaded.parameter_sets, loaded.width, loaded.height, frames, loaded.length_ticks
            )
            return SimulatedCamera(name=name, main=footage)

        async def run() -> None:
            await CameraServer([told("c0"), told("c1")], port=rig.PORT).start()
            await asyncio.Event().wait()

        asyncio.run(run())


def enter_people(machine: Machine) -> None:
    """Somebody who may look, and a duty to look for."""
    at = datetime.now(UTC)
    database = machine.start_ground()
    soak.enter(database, machine.settings.keys, 1)
    with database.transaction() as tx:
        actor = accounts.add_account(tx, by=None, login="operator", name="Operator", password=PASSWORD, unit_id=None,
                                     roles=[Role.SUPERVISOR, Role.OPERATOR], at=at)  # fmt: skip
        purposes.open_reference(tx, actor=actor, kind=ReferenceKind.DUTY, number="1", title="Benchmark",
                                legal_basis="benchmark", at=at)  # fmt: skip
    database.close()


def serve_hls(folder: Path) -> tuple["subprocess.Popen[bytes]", http.server.ThreadingHTTPServer]:
    """ffmpeg that makes HLS of the second camera, and a server of its files."""
    subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", str(folder / "npm"), "hls.js"], check=True)
    served = folder / "hls"
    served.mkdir()
    shutil.copy(folder / "npm" / "node_modules" / "hls.js" / "dist" / "hls.min.js", served)
    (served / "index.html").write_text(PAGE)
    maker = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-fflags", "nobuffer", "-i",
         f"rtsp://127.0.0.1:{rig.PORT}/c1/main", "-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "6",
         "-hls_segment_type", "fmp4", "-hls_flags", "delete_segments+independent_segments", str(served / "live.m3u8")]
    )  # fmt: skip

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return maker, server


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    for _ in range(120):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.5)
    raise SystemExit("the hub does not answer")


def look(told: dict[str, object]) -> list[tuple[float, int]]:
    """(instant of reading, number read) at each look."""
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run(["node", str(script), json.dumps(told)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return [(at / 1000, number) for at, number in json.loads(done.stdout)]


def ages(seen: list[tuple[float, int]], notes: Path, name: str) -> list[float]:
    """How old each picture was when it was read, in seconds."""
    sent: dict[int, list[float]] = {}
    for line in notes.read_text().splitlines():
        camera, number, at = line.split()
        if camera == name:
            sent.setdefault(int(number), []).append(float(at))
    return sorted(at - max(s for s in sent[number] if s <= at) for at, number in seen)


def say(name: str, found: list[float]) -> float:
    p50, p95 = found[len(found) // 2], found[int(len(found) * 0.95)]
    print(f"{name}: {len(found)} looks, p50 {p50:.3f} s, p95 {p95:.3f} s, at most {found[-1]:.3f} s", flush=True)
    return p95


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    folder = Path(tempfile.mkdtemp(prefix="svidok-glass-"))
    folder.chmod(0o755)
    pictures, notes = folder / "pictures.mp4", folder / "notes"
    make_pictures(pictures)
    camera = subprocess.Popen([sys.executable, __file__, "serve", str(pictures), str(notes)])
    machine = Machine(load_settings(data=folder / "data", port=rig.PORT + 1, bus_port=rig.PORT + 2))
    machine.settings.keys.mkdir(parents=True)
    tender = threading.Thread(target=machine.supervisor.tend)
    maker, server = None, None
    try:
        time.sleep(2)
        enter_people(machine)
        machine.start_roles(demo=False)
        tender.start()
        wait_for(rig.PORT + 1)
        told = {"address": f"http://localhost:{rig.PORT + 1}", "password": PASSWORD, "samples": samples, "cell": CELL,
                "bits": BITS}  # fmt: skip
        ours = say("Svidok, live over WebSocket", ages(look(told), notes, "c0"))
        maker, server = serve_hls(folder)
        told["hls"] = f"http://localhost:{server.server_port}/index.html"
        peer = say("ffmpeg, HLS of 1 s, hls.js", ages(look(told), notes, "c1"))
        print(f"p95: {ours / peer:.3f} of it")
    finally:
        machine.supervisor.stop.set()
        if tender.is_alive():
            tender.join()
        machine.stop()
        for process in (camera, maker):
            if process is not None:
                rig.end(process)
        if server is not None:
            server.shutdown()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
