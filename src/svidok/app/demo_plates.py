"""The demonstration of plates: a case, hotlists, and a device whose secret lies in `<data>/demo/plate-device.txt`."""

import secrets
from datetime import datetime, timedelta

from svidok.access import Actor, accounts
from svidok.app.settings import Settings
from svidok.db import Database, Transaction
from svidok.governance import ReferenceKind, keeping, purposes
from svidok.plates import devices, hotlist_file, hotlists
from svidok.plates.model import HIT_CLASS, PLATE_CLASS, Source

_BASIS = "Закон України «Про Національну поліцію», ст. 25 (демонстрація)"
_LISTS = (
    ("Викрадені авто (демо)", (
        ("BC7731KM", "викрадено 24.11.2026, Skoda, сіра", "normal", "не зупиняти самотужки, викликати наряд"),
        ("AA1234BB", "викрадено, вантажівка", "high", "озброєні, чекати на підсилення"),
        ("BC??19EA", "свідок запам'ятав лише частину номера", "low", "перевірити за фото"),
    )),
    ("Зниклі безвісти (демо)", (("AC5082HT", "авто зниклої особи", "normal", "повідомити слідчого"),)),
)  # fmt: skip
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
        secret = _enter(
            tx, supervisor=people["supervisor"], deputy=people["deputy"], investigator=people["investigator"],
            administrator=service, at=at, plates=plates,
        )  # fmt: skip
    if secret is not None:
        told = settings.data / "demo" / "plate-device.txt"
        told.parent.mkdir(parents=True, exist_ok=True)
        told.touch(mode=0o600)
        told.write_text(f"{secret}\n")


def _enter(
    tx: Transaction, *, supervisor: Actor, deputy: Actor, investigator: Actor, administrator: Actor, at: datetime,
    plates: tuple[str, ...],
) -> str | None:  # fmt: skip
    """The device's secret, or nothing where no camera reads plates."""
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
    camera = tx.maybe("SELECT id, number FROM fleet.camera WHERE kind = 'plate' ORDER BY number LIMIT 1")
    if camera is None:
        return None
    _, secret = devices.add(
        tx, actor=administrator, name=f"demo-{secrets.token_hex(2)}", source=Source.CONTRACT, topic="demo",
        cameras={"": camera["id"]}, at=at,
    )  # fmt: skip
    return secret
