"""The reader role: footage of plate cameras to reads. One process, one thread for pictures."""

import asyncio

import cv2
import structlog

from svidok.app.roles.parts import CLOCK, open_database, stop_on_signal
from svidok.app.roles.plates import plate_rules
from svidok.app.settings import Settings
from svidok.base import Unavailable
from svidok.plates.following import Follower
from svidok.plates.parts import Plates
from svidok.vision.grammar import NEIGHBOURS

log = structlog.get_logger("reader")

_IDLE_S = 0.4
_RETRY_S = 2.0
_TELL_S = 60.0


async def run_reader(settings: Settings) -> None:
    """Follow until told to stop."""
    cv2.setNumThreads(1)
    database = open_database(settings, size=2)
    plates = Plates(database=database, data=settings.data, clock=CLOCK, rules=plate_rules(settings))
    follower = Follower(
        database=database, keep=plates.door.take_own, pictures=plates.pictures, folder=settings.data / "reader",
        node=settings.node, clock=CLOCK, countries=settings.plate_countries or NEIGHBOURS,
    )  # fmt: skip
    stop = stop_on_signal()
    told_s = CLOCK.monotonic()
    while not stop.is_set():
        wait_s = await _step(follower)
        if CLOCK.monotonic() - told_s > _TELL_S:
            told_s = CLOCK.monotonic()
            _say(follower)
        if wait_s:
            try:
                async with asyncio.timeout(wait_s):
                    await stop.wait()
            except TimeoutError:
                continue
    await asyncio.to_thread(follower.close)
    await asyncio.to_thread(database.close)


async def _step(follower: Follower) -> float:
    """One step, away from the event loop; how long to rest after it."""
    try:
        done = await asyncio.to_thread(follower.step)
    except Unavailable as error:
        log.warning("will try again", code=error.code, why=error.message)
        return _RETRY_S
    return 0.0 if done else _IDLE_S


def _say(follower: Follower) -> None:
    counts = [one.watcher.counts for one in follower.followed]
    log.info(
        "followed", channels=len(counts), groups=sum(one.groups for one in counts),
        not_decoded=sum(one.undecoded for one in counts), looks=sum(one.looks for one in counts),
        reads=sum(one.told for one in counts), broken=sum(one.broken for one in follower.followed),
        behind_s=round(max((one.behind_us for one in follower.followed), default=0) / 1e6, 1),
    )  # fmt: skip
