"""Open a ledger entry that a bundle tells: does it open, and does it lie in the log of the checkpoint?"""

from dataclasses import dataclass
from typing import Any

from svidok.evidence.bundle.told import ToldEntry, ToldLeaf, instant_us, read_told, unhex
from svidok.ledger.cosigning import Note
from svidok.ledger.entry import opens
from svidok.ledger.tree import leaf_hash, verify_inclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an entry says, and whether the log vouches for it; `says` is why not."""

    kind: str
    subject: str
    at_us: int
    commitment: str
    payload: dict[str, Any]
    index: int
    is_good: bool
    says: str


def open_entry(told: ToldEntry, note: Note) -> Opened:
    """What `told` says. Raises `ValueError` where leaf or payload are of no form that a ledger has."""
    leaf = read_told(told.leaf.encode(), ToldLeaf)
    payload = read_told(told.payload.encode(), dict[str, Any])
    says = ""
    if not opens(bytes.fromhex(leaf.commitment), payload=told.payload.encode(), salt=bytes.fromhex(told.salt)):
        says = "what is told is not what was stated: payload and salt do not open the entry"
    elif not verify_inclusion(
        leaf_hash(told.leaf.encode()), index=told.index, size=note.size, path=unhex(told.inclusion), root=note.root
    ):
        says = "the entry does not lie in the log of this checkpoint"
    return Opened(
        kind=leaf.kind, subject=leaf.subject, at_us=instant_us(leaf.at), commitment=leaf.commitment, payload=payload,
        index=told.index, is_good=not says, says=says,
    )  # fmt: skip
