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


def test_a_camera_that_paused_for_three_seconds_leaves_a_hole() -> None:
    assert placed([(100, 0), (101, 0), (105, 0), (106, 0)]) == [100, 101, 105, 106]


def test_what_lay_waiting_while_we_were_held_up_leaves_none() -> None:
    late = [(105, 4), (105.1, 4), (105.2, 4), (105.3, 4)]
    assert placed([(100, 0), (101, 0), *late]) == pytest.approx([100, 101, 102, 103, 104, 105], abs=0.01)


def test_a_jump_beyond_what_it_can_have_waited_is_still_one() -> None:
    assert placed([(100, 0), (101, 0), (112, 4), (113, 0)]) == [100, 101, 112, 113]
