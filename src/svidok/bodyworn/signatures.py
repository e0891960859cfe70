"""What a worn camera that signs says of its own clip: judged once, when the clip is read; kept with its grounds.

The verdict is that of fixed cameras (`recording.signatures`), and so are the
alarms: one for a camera that signed and does not any more, one for a camera
whose word is not true. A clip begins and ends by itself: its last group of
pictures has nobody to speak of it, and is pending.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from svidok.base import Span
from svidok.db import Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.media.clips import ClipFile
from svidok.media.signed_sei import is_document
from svidok.media.signing import Authenticity, GroupVerdict, Verifier
from svidok.recording.signatures.judging import Judged
from svidok.recording.signatures.keeping import alarms_of, columns, stated
from svidok.recording.store import enter_facts

SQL = Queries.of("svidok.bodyworn")
CLIP_JUDGED = "worn.clip-judged"
PENDING, NOT_SIGNED = "pending", "not-signed"
_OFF = timedelta(seconds=30)
_LENGTH = 4  # bytes before each NAL unit of a clip


def judge_clip(path: Path, *, roots: bytes, claimed: Span | None) -> Judged:
    """What a clip's signatures say. `claimed`: when it was taken, by the camera's clock. Raises `BadInput`."""
    with closing(ClipFile(path)) as clip:
        hevc = clip.tracks.video.codec == "h265"
        if not any(is_document(nal, hevc=hevc) for nal in _nals(clip)):
            return Judged(signed=False)
    verifier, found, pictures = Verifier(hevc=hevc, roots=roots), list[GroupVerdict](), list[int]()
    with closing(ClipFile(path)) as clip:
        for nal in _nals(clip):
            if verifier.speaks_of(nal):
                pictures.append(verifier.fed)
            found += verifier.feed(nal)
    spoken = bytearray(verifier.fed)
    for group in found:
        spoken[group.first : group.last + 1] = b"\x01" * (group.last + 1 - group.first)
    return Judged(
        signed=True, groups=tuple(found), pending=sum(1 for number in pictures if not spoken[number]),
        off=claimed is not None and _is_off(claimed, found),
    )  # fmt: skip


def verdict_of(found: Judged) -> str:
    """All groups in one word: the worst of them; *pending* where no signature speaks of any."""
    if not found.signed:
        return NOT_SIGNED
    for one in (Authenticity.NOT_AUTHENTIC, Authenticity.MISSING, Authenticity.AUTHENTIC):
        if found.count(one):
            return str(one)
    return PENDING


def keep(tx: Transaction, clip: Row, found: Judged, *, at: datetime) -> None:
    """Write a verdict down, state it in the ledger where anything was signed, and raise or clear its alarms."""
    clip_id: UUID = clip["id"]
    verdict = verdict_of(found)
    told: dict[str, JSON] = {"clip": str(clip_id), "verdict": verdict, **stated(found)}
    before = tx.maybe(SQL["verdict_before"], camera_id=clip["camera_id"], before=clip["start_at"])
    tx.run(
        SQL["add_signature"], clip_id=clip_id, at=at, verdict=verdict, **columns(found),
        entry_id=enter(tx, kind=CLIP_JUDGED, subject=clip_id, payload=told, at=at) if found.signed else None,
    )  # fmt: skip
    news = alarms_of(
        found, signed_before=before is not None and before["verdict"] != NOT_SIGNED, subject=str(clip["channel_id"]),
        what={"clip": str(clip_id)}, at=at,
    )  # fmt: skip
    if news:
        enter_facts(tx, news)


def _is_off(claimed: Span, groups: Sequence[GroupVerdict]) -> bool:
    """Whether the signatures claim another time than the clip does: genuine old pictures may be shown to us again."""
    start, end = claimed.start - _OFF, claimed.end + _OFF
    return any(not start <= group.start <= end for group in groups)


def _nals(clip: ClipFile) -> Iterator[bytes]:
    """The NAL units of a clip's pictures, in order."""
    for one in clip.groups():
        begins = 0
        for size in one.group.sizes:
            at, end = begins, begins + size
            while at + _LENGTH <= end:
                length = int.from_bytes(one.group.data[at : at + _LENGTH], "big")
                yield bytes(one.group.data[at + _LENGTH : min(end, at + _LENGTH + length)])
                at += _LENGTH + length
            begins = end
