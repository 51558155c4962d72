"""What lies behind a synthetic person: places that are reckoned per pixel, and what shadows fall on.

World frame: metres, y up, the floor is y = 0, the person at the origin. Colours are linear light.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.clothing import linear
from limbstudio.a3d.grain import grain
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Viewpoint

Bools = NDArray[np.bool_]
_FARTHEST_M = 40.0


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A picture (H, W, 3) without the person.

    name: of the kind. source: of the user's file, or "". shaded (H, W) bool: where shadows fall, at points (N, 3) with
    normals (N, 3). is_lit: colours are those of the surfaces (light is still to be put on them), not of a photo.
    """

    name: str
    colours: Floats
    shaded: Bools
    points: Floats
    normals: Floats
    is_lit: bool
    source: str = ""


@dataclass(frozen=True, eq=False)
class Rays:
    """The camera's rays. eye (3,); directions (H, W, 3), one metre along the camera's axis."""

    eye: Floats
    directions: Floats

    @classmethod
    def of(cls, view: Viewpoint) -> "Rays":
        width, height = view.camera.size_px
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        cx, cy = view.camera.center_px
        f = view.camera.focal_px
        local = np.stack([(x - cx) / f, (y - cy) / f, np.ones(x.shape)], -1)
        eye = -view.camera_from_world.T @ view.offset
        return cls(eye.astype(np.float32), (local @ view.camera_from_world).astype(np.float32))

    def floor(self) -> Floats:
        """Return how far along each ray the floor lies, (H, W), infinite where it is not met."""
        down = self.directions[..., 1]
        with np.errstate(divide="ignore"):
            t = np.where(down < -1e-6, -self.eye[1] / down, np.inf)
        return np.where(t > 0, t, np.inf)

    def plane(self, normal: Floats, distance: float) -> Floats:
        """Return how far along each ray the plane normal . x = distance lies, infinite where it is not met."""
        along = self.directions @ normal
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (distance - self.eye @ normal) / along
        return np.where((t > 1e-3) & np.isfinite(t), t, np.inf)


def draw_backdrop(name: str, view: Viewpoint, rng: np.random.Generator) -> Backdrop:
    """Draw one of the procedural places."""
    return PLACES[name](Rays.of(view), name, rng)


# ------------------------------------------------------------------------------------------------- surfaces


def _colour(rng: np.random.Generator, *choices: str) -> Floats:
    base = np.array(linear(str(rng.choice(choices))))
    return (base * rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)).astype(np.float32)


def _mottled(points: Floats, base: Floats, *, fine: float, coarse: float) -> Floats:
    tone = 1 + fine * grain(points, 40.0, 1) + coarse * grain(points, 2.2, 2)
    return base * tone[:, None]


def _tiled(points: Floats, u: Floats, v: Floats, rng: np.random.Generator, far: Floats) -> Floats:
    size = rng.uniform(0.2, 0.7)
    first, second = (
        _colour(rng, "#C8C4B8", "#8FA3A8", "#E6E2D6", "#7C746A", "#4F565C"),
        rng.uniform(0.75, 1.1),
    )
    cell = np.floor(u / size) + np.floor(v / size)
    tone = np.where(cell % 2 == 0, 1.0, second)
    joint = np.maximum(np.abs(u / size % 1 - 0.5), np.abs(v / size % 1 - 0.5)) > 0.5 - 0.008 / size
    tone = np.where(joint, 0.62, tone)
    tone = 1 + (tone - 1) * np.clip(5.0 / far, 0, 1)  # far tiles are too small to be told apart
    return _mottled(points, first, fine=0.05, coarse=0.08) * tone[:, None]


def _boarded(points: Floats, u: Floats, v: Floats, rng: np.random.Generator, far: Floats) -> Floats:
    width = rng.uniform(0.08, 0.2)
    base = _colour(rng, "#A9794E", "#C09A6B", "#6B4A30", "#8A6B4C", "#B9A184")
    board = np.floor(u / width)
    tone = 1 + 0.14 * np.sin(board * 12.9898) + 0.12 * grain(points * (1, 1, 0.1), 40.0, 4)
    tone = np.where(np.abs(u / width - board - 0.5) > 0.48, 0.6, tone)
    tone = 1 + (tone - 1) * np.clip(5.0 / far, 0, 1)
    return base * tone[:, None]


def _plain_floor(points: Floats, u: Floats, v: Floats, rng: np.random.Generator, far: Floats) -> Floats:
    base = _colour(rng, "#7E868C", "#9C8F80", "#5A6470", "#A8A49A", "#4E5A4C", "#8C4F45")
    return _mottled(points, base, fine=rng.uniform(0.02, 0.16), coarse=0.08)


_FLOORS: tuple[Callable[..., Floats], ...] = (_tiled, _boarded, _plain_floor)


def _wall(points: Floats, u: Floats, rng: np.random.Generator) -> Floats:
    """Paint a wall. u: metres along it."""
    y = points[:, 1]
    base = _colour(
        rng, "#E6E2D6", "#C9D2CF", "#EEF0EC", "#E9DFC8", "#AFC0C6", "#B8A99A", "#8C9A8E", "#D6C3BD", "#6E7C88"
    )
    colours = _mottled(points, base, fine=0.02, coarse=0.04)
    style = rng.choice(["plain", "stripes", "brick", "panel", "tiles"], p=[0.45, 0.12, 0.16, 0.15, 0.12])
    if style == "stripes":
        colours[np.sin(u * 2 * np.pi / rng.uniform(0.1, 0.4)) > 0.2] *= rng.uniform(0.75, 0.95)
    elif style == "brick":
        row = np.floor(y / 0.075)
        along = (u / 0.23 + 0.5 * (row % 2)) % 1
        colours *= _colour(rng, "#B0694F", "#D8D4CC", "#9A8C7E") / max(float(base.mean()), 0.1)
        colours *= (1 + 0.15 * np.sin(row * 7.1 + np.floor(u / 0.23 + 0.5 * (row % 2)) * 3.7))[:, None]
        colours[(y / 0.075 % 1 > 0.87) | (along > 0.955)] = linear("#BDB6AA")
    elif style == "panel":
        colours[y < rng.uniform(0.8, 1.2)] *= _colour(rng, "#A8B8A8", "#8A6B4C", "#7F93A6", "#D8D4CC")
    elif style == "tiles":
        colours[(u % 0.15 > 0.143) | (y % 0.15 > 0.143)] *= 0.7
    colours[y < 0.09] = _colour(rng, "#EDEBE4", "#5E6A70", "#6B4A30")
    for _ in range(int(rng.integers(0, 4))):  # pictures, posters, doors, windows
        middle, half = rng.uniform(-2.2, 2.2), rng.uniform(0.15, 0.55)
        low, high = (0.0, 2.05) if rng.random() < 0.3 else (rng.uniform(0.8, 1.3), rng.uniform(1.5, 2.3))
        inside = (np.abs(u - middle) < half) & (y > low) & (y < high)
        edge = inside & ((np.abs(u - middle) > half - 0.035) | (y > high - 0.035) | (y < low + 0.035))
        first, second = (
            _colour(rng, "#7FA7C4", "#D9C9A3", "#3F5D66", "#C9513E", "#E9E6DF", "#6E8B74", "#B8C9D6")
            for _ in range(2)
        )
        share = (0.5 + 0.5 * grain(points, rng.uniform(1.5, 6.0), 9))[inside, None]
        colours[inside] = (1 - share) * first + share * second
        colours[edge] = _colour(rng, "#F2EEE4", "#2F2F33", "#8A6B4C")
    return colours


# --------------------------------------------------------------------------------------------------- places


def _room(rays: Rays, name: str, rng: np.random.Generator) -> Backdrop:
    t_floor = rays.floor()
    azimuth = np.arctan2(
        *rays.directions[rays.directions.shape[0] // 2, rays.directions.shape[1] // 2, [0, 2]]
    )
    turn = azimuth + rng.normal(0, 0.25)
    back = np.array([np.sin(turn), 0.0, np.cos(turn)])
    side = np.array([back[2], 0.0, -back[0]]) * rng.choice([-1.0, 1.0])
    t_back = rays.plane(back, rng.uniform(1.1, 3.5))
    t_side = rays.plane(side, rng.uniform(1.2, 4.0))
    walls = np.minimum(t_back, t_side)
    t = np.minimum(np.minimum(t_floor, walls), _FARTHEST_M)
    points = (rays.eye + t[..., None] * rays.directions).reshape(-1, 3)
    normals, colours = np.zeros_like(points), np.zeros_like(points)
    on_floor = (t_floor <= walls).ravel()
    on_back = ~on_floor & (t_back <= t_side).ravel()
    on_side = ~on_floor & ~on_back
    turned = points @ np.stack([side, (0.0, 1.0, 0.0), back]).T
    far = np.maximum(t.ravel(), 0.5)
    floor = _FLOORS[int(rng.integers(len(_FLOORS)))]
    colours[on_floor] = floor(points[on_floor], turned[on_floor, 0], turned[on_floor, 2], rng, far[on_floor])
    state = rng.integers(2**31)  # both walls are papered alike
    colours[on_back] = _wall(points[on_back], turned[on_back, 0], np.random.default_rng(state))
    colours[on_side] = _wall(points[on_side], turned[on_side, 2], np.random.default_rng(state))
    normals[on_floor], normals[on_back], normals[on_side] = (0, 1, 0), -back, -side
    shape = t.shape
    return Backdrop(name, colours.reshape(*shape, 3), np.ones(shape, bool), points, normals, True)


def _outdoors(rays: Rays, name: str, rng: np.random.Generator) -> Backdrop:
    t = rays.floor()
    ground = t < _FARTHEST_M
    colours = _sky(rays, ~ground, rng)
    _horizon(rays, colours, ~ground, rng, towns=name == "street")
    on = rays.eye + t[ground][:, None] * rays.directions[ground]
    if name == "park":
        base = _colour(rng, "#6F8F4E", "#7E8F52", "#8A8A55")
        paint = base * (1 + 0.3 * grain(on, 45.0, 1) + 0.2 * grain(on, 5.0, 2))[:, None]
        if rng.random() < 0.6:
            path = np.abs(
                on[:, 0] * np.cos(0.5) + on[:, 2] * np.sin(0.5) + 0.2 * grain(on, 0.5, 3)
            ) < rng.uniform(0.6, 1.5)
            paint[path] = _mottled(on[path], _colour(rng, "#B9AF9E", "#A39A8C"), fine=0.12, coarse=0.1)
    elif name == "street":
        paint = _mottled(on, _colour(rng, "#6A6E72", "#8C8A86", "#A09A90"), fine=0.1, coarse=0.1)
        line = np.abs(on[:, 0] + rng.uniform(-1, 1)) % 3.0 < 0.1
        paint[line] = linear("#D8D4CC")
        if rng.random() < 0.5:
            size = rng.uniform(0.2, 0.5)
            paint[(on[:, 0] % size < 0.015) | (on[:, 2] % size < 0.015)] *= 0.75
    else:
        paint = _mottled(on, _colour(rng, "#D3BE94", "#C2A67A", "#B8A890"), fine=0.08, coarse=0.16)
    far = np.clip(t[ground] / _FARTHEST_M, 0, 1)[:, None] ** 1.5  # haze
    horizon = colours[~ground].mean(0) if not ground.all() else paint.mean(0)
    colours[ground] = paint * (1 - far) + far * horizon
    normals = np.tile(np.array([0.0, 1.0, 0.0]), (len(on), 1))
    return Backdrop(name, colours, ground, on, normals, True)


def _sky(rays: Rays, above: Bools, rng: np.random.Generator) -> Floats:
    """Return a picture (H, W, 3) with a sky where `above` says, else nothing."""
    picture = np.zeros(rays.directions.shape, np.float32)
    directions = rays.directions[above]
    up = directions[:, 1] / np.sqrt(np.einsum("nk,nk->n", directions, directions))
    t = np.clip(up * 2.2, 0, 1)[:, None]
    top, low = (
        _colour(rng, "#5E8CC4", "#8FB0CF", "#A9B6C2", "#7F9FC9"),
        _colour(rng, "#DCE6EC", "#E9E2D6", "#C9D2D8"),
    )
    sky = (1 - t) * (low * np.float32(1.3)) + t * (top * np.float32(1.2))
    far = directions / np.maximum(np.abs(directions[:, 1:2]), 0.12)
    cloud = np.clip(grain(far, 0.7, 5) + 0.5 * grain(far, 2.0, 6), 0, 1) * np.float32(rng.uniform(0, 0.8))
    picture[above] = sky * (1 - cloud[:, None]) + np.float32(1.2) * cloud[:, None]
    return picture


def _horizon(rays: Rays, colours: Floats, above: Bools, rng: np.random.Generator, *, towns: bool) -> None:
    """Draw hills and trees, or houses, into the sky just above the ground."""
    x, y, z = (rays.directions[..., k] for k in range(3))
    up = y / np.hypot(x, z)
    rows = np.flatnonzero(above & (up < 0.5))
    up, azimuth = up.ravel()[rows], np.arctan2(x.ravel()[rows], z.ravel()[rows])
    picture = colours.reshape(-1, 3)
    for layer in range(3):
        cell = np.zeros(0)
        step = rng.uniform(0.09, 0.25)
        if towns:
            cell = np.floor(azimuth / step)
            high = 0.1 + (0.34 - 0.08 * layer) * (
                0.5 + 0.5 * np.sin(cell * (17.3 + layer) + rng.uniform(0, 6))
            )
        else:
            key = np.column_stack([np.cos(azimuth), np.sin(azimuth), np.full(len(azimuth), layer * 3.1)])
            high = (0.24 - 0.06 * layer) * (
                0.75 + 0.5 * grain(key, 2.0, layer) + 0.35 * grain(key, 9.0, layer + 7)
            )
        inside = np.flatnonzero(up < high)
        if towns:
            paint = _colour(rng, "#B8A99A", "#8F9AA3", "#A8745C", "#D6CDBE", "#77808A") * np.ones(
                (len(inside), 3)
            )
            paint *= (1 + 0.12 * np.sin(cell[inside] * 5.7))[:, None]
            along, floors = azimuth[inside] / step % 0.2, up[inside]
            paint[(along > 0.1) & (floors % 0.045 > 0.02) & (floors > 0.03)] *= rng.uniform(0.4, 0.7)
        else:
            base = _colour(rng, "#4E6B3C", "#5E7C48", "#3F5A38", "#75835A")
            spread = np.column_stack([azimuth[inside] * 4, up[inside] * 8, np.full(len(inside), layer)])
            paint = base * (1 + 0.4 * grain(spread, 5.0, 4) + 0.3 * grain(spread, 16.0, 2))[:, None]
        haze = 0.45 - 0.18 * layer
        picture[rows[inside]] = paint * (1 - haze) + haze * np.array([0.75, 0.8, 0.86], np.float32)


def _studio(rays: Rays, name: str, rng: np.random.Generator) -> Backdrop:
    """A paper that runs from the wall on to the floor, brighter in the middle."""
    height, width = rays.directions.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / max(height, width) - 0.5
    middle = rng.uniform(-0.2, 0.2, 2)
    away = np.hypot(x - middle[0], y - middle[1])
    base = _colour(rng, "#D8D6D0", "#9AA7B0", "#6C7A86", "#B7A99A", "#3F444A", "#A9B8A8", "#C9A9A0")
    colours = base * (1.15 - rng.uniform(0.3, 1.0) * away)[..., None]
    t = rays.floor()
    ground = t < _FARTHEST_M
    points = rays.eye + t[ground][:, None] * rays.directions[ground]
    colours[ground] *= (1 + 0.02 * grain(points, 30.0, 1))[:, None]
    return Backdrop(name, colours, ground, points, np.tile(np.array([0.0, 1.0, 0.0]), (len(points), 1)), True)


PLACES: Mapping[str, Callable[[Rays, str, np.random.Generator], Backdrop]] = {
    "room": _room,
    "hall": _room,
    "park": _outdoors,
    "street": _outdoors,
    "sand": _outdoors,
    "studio": _studio,
}
INDOORS = frozenset(("room", "hall", "studio"))
