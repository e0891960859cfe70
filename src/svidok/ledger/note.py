"""Signed notes and checkpoints, as C2SP signed-note and tlog-checkpoint define them, with Ed25519.

A note is text, an empty line, and signature lines `— <name> <base64>`, where
the base64 holds four bytes of key id and the signature over the text. A
checkpoint is a note of three lines: origin, size, root. Ours has no more
lines: what varies at the same size would keep witnesses from countersigning.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"  # C2SP signed-note, "Signature types"
_DASH = "— "


class BadNote(ValueError):
    """The text is not a note, or nobody we trust signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A public key and the name it signs under; written `<name>+<key id>+<base64>`."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || type || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self._raw()).digest()[:4]

    def text(self) -> str:
        """The key as it is published."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self._raw()).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """A published key back; `BadNote` where its id does not fit."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            if raw[:1] != _ED25519:
                raise BadNote("only Ed25519 keys are known here")
            verifier = cls(name=name, key=Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as error:
            raise BadNote(f"not a verifier key: {error}") from error
        if verifier.key_id.hex() != key_id:
            raise BadNote("the key id does not fit the key")
        return verifier

    def accepts(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` over `text` is by this key."""
        try:
            self.key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    def _raw(self) -> bytes:
        return self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign_note(text: str, *, verifier: Verifier, sign: Callable[[bytes], bytes]) -> str:
    """`text` (which must end in a newline) with one signature line."""
    if not text.endswith("\n") or "\n\n" in text:
        raise BadNote("the text of a note ends in one newline and has no empty line")
    line = base64.b64encode(verifier.key_id + sign(text.encode())).decode()
    return f"{text}\n{_DASH}{verifier.name} {line}\n"


def open_note(note: str, *, verifier: Verifier) -> str:
    """The text of `note`, once `verifier` has been found among its signatures; `BadNote` otherwise."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap:
        raise BadNote("there is no signature")
    text += "\n"
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or name != verifier.name:
            continue
        try:
            signed = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if signed[:4] == verifier.key_id and verifier.accepts(text.encode(), signed[4:]):
            return text
    raise BadNote(f"no good signature by {verifier.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the log says of itself at one moment: its name, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The three lines back; `BadNote` where they are not a checkpoint."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not lines[1].isascii() or not lines[1].isdigit():
            raise BadNote("not a checkpoint")
        if lines[1] != str(int(lines[1])):
            raise BadNote("the size has leading zeroes")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError as error:
            raise BadNote("the root is not base64") from error
        if len(root) != hashlib.sha256().digest_size:
            raise BadNote("the root is not 32 bytes long")
        return cls(origin=lines[0], size=int(lines[1]), root=root)

    @classmethod
    def open(cls, note: str, *, verifier: Verifier, origin: str) -> "Checkpoint":
        """A checkpoint of `origin` out of a note signed by `verifier`; `BadNote` otherwise."""
        checkpoint = cls.parse(open_note(note, verifier=verifier))
        if checkpoint.origin != origin:
            raise BadNote(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
        return checkpoint
