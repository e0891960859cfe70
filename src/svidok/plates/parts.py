"""What a process that takes or searches reads needs, built once: the door, the dictionary, the lists, the pictures."""

import threading
from collections.abc import Callable
from pathlib import Path

from svidok.base import Clock
from svidok.db import Database
from svidok.plates.dictionary import Dictionary
from svidok.plates.intake import Door
from svidok.plates.keeping_fresh import FreshDictionary
from svidok.plates.matching import Match, Matcher
from svidok.plates.pictures import Pictures
from svidok.plates.rules import Rules

FOLDER = "plates"  # of pictures, under the data folder
_FRESH_S = 1.0


class Plates:
    """The parts of this room in one process. `on_hits` is told of hits after they were committed."""

    def __init__(
        self,
        *,
        database: Database,
        data: Path,
        clock: Clock,
        rules: Rules | None = None,
        on_hits: Callable[[list[Match]], None] = lambda _: None,
    ) -> None:
        self.rules = rules or Rules()
        self.pictures = Pictures(data / FOLDER)
        self.matcher = Matcher(database, self.rules)
        self.door = Door(
            database=database, pictures=self.pictures, matcher=self.matcher, clock=clock, rules=self.rules,
            on_hits=on_hits,
        )  # fmt: skip
        self._clock = clock
        self._fresh = FreshDictionary(database)
        self._fresh_at_s = -1e9
        self._lock = threading.Lock()

    def dictionary(self) -> Dictionary:
        """The distinct plates, at most about a second old; the first call reads all of them."""
        first = self._fresh_at_s < 0
        if not first and self._clock.monotonic() - self._fresh_at_s < _FRESH_S:
            return self._fresh.dictionary
        if not first and self._lock.locked():
            return self._fresh.dictionary  # somebody else is at it: what is there is a second older
        with self._lock:
            if self._fresh_at_s < 0:
                self._fresh.load(at=self._clock.now())
            elif self._clock.monotonic() - self._fresh_at_s >= _FRESH_S:
                self._fresh.refresh(at=self._clock.now())
            self._fresh_at_s = self._clock.monotonic()
        return self._fresh.dictionary
