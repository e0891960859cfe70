"""The JSON of a bundle, read strictly: canonical bytes of known shape, or none.

Every JSON file of a bundle is canonical (`ledger.entry.canonical`), and is
written anew and compared before anything in it is believed. So no two readers
can disagree about what it says: not over doubled names, not over spaces, not
over how a number is written.
"""

import json
import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from svidok.base import to_us
from svidok.evidence.bundle.model import DeviceFinding
from svidok.ledger.entry import JSON, canonical

TRUST = "svidok-trust/1"
DISCLOSURE = "svidok-disclosure/1"
RANGE = "svidok-range/1"
CUSTODY = "svidok-custody/1"

MOST_JSON_BYTES = 256 << 20
_MOST_INTEGER = (1 << 53) - 1  # beyond it, a reader in JavaScript would see another number
_DEEPEST = 32  # lists and objects within each other; every reader must stop at the same depth
# Up to the year 2199, microseconds are integers that every reader holds exactly.
_INSTANT = re.compile(r"(?:19[789]\d|2[01]\d\d)-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)
HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)

# `\Z`, because `$` would let a newline stand behind the digits.
Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"^{HASH.pattern}\Z")]
Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"^{ID.pattern}\Z")]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_MOST_INTEGER)]
MediaSize: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
Path: TypeAlias = Annotated[list[Hash], msgspec.Meta(max_length=64)]


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The root of what is told."""


class ToldEntry(_Told, frozen=True):
    """A ledger entry, what opens it, and what leads it to the checkpoint."""

    leaf: str
    payload: str
    salt: Hash
    index: Count
    inclusion: Path


class ToldLeaf(_Told, frozen=True):
    """What the tree of the ledger is over: see `ledger.entry.Entry`, which wrote it."""

    at: str
    commitment: Hash
    id: Id
    kind: str
    subject: Id
    v: Annotated[int, msgspec.Meta(ge=1, le=1)]


class ToldSignature(_Told, frozen=True):
    """A signature of an envelope, in base64, and the id of its key."""

    keyid: str
    sig: str


class ToldEnvelope(_Told, frozen=True):
    """A DSSE envelope."""

    payload: str
    payloadType: str  # noqa: N815 (DSSE's own name)
    signatures: list[ToldSignature]


class ToldFragment(_Told, frozen=True):
    """Leaf number `leaf` of its segment: its bytes before the media, and how many bytes of media the clip holds."""

    head: str
    leaf: Count
    size: MediaSize
    path: Path


class ToldSegment(_Told, frozen=True):
    """The part of one segment that a clip holds, and its seal."""

    seal: ToldEntry
    init: str
    init_path: Path
    fragments: list[ToldFragment]


class ToldRange(_Told, frozen=True, rename={"start": "from", "end": "to"}):
    """The proof of one clip."""

    format: str
    clip: str
    channel: Id
    start: str
    end: str
    segments: list[ToldSegment]
    gaps: list[ToldEntry]


class ToldCustody(_Told, frozen=True):
    """The custody events of what is disclosed."""

    format: str
    events: list[ToldEntry]


class ToldAuthority(_Told, frozen=True):
    """A time-stamping authority."""

    name: str
    root: str
    is_test: bool


class ToldTrust(_Told, frozen=True):
    """Whose word counts."""

    format: str
    name: str
    ledger: str
    signer: str
    witnesses: list[str]
    quorum: Count
    authorities: list[ToldAuthority]
    stamps: Count


class ToldDevice(_Told, frozen=True):
    """What the discloser found in a device's own signature."""

    scheme: str
    findings: list[DeviceFinding]
    checked_at: str
    grounds: str


class ToldClip(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A clip, as far as it is verified; what else is told of it is for people."""

    path: str
    proof: str
    exhibit: Id
    channel: Id
    start: str
    end: str
    device_signature: ToldDevice | None


class ToldDerivation(msgspec.Struct, frozen=True):
    """What a file was made from."""

    exhibit: Id
    sha256: Hash


class ToldFile(msgspec.Struct, frozen=True):
    """A file, as far as it is verified."""

    path: str
    exhibit: Id
    sha256: Hash
    derived_from: ToldDerivation | None
    device_signature: ToldDevice | None


class ToldDisclosure(msgspec.Struct, frozen=True):
    """A disclosure, as far as it is verified."""

    format: str
    id: Id
    made_at: str
    clips: list[ToldClip]
    files: list[ToldFile]


Shape = TypeVar("Shape")


def read_json(data: bytes) -> JSON:
    """The value that `data` holds. Raises `ValueError` where it is not the canonical form of one."""
    try:
        value = json.loads(data)
        _refuse_great(value, _DEEPEST)
        written = canonical(value)
    except (TypeError, RecursionError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    if written != data:
        raise ValueError("it is not written in the canonical form")
    return value  # type: ignore[no-any-return]


def read_told(data: bytes, shape: type[Shape]) -> Shape:
    """The value of `shape` that `data` holds. Raises `ValueError` where it holds another, or is not canonical."""
    if len(data) > MOST_JSON_BYTES:
        raise ValueError(f"it has more than {MOST_JSON_BYTES} bytes")
    return shaped(read_json(data), shape)


def shaped(value: Any, shape: type[Shape]) -> Shape:
    """`value` as `shape`; `ValueError` where it has another."""
    try:
        return msgspec.convert(value, type=shape)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def unhex(path: list[str]) -> list[bytes]:
    """The hashes of a path."""
    return [bytes.fromhex(one) for one in path]


def instant_us(text: object) -> int:
    """The instant of `2026-11-25T12:00:00.000000Z` in microseconds since 1970; `ValueError` of another form."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise ValueError(f"{text!r} is not an instant")
    return to_us(datetime.strptime(text.removesuffix("Z") + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z"))


def _refuse_great(value: object, depth: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST_INTEGER:
        raise ValueError(f"{value} is too great a number")
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError(f"it is more than {_DEEPEST} levels deep")
        for inner in value.values() if isinstance(value, dict) else value:
            _refuse_great(inner, depth - 1)
