"""The terminal: devices with a secret told once, and hotlists from files."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.rooms.plates.conftest import Station

from svidok.access import Role, accounts
from svidok.app import demo_plates
from svidok.app.settings import Settings
from svidok.base import Span, SystemClock
from svidok.cli.plates import plates_group
from svidok.cli.reach import Reach
from svidok.db import Database
from svidok.plates import devices, hotlists, journeys

CLOCK = SystemClock()
PASSWORD = "a few random words"


@pytest.fixture(scope="module")
def run(station: Station, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    folder = tmp_path_factory.mktemp("cli")
    with station.database.transaction() as tx:
        for login, role in (("admin-cli", Role.ADMINISTRATOR), ("boss-cli", Role.SUPERVISOR)):
            actor = accounts.add_account(tx, by=None, login=login, name="n", password=PASSWORD, roles=[role], unit_id=None,
                                         at=CLOCK.now())  # fmt: skip
        hotlists.make(tx, actor=actor, name="From files", legal_basis="Act 1, art. 2", at=CLOCK.now())
    reach = Reach(data=folder, ledger=folder, ledger_origin="x", keys=folder, clock=CLOCK,
                  database=lambda: Database.open(database_url, size=2))  # fmt: skip

    def go(*words: str, login: str | None = None) -> Result:
        who = ["--login", login, "--password", PASSWORD] if login else []
        return CliRunner().invoke(plates_group, [*words, *who], obj=reach)

    return go


def test_a_device_from_its_first_secret_to_its_end(run: Callable[..., Result], station: Station) -> None:
    made = run("devices", "add", "north gate", "--camera", "gate=P-2", "--source", "frigate", login="admin-cli")
    assert made.exit_code == 0, made.output
    secret = made.output.split("once: ")[1].strip()
    with station.database.transaction() as tx:
        device = devices.by_secret(tx, secret, at=CLOCK.now())
    assert device is not None
    assert list(device.cameras) == ["gate"]
    assert "north gate\tfrigate\tnever\t0" in run("devices", "list").output
    rotated = run("devices", "rotate", "north gate", "--grace-hours", "0", login="admin-cli")
    with station.database.transaction() as tx:
        assert devices.by_secret(tx, secret, at=CLOCK.now()) is None
        assert devices.by_secret(tx, rotated.output.split("once: ")[1].strip(), at=CLOCK.now()) is not None
    assert run("devices", "enable", "north gate", "--off", login="admin-cli").exit_code == 0
    assert "disabled" in run("devices", "list").output


def test_what_cannot_be_says_why(run: Callable[..., Result]) -> None:
    assert run("devices", "add", "x", "--camera", "P-99", login="admin-cli").exception.code == "camera-unknown"  # type: ignore[union-attr]
    assert run("devices", "rotate", "nobody", login="admin-cli").exception.code == "device-unknown"  # type: ignore[union-attr]
    assert run("devices", "add", "x", "--camera", "P-1", login="boss-cli").exception.code == "not-permitted"  # type: ignore[union-attr]


def test_a_hotlist_from_a_file(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("plate;reason;expires\nNA1111AA;stolen;2027-03-01\n🚗;x;2027-03-01\n")
    told = run("import", "From files", str(file), login="boss-cli")
    assert (told.exit_code, "line 3" in told.output, "1 entered" in told.output) == (1, True, True)
    assert run("import", "Unknown", str(file), login="boss-cli").exception.code == "hotlist-unknown"  # type: ignore[union-attr]


def test_the_demonstration_has_lists_and_a_device(station: Station, tmp_path: Path) -> None:
    at = CLOCK.now()
    with station.database.transaction() as tx:
        for login, role in (
            ("supervisor", Role.SUPERVISOR),
            ("deputy", Role.SUPERVISOR),
            ("investigator", Role.INVESTIGATOR),
        ):
            accounts.add_account(tx, by=None, login=login, name="n", password=None, roles=[role], unit_id=None, at=at)
        tx.run("UPDATE fleet.camera SET number = 'LV-0005' WHERE number = 'P-0'")
        tx.run("UPDATE fleet.camera SET number = 'LV-0008' WHERE number = 'P-1'")
    service = station.actors[Role.ADMINISTRATOR]
    demo_plates.seed(station.database, Settings(data=tmp_path), service=service, at=at, plates=("BC0001AA",))
    with station.database.transaction() as tx:
        secret = (tmp_path / "demo" / "plate-device.txt").read_text().strip()
        assert devices.by_secret(tx, secret, at=at) is not None
        lists = {row["name"]: (row["standing"], row["waiting"])
                 for row in hotlists.all_lists(tx, actor=station.actors[Role.SUPERVISOR], at=at)}  # fmt: skip
    assert lists["Викрадені авто (демо)"] == (4, 1)
    with station.database.transaction() as tx:
        stops, whole = journeys.journey(tx, "BC0001AA", Span(at - timedelta(days=2), at))
        together = journeys.companions(tx, "BC0001AA", Span(at - timedelta(days=2), at), cameras=2)
        hits = tx.one("SELECT count(*) AS n FROM plates.hit")["n"]
    assert ([len(stop.reads) for stop in stops], whole, [stop.impossible for stop in stops]) == (
        [1] * 3,
        True,
        [False] * 3,
    )
    assert [one.plate for one in together] == [demo_plates._COMPANION]
    assert hits == 0  # nobody looked for it then
