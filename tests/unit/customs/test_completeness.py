"""The completeness check as a pure function: what is missing, why, since when, and what may still come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from svidok.base import Span
from svidok.customs.completeness import Completeness, Evidence, Footage, Hole, Requirement, Rules, Verdict, check
from svidok.customs.contract import parse
from svidok.customs.model import Procedure

NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)
TEN = timedelta(minutes=10)
LANE = UUID(int=7)
RULES = Rules(body_due=True, plates_due=True, upload_within=timedelta(hours=12), lane_channels=(LANE,))
SPAN = Span(NOON, NOON + TEN)
WHOLE = Footage(covered=(SPAN,))
ALL = Evidence(worn={"a": WHOLE, "b": WHOLE}, lane={LANE: WHOLE}, reads=(NOON - TEN, NOON + TEN), scans=1)
LATE = NOON + timedelta(days=2)


def procedure(**more: object) -> Procedure:
    told = parse({
        "number": "1", "checkpoint": "c", "lane": "1", "kind": "lorry", "direction": "in", "officers": ["a", "b"],
        "started_at": NOON.isoformat(), "ended_at": (NOON + TEN).isoformat(), "outcome": "released",
        "scan_due": True, "plate": "BC1234AE", **more,
    })  # fmt: skip
    return Procedure(id=UUID(int=1), version=1, checkpoint_id=UUID(int=2), lane_id=UUID(int=3), told=told)


def lacking(evidence: Evidence, *, at: datetime = LATE, rules: Rules = RULES) -> list[tuple[str, str, str, float]]:
    found: Completeness = check(procedure(), rules, evidence, at=at)
    return [(str(f.requirement), f.subject, f.cause, f.missing.total_seconds()) for f in found.lacking]


def hole(start_s: float, end_s: float, cause: str, *, footage: bool = False) -> Hole:
    span = Span(NOON + timedelta(seconds=start_s), NOON + timedelta(seconds=end_s))
    return Hole(span=span, cause=cause, footage=footage)


def cut(start_s: float, end_s: float, *holes: Hole) -> Footage:
    return Footage(
        covered=(Span(NOON, NOON + timedelta(seconds=start_s)), Span(NOON + timedelta(seconds=end_s), SPAN.end)),
        holes=holes,
    )


def test_a_whole_procedure_lacks_nothing() -> None:
    found = check(procedure(), RULES, ALL, at=LATE)
    assert found.lacking == ()
    assert {f.verdict for f in found.findings} == {Verdict.PRESENT}
    assert len(found.findings) == 6


def test_each_lack_is_named_with_its_cause() -> None:
    off = cut(100, 140, hole(100, 140, "switched-off"))
    assert lacking(replace(ALL, worn={"a": WHOLE, "b": off})) == [("body-camera", "b", "switched-off", 40)]
    assert lacking(replace(ALL, worn={"a": WHOLE})) == [("body-camera", "b", "no-shift", 600)]
    assert lacking(replace(ALL, lane={})) == [("lane-camera", str(LANE), "unknown", 600)]
    assert lacking(replace(ALL, scans=0)) == [("scan", "", "no-scan", 0)]
    assert lacking(replace(ALL, scans=0, scans_aside=1)) == [("scan", "", "scan-aside", 0)]
    assert lacking(replace(ALL, reads=(NOON - TEN,))) == [("plate-out", "", "no-read", 0)]
    assert lacking(replace(ALL, reads=(NOON + TEN,))) == [("plate-in", "", "no-read", 0)]


def test_a_seam_is_no_hole_and_two_seconds_are() -> None:
    assert lacking(replace(ALL, lane={LANE: cut(100, 101.9)})) == []
    assert lacking(replace(ALL, lane={LANE: cut(100, 102)})) == [("lane-camera", str(LANE), "unknown", 2)]


def test_pictures_that_show_nothing_are_missing_too() -> None:
    blind = Footage(covered=(SPAN,), holes=(hole(0, 60, "obstructed", footage=True),))
    assert lacking(replace(ALL, worn={"a": WHOLE, "b": blind})) == [("body-camera", "b", "obstructed", 60)]


def test_the_cause_of_most_of_it_is_the_cause() -> None:
    two = cut(0, 100, hole(0, 30, "battery"), hole(30, 100, "dock-late"))
    assert lacking(replace(ALL, worn={"a": WHOLE, "b": two}))[0][2] == "dock-late"


def test_what_may_still_come_is_awaited_until_its_time_is_over() -> None:
    undocked = Footage(covered=(), holes=(hole(0, 600, "dock-late"),))
    evidence = replace(ALL, worn={"a": WHOLE, "b": undocked}, scans=0)
    early = check(procedure(), RULES, evidence, at=SPAN.end + TEN)
    assert early.lacking == ()
    assert early.awaited_until == SPAN.end + timedelta(hours=12)
    assert [f.requirement for f in check(procedure(), RULES, evidence, at=LATE).lacking] == [
        Requirement.BODY_CAMERA, Requirement.SCAN,
    ]  # fmt: skip
    for cause in ("uploading", "not-read"):
        coming = Footage(covered=(), holes=(hole(0, 600, cause),))
        assert check(procedure(), RULES, replace(ALL, worn={"a": WHOLE, "b": coming}), at=SPAN.end + TEN).lacking == ()
    docked = Footage(covered=(), holes=(hole(0, 600, "switched-off"),))
    at_once = check(procedure(), RULES, replace(ALL, worn={"a": WHOLE, "b": docked}), at=SPAN.end + TEN)
    assert [f.cause for f in at_once.lacking] == ["switched-off"]


def test_what_is_not_due_is_not_asked_for() -> None:
    nothing = Evidence(worn={}, lane={}, reads=(), scans=0)
    free = Rules(body_due=False, plates_due=False, upload_within=TEN, lane_channels=())
    assert check(procedure(scan_due=False), free, nothing, at=LATE).findings == ()
    person = procedure(kind="person", scan_due=False)
    assert check(person, replace(free, plates_due=True), nothing, at=LATE).findings == ()
    assert check(procedure(ended_at=None, outcome=None), RULES, nothing, at=LATE).findings == ()


@given(st.lists(st.tuples(st.integers(0, 599), st.integers(1, 120)), max_size=8))
def test_every_two_seconds_without_footage_are_found_and_no_others(cuts: list[tuple[int, int]]) -> None:
    dark = {second for start, length in cuts for second in range(start, min(600, start + length))}
    lit = [Span(NOON + timedelta(seconds=s), NOON + timedelta(seconds=s + 1)) for s in range(600) if s not in dark]
    runs: list[int] = []
    for second in range(600):
        if second in dark:
            if second - 1 in dark:
                runs[-1] += 1
            else:
                runs.append(1)
    expected = sum(run for run in runs if run >= 2)
    found = lacking(replace(ALL, lane={LANE: Footage(covered=tuple(lit))}))
    assert sum(one[3] for one in found) == expected
