"""The RTSP client against real sockets: the simulator with its faults, and small servers that behave oddly."""

import asyncio
import contextlib
import datetime
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from svidok.base import SystemClock
from svidok.media import (
    Frame,
    Group,
    RtspClient,
    RtspClosed,
    RtspError,
    RtspGarbage,
    RtspRefused,
    RtspTimeout,
    RtspUnauthorized,
    SenderReport,
    Tracks,
)
from svidok.media.fmp4 import fragment, frame_fragment, init_segment
from svidok.simulate import CameraServer, SimulatedCamera, parse_fault
from svidok.simulate.packets import Footage, load_footage

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.tracks: list[Tracks] = []
        self.groups: list[Group] = []
        self.frames: list[Frame] = []
        self.reports: list[SenderReport] = []

    def on_tracks(self, tracks: Tracks) -> None:
        self.tracks.append(tracks)

    def on_group(self, group: Group) -> None:
        self.groups.append(group)

    def on_frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def on_clock(self, report: SenderReport) -> None:
        self.reports.append(report)

    def file(self, path: Path) -> Path:
        """What was kept, as we record it; it must decode without a complaint."""
        base = audio = 0
        with path.open("wb") as out:
            out.write(init_segment(self.tracks[-1]))
            for number, group in enumerate(self.groups):
                for part in fragment(number + 1, group, video_base=base, audio_base=audio, wall_us=group.arrived_us):
                    out.write(part)
                base += group.duration_ticks
                audio += sum(group.audio.durations) if group.audio else 0
        done = subprocess.run(
            ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"], capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return path


@pytest.fixture(scope="module")
def footage(plain_clip, scratch: Path) -> dict[str, Footage]:
    hevc = scratch / "hevc.mp4"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        str(scratch / "plain.mp4"),
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
    ]
    options = "keyint=25:min-keyint=25:scenecut=0:bframes=0:log-level=none"
    subprocess.run([*command, "-x265-params", options, "-tag:v", "hvc1", str(hevc)], check=True)
    other = scratch / "other.mp4"
    small = [
        "-vf",
        "scale=128:96",
        "-c:v",
        "libx264",
        "-bf",
        "0",
        "-g",
        "25",
        "-keyint_min",
        "25",
        "-sc_threshold",
        "0",
    ]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(scratch / "plain.mp4"), *small, str(other)], check=True)
    return {name: load_footage(scratch / f"{name}.mp4") for name in ("plain", "hevc", "other")}


@asynccontextmanager
async def camera(
    footage: dict[str, Footage], fault: str = "none", scene: str = "plain", **how: object
) -> AsyncIterator[tuple[CameraServer, SimulatedCamera]]:
    one = SimulatedCamera(
        name="one", main=footage[scene], other=footage["other"], fault=parse_fault(fault), username="eye",
        password="secret", **how,
    )  # type: ignore[arg-type]  # fmt: skip
    server = CameraServer([one])
    await server.start()
    try:
        yield server, one
    finally:
        await server.close()


def client(url: str, password: str = "secret", stall_s: float = 1.0, **how: object) -> RtspClient:
    return RtspClient(
        url, clock=SystemClock(), username="eye", password=password, stall_s=stall_s, timeout_s=2.0, **how
    )  # type: ignore[arg-type]  # fmt: skip


async def play(url: str, for_s: float = 3.5, **how: object) -> tuple[Kept, RtspError | None]:
    """What comes in `for_s` seconds, and how it ended before that, if it did."""
    kept = Kept()
    try:
        async with asyncio.timeout(for_s), client(url, **how) as one:  # type: ignore[arg-type]
            await one.open()
            await one.play(kept)
    except TimeoutError:
        return kept, None
    except RtspError as error:
        return kept, error
    raise AssertionError("play always raises")


@pytest.mark.parametrize("scene", ["plain", "hevc"])
@pytest.mark.parametrize("basic", [False, True])
async def test_pictures_come_whole_and_decode(footage, tmp_path: Path, scene: str, basic: bool) -> None:
    async with camera(footage, scene=scene, basic=basic) as (server, _):
        kept, error = await play(server.url("one"))
    assert error is None
    assert [group.starts_clean for group in kept.groups[:3]] == [True] * 3
    assert {len(group.sizes) for group in kept.groups[:3]} == {25}
    assert all(group.duration_ticks == 90_000 for group in kept.groups[:3])
    assert [b.ticks - a.ticks for a, b in zip(kept.groups, kept.groups[1:3], strict=False)] == [90_000, 90_000][
        : len(kept.groups[1:3])
    ]
    assert kept.tracks[0].video.width == 256
    assert kept.reports
    assert abs(kept.reports[0].camera_us - kept.reports[0].arrived_us) < 1_000_000
    kept.file(tmp_path / "kept.mp4")


async def test_who_watches_gets_each_picture_and_others_wake_rarely(footage, tmp_path: Path) -> None:
    kept = Kept()
    async with camera(footage) as (server, _), client(server.url("one")) as one:
        one.watching = True
        await one.open()
        playing = asyncio.create_task(one.play(kept))
        await asyncio.sleep(2.5)
        assert one.peek() is not None
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    assert len(kept.frames) > 40
    assert [b.ticks - a.ticks for a, b in zip(kept.frames[26:], kept.frames[27:], strict=False)] == [3600] * (
        len(kept.frames) - 27
    )
    data = init_segment(Tracks(video=kept.tracks[0].video))
    first = next(number for number, frame in enumerate(kept.frames) if frame.is_key)
    for number, frame in enumerate(kept.frames[first:]):
        data += frame_fragment(number + 1, frame, base=number * 3600, wall_us=0)
    (tmp_path / "live.mp4").write_bytes(data)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(tmp_path / "live.mp4"), "-f", "null", "-"], capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ("stall,after=1", RtspTimeout, "stream-stalled"),
        ("stall", RtspTimeout, "stream-stalled"),
        ("cut,after=1", RtspClosed, "camera-silent"),
        ("garbage,after=1", RtspGarbage, "camera-garbage"),
        ("unauthorised", RtspUnauthorized, "wrong-password"),
        ("refuse", RtspRefused, "camera-refused"),
    ],
)
async def test_each_fault_ends_with_its_reason(footage, fault: str, error: type, reason: str, tmp_path: Path) -> None:
    async with camera(footage, fault) as (server, _):
        kept, ended = await play(server.url("one"), for_s=8)
    assert isinstance(ended, error)
    assert ended.reason == reason
    if kept.groups:
        kept.file(tmp_path / "kept.mp4")


async def test_a_wrong_password_is_given_up_and_no_password_too(footage) -> None:
    async with camera(footage) as (server, _):
        assert isinstance((await play(server.url("one"), password="wrong"))[1], RtspUnauthorized)
        with pytest.raises(RtspUnauthorized):
            await RtspClient(server.url("one"), clock=SystemClock()).open()


async def test_loss_is_counted_and_said_of_the_group(footage) -> None:
    async with camera(footage, "loss") as (server, _):
        kept, error = await play(server.url("one"))
    assert error is None
    assert sum(group.lost_packets for group in kept.groups) > 0


async def test_ten_times_the_packets_do_not_grow_memory_or_pictures(footage) -> None:
    async with camera(footage, "flood") as (server, _):
        kept, error = await play(server.url("one"))
    assert error is None or isinstance(error, RtspError)
    assert all(len(group.data) < 24 * 1024 * 1024 for group in kept.groups)


async def test_a_changed_picture_is_announced_before_it_comes(footage, tmp_path: Path) -> None:
    async with camera(footage, "sps-change,after=2") as (server, _):
        kept, error = await play(server.url("one"), for_s=5)
    assert error is None
    assert [(one.video.width, one.video.height) for one in kept.tracks] == [(256, 144), (128, 96)]


async def test_a_wrong_clock_is_reported_and_not_believed(footage) -> None:
    async with camera(footage, "clock-wrong,seconds=3600") as (server, _):
        kept, _ = await play(server.url("one"))
    report = kept.reports[0]
    assert abs(report.camera_us - report.arrived_us - 3_600_000_000) < 1_000_000
    assert all(abs(group.arrived_us - report.arrived_us) < 10_000_000 for group in kept.groups)


async def test_the_password_never_leaves_in_the_address(footage) -> None:
    async with camera(footage) as (server, _):
        url = server.url("one").replace("rtsp://", "rtsp://eye:secret@")
        kept, error = await play(url)
    assert error is None
    assert kept.groups


# odd servers


@asynccontextmanager
async def server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    yield listening.sockets[0].getsockname()[1]
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def answering(*replies: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            request = await reader.readuntil(b"\r\n\r\n")
            sequence = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"cseq"))
            writer.write(reply.replace(b"CSEQ", sequence))
            await writer.drain()
        await asyncio.sleep(5)

    return talk


SDP = b"v=0\r\nm=audio 0 RTP/AVP 0\r\n"


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], RtspError),
        ([b"\x00" * 4000], RtspGarbage),
        ([b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 40_000], RtspGarbage),
        ([b"RTSP/1.0 404 Not Found\r\nCSEQ\r\n\r\n"], RtspRefused),
        ([b"RTSP/1.0 200 OK\r\nCSEQ\r\nContent-Length: 99999999999\r\n\r\n"], RtspError),
        ([b"RTSP/1.0 200 OK\r\nCSEQ\r\nContent-Length: %d\r\n\r\n%s" % (len(SDP), SDP)], RtspGarbage),
        ([b"RTSP/1.0 401 No\r\nCSEQ\r\nWWW-Authenticate: Negotiate\r\n\r\n"], RtspUnauthorized),
        ([b"RTSP/1.0 302 Moved\r\nCSEQ\r\nLocation: http://elsewhere.invalid/\r\n\r\n"], RtspError),
        ([b""], RtspTimeout),
    ],
)
async def test_odd_answers_end_with_an_error_of_ours(replies: list[bytes], error: type) -> None:
    async with server(answering(*replies)) as port:
        with pytest.raises(error):
            async with client(f"rtsp://127.0.0.1:{port}/x") as one:
                await one.open()


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "rtsp:///x", "rtsp://127.0.0.1:1/x", "nonsense"])
async def test_addresses_that_lead_nowhere(url: str) -> None:
    with pytest.raises(RtspError):
        async with client(url) as one:
            await one.open()


async def test_a_redirect_is_followed_and_a_circle_is_not(footage) -> None:
    async with camera(footage) as (cameras, _):
        moved = b"RTSP/1.0 301 Moved\r\nCSEQ\r\nLocation: " + cameras.url("one").encode() + b"\r\n\r\n"
        async with server(answering(moved)) as port, client(f"rtsp://127.0.0.1:{port}/x") as one:
            assert (await one.open()).video.width == 256

        async def circle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await answering(b"RTSP/1.0 301 Moved\r\nCSEQ\r\nLocation: rtsp://127.0.0.1:%d/x\r\n\r\n" % here)(
                reader, writer
            )

        async with server(circle) as here:
            with pytest.raises(RtspError):
                async with client(f"rtsp://127.0.0.1:{here}/x") as one:
                    await one.open()


async def through(port: int, crumbs: int, tls: ssl.SSLContext | None = None) -> Talk:
    """A go-between that hands the camera's bytes on in crumbs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)

        async def up() -> None:
            while data := await reader.read(4096):
                forth.write(data)

        upward = asyncio.create_task(up())
        try:
            while data := await back.read(65536):
                for at in range(0, len(data), crumbs):
                    writer.write(data[at : at + crumbs])
                    await writer.drain()
        finally:
            upward.cancel()
            forth.close()

    return talk


async def test_bytes_in_crumbs_give_the_same_pictures(footage, tmp_path: Path) -> None:
    async with camera(footage) as (cameras, _):
        port = int(cameras.url("one").split(":")[2].split("/")[0])
        async with server(await through(port, 37)) as between:
            kept, error = await play(f"rtsp://127.0.0.1:{between}/one/main", for_s=4)
    assert error is None
    assert len(kept.groups) >= 2
    kept.file(tmp_path / "kept.mp4")


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2036)).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_rtsps_is_recorded_and_a_certificate_nobody_knows_is_refused(footage, tmp_path: Path) -> None:
    async with camera(footage) as (cameras, _):
        port = int(cameras.url("one").split(":")[2].split("/")[0])
        async with server(await through(port, 4096), self_signed(tmp_path)) as secure:
            url = f"rtsps://127.0.0.1:{secure}/one/main"
            kept, error = await play(url, for_s=4, tls_verify=False)
            assert error is None
            assert len(kept.groups) >= 2
            kept.file(tmp_path / "kept.mp4")
            with pytest.raises(RtspClosed):
                await client(url).open()


def stream_sdp() -> bytes:
    """A picture whose parameter sets come in band, and sound."""
    return (
        b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:v\r\n"
        b"m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:a\r\n"
    )


def speaking(steps: Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[bytes]]) -> Talk:
    """A camera that answers each request with what `steps(method, headers, writer)` returns."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            reply = await steps(lines[0].split()[0], headers, writer)
            writer.write(reply.replace(b"CSEQ", b"CSeq: " + headers["cseq"].encode()))
            await writer.drain()

    return talk


def plain_reply(method: str, *more: bytes) -> bytes:
    body = stream_sdp() if method == "DESCRIBE" else b""
    lines = [b"RTSP/1.0 200 OK", b"CSEQ", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def rtp_picture(channel: int, number: int, nal: bytes, marker: bool = True) -> bytes:
    head = bytes((0x80, 96 | 0x80 * marker)) + number.to_bytes(2, "big") + (number * 3600).to_bytes(4, "big") + bytes(4)
    return b"$" + bytes((channel,)) + (len(head) + len(nal)).to_bytes(2, "big") + head + nal


async def test_the_channels_that_the_camera_gives_are_the_ones_that_count(footage) -> None:
    async def steps(method: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        if method == "SETUP":
            given = b"6-7" if "interleaved=0" in headers["transport"] else b"8-9"
            return plain_reply(method, b"Session: 1", b"Transport: RTP/AVP/TCP;unicast;interleaved=" + given)
        if method == "PLAY":
            pictures = [*footage["plain"].parameter_sets, b"\x65" + bytes(50), b"\x41" + bytes(50), b"\x65" + bytes(50)]
            sent = b"".join(rtp_picture(6, number, nal, marker=number > 1) for number, nal in enumerate(pictures))
            sound = rtp_picture(8, 1, b"sound" * 10)
            return plain_reply(method) + sound + sent + sound
        return plain_reply(method)

    async with server(speaking(steps)) as port:
        kept, _ = await play(f"rtsp://127.0.0.1:{port}/x", for_s=3)
    assert len(kept.groups) == 2
    assert kept.groups[0].audio is not None


async def test_a_camera_that_sends_everything_but_pictures_has_stalled() -> None:
    async def steps(method: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        if method == "PLAY":

            async def chatter() -> None:
                with contextlib.suppress(ConnectionError):
                    for number in range(200):
                        writer.write(rtp_picture(2, number, b"sound" * 30))
                        await asyncio.sleep(0.05)

            chatters.append(asyncio.create_task(chatter()))
        return plain_reply(method, b"Session: 1")

    chatters: list[asyncio.Task[None]] = []
    async with server(speaking(steps)) as port:
        _, error = await play(f"rtsp://127.0.0.1:{port}/x", for_s=6)
    assert isinstance(error, RtspTimeout)
    for one in chatters:
        one.cancel()


def between_key_pictures(footage: Footage, count: int, chatters: list[asyncio.Task[None]]) -> Talk:
    """A camera that begins in the middle of a long group: `count` pictures, twenty a second, before a key picture."""
    key, other = b"\x65" + bytes(50), b"\x41" + bytes(50)

    async def chatter(writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            for number, nal in enumerate([*footage.parameter_sets, *[other] * count, key, other, key, other]):
                writer.write(rtp_picture(0, number, nal))
                await asyncio.sleep(0.05)

    async def steps(method: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        if method == "PLAY":
            chatters.append(asyncio.create_task(chatter(writer)))
        return plain_reply(method, b"Session: 1")

    return speaking(steps)


async def test_a_camera_that_begins_in_the_middle_of_a_long_group_is_waited_for(footage) -> None:
    chatters: list[asyncio.Task[None]] = []
    async with server(between_key_pictures(footage["plain"], 50, chatters)) as port:
        kept, _ = await play(f"rtsp://127.0.0.1:{port}/x", for_s=6, stall_s=1.5)
        await asyncio.gather(*chatters)
    assert [len(group.sizes) for group in kept.groups] == [2, 2]


async def test_a_camera_without_any_key_picture_is_not_waited_for_without_end(
    footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svidok.media.rtsp_vigil.KEY_WAIT_S", 2.0)
    chatters: list[asyncio.Task[None]] = []
    async with server(between_key_pictures(footage["plain"], 400, chatters)) as port:
        _, error = await play(f"rtsp://127.0.0.1:{port}/x", for_s=15, stall_s=1.5)
        for one in chatters:
            one.cancel()
    assert isinstance(error, RtspTimeout)
    assert "no key picture" in str(error)


async def test_a_picture_without_end_ends_the_stream() -> None:
    async def steps(method: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        if method == "PLAY":
            whole = rtp_picture(0, 0, b"\x65" + bytes(60_000))[:-1]
            one = whole[:8] + bytes(4) + whole[12:] + b"\0"  # the same instant for ever, never a marker
            sent = b"".join(one[:5] + b"\x60" + (number % 65536).to_bytes(2, "big") + one[8:] for number in range(400))
            return plain_reply(method) + sent
        return plain_reply(method, b"Session: 1")

    async with server(speaking(steps)) as port:
        _, error = await play(f"rtsp://127.0.0.1:{port}/x", for_s=8, stall_s=5.0)
    assert isinstance(error, RtspGarbage)


@pytest.mark.parametrize("again", [True, False])
async def test_a_nonce_that_ran_out_is_not_a_wrong_password(again: bool) -> None:
    """It forgets to say `stale`; a password that it took before is tried once more, and no oftener."""
    asked: list[str] = []

    async def steps(method: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        asked.append(method)
        fresh = b"second" if method == "SETUP" else b"first"
        if b'nonce="%s"' % fresh in headers.get("authorization", "").encode() and (again or method == "DESCRIBE"):
            return plain_reply(method, b"Session: 1")
        return b'RTSP/1.0 401 No\r\nCSEQ\r\nWWW-Authenticate: Digest realm="r", nonce="%s"\r\n\r\n' % fresh

    async with server(speaking(steps)) as port, client(f"rtsp://127.0.0.1:{port}/x") as one:
        await one.open()
        if again:
            assert await one._setup(f"rtsp://127.0.0.1:{port}/x/v", 0) == 0
        else:
            with pytest.raises(RtspUnauthorized):
                await one._setup(f"rtsp://127.0.0.1:{port}/x/v", 0)
    assert asked[:2] == ["DESCRIBE", "DESCRIBE"]
    assert 2 <= asked.count("SETUP") <= 3


@pytest.mark.parametrize(
    "location", ["rtsp://localhost:1/x", "rtsp://elsewhere.invalid/x", "rtsp://[::1", "rtsp://127.0.0.1:99999/x"]
)
async def test_a_redirect_never_carries_the_password_elsewhere(location: str) -> None:
    moved = b"RTSP/1.0 302 Moved\r\nCSEQ\r\nLocation: " + location.encode() + b"\r\n\r\n"
    async with server(answering(moved)) as port:
        with pytest.raises((RtspRefused, RtspGarbage)):
            async with client(f"rtsp://127.0.0.1:{port}/x") as one:
                await one.open()


async def test_a_redirect_never_leaves_tls(tmp_path: Path) -> None:
    moved = b"RTSP/1.0 302 Moved\r\nCSEQ\r\nLocation: rtsp://127.0.0.1:1/x\r\n\r\n"
    async with server(answering(moved), tls=self_signed(tmp_path)) as port:
        with pytest.raises(RtspRefused, match="register that address"):
            async with client(f"rtsps://127.0.0.1:{port}/x", tls_verify=False) as one:
                await one.open()
