"""Whether our own thread was held up, so that what comes now may have waited for us.

An instant of arrival is the best that we know of when a picture was taken, and it is wrong by as long as the thread
could not look: on a starved machine, after a pause of a virtual one. Whoever plays beats here at least each second;
a beat that comes much later tells of the pause, and for a while after it what is read was waiting already.
"""

HELD_UP_S = 1.5  # beats come each second
_DRAINED_S = 1.0


class Pulse:
    """One for all connections of a thread."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._held_from_s = self._held_to_s = float("-inf")

    def begin(self, now_s: float) -> None:
        """Somebody begins to beat: nobody may have, before."""
        self._last_s = now_s

    def beat(self, now_s: float) -> float:
        """The seconds that bytes which are read now may have waited for us; mostly none.

        >>> pulse = Pulse()
        >>> pulse.begin(10)
        >>> [pulse.beat(at) for at in (11, 12, 16, 17, 18, 19, 20, 21)]
        [0.0, 0.0, 4, 5, 6, 7, 8, 0.0]
        """
        if self._last_s is not None and now_s - self._last_s > HELD_UP_S:
            self._held_from_s, self._held_to_s = self._last_s, now_s
        self._last_s = now_s
        drained_s = max(_DRAINED_S, self._held_to_s - self._held_from_s)
        return now_s - self._held_from_s if now_s - self._held_to_s <= drained_s else 0.0
