"""Ask the witnesses to countersign each checkpoint, keep what they sign beside it, and say where they refuse.

The countersigned checkpoint is published as `checkpoint.cosigned`, once as many
witnesses as the policy asks for have signed it. A witness that has seen more
than we have, or another root, means that somebody rolled this log back or shows
two of it: that is an alarm here, as it is at the witness.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from svidok.base.disk import write_whole
from svidok.ledger.cosigning import Key, Note, cosigned_at, read_note
from svidok.ledger.log import LogReader

COSIGNED = "checkpoint.cosigned"
_PATIENCE_S = 5.0
_DASH = "— "

SILENT, REFUSES, ROLLED_BACK, SPLIT_VIEW, INCONSISTENT = (
    "witness-silent", "witness-refuses", "ledger-rolled-back", "ledger-split-view", "ledger-inconsistent",
)  # fmt: skip
ALARMS = (SILENT, REFUSES, ROLLED_BACK, SPLIT_VIEW, INCONSISTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A witness: where it is and its key. Written `URL verifier-key` in the settings."""

    url: str
    key: Key

    @classmethod
    def parse(cls, text: str) -> "Asked":
        """A line of the settings; `ValueError` where it is none."""
        url, _, key = text.strip().partition(" ")
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address of a witness")
        return cls(url=url.rstrip("/"), key=Key.parse(key.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a witness has against us, or that it says nothing."""

    code: str
    witness: str
    says: str


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Gathers cosignatures for the log in `folder`. It remembers what each witness has seen, and learns it anew."""

    folder: Path
    witnesses: Sequence[Asked]
    quorum: int
    sizes: dict[str, int] = field(default_factory=dict)

    def gather(self) -> list[Trouble]:
        """Ask every witness about the checkpoint of now; what is wrong."""
        own = (self.folder / "checkpoint").read_bytes()
        note = read_note(own)
        troubles: list[Trouble] = []
        lines: list[str] = []
        with httpx.Client(timeout=_PATIENCE_S) as client:
            for witness in self.witnesses:
                answer = self._ask(client, witness, note, own)
                if isinstance(answer, Trouble):
                    troubles.append(answer)
                else:
                    lines.append(answer)
        if len(lines) >= max(1, self.quorum):
            write_whole(self.folder / COSIGNED, own + "".join(lines).encode())
        return troubles

    def _ask(self, client: httpx.Client, witness: Asked, note: Note, own: bytes) -> str | Trouble:
        """The witness's line under our `own` note, or what is wrong.

        Where it has another size in mind than we thought, it is asked once more from there.
        """
        for _ in range(2):
            old = self.sizes.get(witness.url, 0)
            try:
                answer = client.post(f"{witness.url}/add-checkpoint", content=self._request(old, note) + own)
            except httpx.HTTPError as error:
                return Trouble(code=SILENT, witness=witness.key.name, says=f"it does not answer ({error})")
            if answer.status_code == 200:
                self.sizes[witness.url] = note.size
                return self._line(witness, note, answer.text)
            if answer.status_code != 409:
                break
            seen = int(answer.text) if answer.text.strip().isdigit() else -1
            if seen > note.size:
                says = f"it countersigned {seen} entries, and this log has {note.size}"
                return Trouble(code=ROLLED_BACK, witness=witness.key.name, says=says)
            if seen == old or seen < 0:
                says = f"it countersigned another root for {note.size} entries"
                return Trouble(code=SPLIT_VIEW, witness=witness.key.name, says=says)
            self.sizes[witness.url] = seen
        if answer.status_code == 422:
            says = "this log does not lead on from what it countersigned before"
            return Trouble(code=INCONSISTENT, witness=witness.key.name, says=says)
        if answer.status_code == 409:
            return Trouble(code=SPLIT_VIEW, witness=witness.key.name, says="it countersigned another history")
        return Trouble(
            code=REFUSES, witness=witness.key.name, says=f"{answer.status_code}: {answer.text[:200].strip()}"
        )

    def _request(self, old: int, note: Note) -> bytes:
        old = min(old, note.size)
        path = LogReader(self.folder).consistency_proof(old, note.size) if 0 < old < note.size else []
        proof = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
        return f"old {old}\n{proof}\n".encode()

    @staticmethod
    def _line(witness: Asked, note: Note, answer: str) -> str | Trouble:
        for line in answer.splitlines():
            try:
                told = read_note(note.text + f"\n{line}\n".encode())
            except ValueError:
                continue
            if cosigned_at(told, witness.key)[0] is not None:
                return line + "\n"
        return Trouble(code=REFUSES, witness=witness.key.name, says="its signature does not fit its key")


def best_note(folder: Path) -> str:
    """The checkpoint to rest on: the last countersigned one, or where no witness is asked, the log's own."""
    path = folder / COSIGNED
    return (path if path.exists() else folder / "checkpoint").read_text("utf-8")
