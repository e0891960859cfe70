"""Footage whose every picture says which one it is: sixteen blocks across it, black or white, the number in binary.

So a walk in the browser can read off the screen which instant is really shown, and compare it with what the page says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import av
import numpy as np
from tests.rooms.conftest import Clip, read_clip
from tests.rooms.recording.conftest import Yard
from tests.web.conftest import Hub

from svidok.base import new_id
from svidok.ledger import Log
from svidok.ledger.signer import FileSigner
from svidok.recording import facts as f
from svidok.recording.volumes import MARKER

WIDTH, HEIGHT, BITS = 320, 180, 16
GROUP_S = 2


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a walk must know of a channel to tell what it ought to see: stretches of `[begin_ms, end_ms]`."""

    channel: str
    camera: str
    fps: int
    stretches: list[tuple[float, float]]


def clock_clip(path: Path, *, seconds: int, fps: int, codec: str = "libx264") -> Clip:
    """`seconds` of numbered pictures, a key picture each two seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "yuv420p", GROUP_S * fps
        stream.codec_context.max_b_frames = 0
        stream.options = {"preset": "ultrafast", "crf": "30", "sc_threshold": "0"}
        stream.time_base = Fraction(1, fps)
        for number in range(seconds * fps):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="gray").reformat(format="yuv420p")
            frame.pts = number
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return read_clip(path)


def numbered(number: int) -> "np.ndarray":
    """The picture of a number, the highest bit on the left."""
    bits = [number >> (BITS - 1 - place) & 1 for place in range(BITS)]
    row = np.repeat(np.array([40 + 170 * bit for bit in bits], dtype=np.uint8), WIDTH // BITS)
    return np.tile(row, (HEIGHT, 1))


@dataclass(kw_only=True)
class Archive:
    """Footage on a disk of the hub."""

    hub: Hub
    folder: Path
    log: Log

    def channel(self, channel_id: UUID, clip: Clip, start: datetime, *, fps: int, gaps: tuple[int, ...] = ()) -> Shown:
        """Record `clip` from `start` on in segments of a minute; the minutes in `gaps` were not recorded."""
        volume = self.folder / f"volume-{new_id()}"
        volume.mkdir()
        yard = Yard(database=self.hub.services.database, volume=volume, log=self.log, node="hub", channel_id=channel_id)
        (volume / MARKER).write_text(f"{yard.volume_id}\n")
        yard.tell(
            f.VolumeSeen(
                volume_id=yard.volume_id, node="hub", path=str(volume), quota_bytes=None, used_bytes=0,
                free_bytes=10**9, state="ready", at=start,
            ),
            f.RecordingBegun(
                recording_id=yard.recording_id, channel_id=channel_id, stream_id=new_id(), node="hub", at=start
            ),
        )  # fmt: skip
        a_minute = 60 // GROUP_S
        stretches: list[tuple[float, float]] = []
        for minute in range(len(clip.groups) // a_minute):
            begin = start + timedelta(minutes=minute)
            if minute in gaps:
                lost = {"channel_id": channel_id, "reason": "camera-silent"}
                yard.tell(f.GapOpened(gap_id=new_id(), at=begin, detail="", **lost))
                yard.tell(f.GapClosed(channel_id=channel_id, at=begin + timedelta(minutes=1)))
                continue
            yard.record(clip, begin, first=minute * a_minute, count=a_minute)
            stretches.append((begin.timestamp() * 1000, begin.timestamp() * 1000 + 60_000))
        yard.sequence()
        with self.hub.services.database.transaction() as tx:
            camera = tx.one("SELECT camera_id FROM fleet.channel WHERE id = %(id)s", id=channel_id)["camera_id"]
        return Shown(channel=str(channel_id), camera=str(camera), fps=fps, stretches=stretches)


def archive(hub: Hub, folder: Path) -> Archive:
    """An empty archive with a ledger of its own."""
    return Archive(
        hub=hub,
        folder=folder,
        log=Log(hub.services.ledger_folder, FileSigner(folder / "ledger.pem"), "test.invalid/hub"),
    )
