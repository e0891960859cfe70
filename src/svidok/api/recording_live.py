"""Live pictures over a WebSocket: a text that says what comes, the init segment, then a fragment a picture.

A viewer that is slow loses pictures up to the next key picture and never holds
up the recorder. Nobody watches on beyond the end of their session or purpose.
"""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import anyio.to_thread
import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException

from svidok.access import sessions
from svidok.api.door import SESSION_COOKIE, Look, NotSignedIn, Shows, guarded
from svidok.api.services import Services
from svidok.base import BadInput, Conflict, NotFound, SvidokError, Unavailable
from svidok.governance.purposes import valid_purpose
from svidok.recording.feed import LiveFeed, LiveOpening

SILENT_S = 4.0
LEAVE_EVERY_S = 5.0
_ROLES = ("main", "sub")
_ANOTHER_MAY_HELP = {"codec-not-playable", "no-sub-stream"}
_NO_PICTURE = {"code": "no-picture", "message": "The camera sends no picture at the moment."}


class LiveTold(msgspec.Struct):
    """What a viewer is told before the pictures. `quality` may be another than asked for; `because` says why."""

    codec: str
    width: int
    height: int
    channel: UUID
    quality: str
    because: str | None = None


@websocket("/api/channels/{channel_id:uuid}/live", **guarded("view_live", shows=Shows.FOOTAGE))
async def live(
    socket: WebSocket[Any, Any, Any],
    channel_id: UUID,
    services: Services,
    look: Look,
    quality: str = "main",
    hevc: bool = False,
) -> None:
    """Live pictures of a channel. `hevc`: the viewer can play H.265; otherwise the sub-stream stands in."""
    await socket.accept()
    tasks = [
        asyncio.create_task(work)
        for work in (
            _show(socket, services, channel_id, quality, hevc),
            _hang_up(socket),
            _leave(socket, services, look),
        )
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except SvidokError as error:
        await _say(socket, {"code": error.code, "message": error.message})
    except (WebSocketDisconnect, WebSocketException, OSError, RuntimeError):
        return  # the viewer went away in the middle of a picture
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(WebSocketException, OSError, RuntimeError):  # it may be closed already
            await socket.close()


async def _show(
    socket: WebSocket[Any, Any, Any], services: Services, channel_id: UUID, quality: str, hevc: bool
) -> None:
    if quality not in _ROLES:
        raise BadInput("quality-unknown", "The quality is main or sub.")
    if services.bus is None:
        raise Unavailable("bus-unavailable", "Live pictures pause; footage goes on.")
    because: str | None = None
    for role in (quality, _ROLES[quality == "main"]):
        async with LiveFeed(services.bus, channel_id, role) as feed:
            opening = await feed.open()
            hindrance = hindrance_of(opening, hevc=hevc)
            if hindrance is None:
                await _play(socket, feed, opening, channel_id, role, because)
        because = because or hindrance
        if hindrance not in _ANOTHER_MAY_HELP:
            break
    if because == "codec-not-playable":
        raise Conflict(
            because, "The camera sends H.265, this browser cannot play it, and there is no H.264 sub-stream."
        )
    raise NotFound(because or "channel-not-live", "The camera sends no picture at the moment.")


def hindrance_of(opening: LiveOpening, *, hevc: bool) -> str | None:
    """Why a viewer cannot have this stream: a code, or nothing. Pure."""
    if opening.problem:
        return opening.problem
    if not opening.codec.startswith("avc1.") and not hevc:
        return "codec-not-playable"
    return None


async def _play(
    socket: WebSocket[Any, Any, Any],
    feed: LiveFeed,
    opening: LiveOpening,
    channel_id: UUID,
    role: str,
    because: str | None,
) -> None:
    """Send pictures until the task is cancelled; begin anew where the parameters of the stream changed."""
    while True:
        told = LiveTold(opening.codec, opening.width, opening.height, channel_id, role, because)
        await socket.send_text(msgspec.json.encode(told).decode())
        await socket.send_bytes(opening.init)
        if opening.group:
            await socket.send_bytes(opening.group)
        await _send_epoch(socket, feed, opening.epoch)
        opening = await feed.open()
        if opening.problem:
            raise NotFound(opening.problem, "The camera sends no picture at the moment.")


async def _send_epoch(socket: WebSocket[Any, Any, Any], feed: LiveFeed, epoch: int) -> None:
    """Send pictures until one comes that needs another init segment."""
    silent = False
    while True:
        try:
            async with asyncio.timeout(SILENT_S):
                frame = await feed.frame()
        except TimeoutError:
            if not silent:
                await _say(socket, _NO_PICTURE)
            silent = True
            continue
        silent = False
        if frame.epoch != epoch:
            return
        await socket.send_bytes(frame.fragment)


async def _hang_up(socket: WebSocket[Any, Any, Any]) -> None:
    """End when the viewer goes."""
    while True:
        await socket.receive_data(mode="text")


async def _leave(socket: WebSocket[Any, Any, Any], services: Services, look: Look) -> None:
    """Raise when session or purpose ended."""
    token = socket.cookies.get(SESSION_COOKIE, "")
    while True:
        await asyncio.sleep(LEAVE_EVERY_S)
        await anyio.to_thread.run_sync(_check_leave, services, look, token)


def _check_leave(services: Services, look: Look, token: str) -> None:
    at = services.clock.now()
    with services.database.transaction() as tx:
        if sessions.find(tx, token=token, at=at) is None:
            raise NotSignedIn
        if look.purpose is not None:
            valid_purpose(tx, actor=look.actor, purpose_id=look.purpose.id, at=at)


async def _say(socket: WebSocket[Any, Any, Any], told: dict[str, str]) -> None:
    await socket.send_text(msgspec.json.encode(told).decode())


ROUTES = [live]
