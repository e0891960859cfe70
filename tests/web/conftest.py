"""The hub alone, served to a real Chromium: real database, real web app, no recorder and no cameras."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from svidok.access import Role, accounts
from svidok.access.model import Actor
from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock
from svidok.bus import Bus
from svidok.db import Database
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras

ROOT = Path(__file__).parents[2]
DIST = ROOT / "web" / "dist"
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
PASSWORD = "seven quiet otters"


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A hub that answers, and somebody for each role (a second administrator and supervisor too)."""

    address: str
    services: Services
    people: dict[str, Actor]

    def walk(self, script: str, out: Path, **more: Any) -> str:
        """Run `web/e2e/<script>` against it; what it said. Fails with what it complained of."""
        told = {"address": self.address, "password": PASSWORD, "out": str(out), **more}
        done = subprocess.run(
            ["node", f"e2e/{script}", json.dumps(told)], cwd=ROOT / "web", capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "no complaint in the console" in done.stdout, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def hub(database: Database, nats_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if not any(Path(one).exists() for one in BROWSERS):
        pytest.skip("no Chromium on this machine")
    if not (DIST / "index.html").exists():
        pytest.skip("the web interface is not built")
    clock, folder = SystemClock(), tmp_path_factory.mktemp("hub")
    services = Services(
        database=database, bus=None, data=folder, ledger_folder=folder, ledger_origin="x", clock=clock,
        jobs=Jobs(database, clock), node="hub", credentials_key=folder / "credentials.key",
    )  # fmt: skip
    people = _people(database)
    app = build_app(services, web_folder=DIST)

    async def begin() -> None:
        services.bus = await Bus.connect(nats_url, "hub")

    async def end() -> None:
        if services.bus is not None:
            await services.bus.close()

    app.on_startup.append(begin)
    app.on_shutdown.append(end)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Hub(address=f"http://localhost:{port}", services=services, people=people)
    server.should_exit = True
    thread.join(20)
    services.jobs.close()


def _people(database: Database) -> dict[str, Actor]:
    held = {str(role): role for role in Role} | {"supervisor2": Role.SUPERVISOR, "administrator2": Role.ADMINISTRATOR}
    with database.transaction() as tx:
        return {
            login: accounts.add_account(
                tx, by=None, login=login, name=f"Name of {login}", password=PASSWORD, roles=[role], unit_id=None,
                at=SystemClock().now(),
            )
            for login, role in held.items()
        }  # fmt: skip


_FLEET = """number;name_uk;name_en;kind;owner;region_code;lat;lon;maker;model;retention_class;url
A-1;Вокзал, вхід;Station, entrance;overview;municipality;UA46060250010015970;49.84;23.99;Acme;X1;street;rtsp://127.0.0.1:9/1
A-2;Площа Ринок;Market square;face_capable;police;UA46060250010015970;49.842;24.032;Acme;X2;street;rtsp://127.0.0.1:9/2
A-3;"=HYPERLINK(""http://x"")";Formula;plate;customs;UA26040000000000000;48.92;24.71;Other;Y;yard;
"""


@pytest.fixture(scope="module")
def fleet(hub: Hub) -> dict[str, UUID]:
    """Three cameras, by their numbers; their channels' ids."""
    now = SystemClock().now()
    import_cameras(
        hub.services.database, _FLEET.encode(), actor=hub.people["administrator"], at=now,
        safe=Safe(hub.services.data / "credentials.key"), progress=lambda *_: None,
    )  # fmt: skip
    with hub.services.database.transaction() as tx:
        rows = tx.all("SELECT h.id, c.number FROM fleet.channel h JOIN fleet.camera c ON c.id = h.camera_id")
    assert len(rows) == 3
    return {row["number"]: row["id"] for row in rows}
