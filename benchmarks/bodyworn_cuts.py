"""Is an acknowledged byte ever lost, or a clip doubled, when an upload is cut? Three kinds of cuts, seeded.

    python benchmarks/bodyworn_cuts.py [--power 9600] [--drops 360] [--kills 40] [--seed 1]

power   In this process: each sync of a file or a folder is noted; at a random
        moment the power goes, and whatever was not synced is gone: bytes beyond
        the last sync are cut off, names whose folder was not synced vanish.
drops   Over TLS: the sender leaves in the middle of a part.
kills   Over TLS: the door's process gets SIGKILL in the middle of a part, and is
        started again. PostgreSQL stays up: its own durability is not asked here.

After each cut the sender asks how far it is, goes on from there, and is
acknowledged. Then: bytes on disk are those that were sent, one clip an upload.
"""

import argparse
import base64
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bodyworn_offload import make_dock

from svidok.app.rooms import ROOMS
from svidok.base import SystemClock
from svidok.bodyworn.docks import NewDock
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import enrol_vault
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.simulate.docking import DockClient

CLOCK = SystemClock()


class PowerGone(Exception):
    """The moment at which everything stops."""


class Power:
    """Notes what was synced, and stops the process at the `until`-th step. Its own view of the disk, by inode."""

    def __init__(self) -> None:
        self.synced: dict[int, int] = {}
        self.names: dict[str, set[str]] = {}
        self.steps, self.until = 0, -1
        self._real = (os.fdatasync, os.fsync, os.write)

    def __enter__(self) -> "Power":
        os.fdatasync, os.fsync, os.write = self._fdatasync, self._fsync, self._write  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        os.fdatasync, os.fsync, os.write = self._real

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.until:
            raise PowerGone

    def _write(self, handle: int, data: Any) -> int:
        self._step()
        return self._real[2](handle, data)

    def _fdatasync(self, handle: int) -> None:
        self._step()
        stat = os.fstat(handle)
        self.synced[stat.st_ino] = stat.st_size
        self._step()

    def _fsync(self, handle: int) -> None:
        self._step()
        path = Path(f"/proc/self/fd/{handle}").readlink()
        self.names[str(path)] = {one.name for one in path.iterdir()}
        self._step()

    def cut(self, root: Path) -> None:
        """Undo on the disk what was never synced. A folder's names last once it was synced; incoming files are found
        by their row alone, so that their names are kept and only their bytes are cut."""
        for folder, _, files in os.walk(root):
            for name in files:
                path = Path(folder) / name
                if name == ".svidok-volume":
                    continue
                if "incoming" not in folder and name not in self.names.get(folder, set()):
                    path.unlink()
                    continue
                os.truncate(path, min(path.stat().st_size, self.synced.get(path.stat().st_ino, 0)))


class Tally:
    """What came of it."""

    def __init__(self) -> None:
        self.cuts = self.lost = self.doubled = self.again = 0

    def judge(self, database: Database, folder: Path, name: str, body: bytes) -> None:
        with database.transaction() as tx:
            rows = tx.all("SELECT path, sha256 FROM bodyworn.clip WHERE name = %(n)s", n=name)
        self.doubled += max(0, len(rows) - 1)
        files = [folder / "first" / row["path"] for row in rows]
        if not files or not files[0].exists() or files[0].read_bytes() != body:
            self.lost += 1
        self.cuts += 1


def power_cuts(database: Database, folder: Path, made: NewDock, count: int, rng: random.Random, tally: Tally) -> None:
    """Uploads in this process, each cut once or more."""
    enrolled = enrol_vault(database, [folder / "first", folder / "second"], node="cuts", at=CLOCK.now())
    uploads = Uploads(database=database, vault=enrolled)
    number = 0
    while tally.cuts < count:
        number += 1
        name, body = f"power-{number}.mkv", rng.randbytes(rng.randint(1, 200_000))
        meta = {"name": name, "serial": "CUT1"}
        with Power() as power:
            power.until = rng.randint(1, 14)
            upload_id = uploads.begin(made.dock, length=len(body), meta=meta, at=CLOCK.now())
            acknowledged = 0
            try:
                acknowledged = _send(uploads, made, upload_id, body, 0, rng)
                uploads.finish(made.dock, upload_id, at=CLOCK.now())
            except PowerGone:
                power.cut(folder / "first")
                power.until = -1
                uploads = Uploads(database=database, vault=enrolled)  # a new life: no memory of hashes
                row = uploads.state(made.dock, upload_id)
                path = folder / "first" / "incoming" / f"{upload_id.hex}.tus"
                have = path.read_bytes() if path.exists() else b""
                if (
                    row["clip_id"] is None
                    and path.exists()
                    and have[: row["acknowledged"]] != body[: row["acknowledged"]]
                ):
                    tally.lost += 1
                _again(uploads, database, made, upload_id, row, name, body, rng, path.exists())
                tally.again += 1
                del acknowledged
        tally.judge(database, folder, name, body)


def _again(uploads: Uploads, database: Database, made: NewDock, upload_id: Any, row: Any, name: str, body: bytes,
           rng: random.Random, there: bool) -> None:  # fmt: skip
    """What a sender does after the cut: go on; where nothing of it is there any more, begin anew."""
    if row["clip_id"] is not None:
        return
    if not there:  # placed under its lasting name, and never acknowledged
        upload_id = uploads.begin(made.dock, length=len(body), meta={"name": name, "serial": "CUT1"}, at=CLOCK.now())
        row = uploads.state(made.dock, upload_id)
    if row["acknowledged"] < len(body):
        _send(uploads, made, upload_id, body, row["acknowledged"], rng)
    uploads.finish(made.dock, upload_id, at=CLOCK.now())


def _send(uploads: Uploads, made: NewDock, upload_id: Any, body: bytes, at: int, rng: random.Random) -> int:
    while at < len(body):
        size = rng.randint(1, 100_000)
        part = uploads.open(made.dock, upload_id, offset=at, checksum=None)
        try:
            part.write(body[at : at + size])
        except PowerGone:
            os.close(part.handle)
            raise
        at = uploads.close(upload_id, part, checksum=None, whole=True, at=CLOCK.now())
    return at


class Door:
    """The door as a process of its own, which can be killed and started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        (self._folder / "port").unlink(missing_ok=True)
        offload = Path(__file__).with_name("bodyworn_offload.py")
        process = subprocess.Popen([sys.executable, str(offload), "--serve", self._url, str(self._folder)])
        while not (self._folder / "port").exists():
            time.sleep(0.02)
        return process

    def client(self, made: NewDock) -> DockClient:
        found = DockClient(
            url=f"https://127.0.0.1:{(self._folder / 'port').read_text()}", account=made.dock.account,
            secret=made.secret, certificate=self._folder / "keys/dock.crt",
        )  # fmt: skip
        found.sign_in()
        return found

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self._start()


def over_the_wire(database: Database, folder: Path, made: NewDock, door: Door, count: int, rng: random.Random,
                  tally: Tally, *, kill: bool) -> None:  # fmt: skip
    client = door.client(made)
    for number in range(count):
        name, body = f"{'kill' if kill else 'drop'}-{number}.mkv", rng.randbytes(rng.randint(1000, 600_000))
        meta = f"name {base64.b64encode(name.encode()).decode()},serial {base64.b64encode(b'CUT1').decode()}"
        where = client.ask("POST", "/dock/v1/uploads", {"Upload-Length": str(len(body)), "Upload-Metadata": meta})
        place = where.headers["location"]
        client.send_half("PATCH", place, {"Upload-Offset": "0"}, body)
        if kill:
            door.kill()
            client = door.client(made)
        while True:
            at = int(client.ask("HEAD", place).headers["upload-offset"])
            said = client.ask("PATCH", place, {"Upload-Offset": str(at)}, body[at:])
            if said.status == 204:
                break
            time.sleep(0.01)  # the last life of this upload is still being put down
        tally.again += 1
        tally.judge(database, folder, name, body)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--power", type=int, default=9600)
    parser.add_argument("--drops", type=int, default=360)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    folder = Path(tempfile.mkdtemp(prefix="svidok-cuts-"))
    folder.chmod(0o755)
    postgres = PostgresServer(folder / "postgres")
    postgres.start()
    database = Database.open(postgres.url, size=4)
    migrate(database, ROOMS)
    made = make_dock(database)
    try:
        for name, count in (("power", asked.power), ("drops", asked.drops), ("kills", asked.kills)):
            tally, began = Tally(), time.perf_counter()
            here = folder / name
            if name == "power":
                power_cuts(database, here, made, count, rng, tally)
            else:
                here.mkdir()
                door = Door(postgres.url, here)
                over_the_wire(database, here, made, door, count, rng, tally, kill=name == "kills")
                door.process.terminate()
                door.process.wait()
            print(f"{name}: {tally.cuts} uploads, {tally.again} of them cut and gone on with; acknowledged bytes lost "
                  f"{tally.lost}, clips doubled {tally.doubled}; {time.perf_counter() - began:.0f} s")  # fmt: skip
    finally:
        database.close()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
