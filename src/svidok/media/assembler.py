"""Interleaved RTP to pictures, in plain Python: H.264 (RFC 6184) and H.265 (RFC 7798).

This is the reference; `_depacketise.c` does the same faster where it was
built, and the tests hold the two against each other. Both work through one
buffer of RTSP-interleaved frames (RFC 2326, section 10.12) and stop at
whatever the caller must see: a picture, a group, a frame of another channel,
a line of text.

Time counts here. A call per packet, a slice and an append are all that a
packet costs; nothing is kept for a packet that is gone.
"""

from enum import IntEnum

from svidok.media.model import VideoCodec

MAX_GROUP_BYTES = 24 * 1024 * 1024  # past this a group is cut: a camera must not eat the machine
MAX_GROUP_SAMPLES = 1200
MAX_PICTURE_BYTES = 16 * 1024 * 1024  # past this a picture has no end, and its camera sends no video
_RESTART, _LATE = 3000, 100  # RFC 3550, A.1: MAX_DROPOUT and MAX_MISORDER, in packets


class Status(IntEnum):
    """Why `feed` came back."""

    MORE = 0  # all that is whole has been taken
    OTHER = 1  # a whole frame of another channel lies at the position
    TEXT = 2  # what lies at the position is not an interleaved frame
    UNIT = 3  # a picture is complete (only while watching)
    GROUP = 4  # a group is complete; `take` it
    ENDLESS = 5  # a picture grew past MAX_PICTURE_BYTES; nothing sensible comes from here


class Unit:
    """The group as `take` hands it over: bytes, sizes, RTP times, and what befell it."""

    __slots__ = ("data", "lost", "sizes", "starts_clean", "times")

    def __init__(
        self, data: bytearray | memoryview, sizes: list[int], times: list[int], starts_clean: bool, lost: int
    ) -> None:
        self.data = data
        self.sizes = sizes
        self.times = times
        self.starts_clean = starts_clean
        self.lost = lost


class Assembler:
    """Gathers the pictures of one camera's video channel into groups."""

    def __init__(self, codec: VideoCodec, channel: int) -> None:
        self.channel = channel
        self.watching = False
        self.parameter_sets: dict[int, bytes] = {}
        self.parameters_changed = False
        self.lost = 0
        self._payload = self._payload_h264 if codec == "h264" else self._payload_h265
        self._key_types = frozenset((5,)) if codec == "h264" else frozenset(range(16, 22))
        self._set_types = frozenset((7, 8)) if codec == "h264" else frozenset((32, 33, 34))
        self._shift, self._mask = (0, 31) if codec == "h264" else (1, 63)
        self._data = bytearray()
        self._sizes: list[int] = []
        self._times: list[int] = []
        self._clean = False
        self._group_clean = True
        self._unit_start = 0
        self._unit_time = -1
        self._unit_key = False
        self._nal_key = False
        self._nal_start = -1
        self._held = False
        self._next_sequence = -1
        self._lost_before = 0
        self._ready: Unit | None = None

    @property
    def gathered(self) -> int:
        """Bytes of the group so far."""
        return len(self._data)

    def feed(self, buffer: memoryview, position: int, end: int) -> tuple[Status, int]:
        """Work through `buffer` from `position` to `end`; why it stopped, and where."""
        channel, packet = self.channel, self._packet
        while end - position >= 4:
            if buffer[position] != 0x24:
                return Status.TEXT, position
            stop = position + 4 + (buffer[position + 2] << 8 | buffer[position + 3])
            if stop > end:
                break
            if buffer[position + 1] != channel:
                return Status.OTHER, position
            status = packet(buffer, position + 4, stop)
            if status:
                return status, position if self._held else stop
            position = stop
        endless = len(self._data) - self._unit_start > MAX_PICTURE_BYTES  # once a call, not once a packet
        return Status.ENDLESS if endless else Status.MORE, position

    def take(self) -> Unit:
        """The group that `feed` announced."""
        unit = self._ready
        if unit is None:
            raise LookupError("no group is complete")
        self._ready = None
        return unit

    def last_time(self) -> int:
        """The RTP time of the picture that was completed last."""
        return self._times[-1]

    def last_unit(self) -> tuple[bytes, int, bool]:
        """The picture that was completed last: its bytes, RTP time, and whether it stands by itself."""
        size = self._sizes[-1]
        return bytes(memoryview(self._data)[len(self._data) - size :]), self._times[-1], len(self._sizes) == 1

    def peek(self) -> Unit | None:
        """A copy of the group so far, for somebody who begins to watch now; nothing where that is nothing."""
        if not self._sizes or not self._group_clean:
            return None
        size = sum(self._sizes)
        return Unit(self._data[:size], list(self._sizes), list(self._times), True, 0)

    def cut(self) -> Unit | None:
        """What has been gathered so far, as a group (the stream ends here); nothing where that is nothing."""
        if self._nal_start >= 0 or self._unit_start < len(self._data):
            del self._data[self._unit_start :]
            self._nal_start = -1
        return self._close([]) if self._sizes else None

    def _packet(self, buffer: memoryview, at: int, stop: int) -> Status:
        if stop - at < 12:
            self.lost += 1
            return Status.MORE
        first, marker = buffer[at], buffer[at + 1] & 0x80
        sequence = buffer[at + 2] << 8 | buffer[at + 3]
        time = buffer[at + 4] << 24 | buffer[at + 5] << 16 | buffer[at + 6] << 8 | buffer[at + 7]
        if sequence != self._next_sequence and self._is_late(sequence):
            return Status.MORE
        if time != self._unit_time and self._unit_start < len(self._data):  # the camera forgot the marker
            status = self._end_unit()
            if status:
                self._held = True  # this packet is looked at again: it may end a picture of its own
                return status
        self._held = False
        self._next_sequence = sequence + 1 & 0xFFFF
        at += 12
        if first & 0x3F:  # padding, extension or contributing sources: rare
            at, stop = _skip_header(buffer, at, stop, first)
        self._unit_time = time
        if at < stop:
            self._payload(buffer, at, stop)
        if marker and self._unit_start < len(self._data):
            return self._end_unit()
        return Status.MORE

    def _payload_h264(self, buffer: memoryview, at: int, stop: int) -> None:
        kind = buffer[at] & 31
        if kind == 28:  # FU-A
            if stop - at < 2:
                return
            header = buffer[at + 1]
            if header & 0x80:
                self._begin_nal(header & 31, bytes((buffer[at] & 0xE0 | header & 31,)))
            elif self._nal_start < 0:
                return
            self._data += buffer[at + 2 : stop]
            if header & 0x40:
                self._end_nal()
        elif 1 <= kind <= 23:
            self._whole_nal(kind, buffer[at:stop])
        elif kind == 24:  # STAP-A
            self._aggregate(buffer, at + 1, stop)

    def _payload_h265(self, buffer: memoryview, at: int, stop: int) -> None:
        if stop - at < 3:
            return
        kind = buffer[at] >> 1 & 63
        if kind == 49:  # FU
            header = buffer[at + 2]
            if header & 0x80:
                self._begin_nal(header & 63, bytes((buffer[at] & 0x81 | (header & 63) << 1, buffer[at + 1])))
            elif self._nal_start < 0:
                return
            self._data += buffer[at + 3 : stop]
            if header & 0x40:
                self._end_nal()
        elif kind == 48:  # AP
            self._aggregate(buffer, at + 2, stop)
        elif kind < 48:
            self._whole_nal(kind, buffer[at:stop])

    def _aggregate(self, buffer: memoryview, at: int, stop: int) -> None:
        while stop - at > 2:
            size = buffer[at] << 8 | buffer[at + 1]
            nal = buffer[at + 2 : at + 2 + size]
            if size == 0 or len(nal) != size or at + 2 + size > stop:
                self.lost += 1
                return
            self._whole_nal(nal[0] >> self._shift & self._mask, nal)
            at += 2 + size

    def _whole_nal(self, kind: int, nal: memoryview) -> None:
        if kind in self._set_types:
            self._keep_parameter_set(kind, bytes(nal))
            return
        if kind in self._key_types:
            self._unit_key = True
        self._abandon_nal()
        self._data += len(nal).to_bytes(4, "big")
        self._data += nal

    def _begin_nal(self, kind: int, header: bytes) -> None:
        self._abandon_nal()
        self._nal_key = kind in self._key_types
        self._nal_start = len(self._data)
        self._data += b"\0\0\0\0"
        self._data += header

    def _end_nal(self) -> None:
        start = self._nal_start
        self._data[start : start + 4] = (len(self._data) - start - 4).to_bytes(4, "big")
        self._nal_start = -1
        self._unit_key |= self._nal_key  # only now: a key picture whose end was lost is none

    def _abandon_nal(self) -> None:
        if self._nal_start >= 0:  # its end was lost
            del self._data[self._nal_start :]
            self._nal_start = -1

    def _keep_parameter_set(self, kind: int, nal: bytes) -> None:
        if self.parameter_sets.get(kind) != nal:
            self.parameter_sets[kind] = nal
            self.parameters_changed = True

    def _is_late(self, sequence: int) -> bool:
        """Whether this packet was here before; if not, what is missing before it is counted (RFC 3550, A.1)."""
        if self._next_sequence >= 0:
            ahead = (sequence - self._next_sequence) & 0xFFFF
            if ahead >= 0x10000 - _LATE:
                return True
            self.lost += ahead if ahead < _RESTART else 1  # a camera that counts anew tells nobody what was lost
            self._abandon_nal()
        self._next_sequence = sequence
        return False

    def _end_unit(self) -> Status:
        """A picture is whole. Where it stands by itself, what was gathered before it is a group."""
        self._abandon_nal()
        size = len(self._data) - self._unit_start
        if size == 0:
            return Status.MORE
        status = Status.UNIT if self.watching else Status.MORE
        full = len(self._data) > MAX_GROUP_BYTES or len(self._sizes) >= MAX_GROUP_SAMPLES
        if self._sizes and (self._unit_key or full):
            tail = self._data[self._unit_start :]
            del self._data[self._unit_start :]
            self._ready = self._close(tail)
            status = Status.GROUP
        if not self._sizes:
            if not self._unit_key and not self._clean and not full:
                self._data.clear()  # nothing can be decoded before the first key picture
                self._unit_start = 0
                return Status.MORE
            self._clean = True
        self._sizes.append(size)
        self._times.append(self._unit_time)
        self._unit_start = len(self._data)
        self._unit_key = False
        return status

    def _close(self, tail: bytearray | list[int]) -> Unit:
        lost = self.lost - self._lost_before
        unit = Unit(self._data, self._sizes, self._times, self._group_clean, lost)
        self._lost_before = self.lost
        self._group_clean = self._unit_key
        self._data = bytearray(tail)
        self._sizes, self._times = [], []
        self._unit_start = 0
        return unit


def _skip_header(buffer: memoryview, at: int, stop: int, first: int) -> tuple[int, int]:
    at += 4 * (first & 15)
    if first & 0x10 and stop - at >= 4:
        at += 4 + 4 * (buffer[at + 2] << 8 | buffer[at + 3])
    if first & 0x20 and stop > at:
        stop -= buffer[stop - 1]
    return at, stop
