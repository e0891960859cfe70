"""Names and passwords of cameras: sealed in the database, opened only for whoever connects, never shown.

ChaCha20-Poly1305 (RFC 8439) under a key in a file of mode 0600. The camera's id
is bound in, so that a sealed login cannot be moved to another camera.
"""

import json
import os
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from svidok.base import Conflict

_NONCE_BYTES = 12


class Safe:
    """Seals and opens logins with one key."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(ChaCha20Poly1305.generate_key())
                file.flush()
                os.fsync(file.fileno())
        if path.stat().st_mode & 0o077:
            raise Conflict("key-too-open", f"Others may read {path}. Run: chmod 600 {path}")
        self._cipher = ChaCha20Poly1305(path.read_bytes())

    def seal(self, camera_id: UUID, username: str, password: str) -> bytes:
        """The login of a camera as it is kept."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, json.dumps([username, password]).encode(), camera_id.bytes)

    def open(self, camera_id: UUID, sealed: bytes | None) -> tuple[str, str]:
        """Name and password; both empty where none are kept. Raises `Conflict` for another key's seal."""
        if sealed is None:
            return "", ""
        try:
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], camera_id.bytes)
        except InvalidTag as error:
            raise Conflict(
                "login-unreadable", "A camera's login was sealed with another key. Restore keys/credentials.key."
            ) from error
        username, password = json.loads(opened)
        return username, password
