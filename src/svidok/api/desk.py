"""The alert desk: alerts as they come over a WebSocket, what people do with them, and where confirmed ones are sent."""

import asyncio
import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import Response, WebSocket, get, patch, post, websocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException

from svidok.access import Actor, sessions
from svidok.api.door import SESSION_COOKIE, Look, NotSignedIn, Shows, guarded
from svidok.api.plates_parts import AlternativeOut, plates_of
from svidok.api.services import Services
from svidok.base import BadInput, Conflict, NotFound, SvidokError
from svidok.db import Row
from svidok.fleet.credentials import Safe
from svidok.governance.purposes import valid_purpose
from svidok.incidents import judging, telling
from svidok.incidents.model import State, Step, Why

NEWS = "news.alert"
_LOOK_EVERY_S = 1.0  # where no news comes: the bus may be away
_LEAVE_EVERY_S = 30.0


class AlertOut(msgspec.Struct, kw_only=True):
    """An alert. Until a person confirms it, it is only what a camera took for a plate."""

    id: UUID
    state: str
    why: str | None
    wanted: str
    plate: str
    read_plate: str
    how: str
    likelihood: float
    confidence: float
    alternatives: list[AlternativeOut]
    country: str | None
    direction: str
    list_id: UUID
    list_name: str
    priority: str
    reason: str
    legal_basis: str
    instructions: str
    camera_id: UUID
    camera_number: str | None
    camera_uk: str | None
    camera_en: str | None
    lat: float | None
    lon: float | None
    read_id: UUID
    segment_id: UUID | None
    has_overview: bool
    has_patch: bool
    taken_at: datetime
    received_at: datetime
    raised_at: datetime
    hits: int
    last_hit_at: datetime
    holder: UUID | None
    holder_name: str | None
    handed_to: UUID | None
    judged_by_name: str | None
    judged_at: datetime | None
    version: int


class AlertsOut(msgspec.Struct, kw_only=True):
    """Alerts, latest first; `next` is the `before` of the page that follows."""

    items: list[AlertOut]
    next: str | None


class StepOut(msgspec.Struct, kw_only=True):
    """What a person did with an alert."""

    at: datetime
    step: str
    note: str
    actor_id: UUID
    actor_name: str | None


class AlertInFullOut(msgspec.Struct, kw_only=True):
    """An alert and its story."""

    alert: AlertOut
    steps: list[StepOut]


class StepIn(msgspec.Struct, kw_only=True):
    """What to do: acknowledge, confirm, refute (with `why`), hand-over (to a unit, or in words), note."""

    step: Step
    note: str = ""
    why: Why | None = None
    hand_to: UUID | None = None


class JudgedOut(msgspec.Struct, kw_only=True):
    """What it came to; `camera_withdrawn`: the camera misread so often that it raises no alerts from now on."""

    state: str
    camera_withdrawn: bool


class LiveOut(msgspec.Struct, kw_only=True):
    """What the socket sends: first `all` open alerts, then each that is new or changed."""

    kind: str
    alerts: list[AlertOut]


class ChannelIn(msgspec.Struct, kw_only=True):
    """Where confirmed alerts go: `webhook` with an https address, or `mqtt` with a topic."""

    name: str
    kind: str
    target: str
    legal_basis: str


class ChannelOut(msgspec.Struct, kw_only=True):
    """A channel and how it fares; never its secret."""

    id: UUID
    name: str
    kind: str
    target: str
    enabled: bool
    legal_basis: str
    added_at: datetime
    delivered: int
    waiting: int
    given_up: int
    says: str | None


class ChannelsOut(msgspec.Struct, kw_only=True):
    """The channels."""

    items: list[ChannelOut]


class ChannelMade(msgspec.Struct, kw_only=True):
    """A channel; `secret` signs its webhooks, and is told this once."""

    id: UUID
    secret: str | None


class EnabledIn(msgspec.Struct, kw_only=True):
    """On or off."""

    enabled: bool


def alert_out(row: Row) -> AlertOut:
    """As the page reads it."""
    names = set(AlertOut.__struct_fields__) - {"alternatives", "has_overview", "has_patch"}
    return AlertOut(
        alternatives=[AlternativeOut(plate=text, probability=round(p, 4)) for text, p in row["alternatives"]],
        has_overview=row["image"] is not None, has_patch=row["patch"] is not None,
        **{name: row[name] for name in names},
    )  # fmt: skip


@get("/api/desk/alerts", **guarded("view_alerts", shows=Shows.PERSONAL), sync_to_thread=True)
def list_alerts(
    services: Services, actor: Actor, states: str | None = None, before: str | None = None, limit: int = 100
) -> AlertsOut:
    """Alerts that I may see. `states`: new, acknowledged, confirmed or refuted, parted by commas; left out: all."""
    with services.database.transaction() as tx:
        rows = judging.alerts(tx, actor=actor, states=_states(states), before=_place(before), limit=limit)
    more = len(rows) == max(1, min(limit, judging.MAX_PAGE))
    following = f"{rows[-1]['raised_at'].isoformat()}~{rows[-1]['id']}" if more else None
    return AlertsOut(items=[alert_out(row) for row in rows], next=following)


@get("/api/desk/alerts/{alert_id:uuid}", **guarded("view_alerts", shows=Shows.PERSONAL), sync_to_thread=True)
def read_alert(alert_id: UUID, services: Services, actor: Actor) -> AlertInFullOut:
    """One alert and what people did with it."""
    with services.database.transaction() as tx:
        row = judging.one(tx, actor=actor, alert_id=alert_id)
        steps = [StepOut(**one) for one in judging.steps(tx, alert_id)]
    return AlertInFullOut(alert=alert_out(row), steps=steps)


@get("/api/desk/alerts/{alert_id:uuid}/picture", **guarded("view_alerts", shows=Shows.PERSONAL), sync_to_thread=True)
def alert_picture(alert_id: UUID, services: Services, actor: Actor, which: str = "overview") -> Response[bytes]:
    """The picture that the alert rests on: `overview` or `patch` (the plate alone)."""
    with services.database.transaction() as tx:
        row = judging.one(tx, actor=actor, alert_id=alert_id)
    picture = row["patch"] if which == "patch" else row["image"]
    if picture is None:
        raise NotFound("picture-unknown", "There is no such picture, or its time is over.")
    return Response(plates_of(services).pictures.read(picture), media_type="image/jpeg")


@post("/api/desk/alerts/{alert_id:uuid}/steps", **guarded("judge_alert", shows=Shows.PERSONAL))
async def take_step(alert_id: UUID, data: StepIn, services: Services, look: Look) -> JudgedOut:
    """Acknowledge, confirm, refute, hand over or note. Only a confirmation is told to other systems."""

    def work() -> judging.Judged:
        with services.database.transaction() as tx:
            return judging.take_step(
                tx, actor=look.actor, alert_id=alert_id, step=data.step, note=data.note, why=data.why,
                hand_to=data.hand_to, at=services.clock.now(), rules=services.plate_rules,
                purpose_id=look.purpose.id if look.purpose else None,
            )  # fmt: skip

    judged = await anyio.to_thread.run_sync(work)
    if services.bus is not None:
        await services.bus.publish(NEWS, msgspec.json.encode({"kind": "alert", "id": alert_id}))
    return JudgedOut(state=str(judged.state), camera_withdrawn=judged.camera_withdrawn)


@websocket("/api/desk/live", **guarded("view_alerts", shows=Shows.PERSONAL))
async def live_desk(socket: WebSocket[Any, Any, Any], services: Services, look: Look) -> None:
    """All open alerts, then each that is new or changed, as it happens. Ends with the session or the purpose."""
    await socket.accept()
    tasks = [
        asyncio.create_task(work)
        for work in (_tell(socket, services, look.actor), _hang_up(socket), _leave(socket, services, look))
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except SvidokError as error:
        with contextlib.suppress(WebSocketException, OSError, RuntimeError):
            await socket.send_text(msgspec.json.encode({"kind": "error", "code": error.code}).decode())
    except (WebSocketDisconnect, WebSocketException, OSError, RuntimeError):
        return  # the viewer went away
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(WebSocketException, OSError, RuntimeError):  # it may be closed already
            await socket.close()


async def _tell(socket: WebSocket[Any, Any, Any], services: Services, actor: Actor) -> None:
    """Send what changed whenever news come, and once a second in case none can."""
    woken = asyncio.Event()

    async def wake(_subject: str, _body: bytes) -> None:
        woken.set()

    end = await services.bus.subscribe(NEWS, wake) if services.bus is not None else None
    known: dict[UUID, int] = {}
    kind = "all"
    try:
        while True:
            woken.clear()
            rows = await anyio.to_thread.run_sync(_look, services, actor, frozenset(known))
            changed = [row for row in rows if known.get(row["id"]) != row["version"]]
            if changed or kind == "all":
                told = LiveOut(kind=kind, alerts=[alert_out(row) for row in changed])
                await socket.send_text(msgspec.json.encode(told).decode())
            kind = "changed"
            known = {row["id"]: row["version"] for row in rows if row["state"] in judging.OPEN}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await woken.wait()
    finally:
        if end is not None:
            await end()


def _look(services: Services, actor: Actor, known: frozenset[UUID]) -> list[Row]:
    """The open alerts, and those that were open when we looked last."""
    with services.database.transaction() as tx:
        rows = judging.alerts(tx, actor=actor, states=judging.OPEN, limit=judging.MAX_PAGE)
        gone = known - {row["id"] for row in rows}
        if gone:
            latest = judging.alerts(tx, actor=actor, limit=judging.MAX_PAGE)
            rows += [row for row in latest if row["id"] in gone]
    return rows


async def _hang_up(socket: WebSocket[Any, Any, Any]) -> None:
    """End when the viewer closes; what they send means nothing."""
    while True:
        await socket.receive_text()


async def _leave(socket: WebSocket[Any, Any, Any], services: Services, look: Look) -> None:
    """Raise once the session or the purpose has ended."""
    token = socket.cookies.get(SESSION_COOKIE, "")

    def check() -> None:
        at = services.clock.now()
        with services.database.transaction() as tx:
            if sessions.find(tx, token=token, at=at) is None:
                raise NotSignedIn
            if look.purpose is not None:
                valid_purpose(tx, actor=look.actor, purpose_id=look.purpose.id, at=at)

    while True:
        await asyncio.sleep(_LEAVE_EVERY_S)
        await anyio.to_thread.run_sync(check)


@get("/api/desk/channels", **guarded("manage_alert_channels"), sync_to_thread=True)
def list_channels(services: Services) -> ChannelsOut:
    """Where confirmed alerts go besides the desk, and how that fares; no alert is in it."""
    with services.database.transaction() as tx:
        return ChannelsOut(items=[ChannelOut(**row) for row in telling.channels(tx)])


@post("/api/desk/channels", **guarded("manage_alert_channels"), sync_to_thread=True)
def add_channel(data: ChannelIn, services: Services, actor: Actor) -> ChannelMade:
    """Add a channel; the secret that signs is told this once."""
    if services.credentials_key is None:
        raise Conflict("no-credentials-key", "This process has no key to seal secrets with.")
    with services.database.transaction() as tx:
        made, secret = telling.add_channel(
            tx, actor=actor, safe=Safe(services.credentials_key), name=data.name, kind=data.kind, target=data.target,
            legal_basis=data.legal_basis, at=services.clock.now(),
        )  # fmt: skip
    return ChannelMade(id=made, secret=secret)


@patch("/api/desk/channels/{channel_id:uuid}", **guarded("manage_alert_channels"), sync_to_thread=True)
def change_channel(channel_id: UUID, data: EnabledIn, services: Services, actor: Actor) -> dict[str, bool]:
    """Switch a channel on or off."""
    with services.database.transaction() as tx:
        telling.enable_channel(
            tx, actor=actor, channel_id=channel_id, enabled=data.enabled, at=services.clock.now()
        )  # fmt: skip
    return {"ok": True}


def _states(text: str | None) -> tuple[State, ...] | None:
    try:
        return tuple(State(part) for part in text.split(",")) if text else None
    except ValueError as error:
        raise BadInput("alert-state-unknown", "States are new, acknowledged, confirmed, refuted.") from error


def _place(text: str | None) -> tuple[datetime, UUID] | None:
    if text is None:
        return None
    at, _, row = text.partition("~")
    try:
        instant, row_id = datetime.fromisoformat(at), UUID(row)
    except ValueError as error:
        raise BadInput("cursor-form", "Take the cursor from the page before.") from error
    if instant.tzinfo is None:
        raise BadInput("cursor-form", "Take the cursor from the page before.")
    return instant, row_id


ROUTES = [
    list_alerts, read_alert, alert_picture, take_step, live_desk, list_channels, add_channel, change_channel,
]  # fmt: skip
