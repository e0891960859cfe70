"""Lead an export's bytes to the log by its sidecar, with the two files and the public key, and nothing else.

The steps, each of which must hold before the next means anything:

1. The checkpoint is signed by the key we were given.
2. Each seal's entry lies in the log of that checkpoint, and payload and salt open it.
3. The init segment and each fragment lead to the root in that payload.
4. The file is a header and those fragments' media, one after the other, and nothing else; none is there twice, and
   none is left out between the first and the last.

What the header is, which instants the pictures are of, and what the whole comes
to is not judged here: `recording.verifying` does, which knows what is inside a
fragment. Memory grows with the sidecar, never with a number that it states.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, BinaryIO, TypeAlias
from uuid import UUID

import msgspec

from svidok.ledger.entry import Entry, canonical, opens
from svidok.ledger.note import BadNote, Checkpoint, Verifier
from svidok.ledger.tree import HASH_BYTES, leaf_hash, root_from_inclusion, verify_inclusion

FORMAT = "svidok-proof/2"
SEALED = "segment.sealed"
MOST_BYTES = 512 << 20  # a day of footage needs about a quarter of it
_BLOCK = 1 << 20


class Finding(StrEnum):
    """What the whole comes to."""

    PROVED = "proved"  # every byte is in the log, or follows from what is
    PROVED_IN_PART = "proved-in-part"  # nothing is wrong, but the end is not in the log yet, or time is not explained
    ALTERED = "altered"  # the file is not what was recorded
    NOT_IN_LOG = "not-in-log"  # the seals are not in the log of this checkpoint
    UNTRUSTED = "untrusted"  # the checkpoint is not signed by the given key
    CANNOT_TELL = "cannot-tell"  # the files cannot be read, or are not of this format


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One thing that keeps the verdict from being better: a stable code, where, and what it is in words."""

    finding: Finding
    code: str
    where: str
    says: str


_Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_Bytes: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_Leaves: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1 << 32)]
_Path: TypeAlias = Annotated[list[str], msgspec.Meta(max_length=64)]


class ToldMedia(msgspec.Struct, frozen=True):
    """The MP4, as the sidecar states it, unsigned."""

    name: str
    size_bytes: _Bytes
    sha256: str


class ToldFragment(msgspec.Struct, frozen=True):
    """Leaf `index` of its segment: the bytes before its media, and where in the MP4 the media is."""

    index: _Leaves
    head: bytes
    media_offset: _Bytes
    media_size: _Bytes
    path: _Path


class ToldSegment(msgspec.Struct, frozen=True):
    """Part of one segment, and its seal with what opens it and leads it to the checkpoint."""

    state: str
    leaves: _Leaves
    init: bytes
    init_path: _Path
    fragments: list[ToldFragment]
    segment: UUID
    leaf: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None
    salt: str | None = None
    leaf_index: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)] | None = None
    inclusion: _Path = []

    @property
    def is_sealed(self) -> bool:
        """Whether it claims to be in the log."""
        return None not in (self.leaf, self.payload, self.salt, self.leaf_index)


class ToldGap(msgspec.Struct, frozen=True):
    """Time without footage, and why."""

    start: _Instant
    end: _Instant | None
    reason: str


class Sidecar(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A whole sidecar."""

    format: str
    media: ToldMedia
    channel: UUID
    start: _Instant
    end: _Instant
    checkpoint: str
    segments: list[ToldSegment]
    gaps: list[ToldGap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found. `proved` fragments lead to a log of `size` entries."""

    grounds: tuple[Ground, ...]
    proved: int
    size: int


def read_sidecar(text: bytes) -> Sidecar:
    """The sidecar in `text`. Raises `ValueError` where it is none, too large, or of another format."""
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES} bytes")
    try:
        told = msgspec.json.decode(text, type=Sidecar)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if told.format != FORMAT:
        raise ValueError(f"the format {told.format!r} is not known here; {FORMAT} is")
    return told


def examine(file: BinaryIO, told: Sidecar, *, verifier: Verifier) -> Examined:
    """Lead the bytes of the MP4 `file` to the log of `verifier`, reading it once.

    Raises `ValueError` or `TypeError` where a hash or a statement in the sidecar is of no form that we write, and
    `OSError` where the file cannot be read. Codes: checkpoint-untrusted, nothing-told, entry-not-opened,
    entry-not-in-log, entry-of-another, segment-repeated, size-differs, hash-differs, init-differs, fragment-differs,
    fragment-missing, bytes-unproved.
    """
    grounds: list[Ground] = []
    checkpoint: Checkpoint | None = None
    try:
        checkpoint = Checkpoint.open(told.checkpoint, verifier=verifier, origin=verifier.name)
    except BadNote as error:
        grounds.append(
            Ground(finding=Finding.UNTRUSTED, code="checkpoint-untrusted", where="checkpoint", says=str(error))
        )
    if not told.segments:
        says = "it names no footage, and so says nothing of this file"
        grounds.append(Ground(finding=Finding.CANNOT_TELL, code="nothing-told", where="sidecar", says=says))
    grounds += _find_omissions(told)
    grounds += _find_repetitions(told)
    leaves = _hash_file(file, told, grounds)
    proved = 0
    for number, segment in enumerate(told.segments):
        where = name_of(number, segment)
        root = _root_of(segment, told, checkpoint, where, grounds)
        proved += _compare_leaves(segment, root, leaves, where, grounds)
    return Examined(grounds=tuple(grounds), proved=proved, size=checkpoint.size if checkpoint else 0)


def name_of(number: int, segment: ToldSegment) -> str:
    """How a ground names a segment."""
    return f"segment {number} {segment.segment}"


def altered(code: str, where: str, says: str) -> Ground:
    """A ground that says that the file is not what was recorded."""
    return Ground(finding=Finding.ALTERED, code=code, where=where, says=says)


def _find_omissions(told: Sidecar) -> Iterator[Ground]:
    """Fragments that are left out, twice there, or not in their order."""
    last = len(told.segments) - 1
    for number, segment in enumerate(told.segments):
        have = [one.index for one in segment.fragments]
        first_due = have[0] if number == 0 and have else 1
        last_due = have[-1] if number == last and have else segment.leaves - 1
        due = last_due - first_due + 1
        if not have or len(have) != due or any(index != first_due + n for n, index in enumerate(have)):
            says = f"fragments {first_due} to {last_due} are not all here, each once and in their order"
            yield altered("fragment-missing", name_of(number, segment), says)


def _find_repetitions(told: Sidecar) -> Iterator[Ground]:
    seen: set[object] = set()
    for number, segment in enumerate(told.segments):
        marks = {("segment", segment.segment)} | ({("leaf", segment.leaf_index)} if segment.is_sealed else set())
        if marks & seen:
            yield altered("segment-repeated", name_of(number, segment), "it is here more than once")
        seen |= marks


def _hash_file(file: BinaryIO, told: Sidecar, grounds: list[Ground]) -> Iterator[bytes | None]:
    """The leaf of each fragment, in their order; nothing for one that is not where it says. Tells of the whole file.

    The file is read once from its beginning, whatever the sidecar states: a fragment that reaches back is not read.
    """
    size = file.seek(0, 2)
    if size != told.media.size_bytes:
        says = f"it has {size} bytes instead of {told.media.size_bytes}"
        grounds.append(altered("size-differs", "media", says))
    file.seek(0)
    whole = hashlib.sha256()
    leaves: list[bytes | None] = []
    at, reached = 0, None
    for one in (one for segment in told.segments for one in segment.fragments):
        if reached is not None and one.media_offset != reached:
            grounds.append(altered("bytes-unproved", f"byte {reached}", "the fragments do not follow each other"))
        reached = one.media_offset + one.media_size
        if one.media_offset < at or reached > size:
            leaves.append(None)
            continue
        for block in _blocks(file, one.media_offset - at):
            whole.update(block)
        leaf = hashlib.sha256(b"\x00" + one.head)
        for block in _blocks(file, one.media_size):
            whole.update(block)
            leaf.update(block)
        leaves.append(leaf.digest())
        at = reached
    for block in _blocks(file, size - at):
        whole.update(block)
    if reached != size:
        where = f"byte {reached or 0}"
        grounds.append(altered("bytes-unproved", where, "bytes after the last fragment belong to none"))
    if whole.hexdigest() != told.media.sha256:
        grounds.append(altered("hash-differs", "media", "its SHA-256 is another"))
    return iter(leaves)


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        yield block
        size -= len(block)


def _root_of(
    segment: ToldSegment, told: Sidecar, checkpoint: Checkpoint | None, where: str, grounds: list[Ground]
) -> bytes | None:
    """The root that the log vouches for, or that the sidecar merely claims where the segment was not sealed yet."""

    def bad(code: str, says: str) -> None:
        grounds.append(Ground(finding=Finding.NOT_IN_LOG, code=code, where=where, says=says))

    if segment.leaf is None or segment.payload is None or segment.salt is None or segment.leaf_index is None:
        path = _unhex(segment.init_path)
        return root_from_inclusion(leaf_hash(segment.init), index=0, size=segment.leaves, path=path)
    entry = Entry.parse(canonical(segment.leaf))
    payload = canonical(segment.payload)
    if not opens(entry.commitment, payload=payload, salt=bytes.fromhex(segment.salt)):
        bad("entry-not-opened", "payload and salt are not what the entry committed to")
    if checkpoint is not None and not verify_inclusion(
        leaf_hash(entry.leaf_bytes()),
        index=segment.leaf_index, size=checkpoint.size, path=_unhex(segment.inclusion), root=checkpoint.root,
    ):  # fmt: skip
        bad("entry-not-in-log", "the entry does not lead to the checkpoint's root")
    names = {str(segment.segment), str(entry.subject), segment.payload.get("segment")}
    same = (entry.kind, segment.payload.get("channel"), segment.payload.get("leaves"))
    if same != (SEALED, str(told.channel), segment.leaves) or len(names) != 1:
        bad("entry-of-another", "the entry is not the seal of this segment of this channel")
    root = segment.payload.get("root")
    return bytes.fromhex(root) if isinstance(root, str) else None


def _compare_leaves(
    segment: ToldSegment, root: bytes | None, leaves: Iterator[bytes | None], where: str, grounds: list[Ground]
) -> int:
    """Whether init segment and fragments lead to `root`; how many of the fragments do so and are sealed."""
    proved = 0
    if root is None or not verify_inclusion(
        leaf_hash(segment.init), index=0, size=segment.leaves, path=_unhex(segment.init_path), root=root
    ):
        grounds.append(altered("init-differs", where, "the init segment is not the one that was sealed"))
    for one in segment.fragments:
        leaf, path = next(leaves), _unhex(one.path)
        if (
            root is not None
            and leaf is not None
            and verify_inclusion(leaf, index=one.index, size=segment.leaves, path=path, root=root)
        ):
            proved += segment.is_sealed
        else:
            at = f"{where}, fragment {one.index}, bytes {one.media_offset} to {one.media_offset + one.media_size}"
            grounds.append(altered("fragment-differs", at, "these pictures are not the ones that were sealed"))
    return proved


def _unhex(path: Sequence[str]) -> list[bytes]:
    hashes = [bytes.fromhex(one) for one in path]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ValueError(f"a hash in a path has {HASH_BYTES} bytes")
    return hashes
