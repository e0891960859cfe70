"""What a disclosure consists of, as plain frozen values: whoever discloses fills them, the writer makes the bundle.

Nothing here is looked up: the case, the exhibits and the custody chain are told
by whoever discloses. What is proved of them is decided by the verifiers, from
the bytes in the bundle alone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from svidok.base import Span
from svidok.ledger.entry import Entry

CUSTODY = "custody"  # entries of custody are of the kinds `custody.<event>`, about the exhibit's id


class How(StrEnum):
    """How an exhibit came to us."""

    RECORDED = "recorded"  # by our own recorder, from the camera
    DOCKED = "docked"  # from a body-worn camera at its dock
    HANDED_OVER = "handed-over"  # by a person or another service, on a carrier
    UPLOADED = "uploaded"  # sent in by the public or a business
    DERIVED = "derived"  # made by us from another exhibit


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who discloses or is given: as he shall be named on page one."""

    name: str
    role: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The case that the disclosure is of. `subjects` is the category of data subjects (LED, article 6)."""

    id: UUID
    number: str
    title: str
    legal_basis: str
    subjects: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What made the pictures. `place` is where it stood, or who wore it; `zone_px_m` is the class of IEC 62676-4."""

    name: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    place: str = ""
    zone_px_m: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """How far the device's clock was off, in microseconds: positive where it ran ahead. `source` is how we know."""

    offset_us: int
    error_us: int
    source: str


class DeviceFinding(StrEnum):
    """What the device's own signature came to when we checked it; the codes are those of the bundle's faults."""

    AUTHENTIC = "authentic"
    NOT_SIGNED = "not-signed"
    BAD_SIGNATURE = "bad-signature"
    UNTRUSTED_KEY = "untrusted-key"
    EXPIRED = "expired-at-claimed-time"
    MISSING_NAL = "missing-nal"
    DANGLING_END = "dangling-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceVerdict:
    """The verdict on a device's own signature: all that was found, by which scheme, when, and why in words."""

    scheme: str  # onvif, axis
    findings: tuple[DeviceFinding, ...]
    checked_at: datetime
    grounds: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeItem:
    """A range of a channel's footage, out of sealed segments. Its gaps are taken from the footage itself."""

    exhibit: UUID
    number: str
    title: str
    channel: UUID
    span: Span
    device: Device
    how: How = How.RECORDED
    clock: ClockFacts | None = None
    verdict: DeviceVerdict | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What an exhibit was made from: the original's id and SHA-256 (hex), and what was done, in words."""

    exhibit: UUID
    sha256: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileItem:
    """An exhibit that is a file, given bit for bit. `sha256` (hex) is the one stated when it was booked in."""

    exhibit: UUID
    number: str
    title: str
    name: str
    media_type: str
    sha256: str
    source: Path
    how: How
    device: Device | None = None
    derived_from: Derivation | None = None
    verdict: DeviceVerdict | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A ledger entry with what opens it and its place in the log; `payload` is the canonical JSON that was stated.

    A custody event is an entry of the kind `custody.<event>` whose subject is the exhibit and whose payload holds at
    least `exhibit` (its id), `number` (from 1, without holes), `previous` (hex of the commitment of the event before,
    "" for the first) and `actor` (as he shall be named); that of a file's booking in holds its `sha256` too.
    """

    entry: Entry
    payload: bytes
    salt: bytes
    leaf_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamping authority: its name, its root certificate (DER), and whether it is a test one of our own."""

    name: str
    root: bytes
    is_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A time-stamp token (RFC 3161, DER) over the payload's manifest, by the authority of that name."""

    authority: str
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose word counts: keys as C2SP verifier keys, how many witnesses and how many stamps are needed.

    A copy travels in the bundle for convenience. It proves nothing there: whoever checks takes it from elsewhere.
    """

    name: str
    ledger: str
    signer: str
    witnesses: tuple[str, ...]
    quorum: int
    authorities: tuple[Authority, ...]
    stamps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """All that leaves. `custody` holds the events of what is disclosed, each exhibit's in their order."""

    id: UUID
    case: CaseFacts
    made_at: datetime
    made_by: Party
    given_to: Party
    legal_basis: str
    ranges: tuple[RangeItem, ...]
    files: tuple[FileItem, ...] = ()
    custody: tuple[Statement, ...] = ()
    note: str = ""
