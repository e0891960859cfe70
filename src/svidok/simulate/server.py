"""An RTSP server for any number of simulated cameras in one event loop.

It speaks what cameras speak: RTSP 1.0 over TCP with interleaved RTP, Digest or
Basic authentication, sender reports with the camera's own (perhaps wrong)
clock, `/main` and `/sub` of each camera. Faults are looked up at each picture,
so they can be switched while it runs.
"""

import asyncio
import base64
import contextlib
import hashlib
import os
import struct
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import urlsplit

from svidok.simulate.faults import Fault
from svidok.simulate.packets import VIDEO_RATE, Footage, PreparedFrame
from svidok.simulate.signing import Identity, StreamSigner
from svidok.simulate.sound import SOUND_CHANNEL, Sound, SoundPlay

_NTP_UNIX = 2_208_988_800
_REPORT_EVERY_S = 4.0
_SEND_BUFFER = 4 * 1024 * 1024
_GARBAGE = bytes(range(128, 256)) * 40
_REALM = "camera"


@dataclass(slots=True, kw_only=True)
class SimulatedCamera:
    """A camera by `name`: what it shows, who may look, what is wrong with it; and what befell its viewers."""

    name: str
    main: Footage
    sub: Footage | None = None
    other: Footage | None = None
    sound: Sound | None = None
    username: str = ""
    password: str = ""
    basic: bool = False
    fault: Fault = field(default_factory=Fault)
    identity: Identity | None = None
    frames_sent: int = 0
    frames_late: int = 0
    viewers: int = 0

    @property
    def clock_error_s(self) -> float:
        """How far its clock is off."""
        return self.fault.numbers.get("seconds", 0.0) if self.fault.kind == "clock-wrong" else 0.0


class CameraServer:
    """Serves `cameras` at rtsp://host:port/<name>/main and /sub."""

    def __init__(self, cameras: list[SimulatedCamera], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.cameras = {camera.name: camera for camera in cameras}
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self.sessions: set[_Session] = set()

    async def start(self) -> int:
        """Listen; the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), self._host, self._port, backlog=1024)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self._port

    def url(self, name: str, role: str = "main") -> str:
        """Where a camera is, without its password."""
        return f"rtsp://{self._host}:{self._port}/{name}/{role}"

    def drop_all(self) -> None:
        """Cut every connection."""
        for session in list(self.sessions):
            session.abort()

    async def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
        self.drop_all()
        await asyncio.sleep(0)


class _Session(asyncio.Protocol):
    """One connection of one viewer."""

    def __init__(self, server: CameraServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._input = b""
        self._nonce = os.urandom(12).hex()
        self._id = os.urandom(6).hex()
        self._camera: SimulatedCamera | None = None
        self._footage: Footage | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._position = 0
        self._sequence = int.from_bytes(os.urandom(2), "big")
        self._first_ticks = int.from_bytes(os.urandom(4), "big")
        self._ssrc = int.from_bytes(os.urandom(4), "big")
        self._next_report_s = 0.0
        self._lost = 0
        self._offset_ticks = 0
        self._sound: SoundPlay | None = None
        self._signer: StreamSigner | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.set_write_buffer_limits(high=_SEND_BUFFER)
        self._server.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.sessions.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            if self._camera is not None:
                self._camera.viewers -= 1

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._input += data
        while self._input:
            if self._input[0] == 0x24:
                size = 4 + int.from_bytes(self._input[2:4], "big")
                if len(self._input) < size:
                    return
                self._input = self._input[size:]
                continue
            head, end, rest = self._input.partition(b"\r\n\r\n")
            if not end:
                return
            self._input = rest
            self._request(head.decode("utf-8", "replace"))

    def _request(self, head: str) -> None:
        lines = head.split("\r\n")
        method, url, *_ = [*lines[0].split(" "), "", ""]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        parts = urlsplit(url).path.strip("/").split("/")
        camera = self._server.cameras.get(parts[0])
        if method == "OPTIONS":
            self._reply(headers, 200, {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"})
        elif camera is None:
            self._reply(headers, 404)
        elif camera.fault.kind == "refuse":
            self._reply(headers, 503)
        elif not self._authorised(camera, method, headers):
            self._reply(headers, 401, {"WWW-Authenticate": self._challenge(camera)})
        else:
            self._answer(camera, method, url, parts[1] if len(parts) > 1 else "main", headers)

    def _answer(self, camera: SimulatedCamera, method: str, url: str, role: str, headers: dict[str, str]) -> None:
        footage = camera.sub if role == "sub" else camera.main
        session = {"Session": f"{self._id};timeout=60"}
        if footage is None:
            self._reply(headers, 404)
        elif method == "DESCRIBE":
            lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", f"s={camera.name}", "t=0 0", "a=control:*",
                     *footage.sdp_lines(), "a=control:trackID=0"]  # fmt: skip
            if camera.sound is not None:
                lines += [*camera.sound.sdp_lines(), "a=control:trackID=1"]
            body = "\r\n".join(lines) + "\r\n"
            self._reply(headers, 200, {"Content-Type": "application/sdp", "Content-Base": url.rstrip("/") + "/"}, body)
        elif method == "SETUP":
            channel = self._set_up(camera, footage, url)
            transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
            self._reply(headers, 200, session | {"Transport": transport})
        elif method == "PLAY":
            self._reply(headers, 200, session | {"RTP-Info": f"url={url}"})
            self._play()
        elif method == "TEARDOWN":
            self._reply(headers, 200)
            if self._transport is not None:
                self._transport.close()
        else:
            self._reply(headers, 200, session)

    def _set_up(self, camera: SimulatedCamera, footage: Footage, url: str) -> int:
        """Take a viewer for the picture or the sound; the channel it comes on."""
        self._camera, self._footage = camera, footage
        if camera.sound is None or not url.rstrip("/").endswith("trackID=1"):
            return 0
        self._sound = SoundPlay(camera.sound)
        return SOUND_CHANNEL

    def _reply(self, asked: dict[str, str], status: int, headers: dict[str, str] | None = None, body: str = "") -> None:
        phrases = {200: "OK", 401: "Unauthorized", 404: "Not Found", 503: "Service Unavailable"}
        lines = [f"RTSP/1.0 {status} {phrases[status]}", f"CSeq: {asked.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        if self._transport is not None:
            self._transport.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _challenge(self, camera: SimulatedCamera) -> str:
        return f'Basic realm="{_REALM}"' if camera.basic else f'Digest realm="{_REALM}", nonce="{self._nonce}"'

    def _authorised(self, camera: SimulatedCamera, method: str, headers: dict[str, str]) -> bool:
        if camera.fault.kind == "unauthorised":
            return False
        if not camera.username:
            return True
        given = headers.get("authorization", "")
        if camera.basic:
            expected = base64.b64encode(f"{camera.username}:{camera.password}".encode()).decode()
            return given == f"Basic {expected}"
        fields = dict(part.strip().partition("=")[::2] for part in given.removeprefix("Digest ").split(","))
        fields = {name: value.strip('"') for name, value in fields.items()}

        def h(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 (RFC 2617 says so)

        secret = h(f"{camera.username}:{_REALM}:{camera.password}")
        request = h(f"{method}:{fields.get('uri', '')}")
        response = h(f"{secret}:{self._nonce}:{request}")
        return fields.get("response") == response and fields.get("username") == camera.username

    # pictures

    def _play(self) -> None:
        if self._camera is None or self._footage is None or self._timer is not None:
            return
        self._began = asyncio.get_running_loop().time()
        self._camera.viewers += 1
        if self._camera.identity is not None:
            self._signer = StreamSigner(identity=self._camera.identity, hevc=self._footage.codec == "h265")
        frames = self._footage.frames
        keys = [number for number, frame in enumerate(frames) if frame.is_key]
        self._position = keys[self._ssrc % len(keys)]
        self._offset_ticks = -frames[self._position].ticks
        self._next()

    def _next(self) -> None:
        """Send one picture and set the alarm for the next."""
        camera, footage, transport = self._camera, self._footage, self._transport
        if camera is None or footage is None or transport is None or transport.is_closing():
            return
        loop = asyncio.get_running_loop()
        since = loop.time() - self._began
        fault = camera.fault if camera.fault.active(since) else Fault()
        if fault.kind == "sps-change" and camera.other is not None and self._footage is camera.main:
            footage = self._change(camera.other)
        frame = footage.frames[self._position]
        ticks = self._offset_ticks + frame.ticks
        self._report(camera, fault, since, ticks)
        self._play_sound(fault, ticks / VIDEO_RATE)
        self._send(camera, fault, self._signed(footage, frame), ticks)
        self._position += 1
        if self._position == len(footage.frames) or (fault.kind == "frozen" and footage.frames[self._position].is_key):
            self._offset_ticks += (
                footage.length_ticks if self._position == len(footage.frames) else footage.frames[self._position].ticks
            )
            self._position = 0
        due = (self._offset_ticks + footage.frames[self._position].ticks) / VIDEO_RATE
        if fault.kind == "slow":
            due = since + (due - since) * 10
        self._timer = loop.call_at(self._began + max(due, 0), self._next)

    def _signed(self, footage: Footage, frame: PreparedFrame) -> PreparedFrame:
        """The picture with the document that speaks of the group before, where the camera signs."""
        if self._signer is None or self._camera is None or self._camera.fault.kind == "unsigned":
            return frame
        if frame.is_key:
            at = datetime.fromtimestamp(time.time() + self._camera.clock_error_s, UTC)
            sei = self._signer.begin_group(at=at)
            if sei is not None:
                frame = frame.with_sei(sei, footage.codec, len(footage.parameter_sets))
        for one in frame.slices:
            self._signer.add(one)
        return frame

    def _play_sound(self, fault: Fault, media_s: float) -> None:
        """Send the sound up to here, before the picture that follows it; a stalled camera falls silent too."""
        if self._sound is None or self._transport is None:
            return
        data = self._sound.due(media_s)
        if data and fault.kind not in ("stall", "garbage"):
            self._transport.write(data)

    def _change(self, footage: Footage) -> Footage:
        """Go on with other pictures from here."""
        now = self._offset_ticks + (self._footage or footage).frames[self._position].ticks
        self._footage, self._position, self._offset_ticks = footage, 0, now
        return footage

    def _send(self, camera: SimulatedCamera, fault: Fault, frame: PreparedFrame, ticks: int) -> None:
        transport = self._transport
        if transport is None:
            return
        if fault.kind == "stall":
            self._sequence += len(frame.headers)
            return
        if transport.get_write_buffer_size() > 0:
            camera.frames_late += 1
            if transport.get_write_buffer_size() > _SEND_BUFFER:
                return
        data = frame.patched(sequence=self._sequence, ticks=self._first_ticks + ticks, ssrc=self._ssrc)
        self._sequence += len(frame.headers)
        camera.frames_sent += 1
        if fault.kind == "cut":
            transport.write(bytes(data[: len(data) // 2]))
            transport.close()
        elif fault.kind == "garbage":
            transport.write(_GARBAGE)
        elif fault.kind == "loss":
            transport.write(self._with_loss(data, frame.headers))
        else:
            transport.write(bytes(data) * 10 if fault.kind == "flood" else data)

    def _with_loss(self, data: bytearray, headers: tuple[int, ...]) -> bytes:
        kept, bounds = b"", [*(at - 4 for at in headers), len(data)]
        for start, stop in pairwise(bounds):
            self._lost += 1
            if self._lost % 50:
                kept += data[start:stop]
        return kept

    def _report(self, camera: SimulatedCamera, fault: Fault, since: float, ticks: int) -> None:
        """An RTCP sender report: which of its times the camera holds to be which instant."""
        if since < self._next_report_s or self._transport is None or fault.kind in ("stall", "garbage"):
            return
        self._next_report_s = since + _REPORT_EVERY_S
        jump = fault.numbers.get("seconds", 60.0) if fault.kind == "clock-jump" else 0.0
        now = time.time() + camera.clock_error_s + jump + _NTP_UNIX
        ntp = int(now) << 32 | int(now % 1 * (1 << 32))
        report = struct.pack(">BBHIQIII", 0x80, 200, 6, self._ssrc, ntp, self._first_ticks + ticks & 0xFFFFFFFF, 0, 0)
        with contextlib.suppress(RuntimeError):
            self._transport.write(struct.pack(">BBH", 0x24, 1, len(report)) + report)
            if self._sound is not None:
                self._transport.write(self._sound.report(ticks / VIDEO_RATE, ntp))
