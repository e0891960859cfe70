"""The keys of the door for docks: its certificate, the key that opens encrypted clips, and the key of its tokens.

All are made at the first start and kept among the keys (mode 0700). Who loses
the content key loses every encrypted clip that was not opened yet, so it
belongs into the backup of the keys.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from svidok.base import BadInput
from svidok.base.disk import PRIVATE, write_whole

_LIVES = timedelta(days=3650)  # docks hold it in their connection file; renewing it means visiting each
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorKeys:
    """Where the keys lie."""

    certificate: Path
    private_key: Path
    content_key: Path
    token_key: bytes

    def certificate_der(self) -> bytes:
        """The server's certificate as a connection file holds it."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).public_bytes(serialization.Encoding.DER)

    def content_public_pem(self) -> bytes:
        """The key that cameras encrypt for."""
        return (
            self._content()
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def content_key_id(self) -> str:
        """The name of that key: a hash of it."""
        return hashlib.sha256(self.content_public_pem()).hexdigest()[:32]

    def _content(self) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key(self.content_key.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise BadInput("content-key-kind", "The content key must be an RSA key. Restore it from the backup.")
        return key

    def opened(self, source: Path, key_file: bytes) -> Iterator[bytes]:
        """The bytes of an encrypted clip. Raises `BadInput` where its key file or its end does not fit.

        AES-256-CBC is not authenticated: that the clip is the one that was sent, only our own hash of it says.
        """
        try:
            told = _flat(json.loads(key_file))
            wrapped, start = (base64.b64decode(told[name]) for name in ("EncryptedKey", "ContentEncryptionIV"))
            key = self._content().decrypt(wrapped, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))  # noqa: S303
            cipher = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput("clip-key-unfit", "The key file of this clip does not open it.") from error
        held = b""
        with source.open("rb") as file:
            while block := file.read(_BLOCK):
                if held:
                    yield held
                held = cipher.update(block)
        last = held + cipher.finalize() if len(held) % 16 == 0 else b""
        if not last or not 1 <= last[-1] <= 16:
            raise BadInput("clip-key-unfit", "The end of this clip is torn, or its key does not open it.")
        yield last[: -last[-1]]


def door_keys(folder: Path, *, host: str, at: datetime) -> DoorKeys:
    """The keys in `folder`, made where they are missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = DoorKeys(
        certificate=folder / "dock.crt", private_key=folder / "dock.key", content_key=folder / "worn-content.pem",
        token_key=_token_key(folder / "dock-token.key"),
    )  # fmt: skip
    if not keys.content_key.exists():
        write_whole(
            keys.content_key, _private(rsa.generate_private_key(public_exponent=65537, key_size=3072)), mode=PRIVATE
        )
    if not keys.certificate.exists() or not keys.private_key.exists():
        private = ec.generate_private_key(ec.SECP256R1())
        _write(keys.private_key, _private(private))
        write_whole(
            keys.certificate, _certificate(private, host, at).public_bytes(serialization.Encoding.PEM), mode=PRIVATE
        )
    return keys


def _certificate(private: ec.EllipticCurvePrivateKey, host: str, at: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Svidok {host}"[:64])])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    try:
        names.append(x509.IPAddress(ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + _LIVES)
        .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys(names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )


def _private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _token_key(path: Path) -> bytes:
    if not path.exists():
        _write(path, secrets.token_bytes(32))
    return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    write_whole(path, data, mode=PRIVATE)


def _flat(told: object) -> dict[str, str]:
    """The values of a key file by name, however deep they lie."""
    found: dict[str, str] = {}
    if isinstance(told, dict):
        for name, value in told.items():
            if isinstance(value, str):
                found[name] = value
            else:
                found |= _flat(value)
    elif isinstance(told, list):
        for value in told:
            found |= _flat(value)
    return found
