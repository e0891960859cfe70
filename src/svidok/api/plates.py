"""Plates for an investigator: search, places, journeys, convoys, and leave to do so; never without a purpose."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import Provide
from litestar.params import Parameter

from svidok.access import Actor
from svidok.api.door import Look, Shows, guarded
from svidok.api.plates_parts import (
    CameraOut,
    CandidateOut,
    CompletenessOut,
    ReadOut,
    cameras_out,
    candidates_out,
    completeness_out,
    plates_of,
    read_out,
    uuids,
)
from svidok.api.services import Services
from svidok.base import BadInput, Forbidden, NotFound, Span
from svidok.db import Row, Transaction
from svidok.governance import Purpose
from svidok.plates import completeness, journeys, leave, store
from svidok.plates.completeness import span_of
from svidok.plates.leave import Asking
from svidok.plates.model import Direction, Read
from svidok.plates.patterns import parse
from svidok.plates.search import Cursor, Page, Where, passing, search

From = Annotated[datetime, Parameter(query="from")]
To = Annotated[datetime, Parameter(query="to")]


class SearchOut(msgspec.Struct, kw_only=True):
    """A page of reads, latest first; `next` is the cursor of the page that follows, which does not move."""

    asked: str
    reads: list[ReadOut]
    cameras: list[CameraOut]
    candidates: list[CandidateOut]
    plates_fitting: int
    plates_looked_up: int
    next: str | None
    completeness: CompletenessOut | None  # of the first page


class StopOut(msgspec.Struct, kw_only=True):
    """One passage of one camera; kilometres and speed since the last, in a straight line."""

    at: datetime
    camera_id: UUID
    lat: float | None
    lon: float | None
    reads: list[ReadOut]
    km: float | None
    speed_kmh: float | None
    impossible: bool


class JourneyOut(msgspec.Struct, kw_only=True):
    """Where a plate was read, in order. `whole`: these are all its reads in the span."""

    plate: str
    stops: list[StopOut]
    cameras: list[CameraOut]
    whole: bool
    completeness: CompletenessOut


class CompanionOut(msgspec.Struct, kw_only=True):
    """A plate that passed the same cameras at about the same times; negative `apart_s`: it went before."""

    plate: str
    cameras: int
    times: int
    first_at: datetime
    last_at: datetime
    apart_s: float


class ConvoyOut(msgspec.Struct, kw_only=True):
    """Who travelled with a plate, the most faithful first."""

    plate: str
    companions: list[CompanionOut]
    completeness: CompletenessOut


class CameraAnswer(msgspec.Struct, kw_only=True):
    """What one camera came to in a span."""

    camera_id: UUID
    number: str
    name_uk: str
    name_en: str
    life: str
    reads: int
    first_hour: datetime | None
    last_hour: datetime | None
    gaps: list[dict[str, str | None]]


class AnsweringOut(msgspec.Struct, kw_only=True):
    """How complete an answer over a span would be, camera by camera."""

    cameras: list[CameraAnswer]
    completeness: CompletenessOut


class LeaveIn(msgspec.Struct, kw_only=True):
    """Leave to ask for: `older` reads of a plate (may be empty: any), or a `trace` (journey and convoy) of one."""

    kind: str
    plate: str
    start: Annotated[datetime, msgspec.Meta(tz=True)]
    end: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: str


class DecisionIn(msgspec.Struct, kw_only=True):
    """What a second person decides, why, and for how long."""

    granted: bool
    note: str
    hours: int = 72


class LeaveOut(msgspec.Struct, kw_only=True):
    """An authorisation, asked for, given or refused."""

    id: UUID
    kind: str
    plate: str
    start_at: datetime
    end_at: datetime
    reason: str
    asked_by: UUID
    asked_by_name: str | None
    asked_at: datetime
    reference_kind: str
    reference_number: str
    reference_title: str
    legal_basis: str
    granted: bool | None
    decided_by_name: str | None
    decided_at: datetime | None
    note: str
    expires_at: datetime | None


class LeavesOut(msgspec.Struct, kw_only=True):
    """Authorisations; those that wait come first."""

    items: list[LeaveOut]


class RulesOut(msgspec.Struct, kw_only=True):
    """What a page must know of the bounds before it asks."""

    age_tier_days: int
    longest_search_days: int
    longest_place_hours: int
    longest_trace_days: int
    most_place_cameras: int
    searches_an_hour: int
    searches_a_day: int
    searches_made_this_hour: int
    searches_made_today: int


def purpose_of(look: Look) -> Purpose:
    """The purpose that the guard found."""
    if look.purpose is None:
        raise Forbidden("purpose-needed", "Choose a purpose before you look.")
    return look.purpose


def _allow(tx: Transaction, services: Services, look: Look, asking: Asking) -> None:
    leave.allow(
        tx, asking, actor=look.actor, purpose=purpose_of(look), rules=services.plate_rules, at=services.clock.now(),
        audit_id=look.audit_id,
    )  # fmt: skip


class Narrowing(msgspec.Struct, frozen=True, kw_only=True):
    """What both kinds of search take alike: what narrows them, which page, and by which leave."""

    span: Span
    cameras: tuple[UUID, ...] | None
    area: str | None
    direction: Direction | None
    country: str | None
    confidence: float
    cursor: Cursor | None
    limit: int
    pictures: bool
    authorisation: UUID | None

    def where(self, tx: Transaction) -> Where:
        """Where to look; an area is the cameras within."""
        chosen = self.cameras
        if self.area:
            inside = set(completeness.cameras_in(tx, completeness.area_of(self.area)))
            chosen = tuple(inside if chosen is None else inside & set(chosen))
        return Where(
            span=self.span, cameras=chosen, direction=self.direction, country=self.country,
            least_confidence=self.confidence,
        )  # fmt: skip


def narrowing(
    start: From,
    end: To,
    cameras: str | None = None,
    area: str | None = None,
    direction: Direction | None = None,
    country: str | None = None,
    confidence: float = 0.0,
    cursor: str | None = None,
    limit: int = 50,
    pictures: bool = False,
    authorisation: UUID | None = None,
) -> Narrowing:
    """Out of what stands in the address."""
    return Narrowing(
        span=span_of(start, end), cameras=uuids(cameras), area=area, direction=direction, confidence=confidence,
        country=country.upper() if country else None, cursor=Cursor.parse(cursor) if cursor else None, limit=limit,
        pictures=pictures, authorisation=authorisation,
    )  # fmt: skip


NARROWED: dict[str, Any] = {"dependencies": {"narrow": Provide(narrowing, sync_to_thread=False)}}


def _page_out(
    tx: Transaction, services: Services, asked: str, page: Page, where: Where, narrow: Narrowing
) -> SearchOut:
    first = narrow.cursor is None
    kept = plates_of(services).pictures if narrow.pictures else None
    whole = completeness.of(completeness.rows(tx, where.span, where.cameras)) if first else None
    return SearchOut(
        asked=asked, reads=[read_out(read, kept) for read in page.reads],
        cameras=cameras_out(tx, [read.camera_id for read in page.reads]),
        candidates=candidates_out(tx, page.candidates, where.span.start, where.span.end),
        plates_fitting=page.plates_fitting, plates_looked_up=page.plates_looked_up,
        next=str(page.after) if page.after else None, completeness=completeness_out(whole) if whole else None,
    )  # fmt: skip


@get(
    "/api/plates/search", **guarded("search_plates", shows=Shows.PERSONAL), **NARROWED, sync_to_thread=True
)  # fmt: skip
def search_plates(services: Services, look: Look, q: str, narrow: Narrowing) -> SearchOut:
    """Reads of the plates that `q` may mean: a plate, a pattern with `?` and `*`, `~` or `~~` for errors of reading."""
    asked, canonical = parse(q), leave.canonical(q)
    asking = Asking(kind="search", plate=canonical, span=narrow.span, authorisation_id=narrow.authorisation)
    dictionary = plates_of(services).dictionary()
    with services.database.transaction() as tx:
        _allow(tx, services, look, asking)
        where = narrow.where(tx)
        page = search(tx, dictionary, asked, where, cursor=narrow.cursor, limit=narrow.limit)
        return _page_out(tx, services, canonical, page, where, narrow)


@get(
    "/api/plates/passing", **guarded("search_plates", shows=Shows.PERSONAL), **NARROWED, sync_to_thread=True
)  # fmt: skip
def search_place(services: Services, look: Look, narrow: Narrowing) -> SearchOut:
    """Every read at some cameras or in an area, for a few hours: who passed here at that time."""
    most = services.plate_rules.most_place_cameras
    asking = Asking(kind="place", plate="", span=narrow.span, authorisation_id=narrow.authorisation)
    with services.database.transaction() as tx:
        _allow(tx, services, look, asking)
        where = narrow.where(tx)
        if where.cameras is None:
            raise BadInput("cameras-needed", "Name a camera or an area: all reads of everywhere are no question.")
        if len(where.cameras) > most:
            raise BadInput("area-wide", f"This area has more than {most} cameras. Draw a smaller one.", most=most)
        nowhere = Page(reads=[], after=None)
        page = passing(tx, where, cursor=narrow.cursor, limit=narrow.limit) if where.cameras else nowhere
        return _page_out(tx, services, "", page, where, narrow)


@get("/api/plates/journey", **guarded("trace_plate", shows=Shows.PERSONAL), sync_to_thread=True)
def show_journey(
    services: Services, look: Look, plate: str, start: From, end: To, authorisation: UUID | None = None
) -> JourneyOut:
    """Where one plate went: its stops in order, for the map and the timeline. Needs an authorisation to trace."""
    span, canonical = span_of(start, end), _whole(plate)
    with services.database.transaction() as tx:
        _allow(tx, services, look, Asking(kind="journey", plate=canonical, span=span, authorisation_id=authorisation))
        stops, whole = journeys.journey(tx, canonical, span)
        answer = completeness.of(completeness.rows(tx, span, None))
        return JourneyOut(
            plate=canonical, whole=whole, completeness=completeness_out(answer),
            cameras=cameras_out(tx, [stop.reads[0].camera_id for stop in stops]),
            stops=[
                StopOut(
                    at=stop.at, camera_id=stop.reads[0].camera_id, lat=stop.reads[0].lat, lon=stop.reads[0].lon,
                    reads=[read_out(read) for read in stop.reads], km=stop.km, speed_kmh=stop.speed_kmh,
                    impossible=stop.impossible,
                )
                for stop in stops
            ],
        )  # fmt: skip


@get("/api/plates/convoy", **guarded("trace_plate", shows=Shows.PERSONAL), sync_to_thread=True)
def show_convoy(
    services: Services,
    look: Look,
    plate: str,
    start: From,
    end: To,
    cameras: int = 3,
    within_s: int = 90,
    authorisation: UUID | None = None,
) -> ConvoyOut:
    """Plates that passed at least `cameras` of the same cameras within `within_s` of this one."""
    span, canonical = span_of(start, end), _whole(plate)
    if not 1 <= within_s <= 600:
        raise BadInput("convoy-within", "Vehicles are together within 1 to 600 seconds.")
    with services.database.transaction() as tx:
        _allow(tx, services, look, Asking(kind="convoy", plate=canonical, span=span, authorisation_id=authorisation))
        found = journeys.companions(tx, canonical, span, slack=timedelta(seconds=within_s), cameras=cameras)
        answer = completeness.of(completeness.rows(tx, span, None))
    return ConvoyOut(
        plate=canonical, completeness=completeness_out(answer),
        companions=[
            CompanionOut(plate=one.plate, cameras=one.cameras, times=one.times, first_at=one.first_at,
                         last_at=one.last_at, apart_s=round(one.apart_s, 1))
            for one in found
        ],
    )  # fmt: skip


def _whole(plate: str) -> str:
    asked = parse(plate)
    if asked.plate is None or asked.edits:
        raise BadInput("plate-whole", "A journey or convoy is of one whole plate, without ?, * or ~.")
    return asked.plate


@get("/api/plates/reads/{read_id:uuid}", **guarded("search_plates", shows=Shows.PERSONAL), sync_to_thread=True)
def read_one(
    read_id: UUID, services: Services, look: Look, taken_at: datetime, authorisation: UUID | None = None
) -> ReadOut:
    """One read in full. `taken_at` finds its day; `authorisation`: by which leave an old one was found."""
    return read_out(may_see(services, look, read_id, taken_at, authorisation))


@get("/api/plates/reads/{read_id:uuid}/picture", **guarded("search_plates", shows=Shows.PERSONAL), sync_to_thread=True)
def read_picture(
    read_id: UUID, services: Services, look: Look, taken_at: datetime, which: str = "overview",
    authorisation: UUID | None = None,
) -> Response[bytes]:  # fmt: skip
    """The picture of a read: `overview` or `patch` (the plate alone)."""
    read = may_see(services, look, read_id, taken_at, authorisation)
    picture = read.patch if which == "patch" else read.image
    if picture is None:
        raise NotFound("picture-unknown", "There is no such picture, or its time is over.")
    return Response(plates_of(services).pictures.read(picture), media_type="image/jpeg")


def may_see(services: Services, look: Look, read_id: UUID, taken_at: datetime, authorisation: UUID | None) -> Read:
    """A single read is bound to purpose and age as a search is."""
    if taken_at.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    with services.database.transaction() as tx:
        read = store.read_by_id(tx, read_id, taken_at=taken_at)
        leave.allow_read(
            tx, plate=read.plate, taken_at=read.taken_at, authorisation_id=authorisation, actor=look.actor,
            purpose=purpose_of(look), rules=services.plate_rules, at=services.clock.now(),
        )  # fmt: skip
    return read


@get("/api/plates/answering", **guarded("view_read_quality"), sync_to_thread=True)
def show_answering(services: Services, start: From, end: To, cameras: str | None = None) -> AnsweringOut:
    """Which cameras would answer for a span: reads, silence and gaps, camera by camera. No plate is in it."""
    with services.database.transaction() as tx:
        rows = completeness.rows(tx, span_of(start, end), uuids(cameras))
    return AnsweringOut(
        cameras=[CameraAnswer(**row) for row in rows], completeness=completeness_out(completeness.of(rows))
    )


@get("/api/plates/rules", **guarded("search_plates"), sync_to_thread=True)
def show_rules(services: Services, actor: Actor) -> RulesOut:
    """The bounds of searching, and how much of the quota is spent."""
    rules, at = services.plate_rules, services.clock.now()
    with services.database.transaction() as tx:
        made = tx.one(
            store.SQL["searches_lately"], actor_id=actor.id, hour=at - timedelta(hours=1), day=at - timedelta(days=1)
        )
    return RulesOut(
        age_tier_days=rules.age_tier.days, longest_search_days=rules.longest_search.days,
        longest_place_hours=int(rules.longest_place.total_seconds() // 3600),
        longest_trace_days=rules.longest_trace.days, most_place_cameras=rules.most_place_cameras,
        searches_an_hour=rules.searches_an_hour, searches_a_day=rules.searches_a_day,
        searches_made_this_hour=made["hour"], searches_made_today=made["day"],
    )  # fmt: skip


@post("/api/plates/authorisations", **guarded("search_plates", shows=Shows.PERSONAL), sync_to_thread=True)
def ask_leave(data: LeaveIn, services: Services, look: Look) -> dict[str, UUID]:
    """Ask a second person for leave, under the purpose of the request."""
    with services.database.transaction() as tx:
        leave_id = leave.ask(
            tx, actor=look.actor, purpose=purpose_of(look), kind=data.kind, plate=data.plate,
            span=span_of(data.start, data.end), reason=data.reason, at=services.clock.now(),
        )  # fmt: skip
    return {"id": leave_id}


@get("/api/plates/authorisations", **guarded("search_plates", recorded=True), sync_to_thread=True)
def own_leaves(services: Services, actor: Actor) -> LeavesOut:
    """What I asked for."""
    with services.database.transaction() as tx:
        return LeavesOut(items=[_leave_out(row) for row in leave.leaves(tx, asker=actor.id)])


@get("/api/plates/authorisations/all", **guarded("authorise_plates", recorded=True), sync_to_thread=True)
def all_leaves(services: Services) -> LeavesOut:
    """What everybody asked for, for whoever decides."""
    with services.database.transaction() as tx:
        return LeavesOut(items=[_leave_out(row) for row in leave.leaves(tx, asker=None)])


@post("/api/plates/authorisations/{leave_id:uuid}/decision", **guarded("authorise_plates"), sync_to_thread=True)
def decide_leave(leave_id: UUID, data: DecisionIn, services: Services, actor: Actor) -> dict[str, bool]:
    """Give or refuse leave; never to oneself, never to one's own role."""
    with services.database.transaction() as tx:
        leave.decide(
            tx, actor=actor, leave_id=leave_id, granted=data.granted, note=data.note, lasts=timedelta(hours=data.hours),
            at=services.clock.now(),
        )  # fmt: skip
    return {"ok": True}


def _leave_out(row: Row) -> LeaveOut:
    return LeaveOut(**{name: row[name] for name in LeaveOut.__struct_fields__})


ROUTES = [
    search_plates, search_place, show_journey, show_convoy, read_one, read_picture, show_answering, show_rules,
    ask_leave, own_leaves, all_leaves, decide_leave,
]  # fmt: skip
