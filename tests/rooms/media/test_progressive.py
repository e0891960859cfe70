"""An export is an ordinary MP4: ffprobe counts every picture, any byte range fits the whole, the media stays in one piece."""

import hashlib
import json
import random
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from svidok.base import Conflict
from svidok.media.boxes import scan_fragments
from svidok.media.progressive import ProgressiveFile, Source, plan_progressive

START = 1_800_000_000_000_000


def source(path: Path, *, first: int = 0, count: int | None = None) -> Source:
    with path.open("rb") as file:
        scan = scan_fragments(file)
    parts = [(one.offset, one.size) for one in scan.fragments]
    return Source(
        path=path, init_size=scan.init_size, fragments=parts[first : None if count is None else first + count]
    )


def written(plan: ProgressiveFile, path: Path) -> Path:
    path.write_bytes(b"".join(plan.chunks()))
    assert path.stat().st_size == plan.size_bytes
    return path


def ffprobe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def decodes(path: Path) -> None:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_two_segments_become_one_file_with_every_picture(clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START, count=6)
    clip.write(tmp_path / "b.mp4", start_us=START + 6_000_000, first=6)
    out = written(plan_progressive([source(tmp_path / "a.mp4"), source(tmp_path / "b.mp4")]), tmp_path / "out.mp4")
    told = ffprobe(out)
    video, audio = told["streams"]
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", 320, 180)
    assert int(video["nb_read_frames"]) == 300
    assert audio["codec_name"] == "aac"
    assert abs(float(told["format"]["duration"]) - 12) < 0.1
    decodes(out)


def test_pictures_and_sound_are_those_of_the_source(clip, tmp_path: Path, scratch: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START)
    out = written(plan_progressive([source(tmp_path / "a.mp4")]), tmp_path / "out.mp4")

    def pictures(path: Path) -> list[str]:
        done = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [line.rsplit(",", 1)[1] for line in done.stdout.splitlines() if not line.startswith("#")]

    assert pictures(out) == pictures(scratch / "clip.mp4")


def test_the_edit_list_begins_and_ends_where_it_was_asked(clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START)
    plan = plan_progressive(
        [source(tmp_path / "a.mp4", first=2, count=5)], start_us=START + 2_400_000, end_us=START + 6_400_000
    )
    out = written(plan, tmp_path / "out.mp4")
    assert abs(float(ffprobe(out)["format"]["duration"]) - 4.0) < 0.05
    decodes(out)


def test_every_range_is_a_piece_of_the_whole(clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START)
    plan = plan_progressive([source(tmp_path / "a.mp4")])
    whole = b"".join(plan.chunks())
    dice = random.Random(4)
    edges = [0, 1, plan.placed[0].media_offset, plan.placed[3].media_offset, plan.size_bytes - 1, plan.size_bytes]
    cuts = [(a, b) for a in edges for b in edges if a <= b]
    cuts += [tuple(sorted((dice.randrange(plan.size_bytes), dice.randrange(plan.size_bytes)))) for _ in range(60)]
    for start, end in cuts:
        assert b"".join(plan.chunks(start, end)) == whole[start:end], (start, end)


def test_each_fragments_media_lies_whole_behind_its_head(clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START)
    origin = source(tmp_path / "a.mp4", first=1, count=3)
    plan = plan_progressive([origin])
    whole, file = b"".join(plan.chunks()), origin.path.read_bytes()
    for (offset, size), placed, head in zip(origin.fragments, plan.placed, plan.heads(), strict=True):
        media = whole[placed.media_offset : placed.media_offset + placed.media_size]
        assert hashlib.sha256(head + media).digest() == hashlib.sha256(file[offset : offset + size]).digest()


def test_a_changed_picture_size_becomes_a_second_description(clip, plain_clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START, count=3)
    plain_clip.write(tmp_path / "b.mp4", start_us=START + 3_000_000, count=3)
    out = written(plan_progressive([source(tmp_path / "a.mp4"), source(tmp_path / "b.mp4")]), tmp_path / "out.mp4")
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(out), "-map", "0:v", "-f", "framemd5", "-"],
        capture_output=True, text=True,
    )  # fmt: skip
    times = [int(line.split(",")[2]) for line in done.stdout.splitlines() if not line.startswith("#")]
    assert done.returncode == 0
    assert times == sorted(set(times))
    assert len(times) == 150


def test_damage_is_refused_by_name(clip, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    clip.write(path, start_us=START, count=3)
    origin = source(path)
    data = bytearray(path.read_bytes())
    data[origin.fragments[1][0] + 40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Conflict) as refused:
        plan_progressive([origin])
    assert refused.value.code == "footage-damaged"
    path.write_bytes(b"\0" * len(data))
    with pytest.raises(Conflict):
        plan_progressive([origin])
    with pytest.raises(Conflict) as nothing:
        plan_progressive([])
    assert nothing.value.code == "nothing-recorded"


def test_a_file_that_shrinks_under_our_hands_is_an_error_not_an_endless_loop(clip, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    clip.write(path, start_us=START, count=3)
    plan = plan_progressive([source(path)])
    with path.open("r+b") as file:
        file.truncate(plan.placed[-1].offset + plan.placed[-1].head + 10)
    with pytest.raises(OSError, match="ends before"):
        list(plan.chunks())


def test_memory_does_not_grow_with_the_media(clip, tmp_path: Path) -> None:
    clip.write(tmp_path / "a.mp4", start_us=START)
    one = source(tmp_path / "a.mp4")
    plan = plan_progressive([one] * 60)
    tracemalloc.start()
    sent = sum(len(chunk) for chunk in plan.chunks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == plan.size_bytes
    assert peak < 3 * 1024 * 1024
