"""The fleet as CSV: every camera that the filters leave, columns in their order, and nothing a spreadsheet would run."""

import csv
import io
from datetime import UTC, datetime

import pytest

from svidok.access import Role, accounts
from svidok.api.fleet_table import COLUMNS, table
from svidok.base import new_id
from svidok.db import Database
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.fleet.search import Filters

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEAD = "number,name_uk,kind,owner,region_code,life,maker,username,password"
REGION = "UA46060250010015970"


@pytest.fixture
def fleet(database: Database, tmp_path) -> None:
    with database.transaction() as tx:
        tx.run(
            "TRUNCATE fleet.camera, fleet.channel, fleet.stream, fleet.life_change, fleet.beat, fleet.finding CASCADE"
        )
        boss = accounts.add_account(
            tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[Role.ADMINISTRATOR],
            unit_id=None, at=NOON,
        )  # fmt: skip
    rows = [f"T-{n:05},Камера {n},overview,police,{REGION},working,Acme,eye,hunter22" for n in range(1201)]
    rows.append(f'T-X,"=cmd|calc",plate,customs,{REGION},destroyed,"a;""b""",eye,hunter22')
    data = "\n".join([HEAD, *rows]).encode()
    import_cameras(database, data, actor=boss, safe=Safe(tmp_path / "k"), at=NOON, progress=lambda *_: None)


def read(database: Database, filters: Filters, *columns: str) -> list[list[str]]:
    text = b"".join(table(database, filters, list(columns))).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_all_that_the_filters_leave_is_there_in_order(database: Database, fleet: None) -> None:
    head, *rows = read(database, Filters(), "owner", "number")
    assert head == ["owner", "number"]
    assert len(rows) == 1202
    assert rows == sorted(rows, key=lambda row: row[1])
    (only,) = read(database, Filters(kind="plate"), "number", "name", "maker", "state")[1:]
    assert only == ["T-X", "'=cmd|calc", 'a;"b"', "destroyed"]


def test_no_secret_is_a_column(database: Database, fleet: None) -> None:
    rows = read(database, Filters(kind="plate"), *COLUMNS)
    assert "hunter22" not in str(rows)
    assert not {"sealed_login", "url", "password"} & set(rows[0])
