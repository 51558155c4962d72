"""A residual limb as geometry: the surface that a cut leaves."""

from dataclasses import dataclass

import numpy as np

from limbstudio.domain.anatomy import Limb, Segment


@dataclass(frozen=True, eq=False)
class Stump:
    """One residual limb of a reconstructed mesh.

    boundary: ordered vertex ids of the ring where cap meets limb. cap_faces: face ids. axis: unit vector, distal.
    tip: position of the end, metres, in the frame of the mesh it belongs to.
    """

    limb: Limb
    segment: Segment
    boundary: np.ndarray
    cap_faces: np.ndarray
    axis: np.ndarray
    tip: np.ndarray
