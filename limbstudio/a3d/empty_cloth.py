"""Sleeves and trouser legs beyond the end of a residual limb: hanging empty, folded up, or knotted.

They are of their garment's cloth, whose pattern goes on where the limb ends. World frame of `bodies`: the person
faces +z, before the turn towards the camera.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from limbstudio.a3d.bodies import Bools, Figure
from limbstudio.a3d.clothing import Cloth, Outfit, shirt_colours, trousers_colours, weave_at
from limbstudio.a3d.grain import grain
from limbstudio.a3d.plans import LostLimb
from limbstudio.a3d.solids import Solid, ball, first_side, tube
from limbstudio.body.parts import PART_INDEX, distal_parts
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, level_rule
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Paint

# Of limbs whose garment reaches over their end, so many have the rest of it as well.
SHARE = 0.6
_STYLES = (0.5, 0.3, 0.2)
_FLAT, _SLACK_M, _STEPS = 0.4, 0.008, 9
_GROUND_M = 0.03
_SHADES = 0.1
_WIDEST_M, _ROOT_M = {True: 0.07, False: 0.12}, {True: 0.055, False: 0.09}
_AT_THE_ROOT = 2  # AJAHR's class of a limb that is gone from shoulder or hip on
_DOWN = np.array([0.0, -1.0, 0.0])


class Empty(StrEnum):
    """What the rest of a garment does beyond a limb's end."""

    HANGING = "hanging"
    FOLDED = "folded"
    KNOTTED = "knotted"


def empty_cloth(
    figure: Figure,
    limbs: Mapping[Limb, LostLimb],
    outfit: Outfit,
    rng: np.random.Generator,
    *,
    shirt: Cloth | None = None,
    trousers: Cloth | None = None,
) -> dict[Limb, tuple[Empty, list[Solid]]]:
    """Return the empty part of the garment of each limb that has one: no prosthesis, and a garment over its end.

    It is as long as the garment's other side. shirt, trousers: their cloth, as of `paint_person`.
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
        rest = _rest(figure, limb, lost)
        missing = rest.missing * (other - lost.reach(limb)) / max(1 - lost.reach(limb), 1e-6)
        laid = _laid_out(figure, limb, rest, _paint(outfit, shirt, trousers, is_shirt=limb.is_arm))
        made[limb] = (Empty(style), _drawn(Empty(style), rest, missing, laid, rng))
    return made


def _paint(outfit: Outfit, shirt: Cloth | None, trousers: Cloth | None, *, is_shirt: bool) -> Paint:
    """Return the colours of a garment, with the slow shades of cloth that nothing stretches."""

    def paint(points: Floats, normals: Floats) -> Floats:
        weave = weave_at(points, grain)
        own = (
            shirt_colours(points, outfit, weave, shirt)
            if is_shirt
            else trousers_colours(points, outfit, grain, weave, trousers)
        )
        return own * (1 + _SHADES * grain(points, 16.0, 3))[:, None]

    return paint


def _length_of_other_side(limb: Limb, outfit: Outfit) -> float:
    """Return how far the garment reaches on the other side, 0 shoulder or hip .. 1 wrist or ankle."""
    side = limb.opposite.side
    return outfit.sleeves.get(side, outfit.sleeve) if limb.is_arm else outfit.hem[side]


@dataclass(frozen=True, eq=False)
class _Rest:
    """What is left of a limb, metres: from `upstream` to `end` (3,), there `wide`; `missing` is the rest's length.

    flat_upstream, flat_end: (3,) the same two places on the T-pose. own: (F',) bool, faces that go with it.
    """

    upstream: Floats
    end: Floats
    flat_upstream: Floats
    flat_end: Floats
    wide: float
    missing: float
    own: Bools


def _rest(figure: Figure, limb: Limb, lost: LostLimb) -> _Rest:
    """Measure what is left of a limb."""
    names = ("shoulder", "elbow", "wrist") if limb.is_arm else ("hip", "knee", "ankle")
    root, middle, last = (figure.joints[SMPLX_INDEX[f"{limb.side.value}_{name}"]] for name in names)
    whole = float(np.linalg.norm(middle - root) + np.linalg.norm(last - middle))
    rule = level_rule(limb, lost.level)
    if rule.ajahr_class == _AT_THE_ROOT:
        wide = _ROOT_M[limb.is_arm]
        flat_root, flat_middle = (figure.marks.joint(f"{limb.side.value}_{name}") for name in names[:2])
        (upstream, end), (flat_upstream, flat_end) = (
            _about_root(at, towards, wide) for at, towards in ((root, middle), (flat_root, flat_middle))
        )
        own = figure.part == PART_INDEX["torso"]
        return _Rest(upstream, end, flat_upstream, flat_end, wide, whole, own)
    assert rule.anchor is not None and rule.upstream is not None and rule.segment is not None
    anchor, upstream = figure.joints[SMPLX_INDEX[rule.anchor]], figure.joints[SMPLX_INDEX[rule.upstream]]
    end = anchor + lost.factor * (upstream - anchor)
    flat_anchor, flat_upstream = (figure.marks.joint(name) for name in (rule.anchor, rule.upstream))
    flat_end = flat_anchor + lost.factor * (flat_upstream - flat_anchor)
    own = np.isin(figure.part, distal_parts(limb, rule.segment))
    wide = _width(figure, own, upstream, end, _WIDEST_M[limb.is_arm])
    missing = float(np.linalg.norm(anchor - end) + np.linalg.norm(last - anchor))
    return _Rest(upstream, end, flat_upstream, flat_end, wide, missing, own)


def _about_root(root: Floats, middle: Floats, wide: float) -> tuple[Floats, Floats]:
    """Return two places on the way from inside the trunk to elbow or knee, the second where the garment ends."""
    axis = (middle - root) / max(float(np.linalg.norm(middle - root)), 1e-6)
    return root - 0.1 * axis, root + 0.4 * wide * axis


@dataclass(frozen=True, eq=False)
class _LaidOut:
    """Where cloth beyond a limb's end lies on the T-pose: as if the limb went on.

    end, flat_end: (3,) of the limb, in the world and on the T-pose; axis, flat_axis: (3,) the way it went. turn:
    (3, 3), from the T-pose to the world.
    """

    end: Floats
    axis: Floats
    flat_end: Floats
    flat_axis: Floats
    turn: Floats
    paint: Paint

    def ball(self, centre: Floats, radius: float) -> Solid:
        """Make a ball of this cloth that moves as the limb does."""
        made = ball(centre, radius, self.paint)
        return replace(made, texture=(made.vertices - self.end) @ self.turn + self.flat_end)

    def tube(self, path: Floats, radii: Floats, *, sides: int = 9, flat_by: float = 1.0) -> Solid:
        """Make a tube of this cloth; on the T-pose it is straight, as long as its path."""
        steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
        gone = (path[0] - self.end) @ self.axis + np.concatenate([[0.0], np.cumsum(steps)])
        straight = self.flat_end + gone[:, None] * self.flat_axis
        made = tube(path, radii, self.paint, sides=sides, flat_by=flat_by)
        side = first_side(path) @ self.turn
        on_t_pose = tube(straight, radii, self.paint, sides=sides, flat_by=flat_by, side=side)
        return replace(made, texture=on_t_pose.vertices)


def _laid_out(figure: Figure, limb: Limb, rest: _Rest, paint: Paint) -> _LaidOut:
    """Lay the cloth out by how what is left of the limb, or the trunk beside it, is turned."""
    axis, flat_axis = (
        way / max(float(np.linalg.norm(way)), 1e-6)
        for way in (rest.end - rest.upstream, rest.flat_end - rest.flat_upstream)
    )
    turn = _turn(figure, rest)
    return _LaidOut(
        rest.end, axis, rest.flat_end, flat_axis, _least_turn(turn @ flat_axis, axis) @ turn, paint
    )


def _turn(figure: Figure, rest: _Rest) -> Floats:
    """Return the rotation (3, 3) that best takes the skin shortly before a limb's end from the T-pose to its place."""
    own = np.unique(figure.faces[rest.own])
    points, flat = figure.bare[own], figure.rest[own]
    length = max(float(np.linalg.norm(rest.end - rest.upstream)), 1e-6)
    near = np.linalg.norm(points - rest.end, axis=1) < max(0.7 * length, 0.2)
    near &= (points - rest.end) @ (
        rest.end - rest.upstream
    ) < -0.1 * length**2  # not what collapses into the end
    if near.sum() < 3:
        return np.eye(3)
    points, flat = (p - p.mean(0) for p in (points[near], flat[near]))
    u, _, vt = np.linalg.svd(points.T @ flat)
    return u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))]) @ vt


def _least_turn(one: Floats, other: Floats) -> Floats:
    """Return the smallest rotation (3, 3) from one direction (3,) to another."""
    x, y, z = np.cross(one, other)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + across + across @ across / max(1 + float(one @ other), 1e-3)


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
    style: Empty, rest: _Rest, missing: float, laid: _LaidOut, rng: np.random.Generator
) -> list[Solid]:
    axis, end, wide = laid.axis, rest.end, rest.wide
    length = float(np.linalg.norm(end - rest.upstream))
    if style is Empty.HANGING:
        return [_hanging(laid, wide, missing * rng.uniform(0.75, 1.0), rng)]
    cap = laid.ball(end, wide)
    if style is Empty.KNOTTED:
        far = end + axis * (wide + rng.uniform(0.03, 0.1))
        neck = laid.tube(np.array([end, (end + far) / 2, far]), np.array([wide, 0.55 * wide, 0.35 * wide]))
        return [cap, neck, laid.ball(far, 0.5 * wide)]
    out = np.cross(axis, rng.standard_normal(3))
    out /= max(float(np.linalg.norm(out)), 1e-6)
    up = end - axis * min(rng.uniform(0.4, 0.9) * length, missing)
    path = np.array([end + 0.6 * wide * axis, end + 0.8 * wide * out, up + 0.85 * wide * out])
    return [cap, laid.tube(path, np.array([0.8, 0.95, 0.9]) * wide, sides=12, flat_by=_FLAT)]


def _hanging(laid: _LaidOut, wide: float, length: float, rng: np.random.Generator) -> Solid:
    """Let cloth go on along the limb, and more and more down; on the ground it lies."""
    axis, end = laid.axis, laid.end
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
    return laid.tube(np.array(path), radii, sides=12, flat_by=_FLAT)
