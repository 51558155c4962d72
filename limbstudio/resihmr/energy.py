"""The energy of the initial fit and of joint residual-limb fitting: one function per term.

E(x) = E_data + E_pose + E_shape + E_camera + E_limits + E_posture + E_lambda (+ E_contour), each a sum of squared rows
(ResiHMR equations 1 and 2, made robust, with the residual endpoint of equation 3 inside the main problem).

The unknowns of one person are 85 numbers: rotation increment of the root (3), rotation vectors of 21 joints (63),
translation (3, metres), shape (10), camera pitch and roll against gravity (2), lambda of each limb (4).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbstudio.body.rotations import cross_matrix, rotation_and_left_jacobian
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.resihmr.skeleton import (
    N_SEGMENT_JOINTS,
    SEGMENT_JOINTS,
    Array,
    Placed,
    Skeleton,
    place,
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
LIMIT_SIGMA_DEG = 4.0


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The current estimate, batch first: root (N, 3, 3), pose (N, 63), move (N, 3), shape (N, B), tilt (N, 2), factor (N, 4)."""

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
        turn, _ = rotation_and_left_jacobian(xp, step[:, ROOT])
        return Unknowns(
            turn @ self.root,
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
    pattern (N,): the row of U that each item uses.
    """

    means: Array
    precisions: Array
    log_weights: Array
    pattern: Array

    def terms(self, xp: Any, z: Array) -> tuple[Array, Array, Array]:
        """Return -2 log of the density (N,), half its gradient (N, 66) and the responsibilities' mean precision."""
        P = self.precisions[self.pattern]
        gap = z[:, None] - self.means
        Pz = (P @ gap[..., None])[..., 0]
        log = self.log_weights[self.pattern] - 0.5 * xp.sum(gap * Pz, 2)
        top = xp.max(log, 1)[:, None] if xp is np else xp.amax(log, 1)[:, None]
        share = xp.exp(log - top)
        total = xp.sum(share, 1)
        share = share / total[:, None]
        matrix = xp.sum(share[..., None, None] * P, 1)
        return -2 * (top[:, 0] + xp.log(total)), xp.sum(share[..., None] * Pz, 1), matrix


@dataclass(frozen=True, eq=False)
class Problem:
    """What is observed and believed about N people (or N starts of one): the fixed side of the energy.

    observed_px (N, 17 + 4, 2): COCO-17 points, then each limb's residual end. scale (N, 21): 1 / sigma in px, 0 where
    nothing is observed. rho (N, 21): robust bend in sigmas. focal (N,), center (N, 2). anchor, upstream (N, 4):
    segment-joint rows of equation 3. prior_mean (N, 66), prior_precision (N, 66, 66): of [up in the pelvis frame, pose].
    pose_ridge (N, 63): precision added on unknowns without a prior. shape_sigma. tilt_sigma (2,). factor_mean,
    factor_sigma, factor_on (N, 4). posture_on (N, R). stature_row (B + 1,) or None: metres by shape, constant last;
    stature (N,), stature_sigma. tail: degrees of freedom of the pose prior's Student tail, 0 for
    a Gaussian. mixture: takes the place of the single prior where use_mixture.
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

    def taken(self, index: Array) -> "Problem":
        """Return the problem of the items at `index` (repeats allowed)."""
        names = ("observed_px", "scale", "rho", "focal", "center", "anchor", "upstream", "prior_mean",
                 "prior_precision", "pose_ridge", "factor_mean", "factor_sigma", "factor_on", "posture_on")  # fmt: skip
        parts = {name: getattr(self, name)[index] for name in names}
        stature = None if self.stature is None else self.stature[index]
        contour = None if self.contour is None else self.contour.taken(index)
        mixture = None if self.mixture is None else replace(self.mixture, pattern=self.mixture.pattern[index])
        return replace(self, **parts, stature=stature, contour=contour, mixture=mixture)


@dataclass(frozen=True, eq=False)
class DataRows:
    """The weighted data rows (N, 21, 2), their Jacobian (N, 42, n), and their derivative by the points (N, M, 2, 3)."""

    rows: Array
    jacobian: Array
    by_point: Array


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Energy (N,), gradient (N, n) and Gauss-Newton matrix (N, n, n) of half the energy's squares; terms by name."""

    energy: Array
    gradient: Array | None
    matrix: Array | None
    terms: dict[str, Array]
    placed: Placed
    data: DataRows | None = None


def up_in_camera(xp: Any, tilt: Array) -> tuple[Array, Array]:
    """Return the up direction (N, 3) in the camera frame and its derivative (N, 3, 2) by pitch and roll, radians.

    Pitch is positive when the camera looks down; with no tilt up is -y.
    """
    sp, cp, sr, cr = xp.sin(tilt[:, 0]), xp.cos(tilt[:, 0]), xp.sin(tilt[:, 1]), xp.cos(tilt[:, 1])
    up = xp.stack([sr, -cr * cp, -cr * sp], -1)
    zero = xp.zeros_like(sp)
    by_pitch = xp.stack([zero, cr * sp, -cr * cp], -1)
    by_roll = xp.stack([cr, sr * cp, sr * sp], -1)
    return up, xp.stack([by_pitch, by_roll], -1)


def project(points: Array, focal: Array, center: Array) -> Array:
    """Project camera-frame points (N, M, 3) to pixels (N, M, 2)."""
    return focal[:, None, None] * points[..., :2] / points[..., 2:] + center[:, None]


def _observed_points(xp: Any, problem: Problem, x: Unknowns, placed: Placed) -> tuple[Array, Array, Array]:
    """Return COCO points and residual ends (N, 21, 3), and anchor and upstream positions (N, 4, 3) (equation 3)."""
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    rows = (
        xp.arange(x.pose.shape[0])[:, None]
        if xp is np
        else xp.arange(x.pose.shape[0], device=x.pose.device)[:, None]
    )
    anchor = placed.points[rows, k + problem.anchor]
    upstream = placed.points[rows, k + problem.upstream]
    ends = anchor + x.factor[..., None] * (upstream - anchor)
    return xp.concatenate([placed.points[:, :k], ends], 1), anchor, upstream


def _data_rows(xp: Any, problem: Problem, points: Array) -> tuple[Array, Array]:
    """Return residuals in sigmas (N, M, 2) after the robust bend, and E_data (N,) (equation 2, Geman-McClure)."""
    r = (project(points, problem.focal, problem.center) - problem.observed_px) * problem.scale[..., None]
    square = xp.sum(r * r, -1, keepdims=True)
    bend = problem.rho[..., None] / xp.sqrt(square + problem.rho[..., None] ** 2)
    rows = r * bend
    return rows, xp.sum(rows * rows, (1, 2))


def _student(xp: Any, square: Array, tail: float, count: Array) -> tuple[Array, Array]:
    """Return the energy and gradient weight of a sum of squares whose common scale is unknown (Student's t).

    With `tail` degrees of freedom and `count` rows: (nu + n) log(1 + s / nu), weight (nu + n) / (nu + s). A tail of 0
    means that the scale is known.
    """
    if not tail:
        return square, xp.ones_like(square)
    return (tail + count) * xp.log1p(square / tail), (tail + count) / (tail + square)


def _prior_terms(xp: Any, problem: Problem, x: Unknowns) -> tuple[Array, Array, Array]:
    """Return E_pose (N,), half its gradient by z (N, 66) and its Gauss-Newton matrix (N, 66, 66); z = [up in pelvis, pose]."""
    up, _ = up_in_camera(xp, x.tilt)
    up_pelvis = (xp.swapaxes(x.root, 1, 2) @ up[..., None])[..., 0]
    z = xp.concatenate([up_pelvis, x.pose], 1)
    if problem.use_mixture and problem.mixture is not None:
        return problem.mixture.terms(xp, z)
    z = z - problem.prior_mean
    Pz = (problem.prior_precision @ z[..., None])[..., 0]
    square = xp.sum(z * Pz, 1)
    energy, weight = _student(xp, square, problem.tail, 66.0 - xp.sum(problem.pose_ridge, 1))
    return energy, weight[:, None] * Pz, weight[:, None, None] * problem.prior_precision


def evaluate(problem: Problem, x: Unknowns, *, derivatives: bool) -> Evaluation:
    """Evaluate the energy at `x`, with its gradient and Gauss-Newton matrix when `derivatives`."""
    s, xp = problem.skeleton, problem.skeleton.xp
    n, b = x.shape.shape
    local, left = rotation_and_left_jacobian(xp, x.pose.reshape(n, 21, 3))
    placed = place(s, x.root, local, x.shape, x.move, derivatives=derivatives)
    points, anchor, upstream = _observed_points(xp, problem, x, placed)
    rows, e_data = _data_rows(xp, problem, points)
    e_pose, Pz, prior_matrix = _prior_terms(xp, problem, x)
    ridge = problem.pose_ridge * x.pose
    over = xp.clip(problem.limit_sign * x.pose[:, problem.limit_axis] - problem.limit_at, 0.0, None)
    over = over / np.radians(LIMIT_SIGMA_DEG)
    lam = problem.factor_on * (x.factor - problem.factor_mean) / problem.factor_sigma
    terms = {
        "data": e_data,
        "pose": e_pose + xp.sum(ridge * x.pose, 1),
        "shape": xp.sum(x.shape * x.shape, 1) / problem.shape_sigma**2,
        "camera": xp.sum((x.tilt / problem.tilt_sigma) ** 2, 1),
        "limits": xp.sum(over * over, 1),
        "lambda": xp.sum(lam * lam, 1),
    }
    bones, posture_rows = _posture_rows(xp, problem, x, placed)
    terms["posture"] = xp.sum(posture_rows * posture_rows, (1, 2))
    if problem.stature_row is not None:
        stature_gap = (
            x.shape @ problem.stature_row[:b] + problem.stature_row[b] - problem.stature
        ) / problem.stature_sigma
        terms["stature"] = stature_gap**2
    contour_rows = None
    if problem.contour is not None:
        contour_rows = problem.contour.rows(problem, x, local, derivatives=derivatives, left=left)
        terms["contour"] = contour_rows.energy
    energy = sum(terms.values())
    if not derivatives:
        return Evaluation(energy, None, None, terms, placed)

    size = n_unknowns(b)
    like = {"dtype": x.pose.dtype} if xp is np else {"dtype": x.pose.dtype, "device": x.pose.device}
    axes = parent_axes(xp, s, placed, left)
    J, by_point = _data_jacobian(xp, problem, x, placed, points, anchor, upstream, axes)
    flat = rows.reshape(n, -1)
    Jt = xp.swapaxes(J, 1, 2)
    g = (Jt @ flat[..., None])[..., 0]
    H = Jt @ J
    _add_prior(xp, x, g, H, Pz, prior_matrix)
    diagonal = xp.zeros((n, size), **like)
    diagonal[:, POSE] = problem.pose_ridge
    g[:, POSE] += ridge
    weight = 1 / np.radians(LIMIT_SIGMA_DEG) ** 2
    g[:, 3 + problem.limit_axis] += problem.limit_sign * over / np.radians(LIMIT_SIGMA_DEG)
    diagonal[:, 3 + problem.limit_axis] += weight * (over > 0)
    g[:, 69 : 69 + b] += x.shape / problem.shape_sigma**2
    diagonal[:, 69 : 69 + b] += 1 / problem.shape_sigma**2
    g[:, 69 + b : 71 + b] += x.tilt / problem.tilt_sigma**2
    diagonal[:, 69 + b : 71 + b] += 1 / problem.tilt_sigma**2
    g[:, 71 + b :] += problem.factor_on * lam / problem.factor_sigma
    # An unknown that nothing speaks of (the factor of an intact limb) is held where it is.
    diagonal[:, 71 + b :] += xp.where(problem.factor_on > 0, 1 / problem.factor_sigma**2, xp.ones_like(lam))
    index = np.arange(size)
    H[:, index, index] += diagonal
    if problem.stature_row is not None:
        row = problem.stature_row[:b] / problem.stature_sigma
        g[:, 69 : 69 + b] += stature_gap[:, None] * row
        H[:, 69 : 69 + b, 69 : 69 + b] += row[:, None] * row
    if bool((problem.posture_on > 0).any()):
        Jp = _posture_jacobian(xp, problem, x, placed, bones, axes)
        Jpt = xp.swapaxes(Jp, 1, 2)
        g += (Jpt @ posture_rows.reshape(n, -1, 1))[..., 0]
        H += Jpt @ Jp
    if contour_rows is not None:
        g += contour_rows.gradient
        H += contour_rows.matrix
    return Evaluation(energy, g, H, terms, placed, DataRows(rows, J, by_point))


def parent_axes(xp: Any, skeleton: Skeleton, placed: Placed, left: Array) -> Array:
    """Return, per joint but the root, the camera-frame axes (N, 21, 3, 3) about which its rotation vector turns."""
    return placed.rotations[:, skeleton.parents[1:]] @ left


def point_jacobian(xp: Any, by_axis: Array, by_shape: Array, axes: Array, to_rows: Array) -> Array:
    """Assemble d(rows)/d(root, pose, move, shape), (N, M, R, 69 + B).

    by_axis (N, 22, M, 3, 3), by_shape (N, B, M, 3): derivatives of M points. axes (N, 21, 3, 3). to_rows (N, M, R, 3):
    derivative of the rows by the point (a projection, a direction).
    """
    n, _, m = by_axis.shape[:3]
    r = to_rows.shape[2]
    to_rows_t = xp.swapaxes(to_rows, 2, 3)
    turned = by_axis @ to_rows_t[:, None]  # (N, 22, M, 3 axes, R)
    posed = xp.swapaxes(axes, 2, 3)[:, :, None] @ turned[:, 1:]
    root = xp.swapaxes(turned[:, 0], 2, 3)
    posed = xp.moveaxis(posed, 1, 3)  # (N, M, 3, 21, R)
    posed = posed.transpose(0, 1, 4, 3, 2) if xp is np else posed.permute(0, 1, 4, 3, 2)
    shaped = xp.moveaxis(by_shape, 1, 2) @ to_rows_t  # (N, M, B, R)
    return xp.concatenate([root, posed.reshape(n, m, r, 63), to_rows, xp.swapaxes(shaped, 2, 3)], 3)


def projection_jacobian(xp: Any, points: Array, focal: Array) -> Array:
    """Return d(pixel)/d(point), (N, M, 2, 3)."""
    inv = focal[:, None] / points[..., 2]
    zero = xp.zeros_like(inv)
    x_row = xp.stack([inv, zero, -inv * points[..., 0] / points[..., 2]], -1)
    y_row = xp.stack([zero, inv, -inv * points[..., 1] / points[..., 2]], -1)
    return xp.stack([x_row, y_row], -2)


def _data_jacobian(xp: Any, problem: Problem, x: Unknowns, placed: Placed, points: Array, anchor: Array,
                   upstream: Array, axes: Array) -> tuple[Array, Array]:  # fmt: skip
    """Return the Jacobian of the robust data rows, (N, 42, n), and of the rows by their own point, (N, M, 2, 3)."""
    n, b = x.shape.shape
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    assert placed.by_axis is not None and placed.by_shape is not None
    rows = xp.arange(n)[:, None] if xp is np else xp.arange(n, device=x.pose.device)[:, None]
    along = x.factor[..., None]

    def at_ends(by: Array, a: Array, u: Array) -> Array:
        first, second = by[rows, :, a], by[rows, :, u]  # advanced indices first: (N, 4, ., ...)
        weight = along[..., None] if first.ndim == 4 else along[..., None, None]
        return xp.moveaxis(first + weight * (second - first), 1, 2)

    if bool((problem.scale[:, k:] > 0).any()):
        a, u = k + problem.anchor, k + problem.upstream
        by_axis = xp.concatenate([placed.by_axis[:, :, :k], at_ends(placed.by_axis, a, u)], 2)
        by_shape = xp.concatenate([placed.by_shape[:, :, :k], at_ends(placed.by_shape, a, u)], 2)
    else:
        by_axis, by_shape, points = placed.by_axis[:, :, :k], placed.by_shape[:, :, :k], points[:, :k]
    m = points.shape[1]
    to_px = projection_jacobian(xp, points, problem.focal)
    scale, rho = problem.scale[:, :m], problem.rho[:, :m]
    r = (project(points, problem.focal, problem.center) - problem.observed_px[:, :m]) * scale[..., None]
    square = xp.sum(r * r, -1)[..., None, None] + rho[..., None, None] ** 2
    bend = rho[..., None, None] / xp.sqrt(square)
    eye = np.eye(2) if xp is np else xp.eye(2, dtype=r.dtype, device=r.device)
    bent = bend * (eye - r[..., :, None] * r[..., None, :] / square) * scale[..., None, None]
    to_rows = bent @ to_px
    J = point_jacobian(xp, by_axis, by_shape, axes, to_rows)
    size = n_unknowns(b)
    like = {"dtype": r.dtype} if xp is np else {"dtype": r.dtype, "device": r.device}
    full = xp.zeros((n, k + N_LIMBS, 2, size), **like)
    full[:, :m, :, : 69 + b] = J
    if m > k:
        by_factor = (to_rows[:, k:] @ (upstream - anchor)[..., None])[..., 0]
        for limb in range(N_LIMBS):
            full[:, k + limb, :, 71 + b + limb] = by_factor[:, limb]
    return full.reshape(n, -1, size), to_rows


def _add_prior(xp: Any, x: Unknowns, g: Array, H: Array, Pz: Array, P: Array) -> None:
    """Add the pose prior to gradient and matrix: z = [up in the pelvis frame, pose]."""
    b = x.shape.shape[1]
    up, by_tilt = up_in_camera(xp, x.tilt)
    Rt = xp.swapaxes(x.root, 1, 2)
    by_root = Rt @ cross_matrix(xp, up)  # d(R^T exp(-d) up)/dd = R^T [up]x
    du = xp.concatenate([by_root, Rt @ by_tilt], 2)  # (N, 3, 5)
    columns = [0, 1, 2, 69 + b, 70 + b]
    dut = xp.swapaxes(du, 1, 2)
    gu = (dut @ Pz[:, :3, None])[..., 0]
    Huu = dut @ P[:, :3, :3] @ du
    Hup = dut @ P[:, :3, 3:]
    g[:, POSE] += Pz[:, 3:]
    H[:, POSE, POSE] += P[:, 3:, 3:]
    for i, row in enumerate(columns):
        g[:, row] += gu[:, i]
        H[:, row, POSE] += Hup[:, i]
        H[:, POSE, row] += Hup[:, i]
        for j, column in enumerate(columns):
            H[:, row, column] += Huu[:, i, j]


# ---------------------------------------------------------------------------------------------------- posture


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


def _posture_rows(xp: Any, problem: Problem, x: Unknowns, placed: Placed) -> tuple[Array, Array]:
    """Return bone vectors (N, R, 3) and rows (N, R, 3): the part of each bone that gravity says should vanish."""
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    bones = problem.posture.bones @ placed.points[:, k:]
    up, _ = up_in_camera(xp, x.tilt)
    length = xp.sqrt(xp.sum(bones * bones, -1, keepdims=True)) + 1e-9
    vertical = (bones @ up[..., None]) * up[:, None]
    along = problem.posture.along[:, None]
    rows = along * (bones - vertical) + (1 - along) * vertical
    weight = xp.sqrt(problem.posture_on)[..., None] / (length * problem.posture.sigma[:, None])
    return bones, rows * weight


def _posture_jacobian(
    xp: Any, problem: Problem, x: Unknowns, placed: Placed, bones: Array, axes: Array
) -> Array:
    """Return the Jacobian of the posture rows, (N, 3R, n)."""
    n, b = x.shape.shape
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    assert placed.by_axis is not None and placed.by_shape is not None
    r = bones.shape[1]
    up, by_tilt = up_in_camera(xp, x.tilt)
    W = problem.posture.bones
    by_axis = (W @ placed.by_axis[:, :, k:].reshape(n, 22, N_SEGMENT_JOINTS, 9)).reshape(n, 22, r, 3, 3)
    by_shape = W @ placed.by_shape[:, :, k:]
    length = xp.sqrt(xp.sum(bones * bones, -1)) + 1e-9
    weight = (xp.sqrt(problem.posture_on) / (length * problem.posture.sigma))[..., None, None]
    along = problem.posture.along[:, None, None]
    eye = np.eye(3) if xp is np else xp.eye(3, dtype=up.dtype, device=up.device)
    uu = (up[:, :, None] * up[:, None, :])[:, None]
    kept = along * (eye - uu) + (1 - along) * uu
    direction = bones / length[..., None]
    # d(K v / |v|) = (K - K d d^T) dv / |v| for a bone v = |v| d
    to_rows = (kept - (kept @ direction[..., None]) * direction[..., None, :]) * weight
    J = point_jacobian(xp, by_axis, by_shape, axes, to_rows)
    # d(vertical)/d(tilt) = (v . up') up + (v . up) up'
    dv = (
        up[:, None, :, None] * (bones @ by_tilt)[:, :, None, :]
        + (bones @ up[..., None])[..., None] * by_tilt[:, None]
    )
    dv = (1 - 2 * along) * dv * weight
    like = {"dtype": up.dtype} if xp is np else {"dtype": up.dtype, "device": up.device}
    full = xp.zeros((n, r, 3, n_unknowns(b)), **like)
    full[..., : 69 + b] = J
    full[..., 66:69] = 0  # a direction does not move with the body
    full[..., 69 + b : 71 + b] = dv
    return full.reshape(n, 3 * r, -1)


def limit_arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (index into the 63 pose numbers, sign, limit in radians) of the joint limits."""
    axis = np.array([3 * (SMPLX_INDEX[joint] - 1) + a for joint, a, _, _ in LIMITS_DEG])
    return (
        axis,
        np.array([float(s) for _, _, s, _ in LIMITS_DEG]),
        np.radians([limit for *_, limit in LIMITS_DEG]),
    )
