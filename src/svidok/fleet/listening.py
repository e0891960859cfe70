"""Listens to the events of every camera that has an ONVIF address: one subscription each, in one event loop.

A camera that does not answer, answers nonsense or restarts is tried again
later and later; that its events cannot be had is an event itself, told once
when it begins and once when it ends. No camera waits for the database: what
cannot be entered yet waits here, up to `_MOST_WAITING` events; what comes
beyond that is counted and dropped.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from svidok.base import BadInput, Clock, Conflict, Unavailable
from svidok.db import Database
from svidok.fleet import events
from svidok.fleet.credentials import Safe
from svidok.fleet.drivers.onvif import CameraAnswer
from svidok.fleet.drivers.pullpoint import PullPoint
from svidok.fleet.drivers.topics import States, translate
from svidok.fleet.events import CameraEvent, Ration
from svidok.fleet.model import RECORDED_IN, EventKind
from svidok.fleet.registry import SQL, maker_policy

log = structlog.get_logger("events")

OnNews = Callable[[list[CameraEvent]], Awaitable[None]]
OnMessages = Callable[[UUID, list[dict[str, Any]]], Awaitable[None]]

_PLAN_EVERY_S = 15.0
_ENTER_EVERY_S = 0.5
_PAUSE_MAX_S = 120.0
_NO_EVENTS_PAUSE_S = 3600.0
_LOST_AFTER_FALLS = 2
_BUSY_PULL_S = 0.2  # a camera that answers each pull at once must not keep us busy
_MOST_WAITING = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCamera:
    """A camera to listen to. Keep it out of logs: it holds a password."""

    id: UUID
    address: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(slots=True)
class _Ear:
    """How it goes with one camera."""

    states: States = field(default_factory=States)
    ration: Ration = field(default_factory=Ration)
    falls: int = 0
    lost: bool = False

    def pause_s(self, error: CameraAnswer | BadInput, first_s: float) -> float:
        """How long to leave it alone after `error`."""
        self.falls += 1
        if error.code == "camera-no-events":
            return _NO_EVENTS_PAUSE_S
        return min(_PAUSE_MAX_S, first_s * 2.0 ** min(self.falls - 1, 12))


@dataclass(slots=True, kw_only=True)
class Listener:
    """See the module. `hold_s`, `wait_s` and `pause_s` are those of a subscription and of the first new try."""

    database: Database
    safe: Safe
    clock: Clock
    on_news: OnNews | None = None
    on_messages: OnMessages | None = None  # every message of a camera, for rooms above that read more in them
    hold_s: float = 120.0
    wait_s: float = 30.0
    pause_s: float = 2.0
    plan_every_s: float = _PLAN_EVERY_S
    dropped: int = 0
    _tasks: dict[HeardCamera, asyncio.Task[None]] = field(default_factory=dict)
    _waiting: deque[CameraEvent] = field(default_factory=deque)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set, then unsubscribe everywhere."""
        planned_at = -self.plan_every_s
        while not stop.is_set():
            now = self.clock.monotonic()
            if now - planned_at >= self.plan_every_s:
                planned_at = now
                await self._follow_plan()
            await self._enter()
            try:
                async with asyncio.timeout(_ENTER_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._enter()

    async def _follow_plan(self) -> None:
        try:
            wanted = set(await asyncio.to_thread(self._read_plan))
        except (Unavailable, Conflict) as error:
            log.warning("listening as before", why=error.message)
            return
        for camera in [known for known, task in self._tasks.items() if known not in wanted or task.done()]:
            self._end(camera)
        for camera in wanted - set(self._tasks):
            self._tasks[camera] = asyncio.create_task(self._keep(camera), name=f"events {camera.id}")

    def _end(self, camera: HeardCamera) -> None:
        """Leave a camera that is not wanted any more, or one whose task fell over something nobody thought of."""
        task = self._tasks.pop(camera)
        if task.done() and not task.cancelled() and task.exception() is not None:
            log.error("begun anew", camera=str(camera.id), why=repr(task.exception()))
        task.cancel()

    def _read_plan(self) -> list[HeardCamera]:
        with self.database.transaction() as tx:
            denied = {maker for maker, verdict in maker_policy(tx).items() if verdict == "deny"}
            rows = tx.all(SQL["cameras_to_hear"], lives=[str(life) for life in RECORDED_IN])
        found = []
        for row in rows:
            if row["maker"] not in denied:
                username, password = self.safe.open(row["id"], row["sealed_login"])
                found.append(HeardCamera(id=row["id"], address=row["address"], username=username, password=password))
        return found

    async def _keep(self, camera: HeardCamera) -> None:
        """Keep one camera subscribed for as long as it is wanted."""
        ear = _Ear()
        await asyncio.sleep(random.uniform(0, min(5.0, 0.005 * len(self._tasks))))  # noqa: S311 (spreads load)
        while True:
            try:
                async with PullPoint(
                    camera.address, username=camera.username, password=camera.password, hold_s=self.hold_s,
                    wait_s=self.wait_s,
                ) as point:  # fmt: skip
                    await self._pull(camera, point, ear)
            except (CameraAnswer, BadInput) as error:
                pause_s = ear.pause_s(error, self.pause_s)
                if ear.falls >= _LOST_AFTER_FALLS and not ear.lost and error.code != "camera-no-events":
                    ear.lost = True
                    self._notice(camera, EventKind.EVENTS_LOST, True, error.code)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311

    async def _pull(self, camera: HeardCamera, point: PullPoint, ear: _Ear) -> None:
        """Take what a camera tells until it fails, which raises `CameraAnswer`."""
        while True:
            began = self.clock.monotonic()
            messages = await point.pull()
            at, ear.falls = self.clock.now(), 0
            if ear.lost:
                ear.lost = False
                self._notice(camera, EventKind.EVENTS_LOST, False, "")
            left_out = ear.ration.left_out(at)
            if left_out:
                self._notice(camera, EventKind.FLOOD, None, str(left_out))
            for place, told in enumerate(filter(None, map(translate, messages))):
                if ear.states.is_news(told) and ear.ration.take(at):
                    self._wait(
                        CameraEvent(
                            camera_id=camera.id, kind=told.kind, active=told.active, source=told.source,
                            at=at + timedelta(microseconds=place),  # what came together keeps its order
                            camera_at=told.camera_at or at,
                        )
                    )  # fmt: skip
            if self.on_messages is not None and messages:
                await self.on_messages(camera.id, messages)
            await asyncio.sleep(max(0.0, _BUSY_PULL_S - (self.clock.monotonic() - began)))

    def _notice(self, camera: HeardCamera, kind: EventKind, active: bool | None, detail: str) -> None:
        """An event of our own making."""
        at = self.clock.now()
        self._wait(CameraEvent(camera_id=camera.id, kind=kind, active=active, at=at, camera_at=at, detail=detail))

    def _wait(self, event: CameraEvent) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
        else:
            self._waiting.append(event)

    async def _enter(self) -> None:
        """Enter what waits; what cannot be entered goes on waiting."""
        batch = list(self._waiting)
        if not batch:
            return
        try:
            new = await asyncio.to_thread(self._keep_rows, batch)
        except Unavailable:
            return
        for _ in batch:
            self._waiting.popleft()
        if new and self.on_news is not None:
            await self.on_news(new)

    def _keep_rows(self, batch: list[CameraEvent]) -> list[CameraEvent]:
        with self.database.transaction() as tx:
            return events.keep(tx, batch)
