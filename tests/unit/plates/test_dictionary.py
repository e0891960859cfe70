"""The dictionary finds exactly what a plain look at every plate would find."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.plates.dictionary import Dictionary
from svidok.plates.patterns import distance, parse

LETTERS = "ABCE0123"


def filled(texts: list[str]) -> Dictionary:
    dictionary = Dictionary()
    dictionary.add((number + 1, text, 1000 + number, 1) for number, text in enumerate(texts))
    return dictionary


texts = st.lists(st.text(LETTERS, min_size=1, max_size=14), unique=True, max_size=60)
pieces = st.text(LETTERS + "?", max_size=4)


@settings(max_examples=300, deadline=None)
@given(texts, st.lists(pieces, min_size=1, max_size=4))
def test_patterns_find_what_a_plain_look_finds(known: list[str], parts: list[str]) -> None:
    typed = "*".join(parts)
    if sum(char not in "?*" for char in typed) < 2 or (len(parts) == 1 and "?" not in typed) or len(typed) > 16:
        return
    pattern = parse(typed).pattern
    total, found = filled(known).find(pattern, most=1000)
    assert sorted(one.text for one in found) == sorted(text for text in known if pattern.fits(text))
    assert total == len(found)


@settings(max_examples=300, deadline=None)
@given(texts, st.text(LETTERS, min_size=4, max_size=10), st.integers(1, 2))
def test_errors_of_reading_find_what_a_plain_look_finds(known: list[str], plate: str, edits: int) -> None:
    def fits(text: str) -> bool:
        return distance(plate, text, most=edits) <= edits

    _, found = filled(known).near(plate, edits=edits, fits=fits, most=1000)
    assert sorted(one.text for one in found) == sorted(filter(fits, known))


def test_latest_first_and_no_more_than_asked() -> None:
    dictionary = filled([f"AA{number:04d}" for number in range(500)])
    total, found = dictionary.find(parse("AA*").pattern, most=3)
    assert (total, [one.text for one in found]) == (500, ["AA0499", "AA0498", "AA0497"])
    dictionary.seen([(1, 9999, 5)])
    assert dictionary.find(parse("AA*").pattern, most=1)[1][0].text == "AA0000"
    assert dictionary.find(parse("AA*").pattern, most=1)[1][0].reads == 6


def test_it_grows_over_blocks_and_ids_with_holes() -> None:
    chance = random.Random(1)
    dictionary = Dictionary()
    numbers = sorted(chance.sample(range(1, 700_000), 2000))
    dictionary.add((number, f"P{number:06d}", 0, 0) for number in numbers)
    wanted = numbers[1234]
    assert [one.id for one in dictionary.find(parse(f"P{wanted:06d}*").pattern, most=5)[1]] == [wanted]
    assert dictionary.known(wanted).text == f"P{wanted:06d}"
    assert dictionary.known(wanted + 1) is None or wanted + 1 in numbers
    assert dictionary.known(10**7) is None


def test_plates_beyond_latin_and_very_long_ones_are_found_too() -> None:
    dictionary = filled(["ЯЖ1234", "A" * 15, "AA1234BB"])
    assert [one.text for one in dictionary.find(parse("*1234*").pattern, most=9)[1]] == ["AA1234BB", "ЯЖ1234"]
    assert [one.text for one in dictionary.find(parse("AAAAAAAAAAAAA*").pattern, most=9)[1]] == ["A" * 15]
