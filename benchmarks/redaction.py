"""How long does redacting 1080p take, and does it leave a head uncovered? Run: `python benchmarks/redaction.py [SECONDS]`.

The film is the demonstration's clip of people, made 1920 x 1080 at 25 pictures a second. First the search (four looks a
second), then the making (every picture decoded, covered, encoded). The peer is what a user would do without covers at
all: ffmpeg decoding and encoding the same film with the same encoder and preset.

Labels: `heads.json`, which says how they were made; 55 heads in the demonstration's clip and 49, most of them 11 to 16
pixels high, in `vtest.avi` of Debian's package opencv-doc, which is not ours to ship: it is left out where it is not there
(`VTEST=/path/to/vtest.avi`). All but a few are seen from behind or from far, which finders of faces do not see. A head
counts as uncovered where less than 95 % of its area lies under covers. `python benchmarks/redaction.py 0` asks only that.
"""

import json
import os
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
LABELS = json.loads((Path(__file__).parent / "heads.json").read_text())
YARD = Path(os.environ.get("VTEST", "/usr/share/doc/opencv-doc/examples/data/vtest.avi"))


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


def uncovered(covers: list[Cover], labels: dict[str, list[list[int]]]) -> list[str]:
    """The labelled heads that are not covered: the picture, and how much is."""
    drawn = [Drawn(one.first, one.last, one.keys) for one in covers]
    missed = []
    for picture, heads in labels.items():
        boxes = [box for one in drawn if (box := one.at(int(picture)))]
        for left, top, width, height in heads:
            grid = [
                (left + width * (i + 0.5) / 20, top + height * (j + 0.5) / 20) for i in range(20) for j in range(20)
            ]
            hit = sum(any(x <= a <= x + w and y <= b <= y + h for x, y, w, h in boxes) for a, b in grid) / len(grid)
            if hit < 0.95:
                missed.append(f"{picture} ({hit:.0%})")
    return missed


def ask_heads() -> None:
    """Whether a labelled head is left uncovered."""
    for name, clip in (("room", CLIP), ("yard", YARD)):
        if not clip.exists():
            print(f"{name}: {clip} is not there; left out")
            continue
        labels = LABELS[name]["heads"]
        covers, _, cpu = search(clip)
        missed = uncovered(covers, labels)
        pictures = len({one.split()[0] for one in missed})
        print(f"{name}: {sum(map(len, labels.values()))} labelled heads on {len(labels)} pictures; not covered: "
              f"{len(missed)} heads on {pictures} pictures {missed}; {len(covers)} covers, {cpu:.0f} s of CPU")  # fmt: skip


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    ask_heads()
    if not seconds:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film, out = folder / "film.mp4", folder / "out.mp4"
        encode = ["-an", "-c:v", "libx264", "-preset", "superfast", "-crf", "21"]
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
