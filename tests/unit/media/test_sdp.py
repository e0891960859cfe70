"""Descriptions as cameras write them: the right sections, addresses and parameter sets, and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.media.sdp import parse_sdp

SPS, PPS = "Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY", "aOvjyyLA"
BASE = "rtsp://cam/stream"
H264 = f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets={SPS},{PPS}\r\n"


def test_an_ordinary_camera() -> None:
    told = parse_sdp(
        "v=0\r\ns=x\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=control:trackID=1\r\n" + H264
        + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\n"
        "a=fmtp:97 streamtype=5;mode=AAC-hbr;config=1408;SizeLength=13\r\na=control:trackID=2\r\n",
        BASE,
    )  # fmt: skip
    assert (told.video.codec, told.video.width, told.video.height, told.video.ready) == ("h264", 1920, 1080, True)
    assert (told.video_url, told.audio_url, told.aggregate_url) == (f"{BASE}/trackID=1", f"{BASE}/trackID=2", BASE)
    assert (told.audio.codec, told.audio.rate, told.audio.config) == ("aac", 16000, b"\x14\x08")
    assert told.video.codec_string() == "avc1.640028"


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://c/a", "trackID=1", "rtsp://c/a/trackID=1"),
        ("rtsp://c/a/", "trackID=1", "rtsp://c/a/trackID=1"),
        ("rtsp://c/a", "rtsp://c/b/1", "rtsp://c/b/1"),
        ("rtsp://c/a", "*", "rtsp://c/a"),
        ("rtsp://c/a", "", "rtsp://c/a"),
        ("rtsp://c/a/b", "/other", "rtsp://c/other"),
        ("rtsps://c/a", "1", "rtsps://c/a/1"),
        ("rtsp://c/cam/realmonitor?channel=1&subtype=0", "trackID=0", "rtsp://c/cam/realmonitor?channel=1&subtype=0/trackID=0"),
        ("rtsp://c/cam/realmonitor?channel=1&subtype=0/", "trackID=0", "rtsp://c/cam/realmonitor?channel=1&subtype=0/trackID=0"),
    ],
)  # fmt: skip
def test_addresses(base: str, control: str, url: str) -> None:
    line = f"a=control:{control}\n" if control else ""
    assert parse_sdp(f"m=video 0 RTP/AVP 96\n{line}{H264}", base).video_url == url


def test_parameter_sets_may_come_in_band() -> None:
    for parameters in ("", "a=fmtp:96 sprop-parameter-sets=!!!,???\n", "a=fmtp:96 sprop-parameter-sets=Zw==,aA==\n"):
        told = parse_sdp("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n" + parameters, BASE)
        assert told.video.codec == "h264"
        assert not told.video.ready


def test_swapped_and_unpadded_parameter_sets_are_taken() -> None:
    line = f"a=fmtp:96 sprop-parameter-sets={PPS.rstrip('=')},{SPS.rstrip('=')}\n"
    told = parse_sdp("m=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\n" + line, BASE)
    assert (told.video.width, told.video.ready) == (1920, True)


@pytest.mark.parametrize(
    ("section", "codec", "rate", "channels"),
    [
        ("m=audio 0 RTP/AVP 8\n", "pcma", 8000, 1),
        ("m=audio 0 RTP/AVP 0\n", "pcmu", 8000, 1),
        ("m=audio 0 RTP/AVP 98\na=rtpmap:98 PCMA/16000/2\n", "pcma", 16000, 2),
    ],
)
def test_sound(section: str, codec: str, rate: int, channels: int) -> None:
    told = parse_sdp("m=video 0 RTP/AVP 96\n" + H264 + section, BASE)
    assert (told.audio.codec, told.audio.rate, told.audio.channels) == (codec, rate, channels)


@pytest.mark.parametrize(
    "section",
    [
        "m=audio 0 RTP/AVP 97\na=rtpmap:97 opus/48000/2\n", "m=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/16000\n",
        "m=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/16000\na=fmtp:97 mode=AAC-hbr;config=zz\n", "m=audio\n",
    ],
)  # fmt: skip
def test_sound_that_we_cannot_keep_is_left_out(section: str) -> None:
    told = parse_sdp("m=video 0 RTP/AVP 96\n" + H264 + section, BASE)
    assert (told.audio, told.video.codec) == (None, "h264")


def test_the_first_picture_that_we_can_record_is_taken() -> None:
    told = parse_sdp("m=video 0 RTP/AVP 26\na=control:1\nm=video 0 RTP/AVP 96\na=control:2\n" + H264, BASE)
    assert told.video_url == f"{BASE}/2"
    nothing = parse_sdp("m=video 0 RTP/AVP 26\nm=application 0 RTP/AVP 107\na=rtpmap:107 onvif/90000\n", BASE)
    assert (nothing.video, nothing.offered) == (None, ("video/26", "application/onvif"))


@given(st.text())
def test_nothing_makes_it_fail(text: str) -> None:
    parse_sdp(text, BASE)


@given(st.lists(st.sampled_from(["m=video 0 RTP/AVP 96", "m=audio", "m=", "a=rtpmap:96 H265/90000", "a=rtpmap:96 /x/y",
    "a=fmtp:96 sprop-sps=QgEBAWAAAAMAAAMAAAMAAAMAlqABQCAFoWNrkkyuYAAA;=;x", "a=control:", "a=fmtp:96", "a=rtpmap",
    "a=fmtp:97 mode=AAC-hbr;config=12", "a=rtpmap:97 mpeg4-generic/0"]), max_size=12))  # fmt: skip
def test_no_order_of_lines_makes_it_fail(lines: list[str]) -> None:
    parse_sdp("\r\n".join(lines), BASE)
