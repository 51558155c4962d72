"""Sleeves and trouser legs beyond the end of a residual limb: hanging empty, folded up, or knotted.

World frame of `bodies`: the person faces +z, before the turn towards the camera.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from limbstudio.a3d.bodies import Bools, Figure
from limbstudio.a3d.clothing import Outfit
from limbstudio.a3d.plans import LostLimb
from limbstudio.a3d.solids import Solid, ball, flat, tube
from limbstudio.body.parts import distal_parts
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, level_rule
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Paint

# Of limbs whose garment reaches over their end, so many have the rest of it as well.
SHARE = 0.6
_STYLES = (0.5, 0.3, 0.2)
_FLAT, _SLACK_M, _STEPS = 0.4, 0.008, 9
_GROUND_M = 0.03
_WIDEST_M, _ROOT_M = {True: 0.07, False: 0.12}, {True: 0.055, False: 0.09}
_AT_THE_ROOT = 2  # AJAHR's class of a limb that is gone from shoulder or hip on
_DOWN = np.array([0.0, -1.0, 0.0])


class Empty(StrEnum):
    """What the rest of a garment does beyond a limb's end."""

    HANGING = "hanging"
    FOLDED = "folded"
    KNOTTED = "knotted"


def empty_cloth(
    figure: Figure, limbs: Mapping[Limb, LostLimb], outfit: Outfit, rng: np.random.Generator
) -> dict[Limb, tuple[Empty, list[Solid]]]:
    """Return the empty part of the garment of each limb that has one: no prosthesis, and a garment over its end.

    It is as long as the garment's other side.
    """
    made = {}
    for limb, lost in limbs.items():
        rule = level_rule(limb, lost.level)
        drawn, style = rng.random(), str(rng.choice(list(Empty), p=_STYLES))
        if lost.prosthesis is not None or rule.segment is None or drawn >= SHARE:
            continue
        reaches = outfit.sleeves.get(limb.side, outfit.sleeve) if limb.is_arm else outfit.hem[limb.side]
        other = _length_of_other_side(limb, outfit)
        if reaches <= lost.reach(limb) or other <= lost.reach(limb):
            continue
        upstream, end, wide, missing = _rest(figure, limb, lost)
        missing *= (other - lost.reach(limb)) / max(1 - lost.reach(limb), 1e-6)
        paint = flat(outfit.shirt if limb.is_arm else outfit.trousers, 0.1)
        made[limb] = (Empty(style), _drawn(Empty(style), upstream, end, wide, missing, paint, rng))
    return made


def _length_of_other_side(limb: Limb, outfit: Outfit) -> float:
    """Return how far the garment reaches on the other side, 0 shoulder or hip .. 1 wrist or ankle."""
    side = limb.opposite.side
    return outfit.sleeves.get(side, outfit.sleeve) if limb.is_arm else outfit.hem[side]


def _rest(figure: Figure, limb: Limb, lost: LostLimb) -> tuple[Floats, Floats, float, float]:
    """Return where what is left of a limb begins and ends, how wide it is there, and how much is missing, metres."""
    names = ("shoulder", "elbow", "wrist") if limb.is_arm else ("hip", "knee", "ankle")
    root, middle, last = (figure.joints[SMPLX_INDEX[f"{limb.side.value}_{name}"]] for name in names)
    whole = float(np.linalg.norm(middle - root) + np.linalg.norm(last - middle))
    rule = level_rule(limb, lost.level)
    if rule.ajahr_class == _AT_THE_ROOT:
        axis = (middle - root) / max(float(np.linalg.norm(middle - root)), 1e-6)
        wide = _ROOT_M[limb.is_arm]
        return root - 0.1 * axis, root + 0.4 * wide * axis, wide, whole
    assert rule.anchor is not None and rule.upstream is not None and rule.segment is not None
    anchor, upstream = figure.joints[SMPLX_INDEX[rule.anchor]], figure.joints[SMPLX_INDEX[rule.upstream]]
    end = anchor + lost.factor * (upstream - anchor)
    own = np.isin(figure.part, distal_parts(limb, rule.segment))
    wide = _width(figure, own, upstream, end, _WIDEST_M[limb.is_arm])
    return upstream, end, wide, float(np.linalg.norm(anchor - end) + np.linalg.norm(last - anchor))


def _width(figure: Figure, own: Bools, upstream: Floats, end: Floats, widest: float) -> float:
    """Return how wide the limb with its clothes is shortly before its end, metres."""
    axis = end - upstream
    length = max(float(np.linalg.norm(axis)), 1e-6)
    points = figure.vertices[np.unique(figure.faces[own])] - upstream
    along = points @ axis / length
    away = np.linalg.norm(points - along[:, None] * axis / length, axis=1)
    near = away[np.abs(along - 0.8 * length) < 0.04]
    return min(float(np.percentile(near, 80)) if len(near) > 8 else 0.6 * widest, widest) + _SLACK_M


def _drawn(
    style: Empty, upstream: Floats, end: Floats, wide: float, missing: float, paint: Paint, rng: np.random.Generator
) -> list[Solid]:  # fmt: skip
    axis = (end - upstream) / max(float(np.linalg.norm(end - upstream)), 1e-6)
    length = float(np.linalg.norm(end - upstream))
    if style is Empty.HANGING:
        return [_hanging(axis, end, wide, missing * rng.uniform(0.75, 1.0), paint, rng)]
    cap = ball(end, wide, paint)
    if style is Empty.KNOTTED:
        far = end + axis * (wide + rng.uniform(0.03, 0.1))
        neck = tube(np.array([end, (end + far) / 2, far]), np.array([wide, 0.55 * wide, 0.35 * wide]), paint)
        return [cap, neck, ball(far, 0.5 * wide, paint)]
    out = np.cross(axis, rng.standard_normal(3))
    out /= max(float(np.linalg.norm(out)), 1e-6)
    up = end - axis * min(rng.uniform(0.4, 0.9) * length, missing)
    path = np.array([end + 0.6 * wide * axis, end + 0.8 * wide * out, up + 0.85 * wide * out])
    return [cap, tube(path, np.array([0.8, 0.95, 0.9]) * wide, paint, sides=12, flat_by=_FLAT)]


def _hanging(
    axis: Floats, end: Floats, wide: float, length: float, paint: Paint, rng: np.random.Generator
) -> Solid:
    """Let cloth go on along the limb, and more and more down; on the ground it lies."""
    step = length / (_STEPS - 1)
    stiff = rng.uniform(0.04, 0.16)
    sway = 0.12 * rng.standard_normal(3)
    path = [end - 0.05 * axis]
    at, gone = end + 0.01 * axis, 0.0
    for _ in range(_STEPS):
        path.append(at.copy())
        falls = 1 - np.exp(-gone / stiff)
        way = (1 - falls) * axis + falls * (_DOWN + sway * gone / max(length, 1e-6))
        if at[1] < _GROUND_M + step and way[1] < 0:
            way = np.array([way[0] + sway[0], 0.0, way[2] + abs(sway[2]) + 0.05])
        at = at + step * way / max(float(np.linalg.norm(way)), 1e-6)
        at[1] = max(at[1], _GROUND_M)
        gone += step
    radii = wide * np.linspace(1.0, rng.uniform(0.75, 1.05), len(path))
    return tube(np.array(path), radii, paint, sides=12, flat_by=_FLAT)
