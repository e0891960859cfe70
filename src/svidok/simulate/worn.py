"""Worn cameras that are not there: what they recorded in a shift, as real clips, with every fault such a camera has.

A clip is a loop of a scene, stretched to its length without encoding anything
again, so that an hour of footage is made in a moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
from av.packet import Packet

from svidok.simulate.scenes import Scene, prepare
from svidok.simulate.sound import aac_units

WORN_FAULTS = (
    "none", "pulled", "checksum", "replay", "clock-wrong", "missing", "torn", "swapped", "switched-off", "battery",
    "dark", "covered", "frozen", "silent",
)  # fmt: skip
_PERSON = "one-by-one-person-detection.mp4"
FROZEN = "frozen"
SCENES = {
    "day": Scene(name="worn-day", clip=_PERSON, length_s=10, width=640, height=360, kbit_s=200),
    "lane": Scene(name="worn-lane", length_s=10, width=640, height=360, kbit_s=200),
    "dark": Scene(name="worn-dark", clip=_PERSON, length_s=6, width=320, height=180, kbit_s=60,
                  filters="lutyuv=y=val/18+14:u=128:v=128"),
    "covered": Scene(name="worn-covered", clip=_PERSON, length_s=6, width=320, height=180, kbit_s=60,
                     filters="lutyuv=y=62:u=128:v=128"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WornClip:
    """One clip: `start` by a true clock, `seconds` long. `torn_s`: so much of its end is torn off."""

    name: str
    start: datetime
    seconds: float
    sequence: int
    scene: str = "day"
    tone_hz: int = 330
    torn_s: float = 0.0
    serial: str = ""

    @property
    def end(self) -> datetime:
        """When the camera stopped."""
        return self.start + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class WornCamera:
    """What one camera has when it docks. `clock_s`: how far its clock runs ahead."""

    serial: str
    clips: tuple[WornClip, ...]
    events: tuple[tuple[datetime, str], ...] = ()
    clock_s: float = 0.0
    fault: str = "none"
    held_back: frozenset[str] = field(default_factory=frozenset)  # announced and never sent

    def by_its_clock(self, at: datetime) -> datetime:
        """What the camera's own clock said at `at`."""
        return at + timedelta(seconds=self.clock_s)


def shift_of_camera(
    serial: str, *, start: datetime, seconds: float, clip_s: float = 300.0, fault: str = "none", fault_s: float = 40.0,
    ending: str = "mkv", scene: str = "day",
) -> WornCamera:  # fmt: skip
    """A shift recorded without a break, in clips of `clip_s`, but for the one `fault`."""
    if fault not in WORN_FAULTS:
        raise ValueError(f"no such fault: {fault}. Known faults: {', '.join(WORN_FAULTS)}")
    clips = list(_clips(start, seconds, clip_s, ending, scene))
    middle = len(clips) // 2
    camera = WornCamera(serial=serial, clips=tuple(clips), fault=fault)
    if fault in ("switched-off", "battery"):
        return _with_hole(camera, start, seconds, clip_s, ending, scene, fault_s)
    if fault == "missing":
        return replace(camera, held_back=frozenset({clips[middle].name}))
    if fault == "clock-wrong":
        return replace(camera, clock_s=3600.0)
    if fault == "torn":
        clips[-1] = replace(clips[-1], torn_s=max(6.0, fault_s / 4))
    elif fault in ("dark", "covered", "frozen"):
        clips[middle] = replace(clips[middle], scene=fault)
    elif fault == "silent":
        clips[middle] = replace(clips[middle], tone_hz=0)
    return replace(camera, clips=tuple(clips))


def _clips(
    start: datetime, seconds: float, clip_s: float, ending: str, scene: str, *, first: int = 1
) -> Iterator[WornClip]:
    done, sequence = 0.0, first
    while done < seconds:
        length = min(clip_s, seconds - done)
        at = start + timedelta(seconds=done)
        yield WornClip(
            name=f"{at:%Y%m%d_%H%M%S}_{sequence:04d}.{ending}", start=at, seconds=length, sequence=sequence, scene=scene
        )
        done, sequence = done + length, sequence + 1


def _with_hole(
    camera: WornCamera, start: datetime, seconds: float, clip_s: float, ending: str, scene: str, hole_s: float
) -> WornCamera:
    """In the middle of the shift the camera stops, and goes on `hole_s` later."""
    before = list(_clips(start, seconds / 2, clip_s, ending, scene))
    begins = before[-1].end + timedelta(seconds=hole_s)
    after = _clips(begins, max(1.0, seconds / 2 - hole_s), clip_s, ending, scene, first=len(before) + 1)
    stop = "battery-empty" if camera.fault == "battery" else "power-off"
    return replace(camera, clips=(*before, *after), events=((before[-1].end, stop), (begins, "power-on")))


def write_clip(clip: WornClip, folder: Path, *, cache: Path) -> Path:
    """Make the file of a clip in `folder`; scenes are encoded once and kept in `cache`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / clip.name
    scene = SCENES["day" if clip.scene == FROZEN else clip.scene]
    source = prepare([scene], cache, processes=1)[scene.name]
    _mux(source, path, clip)
    if clip.torn_s:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.truncate(int(size * max(0.1, 1 - clip.torn_s / clip.seconds)))
    return path


def _mux(source: Path, target: Path, clip: WornClip) -> None:
    kind = "matroska" if target.suffix == ".mkv" else "mp4"
    with av.open(str(source)) as looped, av.open(str(target), "w", format=kind, options={"fflags": "bitexact"}) as out:
        out.metadata["comment"] = f"{clip.serial} {clip.start.isoformat()}"  # two cameras never write the same bytes
        stream = looped.streams.video[0]
        video = out.add_stream_from_template(stream)
        rate, units = _units(clip.tone_hz)
        audio = out.add_stream("aac", rate=rate, layout="mono")
        rate_of_pictures = Fraction(stream.average_rate or 12)
        packets = [(bytes(packet), packet.is_keyframe) for packet in looped.demux(stream) if packet.size]
        if clip.scene == FROZEN:  # the first group of pictures, over and over
            packets = packets[: [is_key for _, is_key in packets].index(True, 1)]
        heard = 0
        for number in range(max(1, round(clip.seconds * rate_of_pictures))):
            data, is_key = packets[number % len(packets)]
            packet = Packet(data)
            packet.pts = packet.dts = number
            packet.duration, packet.time_base, packet.is_keyframe, packet.stream = (
                1,
                1 / rate_of_pictures,
                is_key,
                video,
            )
            out.mux(packet)
            while heard * 1024 / rate < (number + 1) / rate_of_pictures:
                sound = Packet(units[heard % len(units)])
                sound.pts = sound.dts = heard * 1024
                sound.duration, sound.time_base, sound.stream = 1024, Fraction(1, rate), audio
                out.mux(sound)
                heard += 1


@lru_cache(maxsize=8)
def _units(tone_hz: int) -> tuple[int, list[bytes]]:
    return aac_units(tone_hz)
