"""Sections, girths and tape lengths of one residual limb that is open for correction, quick enough to be dragged.

All lengths are of the limb at rest. What is drawn over the posed limb is carried there.
"""

from dataclasses import dataclass, replace
from math import floor, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.domain.body import LimbFit
from limbstudio.domain.errors import KnownError
from limbstudio.measures.section import Loop, loop_around, plane_section

Float = NDArray[np.floating]
Int = NDArray[np.integer]

Z95 = 1.959964
_CARRIERS = 3  # vertices that carry a place from rest to the posed limb
_SLOPE_M = 0.004  # distance over which the change of a girth along the limb is taken


@dataclass(frozen=True, eq=False)
class LimbSection:
    """One section across a limb's axis, as a tape and calipers measure it.

    from_end_m: along the axis. axial: share of the intact segment from its proximal joint. loop: at rest; None, with
    the reason in `problem`, where the limb has no closed section.
    """

    from_end_m: float
    axial: float
    loop: Loop | None = None
    girth_m: float = float("nan")
    area_m2: float = float("nan")
    ml_m: float = float("nan")
    ap_m: float = float("nan")
    problem: str = ""

    @property
    def is_closed(self) -> bool:
        return self.loop is not None


def section_at(surface: LimbSurface, from_end_m: float, points: Float | None = None) -> LimbSection:
    """Cut a limb at a distance from its end. points (n, 3): at rest, instead of the surface's own."""
    frame = surface.frame
    end = surface.end_axial if points is None else float(frame.axial_of(points).max())
    return section_at_axial(surface, end - from_end_m / frame.length_m, from_end_m, points)


def section_at_axial(
    surface: LimbSurface, axial: float, from_end_m: float = float("nan"), points: Float | None = None
) -> LimbSection:
    """Cut a limb at a share of its intact segment."""
    frame = surface.frame
    points = surface.points if points is None else points
    origin = frame.position(np.array([axial, 0.0, 0.0]))
    try:
        loops = plane_section(points, surface.faces, origin=origin, normal=frame.axis)
    except KnownError as error:
        return LimbSection(from_end_m, axial, problem=error.message)
    if not loops:
        return LimbSection(from_end_m, axial, problem="There is no surface at this level.")
    if not all(loop.closed for loop in loops):
        return LimbSection(from_end_m, axial, problem="The limb joins the body at this level.")
    loop = loops[0]
    return LimbSection(
        from_end_m,
        axial,
        loop,
        loop.tape_girth_m,
        loop.area_m2,
        loop.width_m(frame.lateral),
        loop.width_m(frame.anterior),
    )


def sections_every(surface: LimbSurface, every_m: float) -> tuple[LimbSection, ...]:
    """Cut a limb at equal steps from its end, as far up as its surface is its own."""
    frame = surface.frame
    found = []
    for step in range(1, floor(surface.end_axial * frame.length_m / every_m) + 1):
        section = section_at(surface, step * every_m)
        if not section.is_closed:
            break
        found.append(section)
    return tuple(found)


def is_same_at(section: LimbSection, before: LimbSurface, now: LimbSurface) -> bool:
    """Tell whether a section is still the one at its distance from the end after some of the limb has moved."""
    if before is now:
        return True
    if before.mesh is not now.mesh or before.end_axial != now.end_axial:
        return False
    moved = np.flatnonzero((before.points != now.points).any(axis=1))
    faces = now.faces[now.mesh.faces_at(moved)]
    for surface in (before, now):
        above = surface.frame.axial_of(surface.points)[faces] > section.axial
        if (above.any(axis=1) & ~above.all(axis=1)).any():
            return False
    return True


@dataclass(frozen=True, eq=False)
class GirthRow:
    """One row of a limb's girths.

    half_width_m: of the 95 % interval; None for a limb that a person has edited. other_m: the other side's, if any.
    """

    section: LimbSection
    half_width_m: float | None
    other_m: float | None


def girth_rows(
    surface: LimbSurface, vertices: Float, faces: Int, doubt: "GirthDoubt | None", *, every_m: float
) -> tuple[GirthRow, ...]:
    """Measure a limb at equal steps from its end. vertices (V, 3), faces (F, 3): the whole body at rest."""
    return tuple(
        GirthRow(
            section,
            None if doubt is None else doubt.half_width(surface, section),
            other_side_girth(vertices, faces, surface.frame, section.axial),
        )
        for section in sections_every(surface, every_m)
    )


def other_side_girth(vertices: Float, faces: Int, frame: LimbFrame, axial: float) -> float | None:
    """Return the girth of the other side's limb at the same share of its segment; None where it has none there.

    vertices (V, 3), faces (F, 3): the whole body at rest, its middle at x = 0; frame: of this limb.
    """
    mirror = np.array([-1.0, 1.0, 1.0])
    frame = replace(
        frame,
        limb=frame.limb.opposite,
        origin=frame.origin * mirror,
        axis=frame.axis * mirror,
        anterior=frame.anterior * mirror,
        lateral=frame.lateral * mirror,
    )
    origin = frame.position(np.array([axial, 0.0, 0.0]))
    try:
        loop = loop_around(plane_section(vertices, faces, origin=origin, normal=frame.axis), origin)
    except KnownError:
        return None
    return loop.tape_girth_m if loop is not None and loop.closed and loop.encloses(origin) else None


def in_section(frame: LimbFrame, points: Float) -> Float:
    """Return points (n, 3) at rest as (lateral, anterior) metres from the bone, (n, 2)."""
    arms = np.asarray(points, float) - frame.origin
    return np.column_stack([arms @ frame.lateral, arms @ frame.anterior])


def carried(surface: LimbSurface, places: Float) -> Float:
    """Carry places (n, 3) at rest, on the limb or near it, to where the posed limb has them."""
    places = np.atleast_2d(np.asarray(places, float))
    distance, ids = surface.tree.query(places, k=_CARRIERS)
    weight = 1.0 / (distance + 1e-4)
    weight /= weight.sum(axis=1, keepdims=True)
    mesh = surface.mesh
    arms = places[:, None] - mesh.base_rest[ids]
    moved = mesh.base_posed[ids] + np.einsum("nkij,nkj->nki", mesh.rotation[ids], arms)
    return np.einsum("nk,nki->ni", weight, moved)


# ------------------------------------------------------------------------------------------------- uncertainty


@dataclass(frozen=True)
class GirthDoubt:
    """What the fit's own intervals say of a girth. scale: standard deviation of the body's size, as a share of it.

    end_m: standard deviation of where the limb ends. How well the body's shape model meets this limb's shape is not
    among them.
    """

    scale: float
    end_m: float

    @classmethod
    def of(cls, limb: LimbFit) -> "GirthDoubt":
        factor = (limb.factor_interval[1] - limb.factor_interval[0]) / (2 * Z95)
        length = (limb.length_interval_m[1] - limb.length_interval_m[0]) / (2 * Z95)
        left = max(1 - limb.factor, 1e-3)
        end = factor * limb.length_m / left
        # The residual length doubts for its end and for the body's size.
        return cls(sqrt(max(length**2 - end**2, 0.0)) / max(limb.length_m, 1e-6), end)

    def half_width(self, surface: LimbSurface, section: LimbSection) -> float:
        """Return half of the 95 % interval of a section's girth, metres."""
        near = [section_at(surface, section.from_end_m + step) for step in (-_SLOPE_M, _SLOPE_M)]
        rise = near[1].girth_m - near[0].girth_m
        slope = rise / (2 * _SLOPE_M) if np.isfinite(rise) else 0.0
        return Z95 * sqrt((self.scale * section.girth_m) ** 2 + (slope * self.end_m) ** 2)


# -------------------------------------------------------------------------------------------------------- tape


@dataclass(frozen=True, eq=False)
class Tape:
    """A tape between two places of a limb. straight_m; along_m: on the surface; path (n, 3): at rest, in order."""

    straight_m: float
    along_m: float
    path: Float


def tape_between(surface: LimbSurface, start: Float, end: Float) -> Tape:
    """Lay a tape from place to place on a limb, (3,) at rest: where a plane through both and the skin cuts it.

    Where no such cut joins them, along the edges of the surface.
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    straight = float(np.linalg.norm(end - start))
    if straight < 1e-6:
        return Tape(0.0, 0.0, np.stack([start, end]))
    ids = np.asarray(surface.tree.query(np.stack([start, end]))[1])
    outward = surface.normals[ids].sum(axis=0)
    across: Float = np.asarray(np.cross(end - start, outward), float)
    if np.linalg.norm(across) < 1e-3 * straight:
        across = np.asarray(np.cross(end - start, surface.frame.axis), float)
    path = None
    if np.linalg.norm(across) > 1e-3 * straight:
        path = _by_plane(surface, start, end, across)
    if path is None:
        path = _by_edges(surface, start, end, ids)
    return Tape(straight, max(_length(path), straight), path)


def _length(path: Float) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def _by_plane(surface: LimbSurface, start: Float, end: Float, across: Float) -> Float | None:
    """Return the shorter way round the section that holds both places."""
    try:
        loops = plane_section(surface.points, surface.faces, origin=start, normal=across)
    except KnownError:
        return None
    near = 1.5 * surface.mean_edge
    for loop in loops:
        points = loop.points
        first, last = (int(np.argmin(np.linalg.norm(points - place, axis=1))) for place in (start, end))
        if max(np.linalg.norm(points[first] - start), np.linalg.norm(points[last] - end)) > near:
            continue
        low, high = min(first, last), max(first, last)
        inner = points[low : high + 1]
        ways = [inner if first <= last else inner[::-1]]
        if loop.closed:
            outer = np.concatenate([points[high:], points[: low + 1]])
            ways.append(outer if first > last else outer[::-1])
        # The nearest crossings may lie a little before or behind the places themselves.
        paths = [np.concatenate([[start], way[1:-1], [end]]) for way in ways]
        return min(paths, key=_length)
    return None


def _by_edges(surface: LimbSurface, start: Float, end: Float, ids: Int) -> Float:
    faces, points = surface.faces, surface.points
    a, b = faces.reshape(-1), faces[:, [1, 2, 0]].reshape(-1)
    graph = csr_matrix((np.linalg.norm(points[a] - points[b], axis=1), (a, b)), shape=(len(points),) * 2)
    _, before = dijkstra(graph, directed=False, indices=int(ids[0]), return_predecessors=True)
    way = [int(ids[1])]
    while way[-1] != ids[0] and before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.concatenate([[start], points[way[::-1]], [end]])
