"""The dock role: the door for docks over TLS, second copies, cutting, counting, disposal of originals."""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog
import uvicorn

from svidok.api.docks import DockDoor
from svidok.api.services import WornParts
from svidok.app.roles.parts import CLOCK, open_database
from svidok.app.roles.signatures import trusted_roots
from svidok.app.settings import Settings
from svidok.base import SvidokError
from svidok.bodyworn import disposing, docks, inventory, watching
from svidok.bodyworn.keys import door_keys
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import SQL, Tender, enrol_vault
from svidok.bodyworn.vault import Vault
from svidok.db import Database
from svidok.fleet import registry
from svidok.recording.judging import Governance

log = structlog.get_logger("dock")
_CATEGORIES = ("Контрабанда", "Скарга", "Кримінальне провадження", "Адміністративна справа")


def worn_parts(settings: Settings, database: Database) -> WornParts | None:
    """What the hub needs of worn cameras: the volumes to count, and what a connection file says."""
    if settings.dock_port is None:
        return None
    with database.transaction() as tx:
        known = {row["path"]: row["id"] for row in tx.all(SQL["worn_volumes"], node=settings.node)}
    return WornParts(
        vault=Vault(settings.worn_volumes(), node=settings.node, known=known),
        keys=door_keys(settings.keys, host=settings.dock_host, at=CLOCK.now()),
        origin=settings.dock_origin or f"https://{settings.dock_host}:{settings.dock_port}",
    )


def run_dock(settings: Settings) -> None:
    """Serve docks and tend what they sent, until told to stop."""
    database = open_database(settings, size=12)
    keys = door_keys(settings.keys, host=settings.dock_host, at=CLOCK.now())
    vault = enrol_vault(database, settings.worn_volumes(), node=settings.node, at=CLOCK.now())
    tender = Tender(
        database=database, vault=vault, keys=keys, clock=CLOCK, node=settings.node, roots=trusted_roots(settings)
    )
    door = DockDoor(
        database=database, vault=vault, uploads=Uploads(database=database, vault=vault), clock=CLOCK,
        token_key=keys.token_key, categories=_CATEGORIES,
    )  # fmt: skip
    stop = threading.Event()
    chores = [
        threading.Thread(target=_every, args=(stop, seconds, work), name=name, daemon=True)
        for name, seconds, work in _chores(settings, database, vault, tender)
    ]
    for chore in chores:
        chore.start()
    try:
        uvicorn.run(
            door, host=settings.dock_host, port=settings.dock_port or 0, log_config=None, access_log=False,
            server_header=False, timeout_keep_alive=75, lifespan="off",
            timeout_graceful_shutdown=3, ssl_certfile=str(keys.certificate),
            ssl_keyfile=str(keys.private_key),
        )  # fmt: skip
    finally:
        stop.set()
        for chore in chores:
            chore.join(20)
        database.close()


def _chores(
    settings: Settings, database: Database, vault: Vault, tender: Tender
) -> list[tuple[str, float, Callable[[], object]]]:
    judge = Governance(classes=registry.retention_classes)

    def count() -> None:
        with database.transaction() as tx:
            due = inventory.is_due(tx, at=CLOCK.now())
        if due:
            _, made = inventory.take_inventory(database, vault, at=CLOCK.now())
            log.info("counted", clips=made.clips, shortfall=made.shortfall)

    return [
        ("copies", 1.0, tender.copy_waiting),
        ("reading", 1.0, tender.read_waiting),
        ("counting", 60.0, count),
        ("disposal", 300.0, lambda: disposing.sweep(database, vault, judge, at=CLOCK.now())),
        ("watching", 10.0, lambda: _watch(settings.worn_watched, database, vault)),
    ]


def _watch(root: Path | None, database: Database, vault: Vault) -> None:
    """Take in what lies below the watched folder: one folder for each dock, by its account."""
    if root is None or not root.is_dir():
        return
    with database.transaction() as tx:
        known = docks.docks(tx)
    for dock in known:
        for folder in watching.folders(root / dock.account):
            taken = watching.take_folder(database, vault, folder, dock=dock, at=CLOCK.now())
            if taken.kept:
                log.info("taken from a folder", folder=folder.name, kept=taken.kept, missing=taken.missing)


def _every(stop: threading.Event, seconds: float, work: Callable[[], object]) -> None:
    """Do `work` every so often, at once again while it says that it did something; what fails is tried again."""
    failing = False
    while not stop.is_set():
        did: object = None
        try:
            did = work()
            failing = False
        except (SvidokError, OSError) as error:
            if not failing:
                log.warning("will try again", why=str(error))
            failing = True
        if not (isinstance(did, int) and did > 0):
            stop.wait(seconds)
