"""Normals to shade a finely divided surface of flat facets by: without them every facet is seen, and none of them is
there in the person. Only the shading is softer; points, faces and every number stay."""

import numpy as np

from limbstudio.rendering.raster import Floats, Ints

# Each round takes in the neighbours once more; so many reach across a facet of the bundled body in steps of 4 mm.
ROUNDS = 10


def softened_normals(normals: Floats, faces: Ints, rounds: int = ROUNDS) -> Floats:
    """Return unit normals (V, 3) that are means over each vertex's surroundings.

    normals: (V, 3) unit. faces: (F, 3). Vertices of an open border keep theirs, so that the surface goes on there
    without a seam.
    """
    from scipy.sparse import coo_array  # here: the window is up before it is needed

    n = len(normals)
    start = faces[:, [0, 1, 2]].ravel()
    end = faces[:, [1, 2, 0]].ravel()
    ones = np.ones(len(start))
    directed = coo_array((ones, (start, end)), shape=(n, n)).tocsr()
    one_sided = (directed - directed.T).tocoo()
    border = np.zeros(n, bool)
    border[one_sided.row[one_sided.data != 0]] = True
    near = directed + directed.T
    near.data[:] = 1.0
    soft = np.asarray(normals, float).copy()
    for _ in range(rounds):
        mean = soft + near @ soft
        mean /= np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12)
        soft = np.where(border[:, None], normals, mean)
    return soft
