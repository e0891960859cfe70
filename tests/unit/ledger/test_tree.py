"""The tree against a second implementation, against the standard's own shape, and against liars."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from svidok.ledger.tree import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([n % 256, n // 256])) for n in range(300)]
ROOTS = [root_of(LEAVES[:size]) for size in range(301)]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256().digest()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70))
@settings(max_examples=60, deadline=None)
def test_the_root_is_the_one_pymerkle_computes(entries: list[bytes]) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for entry in entries:
        oracle.append_entry(entry)
    assert root_of([leaf_hash(entry) for entry in entries]) == oracle.get_state()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 33, 64, 100, 255, 256, 257, 300])
def test_every_leaf_is_proved_and_no_other(size: int) -> None:
    for index in range(size):
        path = inclusion_path(LEAVES[:size], index)
        assert verify_inclusion(LEAVES[index], index=index, size=size, path=path, root=ROOTS[size])
        assert not verify_inclusion(LEAVES[(index + 1) % 300], index=index, size=size, path=path, root=ROOTS[size])
        assert not verify_inclusion(LEAVES[index], index=index + 1, size=size, path=path, root=ROOTS[size])
        assert not verify_inclusion(LEAVES[index], index=index, size=size, path=[*path, bytes(32)], root=ROOTS[size])
        if path:
            assert not verify_inclusion(LEAVES[index], index=index, size=size, path=path[:-1], root=ROOTS[size])


def test_growth_is_proved_for_every_pair_of_sizes() -> None:
    for new in range(1, 90):
        for old in range(1, new + 1):
            path = consistency_path(LEAVES[:new], old)
            say = {"old_size": old, "new_size": new, "path": path}
            assert verify_consistency(old_root=ROOTS[old], new_root=ROOTS[new], **say)
            assert not verify_consistency(old_root=ROOTS[old + 1], new_root=ROOTS[new], **say)
            assert not verify_consistency(old_root=ROOTS[old], new_root=ROOTS[new + 1], **say)
