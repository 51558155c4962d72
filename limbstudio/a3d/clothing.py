"""Skin, hair and clothes as procedural colours and a little thickness, laid out on the body's T-pose.

Everything is decided by a point's place in the T-pose (metres, y up, z forward, x to the person's left), so
garments keep crisp borders whatever the mesh, the pose and the residual limb.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX, Side
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import noise as smooth_noise

Linear = tuple[float, float, float]
Cloth = Callable[[Floats], Floats]


class Noise(Protocol):
    """Smooth noise (N,) in -1..1 at points (N, 3); features are 1 / frequency metres large."""

    def __call__(self, points: Floats, frequency: float, seed: int = 0) -> Floats: ...


_SHIRT_M, _TROUSERS_M, _SHOES_M, _HAIR_M = 0.011, 0.010, 0.009, 0.020
_BORDER_M = 0.012


def linear(hex_colour: str) -> Linear:
    """Return linear light of an sRGB colour written as "#8A5A3C"."""
    r, g, b = (((int(hex_colour[i : i + 2], 16) / 255) ** 2.2) for i in (1, 3, 5))
    return (r, g, b)


@dataclass(frozen=True)
class Outfit:
    """What a person wears.

    sleeve: 0 shoulder .. 1 wrist; sleeves: per side, where they differ. hem: 0 hip .. 1 ankle. pattern:
    plain, stripes or checks of the shirt. shoes: None is barefoot.
    """

    skin: str = "#C48E6A"
    hair: str = "#3A2A20"
    hair_length: float = 0.5
    shirt: str = "#3E6E8E"
    shirt_second: str = "#E8E4DA"
    pattern: str = "plain"
    sleeve: float = 0.35
    sleeves: Mapping[Side, float] = field(default_factory=dict)
    trousers: str = "#2E3440"
    hem: Mapping[Side, float] = field(default_factory=lambda: {Side.LEFT: 0.45, Side.RIGHT: 0.45})
    shoes: str | None = "#E6E6E6"


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Places on one T-pose. joints: (55, 3). keypoints: (17, 3) COCO. head_low, head_high: (3,) its box."""

    joints: Floats
    keypoints: Floats
    head_low: Floats
    head_high: Floats

    def joint(self, name: str) -> Floats:
        return self.joints[SMPLX_INDEX[name]]


@dataclass(frozen=True, eq=False)
class Skin:
    """Skin of a picture. colour: its mean, linear light. laid: colours (N, 3) at T-pose points (N, 3)."""

    name: str
    colour: Linear
    laid: Callable[[Floats, Landmarks], Floats]


def landmarks(body: BodyModel, shape: Floats) -> Landmarks:
    """Measure the T-pose of a shape."""
    rest = body.rest_vertices(shape).astype(float)
    head = rest[rest[:, 1] > body.rest_joints(shape)[SMPLX_INDEX["head"], 1]]
    points = body.keypoint_regressors["coco17"].apply(rest)
    return Landmarks(body.rest_joints(shape).astype(float), points, head.min(0), head.max(0))


@dataclass(frozen=True, eq=False)
class _Reach:
    """Signed distances into each garment (N,), metres, positive inside."""

    shirt: Floats
    trousers: Floats
    shoes: Floats
    hair: Floats


def _reach(points: Floats, marks: Landmarks, outfit: Outfit, noise: Noise) -> _Reach:
    x, y, z = np.asarray(points, float).T
    left = x > 0
    shoulder, wrist = abs(marks.joint("left_shoulder")[0]), abs(marks.joint("left_wrist")[0])
    lengths = [outfit.sleeves.get(side, outfit.sleeve) for side in (Side.LEFT, Side.RIGHT)]
    sleeve = shoulder + (wrist - shoulder) * np.where(left, lengths[0], lengths[1])
    neck, pelvis = marks.joint("neck"), marks.joint("pelvis")
    collar = neck[1] + 0.012 - 0.45 * np.clip(z - neck[2] - 0.01, 0, None)
    waist = pelvis[1] + 0.055
    ripple = 0.006 * noise(points, 9.0, 4)
    shirt = np.minimum.reduce([y - (waist - 0.10) + ripple, sleeve - np.abs(x) + ripple, collar - y])
    hip, ankle = marks.joint("left_hip")[1], marks.joint("left_ankle")[1]
    hem = [hip + (ankle - hip) * outfit.hem[side] for side in (Side.LEFT, Side.RIGHT)]
    trousers = np.minimum(waist - y, y - np.where(left, hem[0], hem[1]) + ripple)
    shoes = ankle + 0.02 + 0.12 * np.clip(-(z - marks.joint("left_ankle")[2]), 0, 0.1) - y
    if outfit.shoes is None:
        shoes = np.full(len(y), -1.0)
    return _Reach(shirt, trousers, shoes, _hair(points, marks, outfit, noise))


def _hair(points: Floats, marks: Landmarks, outfit: Outfit, noise: Noise) -> Floats:
    x, y, z = np.asarray(points, float).T
    eye, ear = marks.keypoints[1], marks.keypoints[3]
    front, back = marks.head_high[2], marks.head_low[2]
    top = marks.head_high[1]
    ahead = (z - ear[2]) / max(front - ear[2], 1e-3)  # 0 at the ears, 1 at the nose
    forehead = eye[1] + 0.52 * (top - eye[1])
    nape = eye[1] - 0.02 - 0.11 * outfit.hair_length
    behind = np.clip((ear[2] - 0.005 - z) / max(ear[2] - back, 1e-3), 0, 1)
    line = np.where(ahead > 0.05, forehead + 0.02 * np.abs(x) / 0.07, 0.0)
    side = eye[1] + 0.012
    line = np.where(
        (ahead <= 0.45) & (ahead > 0.05), side + (forehead - side) * np.clip((ahead - 0.05) / 0.4, 0, 1), line
    )
    line = np.where(ahead <= 0.05, side + (nape - side) * np.clip(behind * 2.2, 0, 1), line)
    hair = y - line + 0.004 * noise(points, 60.0, 8)
    at_ear = np.hypot(y - ear[1], z - ear[2]) < 0.033
    return np.where(at_ear & (np.abs(x) > abs(ear[0]) - 0.02), -0.01, hair)


def thickness(points: Floats, marks: Landmarks, outfit: Outfit, *, noise: Noise = smooth_noise) -> Floats:
    """Return how far clothes and hair stand off the skin at T-pose points (N, 3): (N,) metres."""
    reach = _reach(points, marks, outfit, noise)
    folds = 1 + 0.45 * noise(points, 11.0, 2)
    cloth = np.maximum(_SHIRT_M * _ramp(reach.shirt), _TROUSERS_M * _ramp(reach.trousers)) * folds
    hair = (
        _HAIR_M * _ramp(reach.hair, 0.03) * (1 + 0.25 * noise(points, 35.0, 3)) * (0.6 + outfit.hair_length)
    )
    return np.maximum.reduce([cloth, _SHOES_M * _ramp(reach.shoes), hair])


def paint_person(
    points: Floats,
    normals: Floats,
    marks: Landmarks,
    outfit: Outfit,
    *,
    noise: Noise = smooth_noise,
    shirt: Cloth | None = None,
    trousers: Cloth | None = None,
    skin: Skin | None = None,
) -> Floats:
    """Return linear colours (N, 3) at T-pose points (N, 3).

    normals: world, unused by cloth. noise: as `scene.noise`. shirt, trousers: colours of the cloth (N, 3) at
    T-pose points (N, 3), instead of the outfit's own; skin: likewise.
    """
    reach = _reach(points, marks, outfit, noise)
    colours = _skin(points, marks, outfit, noise, skin)
    _cover(
        colours,
        reach.hair,
        np.array(linear(outfit.hair)) * (1 + 0.35 * noise(points * (1, 0.25, 1), 160.0, 5))[:, None],
    )
    weave = weave_at(points, noise)
    _cover(colours, reach.trousers, trousers_colours(points, outfit, noise, weave, trousers))
    _cover(colours, reach.shirt, shirt_colours(points, outfit, weave, shirt))
    if outfit.shoes is not None:
        sole = points[:, 1] < points[:, 1].min() + 0.018
        shoe = np.where(sole[:, None], np.array(linear("#D8D4CC")), np.array(linear(outfit.shoes)))
        _cover(colours, reach.shoes, shoe * weave)
    return colours


def weave_at(points: Floats, noise: Noise) -> Floats:
    """Return how bright the threads of cloth are at T-pose points (N, 3): (N, 1), about one."""
    return (1 + 0.05 * noise(points, 260.0, 6))[:, None]


def shirt_colours(points: Floats, outfit: Outfit, weave: Floats, cloth: Cloth | None = None) -> Floats:
    """Return the shirt's colours (N, 3) at T-pose points (N, 3), also where it does not reach.

    weave: of `weave_at`. cloth: as `paint_person` has it.
    """
    return (_shirt(points, outfit) if cloth is None else cloth(points)) * weave


def trousers_colours(
    points: Floats, outfit: Outfit, noise: Noise, weave: Floats, cloth: Cloth | None = None
) -> Floats:
    """Return the trousers' colours, as `shirt_colours`."""
    own = np.array(linear(outfit.trousers)) if cloth is None else cloth(points)
    return own * weave * (1 + 0.10 * noise(points, 14.0, 9))[:, None]


def _shirt(points: Floats, outfit: Outfit) -> Floats:
    first, second = np.array(linear(outfit.shirt)), np.array(linear(outfit.shirt_second))
    torso = np.where(np.abs(points[:, 0]) < 0.2, points[:, 1], points[:, 0])
    if outfit.pattern == "stripes":
        share = (np.sin(torso * 2 * np.pi / 0.06) > 0.35).astype(float)
    elif outfit.pattern == "checks":
        bands = [(np.sin(c * 2 * np.pi / 0.085) > 0).astype(float) for c in (points[:, 1], points[:, 0])]
        share = 0.35 * (bands[0] + bands[1])
    else:
        share = np.zeros(len(points))
    return first * (1 - share[:, None]) + second * share[:, None]


def _skin(points: Floats, marks: Landmarks, outfit: Outfit, noise: Noise, skin: Skin | None) -> Floats:
    base = np.array(linear(outfit.skin) if skin is None else skin.colour)
    own = base if skin is None else skin.laid(points, marks)
    colours = own * (1 + 0.05 * noise(points, 30.0, 1) + 0.05 * noise(points, 7.0, 1))[:, None]
    nose, eye = marks.keypoints[0], marks.keypoints[1]
    x, y, z = np.asarray(points, float).T
    face = z > marks.keypoints[3][2] + 0.03
    drop = eye[1] - nose[1]
    for k in (1, 2):
        u, v = x - marks.keypoints[k][0], y - marks.keypoints[k][1]
        white = face & ((u / 0.0135) ** 2 + (v / 0.0055) ** 2 < 1)
        colours[white] = linear("#D8D2CA")
        colours[white & (u**2 + v**2 < 0.0060**2)] = linear("#2A1C14")
        brow = face & (np.abs(v - 0.020 + 6.0 * u**2) < 0.0035) & (np.abs(u) < 0.019)
        colours[brow] = np.array(linear(outfit.hair)) * 0.9
    lips = face & ((x / 0.023) ** 2 + ((y - (nose[1] - 1.22 * drop)) / 0.0095) ** 2 < 1)
    colours[lips] = base * (0.84, 0.62, 0.60)
    return colours


def _ramp(distance: Floats, width: float = _BORDER_M) -> Floats:
    t = np.clip(distance / width, 0, 1)
    return t * t * (3 - 2 * t)


def _cover(colours: Floats, reach: Floats, garment: Floats) -> None:
    inside = reach > 0
    colours[inside] = garment[inside]
