"""An RTSP 1.0 client over TCP (RFC 2326, interleaved as in section 10.12), for recording.

One connection, one object, no tasks but the caller's. The steps are those of
every camera: DESCRIBE, SETUP of the picture and the sound, PLAY, then packets
until something ends them. While nobody watches, the socket wakes us only when
about a third of a second has gathered (SO_RCVLOWAT): that, not Python, is what
decides how much a camera costs.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from urllib.parse import SplitResult, urlsplit, urlunsplit

from svidok.base import Clock, to_us
from svidok.media.audio import AudioGatherer
from svidok.media.fmp4 import NTP_UNIX_US
from svidok.media.grouping import Grouping
from svidok.media.model import Group, SenderReport, Sink, Tracks
from svidok.media.rtsp_auth import Challenge, authorization, parse_challenges
from svidok.media.rtsp_errors import RtspClosed, RtspError, RtspGarbage, RtspRefused, RtspTimeout, RtspUnauthorized
from svidok.media.rtsp_vigil import Vigil
from svidok.media.rtsp_wire import Reply, Wire
from svidok.media.sdp import Description, parse_sdp

_VIDEO_CHANNEL, _AUDIO_CHANNEL = 0, 2  # what we ask for; the camera may give others
_LOW_WATER_MAX = 128 * 1024
_LOW_WATER_S = 0.34
_KERNEL_BUFFER = 1024 * 1024
_MAX_REDIRECTS = 3


class RtspClient:
    """One stream of one camera. `async with`, then `open`, then `play`."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        username: str = "",
        password: str = "",
        tls_verify: bool = True,
        timeout_s: float = 10.0,
        stall_s: float = 5.0,
    ) -> None:
        self._url = _without_credentials(url)
        self._clock = clock
        self._username, self._password = username, password
        self._tls_verify = tls_verify
        self._timeout_s, self._stall_s = timeout_s, stall_s
        self._wire: Wire | None = None
        self._socket: socket.socket | None = None
        self._challenge: Challenge | None = None
        self._accepted = False  # the camera took our answer to its last challenge
        self._video_channel, self._audio_channel = _VIDEO_CHANNEL, _AUDIO_CHANNEL
        self._session, self._session_timeout_s = "", 60.0
        self._description: Description | None = None
        self._grouping: Grouping | None = None
        self._audio: AudioGatherer | None = None
        self._sink: Sink | None = None
        self._low_water = self._mark = 1
        self._watching = False
        self._last_report: tuple[int, int] | None = None
        self.groups = 0

    async def __aenter__(self) -> "RtspClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def received_bytes(self) -> int:
        """Bytes that came over this connection."""
        return self._wire.received if self._wire else 0

    @property
    def lost_packets(self) -> int:
        """Packets of the picture that never came."""
        return self._grouping.lost_packets if self._grouping else 0

    @property
    def watching(self) -> bool:
        """Whether each picture goes to the sink as it comes."""
        return self._watching

    @watching.setter
    def watching(self, watched: bool) -> None:
        self._watching = watched
        if self._grouping is not None:
            self._grouping.watching = watched
        self._set_low_water(1 if watched else self._low_water)

    def peek(self) -> Group | None:
        """The group that is being gathered, so far; for somebody who begins to watch."""
        return self._grouping.peek() if self._grouping else None

    async def open(self) -> Tracks:
        """Connect, and learn what the camera sends. Raises one of `RtspError`."""
        for _ in range(_MAX_REDIRECTS):
            await self._connect()
            reply = await self._ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
            if reply.status not in (301, 302, 303, 305, 307):
                break
            await self.close()
            self._url = _follow(self._url, reply)
        _expect_ok(reply)
        base = reply.headers.get("content-base") or reply.headers.get("content-location") or self._url
        self._description = parse_sdp(reply.body, base if "://" in base else self._url)
        if self._description.video is None:
            offered = ", ".join(self._description.offered) or "nothing"
            raise RtspGarbage(f"there is no H.264 or H.265 picture; it offers {offered}")
        return Tracks(video=self._description.video, audio=self._description.audio)

    async def play(self, sink: Sink) -> None:
        """Hand everything that comes to `sink`, until the stream ends: always by raising an `RtspError`."""
        description = self._description
        if description is None or description.video is None or self._wire is None:
            raise RtspClosed("open the camera first")
        self._sink = sink
        self._video_channel = await self._setup(description.video_url, _VIDEO_CHANNEL)
        audio = description.audio
        if audio is not None:
            try:
                self._audio_channel = await self._setup(description.audio_url, _AUDIO_CHANNEL)
                self._audio = AudioGatherer(audio)
            except RtspRefused:
                audio = None  # the picture alone is better than nothing
        tracks = Tracks(video=description.video, audio=audio)
        self._grouping = Grouping(tracks, self._video_channel, sink, self._audio)
        self._grouping.watching = self._watching
        self._wire.on_data = self._on_data
        try:
            _expect_ok(await self._ask("PLAY", description.aggregate_url, {"Range": "npt=0.000-"}))
            await self._tend(description.aggregate_url)
        finally:
            self._grouping.finish(to_us(self._clock.now()))

    async def close(self) -> None:
        """End the session as politely as can be done at once."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if wire.failure is None and self._session and self._description is not None:
            with contextlib.suppress(RtspError):
                wire.send("TEARDOWN", self._description.aggregate_url, self._headers("TEARDOWN"))
            await asyncio.sleep(0)
        wire.fail(RtspClosed("we closed it"))

    async def _connect(self) -> None:
        parts = _split(self._url)
        secure = parts.scheme == "rtsps"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                transport, wire = await loop.create_connection(
                    Wire,
                    parts.hostname or "",
                    parts.port or (322 if secure else 554),
                    ssl=self._tls() if secure else None,
                )
        except TimeoutError as error:
            raise RtspTimeout("it does not answer") from error
        except (OSError, ssl.SSLError) as error:
            raise RtspClosed(f"no connection: {error}") from error
        self._wire = wire
        self._socket = transport.get_extra_info("socket")
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self._tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def _setup(self, url: str, channel: int) -> int:
        """Set up one medium, asking for `channel`; the channel that the camera gives it."""
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        reply = await self._ask("SETUP", url, {"Transport": transport})
        _expect_ok(reply)
        session, _, parameters = reply.headers.get("session", "").partition(";")
        self._session = session.strip() or self._session
        name, _, value = parameters.strip().partition("=")
        if name == "timeout" and value.strip().isdigit():
            self._session_timeout_s = max(5.0, float(value))
        return _channel_given(reply.headers.get("transport", ""), channel)

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> Reply:
        """Send a request, answering a challenge once (a stale nonce counts as a new challenge)."""
        for _ in range(3):
            if self._wire is None:
                raise RtspClosed("not connected")
            pending = self._wire.send(method, url, {**headers, **self._headers(method, url)})
            try:
                async with asyncio.timeout(self._timeout_s):
                    reply = await pending
            except TimeoutError as error:
                raise RtspTimeout(f"no reply to {method}") from error
            if reply.status != 401:
                self._accepted = self._challenge is not None
                return reply
            self._challenge_anew(reply)
        raise RtspUnauthorized("it keeps asking for a password")

    def _challenge_anew(self, reply: Reply) -> None:
        """Take up a challenge; raises where it means that the password is wrong.

        A camera whose nonce ran out should say `stale`; many do not, so one that took
        our password before on this connection is asked once more.
        """
        challenge = parse_challenges(reply.challenges)
        again = challenge is not None and challenge.parts.get("stale", "").lower() == "true"
        if challenge is None or not self._username or not (again or self._accepted or self._challenge is None):
            raise RtspUnauthorized("it refuses the name and password")
        self._challenge, self._accepted = challenge, False

    def _headers(self, method: str, url: str | None = None) -> dict[str, str]:
        headers = {"Session": self._session} if self._session else {}
        if self._challenge is not None:
            headers["Authorization"] = authorization(
                self._challenge,
                method=method,
                uri=url or self._url,
                username=self._username,
                password=self._password,
            )
        return headers

    async def _tend(self, url: str) -> None:
        """Keep the session alive and notice a stall, until the wire fails."""
        wire, grouping = self._wire, self._grouping
        if wire is None or grouping is None:
            raise RtspClosed("we closed it")
        vigil = Vigil(
            wire, grouping, stall_s=self._stall_s, session_s=self._session_timeout_s,
            keep_alive=lambda: self._keep_alive(wire, url), challenge=self._challenge_anew, quiet=self._quiet,
        )  # fmt: skip
        vigil.begin()
        try:
            await asyncio.wait([wire.closed])
        finally:
            vigil.end()
        raise wire.failure or RtspClosed("we closed it")

    def _keep_alive(self, wire: Wire, url: str) -> "asyncio.Future[Reply]":
        self._send_receiver_report(wire)
        return wire.send("GET_PARAMETER", url, self._headers("GET_PARAMETER", url))

    def _quiet(self, nothing_came: bool) -> None:
        """What lies below the mark must come out when nothing follows it, or it would wait for ever."""
        self._set_low_water(1 if nothing_came or self._watching else self._low_water)

    def _on_data(self, buffer: memoryview, position: int, end: int) -> int:
        grouping, wire = self._grouping, self._wire
        if grouping is None or wire is None:
            return end
        grouping.waited_us = wire.waited_us
        arrived_us = to_us(self._clock.now())
        while True:
            before = self.groups
            position, other = grouping.feed(buffer, position, end, arrived_us)
            self.groups = grouping.groups
            if self.groups != before and not self._watching:
                self._adapt_low_water(grouping)
            if not other:
                return position
            stop = position + 4 + (buffer[position + 2] << 8 | buffer[position + 3])
            self._on_other(buffer[position + 1], buffer[position + 4 : stop], arrived_us)
            position = stop

    def _on_other(self, channel: int, packet: memoryview, arrived_us: int) -> None:
        if channel == self._audio_channel and self._audio is not None:
            self._audio.packet(packet)
        elif channel == self._video_channel + 1 and len(packet) >= 28 and packet[1] == 200:
            ssrc, ntp, rtp_time = struct.unpack_from(">IQI", packet, 4)
            self._last_report = (ssrc, ntp >> 16 & 0xFFFFFFFF)
            camera_us = (ntp >> 32) * 1_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000 >> 32) - NTP_UNIX_US
            if self._sink is not None and self._grouping is not None:
                ticks = self._grouping.unwrap(rtp_time)
                self._sink.on_clock(
                    SenderReport(camera_us=camera_us, rtp_time=rtp_time, ticks=ticks, arrived_us=arrived_us)
                )

    def _send_receiver_report(self, wire: Wire) -> None:
        """An RTCP receiver report (RFC 3550, 6.4.2): some cameras end a session that never sends one."""
        if self._last_report is None:
            return
        ssrc, middle = self._last_report
        report = struct.pack(">BBHIIIIIII", 0x81, 201, 7, 0x5356_4944, ssrc, 0, 0, 0, middle, 0)
        wire.send_interleaved(self._video_channel + 1, report)

    def _adapt_low_water(self, grouping: Grouping) -> None:
        wanted = min(_LOW_WATER_MAX, max(2048, int(grouping.bytes_per_s * _LOW_WATER_S)))
        if abs(wanted - self._low_water) * 4 > self._low_water:
            self._set_low_water(wanted)
            self._low_water = wanted

    def _set_low_water(self, mark: int) -> None:
        if self._socket is not None and self._socket.fileno() >= 0 and mark != self._mark:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, mark)
            self._mark = mark


def _expect_ok(reply: Reply) -> None:
    if reply.status != 200:
        raise RtspRefused(reply.status, reply.phrase)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("rtsp", "rtsps") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise RtspGarbage("the address is not rtsp:// or rtsps://")


def _follow(url: str, reply: Reply) -> str:
    """Where a redirect leads. The password goes to the host it was given for, and never out of TLS."""
    before, after = _split(url), _split(reply.headers.get("location", url))
    if after.hostname != before.hostname or (before.scheme == "rtsps" and after.scheme != "rtsps"):
        raise RtspRefused(reply.status, f"it sends us to {after.scheme}://{after.hostname}; register that address")
    return _without_credentials(urlunsplit(after))


def _channel_given(transport: str, asked: int) -> int:
    """The interleaved channel that a `Transport` header names (RFC 2326, 12.39), or the one that we asked for."""
    if transport and "tcp" not in transport.lower() and "interleaved" not in transport.lower():
        raise RtspGarbage("it does not send over TCP")
    for part in transport.split(";"):
        name, _, value = part.strip().partition("=")
        first = value.partition("-")[0].strip()
        if name.lower() == "interleaved" and first.isdigit() and int(first) <= 254:
            return int(first)
    return asked


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
