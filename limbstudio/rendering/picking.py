"""What lies under a place of a picture: a mesh as it was drawn, asked for the nearest face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Hit:
    """A place on a mesh. face: row of its faces; weights (3,) of the face's corners, in space, not on the picture."""

    face: int
    weights: Float


class Projected:
    """A mesh as one camera sees it; asked often, made once per camera and shape.

    points (V, 3); faces (F, 3); to_clip (4, 4): from the points' frame to clip coordinates, y up; size: (width,
    height) px of the view.
    """

    def __init__(self, points: Float, faces: Int, to_clip: Float, size: tuple[float, float]) -> None:
        self._faces = faces
        self.points_px, self._depth = project(points, to_clip, size)
        x, y = (self.points_px[:, i][faces] for i in range(2))
        ahead = (self._depth[faces] > 0).all(axis=1)
        self._left, self._right = x.min(axis=1), np.where(ahead, x.max(axis=1), -np.inf)
        self._top, self._bottom = y.min(axis=1), y.max(axis=1)

    def at(self, x: float, y: float) -> Hit | None:
        """Return the nearest face under a place of the view (px); None where there is none."""
        rows = np.flatnonzero((self._left <= x) & (self._right >= x) & (self._top <= y) & (self._bottom >= y))
        if not len(rows):
            return None
        corners = self._faces[rows]
        a, b, c = (self.points_px[corners[:, i]] for i in range(3))
        area = _cross(b - a, c - a)
        at = np.array([x, y], float)
        weights = np.stack([_cross(b - at, c - at), _cross(c - at, a - at), _cross(a - at, b - at)], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights /= area[:, None]
        inside: Bool = np.asarray((np.isfinite(weights) & (weights >= -1e-9)).all(axis=1))
        if not inside.any():
            return None
        # Perspective: what is linear on the picture is the inverse of depth.
        inverse = np.where(inside[:, None], weights, 0.0) / self._depth[corners]
        nearness = inverse.sum(axis=1)
        best = int(np.argmax(nearness))
        return Hit(int(rows[best]), np.clip(inverse[best] / nearness[best], 0.0, 1.0))


def project(points: Float, to_clip: Float, size: tuple[float, float]) -> tuple[Float, Float]:
    """Return where points (N, 3) are drawn, (N, 2) px with y down, and their depth (N,); not positive: behind."""
    clip = np.asarray(points, float) @ to_clip[:, :3].T + to_clip[:, 3]
    depth = clip[:, 3]
    safe = np.where(np.abs(depth) < 1e-12, 1e-12, depth)[:, None]
    flat = clip[:, :2] / safe
    width, height = size
    return np.column_stack([(flat[:, 0] + 1) / 2 * width, (1 - flat[:, 1]) / 2 * height]), depth


def _cross(u: Float, v: Float) -> Float:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
