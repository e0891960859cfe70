"""A witness: a small program of its own that an ombudsman, a court or a university runs (C2SP tlog-witness).

It countersigns a log's checkpoint only where that grew from the last one which
it countersigned, and it keeps that one, synced, before it answers. So a log
cannot show two histories to two people without one of them lacking its
signature. What a log signed and should not have is kept as proof of it.

It knows nothing of us: a folder with its own key, the public keys of the logs
that it watches, and one file a log.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from svidok.base import Clock, Conflict
from svidok.base.disk import write_whole
from svidok.ledger.cosigning import Cosigner, Key, Note, read_note, unbase64
from svidok.ledger.signer import FileSigner
from svidok.ledger.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency

MOST_BODY_BYTES = 64 << 10
MOST_PROOF_LINES = 63
SIZE_TYPE = "text/x.tlog.size"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to who asked: an HTTP status and a body."""

    status: int
    body: str = ""
    type: str = _TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request to countersign."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    text: str


class Witness:
    """Countersigns what is consistent, and remembers."""

    def __init__(self, folder: Path, *, name: str, clock: Clock) -> None:
        """Take up the state in `folder`. Raises `Conflict` where it names no log, or was begun under another name."""
        for part in ("latest", "alarms"):
            (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = folder / "name"
        if not kept.exists():
            _keep(kept, f"{name}\n")
        if kept.read_text("utf-8").strip() != name:
            raise Conflict("witness-renamed", f"This folder is of the witness {kept.read_text('utf-8').strip()}.")
        self.cosigner = Cosigner(name, FileSigner(folder / "witness.pem"))
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()
        self._logs = _read_logs(folder / "logs")

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request, as C2SP tlog-witness says."""
        try:
            asked = _read_request(body)
        except (ValueError, UnicodeDecodeError) as error:
            return Answer(status=400, body=f"{error}\n")
        key = self._logs.get(asked.note.origin)
        if key is None:
            return Answer(status=404, body="this witness does not know this log\n")
        if not any(key.accepts(asked.note.text, signature) for signature in asked.note.by(key)):
            return Answer(status=403, body="no signature is by a key of this log\n")
        if asked.old_size > asked.note.size:
            return Answer(status=400, body="the old size is greater than the checkpoint's\n")
        with self._lock:
            return self._judge(asked)

    def latest(self, origin: str) -> str | None:
        """The last checkpoint of `origin` that was countersigned, with the log's signatures."""
        path = self._place(origin)
        return path.read_text("utf-8") if path.exists() else None

    def alarms(self) -> list[dict[str, str]]:
        """What was kept as proof against logs, the earliest first."""
        return [json.loads(path.read_text("utf-8")) for path in sorted((self._folder / "alarms").glob("*.json"))]

    def _judge(self, asked: _Asked) -> Answer:
        note = asked.note
        known_text = self.latest(note.origin)
        known = read_note(known_text.encode()) if known_text is not None else None
        size, root = (known.size, known.root) if known is not None else (0, EMPTY_ROOT)
        if note.size == size and known is not None and note.root != root:
            self._alarm("split-view", asked, known_text, "the log signed two roots for the same size")
        elif note.size < size:
            self._alarm("smaller", asked, known_text, "the log signed less than before: rolled back, or sent again")
        if asked.old_size != size:
            return Answer(status=409, body=f"{size}\n", type=SIZE_TYPE)
        if note.size == size and note.root != root:
            return Answer(status=409, body=f"{size}\n", type=SIZE_TYPE)
        if not _is_consistent(asked, root):
            self._alarm("inconsistent", asked, known_text, "the checkpoint does not lead on from the one before")
            return Answer(status=422, body="the proof does not lead from the last checkpoint to this one\n")
        _keep(self._place(note.origin), asked.text)
        return Answer(status=200, body=self.cosigner.line(note.text, int(self._clock.now().timestamp())))

    def _alarm(self, code: str, asked: _Asked, known: str | None, says: str) -> None:
        """Keep what the log signed, once for each checkpoint."""
        digest = hashlib.sha256(f"{code}\n{asked.text}".encode()).hexdigest()[:16]
        if any((self._folder / "alarms").glob(f"*-{digest}.json")):
            return
        at, number = self._clock.now(), len(list((self._folder / "alarms").glob("*.json"))) + 1
        told = {"at": at.isoformat(), "code": code, "origin": asked.note.origin, "says": says,
                "known": known or "", "signed": asked.text}  # fmt: skip
        _keep(self._folder / "alarms" / f"{number:06}-{digest}.json", json.dumps(told, ensure_ascii=False))

    def _place(self, origin: str) -> Path:
        return self._folder / "latest" / hashlib.sha256(origin.encode()).hexdigest()


def _is_consistent(asked: _Asked, root: bytes) -> bool:
    if asked.old_size == 0:
        return not asked.proof
    return verify_consistency(
        old_size=asked.old_size, old_root=root, new_size=asked.note.size, new_root=asked.note.root, path=asked.proof
    )


def _read_request(body: bytes) -> _Asked:
    head, gap, text = body.decode("utf-8").partition("\n\n")
    first, *lines = head.split("\n")
    word, _, size = first.partition(" ")
    if not gap or word != "old" or not size.isascii() or not size.isdigit() or size != str(int(size)):
        raise ValueError("a request begins with `old` and a size")
    if len(lines) > MOST_PROOF_LINES:
        raise ValueError(f"a proof has at most {MOST_PROOF_LINES} lines")
    proof = tuple(unbase64(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in proof):
        raise ValueError("a hash of the proof is not 32 bytes long")
    return _Asked(old_size=int(size), proof=proof, note=read_note(text.encode()), text=text)


def _read_logs(path: Path) -> dict[str, Key]:
    """The logs that are watched, by origin: one verifier key a line."""
    if not path.exists():
        raise Conflict("witness-no-logs", f"Write the public key of each log to watch into {path}, one a line.")
    try:
        keys = [Key.parse(line.strip()) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise Conflict("witness-bad-key", f"{path} holds what is no verifier key: {error}") from error
    return {key.name: key for key in keys}


def _keep(path: Path, text: str) -> None:
    """Put `text` at `path`; when it returns, it survives a power cut."""
    write_whole(path, text.encode())


def serve_witness(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server for `witness`, ready to `serve_forever`; port 0 takes a free one."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if self.path.rstrip("/") != "/add-checkpoint":
                self._answer(Answer(status=404))
            elif not length.isdigit() or int(length) > MOST_BODY_BYTES:
                self.close_connection = True
                self._answer(Answer(status=413, body="a request has at most 64 KiB\n"))
            else:
                self._answer(witness.add_checkpoint(self.rfile.read(int(length))))

        def do_GET(self) -> None:
            if self.path == "/key":
                self._answer(Answer(status=200, body=witness.cosigner.key.text() + "\n"))
            elif self.path == "/alarms":
                told = json.dumps(witness.alarms(), ensure_ascii=False)
                self._answer(Answer(status=200, body=told, type="application/json"))
            else:
                self._answer(Answer(status=404))

        def _answer(self, answer: Answer) -> None:
            data = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    return ThreadingHTTPServer((host, port), Door)
