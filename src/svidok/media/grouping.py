"""From a depacketiser's units to groups: RTP time unwrapped, reordering undone, parameter sets watched."""

import operator
from itertools import pairwise

from svidok.media.assembler import Status, Unit
from svidok.media.audio import AudioGatherer
from svidok.media.depacketise import make_depacketiser
from svidok.media.model import VIDEO_CLOCK, Frame, Group, Sink, Tracks, VideoTrack
from svidok.media.rtsp_errors import RtspGarbage
from svidok.media.sdp import with_size

_WRAP = 1 << 32
_MAX_STEP = 10 * VIDEO_CLOCK  # a picture that claims to last longer means that the camera's time jumped
_NOMINAL = VIDEO_CLOCK // 25


class Grouping:
    """Turns one camera's packets into what the sink is promised."""

    def __init__(self, tracks: Tracks, channel: int, sink: Sink, audio: AudioGatherer | None) -> None:
        self._assembler = make_depacketiser(tracks.video.codec, channel)
        self._tracks = tracks
        self._sink = sink
        self._audio = audio
        self._announced = self._ever_announced = False
        self._last_time: int | None = None
        self._ticks = 0
        self._usual = _NOMINAL
        self._group_arrived_us = self._group_waited_us = 0
        self._frame_time: int | None = None
        self.groups = 0
        self.waited_us = 0  # what is fed may have waited for us so long
        self.lost_packets = 0
        self.bytes_per_s = 0.0

    @property
    def watching(self) -> bool:
        """Whether the sink gets each picture."""
        return self._assembler.watching

    @watching.setter
    def watching(self, watched: bool) -> None:
        self._assembler.watching = watched

    @property
    def progress(self) -> tuple[int, int, int]:
        """What stands still while no picture comes: groups, bytes gathered since, and the time before the first."""
        assembler = self._assembler
        return self.groups, assembler.gathered, 0 if assembler.begun else assembler.time

    @property
    def begun(self) -> bool:
        """Whether a key picture came, so that there is something to keep."""
        return self._assembler.begun

    def feed(self, buffer: memoryview, position: int, end: int, arrived_us: int) -> tuple[int, bool]:
        """Work through `buffer`; the new position, and whether a frame of another channel lies there."""
        while True:
            status, position = self._assembler.feed(buffer, position, end)
            if status == Status.GROUP:
                self._group(self._assembler.take(), arrived_us)
            elif status == Status.UNIT:
                self._frame(arrived_us)
            elif status == Status.ENDLESS:
                raise RtspGarbage("a picture without end")
            else:
                return position, status == Status.OTHER

    def finish(self, arrived_us: int) -> None:
        """The stream ended: what is whole goes out as the last group."""
        unit = self._assembler.cut()
        if unit is not None:
            self._deliver(unit, None, arrived_us)

    def peek(self) -> Group | None:
        """The group so far, without taking it; its timing is as far as is known."""
        unit = self._assembler.peek()
        if unit is None or not (self._announced or self._announce()):
            return None
        steps = [_signed(after - before) for before, after in pairwise(unit.times)]
        durations = [step if 0 < step < _MAX_STEP else self._usual for step in [*steps, self._usual]]
        ticks = self._ticks + _signed(unit.times[0] - self._last_time) if self._last_time is not None else 0
        return Group(
            data=unit.data, sizes=unit.sizes, durations=durations, offsets=None, ticks=ticks,
            arrived_us=self._group_arrived_us, starts_clean=True, lost_packets=0,
        )  # fmt: skip

    def unwrap(self, rtp_time: int) -> int | None:
        """`rtp_time` on the unwrapped time line, near the present group; nothing before the first."""
        if self._last_time is None:
            return None
        return self._ticks + _signed(rtp_time - self._last_time)

    def _group(self, unit: Unit, arrived_us: int) -> None:
        self._deliver(unit, self._assembler.last_time(), arrived_us)
        if self._assembler.watching and self._announced:
            self._emit_frame(*self._assembler.last_unit(), arrived_us)

    def _deliver(self, unit: Unit, next_time: int | None, arrived_us: int) -> None:
        """Hand `unit` over; `next_time` is the RTP time of the first picture after it."""
        if self._announced or self._announce():
            group = self._timed(unit, next_time, self._group_arrived_us)
            if not group.arrived_us:  # the first: its pictures came while it was gathered
                group.arrived_us = arrived_us - group.duration_ticks * 100 // 9
            seconds = group.duration_ticks / VIDEO_CLOCK
            self.bytes_per_s = len(group.data) / seconds if seconds > 0 else 0.0
            self.lost_packets += group.lost_packets
            self.groups += 1
            self._sink.on_group(group)
        self._group_arrived_us, self._group_waited_us = arrived_us, self.waited_us
        if self._assembler.parameters_changed:
            self._assembler.parameters_changed = False
            self._announced = False
            self._announce()

    def _announce(self) -> bool:
        """Tell the sink what the pictures are like, once their parameter sets are known."""
        self._assembler.parameters_changed = False
        video = with_size(_merged(self._tracks.video, self._assembler.parameter_sets))
        if not video.ready:
            return False
        self._announced = True
        if video != self._tracks.video or not self._ever_announced:
            self._ever_announced = True
            self._tracks = self._tracks.with_video(video)
            self._sink.on_tracks(self._tracks)
        return True

    def _timed(self, unit: Unit, next_time: int | None, arrived_us: int) -> Group:
        times = unit.times if next_time is None else [*unit.times, next_time]
        start = self._advance(times[0])
        durations, offsets = _spread(times, self._usual, is_last=next_time is None)
        self._usual = sorted(durations)[len(durations) // 2]
        return Group(
            data=unit.data,
            sizes=unit.sizes,
            durations=durations,
            offsets=offsets,
            ticks=start,
            arrived_us=arrived_us,
            starts_clean=unit.starts_clean,
            lost_packets=unit.lost,
            waited_us=self._group_waited_us,
            audio=self._audio.take() if self._audio is not None else None,
        )

    def _advance(self, time: int) -> int:
        if self._last_time is not None:
            step = _signed(time - self._last_time)
            self._ticks += step if 0 <= step < 60 * VIDEO_CLOCK else self._usual
        self._last_time = time
        return self._ticks

    def _frame(self, arrived_us: int) -> None:
        data, time, is_key = self._assembler.last_unit()
        if self._announced or self._announce():
            self._emit_frame(data, time, is_key, arrived_us)

    def _emit_frame(self, data: bytes, time: int, is_key: bool, arrived_us: int) -> None:
        step = self._usual if self._frame_time is None else _signed(time - self._frame_time)
        self._frame_time = time
        duration = step if 0 < step < VIDEO_CLOCK else self._usual
        ticks = self._ticks + _signed(time - self._last_time) if self._last_time is not None else 0
        self._sink.on_frame(Frame(data=data, ticks=ticks, duration=duration, is_key=is_key, arrived_us=arrived_us))


def _spread(times: list[int], usual: int, *, is_last: bool) -> tuple[list[int], list[int] | None]:
    """Durations in decoding order, and composition offsets where the order shown is another (B pictures).

    `times` are RTP times of the pictures and, unless `is_last`, of the first one after them.
    """
    steps = list(map(operator.sub, times[1:], times))
    if not is_last and min(steps) > 0 and max(steps) <= _MAX_STEP:
        return steps, None  # as nearly every group of nearly every camera
    shown = [0]
    for step in map(_signed, steps):
        shown.append(shown[-1] + (step if abs(step) <= _MAX_STEP else usual))
    if is_last:
        shown.append(max(shown) + usual)
    decoded = sorted(shown)
    durations = [max(1, after - before) for before, after in pairwise(decoded)]
    offsets = [at - decode for at, decode in zip(shown, decoded, strict=True)][: len(durations)]
    return durations, offsets if any(offsets) else None


def _signed(difference: int) -> int:
    """A difference of two 32-bit RTP times as a signed number."""
    difference %= _WRAP
    return difference - _WRAP if difference >= _WRAP // 2 else difference


def _merged(video: VideoTrack, sets: dict[int, bytes]) -> VideoTrack:
    """The track with the parameter sets that came in band, which are truer than those of the description."""
    first = 33 if video.codec == "h265" else 7
    return VideoTrack(
        codec=video.codec,
        vps=sets.get(32, video.vps) if video.codec == "h265" else b"",
        sps=sets.get(first, video.sps),
        pps=sets.get(first + 1, video.pps),
    )
