"""Time-stamp tokens written by hand, each another in one thing: what no authority would give, and what few do."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import making
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mutations import resigned

from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.writer import told_trust

SHA = {"SHA-256": "608648016503040201", "SHA-384": "608648016503040202", "SHA-512": "608648016503040203",
       "SHA-1": "2b0e03021a"}  # fmt: skip
HASHES = {"SHA-256": hashes.SHA256(), "SHA-384": hashes.SHA384(), "SHA-512": hashes.SHA512(), "SHA-1": hashes.SHA1()}
ECDSA = {"SHA-256": "2a8648ce3d040302", "SHA-384": "2a8648ce3d040303", "SHA-512": "2a8648ce3d040304"}
RSA = {"SHA-256": "2a864886f70d01010b", "SHA-384": "2a864886f70d01010c", "SHA-512": "2a864886f70d01010d"}
RSA_ANY = "2a864886f70d010101"
SIGNED_DATA, TST_INFO = "2a864886f70d010702", "2a864886f70d0109100104"
CONTENT_TYPE, MESSAGE_DIGEST = "2a864886f70d010903", "2a864886f70d010904"
DAY = timedelta(days=1)


def der(tag: int, *parts: bytes, long: int = 0) -> bytes:
    """One element; `long` writes its length in that many bytes, needed or not."""
    body = b"".join(parts)
    if long or len(body) >= 0x80:
        width = long or (len(body).bit_length() + 7) // 8
        return bytes([tag, 0x80 | width]) + len(body).to_bytes(width, "big") + body
    return bytes([tag, len(body)]) + body


def oid(digits: str) -> bytes:
    return der(0x06, bytes.fromhex(digits))


def algorithm(digits: str, *more: bytes) -> bytes:
    return der(0x30, oid(digits), *more)


def digest(name: str, data: bytes) -> bytes:
    one = hashes.Hash(HASHES[name])
    one.update(data)
    return one.finalize()


@dataclass
class Pki:
    """A root, and certificates under it."""

    at: datetime
    serial: int = 0
    root_key: object = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.name = self.called("Root by hand")
        self.root = self.certificate(
            self.name, self.root_key.public_key(), self.name, self.root_key, ca=True, usage=None
        )
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.leaf = self.issue(self.key)

    def called(self, name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def issue(self, key, *, by=None, name: str = "Signer by hand", **how) -> x509.Certificate:
        issuer, issuer_key = by or (self.name, self.root_key)
        return self.certificate(self.called(name), key.public_key(), issuer, issuer_key, **how)

    def certificate(self, subject, key, issuer, issuer_key, *, ca=False, usage=ExtendedKeyUsageOID.TIME_STAMPING,
                    begins=None, ends=None, constraints=True, serial=None) -> x509.Certificate:  # fmt: skip
        self.serial += 1
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
            .serial_number(serial or self.serial).not_valid_before(begins or self.at - DAY).not_valid_after(ends or self.at + DAY * 9)
        )  # fmt: skip
        if constraints:
            made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if usage is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return made.sign(issuer_key, hashes.SHA256())


@dataclass(frozen=True)
class Recipe:
    """What goes into a token. Every field but the first four is what a usual one holds."""

    imprint: bytes
    at: str
    key: object
    signer: x509.Certificate
    others: tuple[bytes, ...] = ()
    imprint_hash: str = "SHA-256"
    hash: str = "SHA-256"
    signed_hash: str = ""
    scheme: str = ""
    told_digest: bytes | None = None
    content_kind: str = TST_INFO
    info_kind: str = TST_INFO
    attributes: tuple[bytes, ...] = ()
    signature: bytes | None = None
    bag_tag: int = 0xA0
    attributes_tag: int = 0xA0
    signers_tag: int = 0x31
    signature_tag: int = 0x04
    name_tag: int = 0x30
    content_tag: int = 0xA0
    time_tag: int = 0x18
    digest_tag: int = 0x04
    version_tag: int = 0x02
    info_tag: int = 0x04
    twice_signed: bool = False
    own_certificate: bool = True
    long: int = 0
    padding: bytes = b""
    padding_tag: int = 0x04
    tail: bytes = b""
    attribute_values: int = 1
    certificate: bytes | None = None  # instead of the signer's own


def token(one: Recipe) -> bytes:
    """The token of a recipe."""
    info = der(0x30, der(0x02, b"\x01"), oid("2a0304"), der(0x30, algorithm(SHA[one.imprint_hash]), der(0x04, one.imprint)),
               der(0x02, b"\x07"), der(one.time_tag, one.at.encode()), *([der(one.padding_tag, one.padding)] if one.padding else []))  # fmt: skip
    told = digest(one.hash, info) if one.told_digest is None else one.told_digest
    kinds = [oid(one.content_kind)] * one.attribute_values
    attributes = [der(0x30, oid(CONTENT_TYPE), der(0x31, *kinds)),
                  der(0x30, oid(MESSAGE_DIGEST), der(0x31, der(one.digest_tag, told))), *one.attributes]  # fmt: skip
    body = b"".join(attributes)
    signing = one.signed_hash or one.hash
    signature, scheme = one.signature, one.scheme
    if isinstance(one.key, rsa.RSAPrivateKey):
        signature = signature or one.key.sign(der(0x31, body), padding.PKCS1v15(), HASHES[signing])
        scheme = scheme or RSA[signing]
    elif isinstance(one.key, ec.EllipticCurvePrivateKey):
        signature = signature or one.key.sign(der(0x31, body), ec.ECDSA(HASHES[signing]))
        scheme = scheme or ECDSA[signing]
    else:
        signature, scheme = signature or one.key.sign(der(0x31, body)), scheme or "2b6570"
    raw = one.certificate or one.signer.public_bytes(Encoding.DER)
    name = der(one.name_tag, one.signer.issuer.public_bytes(), der(0x02, _integer(one.signer.serial_number)))
    signer = der(0x30, der(0x02, b"\x01"), name, algorithm(SHA[one.hash]), der(one.attributes_tag, body),
                 algorithm(scheme), der(one.signature_tag, signature))  # fmt: skip
    content = der(0x30, oid(one.info_kind), der(0xA0, der(one.info_tag, info)))
    bag = der(one.bag_tag, *([raw] if one.own_certificate else []), *one.others)
    inner = der(0x30, der(one.version_tag, b"\x03"), der(0x31, algorithm(SHA[one.hash])), content, bag,
                der(one.signers_tag, signer, *([signer] if one.twice_signed else [])))  # fmt: skip
    return der(0x30, oid(SIGNED_DATA), der(one.content_tag, inner), long=one.long) + one.tail


def _integer(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def text(at: datetime, fraction: str = "") -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S") + fraction + "Z"


def stamped(court, base: dict[str, bytes]) -> list[tuple[dict[str, bytes], bytes]]:
    """`base` with one stamp exchanged for each of the tokens, and the trust file that it is judged by."""
    import hashlib

    pki = Pki(court.at.replace(microsecond=0))
    over = hashlib.sha256(base["manifest-sha256.txt"]).digest()
    usual = Recipe(over, text(court.at), pki.key, pki.leaf)
    root = m.Authority(name="by hand", root=pki.root.public_bytes(Encoding.DER), is_test=True)
    trust = told_trust(replace(court.trust, authorities=(root, *court.trust.authorities)))
    made = [
        token(one)
        for one in (*_forms(usual), *_times(court, usual, pki), *_algorithms(usual, pki), *_chains(usual, pki))
    ]
    made += [*_torn(token(usual)), *_longest(usual, pki)]
    found = [(resigned(base | {"proof/stamp-1.tst": one}, court), trust) for one in made]
    plain = resigned(base | {"proof/stamp-1.tst": token(usual)}, court)
    found.append((resigned(plain | {"proof/stamp-2.tst": token(usual)}, court), trust))
    found.append(
        (resigned(plain | {"proof/stamp-3.tst": token(replace(usual, key=making.SeedSigner("x")._key))}, court), trust)
    )
    return found


def _forms(usual: Recipe) -> list[Recipe]:
    doubled = der(0x30, oid(CONTENT_TYPE), der(0x31, oid(TST_INFO)))
    more = der(0x30, oid("2a030405"), der(0x31, der(0x02, b"\x01")))
    return [
        usual, replace(usual, attributes=(more,)), replace(usual, attributes=(doubled,)), replace(usual, attributes=(more, more)),
        replace(usual, attribute_values=2), replace(usual, attribute_values=0), replace(usual, content_kind="2a0304"),
        replace(usual, info_kind="2a0304"), replace(usual, told_digest=bytes(32)), replace(usual, told_digest=b""),
        replace(usual, imprint=bytes(32)), replace(usual, imprint_hash="SHA-512"), replace(usual, imprint_hash="SHA-1"),
        replace(usual, bag_tag=0xA1), replace(usual, attributes_tag=0xA1), replace(usual, signers_tag=0x30),
        replace(usual, signature_tag=0x03), replace(usual, name_tag=0x31), replace(usual, content_tag=0xA1),
        replace(usual, time_tag=0x17), replace(usual, digest_tag=0x03), replace(usual, version_tag=0x03),
        replace(usual, info_tag=0x24), replace(usual, twice_signed=True), replace(usual, own_certificate=False),
        replace(usual, others=(usual.signer.public_bytes(Encoding.DER),)), replace(usual, others=(b"\x30\x03\x02\x01\x00",)),
        replace(usual, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01"), replace(usual, signature=b"x"),
        replace(usual, long=3), replace(usual, long=4), replace(usual, long=5), replace(usual, tail=b"\x05\x00"),
        replace(usual, padding=b"x", padding_tag=0x3F), replace(usual, padding=b"x", padding_tag=0x9F), replace(usual, padding=bytes(0x80)),
        replace(usual, padding=bytes(0x7F)), replace(usual, padding=bytes(0x100)), replace(usual, padding=bytes(1 << 20)), replace(usual, padding=bytes((1 << 20) - 1137)),
    ]  # fmt: skip


def _times(court, usual: Recipe, pki: Pki) -> list[Recipe]:
    second, made, seen = timedelta(seconds=1), court.at, court.at.replace(microsecond=0)
    exact = f".{made.microsecond:06}"
    least = f".{made.microsecond - 1:06}" if made.microsecond else ".000000"
    most = f".{made.microsecond + 1:06}" if made.microsecond < 999_999 else ".999999"
    early, late = made - 300 * second, made + DAY
    written = [
        text(early, exact), text(early, least), text(late, exact), text(late, most), text(seen - 300 * second),
        text(seen - 301 * second, ".999999"), text(seen, "."), text(seen, ".5"), text(seen, ".1234567"), text(seen, ".x"),
        text(seen)[:-1], text(seen) + "Z", text(seen)[:-3] + "Z", "1" + text(seen), "20261345120000Z", "00001125120000Z",
        "22001125120000Z", text(seen)[:-2] + "aZ", text(seen)[:-1] + "+0000",
    ]  # fmt: skip
    found = [replace(usual, at=one) for one in written]
    for begins, ends in ((seen, None), (seen + second, None), (None, seen), (None, seen - second)):
        signer = pki.issue(pki.key, begins=begins, ends=ends)
        found += [replace(usual, signer=signer), replace(usual, signer=signer, at=text(seen, ".9"))]
    return found


def _algorithms(usual: Recipe, pki: Pki) -> list[Recipe]:
    keys = [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1()), usual.key]
    found = []
    for key in keys:
        signer = pki.issue(key)
        for name in ("SHA-256", "SHA-384", "SHA-512"):
            found.append(replace(usual, key=key, signer=signer, hash=name))
        found.append(replace(usual, key=key, signer=signer, hash="SHA-512", signed_hash="SHA-256"))
    one = pki.issue(keys[0])
    found += [replace(usual, key=keys[0], signer=one, hash=name, scheme=RSA_ANY) for name in ("SHA-256", "SHA-512")]
    found += [
        replace(usual, key=keys[0], signer=one, scheme=scheme)
        for scheme in (ECDSA["SHA-256"], "2a864886f70d01010a", RSA["SHA-512"])
    ]
    found += [replace(usual, scheme=scheme) for scheme in (RSA["SHA-256"], RSA_ANY, "2a8648ce3d0401", ECDSA["SHA-384"])]
    for odd in (
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    ):
        found += [replace(usual, key=odd, signer=pki.issue(odd)), replace(usual, key=odd, signer=pki.issue(odd), imprint=bytes(32)),
                  replace(usual, key=odd, signer=pki.issue(odd), told_digest=bytes(32))]  # fmt: skip
    national = usual.signer.public_bytes(Encoding.DER).replace(oid("2a8648ce3d0201"), oid("2a8648ce3d0209"))
    found.append(replace(usual, certificate=national))
    found.append(replace(usual, key=ed25519.Ed25519PrivateKey.generate()))
    found.append(replace(usual, key=ec.generate_private_key(ec.SECP256R1())))
    return [*found, replace(usual, hash="SHA-1", signed_hash="SHA-256")]


def _chains(usual: Recipe, pki: Pki) -> list[Recipe]:
    def under(depth: int, **how) -> Recipe:
        """A signer with `depth` certificates between it and the root."""
        name, key, others = pki.name, pki.root_key, []
        for number in range(depth):
            own = ec.generate_private_key(ec.SECP256R1())
            between = pki.issue(own, by=(name, key), name=f"Between {number}", **{"ca": True, "usage": None} | how)
            name, key = between.subject, own
            others.append(between.public_bytes(Encoding.DER))
        return replace(usual, signer=pki.issue(usual.key, by=(name, key)), others=tuple(others))

    stranger = Pki(pki.at)
    stolen = x509.load_der_x509_certificate(stranger.leaf.public_bytes(Encoding.DER))
    other = ec.generate_private_key(ec.SECP256R1())
    return [
        under(1), under(2), under(3), under(4), under(1, ca=False), under(1, constraints=False),
        under(1, begins=pki.at - 9 * DAY, ends=pki.at - DAY), replace(under(1), others=()),
        replace(under(2), others=under(2).others), replace(usual, key=stranger.key, signer=stolen),
        replace(usual, signer=pki.issue(usual.key, usage=None)),
        replace(usual, signer=pki.issue(usual.key, usage=ExtendedKeyUsageOID.CODE_SIGNING)),
        replace(usual, signer=pki.issue(usual.key, constraints=False)),
        replace(usual, signer=pki.issue(usual.key, by=(pki.called("Somebody"), pki.root_key))),
        replace(usual, signer=pki.issue(usual.key, by=(pki.name, other))),
        replace(usual, others=(pki.root.public_bytes(Encoding.DER), stranger.root.public_bytes(Encoding.DER))),
        replace(usual, signer=pki.root, key=pki.root_key),
        replace(usual, signer=pki.issue(usual.key, serial=7), others=(pki.issue(other, serial=7).public_bytes(Encoding.DER),)),
    ]  # fmt: skip


def _longest(usual: Recipe, pki: Pki) -> Iterator[bytes]:
    """Of a mebibyte, and of a byte more."""
    key = rsa.generate_private_key(65537, 2048)  # its signatures are all of one length
    one = replace(usual, key=key, signer=pki.issue(key))
    rest = len(token(replace(one, padding=bytes(1 << 20)))) - (1 << 20)
    for more in (0, 1):
        yield token(replace(one, padding=bytes((1 << 20) - rest + more)))


def _torn(usual: bytes) -> list[bytes]:
    indefinite = b"\x30\x80" + usual[4:] + b"\x00\x00"
    return [b"", b"\x30", b"\x30\x80", indefinite, b"\x3f" + usual[1:], b"\x31" + usual[1:], usual + b"\x00", usual[:-1], b"\x30\x00",
            b"\x30\x85\x00\x00\x00\x00\x01\x00", usual[:1] + b"\x84\xff\xff\xff\xff" + usual[4:], usual * 2]  # fmt: skip
