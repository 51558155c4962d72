"""Random residual limbs and random corrections of them, synthetic: for benchmarks and property tests."""

from dataclasses import dataclass, replace

import numpy as np

from limbstudio.body.model import BodyModel
from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.domain.anatomy import SMPLX_INDEX, Level, Limb, LimbState, intact_limbs, level_rule
from limbstudio.domain.body import BodyFit, FitMode, LimbFit
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    Operation,
    ResetHere,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person

_ARM_LEVELS = (Level.TRANSHUMERAL, Level.TRANSRADIAL)
_LEG_LEVELS = (Level.TRANSFEMORAL, Level.TRANSTIBIAL)
_LAMBDA = (0.15, 0.6)
_BENT = 0.35  # standard deviation of a joint's rotation, radians


@dataclass(frozen=True, eq=False)
class Case:
    """One synthetic person with one residual limb, and a fit that explains it exactly."""

    person: Person
    fit: BodyFit
    limb: Limb

    @property
    def factor(self) -> float:
        return self.fit.limbs[0].factor

    def refitted(self, factor: float) -> "Case":
        """Return the same with another lambda, as a new fit after more annotation would have it."""
        (limb,) = self.fit.limbs
        anchor, upstream = np.asarray(limb.anchor_position), np.asarray(limb.upstream_position)
        end = anchor + factor * (upstream - anchor)
        length = (1 - factor) * float(np.linalg.norm(upstream - anchor))
        moved = replace(limb, factor=factor, endpoint=end, length_m=length)
        return Case(self.person, replace(self.fit, limbs=(moved,)), self.limb)

    def corrections(self, operations: tuple[Operation, ...]) -> tuple[Corrections, ...]:
        """Return these operations as the person's record."""
        segment = self.fit.limbs[0].segment
        return (Corrections(self.person.id, self.person.photo, self.limb, operations, segment),)


def random_case(body: BodyModel, rng: np.random.Generator) -> Case:
    """Return a limb of random kind, level and lambda on a body of random shape and pose."""
    limb = Limb(rng.choice(list(Limb)))
    level = Level(rng.choice(_ARM_LEVELS if limb.is_arm else _LEG_LEVELS))
    rule = level_rule(limb, level)
    assert rule.segment is not None
    shape = rng.standard_normal(body.n_shape).clip(-2, 2)
    pose = _BENT * rng.standard_normal((54, 3)) * (rng.random((54, 1)) < 0.3)
    orientation, translation = np.array([np.pi, 0.0, 0.0]), np.array([0.0, -0.2, 2.6])
    joints = body.pose(
        axis_angles=np.concatenate([orientation[None], pose]), shape=shape, translation=translation
    ).joints
    anchor, upstream = (
        np.asarray(joints[SMPLX_INDEX[str(name)]], float) for name in (rule.anchor, rule.upstream)
    )
    unknown = np.full((25, 2), np.nan)
    camera = Camera(400.0, (199.5, 299.5), (400, 600))
    fitted = LimbFit(
        limb, rule.segment, 0.5, str(rule.anchor), str(rule.upstream), anchor, upstream, anchor, (0.0, 0.0), None, 0.0,
        (0.0, 1.0), (0.0, 1.0), True,
    )  # fmt: skip
    fit = BodyFit(
        body.name, FitMode.JOINT, camera, orientation, pose, shape, translation, np.asarray(joints, float), unknown,
        np.zeros(25, bool), (fitted,),
    )  # fmt: skip
    person = Person("synthetic", "0" * 64, limbs={**intact_limbs(), limb: LimbState(level)})
    return Case(person, fit, limb).refitted(float(rng.uniform(*_LAMBDA)))


def random_operations(factor: float, rng: np.random.Generator, most: int = 6) -> tuple[Operation, ...]:
    """Return one to `most` corrections of all kinds for a limb with this lambda, strokes the most frequent."""
    kinds = rng.choice(6, size=rng.integers(1, most + 1), p=[0.1, 0.07, 0.13, 0.55, 0.07, 0.08])
    return tuple(_random_operation(int(kind), 1 - factor, rng) for kind in kinds)


def _random_operation(kind: int, end: float, rng: np.random.Generator) -> Operation:
    """end: axial fraction at which the limb ends, before any correction."""
    if kind == 0:
        return EndAlongLimb(float(np.clip(1 - end + rng.uniform(-0.1, 0.1), 0.05, 0.8)))
    if kind == 1:
        tilt_ap, tilt_ml = rng.uniform(-0.4, 0.4, 2)
        return CutPlane(
            float(np.clip(end + rng.uniform(-0.15, 0.05), 0.2, 1.0)), float(tilt_ap), float(tilt_ml)
        )
    if kind == 2:
        fold = float(rng.random()) if rng.random() < 0.3 else 0.0
        return TipShape(TipKind(rng.choice(list(TipKind))), float(rng.uniform(0.1, 0.9)), fold)
    if kind == 4:
        return MirrorOther(float(rng.uniform(0.3, 1.0)))
    place = random_place(end, rng)
    if kind == 5:
        return ResetHere(place, float(rng.uniform(0.05, 0.2)))
    return _stroke_at(place, rng, gentle=True)


def random_place(end: float, rng: np.random.Generator) -> SurfacePoint:
    """Return a place on the wall, or, one in four, on the cap of a limb that ends at the axial fraction `end`."""
    angle = float(rng.uniform(-np.pi, np.pi))
    if rng.random() < 0.25:
        return SurfacePoint(end, angle, float(rng.uniform(0.05, 1.0)))
    return SurfacePoint(float(rng.uniform(0.15 * end, 0.95 * end)), angle)


def random_stroke(surface: LimbSurface, rng: np.random.Generator, *, gentle: bool = True) -> BrushStroke:
    """Return a stroke of random brush, place, size and strength; a gentle one seldom folds the surface."""
    free = np.flatnonzero(surface.fade > 0.5)
    return _stroke_at(surface.point_of(int(rng.choice(free))), rng, gentle=gentle)


def _stroke_at(first: SurfacePoint, rng: np.random.Generator, *, gentle: bool) -> BrushStroke:
    brush = list(Brush)[rng.integers(len(Brush))]
    second = SurfacePoint(first.axial + rng.normal(0, 0.05), first.angle + rng.normal(0, 0.4), first.cap)
    radius = float(rng.uniform(0.04, 0.12))
    limit = (0.25 if gentle else 1.5) * radius
    strength = (
        float(rng.uniform(0.2, 1) * limit) if brush.strength_is_a_length else float(rng.uniform(0.2, 1))
    )
    if brush is Brush.INFLATE and rng.random() < 0.5:
        strength = -strength
    path = (first, second) if rng.random() < 0.3 else (first,)
    return BrushStroke(brush, path, radius, strength)
