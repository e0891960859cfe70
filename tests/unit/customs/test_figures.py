"""Suppression that cannot be reckoned back, comparisons that can refute, peers with reasons. Pure."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from svidok.customs.figures import THRESHOLD, Work, compare, unlike, withheld
from svidok.customs.histogram import added, histogram, pack, quantile, unpack


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 60), max_size=8))
def test_no_small_cell_can_be_reckoned_back_from_the_sum(counts: dict[str, int]) -> None:
    hide = withheld(counts)
    assert all(name in hide for name, count in counts.items() if 0 < count < THRESHOLD)
    if hide and any(count >= THRESHOLD for count in counts.values()):
        assert len(hide) >= 2 or all(name in hide for name, count in counts.items() if count)
        together = sum(counts[name] for name in hide)
        assert together >= THRESHOLD or all(name in hide for name, count in counts.items() if count)
    assert not any(counts[name] == 0 for name in hide)


def test_a_real_change_is_shown_and_its_size_lies_in_the_interval() -> None:
    chance = np.random.default_rng(4)
    before, after = chance.lognormal(6.5, 0.5, 3000), chance.lognormal(6.5, 0.5, 3000) * 0.9
    found = compare(before, after)
    assert found.verdict == "quicker"
    assert found.low is not None and found.high is not None and found.low < 0.9 < found.high  # noqa: PT018
    assert compare(after, before).verdict == "slower"


def test_where_nothing_changed_the_claim_is_refuted_about_nineteen_times_of_twenty() -> None:
    chance = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        pair = chance.lognormal(6.5, 0.6, (2, 120))
        wrong += compare(pair[0], pair[1]).verdict != "no-difference-shown"
    assert wrong <= 20, "more false claims than the confidence allows"


def test_a_few_very_long_ones_carry_nothing() -> None:
    before = [600.0 + n for n in range(200)]
    after = [*before[:-4], 90_000.0, 90_000.0, 90_000.0, 90_000.0]
    assert np.mean(after) > 2 * np.mean(before)
    assert compare(before, after).verdict == "no-difference-shown"
    assert compare(before, after[:10]).verdict == "too-few"


@given(st.lists(st.floats(1, 200_000), min_size=1, max_size=80), st.integers(1, 5))
def test_histograms_add_up_to_that_of_all(seconds: list[float], cuts: int) -> None:
    parts = [seconds[n::cuts] for n in range(cuts)]
    whole = histogram(seconds)
    assert (added(pack(histogram(part)) for part in parts if part) == whole).all()
    assert (unpack(pack(whole)) == whole).all()
    median = quantile(whole, 0.5)
    assert median is not None


def work(clearance_s: float = 600, **more: object) -> Work:
    usual: dict[str, object] = {"steps": ("documents", "release"), "officers": 1, "scan_due": False, "scans": 0}
    return Work(clearance_s=clearance_s, **usual | more)  # type: ignore[arg-type]


def test_what_is_unlike_its_peers_is_told_with_the_figures() -> None:
    peers = [work(500 + n * 3) for n in range(80)]
    assert unlike(work(620), peers) == []
    long = unlike(work(9000, steps=("documents",), officers=4), peers)
    assert [(one.code, one.detail) for one in long] == [
        ("much-longer", ""), ("step-left-out", "release"), ("more-officers", ""),
    ]  # fmt: skip
    assert long[0].among == 80 and 550 < long[0].peers < 680  # noqa: PT018
    assert [one.code for one in unlike(work(20), peers)] == ["much-shorter"]
    assert unlike(work(9000), peers[:20]) == [], "a handful of peers says nothing"


def test_a_scan_left_out_is_told_where_peers_have_theirs() -> None:
    peers = [work(600 + n, scan_due=True, scans=1) for n in range(40)]
    assert [one.code for one in unlike(work(620, scan_due=True), peers)] == ["scan-left-out"]
