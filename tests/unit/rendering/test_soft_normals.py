"""Softened normals: nearer to those of the round body that facets stand for, one long, and fixed at the border."""

import numpy as np
import trimesh

from limbstudio.rendering.raster import vertex_normals
from limbstudio.rendering.soft_normals import softened_normals


def test_facets_of_a_divided_ball_are_shaded_as_a_ball():
    ball = trimesh.creation.icosphere(subdivisions=2).subdivide().subdivide()  # flat facets in sixteen pieces
    raw = vertex_normals(ball.vertices, ball.faces)
    true = ball.vertices / np.linalg.norm(ball.vertices, axis=1, keepdims=True)

    soft = softened_normals(raw, ball.faces)

    assert np.allclose(np.linalg.norm(soft, axis=1), 1)
    off = [np.degrees(np.arccos(np.clip((n * true).sum(1), -1, 1))).mean() for n in (raw, soft)]
    assert off[1] < 0.4 * off[0]


def test_the_border_of_an_open_surface_keeps_its_normals():
    ball = trimesh.creation.icosphere(subdivisions=3)
    faces = ball.faces[ball.triangles_center[:, 2] > 0]
    edges, count = np.unique(
        np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1), axis=0, return_counts=True
    )
    border = np.unique(edges[count == 1])
    rng = np.random.default_rng(0)
    raw = rng.standard_normal(ball.vertices.shape)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)

    soft = softened_normals(raw, faces)

    inside = np.setdiff1d(np.unique(faces), border)
    assert np.array_equal(soft[border], raw[border])
    assert (np.linalg.norm(soft - raw, axis=1)[inside] > 0.1).mean() > 0.9
