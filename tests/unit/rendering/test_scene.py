"""A synthetic photo: near things hide far ones, shadows fall away from the sun, the same seed repeats."""

import numpy as np
import pytest

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import vertex_normals
from limbstudio.rendering.scene import Lighting, box, cylinder, draw_scene, floor, look_at, noise, plain

CAMERA = Camera(160.0, (79.5, 59.5), (160, 120))
GREY, RED = plain((0.5, 0.5, 0.5), grain=0.0), plain((0.6, 0.05, 0.05), grain=0.0)


def _volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float((np.cross(a, b) * c).sum() / 6)


def test_boxes_bars_and_floors_face_outward():
    crate = box("crate", (0, 0, 0), (1, 2, 3), GREY, 0.5)
    bar = cylinder("bar", (0, 0, 0), (0, 2, 1), 0.1, GREY)
    ground = floor(4.0, GREY, step_m=0.5)

    assert _volume(crate.vertices, crate.faces) == pytest.approx(6.0)
    assert _volume(bar.vertices, bar.faces) == pytest.approx(np.pi * 0.01 * np.sqrt(5), rel=0.03)
    np.testing.assert_allclose(
        vertex_normals(ground.vertices, ground.faces), [[0, 1, 0]] * len(ground.vertices)
    )


def test_a_camera_that_looks_at_a_point_sees_it_in_the_middle_and_the_world_upright():
    view = look_at(eye=np.array([1.0, 1.5, 3.0]), target=np.array([0.0, 1.0, 0.0]), camera=CAMERA)

    px = CAMERA.project(view.to_camera(np.array([[0, 1.0, 0], [0, 1.5, 0]])))

    np.testing.assert_allclose(px[0], CAMERA.center_px)
    assert px[1, 1] < px[0, 1]
    assert np.linalg.det(view.camera_from_world) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def crate_on_floor():
    pieces = [box("crate", (-0.25, 0, -0.25), (0.25, 0.5, 0.25), RED, 0.1), floor(4.0, GREY, step_m=0.2)]
    view = look_at(eye=np.array([0.0, 1.6, 2.4]), target=np.array([0.0, 0.2, 0.0]), camera=CAMERA)
    light = Lighting(sun_from=np.array([-1.0, 0.9, 0.1]))
    return draw_scene(pieces, view, light, seed=1), view, pieces, light


def test_the_nearer_piece_hides_the_farther_and_depth_is_metres(crate_on_floor):
    picture, view, _, _ = crate_on_floor

    top = view.to_camera(np.array([[0.0, 0.5, 0.0]]))[0]
    column, row = np.rint(CAMERA.project(top)).astype(int)
    assert picture.piece[row, column] == 0
    assert picture.depth[row, column] == pytest.approx(top[2], abs=0.02)
    assert picture.pixels[row, column, 0] > 2 * picture.pixels[row, column, 1]
    assert picture.piece[-1, 5] == 1


def test_shadow_falls_on_the_side_away_from_the_sun(crate_on_floor):
    picture, view, _, _ = crate_on_floor

    def brightness(x: float) -> float:
        column, row = np.rint(CAMERA.project(view.to_camera(np.array([[x, 0.0, 0.0]]))[0])).astype(int)
        return float(picture.pixels[row - 1 : row + 2, column - 1 : column + 2].mean())

    assert brightness(0.45) < 0.8 * brightness(-0.9)


def test_the_same_seed_makes_the_same_picture(crate_on_floor):
    picture, view, pieces, light = crate_on_floor

    again = draw_scene(pieces, view, light, seed=1)
    other = draw_scene(pieces, view, light, seed=2)

    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert (other.pixels != picture.pixels).any()


def test_noise_is_smooth_bounded_and_centred():
    points = np.random.default_rng(0).uniform(-5, 5, (20_000, 3))

    values = noise(points, 3.0)

    assert np.abs(values).max() <= 1
    assert abs(values.mean()) < 0.02
    assert np.abs(noise(points + 1e-4, 3.0) - values).max() < 5e-3
