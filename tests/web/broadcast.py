"""A recorder's live side for the browser: numbered pictures of a clip, sent over the bus for as long as a walk needs."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec
from tests.rooms.conftest import Clip

from svidok.bus import Bus
from svidok.media.fmp4 import frame_fragment, init_segment
from svidok.media.model import Frame
from svidok.recording.feed import LiveFrame, LiveOpening, frames_subject


class Stream:
    """One stream of a channel. `codec` may be claimed to be another than it is."""

    def __init__(self, channel_id: UUID, role: str, clip: Clip, *, codec: str = "") -> None:
        self.subject = frames_subject(channel_id, role)
        self.key = (str(channel_id), role)
        video = clip.tracks.video
        self.opening = LiveOpening(
            codec=codec or video.codec_string(), width=video.width, height=video.height, init=init_segment(clip.tracks)
        )
        self.pictures = [
            (bytes(group.data[sum(group.sizes[:n]) :][:size]), group.durations[n], n == 0)
            for group in clip.groups
            for n, size in enumerate(group.sizes)
        ]

    def fragment(self, number: int, base: int) -> LiveFrame:
        data, duration, is_key = self.pictures[number % len(self.pictures)]
        now = time.time_ns() // 1000
        frame = Frame(data=data, ticks=base, duration=duration, is_key=is_key, arrived_us=now)
        return LiveFrame(epoch=0, is_key=is_key, fragment=frame_fragment(number + 1, frame, base=base, wall_us=now))


@contextmanager
def on_air(nats_url: str, streams: list[Stream], *, fps: int) -> Iterator[None]:
    """Answer who asks, and send a picture each 1/fps s, until the block ends."""
    over = threading.Event()

    async def send() -> None:
        bus = await Bus.connect(nats_url, "recorder")

        async def answer(subject: str, _body: bytes) -> bytes | None:
            key = tuple(subject.split(".")[2:4])
            found = next((one for one in streams if one.key == key), None)
            if found is None:
                return msgspec.msgpack.encode(LiveOpening(problem="no-sub-stream"))
            return msgspec.msgpack.encode(found.opening)

        await bus.subscribe("live.open.*.*", answer)
        number, begun = 0, time.monotonic()
        while not over.is_set():
            for stream in streams:
                sent = stream.fragment(number, number * 90_000 // fps)
                await bus.publish(stream.subject, msgspec.msgpack.encode(sent))
            number += 1
            await asyncio.sleep(max(0.0, begun + number / fps - time.monotonic()))
        await bus.close()

    thread = threading.Thread(target=lambda: asyncio.run(send()))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
