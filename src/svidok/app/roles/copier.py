"""The copier role: sealed footage of this machine to its second places, and once a day an inventory of them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import structlog

from svidok.app.roles.parts import CLOCK, open_database, stop_on_signal
from svidok.app.settings import Settings
from svidok.base import Conflict, SvidokError
from svidok.recording.copies.copier import Copier
from svidok.recording.copies.envelope import Keeper
from svidok.recording.copies.inventory import take_inventory
from svidok.recording.copies.s3 import Bucket, S3Store
from svidok.recording.copies.stores import CopyStore, FolderStore, parse_target

log = structlog.get_logger("copier")

_ROUND_S = 10.0
_COUNT_EVERY = timedelta(days=1)


def open_stores(settings: Settings) -> list[CopyStore]:
    """The stores that the settings name. Raises `BadInput` or `Conflict` where one is not fully named."""
    return [_store(settings, *parse_target(text)) for text in settings.copies]


def _store(settings: Settings, scheme: str, rest: str) -> CopyStore:
    if scheme == "file":
        return FolderStore(Path(rest))
    if settings.s3_access_key is None or settings.s3_secret_key is None:
        raise Conflict("s3-keys-not-set", "Set SVIDOK_S3_ACCESS_KEY and SVIDOK_S3_SECRET_KEY.")
    name, _, prefix = rest.partition("/")
    bucket = Bucket(
        name=name, prefix=prefix, endpoint=settings.s3_endpoint, region=settings.s3_region,
        access_key=settings.s3_access_key, secret_key=settings.s3_secret_key.get_secret_value(),
        lock_for=timedelta(days=settings.s3_lock_days) if settings.s3_lock_days else None,
    )  # fmt: skip
    return S3Store(bucket, CLOCK.now)


def keeper_of(settings: Settings) -> Keeper:
    """What keeps the keys of copies."""
    return Keeper(settings.keys / "copies.key")


async def run_copier(settings: Settings) -> None:
    """Copy until told to stop. Raises `Conflict` at once where a store cannot keep what it promises."""
    stores = open_stores(settings)
    for store in stores:
        await asyncio.to_thread(store.check)
    database, stop = open_database(settings, size=3), stop_on_signal()
    copier = Copier(database=database, stores=stores, keeper=keeper_of(settings), node=settings.node)
    count_at = CLOCK.now() + timedelta(minutes=10)
    while not stop.is_set():
        try:
            copied = await asyncio.to_thread(copier.round, at=CLOCK.now, cancelled=stop.is_set)
            if copied.copies or copied.erased:
                log.info("copied", segments=copied.copies, bytes=copied.size_bytes, erased=copied.erased)
            if CLOCK.now() >= count_at:
                count_at = CLOCK.now() + _COUNT_EVERY
                for store in stores:
                    await asyncio.to_thread(take_inventory, database, store, at=CLOCK.now())
        except SvidokError as error:
            log.warning("will try again", code=error.code, why=error.message)
        try:
            async with asyncio.timeout(_ROUND_S):
                await stop.wait()
        except TimeoutError:
            continue
    database.close()
