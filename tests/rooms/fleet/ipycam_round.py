"""Our driver against `ipycam`, a camera of other people's making; prints what came of it as JSON.

Run in a network of its own (`unshare -rn`): WS-Discovery is multicast, and must not leave the machine.
Arguments: the folder for the emulator's settings, and the video it shows.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from svidok.fleet.drivers import onvif

PORT = 18080
ADDRESS = f"127.0.0.1:{PORT}"
LOGIN = {"username": "eye", "password": "secret"}
SETTINGS = {
    "name": "yard", "manufacturer": "Maker", "model": "M-1", "serial_number": "SN-7", "firmware_version": "1.2.3",
    "local_ip": "127.0.0.1", "onvif_port": PORT, "rtsp_port": 18554, "web_port": 18081, "main_width": 320,
    "main_height": 180, "main_fps": 10, "sub_width": 160, "sub_height": 90, "sub_fps": 10, "hw_accel": "cpu", **LOGIN,
}  # fmt: skip


def told(ask: Callable[[], Any]) -> Any:
    """What `ask` says, or the code of what it raises."""
    try:
        return ask()
    except onvif.CameraAnswer as error:
        return error.code


def position() -> float:
    """How far the emulator has turned, by its own page: its GetStatus is no XML (an undeclared prefix)."""
    answer = httpx.get(f"http://{ADDRESS}/api/ptz", auth=(LOGIN["username"], LOGIN["password"]))
    return float(answer.json()["pan"])


def round_trip() -> dict[str, Any]:
    def now() -> datetime:
        return datetime.now(UTC)

    def steer(pan: float, *, stop: bool = False) -> None:
        onvif.steer(ADDRESS, **LOGIN, pan=pan, tilt=0.0, zoom=0.0, stop=stop)

    places = [position()]
    steer(0.8)
    time.sleep(0.6)
    steer(0.0, stop=True)
    places.append(position())
    time.sleep(0.4)
    places.append(position())
    return {
        "identity": told(lambda: asdict(onvif.probe(ADDRESS, **LOGIN, now=now))),
        "an hour behind": told(
            lambda: onvif.probe(ADDRESS, **LOGIN, now=lambda: datetime.fromtimestamp(time.time() - 3600, UTC)).offset_ms
        ),
        "places": places,
        "found": told(lambda: onvif.discover(timeout_s=2.0)),
        "wrong password": told(lambda: onvif.probe(ADDRESS, username="eye", password="guessed", now=now)),
        "wrong password to steer": told(
            lambda: onvif.steer(ADDRESS, username="eye", password="guessed", pan=1, tilt=0, zoom=0, stop=False)
        ),
    }


def main() -> None:
    folder, video = Path(sys.argv[1]), sys.argv[2]
    for command in ("link set lo up", "link set lo multicast on", "route add 224.0.0.0/4 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    config = folder / "cam.json"
    config.write_text(json.dumps(SETTINGS))
    with (folder / "ipycam.log").open("wb") as log:
        camera = subprocess.Popen(
            [sys.executable, "-m", "ipycam", "--config", str(config), "--source", video], stdout=log, stderr=log,
            cwd=folder,
        )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while told(lambda: onvif.probe(ADDRESS, **LOGIN, now=lambda: datetime.now(UTC))) == "camera-answer":
            if time.monotonic() > until or camera.poll() is not None:
                raise SystemExit((folder / "ipycam.log").read_text()[-2000:])
            time.sleep(0.3)
        json.dump(round_trip(), sys.stdout, default=str)
    finally:
        camera.kill()
        camera.wait()


if __name__ == "__main__":
    main()
