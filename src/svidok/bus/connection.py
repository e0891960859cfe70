"""One connection to NATS, which comes back by itself.

Publishing is fire and forget; `durable_publish` is acknowledged by JetStream
after it was written and synced, and is idempotent by `message_id`, so that a
caller who got no answer sends the same again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from svidok.base import Unavailable
from svidok.bus.lease import Lease, LeaseBook

OnMessage = Callable[[str, bytes], Awaitable[bytes | None]]

DUPLICATE_WINDOW_S = 120  # NATS forgets message ids after this; later repeats meet idempotent consumers
_PENDING_BYTES = 64 * 1024 * 1024


class BusUnavailable(Unavailable):
    """NATS does not answer. What must not be lost is kept by the caller and sent again."""

    def __init__(self, what: str) -> None:
        super().__init__("bus-unavailable", f"The message bus does not answer ({what}). Try again shortly.")


def _refused(error: Exception) -> str:
    return type(error).__name__


class Bus:
    """A connection by `name` to one NATS server or cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream()
        self._leases = LeaseBook(self._js)

    @classmethod
    async def connect(cls, url: str, name: str, *, wait_s: float = 5.0) -> "Bus":
        """Connect to `url` (`nats://user:password@host:port`); raises `BusUnavailable` after `wait_s`."""
        parts = urlsplit(url)
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        client = Client()
        try:
            await asyncio.wait_for(
                client.connect(
                    bare,
                    name=name,
                    user=parts.username,
                    password=parts.password,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    pending_size=_PENDING_BYTES,
                    error_cb=cls._quiet,
                ),
                wait_s,
            )
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise BusUnavailable(_refused(error)) from error
        return cls(client)

    @staticmethod
    async def _quiet(error: Exception) -> None:
        """Reconnecting is the library's work; those who publish learn of trouble by `connected`."""

    @property
    def connected(self) -> bool:
        """Whether the server can be reached at this moment."""
        return bool(self._client.is_connected)

    async def publish(self, subject: str, body: bytes) -> None:
        """Send `body`; nobody promises that it arrives. Dropped without a word while disconnected."""
        if self.connected:
            await self._client.publish(subject, body)

    async def request(self, subject: str, body: bytes = b"", *, timeout_s: float = 2.0) -> bytes:
        """Ask and wait for one answer. Raises `BusUnavailable` when nobody answers in time."""
        try:
            message = await self._client.request(subject, body, timeout=timeout_s)
        except (nats.errors.Error, TimeoutError) as error:
            raise BusUnavailable(_refused(error)) from error
        return bytes(message.data)

    async def subscribe(self, subject: str, on_message: OnMessage) -> Callable[[], Awaitable[None]]:
        """Call `on_message(subject, body)` for each message; what it returns answers a request.

        Returns a function that ends the subscription.
        """

        async def receive(message: Msg) -> None:
            answer = await on_message(message.subject, bytes(message.data))
            if answer is not None and message.reply:
                await message.respond(answer)

        subscription = await self._client.subscribe(subject, cb=receive)

        async def end() -> None:
            try:
                await subscription.unsubscribe()
            except nats.errors.Error:
                return  # the connection is closed, and the subscription with it

        return end

    async def ensure_stream(self, name: str, subjects: list[str]) -> None:
        """Make the stream that keeps `subjects`, or leave it as it is."""
        try:
            await self._js.stream_info(name)
        except NotFoundError:
            await self._js.add_stream(StreamConfig(name=name, subjects=subjects, duplicate_window=DUPLICATE_WINDOW_S))

    async def durable_publish(self, subject: str, body: bytes, *, message_id: str) -> int:
        """Send `body` and wait until JetStream has it on disk; its sequence number in the stream."""
        try:
            ack = await self._js.publish(subject, body, headers={"Nats-Msg-Id": message_id}, timeout=5.0)
        except (nats.errors.Error, JetStreamError, TimeoutError) as error:
            raise BusUnavailable(_refused(error)) from error
        return int(ack.seq)

    async def lease(self, key: str, owner: str, *, ttl_s: float) -> Lease | None:
        """Take the lease on `key` for `owner`, or nothing when another holds it."""
        try:
            return await self._leases.take(key, owner, ttl_s)
        except (nats.errors.Error, JetStreamError, TimeoutError) as error:
            raise BusUnavailable(_refused(error)) from error

    async def close(self) -> None:
        """Send what is pending and close."""
        if not self._client.is_closed:
            try:
                await asyncio.wait_for(self._client.drain(), 3.0)
            except (nats.errors.Error, TimeoutError):
                await self._client.close()
