"""The outline of a body in a photo: a mask from a triangle mesh and a pinhole camera."""

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import Floats, Ints, coverage, in_front


def silhouette(
    vertices_camera: Floats, faces: Ints, camera: Camera, *, closed: bool = True
) -> NDArray[np.bool_]:
    """Draw the mask of a mesh, (H, W) bool, True where a pixel's centre looks at the mesh.

    vertices_camera: (V, 3) metres, camera frame. faces: (F, 3), outward. closed: half of the triangles of a
    closed surface suffice; pass False for open ones. Parts behind the camera are left out.
    """
    faces = in_front(vertices_camera, np.asarray(faces))
    z = np.asarray(vertices_camera)[:, 2:]
    points_px = camera.project(
        np.where(z > 0, vertices_camera, 1.0)
    )  # those behind belong to no face any more
    return coverage(points_px, faces, size_px=camera.size_px, cull=closed)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the intersection of two masks over their union; 0 when both are empty."""
    union = int(np.count_nonzero(first | second))
    return np.count_nonzero(first & second) / union if union else 0.0
