"""Every route as every role, and every verb as a dock: whatever is tried, each clip is there afterwards, unchanged."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient
from tests.rooms.bodyworn.conftest import Place

from svidok.access import ACTIONS, Role, accounts, sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock, new_id
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference

NOW = SystemClock().now()
VERBS = ("DELETE", "PUT", "POST", "PATCH", "GET")


def state(place: Place) -> dict[str, object]:
    """Every row that may not change, and the bytes of every file."""
    with place.database.transaction() as tx:
        rows = tx.all(
            "SELECT id, name, container, sha256, size_bytes, path, disposed_at FROM bodyworn.clip ORDER BY id"
        )
        others = {
            name: tx.one(f"SELECT count(*) AS n FROM bodyworn.{name}")["n"]
            for name in ("pause", "announced", "issue", "device_event", "disposal")
        }
    files = {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for disk in place.vault.disks
        for file in place.vault.files(disk)
    }
    return {"rows": rows, "files": files, **others}


@pytest.fixture
def kept(place: Place) -> Iterator[dict[str, object]]:
    """A clip with its second copy."""
    client = place.client()
    account = f"/v1/AUTH_{client.account}"
    client.ask("PUT", f"{account}/u_DEL1_20261125T100000Z", {"Content-Length": "0"})
    assert client.ask("PUT", f"{account}/u_DEL1_20261125T100000Z/a_1.mkv", {}, new_id().bytes * 100).status == 201
    while place.tender.copy_waiting():
        pass
    while place.tender.read_waiting():
        pass
    before = state(place)
    assert len(before["files"]) >= 2  # type: ignore[arg-type]
    yield before
    after = state(place)
    assert after["rows"] == before["rows"]
    assert after["files"] == before["files"]
    assert after["disposal"] == 0


def test_every_route_as_every_role(place: Place, kept: dict[str, object], tmp_path: Path) -> None:
    services = Services(
        database=place.database, bus=None, data=tmp_path, ledger_folder=tmp_path, ledger_origin="x",
        clock=SystemClock(), jobs=Jobs(place.database, SystemClock()), node="n",
    )  # fmt: skip
    app = build_app(services, web_folder=None)
    tokens: dict[Role, str] = {}
    purposes: dict[Role, str] = {}
    with place.database.transaction() as tx:
        opened = open_reference(
            tx, actor=place.people.supervisor, kind=ReferenceKind.CASE, number=str(new_id()), title="t",
            legal_basis="Act 1, art. 2", at=NOW,
        )  # fmt: skip
        for role in Role:
            who = accounts.add_account(
                tx,
                by=None,
                login=f"d-{new_id().hex[-12:]}",
                name="n",
                password=None,
                roles=[role],
                unit_id=None,
                at=NOW,
            )
            tokens[role] = sessions.begin(tx, who, address="a", how="test", at=NOW).token
            chosen = choose_purpose(tx, actor=who, reference_id=opened.id, reason="to try", at=NOW)
            purposes[role] = str(chosen.id)
    clip_id = str(kept["rows"][0]["id"])  # type: ignore[index]
    paths = sorted({route.path_format for route in app.routes if "worn" in route.path_format})
    assert len(paths) > 10
    extra = ["/api/worn/clips", "/api/worn/clips/{id}", "/api/worn/board", "/api/worn/inventory/{id}"]
    with TestClient(app) as client:
        for role in Role:
            headers = {
                "cookie": f"svidok_session={tokens[role]}", "x-svidok-csrf": csrf_of(tokens[role]),
                "x-svidok-purpose": purposes[role],
            }  # fmt: skip
            for path in [*paths, *extra]:
                filled = path
                while "{" in filled:
                    filled = f"{filled[: filled.index('{')]}{clip_id}{filled[filled.index('}') + 1 :]}"
                for verb in VERBS:
                    body = {} if verb == "GET" else {"json": {"id": clip_id}}
                    said = client.request(verb, filled, headers=headers, **body)
                    assert said.status_code < 500 or said.status_code == 503, (role, verb, filled, said.text)
                    if verb == "DELETE":
                        assert said.status_code in (404, 405), (role, filled)


def test_every_verb_as_a_dock(place: Place, kept: dict[str, object]) -> None:
    client = place.client()
    account = f"/v1/AUTH_{client.account}"
    where = f"{account}/u_DEL1_20261125T100000Z/a_1.mkv"
    for path in (account, f"{account}/u_DEL1_20261125T100000Z", where, "/dock/v1/uploads/" + str(new_id())):
        for verb in ("DELETE", "COPY", "MOVE", "PURGE"):
            assert client.ask(verb, path, {"Destination": "/x/y"}).status == 403, (verb, path)
            client.hang_up()
        override = client.ask("POST", path, {"X-HTTP-Method-Override": "DELETE", "Content-Length": "0"})
        assert override.status == 403
    assert client.ask("POST", f"{account}?bulk-delete", {"Content-Length": "0"}).status == 403
    assert client.ask("PUT", where.replace("a_1", "b_1"), {"X-Copy-From": "/u/a", "Content-Length": "0"}).status == 403


@pytest.mark.parametrize("table", ["clip", "announced", "pause", "issue", "device_event", "inventory", "disposal"])
def test_the_database_itself_refuses(place: Place, kept: dict[str, object], table: str) -> None:
    with place.database.transaction() as tx:
        has = tx.one(f"SELECT count(*) AS n FROM bodyworn.{table}")["n"]
        trigger = tx.maybe(
            "SELECT 1 FROM pg_trigger WHERE tgrelid = %(t)s::regclass AND tgname = 'nobody_deletes'",
            t=f"bodyworn.{table}",
        )
    assert trigger is not None
    if has:
        with pytest.raises(psycopg.errors.RaiseException), place.database.transaction() as tx:
            tx.run(f"DELETE FROM bodyworn.{table}")


def test_no_action_is_named_for_it() -> None:
    assert [action for action in ACTIONS if "delete" in action or "edit_clip" in action] == []
