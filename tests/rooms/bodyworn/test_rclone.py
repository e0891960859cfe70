"""A second client that we did not write: rclone's Swift backend uploads, lists and checks, and may do nothing else."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.bodyworn.conftest import Place

from svidok.base import new_id

RCLONE = shutil.which("rclone")
pytestmark = pytest.mark.skipif(RCLONE is None, reason="rclone is not installed: apt-get install rclone")
WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Rclone:
    """Rclone with one remote, `door:`, and no settings of whoever runs the tests."""

    place: Place
    folder: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """One command; what it did."""
        remote = {
            "TYPE": "swift", "USER": self.place.made.dock.account, "KEY": self.place.made.secret,
            "AUTH": f"{self.place.url}/auth/v1.0", "AUTH_VERSION": "1",
        }  # fmt: skip
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        env |= {f"RCLONE_CONFIG_DOOR_{name}": value for name, value in remote.items()}
        given = ["--ca-cert", str(self.place.keys.certificate), "--retries", "1", "--low-level-retries", "1"]
        return subprocess.run(
            [str(RCLONE), *words, *given, "--config", "/dev/null"], env=env, capture_output=True, timeout=WAIT_S
        )

    def do(self, *words: str) -> bytes:
        """One command that must succeed; what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def listed(self, what: str) -> dict[str, dict[str, Any]]:
        """What it lists, by name, with sizes and hashes."""
        return {one["Path"]: one for one in json.loads(self.do("lsjson", "--hash", what))}


@pytest.fixture
def rclone(place: Place, tmp_path: Path) -> Rclone:
    return Rclone(place, tmp_path)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "20261125_100000_1.mkv").write_bytes(os.urandom(700_000))
    (folder / "20261125_100500_1.mkv").write_bytes(os.urandom(90))
    (folder / "20261125_100000_1_b_gpstrail.json").write_bytes(b'{"CoordinateEntries": []}')
    return folder


def container() -> str:
    return f"u-{new_id().hex[-12:]}_RCLONE1_20261125T100000Z"


def test_a_folder_is_uploaded_listed_and_checked(place: Place, rclone: Rclone, clips: Path) -> None:
    name = container()
    rclone.do("mkdir", f"door:{name}")
    rclone.do("copy", str(clips), f"door:{name}")
    told = rclone.listed(f"door:{name}")
    sent = {one.name: one.read_bytes() for one in clips.iterdir()}
    assert {one: (row["Size"], row["Hashes"]["md5"]) for one, row in told.items()} == {
        one: (len(body), hashlib.md5(body).hexdigest()) for one, body in sent.items()
    }
    assert name in {one["Path"] for one in json.loads(rclone.do("lsjson", "door:"))}
    rclone.do("check", str(clips), f"door:{name}")
    rclone.do("copy", str(clips), f"door:{name}")  # again, as after a lost answer
    with place.database.transaction() as tx:
        rows = tx.all("SELECT name, sha256 FROM bodyworn.clip WHERE container = %(c)s", c=name)
    assert {row["name"]: bytes(row["sha256"]) for row in rows} == {
        one: hashlib.sha256(body).digest() for one, body in sent.items()
    }
    assert len(rows) == len(sent)


def test_it_reads_what_a_dock_may_read(rclone: Rclone) -> None:
    assert b"StoreSignedVideo" in rclone.do("cat", "door:System/Capabilities.json")
    assert "Контрабанда" in rclone.do("cat", "door:System/Categories.json").decode()


def test_a_difference_is_seen_by_its_hash(rclone: Rclone, clips: Path) -> None:
    name = container()
    rclone.do("copy", str(clips), f"door:{name}")
    changed = clips / "20261125_100500_1.mkv"
    changed.write_bytes(bytes(90))
    said = rclone.run("check", str(clips), f"door:{name}")
    assert said.returncode != 0
    assert b"1 differences found" in said.stderr


@pytest.mark.parametrize("act", ["delete", "deletefile", "purge", "rmdir", "moveto", "copyto", "cat", "sync-away"])
def test_it_takes_nothing_away_and_reads_nothing_back(rclone: Rclone, clips: Path, tmp_path: Path, act: str) -> None:
    name, clip = container(), "20261125_100500_1.mkv"
    rclone.do("copy", str(clips), f"door:{name}")
    there = f"door:{name}"
    empty = tmp_path / "empty"
    empty.mkdir()
    words = {
        "delete": ("delete", there), "deletefile": ("deletefile", f"{there}/{clip}"), "purge": ("purge", there),
        "rmdir": ("rmdir", there), "moveto": ("moveto", f"{there}/{clip}", f"{there}/b_1.mkv"),
        "copyto": ("copyto", f"{there}/{clip}", f"{there}/b_1.mkv"), "cat": ("cat", f"{there}/{clip}"),
        "sync-away": ("sync", str(empty), there),
    }[act]  # fmt: skip
    said = rclone.run(*words)
    assert said.returncode != 0
    assert said.stdout == b""
    assert set(rclone.listed(there)) == {one.name for one in clips.iterdir()}
    rclone.do("check", str(clips), there)
