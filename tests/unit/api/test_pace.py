"""How often one address may knock."""

from svidok.api import pace
from svidok.api.pace import Pace


def test_a_burst_then_a_steady_pace() -> None:
    one = Pace(burst=3, per_s=0.5)
    assert [one.allows("a", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert not one.allows("a", 1.9)
    assert one.allows("a", 2.0)
    assert not one.allows("a", 2.1)
    assert one.allows("b", 2.1)
    assert [one.allows("a", 1000.0) for _ in range(4)] == [True, True, True, False]


def test_a_flood_from_everywhere_does_not_take_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(pace, "_MOST_ADDRESSES", 100)
    one = Pace(burst=2, per_s=1.0)
    for number in range(1000):
        assert one.allows(str(number), number / 1000)
        assert len(one._buckets) <= 100
    one.allows("slow", 1.0)
    assert one.allows("slow", 1.0)
    for number in range(50):
        one.allows(f"late {number}", 1.1)
    assert not one.allows("slow", 1.1), "who has used up the burst is not forgotten by a few others"
