"""Choose the depacketiser: C where it was built, plain Python otherwise (or where SVIDOK_PLAIN_PYTHON is set)."""

import importlib
import os
from collections.abc import Callable
from typing import Any, Protocol

from svidok.media.assembler import Assembler, Status, Unit
from svidok.media.model import VideoCodec


class Depacketiser(Protocol):
    """What gathers one camera's packets into groups; see `assembler.Assembler`."""

    watching: bool
    parameters_changed: bool

    @property
    def parameter_sets(self) -> dict[int, bytes]:
        """Parameter sets seen in band, by NAL unit type."""
        ...

    @property
    def gathered(self) -> int:
        """Bytes of the group so far."""
        ...

    @property
    def begun(self) -> bool:
        """Whether a key picture came; what comes before the first is left out."""
        ...

    @property
    def time(self) -> int:
        """The RTP time of the packet that came last."""
        ...

    def feed(self, buffer: memoryview, position: int, end: int) -> tuple[Status, int]:
        """Work through a buffer; why it stopped, and where."""
        ...

    def take(self) -> Unit:
        """The group that `feed` announced."""
        ...

    def last_time(self) -> int:
        """The RTP time of the picture that was completed last."""
        ...

    def last_unit(self) -> tuple[bytes, int, bool]:
        """The picture that was completed last."""
        ...

    def peek(self) -> Unit | None:
        """A copy of the group so far."""
        ...

    def cut(self) -> Unit | None:
        """What was gathered so far."""
        ...


def make_depacketiser(codec: VideoCodec, channel: int) -> Depacketiser:
    """A depacketiser for the video on interleaved `channel`."""
    return _MAKE(codec, channel)


def _load_c() -> Any:
    if os.environ.get("SVIDOK_PLAIN_PYTHON"):
        return None
    try:
        return importlib.import_module("svidok.media._depacketise_c")
    except ImportError:
        return None


_C = _load_c()


class CAssembler:
    """The C depacketiser under the same face."""

    def __init__(self, codec: VideoCodec, channel: int) -> None:
        if _C is None:
            raise ImportError("the C depacketiser is not built")
        self._ffi, self._lib = _C.ffi, _C.lib
        self._hevc = codec == "h265"
        pointer = self._lib.sv_new(self._hevc, channel)
        if pointer == self._ffi.NULL:
            raise MemoryError
        self._c = self._ffi.gc(pointer, self._lib.sv_free)
        self._position = self._ffi.new("size_t *")
        self._buffer: memoryview | None = None
        self._view: Any = None

    @property
    def watching(self) -> bool:
        """Whether `feed` stops at each picture."""
        return bool(self._c.watching)

    @watching.setter
    def watching(self, watched: bool) -> None:
        self._c.watching = watched

    @property
    def lost(self) -> int:
        """Packets that did not come."""
        return int(self._c.lost)

    @property
    def parameters_changed(self) -> bool:
        """Whether a parameter set came that differs from the one before."""
        return bool(self._c.changed)

    @parameters_changed.setter
    def parameters_changed(self, changed: bool) -> None:
        self._c.changed = changed

    @property
    def parameter_sets(self) -> dict[int, bytes]:
        """Parameter sets seen in band, by NAL unit type."""
        first = 32 if self._hevc else 7
        sizes = list(self._c.set_size)
        return {first + i: bytes(self._ffi.buffer(self._c.set[i], size)) for i, size in enumerate(sizes) if size}

    @property
    def gathered(self) -> int:
        """Bytes of the group so far."""
        return int(self._c.now.used)

    @property
    def begun(self) -> bool:
        """Whether a key picture came; what comes before the first is left out."""
        return bool(self._c.started)

    @property
    def time(self) -> int:
        """The RTP time of the packet that came last."""
        return int(self._c.unit_time)

    def feed(self, buffer: memoryview, position: int, end: int) -> tuple[Status, int]:
        """Work through a buffer; why it stopped, and where."""
        if buffer is not self._buffer:
            self._buffer, self._view = buffer, self._ffi.from_buffer("uint8_t[]", buffer)
        self._position[0] = position
        status = self._lib.sv_feed(self._c, self._view, self._position, end)
        return _STATUS[status], self._position[0]

    def take(self) -> Unit:
        """The group that `feed` announced."""
        out = self._ffi.new("group_t *")
        if not self._lib.sv_take(self._c, out):
            raise LookupError("no group is complete")
        return self._unit(out)

    def last_time(self) -> int:
        """The RTP time of the picture that was completed last."""
        now = self._c.now
        return int(now.times[now.count - 1])

    def last_unit(self) -> tuple[bytes, int, bool]:
        """The picture that was completed last."""
        now = self._c.now
        size = now.sizes[now.count - 1]
        data = bytes(self._ffi.buffer(now.data + (now.used - size), size))
        return data, now.times[now.count - 1], now.count == 1

    def peek(self) -> Unit | None:
        """A copy of the group so far."""
        now = self._c.now
        if not now.count or not now.clean:
            return None
        sizes, times = self._ffi.unpack(now.sizes, now.count), self._ffi.unpack(now.times, now.count)
        return Unit(bytearray(self._ffi.buffer(now.data, sum(sizes))), sizes, times, True, 0)

    def cut(self) -> Unit | None:
        """What was gathered so far."""
        return self.take() if self._lib.sv_cut(self._c) else None

    def _unit(self, out: Any) -> Unit:
        sizes, times = self._ffi.unpack(out.sizes, out.count), self._ffi.unpack(out.times, out.count)
        clean, lost = bool(out.clean), out.lost
        self._lib.sv_drop_tables(out)
        owned = self._ffi.gc(out.data, self._lib.sv_drop_data, out.room)
        return Unit(memoryview(self._ffi.buffer(owned, out.used)), sizes, times, clean, lost)


_STATUS = tuple(Status)
_MAKE: Callable[[VideoCodec, int], Depacketiser] = CAssembler if _C is not None else Assembler
IS_C = _C is not None
