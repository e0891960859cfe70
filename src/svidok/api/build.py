"""Put the routes together."""

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import anyio.to_thread
from litestar import Litestar, MediaType
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from svidok.api import (
    accounts,
    audit,
    bodyworn,
    bodyworn_clips,
    copies,
    customs,
    customs_intake,
    desk,
    devices,
    errors,
    evidence,
    fleet,
    fleet_table,
    governance,
    hotlists,
    map_tiles,
    oidc,
    passkeys,
    plates,
    purposes,
    recording,
    session,
    signatures,
    system,
)
from svidok.api.door import provide_actor, provide_look
from svidok.api.pace import Pace, paced
from svidok.api.services import Services
from svidok.api.static import HSTS, SECURITY_HEADERS, web_routes
from svidok.db import Row

_FILES: tuple[Any, ...] = (
    session,
    passkeys,
    oidc,
    purposes,
    accounts,
    governance,
    audit,
    system,
    copies,
    fleet_table,
    fleet,
    map_tiles,
    recording,
    signatures,
    bodyworn,
    bodyworn_clips,
    customs,
    customs_intake,
    evidence,
    plates,
    hotlists,
    devices,
    desk,
)
_DESCRIPTION = JsonRenderPlugin(path="/", media_type=MediaType.JSON)  # no page: those load foreign scripts
_MAX_BODY = 64 * 1024 * 1024  # a fleet of 60,000 cameras as CSV


def in_threads(handlers: list[Any]) -> list[Any]:
    """The handlers, those that are plain functions made to run in a thread.

    Litestar 2.25 does this itself (`sync_to_thread=True`), but wraps a handler twice where several methods or paths
    share a route, and then answers with a coroutine. So it is done here, once, and the mark is taken off.
    """
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler) and handler.sync_to_thread:
            handler._fn = _in_thread(handler.fn)
            handler.sync_to_thread = None
    return handlers


def _in_thread(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    async def run(**given: Any) -> Any:
        return await anyio.to_thread.run_sync(partial(work, **given))

    return run


def build_app(services: Services, *, web_folder: Path | None) -> Litestar:
    """The application with all its routes, given what stands behind them."""
    app = Litestar(
        route_handlers=[
            *(route for file in _FILES for route in in_threads(file.ROUTES)),
            *(in_threads(web_routes(web_folder)) if web_folder else []),
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "actor": Provide(provide_actor, sync_to_thread=False),
            "look": Provide(provide_look, sync_to_thread=False),
        },
        guards=[paced],
        exception_handlers=errors.HANDLERS,
        response_headers=SECURITY_HEADERS | (HSTS if services.secure_cookies else {}),
        compression_config=CompressionConfig(
            backend="gzip",
            minimum_size=2000,
            exclude=["/api/channels", "/api/exhibits", "/api/disclosures", "/api/redactions", "/api/map/tiles"],
        ),
        openapi_config=OpenAPIConfig(
            title="Svidok", version=services.version, path="/api/openapi.json", render_plugins=[_DESCRIPTION]
        ),
        request_max_body_size=_MAX_BODY,
        signature_types=[Services, Row],
        logging_config=None,
    )
    app.state.services = services
    app.state.looks = {}
    app.state.pace = Pace()
    return app
