"""Reads held against a known truth, loop after loop."""

from datetime import UTC, datetime, timedelta

from svidok.plates.accuracy import Told, accuracy

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOOP = timedelta(seconds=20)


def reads(*told: tuple[float, str]) -> list[Told]:
    return [Told(taken_at=START + timedelta(seconds=at), plate=plate) for at, plate in told]


def test_right_missed_misread_invented_and_twice_are_told_apart() -> None:
    found = accuracy(
        ["AA1111BB", "KA2222HO"],
        reads((0, "AA1111BB"), (5, "KA2222H0"), (20, "AA1111BB"), (21, "AA1111BB"), (25, "ZZZ999"), (45, "KA2222HO")),
        loop=LOOP,
    )
    assert (found.passed, found.right, found.twice) == (4, 2, 1)
    assert found.misread == (("KA2222H0", "KA2222HO"),)
    assert found.invented == ("ZZZ999",)
    assert found.share == 0.5


def test_without_a_whole_loop_there_is_no_figure() -> None:
    assert accuracy(["AA1111BB"], reads((0, "AA1111BB"), (3, "AA1111BB")), loop=LOOP).share is None
    assert accuracy(["AA1111BB"], [], loop=LOOP).passed == 0
