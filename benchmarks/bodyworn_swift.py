"""Where do our answers to a dock differ from those of OpenStack Swift?

    python benchmarks/bodyworn_swift.py [--swift VENV]

Installs OpenStack Swift from PyPI into an environment of its own (or takes `VENV`), starts its proxy with its account,
container and object servers, starts our door, and asks both the same questions in the same order. Prints each question
of which the answers differ in their status, in a header that a client reads, or in their body. It is no timing and no
test: Swift is asked as a witness, and what it says is written down in docs/design/bodyworn.md.
"""

import argparse
import http.client
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

PEER = "swift==2.38.3"
READ = ("etag", "content-length", "content-type", "content-range", "location", "accept-ranges")  # and all metadata
WITHOUT = {"last_modified", "storage_policy"}
COUNTS = re.compile(r"x-(account|container)-(container-count|object-count|bytes-used)$")


@dataclass(frozen=True, slots=True)
class Question:
    """One request; `says` is what it is about."""

    says: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer, without what is never the same twice."""

    status: int
    headers: dict[str, str]
    body: bytes


def questions() -> list[Question]:
    """What an Axis system controller does, what other clients of Swift do, and what nobody should."""
    one, c = b"x" * 4000, "u1_SN1_20261125T100000Z"
    clip, named = f"/{c}/20261125_100000_1.mkv", quote("/з пробілом % і №.mkv")
    meta = {"X-Container-Meta-Status": "Transferring", "X-Container-Meta-Userid": "u1"}
    listing = [
        ("plain", ""), ("json", "?format=json"), ("xml", "?format=xml"), ("prefix", "?format=json&prefix=b"),
        ("marker", "?format=json&marker=b1"), ("end_marker", "?format=json&end_marker=b2"), ("limit", "?format=json&limit=2"),
        ("delimiter", "?format=json&delimiter=/"), ("reverse", "?format=json&reverse=true"),
        ("a limit that is no number", "?limit=x"), ("accept json", ""),
    ]  # fmt: skip
    return [
        Question("capabilities, not made yet", "HEAD", "/System/Capabilities.json"),
        Question("a container that is not there", "HEAD", "/none"),
        Question("an object in no container", "PUT", "/none/a", {}, b"x"),
        *(Question(f"container {name}", "PUT", f"/{name}") for name in ("Users", "Devices")),
        Question("container with metadata", "PUT", f"/{c}", meta),
        Question("container again", "PUT", f"/{c}", meta),
        Question("empty container, plain", "GET", f"/{c}"),
        Question("empty container, json", "GET", f"/{c}?format=json"),
        Question("head of a container", "HEAD", f"/{c}"),
        Question("user", "PUT", "/Users/u1", {"X-Object-Meta-Name": "%D0%86%D1%80%D0%B0"}, b""),
        Question("user changed", "POST", "/Users/u1", {"X-Object-Meta-Active": "False"}),
        Question("head of a user", "HEAD", "/Users/u1"),
        Question("user read", "GET", "/Users/u1"),
        Question("clip", "PUT", clip, {"Etag": "4f1cb4a1f2a3a9b4f7a0f5f6f5b8f1a2"}, one),
        Question("clip whose Etag was wrong", "HEAD", clip),
        Question("clip without Etag", "PUT", clip, {"X-Object-Meta-Starttime": "1764064800"}, one),
        Question("the same clip again", "PUT", clip, {"X-Object-Meta-Starttime": "1764064800"}, one),
        Question("head of a clip", "HEAD", clip),
        Question("clip never sent", "HEAD", f"/{c}/none.mkv"),
        Question("metadata of a clip never sent", "POST", f"/{c}/none.mkv", {"X-Object-Meta-A": "1"}),
        *(Question(f"object {name}", "PUT", f"/{c}/{name}", {}, b"b") for name in ("b1", "b2", "d/e", "d/f", "Z")),
        Question("letters beyond ASCII", "PUT", f"/{c}{named}", {}, b"n"),
        Question("head of letters beyond ASCII", "HEAD", f"/{c}{named}"),
        *(Question(f"list: {says}", "GET", f"/{c}{ask}", {"Accept": "application/json"} if "accept" in says else {})
          for says, ask in listing),
        Question("metadata taken away", "POST", f"/{c}", {"X-Container-Meta-Userid": ""}),
        Question("head after that", "HEAD", f"/{c}"),
        Question("complete", "POST", f"/{c}", {"X-Container-Meta-Status": "Complete"}),
        Question("changed after it was complete", "POST", f"/{c}", {"X-Container-Meta-Status": "Transferring"}),
        Question("head after that too", "HEAD", f"/{c}"),
        Question("clip read back", "GET", clip),
        Question("part of a clip read back", "GET", clip, {"Range": "bytes=0-9"}),
        Question("clip only if it is new", "PUT", clip, {"If-None-Match": "*"}, one),
        Question("clip rewritten", "PUT", clip, {}, b"other"),
        Question("clip that shall expire", "PUT", f"/{c}/e.mkv", {"X-Delete-After": "1"}, b"e"),
        Question("that clip later", "HEAD", f"/{c}/e.mkv"),
        Question("clip copied", "COPY", clip, {"Destination": f"{c}/copy.mkv"}),
        Question("clip copied by PUT", "PUT", f"/{c}/copy.mkv", {"X-Copy-From": f"{c}/b1"}),
        Question("clip deleted", "DELETE", f"/{c}/b1"),
        Question("container deleted", "DELETE", f"/{c}"),
        Question("account's metadata", "POST", "", {"X-Account-Meta-A": "1"}),
        Question("account", "HEAD", ""),
        Question("account, json", "GET", "?format=json"),
        Question("account, plain, limit", "GET", "?limit=1"),
        Question("somebody else's account", "HEAD", "/../AUTH_other"),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A server that is asked."""

    url: str
    user: str
    key: str
    context: ssl.SSLContext | None

    def ask(self, question: Question, token: str, root: str) -> Told:
        """Ask it."""
        where = urlsplit(self.url)
        line: http.client.HTTPConnection
        if self.context is None:
            line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        else:
            line = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=60, context=self.context)
        path = root + question.path
        if question.path.startswith("/../"):
            path = root.rpartition("/")[0] + question.path[3:]
        headers = {"X-Auth-Token": token, **question.headers}
        if question.method in ("PUT", "POST"):
            headers["Content-Type"] = "application/octet-stream"
        if question.method in ("PUT", "POST") and question.body is None:
            headers["Content-Length"] = "0"
        line.request(question.method, path, body=question.body, headers=headers)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return Told(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def sign_in(self) -> tuple[Told, Told]:
        """With the right key, and with a wrong one."""
        path = "/auth/v1.0"
        right = {"X-Auth-User": self.user, "X-Auth-Key": self.key}
        return (self.ask(Question("", "GET", path, right), "", ""),
                self.ask(Question("", "GET", path, right | {"X-Auth-Key": "x"}), "", ""))  # fmt: skip


def answers(server: Asked) -> list[tuple[str, Told]]:
    """All that a server says."""
    right, wrong = server.sign_in()
    root = urlsplit(right.headers["x-storage-url"]).path
    found = [("sign in", Told(right.status, {}, b"")), ("sign in with a wrong key", Told(wrong.status, {}, b""))]
    for one in questions():
        time.sleep(2.1 if one.says == "that clip later" else 0)
        found.append((one.says, server.ask(one, right.headers["x-auth-token"], root)))
    return found


def plain(told: Told, says: str, method: str) -> tuple[int, dict[str, str], object]:
    """An answer as it is compared: what clients read of it, without instants."""
    if method not in ("GET", "HEAD"):  # the words of an acknowledgement are for people
        return told.status, {"etag": told.headers.get("etag", "")}, None
    kept = {name: value for name, value in told.headers.items()
            if name in READ or COUNTS.match(name) or re.match(r"x-(object|container)-meta-", name)}  # fmt: skip
    kept["content-type"] = kept.get("content-type", "").lower()
    if says.startswith("account"):  # Swift counts an account some time later, by a daemon that does not run here
        kept = {name: value for name, value in kept.items() if not COUNTS.match(name)}
    body: object = None
    if told.status < 300 and kept["content-type"].startswith("application/json"):
        rows = json.loads(told.body) if told.body else None
        body = [{key: value for key, value in row.items() if key not in WITHOUT} for row in rows or []]
        if says.startswith("account"):
            body = [row["name"] for row in rows or []]
        kept.pop("content-length", None)  # of instants and of blanks
    elif told.status < 300:
        body = re.sub(rb"<last_modified>.*?</last_modified>", b"", told.body)
        if b"<last_modified>" in told.body:
            kept.pop("content-length", None)
    if told.status >= 300:  # what a refusal says is for people, and ours says what to do
        kept = {}
    if told.status == 204:
        kept.pop("content-length", None)
        kept.pop("content-type", None)
    return told.status, kept, body


def differences(ours: list[tuple[str, Told]], theirs: list[tuple[str, Told]]) -> list[str]:
    """What is not the same, a line each."""
    found = []
    methods = {one.says: one.method for one in questions()}
    for (says, mine), (_, its) in zip(ours, theirs, strict=True):
        (status, headers, body), (status2, headers2, body2) = (
            plain(one, says, methods.get(says, "PUT")) for one in (mine, its)
        )
        if status != status2:
            found.append(f"{says}: {status}, Swift {status2}")
            continue
        for name in sorted(set(headers) | set(headers2)):
            if headers.get(name) != headers2.get(name):
                found.append(f"{says}: {name} {headers.get(name)!r}, Swift {headers2.get(name)!r}")
        if body != body2:
            found.append(f"{says}: body {body!r}, Swift {body2!r}")
    return found


# the peer, in an environment where nothing of ours is


def serve_swift(folder: Path) -> None:
    """OpenStack Swift with one replica of everything and its objects in memory, until killed."""
    warnings.simplefilter("ignore")
    import eventlet
    import eventlet.wsgi
    from swift.common import utils
    from swift.common.ring import RingBuilder

    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = svidok\n")
    utils.set_swift_dir(str(folder))
    utils.validate_hash_conf()
    from swift.account.server import AccountController
    from swift.common.middleware.copy import ServerSideCopyMiddleware
    from swift.common.middleware.listing_formats import ListingFilter
    from swift.common.middleware.tempauth import TempAuth
    from swift.container.server import ContainerController
    from swift.obj.mem_server import ObjectController
    from swift.proxy.server import Application

    (folder / "disks" / "sd").mkdir(parents=True)
    logger = utils.get_logger({}, log_route="peer")
    conf = {"swift_dir": str(folder), "devices": str(folder / "disks"), "mount_check": "false", "user_test_dock": "key .admin",
            "account_autocreate": "true", "allow_account_management": "true"}  # fmt: skip
    for kind in ("account", "container", "object"):
        line = eventlet.listen(("127.0.0.1", 0))
        port = line.getsockname()[1]
        builder = RingBuilder(1, 1, 1)
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "sd", "weight": 1,
                         "replication_ip": "127.0.0.1", "replication_port": port})  # fmt: skip
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))
        made = {"account": AccountController, "container": ContainerController, "object": ObjectController}[kind](
            conf, logger
        )
        eventlet.spawn(eventlet.wsgi.server, line, made, log_output=False)
    app = Application(conf, logger=logger)
    app = ListingFilter(ServerSideCopyMiddleware(TempAuth(app, conf), conf), conf)
    remembered = Remembered()

    def door(env: dict[str, object], start: object) -> object:
        env["swift.cache"] = remembered
        return app(env, start)

    line = eventlet.listen(("127.0.0.1", 0))
    (folder / "port.part").write_text(str(line.getsockname()[1]))
    (folder / "port.part").rename(folder / "port")
    eventlet.wsgi.server(line, door, log_output=False)


class Remembered:
    """What memcached would keep, for one process."""

    def __init__(self) -> None:
        self._kept: dict[object, object] = {}

    def get(self, key: object, *_: object, **__: object) -> object:
        return self._kept.get(key)

    def set(self, key: object, value: object, *_: object, **__: object) -> None:
        self._kept[key] = value

    def delete(self, key: object, *_: object, **__: object) -> None:
        self._kept.pop(key, None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--swift", type=Path, help="an environment that has Swift")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve_swift(asked.serve)
        return
    import rig
    from bodyworn_offload import make_dock

    from svidok.app.rooms import ROOMS
    from svidok.db import Database, migrate

    folder = Path(tempfile.mkdtemp(prefix="svidok-swift-", dir=rig.scratch()))
    folder.chmod(0o755)
    python = (asked.swift or folder / "venv") / "bin" / "python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", PEER], check=True)
    (folder / "swift").mkdir()
    with rig.postgres(folder) as url:
        database = Database.open(url, size=2)
        migrate(database, ROOMS)
        made = make_dock(database)
        offload = Path(__file__).with_name("bodyworn_offload.py")
        servers = [subprocess.Popen([str(python), __file__, "--serve", str(folder / "swift")]),
                   subprocess.Popen([sys.executable, str(offload), "--serve", url, str(folder)])]  # fmt: skip
        try:
            while not (folder / "port").exists() or not (folder / "swift" / "port").exists():
                assert all(one.poll() is None for one in servers)
                time.sleep(0.05)
            context = ssl.create_default_context(cafile=str(folder / "keys/dock.crt"))
            ours = Asked(f"https://127.0.0.1:{(folder / 'port').read_text()}", made.dock.account, made.secret, context)
            theirs = Asked(f"http://127.0.0.1:{(folder / 'swift' / 'port').read_text()}", "test:dock", "key", None)
            found, mine = answers(theirs), answers(ours)
            lines = differences(mine, found)
            print("\n".join(lines))
            print(
                f"{len(found)} questions, {len({one.partition(': ')[0] for one in lines})} with another answer than {PEER}"
            )
        finally:
            for one in servers:
                one.terminate()
                one.wait()
            database.close()


if __name__ == "__main__":
    main()
