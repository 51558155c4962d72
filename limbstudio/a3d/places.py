"""Places for synthetic people: a gym with parallel bars, rooms with a chair or a bench, a window, a park."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from limbstudio.a3d.clothing import linear
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Lighting, Paint, Piece, box, cylinder, floor, noise, plain


@dataclass(frozen=True, eq=False)
class Standpoint:
    """What a place must fit: world, metres, before the person is turned (facing +z).

    hands: (2, 3) left and right. seat_height: top of a seat. hips: (3,) between the hips. thigh_m: hip to
    knee.
    """

    hands: Floats
    seat_height: float
    hips: Floats
    thigh_m: float


@dataclass(frozen=True, eq=False)
class Place:
    """furniture turns with the person; room does not."""

    furniture: tuple[Piece, ...]
    room: tuple[Piece, ...]
    lighting: Lighting


def _tiles(first: str, second: str, size_m: float, joint: str | None = None) -> Paint:
    def paint(points: Floats, normals: Floats) -> Floats:
        cell = np.floor(points[:, [0, 2]] / size_m)
        odd = (cell.sum(1) % 2)[:, None]
        colours = np.array(linear(first)) * (1 - odd) + np.array(linear(second)) * odd
        if joint is not None:
            inside = np.abs(points[:, [0, 2]] / size_m - cell - 0.5).max(1) > 0.5 - 0.006 / size_m
            colours[inside] = linear(joint)
        return colours * (1 + 0.06 * noise(points, 25.0, 2) + 0.05 * noise(points, 3.0, 3))[:, None]

    return paint


def _boards(colour: str, width_m: float = 0.14) -> Paint:
    def paint(points: Floats, normals: Floats) -> Floats:
        board = np.floor(points[:, 0] / width_m)
        tone = 1 + 0.16 * np.sin(board * 12.9898) * np.cos(board * 4.1)
        grain = 0.10 * noise(points * (1.0, 1.0, 0.12), 60.0, 4)
        gap = np.abs(points[:, 0] / width_m - board - 0.5) > 0.485
        return np.array(linear(colour)) * (np.where(gap, 0.5, tone + grain))[:, None]

    return paint


def _wall(colour: str, skirting: str, stripe: str | None = None) -> Paint:
    def paint(points: Floats, normals: Floats) -> Floats:
        colours = np.array(linear(colour)) * (1 + 0.03 * noise(points, 6.0, 1))[:, None]
        if stripe is not None:
            colours[(points[:, 1] > 0.95) & (points[:, 1] < 1.10)] = linear(stripe)
        colours[points[:, 1] < 0.1] = linear(skirting)
        return colours

    return paint


def _grass(points: Floats, normals: Floats) -> Floats:
    blades = 1 + 0.35 * noise(points, 70.0, 1) + 0.25 * noise(points, 9.0, 2)
    colours = np.array(linear("#6F8F4E")) * blades[:, None]
    path = np.abs(points[:, 0] + 0.12 * noise(points * (0, 0, 1), 0.6, 5)) < 0.9
    stone = (
        np.array(linear("#B9AF9E"))
        * (1 + 0.12 * noise(points, 90.0, 3) + 0.1 * noise(points, 6.0, 4))[:, None]
    )
    colours[path] = stone[path]
    return colours


def _leaves(points: Floats, normals: Floats) -> Floats:
    return (
        np.array(linear("#4E6B3C"))
        * (1 + 0.45 * noise(points, 28.0, 1) + 0.25 * noise(points, 6.0, 2))[:, None]
    )


_METAL = plain(linear("#B8BDC4"), grain=0.03)
_WOOD = _boards("#9C6B43", 0.4)


def _room(floor_paint: Paint, wall_paint: Paint, depth_m: float) -> tuple[Piece, ...]:
    wall = box("wall", (-4.0, 0.0, -depth_m - 0.1), (4.0, 3.4, -depth_m), wall_paint, 0.12)
    return (floor(9.0, floor_paint, centre=(0.0, 1.2)), replace(wall, casts_shadow=False))


def gym(at: Standpoint) -> Place:
    """A hall with parallel bars at the person's hands."""
    bars = []
    for hand in at.hands:
        x, y = float(hand[0]), float(hand[1]) - 0.035
        bars.append(cylinder("bar", (x, y, -1.1), (x, y, 1.0), 0.019, _METAL))
        bars += [cylinder("post", (x, 0.0, z), (x, y, z), 0.022, _METAL) for z in (-0.95, 0.85)]
        bars += [
            box("foot", (x - 0.12, 0.0, z - 0.05), (x + 0.12, 0.025, z + 0.05), _METAL) for z in (-0.95, 0.85)
        ]
    room = _room(_tiles("#8FA3A8", "#8A9DA3", 0.5, "#74868C"), _wall("#E6E2D6", "#5E6A70", "#7FA08F"), 2.2)
    return Place(tuple(bars), room, _INDOORS)


def living_room(at: Standpoint) -> Place:
    """A room with a wooden chair under the person."""
    room = _room(_boards("#A9794E"), _wall("#C9D2CF", "#EDEBE4"), 1.5)
    picture = box("picture", (0.55, 1.35, -1.5), (1.15, 1.8, -1.47), _painting)
    return Place(_chair(at, _WOOD), (*room, picture), _INDOORS)


def clinic(at: Standpoint) -> Place:
    """A consulting room with an upholstered bench under the person."""
    y, x, z = at.seat_height, float(at.hips[0]), float(at.hips[2])
    blue = plain(linear("#3F6C80"), grain=0.04)
    front = z + 0.72 * at.thigh_m
    top = box("bench", (x - 0.85, y - 0.10, front - 0.75), (x + 0.85, y, front), blue, 0.06)
    legs = [
        box("leg", (x + dx - 0.03, 0, front + dz - 0.03), (x + dx + 0.03, y - 0.1, front + dz + 0.03), _METAL)
        for dx in (-0.75, 0.75)
        for dz in (-0.68, -0.08)
    ]
    room = _room(_tiles("#C8C4B8", "#C4C0B4", 0.6, "#A9A59A"), _wall("#EEF0EC", "#8FA6AE"), 1.6)
    return Place((top, *legs), room, _INDOORS)


def window(at: Standpoint) -> Place:
    """A bright room with a window behind the person."""
    room = _room(_boards("#C09A6B"), _wall("#E9DFC8", "#F4F0E6"), 1.7)
    pane = box("pane", (-1.75, 0.95, -1.70), (-0.55, 2.25, -1.68), _view)
    frame = plain(linear("#F6F4EE"), grain=0.02)
    rails = [
        box("frame", low, high, frame)
        for low, high in (
            ((-1.81, 0.90, -1.70), (-0.49, 0.97, -1.62)),
            ((-1.81, 2.23, -1.70), (-0.49, 2.30, -1.64)),
            ((-1.81, 0.97, -1.70), (-1.75, 2.23, -1.64)),
            ((-0.55, 0.97, -1.70), (-0.49, 2.23, -1.64)),
            ((-1.17, 0.97, -1.70), (-1.13, 2.23, -1.65)),
        )
    ]
    return Place((), (*room, replace(pane, casts_shadow=False), *rails), _INDOORS)


def park(at: Standpoint) -> Place:
    """A path between lawns, a hedge behind."""
    hedges = [
        box("hedge", low, high, _leaves, 0.08)
        for low, high in (((-6, 0, -5.4), (-1.3, 1.15, -4.6)), ((1.3, 0, -5.4), (6, 1.15, -4.6)))
    ]
    rough = [replace(h, vertices=h.vertices + 0.09 * noise(h.vertices, 5.0, 3)[:, None]) for h in hedges]
    ground = floor(26.0, _grass, step_m=0.2, centre=(0.0, -6.0))
    near = floor(5.0, _grass, step_m=0.06, centre=(0.0, 0.5))
    near = replace(near, vertices=near.vertices + (0, 0.002, 0))
    return Place((), (ground, near, *rough), _OUTDOORS)


def _chair(at: Standpoint, paint: Paint) -> tuple[Piece, ...]:
    y, x, z = at.seat_height, float(at.hips[0]), float(at.hips[2])
    front, back, half = z + 0.70 * at.thigh_m, z - 0.24, 0.23
    legs = [
        box("leg", (x + dx - 0.02, 0, dz - 0.02), (x + dx + 0.02, h, dz + 0.02), paint, 0.1)
        for dx in (-half + 0.02, half - 0.02)
        for dz, h in ((front - 0.03, y - 0.02), (back, y + 0.46))
    ]
    seat = box("seat", (x - half, y - 0.04, back - 0.02), (x + half, y, front), paint, 0.05)
    rails = [
        box("rail", (x - half, y + h, back - 0.015), (x + half, y + h + 0.09, back + 0.012), paint, 0.08)
        for h in (0.18, 0.36)
    ]
    return (seat, *legs, *rails)


def _painting(points: Floats, normals: Floats) -> Floats:
    x, y = points[:, 0], points[:, 1]
    colours = np.array(linear("#D9C9A3")) * np.ones((len(points), 1))
    colours[y < 1.52 + 0.05 * np.sin(9 * x)] = linear("#6E8B74")
    colours[y < 1.45 + 0.03 * np.sin(14 * x + 1)] = linear("#3F5D66")
    colours[np.hypot(x - 0.95, y - 1.67) < 0.05] = linear("#E08A4F")
    edge = (np.abs(x - 0.85) > 0.27) | (np.abs(y - 1.575) > 0.195)
    colours[edge] = linear("#F2EEE4")
    return colours


def _view(points: Floats, normals: Floats) -> Floats:
    """What is seen through the window: it shines by itself, so its colours go beyond those of paper."""
    y = points[:, 1]
    t = np.clip((y - 0.95) / 1.3, 0, 1)[:, None]
    colours = (1 - t) * np.array((1.1, 1.25, 1.35)) + t * np.array((0.7, 1.0, 1.5))
    tree = y < 1.35 + 0.22 * noise(points * (1, 0, 0), 2.5, 7) + 0.05 * noise(points, 12.0, 8)
    colours[tree] = np.array(linear("#88A066")) * 1.9
    return colours * 1.25


_INDOORS = Lighting(
    sun_from=np.array([-0.75, 1.0, 0.95]),
    sun_colour=(0.85, 0.80, 0.72),
    sky_top=(0.62, 0.62, 0.62),
    sky_low=(0.50, 0.48, 0.45),
    background_top=linear("#D8D6D0"),
    background_low=linear("#8C8A86"),
)
_OUTDOORS = Lighting(
    sun_from=np.array([0.8, 1.1, 0.75]),
    sun_colour=(1.25, 1.14, 0.98),
    sky_top=(0.50, 0.58, 0.70),
    sky_low=(0.40, 0.42, 0.42),
    background_top=(0.25, 0.45, 0.78),
    background_low=(0.86, 0.92, 0.97),
)

PLACES: dict[str, Callable[[Standpoint], Place]] = {
    "gym": gym,
    "living_room": living_room,
    "clinic": clinic,
    "window": window,
    "park": park,
}
