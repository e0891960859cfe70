"""Finders on footage that the project itself carries: a person comes in, a car drives by, an empty room stays empty."""

from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from svidok.base import Unavailable
from svidok.vision import detect, faces
from svidok.vision.sessions import Picture, session
from svidok.vision.shapes import Box, Found, strongest

FOOTAGE = Path(__file__).parents[3] / "src" / "svidok" / "simulate" / "footage"
PEOPLE, CARS = "one-by-one-person-detection.mp4", "car-detection.mp4"


@cache
def picture(clip: str, number: int) -> Picture:
    with av.open(str(FOOTAGE / clip)) as container:
        stream = container.streams.video[0]
        container.seek(int(number / float(stream.average_rate) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if round(float(frame.time) * float(stream.average_rate)) >= number:
                return frame.to_ndarray(format="bgr24")
    raise AssertionError("the clip is too short")


def test_a_person_is_found_where_he_stands() -> None:
    (person,) = [one for one in detect.find(picture(PEOPLE, 1100)) if one.kind == detect.PERSON]
    assert person.score > 0.6
    assert person.box.likeness(Box(x=383, y=12, width=146, height=360)) > 0.8


def test_a_box_is_in_pixels_of_the_picture_whatever_its_size() -> None:
    small = picture(PEOPLE, 1100)
    large = np.ascontiguousarray(np.repeat(np.repeat(small, 2, axis=0), 2, axis=1))
    (person,) = [one for one in detect.find(large) if one.kind == detect.PERSON]
    assert person.box.likeness(Box(x=766, y=24, width=292, height=720)) > 0.8


def test_a_car_is_found_as_a_vehicle_and_an_empty_place_stays_empty() -> None:
    found = detect.find(picture(CARS, 345))
    assert any(one.kind in detect.VEHICLES for one in found)
    assert detect.find(picture(PEOPLE, 0)) == ()


def test_a_face_is_found_on_the_head_of_a_person() -> None:
    shot = picture(PEOPLE, 1100)
    (person,) = [one for one in detect.find(shot) if one.kind == detect.PERSON]
    face = faces.find(shot)[0]
    assert face.box.shared(Box(x=person.box.x, y=person.box.y, width=person.box.width, height=person.box.height / 3))
    assert faces.find(picture(PEOPLE, 0)) == ()


def test_the_head_of_a_person_without_a_face_is_blurred_all_the_same() -> None:
    person = Found(kind=detect.PERSON, score=0.9, box=Box(x=0, y=0, width=30, height=90))
    car = Found(kind="car", score=0.9, box=Box(x=200, y=0, width=30, height=90))
    face = Found(kind=faces.FACE, score=0.9, box=Box(x=10, y=5, width=10, height=10))
    (head,) = faces.to_blur([], [person, car])
    assert (head.width, head.height) == (30, 30)
    (only_face,) = faces.to_blur([face], [person])
    assert only_face == Box(x=7, y=2, width=16, height=16)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (500, 2, 3)])
def test_odd_pictures_are_looked_at_without_harm(shape: tuple[int, int, int]) -> None:
    assert isinstance(detect.find(np.zeros(shape, np.uint8)), tuple)
    assert isinstance(faces.find(np.zeros(shape, np.uint8)), tuple)


def test_of_two_that_overlap_the_surer_stays() -> None:
    sure, less = (
        Found(kind="car", score=score, box=Box(x=x, y=0, width=10, height=10)) for score, x in ((0.9, 0), (0.5, 1))
    )
    other = Found(kind="bus", score=0.4, box=sure.box)
    assert strongest([less, other, sure], overlap=0.5) == (sure, other)


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Install"):
        session(tmp_path / "nothing.onnx")
