"""Who signs checkpoints: a key in a file, or a key that never leaves a PKCS#11 token."""

import os
import stat
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from svidok.base import Conflict, Unavailable


class Signer(Protocol):
    """Signs with Ed25519."""

    def public_key(self) -> Ed25519PublicKey:
        """The key that checks what `sign` makes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes over `message`. Raises `Unavailable` where the key cannot be reached."""
        ...


class FileSigner:
    """A key in a PEM file of mode 0600, made at the first start."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Conflict("key-too-open", f"Others may read {path}. Run: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise Conflict("key-wrong-kind", f"{path} does not hold an Ed25519 key.")
        self._key = key

    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


class Pkcs11Signer:
    """A key in a PKCS#11 token (SoftHSM, a smart card, an HSM), found by its label; it never leaves the token."""

    def __init__(self, *, module: str, token_label: str, key_label: str, pin: str) -> None:
        import pkcs11

        self._pkcs11: Any = pkcs11
        try:
            token = pkcs11.lib(module).get_token(token_label=token_label)
            self._session = token.open(user_pin=pin)
            self._private: Any = self._session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=key_label)
            public = self._session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=key_label)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise Unavailable(
                "token-unavailable", f"The key {key_label} in the token {token_label} cannot be used ({error!r})."
            ) from error
        point = bytes(public[pkcs11.Attribute.EC_POINT])
        self._public = Ed25519PublicKey.from_public_bytes(point[-32:])

    def public_key(self) -> Ed25519PublicKey:
        return self._public

    def sign(self, message: bytes) -> bytes:
        try:
            return bytes(self._private.sign(message, mechanism=self._pkcs11.Mechanism.EDDSA))
        except self._pkcs11.PKCS11Error as error:
            raise Unavailable("token-unavailable", f"The token did not sign ({error!r}).") from error
