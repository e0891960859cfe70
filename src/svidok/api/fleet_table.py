"""The fleet as a file: the table as somebody filtered and arranged it, as CSV that spreadsheets open."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from litestar import get
from litestar.response import Stream

from svidok.api.door import guarded
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.db import Database, Row
from svidok.fleet import search
from svidok.fleet.regions import region_of
from svidok.fleet.search import Filters

_BASIS = "Fleet administration (LED art. 29)"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else


def _region(row: Row) -> str:
    region = region_of(row["region_code"])
    return region.name_uk if region else str(row["region_code"])


# What the table calls a column -> what the file calls it (as an import reads it, where it can) and where it is from.
COLUMNS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "number": ("number", lambda row: row["number"]),
    "name": ("name_uk", lambda row: row["name_uk"]),
    "name_en": ("name_en", lambda row: row["name_en"]),
    "site": ("site", lambda row: row["site_uk"]),
    "state": ("life", lambda row: row["life"]),
    "since": ("life_since", lambda row: row["life_since"].isoformat()),
    "kind": ("kind", lambda row: row["kind"]),
    "owner": ("owner", lambda row: row["owner"]),
    "region": ("region_code", lambda row: row["region_code"]),
    "region_name": ("region_name", _region),
    "lat": ("lat", lambda row: row["lat"]),
    "lon": ("lon", lambda row: row["lon"]),
    "findings": ("findings", lambda row: row["findings_count"]),
    "seen": ("last_seen_at", lambda row: row["seen_at"].isoformat() if row["seen_at"] else None),
    "maker": ("maker", lambda row: row["maker"]),
    "model": ("model", lambda row: row["model"]),
    "firmware": ("firmware", lambda row: row["firmware"]),
    "serial": ("serial", lambda row: row["serial"]),
    "address": ("address", lambda row: row["address"]),
    "px": ("px_m_class", lambda row: row["px_m_class"]),
    "basis": ("lawful_basis", lambda row: row["lawful_basis"]),
    "retention": ("retention_class", lambda row: row["retention_class"]),
}


def cell(value: Any) -> str:
    """A value as a cell; a text that a spreadsheet would take for a formula is marked as text. Pure.

    >>> cell("=1+1"), cell(-3.5), cell(None), cell("-1")
    ("'=1+1", '-3.5', '', "'-1")
    """
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else str(value)


def table(database: Database, filters: Filters, columns: list[str]) -> Iterator[bytes]:
    """The table page by page, its header first; each page is its own transaction."""
    yield (_BOM + _line([COLUMNS[name][0] for name in columns])).encode()
    cursor: str | None = None
    while True:
        with database.transaction() as tx:
            rows = search.page(tx, filters, cursor=cursor, limit=search.MAX_PAGE)
        yield "".join(_line([cell(COLUMNS[name][1](row)) for name in columns]) for row in rows).encode()
        if len(rows) < search.MAX_PAGE:
            return
        cursor = rows[-1]["number"]


def _line(cells: list[str]) -> str:
    into = io.StringIO()
    csv.writer(into, delimiter=";", lineterminator="\r\n").writerow(cells)
    return into.getvalue()


@get("/api/cameras/table", **guarded("view_fleet", recorded=True, legal_basis=_BASIS), sync_to_thread=True)
def download_table(
    services: Services,
    columns: str = "number,name,state,kind,owner,region,findings,seen",
    q: str | None = None,
    region: str | None = None,
    kind: str | None = None,
    owner: str | None = None,
    life: str | None = None,
    finding: str | None = None,
    site: UUID | None = None,
) -> Stream:
    """All cameras that the filters leave, with these columns in this order."""
    chosen = columns.split(",")
    unknown = [name for name in chosen if name not in COLUMNS]
    if unknown or len(set(chosen)) != len(chosen):
        raise BadInput("columns-form", "Name columns that there are, each once.", unknown=", ".join(unknown)[:200])
    filters = Filters(text=q, region=region, kind=kind, owner=owner, life=life, finding=finding, site=site)
    return Stream(
        table(services.database, filters, chosen),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="cameras.csv"'},
    )


ROUTES = [download_table]
