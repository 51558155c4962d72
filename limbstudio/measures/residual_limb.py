"""Girth, widths, area and volume along a residual limb, by level.

A level is a distance from the limb's end along its axis, in metres and in percent of the residual length; it
stays with the limb when pose or position change. Everything here is as large as the mesh says: where scale
came from is for the caller to say beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.surface import connected_labels
from limbstudio.measures.section import loop_around, plane_section

Float = NDArray[np.floating]
Int = NDArray[np.integer]

# Levels of a profile where none are asked for: percent of the residual length from the end.
DEFAULT_PERCENTS = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)


@dataclass(frozen=True)
class LimbLevel:
    """What was measured at one level; NaN, with the reason in `problem`, where nothing could be.

    from_end_m, from_end_percent: where. girth_m: length of the skin's contour; tape_girth_m: of a taut tape.
    width_ml_m, width_ap_m: mediolateral and anteroposterior extent. volume_beyond_m3: of the limb distal to
    the level.
    """

    from_end_m: float
    from_end_percent: float
    girth_m: float = nan
    tape_girth_m: float = nan
    area_m2: float = nan
    width_ml_m: float = nan
    width_ap_m: float = nan
    volume_beyond_m3: float = nan
    problem: str = ""


@dataclass(frozen=True)
class LimbProfile:
    """Levels of one residual limb, in the order asked for, and its length along the axis, joint to end."""

    length_m: float
    levels: tuple[LimbLevel, ...]


def measure_profile(
    vertices: Float,
    faces: Int,
    *,
    joint: Float,
    axis: Float,
    tip: int,
    anterior: Float,
    from_end_m: Sequence[float] | None = None,
    from_end_percent: Sequence[float] | None = None,
) -> LimbProfile:
    """Measure a residual limb at levels across its axis.

    vertices (V, 3) metres and faces (F, 3): the closed mesh, best in the rest pose, where no limb leans on
    another. joint (3,): the limb's proximal joint; axis (3,): distal along the bone; tip: vertex id of the
    limb's end; anterior (3,): where the limb faces (mediolateral is across it and the axis). Levels in
    metres, in percent of the length, or both (metres first); neither gives DEFAULT_PERCENTS.
    """
    points = np.asarray(vertices, float)
    start = np.asarray(joint, float)
    along = np.asarray(axis, float)
    along = along / np.linalg.norm(along)
    forward = np.asarray(anterior, float)
    forward = forward - forward @ along * along
    sideways = np.cross(forward, along)
    length = float((points[tip] - start) @ along)
    if from_end_m is None and from_end_percent is None:
        from_end_percent = DEFAULT_PERCENTS
    distances = [*(from_end_m or ()), *(percent / 100 * length for percent in from_end_percent or ())]

    levels = []
    for distance in distances:
        percent = 100 * distance / length if length > 0 else nan
        if not 0 < distance <= length:
            where = "beyond the end" if distance <= 0 else "above the joint"
            text = f"The level lies {where} of the residual limb."
            levels.append(LimbLevel(distance, percent, problem=text))
            continue
        origin = start + (length - distance) * along
        loop = loop_around(plane_section(points, faces, origin=origin, normal=along), origin)
        if loop is None or not loop.closed:
            text = "The surface is open at this level." if loop else "There is no surface at this level."
            levels.append(LimbLevel(distance, percent, problem=text))
            continue
        levels.append(
            LimbLevel(
                distance,
                percent,
                loop.girth_m,
                loop.tape_girth_m,
                loop.area_m2,
                loop.width_m(sideways),
                loop.width_m(forward),
                volume_beyond(points, faces, origin=origin, normal=along, tip=tip),
            )
        )
    return LimbProfile(length, tuple(levels))


def volume_beyond(vertices: Float, faces: Int, *, origin: Float, normal: Float, tip: int) -> float:
    """Return the volume (m3) beyond a plane of the piece that holds vertex `tip`, by the divergence theorem.

    Counted from a point on the plane, where the flat cut surface adds nothing. The surface must be closed
    beyond the plane. 0 when the tip is not beyond it.
    """
    unit = np.asarray(normal, float)
    unit = unit / np.linalg.norm(unit)
    points = np.asarray(vertices, float) - np.asarray(origin, float)
    heights = points @ unit
    above = heights > 0
    if not above[tip]:
        return 0.0
    corners = faces[above[faces].any(axis=1)].astype(np.int64)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    labels = connected_labels(edges[above[edges].all(axis=1)], len(points))
    piece = above & (labels == labels[tip])

    high = piece[corners]
    count = high.sum(axis=1)
    whole = points[corners[count == 3]]
    total = np.einsum("ij,ij->", whole[:, 0], np.cross(whole[:, 1], whole[:, 2]))
    for odd_is_high in (True, False):
        rows = np.flatnonzero(count == (1 if odd_is_high else 2))
        turn = np.argmax(high[rows] == odd_is_high, axis=1)
        a, b, c = np.take_along_axis(corners[rows], (turn[:, None] + np.arange(3)) % 3, axis=1).T
        on_ab = points[a] + (heights[a] / (heights[a] - heights[b]))[:, None] * (points[b] - points[a])
        on_ca = points[a] + (heights[a] / (heights[a] - heights[c]))[:, None] * (points[c] - points[a])
        if odd_is_high:
            total += np.einsum("ij,ij->", points[a], np.cross(on_ab, on_ca))
        else:
            total += np.einsum("ij,ij->", on_ab, np.cross(points[b], points[c]))
            total += np.einsum("ij,ij->", on_ab, np.cross(points[c], on_ca))
    return float(total) / 6
