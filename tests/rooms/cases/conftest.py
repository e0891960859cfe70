"""A case with people who stand differently to it, footage in real files, and a door with somebody signed in at it."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from svidok.access import Actor, Role, accounts, sessions
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock, new_id
from svidok.db import Database
from svidok.evidence import cases
from svidok.evidence.model import DataSubjects, Standing
from svidok.evidence.vault import Vault
from svidok.governance import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference

_SPEC = importlib.util.spec_from_file_location("yards", Path(__file__).parents[1] / "recording" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_YARDS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_YARDS)
make_yard, yard = _YARDS.make_yard, _YARDS.yard

ROLES = {
    "lead": Role.INVESTIGATOR, "mate": Role.INVESTIGATOR, "reader": Role.OPERATOR, "chief": Role.SUPERVISOR,
    "stranger": Role.INVESTIGATOR, "auditor": Role.AUDITOR, "barred": Role.SUPERVISOR,
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Bureau:
    """People, one case of theirs, and the way in for each."""

    services: Services
    client: TestClient[Litestar]
    people: dict[str, Actor]
    case_id: UUID
    reference_id: UUID
    now: datetime
    tokens: dict[str, str] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def vault(self) -> Vault:
        return Vault(self.services.data / "exhibits")

    def enter(self, who: str) -> None:
        """Sign somebody in, with a purpose bound to the case."""
        with self.database.transaction() as tx:
            self.tokens[who] = sessions.begin(tx, self.people[who], address="a", how="test", at=self.now).token
            chosen = choose_purpose(
                tx, actor=self.people[who], reference_id=self.reference_id, reason="to see", at=self.now
            )
        self.purposes[who] = str(chosen.id)

    def ask(self, who: str, method: str, path: str, **given: Any) -> Any:
        """The answer to somebody's request."""
        if who not in self.tokens:
            self.enter(who)
        self.client.cookies.clear()
        headers = {
            "cookie": f"svidok_session={self.tokens[who]}", "x-svidok-csrf": csrf_of(self.tokens[who]),
            "x-svidok-purpose": given.pop("purpose", self.purposes[who]), "origin": "http://testserver",
            **given.pop("headers", {}),
        }  # fmt: skip
        return self.client.request(method, path, headers=headers, **given)

    def job(self, who: str, job_id: str) -> dict[str, Any]:
        """A job once it has ended."""
        while True:
            row = self.services.jobs.one(UUID(job_id))
            if row["ended_at"] is not None:
                return row

    def upload(self, who: str, data: bytes, *, name: str = "film.avi", title: str = "Film of a shop") -> dict[str, Any]:
        """A file sent in whole, and the job that looked at it."""
        told = {"name": name, "size_bytes": len(data), "title": title, "source": "business", "obtained": "by e-mail"}
        begun = self.ask(who, "POST", f"/api/cases/{self.case_id}/uploads", json=told)
        assert begun.status_code == 201, begun.text
        sent = self.ask(who, "PUT", f"/api/uploads/{begun.json()['id']}?offset=0", content=data)
        assert sent.json() == {"received": len(data)}
        done = self.ask(who, "POST", f"/api/uploads/{begun.json()['id']}/finish")
        assert done.status_code == 201, done.text
        return done.json() | {"told": self.job(who, done.json()["job"])}


@pytest.fixture
def bureau(database: Database, tmp_path: Path) -> Iterator[Bureau]:
    clock = SystemClock()
    services = Services(
        database=database, bus=None, data=tmp_path, ledger_folder=tmp_path / "ledger", ledger_origin="x", clock=clock,
        jobs=Jobs(database, clock), node="n1",
    )  # fmt: skip
    now = clock.now()
    with database.transaction() as tx:
        units = {name: accounts.add_unit(tx, by=None, name=f"{name} {new_id().hex}", at=now) for name in ("one", "two")}
        people = {
            who: accounts.add_account(
                tx, by=None, login=f"{who}-{new_id().hex[-12:]}", name=f"Name of {who}", password=None, roles=[role],
                unit_id=units["two" if who == "chief" else "one"], at=now,
            )
            for who, role in ROLES.items()
        }  # fmt: skip
        reference = open_reference(
            tx, actor=people["chief"], kind=ReferenceKind.CASE, number=new_id().hex[:12], title="Theft of a car",
            legal_basis="Criminal Procedure Code, art. 214", at=now,
        )  # fmt: skip
        case_id = cases.open_case(
            tx, actor=people["lead"], reference_id=reference.id, data_subjects=[DataSubjects.SUSPECT], summary="",
            at=now,
        )  # fmt: skip
        for who, standing in {"mate": Standing.INVESTIGATOR, "barred": Standing.BARRED}.items():
            cases.let_in(
                tx, actor=people["lead"], case_id=case_id, login=people[who].login, standing=standing,
                reason="works on it", until_at=None, history=None, at=now,
            )  # fmt: skip
    with TestClient(build_app(services, web_folder=None), base_url="http://testserver") as client:
        yield Bureau(
            services=services, client=client, people=people, case_id=case_id, reference_id=reference.id, now=now
        )
    services.jobs.close()
