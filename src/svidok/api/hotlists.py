"""Hotlists and how well they and the cameras do: lists, entries, files, approval, quality of reading."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter

from svidok.access import Actor
from svidok.api.door import Shows, guarded
from svidok.api.services import Services
from svidok.base import BadInput
from svidok.db import Row
from svidok.plates import hotlist_file, hotlists, standing
from svidok.plates.accuracy import TRUTH_FILE, Accuracy, Truth, measured, truths
from svidok.plates.completeness import span_of

_MOST_FILE = 32 * 1024 * 1024


class ListIn(msgspec.Struct, kw_only=True):
    """A list to make. `see_units` empty: every unit sees it."""

    name: str
    legal_basis: str
    see_units: list[UUID] = []


class ListOut(msgspec.Struct, kw_only=True):
    """A list; `waiting` entries of high priority want a second person."""

    id: UUID
    name: str
    legal_basis: str
    owner_unit: UUID | None
    see_units: list[UUID]
    made_at: datetime
    standing: int
    waiting: int


class ListsOut(msgspec.Struct, kw_only=True):
    """The lists that I may see."""

    items: list[ListOut]


class EntryIn(msgspec.Struct, kw_only=True):
    """A plate or pattern to look for."""

    plate: str
    reason: str
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    priority: str = "normal"
    instructions: str = ""


class EntryOut(msgspec.Struct, kw_only=True):
    """An entry; of high priority it matches only once `approved_at` is set."""

    id: UUID
    plate: str
    is_pattern: bool
    reason: str
    priority: str
    instructions: str
    expires_at: datetime
    added_by: UUID
    added_by_name: str | None
    added_at: datetime
    approved_by_name: str | None
    approved_at: datetime | None
    hits: int
    last_hit_at: datetime | None


class EntriesOut(msgspec.Struct, kw_only=True):
    """A page in the order of plates; `next` is the `after` of the page that follows."""

    items: list[EntryOut]
    next: str | None


class BadRow(msgspec.Struct, kw_only=True):
    """A row of a file that was not taken."""

    line: int
    reason: str


class FileOut(msgspec.Struct, kw_only=True):
    """What a file came to."""

    added: int
    known: int
    doubles: int
    bad: int
    bad_rows: list[BadRow]


class QualityOut(msgspec.Struct, kw_only=True):
    """How well one camera reads. `withdrawn_at`: it raises no alerts since then, and `why`."""

    camera_id: UUID
    number: str
    name_uk: str
    name_en: str
    reads: int
    hours: int
    confidence: float | None
    confidence_day: float | None
    confidence_night: float | None
    low_share: float | None
    last_hour: datetime | None
    hits: int
    judged: int
    misreads: int
    withdrawn_at: datetime | None
    why: str


class QualitiesOut(msgspec.Struct, kw_only=True):
    """Every camera that read something."""

    items: list[QualityOut]


class HourOut(msgspec.Struct, kw_only=True):
    """One hour of one camera; `low`: reads below 0.7."""

    hour: datetime
    reads: int
    confidence: float | None
    low: int


class AccuracyOut(msgspec.Struct, kw_only=True):
    """What one camera's reads were worth in whole loops of what is known to pass it; `share` unset before the first."""

    camera_id: UUID
    number: str
    name_uk: str
    name_en: str
    loop_s: float
    since: datetime | None
    until: datetime | None
    passed: int
    right: int
    share: float | None
    misread: int
    invented: int
    twice: int


class AccuraciesOut(msgspec.Struct, kw_only=True):
    """The cameras whose truth is known."""

    items: list[AccuracyOut]


class HoursOut(msgspec.Struct, kw_only=True):
    """One camera hour by hour."""

    items: list[HourOut]


class FalseHitsOut(msgspec.Struct, kw_only=True):
    """How the hits of one list were judged."""

    id: UUID
    name: str
    hits: int
    judged: int
    refuted: int
    misreads: int
    outdated: int


class FalseHitsAllOut(msgspec.Struct, kw_only=True):
    """How the hits of each list were judged."""

    items: list[FalseHitsOut]


class ReasonIn(msgspec.Struct):
    """Why."""

    reason: str


@get("/api/hotlists", **guarded("view_hotlists"), sync_to_thread=True)
def list_hotlists(services: Services, actor: Actor) -> ListsOut:
    """The lists that I may see; no plates."""
    with services.database.transaction() as tx:
        rows = hotlists.all_lists(tx, actor=actor, at=services.clock.now())
    return ListsOut(items=[ListOut(**{name: row[name] for name in ListOut.__struct_fields__}) for row in rows])


@post("/api/hotlists", **guarded("edit_hotlists"), sync_to_thread=True)
def make_hotlist(data: ListIn, services: Services, actor: Actor) -> dict[str, UUID]:
    """Make a list."""
    with services.database.transaction() as tx:
        made = hotlists.make(
            tx, actor=actor, name=data.name, legal_basis=data.legal_basis, see_units=data.see_units,
            at=services.clock.now(),
        )  # fmt: skip
    return {"id": made}


@post("/api/hotlists/{list_id:uuid}/end", **guarded("edit_hotlists"), sync_to_thread=True)
def end_hotlist(list_id: UUID, services: Services, actor: Actor) -> dict[str, bool]:
    """A list holds no more."""
    with services.database.transaction() as tx:
        hotlists.end(tx, actor=actor, list_id=list_id, at=services.clock.now())
    return {"ok": True}


@get("/api/hotlists/{list_id:uuid}/entries", **guarded("view_hotlists", shows=Shows.PERSONAL), sync_to_thread=True)
def list_entries(
    list_id: UUID,
    services: Services,
    actor: Actor,
    q: str | None = None,
    waiting: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> EntriesOut:
    """A page of a list; `q` is a part of the plate, `waiting` those that want a second person."""
    text = hotlist_file.plate_or_pattern(q)[0].strip("*") if q and len(q.strip()) > 2 else None
    with services.database.transaction() as tx:
        rows = hotlists.entries(
            tx, actor=actor, list_id=list_id, at=services.clock.now(), text=text, waiting=waiting, after=after,
            limit=limit,
        )  # fmt: skip
    more = len(rows) == max(1, min(limit, hotlists.MAX_PAGE))
    return EntriesOut(
        items=[EntryOut(**{name: row[name] for name in EntryOut.__struct_fields__}) for row in rows],
        next=rows[-1]["plate"] if more else None,
    )


@post("/api/hotlists/{list_id:uuid}/entries", **guarded("edit_hotlists"), sync_to_thread=True)
def add_entry(list_id: UUID, data: EntryIn, services: Services, actor: Actor) -> dict[str, int]:
    """Look for a plate or a pattern; `added` is 0 where it stands on the list already."""
    at = services.clock.now()
    one = hotlist_file.entry_of(
        plate=data.plate, reason=data.reason, expires_at=data.expires_at, priority=data.priority,
        instructions=data.instructions, at=at,
    )  # fmt: skip
    with services.database.transaction() as tx:
        return {"added": hotlists.add(tx, actor=actor, list_id=list_id, new=[one], at=at)}


@post("/api/hotlists/{list_id:uuid}/import", **guarded("edit_hotlists"), request_max_body_size=_MOST_FILE)
async def import_entries(
    list_id: UUID, request: Request[Any, Any, Any], services: Services, actor: Actor
) -> FileOut:  # fmt: skip
    """Take a CSV in the body: good rows are entered, bad ones named by line and reason."""
    data = await request.body()

    def work() -> FileOut:
        at = services.clock.now()
        found = hotlist_file.read(data, at=at)
        with services.database.transaction() as tx:
            added = hotlists.add(tx, actor=actor, list_id=list_id, new=found.entries, at=at)
        return msgspec.convert(hotlists.told_of_file(found, added), FileOut)

    return await anyio.to_thread.run_sync(work)


@get("/api/hotlists/{list_id:uuid}/export", **guarded("edit_hotlists", shows=Shows.PERSONAL), sync_to_thread=True)
def export_entries(list_id: UUID, services: Services, actor: Actor) -> Response[bytes]:
    """The standing entries of a list as CSV."""
    at, after, found = services.clock.now(), None, []
    with services.database.transaction() as tx:
        while True:
            rows = hotlists.entries(tx, actor=actor, list_id=list_id, at=at, after=after, limit=hotlists.MAX_PAGE)
            found += [
                hotlist_file.Entry(**{name: row[name] for name in hotlist_file.Entry.__struct_fields__})
                for row in rows
                if row["expires_at"] > at
            ]
            if len(rows) < hotlists.MAX_PAGE:
                break
            after = rows[-1]["plate"]
    headers = {"Content-Disposition": f'attachment; filename="hotlist-{list_id}.csv"'}
    return Response(hotlist_file.write(found).encode(), media_type="text/csv; charset=utf-8", headers=headers)


@post("/api/hotlists/entries/{entry_id:uuid}/approve", **guarded("approve_hotlist"), sync_to_thread=True)
def approve_entry(entry_id: UUID, services: Services, actor: Actor) -> dict[str, bool]:
    """Agree as the second person."""
    with services.database.transaction() as tx:
        hotlists.approve(tx, actor=actor, entry_id=entry_id, at=services.clock.now())
    return {"ok": True}


@post("/api/hotlists/entries/{entry_id:uuid}/end", **guarded("edit_hotlists"), sync_to_thread=True)
def end_entry(entry_id: UUID, services: Services, actor: Actor) -> dict[str, bool]:
    """Look for it no more."""
    with services.database.transaction() as tx:
        hotlists.end_entry(tx, actor=actor, entry_id=entry_id, at=services.clock.now())
    return {"ok": True}


@get("/api/plates/quality", **guarded("view_read_quality"), sync_to_thread=True)
def show_quality(
    services: Services,
    start: Annotated[datetime, Parameter(query="from")],
    end: Annotated[datetime, Parameter(query="to")],
) -> QualitiesOut:
    """How well each camera reads: reads an hour, confidence by day and night, misreads. No plate is in it."""
    span = _quality_span(start, end)
    with services.database.transaction() as tx:
        rows = standing.quality(tx, start=span[0], end=span[1])
    return QualitiesOut(items=[QualityOut(**row) for row in rows])


@get("/api/plates/quality/{camera_id:uuid}", **guarded("view_read_quality"), sync_to_thread=True)
def show_hours(
    camera_id: UUID,
    services: Services,
    start: Annotated[datetime, Parameter(query="from")],
    end: Annotated[datetime, Parameter(query="to")],
) -> HoursOut:
    """One camera hour by hour."""
    span = _quality_span(start, end)
    with services.database.transaction() as tx:
        rows = standing.quality_by_hour(tx, camera_id, start=span[0], end=span[1])
    return HoursOut(items=[HourOut(**row) for row in rows])


@post("/api/plates/quality/{camera_id:uuid}/reinstate", **guarded("reinstate_camera"), sync_to_thread=True)
def reinstate_camera(camera_id: UUID, data: ReasonIn, services: Services, actor: Actor) -> dict[str, bool]:
    """Let a camera alert again that withdrew itself."""
    if len(data.reason.strip()) < 5:
        raise BadInput("reason-needed", "Say what was done to the camera.")
    with services.database.transaction() as tx:
        standing.reinstate(tx, actor=actor, camera_id=camera_id, reason=data.reason, at=services.clock.now())
    return {"ok": True}


@get("/api/plates/accuracy", **guarded("view_read_quality"), sync_to_thread=True)
def show_accuracy(services: Services, minutes: int = 60) -> AccuraciesOut:
    """How well cameras read whose truth is known (a demonstration, a test drive with a list). No plate is in it."""
    path = services.data / TRUTH_FILE
    known = truths(path) if path.exists() else {}
    until = services.clock.now()
    since = until - timedelta(minutes=max(1, min(minutes, 24 * 60)))
    found = []
    with services.database.transaction() as tx:
        for number, truth in sorted(known.items()):
            camera = tx.maybe("SELECT id, name_uk, name_en FROM fleet.camera WHERE number = %(n)s", n=number)
            if camera is not None:
                told = measured(tx, camera_id=camera["id"], truth=truth, since=since, until=until)
                found.append(_accuracy_out(number, camera, truth, told))
    return AccuraciesOut(items=found)


def _accuracy_out(number: str, camera: Row, truth: Truth, told: Accuracy) -> AccuracyOut:
    return AccuracyOut(
        camera_id=camera["id"], number=number, name_uk=camera["name_uk"], name_en=camera["name_en"],
        loop_s=truth.loop_s, since=told.since, until=told.until, passed=told.passed, right=told.right,
        share=told.share, misread=len(told.misread), invented=len(told.invented), twice=told.twice,
    )  # fmt: skip


@get("/api/hotlists/false-hits", **guarded("view_hotlists"), sync_to_thread=True)
def show_false_hits(services: Services, days: int = 30) -> FalseHitsAllOut:
    """How the hits of each list were judged in the last `days`."""
    since = services.clock.now() - timedelta(days=max(1, min(days, 366)))
    with services.database.transaction() as tx:
        rows = standing.false_hits_by_list(tx, since=since)
    return FalseHitsAllOut(items=[FalseHitsOut(**row) for row in rows])


def _quality_span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    span = span_of(start, end)
    if span.duration > timedelta(days=93):
        raise BadInput("span-too-long", "Ask for at most 93 days at once.", longest_days=93)
    return span.start, span.end


ROUTES = [
    list_hotlists, make_hotlist, end_hotlist, list_entries, add_entry, import_entries, export_entries, approve_entry,
    end_entry, show_quality, show_hours, reinstate_camera, show_accuracy, show_false_hits,
]  # fmt: skip
