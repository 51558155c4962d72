"""The crop around a person: borders, sizes, and points that stay on what they mark."""

import numpy as np
import pytest

from limbstudio.ajahr.limb_crop import (
    MEAN,
    Square,
    as_input,
    cut_out,
    points_in_crop,
    points_of,
    square_around,
)
from limbstudio.domain.anatomy import N_COCO, KeypointState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person


def picture(width: int, height: int, dot: tuple[int, int], radius: int) -> np.ndarray:
    """Return a grey picture with a white disc."""
    y, x = np.mgrid[:height, :width]
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[(x - dot[0]) ** 2 + (y - dot[1]) ** 2 <= radius**2] = 255
    return pixels


@pytest.mark.parametrize(("side", "size"), [(640.0, 64), (37.3, 64), (64.0, 64), (211.7, 96)])
def test_a_point_stays_on_its_disc_when_the_crop_is_smaller_or_larger(side: float, size: int):
    dot = (301, 222)
    square = Square(dot[0] - 0.4 * side, dot[1] - 0.55 * side, side)

    crop = cut_out(picture(700, 500, dot, max(2, int(side / 12))), square, size)

    light = np.clip(crop[..., 0].astype(float) - 130, 0, None)  # neither grey nor the colour of outside
    y, x = np.mgrid[:size, :size]
    middle = np.array([(light * x).sum(), (light * y).sum()]) / light.sum()
    assert np.abs(middle - square.to_crop(np.array(dot, float), size)).max() < 0.35


@pytest.mark.parametrize(
    ("left", "top", "inside"),
    [(-20, 10, (slice(10, 30), slice(25, 38))), (60, -20, (slice(25, 38), slice(2, 15)))],
)
def test_what_lies_outside_has_the_mean_colour(left: float, top: float, inside: tuple[slice, slice]):
    pixels = np.full((80, 80, 3), 7, np.uint8)

    crop = cut_out(pixels, Square(left, top, 40.0), 40)

    assert (crop[inside] == 7).all()
    outside = crop[:, :18] if left < 0 else crop[:18]
    assert np.abs(outside.astype(float) - MEAN).max() <= 1
    told = as_input(crop)
    assert np.abs(told[:, :, :18] if left < 0 else told[:, :18]).max() < 0.02


def test_a_crop_far_larger_than_the_picture_takes_no_memory_of_its_own():
    crop = cut_out(np.full((50, 50, 3), 200, np.uint8), Square(-5e7, -5e7, 1e8), 32)

    assert crop.shape == (32, 32, 3)


@pytest.mark.parametrize("corner", [(-300, 10), (10, -300), (200, 10), (10, 200)])
def test_a_crop_outside_the_picture_is_refused(corner: tuple[float, float]):
    with pytest.raises(KnownError, match="outside the picture"):
        cut_out(np.zeros((100, 120, 3), np.uint8), Square(*corner, 100.0), 64)


def test_the_square_holds_box_and_points_but_no_point_that_is_hardly_believed_in():
    points = np.zeros((N_COCO, 3))
    points[0], points[1], points[2] = (130, 80, 0.9), (60, 160, 0.4), (900, 900, 0.05)

    square = square_around(points, Box(50, 60, 60, 80))

    assert square.side == pytest.approx(1.2 * 100)
    assert square.left + square.side / 2 == pytest.approx(90)
    assert square.top + square.side / 2 == pytest.approx(110)
    assert square_around(points, None).side == pytest.approx(1.45 * 80)


@pytest.mark.parametrize("box", [None, Box(10, 10, 0, 5)])
def test_a_person_without_box_and_points_is_refused(box: Box | None):
    points = np.zeros((N_COCO, 3))
    points[0] = (10, 10, 1)

    with pytest.raises(KnownError, match="neither a box nor two points"):
        square_around(points, box)


@pytest.mark.parametrize("box", [Box(5, 5, 2, 3), Box(float("nan"), 0, 50, 50), Box(0, 0, float("inf"), 5)])
def test_a_box_of_no_size_is_refused(box: Box):
    with pytest.raises(KnownError, match="too small"):
        square_around(np.zeros((N_COCO, 3)), box)


def test_points_are_told_without_their_states():
    def person(state: KeypointState) -> Person:
        points = [Point(state, 10.0 + i, 20.0, 0.5) for i in range(16)]
        return Person("1", "0" * 64, Keypoints((*points, *[Point()] * 9)))

    found = [points_of(person(state)) for state in KeypointState]

    assert all(np.array_equal(found[0], other) for other in found)
    assert found[0][3].tolist() == [13, 20, 0.5]
    assert (found[0][16] == 0).all()


def test_points_that_were_not_found_stay_zeros_in_the_crop():
    points = np.zeros((N_COCO, 3))
    points[4] = (30, 40, 0.7)

    told = points_in_crop(points, Square(9.5, 19.5, 40.0), 80)

    assert told[4].tolist() == pytest.approx([40.5, 40.5, 0.7])
    assert (np.delete(told, 4, 0) == 0).all()
