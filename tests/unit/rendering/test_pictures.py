"""Overlay and sheet: the body lies where the camera projects it; neither display nor VTK is needed."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.body import LimbFit
from limbstudio.domain.geometry import Camera, Keypoints, KeypointState, Point
from limbstudio.rendering.overlay import draw_overlay, overlay_scale, scaled_camera
from limbstudio.rendering.shading import RESIDUAL_COLOUR, draw_body, draw_body_parallel
from limbstudio.rendering.silhouette import silhouette
from limbstudio.rendering.views import SheetBody, draw_views

CAMERA = Camera(600.0, (149.5, 199.5), (300, 400))


@pytest.fixture
def ellipsoid() -> tuple[np.ndarray, np.ndarray]:
    """An upright ellipsoid two metres in front of the camera: vertices (V, 3), faces (F, 3)."""
    ball = trimesh.creation.icosphere(subdivisions=4)
    return ball.vertices * (0.2, 0.45, 0.15) + (0.02, 0.0, 2.0), np.asarray(ball.faces)


def _lower_half(vertices: np.ndarray) -> np.ndarray:
    return (vertices[:, 1] > 0.0).astype(np.uint8)


def _limb_fit(vertices: np.ndarray) -> LimbFit:
    low, high = np.array([0.02, 0.0, 2.0]), np.array([0.02, 0.6, 2.0])
    end = np.array([0.02, 0.45, 2.0])
    return LimbFit(
        limb=Limb.LEFT_LEG,
        segment=Segment.SHANK,
        factor=0.25,
        anchor="left_ankle",
        upstream="left_knee",
        anchor_position=high,
        upstream_position=low,
        endpoint=end,
        endpoint_px=(0.0, 0.0),
        annotated_px=None,
        length_m=0.45,
        factor_interval=(0.2, 0.3),
        length_interval_m=(0.4, 0.5),
        accepted=True,
    )


def test_the_overlay_changes_the_photo_only_where_the_body_is(ellipsoid):
    vertices, faces = ellipsoid
    photo = np.full((400, 300, 3), 90, np.uint8)

    picture = draw_overlay(photo, vertices, faces, CAMERA, residual=_lower_half(vertices))

    changed = (picture != photo).any(-1)
    np.testing.assert_array_equal(changed, silhouette(vertices, faces, CAMERA))
    assert (photo == 90).all()


def test_the_residual_surface_is_drawn_in_its_own_colour(ellipsoid):
    vertices, faces = ellipsoid
    photo = np.zeros((400, 300, 3), np.uint8)

    picture = draw_overlay(photo, vertices, faces, CAMERA, residual=_lower_half(vertices)).astype(float)

    above, below = picture[150, 155], picture[250, 155]
    assert below[0] > 1.3 * below[1]
    assert below[1] / below[0] == pytest.approx(RESIDUAL_COLOUR[1] / RESIDUAL_COLOUR[0], abs=0.05)
    assert above.max() < 1.25 * above.min()


def test_a_large_photo_makes_an_overlay_of_bounded_size(ellipsoid):
    vertices, faces = ellipsoid
    camera = scaled_camera(CAMERA, 10.0)
    photo = np.zeros((4000, 3000, 3), np.uint8)

    picture = draw_overlay(photo, vertices, faces, camera)

    assert picture.shape == (1600, 1200, 3)
    assert overlay_scale(camera) == pytest.approx(0.4)
    rows = np.flatnonzero(picture.any((1, 2)))
    small = scaled_camera(camera, 0.4)
    px = small.project(vertices)
    assert rows[0] == pytest.approx(px[:, 1].min(), abs=1)
    assert rows[-1] == pytest.approx(px[:, 1].max(), abs=1)


def test_a_scaled_camera_sees_the_same_picture():
    camera = scaled_camera(CAMERA, 0.5)
    point = np.array([0.1, -0.2, 1.5])

    # Pixel 0 is the centre of the first pixel, so scaling acts on the distance from the picture's edge.
    np.testing.assert_allclose((CAMERA.project(point) + 0.5) * 0.5 - 0.5, camera.project(point))


def test_glyphs_stand_where_the_annotated_points_are(ellipsoid):
    vertices, faces = ellipsoid
    photo = np.full((400, 300, 3), 90, np.uint8)
    points = [Point()] * 25
    points[5] = Point(KeypointState.VISIBLE, 40.0, 60.0)
    points[6] = Point(KeypointState.ABSENT, 250.0, 60.0)
    points[16] = Point(KeypointState.OCCLUDED, 1e9, -1e9)

    plain = draw_overlay(photo, vertices, faces, CAMERA)
    picture = draw_overlay(photo, vertices, faces, CAMERA, keypoints=Keypoints(tuple(points)))

    ys, xs = np.nonzero((picture != plain).any(-1))
    assert xs.mean() == pytest.approx(40, abs=1)
    assert ys.mean() == pytest.approx(60, abs=1)
    assert np.ptp(xs) < 30


def test_an_overlay_of_another_size_than_the_photo_is_refused(ellipsoid):
    vertices, faces = ellipsoid

    with pytest.raises(ValueError, match="photo"):
        draw_overlay(np.zeros((10, 10, 3), np.uint8), vertices, faces, CAMERA)


def test_a_body_is_brightest_where_it_faces_the_viewer(ellipsoid):
    vertices, faces = ellipsoid

    lit = draw_body(vertices, faces, CAMERA)

    brightness = lit.rgb.sum(-1)
    inside = lit.alpha > 0.99
    middle = brightness[190:210, 145:165].mean()
    assert middle > brightness[inside].mean()
    assert lit.alpha.max() <= 1 + 1e-6
    assert lit.alpha.sum() == pytest.approx(silhouette(vertices, faces, CAMERA).sum(), rel=0.005)


def test_a_parallel_view_keeps_sizes_whatever_the_distance(ellipsoid):
    vertices, faces = ellipsoid
    for away in (0.0, 5.0):
        lit = draw_body_parallel(
            vertices + (0, 0, away),
            faces,
            center=np.array([0.02, 0.0]),
            pixels_per_metre=200,
            size_px=(200, 240),
        )

        assert lit.alpha.sum() == pytest.approx(np.pi * 0.2 * 0.45 * 200**2, rel=0.01)


def test_the_sheet_shows_every_panel_with_and_without_residual_limbs(ellipsoid):
    vertices, faces = ellipsoid
    photo = np.full((400, 300, 3), 120, np.uint8)
    upright = SheetBody((vertices - (0.02, 0, 2.0)) * (1, -1, -1), faces, _lower_half(vertices))
    body = SheetBody(vertices, faces, _lower_half(vertices))
    arguments = {"forward_camera": np.array([0.0, 0.0, -1.0]), "title": "IMG_0001.jpg", "note": "A warning"}

    cut = draw_views(photo, CAMERA, body=body, tpose=upright, limbs=[_limb_fit(vertices)], **arguments)
    rejected = replace(_limb_fit(vertices), accepted=False, reason="the interval is too wide")
    kept = draw_views(photo, CAMERA, body=body, tpose=upright, limbs=[rejected] * 3, **arguments)
    whole = replace(body, residual=np.zeros(len(vertices)))
    none = draw_views(photo, CAMERA, body=whole, tpose=replace(upright, residual=whole.residual), **arguments)

    assert cut.shape == kept.shape == none.shape
    purple = [(p[..., 0].astype(int) - p[..., 1] > 25) & (p[..., 2] > p[..., 1]) for p in (cut, none)]
    assert purple[0].sum() > 20_000
    assert purple[1].sum() < 100


def test_the_side_view_is_that_of_the_residual_limb_and_stands_upright(ellipsoid):
    # A purple spot on the left of someone who faces the camera, photographed from a tilted camera.
    vertices, faces = ellipsoid
    for side, sign in (("left", 1), ("right", -1)):
        spot = (sign * (vertices[:, 0] - 0.02) > 0.15).astype(np.uint8)
        photo = np.zeros((400, 300, 3), np.uint8)
        upright = SheetBody(vertices * (1, -1, -1), faces, spot * 0)
        limb = replace(_limb_fit(vertices), limb=Limb(f"{side}_arm"))

        sheet = draw_views(
            photo,
            CAMERA,
            body=SheetBody(vertices, faces, spot),
            tpose=upright,
            forward_camera=np.array([0.0, 0.0, -1.0]),
            limbs=[limb],
        ).astype(int)

        purple = (sheet[..., 0] - sheet[..., 1] > 25) & (sheet[..., 2] > sheet[..., 1])
        side_panel = purple[720:1230, 730:1060]
        assert side_panel.sum() > 1000
        assert abs(np.nonzero(side_panel)[1].mean() - 165) < 20


def test_a_tilted_camera_does_not_tilt_the_views(ellipsoid):
    vertices, faces = ellipsoid
    c, s = np.cos(0.5), np.sin(0.5)
    tilt = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    body = SheetBody(vertices, faces, np.zeros(len(vertices)))
    leaning = replace(body, vertices=(vertices - (0, 0, 2)) @ tilt.T + (0, 0, 2))
    upright = SheetBody(vertices * (1, -1, -1), faces, body.residual)
    photo = np.zeros((400, 300, 3), np.uint8)
    forward, up = np.array([0.0, 0.0, -1.0]), np.array([0.0, -1.0, 0.0])

    level = draw_views(photo, CAMERA, body=body, tpose=upright, forward_camera=forward, up_camera=up)
    tilted = draw_views(
        photo, CAMERA, body=leaning, tpose=upright, forward_camera=tilt @ forward, up_camera=tilt @ up
    )

    below = np.s_[720:, :1060]
    assert np.abs(level[below].astype(int) - tilted[below]).mean() < 0.5


def test_a_person_at_the_edge_of_the_photo_or_behind_the_camera_still_has_a_sheet(ellipsoid):
    vertices, faces = ellipsoid
    photo = np.zeros((400, 300, 3), np.uint8)
    upright = SheetBody(vertices * (1, -1, -1), faces, np.zeros(len(vertices)))
    for shift in ((1.5, 0, 0), (0, -9, 0), (0, 0, -4)):
        body = SheetBody(vertices + shift, faces, np.zeros(len(vertices)))

        sheet = draw_views(photo, CAMERA, body=body, tpose=upright, forward_camera=np.array([0, 0, -1.0]))

        assert sheet.dtype == np.uint8


def test_pictures_need_neither_vtk_nor_a_display():
    code = (
        "import sys, limbstudio.rendering.views, limbstudio.rendering.silhouette\n"
        "heavy = {'vtkmodules', 'pyvista', 'torch', 'scipy', 'matplotlib', 'PySide6'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", code], env={"PATH": ""}, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
