"""Signing in and out, and what the page needs to know about whoever is signed in."""

import secrets
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import Cookie

from svidok.access import Actor, accounts, permitted, sessions
from svidok.access.preferences import preference, set_preference
from svidok.access.sessions import Session, SignInRefused, csrf_of
from svidok.api.door import CSRF_COOKIE, PUBLIC, SESSION_COOKIE, NotSignedIn, guarded
from svidok.api.purposes import PurposeOut, purpose_out
from svidok.api.services import Services
from svidok.governance.purposes import purposes_of


class SignIn(msgspec.Struct):
    """What somebody signs in with."""

    login: str
    password: str
    code: str | None = None


class FirstSignIn(msgspec.Struct):
    """The first administrator."""

    token: str
    login: str
    name: str
    password: str


class CodeIn(msgspec.Struct):
    """A code of an authenticator."""

    code: str


class ActorOut(msgspec.Struct):
    """Who is signed in."""

    id: str
    login: str
    name: str
    unit: str
    roles: list[str]


class SessionOut(msgspec.Struct):
    """What the page needs to know."""

    actor: ActorOut
    permissions: list[str]
    purpose: PurposeOut | None
    version: str
    demo: bool
    csrf: str


class TotpOut(msgspec.Struct):
    """A secret to be scanned; `qr` is an SVG image."""

    secret: str
    uri: str
    qr: str


def _session_out(services: Services, actor: Actor, token: str, at: datetime) -> SessionOut:
    with services.database.transaction() as tx:
        running = purposes_of(tx, actor=actor, at=at)
    return SessionOut(
        actor=ActorOut(
            id=str(actor.id), login=actor.login, name=actor.name, unit=actor.unit,
            roles=sorted(str(role) for role in actor.roles),
        ),
        permissions=permitted(actor),
        purpose=purpose_out(running[0]) if running else None,
        version=services.version,
        demo=services.demo,
        csrf=csrf_of(token),
    )  # fmt: skip


def signed_in(services: Services, session: Session) -> Response[SessionOut]:
    """The answer to a sign-in that worked, with its cookies."""
    body = _session_out(services, session.actor, session.token, services.clock.now())
    same = {"path": "/", "samesite": "strict", "secure": services.secure_cookies}
    age = int(sessions.LIVES.total_seconds())
    return Response(
        body,
        cookies=[
            Cookie(key=SESSION_COOKIE, value=session.token, httponly=True, max_age=age, **same),  # type: ignore[arg-type]
            Cookie(key=CSRF_COOKIE, value=csrf_of(session.token), max_age=age, **same),  # type: ignore[arg-type]
        ],
    )


def address_of(request: Request[Any, Any, Any]) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


@get("/api/session", **PUBLIC, sync_to_thread=True)
def read_session(request: Request[Any, Any, Any], services: Services) -> SessionOut:
    """Who is signed in; 401 where nobody is."""
    token = request.cookies.get(SESSION_COOKIE)
    at = services.clock.now()
    with services.database.transaction() as tx:
        actor = sessions.find(tx, token=token, at=at) if token else None
    if actor is None or token is None:
        raise NotSignedIn
    return _session_out(services, actor, token, at)


@post("/api/session", **PUBLIC, sync_to_thread=True)
def begin_session(data: SignIn, request: Request[Any, Any, Any], services: Services) -> Response[SessionOut]:
    """Sign in with a password and, where one is enrolled, a code."""
    with services.database.transaction() as tx:
        session = sessions.sign_in(
            tx, login=data.login, password=data.password, code=data.code, address=address_of(request),
            at=services.clock.now(),
        )  # fmt: skip
    if isinstance(session, SignInRefused):
        raise session
    return signed_in(services, session)


@post("/api/session/first", **PUBLIC, sync_to_thread=True)
def begin_first_session(data: FirstSignIn, request: Request[Any, Any, Any], services: Services) -> Response[SessionOut]:
    """Make the first administrator with the one-time token."""
    at = services.clock.now()
    with services.database.transaction() as tx:
        actor = accounts.first_administrator(
            tx, token=data.token, login=data.login, name=data.name, password=data.password, at=at
        )
        session = sessions.begin(tx, actor, address=address_of(request), how="first", at=at)
    return signed_in(services, session)


@delete("/api/session", **PUBLIC, sync_to_thread=True, status_code=200)
def end_session(request: Request[Any, Any, Any], services: Services) -> Response[dict[str, bool]]:
    """Sign out."""
    token = request.cookies.get(SESSION_COOKIE)
    given = request.headers.get("x-svidok-csrf", "")
    if token and secrets.compare_digest(given.encode(), csrf_of(token).encode()):
        with services.database.transaction() as tx:
            sessions.sign_out(tx, token=token, at=services.clock.now())
    response: Response[dict[str, bool]] = Response({"ok": True})
    response.delete_cookie(SESSION_COOKIE)
    response.delete_cookie(CSRF_COOKIE)
    return response


@post("/api/totp/enrol", **guarded("choose_purpose"), sync_to_thread=True)
def enrol_totp(actor: Actor, services: Services) -> TotpOut:
    """Begin to use an authenticator."""
    import segno

    with services.database.transaction() as tx:
        secret, uri = sessions.enrol_code(tx, actor=actor)
    return TotpOut(secret=secret, uri=uri, qr=segno.make(uri).svg_data_uri(scale=5, border=2))


@post("/api/totp/confirm", **guarded("choose_purpose"), sync_to_thread=True)
def confirm_totp(data: CodeIn, actor: Actor, services: Services) -> dict[str, bool]:
    """The authenticator works."""
    with services.database.transaction() as tx:
        sessions.confirm_code(tx, actor=actor, code=data.code, at=services.clock.now())
    return {"ok": True}


@get("/api/preferences/{key:str}", **guarded("view_system"), sync_to_thread=True)
def read_preference(key: str, actor: Actor, services: Services) -> Any:
    """What somebody likes; null where nothing is kept."""
    with services.database.transaction() as tx:
        return {"value": preference(tx, actor=actor, key=key)}


@put("/api/preferences/{key:str}", **guarded("view_system"), sync_to_thread=True)
def write_preference(key: str, data: dict[str, Any], actor: Actor, services: Services) -> dict[str, bool]:
    """Keep what somebody likes: `{"value": …}`."""
    with services.database.transaction() as tx:
        set_preference(tx, actor=actor, key=key, value=data.get("value"))
    return {"ok": True}


ROUTES = [
    read_session, begin_session, begin_first_session, end_session, enrol_totp, confirm_totp, read_preference,
    write_preference,
]  # fmt: skip
