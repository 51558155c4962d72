"""A sample's picture: person and things before a backdrop, lit, in shadow, and what covers which pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.backdrops import Backdrop
from limbstudio.a3d.plans import LightPlan
from limbstudio.a3d.solids import smooth_normals
from limbstudio.rendering.raster import Floats, Ints, Raster, rasterise
from limbstudio.rendering.scene import Paint, Viewpoint

Bools = NDArray[np.bool_]
_FINER = 2
_NEAR_M = 0.08
_SUN_PX, _SKY_PX = 320, 112
_SHADOW_REACH_M = 2.6
# Directions of the sky's light, and what each counts.
_SKY = tuple(
    (np.array([np.sqrt(1 - up * up) * np.cos(i * 2.4), up, np.sqrt(1 - up * up) * np.sin(i * 2.4)]), up)
    for i, up in enumerate((0.97, 0.8, 0.62, 0.44, 0.27))
)


class Kind(IntEnum):
    """What a thing is. Empty sleeves and trouser legs belong to the person, prostheses do not."""

    PERSON = 0
    CLOTH = 1
    PROSTHESIS = 2
    AID = 3
    OCCLUDER = 4
    CLUTTER = 5


@dataclass(frozen=True, eq=False)
class Thing:
    """A mesh of the scene, world. texture (V, 3): places that its paint sees."""

    kind: Kind
    vertices: Floats
    faces: Ints
    paint: Paint
    texture: Floats


@dataclass(frozen=True, eq=False)
class Geometry:
    """The things as the camera sees them.

    raster: at twice the picture's size. kind, thing (F,): of each face. casting: faces that throw shadows.
    label (H, W): the Kind that covers most of a pixel, -1 for none. depth (2H, 2W): metres, infinite where nothing is.
    """

    vertices: Floats
    faces: Ints
    texture: Floats
    thing: Ints
    kind: Ints
    things: tuple[Thing, ...]
    raster: Raster
    casting: Ints
    label: Ints
    depth: Floats


def see(things: Sequence[Thing], casting: Ints, view: Viewpoint) -> Geometry:
    """Find what covers which pixel.

    The first thing is the person, whose `casting` faces throw its shadow; what stands far behind comes last and throws
    none.
    """
    starts = np.cumsum([0, *(len(t.vertices) for t in things)])
    faces = np.vstack([t.faces + s for t, s in zip(things, starts, strict=False)])
    vertices = np.vstack([t.vertices for t in things])
    thing = np.repeat(np.arange(len(things)), [len(t.faces) for t in things])
    kind = np.array([t.kind for t in things])[thing]
    camera = view.to_camera(vertices)
    ahead = camera[:, 2] > _NEAR_M
    seen = np.ones(len(faces), bool) if ahead.all() else ahead[faces].all(1)
    z = np.where(ahead, camera[:, 2], 1.0)
    px = view.camera.project(np.column_stack([np.where(ahead[:, None], camera[:, :2], 0), z]))
    width, height = view.camera.size_px
    size = (width * _FINER, height * _FINER)
    numbers = np.flatnonzero(seen)
    raster = rasterise((px + 0.5) * _FINER - 0.5, 1 / z, faces[numbers], size_px=size)
    raster = Raster(
        size, raster.ys, raster.xs, numbers[raster.face], faces, raster.points_px, raster.nearness, True
    )
    depth = raster.spread(1 / raster.nearness_seen, np.inf)
    return Geometry(
        vertices,
        faces,
        np.vstack([t.texture for t in things]),
        thing,
        kind,
        tuple(things),
        raster,
        np.vstack(
            [
                casting,
                *(
                    t.faces + s
                    for t, s in zip(things, starts, strict=False)
                    if Kind.PERSON < t.kind < Kind.CLUTTER
                ),
            ]
        ),
        _labels(raster, kind, (height, width)),
        depth,
    )


def _labels(raster: Raster, kind: Ints, shape: tuple[int, int]) -> Ints:
    """Return the kind that covers most of each pixel; the person before the rest where two cover as much."""
    counts = np.zeros((len(Kind) + 1, *shape), np.uint8)
    pixel = (raster.ys // _FINER) * shape[1] + raster.xs // _FINER
    kinds = kind[raster.face]
    flat = counts.reshape(len(Kind) + 1, -1)
    for k in Kind:
        flat[k] = np.bincount(pixel[kinds == k], minlength=flat.shape[1])
    counts[-1] = _FINER * _FINER - counts[:-1].sum(0)
    label = counts.argmax(0)
    return np.where(label == len(Kind), -1, label)


def shares_of(geometry: Geometry, chosen: Bools) -> Ints:
    """Return how many of each pixel's finer pixels show one of the `chosen` faces (F,), (H, W)."""
    raster = geometry.raster
    of = chosen[raster.face]
    height, width = geometry.label.shape
    pixel = (raster.ys[of] // _FINER) * width + raster.xs[of] // _FINER
    return np.bincount(pixel, minlength=height * width).reshape(height, width)


# ------------------------------------------------------------------------------------------------- shadows


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """What stands between a point and the light from one direction.

    to_map (3, 4): takes a point to column, row and nearness to the light. height (S, S): of what is nearest.
    """

    to_map: Floats
    height: Floats

    @classmethod
    def of(
        cls, vertices: Floats, faces: Ints, towards: Floats, size_px: int, *, bias_m: float
    ) -> "ShadowMap":
        d = np.asarray(towards, float) / np.linalg.norm(towards)
        side = np.cross((0.0, 1.0, 0.0) if abs(d[1]) < 0.95 else (1.0, 0.0, 0.0), d)
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(d, side), d])
        local = vertices @ axes.T
        low = [local[:, k].min() for k in range(2)]
        scale = (size_px - 4) / max(*(float(local[:, k].max() - low[k]) for k in range(2)), 1e-6)
        factors = np.array([scale, -scale, 1.0])
        shift = np.array([2 - low[0] * scale, size_px - 3 + low[1] * scale, 0.0])
        placed = local * factors + shift
        raster = rasterise(placed[:, :2], placed[:, 2], faces, size_px=(size_px, size_px), perspective=False)
        height = raster.spread(raster.nearness_seen.astype(np.float32), -np.inf)
        height -= bias_m
        return cls(np.column_stack([axes * factors[:, None], shift]).astype(np.float32), height)

    def sees(self, points: Floats) -> Bools:
        """Tell which points (N, 3) the light reaches."""
        column, row, near = self.to_map[:, :3] @ np.asarray(points, np.float32).T + self.to_map[:, 3:]
        size = len(self.height)
        inside = (column >= 0) & (column <= size - 1) & (row >= 0) & (row <= size - 1)
        result = np.ones(len(near), bool)
        at = np.flatnonzero(inside)
        flat = np.rint(row[at]).astype(np.int32) * size + np.rint(column[at]).astype(np.int32)
        result[at] = self.height.take(flat) <= near[at]
        return result


@dataclass(frozen=True, eq=False)
class Shadows:
    """The sun's shadow map and those of the sky."""

    sun: ShadowMap
    sky: tuple[tuple[ShadowMap, Floats, float], ...]


def cast_shadows(geometry: Geometry, light: LightPlan) -> Shadows:
    """Make the maps. Everything casts, but for what stands far behind."""
    faces = geometry.casting
    used = geometry.vertices[: int(faces.max()) + 1]
    sun = ShadowMap.of(used, faces, np.array(light.sun_from), _SUN_PX, bias_m=0.025)
    sky = tuple((ShadowMap.of(used, faces, d, _SKY_PX, bias_m=0.05), d, w) for d, w in _SKY)
    return Shadows(sun, sky)


# ---------------------------------------------------------------------------------------------------- light


def compose(
    geometry: Geometry, shadows: Shadows, backdrop: Backdrop, light: LightPlan, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3), RGB."""
    height, width = geometry.label.shape
    colours = _lit_things(geometry, shadows, light, _tint(backdrop))
    picture = np.zeros((height * _FINER, width * _FINER, 4), np.float32)
    picture[geometry.raster.ys, geometry.raster.xs, :3] = np.minimum(colours, 1.5)
    picture[geometry.raster.ys, geometry.raster.xs, 3] = 1
    picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    behind = _lit_backdrop(backdrop, shadows, light)
    if light.behind_px > 0.25:
        behind = cv2.GaussianBlur(behind, (0, 0), light.behind_px)
    linear = picture[..., :3] + (1 - picture[..., 3:]) * behind
    return developed(linear, light, rng)


def _sun_and_sky(light: LightPlan) -> tuple[Floats, Floats]:
    w = light.warmth
    sun = light.sun * np.array([1.0 + 0.14 * w, 1.0, 1.0 - 0.2 * w], np.float32)
    sky = light.sky * np.array([1.0 + 0.05 * w, 1.0, 1.0 - 0.06 * w], np.float32)
    return sun, sky


def _tint(backdrop: Backdrop) -> Floats:
    """Return what a photo's own light does to the things put before it: (3,) factors of the sky's light."""
    if backdrop.is_lit:
        return np.ones(3)
    mean = backdrop.colours.reshape(-1, 3).mean(0)
    level = float(np.clip(mean.mean() / 0.22, 0.55, 1.35))
    colour = np.clip(mean / max(float(mean.mean()), 1e-3), 0.75, 1.3)
    return level * (0.5 + 0.5 * colour)


def _lit_things(geometry: Geometry, shadows: Shadows, light: LightPlan, tint: Floats) -> Floats:
    raster = geometry.raster
    normals_at = smooth_normals(geometry.vertices, geometry.faces)
    sky_at = _sky_light(geometry.vertices, normals_at, shadows)
    table = np.concatenate(
        [geometry.vertices, normals_at, geometry.texture, sky_at[:, None]], 1, dtype=np.float32
    )
    values = _interpolated(raster, table)
    positions, normals, texture, sky = values[:, :3], values[:, 3:6], values[:, 6:9], values[:, 9]
    length = np.sqrt(np.einsum("nk,nk->n", normals, normals))
    normals = normals / np.maximum(length, 1e-6)[:, None]
    direction = (np.array(light.sun_from) / np.linalg.norm(light.sun_from)).astype(np.float32)
    facing = np.clip(normals @ direction, 0, 1)
    reached = facing > 0
    reached[reached] = shadows.sun.sees(positions[reached] + normals[reached] * 0.012)
    sun_colour, sky_colour = _sun_and_sky(light)
    lit = (facing * reached)[:, None] * sun_colour + sky[:, None] * (sky_colour * tint).astype(np.float32)
    colours = np.zeros((len(positions), 3), np.float32)
    thing = geometry.thing[raster.face]
    for paint, rows in _by_paint(geometry.things):
        of_paint = np.zeros(len(geometry.things), bool)
        of_paint[rows] = True
        inside = np.flatnonzero(of_paint[thing])
        if len(inside):
            colours[inside] = paint(texture[inside], normals[inside])
    return colours * lit * 0.92


def _by_paint(things: Sequence[Thing]) -> list[tuple[Paint, list[int]]]:
    """Return the paints and the things of each: things of one paint are painted at once."""
    found: dict[int, tuple[Paint, list[int]]] = {}
    for row, thing in enumerate(things):
        found.setdefault(id(thing.paint), (thing.paint, []))[1].append(row)
    return list(found.values())


def _interpolated(raster: Raster, table: Floats) -> Floats:
    """Return the rows (V, C) of vertices at each fragment, (N, C); all columns at once take a third of the time."""
    corners = raster.faces.take(raster.face, 0)
    points, near = raster.points_px.astype(np.float32), raster.nearness.astype(np.float32)
    one, two, three = (corners[:, k] for k in range(3))
    start = points.take(one, 0)
    to_two, to_three = points.take(two, 0) - start, points.take(three, 0) - start
    qx, qy = raster.xs - start[:, 0], raster.ys - start[:, 1]
    area = to_two[:, 0] * to_three[:, 1] - to_three[:, 0] * to_two[:, 1]
    share_two = np.clip((qx * to_three[:, 1] - to_three[:, 0] * qy) / area, 0, 1)
    share_three = np.clip((to_two[:, 0] * qy - qx * to_two[:, 1]) / area, 0, 1 - share_two)
    # Shares in space go with shares in the picture times nearness.
    weights = [
        (1 - share_two - share_three) * near.take(one),
        share_two * near.take(two),
        share_three * near.take(three),
    ]
    total = weights[0] + weights[1] + weights[2]
    values = np.zeros((len(corners), table.shape[1]), np.float32)
    for weight, corner in zip(weights, (one, two, three), strict=True):
        more = table.take(corner, 0)
        more *= (weight / total)[:, None].astype(np.float32)
        values += more
    return values


def _sky_light(vertices: Floats, normals: Floats, shadows: Shadows) -> Floats:
    """Return the sky's light (V,) at vertices: 1 where a surface that looks up sees all of it."""
    total, norm = np.full(len(vertices), 0.16, np.float32), 0.16
    normals = normals.astype(np.float32)
    raised = vertices.astype(np.float32) + normals * np.float32(0.03)
    for shadow, direction, weight in shadows.sky:
        facing = np.clip(0.35 + normals @ (0.65 * direction).astype(np.float32), 0, 1)
        total += weight * facing * (0.12 + 0.88 * shadow.sees(raised))
        norm += weight
    return total / norm * 1.25


def _lit_backdrop(backdrop: Backdrop, shadows: Shadows, light: LightPlan) -> NDArray[np.float32]:
    """Put light and shadows on the backdrop; on a photo shadows only."""
    result = backdrop.colours.astype(np.float32)
    height, width = backdrop.shaded.shape
    direct_at = cv2.GaussianBlur(_reached(backdrop, [(shadows.sun, 1.0)], 1), (0, 0), 0.9)
    # The sky's shadows are soft: every other pixel of every other row is enough.
    sky_at = _reached(backdrop, [(shadow, weight) for shadow, _, weight in shadows.sky], 2)
    sky_at = cv2.GaussianBlur(cv2.resize(sky_at, (width, height)), (0, 0), 2.0)
    sun_colour, sky_colour = _sun_and_sky(light)
    sun_share = light.sun / (light.sun + light.sky)
    if not backdrop.is_lit:
        dark = 1 - 0.75 * sun_share * (1 - direct_at) - 0.9 * (1 - sun_share) * (1 - sky_at)
        return result * np.clip(dark, 0.12, 1)[..., None].astype(np.float32)
    facing = np.ones((height, width), np.float32)
    direction = np.array(light.sun_from) / np.linalg.norm(light.sun_from)
    facing[backdrop.shaded] = np.clip(backdrop.normals @ direction, 0, 1)
    lit = (direct_at * facing)[..., None] * sun_colour + sky_at[..., None] * sky_colour
    lit[~backdrop.shaded] = 1.0
    return (result * lit).astype(np.float32)


def _reached(backdrop: Backdrop, maps: Sequence[tuple[ShadowMap, float]], step: int) -> NDArray[np.float32]:
    """Return the share of the maps' light that reaches each `step`-th pixel of the backdrop; 1 where none can fall."""
    grid = np.zeros(backdrop.shaded.shape, bool)
    grid[::step, ::step] = True
    chosen = grid[backdrop.shaded]
    points = backdrop.points[chosen]
    near = (points[:, 0] ** 2 + points[:, 2] ** 2 < _SHADOW_REACH_M**2) & (points[:, 1] < 2.4)
    raised = points[near] + backdrop.normals[chosen][near] * 0.015
    share = np.ones(len(points), np.float32)
    share[near] = sum(weight * shadow.sees(raised) for shadow, weight in maps) / sum(
        weight for _, weight in maps
    )
    result = np.ones(grid[::step, ::step].shape, np.float32)
    result[backdrop.shaded[::step, ::step]] = share
    return result


def developed(linear: Floats, light: LightPlan, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn linear light into 8-bit pixels: lens, exposure, shoulder, gamma, and the sensor's noise."""
    if light.blur_px:
        linear = np.asarray(cv2.GaussianBlur(linear, (0, 0), light.blur_px), np.float32)
    height, width = linear.shape[:2]
    y, x = np.ogrid[0:height, 0:width]
    away = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
    bright = np.maximum(linear, 0) * (light.exposure * (1 - 0.22 * away)).astype(np.float32)
    high = bright > 0.7
    bright[high] = 0.7 + 0.3 * (1 - np.exp((0.7 - bright[high]) / 0.3))
    picture = 255 * bright ** np.float32(1 / 2.2)
    noise = rng.standard_normal((height, width), np.float32)[..., None]
    colour = rng.standard_normal((height, width, 3), np.float32)
    picture += light.grain * (np.float32(0.8) * noise + np.float32(0.45) * colour)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
