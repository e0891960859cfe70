"""Signing in through an outside provider: away, and back."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from litestar.response import Redirect

from svidok.access import oidc
from svidok.api.door import PUBLIC
from svidok.api.passkeys import site_of
from svidok.api.services import Services
from svidok.api.session import address_of, signed_in
from svidok.base import NotFound, SvidokError

STATE_COOKIE = "svidok_oidc"
_BACK = "/api/oidc/callback"


class OidcOut(msgspec.Struct):
    """Whether there is an outside provider."""

    offered: bool


def _provider(services: Services) -> oidc.Provider:
    if services.oidc is None:
        raise NotFound("oidc-not-set", "No outside provider is set here.")
    return services.oidc


@get("/api/oidc", **PUBLIC)
async def oidc_offered(services: Services) -> OidcOut:
    """Whether one may sign in through a provider."""
    return OidcOut(services.oidc is not None)


@get("/api/oidc/start", **PUBLIC, sync_to_thread=True, status_code=302)
def depart(request: Request[Any, Any, Any], services: Services) -> Redirect:
    """Away to the provider; home with the code of what went wrong where it cannot be reached."""
    redirect = site_of(request, services).origin + _BACK
    provider = _provider(services)
    try:
        departure = oidc.depart(services.database, provider, redirect=redirect, at=services.clock.now())
    except SvidokError as error:  # a person followed a link: they must land on a page
        return _home(error.code)
    cookie = Cookie(
        key=STATE_COOKIE, value=departure.state, httponly=True, max_age=600, path=_BACK, samesite="lax",
        secure=services.secure_cookies,
    )  # fmt: skip
    return Redirect(departure.url, status_code=302, cookies=[cookie])


@get(_BACK, **PUBLIC, sync_to_thread=True, status_code=302)
def arrive(
    request: Request[Any, Any, Any],
    services: Services,
    code: str = "",
    problem: Annotated[str, QueryParameter(name="error")] = "",
) -> Response[Any]:
    """Back from the provider: the first page with a session, or with the code of what went wrong."""
    provider = _provider(services)
    if problem:
        return _home("oidc-refused")
    try:
        session = oidc.arrive(
            services.database, provider, state=request.query_params.get("state", ""),
            own_state=request.cookies.get(STATE_COOKIE, ""), code=code, address=address_of(request),
            at=services.clock.now(),
        )  # fmt: skip
    except SvidokError as error:
        return _home(error.code)
    home = _home("")
    for cookie in signed_in(services, session).cookies:
        home.set_cookie(cookie)
    return home


def _home(problem: str) -> Redirect:
    home = Redirect("/?" + urlencode({"sign_in": problem}) if problem else "/", status_code=302)
    home.delete_cookie(STATE_COOKIE, path=_BACK)
    return home


ROUTES = [oidc_offered, depart, arrive]
