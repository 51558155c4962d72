"""What a person sits on, walks with and wears in place of a limb, as simple shapes around one body.

World frame of `bodies`: the person faces +z, before the turn towards the camera.
"""

from collections.abc import Mapping

import numpy as np

from limbstudio.a3d.bodies import FOOTREST_M, Bools, Figure, Seat
from limbstudio.a3d.plans import Aid, LostLimb
from limbstudio.a3d.solids import Solid, ball, flat, ring, slab, tube
from limbstudio.body.model import BodyModel
from limbstudio.body.parts import distal_parts, part_of
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, level_rule
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Paint

_FRAMES = ("#2B2E33", "#7C8288", "#A33030", "#2F4F7F", "#B8BDC4", "#30593F")
_SEATS = ("#23262A", "#2E3A4A", "#4A4A4A", "#5A3A2E", "#3F6C80")
_WOODS = ("#9C6B43", "#6B4A30", "#C49A6A", "#8A8D90", "#D8D4CC", "#3B3F45")
_CARBON, _STEEL, _RUBBER = "#2B2C2F", "#B4BAC0", "#1B1B1C"


def aids(figure: Figure, aid: Aid, hands: tuple[Limb, ...], rng: np.random.Generator) -> list[Solid]:
    """Return the wheelchair, the chair or the crutches. hands: arms that hold a crutch."""
    if aid is Aid.WHEELCHAIR and figure.seat is not None:
        return _wheelchair(figure.seat, rng)
    if aid is Aid.CHAIR and figure.seat is not None:
        return _chair(figure.seat, rng)
    if aid is Aid.CRUTCHES:
        forearm = rng.random() < 0.6
        paint = flat(str(rng.choice(_FRAMES if forearm else _WOODS)))
        return [s for limb in hands for s in _crutch(figure, limb, paint, forearm=forearm)]
    return []


def _wheelchair(seat: Seat, rng: np.random.Generator) -> list[Solid]:
    frame, cloth, rubber = flat(str(rng.choice(_FRAMES))), flat(str(rng.choice(_SEATS))), flat(_RUBBER)
    steel = flat(_STEEL)
    y, z = seat.height, float(seat.hips[2])
    half, radius = 0.235, float(rng.uniform(0.285, 0.315))
    back, front = z - 0.19, z + min(0.3, 0.62 * seat.thigh_m + 0.05)
    solids = [
        slab((-half, y - 0.05, back), (half, y - 0.004, front), cloth),
        slab((-half, y + 0.05, back - 0.03), (half, y + float(rng.uniform(0.26, 0.42)), back), cloth),
    ]
    for sign in (-1.0, 1.0):
        x = sign * (half + 0.035)
        hub = np.array([x + sign * 0.02, radius, z - 0.06])
        solids += [
            ring(hub, np.array([1.0, 0, 0]), radius - 0.014, 0.014, rubber),
            ring(hub + (sign * 0.035, 0, 0), np.array([1.0, 0, 0]), radius - 0.045, 0.007, steel),
            tube(np.array([hub - (sign * 0.03, 0, 0), hub + (sign * 0.02, 0, 0)]), 0.025, steel),
        ]
        angles = np.arange(8) * np.pi / 4
        for c, s in zip(np.cos(angles), np.sin(angles), strict=True):
            rim = hub + (radius - 0.02) * np.array([0, s, c])
            solids.append(tube(np.array([hub, rim]), 0.004, steel, sides=4))
        caster = np.array([x * 0.9, 0.07, front + 0.07])
        grip = y + 0.46
        for path, thick in (
            ([(x, y - 0.03, back), (x, y - 0.03, front)], 0.013),
            (
                [
                    (x, y - 0.03, front),
                    (x * 0.97, y - 0.16, front + 0.09),
                    (x * 0.8, FOOTREST_M - 0.01, front + 0.2),
                ],
                0.013,
            ),
            ([(x, y - 0.03, back), (x, grip, back - 0.03), (x, grip + 0.01, back - 0.13)], 0.013),
            ([(x, y - 0.03, front - 0.06), caster + (0, 0.05, -0.02)], 0.012),
            ([(x, y - 0.03, back + 0.05), hub], 0.014),
        ):
            solids.append(tube(np.array(path, float), thick, frame, sides=7))
        if rng.random() < 0.6:
            solids.append(
                slab((x - 0.022, y + 0.19, back + 0.02), (x + 0.022, y + 0.215, front - 0.1), cloth)
            )
        solids.append(ring(caster, np.array([1.0, 0, 0]), 0.055, 0.016, rubber, steps=16))
    rest = FOOTREST_M - 0.012
    solids.append(slab((-0.2, rest - 0.012, front + 0.1), (0.2, rest, front + 0.3), frame))
    return solids


def _chair(seat: Seat, rng: np.random.Generator) -> list[Solid]:
    paint = flat(str(rng.choice(_WOODS)), 0.12, 8.0)
    cloth = flat(str(rng.choice(_SEATS))) if rng.random() < 0.5 else paint
    y, z = seat.height, float(seat.hips[2])
    front, back, half = z + 0.6 * seat.thigh_m, z - 0.22, float(rng.uniform(0.21, 0.25))
    solids = [slab((-half, y - 0.05, back - 0.02), (half, y - 0.003, front), cloth)]
    stool = rng.random() < 0.3
    for x in (-half + 0.03, half - 0.03):
        for dz, top in ((front - 0.04, y - 0.03), (back, y - 0.03 if stool else y + 0.46)):
            solids.append(slab((x - 0.02, 0, dz - 0.02), (x + 0.02, top, dz + 0.02), paint))
    if not stool:
        for low, high in ((0.16, 0.26), (0.34, 0.46)):
            solids.append(slab((-half, y + low, back - 0.015), (half, y + high, back + 0.012), paint))
    return solids


def _crutch(figure: Figure, limb: Limb, paint: Paint, *, forearm: bool) -> list[Solid]:
    side, sign = limb.side.value, 1.0 if limb.side.value == "left" else -1.0
    hand = figure.joints[SMPLX_INDEX[f"{side}_middle1"]].copy()
    elbow, shoulder = (figure.joints[SMPLX_INDEX[f"{side}_{name}"]] for name in ("elbow", "shoulder"))
    foot = np.array([hand[0] + sign * 0.05, 0.02, hand[2] + 0.04])
    solids = [tube(np.array([foot - (0, 0.02, 0), foot + (0, 0.03, 0)]), 0.018, flat(_RUBBER))]
    if forearm:
        cuff = elbow + 0.25 * (hand - elbow)
        outside = np.array([sign * 0.045, 0, 0])
        solids += [
            tube(np.array([foot, hand + outside * 0.4, cuff + outside]), 0.0115, paint),
            tube(np.array([hand + (0, 0, -0.05), hand + (0, 0, 0.06)]), 0.016, flat(_RUBBER)),
            ring(cuff, hand - elbow, 0.05, 0.011, flat(_CARBON), steps=14),
        ]
        return solids
    top = shoulder + (sign * 0.02, -0.16, 0)
    fork = foot + 0.35 * (hand - foot)
    for dz in (-0.045, 0.045):
        solids.append(tube(np.array([fork, hand + (0, 0, dz), top + (0, 0, dz)]), 0.011, paint))
    solids += [
        tube(np.array([foot, fork]), 0.012, paint),
        tube(np.array([hand - (0, 0, 0.05), hand + (0, 0, 0.05)]), 0.015, flat(_RUBBER)),
        tube(np.array([top - (0, 0, 0.07), top + (0, 0, 0.07)]), 0.022, flat(_RUBBER)),
    ]
    return solids


def prostheses(figure: Figure, body: BodyModel, limbs: Mapping[Limb, LostLimb], shoe: str | None,
               rng: np.random.Generator) -> dict[Limb, list[Solid]]:  # fmt: skip
    """Return the prosthesis of each limb that wears one. shoe: colour of the other foot's shoe."""
    made = {}
    for limb, lost in limbs.items():
        if lost.prosthesis is None:
            continue
        rule = level_rule(limb, lost.level)
        assert rule.anchor is not None and rule.upstream is not None
        anchor, upstream = figure.joints[SMPLX_INDEX[rule.anchor]], figure.joints[SMPLX_INDEX[rule.upstream]]
        end = anchor + lost.factor * (upstream - anchor)
        shell = flat(str(rng.choice((_CARBON, "#C9B79C", "#E6E2DA", "#3B4B6B", "#D8A582"))), 0.03)
        assert rule.segment is not None
        own = np.isin(figure.part, distal_parts(limb, rule.segment))
        solids = [_socket(figure, own, upstream, end, shell, widest=0.075 if limb.is_arm else 0.12)]
        # From the residual limb's end to the wrist or ankle, by way of the elbow or knee where that is lost too.
        names = ("elbow", "wrist") if limb.is_arm else ("knee", "ankle")
        middle, distal = (figure.joints[SMPLX_INDEX[f"{limb.side.value}_{name}"]] for name in names)
        if rule.segment is limb.segments[0]:
            thick = 0.032 if limb.is_arm else 0.04
            solids.append(ball(middle, (thick, thick, thick), flat(_STEEL)))
            solids.append(tube(np.array([end, middle]), 0.022, flat(_STEEL)))
            end = middle
        arm = limb.is_arm
        solids.append(
            _forearm(end, distal, shell) if arm else tube(np.array([end, distal]), 0.016, flat(_STEEL))
        )
        solids += (
            _hand(figure, body, limb, lost, distal, rng)
            if arm
            else _foot(figure, body, limb, lost, end, shoe)
        )
        made[limb] = solids
    return made


def _socket(
    figure: Figure, own: Bools, upstream: Floats, end: Floats, paint: Paint, *, widest: float
) -> Solid:
    """Make the shell around the far half of the residual limb, as wide as the limb with its clothes is.

    own (F',): the faces of its segment; others may lie as near where a joint is bent. widest: metres.
    """
    axis = end - upstream
    length = float(np.linalg.norm(axis))
    axis = axis / max(length, 1e-6)
    points = figure.vertices[np.unique(figure.faces[own])] - upstream
    along = points @ axis
    away = np.linalg.norm(points - along[:, None] * axis, axis=1)
    path, radii = [], []
    for share in (0.42, 0.6, 0.8, 0.95):
        near = away[np.abs(along - share * length) < 0.03]
        wide = (
            float(np.percentile(near, 90)) + 0.007
            if len(near) > 8
            else (radii[-1] if radii else 0.6 * widest)
        )
        radii.append(min(wide, widest))
        path.append(upstream + share * length * axis)
    path += [end + 0.015 * axis, end + 0.05 * axis]
    radii += [radii[-1] * 0.85, 0.026]
    return tube(np.array(path), np.array(radii), paint, sides=16)


def _forearm(start: Floats, wrist: Floats, paint: Paint) -> Solid:
    path = start + np.linspace(0, 1, 4)[:, None] * (wrist - start)
    return tube(path, np.array([0.034, 0.036, 0.03, 0.024]), paint, sides=12)


def _hand(figure: Figure, body: BodyModel, limb: Limb, lost: LostLimb, wrist: Floats,
          rng: np.random.Generator) -> list[Solid]:  # fmt: skip
    if lost.prosthesis == "hand":
        return [
            _part_of_body(figure, body, limb, str(rng.choice(("#D8A582", "#3A3C40", "#B98563", "#8A5A40"))))
        ]
    tip = figure.joints[SMPLX_INDEX[f"{limb.side.value}_middle2"]]
    along = tip - wrist
    side = np.cross(along, (0.0, 0.0, 1.0) if abs(along[2]) < 0.7 * np.linalg.norm(along) else (1.0, 0, 0))
    side *= 0.03 / max(float(np.linalg.norm(side)), 1e-6)
    solids = [tube(np.array([wrist - 0.1 * along, wrist + 0.25 * along]), 0.02, flat(_STEEL))]
    for sign in (-1.0, 1.0):
        path = [
            wrist + 0.2 * along,
            wrist + 0.6 * along + sign * side,
            wrist + 1.1 * along + 0.3 * sign * side,
        ]
        solids.append(tube(np.array(path), np.array([0.011, 0.009, 0.006]), flat(_STEEL), sides=7))
    return solids


def _foot(
    figure: Figure, body: BodyModel, limb: Limb, lost: LostLimb, start: Floats, shoe: str | None
) -> list[Solid]:
    side = limb.side.value
    ankle, toes = (figure.joints[SMPLX_INDEX[f"{side}_{name}"]] for name in ("ankle", "foot"))
    if lost.prosthesis != "blade":
        return [
            _part_of_body(figure, body, limb, shoe or "#C9B79C"),
            ball(ankle, (0.03, 0.035, 0.035), flat(_STEEL)),
        ]
    ahead = toes - ankle
    down = ankle - start
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    high = ankle - 0.16 * down
    path = [high, ankle - 0.06 * down - 0.45 * ahead, ankle + 0.2 * (toes - ankle) - 0.35 * ahead + 0.03 * down,
            toes - 0.35 * ahead, toes + 0.25 * ahead]  # fmt: skip
    return [tube(np.array(path), 0.03, flat(_CARBON), sides=8, flat_by=0.3)]


def _part_of_body(figure: Figure, body: BodyModel, limb: Limb, colour: str) -> Solid:
    """Return the hand or foot as the intact body has it, of one colour."""
    inside = body.part_labels == part_of(limb, limb.segments[2])
    faces = body.faces[inside[body.faces].all(1)]
    used = np.unique(faces)
    number = np.zeros(len(inside), np.int64)
    number[used] = np.arange(len(used))
    return Solid(figure.intact[used], number[faces], flat(colour, 0.04))
