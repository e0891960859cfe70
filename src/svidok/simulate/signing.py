"""A camera that signs what it shows (ONVIF Media Signing 26.06). Written apart from `media`, to check it.

One signer follows one stream: it is told the hash of each slice as it is sent,
and hands out the SEI for a group when the next one begins. Emulation
prevention is applied before the document is hashed, and the SEI says so.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_UUID = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")
_SHA256_OID = bytes.fromhex("0609608648016503040201")
_EPOCH = datetime(1601, 1, 1, tzinfo=dt.UTC)
_ROOM = 72  # the longest ECDSA signature over P-256


@dataclass(frozen=True, slots=True)
class Identity:
    """The key of a camera with its certificate, and that of its maker, in PEM."""

    key: ec.EllipticCurvePrivateKey
    chain: bytes
    root: bytes


def make_identity(name: str, *, valid_from: datetime, days: int = 3650) -> Identity:
    """A fresh identity under a maker's root made for it."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    maker, until = _named(f"{name} maker"), valid_from + dt.timedelta(days=days)
    root = _builder(maker, maker, root_key.public_key(), valid_from, until).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    leaf = _builder(_named(name), maker, key.public_key(), valid_from, until)
    return Identity(
        key,
        leaf.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        root.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM),
    )


def kept_identity(folder: Path, name: str, *, valid_from: datetime) -> Identity:
    """The identity kept in `folder` (key, chain and root as PEM files), made there once."""
    key, chain, root = (folder / f"{part}.pem" for part in ("key", "chain", "root"))
    if not key.exists():
        made = make_identity(name, valid_from=valid_from)
        folder.mkdir(parents=True, exist_ok=True)
        chain.write_bytes(made.chain)
        root.write_bytes(made.root)
        key.touch(mode=0o600)
        key.write_bytes(made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private = load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{key} is no key of a simulated camera")
    return Identity(private, chain.read_bytes(), root.read_bytes())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer, subject_name=subject, public_key=key, serial_number=x509.random_serial_number(),
        not_valid_before=start, not_valid_after=end,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class StreamSigner:
    """Signs one stream of H.264, or of H.265 where `hevc`. With `low_bitrate` it lists no hashes."""

    identity: Identity
    hevc: bool = False
    low_bitrate: bool = False
    _anchor: bytes = b""
    _linked: bytes = bytes(32)
    _hashes: list[bytes] = field(default_factory=list)
    _began: datetime | None = None
    _counter: int = 0

    def begin_group(self, *, at: datetime, signed: bool = True) -> bytes | None:
        """A group begins at `at`: the SEI that speaks of the one before, to be sent first; none at the start."""
        sei = self._document(at, partial=False, signed=signed) if self._hashes and self._began else None
        self._anchor, self._began = b"", at
        return sei

    def split_group(self, *, at: datetime) -> bytes | None:
        """The SEI of what was sent of a group so far; the group goes on."""
        sei = self._document(at, partial=True, signed=True) if self._hashes and self._began else None
        self._began = at
        return sei

    def add(self, slice_hash: bytes) -> None:
        """A slice was sent; the first one of a group is its anchor."""
        if not self._anchor:
            self._anchor = slice_hash
            self._hashes.append(slice_hash)
        else:
            self._hashes.append(hashlib.sha256(self._anchor + slice_hash).digest())

    def add_sei(self, sei: bytes) -> None:
        """An SEI without a signature was sent: the next signature is over it too."""
        self._hashes.append(hashlib.sha256(sei).digest())

    def _document(self, end: datetime, *, partial: bool, signed: bool) -> bytes:
        self._counter += 1
        general = bytes((2, 25, 12, 0, partial)) + _ticks(self._began or end) + _ticks(end)
        general += self._counter.to_bytes(4, "big") + len(self._hashes).to_bytes(2, "big")
        general += hashlib.sha256(b"".join(self._hashes)).digest() + self._linked
        tags = _tag(4, b"\x01" + bytes((len(_SHA256_OID),)) + _SHA256_OID + bytes(3))
        tags += _tag(5, b"\x01" + b"".join(bytes((len(part),)) + part for part in (b"1.0", b"SIM-1", b"Svidok")))
        tags += _tag(6, b"\x01\x00" + self.identity.chain) + _tag(1, general)
        if not self.low_bitrate:
            tags += _tag(2, b"\x01" + b"".join(self._hashes))
        self._linked, self._hashes = self._hashes[0], []
        return seal_document(self.identity.key, tags, hevc=self.hevc, signed=signed)


def seal_document(key: ec.EllipticCurvePrivateKey, tags: bytes, *, hevc: bool, signed: bool, kind: int = 0) -> bytes:
    """A whole SEI out of its tags; `kind` 0x80 makes it a certificate SEI."""
    size = 16 + 1 + len(tags) + (3 + 3 + _ROOM if signed else 0)
    head = b"\x4e\x01\x05" if hevc else b"\x06\x05"
    clear = head + b"\xff" * (size // 255) + bytes((size % 255,)) + _UUID + bytes((kind | 0x40,)) + tags
    document = _prevented(clear)
    if not signed:
        return document + b"\x80"
    signature = key.sign(document, ec.ECDSA(hashes.SHA256()))
    value = b"\x01" + len(signature).to_bytes(2, "big") + signature + b"\x01" * (_ROOM - len(signature))
    return _prevented(clear + _tag(3, value)) + b"\x80"


def _tag(number: int, value: bytes) -> bytes:
    return bytes((number,)) + len(value).to_bytes(2, "big") + value


def _ticks(at: datetime) -> bytes:
    return ((at - _EPOCH) // dt.timedelta(microseconds=1) * 10).to_bytes(8, "big")


def _prevented(data: bytes) -> bytes:
    """With emulation prevention (H.264 7.4.1): after two zeros, nothing below four stands unguarded."""
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)
