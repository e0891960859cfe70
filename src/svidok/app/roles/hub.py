"""The hub role: the web and the API."""

import asyncio
import os
from pathlib import Path

import uvicorn
from litestar import Litestar

from svidok.access import Role
from svidok.access.oidc import Provider
from svidok.access.permissions import check_policies
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.app.bundle_means import bundle_means
from svidok.app.roles.dock import worn_parts
from svidok.app.roles.parts import CLOCK, connect_bus, open_database
from svidok.app.roles.plates import plate_rules
from svidok.app.settings import Settings
from svidok.app.witnessing import asked_witnesses
from svidok.base import Conflict
from svidok.plates.parts import Plates
from svidok.recording.reach import Reach, asking

WEB = Path(__file__).parents[4] / "web" / "dist"


def build_hub(settings: Settings) -> Litestar:
    """The application with what stands behind it; the bus is connected when it starts."""
    check_policies()
    database = open_database(settings, size=24)
    secure = bool(settings.public_origin and settings.public_origin.startswith("https://"))
    services = Services(
        database=database,
        bus=None,
        data=settings.data,
        ledger_folder=settings.ledger,
        ledger_origin=settings.origin(),
        clock=CLOCK,
        jobs=Jobs(database, CLOCK),
        node=settings.node,
        public_origin=settings.public_origin,
        secure_cookies=secure,
        demo=bool(os.environ.get("SVIDOK_DEMO")),
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        credentials_key=settings.keys / "credentials.key",
        exhibits=settings.exhibits,
        clamav_socket=settings.clamav_socket,
        map_tiles=settings.map_tiles,
        bundle_means=bundle_means(settings, at=CLOCK.now()),
        witnesses=tuple(one.key for one in asked_witnesses(settings)),
        witness_quorum=settings.witness_quorum,
        oidc=_provider(settings),
        plates=Plates(database=database, data=settings.data, clock=CLOCK, rules=plate_rules(settings)),
        plate_rules=plate_rules(settings),
    )
    app = build_app(services, web_folder=WEB)

    async def begin() -> None:
        services.worn = worn_parts(settings, database)
        services.jobs.forget_interrupted()
        if services.plates is not None:  # the first search need not wait for all distinct plates
            asyncio.get_running_loop().run_in_executor(None, services.plates.dictionary)
        services.bus = await connect_bus(settings, f"hub {settings.node}")
        if services.bus is not None:
            services.reach = Reach(asking(services.bus, asyncio.get_running_loop()))

    async def end() -> None:
        services.jobs.close()
        if services.bus is not None:
            await services.bus.close()
        database.close()

    app.on_startup.append(begin)
    app.on_shutdown.append(end)
    return app


def _provider(settings: Settings) -> Provider | None:
    """The outside provider, where one is set; raises `Conflict` for half a setting, so that nothing starts with it."""
    if not settings.oidc_issuer:
        return None
    unknown = set(settings.oidc_roles.values()) - set(Role)
    if not settings.oidc_client_id or settings.oidc_client_secret is None or not settings.oidc_roles or unknown:
        raise Conflict("oidc-half-set", "Set oidc_client_id, oidc_client_secret, and oidc_roles with roles of ours.")
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        roles=settings.oidc_roles,
    )


def run_hub(settings: Settings) -> None:
    """Serve until told to stop."""
    uvicorn.run(
        build_hub(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ws_max_size=1 << 20,
    )
