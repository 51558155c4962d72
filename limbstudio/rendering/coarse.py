"""Fewer triangles for what only moves by: neighbouring vertices are drawn as one where a small picture shows no more.

The vertices stay as they are and triangles are chosen among them, so the choice holds for every pose of one topology.
"""

import numpy as np

from limbstudio.rendering.raster import Floats, Ints

# A body of 1.7 m in a picture of 260 px has pixels of 7 mm.
LONGEST_EDGE_M = 0.012
_ROUNDS = 5


def coarse_faces(vertices: Floats, faces: Ints, apart: np.ndarray, longest_m: float = LONGEST_EDGE_M) -> Ints:
    """Return triangles (F', 3) among the same vertices, F' < F: edges shorter than `longest_m` are drawn as points.

    vertices: (V, 3) metres, in any pose. faces: (F, 3). apart: (V,) bool; vertices that differ in it stay apart. Takes
    some hundredths of a second: it is done once per topology.
    """
    left = np.asarray(faces, np.int64)
    for _ in range(_ROUNDS):
        kept, gone = _mutually_nearest(vertices, left, apart, longest_m)
        if not len(kept):
            break
        into = np.arange(len(vertices))
        into[gone] = kept
        left = into[left]
        a, b, c = left.T
        left = left[(a != b) & (b != c) & (c != a)]
    return np.ascontiguousarray(left, np.asarray(faces).dtype)


def _mutually_nearest(
    vertices: Floats, faces: Ints, apart: np.ndarray, longest_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (N,), (N,) of vertices that an edge joins which is the shortest at both of its ends."""
    count = len(vertices)
    first, second = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    once = first < second  # in a closed surface each edge comes once in either direction
    first, second = first[once], second[once]
    lengths = np.sqrt(((vertices[first] - vertices[second]) ** 2).sum(1))
    short = np.flatnonzero((lengths < longest_m) & (apart[first] == apart[second]))
    order = short[np.argsort(lengths[short], kind="stable")]
    first, second, rank = first[order], second[order], np.arange(len(order))
    best = np.full(count, len(order))
    np.minimum.at(best, first, rank)
    np.minimum.at(best, second, rank)
    mutual = (best[first] == rank) & (best[second] == rank)
    return first[mutual], second[mutual]
