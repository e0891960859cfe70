"""Watch over one playing session: keep it alive, and notice when no picture comes any more.

A timer of the event loop and not a task: with hundreds of cameras a task that
wakes each second would cost as much as the packets do. It ends the session by
failing the wire.
"""

import asyncio
from collections.abc import Callable

from svidok.media.grouping import Grouping
from svidok.media.rtsp_errors import RtspError, RtspTimeout
from svidok.media.rtsp_wire import Reply, Wire

KEY_WAIT_S = 60.0  # cameras that save bandwidth send a key picture every 10 or 20 s, and some begin in between
_STEP_MAX_S = 1.0


class Vigil:
    """`begin` when the stream plays, `end` when it does not.

    `keep_alive` sends a request and gives the future of its reply; `challenge`
    takes up a demand for the password in that reply; `quiet` is told at each
    step whether nothing at all came since the last one.
    """

    def __init__(
        self,
        wire: Wire,
        grouping: Grouping,
        *,
        stall_s: float,
        session_s: float,
        keep_alive: Callable[[], "asyncio.Future[Reply]"],
        challenge: Callable[[Reply], None],
        quiet: Callable[[bool], None],
    ) -> None:
        self._wire, self._grouping = wire, grouping
        self._stall_s, self._alive_every_s = stall_s, session_s / 2
        self._keep_alive, self._challenge, self._quiet = keep_alive, challenge, quiet
        self._step_s = min(_STEP_MAX_S, stall_s / 4)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._received, self._progress = -1, (0, 0, 0)
        self._quiet_s = self._keyless_s = self._since_alive_s = 0.0

    def begin(self) -> None:
        """Look at the session at every step from now on."""
        self._timer = self._loop.call_later(self._step_s, self._look)

    def end(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        wire = self._wire
        wire.beat()
        if wire.failure is not None:
            return
        try:
            self._look_for_pictures(wire)
            self._stay_alive()
        except RtspError as error:
            wire.fail(error)
            return
        self.begin()

    def _look_for_pictures(self, wire: Wire) -> None:
        self._quiet(wire.received == self._received)
        self._received = wire.received
        progress = self._grouping.progress
        self._quiet_s = self._quiet_s + self._step_s if progress == self._progress else 0.0
        self._progress = progress
        if self._quiet_s >= self._stall_s:
            raise RtspTimeout(f"no picture came for {self._quiet_s:.0f} s")
        self._keyless_s = 0.0 if self._grouping.begun else self._keyless_s + self._step_s
        if self._keyless_s >= KEY_WAIT_S:
            raise RtspTimeout(f"no key picture came for {self._keyless_s:.0f} s, and without one nothing can be seen")

    def _stay_alive(self) -> None:
        self._since_alive_s += self._step_s
        reply = self._reply
        if reply is not None and reply.done():
            self._reply = None
            if reply.exception() is None and reply.result().status == 401:  # its nonce ran out while it played
                self._challenge(reply.result())
                self._since_alive_s = self._alive_every_s
        if self._since_alive_s >= self._alive_every_s:
            self._since_alive_s = 0.0
            self._reply = self._keep_alive()
