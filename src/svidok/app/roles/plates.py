"""What the intake role does for plates: hear brokers and the bus, raise alerts and tell of them, sum and dispose."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import structlog

from svidok.app.roles.parts import CLOCK
from svidok.app.settings import Settings
from svidok.base import BadInput, SvidokError
from svidok.bus import Bus
from svidok.db import Database
from svidok.fleet.credentials import Safe
from svidok.governance.keeping import rules
from svidok.incidents import judging, telling
from svidok.incidents.raising import raise_waiting
from svidok.plates import devices, disposing, intake_onvif, store
from svidok.plates.model import HIT_CLASS
from svidok.plates.mqtt import Broker, MqttEar, answer
from svidok.plates.parts import Plates
from svidok.plates.rules import Rules

log = structlog.get_logger("plates")

SUBJECT = "plates.in"
_RAISE_S = 0.1
_TELL_S = 1.0
_TIDY_S = 300.0
Every = Callable[[float, Callable[[], Awaitable[object]], asyncio.Event], Awaitable[None]]


def plate_rules(settings: Settings) -> Rules:
    """The bounds that the settings name."""
    return Rules(
        age_tier=timedelta(days=settings.plates_age_tier_days), searches_a_day=settings.plates_searches_a_day,
        searches_an_hour=settings.plates_searches_an_hour,
    )  # fmt: skip


class PlateDuties:
    """The parts, and what is done with them again and again."""

    def __init__(self, settings: Settings, database: Database, bus: Bus | None) -> None:
        self.plates = Plates(database=database, data=settings.data, clock=CLOCK, rules=plate_rules(settings))
        self._database, self._bus = database, bus
        self._safe = Safe(settings.keys / "credentials.key")
        self._client = httpx.Client()
        url = settings.plates_mqtt_url
        self._ear = (
            MqttEar(
                broker=Broker.parse(url.get_secret_value(), client_id=f"svidok-{settings.node}"), database=database,
                door=self.plates.door, clock=CLOCK,
            )
            if url
            else None
        )  # fmt: skip

    def work(self, stop: asyncio.Event, every: Every) -> list[Awaitable[object]]:
        """Everything that goes on until `stop`."""
        tasks: list[Awaitable[object]] = [
            every(_RAISE_S, self.raise_alerts, stop),
            every(_TELL_S, self.tell, stop),
            every(_TIDY_S, lambda: asyncio.to_thread(self.tidy), stop),
            self._answer(stop),
        ]
        return [*tasks, self._ear.run(stop)] if self._ear else tasks

    async def raise_alerts(self) -> None:
        """Alerts of the hits that wait, told to the desks at once."""
        told = await asyncio.to_thread(raise_waiting, self._database, at=CLOCK.now())
        for alert_id in told:
            if self._bus is not None:
                await self._bus.publish("news.alert", json.dumps({"kind": "alert", "id": str(alert_id)}).encode())

    async def tell(self) -> None:
        """Confirmed alerts to other systems."""
        publish = self._ear.publish if self._ear else None
        await asyncio.to_thread(
            telling.tell_due, self._database, self._safe, now=CLOCK.now, client=self._client, publish=publish
        )

    def tidy(self) -> None:
        """Count what came to the totals of plates, and dispose of what is due."""
        at = CLOCK.now()
        store.count_seen(self._database, at=at)
        for gone in disposing.sweep(self._database, self.plates.pictures, at=at):
            log.info("disposed", day=str(gone.day), what=gone.what)
        with self._database.transaction() as tx:
            kept = [rule.keep_for for rule in rules(tx) if rule.retention_class == HIT_CLASS]
            if kept:
                judging.forget(tx, before=at - max(kept))

    async def hear(self, camera_id: UUID, messages: list[dict[str, Any]]) -> None:
        """Reads among the messages that a camera told us by PullPoint."""
        plates = [one for one in messages if intake_onvif.is_plate(str(one.get("topic", "")))]
        if not plates:
            return
        try:
            await asyncio.to_thread(self._take_pulled, camera_id, plates)
        except SvidokError as error:
            log.warning("read not taken", camera=str(camera_id), code=error.code)

    def _take_pulled(self, camera_id: UUID, messages: list[dict[str, Any]]) -> None:
        at = CLOCK.now()
        with self._database.transaction() as tx:
            device = devices.of_camera(tx, camera_id)
        if device is None:
            return
        for message in messages:
            try:
                told = intake_onvif.translate(message, arrived_at=at)
            except BadInput as error:
                self.plates.door.reject_body(device, error, msgspec.json.encode(message), at=at)
                continue
            self.plates.door.take(device, told, at=at)

    async def _answer(self, stop: asyncio.Event) -> None:
        """Devices that send over the bus."""
        if self._bus is None:
            return

        async def on_message(_subject: str, body: bytes) -> bytes:
            return await asyncio.to_thread(answer, self.plates.door, self._database, body, at=CLOCK.now())

        end = await self._bus.subscribe(SUBJECT, on_message)
        await stop.wait()
        await end()
