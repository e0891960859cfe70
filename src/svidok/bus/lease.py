"""Leases: at most one owner of a key at a time, kept in a JetStream key-value bucket.

A lease that is not renewed lapses after its time to live, and another may take
it. It says who *should* work, and a process cut off from the bus cannot know
that its lease lapsed: so what it guards must be harmless when done twice.
"""

from dataclasses import dataclass, field

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig
from nats.js.errors import BadRequestError, KeyNotFoundError, NotFoundError
from nats.js.kv import KeyValue


@dataclass(slots=True, kw_only=True)
class Lease:
    """One key held by one owner. `renew` it well before `ttl_s` has passed."""

    key: str
    owner: str
    ttl_s: float
    _bucket: KeyValue = field(repr=False)
    _revision: int

    async def renew(self) -> bool:
        """Hold it for another `ttl_s`. False: it lapsed and somebody else has it. Raises `OSError` without the bus."""
        try:
            self._revision = await self._bucket.update(self.key, self.owner.encode(), last=self._revision)
        except (BadRequestError, KeyNotFoundError):
            return False
        except nats.errors.Error as error:
            raise ConnectionError("the bus does not answer") from error
        return True

    async def release(self) -> None:
        """Let it go at once. Raises `OSError` without the bus."""
        try:
            await self._bucket.delete(self.key, last=self._revision)
        except (BadRequestError, KeyNotFoundError):
            return  # it had lapsed already
        except nats.errors.Error as error:
            raise ConnectionError("the bus does not answer") from error


class LeaseBook:
    """The buckets of leases, one per time to live."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._buckets: dict[float, KeyValue] = {}

    async def _bucket(self, ttl_s: float) -> KeyValue:
        if ttl_s not in self._buckets:
            name = f"lease-{int(ttl_s * 1000)}ms"
            try:
                self._buckets[ttl_s] = await self._js.key_value(name)
            except NotFoundError:
                self._buckets[ttl_s] = await self._js.create_key_value(KeyValueConfig(bucket=name, ttl=ttl_s))
        return self._buckets[ttl_s]

    async def take(self, key: str, owner: str, ttl_s: float) -> Lease | None:
        """The lease, or nothing. Whoever asks again under the same name gets it back."""
        bucket = await self._bucket(ttl_s)
        try:
            revision = await bucket.create(key, owner.encode())
        except BadRequestError:
            try:
                held = await bucket.get(key)
                if (held.value or b"").decode() != owner:
                    return None
                revision = await bucket.update(key, owner.encode(), last=held.revision)
            except (KeyNotFoundError, BadRequestError):
                return None  # it changed hands between the two questions; ask again later
        return Lease(key=key, owner=owner, ttl_s=ttl_s, _bucket=bucket, _revision=revision)
