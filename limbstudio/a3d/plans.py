"""What each sample will show: kinds of limb loss, groups, pose, aids, camera and light, drawn from (seed, index) alone.

Balanced numbers rotate over the index, in an order that is shuffled anew for each round; all else is drawn at random.
A plan that is refused is drawn again as its next attempt, with the same kind, geometry and group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np

from limbstudio.a3d.clothing import Outfit
from limbstudio.a3d.groups import BUILDS, TONES, draw_outfit, draw_shape
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS, INTACT_LABEL, N_AMPUTATIONS
from limbstudio.ajahr.zeroing import level_of
from limbstudio.domain.anatomy import Level, Limb, level_rule
from limbstudio.rendering.raster import Floats

_Row = TypeVar("_Row")

# A round of sixteen samples: each of the twelve kinds once, two people with several limbs lost, two without limb loss.
MULTIPLE_LABEL = 13
ROUND: tuple[int, ...] = (*range(N_AMPUTATIONS), MULTIPLE_LABEL, MULTIPLE_LABEL, INTACT_LABEL, INTACT_LABEL)
_STREAMS = {"kind": 1, "group": 2, "attempt": 3, "picture": 4}

DISARTICULATION_SHARE = 0.22
FACTOR_RANGE = (0.12, 0.76)
# From this attempt on nothing stands before the person and the camera is an ordinary one.
EASY_FROM = 8
FORCED_AT = 24


class Geometry(StrEnum):
    """How a lost limb is drawn: cut and capped, or AJAHR's collapse of all that lies beyond the joint."""

    RESIDUAL = "residual"
    COLLAPSED = "collapsed"


class Aid(StrEnum):
    """What the person sits on or walks with."""

    NONE = "none"
    CRUTCHES = "crutches"
    WHEELCHAIR = "wheelchair"
    CHAIR = "chair"


@dataclass(frozen=True)
class SampleOptions:
    """All that the bytes of a sample depend on, beside its index.

    size_px: side of the square picture. limbs: residual, collapsed or mixed. validation: poses of the validation
    clips. body, poses, backgrounds, textures: of the user, or None for what ships.
    """

    seed: int = 0
    size_px: int = 256
    limbs: str = "mixed"
    body: Path | None = None
    poses: Path | None = None
    validation: bool = False
    backgrounds: Path | None = None
    textures: Path | None = None


@dataclass(frozen=True)
class LostLimb:
    """level; factor: lambda; geometry; prosthesis: its style, or None."""

    level: Level
    factor: float
    geometry: Geometry
    prosthesis: str | None = None

    def reach(self, limb: Limb) -> float:
        """Return how far the limb reaches, 0 at its root, 1 at wrist or ankle."""
        rule = level_rule(limb, self.level)
        whole = {0: 1.0, 1: 0.5, 2: 0.0}[rule.ajahr_class]
        return max(0.0, whole - 0.5 * self.factor)


@dataclass(frozen=True)
class CameraPlan:
    """focal: in picture sides. height_m: of the lens. fill: share of the picture the person takes. aside: (2,) shift of
    the person in the picture, in sides. yaw_deg: 0 faces the camera."""

    focal: float
    height_m: float
    fill: float
    aside: tuple[float, float]
    roll_deg: float
    yaw_deg: float


@dataclass(frozen=True)
class LightPlan:
    """sun_from: (3,) world. sun, sky: strengths. warmth: -1 blue .. 1 orange. exposure: of the picture. blur_px: of the
    lens; behind_px: of what lies behind. grain: sigma of the sensor's noise. quality: of the JPEG."""

    sun_from: tuple[float, float, float]
    sun: float
    sky: float
    warmth: float
    exposure: float
    blur_px: float
    behind_px: float
    grain: float
    quality: int


@dataclass(frozen=True)
class OccluderPlan:
    """kind: a name of `occluders.OCCLUDERS`. at: which joint it stands before (0..1 picks). nearness: share of the way
    from the person to the camera."""

    kind: str
    at: float
    nearness: float


@dataclass(frozen=True)
class SamplePlan:
    """Everything about one sample. label: 0 to 11 the kinds, 12 intact, 13 several limbs.

    pose_pick, background_pick: 0..1 among what there is.
    """

    index: int
    attempt: int
    label: int
    limbs: Mapping[Limb, LostLimb]
    build: int
    tone: int
    shape: tuple[float, ...]
    outfit: Outfit
    pose_pick: float
    mirrored: bool
    aid: Aid
    camera: CameraPlan
    light: LightPlan
    occluders: tuple[OccluderPlan, ...]
    background_pick: float
    seed: tuple[int, ...]

    @property
    def is_easy(self) -> bool:
        return self.attempt >= EASY_FROM

    def random(self, what: int) -> np.random.Generator:
        """Return the generator of one of the steps that make the picture."""
        return np.random.default_rng([*self.seed, _STREAMS["picture"], self.index, self.attempt, what])


def plan_sample(options: SampleOptions, direction: Floats, index: int, attempt: int = 0) -> SamplePlan:
    """Draw the plan of one attempt at one sample. direction: of `groups.build_direction`."""
    seed = (options.seed % 2**63,)
    rng = np.random.default_rng([*seed, _STREAMS["attempt"], index, attempt])
    turn, label = _rotated(seed, "kind", ROUND, index)
    groups = [(build, tone) for build in range(len(BUILDS)) for tone in range(len(TONES))]
    _, (build, tone) = _rotated(seed, "group", groups, index)
    # Neighbouring rounds exchange the two geometries, so that every kind has both alike.
    geometry = _geometry(options.limbs, turn + (label if label < MULTIPLE_LABEL else index))
    limbs = _limbs(label, geometry, rng)
    aid = _aid(limbs, rng)
    limbs = _with_prostheses(limbs, aid, rng)
    easy = attempt >= EASY_FROM
    return SamplePlan(
        index=index,
        attempt=attempt,
        label=label,
        limbs=limbs,
        build=build,
        tone=tone,
        shape=draw_shape(build, direction, rng),
        outfit=draw_outfit(TONES[tone], {limb: lost.reach(limb) for limb, lost in limbs.items()}, rng),
        pose_pick=float(rng.random()),
        mirrored=bool(rng.random() < 0.5),
        aid=aid,
        camera=_camera(rng, easy=easy),
        light=_light(rng),
        occluders=() if easy else _occluders(rng),
        background_pick=float(rng.random()),
        seed=seed,
    )


def _rotated(seed: tuple[int, ...], stream: str, rows: Sequence[_Row], index: int) -> tuple[int, _Row]:
    """Return the number of the round, and the row whose turn it is in the round's own order."""
    turn, at = divmod(index, len(rows))
    order = np.random.default_rng([*seed, _STREAMS[stream], turn]).permutation(len(rows))
    return turn, rows[order[at]]


def _geometry(limbs: str, number: int) -> Geometry:
    if limbs == "mixed":
        return Geometry.RESIDUAL if number % 2 == 0 else Geometry.COLLAPSED
    return Geometry(limbs)


def _limbs(label: int, geometry: Geometry, rng: np.random.Generator) -> dict[Limb, LostLimb]:
    if label == INTACT_LABEL:
        return {}
    if label < N_AMPUTATIONS:
        return {
            HEAD_LIMBS[label // INTACT_CLASS]: _lost(
                HEAD_LIMBS[label // INTACT_CLASS], label % 3, geometry, rng
            )
        }
    count = int(rng.choice([2, 3, 4], p=[0.72, 0.2, 0.08]))
    chosen = sorted(rng.permutation(len(HEAD_LIMBS))[:count].tolist())
    return {HEAD_LIMBS[i]: _lost(HEAD_LIMBS[i], int(rng.integers(3)), geometry, rng) for i in chosen}


def _lost(limb: Limb, ajahr_class: int, geometry: Geometry, rng: np.random.Generator) -> LostLimb:
    at_joint = level_of(limb, ajahr_class)
    within = {
        (True, 0): Level.TRANSRADIAL,
        (True, 1): Level.TRANSHUMERAL,
        (False, 0): Level.TRANSTIBIAL,
        (False, 1): Level.TRANSFEMORAL,
    }.get((limb.is_arm, ajahr_class))
    through = rng.random() < DISARTICULATION_SHARE
    factor = round(float(rng.uniform(*FACTOR_RANGE)), 4)
    if geometry is Geometry.COLLAPSED or within is None or through:
        return LostLimb(at_joint, 0.0, geometry)
    return LostLimb(within, factor, geometry)


def legs_lost(limbs: Mapping[Limb, LostLimb]) -> int:
    return sum(not limb.is_arm for limb in limbs)


def _aid(limbs: Mapping[Limb, LostLimb], rng: np.random.Generator) -> Aid:
    hands = [limb for limb in Limb if limb.is_arm and limb not in limbs]
    legs = legs_lost(limbs)
    shares = {0: (0.79, 0.03, 0.06, 0.12), 1: (0.5, 0.22, 0.15, 0.13), 2: (0.3, 0.0, 0.45, 0.25)}[legs]
    if legs == 2 and not all(
        _takes_prosthesis(limb, lost) for limb, lost in limbs.items() if not limb.is_arm
    ):
        shares = (0.0, 0.0, 0.65, 0.35)  # nobody stands on no leg
    elif legs == 1 and not hands:
        shares = (0.3, 0.0, 0.4, 0.3)
    return list(Aid)[int(rng.choice(4, p=shares))]


def _takes_prosthesis(limb: Limb, lost: LostLimb) -> bool:
    """Tell whether one can be drawn: on a residual limb that is cut within a segment, or at elbow or knee."""
    short = lost.level in (Level.WRIST_DISARTICULATION, Level.ANKLE_DISARTICULATION)
    is_cut = lost.geometry is Geometry.RESIDUAL
    return is_cut and level_rule(limb, lost.level).endpoint is not None and not short


def _with_prostheses(limbs: dict[Limb, LostLimb], aid: Aid, rng: np.random.Generator) -> dict[Limb, LostLimb]:
    """Give some residual limbs a prosthesis; who stands on no leg at all has one on both."""
    needed = legs_lost(limbs) == 2 and aid is Aid.NONE
    result = {}
    for limb, lost in limbs.items():
        style = str(rng.choice(["hook", "hand"] if limb.is_arm else ["pylon", "pylon", "blade"]))
        wears = rng.random() < (1.0 if needed and not limb.is_arm else 0.35)
        if wears and _takes_prosthesis(limb, lost):
            lost = replace(lost, prosthesis=style)
        result[limb] = lost
    return result


def _camera(rng: np.random.Generator, *, easy: bool) -> CameraPlan:
    height = rng.choice(
        [rng.uniform(0.9, 1.8), rng.uniform(0.35, 0.9), rng.uniform(1.8, 2.9)], p=[0.7, 0.15, 0.15]
    )
    fill = rng.choice([rng.uniform(0.55, 0.9), rng.uniform(0.9, 1.3)], p=[0.8, 0.2])
    aside = rng.uniform(-0.12, 0.12, 2) * (1, 0.7)
    yaw = rng.choice([rng.uniform(-75, 75), rng.uniform(-180, 180)], p=[0.6, 0.4])
    if easy:
        height, fill, aside = rng.uniform(1.0, 1.6), rng.uniform(0.7, 0.85), np.zeros(2)
    return CameraPlan(
        focal=float(rng.uniform(0.9, 2.4)),
        height_m=float(height),
        fill=float(fill),
        aside=(float(aside[0]), float(aside[1])),
        roll_deg=float(rng.normal(0, 1.8)),
        yaw_deg=float(yaw),
    )


def _light(rng: np.random.Generator) -> LightPlan:
    azimuth, height = rng.uniform(-1.9, 1.9), np.radians(rng.uniform(22, 72))
    sun_from = (np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth))
    sun = rng.choice([rng.uniform(0.1, 0.6), rng.uniform(0.6, 1.25)])
    return LightPlan(
        sun_from=tuple(float(v) for v in sun_from),  # type: ignore[arg-type]
        sun=float(sun),
        sky=float(rng.uniform(0.75, 1.1) - 0.25 * sun),
        warmth=float(rng.uniform(-1, 1)),
        exposure=float(rng.uniform(0.8, 1.2)),
        blur_px=float(rng.choice([0.0, rng.uniform(0.3, 0.9)], p=[0.55, 0.45])),
        behind_px=float(rng.choice([rng.uniform(0.0, 0.6), rng.uniform(0.6, 2.4)])),
        grain=float(rng.uniform(0.8, 5.0)),
        quality=int(rng.integers(78, 96)),
    )


def _occluders(rng: np.random.Generator) -> tuple[OccluderPlan, ...]:
    kinds = ("box", "plant", "person", "table", "railing", "pillar")
    count = int(rng.choice([0, 1, 2], p=[0.6, 0.32, 0.08]))
    return tuple(
        OccluderPlan(str(rng.choice(kinds)), float(rng.random()), float(rng.uniform(0.14, 0.4)))
        for _ in range(count)
    )
