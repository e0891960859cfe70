"""The header of an export follows from init segments, heads and span alone; hostile heads cost nothing."""

import base64
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Conflict
from svidok.media.boxes import parse_head
from svidok.media.fmp4 import fragment, init_segment
from svidok.media.model import AudioRun, AudioTrack, Group, Tracks, VideoTrack
from svidok.media.progressive import Arrangement

SPS, PPS = (base64.b64decode(one) for one in ("Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY", "aOvjyyLA"))
TRACKS = Tracks(
    video=VideoTrack(codec="h264", sps=SPS, pps=PPS, width=1920, height=1080),
    audio=AudioTrack(codec="aac", rate=16_000, channels=1, config=b"\x14\x08"),
)
START = 1_800_000_000_000_000


def head(number: int, *, sizes: list[int], offsets: list[int] | None = None) -> tuple[bytes, int]:
    group = Group(
        data=bytearray(sum(sizes)), sizes=sizes, durations=[3600] * len(sizes), offsets=offsets, ticks=0, arrived_us=0,
        starts_clean=True, lost_packets=0, audio=AudioRun(data=bytearray(60), sizes=[20] * 3, durations=[1024] * 3),
    )  # fmt: skip
    base = number * 3600 * len(sizes)
    parts = fragment(
        number + 1, group, video_base=base, audio_base=number * 3072, wall_us=START + number * 40_000 * len(sizes)
    )
    return bytes(parts[0]), sum(sizes) + 60


def arranged(*, start_us: int | None = None, end_us: int | None = None) -> bytes:
    arrangement = Arrangement()
    for segment in range(2):
        arrangement.begin(init_segment(TRACKS), "test")
        for number in range(3):
            offsets = [7200, 14400, 0, 0] if segment else None
            arrangement.add(*head(segment * 3 + number, sizes=[100, 20, 30, 40], offsets=offsets))
    return arrangement.header(start_us=start_us, end_us=end_us)


def test_the_bytes_of_the_header_belong_to_the_format_of_the_sidecar() -> None:
    """Whoever changes them must give `ledger.sidecar.FORMAT` another name, or exports of before are called altered."""
    told = [arranged(), arranged(start_us=START + 50_000, end_us=START + 800_000)]
    assert [hashlib.sha256(one).hexdigest()[:16] for one in told] == ["200a1762c7a10ad7", "1bf911eea1e5152f"]


def test_each_fragment_says_from_when_to_when_it_shows() -> None:
    arrangement = Arrangement()
    arrangement.begin(init_segment(TRACKS), "test")
    assert arrangement.add(*head(0, sizes=[5] * 10)) == (START, START + 400_000)
    assert arrangement.add(*head(1, sizes=[5] * 10)) == (START + 400_000, START + 800_000)


def test_a_head_that_is_not_exactly_a_head_is_refused() -> None:
    whole, media = head(0, sizes=[100, 20])
    for bad, size in ((whole[:-1], media + 1), (whole + b"x", media - 1), (whole, media + 1), (b"", media),
                      (b"\0" * 200, media), (whole[:4] + b"free" + whole[8:], media)):  # fmt: skip
        arrangement = Arrangement()
        arrangement.begin(init_segment(TRACKS), "test")
        with pytest.raises(Conflict) as refused:
            arrangement.add(bad, size)
        assert refused.value.code == "footage-damaged"
    with pytest.raises(Conflict):
        Arrangement().header()


def test_a_table_that_claims_to_be_longer_than_it_is_costs_nothing() -> None:
    whole, _ = head(0, sizes=[100, 20])
    at = whole.index(b"trun") + 8
    for count in (3, 1 << 20, (1 << 32) - 1):
        assert parse_head(whole[:at] + struct.pack(">I", count) + whole[at + 4 :]) is None


@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_changed_head_is_read_or_refused_and_never_raises(place: int, value: int) -> None:
    whole = bytearray(head(0, sizes=[100, 20, 30], offsets=[0, 1, 2])[0])
    whole[place % len(whole)] = value
    parse_head(bytes(whole))
