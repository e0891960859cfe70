"""The door itself: no route answers before it is known who asks, whether they may, why, and that it is written down.

Every route is either `guarded` or `PUBLIC`; a test walks the table. For what
shows footage or personal data the guard asks for a purpose and commits a line
of the trail before the handler runs; where the line cannot be written, nothing
is shown (503).

A look that goes on (the fragments of one playback, the thumbnails of one
timeline) is one line: what the same actor sees of the same channel, for the
same purpose, within `CONTINUES_S` seconds of a line already committed.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import anyio.to_thread
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler

from svidok.access import Actor, audit, require, sessions
from svidok.access.sessions import csrf_of
from svidok.api.counts import LOOKS
from svidok.api.services import Services
from svidok.api.subject import refuse_subject
from svidok.base import BadInput, Forbidden, SvidokError, Unavailable
from svidok.db import Transaction
from svidok.governance import Purpose
from svidok.governance.purposes import valid_purpose

SESSION_COOKIE = "svidok_session"
CSRF_COOKIE = "svidok_csrf"
CSRF_HEADER = "x-svidok-csrf"
PURPOSE_HEADER = "x-svidok-purpose"
CONTINUES_S = 60.0
_SAFE = {"GET", "HEAD", "OPTIONS"}
_SECRET_PARAMETERS = {"purpose", "password", "token", "code"}

PUBLIC: dict[str, Any] = {"opt": {"public": True}}
"""For handlers that anybody may call: sign-in, health, the ledger's files, the web app's own files."""


class Shows(StrEnum):
    """What a route shows."""

    NOTHING = "nothing"
    PERSONAL = "personal"
    FOOTAGE = "footage"


class NotSignedIn(SvidokError):
    """There is no session."""

    status = 401

    def __init__(self) -> None:
        super().__init__("not-signed-in", "Sign in first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the guard found out: who looks, for which purpose, and the line of the trail that says so."""

    actor: Actor
    purpose: Purpose | None
    audit_id: UUID | None


def guarded(
    action: str, *, shows: Shows = Shows.NOTHING, recorded: bool = False, legal_basis: str | None = None
) -> dict[str, Any]:
    """Keyword arguments for a handler that needs permission for `action`.

    `recorded` routes write a line without asking for a purpose, on the stated
    `legal_basis`: reading the trail itself, for instance.
    """
    return {
        "guards": [_guard],
        "opt": {"action": action, "shows": shows, "recorded": recorded or shows != Shows.NOTHING, "basis": legal_basis},
    }


async def _guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    connection.state.look = await anyio.to_thread.run_sync(_admit, connection, handler.opt)


def _admit(connection: ASGIConnection[Any, Any, Any, Any], opt: dict[str, Any]) -> Look:
    """Who asks, may they, why; and the line of the trail. One transaction."""
    services: Services = connection.app.state.services
    at = services.clock.now()
    token = connection.cookies.get(SESSION_COOKIE)
    with services.database.transaction() as tx:
        actor = sessions.find(tx, token=token, at=at) if token else None
        if actor is None or token is None:
            raise NotSignedIn
        _check_origin(connection, services, token)
        require(actor, opt["action"])
        if opt["shows"] != Shows.NOTHING:
            refuse_subject(tx, connection, actor, opt["action"])
        purpose = None
        if opt["shows"] != Shows.NOTHING:
            purpose = valid_purpose(tx, actor=actor, purpose_id=_purpose_id(connection), at=at)
        if not opt["recorded"]:
            return Look(actor=actor, purpose=None, audit_id=None)
        key = _key(connection, actor, purpose, opt)
        going_on = _going_on(connection, services, key)
        if going_on is not None:
            return Look(actor=actor, purpose=purpose, audit_id=going_on)
        audit_id = _write_down(connection, tx, services, actor, purpose, opt)
    LOOKS.labels(opt["action"]).inc()
    if key is not None:  # only now is the line committed
        _remember(connection.app.state.looks, key, services.clock.monotonic(), audit_id)
    return Look(actor=actor, purpose=purpose, audit_id=audit_id)


def _check_origin(connection: ASGIConnection[Any, Any, Any, Any], services: Services, token: str) -> None:
    """Changes carry the session's own token in a header; sockets come from our own pages."""
    scope = connection.scope
    if scope["type"] == ScopeType.WEBSOCKET:
        origin = connection.headers.get("origin", "")
        host = urlsplit(services.public_origin).netloc if services.public_origin else connection.headers.get("host", "")
        if urlsplit(origin).netloc != host:
            raise Forbidden("foreign-origin", "This connection does not come from our own pages.")
    elif scope.get("method") not in _SAFE:
        given = connection.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), csrf_of(token).encode()):
            raise Forbidden("csrf", "The request does not come from our own pages. Reload the page.")


def _purpose_id(connection: ASGIConnection[Any, Any, Any, Any]) -> UUID:
    given = connection.headers.get(PURPOSE_HEADER) or connection.query_params.get("purpose")
    if not given:
        raise Forbidden("purpose-needed", "Choose a purpose before you look.")
    try:
        return UUID(given)
    except ValueError as error:
        raise BadInput("purpose-form", "The purpose is not an id.") from error


Key = tuple[Any, ...]


def _key(
    connection: ASGIConnection[Any, Any, Any, Any], actor: Actor, purpose: Purpose | None, opt: dict[str, Any]
) -> Key | None:
    """What makes two requests one look; nothing where each is a look of its own (what leaves the house, above all)."""
    what = _what(connection)
    subject = what.get("channel_id") or what.get("exhibit_id") or what.get("redaction_id")
    if subject is None or opt["action"] == "export_footage":
        return None
    stretch = [str(what.get(name, ""))[:13] for name in ("at", "from", "to")]
    return (
        actor.id,
        purpose.id if purpose else None,
        opt["action"],
        subject,
        *stretch,
        str(what.get("segment", "")),
    )


def _going_on(connection: ASGIConnection[Any, Any, Any, Any], services: Services, key: Key | None) -> UUID | None:
    """The committed line of the look that this request goes on with, or nothing."""
    looks: dict[Key, tuple[float, UUID]] = connection.app.state.looks
    known = looks.get(key) if key is not None else None
    return known[1] if known is not None and services.clock.monotonic() - known[0] < CONTINUES_S else None


def _remember(looks: dict[Key, tuple[float, UUID]], key: Key, now: float, audit_id: UUID) -> None:
    if len(looks) > 10_000:
        for old in [one for one, (at, _) in looks.items() if now - at > CONTINUES_S]:
            del looks[old]
    looks[key] = (now, audit_id)


def _write_down(
    connection: ASGIConnection[Any, Any, Any, Any],
    tx: Transaction,
    services: Services,
    actor: Actor,
    purpose: Purpose | None,
    opt: dict[str, Any],
) -> UUID:
    try:
        return audit.record(
            tx, actor=actor, action=opt["action"], what=_what(connection), at=services.clock.now(),
            to_whom=_to_whom(connection), purpose_id=purpose.id if purpose else None,
            legal_basis=purpose.reference.legal_basis if purpose else opt["basis"],
        )  # fmt: skip
    except SvidokError:
        raise
    except Exception as error:  # whatever keeps the line from being written keeps the answer from being sent
        raise Unavailable("audit-unavailable", "The look cannot be written down, so nothing is shown.") from error


def _what(connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
    handler = connection.scope.get("route_handler")
    what: dict[str, Any] = {"route": str(getattr(handler, "handler_name", "") or connection.scope["path"])}
    what |= {name: str(value) for name, value in connection.path_params.items()}
    what |= {n: str(v)[:200] for n, v in connection.query_params.items() if n not in _SECRET_PARAMETERS}
    return what


def _to_whom(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    client = connection.client
    return client.host if client else "unknown"


def provide_look(request: Any) -> Look:
    """The guard's findings, for handlers."""
    look: Look = request.state.look
    return look


def provide_actor(request: Any) -> Actor:
    """Who asks, for handlers."""
    look: Look = request.state.look
    return look.actor


Handler = Callable[..., Any]
