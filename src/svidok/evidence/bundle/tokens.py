"""Check a time-stamp token (RFC 3161): a narrow profile, written out so that every verifier reads the same of it.

A token is a CMS SignedData in DER with exactly one signer, named by issuer and
serial number. What its signer may be is decided by the roots that were given;
what it may sign with is RSA (PKCS #1 v1.5) or ECDSA on P-256 or P-384, with
SHA-256, SHA-384 or SHA-512. Anything else, such as a national algorithm, is
answered with *not checkable*, never with *good*.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from svidok.base import to_us

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_HASHES: dict[bytes, type[hashes.HashAlgorithm]] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256,
    bytes.fromhex("608648016503040202"): hashes.SHA384,
    bytes.fromhex("608648016503040203"): hashes.SHA512,
}
_RSA = {
    bytes.fromhex("2a864886f70d010101"): None,  # the hash is the signer's digest algorithm
    bytes.fromhex("2a864886f70d01010b"): hashes.SHA256,
    bytes.fromhex("2a864886f70d01010c"): hashes.SHA384,
    bytes.fromhex("2a864886f70d01010d"): hashes.SHA512,
}
_ECDSA: dict[bytes, type[hashes.HashAlgorithm]] = {
    bytes.fromhex("2a8648ce3d040302"): hashes.SHA256,
    bytes.fromhex("2a8648ce3d040303"): hashes.SHA384,
    bytes.fromhex("2a8648ce3d040304"): hashes.SHA512,
}
_RSA_KEY, _EC_KEY = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a8648ce3d0201")
_CURVES = (bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2b81040022"))  # P-256, P-384
_NO_CERTIFICATE = (x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion)
_MOST_BYTES = 1 << 20
_LONGEST_CHAIN = 3
_INSTANT = re.compile(rb"((?:19[789]|2[01][0-9])[0-9]{11})(?:\.([0-9]+))?Z")

_INTEGER, _OCTETS, _OID, _TIME, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31
_FIRST = 0xA0  # context tag 0, constructed


class NotCheckable(ValueError):
    """The token uses what this profile does not know."""


class Standing(StrEnum):
    """What a token is worth."""

    GOOD = "good"
    UNTRUSTED = "untrusted"
    NOT_CHECKABLE = "not-checkable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A token's standing, the number of the root it leads to, its instant, and why in words."""

    standing: Standing
    root: int | None = None
    at_us: int | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class _Node:
    """One DER element: tag, contents, and all its bytes."""

    tag: int
    body: bytes
    whole: bytes

    def children(self) -> list["_Node"]:
        return _parse_all(self.body)


def judge_token(token: bytes, *, digest: bytes, roots: Sequence[bytes]) -> Judged:
    """What `token` over something of the SHA-256 `digest` is worth to who trusts `roots` (certificates in DER)."""
    try:
        told = _read_token(token)
    except NotCheckable as error:
        return Judged(standing=Standing.NOT_CHECKABLE, says=str(error))
    except (ValueError, IndexError, UnsupportedAlgorithm, *_NO_CERTIFICATE) as error:
        return Judged(standing=Standing.UNTRUSTED, says=f"this is no time-stamp token: {error}")
    try:
        _check_signature(told, digest)
        return Judged(standing=Standing.GOOD, root=_find_root(told, roots), at_us=told.at_us)
    except NotCheckable as error:
        return Judged(standing=Standing.NOT_CHECKABLE, says=str(error))
    except (ValueError, InvalidSignature, UnsupportedAlgorithm, TypeError, IndexError, *_NO_CERTIFICATE) as error:
        return Judged(standing=Standing.UNTRUSTED, says=str(error) or "the signature does not fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """What was read of a token."""

    info: bytes
    imprint: bytes
    at_us: int
    signed: bytes
    told_digest: bytes
    hash: type[hashes.HashAlgorithm]
    scheme: bytes
    signature: bytes
    key: _Node
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


def _read_token(token: bytes) -> _Token:
    if len(token) > _MOST_BYTES:
        raise ValueError("it is too large")
    content_type, content = _one(token, _SEQUENCE).children()
    _expect(content_type, _OID, _SIGNED_DATA)
    version, _, encapsulated, *rest = _one(content.body, _SEQUENCE).children()
    _expect(version, _INTEGER)
    if content.tag != _FIRST or not rest or rest[0].tag != _FIRST or rest[-1].tag != _SET:
        raise ValueError("it holds no certificates or no signer")
    kind, wrapped = encapsulated.children()
    _expect(kind, _OID, _TST_INFO)
    info = _one(wrapped.body, _OCTETS).body
    (signer,) = rest[-1].children()
    imprint, at_us = _read_info(info)
    attributes, told_digest, algorithm, scheme, signature, name = _read_signer(signer)
    certificates = rest[0].children()
    own = [one for one in certificates if _issuer_and_serial(one) == name]
    if len(own) != 1:
        raise ValueError("it does not hold its signer's certificate once")
    return _Token(
        info=info, imprint=imprint, at_us=at_us, signed=b"\x31" + attributes.whole[1:], told_digest=told_digest,
        hash=algorithm, scheme=scheme, signature=signature, key=_key_of(own[0]),
        signer=x509.load_der_x509_certificate(own[0].whole),
        others=tuple(x509.load_der_x509_certificate(one.whole) for one in certificates if one is not own[0]),
    )  # fmt: skip


def _read_info(info: bytes) -> tuple[bytes, int]:
    """The imprint (of SHA-256) and the instant."""
    _version, _policy, imprint, _serial, at, *_rest = _one(info, _SEQUENCE).children()
    algorithm, hashed = imprint.children()
    if _HASHES.get(algorithm.children()[0].body) is not hashes.SHA256:
        raise NotCheckable("its imprint is not SHA-256")
    _expect(at, _TIME)
    return hashed.body, _time_us(at.body)


def _time_us(text: bytes) -> int:
    """Microseconds since 1970 of `20261125120000.123Z`."""
    form = _INSTANT.fullmatch(text)
    if form is None:
        raise ValueError("its instant has another form")
    at = datetime.strptime(form[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return to_us(at) + int((form[2] or b"").ljust(6, b"0")[:6])


def _read_signer(
    signer: _Node,
) -> tuple[_Node, bytes, type[hashes.HashAlgorithm], bytes, bytes, tuple[bytes, bytes]]:
    _version, name, digest_algorithm, attributes, scheme, signature, *_unsigned = signer.children()
    if attributes.tag != _FIRST or signature.tag != _OCTETS or name.tag != _SEQUENCE:
        raise ValueError("its signer has another form")
    found = {}
    for attribute in attributes.children():
        kind, values = attribute.children()
        if kind.body in found:
            raise ValueError("an attribute is there twice")
        found[kind.body] = values.children()
    (content_type,) = found.get(_CONTENT_TYPE, [])
    (message_digest,) = found.get(_MESSAGE_DIGEST, [])
    _expect(content_type, _OID, _TST_INFO)
    _expect(message_digest, _OCTETS)
    algorithm = _HASHES.get(digest_algorithm.children()[0].body)
    if algorithm is None:
        raise NotCheckable("its digest algorithm is not known here")
    issuer, serial = name.children()
    return (
        attributes, message_digest.body, algorithm, scheme.children()[0].body, signature.body,
        (issuer.whole, serial.whole),
    )  # fmt: skip


def _issuer_and_serial(certificate: _Node) -> tuple[bytes, bytes]:
    parts = certificate.children()[0].children()
    first = 1 if parts[0].tag == _FIRST else 0  # the version comes first where it is told
    return parts[first + 2].whole, parts[first].whole


def _key_of(certificate: _Node) -> _Node:
    parts = certificate.children()[0].children()
    return parts[6 if parts[0].tag == _FIRST else 5]


def _refuse_unknown_key(key: _Node) -> None:
    algorithm, *parameters = (one.body for one in key.children()[0].children())
    if algorithm == _EC_KEY and not (parameters and parameters[0] in _CURVES):
        raise NotCheckable("its curve is not known here")
    if algorithm not in (_RSA_KEY, _EC_KEY):
        raise NotCheckable("its key is of a kind that is not known here")


def _check_signature(told: _Token, digest: bytes) -> None:
    if told.imprint != digest:
        raise ValueError("it is over something else")
    if _digest(told.hash, told.info) != told.told_digest:
        raise ValueError("its contents are not what was signed")
    _refuse_unknown_key(told.key)
    key = told.signer.public_key()
    if isinstance(key, rsa.RSAPublicKey) and told.scheme in _RSA:
        algorithm = _RSA[told.scheme] or told.hash
        key.verify(told.signature, told.signed, padding.PKCS1v15(), algorithm())
    elif isinstance(key, ec.EllipticCurvePublicKey) and told.scheme in _ECDSA:
        key.verify(told.signature, told.signed, ec.ECDSA(_ECDSA[told.scheme]()))
    else:
        raise NotCheckable("its signature algorithm is not known here")


def _digest(algorithm: type[hashes.HashAlgorithm], data: bytes) -> bytes:
    digest = hashes.Hash(algorithm())
    digest.update(data)
    return digest.finalize()


def _find_root(told: _Token, roots: Sequence[bytes]) -> int:
    """The number of the root that the signer leads to. Raises `ValueError` where it leads to none."""
    at = datetime.fromtimestamp(told.at_us // 1_000_000, UTC)
    usage = told.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if ExtendedKeyUsageOID.TIME_STAMPING not in usage:
        raise ValueError("its signer may not stamp time")
    trusted = [x509.load_der_x509_certificate(root) for root in roots]
    one = told.signer
    for _ in range(_LONGEST_CHAIN):
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            raise ValueError("a certificate was not valid at its instant")
        for number, root in enumerate(trusted):
            if _issued(one, root):
                return number
        above = next((other for other in told.others if _is_authority(other) and _issued(one, other)), None)
        if above is None:
            break
        one = above
    raise ValueError("its signer leads to no authority that is trusted")


def _issued(one: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(one: x509.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _expect(node: _Node, tag: int, body: bytes | None = None) -> None:
    if node.tag != tag or (body is not None and node.body != body):
        raise ValueError("an element is of another kind")


def _one(data: bytes, tag: int) -> _Node:
    (node,) = _parse_all(data)
    _expect(node, tag)
    return node


def _parse_all(data: bytes) -> list[_Node]:
    nodes, at = [], 0
    while at < len(data):
        tag, first = data[at], data[at + 1]
        if tag & 0x1F == 0x1F:
            raise ValueError("a tag has another form")
        start = at + 2
        length = first
        if first & 0x80:
            count = first & 0x7F
            length = int.from_bytes(data[start : start + count], "big")
            if not 1 <= count <= 4 or length < 0x80 or length >> (8 * (count - 1)) == 0:
                raise ValueError("a length is not in DER")
            start += count
        if start + length > len(data):
            raise ValueError("it is torn")
        nodes.append(_Node(tag, data[start : start + length], data[at : start + length]))
        at = start + length
    return nodes
