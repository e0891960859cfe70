"""How fast does one hour out of 24 leave the house, beside `ffmpeg -ss -c copy`?

    PYTHONPATH=src python benchmarks/export.py [hours kept] [Mbit/s]

A channel with that many hours of footage is laid on disk (segments of a minute, one real minute copied; for 24 h of
3 Mbit/s it takes 65 GB, half of it for the file that ffmpeg cuts from);
one hour from its middle is exported through the product's own plan, and by ffmpeg from one file of the same hour.
"""

import shutil
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import rig

from svidok.media.boxes import scan_fragments
from svidok.media.progressive import Source, plan_progressive

SEGMENT_S = 60
ROUNDS = 5


def lay_out(folder: Path, minutes: int, megabits: float) -> list[Path]:
    """One real minute as fragmented MP4 of ours, copied for each minute."""
    footage = rig.make_footage(folder, seconds=SEGMENT_S, megabits=megabits)
    first = folder / "minute.mp4"
    with rig.postgres(folder) as url:
        server = rig.ourselves("serve", footage, 1, core=1)
        time.sleep(2)
        recorder = rig.ourselves("record", url, folder / "disk", folder / "data", 1, core=0)
        time.sleep(SEGMENT_S + 8)
        rig.end(recorder)
        rig.end(server)
    recorded = max((folder / "disk").glob("*/*/*.mp4"), key=lambda p: p.stat().st_size)
    shutil.copy(recorded, first)
    paths = []
    for minute in range(minutes):
        paths.append(folder / f"m{minute:05d}.mp4")
        shutil.copy(first, paths[-1])
    return paths


def write(sources: list[Source], to: Path) -> tuple[float, float, float]:
    """(seconds to the first byte, CPU seconds to it, seconds altogether) of one export."""
    began, spent = time.monotonic(), time.process_time()
    chunks = iter(plan_progressive(sources).chunks())
    with to.open("wb") as out:
        out.write(next(chunks))
        first_byte, first_cpu = time.monotonic() - began, time.process_time() - spent
        for chunk in chunks:
            out.write(chunk)
    return first_byte, first_cpu, time.monotonic() - began


def sources_of(paths: list[Path]) -> list[Source]:
    """What the index of each segment says of it."""
    sources = []
    for path in paths:
        with path.open("rb") as file:
            scan = scan_fragments(file)
        sources.append(
            Source(path=path, init_size=scan.init_size, fragments=[(f.offset, f.size) for f in scan.fragments])
        )
    return sources


def cut_by_ffmpeg(day: Path, to: Path) -> float:
    """Seconds that ffmpeg takes for the second hour of `day`."""
    began = time.monotonic()
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-ss", "3600", "-t", "3600", "-i", str(day), "-c", "copy", str(to)],
                   check=True)  # fmt: skip
    return time.monotonic() - began


def main() -> None:
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    megabits = float(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = rig.scratch()
    paths = lay_out(folder, hours * 60, megabits)
    sources = sources_of(paths[len(paths) // 3 : len(paths) // 3 + 60])
    whole, day = folder / "hour.mp4", folder / "day.mp4"
    write(sources, whole)
    tracemalloc.start()
    write(sources, whole)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-stream_loop", str(hours - 1), "-i", str(whole), "-c", "copy",
                    str(day)], check=True)  # fmt: skip
    firsts, cpus, totals, peers = [], [], [], []
    for _ in range(ROUNDS):  # in turns, so that other work on the machine meets both alike
        first, cpu, total = write(sources, whole)
        firsts.append(first)
        cpus.append(cpu)
        totals.append(total)
        peers.append(cut_by_ffmpeg(day, folder / "peer.mp4"))
    total, peer = statistics.median(totals), statistics.median(peers)
    print(f"1 h out of {hours} h, {whole.stat().st_size / 1e9:.2f} GB, median of {ROUNDS}: first byte after "
          f"{statistics.median(firsts):.3f} s (best {min(firsts):.3f}, CPU {statistics.median(cpus):.3f}), all in {total:.2f} s, ffmpeg -ss -c copy "
          f"{peer:.2f} s ({total / peer:.2f} of it); peak of our own memory {peak:.1f} MB")  # fmt: skip
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
