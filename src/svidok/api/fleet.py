"""The fleet: pages, map, numbers, life, weaknesses, probing, steering, import."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, patch, post, put
from litestar.params import Parameter

from svidok.access import Actor
from svidok.api.door import guarded
from svidok.api.fleet_parts import CamerasOut, FleetCameraOut, FleetSummaryOut, camera_out
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput, Conflict
from svidok.db import Row, Transaction
from svidok.fleet import Life, events, inspection, registry, search
from svidok.fleet.credentials import Safe
from svidok.fleet.drivers import onvif
from svidok.fleet.importing import import_cameras
from svidok.fleet.regions import regions
from svidok.fleet.search import Filters, Frame


class LifeChange(msgspec.Struct):
    """A change of state."""

    to: Life
    reason: str
    at: datetime | None = None


class LoginIn(msgspec.Struct):
    """A camera's login."""

    username: str
    password: str


class Steering(msgspec.Struct):
    """Speeds from -1 to 1, or a stop."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    stop: bool = False


class Policies(msgspec.Struct):
    """Makers policy, firmware list, and for how many days cameras' events are kept."""

    makers: dict[str, str] | None = None
    firmware_csv: str | None = None
    events_keep_days: int | None = None


def _safe(services: Services) -> Safe:
    if services.credentials_key is None:
        raise Conflict("no-credentials-key", "This process has no key for cameras' logins.")
    return Safe(services.credentials_key)


@get("/api/cameras", **guarded("view_fleet"), sync_to_thread=True)
def list_cameras(
    services: Services,
    q: str | None = None,
    region: str | None = None,
    kind: str | None = None,
    owner: str | None = None,
    life: str | None = None,
    finding: str | None = None,
    site: UUID | None = None,
    ids: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> CamerasOut:
    """A page of cameras, in the order of their numbers; `total` counts what the filters leave. `ids`: with commas."""
    filters = Filters(
        text=q, region=region, kind=kind, owner=owner, life=life, finding=finding, site=site, ids=_ids(ids)
    )
    with services.database.transaction() as tx:
        rows = search.page(tx, filters, cursor=cursor, limit=limit)
        total = search.count(tx, filters) if cursor is None else None
        channels = registry.streams_of(tx, [row["id"] for row in rows])
    after = rows[-1]["number"] if len(rows) == max(1, min(limit, search.MAX_PAGE)) else None
    items = [camera_out(row, channels[row["id"]], None, steerable=None) for row in rows]
    return CamerasOut(items=items, next=after, total=total)


def _ids(text: str | None) -> tuple[UUID, ...] | None:
    """The cameras of a saved wall, for instance."""
    if text is None:
        return None
    try:
        return tuple(UUID(one) for one in text.split(",") if one)
    except ValueError as error:
        raise BadInput("ids-form", "Name cameras by their ids, with commas between them.") from error


@get("/api/cameras/map", **guarded("view_fleet"), sync_to_thread=True)
def map_cameras(services: Services, bbox: str, zoom: float = 6) -> dict[str, Any]:
    """Cameras in a frame of the map: points, or clusters where they are many."""
    with services.database.transaction() as tx:
        points, clusters = search.on_map(tx, Frame.parse(bbox), zoom=zoom)
    names = ("id", "lat", "lon", "heading_deg", "life", "kind", "findings")
    return {
        "points": [[point[name] for name in names] for point in points],
        "clusters": [
            [c["lat"], c["lon"], c["count"], {k: c[k] for k in ("working", "silent", "destroyed", "other")}]
            for c in clusters
        ],
    }


@get("/api/cameras/{camera_id:uuid}", **guarded("view_fleet"), sync_to_thread=True)
def read_camera(camera_id: UUID, services: Services) -> FleetCameraOut:
    """One camera with its channels and weaknesses."""
    with services.database.transaction() as tx:
        row = registry.camera(tx, camera_id)
        channels = registry.streams_of(tx, [camera_id])[camera_id]
        found = tx.all(registry.SQL["findings_of"], camera_id=camera_id)
    return camera_out(row, channels, found, steerable=bool(row["facts"].get("steerable")))


@patch("/api/cameras/{camera_id:uuid}", **guarded("edit_fleet"), sync_to_thread=True)
def change_camera(camera_id: UUID, data: dict[str, Any], actor: Actor, services: Services) -> dict[str, bool]:
    """Change what a person may change."""
    with services.database.transaction() as tx:
        registry.change_camera(tx, actor=actor, camera_id=camera_id, changes=data, at=services.clock.now())
    return {"ok": True}


@get("/api/cameras/{camera_id:uuid}/life", **guarded("view_fleet"), sync_to_thread=True)
def read_life(camera_id: UUID, services: Services) -> dict[str, list[Row]]:
    """The life of a camera, latest first."""
    with services.database.transaction() as tx:
        return {"items": tx.all(registry.SQL["life_of"], camera_id=camera_id)}


@post("/api/cameras/{camera_id:uuid}/life", **guarded("edit_fleet"), sync_to_thread=True)
def change_life(camera_id: UUID, data: LifeChange, actor: Actor, services: Services) -> dict[str, bool]:
    """Say that a camera is in another state, and why."""
    now = services.clock.now()
    at = data.at or now
    if at.tzinfo is None or at > now + timedelta(minutes=1):
        raise BadInput("instant-form", "Give an instant with a time zone that is not in the future.")
    with services.database.transaction() as tx:
        registry.change_life(tx, actor=actor, camera_id=camera_id, to=data.to, reason=data.reason, at=at)
    return {"ok": True}


@get("/api/cameras/{camera_id:uuid}/findings", **guarded("view_fleet"), sync_to_thread=True)
def read_findings(camera_id: UUID, services: Services) -> dict[str, list[Row]]:
    """The weaknesses of a camera."""
    with services.database.transaction() as tx:
        return {"items": tx.all(registry.SQL["findings_of"], camera_id=camera_id)}


@get("/api/cameras/{camera_id:uuid}/events", **guarded("view_fleet"), sync_to_thread=True)
def read_events(camera_id: UUID, services: Services, before: str | None = None, limit: int = 50) -> dict[str, Any]:
    """What a camera told besides its pictures, the latest first; `next` is the `before` of the page that follows."""
    with services.database.transaction() as tx:
        rows = events.latest(tx, camera_id, before=_place(before), limit=limit)
    last = rows[-1] if len(rows) == max(1, min(limit, events.MOST_A_PAGE)) else None
    return {"items": rows, "next": f"{last['at'].isoformat()}_{last['id']}" if last else None}


def _place(text: str | None) -> tuple[datetime, UUID] | None:
    """An instant and an id, as a page of events names its last row."""
    if text is None:
        return None
    at, _, row = text.partition("_")
    try:
        instant, row_id = datetime.fromisoformat(at), UUID(row)
    except ValueError as error:
        raise BadInput("cursor-form", "Take the cursor from the page before.") from error
    if instant.tzinfo is None:
        raise BadInput("cursor-form", "Take the cursor from the page before.")
    return instant, row_id


@post("/api/cameras/{camera_id:uuid}/probe", **guarded("probe_camera"), sync_to_thread=True)
def probe_camera(camera_id: UUID, actor: Actor, services: Services) -> dict[str, Any]:
    """Ask the camera who it is, and judge it."""
    return inspection.inspect(
        services.database, _safe(services), actor=actor, camera_id=camera_id, now=services.clock.now
    )


@put("/api/cameras/{camera_id:uuid}/credentials", **guarded("edit_fleet"), sync_to_thread=True)
def set_login(camera_id: UUID, data: LoginIn, actor: Actor, services: Services) -> dict[str, bool]:
    """Keep a camera's login, sealed; it is never shown again."""
    with services.database.transaction() as tx:
        registry.set_login(
            tx, _safe(services), actor=actor, camera_id=camera_id, username=data.username, password=data.password,
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


@post("/api/cameras/{camera_id:uuid}/ptz", **guarded("steer_camera", recorded=True), sync_to_thread=True)
def steer_camera(camera_id: UUID, data: Steering, services: Services) -> dict[str, bool]:
    """Move a camera, or stop it."""
    with services.database.transaction() as tx:
        row = tx.one(registry.SQL["camera_by_id"], id=camera_id)
    username, password = _safe(services).open(camera_id, row["sealed_login"])
    if not row["address"]:
        raise BadInput("address-missing", "This camera has no ONVIF address.")
    onvif.steer(
        row["address"], username=username, password=password, pan=_speed(data.pan), tilt=_speed(data.tilt),
        zoom=_speed(data.zoom), stop=data.stop,
    )  # fmt: skip
    return {"ok": True}


def _speed(value: float) -> float:
    return max(-1.0, min(1.0, value))


@post("/api/cameras/import", **guarded("edit_fleet"))
async def import_file(request: Request[Any, Any, Any], actor: Actor, services: Services) -> dict[str, str]:
    """Import cameras from CSV in the body; the job that does it."""
    data = await request.body()
    safe = _safe(services)

    def work(progress: Progress) -> dict[str, Any]:
        report = import_cameras(
            services.database, data, actor=actor, safe=safe, at=services.clock.now(), progress=progress
        )
        _judge_all(services)
        bad = [{"line": line, "reason": reason} for line, reason in report.bad_rows[:1000]]
        return {"taken": report.taken, "known": report.known, "bad": len(report.bad_rows), "bad_rows": bad}

    return {"job": str(services.jobs.start("import-cameras", actor.id, work))}


def _judge_all(services: Services) -> None:
    with services.database.transaction() as tx:
        inspection.judge(tx, camera_id=None, at=services.clock.now())


@post("/api/fleet/discover", **guarded("probe_camera"), sync_to_thread=True)
def discover_cameras(actor: Actor, services: Services) -> dict[str, str]:
    """Look for ONVIF devices on this network; the job that does it."""
    return {"job": str(services.jobs.start("discover", actor.id, lambda _: {"found": onvif.discover()}))}


@get("/api/sites", **guarded("view_fleet"), sync_to_thread=True)
def list_sites(services: Services) -> dict[str, list[Row]]:
    """Every site."""
    with services.database.transaction() as tx:
        return {"items": tx.all(registry.SQL["sites"])}


@get("/api/regions", **guarded("view_fleet"))
async def list_regions() -> dict[str, list[dict[str, Any]]]:
    """Every oblast."""
    return {"items": [{"code": r.code, "name_uk": r.name_uk, "name_en": r.name_en, "lat": r.lat, "lon": r.lon}
                      for r in regions().values()]}  # fmt: skip


@get("/api/fleet/summary", **guarded("view_fleet"), sync_to_thread=True)
def read_summary(services: Services) -> FleetSummaryOut:
    """The fleet in numbers."""
    with services.database.transaction() as tx:
        return msgspec.convert(search.summary(tx), FleetSummaryOut)


@get("/api/fleet/restoration", **guarded("view_fleet"), sync_to_thread=True)
def read_restoration(
    services: Services,
    start: Annotated[date, Parameter(query="from")],
    end: Annotated[date, Parameter(query="to")],
    region: str | None = None,
) -> dict[str, Any]:
    """How many cameras were in each state, day by day."""
    with services.database.transaction() as tx:
        return {"days": search.restoration(tx, start=start, end=end, region=region)}


@get("/api/fleet/policies", **guarded("view_fleet"), sync_to_thread=True)
def read_policies(services: Services) -> dict[str, Any]:
    """Makers policy and firmware list."""
    with services.database.transaction() as tx:
        return {
            "makers": registry.maker_policy(tx),
            "firmware": inspection.vulnerable_firmware(tx),
            "events_keep_days": events.keep_days(tx),
        }


@put("/api/fleet/policies", **guarded("manage_settings"), sync_to_thread=True)
def write_policies(data: Policies, actor: Actor, services: Services) -> dict[str, bool]:
    """Set the makers policy and the firmware list, and judge all cameras by them."""
    with services.database.transaction() as tx:
        _set_policies(tx, data, actor, services.clock.now())
    return {"ok": True}


def _set_policies(tx: Transaction, data: Policies, actor: Actor, at: datetime) -> None:
    if data.events_keep_days is not None:
        events.set_keep_days(tx, actor=actor, days=data.events_keep_days, at=at)
    if data.makers is not None or data.firmware_csv is not None:
        inspection.set_policies(tx, actor=actor, makers=data.makers, firmware_csv=data.firmware_csv, at=at)


ROUTES = [
    list_cameras, map_cameras, read_camera, change_camera, read_life, change_life, read_findings, read_events,
    probe_camera, set_login, steer_camera, import_file, discover_cameras, list_sites, list_regions, read_summary,
    read_restoration, read_policies, write_policies,
]  # fmt: skip
