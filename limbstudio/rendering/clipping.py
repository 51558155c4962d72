"""Cut and cap a closed surface with VTK: the yardstick by which our own cut is timed."""

import numpy as np
from numpy.typing import NDArray

from limbstudio.rendering.raster import Floats, Ints


class VtkCut:
    """Cuts with pyvista's `clip_closed_surface`; making one imports VTK, so that a cut can be timed by
    itself.
    """

    def __init__(self) -> None:
        import pyvista  # a second to load, for a benchmark alone

        self._polydata = pyvista.PolyData

    def clip(
        self, vertices: Floats, faces: Ints, *, origin: Floats, normal: Floats
    ) -> tuple[int, NDArray[np.int64]]:
        """Keep what lies behind the plane (against `normal`) and cap it; return the vertex count and (F, 3)
        faces.

        vertices: (V, 3) metres. faces: (F, 3), closed. origin, normal: (3,).
        """
        surface = self._polydata.from_regular_faces(vertices, faces)
        clipped = surface.clip_closed_surface(normal=-normal, origin=origin)
        return clipped.n_points, np.asarray(clipped.triangulate().regular_faces)
