"""The demonstration's customs: entered, checked and shown as the product shows any other."""

from datetime import timedelta
from pathlib import Path

from svidok.app import demo
from svidok.app.demo_customs import CODE, control
from svidok.app.settings import load_settings
from svidok.base import SystemClock
from svidok.customs import dashboard, worklist
from svidok.customs.contract import parse
from svidok.customs.dashboard import wall_today
from svidok.db import Database


def test_the_demonstration_lacks_what_it_should_and_shows_what_the_pilot_did(
    database: Database, tmp_path: Path
) -> None:
    clock = SystemClock()
    demo.seed(database, load_settings(data=tmp_path), clock, 1)
    at = clock.now()
    assert worklist.check_due(database, at=at) == 4, "history is judged"
    with database.transaction() as tx:
        assert worklist.open_list(tx, checkpoint_id=None) == [], "what may still come is missed already"
    at += timedelta(minutes=20)
    worklist.check_due(database, at=at)
    with database.transaction() as tx:
        checkpoint = tx.one("SELECT id FROM customs.checkpoint WHERE code = %(c)s", c=CODE)["id"]
        lacking = worklist.open_list(tx, checkpoint_id=checkpoint)
        found = dashboard.before_after(
            tx, checkpoint_id=checkpoint, kind="car", split=wall_today(at) - timedelta(days=28), days=28
        )
    assert [(one["requirement"], one["cause"]) for one in lacking] == [("scan", "no-scan")] * 2, (
        "no scan was brought yet"
    )
    assert found["verdict"] == "quicker"
    for one in control(at):
        parse(one)
