"""How often one address may knock at the doors that need no session: hashing passwords costs, so nobody gets it free.

Kept in memory and per process: it protects the machine. What protects an
account is the lock in the database, which `access.sessions` keeps.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from svidok.base import SvidokError

BURST = 60
PER_S = 1.0
_MOST_ADDRESSES = 10_000


class TooOften(SvidokError):
    """This address asks too often."""

    status = 429

    def __init__(self) -> None:
        super().__init__("too-often", "Too many tries from this address. Wait a minute.")


class Pace:
    """A bucket for each address: `burst` knocks at once, then `per_s` a second."""

    def __init__(self, *, burst: int = BURST, per_s: float = PER_S) -> None:
        self._burst, self._per_s = burst, per_s
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, address: str, now: float) -> bool:
        """Whether `address` may knock once more at `now` (monotonic seconds); counts it where it may."""
        left, since = self._buckets.get(address, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_s)
        if left < 1:
            return False
        if len(self._buckets) >= _MOST_ADDRESSES and address not in self._buckets:
            self._forget_rested(now)
        self._buckets[address] = (left - 1, now)
        return True

    def _forget_rested(self, now: float) -> None:
        """Drop full buckets; where none is full, all of them: a flood from everywhere must not take the memory."""
        rest = self._burst / self._per_s
        kept = {one: bucket for one, bucket in self._buckets.items() if now - bucket[1] < rest}
        self._buckets = kept if len(kept) < _MOST_ADDRESSES else {}


async def paced(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of the whole application; concerns the public ways to sign in alone."""
    scope = connection.scope
    asks_who = scope["path"] == "/api/session" and scope.get("method") != "POST"
    device = handler.opt.get("device")  # devices have a secret each, and a bucket each: `plates.intake`
    if device or not handler.opt.get("public") or not scope["path"].startswith("/api/") or asks_who:
        return
    state = connection.app.state
    address = connection.client.host if connection.client else "unknown"
    if not state.pace.allows(address, state.services.clock.monotonic()):
        raise TooOften
