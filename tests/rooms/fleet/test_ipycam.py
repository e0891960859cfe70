"""The ONVIF driver against a camera of other people's making, in a network of its own; and against no camera at all."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from svidok.base import BadInput
from svidok.fleet.drivers import onvif

HERE = Path(__file__).parent
VIDEO = Path(onvif.__file__).parents[2] / "simulate" / "footage" / "car-detection.mp4"
LOGIN = {"username": "eye", "password": "secret"}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of a round with the emulator."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this machine gives nobody a network of their own")
    folder = tmp_path_factory.mktemp("ipycam")
    command = ["unshare", "-rn", sys.executable, str(HERE / "ipycam_round.py"), str(folder), str(VIDEO)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_camera_says_who_it_is(came: dict[str, Any]) -> None:
    who = came["identity"]
    assert (who["maker"], who["model"], who["firmware"], who["serial"]) == ("Maker", "M-1", "1.2.3", "SN-7")
    assert (who["profiles"], who["steerable"], who["secure"]) == (["S"], True, False)


def test_its_profiles_lead_to_streams_without_a_login_in_their_address(came: dict[str, Any]) -> None:
    main, sub = came["identity"]["streams"]
    assert (main["url"], main["codec"], main["width"], main["height"]) == (
        "rtsp://127.0.0.1:18554/video_main", "h264", 320, 180,
    )  # fmt: skip
    assert (sub["token"], sub["url"]) == ("Profile_Sub", "rtsp://127.0.0.1:18554/video_sub")


def test_its_clock_is_told_from_ours(came: dict[str, Any]) -> None:
    assert came["identity"]["offset_ms"] == 0
    assert abs(came["an hour behind"] - 3_600_000) < 2000


def test_it_turns_and_stops(came: dict[str, Any]) -> None:
    before, stopped, later = came["places"]
    assert stopped > before
    assert later == stopped


def test_it_is_discovered(came: dict[str, Any]) -> None:
    assert came["found"] == ["127.0.0.1:18080"]


def test_a_wrong_password_is_called_that_whatever_is_asked(came: dict[str, Any]) -> None:
    assert (came["wrong password"], came["wrong password to steer"]) == ("camera-login", "camera-login")


async def test_what_does_not_answer_is_told_in_words(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "_TIMEOUT_S", 0.5)
    address = f"127.0.0.1:{device.port}"

    def code(trouble: str, where: str = address) -> str:
        device.trouble = trouble
        with pytest.raises(onvif.CameraAnswer) as caught:
            onvif.probe(where, **LOGIN, now=now)
        with pytest.raises(onvif.CameraAnswer) as steering:
            onvif.steer(where, **LOGIN, pan=0.1, tilt=0.0, zoom=0.0, stop=False)
        assert steering.value.code == caught.value.code
        assert "secret" not in caught.value.message
        return caught.value.code

    assert await asyncio.to_thread(code, "silence") == "camera-timeout"
    assert await asyncio.to_thread(code, "reset") == "camera-answer"
    assert await asyncio.to_thread(code, "garbage") == "camera-answer"
    assert await asyncio.to_thread(code, "", "127.0.0.1:9") == "camera-answer"


@pytest.mark.parametrize("address", ["", "host:", "host:http", "host:0", "host:70000", ":80"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        onvif.probe(address, **LOGIN, now=now)
