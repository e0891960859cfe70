"""Figures that can be shown and claims that can be refuted: suppression, comparison, peers. Pure.

**Suppression.** A count below the threshold could point at a person, so it is
withheld; and since a group whose sum is shown gives away its only withheld
cell, the next smallest is withheld with it. Zero points at nobody and is shown.

**Comparison.** Whether work became quicker is answered by the Hodges-Lehmann
shift of the logarithms (the median of all pairwise ratios), with its interval
from the Mann-Whitney distribution: it asks for no bell curve, and a few very
long procedures cannot carry it. A ratio of 0.90 means a tenth quicker. The
interval says what the data allow; one that contains 1 refutes no stillness.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 5
_PAIRS_AT_MOST = 4_000  # of each side: sixteen million pairs fit into memory and answer in a second
_FEWEST = 20


def withheld(counts: Mapping[str, int], *, threshold: int = THRESHOLD) -> frozenset[str]:
    """Which cells of a group, whose sum is shown, are withheld.

    >>> sorted(withheld({"1": 40, "2": 3, "3": 22, "4": 0}))
    ['2', '3']
    >>> sorted(withheld({"1": 40, "2": 2, "3": 3}))
    ['2', '3']
    """
    small = {name for name, count in counts.items() if 0 < count < threshold}
    hidden = sum(counts[name] for name in small)
    rest = sorted((name for name, count in counts.items() if count >= threshold), key=lambda name: (counts[name], name))
    # One cell alone, or several that together stay below the threshold, could be reckoned back from the sum.
    while small and rest and (len(small) == 1 or hidden < threshold):
        next_smallest = rest.pop(0)
        small.add(next_smallest)
        hidden += counts[next_smallest]
    return frozenset(small)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Before and after. `ratio` of after to before with its interval; unset where there is too little to say."""

    before: int
    after: int
    before_median_s: float | None
    after_median_s: float | None
    ratio: float | None
    low: float | None
    high: float | None
    confidence: float
    verdict: str  # quicker, slower, no-difference-shown, too-few


def compare(
    before: Sequence[float] | NDArray[np.float64],
    after: Sequence[float] | NDArray[np.float64],
    *,
    confidence: float = 0.95,
    seed: int = 1,
) -> Comparison:
    """How the lengths of time changed; a sample, always the same one, of what is too much to pair.

    >>> compare([60.0] * 5, [60.0] * 5).verdict
    'too-few'
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    medians = [float(np.median(one)) if one.size >= THRESHOLD else None for one in (first, second)]
    if min(first.size, second.size) < _FEWEST:
        return Comparison(
            before=int(first.size), after=int(second.size), before_median_s=medians[0], after_median_s=medians[1],
            ratio=None, low=None, high=None, confidence=confidence, verdict="too-few",
        )  # fmt: skip
    ratio, low, high = _hodges_lehmann(first, second, confidence, seed)
    verdict = "quicker" if high < 1 else "slower" if low > 1 else "no-difference-shown"
    return Comparison(
        before=int(first.size), after=int(second.size), before_median_s=medians[0], after_median_s=medians[1],
        ratio=ratio, low=low, high=high, confidence=confidence, verdict=verdict,
    )  # fmt: skip


def _hodges_lehmann(
    before: NDArray[np.float64], after: NDArray[np.float64], confidence: float, seed: int
) -> tuple[float, float, float]:
    """The median of all pairwise ratios, and the order statistics that bound it (Mann-Whitney, normal form)."""
    chance = np.random.default_rng(seed)
    logs = [
        np.log(
            np.maximum(one if one.size <= _PAIRS_AT_MOST else chance.choice(one, _PAIRS_AT_MOST, replace=False), 1.0)
        )
        for one in (before, after)
    ]
    differences = np.subtract.outer(logs[1], logs[0]).ravel()
    m, n = logs[0].size, logs[1].size
    spread = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(m * n * (m + n + 1) / 12)
    below = max(0, math.floor(m * n / 2 - spread))
    above = min(m * n - 1, math.ceil(m * n / 2 + spread))
    middle = (m * n) // 2
    picked = np.partition(differences, sorted({below, middle, above}))
    return tuple(float(np.exp(picked[place])) for place in (middle, below, above))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What of a procedure is compared with its peers: the work, and nothing of who did it."""

    clearance_s: float
    steps: tuple[str, ...]
    officers: int
    scan_due: bool
    scans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing in which a procedure differs from its peers, with the figures that say so."""

    code: str
    own: float
    peers: float
    among: int
    detail: str = ""


_FAR = 3.5  # in robust deviations
_ALMOST_ALL = 0.95
_FEWEST_PEERS = 30


def unlike(own: Work, peers: Sequence[Work]) -> list[Reason]:
    """In what `own` differs from `peers`: the same kind and checkpoint, by day or by night.

    A person judges what it means. With fewer than thirty peers nothing is said.
    """
    if len(peers) < _FEWEST_PEERS:
        return []
    reasons: list[Reason] = []
    logs = np.log([max(1.0, one.clearance_s) for one in peers])
    middle = float(np.median(logs))
    deviation = max(1.4826 * float(np.median(np.abs(logs - middle))), 0.05)
    away = (math.log(max(1.0, own.clearance_s)) - middle) / deviation
    if abs(away) >= _FAR:
        code = "much-longer" if away > 0 else "much-shorter"
        reasons.append(Reason(code=code, own=own.clearance_s, peers=math.exp(middle), among=len(peers)))
    shares = {step: sum(step in one.steps for one in peers) / len(peers) for one in peers for step in one.steps}
    for step, share in sorted(shares.items()):
        if share >= _ALMOST_ALL and step not in own.steps:
            reasons.append(Reason(code="step-left-out", own=0, peers=share, among=len(peers), detail=step))
    for step in sorted(set(own.steps)):
        if shares.get(step, 0.0) <= 1 - _ALMOST_ALL:
            reasons.append(
                Reason(code="step-unusual", own=1, peers=shares.get(step, 0.0), among=len(peers), detail=step)
            )
    usual = float(np.median([one.officers for one in peers]))
    if own.officers >= usual + 2:
        reasons.append(Reason(code="more-officers", own=own.officers, peers=usual, among=len(peers)))
    if own.scan_due and not own.scans:
        scanned = [one for one in peers if one.scan_due]
        share = sum(one.scans > 0 for one in scanned) / len(scanned) if scanned else 0.0
        if share >= _ALMOST_ALL:
            reasons.append(Reason(code="scan-left-out", own=0, peers=share, among=len(scanned)))
    return reasons
