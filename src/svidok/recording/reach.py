"""Bytes of footage that lies on another machine: asked of its recorder over the bus, a bounded piece at a time.

A volume is *here* where its folder bears its marker; its files are then read
as files, and nothing of this module is used. Elsewhere, the recorder of that
machine answers. Who may see footage was decided, and written down, before
anybody comes here; the bus lets in nobody without its password, and the
recorder gives nothing out but segments and their indices.
"""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from uuid import UUID

import msgspec

from svidok.base import Unavailable
from svidok.bus import Bus
from svidok.recording.idx import SUFFIX
from svidok.recording.volumes import bears

MOST_BYTES = 1024 * 1024  # in one answer; the bus itself takes 8 MiB
MOST_RANGES = 512
_SUFFIXES = {".mp4", SUFFIX}

Ask = Callable[[str, bytes], bytes]
Range = tuple[int, int]


class FootageAsked(msgspec.Struct, array_like=True):
    """Ranges (offset, size) of one file of a volume, `path` relative to it; a size of zero asks for its length only."""

    volume: UUID
    path: str
    ranges: list[Range]


class FootageGiven(msgspec.Struct, array_like=True):
    """The pieces, each as long as was asked or as far as the file goes; `size` of the file. Or a problem in words."""

    size: int = 0
    pieces: list[bytes] = []
    problem: str = ""


def subject_of(node: str) -> str:
    """Where the recorder of `node` answers. A node may be called anything; a subject may not."""
    return f"footage.read.{hashlib.sha256(node.encode()).hexdigest()[:20]}"


@dataclass(slots=True)
class RemoteVolume:
    """A volume of another machine. Once its recorder did not answer it is not asked again by this object."""

    ask: Ask
    node: str
    id: UUID
    _down: str = field(default="")

    def read(self, path: str, ranges: Sequence[Range]) -> FootageGiven:
        """Ask once. Raises `OSError` where there is no answer, or the file cannot be read there."""
        if self._down:
            raise OSError(self._down)
        try:
            body = msgspec.msgpack.encode(FootageAsked(self.id, path, list(ranges)))
            given = msgspec.msgpack.decode(self.ask(subject_of(self.node), body), type=FootageGiven)
        except (Unavailable, msgspec.MsgspecError, TimeoutError) as error:
            self._down = f"the recorder on {self.node} does not answer"
            raise OSError(self._down) from error
        if given.problem:
            raise OSError(f"on {self.node}: {given.problem}")
        return given

    def file(self, path: str) -> "RemoteFile":
        """One file of it."""
        return RemoteFile(self, path)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of another machine. Every method raises `OSError` where it cannot be read."""

    volume: RemoteVolume
    path: str

    def size(self) -> int:
        """Its length in bytes."""
        return self.volume.read(self.path, [(0, 0)]).size

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, or as many as there are."""
        pieces = list(self.read_many([(at, min(MOST_BYTES, offset + size - at))
                                      for at in range(offset, offset + size, MOST_BYTES)]))  # fmt: skip
        return b"".join(pieces)

    def read_many(self, ranges: Sequence[Range]) -> Iterator[bytes]:
        """A piece for each of `ranges`, as few questions as can be; none of them longer than `MOST_BYTES`."""
        for batch in batches(ranges):
            given = self.volume.read(self.path, batch)
            if len(given.pieces) != len(batch):
                raise OSError(f"on {self.volume.node}: an answer to another question")
            yield from given.pieces

    def whole(self) -> bytes:
        """All of it; meant for index files."""
        return self.read(0, self.size())


class Reach:
    """How far this process sees: only its own disks, or through `ask` those of every recorder."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask

    def elsewhere(self, *, volume_id: UUID, root: Path, node: str) -> RemoteVolume | None:
        """The volume as one of another machine; nothing where it is here, or where nobody can be asked."""
        if self._ask is None or bears(root, volume_id):
            return None
        return RemoteVolume(self._ask, node, volume_id)


HERE = Reach()


def asking(bus: Bus, loop: asyncio.AbstractEventLoop, *, timeout_s: float = 4.0) -> Ask:
    """Asks over `bus` from a thread that is not the event loop's. Raises `Unavailable`."""

    def ask(subject: str, body: bytes) -> bytes:
        request = asyncio.run_coroutine_threadsafe(bus.request(subject, body, timeout_s=timeout_s), loop)
        return request.result(timeout_s + 1.0)

    return ask


def batches(ranges: Sequence[Range]) -> Iterator[list[Range]]:
    """`ranges` in their order, cut into what one answer may hold. Pure.

    >>> [len(batch) for batch in batches([(0, 600_000), (600_000, 400_000), (0, 100_000)])]
    [2, 1]
    """
    batch: list[Range] = []
    held = 0
    for offset, size in ranges:
        if batch and (held + size > MOST_BYTES or len(batch) == MOST_RANGES):
            yield batch
            batch, held = [], 0
        batch.append((offset, size))
        held += size
    if batch:
        yield batch


# the recorder's side


async def answer_from(bus: Bus, node: str, root_of: Callable[[UUID], Path | None]) -> Callable[[], Awaitable[None]]:
    """Answer for the volumes of `node`, one question after the other, in a thread; a function that ends it."""

    async def answer(_subject: str, body: bytes) -> bytes:
        given = await asyncio.to_thread(give, body, root_of)
        return msgspec.msgpack.encode(given)

    return await bus.subscribe(subject_of(node), answer)


def give(body: bytes, root_of: Callable[[UUID], Path | None]) -> FootageGiven:
    """The answer to one question: never more than its bounds, never anything but segments and indices."""
    try:
        asked = msgspec.msgpack.decode(body, type=FootageAsked)
    except msgspec.MsgspecError:
        return FootageGiven(problem="the question cannot be read")
    total = sum(size for _, size in asked.ranges)
    if len(asked.ranges) > MOST_RANGES or total > MOST_BYTES or any(min(one) < 0 for one in asked.ranges):
        return FootageGiven(problem="too much was asked at once")
    root = root_of(asked.volume)
    if root is None or not bears(root, asked.volume):
        return FootageGiven(problem="the volume is not there")
    path = PurePosixPath(asked.path)
    if path.is_absolute() or ".." in path.parts or path.suffix not in _SUFFIXES:
        return FootageGiven(problem="this is no footage")
    return _read(root, root / path, asked.ranges)


def _read(root: Path, path: Path, ranges: list[Range]) -> FootageGiven:
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return FootageGiven(problem="this is no footage")
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        return FootageGiven(problem=os.strerror(error.errno or 0))
    try:
        pieces = [os.pread(handle, size, offset) for offset, size in ranges]
        return FootageGiven(size=os.fstat(handle).st_size, pieces=pieces)
    except OSError as error:
        return FootageGiven(problem=os.strerror(error.errno or 0))
    finally:
        os.close(handle)
