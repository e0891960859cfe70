"""Do we say of signed video what ONVIF's own reference says? `python benchmarks/device_signatures.py VALIDATOR ROOT FILE…`

VALIDATOR is the program `validator` of onvif/media-signing-framework, built by
you; ROOT its trusted certificate in PEM; each FILE an MP4 that its `signer`
made. Each file is judged as it is, remuxed, cut in the middle, with one bit
flipped in a picture, and without its SEIs; and our own signer's work is given
to the reference. Prints both verdicts, and what each took.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from svidok.media.signing import Verifier
from svidok.simulate.signing import StreamSigner, make_identity


def nal_units(path: Path) -> tuple[bool, Iterator[bytes]]:
    container = av.open(str(path))
    video = container.streams.video[0]

    def units() -> Iterator[bytes]:
        for packet in container.demux(video):
            data, at = bytes(packet), 0
            while at + 4 <= len(data):
                length = int.from_bytes(data[at : at + 4], "big")
                yield data[at + 4 : at + 4 + length]
                at += 4 + length

    return video.codec_context.name == "hevc", units()


def ours(path: Path, roots: bytes) -> tuple[str, float]:
    hevc, units = nal_units(path)
    began = time.process_time()
    verifier = Verifier(hevc=hevc, roots=roots)
    found = Counter(str(verdict.verdict) for nal in units for verdict in verifier.feed(nal))
    said = "not signed" if not verifier.documents else ", ".join(f"{n} {v}" for v, n in sorted(found.items()))
    return f"{said}; {verifier.pending} pending", time.process_time() - began


def reference(validator: str, path: Path, root: Path, codec: str) -> tuple[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        subprocess.run([validator, "-b", "-C", str(root.resolve()), "-c", codec, str(path.resolve())], cwd=folder,
                       capture_output=True, timeout=300)  # fmt: skip
        took = time.monotonic() - began
        lines = (Path(folder) / "validation_results.txt").read_text().splitlines()
    said = [line for line in lines if "VIDEO" in line or "could not" in line.lower() or "SIGNED" in line]
    counts = [line for line in lines if line.startswith(("Number of validated frames", "Number of pending frames"))]
    return "; ".join([*said, *counts]), took


def variants(path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    yield "as it is", path
    copy = ["ffmpeg", "-v", "error", "-y"]
    for name, before, after in (
        ("remuxed", [], ["-c", "copy"]),
        ("cut in the middle", ["-ss", "3", "-t", "5"], ["-c", "copy"]),
    ):
        out = folder / f"{path.stem}-{name.split()[0]}.mp4"
        subprocess.run([*copy, *before, "-i", str(path), *after, str(out)], check=True)
        yield name, out
    flipped = folder / f"{path.stem}-flipped.mp4"
    data = bytearray(path.read_bytes())
    data[data.index(b"mdat") + 4 + 9000] ^= 1
    flipped.write_bytes(data)
    yield "one bit flipped", flipped
    bare = folder / f"{path.stem}-bare.mp4"
    kind = "hevc" if "265" in path.name else "h264"
    types = "39|40" if kind == "hevc" else "6"
    subprocess.run([*copy, "-i", str(path), "-c", "copy", "-bsf:v", f"filter_units=remove_types={types}", str(bare)],
                   check=True)  # fmt: skip
    yield "SEIs taken out", bare


def our_work(path: Path, folder: Path) -> tuple[Path, Path]:
    """`path` signed by our own signer, and the root to trust."""
    now = datetime.now(UTC)
    identity = make_identity("Camera", valid_from=now - timedelta(days=1))
    signer, raw, at = StreamSigner(identity=identity), folder / "ours.h264", now
    with av.open(str(path)) as container:
        extra = bytes(container.streams.video[0].codec_context.extradata or b"")
        size = int.from_bytes(extra[6:8], "big")
        sps, rest = extra[8 : 8 + size], extra[8 + size + 1 :]
        pps = rest[2 : 2 + int.from_bytes(rest[:2], "big")]
    _, units = nal_units(path)
    with raw.open("wb") as out:
        for nal in units:
            kind = nal[0] & 31
            if kind == 6:
                continue
            if kind == 5:
                sei = signer.begin_group(at=at)
                for one in (sps, pps, sei):
                    out.write(b"\0\0\0\1" + one if one else b"")
            at += timedelta(seconds=1 / 25)
            out.write(b"\0\0\0\1" + nal)
            signer.add(hashlib.sha256(nal).digest())
    mp4, root = folder / "ours_h264.mp4", folder / "root.pem"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-framerate", "25", "-i", str(raw), "-c", "copy", str(mp4)], check=True
    )
    root.write_bytes(identity.root)
    return mp4, root


def main() -> None:
    validator, root, *files = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in map(Path, files):
            codec = "h265" if "265" in path.name else "h264"
            for what, variant in variants(path, folder):
                we, us_s = ours(variant, Path(root).read_bytes())
                they, them_s = reference(validator, variant, Path(root), codec)
                print(f"{path.name}, {what}\n    ours       {we}  ({us_s * 1000:.0f} ms)")
                print(f"    reference  {they}  ({them_s * 1000:.0f} ms)")
        mp4, trusted = our_work(next(Path(one) for one in files if "264" in one), folder)
        print(f"signed by us\n    ours       {ours(mp4, trusted.read_bytes())[0]}")
        print(f"    reference  {reference(validator, mp4, trusted, 'h264')[0]}")


if __name__ == "__main__":
    main()
