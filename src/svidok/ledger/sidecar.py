"""Check an export against its sidecar, as a stranger would: with the two files and the public key, and nothing else.

The steps, each of which must hold before the next means anything:

1. The checkpoint is signed by the key we were given.
2. Each seal's entry lies in the log of that checkpoint, and payload and salt open it.
3. The init segment and each fragment lead to the root in that payload.
4. The file is a header and those fragments' media, and nothing else; none is left out between first and last.

What this does not say: that the camera showed the truth, and that the header of
the MP4 (which only arranges the pictures for players) is the one we made; the
header is covered by the file's hash, which the sidecar states unsigned.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeAlias

import msgspec

from svidok.ledger.entry import Entry, canonical, opens
from svidok.ledger.note import BadNote, Checkpoint, Verifier
from svidok.ledger.tree import leaf_hash, root_from_inclusion, verify_inclusion

FORMAT = "svidok-proof/1"
SEALED = "segment.sealed"
_UNBROKEN = timedelta(seconds=2)
_BLOCK = 1 << 20


class Finding(StrEnum):
    """What the whole comes to."""

    PROVED = "proved"  # every byte of media is in the log
    PROVED_IN_PART = (
        "proved-in-part"  # nothing is wrong, but some of it is not in the log yet, or a gap is not explained
    )
    ALTERED = "altered"  # the file is not what was recorded
    NOT_IN_LOG = "not-in-log"  # the seals are not in the log of this checkpoint
    UNTRUSTED = "untrusted"  # the checkpoint is not signed by the given key
    CANNOT_TELL = "cannot-tell"  # the files cannot be read, or are not of this format


_GRAVITY = [
    Finding.CANNOT_TELL, Finding.UNTRUSTED, Finding.NOT_IN_LOG, Finding.ALTERED, Finding.PROVED_IN_PART,
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One thing that keeps the verdict from being better: a stable code, where, and what it is in words."""

    finding: Finding
    code: str
    where: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found, and why. `fragments` of them lead to the log."""

    finding: Finding
    grounds: tuple[Ground, ...]
    fragments: int
    size: int


_Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class _Media(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    sha256: str


class _Fragment(msgspec.Struct, frozen=True):
    index: int
    head: str
    media_offset: int
    media_size: int
    path: list[str]


class _Segment(msgspec.Struct, frozen=True):
    state: str
    leaves: int
    init: str
    init_path: list[str]
    fragments: list[_Fragment]
    segment: str = ""
    leaf: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None
    salt: str | None = None
    leaf_index: int | None = None
    inclusion: list[str] = []


class _Gap(msgspec.Struct, frozen=True):
    start: _Instant
    end: _Instant | None
    reason: str


class _Sidecar(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    format: str
    media: _Media
    channel: str
    start: _Instant
    end: _Instant
    checkpoint: str
    segments: list[_Segment]
    gaps: list[_Gap]


def verify_sidecar(media: Path, sidecar: bytes, *, verifier: Verifier) -> Verdict:
    """Whether the MP4 `media` is what its `sidecar` says, and whether the log of `verifier` vouches for it.

    Codes: sidecar-unreadable, media-unreadable, checkpoint-untrusted, entry-not-opened, entry-not-in-log,
    entry-of-another, not-sealed-yet, size-differs, hash-differs, init-differs, fragment-differs, fragment-missing,
    bytes-unproved, gap-unexplained.
    """
    try:
        told = msgspec.json.decode(sidecar, type=_Sidecar)
        if told.format != FORMAT:
            raise ValueError(f"the format {told.format} is not known here")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _verdict(
            [Ground(finding=Finding.CANNOT_TELL, code="sidecar-unreadable", where="sidecar", says=str(error))]
        )
    try:
        with media.open("rb") as file:
            return _verify(file, told, verifier)
    except OSError as error:
        says = error.strerror or str(error)
        return _verdict([Ground(finding=Finding.CANNOT_TELL, code="media-unreadable", where=media.name, says=says)])
    except (ValueError, TypeError, RecursionError) as error:  # no base64, no leaf, no statement
        return _verdict(
            [Ground(finding=Finding.CANNOT_TELL, code="sidecar-unreadable", where="sidecar", says=str(error))]
        )


def _verdict(grounds: list[Ground], *, fragments: int = 0, size: int = 0) -> Verdict:
    found = {ground.finding for ground in grounds}
    gravest = next((one for one in _GRAVITY if one in found), Finding.PROVED)
    return Verdict(finding=gravest, grounds=tuple(grounds), fragments=fragments, size=size)


def _verify(file: BinaryIO, told: _Sidecar, verifier: Verifier) -> Verdict:
    grounds: list[Ground] = []
    checkpoint: Checkpoint | None = None
    try:
        checkpoint = Checkpoint.open(told.checkpoint, verifier=verifier, origin=verifier.name)
    except BadNote as error:
        grounds.append(
            Ground(finding=Finding.UNTRUSTED, code="checkpoint-untrusted", where="checkpoint", says=str(error))
        )
    proved = 0
    for number, segment in enumerate(told.segments):
        where = f"segment {number} {segment.segment}".rstrip()
        root = _root_of(segment, told, checkpoint, where, grounds)
        proved += _compare_fragments(file, segment, root, where, grounds)
    grounds += _compare_whole(file, told)
    grounds += _find_omissions(told)
    return _verdict(grounds, fragments=proved, size=checkpoint.size if checkpoint else 0)


def _root_of(
    segment: _Segment, told: _Sidecar, checkpoint: Checkpoint | None, where: str, grounds: list[Ground]
) -> bytes | None:
    """The root that the log vouches for, or that the sidecar merely claims where the segment was not sealed yet."""

    def bad(code: str, says: str, finding: Finding = Finding.NOT_IN_LOG) -> None:
        grounds.append(Ground(finding=finding, code=code, where=where, says=says))

    if segment.leaf is None or segment.payload is None or segment.salt is None or segment.leaf_index is None:
        bad("not-sealed-yet", "it was not in the log when the export was made; export it again", Finding.PROVED_IN_PART)
        return root_from_inclusion(
            leaf_hash(base64.b64decode(segment.init, validate=True)),
            index=0, size=segment.leaves, path=_unhex(segment.init_path),
        )  # fmt: skip
    entry = Entry.parse(canonical(segment.leaf))
    payload = canonical(segment.payload)
    if not opens(entry.commitment, payload=payload, salt=bytes.fromhex(segment.salt)):
        bad("entry-not-opened", "payload and salt are not what the entry committed to")
    if checkpoint is not None and not verify_inclusion(
        leaf_hash(entry.leaf_bytes()),
        index=segment.leaf_index, size=checkpoint.size, path=_unhex(segment.inclusion), root=checkpoint.root,
    ):  # fmt: skip
        bad("entry-not-in-log", "the entry does not lead to the checkpoint's root")
    same = (entry.kind, segment.payload.get("channel"), segment.payload.get("leaves"), segment.payload.get("segment"))
    if same != (SEALED, told.channel, segment.leaves, str(entry.subject)):
        bad("entry-of-another", "the entry is not the seal of this segment of this channel")
    root = segment.payload.get("root")
    return bytes.fromhex(root) if isinstance(root, str) else None


def _compare_fragments(file: BinaryIO, segment: _Segment, root: bytes | None, where: str, grounds: list[Ground]) -> int:
    proved = 0
    init = leaf_hash(base64.b64decode(segment.init, validate=True))
    if root is None or not verify_inclusion(
        init, index=0, size=segment.leaves, path=_unhex(segment.init_path), root=root
    ):
        grounds.append(_altered("init-differs", where, "the init segment is not the one that was sealed"))
    for one in segment.fragments:
        leaf = _hash_leaf(file, base64.b64decode(one.head, validate=True), one.media_offset, one.media_size)
        good = root is not None and verify_inclusion(
            leaf, index=one.index, size=segment.leaves, path=_unhex(one.path), root=root
        )
        if good:
            proved += segment.leaf is not None
        else:
            at = f"{where}, fragment {one.index}, bytes {one.media_offset} to {one.media_offset + one.media_size}"
            grounds.append(_altered("fragment-differs", at, "these pictures are not the ones that were sealed"))
    return proved


def _hash_leaf(file: BinaryIO, head: bytes, offset: int, size: int) -> bytes:
    digest = hashlib.sha256(b"\x00" + head)
    file.seek(max(0, offset))
    for block in _blocks(file, size):
        digest.update(block)
    return digest.digest()


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        yield block
        size -= len(block)


def _compare_whole(file: BinaryIO, told: _Sidecar) -> Iterator[Ground]:
    """The file's own size and hash, and whether its media is the fragments one after the other, up to its end."""
    size = file.seek(0, 2)
    if size != told.media.size_bytes:
        yield _altered("size-differs", told.media.name, f"it has {size} bytes instead of {told.media.size_bytes}")
    digest = hashlib.sha256()
    file.seek(0)
    for block in _blocks(file, size):
        digest.update(block)
    if digest.hexdigest() != told.media.sha256:
        yield _altered("hash-differs", told.media.name, "its SHA-256 is another")
    parts = [one for segment in told.segments for one in segment.fragments]
    reached = parts[0].media_offset if parts else size
    for one in parts:
        if one.media_offset != reached:
            yield _altered("bytes-unproved", f"byte {reached}", "the fragments do not follow each other")
        reached = one.media_offset + one.media_size
    if reached != size:
        yield _altered("bytes-unproved", f"byte {reached}", "bytes after the last fragment belong to none")


def _find_omissions(told: _Sidecar) -> Iterator[Ground]:
    last = len(told.segments) - 1
    for number, segment in enumerate(told.segments):
        have = [one.index for one in segment.fragments]
        first_due = have[0] if number == 0 and have else 1
        last_due = have[-1] if number == last and have else segment.leaves - 1
        if have != list(range(first_due, last_due + 1)):
            yield _altered(
                "fragment-missing", f"segment {number}", f"fragments {first_due} to {last_due} are not all here"
            )
    for before, after in zip(told.segments, told.segments[1:], strict=False):
        end, start = _instant(before, "end"), _instant(after, "start")
        if end is not None and start is not None and not _explained(end, start, told.gaps):
            yield Ground(
                finding=Finding.PROVED_IN_PART, code="gap-unexplained", where=f"{end} to {start}",
                says="there is no footage here, and no gap says why",
            )  # fmt: skip


def _explained(end: datetime, start: datetime, gaps: Sequence[_Gap]) -> bool:
    if start - end <= _UNBROKEN:
        return True
    reached = end
    for gap in sorted(gaps, key=lambda one: one.start):
        if gap.reason != "unknown" and gap.start - reached <= _UNBROKEN:
            reached = max(reached, gap.end or start)
    return start - reached <= _UNBROKEN


def _instant(segment: _Segment, which: str) -> datetime | None:
    text = (segment.payload or {}).get(which)
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) if isinstance(text, str) else None


def _altered(code: str, where: str, says: str) -> Ground:
    return Ground(finding=Finding.ALTERED, code=code, where=where, says=says)


def _unhex(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in path]
