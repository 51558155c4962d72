"""Faces that pass through each other: against brute force, VTK, exact rationals and known cases."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from limbstudio.body.surface import intersecting_pairs
from limbstudio.corrections.self_intersection import local_intersections, orientation


def brute_force(points, faces):
    """Return all pairs of faces that pass through each other, in rational numbers, by definition."""
    exact = [[Fraction(float(x)) for x in p] for p in points]

    def side(a, b, c, d):
        u, v, w = ([x - y for x, y in zip(exact[i], exact[a], strict=True)] for i in (b, c, d))
        det = (
            u[0] * (v[1] * w[2] - v[2] * w[1])
            + u[1] * (v[2] * w[0] - v[0] * w[2])
            + u[2] * (v[0] * w[1] - v[1] * w[0])
        )
        return (det > 0) - (det < 0)

    def pierces(one, two):
        for s, e in ((one[0], one[1]), (one[1], one[2]), (one[2], one[0])):
            if s in two or e in two or side(*two, s) * side(*two, e) >= 0:
                continue
            turns = [side(s, e, two[i], two[(i + 1) % 3]) for i in range(3)]
            if abs(sum(turns)) == 3:
                return True
        return False

    rows = [list(map(int, face)) for face in faces]
    return [
        (i, j)
        for i, j in combinations(range(len(rows)), 2)
        if len(set(rows[i]) & set(rows[j])) < 2 and (pierces(rows[i], rows[j]) or pierces(rows[j], rows[i]))
    ]


@pytest.mark.parametrize("seed", range(4))
def test_random_triangles_cross_where_brute_force_says_so(seed):
    rng = np.random.default_rng(seed)
    points = rng.random((36, 3))
    faces = np.array([rng.choice(36, 3, replace=False) for _ in range(40)])

    found = local_intersections(points, faces)

    assert [tuple(pair) for pair in found.tolist()] == brute_force(points, faces)
    assert len(found) > 5


@pytest.mark.parametrize("seed", range(3))
def test_on_a_grid_where_much_is_exactly_in_one_plane_too(seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (40, 3)).astype(float)
    faces = np.array([rng.choice(40, 3, replace=False) for _ in range(40)])
    corners = points[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    faces = faces[area > 0]

    found = local_intersections(points, faces)

    assert [tuple(pair) for pair in found.tolist()] == brute_force(points, faces)


def test_triangles_apart_agree_with_vtk():
    vtk = pytest.importorskip("vtkmodules.vtkCommonDataModel")
    rng = np.random.default_rng(3)
    count = 400
    points = rng.random((6 * count, 3))
    points[3::6] *= 0.7
    faces = np.arange(6 * count).reshape(-1, 3)
    expected = [
        bool(vtk.vtkTriangle.TrianglesIntersect(*points[faces[2 * i]], *points[faces[2 * i + 1]]))
        for i in range(count)
    ]

    found = [len(local_intersections(points[6 * i : 6 * i + 6], faces[:2])) == 1 for i in range(count)]

    assert found == expected
    assert 20 < sum(found) < count - 20


def test_only_pairs_with_a_changed_face_are_told():
    rng = np.random.default_rng(8)
    points = rng.random((60, 3))
    faces = np.array([rng.choice(60, 3, replace=False) for _ in range(80)])
    changed = np.array([3, 17, 40])

    found = local_intersections(points, faces, changed)

    every = local_intersections(points, faces)
    np.testing.assert_array_equal(found, every[np.isin(every, changed).any(axis=1)])


def test_orientation_is_exact_where_floating_point_is_not():
    # Four points in one plane but for one unit in the last place.
    base = np.array([[0.1, 0.1, 0.1], [1.1, 0.3, 0.2], [0.2, 1.3, 0.4]])
    middle = base.mean(axis=0)
    rows = [middle + np.array([0, 0, k]) * np.spacing(middle[2]) for k in (-2, -1, 0, 1, 2)]
    points = np.concatenate([base, rows])
    a, b, c = (np.full(5, i) for i in range(3))

    signs = orientation(points, a, b, c, np.arange(3, 8))

    exact = []
    for row in rows:
        p, q, r, s = ([Fraction(float(x)) for x in v] for v in (*base, row))
        u, v, w = ([x - y for x, y in zip(k, p, strict=True)] for k in (q, r, s))
        det = sum(
            u[i] * (v[(i + 1) % 3] * w[(i + 2) % 3] - v[(i + 2) % 3] * w[(i + 1) % 3]) for i in range(3)
        )
        exact.append((det > 0) - (det < 0))
    assert signs.tolist() == exact


def test_a_residual_limb_as_the_fit_leaves_it_does_not_cross_itself(forearm):
    assert len(local_intersections(forearm.points, forearm.faces)) == 0
    assert len(intersecting_pairs(forearm.points, forearm.faces)) == 0


def test_a_wall_pushed_through_the_opposite_wall_is_found(forearm):
    points = forearm.points.copy()
    local = forearm.frame.local(points)
    near = (np.abs(local[:, 0] - 0.35) < 0.04) & (local[:, 1] > 0.03)
    points[near] -= 0.12 * forearm.frame.anterior
    changed = forearm.mesh.faces_at(np.flatnonzero(near))

    found = local_intersections(points, forearm.faces, changed)

    assert len(found) > 10
    np.testing.assert_array_equal(found, intersecting_pairs_sorted(points, forearm.faces))


def intersecting_pairs_sorted(points, faces):
    pairs = intersecting_pairs(points, faces)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
