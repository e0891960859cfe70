"""One statement: what kind, about what, when, and a salted commitment to the rest.

The leaf is public, so it holds nothing personal: a kind, two random ids, an
instant, and SHA-256(salt || payload). The payload is told only to whom it
concerns, together with its salt. Destroying both makes the leaf mute for ever,
while the tree over it still verifies.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"

SALT_BYTES = 32
VERSION = 1

_UUID = rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
# The canonical bytes of a leaf whose kind needs no escapes: nearly all there are, and ten times as fast to read.
_PLAIN = re.compile(
    rb'{"at":"([1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})Z","commitment":"([0-9a-f]{64})","id":"'
    + _UUID
    + rb'","kind":"([a-z.-]+)","subject":"'
    + _UUID
    + rb'","v":1}'
)


def canonical(value: JSON) -> bytes:
    """The one way to write `value`: keys sorted, no spaces, UTF-8 (RFC 8785 for what has no fractions).

    Fractions are refused: two writers would not agree on their digits.

    >>> canonical({"b": 1, "a": ["ї", None, True]}).decode()
    '{"a":["ї",null,true],"b":1}'
    """
    _refuse_fractions(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse_fractions(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a statement holds no fractions: give an integer in a smaller unit")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise TypeError("names in a statement are text")
            _refuse_fractions(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_fractions(inner)


def commitment_of(payload: bytes, salt: bytes) -> bytes:
    """SHA-256(salt || payload)."""
    return hashlib.sha256(salt + payload).digest()


def commit(payload: JSON) -> tuple[bytes, bytes, bytes]:
    """The canonical payload, a fresh salt, and the commitment that binds both."""
    written = canonical(payload)
    salt = os.urandom(SALT_BYTES)
    return written, salt, commitment_of(written, salt)


def opens(commitment: bytes, *, payload: bytes, salt: bytes) -> bool:
    """Whether `payload` and `salt` are what `commitment` was made of."""
    return commitment_of(payload, salt) == commitment


def instant_text(at: datetime) -> str:
    """`at` as the leaf writes it: RFC 3339, UTC, six digits of a second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A leaf of the ledger."""

    id: UUID
    kind: str
    subject: UUID
    at: datetime
    commitment: bytes

    def leaf(self) -> dict[str, JSON]:
        """The leaf as an object."""
        return {
            "at": instant_text(self.at),
            "commitment": self.commitment.hex(),
            "id": str(self.id),
            "kind": self.kind,
            "subject": str(self.subject),
            "v": VERSION,
        }

    def leaf_bytes(self) -> bytes:
        """The leaf as the tree hashes it."""
        return canonical(self.leaf())

    @classmethod
    def parse(cls, data: bytes) -> "Entry":
        """The leaf back from its bytes; `ValueError` where they are not the canonical bytes of a leaf."""
        if plain := _PLAIN.fullmatch(data):
            at, commitment, own, kind, subject = (part.decode() for part in plain.groups())
            return cls(
                id=UUID(own), kind=kind, subject=UUID(subject), commitment=bytes.fromhex(commitment),
                at=datetime.fromisoformat(at).replace(tzinfo=UTC),
            )  # fmt: skip
        leaf = json.loads(data)
        try:
            entry = cls(
                id=UUID(leaf["id"]),
                kind=leaf["kind"],
                subject=UUID(leaf["subject"]),
                at=datetime.strptime(leaf["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
                commitment=bytes.fromhex(leaf["commitment"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a leaf: {error}") from error
        if entry.leaf_bytes() != data:
            raise ValueError("not the canonical form of a leaf")
        return entry
