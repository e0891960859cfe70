"""Hear what cameras tell a customer's MQTT broker (ONVIF Profile M, Frigate), and publish there what may be told.

A message is acknowledged to the broker only after its reads were committed, and
our session at the broker is kept, so that a crash on either side loses none. A
device is known by the prefix of its topics; the broker itself says who may
publish there. What comes from topics nobody registered is left alone.
"""

import asyncio
import json
import ssl
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

import aiomqtt
import msgspec
import structlog

from svidok.base import BadInput, Clock, Conflict, SvidokError, Unavailable
from svidok.db import Database
from svidok.plates import devices, intake_contract, intake_frigate, intake_onvif
from svidok.plates.devices import Device
from svidok.plates.intake import DeviceRefused, DeviceTooFast, Door
from svidok.plates.intake_submission import Refusal, Submission
from svidok.plates.model import Source

log = structlog.get_logger("mqtt")

MOST_BYTES = 6 * 1024 * 1024
_AT_ONCE = 200
_GATHER_S = 0.02
_PAUSE_S, _PAUSE_MAX_S = 1.0, 30.0
_TOPICS = ("+/#",)  # everything but the broker's own ($SYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is. Keep it out of logs: it holds a password."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    client_id: str

    @classmethod
    def parse(cls, url: str, *, client_id: str) -> "Broker":
        """Out of `mqtt://user:password@host:port` or `mqtts://…`; raises `Conflict`, so that nothing starts with it."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise Conflict("mqtt-url", "Set the broker as mqtts://user:password@host:port.")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname, port=parts.port or (8883 if tls else 1883), tls=tls, client_id=client_id,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )  # fmt: skip

    def client(self) -> aiomqtt.Client:
        """A client with a session that the broker keeps while we are away."""
        return aiomqtt.Client(
            self.host, self.port, username=self.username, password=self.password, identifier=self.client_id,
            clean_session=False, timeout=10.0, tls_context=ssl.create_default_context() if self.tls else None,
            max_queued_incoming_messages=_AT_ONCE * 10,
        )  # fmt: skip


class MqttEar:
    """Hears one broker."""

    def __init__(self, *, broker: Broker, database: Database, door: Door, clock: Clock) -> None:
        self._broker, self._database, self._door, self._clock = broker, database, door, clock
        self._client: aiomqtt.Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker answers at this moment."""
        return self._client is not None

    async def run(self, stop: asyncio.Event) -> None:
        """Hear until told to stop; come back by itself, later and later."""
        self._loop = asyncio.get_running_loop()
        pause_s = _PAUSE_S
        while not stop.is_set():
            try:
                async with self._broker.client() as client:
                    client._client.manual_ack_set(True)  # aiomqtt 2.5 does not offer it, paho 2 does
                    for topic in _TOPICS:
                        await client.subscribe(topic, qos=1)
                    self._client, pause_s = client, _PAUSE_S
                    log.info("hearing", host=self._broker.host)
                    await self._hear(client, stop)
            except aiomqtt.MqttError as error:
                log.warning("will try again", why=str(error))
            finally:
                self._client = None
            try:
                async with asyncio.timeout(pause_s):
                    await stop.wait()
            except TimeoutError:
                pause_s = min(_PAUSE_MAX_S, pause_s * 2)

    def publish(self, topic: str, body: bytes) -> None:
        """Publish from another thread; raises `OSError` where that cannot be done now."""
        if self._client is None or self._loop is None:
            raise OSError("the broker does not answer")
        sent = asyncio.run_coroutine_threadsafe(self._client.publish(topic, body, qos=1), self._loop)
        try:
            sent.result(10.0)
        except (aiomqtt.MqttError, TimeoutError) as error:
            raise OSError(str(error)) from error

    async def _hear(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        messages = client.messages
        ended = asyncio.create_task(stop.wait())
        waiting = asyncio.ensure_future(anext(messages))
        try:
            while True:
                await asyncio.wait((waiting, ended), return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    return
                batch = [waiting.result()]
                await asyncio.sleep(_GATHER_S)
                while len(messages) and len(batch) < _AT_ONCE:
                    batch.append(await anext(messages))
                waiting = asyncio.ensure_future(anext(messages))
                await self._take(batch, stop)
                for message in batch:
                    client._client.ack(message.mid, message.qos)
        finally:
            for task in (ended, waiting):
                task.cancel()
            await asyncio.gather(ended, waiting, return_exceptions=True)

    async def _take(self, batch: list[aiomqtt.Message], stop: asyncio.Event) -> None:
        """Take what a batch holds; while the database is away, wait: the broker keeps what comes meanwhile."""
        while True:
            try:
                await asyncio.to_thread(self._keep, batch, self._clock.now())
                return
            except Unavailable as error:
                log.warning("will try again", why=error.message)
                if stop.is_set():
                    raise aiomqtt.MqttError("stopped with messages that are not kept yet") from error
                await asyncio.sleep(_PAUSE_S)

    def _keep(self, batch: list[aiomqtt.Message], at: datetime) -> None:
        told: dict[str, list[Submission | Refusal]] = defaultdict(list)
        found: dict[str, Device | None] = {}
        for message in batch:
            place = place_of(str(message.topic))
            if place is None:
                continue
            prefix, leaf = place
            if prefix not in found:
                with self._database.transaction() as tx:
                    found[prefix] = devices.by_topic(tx, prefix)
            device = found[prefix]
            if device is None or not _speaks(device, leaf):
                continue
            body = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
            try:
                told[prefix] += translate(leaf, body, at)
            except BadInput as error:
                self._door.reject_body(device, error, body, at=at)
        for prefix, reads in told.items():
            device = found[prefix]
            if device is not None and reads:
                self._take_reads(device, reads, at)

    def _take_reads(self, device: Device, reads: list[Submission | Refusal], at: datetime) -> None:
        try:
            self._door.take(self._door.check(device, at=at), reads, at=at)
        except (DeviceRefused, DeviceTooFast) as error:  # MQTT has no way to say "later": kept aside, and counted
            for one in reads[:50]:
                self._door.reject_body(device, error, one.raw, at=at)


def place_of(topic: str) -> tuple[str, str] | None:
    """The device's prefix and what is told there; nothing for a topic that holds no reads. Pure.

    >>> place_of("frigate/events")
    ('frigate', 'events')
    """
    prefix = intake_onvif.prefix_of(topic)
    if prefix:
        return prefix, intake_onvif.PAYLOAD
    rest, _, leaf = topic.rpartition("/")
    return (rest, leaf) if rest and leaf in intake_frigate.TOPICS else None


def translate(leaf: str, body: bytes, at: datetime) -> list[Submission | Refusal]:
    """The reads in a message. Raises `BadInput`."""
    if len(body) > MOST_BYTES:
        raise BadInput("body-large", f"A message has at most {MOST_BYTES} bytes.")
    told = intake_contract.json_object(body)
    if leaf == intake_onvif.PAYLOAD:
        return intake_onvif.translate(told, arrived_at=at)
    return intake_frigate.translate(leaf, told)


def _speaks(device: Device, leaf: str) -> bool:
    return device.source == (Source.ONVIF if leaf == intake_onvif.PAYLOAD else Source.FRIGATE)


def answer(door: Door, database: Database, body: bytes, *, at: datetime) -> bytes:
    """The door for NATS: a request on `plates.in` with `{"secret": …, "reads": […]}`; the answer says what was taken.

    The answer comes after the reads were committed; who gets none sends the same again.
    """
    try:
        secret = intake_contract.json_object(body).get("secret")
        with database.transaction() as tx:
            device = devices.by_secret(tx, secret, at=at) if isinstance(secret, str) else None
        taken = door.take(door.check(device, at=at), intake_contract.translate(body), at=at)
    except SvidokError as error:
        return json.dumps({"code": error.code, "message": error.message, "details": error.details}).encode()
    return msgspec.json.encode(taken)
