"""Is an acknowledged byte ever lost, or a clip doubled, when an upload is cut? Three kinds of cuts, seeded.

    python benchmarks/bodyworn_cuts.py [--power 7500] [--drops 1500] [--kills 1000] [--seed 1]

power   In this process: each sync of a file or a folder is noted, and each name that is made; at a random moment the
        power goes, and whatever was not synced is gone: bytes beyond the last sync, names whose folder was not synced.
        Then everything starts anew, as the door does. An upload may be cut again while it goes on.
drops   Over TLS: the sender leaves in the middle of a part, up to four times in one upload.
kills   Over TLS: the door's process gets SIGKILL while ten uploads are in the middle of a part, or wait for the answer
        to a whole one, and is started again. One kill counts as a cut for each upload that it caught.

After each cut the sender asks how far it is. What was acknowledged before must be on disk, and what is acknowledged
now too; it goes on from there. In the end: bytes on disk are those that were sent, one clip an upload. PostgreSQL stays
up, and syncs nothing: its own durability is not asked here. All lies in memory (/dev/shm) where there is room: what a
power cut takes is reckoned from the calls, and SIGKILL takes nothing that the kernel has. Files that were judged are
taken away, and rows too, so that ten thousand cuts fit into minutes.
"""

import argparse
import base64
import contextlib
import http.client
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
from uuid import UUID

from bodyworn_offload import make_dock, serve

from svidok.app.rooms import ROOMS
from svidok.base import SystemClock
from svidok.bodyworn.docks import NewDock
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import enrol_vault
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.simulate.docking import DockClient

CLOCK = SystemClock()
TOGETHER = 10
KEEP_ROWS = 100


class PowerGone(BaseException):
    """The moment at which everything stops. No handler of the product may live through it."""


class Power:
    """Notes what was synced, and stops the process at the `until`-th step. Its own view of the disk, by inode."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.synced: dict[int, int] = {}
        self.names: dict[str, dict[str, int]] = {}
        self.steps, self.until = 0, -1
        self._real = (os.fdatasync, os.fsync, os.write)

    def __enter__(self) -> "Power":
        for folder, _, _ in os.walk(self.root):
            self.names[folder] = _names(folder)  # what was there before is there for good
        os.fdatasync, os.fsync, os.write = self._fdatasync, self._fsync, self._write  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        os.fdatasync, os.fsync, os.write = self._real

    def goes_after(self, steps: int) -> None:
        """So many steps from now, or never."""
        self.steps, self.until = 0, steps

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
        self.names[str(path)] = _names(path)
        self._step()

    def cut(self) -> None:
        """Undo on the disk what was never synced: names first, then bytes."""
        for folder, below, files in os.walk(self.root, topdown=False):
            lasting = self.names.get(folder, {})
            for name in files:
                path = Path(folder) / name
                if name == ".svidok-volume":
                    continue
                if lasting.get(name) != path.stat().st_ino:
                    path.unlink()
                    continue
                os.truncate(path, min(path.stat().st_size, self.synced.get(path.stat().st_ino, 0)))
            for name in below:
                if name not in lasting:
                    with contextlib.suppress(OSError):
                        (Path(folder) / name).rmdir()


def _names(folder: Path | str) -> dict[str, int]:
    return {one.name: one.inode() for one in os.scandir(folder)}


class Tally:
    """What came of it."""

    def __init__(self, database: Database, made: NewDock, folder: Path) -> None:
        self.database, self.made, self.folder = database, made, folder
        self.uploads = self.cuts = self.lost = self.doubled = self.anew = 0

    def acknowledged(self, upload_id: UUID, body: bytes, at_least: int, says: int) -> None:
        """After a cut: what was acknowledged before and what is now must be on disk."""
        self.cuts += 1
        path = self.folder / "first" / "incoming" / f"{upload_id.hex}.tus"
        have = path.read_bytes() if path.exists() else None
        if have is None:  # it is a clip by now, or bytes are gone
            with self.database.transaction() as tx:
                row = tx.one("SELECT clip_id FROM bodyworn.upload WHERE id = %(i)s", i=upload_id)
            self.lost += row["clip_id"] is None and (says > 0 or at_least > 0)
        elif says < at_least or have[:says] != body[:says]:
            self.lost += 1

    def judge(self, name: str, body: bytes) -> None:
        """In the end: one clip, with the bytes that were sent. What was judged makes room."""
        with self.database.transaction() as tx:
            rows = tx.all("SELECT path FROM bodyworn.clip WHERE dock_id = %(d)s AND container = 'CUT1' AND name = %(n)s",
                          d=self.made.dock.id, n=name)  # fmt: skip
        self.doubled += max(0, len(rows) - 1)
        files = [self.folder / "first" / row["path"] for row in rows]
        if not files or not files[0].exists() or files[0].read_bytes() != body:
            self.lost += 1
        self.uploads += 1
        for file in files:
            file.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "first" / "aside", ignore_errors=True)
        if self.uploads % KEEP_ROWS == 0:
            with self.database.transaction() as tx:
                tx.run("TRUNCATE bodyworn.clip, bodyworn.upload, ledger.entry CASCADE")


class Machine:
    """The door in this process, for as long as the power lasts."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.start()

    def start(self) -> None:
        """A new life: no memory of hashes; strays put aside, `incoming/` in order."""
        folders = [self.tally.folder / "first", self.tally.folder / "second"]
        vault = enrol_vault(self.tally.database, folders, node="cuts", at=CLOCK.now())
        self.uploads = Uploads(database=self.tally.database, vault=vault)


def power_cuts(tally: Tally, count: int, rng: random.Random) -> None:
    """Uploads in this process, cut as often as it goes."""
    machine, number = Machine(tally), 0
    while tally.cuts < count:
        number += 1
        name, body = f"power-{number}.mkv", rng.randbytes(rng.randint(1, 200_000))
        upload_id: UUID | None = None
        reached = 0
        with Power(tally.folder / "first") as power:
            while True:
                power.goes_after(rng.randint(1, 16))
                try:
                    if upload_id is None:
                        upload_id = machine.uploads.begin(
                            tally.made.dock, length=len(body), meta={"name": name, "serial": "CUT1"}, at=CLOCK.now()
                        )
                    for at in _send(machine.uploads, tally.made, upload_id, body, reached, rng):
                        reached = at
                    if machine.uploads.state(tally.made.dock, upload_id)["clip_id"] is None:
                        machine.uploads.finish(tally.made.dock, upload_id, at=CLOCK.now())
                    break
                except PowerGone:
                    power.goes_after(-1)
                    power.cut()
                    machine.start()
                    reached = _ask(machine, tally, upload_id, body, reached)
        tally.judge(name, body)
        if number % 500 == 0:
            print(
                f"{tally.cuts} cuts of {tally.uploads} uploads, lost {tally.lost}, doubled {tally.doubled}", flush=True
            )


def _ask(machine: Machine, tally: Tally, upload_id: UUID | None, body: bytes, reached: int) -> int:
    """After a cut the sender asks how far it is; where it never heard of an upload, it begins one."""
    if upload_id is None:
        tally.cuts += 1
        return 0
    says: int = machine.uploads.state(tally.made.dock, upload_id)["acknowledged"]
    tally.acknowledged(upload_id, body, reached, says)
    return says


def _send(uploads: Uploads, made: NewDock, upload_id: UUID, body: bytes, at: int, rng: random.Random) -> Any:
    """Part after part; each time how far it was acknowledged."""
    while at < len(body):
        part = uploads.open(made.dock, upload_id, offset=at, checksum=None)
        try:
            part.write(body[at : at + rng.randint(1, 100_000)])
            at = uploads.close(upload_id, part, checksum=None, whole=True, at=CLOCK.now())
        except PowerGone:
            with contextlib.suppress(OSError):
                os.close(part.handle)
            raise
        yield at


class Door:
    """The door as a process of its own, which can be killed and started again: a fork of one that has loaded all."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        self._nursery = subprocess.Popen(
            [sys.executable, __file__, "--nursery", url, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._start()

    def _start(self) -> None:
        (self._folder / "port").unlink(missing_ok=True)
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(b"\n")
        self._nursery.stdin.flush()
        self.pid = int(self._nursery.stdout.readline())
        while not (self._folder / "port").exists():
            time.sleep(0.005)

    def client(self, made: NewDock) -> DockClient:
        found = DockClient(
            url=f"https://127.0.0.1:{(self._folder / 'port').read_text()}", account=made.dock.account,
            secret=made.secret, certificate=self._folder / "keys/dock.crt",
        )  # fmt: skip
        found.sign_in()
        return found

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._start()

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait()


def nursery(url: str, folder: Path) -> None:
    """Fork a door for each line that comes; nothing but this has run before."""
    import uvicorn.protocols.http.auto

    import svidok.api.docks
    import svidok.bodyworn.keys  # noqa: F401

    assert uvicorn.protocols.http.auto
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the line to our parent is for numbers of processes
            serve(url, folder)
            os._exit(0)
        print(pid, flush=True)


class Sender:
    """One upload over the wire."""

    def __init__(self, client: DockClient, name: str, body: bytes) -> None:
        self.name, self.body, self.reached = name, body, 0
        meta = f"name {base64.b64encode(name.encode()).decode()},serial {base64.b64encode(b'CUT1').decode()}"
        where = client.ask("POST", "/dock/v1/uploads", {"Upload-Length": str(len(body)), "Upload-Metadata": meta})
        self.place = where.headers["location"]
        self.id = UUID(self.place.rpartition("/")[2])

    def whole_part(self, client: DockClient, size: int) -> None:
        """A part that is acknowledged."""
        said = client.ask(
            "PATCH", self.place, {"Upload-Offset": str(self.reached)}, self.body[self.reached : self.reached + size]
        )
        self.reached = int(said.headers["upload-offset"])

    def begin_part(self, client: DockClient, share: float) -> http.client.HTTPSConnection:
        """A part of all the rest, of which `share` is sent; the line stays open."""
        rest = self.body[self.reached :]
        line = client._connect()
        client._line = None
        line.putrequest("PATCH", self.place)
        for key, value in {
            "X-Auth-Token": client._token,
            "Content-Length": str(len(rest)),
            "Upload-Offset": str(self.reached),
        }.items():
            line.putheader(key, value)
        line.endheaders()
        line.send(rest[: max(1, int(len(rest) * share))])
        return line

    def ask(self, client: DockClient, tally: Tally) -> int:
        """How far it is, after a cut."""
        while (says := self._how_far(client)) < 0:
            time.sleep(0.01)  # it is being put down, or finished, by the life that was left
        tally.acknowledged(self.id, self.body, self.reached, says)
        self.reached = says
        return says

    def finish(self, client: DockClient, tally: Tally) -> None:
        """Go on to the end."""
        while (at := self._how_far(client)) < len(self.body):
            if at >= 0:
                with contextlib.suppress(TimeoutError):
                    client.ask("PATCH", self.place, {"Upload-Offset": str(at)}, self.body[at:])
        tally.judge(self.name, self.body)

    def _how_far(self, client: DockClient) -> int:
        """What the door says, or -1 where it says that it is busy, or (on a busy machine) nothing in time."""
        try:
            return int(client.ask("HEAD", self.place).headers.get("upload-offset", "-1"))
        except TimeoutError:
            return -1


def drops(tally: Tally, door: Door, count: int, rng: random.Random) -> None:
    """The sender leaves in the middle, one to four times."""
    client, number = door.client(tally.made), 0
    while tally.cuts < count:
        number += 1
        one = Sender(client, f"drop-{number}.mkv", rng.randbytes(rng.randint(1000, 600_000)))
        for _ in range(rng.randint(1, 4)):
            if len(one.body) - one.reached < 2:
                break
            one.begin_part(client, rng.uniform(0.05, 0.95)).close()
            one.ask(client, tally)
        one.finish(client, tally)
        print(f"{tally.cuts} cuts of {tally.uploads} uploads, lost {tally.lost}, doubled {tally.doubled}", flush=True)


def kills(tally: Tally, door: Door, count: int, rng: random.Random) -> None:
    """The door dies while many uploads are under way."""
    number = 0
    while tally.cuts < count:
        client, caught = door.client(tally.made), []
        for _ in range(TOGETHER):
            number += 1
            one = Sender(client, f"kill-{number}.mkv", rng.randbytes(rng.randint(1000, 2_500_000)))
            if rng.random() < 0.5:
                one.whole_part(client, rng.randint(1, len(one.body) - 1))
            caught.append(one)
        lines = [one.begin_part(client, rng.choice((rng.uniform(0.1, 0.95), 1.0))) for one in caught]
        time.sleep(rng.uniform(0, 0.05))
        door.kill()
        for line in lines:
            line.close()
        client = door.client(tally.made)
        for one in caught:
            one.ask(client, tally)
        for one in caught:
            one.finish(client, tally)
        print(f"{tally.cuts} cuts of {tally.uploads} uploads, lost {tally.lost}, doubled {tally.doubled}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--power", type=int, default=7500)
    parser.add_argument("--drops", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nursery", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.nursery:
        nursery(asked.nursery[0], Path(asked.nursery[1]))
        return
    rng = random.Random(asked.seed)
    memory = Path("/dev/shm")
    room = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="svidok-cuts-", dir=memory if room else None))
    folder.chmod(0o755)
    postgres = PostgresServer(folder / "postgres")
    postgres.start()
    database = Database.open(postgres.url, size=4, wait_s=60)
    migrate(database, ROOMS)
    with database.transaction() as tx:
        tx.run("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    database.close()
    database = Database.open(postgres.url, size=4, wait_s=60)
    made = make_dock(database)
    try:
        for name, count in (("power", asked.power), ("drops", asked.drops), ("kills", asked.kills)):
            here = folder / name
            here.mkdir()
            tally, began = Tally(database, made, here), time.perf_counter()
            if name == "power":
                power_cuts(tally, count, rng)
            else:
                door = Door(postgres.url, here)
                (drops if name == "drops" else kills)(tally, door, count, rng)
                door.end()
            print(f"{name}: {tally.cuts} cuts of {tally.uploads} uploads; acknowledged bytes lost in {tally.lost}, clips doubled "
                  f"{tally.doubled}; {time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    finally:
        database.close()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
