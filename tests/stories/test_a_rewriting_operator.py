"""An operator with database, disk and the ledger's key in hand rewrites who looked; only the witnesses are not his.

His own audit finds nothing: every row, tile and signature agrees. Both
witnesses refuse and keep what he signed twice; the platform's own alarm
stands, on the ledger's page and in the metrics; whoever follows the log over
plain HTTP is told. Then the true history is put back, and all is well again.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from svidok.access import Role, accounts, audit, sessions
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.app.roles.parts import open_log
from svidok.app.settings import Settings
from svidok.app.witnessing import Witnessing, asked_witnesses
from svidok.base import SystemClock
from svidok.cli.ledger import ledger as ledger_command
from svidok.cli.reach import Reach
from svidok.db import Database
from svidok.ledger import Entry, sequence_once
from svidok.ledger.cosigning import Key, read_note
from svidok.ledger.entry import commit
from svidok.ledger.gathering import COSIGNED

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()
NAMES = ("ombudsman.test/svidok", "university.test/svidok")
HONEST, FORGED = "the deputy's neighbour", "an agreed drill"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Later(SystemClock):
    """The true time, and `by` later."""

    by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


@dataclass(kw_only=True)
class House:
    """An installation whose ledger two witnesses watch, and an auditor signed in at its door."""

    database: Database
    settings: Settings
    witnessing: Witnessing
    door: TestClient[Any]
    published: str
    state: Path

    def state_looks(self, *whys: str) -> list[UUID]:
        """Somebody looks at footage, for these reasons."""
        with self.database.transaction() as tx:
            actor = accounts.actor_of(tx.one(accounts.SQL["account_by_login"], login="operator"))
            return [
                audit.record(tx, actor=actor, action="view_live", what={"why": why}, at=CLOCK.now(), to_whom="")
                for why in whys
            ]

    def turn(self) -> list[str]:
        """What intake does within ten seconds: what waits goes into the log, and the witnesses are asked."""
        sequence_once(self.database, open_log(self.settings))
        return sorted(one.code for one in self.witnessing.ask())

    def page(self) -> dict[str, Any]:
        """What the ledger's page is given."""
        answer = self.door.get("/api/ledger")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def alarms_in_metrics(self) -> dict[str, float]:
        lines = self.door.get("/metrics").text.splitlines()
        counted = (line.removeprefix('svidok_alarms{code="').split('"} ') for line in lines if "svidok_alarms{" in line)
        return {code: float(number) for code, number in counted}

    def at_the_witnesses(self) -> list[list[dict[str, str]]]:
        """What each witness has kept against the log."""
        return [httpx.get(f"{one.url}/alarms").json() for one in asked_witnesses(self.settings)]

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command of `svidok ledger`, as whoever stands at this machine gives it."""
        settings = self.settings
        reach = Reach(
            data=settings.data, ledger=settings.ledger, ledger_origin=settings.origin(), keys=settings.keys,
            clock=CLOCK, database=lambda: Database.open(_url(self.database), size=1),
        )  # fmt: skip
        done = CliRunner().invoke(ledger_command, list(arguments), obj=reach)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def followed(self) -> tuple[int, str]:
        """`svidok ledger watch`, as a newspaper runs it."""
        keys = [part for one in asked_witnesses(self.settings) for part in ("--witness", one.key.text())]
        log = (self.settings.keys / "ledger.pub").read_text().strip()
        return self.run(
            "watch", self.published, "--key", log, "--state", str(self.state), *keys, "--quorum", "2", "--once"
        )


def _url(database: Database) -> str:
    with database.transaction() as tx:
        row = tx.one("SELECT current_database() AS name, current_setting('unix_socket_directories') AS folder, "
                     "current_setting('port') AS port, current_user AS role")  # fmt: skip
    return f"postgresql://{row['role']}@/{row['name']}?host={row['folder']}&port={row['port']}"


def start_witness(folder: Path, name: str, log_key: str) -> tuple[subprocess.Popen[str], str]:
    """`svidok witness` as its how-to says it, on a machine that is nothing else; and `URL key` for the settings."""
    home = folder / "home"
    home.mkdir(parents=True)
    command = [sys.executable, "-m", "svidok", "witness", "--folder", str(folder / "kept"), "--name", name,
               "--port", "0", "--log", log_key]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home, env=environment)
    assert process.stdout is not None
    key, listening = process.stdout.readline().strip(), process.stdout.readline().strip()
    assert list(home.iterdir()) == [], "a witness leaves nothing but what is in its folder"
    return process, f"{listening.removeprefix('listening on ')} {key}"


@pytest.fixture(scope="module")
def house(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    tmp_path = tmp_path_factory.mktemp("house")
    settings = Settings(data=tmp_path / "data", ledger_origin="test.invalid/house")
    log_key = open_log(settings).verifier.text()
    with ExitStack() as stack:
        for number, name in enumerate(NAMES):
            process, line = start_witness(tmp_path / f"witness-{number}", name, log_key)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            settings.witnesses.append(line)
        settings.witness_quorum = len(NAMES)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(settings.data)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        services = Services(
            database=database, bus=None, data=settings.data, ledger_folder=settings.ledger, clock=CLOCK, node="n1",
            ledger_origin=settings.origin(), jobs=Jobs(database, CLOCK), metrics_token="reader",
            witnesses=tuple(one.key for one in asked_witnesses(settings)), witness_quorum=settings.witness_quorum,
        )  # fmt: skip
        stack.callback(services.jobs.close)
        with database.transaction() as tx:
            auditor, _ = (
                accounts.add_account(
                    tx, by=None, login=login, name=login, password=None, roles=[role], unit_id=None, at=CLOCK.now()
                )
                for login, role in (("auditor", Role.AUDITOR), ("operator", Role.OPERATOR))
            )
            token = sessions.begin(tx, auditor, address="a", how="test", at=CLOCK.now()).token
        door = stack.enter_context(TestClient(build_app(services, web_folder=None), base_url="http://testserver"))
        door.headers.update({"cookie": f"svidok_session={token}", "authorization": "Bearer reader"})
        yield House(
            database=database, settings=settings, witnessing=Witnessing(settings, database, CLOCK), door=door,
            published=f"http://127.0.0.1:{server.server_address[1]}/ledger", state=tmp_path / "seen.json",
        )  # fmt: skip


def rewrite(house: House, looked: UUID) -> None:
    """Another reason for a look that was: in the trail, in its statement, and in a log that is signed anew."""
    with house.database.transaction() as tx:
        row = tx.one("SELECT e.* FROM ledger.entry e JOIN access.audit a ON a.entry_id = e.id WHERE a.id = %(id)s",
                     id=looked)  # fmt: skip
        payload, salt, commitment = commit(json.loads(bytes(row["payload"]).decode().replace(HONEST, FORGED)))
        assert FORGED.encode() in payload
        tx.run("UPDATE ledger.entry SET payload = %(p)s, salt = %(s)s, commitment = %(c)s WHERE id = %(id)s",
               p=payload, s=salt, c=commitment, id=row["id"])  # fmt: skip
        tx.run("UPDATE access.audit SET what = jsonb_set(what, '{why}', to_jsonb(%(why)s::text)) WHERE id = %(id)s",
               why=FORGED, id=looked)  # fmt: skip
        entries = tx.all("SELECT id, kind, subject, at, commitment FROM ledger.entry "
                         "WHERE leaf_index IS NOT NULL ORDER BY leaf_index")  # fmt: skip
    shutil.rmtree(house.settings.ledger)
    leaves = [
        Entry(id=one["id"], kind=one["kind"], subject=one["subject"], at=one["at"],
              commitment=bytes(one["commitment"])).leaf_bytes()
        for one in entries
    ]  # fmt: skip
    open_log(house.settings).append(leaves)


@pytest.mark.timeout(300)
def test_history_that_an_operator_rewrites_is_caught_by_the_witnesses(house: House, tmp_path: Path) -> None:
    _, looked, _ = house.state_looks("car theft, case 2026-1401", HONEST, "watch of the hall")
    assert house.turn() == []
    page = house.page()
    assert [(one["name"], one["alarms"]) for one in page["witnesses"]] == [(name, []) for name in NAMES]
    assert all(one["signed_at"] for one in page["witnesses"])
    assert (page["cosigned_size"], page["quorum"]) == (page["size"], 2)
    assert house.alarms_in_metrics() == {}
    assert house.followed()[0] == 0, "whoever follows the log finds nothing"
    shutil.copytree(house.settings.ledger, tmp_path / "truth")
    with house.database.transaction() as tx:
        tx.run("CREATE TABLE truth AS SELECT * FROM ledger.entry")

    rewrite(house, looked)
    assert house.run("audit")[0] == 0, "on his own machine everything agrees"
    assert house.turn() == ["ledger-split-view"] * 2, "both witnesses refuse within one turn"
    told = house.page()
    assert [one["alarms"] for one in told["witnesses"]] == [["ledger-split-view"]] * 2
    assert told["cosigned"] is None, "no witness put its name under it"
    assert house.alarms_in_metrics() == {"ledger-split-view": 2.0}
    code, says = house.followed()
    assert (code, "split-view" in says, "not-cosigned" in says) == (1, True, True)

    house.state_looks("he goes on, and the log with him")
    assert house.turn() == ["ledger-inconsistent"] * 2
    assert [one["alarms"] for one in house.page()["witnesses"]] == [["ledger-inconsistent"]] * 2
    assert "history-rewritten" in house.followed()[1]
    log_key = Key.parse((house.settings.keys / "ledger.pub").read_text().strip())
    for kept in house.at_the_witnesses():
        assert [one["code"] for one in kept] == ["split-view", "inconsistent"]
        notes = [read_note(kept[0][name].encode()) for name in ("known", "signed")]
        assert notes[0].size == notes[1].size
        assert notes[0].root != notes[1].root
        assert all(log_key.accepts(note.text, sign) for note in notes for sign in note.by(log_key)), "it is proof"

    shutil.rmtree(house.settings.ledger)
    shutil.copytree(tmp_path / "truth", house.settings.ledger)
    with house.database.transaction() as tx:
        tx.run("DELETE FROM ledger.entry WHERE id NOT IN (SELECT id FROM truth)")
        tx.run("UPDATE ledger.entry e SET payload = t.payload, salt = t.salt, commitment = t.commitment "
               "FROM truth t WHERE t.id = e.id")  # fmt: skip
    house.state_looks("the true history goes on")
    assert house.turn() == []
    assert house.alarms_in_metrics() == {}
    assert (house.settings.ledger / COSIGNED).exists()
    assert [len(kept) for kept in house.at_the_witnesses()] == [2, 2], "what he did stays on record with the witnesses"
    assert house.followed()[0] == 0


def test_a_witness_that_is_started_anew_is_no_alarm_and_one_that_stays_away_is(house: House) -> None:
    """What stood when this process began is cleared as well, once it is over."""
    away = Settings(
        data=house.settings.data, witnesses=[f"http://127.0.0.1:9 {asked_witnesses(house.settings)[0].key.text()}"]
    )

    clock = Later()
    house.state_looks("anything")
    house.turn()
    asking = Witnessing(away, house.database, clock)
    assert [one.code for one in asking.ask()] == ["witness-silent"]
    assert house.alarms_in_metrics() == {}
    clock.by = timedelta(seconds=61)
    asking.ask()
    assert house.alarms_in_metrics() == {"witness-silent": 1.0}
    house.witnessing = Witnessing(house.settings, house.database, CLOCK)
    assert house.turn() == []
    assert house.alarms_in_metrics() == {}
