"""Judge one sealed segment by its camera's signatures. Reads media; decides by `media.signing`; writes nothing.

The document that speaks of a group comes with the next group. So the last
fragment of the segment before is read first (for the link), and the first ones
of the segment after last, as far as they are there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from svidok.media.boxes import parse_head
from svidok.media.signed_sei import is_document
from svidok.media.signing import Authenticity, GroupVerdict, Verifier
from svidok.media.signing_trust import Signer
from svidok.recording.idx import IndexRecord
from svidok.recording.reading import Located

_LOOK_AT = 2  # fragments in which a signing camera shows itself: each group's document comes with the next
_OFF = timedelta(seconds=30)  # a claimed time further from ours is told: old footage may be played to us again
_PRFT_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the signatures say of a segment; `groups` only of its own pictures."""

    signed: bool
    groups: tuple[GroupVerdict, ...] = ()
    pending: int = 0
    off: bool = False

    def count(self, verdict: Authenticity) -> int:
        """How many groups have this verdict."""
        return sum(1 for group in self.groups if group.verdict is verdict)

    @property
    def grounds(self) -> list[str]:
        """Every ground there was, each once."""
        found = {ground for group in self.groups for ground in group.grounds}
        return sorted(found | ({"time-inconsistent"} if self.off else set()))

    @property
    def signer(self) -> Signer | None:
        """The last signer."""
        return next((group.signer for group in reversed(self.groups) if group.signer is not None), None)


def judge(one: Located, *, before: Located | None, after: Located | None, roots: bytes) -> Judged:
    """What the camera's signatures say of a segment. Raises `OSError` or `Unavailable` where it cannot be read."""
    hevc = one.segment.codec.startswith(("hvc1", "hev1"))
    own = one.index().records
    if not _shows_itself(one, own, hevc):
        return Judged(signed=False)
    verifier, found = Verifier(hevc=hevc, roots=roots), list[GroupVerdict]()
    if before is not None:
        for nal in _nals(before, before.index().records[-1:]):
            verifier.feed(nal)
    first, pictures = verifier.fed, 0
    for nal in _nals(one, own):
        pictures += verifier.speaks_of(nal)
        found += verifier.feed(nal)
    last = verifier.fed
    if after is not None:
        for nal in _nals(after, after.index().records[:_LOOK_AT]):
            found += verifier.feed(nal)
    mine = tuple(group for group in found if first <= group.first < last)
    told = sum(min(group.last, last - 1) - group.first + 1 for group in mine)
    return Judged(signed=True, groups=mine, pending=max(0, pictures - told), off=_is_off(one, mine))


def _is_off(one: Located, groups: tuple[GroupVerdict, ...]) -> bool:
    """Whether the camera claims another time than ours, its known clock error taken into account."""
    known = timedelta(microseconds=one.segment.clock.offset_us)
    start, end = one.segment.start_at + known - _OFF, one.segment.end_at + known + _OFF
    return any(not start <= group.start <= end for group in groups)


def _shows_itself(one: Located, records: tuple[IndexRecord, ...], hevc: bool) -> bool:
    return any(is_document(nal, hevc=hevc) for nal in _nals(one, records[:_LOOK_AT]))


def _nals(one: Located, records: Sequence[IndexRecord]) -> Iterator[bytes]:
    """The NAL units of the pictures in some fragments."""
    with one.media.open("rb") as file:
        for record in records:
            file.seek(record.offset)
            data = file.read(record.size)
            head = _PRFT_BYTES + int.from_bytes(data[_PRFT_BYTES : _PRFT_BYTES + 4], "big") + 8
            samples = parse_head(data[:head])
            if samples is not None:
                yield from _length_prefixed(data, head, head + sum(samples.video.sizes))


def _length_prefixed(data: bytes, at: int, end: int) -> Iterator[bytes]:
    while at + 4 <= end:
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 4 + length]
        at += 4 + length
