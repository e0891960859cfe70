"""Write the sidecar by which a stranger checks an export, with nothing but it, the MP4 and our public key.

The chain it lays open, from the stranger's bytes up:

1. Bytes of the MP4, behind the head they had on our disk, hash to a leaf of the segment's tree.
2. The leaf's path leads to the segment's root.
3. The root stands in the payload that was sealed, and payload and salt open the ledger entry's commitment.
4. The entry's path leads to the root of a checkpoint that we signed and others may have countersigned.

The header of the MP4 follows from the init segments, the heads and the span, all
of which are told, so that it can be made anew (`media.progressive.Arrangement`).

A segment that is not in the log yet is told as `open`: its hashes are given,
and nobody vouches for them. What is *not* proved: that the camera showed the
truth, and that no footage is missing beyond the gaps we confess.

Everything here is pure.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from svidok.base import Span
from svidok.ledger import JSON, inclusion_path
from svidok.ledger.entry import instant_text
from svidok.ledger.sidecar import FORMAT

MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A ledger entry with what opens it and its place in the log that the checkpoint signs."""

    leaf: dict[str, JSON]
    payload: dict[str, JSON]
    salt: bytes
    leaf_index: int
    inclusion: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFragment:
    """Leaf `leaf` of its segment: its bytes before the media, and where the export holds the media."""

    leaf: int
    head: bytes
    media_offset: int
    media_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedSegment:
    """The part of one segment that an export holds. `statement` is missing while the log does not have its seal."""

    segment_id: UUID
    statement: Statement | None
    init: bytes
    leaf_hashes: Sequence[bytes]
    fragments: Sequence[ExportedFragment]


def prove_segment(segment: ExportedSegment) -> dict[str, JSON]:
    """What the sidecar says of one segment."""
    hashes = segment.leaf_hashes
    told: dict[str, JSON] = {
        "segment": str(segment.segment_id),
        "state": "open" if segment.statement is None else "sealed",
        "leaf": None,
        "payload": None,
        "salt": None,
        "leaf_index": None,
        "inclusion": [],
        "leaves": len(hashes),
        "init": base64.b64encode(segment.init).decode(),
        "init_path": _hex(inclusion_path(hashes, 0)),
        "fragments": [_prove_fragment(fragment, hashes) for fragment in segment.fragments],
    }
    if segment.statement is not None:
        told |= {
            "leaf": segment.statement.leaf,
            "payload": segment.statement.payload,
            "salt": segment.statement.salt.hex(),
            "leaf_index": segment.statement.leaf_index,
            "inclusion": _hex(segment.statement.inclusion),
        }
    return told


def _prove_fragment(fragment: ExportedFragment, hashes: Sequence[bytes]) -> dict[str, JSON]:
    return {
        "index": fragment.leaf,
        "head": base64.b64encode(fragment.head).decode(),
        "media_offset": fragment.media_offset,
        "media_size": fragment.media_size,
        "path": _hex(inclusion_path(hashes, fragment.leaf)),
    }


def _hex(hashes: Iterable[bytes]) -> list[JSON]:
    return [one.hex() for one in hashes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """The MP4 that the sidecar goes with."""

    name: str
    size_bytes: int
    sha256: str


def hash_media(chunks: Iterable[bytes], *, name: str) -> ExportedFile:
    """Size and SHA-256 of an export, read once and forgotten as it goes by."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return ExportedFile(name=name, size_bytes=size, sha256=digest.hexdigest())


def write_sidecar(
    media: ExportedFile,
    *,
    channel_id: UUID,
    span: Span,
    checkpoint: str,
    segments: Iterable[ExportedSegment],
    gaps: Iterable[dict[str, JSON]],
) -> Iterator[bytes]:
    """The sidecar as JSON, a segment at a time, so that a day of footage needs no more memory than a minute."""
    opening: dict[str, JSON] = {
        "format": FORMAT,
        "media": {"name": media.name, "size_bytes": media.size_bytes, "sha256": media.sha256},
        "channel": str(channel_id),
        "from": instant_text(span.start),
        "to": instant_text(span.end),
        "checkpoint": checkpoint,
        "gaps": list(gaps),
    }
    yield _text(opening)[:-1] + b',"segments":['
    for number, segment in enumerate(segments):
        yield (b"," if number else b"") + _text(prove_segment(segment))
    yield b"]}\n"


def _text(value: JSON) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
