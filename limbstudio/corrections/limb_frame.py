"""The frame in which corrections are kept: along the bone from the proximal joint, and about it from anterior."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import Limb, Side
from limbstudio.domain.errors import KnownError

Float = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LimbFrame:
    """Where a limb's segment lies at rest.

    origin (3,): its proximal joint, metres. axis, anterior, lateral (3,): unit, at right angles; axis points
    distally, lateral away from the body's middle (for an arm hanging down), so that left and right are mirror
    images in these coordinates. length_m: of the intact segment.
    """

    limb: Limb
    origin: Float
    axis: Float
    anterior: Float
    lateral: Float
    length_m: float

    def axial_of(self, points: Float) -> Float:
        """Return the axial fractions (...,) of points (..., 3)."""
        return (np.asarray(points, float) - self.origin) @ self.axis / self.length_m

    def angle_of(self, points: Float, about: Float | None = None) -> Float:
        """Return the angles (...,) of points (..., 3) about the bone, or about a line beside it through
        `about`.
        """
        arms = np.asarray(points, float) - (self.origin if about is None else about)
        return np.arctan2(arms @ self.lateral, arms @ self.anterior)

    def local(self, points: Float) -> Float:
        """Return points (..., 3) as (axial, anterior, lateral) in segment lengths."""
        axes = np.stack([self.axis, self.anterior, self.lateral], axis=1)
        return (np.asarray(points, float) - self.origin) @ axes / self.length_m

    def position(self, local: Float) -> Float:
        """Return the positions (..., 3), metres, of `local` coordinates."""
        axes = np.stack([self.axis, self.anterior, self.lateral])
        return self.origin + self.length_m * (np.asarray(local, float) @ axes)


def limb_frame(limb: Limb, *, upstream: Float, anchor: Float) -> LimbFrame:
    """Return the frame of a segment at rest (y up, z forward). upstream, anchor (3,): its joints, metres."""
    start = np.asarray(upstream, float)
    along = np.asarray(anchor, float) - start
    length = float(np.linalg.norm(along))
    if not length > 1e-6:
        raise KnownError(
            "The segment to be corrected has no length: its two joints coincide.", "Run the fit again."
        )
    axis = along / length
    forward = np.array([0.0, 0.0, 1.0])
    forward = forward - forward @ axis * axis
    anterior = forward / np.linalg.norm(forward)
    lateral = np.cross(axis, anterior) * (-1.0 if limb.side is Side.LEFT else 1.0)
    return LimbFrame(limb, start, axis, anterior, lateral, length)
