"""Copies under keys of their own: whole and true, or not opened at all."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Conflict, new_id
from svidok.recording.copies.envelope import BLOCK, TAG_BYTES, Keeper, new_key, opened, seal, sealed_size

ID = UUID(int=7)


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 17])
def test_what_goes_in_comes_out_in_whatever_pieces(size: int) -> None:
    data, key = bytes(n % 251 for n in range(1000)) * (size // 1000 + 1), new_key()
    data = data[:size]
    sealed = b"".join(seal(data, key=key, segment_id=ID))
    assert len(sealed) == sealed_size(size)
    for piece in (977, BLOCK, BLOCK + TAG_BYTES, len(sealed) + 1):
        assert b"".join(opened(in_pieces(sealed, piece), key=key, segment_id=ID)) == data


def test_the_same_bytes_and_key_give_the_same_copy() -> None:
    key = new_key()
    assert list(seal(b"pictures", key=key, segment_id=ID)) == list(seal(b"pictures", key=key, segment_id=ID))


@given(at=st.integers(0, 2 * BLOCK + 100), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_refused(at: int, bit: int) -> None:
    key = bytes(32)
    sealed = bytearray(b"".join(seal(bytes(2 * BLOCK + 69), key=key, segment_id=ID)))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(Conflict):
        list(opened([bytes(sealed)], key=key, segment_id=ID))


@pytest.mark.parametrize("harm", ["cut", "cut-at-block", "swap", "double", "longer", "empty"])
def test_blocks_that_are_cut_off_swapped_or_doubled_are_refused(harm: str) -> None:
    key, size = new_key(), BLOCK + TAG_BYTES
    sealed = b"".join(seal(bytes(3 * BLOCK), key=key, segment_id=ID))
    blocks = in_pieces(sealed, size)
    harmed = {
        "cut": sealed[:-1],
        "cut-at-block": sealed[: 2 * size],
        "swap": blocks[1] + blocks[0] + blocks[2],
        "double": blocks[0] + blocks[0] + blocks[1] + blocks[2],
        "longer": sealed + b"x",
        "empty": b"",
    }[harm]
    with pytest.raises(Conflict):
        list(opened([harmed], key=key, segment_id=ID))


def test_no_copy_passes_for_another() -> None:
    key = new_key()
    sealed = list(seal(b"pictures", key=key, segment_id=ID))
    with pytest.raises(Conflict):
        list(opened(sealed, key=key, segment_id=new_id()))
    with pytest.raises(Conflict):
        list(opened(sealed, key=new_key(), segment_id=ID))


def test_keys_open_only_where_they_belong(tmp_path: Path) -> None:
    keeper, key = Keeper(tmp_path / "copies.key"), new_key()
    wrapped = keeper.wrap(key, segment_id=ID, target="file:///a")
    assert keeper.unwrap(wrapped, segment_id=ID, target="file:///a") == key
    for segment_id, target in ((new_id(), "file:///a"), (ID, "file:///b")):
        with pytest.raises(Conflict):
            keeper.unwrap(wrapped, segment_id=segment_id, target=target)
    with pytest.raises(Conflict):
        Keeper(tmp_path / "another.key").unwrap(wrapped, segment_id=ID, target="file:///a")


def test_turning_the_key_goes_on_with_both_and_then_forgets(tmp_path: Path) -> None:
    keeper, elsewhere = Keeper(tmp_path / "copies.key"), Keeper(tmp_path / "copies.key")
    key = new_key()
    before = keeper.wrap(key, segment_id=ID, target="t")
    keeper.turn()
    assert elsewhere.unwrap(before, segment_id=ID, target="t") == key
    after = elsewhere.wrap(key, segment_id=ID, target="t")
    keeper.forget()
    assert elsewhere.unwrap(after, segment_id=ID, target="t") == key
    with pytest.raises(Conflict):
        elsewhere.unwrap(before, segment_id=ID, target="t")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "copies.key"
    Keeper(path)
    path.chmod(0o644)
    with pytest.raises(Conflict, match="chmod 600"):
        Keeper(path)
