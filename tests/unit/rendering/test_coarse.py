"""A moving body is drawn with fewer triangles, and looks the same in a picture of its size."""

import numpy as np
import pytest

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.coarse import coarse_faces
from limbstudio.rendering.moving import draw_moving

CAMERA = Camera(1200.0, (380.0, 500.0), (760, 1000))


@pytest.fixture(scope="module")
def standing(body) -> np.ndarray:
    """The body at rest before the camera, (V, 3), metres."""
    at_rest = body.rest_vertices(np.zeros(body.n_shape))
    return (at_rest - at_rest.mean(0)) * [1, -1, -1] + [0, 0, 2.6]


def test_half_as_many_triangles_cover_the_same_pixels(body, standing):
    apart = np.zeros(len(standing), bool)

    faces = coarse_faces(standing, body.faces, apart)

    assert len(faces) < 0.6 * len(body.faces)
    full, coarse = (draw_moving(standing, f, apart, CAMERA) for f in (body.faces, faces))
    seen, drawn = (picture.rgba[..., 3] > 0 for picture in (full, coarse))
    rows, columns = (min(a, b) for a, b in zip(seen.shape, drawn.shape, strict=True))
    differs = seen[:rows, :columns] != drawn[:rows, :columns]
    assert differs.sum() < 0.01 * seen.sum()


def test_the_choice_made_in_one_pose_serves_another(body, standing):
    apart = np.zeros(len(standing), bool)
    faces = coarse_faces(standing, body.faces, apart)
    turned = (standing - [0, 0, 2.6]) @ np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]]) + [0, 0, 2.6]

    full, coarse = (draw_moving(turned, f, apart, CAMERA).rgba[..., 3] > 0 for f in (body.faces, faces))

    rows, columns = (min(a, b) for a, b in zip(full.shape, coarse.shape, strict=True))
    assert (full[:rows, :columns] != coarse[:rows, :columns]).sum() < 0.01 * full.sum()


def test_vertices_that_must_stay_apart_are_never_drawn_as_one(body, standing):
    apart = standing[:, 1] > 0.45  # from the knees down

    faces = coarse_faces(standing, body.faces, apart)

    def border(triangles):
        mixed = apart[triangles].any(1) & ~apart[triangles].all(1)
        return standing[triangles[mixed]].mean(1)

    fine, coarse = border(body.faces), border(faces)
    nearest = np.linalg.norm(coarse[:, None] - fine[None], axis=2).min(1)
    assert len(coarse) > 0
    assert nearest.max() < 0.03  # the border stays where it was


def test_long_edges_are_left_alone():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])

    assert np.array_equal(coarse_faces(corners, faces, np.zeros(4, bool)), faces)
