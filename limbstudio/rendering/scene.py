"""Synthetic photos: meshes with procedural colours under sun, shadow and soft light from the sky.

World frame: metres, y up; the floor is y = 0. Colours are linear light, 0..1, until the last step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import Floats, Ints, Raster, in_front, rasterise, vertex_normals

# (texture points (N, 3), normals (N, 3)) -> colours (N, 3)
Paint = Callable[[Floats, Floats], Floats]

_FINER = 2  # pixels are averaged from this many times finer ones in both directions
_SHADOW_PX, _SKY_PX = 1600, 448
_SKY_DIRECTIONS = 56
_BIAS_M = 0.02


@dataclass(frozen=True, eq=False)
class Piece:
    """One thing of a scene.

    vertices: (V, 3) world. faces: (F, 3), outward; both sides of an open sheet are not drawn. texture: (V, 3)
    the points that `paint` sees instead of the positions, for things that move (a body's rest pose). name:
    for the piece map.
    """

    name: str
    vertices: Floats
    faces: Ints
    paint: Paint
    texture: Floats | None = None
    casts_shadow: bool = True


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """Where a camera stands. x_camera = camera_from_world (3, 3) @ x_world + offset (3,)."""

    camera: Camera
    camera_from_world: Floats
    offset: Floats

    def to_camera(self, points_world: Floats) -> Floats:
        return np.asarray(points_world, float) @ self.camera_from_world.T + self.offset


@dataclass(frozen=True, eq=False)
class Lighting:
    """Light of a scene, colours linear. sun_from: (3,) towards the sun. sky_top, sky_low: light from above
    and from the horizon. background_top, background_low: drawn where nothing is.
    """

    sun_from: Floats = field(default_factory=lambda: np.array([-0.5, 0.8, 0.6]))
    sun_colour: tuple[float, float, float] = (1.15, 1.05, 0.92)
    sky_top: tuple[float, float, float] = (0.55, 0.60, 0.68)
    sky_low: tuple[float, float, float] = (0.42, 0.40, 0.38)
    background_top: tuple[float, float, float] = (0.32, 0.52, 0.80)
    background_low: tuple[float, float, float] = (0.75, 0.82, 0.88)
    exposure: float = 1.0


@dataclass(frozen=True, eq=False)
class ScenePicture:
    """A drawn scene.

    pixels: (H, W, 3) uint8 RGB. piece: (H, W) int, row of the pieces, -1 where nothing is; at the pixel's
    centre. depth: (H, W) metres along the camera's axis, infinite where nothing is.
    """

    pixels: NDArray[np.uint8]
    piece: Ints
    depth: Floats


def look_at(*, eye: Floats, target: Floats, camera: Camera) -> Viewpoint:
    """Place a camera at `eye` so that it looks at `target`, upright. Both (3,) world."""
    forward = np.asarray(target, float) - eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 1.0, 0.0))
    right = right / np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return Viewpoint(camera, R, -R @ np.asarray(eye, float))


def draw_scene(
    pieces: Sequence[Piece], viewpoint: Viewpoint, lighting: Lighting, *, seed: int
) -> ScenePicture:
    """Draw the pieces with sun, shadow and sky; a little sensor noise from `seed`."""
    scene = _join(pieces)
    sky = _sky_light(scene, lighting)
    width, height = viewpoint.camera.size_px
    fine = _visible(scene, viewpoint, _FINER)
    colours = _lit(scene, fine, sky, pieces, lighting)
    rows = np.linspace(0, 1, height * _FINER)[:, None, None]
    picture = (1 - rows) * np.array(lighting.background_top) + rows * np.array(lighting.background_low)
    picture = np.broadcast_to(picture, (height * _FINER, width * _FINER, 3)).astype(np.float32)
    picture[fine.ys, fine.xs] = colours
    picture = np.minimum(picture, 1.4)
    picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)

    plain = _visible(scene, viewpoint, 1)
    piece = plain.spread(scene.piece_of_face[plain.face], -1)
    depth = plain.spread(1 / plain.nearness_seen, np.inf)
    return ScenePicture(_developed(picture, lighting.exposure, seed), piece, depth)


def noise(points: Floats, frequency: float, seed: int = 0) -> Floats:
    """Return smooth value noise (N,) in -1..1 at points (N, 3); features are 1 / frequency metres large."""
    q = np.asarray(points, float) * frequency
    cell = np.floor(q).astype(np.int64)
    f = q - cell
    f = f * f * (3 - 2 * f)
    total = np.zeros(len(q))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, f, 1 - f), axis=1)
        total += weight * _lattice(cell + corner, seed)
    return total


def _lattice(cell: Ints, seed: int) -> Floats:
    """Return a fixed random number in -1..1 for each integer cell (N, 3)."""
    with np.errstate(over="ignore"):
        h = cell[:, 0] * 374761393 + cell[:, 1] * 668265263 + cell[:, 2] * 2147483647 + seed * 974634777
        h = (h ^ (h >> 13)) * 1274126177
        h = h ^ (h >> 16)
    return (h & 0xFFFF) / 32767.5 - 1


# ------------------------------------------------------------------------------------------------------
# primitives


def plain(colour: tuple[float, float, float], *, grain: float = 0.06, frequency: float = 18.0) -> Paint:
    """Return a paint of one colour with a little grain."""

    def paint(points: Floats, normals: Floats) -> Floats:
        return np.array(colour) * (1 + grain * noise(points, frequency)[:, None])

    return paint


def box(name: str, low: Sequence[float], high: Sequence[float], paint: Paint, step_m: float = 0.2) -> Piece:
    """Make an axis-aligned box between two corners, its sides divided into squares of about `step_m`."""
    low_, high_ = np.asarray(low, float), np.asarray(high, float)
    vertices, faces, count = [], [], 0
    for axis in range(3):
        for end, at in enumerate((low_, high_)):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            sheet, triangles = _sheet(low_[[u, v]], high_[[u, v]], step_m)
            points = np.empty((len(sheet), 3))
            points[:, axis], points[:, u], points[:, v] = at[axis], sheet[:, 0], sheet[:, 1]
            vertices.append(points)
            faces.append((triangles if end else triangles[:, ::-1]) + count)
            count += len(points)
    return Piece(name, np.vstack(vertices), np.vstack(faces), paint)


def floor(
    size_m: float, paint: Paint, *, step_m: float = 0.08, centre: tuple[float, float] = (0.0, 0.0)
) -> Piece:
    """Make a square floor at y = 0."""
    half = size_m / 2
    middle = np.array(centre)[::-1]
    sheet, faces = _sheet(middle - half, middle + half, step_m)
    points = np.column_stack([sheet[:, 1], np.zeros(len(sheet)), sheet[:, 0]])  # u is z, v is x: upward
    return Piece("floor", points, faces, paint, casts_shadow=False)


def cylinder(name: str, start: Sequence[float], end: Sequence[float], radius: float, paint: Paint) -> Piece:
    """Make a closed round bar between two points."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    axis = (b - a) / np.linalg.norm(b - a)
    side = np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.9 else [0, 1.0, 0])
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    n, rings = 18, max(2, int(np.linalg.norm(b - a) / 0.1))
    angles = np.arange(n) * 2 * np.pi / n
    circle = radius * (np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other)
    levels = np.linspace(0, 1, rings + 1)
    vertices = np.vstack([a + (b - a) * t + circle for t in levels])
    i, k = np.meshgrid(np.arange(rings), np.arange(n), indexing="ij")
    p, q = (i * n + k).ravel(), (i * n + (k + 1) % n).ravel()
    faces = np.vstack([np.column_stack([p, q, q + n]), np.column_stack([p, q + n, p + n])])
    first, last = len(vertices), len(vertices) + 1
    vertices = np.vstack([vertices, a, b])
    k = np.arange(n)
    top = rings * n
    caps = [
        np.column_stack([np.full(n, first), (k + 1) % n, k]),
        np.column_stack([np.full(n, last), top + k, top + (k + 1) % n]),
    ]
    return Piece(name, vertices, np.vstack([faces, *caps]), paint)


def _sheet(low: Floats, high: Floats, step_m: float) -> tuple[Floats, Ints]:
    counts = np.maximum(1, np.ceil((high - low) / step_m).astype(int))
    u, v = (np.linspace(low[i], high[i], counts[i] + 1) for i in range(2))
    grid = np.stack(np.meshgrid(u, v, indexing="ij"), -1).reshape(-1, 2)
    i, j = np.meshgrid(np.arange(counts[0]), np.arange(counts[1]), indexing="ij")
    p = (i * (counts[1] + 1) + j).ravel()
    q = p + counts[1] + 1
    faces = np.vstack([np.column_stack([p, q, q + 1]), np.column_stack([p, q + 1, p + 1])])
    return grid, faces


# --------------------------------------------------------------------------------------------------------
# lighting


@dataclass(frozen=True, eq=False)
class _Scene:
    vertices: Floats
    faces: Ints
    normals: Floats
    texture: Floats
    piece_of_face: Ints
    casting: Ints


def _join(pieces: Sequence[Piece]) -> _Scene:
    starts = np.cumsum([0, *(len(p.vertices) for p in pieces)])
    faces = [p.faces + s for p, s in zip(pieces, starts, strict=False)]
    return _Scene(
        np.vstack([p.vertices for p in pieces]),
        np.vstack(faces),
        np.vstack([vertex_normals(p.vertices, p.faces) for p in pieces]),
        np.vstack([p.vertices if p.texture is None else p.texture for p in pieces]),
        np.repeat(np.arange(len(pieces)), [len(p.faces) for p in pieces]),
        np.vstack([f for f, p in zip(faces, pieces, strict=True) if p.casts_shadow] or [faces[0][:0]]),
    )


def _visible(scene: _Scene, viewpoint: Viewpoint, finer: int) -> Raster:
    points = viewpoint.to_camera(scene.vertices)
    ahead = points[:, 2] > 0.05
    kept = in_front(points, scene.faces, 0.05)
    z = np.where(ahead, points[:, 2], 1.0)
    px = viewpoint.camera.project(np.column_stack([np.where(ahead[:, None], points[:, :2], 0), z]))
    size = tuple(finer * s for s in viewpoint.camera.size_px)
    raster = rasterise((px + 0.5) * finer - 0.5, 1 / z, kept, size_px=(size[0], size[1]))
    # faces behind the camera were left out: number the rest as the scene does
    if len(kept) == len(scene.faces):
        return raster
    numbers = np.flatnonzero(ahead[scene.faces].all(1))
    return Raster(
        raster.size_px,
        raster.ys,
        raster.xs,
        numbers[raster.face],
        scene.faces,
        raster.points_px,
        raster.nearness,
        True,
    )


def _shadow_map(scene: _Scene, towards: Floats, size_px: int) -> Callable[[Floats], NDArray[np.bool_]]:
    """Return a test of whether points (N, 3) see the sky in a direction (3,)."""
    d = np.asarray(towards, float) / np.linalg.norm(towards)
    side = np.cross([0.0, 1.0, 0.0] if abs(d[1]) < 0.95 else [1.0, 0, 0], d)
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(d, side), d])  # right-handed: d points to the viewer
    used = np.unique(scene.casting)
    if not len(used):
        return lambda points: np.ones(len(points), bool)
    local = scene.vertices @ axes.T
    low, high = local[used, :2].min(0), local[used, :2].max(0)
    scale = (size_px - 4) / max(float((high - low).max()), 1e-6)

    def to_map(points: Floats) -> Floats:
        return (points[:, :2] - low) * scale * (1, -1) + (2, size_px - 3)

    raster = rasterise(
        to_map(local), local[:, 2], scene.casting, size_px=(size_px, size_px), perspective=False
    )
    height = raster.spread(raster.nearness_seen, -np.inf)

    def sees(points: Floats) -> NDArray[np.bool_]:
        q = points @ axes.T
        at = np.rint(to_map(q)).astype(np.int64)
        inside = ((at >= 0) & (at < size_px)).all(1)
        at = np.clip(at, 0, size_px - 1)
        return ~(inside & (height[at[:, 1], at[:, 0]] > q[:, 2] + _BIAS_M))

    return sees


def _sky_light(scene: _Scene, lighting: Lighting) -> Floats:
    """Return the light (V, 3) that each vertex has from the part of the sky it sees."""
    golden = np.pi * (3 - np.sqrt(5))
    total = np.zeros((len(scene.vertices), 3))
    norm = 0.0
    raised = scene.vertices + scene.normals * _BIAS_M
    for i in range(_SKY_DIRECTIONS):
        up = (i + 0.5) / _SKY_DIRECTIONS * 1.15 - 0.15  # a little light comes from below the horizon
        round_ = np.sqrt(max(0.0, 1 - up * up))
        d = np.array([round_ * np.cos(i * golden), up, round_ * np.sin(i * golden)])
        share = max(up, 0.0)
        colour = share * np.array(lighting.sky_top) + (1 - share) * np.array(lighting.sky_low)
        facing = np.clip(scene.normals @ d, 0, 1)
        sees = _shadow_map(scene, d, _SKY_PX)(raised) if up > 0 else np.ones(len(raised), bool)
        total += (facing * sees)[:, None] * colour * (1.0 if up > 0 else 0.45)
        norm += abs(up) if up > 0 else 0.0
    return total / max(norm, 1e-9) + 0.07 * np.array(lighting.sky_low)


def _lit(
    scene: _Scene, raster: Raster, sky: Floats, pieces: Sequence[Piece], lighting: Lighting
) -> NDArray[np.float32]:
    sun = np.asarray(lighting.sun_from, float) / np.linalg.norm(lighting.sun_from)
    positions = raster.interpolate(scene.vertices)
    normals = raster.interpolate(scene.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    texture = raster.interpolate(scene.texture)
    light = raster.interpolate(sky)
    sees = _shadow_map(scene, sun, _SHADOW_PX)
    # The sun's edge is soft: three nearby points vote.
    rng = np.random.default_rng(0)
    direct = np.zeros(len(positions))
    for _ in range(3):
        shift = 0.006 * rng.standard_normal(positions.shape)
        direct += sees(positions + normals * _BIAS_M + shift) / 3
    direct *= np.clip(normals @ sun, 0, 1)
    light = light + direct[:, None] * np.array(lighting.sun_colour)
    colours = np.zeros((len(positions), 3))
    which = scene.piece_of_face[raster.face]
    for i, piece in enumerate(pieces):
        of_piece = which == i
        if of_piece.any():
            colours[of_piece] = piece.paint(texture[of_piece], normals[of_piece])
    return (colours * light).astype(np.float32)


def _developed(linear: Floats, exposure: float, seed: int) -> NDArray[np.uint8]:
    """Turn linear light into 8-bit pixels: exposure, shoulder, gamma, darker corners and grain."""
    height, width = linear.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    away = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
    light = np.maximum(linear, 0) * exposure * (1 - 0.28 * away)
    light = np.where(light < 0.7, light, 0.7 + 0.3 * (1 - np.exp(-(light - 0.7) / 0.3)))
    picture = 255 * light ** (1 / 2.2)
    picture += np.random.default_rng(seed).normal(0, 1.6, (height, width, 1))
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
