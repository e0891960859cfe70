"""Health, readiness, metrics, jobs, and news as they happen."""

import asyncio
import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import MediaType, Request, Response, WebSocket, delete, get, websocket
from litestar.exceptions import WebSocketDisconnect
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from svidok.access import Actor
from svidok.api.counts import count_standing
from svidok.api.door import PUBLIC, guarded
from svidok.api.services import Services
from svidok.base import Forbidden, SvidokError
from svidok.recording import wardens

log = structlog.get_logger("api")

_QUEUE = 200
_METRICS_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")  # the framework adds it


class JobState(msgspec.Struct, kw_only=True):
    """A long work: `done` of `total`, in the unit of its kind; `result` once it is done."""

    id: UUID
    kind: str
    owner_id: UUID
    state: str
    done: int
    total: int | None
    says: str
    result: Any
    cancelling: bool
    started_at: datetime
    ended_at: datetime | None


class JobsOut(msgspec.Struct):
    """Works, the latest first."""

    items: list[JobState]


@get("/healthz", **PUBLIC, media_type=MediaType.TEXT)
async def health() -> str:
    """Whether the process answers."""
    return "ok"


@get("/readyz", **PUBLIC, sync_to_thread=True)
def ready(services: Services) -> Response[dict[str, str]]:
    """Whether what it needs is there."""
    state = {"database": "ok", "bus": "ok" if services.bus and services.bus.connected else "away"}
    try:
        with services.database.transaction() as tx:
            tx.one("SELECT 1 AS one")
    except SvidokError:
        state["database"] = "away"
    state["ledger"] = "ok" if (services.ledger_folder / "checkpoint").exists() else "away"
    return Response(state, status_code=200 if state["database"] == "ok" else 503)


@get("/metrics", **PUBLIC, sync_to_thread=True)
def metrics(request: Request[Any, Any, Any], services: Services) -> Response[bytes]:
    """Prometheus metrics: from this machine, or with the token."""
    host = request.client.host if request.client else ""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    token = services.metrics_token or ""
    by_token = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if host not in ("127.0.0.1", "::1", "localhost") and not by_token:
        raise Forbidden("metrics-closed", "Metrics are read from this machine, or with the token.")
    try:
        with services.database.transaction() as tx:
            count_standing(wardens.alarms(tx), services.ledger_folder)
    except SvidokError as error:  # the rest is told all the same
        log.warning("alarms not counted", code=error.code)
    return Response(generate_latest(), media_type=_METRICS_TYPE)


@get("/api/jobs", **guarded("view_system"), sync_to_thread=True)
def list_jobs(actor: Actor, services: Services) -> JobsOut:
    """My latest jobs."""
    return JobsOut([JobState(**job) for job in services.jobs.of(actor.id)])


@get("/api/jobs/{job_id:uuid}", **guarded("view_system"), sync_to_thread=True)
def read_job(job_id: UUID, actor: Actor, services: Services) -> JobState:
    """One of my jobs."""
    job = services.jobs.one(job_id)
    if job["owner_id"] != actor.id:
        raise Forbidden("not-yours", "This is somebody else's job.")
    return JobState(**job)


@delete("/api/jobs/{job_id:uuid}", **guarded("view_system"), sync_to_thread=True, status_code=200)
def cancel_job(job_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """Stop one of my jobs."""
    services.jobs.cancel(job_id, actor.id)
    return {"ok": True}


@websocket("/api/news", **guarded("view_system"))
async def news(socket: WebSocket[Any, Any, Any], services: Services) -> None:
    """News as they happen, as JSON texts: cameras that changed, alarms."""
    await socket.accept()
    if services.bus is None:
        await socket.close(1013, "no bus")
        return
    queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)

    async def take(_subject: str, body: bytes) -> None:
        if not queue.full():
            queue.put_nowait(body)

    end = await services.bus.subscribe("news.>", take)
    sender = asyncio.create_task(_send(socket, queue))
    try:
        while True:
            await socket.receive_data(mode="text")
    except WebSocketDisconnect:
        pass
    finally:
        sender.cancel()
        await end()


async def _send(socket: WebSocket[Any, Any, Any], queue: "asyncio.Queue[bytes]") -> None:
    while True:
        await socket.send_text((await queue.get()).decode())


ROUTES = [health, ready, metrics, list_jobs, read_job, cancel_job, news]
