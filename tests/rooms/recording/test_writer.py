"""The threads that write, on a real disk: what they ask of it, and what they give back."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from svidok.base import new_id
from svidok.ledger import leaf_hash, root_of
from svidok.media.model import Group
from svidok.recording.idx import index_path, read
from svidok.recording.recovery import repair
from svidok.recording.room_ahead import AHEAD_BYTES, ask_ahead
from svidok.recording.volumes import MARKER
from svidok.recording.writer import AppendJob, Closed, CloseJob, OpenJob, WriterPool, Written

PAGE = os.sysconf("SC_PAGE_SIZE")


def on_disk(path: Path) -> int:
    """Bytes of the disk that a file takes."""
    return path.stat().st_blocks * 512


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[], OpenJob]:
    (tmp_path / MARKER).write_text(f"{new_id()}\n")
    if not _gives_ahead(tmp_path):
        pytest.skip("this file system gives no room ahead")

    def job() -> OpenJob:
        segment, channel = new_id(), new_id()
        path = tmp_path / str(channel) / "2026-11-25" / f"120000-{segment}.mp4"
        return OpenJob(
            segment_id=segment, channel_id=channel, recording_id=new_id(), volume_id=UUID(int=1), root=tmp_path,
            path=path, init=b"init" * 100,
        )  # fmt: skip

    return job


def _gives_ahead(folder: Path) -> bool:
    probe = folder / "probe"
    with probe.open("wb") as file:
        given = ask_ahead(file.fileno(), 0, PAGE)
    probe.unlink()
    return given


def fragment_of(opened: OpenJob, data: bytes, number: int) -> AppendJob:
    group = Group(
        data=data, sizes=[len(data)], durations=[90_000], offsets=None, ticks=0, arrived_us=0, starts_clean=True,
        lost_packets=0,
    )  # fmt: skip
    return AppendJob(
        segment_id=opened.segment_id, volume_id=opened.volume_id, group=group, buffers=[b"head", data],
        size=4 + len(data), start_us=number * 1_000_000, duration_us=1_000_000, flags=1,
    )  # fmt: skip


def test_a_closed_segment_takes_no_more_of_the_disk_than_its_bytes(begin: Callable[[], OpenJob]) -> None:
    opened = begin()
    parts = [os.urandom(300_001), os.urandom(AHEAD_BYTES + 77), os.urandom(5), os.urandom(700_000)]
    pool = WriterPool(threads=1)
    for number, job in enumerate([opened, *parts]):
        pool.submit(opened.channel_id, job if isinstance(job, OpenJob) else fragment_of(opened, job, number))
    pool.submit(opened.channel_id, CloseJob(segment_id=opened.segment_id))
    pool.stop()
    results = list(pool.results)
    assert [type(result) for result in results] == [Written] * 4 + [Closed]
    whole = opened.init + b"".join(b"head" + part for part in parts)
    assert opened.path.read_bytes() == whole
    leaves = [leaf_hash(opened.init), *(leaf_hash(b"head" + part) for part in parts)]
    assert isinstance(results[-1], Closed)
    assert results[-1].root == root_of(leaves)
    assert read(index_path(opened.path)).leaves == leaves
    assert on_disk(opened.path) <= len(whole) + 16 * PAGE


def test_room_that_a_dead_recorder_had_asked_for_is_given_back_by_the_repair(
    begin: Callable[[], OpenJob], clip, tmp_path: Path
) -> None:
    """A process that dies with a segment open: its file is as long as what was synced, and takes more of the disk."""
    opened = begin()
    clip.write(tmp_path / "made.mp4", start_us=1_000_000_000, count=2)
    opened.path.parent.mkdir(parents=True)
    whole = (tmp_path / "made.mp4").read_bytes()
    dies = (
        "import os, sys; from svidok.recording.room_ahead import AHEAD_BYTES, ask_ahead\n"
        "file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "assert ask_ahead(file, 0, AHEAD_BYTES)\n"
        "os.write(file, open(sys.argv[2], 'rb').read()); os.fdatasync(file); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", dies, str(opened.path), str(tmp_path / "made.mp4")], check=False)
    assert done.returncode == -9
    assert opened.path.stat().st_size == len(whole)
    assert on_disk(opened.path) >= AHEAD_BYTES
    repaired = repair(opened.path, aside=tmp_path / "aside")
    assert repaired is not None
    assert (repaired.size, repaired.torn, len(repaired.index.records)) == (len(whole), 0, 2)
    assert opened.path.read_bytes() == whole
    assert on_disk(opened.path) <= len(whole) + 16 * PAGE
