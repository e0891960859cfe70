"""Reads to keep and search, made up but as plausible as need be; people, cameras and a device to send them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from svidok.access import Actor, Role, accounts
from svidok.base import SystemClock, new_id
from svidok.db import Database
from svidok.governance import Purpose, ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference
from svidok.plates import devices
from svidok.plates.devices import Device
from svidok.plates.model import Read, Source
from svidok.plates.parts import Plates

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMERAS = [UUID(int=100 + n) for n in range(6)]


@pytest.fixture
def make() -> Callable[..., Read]:
    """A read of `plate` at camera number `camera`, `minutes` after noon."""

    def read(plate: str, camera: int = 0, minutes: float = 0, **how: object) -> Read:
        taken_at = NOON + timedelta(minutes=minutes)
        known: dict[str, object] = {
            "id": uuid5(UUID(int=7), f"{plate} {camera} {minutes}"), "camera_id": CAMERAS[camera], "taken_at": taken_at,
            "received_at": taken_at + timedelta(seconds=1), "plate": plate, "as_read": plate, "confidence": 0.9,
            "source": Source.CONTRACT, "lat": 49.8 + camera / 10, "lon": 24.0,
        }  # fmt: skip
        return Read(**{**known, **how})  # type: ignore[arg-type]

    return read


@pytest.fixture
def fresh_id() -> UUID:
    return new_id()


@dataclass
class Station:
    """A small police station: somebody of each role, a case, an incident and a duty, six cameras, one device."""

    database: Database
    plates: Plates
    at: datetime
    actors: dict[Role, Actor] = field(default_factory=dict)
    references: dict[ReferenceKind, UUID] = field(default_factory=dict)
    secret: str = ""
    device_id: UUID | None = None

    def purpose(self, role: Role, kind: ReferenceKind = ReferenceKind.CASE) -> Purpose:
        with self.database.transaction() as tx:
            return choose_purpose(
                tx, actor=self.actors[role], reference_id=self.references[kind], reason="to find it", at=self.at
            )

    def device(self) -> Device:
        with self.database.transaction() as tx:
            assert self.device_id is not None
            return devices.by_id(tx, self.device_id)


def people(station: Station) -> None:
    with station.database.transaction() as tx:
        for role in Role:
            station.actors[role] = accounts.add_account(
                tx, by=None, login=f"u-{new_id().hex[-12:]}", name=f"Name {role}", password=None, roles=[role],
                unit_id=None, at=station.at,
            )  # fmt: skip
        for kind in ReferenceKind:
            station.references[kind] = open_reference(
                tx, actor=station.actors[Role.SUPERVISOR], kind=kind, number=str(new_id()), title="t",
                legal_basis="Act 1, art. 2", at=station.at,
            ).id  # fmt: skip


def cameras(station: Station) -> None:
    with station.database.transaction() as tx:
        for number, camera_id in enumerate(CAMERAS):
            tx.run(
                "INSERT INTO fleet.camera (id, number, name_uk, kind, owner, region_code, lat, lon, life, life_since) "
                "VALUES (%(id)s, %(number)s, 'Камера', 'plate', 'police', 'UA46', %(lat)s, 24.0, 'working', %(at)s) "
                "ON CONFLICT DO NOTHING",
                id=camera_id, number=f"P-{number}", lat=49.8 + number / 10, at=station.at,
            )  # fmt: skip


@pytest.fixture(scope="module")
def station(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Station:
    clock = SystemClock()
    folder: Path = tmp_path_factory.mktemp("plates")
    made = Station(database, Plates(database=database, data=folder, clock=clock), clock.now())
    people(made)
    cameras(made)
    with database.transaction() as tx:
        made.device_id, made.secret = devices.add(
            tx, actor=made.actors[Role.ADMINISTRATOR], name="gate", source=Source.CONTRACT,
            cameras={"north": CAMERAS[0], "south": CAMERAS[1]}, at=made.at, per_s=500.0, topic="site/gate",
        )  # fmt: skip
    return made
