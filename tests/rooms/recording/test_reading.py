"""Timeline, manifest, media and thumbnails over real rows and real files."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import av
import pytest

from svidok.base import BadInput, NotFound, Span, Unavailable, new_id, to_us
from svidok.media.frames import probe
from svidok.recording import facts as f
from svidok.recording import idx, playback
from svidok.recording.model import GapReason
from svidok.recording.thumbnails import Thumbnails
from svidok.recording.timeline import asked_span, timeline

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seen(yard, start: float, end: float):
    with yard.database.transaction() as tx:
        return timeline(tx, yard.channel_id, Span(at(start), at(end)))


def test_neighbouring_segments_are_one_stretch_and_a_gap_has_its_reason(yard, clip) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(4), first=4)
    gap = new_id()
    yard.tell(f.GapOpened(gap_id=gap, channel_id=yard.channel_id, at=at(8), reason="wrong-password", detail="401"))
    yard.tell(f.GapClosed(channel_id=yard.channel_id, at=at(20)))
    yard.record(clip, at(20))
    told = seen(yard, -100, 100)
    assert [(one.span.start, one.span.end) for one in told.recorded] == [(at(0), at(8)), (at(20), at(24))]
    assert [(one.id, one.start_at, one.end_at, one.reason, one.detail) for one in told.gaps] == [
        (gap, at(8), at(20), GapReason.WRONG_PASSWORD, "401")
    ]


def test_what_is_asked_cuts_what_is_told(yard, clip) -> None:
    yard.record(clip, at(0))
    yard.tell(f.GapOpened(gap_id=new_id(), channel_id=yard.channel_id, at=at(4), reason="camera-silent"))
    told = seen(yard, 1, 6)
    assert [(one.span.start, one.span.end) for one in told.recorded] == [(at(1), at(4))]
    assert [(one.start_at, one.end_at) for one in told.gaps] == [(at(4), None)]
    assert seen(yard, -50, 0).recorded == ()


def test_a_hole_that_nobody_explains_is_told_as_unknown(yard, clip) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(30))
    (hole,) = seen(yard, 0, 60).gaps
    assert (hole.reason, hole.start_at, hole.end_at) == (GapReason.UNKNOWN, at(4), at(30))
    assert hole.id == seen(yard, 0, 60).gaps[0].id


def test_a_segment_being_written_counts_as_far_as_its_index_says(yard, clip) -> None:
    yard.record(clip, at(0))
    yard.record(clip, at(4), first=4, seal=False)
    (one,) = seen(yard, -10, 60).recorded
    assert (one.span.start, one.span.end, one.growing) == (at(0), at(8), True)
    path = idx.index_path(yard.media(1))
    path.write_bytes(path.read_bytes()[:-10])
    (one,) = seen(yard, -10, 60).recorded
    assert one.span.end == at(7)


def test_clock_readings_include_the_last_before_the_span(yard) -> None:
    for second, offset in ((0, 100), (10, 200), (20, 300)):
        yard.tell(
            f.ClockMeasured(
                channel_id=yard.channel_id, camera_id=new_id(), at=at(second), offset_us=offset, error_us=1,
                drift_ppm=0, source="rtcp",
            )
        )  # fmt: skip
    assert [one.reading.offset_us for one in seen(yard, 15, 30).clocks] == [200, 300]
    assert [one.reading.offset_us for one in seen(yard, -15, 5).clocks] == [100]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (at(5), at(5), "span-backwards"),
        (at(5), at(1), "span-backwards"),
        (datetime(2026, 1, 1), at(1), "span-no-zone"),  # noqa: DTZ001
        (at(0), at(7200), "span-too-long"),
    ],
)
def test_spans_that_make_no_sense_are_refused(start: datetime, end: datetime, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked_span(start, end, longest=timedelta(hours=1))
    assert refused.value.code == code


def test_the_manifest_leads_to_bytes_that_play(yard, clip, plain_clip) -> None:
    first = yard.record(clip, at(0))
    second = yard.record(plain_clip, at(4), seal=False)
    with yard.database.transaction() as tx:
        told = playback.manifest(tx, yard.channel_id, Span(at(2.5), at(5.5)))
        assert [one.one.segment.id for one in told.segments] == [first, second]
        assert [[number for number, _ in one.fragments] for one in told.segments] == [[2, 3], [0, 1]]
        assert told.segments[0].init_id != told.segments[1].init_id
        assert (told.gaps, told.unreachable) == ((), ())
        begin = playback.init(tx, yard.channel_id, first).read()
        media = playback.media(tx, yard.channel_id, first, first=2, last=3)
    assert media.size == sum(record.size for _, record in told.segments[0].fragments)
    assert probe(begin + media.read()).frames == 50


def test_what_is_not_there_is_refused(yard, clip, make_yard) -> None:
    segment = yard.record(clip, at(0))
    with yard.database.transaction() as tx:
        with pytest.raises(NotFound):
            playback.media(tx, yard.channel_id, segment, first=0, last=4)
        with pytest.raises(BadInput):
            playback.media(tx, yard.channel_id, segment, first=2, last=1)
        with pytest.raises(BadInput):
            playback.media(tx, yard.channel_id, segment, first=-1, last=1)
        with pytest.raises(NotFound):
            playback.init(tx, new_id(), segment)
        with pytest.raises(NotFound):
            playback.init(tx, yard.channel_id, UUID(int=5))


def test_a_volume_that_is_away_is_said_to_be_away(yard, clip) -> None:
    here = yard.record(clip, at(0))
    away = yard.record(clip, at(4), first=4)
    yard.volume.joinpath(yard.segments[1].path).unlink()
    idx.index_path(yard.media(1)).unlink()
    with yard.database.transaction() as tx:
        told = playback.manifest(tx, yard.channel_id, Span(at(0), at(10)))
        assert [one.one.segment.id for one in told.segments] == [here]
        assert told.unreachable == (away,)
        with pytest.raises(Unavailable):
            playback.init(tx, yard.channel_id, away)
    yard.media(0).unlink()
    with yard.database.transaction() as tx, pytest.raises(Unavailable):
        playback.init(tx, yard.channel_id, here).read()


def test_thumbnails_show_the_instant_and_are_made_once(yard, clip) -> None:
    yard.record(clip, at(0))
    thumbnails = Thumbnails()
    picture = thumbnails.at(yard.database, yard.channel_id, at(2.2), width=160)
    with av.open(io.BytesIO(picture)) as image:
        assert (image.streams.video[0].width, image.streams.video[0].height) == (160, 90)
    assert thumbnails.at(yard.database, yard.channel_id, at(2.9), width=160) is picture
    assert thumbnails.at(yard.database, yard.channel_id, at(1.9), width=160) != picture
    assert thumbnails.at(yard.database, yard.channel_id, at(5), width=160)  # a second after the end still helps
    with pytest.raises(NotFound):
        thumbnails.at(yard.database, yard.channel_id, at(60), width=160)
    for width in (0, 31, 1921, -5):
        with pytest.raises(BadInput):
            thumbnails.at(yard.database, yard.channel_id, at(2), width=width)


def test_thumbnails_forget_rather_than_grow(yard, clip) -> None:
    yard.record(clip, at(0))
    thumbnails = Thumbnails(kept_bytes=1)
    first = thumbnails.at(yard.database, yard.channel_id, at(1), width=64)
    assert thumbnails.at(yard.database, yard.channel_id, at(1), width=64) is not first


def test_a_fragment_is_found_by_its_instant_to_the_microsecond(yard, clip) -> None:
    yard.record(clip, at(0))
    with yard.database.transaction() as tx:
        for instant, number in ((0, 0), (0.999999, 0), (1, 1), (3.999999, 3), (-1.5, 0), (5.9, 3)):
            assert playback.fragment_at(tx, yard.channel_id, to_us(at(instant)))[2] == number
