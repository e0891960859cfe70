"""How long does redacting 1080p take, and does it leave a head uncovered? Run: `python benchmarks/redaction.py [SECONDS]`.

The film is the demonstration's clip of people, made 1920 x 1080 at 25 pictures a second. First the search (five looks a
second), then the making (every picture decoded, covered, encoded). The peer is what a user would do without covers at
all: ffmpeg decoding and encoding the same film with the same encoder and preset.

Labels: heads on every 50th picture of the clip from 60 to 610, set by eye on a sheet of pictures with a grid of 64 x 54
pixels, to about five pixels; on two of the twelve there is nobody. All heads are seen from behind, which finders of faces
do not see: what covers them is the upper third of the person. A picture counts as uncovered where less than 95 % of a
label's area lies under covers.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from svidok.evidence.redactions import HOLD_S, LOOKS_PER_S, LOST_S
from svidok.evidence.tracks import Cover, Sighting, propose
from svidok.media.pictures import measure
from svidok.media.redact import Cover as Drawn

CLIP = Path(__file__).parents[1] / "src/svidok/simulate/footage/one-by-one-person-detection.mp4"
HEADS = {
    60: (196, 396, 104, 36), 110: (430, 14, 58, 66), 160: (430, 14, 58, 66), 210: None, 260: (436, 3, 50, 58),
    310: (436, 3, 50, 58), 360: (436, 5, 50, 62), 410: (436, 5, 50, 62), 460: None, 510: (350, 105, 78, 75),
    560: (450, 0, 58, 55), 610: (458, 0, 60, 58),
}  # fmt: skip
LAST = 640


def run(*command: object, given: bytes = b"") -> tuple[bytes, float, float]:
    """What a command said, its wall and its CPU seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    said = subprocess.run([str(one) for one in command], input=given, check=True, capture_output=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return said, time.perf_counter() - start, cpu


def search(film: Path) -> tuple[list[Cover], float, float]:
    """The covers proposed for a film, and what that cost."""
    size = measure(film)
    rate = size.rate_millihertz / 1000
    said, wall, cpu = run(sys.executable, "-m", "svidok.evidence.finding", film, max(1, round(rate / LOOKS_PER_S)), 0)
    seen = [
        Sighting(line["picture"], one[0], tuple(one[1:5]))
        for line in map(json.loads, said.splitlines())
        for one in line["found"]
    ]
    covers = propose(
        seen,
        width=size.width,
        height=size.height,
        pictures=size.pictures,
        lost=round(rate * LOST_S),
        hold=round(rate * HOLD_S),
    )
    return covers, wall, cpu


def uncovered(covers: list[Cover]) -> list[int]:
    """The labelled pictures on which a head is not covered."""
    drawn = [Drawn(one.first, one.last, one.keys) for one in covers]
    missed = []
    for picture, head in HEADS.items():
        if head is None:
            continue
        left, top, width, height = head
        points = [(left + width * (i + 0.5) / 20, top + height * (j + 0.5) / 20) for i in range(20) for j in range(20)]
        boxes = [box for one in drawn if (box := one.at(picture))]
        hit = sum(any(x <= a <= x + w and y <= b <= y + h for x, y, w, h in boxes) for a, b in points)
        if hit < 0.95 * len(points):
            missed.append(picture)
    return missed


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        part, film, out = folder / "part.mp4", folder / "film.mp4", folder / "out.mp4"
        encode = ["-an", "-c:v", "libx264", "-preset", "superfast", "-crf", "21"]
        run("ffmpeg", "-v", "error", "-i", CLIP, "-frames:v", LAST, *encode, part)
        covers, _, _ = search(part)
        missed = uncovered(covers)
        heads = sum(1 for one in HEADS.values() if one)
        print(f"labelled pictures with a head {heads}, of those not covered: {len(missed)} {missed}")
        run(
            "ffmpeg",
            "-v",
            "error",
            "-ss",
            "3",
            "-i",
            CLIP,
            "-t",
            seconds,
            "-vf",
            "scale=1920:1080,fps=25",
            *encode,
            film,
        )
        covers, wall, cpu = search(film)
        plan = {"covers": [[one.first, one.last, one.keys] for one in covers], "mute": True, "style": "solid"}
        _, made_wall, made_cpu = run(
            sys.executable, "-m", "svidok.media.redact", film, out, given=json.dumps(plan).encode()
        )
        _, peer_wall, peer_cpu = run("ffmpeg", "-v", "error", "-y", "-i", film, *encode, folder / "peer.mp4")
        told = [("search", wall, cpu), ("making", made_wall, made_cpu), ("ffmpeg alone", peer_wall, peer_cpu)]
        for what, took, spent in told:
            print(f"{what:14} wall {took / seconds:5.2f} s, CPU {spent / seconds:5.2f} s for a second of 1080p25")
        both = cpu + made_cpu
        print(f"both: CPU {both / seconds:.2f} s a second = {2 * seconds / both:.2f} x real time on two whole cores, "
              f"wall {(wall + made_wall) / seconds:.2f} s = {seconds / (wall + made_wall):.2f} x; "
              f"{both / peer_cpu:.1f} of ffmpeg alone")  # fmt: skip


if __name__ == "__main__":
    main()
