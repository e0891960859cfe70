"""Second copies behind the door: how they fare at each place, and what the last inventory found."""

from datetime import datetime

import msgspec
from litestar import get

from svidok.api.door import guarded
from svidok.api.services import Services
from svidok.recording.copies.copier import SQL


class InventoryOut(msgspec.Struct):
    """What the last inventory of a place found."""

    taken_at: datetime
    copies: int
    missing: int
    differing: int
    unknown: int


class PlaceOut(msgspec.Struct):
    """One place. `unreadable` copies have no key and wait for their lock to end; `waiting` is not copied yet."""

    target: str
    copies: int
    size_bytes: int
    unreadable: int
    erased: int
    last_at: datetime | None
    waiting: int
    waiting_bytes: int
    oldest_waiting_at: datetime | None
    inventory: InventoryOut | None


class CopiesOut(msgspec.Struct):
    """Every place that ever had a copy."""

    items: list[PlaceOut]


@get("/api/copies", **guarded("view_storage"), sync_to_thread=True)
def read_copies(services: Services) -> CopiesOut:
    """How second copies fare."""
    with services.database.transaction() as tx:
        counted = {row["target"]: msgspec.convert(row, InventoryOut) for row in tx.all(SQL["last_inventories"])}
        items = []
        for row in tx.all(SQL["totals"]):
            waiting = tx.one(SQL["waiting"], target=row["target"])
            items.append(
                PlaceOut(
                    **row, waiting=waiting["segments"], waiting_bytes=waiting["size_bytes"],
                    oldest_waiting_at=waiting["oldest_at"], inventory=counted.get(row["target"]),
                )
            )  # fmt: skip
    return CopiesOut(items)


ROUTES = [read_copies]
