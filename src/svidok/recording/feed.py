"""Live pictures: from the recorder over the bus to whoever may look, frame by frame, from memory.

A viewer asks `live.open.<channel>.<role>`; the recorder that has the channel
answers with what is needed to begin at once (init segment, the open group),
and publishes each further picture as a fragment of its own on
`live.frames.<channel>.<role>`. The asking is renewed every few seconds; when
nobody asks any more, the recorder stops and lets the packets gather again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from svidok.base import NotFound, Unavailable
from svidok.bus import Bus, BusUnavailable
from svidok.media.boxes import parse_head

RENEW_S = 4.0
LAPSE_S = 10.0
_QUEUE_FRAMES = 120


class LiveOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What a viewer begins with, or `problem` (a code) where there is nothing to see."""

    codec: str = ""
    width: int = 0
    height: int = 0
    init: bytes = b""
    group: bytes = b""
    epoch: int = 0
    problem: str = ""


class LiveFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One picture as a fragment. `epoch` changes with the init segment: then the viewer must begin anew."""

    epoch: int
    is_key: bool
    fragment: bytes


def open_subject(channel_id: UUID, role: str) -> str:
    """Where a viewer asks."""
    return f"live.open.{channel_id}.{role}"


def frames_subject(channel_id: UUID, role: str) -> str:
    """Where the pictures come."""
    return f"live.frames.{channel_id}.{role}"


class LiveFeed:
    """One viewer's feed. A slow viewer loses pictures up to the next key picture, and never holds up anybody.

    Use as `async with`: it listens before it asks, so that no picture falls
    between the opening and the first frame; what the opening holds already is
    left out of the frames.
    """

    def __init__(self, bus: Bus, channel_id: UUID, role: str) -> None:
        self._bus, self._channel_id, self._role = bus, channel_id, role
        self._frames: asyncio.Queue[LiveFrame] = asyncio.Queue(_QUEUE_FRAMES)
        self._skipping = False
        self._shown: tuple[int, int] | None = None
        self._end: Callable[[], Awaitable[None]] | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LiveFeed":
        self._end = await self._bus.subscribe(frames_subject(self._channel_id, self._role), self._receive)
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        if self._end is not None:
            await self._end()

    async def open(self) -> LiveOpening:
        """Ask the recorder; raises `NotFound` where no recorder has the channel."""
        try:
            answer = await self._bus.request(open_subject(self._channel_id, self._role), timeout_s=4.0)
        except BusUnavailable as error:
            if not self._bus.connected:
                raise Unavailable("bus-unavailable", "Live pictures pause; footage goes on.") from error
            raise NotFound("channel-not-live", "No recorder has this channel at the moment.") from error
        opening = msgspec.msgpack.decode(answer, type=LiveOpening)
        self._shown = (opening.epoch, _end_of(opening.group))
        return opening

    async def frame(self) -> LiveFrame:
        """The next picture that the opening does not hold; waits until there is one."""
        while True:
            frame = await self._frames.get()
            if self._shown is None:
                return frame
            epoch, end = self._shown
            if frame.epoch == epoch and _begin_of(frame.fragment) < end:
                continue
            self._shown = None
            return frame

    async def _receive(self, _subject: str, body: bytes) -> None:
        frame = msgspec.msgpack.decode(body, type=LiveFrame)
        if self._skipping and not frame.is_key:
            return
        if self._frames.full():
            self._skipping = True
            while not self._frames.empty():
                self._frames.get_nowait()
            if not frame.is_key:
                return
        self._skipping = False
        self._frames.put_nowait(frame)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._bus.request(open_subject(self._channel_id, self._role), timeout_s=RENEW_S)
            except BusUnavailable:
                continue  # the bus comes back by itself, or the viewer gives up


def _begin_of(fragment: bytes) -> int:
    samples = parse_head(fragment)
    return samples.base if samples is not None else 0


def _end_of(fragment: bytes) -> int:
    samples = parse_head(fragment)
    return samples.base + sum(samples.video.durations) if samples is not None else 0
