"""Put the routes together."""

from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from svidok.api import accounts, audit, errors, fleet, governance, purposes, recording, session, system
from svidok.api.door import provide_actor, provide_look
from svidok.api.services import Services
from svidok.api.static import SECURITY_HEADERS, web_routes
from svidok.db import Row

_FILES: tuple[Any, ...] = (session, purposes, accounts, governance, audit, system, fleet, recording)
_MAX_BODY = 64 * 1024 * 1024  # a fleet of 60,000 cameras as CSV


def build_app(services: Services, *, web_folder: Path | None) -> Litestar:
    """The application with all its routes, given what stands behind them."""
    app = Litestar(
        route_handlers=[
            *(route for file in _FILES for route in file.ROUTES),
            *(web_routes(web_folder) if web_folder else []),
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "actor": Provide(provide_actor, sync_to_thread=False),
            "look": Provide(provide_look, sync_to_thread=False),
        },
        exception_handlers=errors.HANDLERS,
        response_headers=SECURITY_HEADERS,
        compression_config=CompressionConfig(backend="gzip", minimum_size=2000, exclude=["/api/channels"]),
        openapi_config=OpenAPIConfig(title="Svidok", version=services.version, path="/api/openapi"),
        request_max_body_size=_MAX_BODY,
        signature_types=[Services, Row],
        logging_config=None,
    )
    app.state.services = services
    app.state.looks = {}
    return app
