"""Which instant a picture belongs to, and how far the camera's own clock is off. Pure arithmetic.

Two things are kept apart. *Wall time*, by which footage is found, is ours: the
earliest arrival seen, carried forward by the camera's RTP ticks, so that the
network's and our own waiting does not show. It never goes backwards. The
*camera's clock* is what its sender reports claim; it is measured against ours
and stored beside the footage, never mixed into it.
"""

from collections import deque

from svidok.recording.model import NO_CLOCK, ClockReading, ClockSource

_TICK_NUM, _TICK_DEN = 100, 9  # microseconds in ticks of 1/90000 s
_LEAK_PPM = 200  # how fast the estimate may rise: crystals differ by less
_JUMP_US = 2_000_000  # further off than this, the camera's RTP time jumped
_LATE_US = 8_000_000  # so much may lie waiting in the network or the camera: a session without pictures ends after 5 s
_CATCH_UP_US = 10_000_000  # … and by then it has been made up for, or the camera's time stood still
_SNAP_US = 300_000  # nearer than this to the end of the last fragment, footage is unbroken
_SLEW = 16
_READINGS = 120
_STEP_US = 500_000


def ticks_to_us(ticks: int) -> int:
    """Ticks of 1/90000 s in microseconds."""
    return ticks * _TICK_NUM // _TICK_DEN


class WallClock:
    """Gives each group of one stream its place in wall time."""

    def __init__(self, last_end_us: int = 0) -> None:
        self._anchor_us: int | None = None
        self._seen_us = 0
        self._late_since_us: int | None = None
        self._last_end_us = last_end_us

    @property
    def last_end_us(self) -> int:
        """The instant after the last group placed."""
        return self._last_end_us

    def place(self, *, ticks: int, duration_ticks: int, arrived_us: int, waited_us: int = 0) -> tuple[int, int]:
        """(start, duration) in microseconds of a group whose first picture has `ticks` and came at `arrived_us`.

        It may have come up to `waited_us` earlier, because we could not look: that is no jump of the camera's time.
        """
        wall = self.wall_us(ticks, arrived_us, waited_us)
        duration = max(1, ticks_to_us(duration_ticks))
        lead = self._last_end_us - wall
        if lead > 0 or -lead < _SNAP_US:
            start = self._last_end_us
            duration = max(duration // 2, duration - min(lead // _SLEW, duration // 50)) if lead > 0 else duration
            if lead < 0:
                start += -lead // _SLEW
        else:
            start = wall
        self._last_end_us = start + duration
        return start, duration

    def wall_us(self, ticks: int, arrived_us: int, waited_us: int = 0) -> int:
        """The instant of `ticks` by our clock, given that something of that time came at `arrived_us`.

        What comes a few seconds late by unbroken ticks lay waiting somewhere, as long as it catches up: a network that
        stood still leaves no hole in the footage. Where it does not catch up, the camera's time stood still instead.
        """
        anchor = arrived_us - ticks_to_us(ticks)
        if self._anchor_us is None or anchor - self._anchor_us < -_JUMP_US:
            self._anchor_us, self._late_since_us = anchor, None
        elif anchor - self._anchor_us > _JUMP_US + waited_us:
            if self._late_since_us is None:
                self._late_since_us = arrived_us
            too_long = arrived_us - self._late_since_us > _CATCH_UP_US
            if too_long or anchor - self._anchor_us > _LATE_US + waited_us:
                self._anchor_us, self._late_since_us = anchor, None
        else:
            self._late_since_us = None
            leaked = self._anchor_us + max(0, arrived_us - self._seen_us) * _LEAK_PPM // 1_000_000
            self._anchor_us = min(leaked, anchor)
        self._seen_us = arrived_us
        return ticks_to_us(ticks) + self._anchor_us

    def wall_of(self, ticks: int) -> int | None:
        """The instant of `ticks` by what is known, or nothing before the first group."""
        return None if self._anchor_us is None else ticks_to_us(ticks) + self._anchor_us


class CameraClock:
    """Measures a camera's clock from its sender reports."""

    def __init__(self) -> None:
        self._readings: deque[tuple[int, int]] = deque(maxlen=_READINGS)

    def report(self, *, camera_us: int, wall_us: int) -> bool:
        """The camera said `camera_us` when it was `wall_us`; whether its clock stepped."""
        offset = camera_us - wall_us
        stepped = bool(self._readings) and abs(offset - self.reading().offset_us) > _STEP_US
        if stepped:
            self._readings.clear()
        self._readings.append((wall_us, offset))
        return stepped

    def reading(self) -> ClockReading:
        """The offset by the latest reports (their median), its error, and the drift over the time measured."""
        if not self._readings:
            return NO_CLOCK
        recent = sorted(offset for _, offset in list(self._readings)[-15:])
        offset = recent[len(recent) // 2]
        return ClockReading(
            offset_us=offset,
            error_us=(recent[-1] - recent[0] + 1) // 2,
            drift_ppm=_slope_ppm(list(self._readings)),
            source=ClockSource.SENDER_REPORTS,
        )


def _slope_ppm(readings: list[tuple[int, int]]) -> int:
    """Drift as the least-squares slope, in parts a million; zero for less than half a minute of readings.

    >>> _slope_ppm([(second * 1_000_000, second * 40) for second in range(60)])
    40
    """
    if len(readings) < 5 or readings[-1][0] - readings[0][0] < 30_000_000:
        return 0
    first_at, first_offset = readings[0]
    xs = [at - first_at for at, _ in readings]
    ys = [offset - first_offset for _, offset in readings]
    mean_x, mean_y = sum(xs) // len(xs), sum(ys) // len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread == 0:
        return 0
    return round(1_000_000 * sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread)
