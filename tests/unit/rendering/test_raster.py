"""Triangles become the right pixels, the nearest one wins, and attributes follow perspective."""

import numpy as np
import pytest
import trimesh

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import coverage, rasterise, vertex_normals
from limbstudio.rendering.silhouette import overlap, silhouette

CAMERA = Camera(900.0, (199.5, 149.5), (400, 300))


def square(z: float, half: float = 0.1, x: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A square that faces the camera: seen from there its corners run counter-clockwise."""
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + (x, 0)
    return np.column_stack([corners, np.full(4, z)]), np.array([[0, 2, 1], [0, 3, 2]])


@pytest.mark.parametrize("x", [0.0, 0.12])
def test_the_silhouette_of_a_sphere_has_the_area_of_its_cone(x):
    distance, radius = 2.0, 0.25
    sphere = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    centre = np.array([x, 0, distance])

    mask = silhouette(sphere.vertices + centre, sphere.faces, CAMERA)

    # A cone about the axis to the sphere's centre cuts the picture plane in an ellipse.
    to_centre = np.linalg.norm(centre)
    half_angle, tilt = np.arcsin(radius / to_centre), np.arctan2(x, distance)
    outer, inner = np.tan(tilt + half_angle), np.tan(tilt - half_angle)
    semi_major = (outer - inner) / 2
    eccentricity = np.sin(tilt) / np.cos(half_angle)
    area = np.pi * semi_major**2 * np.sqrt(1 - eccentricity**2) * CAMERA.focal_px**2
    assert np.count_nonzero(mask) == pytest.approx(area, rel=0.01)
    assert not mask[:, 0].any()
    assert not mask[:, -1].any()


def test_a_pixel_is_covered_where_its_centre_is():
    points = np.array([[2.4, 1.4], [5.6, 1.4], [5.6, 4.6], [2.4, 4.6]])

    mask = coverage(points, np.array([[0, 2, 1], [0, 3, 2]]), size_px=(9, 7))

    expected = np.zeros((7, 9), bool)
    expected[2:5, 3:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_the_mask_agrees_with_the_points_that_the_camera_projects():
    vertices, faces = square(1.5, half=0.1)
    corner = CAMERA.project(vertices)

    mask = silhouette(vertices, faces, CAMERA)

    ys, xs = np.nonzero(mask)
    assert xs.min() == np.ceil(corner[:, 0].min())
    assert xs.max() == np.floor(corner[:, 0].max())
    assert ys.min() == np.ceil(corner[:, 1].min())
    assert ys.max() == np.floor(corner[:, 1].max())


def test_triangles_that_share_edges_leave_no_cracks():
    rng = np.random.default_rng(3)
    points = rng.uniform(10, 190, (400, 2))
    from scipy.spatial import ConvexHull, Delaunay

    faces = Delaunay(points).simplices
    hull = points[ConvexHull(points).vertices]

    mask = coverage(points, faces, size_px=(200, 200), cull=False)

    import cv2

    inside = np.zeros((200, 200), bool)
    for y in range(200):
        for x in range(200):
            inside[y, x] = cv2.pointPolygonTest(hull.astype(np.float32), (float(x), float(y)), True) > 0.01
    assert mask[inside].all()


def test_parts_outside_the_picture_and_behind_the_camera_are_left_out():
    vertices, faces = square(1.0, half=5.0)
    behind = vertices * (1, 1, -1)

    mask = silhouette(np.vstack([vertices, behind]), np.vstack([faces, faces + 4]), CAMERA)

    assert mask.all()
    assert not silhouette(behind, faces, CAMERA, closed=False).any()


def test_faces_that_look_away_are_only_drawn_for_open_surfaces():
    vertices, faces = square(1.0)

    assert not silhouette(vertices, faces[:, ::-1], CAMERA).any()
    assert silhouette(vertices, faces[:, ::-1], CAMERA, closed=False).any()


def test_the_nearest_surface_wins_whatever_the_order():
    near, faces = square(1.0, half=0.05)
    far, _ = square(2.0, half=0.2)
    for first, second, wanted in ((near, far, (0, 1)), (far, near, (2, 3))):
        vertices = np.vstack([first, second])

        raster = rasterise(
            CAMERA.project(vertices),
            1 / vertices[:, 2],
            np.vstack([faces, faces + 4]),
            size_px=CAMERA.size_px,
        )

        centre = (raster.ys == 150) & (raster.xs == 200)
        assert raster.face[centre][0] in wanted
        assert set(np.unique(raster.face)) == {0, 1, 2, 3}


def test_depth_and_attributes_are_those_of_the_surface_in_perspective():
    # A floor that runs away from the camera: halfway down the picture is not halfway along the floor.
    vertices = np.array([[-1, 0.4, 1.5], [1, 0.4, 1.5], [1, 0.4, 6.0], [-1, 0.4, 6.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])

    raster = rasterise(
        CAMERA.project(vertices), 1 / vertices[:, 2], faces, size_px=CAMERA.size_px, cull=False
    )

    seen = raster.interpolate(vertices)
    back = CAMERA.project(seen)
    np.testing.assert_allclose(back, np.column_stack([raster.xs, raster.ys]), atol=1e-6)
    np.testing.assert_allclose(1 / raster.nearness_seen, seen[:, 2], rtol=1e-9)


def test_the_z_buffer_covers_what_the_mask_covers():
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=0.2)
    vertices = sphere.vertices + (0.05, -0.02, 1.5)

    raster = rasterise(CAMERA.project(vertices), 1 / vertices[:, 2], sphere.faces, size_px=CAMERA.size_px)

    np.testing.assert_array_equal(raster.covered, silhouette(vertices, sphere.faces, CAMERA))
    assert np.linalg.norm(raster.interpolate(sphere.vertices), axis=1) == pytest.approx(0.2, rel=0.01)


def test_normals_of_a_sphere_point_outward():
    sphere = trimesh.creation.icosphere(subdivisions=3)

    normals = vertex_normals(sphere.vertices, sphere.faces)

    np.testing.assert_allclose(normals, sphere.vertices, atol=0.02)


def test_an_empty_view_is_an_empty_picture():
    vertices, faces = square(1.0, half=0.01, x=30.0)

    raster = rasterise(CAMERA.project(vertices), 1 / vertices[:, 2], faces, size_px=CAMERA.size_px)

    assert len(raster.ys) == 0
    assert not raster.covered.any()


def test_overlap_is_intersection_over_union():
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    first[:2], second[1:3] = True, True

    assert overlap(first, second) == pytest.approx(1 / 3)
    assert overlap(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 0.0
