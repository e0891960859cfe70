"""How fast does a dock get rid of its cameras, against copying, hashing and syncing the same bytes by hand?

    python benchmarks/bodyworn_offload.py [--cameras 20] [--mib 64] [--rounds 3] [--door tus|swift]

Ours: a real door over TLS in a process of its own, 20 cameras at once, each
clip hashed, synced, renamed, entered in PostgreSQL and the ledger's queue before
its answer. The peer: `cp`, `sha256sum`, `sync` of the same files, one after
the other, to the same disk, no network and no database. Bytes are random, so
that nothing compresses. The second copy is made afterwards and timed apart.
"""

import argparse
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from svidok.app.rooms import ROOMS
from svidok.base import SystemClock, new_id
from svidok.bodyworn import docks
from svidok.db import Database, migrate
from svidok.db.server import PostgresServer
from svidok.simulate.docking import DockClient

PART = 16 << 20


def serve(url: str, folder: Path) -> None:
    """The door, until killed."""
    import uvicorn

    from svidok.api.docks import DockDoor
    from svidok.bodyworn.keys import door_keys
    from svidok.bodyworn.resuming import Uploads
    from svidok.bodyworn.tending import enrol_vault

    database, clock = Database.open(url, size=12), SystemClock()
    keys = door_keys(folder / "keys", host="127.0.0.1", at=clock.now())
    vault = enrol_vault(database, [folder / "first", folder / "second"], node="bench", at=clock.now())
    door = DockDoor(database=database, vault=vault, uploads=Uploads(database=database, vault=vault), clock=clock,
                    token_key=keys.token_key)  # fmt: skip
    config = uvicorn.Config(door, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off",
                            ssl_certfile=str(keys.certificate), ssl_keyfile=str(keys.private_key),
                            timeout_keep_alive=75)  # fmt: skip
    server = uvicorn.Server(config)

    def tell() -> None:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        (folder / "port.part").write_text(str(port))
        (folder / "port.part").rename(folder / "port")

    threading.Thread(target=tell, daemon=True).start()
    server.run()


def make_dock(database: Database) -> docks.NewDock:
    secret = "s" * 40
    dock = docks.Dock(id=new_id(), name="bench", checkpoint="bench", account="dock-bench")
    with database.transaction() as tx:
        tx.run(docks.SQL["add_dock"], id=dock.id, name="bench", checkpoint="bench", account=dock.account,
               secret=hashlib.sha256(secret.encode()).digest(), at=SystemClock().now())  # fmt: skip
    return docks.NewDock(dock=dock, secret=secret)


def upload(client: DockClient, path: Path, number: int, door: str) -> None:
    """One clip."""
    client.sign_in()
    size = path.stat().st_size
    if door == "swift":
        where = f"/v1/AUTH_{client.account}/u_B{number}_20261125T100000Z"
        client.ask("PUT", where, {"Content-Length": "0"})
        with path.open("rb") as file:
            said = client.ask("PUT", f"{where}/{path.name}", {"Content-Length": str(size)}, file)
        assert said.status == 201, said
        return
    meta = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}"
                    for name, value in (("name", path.name), ("serial", f"B{number}")))  # fmt: skip
    begun = client.ask("POST", "/dock/v1/uploads", {"Upload-Length": str(size), "Upload-Metadata": meta})
    at = 0
    with path.open("rb") as file:
        while at < size:
            part = file.read(PART)
            said = client.ask("PATCH", begun.headers["location"], {"Upload-Offset": str(at)}, part)
            assert said.status == 204, said
            at += len(part)


def ours(url: str, made: docks.NewDock, folder: Path, files: list[Path], door: str) -> float:
    clients = [DockClient(url=url, account=made.dock.account, secret=made.secret, certificate=folder / "keys/dock.crt")
               for _ in files]  # fmt: skip
    began = time.perf_counter()
    threads = [threading.Thread(target=upload, args=(client, file, number, door))
               for number, (client, file) in enumerate(zip(clients, files, strict=True))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def by_hand(files: list[Path], target: Path) -> float:
    target.mkdir()
    began = time.perf_counter()
    for file in files:
        subprocess.run(["cp", str(file), str(target / file.name)], check=True)
    with (target / "sums").open("wb") as sums:
        subprocess.run(["sha256sum", *(str(target / file.name) for file in files)], check=True, stdout=sums)
    subprocess.run(["sync", *(str(target / file.name) for file in files)], check=True)
    return time.perf_counter() - began


def most_memory(pid: int) -> int:
    return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith("VmHWM"))  # fmt: skip


def fresh(folder: Path, cameras: int, mib: int, name: str) -> list[Path]:
    files = []
    for number in range(cameras):
        path = folder / f"{name}-{number}.bin"
        with path.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(1 << 20))
        files.append(path)
    os.sync()
    return files


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=20)
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--door", choices=["tus", "swift"], default="tus")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve[0], Path(asked.serve[1]))
        return
    folder = Path(tempfile.mkdtemp(prefix="svidok-offload-"))
    folder.chmod(0o755)
    postgres = PostgresServer(folder / "postgres")
    postgres.start()
    database = Database.open(postgres.url, size=2)
    migrate(database, ROOMS)
    made = make_dock(database)
    door = subprocess.Popen([sys.executable, __file__, "--serve", postgres.url, str(folder)])
    try:
        while not (folder / "port").exists():
            time.sleep(0.05)
        url = f"https://127.0.0.1:{(folder / 'port').read_text()}"
        total = asked.cameras * asked.mib
        ratios = []
        for number in range(asked.rounds):
            files = fresh(folder, asked.cameras, asked.mib, str(number))
            hand = by_hand(files, folder / f"hand-{number}")
            us = ours(url, made, folder, files, asked.door)
            ratios.append(hand / us)
            print(f"{asked.cameras} x {asked.mib} MiB over TLS ({asked.door}): ours {us:.2f} s ({total / us:.0f} MiB/s), "
                  f"cp+sha256sum+sync {hand:.2f} s ({total / hand:.0f} MiB/s), ratio {hand / us:.2f}")  # fmt: skip
            for file in files:
                file.unlink()
            shutil.rmtree(folder / f"hand-{number}")
        with database.transaction() as tx:
            kept = tx.one("SELECT count(*) AS n, sum(size_bytes) AS bytes FROM bodyworn.clip")
        assert kept["n"] == asked.cameras * asked.rounds, kept
        print(f"median ratio {sorted(ratios)[len(ratios) // 2]:.2f}; most memory of the door {most_memory(door.pid) // 1024} MB; "
              f"{kept['n']} clips in the ledger's queue")  # fmt: skip
    finally:
        door.terminate()
        door.wait()
        database.close()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
