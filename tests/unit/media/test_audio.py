"""Sound out of packets: AAC-hbr whole, several at once and in fragments; G.711; and what is malformed is dropped."""

from hypothesis import given
from hypothesis import strategies as st

from svidok.media.audio import AudioGatherer
from svidok.media.model import AudioTrack

AAC = AudioTrack(codec="aac", rate=16000, config=b"\x14\x08")


def rtp(payload: bytes, *, marker: bool = True, sources: int = 0, extension: bytes = b"") -> memoryview:
    first = 0x80 | sources | (0x10 if extension else 0)
    head = bytes((first, 97 | 0x80 * marker)) + bytes(10) + bytes(4 * sources)
    if extension:
        head += b"\0\0" + (len(extension) // 4).to_bytes(2, "big") + extension
    return memoryview(head + payload)


def units(*parts: bytes, claimed: int | None = None) -> bytes:
    sizes = [len(part) for part in parts] if claimed is None else [claimed]
    return (16 * len(sizes)).to_bytes(2, "big") + b"".join((n << 3).to_bytes(2, "big") for n in sizes) + b"".join(parts)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_several_units_in_one_packet(parts: list[bytes]) -> None:
    gatherer = AudioGatherer(AAC)
    gatherer.packet(rtp(units(*parts), sources=2, extension=b"abcd"))
    run = gatherer.take()
    assert (bytes(run.data), run.sizes, run.durations) == (
        b"".join(parts),
        [len(p) for p in parts],
        [1024] * len(parts),
    )
    assert gatherer.take() is None


def test_a_unit_in_fragments_and_a_broken_one() -> None:
    gatherer = AudioGatherer(AAC)
    for body, marker in ((b"abc", False), (b"def", False), (b"gh", True)):
        gatherer.packet(rtp(units(body, claimed=8), marker=marker))
    for body, marker in ((b"abc", False), (b"gh", True)):
        gatherer.packet(rtp(units(body, claimed=8), marker=marker))
    gatherer.packet(rtp(units(b"whole")))
    run = gatherer.take()
    assert (bytes(run.data), run.sizes) == (b"abcdefghwhole", [8, 5])


def test_g711_counts_samples_for_each_channel() -> None:
    gatherer = AudioGatherer(AudioTrack(codec="pcma", rate=8000, channels=2))
    gatherer.packet(rtp(b"x" * 320))
    run = gatherer.take()
    assert (run.sizes, run.durations) == ([320], [160])


@given(st.lists(st.binary(max_size=80), max_size=20), st.sampled_from(["aac", "pcmu"]))
def test_hostile_packets_are_dropped_and_sizes_always_fit(packets: list[bytes], codec: str) -> None:
    gatherer = AudioGatherer(AudioTrack(codec=codec, rate=8000, config=b"\x14\x08"))  # type: ignore[arg-type]
    for packet in packets:
        gatherer.packet(memoryview(packet))
    run = gatherer.take()
    if run is not None:
        assert sum(run.sizes) == len(run.data)
        assert len(run.sizes) == len(run.durations)


def test_what_is_never_taken_does_not_grow_for_ever() -> None:
    gatherer = AudioGatherer(AudioTrack(codec="pcmu", rate=8000))
    for _ in range(6000):
        gatherer.packet(rtp(bytes(1400)))
    assert len(gatherer.take().data) < 5 * 1024 * 1024


def test_fragments_without_end_do_not_grow_and_the_next_unit_is_whole() -> None:
    gatherer = AudioGatherer(AAC)
    for _ in range(50):
        gatherer.packet(rtp(units(bytes(1000), claimed=8000), marker=False))
        assert len(gatherer._partial) <= 8191
    gatherer.packet(rtp(units(b"", claimed=1), marker=True))
    gatherer.packet(rtp(units(b"whole")))
    assert bytes(gatherer.take().data) == b"whole"
