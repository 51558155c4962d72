"""Annotations laid on the photo they belong to."""

import numpy as np
import pytest

from limbstudio.domain.anatomy import KeypointState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.formats.annotated import AnnotatedPerson
from limbstudio.formats.placing import placed_on, turned_position
from limbstudio.images import LoadedPhoto


def _photo(width: int, height: int, orientation: int = 1) -> LoadedPhoto:
    return LoadedPhoto(np.zeros((height, width, 3), np.uint8), "aa", width, height, orientation=orientation)


def _person(x: float, y: float, size: tuple[int, int] | None, box: Box | None = None) -> AnnotatedPerson:
    keypoints = Keypoints().replaced(0, Point(KeypointState.VISIBLE, x, y))
    return AnnotatedPerson(Person("1", "", keypoints, box=box), 1, "a.jpg", size)


def test_the_person_gets_the_hash_of_the_photo():
    assert placed_on(_person(3, 4, (40, 30)), _photo(40, 30)).person.photo == "aa"


def test_another_size_is_refused_with_both_sizes():
    with pytest.raises(KnownError, match="80 x 60 pixels, but the photo has 40 x 30"):
        placed_on(_person(3, 4, (80, 60)), _photo(40, 30))


def test_points_outside_the_picture_become_out_of_frame_and_keep_their_position():
    placed = placed_on(_person(55, 4, (40, 30)), _photo(40, 30))

    assert placed.person.keypoints.points[0] == Point(KeypointState.OUT_OF_FRAME, 55, 4)
    assert any("nose at (55, 4) lies outside" in warning for warning in placed.warnings)


def test_points_on_the_border_of_the_picture_stay():
    assert placed_on(_person(40, 30, (40, 30)), _photo(40, 30)).warnings == ()


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_an_annotation_of_the_stored_picture_is_turned_with_it(orientation):
    # The stored picture is 40 x 30; the point lies beyond the upright one's 30 columns: it is a stored one.
    placed = placed_on(_person(35, 4, (40, 30), Box(30, 2, 8, 6)), _photo(30, 40, orientation))

    point = placed.person.keypoints.points[0]
    assert (point.x, point.y) == turned_position(35, 4, orientation, (40, 30))
    assert placed.turned == orientation
    assert placed.person.box is not None
    assert (placed.person.box.width, placed.person.box.height) == (6, 8)
    assert any("turned" in warning for warning in placed.warnings)


def test_upright_positions_under_a_sideways_size_are_kept():
    placed = placed_on(_person(4, 35, (40, 30)), _photo(30, 40, 6))

    assert placed.person.keypoints.points[0] == Point(KeypointState.VISIBLE, 4, 35)
    assert placed.turned == 1


def test_positions_that_fit_both_ways_are_refused():
    with pytest.raises(KnownError, match="lying on its side"):
        placed_on(_person(4, 5, (40, 30)), _photo(30, 40, 6))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_positions_turn_like_pixels(orientation):
    stored = np.arange(12).reshape(3, 4)
    turn = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose,
        6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90,
    }[orientation]  # fmt: skip
    shown = turn(stored)

    for y in range(3):
        for x in range(4):
            column, row = turned_position(x, y, orientation, (4, 3))
            assert shown[int(row), int(column)] == stored[y, x]
