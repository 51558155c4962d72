"""Things that stand about: before the person as occluders, behind as clutter. Each on the floor at the origin."""

from collections.abc import Callable, Mapping

import numpy as np

from limbstudio.a3d.plans import OccluderPlan
from limbstudio.a3d.solids import Solid, about_vertical, ball, flat, leaf, slab, tube
from limbstudio.rendering.raster import Floats

# (height up to which it should reach in metres, generator) -> solids
Maker = Callable[[float, np.random.Generator], list[Solid]]

_PAINTS = (
    "#B58B5F", "#8F9AA3", "#3E6E8E", "#A33030", "#5C7F67", "#D8D4CC", "#4A4F63", "#7A5A3E", "#C9A063", "#2F2F33",
    "#E2B84C", "#6C4A7A",
)  # fmt: skip
_LEAVES = ("#3F6B35", "#557A3C", "#2F5430", "#6F8F4E", "#7B7F3A")
_SKINS = ("#E2BE96", "#B98560", "#74482F", "#D2A37A")
# Where an occluder would stand nearer to the lens than that, it is pushed back.
_NEAREST_M = 0.7


def _box(height: float, rng: np.random.Generator) -> list[Solid]:
    w, d = rng.uniform(0.12, 0.3), rng.uniform(0.1, 0.25)
    paint = flat(str(rng.choice(_PAINTS)), 0.1, 12.0)
    solids, low = [], 0.0
    for _ in range(int(rng.integers(1, 4))):
        top = height if low > 0.5 * height else height * rng.uniform(0.6, 1.0)
        if top - low < 0.04:
            break
        turn = about_vertical(rng.uniform(-0.3, 0.3))
        solids.append(slab((-w, low, -d), (w, top, d), paint, turn))
        low, w = top, w * rng.uniform(0.7, 0.95)
        paint = flat(str(rng.choice(_PAINTS)), 0.1, 12.0)
    return solids


def _plant(height: float, rng: np.random.Generator) -> list[Solid]:
    pot, green = min(0.3, 0.35 * height), str(rng.choice(_LEAVES))
    solids = [
        tube(
            np.array([(0, 0, 0), (0, pot, 0)]),
            np.array([0.11, 0.15]),
            flat(str(rng.choice(_PAINTS))),
            sides=12,
        )
    ]
    paints = [flat(green, 0.3, 20.0), flat(str(rng.choice(_LEAVES)), 0.3, 20.0)]
    for _ in range(int(rng.integers(14, 30))):
        angle, out = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.35)
        root = (
            np.array([0, pot, 0])
            + rng.normal(0, 0.03, 3) * (1, 0, 1)
            + (0, rng.uniform(0, 0.4) * (height - pot), 0)
        )
        rise = (height - root[1]) * rng.uniform(0.3, 1.0)
        tip = root + (out * np.cos(angle), rise, out * np.sin(angle))
        solids.append(leaf(root, tip, rng.uniform(0.02, 0.06), paints[int(rng.integers(2))]))
    return solids


def _person(height: float, rng: np.random.Generator) -> list[Solid]:
    """Another person as blocks, of an ordinary height whatever `height` says: no keypoint of theirs is truth."""
    tall = float(rng.uniform(1.45, 1.9))
    shirt, legs, skin = (flat(str(rng.choice(c)), 0.08) for c in (_PAINTS, _PAINTS, _SKINS))
    hip, neck = 0.5 * tall, 0.83 * tall
    solids = [
        tube(np.array([(0, hip - 0.05, 0), (0, 0.68 * tall, 0), (0, neck, 0)]), np.array([0.15, 0.17, 0.13]), shirt,
             sides=12, flat_by=0.7),
        ball((0, 0.92 * tall, 0.01), (0.08, 0.11, 0.095), skin),
        ball((0, 0.94 * tall, -0.012), (0.084, 0.112, 0.095), flat(str(rng.choice(("#2A1E18", "#6B4226", "#B98A4E"))))),
    ]  # fmt: skip
    for sign in (-1.0, 1.0):
        step, swing = rng.uniform(-0.12, 0.12), rng.uniform(-0.15, 0.2)
        knee, foot = (sign * 0.1, 0.27 * tall, step * 0.6), (sign * 0.1, 0.05, step)
        solids.append(
            tube(np.array([(sign * 0.09, hip, 0), knee, foot]), np.array([0.085, 0.06, 0.045]), legs)
        )
        elbow = (sign * 0.23, 0.62 * tall, swing * 0.4)
        solids.append(tube(np.array([(sign * 0.18, 0.8 * tall, 0), elbow]), np.array([0.055, 0.045]), shirt))
        solids.append(
            tube(np.array([elbow, (sign * 0.22, 0.47 * tall, swing)]), np.array([0.042, 0.03]), skin)
        )
    return solids


def _table(height: float, rng: np.random.Generator) -> list[Solid]:
    top, w, d = float(np.clip(height, 0.4, 0.95)), rng.uniform(0.35, 0.8), rng.uniform(0.25, 0.4)
    paint = flat(str(rng.choice(_PAINTS)), 0.1, 9.0)
    solids = [slab((-w, top - 0.04, -d), (w, top, d), paint)]
    for x in (-w + 0.04, w - 0.04):
        for z in (-d + 0.04, d - 0.04):
            solids.append(slab((x - 0.022, 0, z - 0.022), (x + 0.022, top - 0.03, z + 0.022), paint))
    if rng.random() < 0.6:
        x = rng.uniform(-0.6, 0.6) * w
        solids.append(
            slab(
                (x - 0.1, top, -0.1),
                (x + 0.1, top + rng.uniform(0.05, 0.25), 0.1),
                flat(str(rng.choice(_PAINTS))),
            )
        )
    return solids


def _railing(height: float, rng: np.random.Generator) -> list[Solid]:
    top, half = float(np.clip(height, 0.5, 1.1)), rng.uniform(0.7, 1.4)
    paint = flat(str(rng.choice(("#B8BDC4", "#2F2F33", "#A9794E", "#E0E0DC", "#A33030"))))
    thick = rng.uniform(0.016, 0.03)
    solids = [tube(np.array([(-half, y, 0), (half, y, 0)]), thick, paint, sides=7) for y in (top, 0.55 * top)]
    for x in np.linspace(-half, half, int(rng.integers(3, 6))):
        solids.append(tube(np.array([(x, 0, 0), (x, top, 0)]), thick * 0.9, paint, sides=7))
    return solids


def _pillar(height: float, rng: np.random.Generator) -> list[Solid]:
    paint = flat(str(rng.choice(("#D8D4CC", "#8F9AA3", "#B58B5F", "#6B4A30", "#E9E6DF"))), 0.06, 6.0)
    thick = rng.uniform(0.05, 0.13)
    if rng.random() < 0.5:
        return [slab((-thick, 0, -thick), (thick, 3.2, thick), paint)]
    return [tube(np.array([(0, 0, 0), (0, 3.2, 0)]), thick, paint, sides=14)]


OCCLUDERS: Mapping[str, Maker] = {
    "box": _box,
    "plant": _plant,
    "person": _person,
    "table": _table,
    "railing": _railing,
    "pillar": _pillar,
}
# How far aside of the sight line a thing stands at least, so that it hides a part and not all, metres.
_ASIDE_M = {"person": (0.22, 0.5), "pillar": (0.08, 0.3)}


def place_occluder(plan: OccluderPlan, joints: Floats, eye: Floats, rng: np.random.Generator) -> list[Solid]:
    """Put an occluder between a joint of the person and the lens. joints: (J, 3) world, to choose from. eye: (3,)."""
    joint = joints[min(int(plan.at * len(joints)), len(joints) - 1)]
    away = np.hypot(*(eye - joint)[[0, 2]])
    share = min(plan.nearness, max(0.05, 1 - _NEAREST_M / max(away, 1e-6)))
    at = joint + share * (eye - joint)
    height = float(np.clip(at[1] + rng.uniform(0.0, 0.15), 0.2, 1.6))
    ahead = (eye - joint)[[0, 2]] / max(away, 1e-6)
    low, high = _ASIDE_M.get(plan.kind, (0.0, 0.18))
    aside = rng.choice([-1.0, 1.0]) * rng.uniform(low, high)
    shift = np.array([at[0] + aside * ahead[1], 0.0, at[2] - aside * ahead[0]])
    facing = np.arctan2(ahead[0], ahead[1]) + rng.uniform(-0.4, 0.4)
    return moved(OCCLUDERS[plan.kind](height, rng), shift, facing)


def clutter(
    eye: Floats, forward: Floats, rng: np.random.Generator, *, count: int, indoors: bool
) -> list[tuple[str, list[Solid]]]:
    """Put things behind the person, where the camera sees them. forward: (3,) the camera's direction."""
    ahead = forward[[0, 2]] / max(float(np.hypot(*forward[[0, 2]])), 1e-6)
    kinds = (
        ("box", "table", "plant", "person", "pillar")
        if indoors
        else ("plant", "person", "railing", "pillar", "box")
    )
    things = []
    for _ in range(count):
        kind = str(rng.choice(kinds, p=(0.36, 0.22, 0.24, 0.08, 0.1)))
        back, aside = rng.uniform(0.7, 2.2), rng.uniform(-1.5, 1.5)
        shift = np.array([back * ahead[0] + aside * ahead[1], 0.0, back * ahead[1] - aside * ahead[0]])
        facing = np.arctan2(-ahead[0], -ahead[1]) + rng.uniform(-0.8, 0.8)
        things.append((kind, moved(OCCLUDERS[kind](float(rng.uniform(0.4, 1.5)), rng), shift, facing)))
    return things


def moved(solids: list[Solid], shift: Floats, facing: float) -> list[Solid]:
    """Return the solids turned about the vertical and shifted; their paint stays where it was on them."""
    turn = about_vertical(facing)
    return [Solid(s.vertices @ turn.T + shift, s.faces, s.paint, s.vertices) for s in solids]
