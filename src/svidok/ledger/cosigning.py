"""Notes that several have signed: C2SP signed-note, tlog-checkpoint and tlog-cosignature, with Ed25519.

A verifier key of type 1 signs the text of a note; one of type 4 is a witness,
and signs the text together with the time at which it saw it. `note` makes what
the log itself signs; here is what others add to it, and how all of it is read
by somebody who trusts none of it.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from svidok.ledger.signer import Signer

NOTE_KEY, COSIGNATURE_KEY = 1, 4
_DASH = "— "
_LATEST = 1 << 40  # seconds since 1970; no clock shows more


def unbase64(text: str) -> bytes:
    """The bytes of canonical base64; `ValueError` otherwise."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("this is not canonical base64")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A C2SP verifier key `<name>+<id>+<base64 of type and key>`."""

    name: str
    id: bytes
    type: int
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "Key":
        """The key back from its text; `ValueError` where its id does not fit or its type is not known."""
        name, id_text, encoded = [*text.split("+", 2), "", ""][:3]
        data = unbase64(encoded)
        if not name or len(data) != 33 or data[0] not in (NOTE_KEY, COSIGNATURE_KEY):
            raise ValueError("this is not an Ed25519 verifier key")
        key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if key_id.hex() != id_text:
            raise ValueError("the key's id does not fit the key")
        return cls(name=name, id=key_id, type=data[0], raw=data[1:])

    def text(self) -> str:
        """The key as it is published."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.type]) + self.raw).decode()}"

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` over `message` is by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A checkpoint as a signed note: what it says, the text that is signed, and its signature lines."""

    origin: str
    size: int
    root: bytes
    text: bytes
    lines: tuple[tuple[str, bytes], ...]

    def by(self, key: Key) -> Iterator[bytes]:
        """Every signature that claims to be by `key`, without the key's id."""
        for name, signed in self.lines:
            if name == key.name and signed[:4] == key.id:
                yield signed[4:]


def read_note(data: bytes) -> Note:
    """The note in `data`: three lines, an empty one, and signature lines. Raises `ValueError` otherwise."""
    text, gap, rest = data.decode("utf-8").partition("\n\n")
    lines = text.split("\n")
    if not gap or len(lines) != 3 or not rest.endswith("\n"):
        raise ValueError("this is no checkpoint of three lines with signatures")
    origin, size, root = lines
    if not origin or not size.isascii() or not size.isdigit() or size != str(int(size)) or int(size) >= 1 << 53:
        raise ValueError("origin or size has another form")
    hashed = unbase64(root)
    if len(hashed) != hashlib.sha256().digest_size:
        raise ValueError("the root is not 32 bytes long")
    signatures = []
    for line in rest[:-1].split("\n"):
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not name:
            raise ValueError("a signature line has another form")
        signatures.append((name, unbase64(encoded)))
    return Note(origin=origin, size=int(size), root=hashed, text=f"{text}\n".encode(), lines=tuple(signatures))


def cosigned_at(note: Note, key: Key) -> tuple[int | None, bool]:
    """When the witness `key` countersigned `note` (seconds since 1970), and whether it signed wrongly instead.

    C2SP tlog-cosignature: eight bytes of time, then Ed25519 over a header line, the time, and the note's text.
    """
    for signed in note.by(key):
        at, signature = signed[:8], signed[8:]
        seconds = int.from_bytes(at, "big")
        message = b"cosignature/v1\ntime %d\n" % seconds + note.text
        if len(signature) == 64 and seconds < _LATEST and key.accepts(message, signature):
            return seconds, False
        return None, True
    return None, False


class Cosigner:
    """A witness's key: it countersigns the text of a checkpoint together with the time."""

    def __init__(self, name: str, signer: Signer) -> None:
        self._signer = signer
        raw = signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key_id = hashlib.sha256(name.encode() + b"\n" + bytes([COSIGNATURE_KEY]) + raw).digest()[:4]
        self.key = Key(name=name, id=key_id, type=COSIGNATURE_KEY, raw=raw)

    def line(self, text: bytes, at: int) -> str:
        """The signature line over a checkpoint's `text`, seen `at` (seconds since 1970)."""
        signature = self._signer.sign(b"cosignature/v1\ntime %d\n" % at + text)
        return f"{_DASH}{self.key.name} {base64.b64encode(self.key.id + at.to_bytes(8, 'big') + signature).decode()}\n"
