"""A body of fewer vertices is closed, looks the same in a small picture in any pose, and can be cut and capped."""

import numpy as np
import pytest

from limbstudio.body.coarse import coarse_body, collapsed
from limbstudio.body.model import BodyModel
from limbstudio.body.surface import surface_facts
from limbstudio.domain.geometry import Camera
from limbstudio.rendering.moving import draw_moving

CAMERA = Camera(1200.0, (380.0, 500.0), (760, 1000))


@pytest.fixture(scope="module")
def coarse(body) -> BodyModel:
    return coarse_body(body)


def before_camera(vertices: np.ndarray) -> np.ndarray:
    return vertices * [1, -1, -1] + [0, 0, 2.6]


def test_it_has_a_quarter_of_the_vertices_and_stays_one_closed_surface(body, coarse):
    whole, few = (surface_facts(b.template, b.faces, intersections=False) for b in (body, coarse))

    assert few.vertices < 0.3 * whole.vertices
    assert few.watertight
    assert few.components == whole.components
    assert few.volume_m3 == pytest.approx(whole.volume_m3, rel=0.01)


def test_its_vertices_are_some_of_the_bodys_own_in_any_pose_and_shape(body, coarse):
    random = np.random.default_rng(1)
    pose, shape = random.normal(0, 0.3, (55, 3)), random.normal(size=body.n_shape)

    whole, few = (b.pose(axis_angles=pose, shape=shape).vertices for b in (body, coarse))

    own = {tuple(row) for row in np.round(body.template, 7).tolist()}
    assert own.issuperset(tuple(row) for row in np.round(coarse.template, 7).tolist())
    rows = [np.abs(body.template - vertex).sum(1).argmin() for vertex in coarse.template[::50]]
    np.testing.assert_allclose(few[::50], whole[rows], atol=1e-6)
    assert np.array_equal(coarse.part_labels[::50], body.part_labels[rows])


def test_it_covers_the_same_pixels_of_a_small_picture_in_a_pose_it_was_not_made_in(body, coarse):
    pose = np.zeros((55, 3))
    pose[1, 0], pose[4, 0], pose[18, 1], pose[16, 2] = -0.8, 1.2, -1.3, -0.7
    pictures = [
        draw_moving(
            before_camera(b.pose(axis_angles=pose).vertices), b.faces, np.zeros(b.n_vertices, bool), CAMERA
        )
        for b in (body, coarse)
    ]

    seen, drawn = (_on_photo(picture) for picture in pictures)

    assert (seen != drawn).sum() < 0.06 * seen.sum()
    assert drawn.sum() == pytest.approx(seen.sum(), rel=0.02)


def _on_photo(picture) -> np.ndarray:
    """Which of every third pixel of the photo a picture covers."""
    y, x = np.mgrid[0:1000:3, 0:760:3]
    column = np.floor((x - picture.origin_px[0]) / picture.scale).astype(int)
    row = np.floor((y - picture.origin_px[1]) / picture.scale).astype(int)
    height, width = picture.rgba.shape[:2]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    covered = picture.rgba[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1), 3] > 0
    return inside & covered


def test_long_edges_corners_and_rims_are_left_alone():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    sheet = np.stack([*np.meshgrid(range(4), range(4)), np.zeros((4, 4))], -1).reshape(-1, 3) * 0.01
    first = np.array([0, 1, 2, 4, 5, 6, 8, 9, 10])
    pairs = [np.stack([first, first + 1, first + 5], 1), np.stack([first, first + 5, first + 4], 1)]

    whole, kept = collapsed(corners, faces, np.zeros(4, int), off_m=0.01, longest_m=0.1)
    _, of_sheet = collapsed(sheet, np.concatenate(pairs), np.zeros(16, int), off_m=0.01, longest_m=0.1)

    assert np.array_equal(whole, faces)
    assert kept.tolist() == [0, 1, 2, 3]
    rim = [0, 1, 2, 3, 4, 7, 8, 11, 12, 13, 14, 15]
    assert set(rim) <= set(of_sheet.tolist())
    assert len(of_sheet) < 16  # a flat inside needs no vertices


def test_vertices_of_two_parts_never_become_one(body):
    labels = (body.template[:, 1] > 0).astype(int)

    faces, kept = collapsed(np.asarray(body.template, float), body.faces, labels, off_m=0.02, longest_m=0.1)

    border = kept[np.unique(faces[np.ptp(labels[kept][faces], axis=1) > 0])]
    assert len(border) > 10
    assert np.abs(body.template[border, 1]).max() < 0.12  # an edge's length from where the parts meet
