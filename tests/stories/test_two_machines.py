"""Footage that lies on another machine is played, exported, proved and thumbed; that machine dies, and we are told."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from svidok.base import NotFound, Span, SystemClock, Unavailable, new_id
from svidok.bus import Bus
from svidok.db import Database
from svidok.ledger import Log, sequence_once
from svidok.ledger.signer import FileSigner
from svidok.media.frames import probe
from svidok.recording import export, playback, reach
from svidok.recording.reach import FootageAsked, FootageGiven, Reach, asking, subject_of
from svidok.recording.reading import segments_between
from svidok.recording.thumbnails import Thumbnails
from svidok.recording.timeline import timeline
from svidok.recording.verifying import verify_export
from svidok.simulate import CameraServer, SimulatedCamera
from svidok.simulate.packets import load_footage
from svidok.simulate.scenes import Scene, prepare
from svidok.simulate.sound import make_sound

# As root no user namespace: PostgreSQL's socket belongs to a user of its own, whom only the true root may pass by.
APART = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
SCRIPT = Path(__file__).parent / "recorder_process.py"


async def until(true: Callable[[], object], wait_s: float = 40) -> None:
    for _ in range(int(wait_s * 10)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen in time")


def sealed(database: Database, channel_id: UUID) -> int:
    with database.transaction() as tx:
        query = "SELECT count(*) AS n FROM recording.segment WHERE channel_id = %(c)s AND state = 'sealed'"
        return int(tx.one(query, c=channel_id)["n"])


@pytest.fixture
async def camera_url(scratch: Path) -> AsyncIterator[str]:
    scenes = prepare(
        [Scene(name="machines", width=320, height=180, length_s=4.0, kbit_s=200)], scratch / "machines", processes=1
    )
    footage = load_footage(scenes["machines"])
    server = CameraServer([SimulatedCamera(name="yard", main=footage, sound=make_sound("aac"))])
    port = await server.start()
    yield f"rtsp://127.0.0.1:{port}/yard/main"
    await server.close()


def start(told: dict[str, Any], log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(SCRIPT), json.dumps(told)]
    with log.open("ab") as out:
        return subprocess.Popen([*APART, *command] if told["far"] else command, stdout=out, stderr=out)


@pytest.mark.timeout(150)
async def test_footage_on_another_machine_is_read_over_the_bus_until_that_machine_dies(
    database: Database, database_url: str, nats_url: str, camera_url: str, tmp_path: Path
) -> None:
    if subprocess.run([*APART, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives nobody a file system of their own")
    near, far = new_id(), new_id()
    processes = []
    for node, channel in (("near", near), ("far.example ua", far)):
        (tmp_path / node).mkdir()
        told = {
            "database_url": database_url, "bus_url": nats_url, "data": str(tmp_path / node), "node": node,
            "streams": [(str(channel), camera_url)], "far": channel == far,
        }  # fmt: skip
        processes.append(start(told, tmp_path / f"{node}.log"))
    bus = await Bus.connect(nats_url, "hub")
    try:
        sees = Reach(asking(bus, asyncio.get_running_loop()))
        await until(lambda: sealed(database, near) >= 2 and sealed(database, far) >= 2)
        assert list((tmp_path / "near").rglob("*.mp4"))
        assert not list((tmp_path / "far.example ua").rglob("*")), "its disk is not ours to see"
        span = await asyncio.to_thread(look, database, near, far, sees, tmp_path)
        await refuse_what_is_no_footage(bus, database, far, span)
        processes[1].kill()
        processes[1].wait()
        await asyncio.to_thread(look_in_vain, database, far, span, sees)
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
        await bus.close()


def look(database: Database, near: UUID, far: UUID, sees: Reach, tmp_path: Path) -> Span:
    """Everything that is read of footage, of both machines."""
    log = Log(tmp_path / "ledger", FileSigner(tmp_path / "keys" / "ledger.pem"), "story.invalid/two")
    while sequence_once(database, log):
        pass
    now = SystemClock().now()
    hour = Span(now - timedelta(hours=1), now)
    for channel_id in (near, far):
        with database.transaction() as tx:
            played = playback.manifest(tx, channel_id, hour, reach=sees)
            first = played.segments[0]
            init = playback.init(tx, channel_id, first.one.segment.id, reach=sees).read()
            last = len(first.fragments) - 1
            media = playback.media(tx, channel_id, first.one.segment.id, first=0, last=last, reach=sees).ensure().read()
        assert (first.one.elsewhere is None) == (channel_id == near)
        assert played.unreachable == ()
        assert probe(init + media).frames > 20
        assert Thumbnails().at(database, channel_id, first.span.start, width=160, reach=sees)[:2] == b"\xff\xd8"
        sealed_ones = [one for one in played.segments if one.one.segment.root is not None]
        span = Span(sealed_ones[0].span.start, sealed_ones[-1].span.end - timedelta(seconds=1))
        with database.transaction() as tx:
            planned = export.plan(tx, channel_id, span, reach=sees)
        mp4 = tmp_path / planned.name
        mp4.write_bytes(b"".join(planned.chunks()))
        assert b"".join(planned.chunks(1000, 300_000)) == mp4.read_bytes()[1000:300_000]
        sidecar = b"".join(export.prove(database, planned, log_folder=log.folder))
        verdict = verify_export(mp4, sidecar, verifier=log.verifier)
        assert (str(verdict.finding), verdict.grounds) == ("proved", ())
    with database.transaction() as tx, pytest.raises(Unavailable):
        export.plan(tx, far, span)  # who asks nobody sees only what is here
    return span


def look_in_vain(database: Database, far: UUID, span: Span, sees: Reach) -> None:
    """Its machine is dead: what exists is still told, and the rest is refused at once and in words."""
    began = SystemClock().monotonic()
    with database.transaction() as tx:
        assert timeline(tx, far, span, reach=sees).recorded[0].span.duration > timedelta(seconds=3)
        played = playback.manifest(tx, far, span, reach=sees)
        assert (played.segments, len(played.unreachable) >= 2) == ((), True)
        for ask in (
            lambda: export.plan(tx, far, span, reach=sees),
            lambda: playback.init(tx, far, played.unreachable[0], reach=sees),
            lambda: Thumbnails().at(database, far, span.start, width=160, reach=sees),
        ):
            with pytest.raises(Unavailable) as caught:
                ask()
            assert (caught.value.code, caught.value.status) == ("footage-unreachable", 503)
        with pytest.raises(NotFound):
            playback.init(tx, far, new_id(), reach=sees)
    assert SystemClock().monotonic() - began < 5


async def refuse_what_is_no_footage(bus: Bus, database: Database, far: UUID, span: Span) -> None:
    """The recorder gives out segments and indices, within bounds, and nothing else."""
    with database.transaction() as tx:
        one = segments_between(tx, far, span)[0]

    async def given(path: str, ranges: list[tuple[int, int]], volume: UUID = one.segment.volume_id) -> FootageGiven:
        body = msgspec.msgpack.encode(FootageAsked(volume, path, ranges))
        return msgspec.msgpack.decode(await bus.request(subject_of(one.node), body), type=FootageGiven)

    whole = await given(one.segment.path, [(0, 8), (4, 4), (10**12, 5)])
    assert (whole.size, [piece[-4:] for piece in whole.pieces]) == (one.segment.size_bytes, [b"ftyp", b"ftyp", b""])
    for path in ("../recorder/plan.mp4", "/etc/passwd", ".svidok-volume", f"x/../../{one.segment.path}", ""):
        assert (await given(path, [(0, 8)])).problem == "this is no footage"
    assert (await given(one.segment.path, [(0, 8)], new_id())).problem == "the volume is not there"
    for ranges in ([(0, reach.MOST_BYTES + 1)], [(0, 1)] * (reach.MOST_RANGES + 1), [(-5, 1)], [(0, -1)]):
        assert (await given(one.segment.path, ranges)).problem == "too much was asked at once"
    assert (
        "question"
        in msgspec.msgpack.decode(await bus.request(subject_of(one.node), b"\xc1"), type=FootageGiven).problem
    )
