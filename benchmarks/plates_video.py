"""How many passing vehicles are read right, and how many plate cameras does a core carry?

    python benchmarks/plates_video.py [SECONDS]

Footage with known truth: drawn vehicles drive through the project's car-park
clip (`simulate.traffic`: perspective, motion, head lamps), by day, at dusk, at
night with noise, and squeezed to few bits, encoded as H.264 with a group a
second. `Watcher` gets it group by group, as the reader role does, with decoding
counted. The peer reads every key picture whole by PP-OCRv6 and takes, for each
vehicle, the text that came most often. One thread.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

from svidok.simulate.scenes import Scene, prepare
from svidok.simulate.traffic import Passing
from svidok.vision import text
from svidok.vision.sessions import Picture
from svidok.vision.watching import Watcher

MIXED = ("UA", "UA", "UA", "UA", "PL", "SK", "RO", "DE", "HU")
DUSK = "lutyuv=y=val*0.6:u=(val-128)*0.8+124:v=(val-128)*0.8+134"


def scenes(length_s: float) -> list[Scene]:
    """Five lights and qualities."""
    more = {"length_s": length_s, "plates": MIXED}
    return [
        Scene(name="day", filters="crop=720:405:24:20", kbit_s=2500, **more),
        Scene(name="dusk", filters=f"crop=720:405:24:20,{DUSK}", kbit_s=2000, **more),
        Scene(name="night", filters="crop=720:405:24:20", kbit_s=2500, night=True, **more),
        Scene(name="few-bits", filters="crop=700:394:30:24,hflip", kbit_s=700, **more),
        Scene(name="night-few-bits", filters="crop=700:394:30:24,hflip", kbit_s=900, night=True, **more),
    ]


def groups(path: Path) -> Iterator[tuple[float, list[av.Packet], bytes]]:
    """Key picture and what hangs on it: when it begins, its packets, the stream's parameter sets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        extra = bytes(stream.codec_context.extradata or b"")
        packets: list[av.Packet] = []
        for packet in container.demux(stream):
            if packet.dts is None:
                continue
            if packet.is_keyframe and packets:
                yield float(packets[0].pts * packets[0].time_base), packets, extra
                packets = []
            packets.append(packet)
        if packets:
            yield float(packets[0].pts * packets[0].time_base), packets, extra


def decode(packets: Sequence[av.Packet], extra: bytes, wanted: Sequence[int]) -> Iterator[tuple[int, int, Picture]]:
    """The pictures with these numbers."""
    decoder = VideoCodecContext.create("h264", "r")
    decoder.extradata, decoder.thread_type = extra, "NONE"
    number, first = 0, float(packets[0].pts * packets[0].time_base)
    for packet in [*packets[: max(wanted) + 1], None]:
        for frame in decoder.decode(packet):
            if number in wanted:
                at = float(frame.pts * packets[0].time_base) - first
                yield number, round(at * 1e6), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            number += 1


def ours(path: Path) -> tuple[list[tuple[str, float]], float, Watcher]:
    """What was read and when (seconds), and the CPU it took."""
    watcher, told = Watcher(), []
    start = time.process_time()
    for at, packets, extra in groups(path):
        duration = round(len(packets) * float(packets[0].duration * packets[0].time_base) * 1e6)
        told += list(watcher.group(
            lambda wanted, packets=packets, extra=extra: decode(packets, extra, wanted),
            sizes=[packet.size for packet in packets], start_us=round(at * 1e6), duration_us=duration,
        ))  # fmt: skip
    told += list(watcher.end())
    spent = time.process_time() - start
    return [(one.vote.text, one.best.at_us / 1e6) for one in told], spent, watcher


def peer(path: Path, traffic: Sequence[Passing]) -> tuple[int, float]:
    """How many the peer reads right, and its CPU."""
    start = time.process_time()
    said: list[tuple[float, str]] = []
    for at, packets, extra in groups(path):
        for _, _, picture in decode(packets, extra, [0]):
            for line in text.lines(picture, long_side=1280):
                one = "".join(sign.read for sign in text.read(text.cut(picture, line.corners)))
                if re.fullmatch(r"(?=.*\d)(?=.*[A-Z]).{4,9}", one):
                    said.append((at, one))
    spent = time.process_time() - start
    right = 0
    for vehicle in traffic:
        heard = Counter(one for at, one in said if vehicle.from_s <= at < vehicle.to_s)
        right += bool(heard) and heard.most_common(1)[0][0] == vehicle.plate
    return right, spent


def judge(told: list[tuple[str, float]], traffic: Sequence[Passing]) -> tuple[int, int, int, list[str]]:
    """Read right, read wrong, told twice, and what was missed or misread."""
    right, twice, wrong, notes = set(), 0, 0, []
    for plate, at in told:
        vehicle = next(
            (one for one in traffic if one.from_s - 0.2 <= at <= one.to_s + 0.2 and one.plate == plate), None
        )
        if vehicle is None:
            wrong += 1
            notes.append(f"{plate} at {at:.1f} s was nobody's")
        elif vehicle in right:
            twice += 1
        else:
            right.add(vehicle)
    notes += [f"{one.plate} ({one.country}) at {one.from_s} s was not read" for one in traffic if one not in right]
    return len(right), wrong, twice, notes


def main(length_s: float) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    text.read(np.zeros((48, 96, 3), np.uint8))
    text.lines(np.zeros((64, 64, 3), np.uint8), long_side=64)
    sums = [0] * 5
    cpu = [0.0, 0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        made = scenes(length_s)
        places = prepare(made, Path(folder), processes=1)
        for scene in made:
            traffic = scene.traffic()
            told, spent, watcher = ours(places[scene.name])
            right, wrong, twice, notes = judge(told, traffic)
            theirs, their_cpu = peer(places[scene.name], traffic)
            for at, value in enumerate((len(traffic), right, wrong, twice, theirs)):
                sums[at] += value
            for at, value in enumerate((length_s, spent, their_cpu)):
                cpu[at] += value
            counts = watcher.counts
            print(f"{scene.name:15} {right} of {len(traffic)} right, {wrong} wrong, {twice} twice; {spent / length_s:.3f} CPU s "
                  f"a second, {counts.undecoded} of {counts.groups} groups not decoded, {counts.looks} looks; peer {theirs} right, "
                  f"{their_cpu / length_s:.3f}")  # fmt: skip
            for note in notes:
                print(f"    {note}")
    print(f"all             {sums[1]} of {sums[0]} = {sums[1] / sums[0]:.3f} right, {sums[2]} wrong, {sums[3]} twice; "
          f"{cpu[0] / cpu[1]:.1f} cameras a core; PP-OCRv6 on key pictures {sums[4]} = {sums[4] / sums[0]:.3f}, "
          f"{cpu[0] / cpu[2]:.1f} cameras a core; CPU ratio {cpu[1] / cpu[2]:.2f}")  # fmt: skip


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 28.0)
