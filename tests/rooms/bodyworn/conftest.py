"""A door for docks that runs over TLS, its vault on two volumes, a fleet of worn cameras, and officers with shifts."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import uvicorn

from svidok.access import Actor, Role, accounts
from svidok.api.docks import DockDoor
from svidok.base import Span, SystemClock, new_id
from svidok.bodyworn import docks, issuing
from svidok.bodyworn.keys import DoorKeys, door_keys
from svidok.bodyworn.model import PauseKind, Service
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import Tender, enrol_vault
from svidok.bodyworn.vault import Vault
from svidok.db import Database, Transaction
from svidok.recording import facts as f
from svidok.recording.store import enter_facts
from svidok.recording.volumes import enrol
from svidok.simulate.docking import DockClient

NODE = "dock-test"
ENTERED = SystemClock().now()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Somebody of each kind, with an account."""

    supervisor: Actor
    administrator: Actor
    officer: Actor
    auditor: Actor


def make_people(tx: Transaction) -> People:
    made = {
        role: accounts.add_account(
            tx, by=None, login=f"{role}-{new_id().hex[-12:]}", name="n", password=None, roles=[role], unit_id=None,
            at=ENTERED,
        )
        for role in (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR)
    }  # fmt: skip
    return People(
        supervisor=made[Role.SUPERVISOR], administrator=made[Role.ADMINISTRATOR], officer=made[Role.OFFICER],
        auditor=made[Role.AUDITOR],
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A checkpoint with its door."""

    database: Database
    vault: Vault
    tender: Tender
    keys: DoorKeys
    door: DockDoor
    url: str
    made: docks.NewDock
    footage: Path
    people: People

    def client(self) -> DockClient:
        found = DockClient(
            url=self.url, account=self.made.dock.account, secret=self.made.secret, certificate=self.keys.certificate
        )
        found.sign_in()
        return found

    def camera(self, serial: str) -> str:
        """A worn camera in the fleet, enrolled; its number."""
        number = f"BW-{serial}"
        with self.database.transaction() as tx:
            camera_id = new_id()
            tx.run(
                "INSERT INTO fleet.camera (id, number, name_uk, kind, owner, region_code, life, life_since) VALUES "
                "(%(id)s, %(number)s, 'натільна', 'body_worn', 'customs', 'UA46', 'planned', %(at)s)",
                id=camera_id, number=number, at=ENTERED,
            )  # fmt: skip
            tx.run("INSERT INTO fleet.channel (id, camera_id) VALUES (%(id)s, %(c)s)", id=new_id(), c=camera_id)
            issuing.enrol_camera(
                tx, actor=self.people.administrator, number=number, serial=serial, service=Service.CUSTOMS, checkpoint="Рава-Руська",
                at=ENTERED,
            )  # fmt: skip
        return number

    def shift(self, badge: str, serial: str, start: datetime, seconds: float, *, back: bool = True) -> "Worn":
        """An officer with a shift and a camera for it."""
        number = self.camera(serial)
        end = start + timedelta(seconds=seconds)
        with self.database.transaction() as tx:
            officer = issuing.add_officer(
                tx, actor=self.people.supervisor, badge=badge, name=f"Офіцер {badge}", service=Service.CUSTOMS, at=start,
                card=f"card-{badge}",
            )  # fmt: skip
            shift = issuing.plan_shift(
                tx,
                actor=self.people.supervisor,
                officer_id=officer,
                checkpoint="Рава-Руська",
                span=Span(start, end),
                at=start,
            )
            issuing.issue(
                tx, actor=self.people.officer, badge=f"card-{badge}", camera=number, at=start - timedelta(minutes=1)
            )
            if back:
                issuing.take_back(tx, actor=self.people.officer, camera=number, at=end + timedelta(seconds=30))
        return Worn(number=number, serial=serial, badge=badge, shift_id=str(shift), start=start, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A camera that was worn for a shift."""

    number: str
    serial: str
    badge: str
    shift_id: str
    start: datetime
    seconds: float


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scenes")


def add_footage_volume(database: Database, folder: Path) -> None:
    volume = enrol(folder, node=NODE, quota_bytes=None, known_id=None)
    seen = f.VolumeSeen(
        volume_id=volume.id, node=NODE, path=str(folder), quota_bytes=None, used_bytes=0, free_bytes=1 << 30,
        state="ready", at=ENTERED,
    )  # fmt: skip
    with database.transaction() as tx:
        enter_facts(tx, [seen])


@pytest.fixture(scope="module")
def place(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    add_footage_volume(database, folder / "footage")
    vault = enrol_vault(database, [folder / "first", folder / "second"], node=NODE, at=ENTERED)
    keys = door_keys(folder / "keys", host="localhost", at=ENTERED)
    clock = SystemClock()
    door = DockDoor(
        database=database, vault=vault, uploads=Uploads(database=database, vault=vault), clock=clock,
        token_key=keys.token_key, categories=("Контрабанда", "Скарга"),
    )  # fmt: skip
    with database.transaction() as tx:
        people = make_people(tx)
        issuing.set_pack(
            tx, actor=people.supervisor, service=Service.CUSTOMS, retention_class="customs-worn", at=ENTERED,
            legal_basis="МКУ, ст. 324", pause_kinds=[PauseKind.PERSONAL_NEEDS], hold_reasons=["complaint"],
        )  # fmt: skip
        made = docks.make_dock(tx, actor=people.administrator, name="Док 1", checkpoint="Рава-Руська", at=ENTERED)
    with serving(door, keys) as url:
        yield Place(
            database=database, vault=vault, keys=keys, door=door, url=url, made=made, footage=folder / "footage", people=people,
            tender=Tender(database=database, vault=vault, keys=keys, clock=clock, node=NODE),
        )  # fmt: skip


class serving:  # noqa: N801
    """A door on a free port, over TLS, for as long as the block lasts."""

    def __init__(self, door: DockDoor, keys: DoorKeys) -> None:
        config = uvicorn.Config(
            door, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off",
            ssl_certfile=str(keys.certificate), ssl_keyfile=str(keys.private_key),
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            assert self._thread.is_alive()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"https://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
