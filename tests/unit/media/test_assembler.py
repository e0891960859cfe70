"""Pictures out of packets: what was sent comes back, however it was cut; C and Python agree on everything, hostile bytes too."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.media.assembler import MAX_GROUP_SAMPLES, MAX_PICTURE_BYTES, Assembler, Status
from svidok.media.depacketise import _C, CAssembler

CODECS = ["h264", "h265"]
KINDS = [Assembler, pytest.param(CAssembler, marks=pytest.mark.skipif(_C is None, reason="the C part is not built"))]


@dataclass(frozen=True)
class Picture:
    nals: tuple[bytes, ...]
    time: int
    key: bool

    @property
    def stored(self) -> bytes:
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in self.nals)


def nal(codec: str, key: bool, size: int, seed: int) -> bytes:
    body = random.Random(seed).randbytes(size)
    return (bytes((0x65 if key else 0x41,)) if codec == "h264" else bytes((0x26 if key else 0x02, 1))) + body


def stream(codec: str, sizes: list[list[int]], gop: int) -> list[Picture]:
    return [
        Picture(
            tuple(nal(codec, number % gop == 0, size, number * 7 + at) for at, size in enumerate(slices)),
            (number * 3600 + 4_294_960_000) % 2**32, number % gop == 0,
        )
        for number, slices in enumerate(sizes)
    ]  # fmt: skip


def payloads(codec: str, picture: Picture, most: int) -> list[bytes]:
    """The picture's NAL units as RTP payloads: whole, aggregated in twos where small, or in fragments."""
    out: list[bytes] = []
    small: list[bytes] = []
    for one in picture.nals:
        if len(one) * 2 + 10 < most:
            small.append(one)
            if len(small) == 2:
                head = b"\x78" if codec == "h264" else b"\x60\x01"
                out.append(head + b"".join(len(s).to_bytes(2, "big") + s for s in small))
                small = []
            continue
        out += small
        small = []
        out += [one] if len(one) <= most else fragments(codec, one, most)
    return out + small


def fragments(codec: str, one: bytes, most: int) -> list[bytes]:
    if codec == "h264":
        head, kind, body = bytes((one[0] & 0xE0 | 28,)), one[0] & 31, one[1:]
    else:
        head, kind, body = bytes((one[0] & 0x81 | 49 << 1, one[1])), one[0] >> 1 & 63, one[2:]
    parts = [body[at : at + most] for at in range(0, len(body), most)]
    flags = [(at == 0) << 7 | (at == len(parts) - 1) << 6 for at in range(len(parts))]
    return [head + bytes((flag | kind,)) + part for flag, part in zip(flags, parts, strict=True)]


def interleaved(codec: str, pictures: list[Picture], most: int = 200, channel: int = 0) -> list[bytes]:
    out, sequence = [], 65_500
    for picture in pictures:
        bodies = payloads(codec, picture, most)
        for number, body in enumerate(bodies):
            marker = 0x80 * (number == len(bodies) - 1)
            rtp = bytes((0x80, 96 | marker)) + (sequence % 65536).to_bytes(2, "big") + picture.time.to_bytes(4, "big")
            packet = rtp + b"SSRC" + body
            out.append(b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet)
            sequence += 1
    return out


def run(assembler, chunks: list[bytes]) -> list[tuple]:
    """Everything that an assembler says of a stream that arrives in `chunks`."""
    said: list[tuple] = []
    tail = b""
    for chunk in chunks:
        data = memoryview(bytearray(tail + chunk))
        position = 0
        while True:
            status, position = assembler.feed(data, position, len(data))
            if status == Status.GROUP:
                unit = assembler.take()
                said.append(
                    ("group", bytes(unit.data), list(unit.sizes), list(unit.times), unit.starts_clean, unit.lost)
                )
                if assembler.watching:
                    said.append(("unit", *assembler.last_unit()))
            elif status == Status.UNIT:
                said.append(("unit", *assembler.last_unit()))
            elif status == Status.OTHER:
                position += 4 + (data[position + 2] << 8 | data[position + 3])
            elif status == Status.TEXT:
                position += 1
            else:
                break
        tail = bytes(data[position:])
    unit = assembler.cut()
    if unit is not None:
        said.append(("cut", bytes(unit.data), list(unit.sizes), list(unit.times), unit.starts_clean, unit.lost))
    said.append(("sets", assembler.parameter_sets, assembler.lost))
    return said


def chunked(data: bytes, seed: int) -> list[bytes]:
    dice, out, at = random.Random(seed), [], 0
    while at < len(data):
        step = dice.choice([1, 3, 50, 700, 5000])
        out.append(data[at : at + step])
        at += step
    return out


shapes = st.lists(st.lists(st.integers(1, 900), min_size=1, max_size=4), min_size=1, max_size=14)


@pytest.mark.parametrize("make", KINDS)
@settings(deadline=None)
@given(
    codec=st.sampled_from(CODECS),
    sizes=shapes,
    gop=st.integers(1, 5),
    most=st.integers(20, 400),
    seed=st.integers(0, 99),
)
def test_what_was_sent_comes_back_however_it_was_cut(make, codec, sizes, gop: int, most: int, seed: int) -> None:
    pictures = stream(codec, sizes, gop)
    said = run(make(codec, 0), chunked(b"".join(interleaved(codec, pictures, most)), seed))
    groups = [one for one in said if one[0] in ("group", "cut")]
    assert b"".join(one[1] for one in groups) == b"".join(picture.stored for picture in pictures)
    assert [size for one in groups for size in one[2]] == [len(picture.stored) for picture in pictures]
    assert [time for one in groups for time in one[3]] == [picture.time for picture in pictures]
    assert all(one[4] for one in groups)
    assert [len(one[2]) for one in groups] == [min(gop, len(pictures) - at) for at in range(0, len(pictures), gop)]
    assert said[-1][2] == 0


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("codec", CODECS)
def test_a_watcher_gets_every_picture_once(make, codec: str) -> None:
    pictures = stream(codec, [[300]] * 9, 3)
    assembler = make(codec, 0)
    assembler.watching = True
    units = [one for one in run(assembler, [b"".join(interleaved(codec, pictures))]) if one[0] == "unit"]
    assert [(unit[1], unit[2], unit[3]) for unit in units] == [(p.stored, p.time, p.key) for p in pictures]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("codec", CODECS)
def test_lost_packets_are_counted_and_half_pictures_never_pass_for_whole(make, codec: str) -> None:
    pictures = stream(codec, [[900]] * 6, 3)
    packets = interleaved(codec, pictures)
    per = len(packets) // 6
    del packets[per + 2]
    said = run(make(codec, 0), packets)
    groups = [one for one in said if one[0] in ("group", "cut")]
    assert groups[0][5] == 1
    assert groups[1][5] == 0
    assert groups[1][1] == b"".join(picture.stored for picture in pictures[3:])
    stored = {picture.stored for picture in pictures}
    at, data = 0, groups[0][1]
    for size in groups[0][2]:
        assert data[at : at + size] in stored
        at += size


@pytest.mark.parametrize("make", KINDS)
def test_nothing_before_the_first_key_picture(make) -> None:
    pictures = stream("h264", [[100]] * 7, 3)[1:]
    groups = [one for one in run(make("h264", 0), interleaved("h264", pictures)) if one[0] in ("group", "cut")]
    assert groups[0][3][0] == pictures[2].time


@pytest.mark.parametrize("make", KINDS)
def test_a_camera_without_key_pictures_does_not_eat_the_machine(make) -> None:
    pictures = stream("h264", [[10]] * (MAX_GROUP_SAMPLES * 2 + 50), 10**9)
    groups = [one for one in run(make("h264", 0), interleaved("h264", pictures)) if one[0] in ("group", "cut")]
    assert [len(one[2]) for one in groups] == [MAX_GROUP_SAMPLES, MAX_GROUP_SAMPLES, 50]
    assert [one[4] for one in groups] == [True, False, False]


def packet(sequence: int, time: int, body: bytes, *, marker: bool = False) -> bytes:
    rtp = bytes((0x80, 96 | 0x80 * marker)) + (sequence % 65536).to_bytes(2, "big") + time.to_bytes(4, "big")
    return b"$\0" + (len(body) + 12).to_bytes(2, "big") + rtp + b"SSRC" + body


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("ends", [0x00, 0x40], ids=["one-nal", "many-nals"])
def test_a_picture_without_end_is_told_before_it_eats_the_machine(make, ends: int) -> None:
    assembler = make("h264", 0)
    statuses, fed = set(), 0
    for sequence in range(30_000):
        begins = 0x80 if ends or sequence == 0 else 0
        data = packet(sequence, 0, bytes((0x7C, begins | ends | 5)) + bytes(1400))
        statuses.add(assembler.feed(memoryview(bytearray(data)), 0, len(data))[0])
        fed += 1400
        if Status.ENDLESS in statuses:
            break
    assert statuses == {Status.MORE, Status.ENDLESS}
    assert MAX_PICTURE_BYTES - 200_000 < fed < MAX_PICTURE_BYTES + 4000


@pytest.mark.parametrize("make", KINDS)
def test_a_packet_that_ends_two_pictures_gives_both_to_who_watches(make) -> None:
    """The camera forgets markers but for one: its packet closes the picture before it, and itself."""
    assembler = make("h264", 0)
    assembler.watching = True
    key, other = b"\x65" + bytes(9), b"\x41" + bytes(9)
    packets = [
        packet(0, 0, key, marker=True), packet(1, 3600, other), packet(2, 7200, key, marker=True),
        packet(3, 10800, key), packet(4, 14400, other, marker=True),
    ]  # fmt: skip
    said = run(assembler, packets)
    assert [(one[0], one[2]) for one in said if one[0] == "unit"] == [("unit", t) for t in range(0, 14401, 3600)]
    assert [one[3] for one in said if one[0] in ("group", "cut")] == [[0, 3600], [7200], [10800, 14400]]


@pytest.mark.parametrize("make", KINDS)
def test_a_key_picture_whose_end_was_lost_does_not_pass_for_one(make) -> None:
    pictures = stream("h264", [[900]] * 7, 3)
    packets = interleaved("h264", pictures)
    per = len(packets) // 7
    del packets[per * 4 - 1]  # the last of the second key picture; a slice of the next picture follows
    groups = [one for one in run(make("h264", 0), packets) if one[0] in ("group", "cut")]
    assert [one[3][0] for one in groups] == [pictures[0].time, pictures[6].time]
    assert [one[4] for one in groups] == [True, True]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("codec", CODECS)
def test_packets_that_come_twice_or_late_change_nothing(make, codec: str) -> None:
    packets = interleaved(codec, stream(codec, [[900]] * 6, 3))
    twice = [one for at, packet in enumerate(packets) for one in (packet, *packets[max(0, at - 3) : at])]
    assert run(make(codec, 0), twice) == run(make(codec, 0), packets)


@pytest.mark.parametrize("make", KINDS)
def test_a_camera_that_counts_anew_loses_one_picture_and_not_thousands_of_packets(make) -> None:
    pictures = stream("h264", [[900]] * 6, 1)
    packets = interleaved("h264", pictures)
    anew = [one[:6] + (at + 20_000).to_bytes(2, "big") + one[8:] for at, one in enumerate(packets)]
    middle = len(packets) // 2
    said = run(make("h264", 0), packets[:middle] + anew[middle:])
    assert said[-1][2] == 1
    assert len([one for one in said if one[0] in ("group", "cut")]) == 6


@pytest.mark.parametrize("make", KINDS)
def test_parameter_sets_are_kept_apart_and_changes_told(make) -> None:
    sps, pps = b"\x67abcdef", b"\x68gh"
    pictures = [Picture((sps, pps, nal("h264", True, 50, 1)), 0, True)]
    assembler = make("h264", 0)
    said = run(assembler, interleaved("h264", pictures))
    assert said[-1][1] == {7: sps, 8: pps}
    assert said[0][1] == Picture((nal("h264", True, 50, 1),), 0, True).stored
    assert assembler.parameters_changed
    assembler.parameters_changed = False
    run(assembler, interleaved("h264", pictures))
    assert not assembler.parameters_changed


@pytest.mark.parametrize("make", KINDS)
def test_other_channels_and_text_are_left_to_the_caller(make) -> None:
    picture = stream("h264", [[50]], 1)
    data = b"".join([b"$\x02\x00\x03abc", *interleaved("h264", picture), b"RTSP/1.0 200 OK\r\n"])
    assembler = make("h264", 0)
    view = memoryview(bytearray(data))
    assert assembler.feed(view, 0, len(data)) == (Status.OTHER, 0)
    status, position = assembler.feed(view, 7, len(data))
    assert (status, data[position:]) == (Status.TEXT, b"RTSP/1.0 200 OK\r\n")
    with pytest.raises(LookupError):
        assembler.take()


@pytest.mark.skipif(_C is None, reason="the C part is not built")
@settings(max_examples=300, deadline=None)
@given(
    codec=st.sampled_from(CODECS), sizes=shapes, gop=st.integers(1, 6), most=st.integers(20, 400),
    seed=st.integers(0, 10**6), watching=st.booleans(), hurts=st.integers(0, 30),
)  # fmt: skip
def test_c_and_python_agree_on_damaged_streams(codec, sizes, gop, most, seed, watching: bool, hurts: int) -> None:
    dice = random.Random(seed)
    packets = interleaved(codec, stream(codec, sizes, gop), most)
    for _ in range(hurts):
        at = dice.randrange(len(packets))
        act = dice.randrange(5)
        if act == 0 and len(packets) > 1:
            del packets[at]
        elif act == 1:
            packets.insert(at, packets[dice.randrange(len(packets))])
        elif act == 2:
            other = dice.randrange(len(packets))
            packets[at], packets[other] = packets[other], packets[at]
        else:
            hurt = bytearray(packets[at])
            hurt[dice.randrange(1 if act == 3 else 4, len(hurt))] = dice.choice([0, 1, 24, 28, 48, 49, 0x7F, 0x90, 255])
            packets[at] = bytes(hurt)
    assert_same(codec, chunked(b"".join(packets), seed), watching)


@pytest.mark.skipif(_C is None, reason="the C part is not built")
@settings(max_examples=300, deadline=None)
@given(codec=st.sampled_from(CODECS), bodies=st.lists(st.binary(max_size=60), max_size=20), watching=st.booleans())
def test_c_and_python_agree_on_bytes_that_are_no_stream(codec, bodies: list[bytes], watching: bool) -> None:
    data = [b"$\x00" + len(body).to_bytes(2, "big") + body for body in bodies]
    assert_same(codec, data, watching)
    assert_same(codec, bodies, watching)


def assert_same(codec: str, chunks: list[bytes], watching: bool) -> None:
    plain, fast = Assembler(codec, 0), CAssembler(codec, 0)  # type: ignore[arg-type]
    plain.watching = fast.watching = watching
    assert run(plain, chunks) == run(fast, chunks)
