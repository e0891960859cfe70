"""The recorder's side of live view: who is watched, and what is published of it."""

import asyncio
from uuid import UUID

import msgspec

from svidok.base import Clock
from svidok.bus import Bus
from svidok.media import RtspClient
from svidok.media.fmp4 import fragment, frame_fragment, init_segment
from svidok.media.model import Frame, Group, Tracks
from svidok.recording.feed import LAPSE_S, LiveFrame, LiveOpening, frames_subject

_PENDING_MOST = 400


class Broadcast:
    """One stream that may be watched. Costs nothing while nobody does."""

    def __init__(self, bus: Bus, channel_id: UUID, role: str, clock: Clock) -> None:
        self._bus, self._clock = bus, clock
        self._subject = frames_subject(channel_id, role)
        self._until = 0.0
        self._tracks: Tracks | None = None
        self._epoch = 0
        self._sequence = 0
        self._origin: int | None = None
        self._pending: set[asyncio.Task[None]] = set()
        self.client: RtspClient | None = None

    @property
    def watched(self) -> bool:
        """Whether somebody asked within the last seconds."""
        return self._clock.monotonic() < self._until

    def renew(self) -> None:
        """Somebody asks."""
        self._until = self._clock.monotonic() + LAPSE_S
        if self.client is not None and not self.client.watching:
            self.client.watching = True

    def lapse(self) -> None:
        """Let the packets gather again where nobody asks any more."""
        if not self.watched and self.client is not None and self.client.watching:
            self.client.watching = False
            self._origin = None

    def opening(self) -> LiveOpening | None:
        """What a viewer begins with; nothing while the camera has not sent a picture."""
        client, tracks = self.client, self._tracks
        group = client.peek() if client is not None else None
        if tracks is None or not tracks.video.ready:
            return None
        picture = Tracks(video=tracks.video)
        video = tracks.video
        begun = b""
        if group is not None:
            begun = b"".join(
                bytes(part) for part in fragment(0, group, video_base=self._base(group.ticks), audio_base=0, wall_us=0)
            )
        return LiveOpening(
            codec=video.codec_string(), width=video.width, height=video.height, init=init_segment(picture),
            group=begun, epoch=self._epoch,
        )  # fmt: skip

    def on_tracks(self, tracks: Tracks) -> None:
        """New parameter sets: viewers must begin anew."""
        self._tracks = tracks
        self._epoch += 1
        self._origin = None

    def on_frame(self, frame: Frame, wall_us: int) -> None:
        """Publish a picture."""
        if not self.watched or len(self._pending) > _PENDING_MOST:
            return
        self._sequence += 1
        made = frame_fragment(self._sequence, frame, base=self._base(frame.ticks), wall_us=wall_us)
        body = msgspec.msgpack.encode(LiveFrame(epoch=self._epoch, is_key=frame.is_key, fragment=made))
        task = asyncio.get_running_loop().create_task(self._bus.publish(self._subject, body))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _base(self, ticks: int) -> int:
        if self._origin is None:
            self._origin = ticks
        return max(0, ticks - self._origin)


class SubStream:
    """A sub-stream, opened while somebody watches it and not recorded."""

    def __init__(self, broadcast: Broadcast) -> None:
        self.broadcast = broadcast

    def on_tracks(self, tracks: Tracks) -> None:
        """Pass on."""
        self.broadcast.on_tracks(tracks)

    def on_group(self, group: Group) -> None:
        """Not recorded."""

    def on_frame(self, frame: Frame) -> None:
        """Pass on."""
        self.broadcast.on_frame(frame, frame.arrived_us)

    def on_clock(self, report: object) -> None:
        """The main stream's clock is the one measured."""
