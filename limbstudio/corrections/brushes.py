"""Brushes: what a stroke does to the surface, evaluated dab by dab.

Within one stroke each vertex keeps the strongest dab that reached it; a stroke is therefore a function of its
path alone, not of the speed of the hand or the rate of the mouse's events, and a replay gives the live result
to the last bit.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from limbstudio.corrections.limb_surface import LimbSurface, distinct, face_normals, face_volumes
from limbstudio.domain.corrections import Brush, BrushStroke, SurfacePoint

Float = NDArray[np.floating]
Int = NDArray[np.integer]

# Dabs along a path, and the shortest step of the hand that is kept: shares of the radius.
_SPACING = 0.2
_SHORTEST = 0.05
# A vertex that faces away from the dab is on the limb's other side: from this cosine on it moves fully.
_FACING = (-0.1, 0.4)
# Passes of neighbour averaging that a smooth brush aims at, and what one of them moves.
_MOST_PASSES = 25
_PASS = 0.5


@dataclass(frozen=True, eq=False)
class Changed:
    """What one step of a brush moved. ids (k,): vertices of the limb; points: at rest; posed: camera frame.

    normals (k, 3): unit, camera frame. flipped: faces of the limb that the stroke has turned over so far.
    """

    ids: Int
    points: Float
    posed: Float
    normals: Float
    flipped: Int


class StrokeEvaluation:
    """The surface under one stroke, while its path grows. points (n, 3): as far as it has come."""

    def __init__(self, surface: LimbSurface, brush: Brush, *, radius: float, strength: float) -> None:
        self.surface = surface
        self.points = surface.points.copy()
        self._brush = brush
        self._reach = radius * surface.frame.length_m
        length = surface.frame.length_m if brush.strength_is_a_length else 1.0
        self._strength = strength * length * (-1 if brush is Brush.PUSH else 1)
        self._strongest = np.zeros(len(self.points))
        self._target = self._smoothed() if brush is Brush.SMOOTH else None
        self._last: SurfacePoint | None = None
        self._located_at: dict[SurfacePoint, Float] = {}

    @property
    def moved(self) -> Int:
        """Return the vertices that any dab has reached."""
        return np.flatnonzero(self._strongest > 0)

    def extend(self, at: SurfacePoint) -> Int:
        """Carry the path on to a place; return the vertices that moved."""
        dabs = [at] if self._last is None else self._between(self._last, at)
        self._last = at
        moved = [self._dab(dab) for dab in dabs]
        return moved[0] if len(moved) == 1 else distinct(np.concatenate(moved), len(self.points))

    def _between(self, start: SurfacePoint, end: SurfacePoint) -> list[SurfacePoint]:
        """Return the dabs after `start` up to `end`, no further apart than the spacing."""
        gap = np.linalg.norm(self._located(end) - self._located(start))
        count = max(1, ceil(gap / (_SPACING * self._reach)))
        shares = [(i + 1) / count for i in range(count - 1)]
        if (start.cap > 0) != (end.cap > 0):  # over the ring: along the chord, to the nearest vertices
            a, b = self._located(start), self._located(end)
            chord = np.array([a + t * (b - a) for t in shares]).reshape(-1, 3)
            near = np.atleast_1d(np.asarray(self.surface.tree.query(chord)[1]))
            return [*(self.surface.point_of(int(v)) for v in near), end]
        return [*(_blend(start, end, t) for t in shares), end]

    def gap_to(self, at: SurfacePoint) -> float:
        """Return how far a place lies from the path's end, metres; infinite before the first place."""
        if self._last is None:
            return float("inf")
        return float(np.linalg.norm(self._located(at) - self._located(self._last)))

    def _located(self, at: SurfacePoint) -> Float:
        if at not in self._located_at:
            self._located_at[at] = self.surface.locate(at)
        return self._located_at[at]

    def _dab(self, at: SurfacePoint) -> Int:
        surface, reach = self.surface, self._reach
        centre = self._located(at)
        ids = np.array(surface.tree.query_ball_point(centre, reach), np.int64)
        if not len(ids):
            return ids
        ids.sort()
        x, normals = surface.points[ids], surface.normals[ids]
        distance = np.linalg.norm(x - centre, axis=1)
        closeness = (1 - (distance / reach) ** 2) ** 2
        facing = closeness[:, None] * normals
        # What faces as the nearest vertex does, roughly, makes the dab's direction.
        nearest = normals[np.argmin(distance)]
        direction = facing[normals @ nearest > 0].sum(axis=0)
        direction /= max(float(np.linalg.norm(direction)), 1e-30)
        low, high = _FACING
        gate = np.clip((normals @ direction - low) / (high - low), 0, 1)
        weight = closeness * gate * gate * (3 - 2 * gate) * surface.fade[ids]
        share = closeness * gate
        level = share @ (x - centre) / max(float(share.sum()), 1e-30)  # of the plane a flat brush aims at
        stronger = weight > self._strongest[ids]
        ids, x, weight = ids[stronger], x[stronger], weight[stronger]
        self._strongest[ids] = weight
        amount = (self._strength * weight)[:, None]
        if self._brush in (Brush.PULL, Brush.PUSH):
            self.points[ids] = x + amount * direction
        elif self._brush is Brush.INFLATE:
            self.points[ids] = x + amount * surface.normals[ids]
        elif self._brush is Brush.FLATTEN:
            height = (x - centre - level) @ direction
            self.points[ids] = x - amount * height[:, None] * direction
        else:
            assert self._target is not None
            self.points[ids] = x + amount * (self._target[ids] - x)
        return ids

    def _smoothed(self) -> Float:
        """Return the whole surface smoothed about as far as the brush reaches, not smaller for it."""
        mean, edge = self.surface.mesh.averaging, self.surface.mean_edge
        points = self.surface.points
        passes = int(np.clip((self._reach / edge) ** 2 / 6, 3, _MOST_PASSES))
        free = self.surface.fade[:, None]
        smooth = points
        for _ in range(passes):
            smooth = smooth + _PASS * free * (mean @ smooth - smooth)
        # What an averaging takes from a round wall as a whole is smooth itself, and is given back.
        taken = points - smooth
        for _ in range(passes):
            taken = taken + free * (mean @ taken - taken)
        return smooth + taken


def _blend(start: SurfacePoint, end: SurfacePoint, share: float) -> SurfacePoint:
    if start.cap > 0:
        one, two = ((1 - p.cap) * np.array([np.cos(p.angle), np.sin(p.angle)]) for p in (start, end))
        u, v = one + share * (two - one)
        axial = start.axial + share * (end.axial - start.axial)
        return SurfacePoint(axial, float(np.arctan2(v, u)), float(np.clip(1 - np.hypot(u, v), 1e-12, 1)))
    turn = (end.angle - start.angle + np.pi) % (2 * np.pi) - np.pi
    return SurfacePoint(start.axial + share * (end.axial - start.axial), start.angle + share * float(turn))


def evaluate_stroke(surface: LimbSurface, stroke: BrushStroke) -> tuple[Float, Int]:
    """Return the points (n, 3) after a whole stroke, and the vertices it reached (none: it met no surface)."""
    evaluation = StrokeEvaluation(surface, stroke.brush, radius=stroke.radius, strength=stroke.strength)
    for at in stroke.path:
        evaluation.extend(at)
    return evaluation.points, evaluation.moved


class BrushSession:
    """One stroke, live: made at the press of the button, stepped at each move, finished at the release.

    radius: in segment lengths; strength: see `Brush.strength_is_a_length`. The surface given is never changed.
    """

    def __init__(self, surface: LimbSurface, brush: Brush, *, radius: float, strength: float) -> None:
        self._before = surface.warm()
        self._brush, self._radius, self._strength = brush, radius, strength
        self._evaluation = StrokeEvaluation(surface, brush, radius=radius, strength=strength)
        self._path: list[SurfacePoint] = []
        self._is_flipped = np.zeros(len(surface.faces), bool)
        self._flipped = np.zeros(0, np.int64)
        self._volumes = surface.face_volumes.copy()
        self._place = np.full(len(surface.points), -1)  # rows of the vertices of one step, while it is taken

    def step(self, at: SurfacePoint) -> Changed:
        """Carry the stroke on to a place. A step too short to matter changes nothing."""
        if self._evaluation.gap_to(at) < _SHORTEST * self._radius * self._before.frame.length_m:
            return self._changed(np.zeros(0, np.int64))
        self._path.append(at)
        return self._changed(self._evaluation.extend(at))

    def _changed(self, moved: Int) -> Changed:
        surface, points = self._before, self._evaluation.points
        empty = np.zeros((0, 3))
        if not len(moved):
            return Changed(moved, empty, empty, empty, self._flipped)
        around = surface.mesh.faces_at(moved)
        # Vertices whose faces moved have new normals too: all corners of those faces are given.
        ids = distinct(surface.faces[around], len(points))
        rim = surface.mesh.faces_at(ids)
        corners = surface.faces[rim]
        now = face_normals(points, corners)
        self._is_flipped[rim] = (now * surface.face_normals[rim]).sum(axis=1) <= 0
        self._flipped = np.flatnonzero(self._is_flipped)
        self._volumes[rim] = face_volumes(points[corners[:, 0]], now, surface.lid)
        self._place[ids] = np.arange(len(ids))
        place = self._place[corners.reshape(-1)]
        self._place[ids] = -1
        mine = place >= 0
        weight = np.repeat(now, 3, axis=0)[mine]
        total = np.stack(
            [np.bincount(place[mine], weights=weight[:, i], minlength=len(ids)) for i in range(3)], axis=1
        )
        normals = np.einsum("nij,nj->ni", surface.mesh.rotation[ids], total)
        normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-30)[:, None]
        return Changed(ids, points[ids], surface.posed(points[ids], ids), normals, self._flipped)

    @property
    def volume_m3(self) -> float:
        """Return the volume within the limb and its lid as far as the stroke has come."""
        return float(self._volumes.sum())

    @property
    def moved(self) -> Int:
        """Return the vertices that the stroke has reached so far."""
        return self._evaluation.moved

    @property
    def surface(self) -> LimbSurface:
        """Return the limb with the stroke as far as it has come."""
        return self._before.with_points(self._evaluation.points.copy())

    def finish(self) -> BrushStroke | None:
        """Return the stroke as an operation; None when it met nothing."""
        if not self._path or not len(self.moved):
            return None
        return BrushStroke(self._brush, tuple(self._path), self._radius, self._strength)
