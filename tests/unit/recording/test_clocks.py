"""Wall time of groups: what is late because the camera paused, and what is late because we could not look."""

import pytest

from svidok.recording.clocks import WallClock

SECOND = 1_000_000


def placed(arrivals: list[tuple[float, float]]) -> list[float]:
    """Starts, in seconds, of groups of one second each, that came at (seconds, having waited up to seconds)."""
    clock, starts = WallClock(), []
    for number, (arrived, waited) in enumerate(arrivals):
        start, _ = clock.place(
            ticks=number * 90_000, duration_ticks=90_000, arrived_us=int(arrived * SECOND),
            waited_us=int(waited * SECOND),
        )  # fmt: skip
        starts.append(start / SECOND)
    return starts


def test_a_network_that_stood_still_for_four_seconds_leaves_no_hole() -> None:
    late = [(106, 0), (106.2, 0), (106.4, 0), (106.6, 0), (107, 0), (108, 0)]
    assert placed([(100, 0), (101, 0), *late]) == pytest.approx([100, 101, 102, 103, 104, 105, 106, 107], abs=0.01)


def test_a_camera_whose_time_stood_still_for_three_seconds_leaves_a_hole_once_that_is_sure() -> None:
    starts = placed([(100, 0), (101, 0), *((105 + n, 0) for n in range(13))])
    assert starts[:12] == pytest.approx([100 + n for n in range(12)], abs=0.1)
    assert starts[13:] == pytest.approx([116, 117], abs=0.1)


def test_a_pause_too_long_to_have_waited_leaves_a_hole_at_once() -> None:
    assert placed([(100, 0), (101, 0), (111, 0), (112, 0)]) == [100, 101, 111, 112]


def test_what_lay_waiting_while_we_were_held_up_leaves_none() -> None:
    late = [(105, 4), (105.1, 4), (105.2, 4), (105.3, 4)]
    assert placed([(100, 0), (101, 0), *late]) == pytest.approx([100, 101, 102, 103, 104, 105], abs=0.01)


def test_a_jump_beyond_what_it_can_have_waited_is_still_one() -> None:
    assert placed([(100, 0), (101, 0), (115, 4), (116, 0)]) == [100, 101, 115, 116]
