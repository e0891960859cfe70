"""Passkeys: added by whoever is signed in, used at the door."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, delete, get, post

from svidok.access import Actor, passkeys
from svidok.access.passkeys import Site
from svidok.access.sessions import SignInRefused
from svidok.api.door import PUBLIC, guarded
from svidok.api.services import Services
from svidok.api.session import SessionOut, address_of, signed_in


class PasskeyIn(msgspec.Struct):
    """What the browser made, and what its owner calls it."""

    credential: dict[str, Any]
    label: str = ""


class PasskeyAnswer(msgspec.Struct):
    """What the browser answers at the door."""

    credential: dict[str, Any]


class PasskeyOut(msgspec.Struct):
    """A passkey of mine."""

    id: str
    label: str
    created_at: datetime


class PasskeysOut(msgspec.Struct):
    """My passkeys."""

    items: list[PasskeyOut]


def site_of(request: Request[Any, Any, Any], services: Services) -> Site:
    """Who we are to this browser: the origin that is set, or the one it came to."""
    origin = services.public_origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return Site(host=urlsplit(origin).hostname or "", origin=origin.rstrip("/"))


@get("/api/passkeys", **guarded("choose_purpose"), sync_to_thread=True)
def list_passkeys(actor: Actor, services: Services) -> PasskeysOut:
    """My passkeys."""
    with services.database.transaction() as tx:
        return PasskeysOut([PasskeyOut(**row) for row in passkeys.passkeys(tx, account_id=actor.id)])


@post("/api/passkeys/register/options", **guarded("choose_purpose"), sync_to_thread=True)
def begin_passkey(request: Request[Any, Any, Any], actor: Actor, services: Services) -> dict[str, Any]:
    """Begin to add a passkey."""
    with services.database.transaction() as tx:
        return passkeys.addition_options(tx, actor=actor, site=site_of(request, services), at=services.clock.now())


@post("/api/passkeys/register/finish", **guarded("choose_purpose"), sync_to_thread=True)
def add_passkey(data: PasskeyIn, request: Request[Any, Any, Any], actor: Actor, services: Services) -> dict[str, bool]:
    """Keep the passkey."""
    with services.database.transaction() as tx:
        passkeys.add(
            tx, actor=actor, credential=data.credential, label=data.label, site=site_of(request, services),
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


@delete("/api/passkeys/{key:str}", **guarded("choose_purpose"), sync_to_thread=True, status_code=200)
def remove_passkey(key: str, actor: Actor, services: Services) -> dict[str, bool]:
    """Remove a passkey of mine."""
    with services.database.transaction() as tx:
        passkeys.remove(tx, actor=actor, key_id=key, at=services.clock.now())
    return {"ok": True}


@post("/api/passkeys/sign-in/options", **PUBLIC, sync_to_thread=True)
def begin_passkey_session(request: Request[Any, Any, Any], services: Services) -> dict[str, Any]:
    """Begin to sign in with a passkey."""
    with services.database.transaction() as tx:
        return passkeys.entry_options(tx, site=site_of(request, services), at=services.clock.now())


@post("/api/passkeys/sign-in/finish", **PUBLIC, sync_to_thread=True)
def finish_passkey_session(
    data: PasskeyAnswer, request: Request[Any, Any, Any], services: Services
) -> Response[SessionOut]:
    """Sign in with a passkey."""
    with services.database.transaction() as tx:
        session = passkeys.enter(
            tx, credential=data.credential, site=site_of(request, services), address=address_of(request),
            at=services.clock.now(),
        )  # fmt: skip
    if isinstance(session, SignInRefused):
        raise session
    return signed_in(services, session)


ROUTES = [
    list_passkeys, begin_passkey, add_passkey, remove_passkey, begin_passkey_session, finish_passkey_session,
]  # fmt: skip
