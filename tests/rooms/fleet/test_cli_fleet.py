"""Importing at the terminal: as somebody, with bad rows named and an exit code that a script can use."""

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result

from svidok.access import Role, accounts
from svidok.base import SvidokError, SystemClock, new_id
from svidok.cli.fleet import cameras_group
from svidok.cli.reach import Reach
from svidok.db import Database
from svidok.fleet.regions import regions

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_cameras_are_imported_and_listed(database: Database, database_url: str, tmp_path: Path) -> None:
    logins = {}
    with database.transaction() as tx:
        for role in (Role.ADMINISTRATOR, Role.OPERATOR):
            logins[role] = accounts.add_account(
                tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password="a few random words", roles=[role],
                unit_id=None, at=NOON,
            ).login  # fmt: skip
    reach = Reach(
        data=tmp_path, ledger=tmp_path, ledger_origin="x", keys=tmp_path / "keys", clock=SystemClock(),
        database=lambda: Database.open(database_url, size=1),
    )  # fmt: skip
    file = tmp_path / "fleet.csv"
    code = next(iter(regions()))
    file.write_text(
        f"number,name_uk,kind,owner,region_code\nC-1,Міст,plate,police,{code}\nC-2,Міст,drone,police,{code}\n", "utf-8"
    )

    def run(*args: str) -> Result:
        return CliRunner().invoke(cameras_group, list(args), obj=reach)

    def take(role: Role, password: str = "a few random words") -> Result:
        return run("import", str(file), "--login", logins[role], "--password", password)

    assert isinstance(take(Role.OPERATOR).exception, SvidokError)
    assert isinstance(take(Role.ADMINISTRATOR, "wrong").exception, SvidokError)
    done = take(Role.ADMINISTRATOR)
    assert done.exit_code == 1
    assert "line 3: kind 'drone'" in done.output
    assert "1 taken, 0 known already, 1 not taken" in done.output
    assert "1 known already" in take(Role.ADMINISTRATOR).output
    assert run("list").output.startswith("C-1\tplanned\t")
    assert run("list", "--text", "МІСТ").output.count("\n") == 1
    assert run("list", "--life", "silent").output == ""
