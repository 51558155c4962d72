"""What a plane cuts out of a surface: ordered loops, their girth, area and widths.

A vertex exactly on the plane counts as below it, so that every triangle is crossed twice or not at all and a
closed surface gives closed loops, whatever the plane touches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.errors import KnownError

Float = NDArray[np.floating]
Int = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Loop:
    """One loop of a plane section.

    points (n, 3): in order, metres, anticlockwise seen from the normal's head around solid matter. normal
    (3,): of the plane, unit. closed: False where the surface has a hole at the plane; the loop then runs from
    rim to rim.
    """

    points: Float
    normal: Float
    closed: bool

    @cached_property
    def girth_m(self) -> float:
        """Return the loop's length; for an open loop, that of the part that is there."""
        following = np.roll(self.points, -1, axis=0)
        lengths = np.linalg.norm(following - self.points, axis=1)
        return float(lengths.sum() if self.closed else lengths[:-1].sum())

    @cached_property
    def area_m2(self) -> float:
        """Return the area inside, by the shoelace formula; negative for the wall of a hollow."""
        about = self.points - self.points.mean(axis=0)
        (x, y, z), (u, v, w) = about.T, np.roll(about, -1, axis=0).T
        doubled = np.array([(y * w - z * v).sum(), (z * u - x * w).sum(), (x * v - y * u).sum()])
        return float(doubled @ self.normal) / 2

    @cached_property
    def centroid(self) -> Float:
        """Return the centroid (3,) of the area inside."""
        middle = self.points.mean(axis=0)
        about = self.points - middle
        following = np.roll(about, -1, axis=0)
        cross = np.cross(about, following) @ self.normal
        total = cross.sum()
        if abs(total) < 1e-18:
            return middle
        return middle + ((about + following) * cross[:, None]).sum(axis=0) / (3 * total)

    @cached_property
    def tape_girth_m(self) -> float:
        """Return the length of a taut tape around the loop (its convex hull), which bridges hollows."""
        points = self._in_plane()
        hull = points[_hull(points)]
        return float(np.linalg.norm(np.roll(hull, -1, axis=0) - hull, axis=1).sum())

    @cached_property
    def caliper_widths_m(self) -> tuple[float, float]:
        """Return the widest and the narrowest distance between a caliper's jaws around the loop."""
        points = self._in_plane()
        hull = points[_hull(points)]
        widest = float(np.linalg.norm(hull[:, None] - hull[None], axis=-1).max())
        edges = np.roll(hull, -1, axis=0) - hull
        normals = np.column_stack([-edges[:, 1], edges[:, 0]]) / np.linalg.norm(edges, axis=1)[:, None]
        spread = hull @ normals.T  # the narrowest distance has a jaw along one edge of the hull
        return widest, float((spread.max(axis=0) - spread.min(axis=0)).min())

    def width_m(self, direction: Float) -> float:
        """Return the loop's extent along a direction (3,), of any length, taken within the plane."""
        across = np.asarray(direction, float)
        across = across - across @ self.normal * self.normal
        length = np.linalg.norm(across)
        if length < 1e-9:
            raise ValueError("A width needs a direction across the section's normal.")
        return float(np.ptp(self.points @ (across / length)))

    def encloses(self, point: Float) -> bool:
        """Tell whether a point (3,), projected on the plane, lies inside a closed loop."""
        x, y = self._in_plane(np.asarray(point, float))[0]
        u, v = self._in_plane().T
        u2, v2 = np.roll(u, -1), np.roll(v, -1)
        spans = (v > y) != (v2 > y)
        at = u[spans] + (y - v[spans]) / (v2[spans] - v[spans]) * (u2[spans] - u[spans])
        return bool(self.closed and np.sum(at > x) % 2)

    def _in_plane(self, points: Float | None = None) -> Float:
        first = np.cross(self.normal, np.eye(3)[np.argmin(np.abs(self.normal))])
        first = first / np.linalg.norm(first)
        points = self.points if points is None else np.atleast_2d(points)
        return points @ np.stack([first, np.cross(self.normal, first)], axis=1)


def _hull(points: Float) -> Int:
    """Return the convex hull of points (n, 2), anticlockwise (Andrew's monotone chains, many points at once)."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    return np.concatenate([_chain(points, order)[:-1], _chain(points, order[::-1])[:-1]])


def _chain(points: Float, kept: Int) -> Int:
    """Drop what does not turn left between its neighbours, until everything does."""
    while len(kept) > 2:
        before, here, after = (points[kept[k : len(kept) - 2 + k]] for k in range(3))
        to_here, to_after = here - before, after - before
        wrong = to_here[:, 0] * to_after[:, 1] - to_here[:, 1] * to_after[:, 0] <= 0
        if not wrong.any():
            break
        # Of neighbours that are wrong every second one goes: two that lie on each other must not both vanish.
        number = np.arange(len(wrong))
        since = number - np.maximum.accumulate(np.where(wrong, -1, number))
        goes = wrong & (since % 2 == 1)
        kept = kept[np.concatenate([[True], ~goes, [True]])]
    return kept


def plane_section(vertices: Float, faces: Int, *, origin: Float, normal: Float) -> tuple[Loop, ...]:
    """Cut a surface with a plane.

    vertices (V, 3) metres; faces (F, 3); origin (3,) on the plane; normal (3,). Returns the loops, longest
    first; none when the plane misses the surface. Raises KnownError where more than two faces share an edge
    at the plane.
    """
    unit = np.asarray(normal, float)
    unit = unit / np.linalg.norm(unit)
    points = np.asarray(vertices, float)
    heights = points @ unit - np.asarray(origin, float) @ unit
    above = heights > 0
    first, second, third = faces.T
    count = above[first].astype(np.uint8) + above[second] + above[third]
    rows = np.flatnonzero((count == 1) | (count == 2))
    if not len(rows):
        return ()

    # Each crossed face is entered over the edge that comes down and left over the edge that goes up.
    corners = faces[rows].astype(np.int64)
    high = above[corners]
    following, high_next = np.roll(corners, -1, axis=1), np.roll(high, -1, axis=1)
    keys = np.minimum(corners, following) * len(points) + np.maximum(corners, following)
    entering, leaving = keys[high & ~high_next], keys[~high & high_next]
    if _repeats(entering) or _repeats(leaving):
        raise KnownError(
            "More than two faces meet in one edge where the surface is measured.",
            "Repair the mesh, or move the level.",
        )
    edges, place = np.unique(np.concatenate([entering, leaving]), return_inverse=True)
    a, b = edges // len(points), edges % len(points)
    t = (heights[a] / (heights[a] - heights[b]))[:, None]
    crossings = (1 - t) * points[a] + t * points[b]
    chains = _chains(place[: len(rows)].tolist(), place[len(rows) :].tolist())
    loops = [Loop(crossings[chain], unit, closed) for chain, closed in chains]
    return tuple(sorted(loops, key=lambda loop: -loop.girth_m))


def _repeats(keys: Int) -> bool:
    ordered = np.sort(keys)
    return bool((ordered[1:] == ordered[:-1]).any())


def _chains(starts: Sequence[int], ends: Sequence[int]) -> list[tuple[list[int], bool]]:
    """Join links start -> end into chains of ids, each with whether it closes on itself."""
    onward = dict(zip(starts, ends, strict=True))
    rims = set(starts) - set(ends)
    chains = []
    for rim in sorted(rims):
        chain = [rim]
        while chain[-1] in onward:
            chain.append(onward.pop(chain[-1]))
        chains.append((chain, False))
    while onward:
        first, here = onward.popitem()
        chain = [first]
        while here != first:
            chain.append(here)
            here = onward.pop(here)
        chains.append((chain, True))
    return chains


def loop_around(loops: Sequence[Loop], point: Float) -> Loop | None:
    """Choose the loop of a limb whose axis passes through `point` (3,), from all that a plane cuts out of a
    body.

    The shortest that encloses the point; else the one whose centroid is nearest; None without loops.
    """
    around = [loop for loop in loops if loop.encloses(point)]
    if around:
        return min(around, key=lambda loop: loop.girth_m)
    return min(loops, key=lambda loop: float(np.linalg.norm(loop.centroid - point)), default=None)
