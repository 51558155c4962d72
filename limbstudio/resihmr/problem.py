"""From an annotated person to the energy's fixed side: what is observed, which joints exist, what is believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from limbstudio.body.folding import fold_keypoints
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import (
    N_COCO,
    SMPLX_INDEX,
    Level,
    Limb,
    Posture,
    level_rule,
    limb_joints,
)
from limbstudio.domain.body import FitMode
from limbstudio.domain.fitted import Pin
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.resihmr import clicks
from limbstudio.resihmr.asked import with_asked
from limbstudio.resihmr.lifter import Lift, Lifter, as_term, endings_of, sight
from limbstudio.resihmr.lifter import load as load_lifter
from limbstudio.resihmr.pose_prior import PosePrior, load
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS, Skeleton, build_skeleton
from limbstudio.resihmr.terms import (
    N_LIMBS,
    POSTURE_SHANK_ROWS,
    POSTURE_THIGH_ROWS,
    Mixture,
    Problem,
    limit_arrays,
    posture_rows,
)
from limbstudio.resources import resource_path


@dataclass(frozen=True)
class FitSettings:
    """The numbers of the fit that are ours to choose, frozen for every photo.

    sigma, end_sigma: standard deviations of a click and of a residual end, shares of box height. bend: robust bend in
    sigmas. factor_*: broad prior of lambda. tail: degrees of freedom of the single Gaussian's Student tail.
    starts: how many poses of the bank, seen from `yaws` directions, are tried; bank_apart: cosine above which two
    starts are one. smooth_keep, smooth_steps: starts kept and steps taken under the single Gaussian; sharp_steps:
    under the mixture, all survivors first, then the best. guessed_steps: under the single Gaussian where another method
    guessed the body. same_energy: explanations this close (a share) cannot be
    told apart; different_m: mean joint distance that makes them two. lift_weight: share of the lifter's log density
    that counts; lifted_mixture: that of the mixture beside it (all of it where there is no lifter). pins, held_shape:
    what a person asked of this very fit.
    """

    sigma: float = 0.010
    end_sigma: float = 0.006
    bend: float = 10.0
    shape_sigma: float = 1.0
    collar_sigma_deg: float = 7.0
    pitch_sigma_deg: float = 8.0
    roll_sigma_deg: float = 3.0
    factor_mean: float = 0.43
    factor_sigma: float = 0.18
    tail: float = 40.0
    yaws: int = 12
    starts: int = 16
    bank_candidates: int = 400
    bank_apart: float = 0.98
    smooth_keep: tuple[int, ...] = (8, 3)
    smooth_steps: tuple[int, ...] = (4, 8)
    sharp_steps: tuple[int, int] = (12, 40)
    guessed_steps: int = 4
    tolerance: float = 1e-5
    stature_sigma_m: float = 0.01
    same_energy: float = 0.05
    different_m: float = 0.08
    lift_weight: float = 0.7
    lifted_mixture: float = 0.7
    pins: tuple[Pin, ...] = ()
    held_shape: tuple[float, ...] | None = None


DEFAULT_SETTINGS = FitSettings()


@dataclass(frozen=True, eq=False)
class FitModel:
    """What a fit needs of a body and can be made once: folded keypoints, prior, stature regressor, lifter."""

    body: BodyModel
    skeleton: Skeleton
    prior: PosePrior
    stature_row: np.ndarray
    lifter: Lifter | None = None


@lru_cache(maxsize=4)
def fit_model(body: BodyModel) -> FitModel:
    """Fold `body` once for fitting, with the learned click offsets where the body is the one they were learned on."""
    folded = fold_keypoints(body, body.keypoint_regressors["coco17"])
    prior = load(resource_path("priors/pose_prior.npz"))
    top, bottom = int(np.argmax(body.template[:, 1])), int(np.argmin(body.template[:, 1]))
    height = np.append(
        body.shape_dirs[top, 1] - body.shape_dirs[bottom, 1], body.template[top, 1] - body.template[bottom, 1]
    ).astype(float)
    return FitModel(body, build_skeleton(body, folded, _click_offsets(body)), prior, height, _lifter(body))


def _lifter(body: BodyModel) -> Lifter | None:
    """Return the lifter where it ships and the body is the one it was trained on; fits do without it elsewhere."""
    path = resource_path("priors/lifter.npz")
    return load_lifter(path) if body.kind == "limb" and path.is_file() else None


def _click_offsets(body: BodyModel) -> np.ndarray | None:
    """Return the click offsets (17, 4) learned for this body's regressors, or None for a user's own body."""
    if body.kind != "limb":
        return None
    with np.load(resource_path("priors/click_offsets.npz"), allow_pickle=False) as data:
        return clicks.as_rows(data["numbers"])


@dataclass(frozen=True, eq=False)
class Residual:
    """A residual limb as the fit sees it. slot: limb index; end: LDPose index, None where LDPose has none."""

    limb: Limb
    slot: int
    level: Level
    end: int | None
    anchor: str
    upstream: str
    observed: bool
    at_joint: bool
    at_root: bool


def residual_limbs(person: Person) -> tuple[Residual, ...]:
    """List the person's residual limbs in limb order."""
    found = []
    for slot, limb in enumerate(Limb):
        level = person.limbs[limb].level
        rule = level_rule(limb, level)
        if rule.anchor is None or rule.upstream is None:
            continue
        observed = rule.endpoint is not None and person.keypoints.points[rule.endpoint].constrains_fit
        found.append(
            Residual(
                limb,
                slot,
                level,
                rule.endpoint,
                rule.anchor,
                rule.upstream,
                observed,
                rule.ends_at_joint,
                rule.removed_at_root,
            )
        )
    return tuple(found)


def free_pose(residuals: Sequence[Residual]) -> np.ndarray:
    """Return which of the 63 pose numbers something existing hangs on: none at or beyond an anchor joint."""
    free = np.ones((21, 3), bool)
    for residual in residuals:
        chain = [
            *limb_joints(residual.limb),
            residual.limb.side.value + ("_hand" if residual.limb.is_arm else "_foot"),
        ]
        first = chain.index(residual.anchor)
        if residual.at_root:
            first = chain.index(residual.upstream)
        for name in chain[first:]:
            if name in SMPLX_INDEX and SMPLX_INDEX[name] <= 21:
                free[SMPLX_INDEX[name] - 1] = False
    return free.reshape(-1)


def box_height(person: Person) -> float:
    """Return the height of the person's box in pixels, or that of the points where there is no box."""
    if person.box is not None and person.box.height > 0:
        return float(person.box.height)
    y = person.keypoints.positions_px[person.keypoints.observed, 1]
    return float(max(np.ptp(y) * 1.15, 1.0)) if len(y) else 1.0


def build_problem(
    model: FitModel,
    people: Sequence[Person],
    cameras: Sequence[Camera],
    *,
    mode: FitMode,
    settings: FitSettings = DEFAULT_SETTINGS,
    postures: Sequence[Posture] | None = None,
    lift: Lift | None = None,
) -> Problem:
    """Build the problem of N people (stacked).

    postures: overrides the people's own, for hypotheses. lift: what the lifter guessed where the points were hardly
    elsewhere; it is not asked again.
    """
    parts = [
        _person_part(model, person, mode, settings, person.posture if postures is None else postures[i])
        for i, person in enumerate(people)
    ]
    stacked = {name: np.stack([part[name] for part in parts]) for name in parts[0] if name != "stature"}
    patterns, which = _patterns(model.prior, stacked["pose_ridge"], settings.collar_sigma_deg)
    rows, _ = posture_rows()
    axis, sign, at = limit_arrays()
    if lift is None:
        lift = _lift(model, people, cameras, mode, settings, stacked["observed_px"], stacked["scale"] > 0)
    mixture_weight = 1.0 if lift is None else settings.lifted_mixture
    statures = [part["stature"] for part in parts]
    given = all(s is not None for s in statures)
    problem = Problem(
        skeleton=model.skeleton,
        **stacked,
        focal=np.array([c.focal_px for c in cameras]),
        center=np.array([c.center_px for c in cameras], float),
        shape_sigma=settings.shape_sigma,
        tilt_sigma=np.radians([settings.pitch_sigma_deg, settings.roll_sigma_deg]),
        posture=rows,
        limit_axis=axis,
        limit_sign=sign,
        limit_at=at,
        stature_row=model.stature_row if given else None,
        stature=np.array(statures, float) if given else None,
        stature_sigma=settings.stature_sigma_m,
        tail=settings.tail,
        mixture=Mixture(model.prior.means, *patterns, which, weight=mixture_weight),
        use_mixture=False,
        lift=lift,
    )
    return with_asked(problem, settings.pins, settings.held_shape)


def _lift(
    model: FitModel,
    people: Sequence[Person],
    cameras: Sequence[Camera],
    mode: FitMode,
    settings: FitSettings,
    px: np.ndarray,
    seen: np.ndarray,
) -> Lift | None:
    """Return what the lifter guesses of the people; the paper's mode does without it."""
    if model.lifter is None or mode is FitMode.PAPER or settings.lift_weight == 0:
        return None
    endings = np.stack([endings_of(() if mode is FitMode.INTACT else residual_limbs(p)) for p in people])
    focal, center = (
        np.array([getattr(c, name) for c in cameras], float) for name in ("focal_px", "center_px")
    )
    shown = sight(px, seen, endings, focal, center)
    return as_term(model.lifter(shown.inputs), shown.ray, endings, settings.lift_weight)


def _person_part(
    model: FitModel, person: Person, mode: FitMode, settings: FitSettings, posture: Posture
) -> dict[str, Any]:
    xy, observed = person.keypoints.positions_px, person.keypoints.observed
    height = box_height(person)
    observed_px, scale = np.zeros((N_COCO + N_LIMBS, 2)), np.zeros(N_COCO + N_LIMBS)
    coco = observed[:N_COCO]
    observed_px[:N_COCO][coco] = xy[:N_COCO][coco]
    scale[:N_COCO][coco] = 1 / (settings.sigma * height)
    anchor = np.zeros(N_LIMBS, int)
    upstream = np.ones(N_LIMBS, int)
    on, factor_mean = np.zeros(N_LIMBS), np.full(N_LIMBS, settings.factor_mean)
    residuals = () if mode is FitMode.INTACT else residual_limbs(person)
    for residual in residuals:
        anchor[residual.slot] = SEGMENT_JOINTS.index(residual.anchor)
        upstream[residual.slot] = SEGMENT_JOINTS.index(residual.upstream)
        if residual.at_joint:
            factor_mean[residual.slot] = 0.0
        if residual.observed and mode is FitMode.JOINT:
            observed_px[N_COCO + residual.slot] = xy[residual.end]
            scale[N_COCO + residual.slot] = 1 / (settings.end_sigma * height)
            on[residual.slot] = 1.0
    factor_sigma = np.array([0.02 if mean == 0 else settings.factor_sigma for mean in factor_mean])
    free = free_pose(residuals)
    precision, ridge = _marginal(model.prior, tuple(free.tolist()), settings.collar_sigma_deg)
    return {
        "observed_px": observed_px,
        "scale": scale,
        "rho": np.full(N_COCO + N_LIMBS, settings.bend),
        "anchor": anchor,
        "upstream": upstream,
        "prior_mean": model.prior.mean,
        "prior_precision": precision,
        "pose_ridge": ridge,
        "factor_mean": factor_mean,
        "factor_sigma": factor_sigma,
        "factor_on": on,
        "posture_on": _posture_weights(posture, residuals),
        "stature": None if person.stature_mm is None else person.stature_mm / 1000,
    }


@lru_cache(maxsize=64)
def _marginal(
    prior: PosePrior, free: tuple[bool, ...], collar_sigma_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    return prior.with_collars(np.radians(collar_sigma_deg)).marginal(np.array(free))


@lru_cache(maxsize=64)
def _mixture_marginal(
    prior: PosePrior, free: tuple[bool, ...], collar_sigma_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    return prior.with_collars(np.radians(collar_sigma_deg)).mixture_marginal(np.array(free))


def _patterns(
    prior: PosePrior, ridge: np.ndarray, collar_sigma_deg: float
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return the mixture's precisions and log weights of each pattern of existing joints, and each person's pattern."""
    if len(ridge) == 1:  # every frame of a drag: no copies of half a megabyte
        precisions, log_weights = _mixture_marginal(prior, tuple((ridge[0] == 0).tolist()), collar_sigma_deg)
        return (precisions[None], log_weights[None]), np.zeros(1, int)
    unique, which = np.unique(ridge, axis=0, return_inverse=True)
    parts = [_mixture_marginal(prior, tuple((row == 0).tolist()), collar_sigma_deg) for row in unique]
    return (np.stack([p for p, _ in parts]), np.stack([w for _, w in parts])), which.reshape(-1)


def _posture_weights(posture: Posture, residuals: Sequence[Residual]) -> np.ndarray:
    """Return which posture rows count: those of the posture, less those of segments that do not exist."""
    _, on = posture_rows()
    weights = on[posture.value].copy()
    for residual in residuals:
        if residual.limb.is_arm:
            continue
        side = residual.limb.side.value
        shank_exists = residual.anchor.endswith("ankle")
        gone = () if shank_exists else (*POSTURE_SHANK_ROWS[side], *POSTURE_THIGH_ROWS[side])
        weights[list(gone)] = 0.0
    return weights
