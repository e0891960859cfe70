"""A film full of secrets is covered, and none of them is in the bytes of what comes out; no byte is left unaccounted for."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from svidok.media.redact import redact

MARKS = ["TITLE", "PLACE", "SEI", "CHAPTER", "WORDS", "HANDLER", "ARTIST"]
SECONDS, FPS = 2, 25


def secret(mark: str) -> str:
    return f"hidden-{mark}-hidden"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with sound, metadata, chapters, spoken words, a cover picture, and what a camera wrote into the stream."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,500\n{secret('WORDS')}\n")
    (folder / "chapters.txt").write_text(
        f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle={secret('CHAPTER')}\n"
    )
    run("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", folder / "cover.jpg")
    run(
        "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={FPS}:d={SECONDS}", "-f", "lavfi", "-i", f"sine=440:d={SECONDS}",
        "-i", folder / "words.srt", "-i", folder / "cover.jpg", "-i", folder / "chapters.txt",
        "-map", "0:v", "-map", "1:a", "-map", "2:s", "-map", "3:v", "-map_chapters", "4",
        "-c:v:0", "libx264", "-bf:v:0", "2", "-c:a", "aac", "-c:s", "mov_text", "-c:v:1", "mjpeg",
        "-disposition:v:1", "attached_pic", "-bsf:v:0",
        f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{secret('SEI')}",
        "-metadata", f"title={secret('TITLE')}", "-metadata", f"artist={secret('ARTIST')}",
        "-metadata", f"comment={secret('PLACE')}", "-metadata:s:v:0", f"handler_name={secret('HANDLER')}",
        folder / "in.mp4",
    )  # fmt: skip
    return folder / "in.mp4"


def run(*command: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, command)], check=True)


@pytest.fixture(scope="module", params=[True, [[500, 1500]]], ids=["mute", "partly"])
def made(source: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out.mp4"
    covers = [[0, SECONDS * FPS - 1, [[0, 100, 60, 80, 50]]]]
    assert redact(source, out, {"covers": covers, "mute": request.param, "style": "solid"})["pictures"] == SECONDS * FPS
    return out


def test_the_source_holds_all_that_is_looked_for(source: Path) -> None:
    data = source.read_bytes()
    assert [mark for mark in MARKS if secret(mark).encode() not in data] == []
    assert b"\xff\xd8\xff" in data
    assert b"x264" in data


def test_none_of_it_is_in_the_result(made: Path) -> None:
    data = made.read_bytes()
    for spelling in ("utf-8", "utf-16-le", "utf-16-be"):
        assert [mark for mark in MARKS if secret(mark).encode(spelling) in data] == []
    assert [name for name in (b"hidden", b"x264", b"Lavf", b"Lavc", b"\xff\xd8\xff") if name in data] == []


def test_every_byte_of_the_result_is_a_box_and_every_byte_of_media_a_sample(made: Path) -> None:
    data = made.read_bytes()
    top = list(boxes(data, 0, len(data)))
    assert {name for name, _, _ in top} <= {b"ftyp", b"moov", b"free", b"mdat"}
    assert all(not data[start:end].strip(b"\0") for name, start, end in top if name == b"free")
    with av.open(str(made)) as container:
        samples = sum(packet.size for packet in container.demux() if packet.size)
        assert all(not stream.metadata.get("title") for stream in container.streams)
    assert samples == sum(end - start for name, start, end in top if name == b"mdat")


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes from `at` to `end`, with where their bodies lie; all of it must be boxes."""
    while at < end:
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        assert size >= head, name
        assert at + size <= end, name
        yield name, at + head, at + size
        at += size


def test_units_of_the_stream_are_pictures_and_their_parameters_alone(made: Path) -> None:
    with av.open(str(made)) as container:
        kinds, extra = set(), bytes(container.streams.video[0].codec_context.extradata or b"")
        for packet in container.demux(video=0):
            data, at = bytes(packet), 0
            while at < len(data):
                kinds.add(data[at + 4] & 0x1F)
                at += 4 + int.from_bytes(data[at : at + 4], "big")
    assert kinds <= {1, 5, 7, 8}
    assert b"hidden" not in extra


def test_what_is_under_the_cover_is_one_grey_and_what_is_muted_is_silence(made: Path) -> None:
    with av.open(str(made)) as container:
        for frame in container.decode(video=0):
            part = frame.to_ndarray(format="gray")[64:106, 104:176]
            assert np.ptp(part.astype(int)) < 24
    with av.open(str(made)) as container:
        if not container.streams.audio:
            return
        for frame in container.decode(audio=0):
            if 0.55 < float(frame.time or 0) < 1.4:
                assert float(np.abs(frame.to_ndarray()).max()) < 1e-3
