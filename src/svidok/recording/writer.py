"""The threads that put footage on disk: write, sync, hash, and only then enter it in the index.

Each channel belongs to one thread, so its writes keep their order; each thread
serves many channels, so that there is never a thread per camera. The event
loop hands over buffers and reads results from a queue when it has time.
Nothing here knows cameras.
"""

import contextlib
import errno
import hashlib
import mmap
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from svidok.base.disk import sync_folder
from svidok.ledger import root_of
from svidok.media.model import Group
from svidok.recording.idx import IndexHeader, IndexRecord, index_path
from svidok.recording.room_ahead import AHEAD_BYTES, ask_ahead, give_back
from svidok.recording.volumes import is_there

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """Begin a segment file with its init segment."""

    segment_id: UUID
    channel_id: UUID
    recording_id: UUID
    volume_id: UUID
    root: Path
    path: Path
    init: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendJob:
    """Add one fragment. `group` is what it was made of, for another try on another disk.

    `sync` is false only where losing it costs nothing (it is cut from a file that is kept): then all of the segment
    is synced once, before it is told as closed, and whoever asked gives it its name only then.
    """

    segment_id: UUID
    volume_id: UUID
    group: Group
    buffers: Sequence[Buffer]
    size: int
    start_us: int
    duration_us: int
    flags: int
    sync: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseJob:
    """End the segment: it is whole."""

    segment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A fragment is on disk and synced."""

    segment_id: UUID
    size: int
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A segment is whole: its size, its span, and the Merkle root over its leaves."""

    segment_id: UUID
    size: int
    start_us: int
    end_us: int
    fragments: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The disk refused. What could not be written is given back."""

    segment_id: UUID
    volume_id: UUID
    error: OSError
    lost: tuple[AppendJob, ...]
    closed: "Closed | None"


Job = OpenJob | AppendJob | CloseJob
Result = Written | Closed | Failed


@dataclass(slots=True)
class _OpenFile:
    """A segment file that is being written."""

    job: OpenJob
    media: int
    index: int
    size: int = 0
    room: int = 0
    records: list[IndexRecord] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    failed: bool = False
    late: bool = False  # it has fragments that were not synced one by one

    def closed(self) -> Closed | None:
        if not self.records:
            return None
        return Closed(
            segment_id=self.job.segment_id,
            size=self.size,
            start_us=self.records[0].start_us,
            end_us=self.records[-1].end_us,
            fragments=len(self.records),
            root=root_of(self.leaves),
        )


class WriterPool:
    """A few threads that write. `submit` never blocks; `results` is emptied by the event loop."""

    def __init__(self, threads: int = 3, wake: Callable[[], None] | None = None) -> None:
        self.results: deque[Result] = deque()
        self._wake = wake
        self._queues: list[queue.SimpleQueue[Job | None]] = [queue.SimpleQueue() for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._work, args=(own,), name=f"writer-{number}", daemon=True)
            for number, own in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, channel_id: UUID, job: Job) -> None:
        """Queue `job` behind the others of its channel."""
        self._queues[channel_id.int % len(self._queues)].put(job)

    def stop(self) -> None:
        """Write what is queued, then end the threads."""
        for own in self._queues:
            own.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, jobs: "queue.SimpleQueue[Job | None]") -> None:
        files: dict[UUID, _OpenFile] = {}
        while (job := jobs.get()) is not None:
            result = self._do(files, job)
            if result is not None:
                self.results.append(result)
                if self._wake is not None and not isinstance(result, Written):
                    self._wake()
        for file in files.values():
            _close(file)

    def _do(self, files: dict[UUID, _OpenFile], job: Job) -> Result | None:
        if isinstance(job, OpenJob):
            try:
                files[job.segment_id] = _open(job)
            except OSError as error:
                return Failed(segment_id=job.segment_id, volume_id=job.volume_id, error=error, lost=(), closed=None)
            return None
        file = files.get(job.segment_id)
        if isinstance(job, CloseJob):
            if file is None:
                return None
            del files[job.segment_id]
            try:
                _sync_late(file)
            except OSError as error:
                file.failed = True
                _close(file)
                return Failed(
                    segment_id=job.segment_id, volume_id=file.job.volume_id, error=error, lost=(), closed=None
                )
            _close(file)
            return None if file.failed else file.closed()
        if file is None or file.failed:
            return _given_back(job)
        try:
            return _append(file, job)
        except OSError as error:
            return _fail(file, job, error)


def _open(job: OpenJob) -> _OpenFile:
    folder = job.path.parent
    if not is_there(job.root):
        raise OSError(errno.ENODEV, "the volume is not mounted", str(job.root))
    if not folder.exists():
        folder.mkdir(parents=True)
        sync_folder(folder.parent)
        sync_folder(folder.parent.parent)
    media = os.open(job.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        index = os.open(index_path(job.path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    except OSError:
        os.close(media)
        raise
    file = _OpenFile(job, media, index)
    try:
        init_hash = hashlib.sha256(b"\x00" + job.init).digest()
        _write_all(media, [job.init])
        header = IndexHeader(
            segment_id=job.segment_id,
            channel_id=job.channel_id,
            recording_id=job.recording_id,
            init_hash=init_hash,
            init_size=len(job.init),
        )
        _write_all(index, [header.pack()])
        sync_folder(folder)
    except OSError:
        _close(file)
        raise
    file.size = len(job.init)
    file.leaves.append(init_hash)
    return file


def _append(file: _OpenFile, job: AppendJob) -> Written:
    """Bytes first, synced; then the index record that speaks of them."""
    digest = hashlib.sha256(b"\x00")
    for buffer in job.buffers:  # before they are written: the kernel then copies what the processor still holds
        digest.update(buffer)
    _make_room(file, file.size + job.size)
    _write_all(file.media, job.buffers)
    os.fdatasync(file.media)
    _forget(file.media, file.size, file.size + job.size)
    record = IndexRecord(
        offset=file.size,
        size=job.size,
        start_us=job.start_us,
        duration_us=job.duration_us,
        flags=job.flags,
        leaf_hash=digest.digest(),
    )
    _write_all(file.index, [record.pack()])
    file.size += job.size
    file.records.append(record)
    file.leaves.append(record.leaf_hash)
    return Written(segment_id=job.segment_id, size=job.size, end_us=record.end_us)


def _make_room(file: _OpenFile, end: int) -> None:
    """Have room up to `end`; where the disk gives none ahead, it is not asked again: the write itself will tell."""
    if end > file.room:
        size = max(AHEAD_BYTES, end - file.size)
        file.room = file.size + size if ask_ahead(file.media, file.size, size) else sys.maxsize


def _forget(handle: int, begin: int, end: int) -> None:
    """Let the kernel drop what is synced. The page that is not full yet stays, or it would be read back at once."""
    begin, end = begin & -mmap.PAGESIZE, end & -mmap.PAGESIZE
    if begin < end:
        os.posix_fadvise(handle, begin, end - begin, os.POSIX_FADV_DONTNEED)


def _sync_late(file: _OpenFile) -> None:
    """Sync what was not synced fragment by fragment."""
    if file.late and not file.failed:
        os.fdatasync(file.media)
        os.posix_fadvise(file.media, 0, 0, os.POSIX_FADV_DONTNEED)


def _fail(file: _OpenFile, job: AppendJob, error: OSError) -> Failed:
    """Cut off what was half written; what was whole before stays, and is sealed."""
    file.failed = True
    with contextlib.suppress(OSError):  # the disk is gone: the start-up check cuts the tail when it is back
        os.ftruncate(file.media, file.size)
    return Failed(
        segment_id=job.segment_id, volume_id=file.job.volume_id, error=error, lost=(job,), closed=file.closed()
    )


def _given_back(job: AppendJob) -> Failed:
    """A fragment that came after its file had failed."""
    error = OSError(0, "the segment had failed before")
    return Failed(segment_id=job.segment_id, volume_id=job.volume_id, error=error, lost=(job,), closed=None)


def _close(file: _OpenFile) -> None:
    with contextlib.suppress(OSError):  # a disk that is gone keeps it until the start-up check
        if file.room:
            give_back(file.media, file.size)
    for handle in (file.media, file.index):
        with contextlib.suppress(OSError):  # what was whole was synced before; the rest is rebuilt
            os.fdatasync(handle)
        os.close(handle)


def _write_all(handle: int, buffers: Sequence[Buffer]) -> None:
    left = [memoryview(buffer) for buffer in buffers if len(buffer)]
    while left:
        written = os.writev(handle, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left and written:
            left[0] = left[0][written:]
