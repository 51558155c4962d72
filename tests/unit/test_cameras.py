"""The camera of a photo: order of trust, units, and what EXIF can say."""

import math

import numpy as np
import pytest

from limbstudio.cameras import UNCERTAIN_EXIF_SIGMA, choose_camera, exif_focal, focal_sigma
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import FocalSource

_FILM_DIAGONAL = math.hypot(36, 24)
_F, _F35, _ZOOM, _X_RESOLUTION, _UNIT, _X, _Y = 0x920A, 0xA405, 0xA404, 0xA20E, 0xA210, 0xA002, 0xA003


def test_a_given_focal_length_wins_over_exif_and_paper():
    camera = choose_camera((400, 300), given_px=450, exif_px=700, paper=True)

    assert (camera.focal_px, camera.focal_source) == (450, FocalSource.GIVEN)


def test_the_paper_takes_5000_px_even_if_exif_knows_better():
    camera = choose_camera((400, 300), exif_px=700, paper=True)

    assert (camera.focal_px, camera.focal_source) == (5000, FocalSource.PAPER)


def test_exif_wins_over_the_diagonal():
    assert choose_camera((400, 300), exif_px=700).focal_source is FocalSource.EXIF
    camera = choose_camera((400, 300))
    assert (camera.focal_px, camera.focal_source) == (500, FocalSource.DIAGONAL)


def test_an_impossible_exif_value_is_not_believed():
    assert choose_camera((400, 300), exif_px=3).focal_source is FocalSource.DIAGONAL


def test_the_optical_axis_meets_the_middle_of_the_middle_pixel():
    camera = choose_camera((5, 3))

    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 2.0])), [2, 1])


def test_millimetres_given_for_pixels_are_recognised():
    with pytest.raises(KnownError) as refused:
        choose_camera((4000, 3000), given_px=50)

    assert "5778 px" in refused.value.hint


@pytest.mark.parametrize("given", [0, -100, math.nan, math.inf, 1e9])
def test_an_impossible_given_focal_length_is_refused(given):
    with pytest.raises(KnownError):
        choose_camera((4000, 3000), given_px=given)


def test_the_prior_is_as_wide_as_its_source_deserves():
    assert focal_sigma(FocalSource.GIVEN) == 0
    assert focal_sigma(FocalSource.EXIF) == 0.03
    assert focal_sigma(FocalSource.EXIF, exif_sigma=0.15) == 0.15
    assert focal_sigma(FocalSource.DIAGONAL, exif_sigma=0.15) == 0.25


def test_the_35_mm_equivalent_compares_diagonals():
    focal = exif_focal({_F35: 50}, (6000, 4000))

    # 50 mm on a full frame: 36 mm are 6000 px.
    assert focal is not None
    assert focal.focal_px == pytest.approx(50 / 36 * 6000)
    assert focal.sigma == 0.03


def test_a_turn_changes_nothing():
    assert exif_focal({_F35: 50, _X: 6000, _Y: 4000}, (4000, 6000)) == exif_focal(
        {_F35: 50, _X: 6000, _Y: 4000}, (6000, 4000)
    )


def test_the_focal_plane_serves_where_there_is_no_equivalent():
    # 5184 px over 22.3 mm, written per inch.
    tags = {_F: 35.0, _X_RESOLUTION: 5184 / 22.3 * 25.4, _UNIT: 2, _X: 5184, _Y: 3456}

    focal, smaller = exif_focal(tags, (5184, 3456)), exif_focal(tags, (1296, 864))

    assert focal is not None
    assert smaller is not None
    assert focal.focal_px == pytest.approx(35 / 22.3 * 5184)
    assert smaller.focal_px == pytest.approx(focal.focal_px / 4)


def test_a_focal_plane_of_no_real_sensor_is_not_believed():
    assert exif_focal({_F: 35.0, _X_RESOLUTION: 72, _UNIT: 2}, (4000, 3000)) is None


def test_a_cropped_picture_keeps_the_focal_length_and_is_less_sure():
    whole = exif_focal({_F35: 26, _X: 4000, _Y: 3000}, (4000, 3000))
    cropped = exif_focal({_F35: 26, _X: 4000, _Y: 3000}, (1000, 2000))

    assert whole is not None
    assert cropped is not None
    assert cropped.focal_px == whole.focal_px
    assert cropped.sigma == UNCERTAIN_EXIF_SIGMA
    assert "cropped" in cropped.note


def test_a_picture_of_no_camera_shape_is_taken_as_cropped():
    focal = exif_focal({_F35: 26}, (1000, 900))

    assert focal is not None
    assert focal.sigma == UNCERTAIN_EXIF_SIGMA


@pytest.mark.parametrize(("counted", "written"), [(True, 52), (False, 26)])
def test_digital_zoom_is_counted_once_where_the_file_can_tell(counted, written):
    # Without zoom: 26 mm equivalent. The focal plane never knows of the zoom.
    plane_px_per_mm = 26 / _FILM_DIAGONAL * 5000 / 5.0
    tags = {
        _F35: written,
        _ZOOM: 2.0,
        _F: 5.0,
        _X_RESOLUTION: plane_px_per_mm * 10,
        _UNIT: 3,
        _X: 4000,
        _Y: 3000,
    }

    focal = exif_focal(tags, (4000, 3000))

    assert focal is not None
    assert focal.focal_px == pytest.approx(52 / _FILM_DIAGONAL * 5000)


def test_digital_zoom_makes_unsure_where_the_file_cannot_tell():
    focal = exif_focal({_F35: 26, _ZOOM: 2.0}, (4000, 3000))

    assert focal is not None
    assert focal.sigma == UNCERTAIN_EXIF_SIGMA


@pytest.mark.parametrize("value", [0, -5, math.nan, "50", b"50", None, ()])
def test_senseless_exif_values_say_nothing(value):
    assert exif_focal({_F35: value}, (4000, 3000)) is None
