"""Grammars: what fits, what is repaired and at what price, and what is said when nothing is sure."""

import numpy as np
import pytest

from svidok.vision import grammar
from svidok.vision.decode import guesses, probabilities
from svidok.vision.grammar import SIGNS, fitting
from svidok.vision.text import Sign


def seen(text: str, *, doubt: dict[int, dict[str, float]] | None = None) -> list[Sign]:
    """What a reader sees that reads `text` surely, but for places in `doubt`."""
    signs = []
    for place, char in enumerate(text):
        odds = np.zeros(len(SIGNS), np.float32)
        for sign, p in (doubt or {}).get(place, {char: 0.99}).items():
            odds[SIGNS.index(sign)] = p
        signs.append(Sign(odds=odds, read=char, nothing=max(0.0, 1.0 - float(odds.sum()))))
    return signs


@pytest.mark.parametrize(
    ("country", "plate"),
    [
        ("UA", "AA1234BB"), ("UA", "KA1234YB"), ("UA", "12345KA"), ("UA", "1234KA"), ("UA", "A1234KB"), ("UA", "1234A1"),
        ("UA", "11AA1234"), ("UA", "DP001234"), ("UA", "CDP00123"), ("PL", "WA1234C"), ("PL", "KRA1C23"), ("SK", "BA302OZ"),
        ("HU", "ABC123"), ("HU", "AABC123"), ("RO", "B123ABC"), ("RO", "CJ12ABC"), ("MD", "ABC123"), ("CZ", "1T43213"),
        ("DE", "BMW1234"), ("DE", "MAB12E"), ("LT", "ABC123"), ("LV", "AB1234"), ("EE", "123ABC"), ("BG", "CB1234AB"),
        ("IT", "AB123CD"), ("ES", "1234BCD"), ("FR", "AB123CD"), ("NL", "12BCD3"), ("GB", "AB12CDE"),
    ],
)  # fmt: skip
def test_each_country_knows_its_plates(country: str, plate: str) -> None:
    assert country in {form.country for form in fitting(plate)}


def test_every_form_is_a_plate_at_all() -> None:
    for form in grammar.forms():
        assert 4 <= len(form.places) <= 9, form
        assert all(set(place) <= set(SIGNS) and place for place in form.places), form
        assert all(0 < part < len(form.places) for part in form.parts), form


@pytest.mark.parametrize(
    ("read", "meant"),
    [("AAI234BB", "AA1234BB"), ("AA12348B", "AA1234BB"), ("AAO013BM", "AA0013BM"), ("BC99I1BK", "BC9911BK")],
)
def test_look_alikes_are_repaired_where_the_form_says_so(read: str, meant: str) -> None:
    found = guesses(seen(read), ("UA",))
    assert (found[0].text, found[0].form.country) == (meant, "UA")
    assert read in dict(probabilities(found))


def test_the_order_of_expected_countries_decides_between_forms() -> None:
    assert guesses(seen("ABC123"), ("HU", "LT"))[0].form.country == "HU"
    assert guesses(seen("ABC123"), ("LT", "HU"))[0].form.country == "LT"
    assert guesses(seen("BA3020Z"), ("SK", "PL"))[0].text == "BA302OZ"


def test_the_band_and_crests_are_left_out() -> None:
    assert guesses(seen("UAAA1234BB"), ("UA",))[0].text == "AA1234BB"
    crest = {2: {"8": 0.4, "R": 0.2}}
    assert guesses(seen("RK8346AL", doubt=crest), ("SK",))[0].text == "RK346AL"


def test_a_region_that_is_none_costs() -> None:
    sure, odd = (guesses(seen(plate), ("UA",))[0].price for plate in ("AA1234BB", "ZZ1234BB"))
    assert sure < odd


def test_a_text_of_no_country_is_kept_as_it_was_read() -> None:
    best = guesses(seen("VW4X4WP"), ("UA", "PL"))[0]
    assert best.text in {"VW4X4WP", "VWAX4WP"}
    assert guesses(seen("7Q7Q7Q7Q"), ("UA",))[0].form.country is None


def test_doubt_becomes_alternatives_with_probabilities() -> None:
    told = probabilities(guesses(seen("AA1234BB", doubt={3: {"2": 0.5, "3": 0.45}}), ("UA",)))
    assert [text for text, _ in told[:2]] == ["AA1234BB", "AA1334BB"] or told[0][0] == "AA1234BB"
    assert sum(p for _, p in told) == pytest.approx(1.0)


@pytest.mark.parametrize("signs", [[], seen("A1"), seen("A" * 40)])
def test_too_little_and_too_much_is_no_plate(signs: list[Sign]) -> None:
    assert guesses(signs) == []
