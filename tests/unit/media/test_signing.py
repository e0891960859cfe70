"""Signed video: the standard's verdicts on what was signed, changed, lost, reordered, or signed by somebody else."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.media.signed_sei import BadDocument, is_document, parse
from svidok.media.signing import Authenticity, GroupVerdict, Verifier
from svidok.media.signing_trust import Trust
from svidok.simulate.signing import Identity, StreamSigner, make_identity, seal_document

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMERA = make_identity("Camera 7", valid_from=NOON - timedelta(days=1))
AUTHENTIC, MISSING, NOT = Authenticity.AUTHENTIC, Authenticity.MISSING, Authenticity.NOT_AUTHENTIC


def picture(group: int, number: int, *, hevc: bool = False) -> bytes:
    """A NAL unit that looks like a slice: an IDR at the head of a group, else a P."""
    body = f"picture {group}.{number} ".encode() * 5 + b"\x80"
    if hevc:
        return (b"\x26\x01\x80" if number == 0 else b"\x02\x01\x80") + body
    return (b"\x65\x88" if number == 0 else b"\x41\x9a") + body


def stream(
    groups: int = 4, *, length: int = 5, hevc: bool = False, identity: Identity = CAMERA, low_bitrate: bool = False,
    unsigned: tuple[int, ...] = (), split_at: int | None = None,
) -> list[bytes]:  # fmt: skip
    """Groups of pictures as a signing camera sends them; `unsigned` groups are told of without a signature."""
    signer = StreamSigner(identity=identity, hevc=hevc, low_bitrate=low_bitrate)
    nals: list[bytes] = [b"\x67sps", b"\x68pps"]
    for group in range(groups):
        at = NOON + timedelta(seconds=group)
        sei = signer.begin_group(at=at, signed=group - 1 not in unsigned)
        if sei is not None:
            nals.append(sei)
        late = sei if sei is not None and group - 1 in unsigned else None
        for number in range(length):
            nal = picture(group, number, hevc=hevc)
            nals.append(nal)
            if late is not None and number == 0:
                # It stood before this picture, yet belongs to the group that the picture begins.
                nals.remove(late)
                nals.append(late)
            signer.add(hashlib.sha256(nal).digest())
            if late is not None and number == 0:
                signer.add_sei(late)
                late = None
            if split_at == number:
                part = signer.split_group(at=at + timedelta(milliseconds=500))
                assert part is not None
                nals.append(part)
    return nals


def verdicts(nals: list[bytes], *, roots: bytes = CAMERA.root, hevc: bool = False) -> list[GroupVerdict]:
    verifier = Verifier(hevc=hevc, roots=roots)
    return [verdict for nal in nals for verdict in verifier.feed(nal)]


def told(nals: list[bytes], **more) -> list[tuple[Authenticity, tuple[str, ...]]]:
    return [(one.verdict, one.grounds) for one in verdicts(nals, **more)]


@pytest.mark.parametrize("hevc", [False, True])
@pytest.mark.parametrize("low_bitrate", [False, True])
def test_what_was_signed_is_authentic_but_for_the_end(hevc: bool, low_bitrate: bool) -> None:
    nals = stream(hevc=hevc, low_bitrate=low_bitrate)
    assert told(nals, hevc=hevc) == [(AUTHENTIC, ())] * 3
    verifier = Verifier(hevc=hevc, roots=CAMERA.root)
    for nal in nals:
        verifier.feed(nal)
    assert (verifier.pending, verifier.documents, verifier.damaged) == (5, 3, 0)


def test_a_verdict_says_who_signed_which_stretch_of_time() -> None:
    first, *_ = verdicts(stream())
    assert (first.start, first.end) == (NOON, NOON + timedelta(seconds=1))
    assert (first.first, first.last) == (2, 6)
    assert first.signer is not None
    assert (first.signer.subject, first.signer.trust) == ("CN=Camera 7", Trust.TRUSTED)


def test_a_stream_without_documents_says_nothing() -> None:
    nals = [nal for nal in stream() if not is_document(nal, hevc=False)]
    assert told(nals) == []


@settings(max_examples=60, deadline=None)
@given(which=st.integers(2, 16), at=st.integers(2, 10_000), bit=st.integers(0, 7), low_bitrate=st.booleans())
def test_one_flipped_bit_of_a_picture_is_found(which: int, at: int, bit: int, low_bitrate: bool) -> None:
    nals = stream(low_bitrate=low_bitrate)
    pictures = [n for n, nal in enumerate(nals) if n > 1 and not is_document(nal, hevc=False)]
    place = pictures[which - 2]
    nal = bytearray(nals[place])
    nal[2 + at % (len(nal) - 3)] ^= 1 << bit
    nals[place] = bytes(nal)
    found = told(nals)
    assert [verdict for verdict, _ in found].count(NOT) >= 1
    group = (which - 2) // 5
    assert found[group][0] is NOT


@settings(max_examples=120, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_document_never_makes_its_group_authentic(at: int, bit: int) -> None:
    nals = stream(2)
    place = next(n for n, nal in enumerate(nals) if is_document(nal, hevc=False))
    used = len(nals[place]) - 1 - 8  # behind it lies what fills the room of a signature, which nothing covers
    nal = bytearray(nals[place])
    nal[at % used] ^= 1 << bit
    nals[place] = bytes(nal)
    trusted = [one for one in verdicts(nals) if one.verdict is AUTHENTIC and one.signer is not None]
    assert [one for one in trusted if one.signer and one.signer.trust is Trust.TRUSTED] == []


def test_a_lost_picture_is_missing_and_the_rest_stands() -> None:
    nals = stream()
    nals.remove(picture(1, 3))
    assert told(nals) == [(AUTHENTIC, ()), (MISSING, ("nal-units-missing",)), (AUTHENTIC, ())]
    nals = stream(low_bitrate=True)
    nals.remove(picture(1, 3))
    assert told(nals)[1] == (NOT, ("group-hash-differs",))


def test_pictures_in_another_order_are_not_authentic() -> None:
    nals = stream()
    a, b = nals.index(picture(1, 2)), nals.index(picture(1, 3))
    nals[a], nals[b] = nals[b], nals[a]
    assert told(nals)[1] == (NOT, ("nal-unit-differs",))


def test_a_group_taken_out_with_its_document_breaks_the_link() -> None:
    nals = stream(5)
    seis = [n for n, nal in enumerate(nals) if is_document(nal, hevc=False)]
    cut = nals[: seis[0] + 1] + nals[seis[1] + 1 :]  # the second group and the SEI that speaks of it
    found = told(cut)
    assert found[0] == (AUTHENTIC, ())
    assert (NOT, ("link-broken",)) in found


def test_a_document_taken_out_leaves_its_group_without_a_word_and_harms_no_other() -> None:
    nals = stream(5)
    seis = [nal for nal in nals if is_document(nal, hevc=False)]
    nals.remove(seis[1])
    found = told(nals)
    assert found == [(AUTHENTIC, ()), (NOT, ("document-missing",)), (AUTHENTIC, ()), (AUTHENTIC, ())]


def test_a_group_put_twice_is_found() -> None:
    nals = stream(4)
    seis = [n for n, nal in enumerate(nals) if is_document(nal, hevc=False)]
    doubled = nals[: seis[1] + 1] + nals[seis[0] + 1 : seis[1] + 1] + nals[seis[1] + 1 :]
    assert any(verdict is NOT for verdict, _ in told(doubled))


def test_a_recording_that_begins_in_the_middle_begins_with_what_can_be_told() -> None:
    nals = stream(5)
    seis = [n for n, nal in enumerate(nals) if is_document(nal, hevc=False)]
    for begin in (seis[0], seis[0] + 1, seis[0] + 3, seis[1] - 1):
        found = told(nals[begin:])
        assert {verdict for verdict, _ in found} == {AUTHENTIC}
        assert len(found) >= 2


def test_splitting_a_group_and_signing_every_other_one() -> None:
    assert told(stream(3, split_at=2)) == [(AUTHENTIC, ())] * 5
    nals = stream(5, unsigned=(0, 2))
    assert told(nals) == [(AUTHENTIC, ())] * 4
    place = nals.index(picture(0, 2))
    nals[place] = nals[place].replace(b"picture", b"Picture")
    assert told(nals)[0] == (NOT, ("nal-unit-differs",))


def test_somebody_elses_key_is_not_trusted_and_a_wrong_one_is_refused() -> None:
    stranger = make_identity("Somebody", valid_from=NOON)
    assert told(stream(identity=stranger)) == [(AUTHENTIC, ("signer-untrusted",))] * 3
    assert told(stream(), roots=b"") == [(AUTHENTIC, ("signer-untrusted",))] * 3
    forged = Identity(stranger.key, CAMERA.chain, CAMERA.root)
    assert {verdict for verdict, _ in told(stream(identity=forged))} == {NOT}
    assert told(stream(identity=forged))[0][1][0] == "bad-signature"


def test_certificates_are_judged_at_the_time_that_the_camera_claims() -> None:
    old = make_identity("Old", valid_from=NOON - timedelta(days=400), days=30)
    assert told(stream(identity=old), roots=old.root) == [(AUTHENTIC, ("expired-at-claimed-time",))] * 3


def test_a_certificate_sei_serves_documents_that_bear_none() -> None:
    bare = Identity(CAMERA.key, b"", CAMERA.root)
    certificate = seal_document(
        CAMERA.key, b"\x06" + (2 + len(CAMERA.chain)).to_bytes(2, "big") + b"\x01\x00" + CAMERA.chain, hevc=False,
        signed=True, kind=0x80,
    )  # fmt: skip
    assert told(stream(identity=bare))[0] == (NOT, ("no-certificate",))
    assert told([certificate, *stream(identity=bare)]) == [(AUTHENTIC, ())] * 3


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=300), head=st.sampled_from([b"\x06\x05", b"\x4e\x01\x05"]))
def test_what_only_looks_like_a_document_is_counted_and_harms_nothing(junk: bytes, head: bytes) -> None:
    size = 16 + len(junk)
    nal = (
        head + b"\xff" * (size // 255) + bytes((size % 255,)) + bytes.fromhex("005bc93f2d715e95ada4796f90877a6f") + junk
    )
    hevc = len(head) == 3
    if is_document(nal, hevc=hevc):
        try:
            parse(nal, hevc=hevc)
            return  # junk that can be read was put between pictures, and is rightly called so
        except BadDocument:
            pass
    assert {verdict for verdict, _ in told([nal, *stream()])} == {AUTHENTIC}
