"""Enters facts in the database when it is there, and keeps them in a file while it is not.

Footage never waits for the database. Facts are queued by the event loop and
entered by one thread, in order, a transaction for each batch. While the
database is away they wait in memory and in `spool.json`, so that a recorder
which is restarted in the meantime forgets nothing.
"""

import os
import threading
from collections import deque
from pathlib import Path

import msgspec
import structlog

from svidok.base import Unavailable
from svidok.db import Database
from svidok.recording.facts import AnyFact, RecorderSeen
from svidok.recording.store import OnBeats, enter_facts

log = structlog.get_logger("recorder")

_PAUSE_S = 0.4
_RETRY_S = 2.0
_BATCH = 500
_KEPT_AT_MOST = 500_000  # about a day of seals and gaps of a thousand cameras


class Catalogue:
    """One thread between the recorder and the database."""

    def __init__(self, database: Database, spool: Path, on_beats: OnBeats | None = None) -> None:
        self._database = database
        self._spool = spool
        self._on_beats = on_beats
        self._waiting: deque[AnyFact] = deque(_read_spool(spool))
        self._spooled = len(self._waiting)
        self._latest: dict[type[AnyFact], AnyFact] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="catalogue", daemon=True)
        self.down = False

    def start(self) -> None:
        """Start entering."""
        self._thread.start()

    def tell(self, facts: list[AnyFact]) -> None:
        """Queue `facts`; never blocks."""
        for fact in facts:
            if isinstance(fact, RecorderSeen):
                self._latest[RecorderSeen] = fact
            elif len(self._waiting) < _KEPT_AT_MOST:
                self._waiting.append(fact)
            else:
                log.error("fact dropped", fact=type(fact).__name__)

    @property
    def waiting(self) -> int:
        """How many facts are not in the database yet."""
        return len(self._waiting)

    def stop(self, wait_s: float = 10.0) -> None:
        """Enter what waits, or keep it in the spool where the database is away."""
        self._stop.set()
        self._thread.join(wait_s)

    def _work(self) -> None:
        while True:
            stopping = self._stop.wait(_RETRY_S if self.down else _PAUSE_S)
            try:
                self._enter_all()
            except Unavailable as error:
                if not self.down:
                    log.warning("the database is away; facts wait in the spool", why=error.message)
                self.down = True
                self._keep()
            if stopping:
                return

    def _enter_all(self) -> None:
        while self._waiting or self._latest:
            batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
            latest = list(self._latest.values())
            with self._database.transaction() as tx:
                enter_facts(tx, batch + latest, self._on_beats)
            for _ in batch:
                self._waiting.popleft()
            for fact in latest:
                if self._latest.get(type(fact)) is fact:
                    del self._latest[type(fact)]
            if self.down:
                self.down = False
                log.info("the database is back", entered=len(batch))
        if self._spooled:
            self._spooled = 0
            self._spool.unlink(missing_ok=True)

    def _keep(self) -> None:
        waiting = list(self._waiting)
        if len(waiting) == self._spooled:
            return
        part = self._spool.with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(msgspec.json.encode(waiting))
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._spool)
        self._spooled = len(waiting)


def _read_spool(path: Path) -> list[AnyFact]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[AnyFact])
    except FileNotFoundError:
        return []
    except msgspec.MsgspecError as error:
        aside = path.with_suffix(".damaged")
        path.rename(aside)
        log.error("the spool was damaged; put aside", file=str(aside), why=str(error))
        return []
