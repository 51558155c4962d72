"""Girths of a residual limb: the lengths of its sections at equal steps from the end.

As with a tape measure the girth is the length of the section's convex hull: a tape does not follow hollows.
"""

import math
from dataclasses import dataclass

import numpy as np

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
        section = _section(vertices, own, depth, tip - step * every_m)
        if section is None:
            break
        hull = _hull(_in_plane(section, axis))
        if len(hull) < 3:
            break
        edges = np.roll(hull, -1, axis=0) - hull
        lengths = np.linalg.norm(edges, axis=1)
        normals = np.column_stack([-edges[:, 1], edges[:, 0]]) / lengths[:, None]
        spread = hull @ normals.T
        narrowest = float((spread.max(0) - spread.min(0)).min())
        widest = float(np.linalg.norm(hull[:, None] - hull[None], axis=-1).max())
        found.append(Girth(step * every_m, float(lengths.sum()), widest, narrowest))
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


def _section(vertices: np.ndarray, faces: np.ndarray, depth: np.ndarray, at: float) -> np.ndarray | None:
    """Return the points (N, 3) where the faces' edges cross a depth; None unless the section closes round the limb."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    above = depth[edges] > at
    crossing = above[:, 0] != above[:, 1]
    if not crossing.any():
        return None
    ordered = np.sort(edges[crossing], axis=1)
    unique, counts = np.unique(ordered, axis=0, return_counts=True)
    if (counts != 2).any():  # an edge crossed by one face only: the surface ends here
        return None
    a, b = unique[:, 0], unique[:, 1]
    share = (at - depth[a]) / (depth[b] - depth[a])
    return vertices[a] + share[:, None] * (vertices[b] - vertices[a])


def _in_plane(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return points (N, 3) as coordinates (N, 2) in the plane across `axis`."""
    other = np.eye(3)[np.argmin(np.abs(axis))]
    first = np.cross(axis, other)
    first /= np.linalg.norm(first)
    return np.column_stack([points @ first, points @ np.cross(axis, first)])


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the convex hull (H, 2) of points (N, 2), counter-clockwise (Andrew's monotone chain)."""
    order = points[np.lexsort((points[:, 1], points[:, 0]))]

    def chain(sequence: np.ndarray) -> list[np.ndarray]:
        kept: list[np.ndarray] = []
        for p in sequence:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-1] - kept[-2], p - kept[-2]
                if ax * by - ay * bx > 0:
                    break
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return np.array([*chain(order), *chain(order[::-1])])
