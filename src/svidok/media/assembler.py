"""Interleaved RTP to pictures, in plain Python: H.264 (RFC 6184) and H.265 (RFC 7798).

This is the reference; `_depacketise.c` does the same faster where it was
built, and the tests hold the two against each other. Both work through one
buffer of RTSP-interleaved frames (RFC 2326, section 10.12) and stop at
whatever the caller must see: a picture, a group, a frame of another channel,
a line of text.

Time counts here. A packet that goes on with a cut NAL unit, as nearly all do,
costs one look at its header and one copy (`_go_on`); everything unusual takes
the long way (`_packet`). A group is gathered in memory asked for at once, as
much as the last one took: growing bit by bit would copy it many times over.
"""

import struct
from enum import IntEnum

from svidok.media.model import VideoCodec

MAX_GROUP_BYTES = 24 * 1024 * 1024  # past this a group is cut: a camera must not eat the machine
MAX_GROUP_SAMPLES = 1200
MAX_PICTURE_BYTES = 16 * 1024 * 1024  # past this a picture has no end, and its camera sends no video
_RESTART, _LATE = 3000, 100  # RFC 3550, A.1: MAX_DROPOUT and MAX_MISORDER, in packets
_FIRST_ROOM = 64 * 1024
_HEADS = struct.Struct(">HHHHI4xI")  # "$" and channel, size, RTP flags, sequence, time, (SSRC), begin of the payload


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
        self._fu_bytes = 2 if codec == "h264" else 3  # what stands before the body of a fragment of a NAL unit
        self._middle = -1  # those bytes in the fragments that go on with the open NAL unit
        self._data = memoryview(bytearray(_FIRST_ROOM))
        self._used = 0
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
        return self._used

    @property
    def begun(self) -> bool:
        """Whether a key picture came; what comes before the first is left out."""
        return self._clean

    @property
    def time(self) -> int:
        """The RTP time of the packet that came last."""
        return self._unit_time

    def feed(self, buffer: memoryview, position: int, end: int) -> tuple[Status, int]:
        """Work through `buffer` from `position` to `end`; why it stopped, and where."""
        channel, packet = self.channel, self._packet
        while True:
            if self._nal_start >= 0:
                position = self._go_on(buffer, position, end)
            if end - position < 4:
                break
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
        endless = self._used - self._unit_start > MAX_PICTURE_BYTES  # once a call, not once a packet
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
        return bytes(self._data[self._used - size : self._used]), self._times[-1], len(self._sizes) == 1

    def peek(self) -> Unit | None:
        """A copy of the group so far, for somebody who begins to watch now; nothing where that is nothing."""
        if not self._sizes or not self._group_clean:
            return None
        size = sum(self._sizes)
        return Unit(bytearray(self._data[:size]), list(self._sizes), list(self._times), True, 0)

    def cut(self) -> Unit | None:
        """What has been gathered so far, as a group (the stream ends here); nothing where that is nothing."""
        self._used = self._unit_start
        self._nal_start = -1
        return self._close() if self._sizes else None

    def _go_on(self, buffer: memoryview, position: int, end: int) -> int:
        """Take the packets that go on with the open NAL unit and are unusual in nothing; the position after them."""
        look, data, used, room = _HEADS.unpack_from, self._data, self._used, len(self._data)
        sequence, time, lead = self._next_sequence, self._unit_time, 0x2400 | self.channel
        middle, skip, shift = self._middle, 16 + self._fu_bytes, 32 - 8 * self._fu_bytes
        while position + 20 <= end:
            begins, size, flags, its_sequence, its_time, payload = look(buffer, position)
            stop = position + 4 + size
            if (
                its_sequence != sequence or its_time != time or begins != lead or payload >> shift != middle
                or flags & 0xFF80 != 0x8000 or size < 16 or stop > end
            ):  # fmt: skip
                break
            filled = used + stop - position - skip
            if filled > room:
                self._used = used
                self._grow(filled)
                data, room = self._data, len(self._data)
            data[used:filled] = buffer[position + skip : stop]
            used, position, sequence = filled, stop, sequence + 1 & 0xFFFF
        self._used, self._next_sequence = used, sequence
        return position

    def _packet(self, buffer: memoryview, at: int, stop: int) -> Status:
        if stop - at < 12:
            self.lost += 1
            return Status.MORE
        first, marker = buffer[at], buffer[at + 1] & 0x80
        sequence = buffer[at + 2] << 8 | buffer[at + 3]
        time = buffer[at + 4] << 24 | buffer[at + 5] << 16 | buffer[at + 6] << 8 | buffer[at + 7]
        if sequence != self._next_sequence and self._is_late(sequence):
            return Status.MORE
        if time != self._unit_time and self._unit_start < self._used:  # the camera forgot the marker
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
        if marker and self._unit_start < self._used:
            return self._end_unit()
        return Status.MORE

    def _payload_h264(self, buffer: memoryview, at: int, stop: int) -> None:
        kind = buffer[at] & 31
        if kind == 28:  # FU-A
            if stop - at < 2:
                return
            header = buffer[at + 1]
            if header & 0x80:
                self._middle = buffer[at] << 8 | header & 31
                self._begin_nal(header & 31, bytes((buffer[at] & 0xE0 | header & 31,)))
            elif self._nal_start < 0:
                return
            self._add(buffer[at + 2 : stop])
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
                self._middle = buffer[at] << 16 | buffer[at + 1] << 8 | header & 63
                self._begin_nal(header & 63, bytes((buffer[at] & 0x81 | (header & 63) << 1, buffer[at + 1])))
            elif self._nal_start < 0:
                return
            self._add(buffer[at + 3 : stop])
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
        self._add(len(nal).to_bytes(4, "big"))
        self._add(nal)

    def _begin_nal(self, kind: int, header: bytes) -> None:
        self._abandon_nal()
        self._nal_key = kind in self._key_types
        self._nal_start = self._used
        self._add(b"\0\0\0\0" + header)

    def _end_nal(self) -> None:
        start = self._nal_start
        self._data[start : start + 4] = (self._used - start - 4).to_bytes(4, "big")
        self._nal_start = -1
        self._unit_key |= self._nal_key  # only now: a key picture whose end was lost is none

    def _abandon_nal(self) -> None:
        if self._nal_start >= 0:  # its end was lost
            self._used = self._nal_start
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
        size = self._used - self._unit_start
        if size == 0:
            return Status.MORE
        status = Status.UNIT if self.watching else Status.MORE
        full = self._used > MAX_GROUP_BYTES or len(self._sizes) >= MAX_GROUP_SAMPLES
        if self._sizes and (self._unit_key or full):
            self._ready = self._close()
            status = Status.GROUP
        if not self._sizes:
            if not self._unit_key and not self._clean and not full:
                self._used = self._unit_start = 0  # nothing can be decoded before the first key picture
                return Status.MORE
            self._clean = True
        self._sizes.append(size)
        self._times.append(self._unit_time)
        self._unit_start = self._used
        self._unit_key = False
        return status

    def _close(self) -> Unit:
        """The group as it is, without the picture that was completed last: with that one the next begins."""
        lost, whole = self.lost - self._lost_before, self._unit_start
        unit = Unit(self._data[:whole], self._sizes, self._times, self._group_clean, lost)
        tail = self._data[whole : self._used]
        self._lost_before = self.lost
        self._group_clean = self._unit_key
        self._data = memoryview(bytearray(max(len(tail), whole + whole // 8)))
        self._data[: len(tail)] = tail
        self._sizes, self._times = [], []
        self._used, self._unit_start = len(tail), 0
        return unit

    def _add(self, part: bytes | memoryview) -> None:
        filled = self._used + len(part)
        if filled > len(self._data):
            self._grow(filled)
        self._data[self._used : filled] = part
        self._used = filled

    def _grow(self, least: int) -> None:
        """Move to more room; who was handed a group keeps the old."""
        room = max(len(self._data), _FIRST_ROOM)
        while room < least:
            room += room // 2
        larger = memoryview(bytearray(room))
        larger[: self._used] = self._data[: self._used]
        self._data = larger


def _skip_header(buffer: memoryview, at: int, stop: int, first: int) -> tuple[int, int]:
    at += 4 * (first & 15)
    if first & 0x10 and stop - at >= 4:
        at += 4 + 4 * (buffer[at + 2] << 8 | buffer[at + 3])
    if first & 0x20 and stop > at:
        stop -= buffer[stop - 1]
    return at, stop
