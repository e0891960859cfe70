"""What may be typed for a plate, and what fits it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.base import BadInput
from svidok.plates.patterns import Pattern, distance, one_edit, parse

PLATES = st.text("ABCEHIKMOPTX0123456789", min_size=4, max_size=9)


@pytest.mark.parametrize(
    ("typed", "plate", "edits"),
    [
        ("AA1234BB", "AA1234BB", 0),
        (" аа 12-34 вв ", "AA1234BB", 0),
        ("aa1234bb~", "AA1234BB", 1),
        ("АА1234ВВ~~", "AA1234BB", 2),
    ],
)
def test_a_plate_however_it_is_typed(typed: str, plate: str, edits: int) -> None:
    asked = parse(typed)
    assert (asked.plate, asked.edits, asked.pattern) == (plate, edits, None)


@pytest.mark.parametrize(
    ("typed", "fits", "not_fits"),
    [
        ("AA??34??", ["AA1234BB", "AA0034XX"], ["AA1243BB", "AA1234B", "AAA1234BB"]),
        ("*477*", ["AA4771BB", "477", "XX9477"], ["AA4717BB", "47"]),
        ("AA*BB", ["AA1234BB", "AABB", "AABABB"], ["AAB", "XAABB", "AABBX"]),
        ("A*1*B", ["A1B", "AX1XB", "A11B"], ["AB", "A1", "1AB"]),
        ("*2*1*", ["AA2A1", "21"], ["12", "1A"]),
        ("AA?*", ["AA1", "AAAAAA"], ["AA"]),
    ],
)
def test_patterns(typed: str, fits: list[str], not_fits: list[str]) -> None:
    pattern = parse(typed).pattern
    assert pattern is not None
    assert [text for text in fits if not pattern.fits(text)] == []
    assert [text for text in not_fits if pattern.fits(text)] == []


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "plate-empty"),
        ("🚗", "plate-empty"),
        ("*", "pattern-wide"),
        ("?A??????", "pattern-wide"),
        ("A" * 17, "plate-long"),
        ("AA" + "?" * 20, "plate-long"),
        ("AA1234BB~~~", "plate-edits"),
        ("AA1~", "pattern-wide"),
        ("AA??~", "pattern-near"),
        ("a" * 10_000 + "*", "plate-long"),
    ],
)
def test_what_is_no_question_says_why(typed: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(typed)
    assert caught.value.code == code


@settings(deadline=None)  # the machine may be busy
@given(PLATES)
def test_one_edit_is_all_that_lies_one_error_away(plate: str) -> None:
    near = set(one_edit(plate))
    assert plate in near
    assert all(distance(plate, other, most=1) <= 1 for other in near)
    assert len(near) >= 35 * len(plate)


@settings(deadline=None)  # the machine may be busy
@given(PLATES, PLATES)
def test_distance_is_the_same_both_ways_and_agrees_with_one_edit(one: str, other: str) -> None:
    assert distance(one, other, most=2) == distance(other, one, most=2)
    assert (distance(one, other, most=1) <= 1) == (other in set(one_edit(one)))


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=40))
def test_nothing_typed_breaks_the_parser(typed: str) -> None:
    try:
        asked = parse(typed)
    except BadInput:
        return
    assert (asked.plate is None) != (asked.pattern is None)


def test_a_pattern_knows_its_least_length() -> None:
    assert Pattern(head="AA", middle=("1",), tail="B", whole=False).least == 4
