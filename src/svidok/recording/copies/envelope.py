"""Encipher a copy under a key of its own, and keep that key under the keeper's.

The bytes go in blocks of 1 MiB, each sealed by ChaCha20-Poly1305 (RFC 8439)
under a nonce of the block's number and whether it is the last (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): blocks that are
cut off, swapped or doubled do not open. The segment's id is bound in, so that
no copy passes for another.

The same bytes under the same key give the same copy: a copy that was half put
when the power went is put again, and is then the same object.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from svidok.base import Conflict
from svidok.base.disk import PRIVATE, write_whole

BLOCK = 1024 * 1024
TAG_BYTES = 16
_NONCE_BYTES = 12
_KEY_BYTES = 32


def new_key() -> bytes:
    """A fresh key of 32 bytes for one copy."""
    return ChaCha20Poly1305.generate_key()


def sealed_size(size: int) -> int:
    """How many bytes a copy of `size` bytes takes.

    >>> sealed_size(0), sealed_size(BLOCK), sealed_size(BLOCK + 1)
    (16, 1048592, 1048609)
    """
    return size + TAG_BYTES * max(1, -(-size // BLOCK))


def seal(data: bytes, *, key: bytes, segment_id: UUID) -> Iterator[bytes]:
    """The copy of `data`, block by block."""
    cipher, view = ChaCha20Poly1305(key), memoryview(data)
    last = max(0, (len(data) - 1) // BLOCK)
    for number in range(last + 1):
        block = view[number * BLOCK : (number + 1) * BLOCK]
        yield cipher.encrypt(_nonce(number, last=number == last), block, segment_id.bytes)


def opened(blocks: Iterable[bytes], *, key: bytes, segment_id: UUID) -> Iterator[bytes]:
    """What a copy holds, out of its bytes in pieces of any size. Raises `Conflict` where it is not whole and true."""
    cipher = ChaCha20Poly1305(key)
    for number, (block, last) in enumerate(_blocks(blocks)):
        try:
            yield cipher.decrypt(_nonce(number, last=last), block, segment_id.bytes)
        except InvalidTag as error:
            raise Conflict("copy-damaged", f"Block {number} of the copy is not what was put there.") from error


def _blocks(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The sealed blocks of a copy, and whether each is the last."""
    size, held = BLOCK + TAG_BYTES, bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:  # not at equality: only what follows tells that a block is not the last
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_NONCE_BYTES - 1, "big") + bytes([last])


class Keeper:
    """Keeps the keys of copies under one key in a file of mode 0600.

    While that key is being changed the file holds the new one and then the old
    one; what is wrapped is always wrapped by the first. The file is read anew
    whenever it changed: a copier goes on while somebody turns the key.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _write(path, new_key())
        self._path, self._seen = path, (0, 0)
        self._ciphers: list[ChaCha20Poly1305] = []
        self._refresh()

    def wrap(self, key: bytes, *, segment_id: UUID, target: str) -> bytes:
        """The key of a copy as its row holds it."""
        self._refresh()
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, key, segment_id.bytes + target.encode())

    def unwrap(self, wrapped: bytes, *, segment_id: UUID, target: str) -> bytes:
        """The key of a copy. Raises `Conflict` where another keeper wrapped it, or it is another copy's."""
        self._refresh()
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, sealed, segment_id.bytes + target.encode())
        says = f"The key of a copy was wrapped by another key. Restore {self._path.name} from where you keep it."
        raise Conflict("copy-key-unreadable", says)

    def turn(self) -> None:
        """From now on a new key wraps; the old one still opens, until `forget`."""
        _write(self._path, new_key() + self._path.read_bytes())

    def forget(self) -> None:
        """The old key is destroyed: what it wrapped, here or in any backup, nobody opens again."""
        _write(self._path, self._path.read_bytes()[:_KEY_BYTES])

    def _refresh(self) -> None:
        told = self._path.stat()
        if told.st_mode & 0o077:
            raise Conflict("key-too-open", f"Others may read {self._path}. Run: chmod 600 {self._path}")
        now = (told.st_ino, told.st_mtime_ns)
        if now != self._seen:  # it is never changed in place: another file takes its name
            self._seen, data = now, self._path.read_bytes()
            keys = [data[at : at + _KEY_BYTES] for at in range(0, len(data), _KEY_BYTES)]
            self._ciphers = [ChaCha20Poly1305(key) for key in keys]


def _write(path: Path, data: bytes) -> None:
    """Put a file of keys in the place of the one before, at once and for good."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, data, mode=PRIVATE)
