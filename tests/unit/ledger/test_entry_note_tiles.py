"""Leaves, notes and tile arithmetic: known answers, and everything that is nearly right refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from svidok.ledger.entry import Entry, canonical, commit, opens
from svidok.ledger.note import BadNote, Checkpoint, Verifier, open_note, sign_note
from svidok.ledger.tiles import bundles_of, pack, tiles_of, unpack

ENTRY = Entry(
    id=UUID(int=1), kind="segment.sealed", subject=UUID(int=2), at=datetime(2026, 11, 24, 10, tzinfo=UTC),
    commitment=bytes(32),
)  # fmt: skip
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier(name="svidok.test/log", key=KEY.public_key())


def test_a_leaf_has_one_form_only() -> None:
    written = ENTRY.leaf_bytes()
    assert written == (
        b'{"at":"2026-11-24T10:00:00.000000Z","commitment":"' + b"0" * 64 + b'",'
        b'"id":"00000000-0000-0000-0000-000000000001","kind":"segment.sealed",'
        b'"subject":"00000000-0000-0000-0000-000000000002","v":1}'
    )
    assert Entry.parse(written) == ENTRY
    for twisted in (
        written.replace(b'":', b'": '),
        written[:-1],
        b"[]",
        b'{"id":1}',
        written.replace(b'"v":1', b'"v":2'),
        written.replace(b"2026-11", b"2026-13"),
        written.replace(b"2026-", b"0999-"),
        written.replace(b"2026-", b"0000-"),
        written.replace(b"0" * 64, b"A" * 64),
        written.replace(b"10:00:00", b"24:00:00"),
        written + b"\n",
    ):
        with pytest.raises(ValueError):
            Entry.parse(twisted)


def test_a_commitment_opens_only_with_what_it_was_made_of() -> None:
    payload, salt, commitment = commit({"channel": "x", "n": 3})
    assert opens(commitment, payload=payload, salt=salt)
    assert not opens(commitment, payload=payload + b" ", salt=salt)
    assert not opens(commitment, payload=payload, salt=bytes(32))
    assert commit({"channel": "x", "n": 3})[2] != commitment


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, {1: "a"}])
def test_what_two_writers_would_write_differently_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)  # type: ignore[arg-type]


def test_a_note_opens_with_its_key_and_no_other() -> None:
    text = Checkpoint(origin="svidok.test/log", size=3, root=bytes(32)).text()
    note = sign_note(text, verifier=VERIFIER, sign=KEY.sign)
    assert open_note(note, verifier=VERIFIER) == text
    other = Ed25519PrivateKey.generate()
    with pytest.raises(BadNote):
        open_note(note, verifier=Verifier(name=VERIFIER.name, key=other.public_key()))
    with pytest.raises(BadNote):
        open_note(note.replace("\n3\n", "\n4\n"), verifier=VERIFIER)
    with pytest.raises(BadNote):
        open_note(text, verifier=VERIFIER)
    assert Verifier.parse(VERIFIER.text()).text() == VERIFIER.text()
    with pytest.raises(BadNote):
        Verifier.parse(VERIFIER.text().replace("svidok", "svidak"))


def test_the_published_example_of_the_go_note_package_opens() -> None:
    """The key and note in the documentation of golang.org/x/mod/sumdb/note."""
    verifier = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    note = (
        text
        + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert open_note(note, verifier=verifier) == text


@pytest.mark.parametrize("text", ["", "a\n", "a\n01\nAAAA\n", "a\nx\nAAAA\n", "a\n1\n!!\n", "a\n1\nAAAA\n"])
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


def test_tiles_of_a_log_cover_it_exactly() -> None:
    assert list(tiles_of(70_000))[-3:] == [(1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert list(bundles_of(513)) == [(0, 256), (1, 256), (2, 1)]
    assert list(tiles_of(0)) == []


def test_a_torn_bundle_is_refused() -> None:
    bundle = pack([b"", b"one", b"x" * 65535])
    assert unpack(bundle) == [b"", b"one", b"x" * 65535]
    for cut in (1, 3, len(bundle) - 1):
        with pytest.raises(ValueError):
            unpack(bundle[:cut])
    with pytest.raises(ValueError):
        pack([b"x" * 65536])
