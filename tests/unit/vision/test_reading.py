"""Plates drawn by ourselves, read out of pictures: straight, aside, on two lines, dark, and not at all."""

import random

import cv2
import numpy as np
import pytest

from svidok.simulate import plates as drawn
from svidok.vision import reading
from svidok.vision.grammar import fitting
from svidok.vision.sessions import Picture


def scene(text: str, *, wide: int = 130, turn: float = 0.0, light: float = 1.0, two_lines: bool = False) -> Picture:
    """A plate on something grey, `wide` pixels wide, seen from aside by `turn`."""
    form = next(fitting(text))
    plate = drawn.draw(random.Random(1), text, form, two_lines=two_lines).picture
    high = round(wide * plate.shape[0] / plate.shape[1])
    ground = np.full((330, 440, 3), 96, np.uint8)
    cv2.rectangle(ground, (60, 60), (380, 290), (70, 62, 58), -1)
    left, top, drop = 150, 180, turn * wide
    goal = np.float32([[left, top], [left + wide, top + drop], [left + wide, top + drop + high], [left, top + high]])
    start = np.float32([[0, 0], [plate.shape[1], 0], plate.shape[1::-1], [0, plate.shape[0]]])
    small = cv2.resize(plate, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    turned = cv2.getPerspectiveTransform(start / 2, goal)
    put = cv2.warpPerspective(small, turned, ground.shape[1::-1], flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full(small.shape[:2], 255, np.uint8), turned, ground.shape[1::-1])
    ground[mask > 127] = put[mask > 127]
    noise = np.random.default_rng(3).normal(0, 4, ground.shape)
    return np.clip(ground * light + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("text", ["AA1234BB", "BC9911BK", "KA5067HO", "WX12345", "RK346AL", "ABC123"])
def test_a_plain_plate_is_read(text: str) -> None:
    (plate,) = reading.plates(scene(text))[:1]
    assert plate.text == text
    assert plate.country
    assert len(plate.sure) == len(text)
    assert plate.confidence > 0.5
    box = plate.box
    assert 130 < box.x < 200
    assert 90 < box.width < 170


def test_from_aside_and_in_the_dark() -> None:
    assert reading.plates(scene("AA1234BB", wide=160, turn=0.25, light=0.35))[0].text == "AA1234BB"


def test_on_two_lines() -> None:
    assert reading.plates(scene("AE4021OC", wide=110, two_lines=True))[0].text == "AE4021OC"


def test_what_cannot_be_read_is_not_told_as_a_read() -> None:
    blurred = cv2.GaussianBlur(scene("AA1234BB", wide=60), (0, 0), 5)
    assert all(plate.text == "AA1234BB" for plate in reading.plates(blurred))
    assert reading.plates(np.full((300, 400, 3), 127, np.uint8)) == ()


def test_the_box_is_in_pixels_of_the_whole_picture() -> None:
    large = cv2.resize(scene("AA1234BB"), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    box = reading.plates(large)[0].box
    assert 520 < box.x < 800
    assert 360 < box.width < 680


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (31, 31, 3)])
def test_odd_pictures_do_no_harm(shape: tuple[int, int, int]) -> None:
    assert reading.plates(np.zeros(shape, np.uint8)) == ()
