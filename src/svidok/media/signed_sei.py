"""What a camera that signs its video says in between its pictures (ONVIF Media Signing 26.06, section "SEI format").

A signing camera puts documents into the stream as SEI messages of type *user
data unregistered*: hashes of the pictures of one group, a link to the group
before, its certificates, and a signature over all of it. This module only
takes such a document apart; whether it is true is for `signing`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

UUID = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")

_CERTIFICATE_SEI, _WITH_PREVENTION, _UNUSED = 0x80, 0x40, 0x3F
_GENERAL, _HASHES, _SIGNATURE, _CRYPTO, _VENDOR, _CERTIFICATES, _ARBITRARY = range(1, 8)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DIGESTS = {
    bytes.fromhex("0609608648016503040201"): "sha256",
    bytes.fromhex("0609608648016503040202"): "sha384",
    bytes.fromhex("0609608648016503040203"): "sha512",
}
_CENTURY = range(126_227_808_000_000_000, 157_784_760_000_000_000)  # 2001 to 2100
_MOST_SEI = 1 << 20


class BadDocument(ValueError):
    """It bears the mark of a signing camera and cannot be read as its document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTold:
    """What a document says of one (partial) group of pictures. Hashes are those of its NAL units, in their order."""

    counter: int
    partial: bool
    start: datetime
    end: datetime
    count: int
    group_hash: bytes
    linked_hash: bytes
    hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One SEI of a signing camera. `signed`: the bytes its signature is over; `hashed`: those of its own hash."""

    is_certificate: bool
    digest: str
    group: GroupTold | None
    signature: bytes
    signed: bytes
    hashed: bytes
    chain: bytes = b""
    user_chain: bytes = b""
    vendor: tuple[str, ...] = ()
    lonely_data: bool = field(default=False)


def is_document(nal: bytes | memoryview, *, hevc: bool) -> bool:
    """Whether a NAL unit is an SEI of a signing camera; cheap enough to ask of every NAL unit."""
    head = 3 if hevc else 2
    if len(nal) < head + 18 or bytes(nal[:head]) != (b"\x4e\x01\x05" if hevc else b"\x06\x05"):
        return False
    at = head
    while at < len(nal) and nal[at] == 0xFF:
        at += 1
    return bytes(nal[at + 1 : at + 17]) == UUID


def parse(nal: bytes, *, hevc: bool) -> Document:
    """The document in an SEI that `is_document`. Raises `BadDocument`."""
    if len(nal) > _MOST_SEI:
        raise BadDocument("it is too long")
    at, size = (3 if hevc else 2), 0
    while nal[at] == 0xFF:
        size, at = size + 0xFF, at + 1
    size, at = size + nal[at], at + 1
    whole = nal[:-1] if nal[-1:] == b"\x80" else nal
    clean = _without_prevention(whole) if len(whole) - at > size else whole
    if len(clean) - at != size:
        raise BadDocument("its length is not what it says")
    reserved = clean[at + 16]
    tags = list(_tags(clean, at + 17))
    if not tags or reserved & _UNUSED:
        raise BadDocument("it says nothing, or something that is not known")
    signature_at = next((start for tag, start, _ in tags if tag == _SIGNATURE), len(clean))
    if any(start > signature_at for _, start, _ in tags):
        raise BadDocument("something stands behind the signature")
    values = [(tag, value) for tag, _, value in tags]
    try:
        return _document(nal, clean, values, reserved, signature_at)
    except (IndexError, ValueError, OverflowError) as error:
        raise BadDocument(str(error) or "a value is cut off") from error


def _document(nal: bytes, clean: bytes, values: list[tuple[int, bytes]], reserved: int, signature_at: int) -> Document:
    found = dict(values)
    digest = _digest(found.get(_CRYPTO))
    group = _group(found[_GENERAL], found.get(_HASHES), digest) if _GENERAL in found else None
    chains = [value for tag, value in values if tag == _CERTIFICATES]
    prevented = bool(reserved & _WITH_PREVENTION)
    raw = nal[:-1] if nal[-1:] == b"\x80" else nal
    signed = _prevented_prefix(raw, signature_at) if prevented else clean[:signature_at]
    return Document(
        is_certificate=bool(reserved & _CERTIFICATE_SEI), digest=digest, group=group,
        signature=_signature(found[_SIGNATURE]) if _SIGNATURE in found else b"", signed=signed,
        hashed=nal if prevented else clean + nal[len(raw) :],
        chain=next((one[2:] for one in chains if one[1] == 0), b""),
        user_chain=next((one[2:] for one in chains if one[1] == 1), b""),
        vendor=tuple(_strings(found[_VENDOR])) if _VENDOR in found else (),
        lonely_data=_ARBITRARY in found and len(found) == 1,
    )  # fmt: skip


def _tags(data: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """(tag, where it begins, value) of each tag: one byte, two bytes of length, the value."""
    while at < len(data):
        tag, length = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        if not _GENERAL <= tag <= _ARBITRARY or length == 0 or at + 3 + length > len(data):
            raise BadDocument(f"a tag at byte {at} does not fit")
        yield tag, at, data[at + 3 : at + 3 + length]
        at += 3 + length


def _digest(crypto: bytes | None) -> str:
    if crypto is None:
        return "sha256"
    named = crypto[2 : 2 + crypto[1]]
    if named not in _DIGESTS:
        raise BadDocument("its hash algorithm is not known")
    return _DIGESTS[named]


def _group(general: bytes, hashes: bytes | None, digest: str) -> GroupTold:
    version, at = general[0], 5
    start = end = _instant(general[at : at + 8])
    at += 8
    if version >= 2:
        end = _instant(general[at : at + 8])
        at += 8
    counter, count = int.from_bytes(general[at : at + 4], "big"), int.from_bytes(general[at + 4 : at + 6], "big")
    at += 6
    size = hashlib.new(digest).digest_size
    if len(general) - at != 2 * size:
        raise BadDocument("its hashes are of another length")
    listed = (hashes or b"\x01")[1:]
    if len(listed) % size:
        raise BadDocument("its list of hashes is cut off")
    return GroupTold(
        counter=counter, partial=bool(general[4]), start=start, end=end, count=count,
        group_hash=general[at : at + size], linked_hash=general[at + size :],
        hashes=tuple(listed[n : n + size] for n in range(0, len(listed), size)),
    )  # fmt: skip


def _instant(value: bytes) -> datetime:
    """Hundreds of nanoseconds since 1601.

    The standard says little-endian, its reference implementation (25.12) writes
    big-endian: whichever lies in this century is meant.
    """
    either = [int.from_bytes(value, "little"), int.from_bytes(value, "big")]
    return _EPOCH + timedelta(microseconds=next((n for n in either if n in _CENTURY), either[1] % _CENTURY.stop) // 10)


def _signature(value: bytes) -> bytes:
    size = int.from_bytes(value[1:3], "big")
    if size > len(value) - 3:
        raise BadDocument("its signature is cut off")
    return value[3 : 3 + size]


def _strings(value: bytes) -> Iterator[str]:
    at = 1
    for _ in range(3):
        size = value[at]
        yield value[at + 1 : at + 1 + size].decode("utf-8", "replace")
        at += 1 + size


def _without_prevention(data: bytes) -> bytes:
    """Without the bytes that keep start codes out of a NAL unit (H.264 7.4.1, H.265 7.4.2)."""
    kept, at = bytearray(), 0
    while (found := data.find(b"\x00\x00\x03", at)) >= 0:
        kept += data[at : found + 2]
        at = found + 3
    return bytes(kept + data[at:])


def _prevented_prefix(raw: bytes, size: int) -> bytes:
    """So much of `raw` as holds `size` bytes once prevention is taken out."""
    zeros = held = 0
    for at, byte in enumerate(raw):
        if held == size:
            return raw[:at]
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        held += 1
    return raw
