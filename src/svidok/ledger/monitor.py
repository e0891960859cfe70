"""Follow somebody's log over plain HTTP, from its first entry on, and say what is wrong.

Every entry is fetched and hashed; the tree's right edge is kept, so memory and
state stay small. Whoever runs this sees each rewriting, rolling back and
late-coming within one look, and with the witnesses' keys sees too whether
others were shown the same.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from svidok.ledger.audit import Finding
from svidok.ledger.cosigning import Key, Note, cosigned_at, read_note
from svidok.ledger.entry import Entry
from svidok.ledger.gathering import COSIGNED
from svidok.ledger.growing import Edge
from svidok.ledger.tiles import WIDTH, bundle_path, unpack
from svidok.ledger.tree import leaf_hash

Fetch = Callable[[str], bytes | None]  # the bytes at a path below the log's address, or nothing where there are none
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A log to follow: its key, its witnesses and how many must sign, and how late an entry may come."""

    key: Key
    witnesses: Sequence[Key]
    quorum: int
    late: timedelta
    stale: timedelta


class Monitor:
    """What was seen of a log so far, in a file of some hundred bytes."""

    def __init__(self, state: Path, watched: Watched) -> None:
        self._state, self._watched = state, watched
        told = json.loads(state.read_text("utf-8")) if state.exists() else {}
        self._edge = Edge(told.get("size", 0), (base64.b64decode(one) for one in told.get("edge", [])))
        self._note: str = told.get("note", "")
        self._seen_at = datetime.fromisoformat(told["seen_at"]) if "seen_at" in told else None

    @property
    def size(self) -> int:
        """How many entries were seen."""
        return self._edge.size

    def look(self, fetch: Fetch, at: datetime) -> list[Finding]:
        """Look once; what is wrong. The state moves on only over what is sound.

        Codes: unreachable, checkpoint-bad, rolled-back, split-view, history-rewritten, bundle-bad, entry-bad,
        entry-late, not-cosigned, cosigned-other, stale.
        """
        findings: list[Finding] = []
        note = self._checkpoint(fetch, findings)
        if note is None:
            return findings
        self._cosigned(fetch, note, at, findings)
        if note.size < self.size:
            says = f"covers {note.size} entries; {self.size} were seen before"
            return [*findings, Finding(code="rolled-back", where="checkpoint", says=says)]
        if note.size == self.size and note.root != self._edge.root():
            return [
                *findings,
                Finding(code="split-view", where="checkpoint", says="two roots of the same size are signed"),
            ]
        edge = Edge(self._edge.size, self._edge.hashes)
        for index, entry in self._entries(fetch, note.size, findings):
            edge.add(leaf_hash(entry))
            self._judge(index, entry, findings)
        if edge.size != note.size:
            return findings
        if edge.root() != note.root:
            says = "what was seen before, and what was added, lead to another root than the one signed"
            return [*findings, Finding(code="history-rewritten", where="checkpoint", says=says)]
        self._edge, self._note, self._seen_at = edge, note.text.decode(), at
        self._keep()
        return findings

    def _checkpoint(self, fetch: Fetch, findings: list[Finding]) -> Note | None:
        try:
            data = fetch("checkpoint")
        except OSError as error:
            findings.append(Finding(code="unreachable", where="checkpoint", says=str(error)))
            return None
        try:
            note = read_note(data or b"")
        except ValueError as error:
            findings.append(Finding(code="checkpoint-bad", where="checkpoint", says=str(error)))
            return None
        key = self._watched.key
        if note.origin != key.name or not any(key.accepts(note.text, one) for one in note.by(key)):
            findings.append(Finding(code="checkpoint-bad", where="checkpoint", says="it is not signed by this log"))
            return None
        return note

    def _cosigned(self, fetch: Fetch, now: Note, at: datetime, findings: list[Finding]) -> None:
        """Whether enough witnesses countersigned, lately, and the same log."""
        if not self._watched.quorum:
            return
        try:
            note = read_note(fetch(COSIGNED) or b"")
        except (OSError, ValueError) as error:
            findings.append(Finding(code="not-cosigned", where=COSIGNED, says=f"it cannot be read ({error})"))
            return
        times = [seen for key in self._watched.witnesses if (seen := cosigned_at(note, key)[0]) is not None]
        if len(times) < self._watched.quorum:
            says = f"{len(times)} of {self._watched.quorum} witnesses signed it"
            findings.append(Finding(code="not-cosigned", where=COSIGNED, says=says))
        elif at.timestamp() - max(times) > self._watched.stale.total_seconds():
            findings.append(Finding(code="stale", where=COSIGNED, says="no witness has signed lately"))
        if note.size > now.size or (note.size == now.size and note.root != now.root):
            says = "the witnesses countersigned another log than the one that is shown here"
            findings.append(Finding(code="cosigned-other", where=COSIGNED, says=says))

    def _entries(self, fetch: Fetch, size: int, findings: list[Finding]) -> Iterator[tuple[int, bytes]]:
        for number in range(self.size // WIDTH, (size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, size - number * WIDTH)
            path = bundle_path(number, width)
            try:
                entries = unpack(fetch(path) or fetch(bundle_path(number)) or b"")
            except (OSError, ValueError) as error:
                findings.append(Finding(code="bundle-bad", where=path, says=str(error)))
                return
            if len(entries) < width:
                findings.append(
                    Finding(code="bundle-bad", where=path, says=f"it holds {len(entries)} of {width} entries")
                )
                return
            for offset, entry in enumerate(entries[:width]):
                if number * WIDTH + offset >= self.size:
                    yield number * WIDTH + offset, entry

    def _judge(self, index: int, data: bytes, findings: list[Finding]) -> None:
        try:
            entry = Entry.parse(data)
        except ValueError as error:
            findings.append(Finding(code="entry-bad", where=f"leaf {index}", says=str(error)))
            return
        if self._seen_at is not None and entry.at < self._seen_at - self._watched.late:
            says = f"{entry.kind} of {entry.at.isoformat()} was entered after {self._seen_at.isoformat()}"
            findings.append(Finding(code="entry-late", where=f"leaf {index}", says=says))

    def _keep(self) -> None:
        told = {
            "size": self._edge.size, "edge": [base64.b64encode(one).decode() for one in self._edge.hashes],
            "note": self._note, "seen_at": self._seen_at.isoformat() if self._seen_at else None,
        }  # fmt: skip
        part = self._state.with_name(self._state.name + ".part")
        part.write_text(json.dumps(told), "utf-8")
        part.rename(self._state)


def by_http(address: str) -> Fetch:
    """Fetches from the log at `address`."""
    client = httpx.Client(timeout=_PATIENCE_S, follow_redirects=False)

    def fetch(path: str) -> bytes | None:
        try:
            answer = client.get(f"{address.rstrip('/')}/{path}")
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise OSError(f"{path}: {error}") from error
        return answer.content

    return fetch
