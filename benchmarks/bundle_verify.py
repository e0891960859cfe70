"""How fast is a large bundle checked, beside `sha256sum` over the same files, and in Chromium from disk?

    python benchmarks/bundle_verify.py [megabytes] [folder]

One clip of many segments at about 20 Mbit/s, made by the product's own writer. Each figure is the better of two runs, so
that the files lie in the page cache for all of them; by the CPU as well, for machines that have other work.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "vectors")]

import making  # noqa: E402

from svidok.base import Span  # noqa: E402
from svidok.evidence.bundle import model as m  # noqa: E402
from svidok.evidence.bundle.files import FolderFiles  # noqa: E402
from svidok.evidence.bundle.verify import verify_bundle  # noqa: E402
from svidok.evidence.bundle.writer import write_bundle  # noqa: E402

SECONDS = 12


def footage(folder: Path):
    """Twelve seconds of noise, which nothing compresses."""
    maker = making.load_clip_maker()
    import svidok_clips

    path = folder / "noise.mp4"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=1280x720:rate=25,noise=alls=60:allf=t",
        "-t",
        str(SECONDS),
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "25",
        "-keyint_min",
        "25",
        "-sc_threshold",
        "0",
        "-bf",
        "0",
        "-b:v",
        "24M",
        "-maxrate",
        "24M",
        "-bufsize",
        "24M",
        "-pix_fmt",
        "yuv420p",
    ]
    subprocess.run([*command, str(path)], check=True)
    assert maker
    return svidok_clips.read_clip(path)


def used() -> float:
    """Seconds of CPU of this process and of those it has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def best(work) -> tuple[float, float]:
    """By the clock and by the CPU."""
    times = []
    for _ in range(2):
        began, cpu = time.perf_counter(), used()
        work()
        times.append((time.perf_counter() - began, used() - cpu))
    return min(one for one, _ in times), min(cpu for _, cpu in times)


def main() -> None:
    wanted = (int(sys.argv[1]) if len(sys.argv) > 1 else 1000) * 10**6
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp(prefix="svidok-verify-"))
    clip = footage(folder)
    now = datetime.now(UTC)
    court = making.Court(folder / "court", "large", now)
    channel, exhibit, at, size = court.new_id(), court.new_id(), making.NOON, 0
    while size < wanted:
        size += court.record(clip, channel, at, first=0, count=SECONDS).path.stat().st_size
        at += timedelta(seconds=SECONDS)
    court.custody(exhibit, "booked", at)
    item = m.RangeItem(
        exhibit=exhibit,
        number="E-1",
        title="large",
        channel=channel,
        span=Span(making.NOON, at),
        device=m.Device(name="x"),
    )
    case = m.CaseFacts(id=court.new_id(), number="1", title="", legal_basis="", subjects="", unit="")
    disclosure = m.Disclosure(
        id=court.new_id(),
        case=case,
        made_at=now,
        made_by=m.Party(name="a"),
        given_to=m.Party(name="b"),
        legal_basis="",
        ranges=(item,),
        custody=tuple(court.chains[exhibit]),
    )
    page = ROOT / "web" / "dist" / "verify.html"
    court.at = now
    bundle = write_bundle(
        folder / "bundle",
        disclosure,
        court.means(court.note(), page.read_bytes() if page.exists() else making.STUB_PAGE),
    )
    trust = folder / "trust.json"
    trust.write_bytes(court.trust_file())
    for one in court.segments[channel]:
        one.path.unlink()
    files = [str(path) for path in sorted(bundle.rglob("*")) if path.is_file()]
    total = sum(Path(path).stat().st_size for path in files)
    reports = []
    ours, our_cpu = best(lambda: reports.append(verify_bundle(FolderFiles(bundle), trust.read_bytes())))
    theirs, their_cpu = best(lambda: subprocess.run(["sha256sum", *files], check=True, capture_output=True))
    said = {str(report.verdict) for report in reports}
    print(
        f"{total / 1e9:.2f} GB: ours {ours:.2f} s ({total / ours / 1e6:.0f} MB/s, {said}), sha256sum {theirs:.2f} s "
        f"({total / theirs / 1e6:.0f} MB/s): {theirs / ours:.2f} of its speed; by CPU {our_cpu:.2f} and {their_cpu:.2f} s: "
        f"{their_cpu / our_cpu:.2f}"
    )
    if page.exists():
        asked = {"page": str(bundle / "verify.html"), "cases": [{"bundle": str(bundle), "trust": None}]}
        cpu = used()
        done = subprocess.run(
            ["node", "e2e/verify.mjs", json.dumps(asked)], cwd=ROOT / "web", capture_output=True, text=True, check=True
        )
        (answer,) = json.loads(done.stdout)
        print(
            f"Chromium: {answer['seconds']:.1f} s ({total / answer['seconds'] / 1e6:.0f} MB/s; 10 GB at this pace: "
            f"{1e10 / total * answer['seconds']:.0f} s; {used() - cpu:.1f} s of CPU with its start and its playing), {answer['verdict']}, {answer['codes']}"
        )
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
