"""Lengths of time as histograms that can be added up: medians and ninetieth percentiles over any span of days. Pure.

A percentile of a month cannot be made of the percentiles of its days; a
histogram can be made of theirs. The bins grow by 8 % each, from ten seconds to
two days, so that whatever is read out of them lies within 4 % of the truth.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 128
_SHORTEST_S, _LONGEST_S = 10.0, 172_800.0
EDGES: NDArray[np.float64] = np.concatenate(([0.0], np.geomspace(_SHORTEST_S, _LONGEST_S, BINS - 1), [_LONGEST_S * 10]))
Histogram = NDArray[np.int64]


def histogram(seconds: Sequence[float] | NDArray[np.float64]) -> Histogram:
    """The histogram of some lengths of time.

    >>> int(histogram([30, 60, 60]).sum())
    3
    """
    places = np.clip(np.searchsorted(EDGES, np.asarray(seconds, dtype=np.float64), side="right") - 1, 0, BINS - 1)
    return np.bincount(places, minlength=BINS).astype(np.int64)


def pack(counts: Histogram) -> bytes:
    """As the database keeps it; nothing where there is nothing."""
    return counts.astype("<u4").tobytes() if counts.any() else b""


def unpack(data: bytes) -> Histogram:
    """Back from what `pack` made."""
    counts: Histogram = np.frombuffer(data, dtype="<u4").astype(np.int64) if data else np.zeros(BINS, dtype=np.int64)
    return counts


def added(packed: Iterable[bytes]) -> Histogram:
    """The sum of many, packed."""
    whole = b"".join(one for one in packed if one)
    if not whole:
        return np.zeros(BINS, dtype=np.int64)
    total: Histogram = np.frombuffer(whole, dtype="<u4").reshape(-1, BINS).sum(axis=0, dtype=np.int64)
    return total


def quantile(counts: Histogram, share: float) -> float | None:
    """The length below which `share` of them lie, in seconds; nothing where there are none.

    >>> 57 < (quantile(histogram([60] * 99 + [9000]), 0.5) or 0) < 64
    True
    """
    total = int(counts.sum())
    if total == 0:
        return None
    reached = np.cumsum(counts)
    place = int(np.searchsorted(reached, share * total, side="left"))
    before = int(reached[place - 1]) if place else 0
    within = (share * total - before) / max(1, int(counts[place]))
    low, high = float(EDGES[place]), float(EDGES[min(place + 1, BINS - 1)])
    return low + (high - low) * within
