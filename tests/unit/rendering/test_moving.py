"""The small picture of a body that moves: where it lies on the photo, what is coloured, and its outline."""

import numpy as np
import pytest

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.moving import LONGEST_SIDE_PX, draw_moving
from limbstudio.rendering.shading import RESIDUAL_COLOUR
from limbstudio.rendering.silhouette import silhouette

CAMERA = Camera(1200.0, (379.5, 499.5), (760, 1000))


@pytest.fixture(scope="module")
def standing(body) -> np.ndarray:
    at_rest = body.rest_vertices(np.zeros(body.n_shape))
    return (at_rest - at_rest.mean(0)) * [1, -1, -1] + [0, 0, 2.6]


@pytest.fixture(scope="module")
def picture(body, standing):
    below = standing[:, 1] > 0.5
    return draw_moving(standing, body.faces, below, CAMERA)


def test_it_is_small_and_lies_where_the_body_is(body, standing, picture):
    mask = silhouette(standing, body.faces, CAMERA)
    rows, columns = np.nonzero(mask)

    assert max(picture.rgba.shape[:2]) == LONGEST_SIDE_PX
    left, top = picture.origin_px
    height, width = picture.rgba.shape[:2]
    assert left == pytest.approx(columns.min(), abs=2)
    assert top == pytest.approx(rows.min(), abs=2)
    assert left + width * picture.scale == pytest.approx(columns.max(), abs=2 + picture.scale)
    assert top + height * picture.scale == pytest.approx(rows.max(), abs=2 + picture.scale)


def test_its_pixels_are_those_of_the_body(body, standing, picture):
    mask = silhouette(standing, body.faces, CAMERA)
    ys, xs = np.nonzero(picture.rgba[..., 3])

    x = np.round(picture.origin_px[0] + (xs + 0.5) * picture.scale).astype(int)
    y = np.round(picture.origin_px[1] + (ys + 0.5) * picture.scale).astype(int)

    assert mask[np.clip(y, 0, 999), np.clip(x, 0, 759)].mean() > 0.98
    assert len(ys) * picture.scale**2 == pytest.approx(mask.sum(), rel=0.03)


def test_the_residual_limb_has_its_colour(picture):
    bottom = picture.rgba[-10:][picture.rgba[-10:, :, 3] > 0][:, :3].astype(float)
    top = picture.rgba[:10][picture.rgba[:10, :, 3] > 0][:, :3].astype(float)

    wanted = np.array(RESIDUAL_COLOUR) / np.linalg.norm(RESIDUAL_COLOUR)
    assert (bottom @ wanted / np.linalg.norm(bottom, axis=1)).min() > 0.999
    assert (top @ wanted / np.linalg.norm(top, axis=1)).max() < 0.995


def test_the_outline_goes_round_the_body(body, standing, picture):
    mask = silhouette(standing, body.faces, CAMERA)
    longest = max(picture.outlines, key=len)

    steps = np.roll(longest, -1, 0) - longest
    area = 0.5 * abs((longest[:, 0] * steps[:, 1] - longest[:, 1] * steps[:, 0]).sum())
    assert area == pytest.approx(mask.sum(), rel=0.05)
    assert longest.min() >= -3
    assert (longest.max(0) <= [763, 1003]).all()


def test_a_body_out_of_sight_gives_an_empty_picture(body, standing):
    aside = draw_moving(standing + [20, 0, 0], body.faces, np.zeros(len(standing), bool), CAMERA)

    assert not aside.rgba[..., 3].any()
    assert aside.outlines == ()
