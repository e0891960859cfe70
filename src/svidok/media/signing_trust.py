"""Who signed: the camera's certificates, whether they lead to one that is trusted here, and the signature itself.

The standard gives no store of trusted roots. Without roots of the
administrator's own every signer is *untrusted*: the pictures may be as they
were signed, but nobody says by whom.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from svidok.media.signed_sei import Document

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
}  # fmt: skip
_LONGEST_CHAIN = 8


class Trust(StrEnum):
    """What is known of a signer."""

    TRUSTED = "trusted"
    UNTRUSTED = "signer-untrusted"
    EXPIRED = "expired-at-claimed-time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key that signed, by its certificate. `fingerprint` is SHA-256 of the certificate."""

    subject: str
    serial: str
    fingerprint: bytes
    trust: Trust
    key: bytes


def signer_of(chain: bytes, *, roots: bytes, at: datetime | None) -> Signer | None:
    """The signer of a chain in PEM, leaf first, judged at the instant `at`; nothing where there is no certificate."""
    certificates = _load(chain)
    if not certificates:
        return None
    leaf = certificates[0]
    try:  # parts of a certificate are read only when asked for, and may turn out to be none
        return Signer(
            subject=leaf.subject.rfc4514_string(), serial=f"{leaf.serial_number:x}",
            fingerprint=leaf.fingerprint(hashes.SHA256()), trust=_trust(certificates, _load(roots), at),
            key=leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )  # fmt: skip
    except (ValueError, UnsupportedAlgorithm):
        return None


def verify(signer: Signer | None, document: Document) -> str:
    """What is wrong with a document's signature; empty where nothing is."""
    if signer is None:
        return "no-certificate"
    key, algorithm = load_der_public_key(signer.key), _HASHES[document.digest]
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(document.signature, document.signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(document.signature, document.signed, padding.PKCS1v15(), algorithm)
        else:
            return "key-unknown"
    except (InvalidSignature, UnsupportedAlgorithm):
        return "bad-signature"
    return ""


@lru_cache(maxsize=256)
def _load(pem: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return (
            tuple(x509.load_pem_x509_certificates(pem.rstrip(b"\x00"))[:_LONGEST_CHAIN])
            if pem.strip(b"\x00 \n")
            else ()
        )
    except (ValueError, x509.InvalidVersion):  # the second is no ValueError
        return ()


def _trust(chain: tuple[x509.Certificate, ...], roots: tuple[x509.Certificate, ...], at: datetime | None) -> Trust:
    for issued, issuer in pairwise(chain):
        if not _issued(issued, issuer):
            return Trust.UNTRUSTED
    if not any(chain[-1] == root or _issued(chain[-1], root) for root in roots):
        return Trust.UNTRUSTED
    if at is not None and any(not one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in chain):
        return Trust.EXPIRED
    return Trust.TRUSTED


def _issued(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
