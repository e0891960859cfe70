"""The demonstration of plates: a case, hotlists, two days of reads that a journey can show, and a device.

The device's secret lies in `<data>/demo/plate-device.txt`. What it "read" in the
two days before is entered by its own door, before anybody looks for the plates:
plates that nobody has, and pictures that are drawn.
"""

import random
import secrets
from datetime import datetime, timedelta

import cv2

from svidok.access import Actor, accounts
from svidok.app.settings import Settings
from svidok.base import SystemClock
from svidok.db import Database, Transaction
from svidok.governance import ReferenceKind, keeping, purposes
from svidok.plates import devices, hotlist_file, hotlists
from svidok.plates.devices import Device
from svidok.plates.intake_submission import Submission
from svidok.plates.model import HIT_CLASS, PLATE_CLASS, Direction, Source
from svidok.plates.parts import Plates
from svidok.simulate.plates import draw
from svidok.vision.grammar import fitting

_BASIS = "Закон України «Про Національну поліцію», ст. 25 (демонстрація)"
_LISTS = (
    ("Викрадені авто (демо)", (
        ("BC7731KM", "викрадено 24.11.2026, Skoda, сіра", "normal", "не зупиняти самотужки, викликати наряд"),
        ("AA1234BB", "викрадено, вантажівка", "high", "озброєні, чекати на підсилення"),
        ("BC??19EA", "свідок запам'ятав лише частину номера", "low", "перевірити за фото"),
    )),
    ("Зниклі безвісти (демо)", (("AC5082HT", "авто зниклої особи", "normal", "повідомити слідчого"),)),
)  # fmt: skip
_COMPANION = "AT7204HC"
_WAY = (
    (31.0, "LV-0008"), (28.4, "LV-0012"), (27.6, "LV-0005"), (26.2, "LV-0006"), (8.5, "LV-0006"), (7.3, "LV-0005"),
)  # fmt: skip
"""So many hours ago, past which camera."""
_KEEP_DAYS = {PLATE_CLASS: 30, HIT_CLASS: 365}


def seed(
    database: Database, settings: Settings, *, service: Actor, at: datetime, plates: tuple[str, ...] = ()
) -> None:  # fmt: skip
    """Enter it once. `plates` are known to pass the demonstration's cameras, and are looked for."""
    with database.transaction() as tx:
        people = {
            login: accounts.actor_of(tx.one(accounts.SQL["account_by_login"], login=login))
            for login in ("supervisor", "deputy", "investigator")
        }
        device, secret = _device(tx, service, at)
    if device is not None:
        _pass_before(database, settings, device, plates[:2], at)
        told = settings.data / "demo" / "plate-device.txt"
        told.parent.mkdir(parents=True, exist_ok=True)
        told.touch(mode=0o600)
        told.write_text(f"{secret}\n")
    with database.transaction() as tx:
        _enter(tx, supervisor=people["supervisor"], deputy=people["deputy"], investigator=people["investigator"],
               at=at, plates=plates)  # fmt: skip


def _device(tx: Transaction, administrator: Actor, at: datetime) -> tuple[Device | None, str]:
    """A device that speaks for every plate camera, and its secret; nothing where no camera reads plates."""
    cameras = tx.all("SELECT id, number FROM fleet.camera WHERE kind = 'plate' ORDER BY number")
    if not cameras:
        return None, ""
    known = {"": cameras[0]["id"]} | {camera["number"]: camera["id"] for camera in cameras}
    device_id, secret = devices.add(
        tx, actor=administrator, name=f"demo-{secrets.token_hex(2)}", source=Source.CONTRACT, topic="demo",
        cameras=known, at=at,
    )  # fmt: skip
    return devices.by_id(tx, device_id), secret


def _pass_before(database: Database, settings: Settings, device: Device, plates: tuple[str, ...], at: datetime) -> None:
    """Let `plates` have passed some cameras, and somebody behind them."""
    door = Plates(database=database, data=settings.data, clock=SystemClock()).door
    driven = [(plate, timedelta(hours=2 * number)) for number, plate in enumerate(plates)]
    driven += [(_COMPANION, later - timedelta(seconds=25)) for _, later in driven]
    reads = [
        Submission(
            plate=plate, confidence=0.96, taken_at=at - timedelta(hours=hours) - later, camera=camera, country="UA",
            direction=Direction.TOWARDS, patch=_drawn(plate),
        )
        for hours, camera in _WAY if camera in device.cameras for plate, later in driven
    ]  # fmt: skip
    door.take(device, reads, at=at)


def _drawn(plate: str) -> bytes:
    """A plate as a picture."""
    form = next(form for form in fitting(plate) if form.country == "UA")
    _, encoded = cv2.imencode(".jpg", draw(random.Random(plate), plate, form).picture)  # noqa: S311  nothing secret
    return encoded.tobytes()


def _enter(
    tx: Transaction, *, supervisor: Actor, deputy: Actor, investigator: Actor, at: datetime, plates: tuple[str, ...]
) -> None:  # fmt: skip
    purposes.open_reference(
        tx, actor=supervisor, kind=ReferenceKind.CASE, number="12026140000001107", title="Викрадення авто, серія",
        legal_basis="КПК України, ст. 214, 298 (демонстрація)", at=at,
    )  # fmt: skip
    for name, days in _KEEP_DAYS.items():
        rule = keeping.make_rule(
            tx, actor=supervisor, retention_class=name, keep_days=days, legal_basis=_BASIS, at=at
        )  # fmt: skip
        keeping.agree_to_rule(tx, actor=deputy, rule_id=rule, at=at)
    for number, (name, rows) in enumerate(_LISTS):
        list_id = hotlists.make(tx, actor=supervisor, name=name, legal_basis=_BASIS, at=at)
        passing = tuple((plate, "проїжджає перед камерою демонстрації", "normal", "") for plate in plates[:2])
        entries = [
            hotlist_file.entry_of(
                plate=plate, reason=reason, priority=priority, instructions=instructions, at=at,
                expires_at=at + timedelta(days=90),
            )
            for plate, reason, priority, instructions in (*rows, *(passing if number == 0 else ()))
        ]  # fmt: skip
        hotlists.add(tx, actor=investigator, list_id=list_id, new=entries, at=at)
