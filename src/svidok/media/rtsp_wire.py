"""The wire of one RTSP connection: replies and interleaved frames out of one stream of bytes.

All connections of a thread share one receive buffer: asyncio asks for a
buffer, receives, and hands it over without letting anything between, so a
connection needs to keep only the tail that is not whole yet. That is what
keeps a camera at a few hundred bytes here instead of half a megabyte.
"""

import asyncio
import threading
from collections.abc import Callable

from svidok.media.rtsp_errors import RtspClosed, RtspError, RtspGarbage
from svidok.media.rtsp_pulse import Pulse

_BUFFER_BYTES = 512 * 1024
_MAX_REPLY_BYTES = 64 * 1024
_SHARED = threading.local()

OnData = Callable[[memoryview, int, int], int]
"""Takes (buffer, position, end), consumes what it can, and returns the new position.
Stops at a byte that does not begin an interleaved frame."""


class Reply:
    """One RTSP reply: status, phrase, headers by lower-case name, body."""

    __slots__ = ("body", "challenges", "headers", "phrase", "status")

    def __init__(self, head: str, body: str) -> None:
        lines = head.split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            raise RtspGarbage(f"not a reply: {lines[0][:60]!r}")
        self.status, self.phrase = int(words[1]), words[2] if len(words) > 2 else ""
        self.headers: dict[str, str] = {}
        self.challenges: list[str] = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.strip().lower() == "www-authenticate":
                self.challenges.append(value.strip())
            self.headers[name.strip().lower()] = value.strip()
        self.body = body


def _shared_buffer() -> memoryview:
    buffer: memoryview | None = getattr(_SHARED, "buffer", None)
    if buffer is None:
        buffer = _SHARED.buffer = memoryview(bytearray(_BUFFER_BYTES))
    return buffer


def _shared_pulse() -> Pulse:
    pulse: Pulse | None = getattr(_SHARED, "pulse", None)
    if pulse is None:
        pulse = _SHARED.pulse = Pulse()
    return pulse


class Wire(asyncio.BufferedProtocol):
    """Feeds interleaved frames to `on_data` and replies to whoever waits for them."""

    def __init__(self) -> None:
        self.on_data: OnData | None = None
        self.received = 0
        self.waited_us = 0  # what was read last may have lain there so long, because we were held up
        self.failure: RtspError | None = None
        self._loop = asyncio.get_running_loop()
        self._pulse = _shared_pulse()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._tail = b""
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what create_connection promises)
        self._transport = transport
        self._pulse.begin(self._loop.time())

    def beat(self) -> None:
        """Notice whether we were held up. Called at each look at the session, and whenever bytes come."""
        self.waited_us = int(self._pulse.beat(self._loop.time()) * 1_000_000)

    def get_buffer(self, sizehint: int) -> memoryview:
        buffer, tail = _shared_buffer(), self._tail
        buffer[: len(tail)] = tail
        return buffer[len(tail) :]

    def buffer_updated(self, nbytes: int) -> None:
        buffer = _shared_buffer()
        self.beat()
        self.received += nbytes
        end = len(self._tail) + nbytes
        try:
            position = self._work(buffer, 0, end)
        except RtspError as error:
            self.fail(error)
            return
        self._tail = bytes(buffer[position:end])

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(RtspClosed(str(exc) if exc else "the camera closed the connection"))

    def fail(self, error: RtspError) -> None:
        """End the connection for this reason; the first reason stands."""
        if self.failure is None:
            self.failure = error
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(self.failure)
        self._waiting.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, method: str, url: str, headers: dict[str, str]) -> "asyncio.Future[Reply]":
        """Send a request; a future of its reply."""
        if self.failure is not None or self._transport is None:
            raise self.failure or RtspClosed("not connected")
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", "User-Agent: svidok"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_retrieve)
        self._waiting[self._sequence] = reply
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return reply

    def send_interleaved(self, channel: int, packet: bytes) -> None:
        """Send a frame of ours (RTCP receiver reports)."""
        if self.failure is None and self._transport is not None:
            self._transport.write(b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet)

    def _work(self, buffer: memoryview, position: int, end: int) -> int:
        while position < end:
            before = position
            if buffer[position] == 0x24:
                if self.on_data is None:
                    position = _skip_frame(buffer, position, end)
                else:
                    position = self.on_data(buffer, position, end)
            else:
                position = self._reply(buffer, position, end)
            if position == before:
                break
        return position

    def _reply(self, buffer: memoryview, position: int, end: int) -> int:
        window = bytes(buffer[position : min(end, position + _MAX_REPLY_BYTES)])
        if not b"RTSP/1.0 ".startswith(window[:9]) and not window.startswith(b"RTSP/"):
            raise RtspGarbage(f"neither a reply nor a frame: {window[:16].hex()}")
        head_end = window.find(b"\r\n\r\n")
        if head_end < 0:
            if len(window) >= _MAX_REPLY_BYTES:
                raise RtspGarbage("a reply without end")
            return position
        head = window[:head_end].decode("utf-8", "replace")
        length = _content_length(head)
        stop = head_end + 4 + length
        if length > _MAX_REPLY_BYTES:
            raise RtspGarbage(f"a reply of {length} bytes")
        if len(window) < stop:
            return position
        reply = Reply(head, window[head_end + 4 : stop].decode("utf-8", "replace"))
        sequence = reply.headers.get("cseq", "")
        waiting = self._waiting.pop(int(sequence), None) if sequence.isdigit() else None
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)
        return position + stop


def _content_length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdigit():
            return int(value)
    return 0


def _skip_frame(buffer: memoryview, position: int, end: int) -> int:
    if end - position < 4:
        return position
    stop = position + 4 + (buffer[position + 2] << 8 | buffer[position + 3])
    return stop if stop <= end else position


def _retrieve(reply: "asyncio.Future[Reply]") -> None:
    """A reply that nobody waits for any more may fail without a word."""
    if not reply.cancelled():
        reply.exception()
