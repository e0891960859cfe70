"""Who signs checkpoints: a key in a file, or a key that never leaves a PKCS#11 token."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from svidok.base import Conflict, Unavailable
from svidok.base.disk import sync_folder


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
    """Make a key that survives a power cut; where two processes begin at once, both go on with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(part)
    part.unlink()
    for folder in (path.parent, path.parent.parent):
        sync_folder(folder)


class Pkcs11Signer:
    """A key in a PKCS#11 token (SoftHSM, a smart card, an HSM), found by its label; it never leaves the token.

    A token that was away is asked anew at the next signature. One that comes
    back with another key is refused: the log cannot go on under two keys.
    """

    def __init__(self, *, module: str, token_label: str, key_label: str, pin: str) -> None:
        """Find the key. Raises `Conflict` where it is none of Ed25519, `Unavailable` where it cannot be reached."""
        try:
            import pkcs11
        except ImportError as error:
            raise Conflict("pkcs11-not-installed", "Install it: pip install 'svidok[pkcs11]'.") from error
        self._pkcs11: Any = pkcs11
        self._module, self._token, self._label, self._pin = module, token_label, key_label, pin
        self._session: Any = None
        self._private: Any = None
        with self._reaching():
            self._public = self._find()

    def public_key(self) -> Ed25519PublicKey:
        return self._public

    def sign(self, message: bytes) -> bytes:
        with self._reaching():
            if self._session is None and self._raw(self._find()) != self._raw(self._public):
                raise Conflict("key-changed", f"The token {self._token} holds another key {self._label} than before.")
            signature = bytes(self._private.sign(message, mechanism=self._pkcs11.Mechanism.EDDSA))
            self._public.verify(signature, message)
        return signature

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        """Where the token fails or signs wrongly, its session is given up."""
        try:
            yield
        except (self._pkcs11.PKCS11Error, RuntimeError, InvalidSignature) as error:
            self._give_up()
            raise Unavailable(
                "token-unavailable", f"The key {self._label} in the token {self._token} cannot be used ({error!r})."
            ) from error
        except Conflict:
            self._give_up()
            raise

    def _give_up(self) -> None:
        session, self._session, self._private = self._session, None, None
        if session is not None:
            with contextlib.suppress(self._pkcs11.PKCS11Error):
                session.close()

    def _find(self) -> Ed25519PublicKey:
        kinds, attribute = self._pkcs11.ObjectClass, self._pkcs11.Attribute
        token = self._pkcs11.lib(self._module).get_token(token_label=self._token)
        try:
            self._session = token.open(user_pin=self._pin)
        except self._pkcs11.exceptions.UserAlreadyLoggedIn:  # a login is the whole process's, not the session's
            self._session = token.open()
        self._private = self._session.get_key(object_class=kinds.PRIVATE_KEY, label=self._label)
        public = self._session.get_key(object_class=kinds.PUBLIC_KEY, label=self._label)
        if public.key_type != self._pkcs11.KeyType.EC_EDWARDS:
            raise Conflict("key-wrong-kind", f"{self._label} in the token {self._token} is not an Ed25519 key.")
        return Ed25519PublicKey.from_public_bytes(bytes(public[attribute.EC_POINT])[-32:])

    @staticmethod
    def _raw(key: Ed25519PublicKey) -> bytes:
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
