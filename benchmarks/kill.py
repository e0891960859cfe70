"""What is lost when the recorder is killed at a random instant?

    PYTHONPATH=src python benchmarks/kill.py [times] [cameras]

After each kill: seconds from the last whole fragment to the kill, files that cannot be decoded, index records without
bytes; then the recorder's own repair, and the same questions again.
"""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import rig

from svidok.media.boxes import scan_fragments
from svidok.recording.idx import HEADER_BYTES, BadIndex, index_path, read
from svidok.recording.recovery import repair, segment_files

GOP_S = 2.0
LOW_WATER_S = 0.4  # what may lie unread in the socket


def examine(disk: Path, killed_at: float) -> tuple[list[float], int, int]:
    """(seconds lost per camera, unplayable files, index records without bytes)."""
    lost, unplayable, lies = {}, 0, 0
    for media in segment_files(disk, days=2):
        with media.open("rb") as file:
            scan = scan_fragments(file)
        try:
            index = read(index_path(media))
        except BadIndex:
            index = None
        size = media.stat().st_size
        lies += sum(1 for record in (index.records if index else ()) if record.offset + record.size > size)
        if not scan.fragments:
            continue
        last = scan.fragments[-1]
        end = last.wall_us / 1e6 + last.duration / 90_000
        lost[media.parent.parent.name] = min(killed_at - end, lost.get(media.parent.parent.name, 1e9))
        decoded = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets",
                                  "-of", "csv=p=0", str(media)], capture_output=True, text=True)  # fmt: skip
        unplayable += not decoded.stdout.strip().rstrip(",").isdigit()
    return list(lost.values()), unplayable, lies


def wait_for(disk: Path, cameras: int) -> None:
    """Until each camera has a fragment on disk: on a busy machine a recorder takes its time to start."""
    while sum(index.stat().st_size > HEADER_BYTES for index in disk.glob("*/*/*.idx")) < cameras:
        time.sleep(0.1)


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    cameras = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    folder = rig.scratch()
    footage = rig.make_footage(folder)
    chance = random.Random(1)
    losses: list[float] = []
    unplayable = lies = torn = after_repair = 0
    with rig.postgres(folder) as url:
        server = rig.ourselves("serve", footage, cameras, core=1)
        time.sleep(2)
        for turn in range(times):
            work = folder / f"turn-{turn}"
            work.mkdir()
            process = rig.ourselves("record", url, work / "disk", work / "data", cameras, core=0)
            wait_for(work / "disk", cameras)
            time.sleep(2 + chance.random() * 3)
            rig.end(process, signal.SIGKILL)
            found = examine(work / "disk", time.time())
            losses += found[0]
            unplayable += found[1]
            lies += found[2]
            for media in list(segment_files(work / "disk", days=2)):
                repaired = repair(media, aside=work / "disk" / "aside")
                torn += bool(repaired and repaired.torn)
            _, bad, lying = examine(work / "disk", time.time())
            after_repair += bad + lying
            shutil.rmtree(work)
        rig.end(server)
    shutil.rmtree(folder)
    beyond = [loss for loss in losses if loss > GOP_S + LOW_WATER_S]
    print(f"{times} kills, {len(losses)} cameras: lost at most {max(losses):.2f} s, median {sorted(losses)[len(losses) // 2]:.2f} s "
          f"(open group of pictures: up to {GOP_S:.0f} s); beyond it: {len(beyond)}; unplayable files: {unplayable}; "
          f"index records without bytes: {lies}; torn tails cut: {torn}; wrong after repair: {after_repair}")  # fmt: skip


if __name__ == "__main__":
    main()
