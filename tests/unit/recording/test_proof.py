"""A stranger's arithmetic over a sidecar: every step leads to the next, and a changed byte breaks the first."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Span
from svidok.ledger import leaf_hash, root_of, verify_inclusion
from svidok.recording.proof import (
    ExportedFile,
    ExportedFragment,
    ExportedSegment,
    Statement,
    hash_media,
    write_sidecar,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHANNEL = UUID(int=7)
INIT = b"init bytes"
HEADS = [b"head-%d" % n for n in range(5)]
MEDIA = [bytes([n]) * (n + 1) for n in range(5)]
HASHES = [leaf_hash(INIT), *(leaf_hash(head + media) for head, media in zip(HEADS, MEDIA, strict=True))]


def segment(*, first: int, last: int, statement: Statement | None) -> ExportedSegment:
    offset, parts = 100, []
    for n in range(first, last + 1):
        parts.append(ExportedFragment(leaf=n + 1, head=HEADS[n], media_offset=offset, media_size=len(MEDIA[n])))
        offset += len(MEDIA[n])
    return ExportedSegment(segment_id=UUID(int=9), statement=statement, init=INIT, leaf_hashes=HASHES, fragments=parts)


def sidecar(*segments: ExportedSegment) -> dict:
    text = b"".join(
        write_sidecar(
            ExportedFile(name="a.mp4", size_bytes=3, sha256="00"),
            channel_id=CHANNEL,
            span=Span(NOON, NOON + timedelta(seconds=10)),
            checkpoint="origin\n1\nroot\n\n— origin sig\n",
            segments=segments,
            gaps=[],
        )
    )
    return json.loads(text)


@given(first=st.integers(0, 4), length=st.integers(0, 4))
def test_every_exported_fragment_leads_to_the_root(first: int, length: int) -> None:
    last = min(4, first + length)
    media = b"\0" * 100 + b"".join(MEDIA[first : last + 1])
    told = sidecar(segment(first=first, last=last, statement=None))["segments"][0]
    root = root_of(HASHES)
    init_path = [bytes.fromhex(one) for one in told["init_path"]]
    assert verify_inclusion(
        leaf_hash(base64.b64decode(told["init"])), index=0, size=told["leaves"], path=init_path, root=root
    )
    assert [f["index"] for f in told["fragments"]] == list(range(first + 1, last + 2))
    for one in told["fragments"]:
        bytes_of = media[one["media_offset"] : one["media_offset"] + one["media_size"]]
        path = [bytes.fromhex(step) for step in one["path"]]
        head = base64.b64decode(one["head"])
        place = {"index": one["index"], "size": told["leaves"], "path": path, "root": root}
        assert verify_inclusion(leaf_hash(head + bytes_of), **place)
        flipped = bytes([bytes_of[0] ^ 1]) + bytes_of[1:]
        assert not verify_inclusion(leaf_hash(head + flipped), **place)


def test_a_segment_outside_the_log_is_called_open_and_claims_nothing() -> None:
    told = sidecar(segment(first=0, last=1, statement=None))["segments"][0]
    assert told["state"] == "open"
    assert (told["leaf"], told["payload"], told["salt"], told["leaf_index"], told["inclusion"]) == (
        None, None, None, None, [],
    )  # fmt: skip


def test_a_sealed_segment_carries_its_statement() -> None:
    statement = Statement(
        leaf={"kind": "segment.sealed"}, payload={"root": "aa"}, salt=b"\1" * 32, leaf_index=4, inclusion=[b"\2" * 32]
    )
    told = sidecar(segment(first=2, last=2, statement=statement))["segments"][0]
    assert told["state"] == "sealed"
    assert told["salt"] == "01" * 32
    assert told["inclusion"] == ["02" * 32]
    assert told["leaf_index"] == 4
    assert told["payload"] == {"root": "aa"}


def test_the_frame_of_the_sidecar() -> None:
    told = sidecar()
    assert told["format"] == "svidok-proof/2"
    assert (told["from"], told["to"]) == ("2026-11-24T12:00:00.000000Z", "2026-11-24T12:00:10.000000Z")
    assert told["segments"] == []
    assert told["channel"] == str(CHANNEL)


def test_media_is_hashed_as_it_goes_by() -> None:
    file = hash_media(iter([b"ab", b"", b"c"]), name="x.mp4")
    assert (file.name, file.size_bytes, file.sha256) == ("x.mp4", 3, hashlib.sha256(b"abc").hexdigest())
