"""Import cameras from CSV: tens of thousands at once, bad rows named, the good ones taken.

What is lenient: a BOM, UTF-8 or Windows-1251, commas, semicolons or tabs,
quoted line breaks, Ukrainian or English headers, decimal commas. What is
strict: every row says why it was not taken. Importing the same file twice
changes nothing: a camera is known by its number.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, new_id
from svidok.db import Database, Transaction
from svidok.fleet.credentials import Safe
from svidok.fleet.model import PX_M_CLASSES, Kind, Life, Owner
from svidok.fleet.regions import region_of

HEADERS = {
    "number": ("number", "номер", "інвентарний номер", "id"),
    "name_uk": ("name_uk", "назва", "name", "назва українською"),
    "name_en": ("name_en", "назва англійською", "name in english"),
    "site": ("site", "об'єкт", "обʼєкт", "об’єкт"),
    "kind": ("kind", "вид", "тип"),
    "owner": ("owner", "власник"),
    "region_code": ("region_code", "катоттг", "katotth", "region"),
    "lat": ("lat", "широта", "latitude"),
    "lon": ("lon", "довгота", "longitude"),
    "heading_deg": ("heading_deg", "напрямок", "heading"),
    "fov_deg": ("fov_deg", "кут", "fov"),
    "px_m_class": ("px_m_class", "клас", "px/m"),
    "lawful_basis": ("lawful_basis", "правова підстава", "підстава"),
    "retention_class": ("retention_class", "клас зберігання"),
    "maker": ("maker", "виробник"),
    "model": ("model", "модель"),
    "firmware": ("firmware", "прошивка"),
    "serial": ("serial", "серійний номер"),
    "address": ("address", "адреса"),
    "life": ("life", "стан"),
    "url": ("url", "main_url", "потік"),
    "sub_url": ("sub_url", "субпотік"),
    "username": ("username", "логін"),
    "password": ("password", "пароль"),
}
_BATCH = 5000
_COLUMNS = ("id", "number", "name_uk", "name_en", "site_id", "kind", "owner", "region_code", "lat", "lon",
            "heading_deg", "fov_deg", "px_m_class", "lawful_basis", "retention_class", "maker", "model", "firmware",
            "serial", "address", "sealed_login", "life", "life_since")  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """How many rows were taken, how many were known, and which were not taken, by line and reason."""

    taken: int = 0
    known: int = 0
    bad_rows: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One good row."""

    line: int
    values: dict[str, Any]


Progress = Callable[[int, int | None, str], None]


def decode(data: bytes) -> str:
    """The text of a file as somebody saved it.

    >>> decode("номер".encode("cp1251")), decode(b"\\xef\\xbb\\xbfid")
    ('номер', 'id')
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")


def read_rows(text: str) -> Iterator[Row | tuple[int, str]]:
    """Good rows as `Row`, bad ones as (line, reason). Raises `BadInput` where the header lacks what must be there."""
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = next(reader, [])
    columns = [_field_of(name) for name in header]
    missing = {"number", "name_uk", "kind", "owner", "region_code"} - {c for c in columns if c}
    if missing:
        raise BadInput(
            "csv-header", f"The first line must name these columns: {', '.join(sorted(missing))}.",
            missing=", ".join(sorted(missing)),
        )  # fmt: skip
    seen: dict[str, int] = {}
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not readable as CSV: {error}"
            continue
        if not any(cell.strip() for cell in cells):
            continue
        yield _row(reader.line_num, columns, cells, seen)


def _row(line: int, columns: list[str | None], cells: list[str], seen: dict[str, int]) -> Row | tuple[int, str]:
    if len(cells) != len(columns):
        return line, f"{len(cells)} cells instead of {len(columns)}"
    raw = {name: cell.strip().replace("\x00", "") for name, cell in zip(columns, cells, strict=True) if name}
    try:
        values = _values(raw)
    except ValueError as error:
        return line, str(error)
    if values["number"] in seen:
        return line, f"number {values['number']} stands in line {seen[values['number']]} already"
    seen[values["number"]] = line
    return Row(line=line, values=values)


def _values(raw: dict[str, str]) -> dict[str, Any]:
    number = raw["number"]
    if not 1 <= len(number) <= 64:
        raise ValueError("the number is missing or longer than 64 characters")
    if not raw["name_uk"] or len(raw["name_uk"]) > 200:
        raise ValueError("the name is missing or longer than 200 characters")
    if region_of(raw["region_code"]) is None:
        raise ValueError(f"no oblast has the code {raw['region_code']!r}")
    url, sub = raw.get("url", ""), raw.get("sub_url", "")
    for one in (url, sub):
        if one and (not one.startswith(("rtsp://", "rtsps://")) or "@" in one.split("/")[2]):
            raise ValueError("a stream is rtsp:// or rtsps:// without a login in it; use username and password")
    px_m = raw.get("px_m_class", "").lower()
    if px_m and px_m not in PX_M_CLASSES:
        raise ValueError(f"the px/m class {px_m!r} is not one of {', '.join(PX_M_CLASSES)}")
    return {
        **{name: raw.get(name, "")[:300] for name in ("name_uk", "name_en", "site", "region_code", "lawful_basis",
                                                      "retention_class", "maker", "model", "firmware", "serial",
                                                      "address", "username", "password")},
        "number": number,
        "kind": _one_of(Kind, raw["kind"], "kind"),
        "owner": _one_of(Owner, raw["owner"], "owner"),
        "life": _one_of(Life, raw.get("life") or "planned", "life"),
        "lat": _number(raw.get("lat", ""), -90, 90, "lat"),
        "lon": _number(raw.get("lon", ""), -180, 180, "lon"),
        "heading_deg": _whole(raw.get("heading_deg", ""), 0, 359, "heading_deg"),
        "fov_deg": _whole(raw.get("fov_deg", ""), 1, 360, "fov_deg"),
        "px_m_class": px_m or None,
        "url": url,
        "sub_url": sub,
    }  # fmt: skip


def _field_of(header: str) -> str | None:
    name = header.strip().lower()
    return next((field for field, names in HEADERS.items() if name in names), None)


def _one_of(kind: type[Kind] | type[Owner] | type[Life], text: str, what: str) -> str:
    try:
        return str(kind(text.strip().lower().replace("-", "_").replace(" ", "_")))
    except ValueError as error:
        raise ValueError(f"{what} {text!r} is not one of {', '.join(kind)}") from error


def _number(text: str, low: float, high: float, what: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise ValueError(f"{what} {text!r} is not a number") from error
    if not low <= value <= high:
        raise ValueError(f"{what} {text} is not between {low} and {high}")
    return value


def _whole(text: str, low: int, high: int, what: str) -> int | None:
    value = _number(text, low, high, what)
    return round(value) if value is not None else None


def import_cameras(
    database: Database, data: bytes, *, actor: Actor, safe: Safe, at: datetime, progress: Progress
) -> ImportReport:
    """Take the good rows of `data`, in batches. `progress` is told how far it is, and may raise to stop."""
    require(actor, "edit_fleet")
    text = decode(data)
    total = max(0, text.count("\n"))
    report = ImportReport()
    try:
        _take_all(database, text, total, report, safe, actor, at, progress)
    finally:  # what was taken before somebody stopped it was taken all the same
        with database.transaction() as tx:
            audit.record(
                tx, actor=actor, action="edit_fleet", at=at, to_whom="",
                what={"imported": report.taken, "known": report.known, "bad": len(report.bad_rows)},
            )  # fmt: skip
    return report


def _take_all(
    database: Database,
    text: str,
    total: int,
    report: ImportReport,
    safe: Safe,
    actor: Actor,
    at: datetime,
    progress: Progress,
) -> None:
    batch: list[Row] = []
    for row in read_rows(text):
        if isinstance(row, tuple):
            report.bad_rows.append(row)
            continue
        batch.append(row)
        if len(batch) == _BATCH:
            _take(database, batch, report, safe, actor, at)
            progress(row.line, total, f"{report.taken} taken, {len(report.bad_rows)} not")
            batch = []
    if batch:
        _take(database, batch, report, safe, actor, at)


def _take(database: Database, rows: list[Row], report: ImportReport, safe: Safe, actor: Actor, at: datetime) -> None:
    with database.transaction() as tx:
        have = tx.all("SELECT number FROM fleet.camera WHERE number = ANY(%(n)s)", n=[r.values["number"] for r in rows])
        known = {row["number"] for row in have}
        fresh = [row for row in rows if row.values["number"] not in known]
        sites = _sites(tx, fresh)
        made = [(new_id(), new_id(), row.values) for row in fresh]
        _copy(tx, made, sites, safe, actor, at)
        report.known += len(known)
        report.taken += len(made)


def _sites(tx: Transaction, rows: list[Row]) -> dict[str, UUID]:
    names = {row.values["site"]: row.values["region_code"] for row in rows if row.values["site"]}
    for name, region in names.items():
        tx.run(
            "INSERT INTO fleet.site (id, name_uk, name_en, region_code) VALUES (%(id)s, %(name)s, '', %(region)s) "
            "ON CONFLICT (name_uk) DO NOTHING", id=new_id(), name=name, region=region,
        )  # fmt: skip
    found = tx.all("SELECT id, name_uk FROM fleet.site WHERE name_uk = ANY(%(names)s)", names=list(names))
    return {row["name_uk"]: row["id"] for row in found}


def _copy(
    tx: Transaction,
    made: list[tuple[UUID, UUID, dict[str, Any]]],
    sites: dict[str, UUID],
    safe: Safe,
    actor: Actor,
    at: datetime,
) -> None:
    def camera(camera_id: UUID, values: dict[str, Any]) -> list[Any]:
        login = safe.seal(camera_id, values["username"], values["password"]) if values["username"] else None
        known = {**values, "id": camera_id, "site_id": sites.get(values["site"]), "sealed_login": login,
                 "life_since": at}  # fmt: skip
        return [known[column] for column in _COLUMNS]

    tx.copy(f"COPY fleet.camera ({', '.join(_COLUMNS)}) FROM STDIN", (camera(c, v) for c, _, v in made))
    tx.copy("COPY fleet.channel (id, camera_id) FROM STDIN", ([channel, c] for c, channel, _ in made))
    tx.copy(
        "COPY fleet.stream (id, channel_id, role, url) FROM STDIN",
        ([new_id(), channel, role, values[key]] for _, channel, values in made
         for role, key in (("main", "url"), ("sub", "sub_url")) if values[key]),
    )  # fmt: skip
    tx.copy(
        "COPY fleet.life_change (id, camera_id, after, at, reason, actor_id) FROM STDIN",
        ([new_id(), c, values["life"], at, "import", actor.id] for c, _, values in made),
    )
