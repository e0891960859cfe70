"""Covers follow what was seen, go on through loss, and never lie inside of what they have to cover."""

from hypothesis import given
from hypothesis import strategies as st

from svidok.evidence.tracks import Sighting, propose
from svidok.media.redact import Cover as Drawn

WIDTH, HEIGHT, PICTURES = 1920, 1080, 500


def covers(*seen: Sighting, lost: int = 40, hold: int = 15):
    return propose(seen, width=WIDTH, height=HEIGHT, pictures=PICTURES, lost=lost, hold=hold)


def test_a_face_that_moves_is_one_cover_that_is_wider_and_longer_than_it() -> None:
    (one,) = covers(*(Sighting(at, "face", (100.0 + at, 200.0, 40.0, 50.0)) for at in range(20, 120, 5)))
    assert (one.kind, one.first, one.last) == ("face", 5, 130)
    drawn = Drawn(one.first, one.last, one.keys)
    for at in range(20, 116):
        x, y, width, height = drawn.at(at)
        assert x <= 100 + at - 11
        assert x + width >= 140 + at + 11
        assert (y, y + height) == (185, 265)
    assert drawn.at(4) is None
    assert drawn.at(131) is None


def sides(box):
    x, y, width, height = box
    return x, y, x + width, y + height


def test_whoever_comes_in_fast_at_the_lower_edge_was_covered_before_anything_was_seen() -> None:
    """A head that rises 60 pixels a picture, seen from the fifth picture on: it was at the edge for four."""
    seen = [Sighting(at, "person", (400.0 + 8 * at, 1200.0 - 60 * at, 300.0, 1000.0)) for at in range(10, 20, 2)]
    (one,) = covers(*seen)
    drawn = Drawn(one.first, one.last, one.keys)
    for at in range(5, 10):
        x, y, right, bottom = sides(drawn.at(at))
        assert x <= 400 + 8 * at
        assert right >= 700 + 8 * at
        assert y <= 1200 - 60 * at
        assert bottom == HEIGHT or bottom >= 1200 - 60 * at + 330


def test_whoever_goes_out_stays_covered_to_the_edge() -> None:
    (one,) = covers(*(Sighting(at, "face", (1560.0 + 30 * (at - 50), 300.0, 60.0, 80.0)) for at in (50, 52, 54)))
    x, _, right, _ = sides(Drawn(one.first, one.last, one.keys).at(60))
    assert x <= 1680 - 18
    assert right == WIDTH
    assert sides(Drawn(one.first, one.last, one.keys).at(one.first))[2] < WIDTH


def test_what_stands_at_an_edge_is_covered_up_to_it_before_and_after() -> None:
    (one,) = covers(Sighting(100, "face", (30.0, 980.0, 60.0, 60.0)))
    drawn = Drawn(one.first, one.last, one.keys)
    assert (sides(drawn.at(99))[0], sides(drawn.at(99))[3]) == (0, HEIGHT)
    assert (sides(drawn.at(101))[0], sides(drawn.at(101))[3]) == (0, HEIGHT)


def test_of_somebody_cut_off_by_an_edge_more_than_a_third_is_taken_for_head() -> None:
    (one,) = covers(Sighting(0, "person", (900.0, 880.0, 200.0, 200.0)))
    assert sides(Drawn(one.first, one.last, one.keys).at(0))[3] >= 880 + 160


def test_a_face_that_is_lost_for_a_while_stays_covered() -> None:
    (one,) = covers(Sighting(10, "face", (100, 100, 60, 60)), Sighting(45, "face", (130, 100, 60, 60)))
    assert Drawn(one.first, one.last, one.keys).at(30) is not None
    assert len(covers(Sighting(10, "face", (100, 100, 60, 60)), Sighting(80, "face", (130, 100, 60, 60)))) == 2


def test_two_people_who_pass_are_two_covers() -> None:
    seen = []
    for at in range(0, 100, 5):
        seen += [Sighting(at, "face", (at * 4.0, 100, 30, 30)), Sighting(at, "face", (600 - at * 4.0, 300, 30, 30))]
    assert len(covers(*seen)) == 2


def test_the_head_of_a_person_without_a_face_is_covered_and_goes_on_as_their_face() -> None:
    person = (100.0, 100.0, 90.0, 300.0)
    (alone,) = covers(Sighting(0, "person", person))
    assert (alone.kind, alone.keys[0][1:]) == ("head", (73.0, 70.0, 144.0, 160.0))
    seen = [
        Sighting(0, "person", person),
        Sighting(5, "person", person),
        Sighting(5, "face", (120.0, 110.0, 50.0, 60.0)),
    ]
    (both,) = covers(*seen)
    assert Drawn(both.first, both.last, both.keys).at(5) == (73.0, 70.0, 144.0, 160.0)


def test_a_plate_is_never_taken_for_a_face() -> None:
    assert len(covers(Sighting(0, "plate", (10, 10, 50, 50)), Sighting(5, "face", (10, 10, 50, 50)))) == 2


boxes = st.tuples(
    st.floats(0, WIDTH - 20), st.floats(0, HEIGHT - 20), st.floats(4, 300), st.floats(4, 300)
)  # fmt: skip
sightings = st.lists(
    st.builds(Sighting, st.integers(0, PICTURES - 1), st.sampled_from(["face", "plate"]), boxes), max_size=30
)


@given(sightings)
def test_whatever_was_seen_is_covered_on_the_picture_it_was_seen_on(seen: list[Sighting]) -> None:
    drawn = [Drawn(one.first, one.last, one.keys) for one in covers(*seen)]
    for one in seen:
        left, top = one.box[0], one.box[1]
        right, bottom = min(WIDTH, left + one.box[2]), min(HEIGHT, top + one.box[3])
        at = [box for each in drawn if (box := each.at(one.picture))]
        assert any(
            x <= left + 0.1 and y <= top + 0.1 and x + wide >= right - 0.2 and y + high >= bottom - 0.2
            for x, y, wide, high in at
        )
