"""Girths of a residual limb: the lengths of its sections at equal steps from the end.

As with a tape measure the girth is the length of the section's convex hull: a tape does not follow hollows.
"""

import math
from dataclasses import dataclass

import numpy as np

from limbstudio.measures.section import plane_section

EVERY_M = 0.025  # the step prosthetists use between two girths


@dataclass(frozen=True)
class Girth:
    """One section across a limb. from_end_m: along the axis, from the tip. widest_m, narrowest_m: caliper widths."""

    from_end_m: float
    girth_m: float
    widest_m: float
    narrowest_m: float


def residual_girths(
    vertices: np.ndarray,
    faces: np.ndarray,
    residual: np.ndarray,
    *,
    upstream: np.ndarray,
    end: np.ndarray,
    every_m: float = EVERY_M,
) -> tuple[Girth, ...]:
    """Measure one residual limb across its axis, every `every_m` from the tip.

    vertices (V, 3) metres; faces (F, 3); residual (V,) bool, true on residual limbs (all of the person's).
    upstream, end (3,): the segment's proximal joint and the limb's end, in the frame of the vertices; they tell the
    limb from others. Sections stop where the surface of the limb does.
    """
    axis = np.asarray(end, float) - upstream
    length = float(np.linalg.norm(axis))
    if length < 1e-6:
        return ()
    axis = axis / length
    own = _faces_of_limb(vertices, faces, residual, upstream, axis, length)
    if not len(own):
        return ()
    depth = vertices @ axis
    tip = float(depth[own].max())
    found = []
    for step in range(1, math.floor(length / every_m) + 2):
        at = axis * (tip - step * every_m)
        loops = plane_section(vertices, own, origin=at, normal=axis)
        if not loops or not all(loop.closed for loop in loops):  # the surface of the limb ends here
            break
        widest, narrowest = loops[0].caliper_widths_m
        found.append(Girth(step * every_m, loops[0].tape_girth_m, widest, narrowest))
    return tuple(found)


def _faces_of_limb(
    vertices: np.ndarray,
    faces: np.ndarray,
    residual: np.ndarray,
    upstream: np.ndarray,
    axis: np.ndarray,
    length: float,
) -> np.ndarray:
    """Return the residual faces that lie along this limb's axis."""
    chosen = faces[np.asarray(residual, bool)[faces].all(1)]
    if not len(chosen):
        return chosen
    middle = vertices[chosen].mean(1) - upstream
    along = middle @ axis
    across = np.linalg.norm(middle - along[:, None] * axis, axis=1)
    near = (along > -0.3 * length) & (along < 1.3 * length + 0.1) & (across < 0.2)
    return chosen[near]
