"""What the fit's energy is made of: the unknowns, and a problem with its targets, beliefs, posture and limits.

The unknowns of one person are 85 numbers: rotation increment of the root (3), rotation vectors of 21 joints (63),
translation (3, metres), shape (10), camera pitch and roll against gravity (2), lambda of each limb (4).
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.resihmr.lifter import Lift
from limbstudio.resihmr.skeleton import (
    N_SEGMENT_JOINTS,
    SEGMENT_JOINTS,
    Array,
    Skeleton,
    to_torch,
)

N_LIMBS = 4
ROOT, POSE, MOVE = slice(0, 3), slice(3, 66), slice(66, 69)

# Joint limits in degrees on components of the rotation vectors (hinge joints of ../facts: knee flexes by +x, elbows by
# -y left and +y right, hip extends by +x). (joint, axis, sign, limit): penalised where sign * angle > limit.
LIMITS_DEG: tuple[tuple[str, int, int, float], ...] = (
    ("left_knee", 0, -1, 5.0), ("right_knee", 0, -1, 5.0),
    ("left_elbow", 1, 1, 5.0), ("right_elbow", 1, -1, 5.0),
    ("left_hip", 0, 1, 30.0), ("right_hip", 0, 1, 30.0),
)  # fmt: skip
LIMIT_SIGMA = float(np.radians(4.0))
# Gaussians of the mixture with a smaller share in a pose are left out of its derivatives.
LEAST_SHARE = 1e-10


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The current estimate, batch first.

    root (N, 3, 3), pose (N, 63), move (N, 3), shape (N, B), tilt (N, 2), factor (N, 4).
    """

    root: Array
    pose: Array
    move: Array
    shape: Array
    tilt: Array
    factor: Array

    def taken(self, index: Array) -> "Unknowns":
        return Unknowns(*(value[index] for value in self.values))

    @property
    def values(self) -> tuple[Array, ...]:
        return (self.root, self.pose, self.move, self.shape, self.tilt, self.factor)

    def stepped(self, xp: Any, step: Array) -> "Unknowns":
        """Return the estimate moved by step (N, n); the factor is kept in [0, 1]."""
        b = self.shape.shape[1]
        return Unknowns(
            rotation(xp, step[:, ROOT]) @ self.root,
            self.pose + step[:, POSE],
            self.move + step[:, MOVE],
            self.shape + step[:, 69 : 69 + b],
            self.tilt + step[:, 69 + b : 71 + b],
            xp.clip(self.factor + step[:, 71 + b : 75 + b], 0.0, 1.0),
        )


def n_unknowns(n_shape: int) -> int:
    return 75 + n_shape


@dataclass(frozen=True, eq=False)
class PostureRows:
    """Soft directions of bones against gravity, for a posture that a person stated (or a hypothesis).

    bones: pairs of segment-joint rows (upper, lower) as weights (R, 12); along: 1 the bone lies along gravity (its
    horizontal part is penalised), 0 it lies level (its vertical part is). sigma (R,) radians. weight (N, R): 0 or 1.
    """

    bones: Array
    along: Array
    sigma: Array


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians over z = [up in the pelvis frame, pose], for U patterns of existing joints.

    means (C, 66), precisions (U, C, 66, 66), log_weights (U, C): log of weight times the Gaussian's normalisation.
    pattern (N,): the row of U that each item uses. weight: share of the log density that counts.
    """

    means: Array
    precisions: Array
    log_weights: Array
    pattern: Array
    weight: float = 1.0

    @cached_property
    def groups(self) -> tuple[tuple[int, Any], ...]:
        """The patterns that occur, and the items of each (all of them as a slice where there is but one)."""
        pattern = as_numpy(self.pattern)
        found = np.unique(pattern)
        if len(found) == 1:
            return ((int(found[0]), slice(None)),)
        return tuple((int(p), np.flatnonzero(pattern == p)) for p in found)

    def terms(self, xp: Any, z: Array) -> tuple[Array, Array, Array]:
        """Return -2 log of the density (N,), half its gradient (N, 66) and the responsibilities' mean precision."""
        if len(self.groups) == 1:
            return self._of_pattern(xp, self.groups[0][0], z)
        n, size = z.shape
        energy, gradient, matrix = (zeros(xp, z, shape) for shape in ((n,), (n, size), (n, size, size)))
        for pattern, items in self.groups:
            energy[items], gradient[items], matrix[items] = self._of_pattern(xp, pattern, z[items])
        return energy, gradient, matrix

    def _of_pattern(self, xp: Any, pattern: int, z: Array) -> tuple[Array, Array, Array]:
        P = self.precisions[pattern]
        gap = (z - self.means[:, None]).swapaxes(1, 2)  # (C, 66, N)
        Pz = P @ gap
        log = self.log_weights[pattern][:, None] - 0.5 * (gap * Pz).sum(1)  # (C, N)
        top = log.max(0) if xp is np else xp.amax(log, 0)
        share = xp.exp(log - top)
        total = share.sum(0)
        share = share / total
        if xp is np:  # most of the 16 say nothing here, and their matrices are large
            near = np.flatnonzero(share.max(1) > LEAST_SHARE)
            P, Pz, share = P[near], Pz[near], share[near]
        share = self.weight * share
        matrix = (share.swapaxes(0, 1) @ P.reshape(len(P), -1)).reshape(-1, *P.shape[1:])
        energy = -2 * self.weight * (top + xp.log(total))
        return energy, (share[:, None] * Pz).sum(0).swapaxes(0, 1), matrix


@dataclass(frozen=True, eq=False)
class Problem:
    """What is observed and believed about N people (or N starts of one): the fixed side of the energy.

    observed_px (N, 17 + 4, 2): COCO-17 points, then each limb's residual end. scale (N, 21): 1 / sigma in px, 0 where
    nothing is observed. rho (N, 21): robust bend in sigmas. focal (N,), center (N, 2). anchor, upstream (N, 4):
    segment-joint rows of equation 3. prior_mean (N, 66), prior_precision (N, 66, 66): of z = [up in the pelvis frame,
    pose].
    pose_ridge (N, 63): precision added on unknowns without a prior. shape_sigma. tilt_sigma (2,). factor_mean,
    factor_sigma, factor_on (N, 4). posture_on (N, R). stature_row (B + 1,) or None: metres by shape, constant last;
    stature (N,), stature_sigma. tail: degrees of freedom of the pose prior's Student tail, 0 for
    a Gaussian. mixture: takes the place of the single prior where use_mixture. lift: what the lifter guessed of depths.
    """

    skeleton: Skeleton
    observed_px: Array
    scale: Array
    rho: Array
    focal: Array
    center: Array
    anchor: Array
    upstream: Array
    prior_mean: Array
    prior_precision: Array
    pose_ridge: Array
    shape_sigma: float
    tilt_sigma: Array
    factor_mean: Array
    factor_sigma: Array
    factor_on: Array
    posture: PostureRows
    posture_on: Array
    limit_axis: Array
    limit_sign: Array
    limit_at: Array
    stature_row: Array | None = None
    stature: Array | None = None
    stature_sigma: float = 0.01
    tail: float = 0.0
    mixture: Mixture | None = None
    use_mixture: bool = False
    contour: Any = None
    lift: Lift | None = None

    def taken(self, index: Array) -> "Problem":
        """Return the problem of the items at `index` (repeats allowed)."""
        parts = {name: getattr(self, name)[index] for name in _PER_ITEM}
        if self.stature is not None:
            parts["stature"] = self.stature[index]
        if self.mixture is not None:
            parts["mixture"] = replace(self.mixture, pattern=self.mixture.pattern[index])
        contour = None if self.contour is None else self.contour.taken(index)
        lift = None if self.lift is None else self.lift.taken(index)
        return replace(self, **parts, contour=contour, lift=lift)

    @cached_property
    def targets(self) -> "Targets":
        """What the rows compare, in the arrangement that `evaluate` needs."""
        return _targets(self)

    @cached_property
    def beliefs(self) -> "Beliefs":
        """What is believed of single numbers, in the arrangement that `evaluate` needs."""
        return _beliefs(self)


_PER_ITEM = ("observed_px", "scale", "rho", "focal", "center", "anchor", "upstream", "prior_mean", "prior_precision",
             "pose_ridge", "factor_mean", "factor_sigma", "factor_on", "posture_on")  # fmt: skip


def problem_to(problem: Problem, device: str) -> Problem:
    """Return the same problem as float64 torch tensors on `device` ("cpu", "cuda"); it must have no contour."""
    import torch  # only batches on a device need it; importing it costs two seconds

    def moved(value: Any) -> Any:
        return torch.as_tensor(value, device=device) if isinstance(value, np.ndarray) else value

    def all_moved(record: Any) -> Any:
        return replace(record, **{f.name: moved(getattr(record, f.name)) for f in fields(record)})

    assert problem.contour is None
    return replace(
        all_moved(problem),
        skeleton=to_torch(problem.skeleton, device),
        posture=all_moved(problem.posture),
        mixture=None if problem.mixture is None else all_moved(problem.mixture),
        lift=None if problem.lift is None else all_moved(problem.lift),
    )


def as_numpy(array: Array) -> np.ndarray:
    """Return a tensor of any device, or an array, as an array."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def zeros(xp: Any, like: Array, shape: tuple[int, ...]) -> Array:
    """Return zeros of `shape` of the type and on the device of `like`."""
    return xp.zeros(shape, dtype=like.dtype, **({} if xp is np else {"device": like.device}))


# ------------------------------------------------------------------------------------- arranged for evaluation


@dataclass(frozen=True, eq=False)
class Targets:
    """What a problem's rows compare: D picture points, then R bones of a posture.

    seen: which of the 21 observed points the picture points are. slots: limbs with an observed end (the last points).
    mix (N, K, D + R): each of them is a fixed mix of the skeleton's points; along (N, K, L): to be added to the end's
    column times its factor (equation 3). columns (2 D + 3 R,): the mixed point of each row, the rows component first.
    focal_scale (N, 1, D), offset (N, 2, D): residuals in sigmas are focal_scale * point / depth + offset. rho,
    rho_square (N, 1, D). bone_weight (N, 1, R): 1 / sigma where a posture's row is on. lengthwise (1, 1, R): 1 where
    the bone should lie along gravity.
    """

    seen: np.ndarray
    slots: tuple[int, ...]
    mix: Array
    along: Array
    columns: np.ndarray
    focal_scale: Array
    offset: Array
    rho: Array
    rho_square: Array
    bone_weight: Array
    lengthwise: Array

    @property
    def n_points(self) -> int:
        return len(self.seen)


def _targets(problem: Problem) -> Targets:
    s, xp = problem.skeleton, problem.skeleton.xp
    n, k = problem.scale.shape[0], s.n_points - N_SEGMENT_JOINTS
    seen = np.flatnonzero((as_numpy(problem.scale) > 0).any(0))
    slots = tuple(int(i) - k for i in seen if i >= k)
    bones = np.flatnonzero((as_numpy(problem.posture_on) > 0).any(0))
    d = len(seen)
    mix = zeros(xp, problem.scale, (n, s.n_points, d + len(bones)))
    along = zeros(xp, problem.scale, (n, s.n_points, len(slots)))
    items = np.arange(n)
    for column, point in enumerate(seen):
        if point < k:
            mix[:, int(point), column] = 1
    for i, slot in enumerate(slots):
        anchor, upstream = k + problem.anchor[:, slot], k + problem.upstream[:, slot]
        mix[items, anchor, d - len(slots) + i] = 1
        along[items, anchor, i] = -1
        along[items, upstream, i] += 1
    if len(bones):
        mix[:, k:, d:] = problem.posture.bones[bones].swapaxes(0, 1)
    scale = problem.scale[:, None, seen]
    rho = problem.rho[:, None, seen]
    shift = problem.center[:, :, None] - problem.observed_px[:, seen].swapaxes(1, 2)
    return Targets(
        seen=seen, slots=slots, mix=mix, along=along,
        columns=np.concatenate([np.tile(np.arange(d), 2), np.tile(d + np.arange(len(bones)), 3)]),
        focal_scale=problem.focal[:, None, None] * scale, offset=shift * scale, rho=rho, rho_square=rho * rho,
        bone_weight=(xp.sqrt(problem.posture_on[:, bones]) / problem.posture.sigma[bones])[:, None],
        lengthwise=problem.posture.along[bones][None, None],
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of each of the n unknowns by itself: weight (N, n) and mean (N, n) of a square, bounds (n,).

    held (N, n): curvature of numbers that nothing speaks of. existing (N,): how many prior numbers are not ridged.
    """

    weight: Array
    mean: Array
    lowest: Array
    highest: Array
    diagonal: Array
    existing: Array


def _beliefs(problem: Problem) -> Beliefs:
    s, xp = problem.skeleton, problem.skeleton.xp
    like, n, b = problem.scale, problem.scale.shape[0], s.n_shape
    size = n_unknowns(b)
    weight, mean = zeros(xp, like, (n, size)), zeros(xp, like, (n, size))
    bound = zeros(xp, like, (size,)) + np.inf
    lowest, highest = -bound, bound
    weight[:, POSE] = problem.pose_ridge
    weight[:, 69 : 69 + b] = 1 / problem.shape_sigma**2
    weight[:, 69 + b : 71 + b] = 1 / problem.tilt_sigma**2
    weight[:, 71 + b :] = problem.factor_on / problem.factor_sigma**2
    mean[:, 71 + b :] = problem.factor_mean
    held = xp.where(problem.factor_on > 0, 0.0 * problem.factor_on, 1.0 + 0.0 * problem.factor_on)
    diagonal = weight + 0.0
    # An unknown that nothing speaks of (the factor of an intact limb) is held where it is.
    diagonal[:, 71 + b :] += held
    up = problem.limit_sign > 0
    highest[3 + problem.limit_axis[up]] = problem.limit_at[up]
    lowest[3 + problem.limit_axis[~up]] = -problem.limit_at[~up]
    return Beliefs(weight, mean, lowest, highest, diagonal, 66.0 - problem.pose_ridge.sum(1))


# ---------------------------------------------------------------------------------------------------- posture


@lru_cache(maxsize=1)
def posture_rows() -> tuple[PostureRows, dict[str, np.ndarray]]:
    """Return the table of posture rows and, by posture name, which rows it switches on.

    Standing: trunk, thighs and shanks along gravity. Sitting: trunk loosely along it, thighs level, shanks hanging.
    Lying: trunk level. The sigmas are judgements: standing people on crutches still stand within ten degrees.
    """
    index = {name: i for i, name in enumerate(SEGMENT_JOINTS)}

    def bone(upper: tuple[str, ...], lower: tuple[str, ...]) -> np.ndarray:
        row = np.zeros(N_SEGMENT_JOINTS)
        row[[index[u] for u in upper]] += 1 / len(upper)
        row[[index[v] for v in lower]] -= 1 / len(lower)
        return row

    trunk = bone(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
    legs = [
        (bone((f"{s}_hip",), (f"{s}_knee",)), bone((f"{s}_knee",), (f"{s}_ankle",)))
        for s in ("left", "right")
    ]
    (lt, ls), (rt, rs) = legs
    table = [
        ("standing", trunk, 1, 6.0), ("standing", lt, 1, 9.0), ("standing", rt, 1, 9.0), ("standing", ls, 1, 9.0),
        ("standing", rs, 1, 9.0), ("sitting", trunk, 1, 20.0), ("sitting", lt, 0, 20.0), ("sitting", rt, 0, 20.0),
        ("sitting", ls, 1, 30.0), ("sitting", rs, 1, 30.0), ("lying", trunk, 0, 15.0),
    ]  # fmt: skip
    rows = PostureRows(
        np.array([row for _, row, _, _ in table]),
        np.array([float(a) for _, _, a, _ in table]),
        np.radians([sigma for *_, sigma in table]),
    )
    on = {p: np.array([float(name == p) for name, *_ in table]) for p in ("standing", "sitting", "lying")}
    return rows, {**on, "unknown": np.zeros(len(table))}


# Rows of the table that speak of each limb's thigh and shank: left then right.
POSTURE_THIGH_ROWS = {"left": (1, 6), "right": (2, 7)}
POSTURE_SHANK_ROWS = {"left": (3, 8), "right": (4, 9)}


@lru_cache(maxsize=1)
def limit_arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (index into the 63 pose numbers, sign, limit in radians) of the joint limits."""
    axis = np.array([3 * (SMPLX_INDEX[joint] - 1) + a for joint, a, _, _ in LIMITS_DEG])
    return (
        axis,
        np.array([float(s) for _, _, s, _ in LIMITS_DEG]),
        np.radians([limit for *_, limit in LIMITS_DEG]),
    )
