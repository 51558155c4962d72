"""What lies under a place of a picture."""

import numpy as np

from limbstudio.rendering.picking import Projected

_FACES = np.array([[0, 1, 2], [3, 4, 5]])
_POINTS = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2], [-1, -1, 5], [1, -1, 5], [0, 1, 5]], float)
# A camera at the origin that looks along z, 90 degrees wide: clip w is the depth.
_TO_CLIP = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], float)


def test_the_nearer_face_is_hit_at_the_place_that_is_seen():
    hit = Projected(_POINTS, _FACES, _TO_CLIP, (100, 100)).at(50, 50)

    assert hit is not None
    assert hit.face == 0
    assert np.allclose(hit.weights @ _POINTS[_FACES[0]], [0, 0, 2])


def test_a_slanted_face_is_hit_in_space_not_on_the_picture():
    points = np.array([[-1, -1, 1], [1, -1, 1], [0, 3, 3]], float)

    hit = Projected(points, np.array([[0, 1, 2]]), _TO_CLIP, (100, 100)).at(50, 60)

    assert hit is not None
    place = hit.weights @ points
    assert np.allclose(place[:2] / place[2], [0, -0.2])


def test_nothing_beside_behind_or_without_width():
    seen = Projected(_POINTS, _FACES, _TO_CLIP, (100, 100))
    behind = Projected(_POINTS - [0, 0, 10], _FACES, _TO_CLIP, (100, 100))

    assert seen.at(1, 1) is None
    assert behind.at(50, 50) is None
