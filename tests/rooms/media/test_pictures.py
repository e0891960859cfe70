"""Sizes and init segments against FFmpeg's own opinion; segment files against FFmpeg's decoder."""

import subprocess
from pathlib import Path

import av
import pytest

from svidok.base import BadInput
from svidok.media.boxes import scan_fragments
from svidok.media.frames import probe, thumbnail
from svidok.media.inits import parse_init
from svidok.media.model import VideoTrack
from svidok.media.sdp import with_size
from svidok.media.sps import BadParameterSet, picture_size
from svidok.simulate.packets import _parameter_sets

SHAPES = [
    ("libx264", "1920x1080", "yuv420p", []), ("libx264", "322x182", "yuv420p", []),
    ("libx264", "640x360", "yuv422p10le", []), ("libx264", "320x240", "yuv444p", []),
    ("libx264", "720x576", "yuv420p", ["-flags", "+ilme+ildct"]), ("libx264", "352x288", "yuv420p", ["-profile:v", "baseline"]),
    ("libx264", "640x480", "gray", []), ("libx265", "1920x1080", "yuv420p", []), ("libx265", "1282x722", "yuv420p", []),
    ("libx265", "640x360", "yuv420p10le", []), ("libx265", "640x360", "yuv444p", []),
]  # fmt: skip


@pytest.mark.parametrize(("encoder", "size", "pixels", "more"), SHAPES)
def test_the_size_is_the_one_that_was_encoded(
    encoder: str, size: str, pixels: str, more: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.mp4"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=size={size}:rate=5:duration=0.6",
        "-pix_fmt",
        pixels,
    ]
    quiet = ["-x265-params", "log-level=none"] if encoder == "libx265" else []
    subprocess.run([*command, "-c:v", encoder, "-preset", "ultrafast", *quiet, *more, str(path)], check=True)
    codec = "h264" if encoder == "libx264" else "h265"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        sets = _parameter_sets(bytes(stream.codec_context.extradata), codec)
    kind = {"h264": 7, "h265": 33}[codec]
    sps = next(one for one in sets if (one[0] & 31 if codec == "h264" else one[0] >> 1 & 63) == kind)
    told = picture_size(codec, sps)
    width, height = map(int, size.split("x"))
    bits = 10 if "10" in pixels else 8
    chroma = {"yuv420p": 1, "yuv420p10le": 1, "yuv422p10le": 2, "yuv444p": 3, "gray": 0}[pixels]
    assert (told.width, told.height, told.luma_bits, told.chroma) == (width, height, bits, chroma)
    for cut in range(len(sps)):
        try:
            picture_size(codec, sps[:cut])
        except BadParameterSet:
            continue
    track = with_size(VideoTrack(codec=codec, sps=sps))
    assert track.codec_string().startswith("avc1." if codec == "h264" else "hvc1.")


def test_a_segment_scans_as_it_was_written_and_its_torn_tail_is_found(clip, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    clip.write(path, start_us=1_800_000_000_123_457, count=5)
    data = path.read_bytes()
    with path.open("rb") as file:
        whole = scan_fragments(file)
        init = parse_init(file.read(0) or data[: whole.init_size], "a")
    assert (len(whole.fragments), whole.torn, whole.whole) == (5, 0, len(data))
    assert [one.wall_us for one in whole.fragments] == [1_800_000_000_123_457 + n * 1_000_000 for n in range(5)]
    assert all(one.is_sync and one.duration == 90_000 for one in whole.fragments)
    assert (init.width, init.height, init.audio_rate) == (320, 180, 16000)
    assert probe(data).frames == 125
    last = whole.fragments[-1].offset
    for cut in [*range(last, last + 60), *range(last + 60, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:cut])
        with path.open("rb") as file:
            torn = scan_fragments(file)
        assert (len(torn.fragments), torn.whole, torn.torn) == (4, last, cut - last), cut


def test_garbage_is_scanned_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data in (b"", b"abc", b"\0" * 5000, b"\xff" * 5000, b"\0\0\0\x08moof" * 100, b"\0\0\0\x08ftyp\0\0\0\x08mdat"):
        path.write_bytes(data)
        with path.open("rb") as file:
            assert scan_fragments(file).fragments == ()


def test_a_thumbnail_keeps_its_proportions_and_garbage_is_refused(clip, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    clip.write(path, start_us=0, count=1)
    assert thumbnail(path.read_bytes(), width=100)[:2] == b"\xff\xd8"
    for data in (b"", b"x" * 1000, path.read_bytes()[:900]):
        with pytest.raises(BadInput):
            thumbnail(data, width=100)
