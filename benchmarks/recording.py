"""What does it cost to record a camera, beside one `ffmpeg -c copy` per camera on the same streams?

    PYTHONPATH=src python benchmarks/recording.py [cameras] [seconds] [most cameras]

Prints CPU seconds per camera-minute of each, the ratios, memory per camera, and what happens with many on one core.
Hashing, the index, a sync each fragment and the facts for the database are in our figures; PostgreSQL itself is not.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import rig


def ours(folder: Path, url: str, cameras: int, seconds: float, *, plain: bool) -> dict[str, float]:
    """Record with Svidok."""
    work = folder / f"ours-{cameras}-{plain}"
    work.mkdir()
    process = rig.ourselves("record", url, work / "disk", work / "data", cameras, core=0, plain=plain)
    figures = watch(process, cameras, seconds)
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
    figures = watch(process, cameras, seconds, warm_s=20)
    rig.end(process)
    shutil.rmtree(work)
    return figures


def watch(process: "subprocess.Popen[bytes]", cameras: int, seconds: float, warm_s: float = 12) -> dict[str, float]:
    time.sleep(warm_s + cameras / 50)
    before, began = rig.cpu_s(process.pid), time.monotonic()
    time.sleep(seconds)
    used, passed = rig.cpu_s(process.pid) - before, time.monotonic() - began
    return {
        "cpu_s_per_camera_minute": used / passed * 60 / cameras,
        "core_share": used / passed,
        "pss_mb": rig.pss_mb(process.pid),
    }


def main() -> None:
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    folder = rig.scratch()
    footage = rig.make_footage(folder)
    with rig.postgres(folder) as url:
        server = rig.ourselves("serve", footage, max(cameras, most), core=1)
        time.sleep(4)
        peer = ffmpeg(folder, cameras, seconds)
        print(f"ffmpeg -c copy, {cameras} processes: {tell(peer, cameras)}", flush=True)
        for plain in (True, False):
            one = ours(folder, url, 1, 3, plain=plain)
            many = ours(folder, url, cameras, seconds, plain=plain)
            ratio = many["cpu_s_per_camera_minute"] / peer["cpu_s_per_camera_minute"]
            each = (many["pss_mb"] - one["pss_mb"]) / max(1, cameras - 1)
            name = "plain Python" if plain else "with the C depacketiser"
            print(f"Svidok, {name}: {tell(many, cameras)}; {ratio:.3f} of ffmpeg; {each:.2f} MB a further camera",
                  flush=True)  # fmt: skip
        sent, late = rig.late(server)
        crowd = ours(folder, url, most, seconds, plain=False)
        sent_then, late_then = rig.late(server)
        print(f"Svidok, {most} cameras on one core: {crowd['core_share'] * 100:.1f} % of it, "
              f"{late_then - late} of {sent_then - sent} pictures late")  # fmt: skip
        rig.end(server)
    shutil.rmtree(folder)


def tell(figures: dict[str, float], cameras: int) -> str:
    return (f"{figures['cpu_s_per_camera_minute']:.4f} CPU-s per camera-minute, "
            f"{figures['pss_mb'] / cameras:.2f} MB PSS a camera")  # fmt: skip


if __name__ == "__main__":
    main()
