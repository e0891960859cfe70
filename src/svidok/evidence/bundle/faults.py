"""Faults, and what they come to: a verdict for each item of a bundle, with its grounds.

Codes and their gravity are those of docs/spec/bundle.md, so that every verifier
says the same of the same bytes. The words are for people and differ between
verifiers; only items, verdicts and codes are compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What an item, or the whole, comes to."""

    VALID = "valid"
    PARTIAL = "partial"  # nothing is false, but something is not proved
    INVALID = "invalid"


# What proves less, and falsifies nothing. Every other code makes its item invalid.
_PARTIAL = {
    "custody-missing", "derivative-not-original", "dangling-end", "expired-at-claimed-time", "gap-unexplained",
    "keys-unconfirmed", "missing-nal", "times-overlap", "tsa-not-checkable", "tsa-missing", "witness-missing",
}  # fmt: skip
_PARTIAL_OF_DEVICE = {"not-signed", "untrusted-key"}  # of a device's own signature, not of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that keeps an item from being valid: a stable code, where, and what it is in words.

    For pictures, `start_us` and `end_us` are their instants and `second` their place in the clip, in seconds.
    `of_device` is a fault that the discloser found in the device's own signature and tells.
    """

    item: str
    code: str
    where: str
    says: str
    start_us: int | None = None
    end_us: int | None = None
    second: int | None = None
    of_device: bool = False

    @property
    def verdict(self) -> Verdict:
        """What its item comes to by it alone."""
        if self.code in _PARTIAL or (self.of_device and self.code in _PARTIAL_OF_DEVICE):
            return Verdict.PARTIAL
        return Verdict.INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every item with its verdict, in the order in which they were examined, and the faults."""

    items: tuple[tuple[str, Verdict], ...]
    faults: tuple[Fault, ...]

    @property
    def verdict(self) -> Verdict:
        """Valid only where every item is."""
        return gravest(verdict for _, verdict in self.items)

    def codes(self) -> tuple[str, ...]:
        """`item code` of each fault, each once, in order: what verifiers are compared by."""
        return tuple(sorted({f"{fault.item} {fault.code}" for fault in self.faults}))


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of `verdicts`."""
    found = set(verdicts)
    return next((one for one in (Verdict.INVALID, Verdict.PARTIAL) if one in found), Verdict.VALID)


def report_of(items: Iterable[str], faults: Iterable[Fault]) -> Report:
    """The report over `items`, and over whatever else has a fault."""
    told = tuple(faults)
    verdicts: dict[str, list[Verdict]] = {name: [] for name in items}
    for fault in told:
        verdicts.setdefault(fault.item, []).append(fault.verdict)
    return Report(items=tuple((name, gravest(found)) for name, found in verdicts.items()), faults=told)
