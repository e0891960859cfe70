"""What of a shift is covered, and why the rest is not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Span
from svidok.bodyworn.coverage import TOLERANCE, Evidence, coverage_of, within
from svidok.bodyworn.model import (
    Announced,
    DeviceEvent,
    DeviceEventKind,
    GapCause,
    Issue,
    Mark,
    Pause,
    PauseKind,
    Stretch,
    merged,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CAMERA = UUID(int=1)


def s(start: float, end: float) -> Span:
    return Span(NOON + timedelta(seconds=start), NOON + timedelta(seconds=end))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def footage(*spans: tuple[float, float]) -> list[Stretch]:
    return [Stretch(span=s(*one), channel_id=CAMERA, clip_id=UUID(int=n)) for n, one in enumerate(spans)]


def issue(start: float = -60, end: float | None = 7300, docked: float | None = 7400) -> Issue:
    return Issue(
        id=UUID(int=9), shift_id=UUID(int=8), officer_id=UUID(int=7), camera_id=CAMERA, channel_id=CAMERA,
        issued_at=at(start), returned_at=None if end is None else at(end),
        docked_at=None if docked is None else at(docked),
    )  # fmt: skip


def causes(evidence: Evidence, *, until: float = 7200, now: float = 9000) -> list[tuple[float, float, str]]:
    found = coverage_of([s(0, until)], evidence, at=at(now))
    return [
        ((gap.span.start - NOON).total_seconds(), (gap.span.end - NOON).total_seconds(), str(gap.cause))
        for gap in found.gaps
    ]


def test_a_shift_recorded_throughout_has_no_gap() -> None:
    clips = footage((-30, 900), (900.4, 1800), (1801.9, 7230))
    found = coverage_of([s(0, 7200)], Evidence(issues=[issue()], stretches=clips), at=at(9000))
    assert found.gaps == ()
    assert found.covered_time == timedelta(seconds=7200 - 0.4 - 1.9)
    assert found.required_time == timedelta(seconds=7200)


def test_a_hole_of_two_seconds_is_a_gap_and_one_below_is_a_seam() -> None:
    assert causes(Evidence(issues=[issue()], stretches=footage((0, 100), (102, 7200)))) == [(100, 102, "unknown")]
    assert causes(Evidence(issues=[issue()], stretches=footage((0, 100), (101.999, 7200)))) == []


def test_each_cause_is_told() -> None:
    clips = footage((0, 100), (140, 1000), (1060, 2000), (2300, 3000), (3004, 4000))
    evidence = Evidence(
        issues=[issue(end=4000, docked=None)],
        stretches=clips,
        missing=[Announced(span=s(1000, 1060), name="0004.mp4"), Announced(span=s(3000, 3004), name="a", torn=True)],
        events=[
            DeviceEvent(at=at(100.5), kind=DeviceEventKind.POWER_OFF),
            DeviceEvent(at=at(139.5), kind=DeviceEventKind.POWER_ON),
            DeviceEvent(at=at(2000), kind=DeviceEventKind.BATTERY_EMPTY),
        ],
    )
    assert causes(evidence) == [
        (100, 140, "switched-off"),
        (1000, 1060, "chunk-missing"),
        (2000, 2300, "battery"),
        (3000, 3004, "cut-gop"),
        (4000, 7200, "no-camera"),
    ]


def test_what_is_on_its_way_is_awaited_and_what_broke_off_is_told() -> None:
    clips = footage((0, 100), (160, 200), (260, 300), (360, 7200))
    sending = [
        Announced(span=s(100, 160), name="2", sending=True, begun=True),
        Announced(span=s(200, 260), name="4", sending=True),
    ]
    found = coverage_of([s(0, 7200)], Evidence(issues=[issue()], stretches=clips, missing=sending), at=at(9000))
    assert [str(gap.cause) for gap in found.gaps] == ["uploading", "uploading", "unknown"]
    assert (found.awaited_time.seconds, found.missing_time.seconds) == (120, 60)
    over = [Announced(span=s(100, 160), name="2", begun=True), Announced(span=s(200, 260), name="4")]
    told = causes(Evidence(issues=[issue()], stretches=clips, missing=over))
    assert told == [(100, 160, "upload-cut"), (200, 260, "chunk-missing"), (300, 360, "unknown")]


def test_a_camera_that_has_not_docked_may_still_hold_it() -> None:
    evidence = Evidence(issues=[issue(end=None, docked=None)], stretches=footage((0, 600)))
    assert causes(evidence, now=3600) == [(600, 3600, "dock-late")]


def test_what_is_not_over_is_not_asked_for() -> None:
    found = coverage_of([s(0, 7200)], Evidence(issues=[issue()], stretches=footage((0, 60))), at=at(60))
    assert found.gaps == ()
    assert found.required_time == timedelta(seconds=60)
    assert coverage_of([s(0, 7200)], Evidence(), at=at(-5)).required == ()


def test_a_pause_is_told_and_hides_nothing() -> None:
    pause = Pause(id=UUID(int=3), span=s(110, 130), kind=PauseKind.PERSONAL_NEEDS, reason="…")
    found = coverage_of(
        [s(0, 200)], Evidence(issues=[issue()], stretches=footage((0, 100), (140, 200)), pauses=[pause]), at=at(900)
    )
    assert [(gap.span.duration.seconds, gap.paused) for gap in found.gaps] == [
        (10, None), (20, PauseKind.PERSONAL_NEEDS), (10, None),
    ]  # fmt: skip
    assert (found.missing_time.seconds, found.paused_time.seconds) == (20, 20)


def test_footage_that_shows_nothing_is_a_gap_with_footage() -> None:
    marks = [Mark(span=s(10, 14), cause=GapCause.OBSTRUCTED), Mark(span=s(14, 20), cause=GapCause.OBSTRUCTED),
             Mark(span=s(50, 51), cause=GapCause.TOO_DARK)]  # fmt: skip
    found = coverage_of([s(0, 100)], Evidence(issues=[issue()], stretches=footage((0, 100)), marks=marks), at=at(900))
    assert [(gap.cause, gap.span, gap.has_footage) for gap in found.gaps] == [(GapCause.OBSTRUCTED, s(10, 20), True)]
    assert found.covered_time.seconds == 100
    assert found.impaired_time.seconds == 10


def test_a_procedure_sees_its_part_of_a_shift() -> None:
    found = coverage_of([s(0, 200)], Evidence(issues=[issue()], stretches=footage((0, 100), (140, 200))), at=at(900))
    part = within(found, s(90, 150))
    assert part.covered_time.seconds == 20
    assert part.missing_time.seconds == 40
    assert part.required == (s(90, 150),)


pieces = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 90)), max_size=12)


@given(pieces)
def test_every_second_is_accounted_for_once(found: list[tuple[int, int]]) -> None:
    clips = footage(*[(start, start + length) for start, length in found])
    cover = coverage_of([s(0, 600)], Evidence(issues=[issue()], stretches=clips), at=at(9000))
    holes = [gap.span for gap in cover.gaps]
    assert merged(holes) == sorted(holes) or len(merged(holes)) < len(holes)
    seams = timedelta(seconds=600) - cover.covered_time - cover.missing_time
    assert timedelta() <= seams <= TOLERANCE * (len(clips) + 1)
    assert all(gap.span.duration >= TOLERANCE for gap in cover.gaps)
    assert not any(gap.span.touches(clip.span) for gap in cover.gaps for clip in clips)
