"""Counts and volumes of surfaces whose truth is known."""

import numpy as np
import pytest
import trimesh

from limbstudio.body.surface import (
    cached_topology,
    connected_labels,
    intersecting_pairs,
    signed_volume,
    surface_facts,
    surface_topology,
)


def _box(shift: tuple[float, float, float] = (0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.creation.box()
    return np.array(mesh.vertices) + shift, np.array(mesh.faces)


def _together(*meshes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(v) for v, _ in meshes)])
    vertices = np.concatenate([v for v, _ in meshes])
    return vertices, np.concatenate([f + start for (_, f), start in zip(meshes, starts, strict=False)])


def test_a_box_is_closed_in_one_piece_of_its_volume():
    vertices, faces = _box((100, 0, 0))

    facts = surface_facts(vertices, faces, intersections=True)

    assert facts.watertight
    assert (facts.boundary_edges, facts.nonmanifold_edges, facts.components) == (0, 0, 1)
    assert facts.volume_m3 == pytest.approx(1, abs=1e-12)
    assert facts.self_intersections == 0


def test_a_missing_face_leaves_three_boundary_edges():
    vertices, faces = _box()

    facts = surface_facts(vertices, faces[1:])

    assert not facts.watertight
    assert (facts.boundary_edges, facts.nonmanifold_edges) == (3, 0)


def test_a_face_wound_backwards_is_not_watertight_though_no_edge_is_open():
    vertices, faces = _box()
    faces = faces.copy()
    faces[0] = faces[0][::-1]

    facts = surface_facts(vertices, faces)

    assert not facts.watertight
    assert (facts.boundary_edges, facts.nonmanifold_edges) == (0, 3)


def test_a_surface_turned_inside_out_has_negative_volume():
    vertices, faces = _box()

    assert signed_volume(vertices, faces[:, ::-1]) == pytest.approx(-1)


def test_two_boxes_are_two_components_and_unused_vertices_none():
    vertices, faces = _together(_box(), _box((5, 0, 0)))

    facts = surface_facts(np.concatenate([vertices, [[9, 9, 9]]]), faces)

    assert facts.components == 2


def test_labels_equal_those_of_scipy_on_random_graphs():
    csgraph = pytest.importorskip("scipy.sparse.csgraph")
    from scipy.sparse import coo_array

    rng = np.random.default_rng(0)
    for _ in range(20):
        edges = rng.integers(0, 300, (rng.integers(1, 300), 2))
        graph = coo_array((np.ones(len(edges)), edges.T), shape=(300, 300))

        labels = connected_labels(edges, 300)

        _, expected = csgraph.connected_components(graph, directed=False)
        pairs = {*zip(labels.tolist(), expected.tolist(), strict=True)}
        assert len(pairs) == len(set(labels.tolist())) == len(set(expected.tolist()))


def test_crossing_boxes_intersect_and_touching_or_distant_ones_do_not():
    crossing = _together(_box(), _box((0.5, 0.4, 0.3)))
    distant = _together(_box(), _box((3, 0, 0)))

    assert len(intersecting_pairs(*crossing)) > 0
    assert len(intersecting_pairs(*distant)) == 0


def test_intersections_are_those_of_the_slow_way():
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 1, (120, 1, 3)) + rng.uniform(-0.15, 0.15, (120, 3, 3))
    vertices, faces = corners.reshape(-1, 3), np.arange(360).reshape(-1, 3)

    found = {tuple(pair) for pair in intersecting_pairs(vertices, faces).tolist()}

    def pierces(one: np.ndarray, two: np.ndarray) -> bool:
        for i in range(3):
            p, d = one[i], one[(i + 1) % 3] - one[i]
            matrix = np.stack([-d, two[1] - two[0], two[2] - two[0]], axis=1)
            t, u, v = np.linalg.solve(matrix, p - two[0])
            if 0 < t < 1 and u > 0 and v > 0 and u + v < 1:
                return True
        return False

    expected = {
        (i, j)
        for i in range(120)
        for j in range(i + 1, 120)
        if pierces(corners[i], corners[j]) or pierces(corners[j], corners[i])
    }
    assert found == expected
    assert len(expected) > 10


def test_a_fan_folded_through_itself_intersects_although_its_triangles_share_a_vertex():
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0.5, 0.5, -1], [0.5, 0.5, 1.0]])
    faces = np.array([[0, 1, 2], [0, 3, 4]])

    assert intersecting_pairs(vertices, faces).tolist() == [[0, 1]]


def test_a_topology_is_computed_once_until_the_faces_change():
    _, faces = _box()
    first = cached_topology(faces, 8)

    again = cached_topology(faces, 8)
    faces[0] = faces[0][[0, 2, 1]]
    changed = cached_topology(faces, 8)

    assert again is first
    assert changed is not first
    assert not changed.is_closed


def test_edges_of_faces_join_their_corners():
    _, faces = _box()
    topology = surface_topology(faces, 8)

    ends = topology.edges[topology.face_edges]

    expected = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2), axis=2)
    assert np.array_equal(ends, expected)
    assert topology.is_closed
