"""The intake role: the ledger's sequencer, the fleet's health, disposal, and news for whoever watches."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from svidok.app.roles.parts import CLOCK, connect_bus, open_database, open_log, stop_on_signal
from svidok.app.roles.plates import PlateDuties
from svidok.app.settings import Settings
from svidok.app.witnessing import Witnessing
from svidok.base import SvidokError
from svidok.bus import Bus
from svidok.customs.disposing import ScanDisposer
from svidok.customs.sums import sum_due
from svidok.customs.worklist import check_due
from svidok.db import Database, Row
from svidok.fleet import events, health, inspection, registry
from svidok.fleet.credentials import Safe
from svidok.fleet.listening import Listener
from svidok.ledger import sequence_once
from svidok.recording import wardens
from svidok.recording.judging import Governance
from svidok.recording.sweeper import Sweeper

log = structlog.get_logger("intake")

_SWEEP_HEALTH_S = 4.0
_ALARMS_S = 2.0
_JUDGE_S = 60.0
_DISPOSE_S = 300.0
_FORGET_S = 60.0
_SUM_S = 5.0
_CHECK_S = 20.0
_NEWS_ITEMS = 100
_WITNESS_S = 10.0


async def run_intake(settings: Settings) -> None:
    """Sequence, sweep and dispose until told to stop."""
    database = open_database(settings, size=8)
    bus = await connect_bus(settings, f"intake {settings.node}")
    ledger = await asyncio.to_thread(open_log, settings)
    stop = stop_on_signal()
    judge = Governance(classes=registry.retention_classes)
    sweeper = Sweeper(database=database, judge=judge, node=settings.node)
    disposer = ScanDisposer(database=database, judge=judge, node=settings.node)

    async def sequence() -> None:
        await asyncio.to_thread(sequence_once, database, ledger)

    async def dispose() -> None:
        swept = await asyncio.to_thread(sweeper.sweep, at=CLOCK.now())
        if swept.done:
            log.info("disposed", segments=swept.done, bytes=swept.freed_bytes)

        scans = await asyncio.to_thread(disposer.sweep, at=CLOCK.now())
        if scans:
            log.info("disposed of scans", scans=scans)

    async def tell(new: list[events.CameraEvent]) -> None:
        if bus is not None:
            await bus.publish("news.event", _told_events(new))

    def forget() -> int:
        with database.transaction() as tx:
            return events.forget(tx, at=CLOCK.now())

    safe = Safe(settings.keys / "credentials.key")
    plates = PlateDuties(settings, database, bus)
    listener = Listener(database=database, safe=safe, clock=CLOCK, on_news=tell, on_messages=plates.hear)
    witnessing = Witnessing(settings, database, CLOCK)
    await asyncio.gather(
        listener.run(stop),
        *plates.work(stop, _every),
        _every(_FORGET_S, lambda: asyncio.to_thread(forget), stop),
        _every(1.0, sequence, stop),
        _every(_WITNESS_S, lambda: asyncio.to_thread(witnessing.ask), stop),
        _every(_SWEEP_HEALTH_S, lambda: _sweep_health(database, bus), stop),
        _every(_ALARMS_S, AlarmNews(database=database, bus=bus).tell, stop),
        _every(_JUDGE_S, lambda: asyncio.to_thread(_judge, database), stop),
        _every(_DISPOSE_S, dispose, stop),
        _every(_CHECK_S, lambda: asyncio.to_thread(check_due, database, at=CLOCK.now()), stop),
        _every(_SUM_S, lambda: asyncio.to_thread(sum_due, database), stop),
    )
    await asyncio.to_thread(sequence_once, database, ledger)
    if bus is not None:
        await bus.close()
    database.close()


def _told_events(new: list[events.CameraEvent]) -> bytes:
    """News of cameras' events, the latest `_NEWS_ITEMS` of them: whoever wants all of them asks the database."""
    items = [
        {"camera": str(event.camera_id), "event": str(event.kind), "active": event.active, "at": event.at.isoformat()}
        for event in new[-_NEWS_ITEMS:]
    ]
    return json.dumps({"kind": "camera-events", "items": items}).encode()


class AlarmNews:
    """Says on the bus that alarms changed, once for each change; whoever wants to know which asks the database."""

    def __init__(self, *, database: Database, bus: Bus | None) -> None:
        self._database, self._bus = database, bus
        self._told: Row | None = None

    async def tell(self) -> None:
        """Look, and say so where something changed since."""

        def look() -> Row:
            with self._database.transaction() as tx:
                return wardens.alarms_state(tx)

        now = await asyncio.to_thread(look)
        if self._told is not None and now != self._told and self._bus is not None:
            await self._bus.publish("news.alarm", json.dumps({"kind": "alarms"}).encode())
        self._told = now


async def _every(seconds: float, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Do `work` every so often; what fails is logged and tried again."""
    failing = False
    while not stop.is_set():
        try:
            await work()
            failing = False
        except SvidokError as error:
            if not failing:
                log.warning("will try again", code=error.code, why=error.message)
            failing = True
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            continue


async def _sweep_health(database: Database, bus: Bus | None) -> None:
    def sweep() -> list[health.LifeNews]:
        with database.transaction() as tx:
            return health.sweep(tx, at=CLOCK.now())

    for news in await asyncio.to_thread(sweep):
        log.info("camera", id=str(news.camera_id), before=news.before, after=news.after, why=news.reason)
        if bus is not None:
            told = {"kind": "camera", "id": str(news.camera_id), "life": str(news.after), "reason": news.reason}
            await bus.publish("news.camera", json.dumps(told).encode())


def _judge(database: Database) -> None:
    """Take over what the recorders measured of clocks, and judge every camera by what is known of it."""
    since = CLOCK.now() - timedelta(seconds=3 * _JUDGE_S)
    with database.transaction() as tx:
        rows = tx.all(
            "SELECT DISTINCT ON (h.camera_id) h.camera_id, r.offset_us / 1000 AS offset_ms "
            "FROM recording.clock_reading r JOIN fleet.channel h ON h.id = r.channel_id "
            "WHERE r.at > %(since)s ORDER BY h.camera_id, r.at DESC",
            since=since,
        )
        if rows:
            tx.run_many(registry.SQL["set_clock_offset"], rows)
        inspection.judge(tx, camera_id=None, at=CLOCK.now())
