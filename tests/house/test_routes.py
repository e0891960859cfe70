"""Walks the table of routes: each is guarded or public, and none that shows anything escapes the trail."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from svidok.access import ACTIONS, Role, accounts, decide, sessions
from svidok.access.model import Actor, Verdict
from svidok.access.sessions import csrf_of
from svidok.api import Services, build_app
from svidok.api.door import Shows, _guard
from svidok.api.jobs import Jobs
from svidok.api.pace import BURST, PER_S
from svidok.base import SystemClock, new_id
from svidok.db import Database
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference

# Routes that anybody may call. A new one is a decision: add it here, and say why in the commit.
PUBLIC = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/api/session"), ("POST", "/api/session"),
    ("DELETE", "/api/session"), ("POST", "/api/session/first"), ("GET", "/ledger/checkpoint"),
    ("GET", "/ledger/{path}"), ("POST", "/api/passkeys/sign-in/options"), ("POST", "/api/passkeys/sign-in/finish"),
    ("POST", "/api/customs/intake/scans"),
    ("POST", "/api/customs/intake/procedures"), ("GET", "/api/customs/intake/schema"),  # a source shows its own secret
    ("GET", "/api/oidc/start"), ("GET", "/api/oidc/callback"), ("GET", "/api/oidc"),
    # A device is no person: it has no session, and shows its own secret instead. The schema holds no data.
    ("POST", "/api/devices/reads"), ("POST", "/api/devices/openalpr"), ("GET", "/api/devices/schema"),
}  # fmt: skip
# The framework's own description of the routes: no data in it.
DESCRIBED = "/api/openapi"
REFUSED = 0
FOOTAGE = ("/playback/", "/thumbnail", "/export", "/live")


def routes(app: Litestar) -> Iterator[tuple[str, str, Any]]:
    for route in app.routes:
        path = route.path_format
        if path.startswith(DESCRIBED):
            continue
        if hasattr(route, "route_handler_map"):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    yield str(method), path, handler
        else:
            yield "WEBSOCKET", path, route.route_handler


@pytest.fixture(scope="module")
def services(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Services:
    clock, folder = SystemClock(), tmp_path_factory.mktemp("data")
    return Services(
        database=database, bus=None, data=folder, ledger_folder=folder, ledger_origin="x", clock=clock,
        jobs=Jobs(database, clock), node="n", metrics_token="secret",
    )  # fmt: skip


@pytest.fixture(scope="module")
def app(services: Services) -> Litestar:
    return build_app(services, web_folder=None)


@pytest.fixture(scope="module")
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app, base_url="http://testserver") as client:
        yield client


class People:
    """Somebody signed in for each role, with a purpose."""

    def __init__(self, services: Services) -> None:
        self.now = SystemClock().now()
        self.actors: dict[Role, Actor] = {}
        self.tokens: dict[Role, str] = {}
        self.purposes: dict[Role, str] = {}
        with services.database.transaction() as tx:
            for role in Role:
                self.actors[role] = accounts.add_account(
                    tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[role], unit_id=None,
                    at=self.now,
                )  # fmt: skip
                self.tokens[role] = sessions.begin(tx, self.actors[role], address="a", how="test", at=self.now).token
            reference = open_reference(
                tx, actor=self.actors[Role.SUPERVISOR], kind=ReferenceKind.CASE, number=str(new_id()), title="t",
                legal_basis="Act 1, art. 2", at=self.now,
            )  # fmt: skip
            for role, actor in self.actors.items():
                chosen = choose_purpose(tx, actor=actor, reference_id=reference.id, reason="to see", at=self.now)
                self.purposes[role] = str(chosen.id)

    def who_may(self, action: str) -> Role:
        return next(role for role, actor in self.actors.items() if decide(actor, action).verdict == Verdict.ALLOW)

    def who_may_not(self, action: str) -> Role | None:
        denied = (role for role, actor in self.actors.items() if decide(actor, action).verdict != Verdict.ALLOW)
        return next(denied, None)


@pytest.fixture(scope="module")
def people(services: Services) -> People:
    return People(services)


def call(
    client: TestClient[Litestar], people: People, method: str, path: str, *, role: Role | None, purpose: bool = True,
    csrf: bool = True, origin: str = "http://testserver",
) -> int:  # fmt: skip
    """The status that a call ends with; 101 for a socket that opened."""
    filled = path.replace("{key}", "walls").replace("{path}", "0/000")
    while "{" in filled:
        filled = f"{filled[: filled.index('{')]}{new_id()}{filled[filled.index('}') + 1 :]}"
    headers = {"origin": origin}
    client.cookies.clear()
    if role is not None:
        headers["cookie"] = f"svidok_session={people.tokens[role]}"
        if csrf:
            headers["x-svidok-csrf"] = csrf_of(people.tokens[role])
        if purpose:
            headers["x-svidok-purpose"] = people.purposes[role]
    if method == "WEBSOCKET":
        try:
            with client.websocket_connect(filled, headers=headers):
                return 101
        except WebSocketDisconnect:
            return REFUSED  # before the handshake: a browser learns no more than that
    body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    return client.request(method, filled, headers=headers, **body).status_code


def lines(services: Services) -> int:
    with services.database.transaction() as tx:
        return int(tx.one("SELECT count(*) AS n FROM access.audit")["n"])


def guarded_routes(app: Litestar) -> list[tuple[str, str, Any]]:
    return [(method, path, handler) for method, path, handler in routes(app) if not handler.opt.get("public")]


def test_every_route_is_guarded_or_named_as_public(app: Litestar) -> None:
    open_doors = set()
    for method, path, handler in routes(app):
        if handler.opt.get("public"):
            open_doors.add((method, path))
            continue
        assert handler.opt.get("action") in ACTIONS, (method, path)
        assert _guard in (handler.guards or ()), (method, path)
    assert open_doors <= PUBLIC


def test_what_shows_footage_says_so(app: Litestar) -> None:
    for method, path, handler in guarded_routes(app):
        if path.startswith("/api/channels/") and any(part in path for part in FOOTAGE):
            assert handler.opt["shows"] == Shows.FOOTAGE, (method, path)
        if handler.opt["shows"] != Shows.NOTHING:
            assert handler.opt["recorded"], (method, path)


def test_nobody_gets_in_without_a_session(app: Litestar, client: TestClient[Litestar], people: People) -> None:
    for method, path, _ in guarded_routes(app):
        assert call(client, people, method, path, role=None) in (401, REFUSED), (method, path)


def test_nobody_gets_in_without_the_role(app: Litestar, client: TestClient[Litestar], people: People) -> None:
    for method, path, handler in guarded_routes(app):
        role = people.who_may_not(handler.opt["action"])
        if role is not None:
            assert call(client, people, method, path, role=role) in (403, REFUSED), (method, path, role)


def test_changes_need_our_own_page(
    app: Litestar, client: TestClient[Litestar], people: People, services: Services
) -> None:
    for method, path, handler in guarded_routes(app):
        role = people.who_may(handler.opt["action"])
        before = lines(services)
        if method == "WEBSOCKET":
            status = call(client, people, method, path, role=role, origin="http://elsewhere.example")
        elif method in ("GET", "HEAD"):
            continue
        else:
            status = call(client, people, method, path, role=role, csrf=False)
        assert status in (403, REFUSED), (method, path)
        assert lines(services) == before, (method, path)


def test_what_shows_something_needs_a_purpose(
    app: Litestar, client: TestClient[Litestar], people: People, services: Services
) -> None:
    for method, path, handler in guarded_routes(app):
        if handler.opt["shows"] != Shows.NOTHING:
            before = lines(services)
            role = people.who_may(handler.opt["action"])
            assert call(client, people, method, path, role=role, purpose=False) in (403, REFUSED), (method, path)
            assert lines(services) == before


def test_what_shows_something_leaves_a_line(
    app: Litestar, client: TestClient[Litestar], people: People, services: Services
) -> None:
    seen = 0
    for method, path, handler in guarded_routes(app):
        if handler.opt["recorded"]:
            before = lines(services)
            role = people.who_may(handler.opt["action"])
            assert call(client, people, method, path, role=role) not in (401, 403, 503), (method, path)
            assert lines(services) == before + 1, (method, path)
            seen += 1
    assert seen >= 7


def test_what_cannot_be_written_down_is_not_shown(
    app: Litestar, client: TestClient[Litestar], people: People, services: Services
) -> None:
    with services.database.transaction() as tx:
        tx.run("ALTER TABLE access.audit RENAME TO audit_away")
    try:
        for method, path, handler in guarded_routes(app):
            if handler.opt["recorded"]:
                role = people.who_may(handler.opt["action"])
                status = call(client, people, method, path, role=role)
                assert status in (503, REFUSED), (method, path, status)
    finally:
        with services.database.transaction() as tx:
            tx.run("ALTER TABLE access.audit_away RENAME TO audit")


def test_a_line_that_is_not_committed_opens_nothing_afterwards(
    client: TestClient[Litestar], people: People, services: Services
) -> None:
    """A look that failed to be written must not count as the beginning of one that goes on."""
    path = f"/api/channels/{new_id()}/thumbnail?at=2026-01-01T00:00:00Z"
    role = people.who_may("view_playback")
    with services.database.transaction() as tx:
        tx.run("ALTER TABLE access.audit RENAME TO audit_away")
    try:
        assert call(client, people, "GET", path, role=role) == 503
        assert call(client, people, "GET", path, role=role) == 503
    finally:
        with services.database.transaction() as tx:
            tx.run("ALTER TABLE access.audit_away RENAME TO audit")
    before = lines(services)
    assert call(client, people, "GET", path, role=role) == 404
    assert lines(services) == before + 1


def test_a_look_goes_on_but_an_export_never_does(
    client: TestClient[Litestar], people: People, services: Services
) -> None:
    channel, role = new_id(), people.who_may("export_footage")

    def added(path: str) -> int:
        before = lines(services)
        call(client, people, "GET", path, role=role)
        return lines(services) - before

    hour = "2026-01-01T10"
    assert added(f"/api/channels/{channel}/thumbnail?at={hour}:00:00Z") == 1
    assert added(f"/api/channels/{channel}/thumbnail?at={hour}:59:00Z") == 0
    assert added(f"/api/channels/{channel}/thumbnail?at=2026-01-01T11:00:00Z") == 1
    assert added(f"/api/channels/{new_id()}/thumbnail?at={hour}:00:00Z") == 1
    first, second = new_id(), new_id()
    assert added(f"/api/channels/{channel}/playback/{first}/init") == 1
    assert added(f"/api/channels/{channel}/playback/{first}/media?first=0&last=0") == 0
    assert added(f"/api/channels/{channel}/playback/{second}/init") == 1
    span = f"from={hour}:00:00Z&to={hour}:01:00Z"
    assert [added(f"/api/channels/{channel}/export?{span}") for _ in range(2)] == [1, 1]


def test_the_metrics_are_for_this_machine_or_the_token(client: TestClient[Litestar]) -> None:
    assert client.get("/metrics", headers={"authorization": "Bearer secret"}).status_code == 200
    for given in ("Bearer wrong", "Bearer ", ""):
        assert client.get("/metrics", headers={"authorization": given}).status_code == 403
    assert client.get("/metrics", headers={"authorization": b"Bearer \xd1\x97"}).status_code == 403


def test_every_answer_bears_the_security_headers(client: TestClient[Litestar]) -> None:
    headers = client.get("/healthz").headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy or "default-src 'self'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_answers_are_not_kept_and_tls_is_for_good_where_there_is_any(
    client: TestClient[Litestar], people: People, services: Services, tmp_path: Path
) -> None:
    role = people.who_may("view_system")
    headers = {"cookie": f"svidok_session={people.tokens[role]}"}
    answer = client.get("/api/retention-rules", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "strict-transport-security" not in answer.headers
    (tmp_path / "index.html").write_text("<!doctype html>")
    with TestClient(build_app(replace(services, secure_cookies=True), web_folder=tmp_path)) as secure:
        page = secure.get("/")  # made anew for each application; the other handlers keep the headers of their first
        assert "max-age" in page.headers["strict-transport-security"]
        assert page.headers["cache-control"] == "no-cache"


def test_the_routes_describe_themselves_without_foreign_scripts(client: TestClient[Litestar]) -> None:
    told = client.get("/api/openapi.json")
    assert told.status_code == 200
    named = [verb["operationId"] for path in told.json()["paths"].values() for verb in path.values()]
    assert len(named) == len(set(named)) > 50
    for page in ("/api/openapi", "/api", "/api/swagger", "/api/redoc", "/api/scalar", "/api/elements"):
        assert client.get(page).status_code == 404, page


def test_nobody_knocks_without_end(services: Services) -> None:
    wrong = {"token": "x", "login": "nobody", "name": "n", "password": "a few random words"}
    with TestClient(build_app(services, web_folder=None)) as client:
        began, told = time.monotonic(), [403]
        while told[-1] == 403 and len(told) < 10 * BURST:
            told.append(client.post("/api/session/first", json=wrong).status_code)
        allowed = len(told) - 2
        assert told[-1] == 429
        assert BURST <= allowed <= BURST + PER_S * (time.monotonic() - began) + 1  # a slow machine refills meanwhile
        assert client.get("/api/session").status_code == 401
        assert client.get("/healthz").status_code == 200


def test_errors_are_told_and_hide_nothing_of_ours(client: TestClient[Litestar], people: People, tmp_path: Path) -> None:
    for path, status in (("/api/nothing", 404), ("/api/channels/no-uuid/timeline", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message", "details"}
        assert "Traceback" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_looks_and_refusals_are_counted(client: TestClient[Litestar], people: People) -> None:
    def counted(line: str) -> float:
        told = client.get("/metrics", headers={"authorization": "Bearer secret"})
        assert told.headers["content-type"].count("charset") == 1
        return sum(float(one.rsplit(" ", 1)[1]) for one in told.text.splitlines() if one.startswith(line))

    looks, refusals = 'svidok_looks_total{action="view_audit"}', 'svidok_refusals_total{code="not-permitted"}'
    before = counted(looks), counted(refusals)
    assert call(client, people, "GET", "/api/audit", role=Role.AUDITOR) == 200
    assert call(client, people, "GET", "/api/audit", role=Role.ADMINISTRATOR) == 403
    assert (counted(looks), counted(refusals)) == (before[0] + 1, before[1] + 1)
