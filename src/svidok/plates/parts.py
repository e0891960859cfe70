"""What a process that takes or searches reads needs, built once: the door, the dictionary, the lists, the pictures."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(slots=True, kw_only=True)
class Plates:
    """The parts of this room in one process. `on_hits` is told of hits after they were committed."""

    database: Database
    data: Path
    clock: Clock
    rules: Rules = field(default_factory=Rules)
    on_hits: Callable[[list[Match]], None] = lambda _: None
    pictures: Pictures = field(init=False)
    matcher: Matcher = field(init=False)
    door: Door = field(init=False)
    _fresh: FreshDictionary = field(init=False)
    _fresh_at_s: float = field(init=False, default=-1e9)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.data / FOLDER)
        self.matcher = Matcher(self.database, self.rules)
        self.door = Door(
            database=self.database, pictures=self.pictures, matcher=self.matcher, clock=self.clock, rules=self.rules,
            on_hits=lambda hits: self.on_hits(hits),
        )  # fmt: skip
        self._fresh = FreshDictionary(self.database)

    def dictionary(self) -> Dictionary:
        """The distinct plates, at most about a second old; the first call reads all of them."""
        first = self._fresh_at_s < 0
        if not first and self.clock.monotonic() - self._fresh_at_s < _FRESH_S:
            return self._fresh.dictionary
        if not first and self._lock.locked():
            return self._fresh.dictionary  # somebody else is at it: what is there is a second older
        with self._lock:
            if self._fresh_at_s < 0:
                self._fresh.load(at=self.clock.now())
            elif self.clock.monotonic() - self._fresh_at_s >= _FRESH_S:
                self._fresh.refresh(at=self.clock.now())
            self._fresh_at_s = self.clock.monotonic()
        return self._fresh.dictionary
