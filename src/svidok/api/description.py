"""The description of every route (OpenAPI 3.1) as text, for the pages' types: `python -m svidok.api.description`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from litestar.serialization import encode_json

from svidok.api.build import build_app
from svidok.api.jobs import Jobs
from svidok.api.services import Services
from svidok.base import SystemClock
from svidok.db import Database


def describe() -> bytes:
    """The description as JSON. It reads the routes alone: no database is asked and no file is kept."""
    clock = SystemClock()
    with TemporaryDirectory() as folder:
        at = Path(folder)
        database = Database.open("", size=1)  # a pool that opens nothing until it is asked
        services = Services(
            database=database, bus=None, data=at, ledger_folder=at, ledger_origin="description", clock=clock,
            jobs=Jobs(database, clock), node="description", credentials_key=at / "credentials.key",
        )  # fmt: skip
        try:
            return encode_json(build_app(services, web_folder=None).openapi_schema.to_schema())
        finally:
            database.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(describe())
