"""Signing in through a real (mock) provider over HTTP: away, back, roles anew each time, and answers that are not ours."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from litestar.testing import TestClient
from oidc_provider_mock import run_server_in_thread

from svidok.access import Role, accounts, oidc, sessions
from svidok.access.oidc import Provider
from svidok.access.sessions import Session
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import BadInput, Conflict, Forbidden, SystemClock, Unavailable, new_id
from svidok.db import Database

BACK = "https://svidok.example/api/oidc/callback"
ROLES = {"watch": "operator", "chiefs": "supervisor"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Callable[..., Provider]]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with run_server_in_thread(require_nonce=True) as server:
        base = f"http://localhost:{server.server_port}"

        def make(**change: str) -> Provider:
            told = {"issuer": base, "client_id": "svidok", "client_secret": "secret"} | change
            return Provider(roles=ROLES, **told)

        yield make


@pytest.fixture
def name() -> str:
    return f"u-{new_id().hex[-12:]}"


def person(provider: Provider, name: str, groups: list[str]) -> None:
    claims = {"groups": groups, "preferred_username": name, "name": f"Name of {name}"}
    httpx.put(f"{provider.issuer}/users/{name}", json=claims).raise_for_status()


def agreed(url: str, name: str) -> dict[str, str]:
    """What the provider's page sends back once `name` has signed in there."""
    answer = httpx.post(url, data={"sub": name}, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def sign_in(database: Database, provider: Provider, name: str) -> Session:
    now = SystemClock().now()
    departure = oidc.depart(database, provider, redirect=BACK, at=now)
    told = agreed(departure.url, name)
    return oidc.arrive(
        database, provider, state=told["state"], own_state=departure.state, code=told["code"], address="here", at=now
    )


def test_groups_become_roles_anew_each_time(database: Database, provider, name: str) -> None:
    one = provider()
    person(one, name, ["watch", "others"])
    first = sign_in(database, one, name)
    assert (first.actor.login, first.actor.roles) == (name, {Role.OPERATOR})
    person(one, name, ["chiefs"])
    second = sign_in(database, one, name)
    assert (second.actor.id, second.actor.roles) == (first.actor.id, {Role.SUPERVISOR})
    person(one, name, ["others"])
    with pytest.raises(Forbidden) as refused:
        sign_in(database, one, name)
    assert refused.value.code == "no-role"
    with database.transaction() as tx:
        assert sessions.find(tx, token=second.token, at=SystemClock().now()) is None
        assert tx.one("SELECT roles FROM access.account WHERE id = %(id)s", id=first.actor.id)["roles"] == []
        lines = tx.all(
            "SELECT action, what FROM access.audit WHERE %(n)s IN (what->>'changed', what->>'login') ORDER BY id",
            n=name,
        )
    told = [line["what"].get("roles", line["what"].get("why")) for line in lines]
    assert told[0] == ["supervisor"]
    assert [] in told[1:]  # these two are of the same millisecond, in which ids have no order
    assert "no-role" in told[1:]
    assert len(told) == 3


def test_a_local_login_is_not_opened_by_its_name(database: Database, provider, name: str) -> None:
    one = provider()
    with database.transaction() as tx:
        accounts.add_account(
            tx, by=None, login=name, name="local", password="a few random words", roles=[Role.SUPERVISOR],
            unit_id=None, at=SystemClock().now(),
        )  # fmt: skip
    person(one, name, ["watch"])
    with pytest.raises(Conflict):
        sign_in(database, one, name)


def test_who_is_disabled_stays_out(database: Database, provider, name: str) -> None:
    one = provider()
    person(one, name, ["watch"])
    account = sign_in(database, one, name).actor.id
    with database.transaction() as tx:
        tx.run("UPDATE access.account SET disabled_at = now() WHERE id = %(id)s", id=account)
    with pytest.raises(Forbidden):
        sign_in(database, one, name)


def test_an_answer_is_ones_own_and_works_once(database: Database, provider, name: str) -> None:
    one, now = provider(), SystemClock().now()
    person(one, name, ["watch"])
    departure, other = (oidc.depart(database, one, redirect=BACK, at=now) for _ in range(2))
    told = agreed(departure.url, name)

    def arrive(state: str, own: str, code: str = told["code"]) -> None:
        oidc.arrive(database, one, state=state, own_state=own, code=code, address="here", at=now)

    for state, own in ((told["state"], other.state), (told["state"], ""), ("", ""), ("x", "x"), ("ї", "ї")):
        with pytest.raises(BadInput):
            arrive(state, own)
    arrive(told["state"], departure.state)
    with pytest.raises(BadInput):
        arrive(told["state"], departure.state)
    with pytest.raises(Forbidden):
        arrive(other.state, other.state, "guess")


def test_a_provider_that_is_away_or_another_is_refused(database: Database, provider) -> None:
    now = SystemClock().now()
    for wrong in ("http://127.0.0.1:1", f"{provider().issuer}/users"):
        with pytest.raises(Unavailable):
            oidc.depart(database, provider(issuer=wrong), redirect=BACK, at=now)
    for insecure in ("http://id.example", "nonsense", "http://", "http://localhost.evil.example"):
        with pytest.raises(Conflict):
            provider(issuer=insecure)


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    clock = SystemClock()
    return Services(
        database=database, bus=None, data=tmp_path, ledger_folder=tmp_path, ledger_origin="x", clock=clock,
        jobs=Jobs(database, clock), node="n", public_origin="https://svidok.example", secure_cookies=True,
    )  # fmt: skip


def test_over_http_with_cookies(provider, name: str, services: Services) -> None:
    services.oidc = provider()
    person(services.oidc, name, ["watch"])
    with TestClient(build_app(services, web_folder=None), base_url="https://svidok.example") as client:
        assert client.get("/api/oidc").json() == {"offered": True}
        away = client.get("/api/oidc/start", follow_redirects=False)
        asked = parse_qs(urlsplit(away.headers["location"]).query)
        assert (away.status_code, asked["code_challenge_method"], asked["redirect_uri"]) == (302, ["S256"], [BACK])
        cookie = away.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        told = agreed(away.headers["location"], name)
        client.cookies.clear()

        def back(headers: dict[str, str], **params: str) -> httpx.Response:
            return client.get("/api/oidc/callback", params=params or told, headers=headers, follow_redirects=False)

        assert back({"cookie": "svidok_oidc=x"}).headers["location"] == "/?sign_in=oidc-state"
        assert back({}, error="access_denied").headers["location"] == "/?sign_in=oidc-refused"
        home = back({"cookie": cookie.split(";")[0]})
        assert (home.status_code, home.headers["location"]) == (302, "/")
        assert client.get("/api/session").json()["actor"]["login"] == name


def test_whoever_departs_to_a_provider_that_is_away_lands_on_our_page(provider, services: Services) -> None:
    services.oidc = provider(issuer="http://127.0.0.1:1")
    with TestClient(build_app(services, web_folder=None), base_url="https://svidok.example") as client:
        away = client.get("/api/oidc/start", follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (302, "/?sign_in=oidc-unavailable")


def test_without_a_provider_it_says_so(services: Services) -> None:
    with TestClient(build_app(services, web_folder=None)) as client:
        assert client.get("/api/oidc").json() == {"offered": False}
        assert client.get("/api/oidc/start").status_code == 404
        assert client.get("/api/oidc/callback").status_code == 404
