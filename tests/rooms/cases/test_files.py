"""Files from outside: taken piece by piece, kept bit for bit, looked at by the scanner, and made playable."""

import hashlib
import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from svidok.media import derive

_BAD = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An old AVI, with a title in its metadata."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=25",
        "-f",
        "lavfi",
        "-i",
        "sine",
    ]
    subprocess.run([*command, "-t", "2", "-c:v", "mpeg4", "-metadata", "title=my secret", str(path)], check=True)
    return path.read_bytes()


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[Path]:
    """Speaks ClamAV's INSTREAM and finds the test signature."""
    path = tmp_path / "clamd"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                data = b""
                while size := struct.unpack(">I", stream.read(4))[0]:
                    data += stream.read(size)
                line.sendall(b"stream: Eicar-Test FOUND\0" if _BAD in data else b"stream: OK\0")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield path
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_a_file_is_kept_bit_for_bit_and_a_copy_plays(bureau, film, scanner) -> None:
    bureau.services.clamav_socket = scanner
    done = bureau.upload("lead", film)
    assert (done["told"]["state"], done["told"]["result"]["playable"]) == ("done", "video/mp4")
    case = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()
    exhibit = case["exhibits"][0]
    assert (exhibit["sha256"], exhibit["scan"]) == (hashlib.sha256(film).hexdigest(), "clean")
    assert "path" not in exhibit
    assert bureau.ask("lead", "GET", f"/api/exhibits/{done['id']}/original").content == film
    shown = bureau.ask("lead", "GET", f"/api/exhibits/{done['id']}/media")
    assert (shown.headers["content-type"], shown.content[4:8]) == ("video/mp4", b"ftyp")
    assert b"my secret" not in shown.content
    kinds = [one["kind"] for one in bureau.ask("auditor", "GET", f"/api/custody/{done['id']}").json()["custody"]]
    assert kinds == ["booked", "scanned", "copy-made", "opened", "viewed"]
    assert bureau.upload("lead", film)["id"] == done["id"]


def test_an_upload_goes_on_where_it_broke_off(bureau, film) -> None:
    told = {
        "name": "../../etc/film.avi",
        "size_bytes": len(film),
        "title": "t",
        "source": "public",
        "obtained": "by post",
    }
    begun = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/uploads", json=told).json()["id"]
    path = f"/api/uploads/{begun}"
    assert bureau.ask("lead", "PUT", f"{path}?offset=0", content=film[:1000]).json() == {"received": 1000}
    lost = bureau.ask("lead", "PUT", f"{path}?offset=0", content=film[:1000])
    assert (lost.json()["code"], lost.json()["details"]) == ("upload-offset", {"received": 1000})
    assert bureau.ask("lead", "POST", f"{path}/finish").json()["code"] == "upload-not-whole"
    assert bureau.ask("mate", "PUT", f"{path}?offset=1000", content=b"x").status_code == 404
    assert bureau.ask("lead", "GET", path).json()["received"] == 1000
    assert (
        bureau.ask("lead", "PUT", f"{path}?offset=1000", content=film[1000:] + b"x").json()["code"] == "upload-too-long"
    )
    assert bureau.ask("lead", "PUT", f"{path}?offset=1000", content=film[1000:]).json() == {"received": len(film)}
    first, second = (bureau.ask("lead", "POST", f"{path}/finish").json() for _ in range(2))
    assert first["id"] == second["id"]
    for one in (first, second):
        bureau.job("lead", one["job"])
    exhibit = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()["exhibits"][0]
    assert (exhibit["name"], exhibit["sha256"]) == ("film.avi", hashlib.sha256(film).hexdigest())
    assert exhibit["scan"] == "not-scanned"


def test_what_the_scanner_finds_wanting_is_kept_and_given_to_nobody(bureau, film, scanner) -> None:
    bureau.services.clamav_socket = scanner
    done = bureau.upload("lead", film + _BAD)
    assert done["told"]["result"]["scan"] == "infected"
    for part in ("media", "original"):
        refused = bureau.ask("lead", "GET", f"/api/exhibits/{done['id']}/{part}")
        assert (refused.status_code, refused.json()["code"]) == (403, "file-infected")


def test_what_is_no_film_is_an_exhibit_all_the_same(bureau) -> None:
    done = bureau.upload("lead", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", name="list.m3u8")
    assert done["told"]["result"]["playable"] is None
    assert bureau.ask("lead", "GET", f"/api/exhibits/{done['id']}/media").json()["code"] == "no-playable-copy"
    assert bureau.ask("lead", "GET", f"/api/exhibits/{done['id']}/original").content.startswith(b"#EXTM3U")


def test_how_a_file_was_obtained_must_be_told(bureau) -> None:
    told = {"name": "a", "size_bytes": 5, "title": "t", "source": "public", "obtained": " "}
    uploads = f"/api/cases/{bureau.case_id}/uploads"
    assert bureau.ask("lead", "POST", uploads, json=told).json()["code"] == "obtained-needed"
    huge = told | {"obtained": "by post", "size_bytes": 1 << 50}
    assert bureau.ask("lead", "POST", uploads, json=huge).json()["code"] == "file-size"
    ours = told | {"obtained": "by post", "source": "camera"}
    assert bureau.ask("lead", "POST", uploads, json=ours).json()["code"] == "source-needed"


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n{0}\n", "ffconcat version 1.0\nfile {0}\n"])
def test_a_file_that_names_other_files_opens_none(tmp_path: Path, film: bytes, text: str) -> None:
    other = tmp_path / "other.avi"
    other.write_bytes(film)
    trap = tmp_path / "trap.m3u8"
    trap.write_text(text.format(other))
    with pytest.raises((ValueError, OSError)):
        derive.derive(trap, tmp_path / "out.mp4")


def test_pictures_are_made_into_pictures(tmp_path: Path) -> None:
    made, out = tmp_path / "a.png", tmp_path / "out.jpg"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=4000x3000", "-frames:v", "1", made], check=True
    )
    assert derive.derive(made, out)["media_type"] == "image/jpeg"
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", out], check=True, capture_output=True
    )
    assert json.loads(told.stdout)["streams"][0]["width"] == 1920
