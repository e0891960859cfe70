"""One file that proves an entry offline (C2SP tlog-proof): index, path, and the countersigned checkpoint."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from svidok.ledger.cosigning import Note, read_note, unbase64
from svidok.ledger.tree import HASH_BYTES, leaf_hash, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A proof read back."""

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    def proves(self, entry: bytes) -> bool:
        """Whether `entry` is in the log of the checkpoint. Who signed that is for the caller to judge."""
        return verify_inclusion(
            leaf_hash(entry), index=self.index, size=self.note.size, path=self.path, root=self.note.root
        )


def write_proof(index: int, path: Sequence[bytes], note: str, extra: bytes | None = None) -> str:
    """The file that proves entry `index`, which `path` leads to the checkpoint `note`."""
    told = f"extra {base64.b64encode(extra).decode()}\n" if extra is not None else ""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
    return f"{HEADER}\n{told}index {index}\n{hashes}\n{note}"


def read_proof(text: str) -> TlogProof:
    """The proof in `text`; `ValueError` where there is none."""
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER or not lines:
        raise ValueError("this is no tlog-proof")
    extra = unbase64(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else None
    word, _, index = lines.pop(0).partition(" ") if lines else ("", "", "")
    if word != "index" or not index.isascii() or not index.isdigit() or index != str(int(index)):
        raise ValueError("the proof has no index")
    path = tuple(unbase64(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in path):
        raise ValueError("a hash of the proof is not 32 bytes long")
    return TlogProof(index=int(index), path=path, note=read_note(note.encode()), extra=extra)
