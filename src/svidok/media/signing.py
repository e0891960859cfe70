"""Whether the pictures of a signing camera are the ones it signed (ONVIF Media Signing 26.06).

Feed it the NAL units of a stream in their order. For each group of pictures
that a signature speaks of it says one of the standard's verdicts, with grounds:

- *authentic*: every hash is the one signed, in the order signed;
- *missing*: what is here is authentic, and something that was signed is not here;
- *not authentic*: a picture, an order, a link or a signature is wrong.

Pictures that no signature speaks of (yet) are *pending*: the end of a recording
always is, and so is its beginning where the group began before. A stream
without a single document is *not signed*. Sound is not covered by the standard,
nor are parameter sets: what their change does to the picture is not told here.

Pure: no clock, no store. Expired certificates are judged at the instant that
the camera claims, as the standard wants.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from svidok.media.signed_sei import BadDocument, Document, GroupTold, is_document, parse
from svidok.media.signing_trust import Signer, Trust, signer_of, verify


class Authenticity(StrEnum):
    """The verdict on one group of pictures."""

    AUTHENTIC = "authentic"
    MISSING = "missing"
    NOT_AUTHENTIC = "not-authentic"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupVerdict:
    """One verdict with its grounds. `first` and `last` number the NAL units that it covers, as they were fed."""

    verdict: Authenticity
    grounds: tuple[str, ...]
    first: int
    last: int
    start: datetime
    end: datetime
    signer: Signer | None


@dataclass(slots=True)
class _Item:
    """A NAL unit that signatures speak of."""

    number: int
    hash: bytes
    anchors: bool
    document: Document | None = None


@dataclass(slots=True, kw_only=True)
class Verifier:
    """Follows one stream. `roots` are the certificates that the administrator trusts, in PEM."""

    hevc: bool
    roots: bytes = b""
    documents: int = 0
    damaged: int = 0
    _number: int = -1
    _digest: str = "sha256"
    _anchor: bytes = b""
    _waiting: list[_Item] = field(default_factory=list)
    _unsigned: list[Document] = field(default_factory=list)
    _link: bytes = b""
    _synced: bool = False
    _skipped: list[_Item] = field(default_factory=list)
    _chain: bytes = b""
    _user_chain: bytes = b""

    @property
    def pending(self) -> int:
        """How many NAL units no signature has spoken of."""
        return len(self._waiting)

    @property
    def fed(self) -> int:
        """How many NAL units were fed."""
        return self._number + 1

    def speaks_of(self, nal: bytes) -> bool:
        """Whether signatures speak of a NAL unit at all: slices of pictures, and nothing else."""
        return self._is_picture(nal)

    def feed(self, nal: bytes) -> list[GroupVerdict]:
        """Take the next NAL unit; the verdicts that it made possible."""
        self._number += 1
        nal = nal.rstrip(b"\x00")  # some writers of files pad; hashes end at the stop bit
        if is_document(nal, hevc=self.hevc):
            return self._take_document(nal)
        if self._is_picture(nal):
            self._take_picture(nal)
        return []

    def _is_picture(self, nal: bytes) -> bool:
        kind = nal[0] >> 1 & 63 if self.hevc else nal[0] & 31
        return kind < 32 if self.hevc else kind in (1, 5)

    def _begins_group(self, nal: bytes) -> bool:
        """The first slice of a picture that stands by itself (H.264 7.3.3: first_mb_in_slice is 0; H.265 7.3.6.1)."""
        if self.hevc:
            return 16 <= nal[0] >> 1 & 63 <= 21 and len(nal) > 2 and bool(nal[2] & 0x80)
        return nal[0] & 31 == 5 and len(nal) > 1 and bool(nal[1] & 0x80)

    def _take_picture(self, nal: bytes) -> None:
        plain = self._hash(nal)
        if self._begins_group(nal):
            self._anchor = plain
            self._waiting.append(_Item(self._number, plain, True))
        elif self._anchor:
            self._waiting.append(_Item(self._number, self._hash(self._anchor + plain), False))
        # else: the group began before we listened, and nothing can be said of it

    def _hash(self, data: bytes) -> bytes:
        return hashlib.new(self._digest, data).digest()

    def _take_document(self, nal: bytes) -> list[GroupVerdict]:
        try:
            told = parse(nal, hevc=self.hevc)
        except BadDocument:
            self.damaged += 1
            return []
        self.documents += 1
        self._digest = told.digest
        self._chain, self._user_chain = told.chain or self._chain, told.user_chain or self._user_chain
        if told.is_certificate:
            return []
        if told.group is not None and not self._agrees(told.group):
            self.damaged += 1  # signed or not, it does not agree with itself: what it speaks of stays pending
            return []
        if not told.signature:
            self._waiting.append(_Item(self._number, self._hash(told.hashed), False, told))
            if told.group is not None:
                self._unsigned.append(told)
            return []
        documents = [*self._unsigned, told]
        self._unsigned = []
        return self._judge(documents)

    def _agrees(self, told: GroupTold) -> bool:
        """Whether a document's list of hashes, where it has one, is what its group hash and count say."""
        return not told.hashes or (
            len(told.hashes) == told.count and self._hash(b"".join(told.hashes)) == told.group_hash
        )

    def _judge(self, documents: list[Document]) -> list[GroupVerdict]:
        """The groups that these documents speak of; the last is signed, and vouches for those before."""
        signed = documents[-1]
        at = signed.group.end if signed.group else None
        signer = signer_of(self._user_chain or self._chain, roots=self.roots, at=at)
        trouble = verify(signer, signed) if signed.group else "it speaks of no group"
        verdicts: list[GroupVerdict] = []
        for told in documents:
            if told.group is None:
                continue
            items = self._take(told.group)
            verdicts += self._untold(told.group, signer)
            if items is not None:
                verdicts.append(self._verdict(told.group, items, signer, trouble))
        return _vouched(verdicts)

    def _take(self, told: GroupTold) -> list[_Item] | None:
        """The waiting items that a group is made of; nothing where it lies before what we saw."""
        self._skipped = []
        if not self._synced:
            if not self._waiting or not self._is_ours(told):
                return None
            self._synced = True
        named = next((n for n, item in enumerate(self._waiting) if told.hashes[:1] == (item.hash,)), 0)
        self._skipped, self._waiting = self._waiting[:named], self._waiting[named:]
        if told.partial:
            items, self._waiting = self._waiting[: told.count], self._waiting[told.count :]
            return items
        stop = self._end_of_group(told)
        items, self._waiting = self._waiting[:stop], self._waiting[stop:]
        return items

    def _untold(self, told: GroupTold, signer: Signer | None) -> list[GroupVerdict]:
        """The verdict on pictures whose own document never came, though one for later pictures did."""
        if not self._skipped:
            return []
        first, last = self._skipped[0], self._skipped[-1]
        anchors = [item.hash for item in self._skipped if item.anchors]
        self._link = anchors[-1] if anchors else first.hash
        return [
            GroupVerdict(
                verdict=Authenticity.NOT_AUTHENTIC, grounds=("document-missing",), first=first.number,
                last=last.number, start=told.start, end=told.start, signer=signer,
            )
        ]  # fmt: skip

    def _is_ours(self, told: GroupTold) -> bool:
        """Whether the first document is about pictures that we saw from their beginning."""
        known = [item.hash for item in self._waiting]
        if any(one in told.hashes for one in known):
            return True
        if self._hash(b"".join(known[: told.count])) == told.group_hash:
            return True
        return self._end_of_first_group() == told.count  # it names nothing that we saw, and is as long as what we saw

    def _end_of_first_group(self) -> int:
        return next((n for n, item in enumerate(self._waiting) if item.anchors and n > 0), len(self._waiting))

    def _end_of_group(self, told: GroupTold) -> int:
        """Where the waiting items of a whole group end: at the next one that begins a group, or after its count."""
        exact = self._waiting[: told.count]
        if self._hash(b"".join(item.hash for item in exact)) == told.group_hash:
            return len(exact)
        stop = self._end_of_first_group()
        return stop if stop < len(self._waiting) else min(told.count, stop)

    def _verdict(self, told: GroupTold, items: list[_Item], signer: Signer | None, trouble: str) -> GroupVerdict:
        grounds: list[str] = [trouble] if trouble else []
        if self._link and told.linked_hash != self._link:
            grounds.append("link-broken")
        found = self._compare(told, items)
        missing = found == "missing"
        if found and not missing:
            grounds.append(found)
        verdict = (
            Authenticity.NOT_AUTHENTIC if grounds else (Authenticity.MISSING if missing else Authenticity.AUTHENTIC)
        )
        if missing:
            grounds.append("nal-units-missing")
        if signer is not None and signer.trust is not Trust.TRUSTED:
            grounds.append(str(signer.trust))
        self._link = items[0].hash if items else b""
        return GroupVerdict(
            verdict=verdict, grounds=tuple(grounds), first=items[0].number if items else self._number,
            last=items[-1].number if items else self._number, start=told.start, end=told.end, signer=signer,
        )  # fmt: skip

    def _compare(self, told: GroupTold, items: Sequence[_Item]) -> str:
        """What is wrong with a group's pictures: nothing, `missing`, or the ground for calling it not authentic."""
        hashes = [item.hash for item in items]
        if len(hashes) == told.count and self._hash(b"".join(hashes)) == told.group_hash:
            return ""
        if not told.hashes:
            return "group-hash-differs"
        if not hashes:
            return "missing"
        return "missing" if _is_within(hashes, told.hashes) else "nal-unit-differs"


def _is_within(some: Sequence[bytes], listed: Sequence[bytes]) -> bool:
    """Whether `some` are all in the list, in its order."""
    there: Iterator[bytes] = iter(listed)
    return all(one in there for one in some)


def _vouched(verdicts: list[GroupVerdict]) -> list[GroupVerdict]:
    """A group told of by an unsigned document is as good as the next one, which holds that document's hash."""
    judged: list[GroupVerdict] = []
    broken = False
    for verdict in reversed(verdicts):
        if broken and verdict.verdict is not Authenticity.NOT_AUTHENTIC:
            verdict = GroupVerdict(
                verdict=Authenticity.NOT_AUTHENTIC, grounds=(*verdict.grounds, "not-vouched-for"), first=verdict.first,
                last=verdict.last, start=verdict.start, end=verdict.end, signer=verdict.signer,
            )  # fmt: skip
        broken = broken or verdict.verdict is Authenticity.NOT_AUTHENTIC
        judged.append(verdict)
    return judged[::-1]
