"""The fit of a body to one person's keypoints, and what it means (ResiHMR section 3.3).

In joint mode each residual limb's lambda is an unknown of the same problem, so its end informs orientation and the
segment's direction. In paper mode the ends are left to `rafo`; in intact mode nothing is known of limb loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import rotation_vectors
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import (
    LDPOSE,
    N_BODY_JOINTS,
    N_COCO,
    N_KEYPOINTS,
    SMPLX_INDEX,
    SMPLX_JOINTS,
    SMPLX_PARENTS,
    Posture,
    Segment,
    level_rule,
)
from limbstudio.domain.body import BodyFit, FitMode, LimbFit, ScaleSource
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.resihmr import rafo
from limbstudio.resihmr.alignment import align
from limbstudio.resihmr.energy import Evaluation, evaluate, place_at, project
from limbstudio.resihmr.guessed import GuessedBodies, guessed_unknowns, solve_guessed
from limbstudio.resihmr.lifter import Lift
from limbstudio.resihmr.problem import (
    DEFAULT_SETTINGS,
    FitModel,
    FitSettings,
    Residual,
    box_height,
    build_problem,
    fit_model,
    residual_limbs,
)
from limbstudio.resihmr.skeleton import Placed
from limbstudio.resihmr.solver import minimise, polish
from limbstudio.resihmr.starts import Survivors, sharpened, solve_starts, start_unknowns
from limbstudio.resihmr.terms import Problem, Unknowns, posture_rows
from limbstudio.resihmr.uncertainty import Z95, SegmentUncertainty, segment_uncertainty

__all__ = [
    "DEFAULT_SETTINGS",
    "FitSettings",
    "Followed",
    "box_height",
    "fit_person",
    "fit_to_follow",
    "follow",
]

# A person needs this many usable points; with fewer any body explains them.
FEWEST_POINTS = 4


# Joint mode accepts a residual limb unless lambda sits at a bound, its interval says nothing, or its end is not met.
BOUND_MARGIN = 0.01
WIDEST_FACTOR_INTERVAL = 0.9
MOST_END_ERROR = 0.03  # share of the box height
# Two explanations face opposite ways when their chests' forward directions differ by more than this.
OPPOSITE_DEG = 90.0
# Following a dragged point: steps at most, and by how much a next step must promise to move a point.
FOLLOW_STEPS = 12
FOLLOW_WITHIN_PX = 0.08
# Standing is tried where both thighs are within this angle of the trunk, with this many steps.
NEARLY_STANDING_DEG = 50.0
HYPOTHESIS_STEPS = 15


@dataclass(frozen=True, eq=False)
class Followed:
    """A fit and the estimate it came from, so that the next fit can go on from it while a point is dragged.

    lift: what the lifter guessed for it, where it came from `follow`.
    """

    fit: BodyFit
    x: Unknowns
    lift: Lift | None = None


def fit_person(
    person: Person,
    camera: Camera,
    body: BodyModel,
    *,
    mode: FitMode = FitMode.JOINT,
    settings: FitSettings = DEFAULT_SETTINGS,
    mask: NDArray[np.bool_] | None = None,
    guess: GuessedBodies | None = None,
    seed: int = 0,
) -> BodyFit:
    """Fit `body` to one person.

    mask (H, W): the person's silhouette at photo resolution, or None; its contour is then a term of the energy.
    guess: one body that another method found, to begin with; its translation is found anew from the points.
    seed: kept for provenance; the fit has no random numbers. Raise KnownError where too few points are usable.
    """
    return fit_to_follow(person, camera, body, mode=mode, settings=settings, mask=mask, guess=guess).fit


def fit_to_follow(
    person: Person,
    camera: Camera,
    body: BodyModel,
    *,
    mode: FitMode = FitMode.JOINT,
    settings: FitSettings = DEFAULT_SETTINGS,
    mask: NDArray[np.bool_] | None = None,
    guess: GuessedBodies | None = None,
) -> Followed:
    """Fit as `fit_person` does, and keep the estimate for `follow`."""
    require_enough_points(person)
    began = perf_counter()
    model = fit_model(body)
    problem = build_problem(model, [person], [camera], mode=mode, settings=settings)
    if guess is None:
        survivors = solve_starts(problem, *start_unknowns(model, problem, settings), settings)
    else:
        survivors = solve_guessed(problem, guessed_unknowns(model, problem, guess), settings)
    chosen, alternatives = _explanations(problem, person, survivors, settings)
    timings = {"initial_fit": perf_counter() - began}
    energies = {"initial_fit": float(chosen.energy)}
    if mask is not None:
        began = perf_counter()
        chosen = _with_contour(model, body, person, mask, chosen, settings)
        timings["contour"] = perf_counter() - began
        energies["contour"] = float(chosen.energy)
    began = perf_counter()
    fit = _as_fit(body, person, camera, mode, chosen)
    others = tuple(_as_fit(body, person, camera, mode, other) for other in alternatives)
    timings["rafo" if mode is FitMode.PAPER else "uncertainty"] = perf_counter() - began
    warnings = (*fit.warnings, *_ambiguity_warnings(fit, others))
    stages = {f"stage_{name}": value for name, value in energies.items()}
    fit = replace(
        fit, timings_s=timings, warnings=warnings, alternatives=others, energy={**fit.energy, **stages}
    )
    return Followed(fit, chosen.x)


def follow(
    person: Person,
    camera: Camera,
    body: BodyModel,
    previous: Followed,
    *,
    settings: FitSettings = DEFAULT_SETTINGS,
    within_px: float = FOLLOW_WITHIN_PX,
    lift: Lift | None = None,
) -> Followed:
    """Follow a moved point: polish `previous` on the person's present points, without other starts.

    within_px: done when a next step promises to move no point by that much. lift: a guess that still serves.

    Meant for every frame of a drag; it finds no other valley, so a full fit follows when the drag ends. Intervals keep
    the widths of `previous`: they are worked out anew by the full fit.
    """
    require_enough_points(person)
    mode = previous.fit.mode
    problem = build_problem(fit_model(body), [person], [camera], mode=mode, settings=settings, lift=lift)
    problem = sharpened(problem)
    solution = polish(problem, previous.x, steps=FOLLOW_STEPS, within_px=within_px)
    found = _Found(problem, solution.x, float(solution.energy[0]), solution.evaluation)
    fit = _as_fit(body, person, camera, mode, found, widths_of=previous.fit)
    return Followed(fit, solution.x, problem.lift)


def require_enough_points(person: Person) -> None:
    """Raise KnownError where the person has too few usable points to say anything about a body."""
    usable = int(person.keypoints.observed.sum())
    if usable < FEWEST_POINTS:
        count = f"{usable} usable point" + ("" if usable == 1 else "s")
        raise KnownError(
            f"Person {person.id} has {count}; a body needs at least {FEWEST_POINTS}.",
            "Place more points as visible or occluded, then fit again.",
        )


# ---------------------------------------------------------------------------------------------- explanations


@dataclass(frozen=True, eq=False)
class _Found:
    """One explanation: the problem it solves (one person), its most probable x, and its energy without the posture's.

    evaluation: at x, with derivatives, for the uncertainty. aligned: x after the alignment step, which is shown.
    """

    problem: Problem
    x: Unknowns
    energy: float
    known: Evaluation | None = None

    @cached_property
    def evaluation(self) -> Evaluation:
        return evaluate(self.problem, self.x, derivatives=True) if self.known is None else self.known

    @cached_property
    def joints(self) -> np.ndarray:
        """The joints at x, (22, 3)."""
        return place_at(self.problem, self.x).joints[0]

    @cached_property
    def aligned(self) -> Unknowns:
        return align(self.problem, self.x, self.evaluation)

    @cached_property
    def placed(self) -> Placed:
        return place_at(self.problem, self.aligned)


def _explanations(
    problem: Problem, person: Person, survivors: Survivors, settings: FitSettings
) -> tuple[_Found, list[_Found]]:
    """Choose the explanation and keep the others within 5 % of its energy, the posture term not counted.

    Where nobody stated a posture and standing explains the points as well, people stand.
    """
    sharp = sharpened(problem)
    candidates = [_found(sharp, survivors.x)]
    if person.posture is Posture.UNKNOWN:
        candidates += _standing(sharp, candidates[0], settings)
    assert survivors.others is not None
    candidates += [
        _found(sharp, survivors.others.x.taken(np.array([i]))) for i in range(len(survivors.others.people))
    ]
    lowest = min(c.energy for c in candidates)
    close = [c for c in candidates if c.energy <= lowest * (1 + settings.same_energy)]
    standing = [c for c in close if c.problem.posture_on.any() and person.posture is Posture.UNKNOWN]
    chosen = standing[0] if standing else candidates[0]
    kept: list[_Found] = []
    for other in sorted(close, key=lambda c: c.energy):
        if all(_apart(other, c) > settings.different_m for c in (chosen, *kept)):
            kept.append(other)
    return chosen, kept


def _found(problem: Problem, x: Unknowns) -> _Found:
    terms = evaluate(problem, x, derivatives=False).terms
    return _Found(problem, x, float(sum(value[0] for name, value in terms.items() if name != "posture")))


def _standing(problem: Problem, best: _Found, settings: FitSettings) -> list[_Found]:
    """Polish the best explanation as someone who stands, where that is near enough to be worth asking."""
    joints = best.joints
    trunk = joints[[SMPLX_INDEX["left_shoulder"], SMPLX_INDEX["right_shoulder"]]].mean(0) - joints[0]
    thighs = [joints[SMPLX_INDEX[f"{s}_hip"]] - joints[SMPLX_INDEX[f"{s}_knee"]] for s in ("left", "right")]
    if any(
        np.degrees(np.arccos(v @ trunk / np.linalg.norm(v) / np.linalg.norm(trunk))) > NEARLY_STANDING_DEG
        for v in thighs
    ):
        return []
    _, rows = posture_rows()
    asked = replace(problem, posture_on=rows["standing"][None] * (problem.posture_on * 0 + 1))
    solution = minimise(asked, best.x, steps=HYPOTHESIS_STEPS, tolerance=settings.tolerance)
    return [_found(asked, solution.x)]


def _apart(one: _Found, other: _Found) -> float:
    """Return the mean distance of corresponding joints, pelvises aligned, metres."""
    a, b = one.joints, other.joints
    return float(np.linalg.norm((a - a[0]) - (b - b[0]), axis=1).mean())


def _ambiguity_warnings(fit: BodyFit, others: tuple[BodyFit, ...]) -> list[str]:
    if not others:
        return []
    forward = [_forward(f) for f in (fit, *others)]
    opposite = any(np.degrees(np.arccos(np.clip(forward[0] @ f, -1, 1))) > OPPOSITE_DEG for f in forward[1:])
    if opposite:
        return ["Front and back fit equally well; both are kept."]
    return [f"{len(others) + 1} explanations fit equally well; all are kept."]


def _forward(fit: BodyFit) -> np.ndarray:
    """Return the direction the chest faces, a unit vector in the camera frame."""
    across = fit.joints[SMPLX_INDEX["left_shoulder"]] - fit.joints[SMPLX_INDEX["right_shoulder"]]
    up = fit.joints[SMPLX_INDEX["neck"]] - fit.joints[0]
    forward = np.cross(across, up)
    return forward / np.linalg.norm(forward)


def _with_contour(
    model: FitModel,
    body: BodyModel,
    person: Person,
    mask: NDArray[np.bool_],
    found: _Found,
    settings: FitSettings,
) -> _Found:
    from limbstudio.resihmr.contour import fit_contour  # the joints-only path does without it

    problem, x = fit_contour(model, body, person, mask, found.problem, found.x, settings)
    return _Found(problem, x, _found(problem, x).energy)


# ----------------------------------------------------------------------------------------------------- results


def _as_fit(
    body: BodyModel,
    person: Person,
    camera: Camera,
    mode: FitMode,
    found: _Found,
    widths_of: BodyFit | None = None,
) -> BodyFit:
    """Read an explanation as a fit. widths_of: take the intervals' widths from this fit, not from the estimate."""
    x, placed = found.aligned, found.placed
    pose = np.zeros((len(SMPLX_JOINTS) - 1, 3))
    pose[:21] = x.pose[0].reshape(21, 3)
    orientation = rotation_vectors(x.root[0])
    joints = _all_joints(body, x, placed)
    limbs, warnings = _limb_fits(person, camera, mode, found, widths_of)
    projected = np.full((N_KEYPOINTS, 2), np.nan)
    projected[:N_COCO] = project(placed.points[:, :N_COCO], found.problem.focal, found.problem.center)[0]
    used = person.keypoints.observed.copy()
    for residual in residual_limbs(person) if mode is not FitMode.INTACT else ():
        projected[sorted(level_rule(residual.limb, residual.level).absent)] = np.nan
    for limb_fit in limbs:
        end = level_rule(limb_fit.limb, person.limbs[limb_fit.limb].level).endpoint
        if end is not None:
            projected[end] = limb_fit.endpoint_px
            used[end] = mode is FitMode.JOINT or limb_fit.accepted
    if mode is FitMode.INTACT:
        used[N_COCO:] = False
    return BodyFit(
        body_name=body.name,
        mode=mode,
        camera=camera,
        orientation=orientation,
        pose=pose,
        shape=x.shape[0].copy(),
        translation=x.move[0].copy(),
        joints=joints,
        projected_px=projected,
        used=used,
        limbs=tuple(limbs),
        tilt=(float(x.tilt[0, 0]), float(x.tilt[0, 1])),
        scale=ScaleSource.PRIOR if person.stature_mm is None else ScaleSource.STATURE,
        energy={**_energy_terms(found.evaluation), "total": found.energy},
        warnings=tuple(warnings),
    )


def _all_joints(body: BodyModel, x: Unknowns, placed: Placed) -> np.ndarray:
    """Return the joints (55, 3) of a placed body; hands, jaw and eyes, which a fit does not pose, move as one piece."""
    rest, turns, joints = body.rest_joints(x.shape[0]), placed.rotations[0], placed.joints[0]
    arms = (rest[N_BODY_JOINTS:] - rest[_CARRIERS])[..., None]
    return np.concatenate([joints, joints[_CARRIERS] + (turns[_CARRIERS] @ arms)[..., 0]])


def _carrier(joint: int) -> int:
    return joint if joint < N_BODY_JOINTS else _carrier(SMPLX_PARENTS[joint])


# The body joint that carries each joint of hands and face.
_CARRIERS = np.array([_carrier(joint) for joint in range(N_BODY_JOINTS, len(SMPLX_JOINTS))])


def _energy_terms(evaluation: Evaluation) -> Mapping[str, float]:
    return {name: float(value[0]) for name, value in evaluation.terms.items()}


def _limb_fits(
    person: Person, camera: Camera, mode: FitMode, found: _Found, widths_of: BodyFit | None
) -> tuple[list[LimbFit], list[str]]:
    known = {} if widths_of is None else {limb_fit.limb: limb_fit for limb_fit in widths_of.limbs}
    fits, warnings = [], []
    for residual in residual_limbs(person) if mode is not FitMode.INTACT else ():
        if residual.at_root:
            fits.append(_root_limb(residual, found, camera))
            continue
        if mode is FitMode.PAPER:
            fit = _paper_limb(person, residual, found, camera)
        else:
            fit = _joint_limb(person, residual, found, camera, known.get(residual.limb))
        fits.append(fit)
        if not fit.accepted:
            warnings.append(f"{residual.limb.value.replace('_', ' ').capitalize()} is not cut: {fit.reason}")
    return fits, warnings


def _segment(residual: Residual, found: _Found) -> tuple[np.ndarray, np.ndarray]:
    points = found.placed.points[0, N_COCO:]
    return points[found.problem.anchor[0, residual.slot]], points[found.problem.upstream[0, residual.slot]]


def _annotated(person: Person, residual: Residual) -> tuple[float, float] | None:
    if residual.end is None or not residual.observed:
        return None
    point = person.keypoints.points[residual.end]
    assert point.x is not None and point.y is not None
    return point.x, point.y


def _joint_limb(
    person: Person, residual: Residual, found: _Found, camera: Camera, widths_of: LimbFit | None
) -> LimbFit:
    """Read one residual limb off the main problem; judge it by bound, interval and end error."""
    anchor, upstream = _segment(residual, found)
    factor = float(found.aligned.factor[0, residual.slot]) if residual.observed else 0.0
    if residual.at_joint and not residual.observed:
        factor = 0.0
    end = rafo.residual_end(anchor, upstream, factor)
    end_px = camera.project(end)
    annotated = _annotated(person, residual)
    if widths_of is None:
        spread = segment_uncertainty(found.problem, found.x, found.evaluation, residual.slot)
    else:
        spread = SegmentUncertainty.of_widths(widths_of.factor_interval, widths_of.length_interval_m)
    factor_interval = spread.factor_interval(factor)
    off = 0.0 if annotated is None else float(np.linalg.norm(end_px - annotated)) / box_height(person)
    reason = ""
    if annotated is None and not residual.at_joint:
        reason = (
            f"its end ({LDPOSE[residual.end].label.lower()}) is not placed."
            if residual.end is not None
            else ""
        )
    elif not residual.at_joint and not BOUND_MARGIN < factor < 1 - BOUND_MARGIN:
        reason = f"lambda is at its bound ({factor:.2f}); check the end and the level."
    elif np.ptp(factor_interval) > WIDEST_FACTOR_INTERVAL:
        reason = "the picture does not say how long it is."
    elif off > MOST_END_ERROR:
        reason = f"its end lies {100 * off:.1f} % of the box height from the annotation."
    length = (1 - factor) * float(np.linalg.norm(upstream - anchor))
    return LimbFit(
        residual.limb,
        _segment_of(residual),
        factor,
        residual.anchor,
        residual.upstream,
        anchor,
        upstream,
        end,
        (float(end_px[0]), float(end_px[1])),
        annotated,
        length,
        factor_interval,
        spread.length_interval_m(length),
        not reason,
        reason,
    )


def _paper_limb(person: Person, residual: Residual, found: _Found, camera: Camera) -> LimbFit:
    """Run Algorithm 1 on one limb; a rejected limb keeps the initial fit and is scored at the segment's midpoint."""
    anchor, upstream = _segment(residual, found)
    annotated = _annotated(person, residual)
    middle = rafo.residual_end(anchor, upstream, rafo.FIRST_FACTOR)
    whole = float(np.linalg.norm(upstream - anchor))
    if annotated is None:
        result, reason = None, "its end is not placed."
    else:
        result = rafo.optimise(anchor, upstream, np.array(annotated), camera)
        reason = (
            ""
            if result.accepted
            else f"its end stays {result.error_px:.0f} px from the annotation (15 allowed)."
        )
    if result is None or not result.accepted:
        px = camera.project(middle)
        return LimbFit(
            residual.limb,
            _segment_of(residual),
            rafo.FIRST_FACTOR,
            residual.anchor,
            residual.upstream,
            anchor,
            upstream,
            middle,
            (float(px[0]), float(px[1])),
            annotated,
            whole / 2,
            (0.0, 1.0),
            (0.0, whole),
            False,
            reason,
        )
    px = camera.project(result.endpoint)
    covariance = np.linalg.inv(result.matrix)
    bone = upstream - result.anchor
    reach = float(np.linalg.norm(bone))
    gradient = np.append(-(1 - result.factor) * bone / reach, -reach)
    factor_sigma, length_sigma = (
        float(np.sqrt(covariance[3, 3])),
        float(np.sqrt(gradient @ covariance @ gradient)),
    )
    length = (1 - result.factor) * reach
    return LimbFit(
        residual.limb,
        _segment_of(residual),
        result.factor,
        residual.anchor,
        residual.upstream,
        result.anchor,
        upstream,
        result.endpoint,
        (float(px[0]), float(px[1])),
        annotated,
        length,
        (max(0.0, result.factor - Z95 * factor_sigma), min(1.0, result.factor + Z95 * factor_sigma)),
        (max(0.0, length - Z95 * length_sigma), length + Z95 * length_sigma),
        True,
    )


def _root_limb(residual: Residual, found: _Found, camera: Camera) -> LimbFit:
    """Describe a limb that is gone from its root: lambda is 1 by definition, and no length is left."""
    anchor, upstream = _segment(residual, found)
    px = camera.project(upstream)
    return LimbFit(
        residual.limb,
        _segment_of(residual),
        1.0,
        residual.anchor,
        residual.upstream,
        anchor,
        upstream,
        upstream,
        (float(px[0]), float(px[1])),
        None,
        0.0,
        (1.0, 1.0),
        (0.0, 0.0),
        True,
    )


def _segment_of(residual: Residual) -> Segment:
    segment = level_rule(residual.limb, residual.level).segment
    assert segment is not None
    return segment
