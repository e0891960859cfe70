"""The product as a newcomer meets it: started with one command, looked at in a real browser, stopped with one signal."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            **os.environ,
            "SVIDOK_PORT": str(self.port),
            "SVIDOK_BUS_PORT": str(free_port()),
            "SVIDOK_DEMO_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "svidok", *arguments]

    def start(self) -> None:
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("up", "--demo", "--data", str(self.folder / "data")),
                env=self.environment,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.wait(lambda: self.ask("/readyz") == 200, 90)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def ask(self, path: str) -> int:
        try:
            return int(urllib.request.urlopen(self.address + path, timeout=3).status)
        except OSError:
            return 0

    def recording(self) -> int:
        """Cameras that have sealed footage by now."""
        return len({p.parent.parent.name for p in (self.folder / "data" / "footage").glob("*/*/*.idx")})

    def wait(self, true, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while not true():
            assert time.monotonic() < until, (self.folder / "up.log").read_text()[-3000:]
            assert self.process is None or self.process.poll() is None, (self.folder / "up.log").read_text()[-3000:]
            time.sleep(0.5)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command("--data", str(self.folder / "data"), *arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=120,
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if not any(Path(one).exists() for one in BROWSERS):
        pytest.skip("no Chromium on this machine")
    if not (ROOT / "web" / "dist" / "index.html").exists():
        pytest.skip("the web interface is not built")
    folder = Path("/tmp") / f"svidok-web-{os.getpid()}"
    folder.mkdir(mode=0o755)
    demo = Demo(folder)
    demo.start()
    yield demo
    demo.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(600)
def test_a_newcomer_walks_through_the_demonstration(demo: Demo, tmp_path: Path) -> None:
    demo.wait(lambda: demo.recording() >= 12, 180)
    time.sleep(62)  # playback begins a minute ago
    story = subprocess.run(
        ["node", "e2e/story.mjs", demo.address, str(demo.folder / "data" / "demo" / "accounts.json"), str(tmp_path)],
        cwd=ROOT / "web",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert story.returncode == 0, story.stdout + story.stderr
    assert "no complaint in the console" in story.stdout
    export = next(tmp_path.glob("*.mp4"))
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(export), "-f", "null", "-"], capture_output=True
    )
    assert decoded.returncode == 0, decoded.stderr
    proof = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert proof["format"] == "svidok-proof/2"
    assert proof["media"]["size_bytes"] == export.stat().st_size


@pytest.mark.timeout(300)
def test_ledger_and_footage_agree_and_a_flipped_byte_is_named(demo: Demo) -> None:
    audit = demo.run("ledger", "audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    bundle = max(
        (demo.folder / "data" / "ledger" / "tile" / "entries").rglob("*"), key=lambda p: p.stat().st_size * p.is_file()
    )
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    try:
        assert demo.run("ledger", "audit", "--log-only").returncode == 1
    finally:
        bundle.write_bytes(whole)


@pytest.mark.timeout(300)
def test_stopping_stops_every_child_and_starting_again_finds_all(demo: Demo) -> None:
    before = demo.recording()
    demo.stop()
    left = subprocess.run(["pgrep", "-f", str(demo.folder)], capture_output=True, text=True).stdout.split()
    assert left == []
    demo.start()
    assert demo.recording() >= before
    assert "First administrator" in (demo.folder / "up.log").read_text()
