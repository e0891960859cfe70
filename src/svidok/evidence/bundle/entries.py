"""Open a ledger entry that a bundle tells: does it open, and does it lie in the log of the checkpoint?"""

import re
from dataclasses import dataclass
from typing import Any

from svidok.evidence.bundle.told import ToldEntry, instant_us, read_json, unhex
from svidok.ledger.cosigning import Note
from svidok.ledger.entry import opens
from svidok.ledger.tree import leaf_hash, verify_inclusion

_HEX = re.compile("[0-9a-f]{64}", re.ASCII)
_FIELDS = {"at", "commitment", "id", "kind", "subject", "v"}


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
    leaf, payload = read_json(told.leaf.encode()), read_json(told.payload.encode())
    if not isinstance(leaf, dict) or set(leaf) != _FIELDS or not isinstance(payload, dict) or leaf["v"] != 1:
        raise ValueError("this is no entry of a ledger")
    kind, subject, commitment = leaf["kind"], leaf["subject"], leaf["commitment"]
    if not isinstance(kind, str) or not isinstance(subject, str) or not isinstance(commitment, str):
        raise ValueError("this is no entry of a ledger")
    if not _HEX.fullmatch(commitment):
        raise ValueError("this is no commitment")
    says = ""
    if not opens(bytes.fromhex(commitment), payload=told.payload.encode(), salt=bytes.fromhex(told.salt)):
        says = "what is told is not what was stated: payload and salt do not open the entry"
    elif not verify_inclusion(
        leaf_hash(told.leaf.encode()), index=told.index, size=note.size, path=unhex(told.inclusion), root=note.root
    ):
        says = "the entry does not lie in the log of this checkpoint"
    return Opened(
        kind=kind, subject=subject, at_us=instant_us(leaf["at"]), commitment=commitment, payload=payload,
        index=told.index, is_good=not says, says=says,
    )  # fmt: skip
