"""The one door for reads, whatever tongue they came in: who, how many, is it true, its pictures, the row, its hits.

A read is safe, and its hits with it, when `take` returns. A picture that
cannot be kept never refuses a read. What cannot be taken is kept aside with its
reason and counted. One device's flood is its own: each has a bucket.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
import structlog

from svidok.base import Clock, SvidokError
from svidok.db import Database, Transaction
from svidok.plates import store
from svidok.plates.devices import SQL as DEVICES
from svidok.plates.devices import Device
from svidok.plates.intake_submission import Judged, Limits, Refusal, Submission, judge
from svidok.plates.matching import Match, Matcher
from svidok.plates.model import Read
from svidok.plates.pictures import BadPicture, Pictures
from svidok.plates.rules import Rules
from svidok.plates.store import Reads

log = structlog.get_logger("intake")

BURST_S = 20.0  # what a device may send at once: this many seconds of its rate
_MOST_DEVICES = 50_000
_MOST_ASIDE = 50  # rejected reads of one message that are kept; the others are counted


class DeviceRefused(SvidokError):
    """This device may not send: unknown, disabled, expired."""

    status: ClassVar[int] = 401


class DeviceTooFast(SvidokError):
    """This device sends more than it may; nothing of the message was taken, and it may be sent again."""

    status: ClassVar[int] = 429

    def __init__(self, *, per_s: float, wait_s: float) -> None:
        super().__init__(
            "device-too-fast", f"This device may send {per_s:g} reads a second. Send the same again later.",
            retry_after_s=max(1, round(wait_s)),
        )  # fmt: skip


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A read of a message that was not taken: its place in the message, and why."""

    at: int
    code: str
    says: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a message came to. `ids` in the order of the message, unset for what was rejected."""

    taken: int
    repeated: int
    rejected: list[Rejected]
    ids: list[UUID | None]
    left_out: dict[str, list[str]] = {}


class Bucket:
    """How many reads each device may still send."""

    def __init__(self) -> None:
        self._left: dict[UUID, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def spend(self, device: Device, reads: int, now_s: float) -> float:
        """Take `reads` out of the device's bucket; seconds to wait where it has not as many (then nothing is taken)."""
        most = max(device.per_s * BURST_S, 20.0)
        with self._lock:
            left, since = self._left.get(device.id, (most, now_s))
            left = min(most, left + (now_s - since) * device.per_s)
            wanted = min(float(reads), most)  # a message larger than the bucket empties it, and is taken
            if left < wanted:
                self._left[device.id] = (left, now_s)
                return (wanted - left) / device.per_s
            if len(self._left) > _MOST_DEVICES:
                self._left.clear()
            self._left[device.id] = (left - wanted, now_s)
            return 0.0


class Door:
    """See the module. Safe from several threads; `on_hits` is called after hits were committed."""

    def __init__(
        self,
        *,
        database: Database,
        pictures: Pictures,
        matcher: Matcher,
        clock: Clock,
        rules: Rules,
        on_hits: Callable[[list[Match]], None] = lambda _: None,
    ) -> None:
        self._database, self._pictures, self._matcher = database, pictures, matcher
        self._clock, self._rules, self._on_hits = clock, rules, on_hits
        self._reads = Reads(database)
        self._bucket = Bucket()

    def check(self, device: Device | None, *, at: datetime) -> Device:
        """The device, where it may send. Raises `DeviceRefused`."""
        if device is None:
            raise DeviceRefused("device-unknown", "Nobody has this secret. An administrator registers devices.")
        if not device.enabled or (device.expires_at is not None and device.expires_at <= at):
            self._tally(device.id, at, refused=1)
            raise DeviceRefused("device-disabled", "This device is disabled or its time is over.")
        return device

    def take(self, device: Device, told: Sequence[Submission | Refusal], *, at: datetime) -> Taken:
        """Take what a device tells. Raises `DeviceTooFast`, and `Unavailable` where nothing can be kept now."""
        wait_s = self._bucket.spend(device, len(told), self._clock.monotonic())
        if wait_s > 0:
            self._tally(device.id, at, refused=1)
            raise DeviceTooFast(per_s=device.per_s, wait_s=wait_s)
        limits = Limits(at=at, oldest=self._rules.oldest_taken)
        judged = [one if isinstance(one, Refusal) else judge(one, device, limits) for one in told]
        bad = [(place, one) for place, one in enumerate(judged) if isinstance(one, Refusal)]
        left_out: dict[str, list[str]] = {}
        reads = [self._with_pictures(one, left_out) for one in judged if isinstance(one, Judged)]
        distinct = len({read.id for read in reads})

        def tally(tx: Transaction, new: int) -> None:
            store.reject(
                tx, [(one.code, one.says, one.raw) for _, one in bad[:_MOST_ASIDE]], device_id=device.id, at=at
            )
            _add_tally(tx, device.id, at, taken=new, repeated=distinct - new + len(reads) - distinct, rejected=len(bad))

        new = self._keep(reads, tally)
        ids = [None if isinstance(one, Refusal) else one.read.id for one in judged]
        rejected = [Rejected(at=place, code=one.code, says=one.says) for place, one in bad]
        return Taken(taken=new, repeated=len(reads) - new, rejected=rejected, ids=ids, left_out=left_out)

    def take_own(self, reads: Sequence[Read]) -> int:
        """Take reads of our own reader, which are judged already; how many were new."""
        return self._keep(reads, lambda _tx, _new: None)

    def reject_body(self, device: Device, error: SvidokError, body: bytes, *, at: datetime) -> None:
        """A whole message that is not in its tongue: kept aside and counted."""
        with self._database.transaction() as tx:
            store.reject(tx, [(error.code, error.message, body)], device_id=device.id, at=at)
            _add_tally(tx, device.id, at, rejected=1)

    def _keep(self, reads: Sequence[Read], tally: Callable[[Transaction, int], None]) -> int:
        self._matcher.freshen(at=self._clock.now(), now_s=self._clock.monotonic())
        hits: list[Match] = []

        def also(tx: Transaction, new: Sequence[Read]) -> None:
            hits.extend(self._matcher.write_hits(tx, new))
            tally(tx, len(new))

        if not reads:
            with self._database.transaction() as tx:
                tally(tx, 0)
            return 0
        new = self._reads.add(reads, also=also)
        if hits:
            self._on_hits(hits)
        return len(new)

    def _with_pictures(self, judged: Judged, left_out: dict[str, list[str]]) -> Read:
        """The read with its pictures kept; a picture that cannot be kept is left out and named."""
        names = list(judged.left_out)
        kept: dict[str, UUID] = {}
        for field, name, data in (("image", "overview", judged.overview), ("patch", "patch", judged.patch)):
            if data is None:
                continue
            try:
                kept[field] = self._pictures.put(data, taken_at=judged.read.taken_at)
            except BadPicture as error:
                names.append(f"{name}: {error}")
            except OSError as error:
                log.warning("picture not kept", why=error.strerror)
                names.append(f"{name}: it could not be stored")
        if names:
            left_out[str(judged.read.id)] = names
        return msgspec.structs.replace(judged.read, **kept) if kept else judged.read

    def _tally(self, device_id: UUID, at: datetime, **counts: int) -> None:
        with self._database.transaction() as tx:
            _add_tally(tx, device_id, at, **counts)


def _add_tally(
    tx: Transaction, device_id: UUID, at: datetime, *, taken: int = 0, repeated: int = 0, rejected: int = 0,
    refused: int = 0,
) -> None:  # fmt: skip
    tx.run(
        DEVICES["tally"], ids=[device_id], seen=[at], taken=[taken], repeated=[repeated], rejected=[rejected],
        refused=[refused],
    )  # fmt: skip
