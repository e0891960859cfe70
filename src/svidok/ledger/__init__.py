"""An append-only log that anyone can check: entries, tree, checkpoints, proofs, audit. Knows bytes, not cameras."""

from svidok.ledger.entry import JSON, Entry, canonical, commit, opens
from svidok.ledger.log import Log, LogDamaged
from svidok.ledger.register import enter, sequence_once
from svidok.ledger.tree import inclusion_path, leaf_hash, root_of, verify_consistency, verify_inclusion

__all__ = [
    "JSON",
    "Entry",
    "Log",
    "LogDamaged",
    "canonical",
    "commit",
    "enter",
    "inclusion_path",
    "leaf_hash",
    "opens",
    "root_of",
    "sequence_once",
    "verify_consistency",
    "verify_inclusion",
]
