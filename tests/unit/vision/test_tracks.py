"""One vehicle in many pictures is one read; votes, directions, gates."""

import numpy as np

from svidok.vision.motion import Motion, QuietBytes
from svidok.vision.reading import Plate
from svidok.vision.tracks import AWAY, TOWARDS, UNKNOWN, Look, Sighting, Tracks, direction, vote

PICTURE = np.zeros((90, 160, 3), np.uint8)


def plate(
    text: str, *, x: float = 50, y: float = 40, wide: float = 60, sure: float = 0.9, country: str | None = "UA"
) -> Plate:
    corners = ((x, y), (x + wide, y), (x + wide, y + wide / 4), (x, y + wide / 4))
    return Plate(
        text=text, confidence=sure, sure=(sure,) * len(text), alternatives=(), country=country, form="", corners=corners,
        price=0.0,
    )  # fmt: skip


def look(at_s: float, text: str, **where: float) -> Look:
    return Look(at_us=round(at_s * 1e6), plate=plate(text, **where), picture=PICTURE, source=f"{at_s}")  # type: ignore[arg-type]


def drive(tracks: Tracks, *looks: Look) -> list[Sighting]:
    told = [one for shot in looks for one in tracks.take([shot], at_us=shot.at_us)]
    return [*told, *tracks.end()]


def test_a_vehicle_is_told_once_and_early_when_its_pictures_agree() -> None:
    tracks = Tracks()
    told = [len(list(tracks.take([look(n / 5, "AA1234BB", y=40 + 4 * n)], at_us=n * 200_000))) for n in range(8)]
    assert told == [0, 0, 1, 0, 0, 0, 0, 0]
    assert list(tracks.end()) == []


def test_the_many_outvote_the_few_and_the_sure_the_unsure() -> None:
    (seen,) = drive(
        Tracks(), look(0, "AA1234B8", sure=0.4), look(0.2, "AA1234BB"), look(0.4, "AA1Z34BB", sure=0.3),
        look(0.6, "AA1234BB"),
    )  # fmt: skip
    assert seen.vote.text == "AA1234BB"
    assert seen.vote.pictures == 2
    assert seen.best.plate.text == "AA1234BB"
    assert {text for text, _ in seen.vote.alternatives} >= {"AA1234B8"}


def test_signs_are_voted_for_each_by_itself() -> None:
    said = vote([look(0, "AA1234B8"), look(1, "AAI234BB"), look(2, "AA1284BB")])
    assert said.text == "AA1234BB"


def test_two_vehicles_side_by_side_are_two() -> None:
    tracks, told = Tracks(), []
    for n in range(4):
        both = [look(n / 5, "AA1234BB", x=10), look(n / 5, "KA7777HO", x=500)]
        told += [one.vote.text for one in tracks.take(both, at_us=n * 200_000)]
    assert sorted(told) == ["AA1234BB", "KA7777HO"]


def test_one_that_stands_is_not_told_again_though_nothing_moved() -> None:
    tracks = Tracks()
    told = [one for n in range(4) for one in tracks.take([look(n / 5, "AA1234BB")], at_us=n * 200_000)]
    told += tracks.take([], at_us=20_000_000)
    told += [
        one for n in range(4) for one in tracks.take([look(20 + n / 5, "AA1234BB")], at_us=20_000_000 + n * 200_000)
    ]
    assert len(told) == 1


def test_one_weak_picture_is_no_read_and_a_word_is_no_plate() -> None:
    assert drive(Tracks(), look(0, "AA1234BB", sure=0.5)) == []
    assert drive(Tracks(), *(look(n / 5, "OCTAVIA", sure=0.5) for n in range(5))) == []


def test_what_is_not_told_yet_is_remembered_for_a_restart() -> None:
    tracks = Tracks()
    list(tracks.take([look(7, "AA1234BB")], at_us=7_000_000))
    assert tracks.seen_since_us == 7_000_000
    list(tracks.take([], at_us=12_000_000))
    assert tracks.seen_since_us is None


def test_what_grows_comes_nearer() -> None:
    assert direction([(n, 10.0 + n, 50.0) for n in range(9)]) == TOWARDS
    assert direction([(n, 20.0 - n, 50.0) for n in range(9)]) == AWAY
    assert direction([(0, 10.0, 50.0)]) == direction([(n, 10.0, 50.0) for n in range(9)]) == UNKNOWN


def test_motion_is_found_where_it_is_and_light_is_no_motion() -> None:
    motion, still = Motion(), np.full((360, 640, 3), 90, np.uint8)
    motion.look(still)
    assert motion.look(still) is None
    assert motion.look(still + np.uint8(25)) is None
    moved = still.copy()
    moved[100:160, 300:380] = 220
    box = motion.look(moved)
    assert box is not None
    assert box.x <= 300
    assert box.x + box.width >= 380
    assert box.width < 200


def test_groups_as_small_as_those_of_a_still_scene_are_quiet() -> None:
    quiet = QuietBytes()
    assert [quiet.is_quiet(1000, 25) for _ in range(6)] == [False] * 5 + [True]
    assert not quiet.is_quiet(9000, 25)
    assert quiet.is_quiet(1100, 25)


def test_at_night_bytes_say_nothing() -> None:
    noisy = QuietBytes()
    assert not any(noisy.is_quiet(90_000 + n % 3 * 9000, 25) for n in range(40))
