"""Triangles to pixels in numpy: coverage masks and a z-buffer with interpolated attributes.

A software rasteriser serves here because the first off-screen picture of VTK costs more than a second of
imports, while a body of 24,000 triangles is drawn below in a few hundredths of one. Work goes by (triangle,
row) spans, all at once.

Pixel (0, 0) is the centre of the top-left pixel; a pixel is covered where its centre lies in a triangle.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
_Scalar = TypeVar("_Scalar", bound=np.generic)

# A pixel centre on a shared edge, up to rounding, must belong to one of the two triangles, or cracks appear.
_EDGE_SLACK_PX = 1e-6
_NEAR_M = 1e-3
_DEPTH_STEPS = 2.0**30  # with 32 bits for the triangle below it fills a signed 64-bit number


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of covered pixels. triangle: row of `faces`; y, first, last: pixels, `last` inclusive."""

    triangle: Ints
    y: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True, eq=False)
class Raster:
    """The nearest triangle behind each pixel.

    size_px: (width, height). ys, xs: (N,) the covered pixels. face: (N,) row of `faces` (F, 3). points_px (V,
    2), nearness (V,) and perspective: as given to `rasterise`.
    """

    size_px: tuple[int, int]
    ys: Ints
    xs: Ints
    face: Ints
    faces: Ints
    points_px: Floats
    nearness: Floats
    perspective: bool

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Return the covered pixels as a mask, (H, W) bool."""
        mask = np.zeros(self.size_px[::-1], bool)
        mask[self.ys, self.xs] = True
        return mask

    @cached_property
    def _flat_weights(self) -> Floats:
        """Barycentric weights (N, 3) in the picture."""
        corners = self.faces[self.face]
        a, b, c = (self.points_px[corners[:, i]] for i in range(3))
        qx, qy = self.xs - a[:, 0], self.ys - a[:, 1]
        ab, ac = b - a, c - a
        area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
        second = (qx * ac[:, 1] - ac[:, 0] * qy) / area
        third = (ab[:, 0] * qy - qx * ab[:, 1]) / area
        weights = np.clip(np.stack([1 - second - third, second, third], 1), 0, 1)
        return weights / weights.sum(1, keepdims=True)

    @cached_property
    def weights(self) -> Floats:
        """Barycentric weights (N, 3) of the surface point behind each covered pixel."""
        if not self.perspective:
            return self._flat_weights
        # weights in space go with weights in the picture times nearness
        weights = self._flat_weights * self.nearness[self.faces[self.face]]
        return weights / weights.sum(1, keepdims=True)

    @property
    def nearness_seen(self) -> Floats:
        """Return the nearness (N,) of the surface behind each covered pixel."""
        return self.interpolate_flat(self.nearness)  # a plane over each triangle by definition

    def interpolate(self, attribute: Floats) -> Floats:
        """Interpolate a vertex attribute (V, C) or (V,) at the covered pixels: (N, C) or (N,)."""
        return np.einsum("nk,nk...->n...", self.weights, np.asarray(attribute)[self.faces[self.face]])

    def interpolate_flat(self, attribute: Floats) -> Floats:
        """Interpolate a vertex attribute (V,) without perspective: quick, for colours only."""
        corners = np.asarray(self.faces).T
        x, y = self.points_px[:, 0][corners], self.points_px[:, 1][corners]
        base, step_x, step_y = _planes(x, y, np.asarray(attribute, float)[corners])
        return base[self.face] + step_x[self.face] * self.xs + step_y[self.face] * self.ys

    def spread(self, values: NDArray[_Scalar], background: float = np.nan) -> NDArray[_Scalar]:
        """Write values (N, ...) of the covered pixels into a picture (H, W, ...)."""
        picture = np.full((*self.size_px[::-1], *values.shape[1:]), background, values.dtype)
        picture[self.ys, self.xs] = values
        return picture


def spans(points_px: Floats, faces: Ints, *, size_px: tuple[int, int], cull: bool = True) -> Spans:
    """List the pixel runs that triangles cover.

    points_px: (V, 2), x then y. faces: (F, 3). cull: leave out triangles that face away; a closed surface
    covers the same pixels without them. Faces turn outward counter-clockwise, so in a picture whose y points
    down those that face the viewer have a negative area.
    """
    triangles = _triangles(np.asarray(points_px, float), faces, cull=cull)
    runs = _runs(triangles.x, triangles.y, size_px)
    return Spans(triangles.kept[runs.triangle], runs.y, runs.first, runs.last)


@dataclass(frozen=True, eq=False)
class _Triangles:
    """Triangles that may be seen. kept (T,): rows of `faces`; corners, x, y (3, T): of their corners."""

    kept: Ints
    corners: Ints
    x: Floats
    y: Floats


def _triangles(p: Floats, faces: Ints, *, cull: bool) -> _Triangles:
    """Gather triangles by corner: rows that run through memory in order cost a fraction of columns."""
    corners = np.ascontiguousarray(np.asarray(faces).T, np.intp)
    x, y = (np.ascontiguousarray(p[:, i]).take(corners) for i in range(2))  # (3, F)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    kept = np.flatnonzero(area < 0 if cull else area != 0)
    return _Triangles(kept, corners.take(kept, 1), x.take(kept, 1), y.take(kept, 1))


def _runs(corner_x: Floats, corner_y: Floats, size_px: tuple[int, int]) -> Spans:
    """List the runs of triangles with corners (3, T); `triangle` of a run is a column of these."""
    width, height = size_px
    x, y = list(corner_x), list(corner_y)

    # Corners from top to bottom: the long edge runs from 0 to 2, the short ones meet in 1.
    for i, j in ((0, 1), (1, 2), (0, 1)):
        swap = y[i] > y[j]
        x[i], x[j] = np.where(swap, x[j], x[i]), np.where(swap, x[i], x[j])
        y[i], y[j] = np.where(swap, y[j], y[i]), np.where(swap, y[i], y[j])
    low = np.maximum(np.ceil(y[0] - _EDGE_SLACK_PX), 0)
    high = np.minimum(np.floor(y[2] + _EDGE_SLACK_PX), height - 1)
    seen = np.flatnonzero(high >= low)
    x, y = [row.take(seen) for row in x], [row.take(seen) for row in y]
    rows = (high[seen] - low[seen]).astype(np.int64) + 1

    def slope(i: int, j: int) -> Floats:
        rise = y[j] - y[i]
        return (x[j] - x[i]) / np.where(rise > 0, rise, 1.0)

    t = np.repeat(np.arange(len(seen)), rows)  # one entry per (triangle, row)
    row = np.arange(len(t)) + np.repeat(low[seen].astype(np.int64) - np.cumsum(rows) + rows, rows)
    y0, y1 = y[0][t], y[1][t]
    inside = np.clip(row, y0, y[2][t])
    x_long = x[0][t] + slope(0, 2)[t] * (inside - y0)
    upper = inside < y1
    turn = np.where(upper, slope(0, 1)[t], slope(1, 2)[t])
    x_short = x[1][t] + turn * (inside - y1)  # both short edges pass through corner 1
    # A flat upper edge has no slope: rows at its height take the lower edge, whose start is corner 1.
    first = np.maximum(np.ceil(np.minimum(x_long, x_short) - _EDGE_SLACK_PX), 0)
    last = np.minimum(np.floor(np.maximum(x_long, x_short) + _EDGE_SLACK_PX), width - 1)
    some = np.flatnonzero(last >= first)
    return Spans(seen[t[some]], row[some], first[some].astype(np.int64), last[some].astype(np.int64))


def coverage(
    points_px: Floats, faces: Ints, *, size_px: tuple[int, int], cull: bool = True
) -> NDArray[np.bool_]:
    """Return which pixels any triangle covers, (H, W) bool; the cost does not grow with the area."""
    width, height = size_px
    mask = np.zeros((height, width), bool)
    runs = spans(points_px, faces, size_px=size_px, cull=cull)
    if not len(runs.y):
        return mask
    top, left = runs.y.min(), runs.first.min()
    rows, columns = int(runs.y.max() - top) + 1, int(runs.last.max() - left) + 2
    at = (runs.y - top) * columns - left
    edges = np.bincount(at + runs.first, minlength=rows * columns)
    edges -= np.bincount(at + runs.last + 1, minlength=rows * columns)
    inside = np.cumsum(edges) > 0  # every run closes in its own row, so one sum over all rows serves
    mask[top : top + rows, left : left + columns - 1] = inside.reshape(rows, columns)[:, :-1]
    return mask


def rasterise(
    points_px: Floats,
    nearness: Floats,
    faces: Ints,
    *,
    size_px: tuple[int, int],
    perspective: bool = True,
    cull: bool = True,
) -> Raster:
    """Find the nearest triangle behind each pixel.

    points_px: (V, 2). nearness: (V,), larger is nearer and linear in the picture: 1 / z for a pinhole camera
    (`perspective`), minus z for a parallel projection.
    """
    width, height = size_px
    faces = np.asarray(faces)
    p, near = np.asarray(points_px, float), np.asarray(nearness, float)
    triangles = _triangles(p, faces, cull=cull)
    runs = _runs(triangles.x, triangles.y, size_px)

    # Depth from 1 to _DEPTH_STEPS in whole numbers, so that one integer can hold it and the triangle.
    lowest, highest = (near.min(), near.max()) if len(near) else (0.0, 1.0)
    steps = 1 + (near - lowest) * ((_DEPTH_STEPS - 1) / max(highest - lowest, 1e-30))
    base, step_x, step_y = _planes(triangles.x, triangles.y, steps.take(triangles.corners))
    t = runs.triangle
    start = base[t] + step_y[t] * runs.y + step_x[t] * runs.first
    lengths = runs.last - runs.first + 1
    offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    depth = np.repeat(start, lengths) + np.repeat(step_x[t], lengths) * offset  # one entry per fragment
    pixel = np.repeat(runs.y * width + runs.first, lengths) + offset

    # Nearness in the high bits, the triangle in the low 32: one maximum finds both.
    key = np.clip(depth, 1, _DEPTH_STEPS).astype(np.int64)
    key <<= 32
    key |= np.repeat(t, lengths)
    buffer = np.zeros(width * height, np.int64)
    np.maximum.at(buffer, pixel, key)
    hit = np.flatnonzero(buffer)
    face = triangles.kept[buffer[hit] & 0xFFFFFFFF]
    ys, xs = np.divmod(hit, width)

    return Raster(size_px, ys, xs, face, faces, p, near, perspective)


def _planes(x: Floats, y: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return per triangle the plane base + step_x * x + step_y * y through `values` at its corners; all (3, T)."""
    ab, ac = (x[1] - x[0], y[1] - y[0]), (x[2] - x[0], y[2] - y[0])
    area = ab[0] * ac[1] - ac[0] * ab[1]
    area = np.where(area == 0, 1.0, area)
    up_b, up_c = (values[1] - values[0]) / area, (values[2] - values[0]) / area
    step_x = up_b * ac[1] - up_c * ab[1]
    step_y = up_c * ab[0] - up_b * ac[0]
    return values[0] - step_x * x[0] - step_y * y[0], step_x, step_y


def in_front(vertices_camera: Floats, faces: Ints, near_m: float = _NEAR_M) -> Ints:
    """Return the faces wholly in front of the camera; a triangle across its plane has no projection."""
    ahead = np.asarray(vertices_camera)[:, 2] > near_m
    return faces if ahead.all() else faces[ahead[faces].all(1)]


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Return smooth outward unit normals (V, 3), each face weighted by its area."""
    v = np.asarray(vertices, float)
    corners = v[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = np.asarray(faces).ravel()
    sums = np.stack(
        [np.bincount(flat, np.repeat(face_normals[:, k], 3), minlength=len(v)) for k in range(3)], axis=1
    )
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-20)
