"""What does it cost to record a camera, beside one `ffmpeg -c copy` per camera on the same streams?

    PYTHONPATH=src python benchmarks/recording.py [cameras] [seconds] [most cameras] [rounds]

Prints CPU seconds per camera-minute of each, the ratios, memory per camera, and what happens with many on one core.
Hashing, the index, a sync each fragment and the facts for the database are in our figures; PostgreSQL itself is not.
The three take turns, so that other work on the machine meets all of them alike; ratios are of neighbours in a round,
and their median is told. A camera-minute is one that reached the disk: whoever falls behind does not look cheap.
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import rig

BYTES_A_MINUTE = {"footage": 0.0}


def ours(folder: Path, url: str, cameras: int, seconds: float, *, plain: bool) -> dict[str, float]:
    """Record with Svidok."""
    work = folder / f"ours-{cameras}-{plain}"
    work.mkdir()
    process = rig.ourselves("record", url, work / "disk", work / "data", cameras, core=0, plain=plain)
    figures = watch(process, work, cameras, seconds)
    rig.end(process)
    shutil.rmtree(work)
    return figures


def ffmpeg(folder: Path, cameras: int, seconds: float) -> dict[str, float]:
    """Record with one ffmpeg per camera: fragmented MP4 in segments, no encoding."""
    work = folder / "ffmpeg"
    work.mkdir()
    script = "\n".join(
        f"ffmpeg -v quiet -nostdin -threads 1 -rtsp_transport tcp -probesize 500000 -analyzeduration 1000000 "
        f"-i rtsp://127.0.0.1:{rig.PORT}/c{n}/main -c copy -an -f segment -segment_time 60 -segment_format mp4 "
        f"-segment_format_options movflags=frag_keyframe+empty_moov+default_base_moof -reset_timestamps 1 "
        f"{work}/c{n}-%05d.mp4 &"
        for n in range(cameras)
    )
    process = subprocess.Popen(["taskset", "-c", "0", "bash", "-c", script + "\nwait"])
    figures = watch(process, work, cameras, seconds, warm_s=20)
    rig.end(process)
    shutil.rmtree(work)
    return figures


def on_disk(work: Path) -> int:
    """Bytes of footage written so far."""
    return sum(media.stat().st_size for media in work.rglob("*.mp4"))


def watch(
    process: "subprocess.Popen[bytes]", work: Path, cameras: int, seconds: float, warm_s: float = 12
) -> dict[str, float]:
    time.sleep(warm_s + cameras / 50)
    before, written, began = rig.cpu_s(process.pid), on_disk(work), time.monotonic()
    time.sleep(seconds)
    used, minutes = rig.cpu_s(process.pid) - before, (on_disk(work) - written) / BYTES_A_MINUTE["footage"]
    return {
        "cpu_s_per_camera_minute": used / minutes,
        "core_share": used / (time.monotonic() - began),
        "recorded": minutes * 60 / seconds / cameras,
        "pss_mb": rig.pss_mb(process.pid),
    }


def main() -> None:
    cameras, seconds, most, rounds = (
        int(sys.argv[n]) if len(sys.argv) > n else usual for n, usual in ((1, 100), (2, 30), (3, 500), (4, 3))
    )
    folder = rig.scratch()
    footage = rig.make_footage(folder)
    BYTES_A_MINUTE["footage"] = footage.stat().st_size * 60 / 20
    ways = {"plain Python": True, "with the C depacketiser": False}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    with rig.postgres(folder) as url:
        server = rig.ourselves("serve", footage, max(cameras, most), core=1)
        time.sleep(4)
        alone = {name: ours(folder, url, 1, 3, plain=plain)["pss_mb"] for name, plain in ways.items()}
        for _ in range(rounds):
            peer = ffmpeg(folder, cameras, seconds)
            print(f"ffmpeg -c copy, {cameras} processes: {tell(peer, cameras)}", flush=True)
            for name, plain in ways.items():
                many = ours(folder, url, cameras, seconds, plain=plain)
                ratios[name].append(many["cpu_s_per_camera_minute"] / peer["cpu_s_per_camera_minute"])
                each = (many["pss_mb"] - alone[name]) / max(1, cameras - 1)
                print(f"Svidok, {name}: {tell(many, cameras)}; {ratios[name][-1]:.3f} of ffmpeg; "
                      f"{each:.2f} MB a further camera", flush=True)  # fmt: skip
        for name, seen in ratios.items():
            print(f"Svidok, {name}: {statistics.median(seen):.3f} of ffmpeg (median of {rounds})")
        sent, late = rig.late(server)
        crowd = ours(folder, url, most, seconds, plain=False)
        sent_then, late_then = rig.late(server)
        print(f"Svidok, {most} cameras on one core: {crowd['core_share'] * 100:.1f} % of it, {crowd['recorded']:.2f} "
              f"of the footage reached the disk, {late_then - late} of {sent_then - sent} pictures late")  # fmt: skip
        rig.end(server)
    shutil.rmtree(folder)


def tell(figures: dict[str, float], cameras: int) -> str:
    return (f"{figures['cpu_s_per_camera_minute']:.4f} CPU-s per camera-minute recorded ({figures['recorded']:.2f} of "
            f"what was sent), {figures['pss_mb'] / cameras:.2f} MB PSS a camera")  # fmt: skip


if __name__ == "__main__":
    main()
