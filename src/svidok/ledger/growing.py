"""A Merkle tree that only grows, known by its right edge: a few hashes, however many leaves there were."""

from collections.abc import Iterable

from svidok.ledger.tree import EMPTY_ROOT, node_hash


class Edge:
    """The perfect subtrees that a tree of `size` leaves is made of, the largest first."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Take one up again; `ValueError` where there are not as many hashes as the size has ones in binary."""
        self.size, self.hashes = size, list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} hashes at its edge, not {len(self.hashes)}")

    def add(self, leaf: bytes) -> None:
        """One more leaf, by its hash."""
        self.hashes.append(leaf)
        rest = self.size
        while rest & 1:
            right, left = self.hashes.pop(), self.hashes.pop()
            self.hashes.append(node_hash(left, right))
            rest >>= 1
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root
