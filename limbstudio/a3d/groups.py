"""Who is shown: two builds, seven tones of skin and hair, and clothes, balanced over the samples.

The supplement of AJAHR balances its textures over two genders and seven groups. Here they are what a picture shows
and no more: a build is a share of the shape space, a group a range of skin and hair colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limbstudio.a3d.clothing import Outfit
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Side
from limbstudio.rendering.raster import Floats


@dataclass(frozen=True)
class Tone:
    """One of the seven groups. skin: sRGB colours between which the skin lies. hair: colours one of which is taken."""

    name: str
    skin: tuple[str, str]
    hair: tuple[str, ...]


TONES: tuple[Tone, ...] = (
    Tone("tone_1", ("#F3D9C6", "#EBC4A4"), ("#C9A063", "#A8643A", "#6B4A2E", "#8A8178")),
    Tone("tone_2", ("#EBC8AC", "#DDB08C"), ("#6B4226", "#3A2A20", "#B98A4E", "#9A9088")),
    Tone("tone_3", ("#E2BE96", "#D3A67C"), ("#1E1815", "#2B211B", "#4A3526", "#8C857D")),
    Tone("tone_4", ("#D2A37A", "#C08C62"), ("#1A1513", "#2E221B", "#55402E", "#7D766F")),
    Tone("tone_5", ("#B98560", "#A06C48"), ("#15110F", "#241B16", "#38291F", "#6E6862")),
    Tone("tone_6", ("#8E5C3E", "#74482F"), ("#120F0E", "#1B1512", "#2A1F18", "#66605A")),
    Tone("tone_7", ("#613F2C", "#472C1F"), ("#0F0D0C", "#171210", "#201814", "#5E5853")),
)
BUILDS: tuple[str, ...] = ("broad_shoulders", "broad_hips")
# How far a build's bodies lie from the mean along the direction of shoulder width over hip width, standard deviations.
_BUILD_SHIFT = 0.9
_SHAPE_SIGMA = 0.75
_SHAPE_MOST = 2.2

_CLOTH = (
    "#3E6E8E", "#B5473C", "#5C7F67", "#E3B23C", "#E9E6DF", "#2F6F73", "#8E5EA2", "#4D7FA8", "#D98C5F", "#222831",
    "#C7CCD1", "#7A8B3F", "#A33B5C", "#5A5F66", "#1F3A5F", "#F0F0EE", "#6B4F3A", "#9CC3C9", "#C45A7A", "#394B2E",
)  # fmt: skip
_TROUSERS = (
    "#2E3440", "#36507A", "#4A4F63", "#6E6450", "#1F2A38", "#3B3F45", "#8A8578", "#5B4636", "#22303C", "#747B83",
    "#B9AE98", "#28324A",
)  # fmt: skip
_SHOES = ("#DADDE2", "#4B3A2C", "#F0F0EE", "#C9513E", "#8D949C", "#2E2A28", "#3C5A7A", "#17181A")
_PATTERNS = ("plain", "plain", "plain", "stripes", "checks")


def build_direction(body: BodyModel) -> Floats:
    """Return the unit direction (B,) of the shape space in which shoulders widen against hips."""
    change = np.zeros(body.n_shape)
    for sign, joint in ((1.0, "shoulder"), (-1.0, "hip")):
        left, right = (SMPLX_INDEX[f"{side}_{joint}"] for side in ("left", "right"))
        width = float(body.joint_template[left, 0] - body.joint_template[right, 0])
        change += sign * (body.joint_shape_dirs[left, 0] - body.joint_shape_dirs[right, 0]) / width
    return change / max(float(np.linalg.norm(change)), 1e-9)


def draw_shape(build: int, direction: Floats, rng: np.random.Generator) -> tuple[float, ...]:
    """Draw shape numbers of one build. direction: of `build_direction`."""
    shape = np.clip(_SHAPE_SIGMA * rng.standard_normal(len(direction)), -_SHAPE_MOST, _SHAPE_MOST)
    shape += direction * (_BUILD_SHIFT if BUILDS[build] == "broad_shoulders" else -_BUILD_SHIFT)
    return tuple(np.round(shape, 4).tolist())


def draw_outfit(tone: Tone, lost: Mapping[Limb, float], rng: np.random.Generator) -> Outfit:
    """Draw skin, hair and clothes of a group.

    lost: by limb, how far from the shoulder or hip the limb reaches (0 root .. 1 wrist or ankle). A sleeve or trouser
    leg there ends above the limb's end or goes over it, as people wear it.
    """
    skin = _between(*tone.skin, rng.random())
    sleeve = float(rng.choice([rng.uniform(0.12, 0.42), rng.uniform(0.8, 0.98)], p=[0.65, 0.35]))
    hem = float(rng.choice([rng.uniform(0.28, 0.55), rng.uniform(0.9, 0.99)], p=[0.4, 0.6]))
    sleeves, hems = {side: sleeve for side in Side}, {side: hem for side in Side}
    for limb, reach in lost.items():
        covered = rng.random() < 0.35
        lengths = sleeves if limb.is_arm else hems
        if not covered:
            shorter = max(0.1, reach - rng.uniform(0.1, 0.3)) if reach > 0.2 else 0.1
            lengths[limb.side] = min(lengths[limb.side], shorter)
        else:
            lengths[limb.side] = max(lengths[limb.side], min(reach + 0.1, 0.98))
    return Outfit(
        skin=skin,
        hair=str(rng.choice(tone.hair)),
        hair_length=float(rng.uniform(0.05, 1.1)),
        shirt=str(rng.choice(_CLOTH)),
        shirt_second=str(rng.choice(_CLOTH)),
        pattern=str(rng.choice(_PATTERNS)),
        sleeve=sleeve,
        sleeves=sleeves,
        trousers=str(rng.choice(_TROUSERS)),
        hem=hems,
        shoes=None if rng.random() < 0.08 else str(rng.choice(_SHOES)),
    )


def _between(first: str, second: str, share: float) -> str:
    """Return the sRGB colour between two."""
    pairs = zip((first[1:3], first[3:5], first[5:7]), (second[1:3], second[3:5], second[5:7]), strict=True)
    return "#" + "".join(f"{round(int(a, 16) * (1 - share) + int(b, 16) * share):02X}" for a, b in pairs)
