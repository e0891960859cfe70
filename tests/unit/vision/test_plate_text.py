"""One form for a plate however it was written, and what is easily taken for what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.vision.plate_text import likeness, normal

PLATES = st.text("ABCEHIKMOPTX0123456789", min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("written", "is_normal"),
    [
        ("AA1234BB", "AA1234BB"),
        ("аа 1234 вв", "AA1234BB"),  # Cyrillic
        ("АІ-12·34_НС", "AI1234HC"),
        ("Α.Β.1", "AB1"),  # Greek
        ("w-öL 77", "WOL77"),
        ("ＡＡ１２", "AA12"),  # full width
        ("٣٤", "34"),
        ("🚗", ""),
        ("", ""),
        ("ЯЖ 12", "ЯЖ12"),  # no twins: stays what it is
    ],
)
def test_normal_form(written: str, is_normal: str) -> None:
    assert normal(written) == is_normal


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=40))
def test_normal_form_is_normal(text: str) -> None:
    once = normal(text)
    assert normal(once) == once
    assert once == "" or once.isalnum()


@settings(deadline=None)  # the machine may be busy
@given(PLATES, PLATES)
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 < likeness(one, other) <= 1
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert (likeness(one, other) == 1) == (one == other)


def test_look_alikes_come_before_other_errors() -> None:
    asked = "AA0814BB"
    by_likeness = sorted(["AA0814BX", "AAO814BB", "AA0B14BB", "AA081488"], key=lambda text: -likeness(asked, text))
    assert by_likeness[0] == "AAO814BB"
    assert by_likeness[-1] == "AA0814BX"
