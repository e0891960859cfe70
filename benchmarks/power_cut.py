"""What is lost in a power cut? (Needs root: it mounts a filesystem in a file.)

    PYTHONPATH=src python benchmarks/power_cut.py [times]

The recorder, and ffmpeg beside it, write to an ext4 filesystem on a loop device; while they do, the image is copied.
The copy holds what had reached the disk at that instant. Its journal is replayed by mounting it, and what can be read
is compared with the instant of the copy.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import rig

from svidok.media.boxes import scan_fragments
from svidok.recording.recovery import repair, segment_files

CAMERAS = 4


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = rig.scratch()
    footage = rig.make_footage(folder)
    ours: list[float] = []
    theirs: list[float] = []
    bad = 0
    with rig.postgres(folder) as url:
        server = rig.ourselves("serve", footage, CAMERAS, core=1)
        time.sleep(2)
        for turn in range(times):
            image, mount = folder / "disk.img", folder / "mount"
            mount.mkdir(exist_ok=True)
            subprocess.run(["truncate", "-s", "700M", str(image)], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
            subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
            process = rig.ourselves("record", url, mount / f"ours-{turn}", folder / f"data-{turn}", CAMERAS, core=0)
            peer = subprocess.Popen(
                ["ffmpeg", "-v", "quiet", "-nostdin", "-rtsp_transport", "tcp", "-i", f"rtsp://127.0.0.1:{rig.PORT}/c0/main",
                 "-c", "copy", "-movflags", "frag_keyframe+empty_moov+default_base_moof", str(mount / "peer.mp4")]
            )  # fmt: skip
            time.sleep(14 + turn)
            cut_at = time.time()
            subprocess.run(["cp", "--sparse=always", str(image), str(folder / "cut.img")], check=True)
            rig.end(process)
            rig.end(peer)
            subprocess.run(["umount", str(mount)], check=True)
            subprocess.run(["mount", "-o", "loop", str(folder / "cut.img"), str(mount)], check=True)
            found, wrong = read_back(mount / f"ours-{turn}", cut_at)
            ours += found
            bad += wrong
            theirs.append(14 + turn - seconds_of(mount / "peer.mp4"))
            subprocess.run(["umount", str(mount)], check=True)
        rig.end(server)
    shutil.rmtree(folder)
    print(f"{times} power cuts: Svidok lost at most {max(ours):.2f} s of each camera (open group of pictures: up to 2 s), "
          f"{bad} files wrong after repair; ffmpeg, fragmented MP4 without sync: {min(theirs):.1f} to {max(theirs):.1f} s")  # fmt: skip


def read_back(disk: Path, cut_at: float) -> tuple[list[float], int]:
    ends: dict[str, float] = {}
    wrong = 0
    for media in list(segment_files(disk, days=2)):
        repaired = repair(media, aside=disk / "aside")
        if repaired is None:
            continue
        with media.open("rb") as file:
            scan = scan_fragments(file)
        wrong += bool(scan.torn) or len(scan.fragments) != len(repaired.index.records)
        last = repaired.index.records[-1]
        ends[media.parent.parent.name] = max(ends.get(media.parent.parent.name, 0), last.end_us / 1e6)
    return [cut_at - end for end in ends.values()], wrong


def seconds_of(media: Path) -> float:
    said = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of",
                           "csv=p=0", str(media)], capture_output=True, text=True).stdout.strip().rstrip(",")  # fmt: skip
    return int(said) / 25 if said.isdigit() else 0.0


if __name__ == "__main__":
    main()
