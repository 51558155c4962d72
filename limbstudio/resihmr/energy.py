"""The energy of the initial fit and of joint residual-limb fitting: one function per term.

E(x) = E_data + E_pose + E_shape + E_camera + E_limits + E_posture + E_lambda (+ E_lift) (+ E_contour), most of them
sums of squared rows (ResiHMR equations 1 and 2, made robust, with the residual endpoint of equation 3 inside the main
problem). E_lift and E_pose are negative log densities of mixtures. The unknowns and the problem: `terms`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from limbstudio.body.rotations import constant, cross_matrix, identity, rotation, rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_BODY_JOINTS
from limbstudio.resihmr.curvature import turning_curvature
from limbstudio.resihmr.skeleton import (
    Array,
    Placed,
    Skeleton,
    place,
)
from limbstudio.resihmr.terms import (
    LIMIT_SIGMA,
    MOVE,
    N_LIMBS,
    POSE,
    ROOT,
    Problem,
    Targets,
    Unknowns,
    n_unknowns,
    zeros,
)

# ------------------------------------------------------------------------------------------------- the energy


@dataclass(frozen=True, eq=False)
class DataRows:
    """The data rows in the order of the 21 observed points, zero where nothing is observed.

    rows (N, 21, 2): weighted residuals; jacobian (N, 42, n); by_point (N, 21, 2, 3): the rows by their own point.
    """

    rows: Array
    jacobian: Array
    by_point: Array


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Energy (N,), and gradient (N, n) and Gauss-Newton matrix (N, n, n) of half of it where asked for.

    shares: what the terms add up to: arrays (N,), or (N, n) for those of single unknowns. bend (N, 66, 66), where
    asked for: what the points' bent paths add to the matrix of root and pose to make it nearly the Hessian.
    """

    energy: Array
    gradient: Array | None
    matrix: Array | None
    placed: Placed
    shares: dict[str, Array]
    problem: Problem
    picture: "PictureRows"
    jacobian: Array | None
    bend: Array | None = None

    @cached_property
    def terms(self) -> dict[str, Array]:
        """The energy by term, each (N,)."""
        b = self.problem.skeleton.n_shape
        own, limits = self.shares["numbers"], self.shares["limits"]
        terms = {name: value for name, value in self.shares.items() if name not in ("numbers", "limits")}
        terms["pose"] = terms["pose"] + own[:, POSE].sum(1)
        terms["limits"] = limits.sum(1)
        terms["shape"] = own[:, 69 : 69 + b].sum(1)
        terms["camera"] = own[:, 69 + b : 71 + b].sum(1)
        terms["lambda"] = own[:, 71 + b :].sum(1)
        return terms

    def moves_px(self, step: Array) -> Array:
        """Return by how many pixels a step (N, n) moves the observed point that it moves most, (N,)."""
        assert self.jacobian is not None
        xp, d = self.problem.skeleton.xp, self.problem.targets.n_points
        moved = (step[:, None] @ self.jacobian[..., : 2 * d]).reshape(len(step), 2, d)
        # Rows are in sigmas; what is not observed has none.
        scale = self.problem.scale[:, self.problem.targets.seen]
        reach = (moved**2).sum(1) / xp.where(scale > 0, scale, 0 * scale + 1) ** 2
        return (reach.max(1) if xp is np else xp.amax(reach, 1)) ** 0.5

    @cached_property
    def data(self) -> DataRows | None:
        """The data rows, where derivatives were asked for."""
        if self.jacobian is None:
            return None
        xp, seen = self.problem.skeleton.xp, self.problem.targets.seen
        n, size, _ = self.jacobian.shape
        d, m = len(seen), self.problem.scale.shape[1]
        rows = zeros(xp, self.energy, (n, m, 2))
        rows[:, seen] = self.picture.rows.swapaxes(1, 2)
        jacobian = zeros(xp, self.energy, (n, m, 2, size))
        jacobian[:, seen] = xp.moveaxis(self.jacobian[:, :, : 2 * d].reshape(n, size, 2, d), (3, 2), (1, 2))
        by_point = zeros(xp, self.energy, (n, m, 2, 3))
        by_point[:, seen] = xp.moveaxis(self.picture.by_point(xp, self.problem.targets), (3, 2), (1, 2))
        return DataRows(rows, jacobian.reshape(n, 2 * m, size), by_point)


def up_in_camera(xp: Any, tilt: Array) -> tuple[Array, Array]:
    """Return the up direction (N, 3) in the camera frame and its derivative (N, 3, 2) by pitch and roll, radians.

    Pitch is positive when the camera looks down; with no tilt up is -y.
    """
    sine, cosine = xp.sin(tilt), xp.cos(tilt)
    one = xp.ones_like(sine[:, :1])
    pitch = xp.concatenate([sine[:, :1], cosine[:, :1], one], 1)
    roll = xp.concatenate([sine[:, 1:], cosine[:, 1:]], 1)
    products = (pitch[:, :, None] * roll[:, None]).reshape(-1, 6)
    numbers = products @ constant(xp, tilt, _UP)
    return numbers[:, :3], numbers[:, 3:].reshape(-1, 3, 2)


# Up (x, y, z), then each component by pitch and by roll, from products of (sin p, cos p, 1) and (sin r, cos r).
_UP = (
    (0, 0, 0, 0, 0, 0, 0, 0, 1),
    (0, 0, -1, 0, 0, 1, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 1, 0, 0),
    (0, -1, 0, 0, 0, 0, 0, -1, 0),
    (1, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 1, 0, 0, 0, 0),
)


def project(points: Array, focal: Array, center: Array) -> Array:
    """Project camera-frame points (N, M, 3) to pixels (N, M, 2)."""
    return focal[:, None, None] * points[..., :2] / points[..., 2:] + center[:, None]


@dataclass(frozen=True, eq=False)
class PictureRows:
    """E_data's rows (equation 2, Geman-McClure), component first: rows (N, 2, D) in sigmas after the robust bend.

    flat (N, 2, D): points over their depth; depth, bend, spread (N, 1, D): of the bend and its derivative; raw: before.
    """

    rows: Array
    raw: Array
    flat: Array
    depth: Array
    bend: Array
    spread: Array

    def by_point(self, xp: Any, targets: Targets) -> Array:
        """Return the derivative of the rows by their own point, (N, 3 xyz, 2 rows, D)."""
        n, _, d = self.rows.shape
        weight = self.bend * targets.focal_scale / self.depth
        out = zeros(xp, self.rows, (n, 3, 2, d))
        # bend * (I - r r^T / (r^2 + rho^2)) by the pixel, then the projection's own derivative.
        out[:, :2] = self.raw[:, :, None] * ((-weight / self.spread) * self.raw)[:, None]
        out[:, 0, 0] += weight[:, 0]
        out[:, 1, 1] += weight[:, 0]
        out[:, 2] = -(out[:, :2] * self.flat[:, :, None]).sum(1)
        return out


def _picture_rows(xp: Any, targets: Targets, columns: Array) -> PictureRows:
    depth = columns[:, 2:]
    flat = columns[:, :2] / depth
    raw = flat * targets.focal_scale + targets.offset
    spread = (raw * raw).sum(1)[:, None] + targets.rho_square
    bend = targets.rho / xp.sqrt(spread)
    return PictureRows(raw * bend, raw, flat, depth, bend, spread)


def _student(xp: Any, square: Array, tail: float, count: Array) -> tuple[Array, Array]:
    """Return the energy and gradient weight of a sum of squares whose common scale is unknown (Student's t).

    With `tail` degrees of freedom and `count` rows: (nu + n) log(1 + s / nu), weight (nu + n) / (nu + s). A tail of 0
    means that the scale is known.
    """
    if not tail:
        return square, xp.ones_like(square)
    return (tail + count) * xp.log1p(square / tail), (tail + count) / (tail + square)


def _prior_terms(xp: Any, problem: Problem, x: Unknowns, up: Array) -> tuple[Array, Array, Array]:
    """Return E_pose (N,), half its gradient by z (N, 66) and its Gauss-Newton matrix (N, 66, 66).

    z = [up in the pelvis frame, pose].
    """
    up_pelvis = (up[:, None] @ x.root)[:, 0]
    z = xp.concatenate([up_pelvis, x.pose], 1)
    if problem.use_mixture and problem.mixture is not None:
        return problem.mixture.terms(xp, z)
    z = z - problem.prior_mean
    Pz = (problem.prior_precision @ z[..., None])[..., 0]
    square = (z * Pz).sum(1)
    energy, weight = _student(xp, square, problem.tail, problem.beliefs.existing)
    return energy, weight[:, None] * Pz, weight[:, None, None] * problem.prior_precision


def place_at(problem: Problem, x: Unknowns) -> Placed:
    """Pose a problem's skeleton as an estimate says."""
    local = rotation(problem.skeleton.xp, x.pose.reshape(len(x.pose), 21, 3))
    return place(problem.skeleton, x.root, local, x.shape, x.move, derivatives=False)


def evaluate(problem: Problem, x: Unknowns, *, derivatives: bool, bent: bool = False) -> Evaluation:
    """Evaluate the energy at `x`, with its gradient and Gauss-Newton matrix when `derivatives`.

    bent: with what the matrix leaves out as well.
    """
    s, xp, targets, beliefs = problem.skeleton, problem.skeleton.xp, problem.targets, problem.beliefs
    n, b = x.shape.shape
    d = targets.n_points
    local, left = rotation_and_left_jacobian(xp, x.pose.reshape(n, 21, 3))
    placed = place(s, x.root, local, x.shape, x.move, derivatives=derivatives)
    up, by_tilt = up_in_camera(xp, x.tilt)
    mix = _mix(targets, x)
    columns = placed.columns @ mix
    picture = _picture_rows(xp, targets, columns[..., :d])
    e_pose, Pz, prior_matrix = _prior_terms(xp, problem, x, up)
    # The root's three are any numbers: nothing is believed of them.
    numbers = xp.concatenate([x.root[:, 0], x.pose, x.move, x.shape, x.tilt, x.factor], 1)
    gap = numbers - beliefs.mean
    pull = beliefs.weight * gap
    over = (numbers - xp.maximum(xp.minimum(numbers, beliefs.highest), beliefs.lowest)) / LIMIT_SIGMA
    shares = {
        "data": (picture.rows**2).sum((1, 2)),
        "pose": e_pose,
        "numbers": gap * pull,
        "limits": over * over,
    }
    energy = shares["data"] + e_pose + (shares["numbers"] + shares["limits"]).sum(1)
    bones = _bone_rows(xp, targets, columns[..., d:], up) if columns.shape[2] > d else None
    shares["posture"] = 0.0 * e_pose if bones is None else (bones.rows**2).sum((1, 2))
    if problem.stature_row is not None:
        height = x.shape @ problem.stature_row[:b] + problem.stature_row[b]
        stature_gap = (height - problem.stature) / problem.stature_sigma
        shares["stature"] = stature_gap**2
    contour = None
    if problem.contour is not None:
        contour = problem.contour.rows(problem, x, local, derivatives=derivatives, left=left)
        shares["contour"] = contour.energy
    lifted = None if problem.lift is None else problem.lift.terms(xp, placed.columns)
    if lifted is not None:
        shares["lift"] = lifted.energy
    for name in ("posture", "stature", "lift", "contour"):
        if name in shares:
            energy = energy + shares[name]
    if not derivatives:
        return Evaluation(energy, None, None, placed, shares, problem, picture, None)

    size = n_unknowns(b)
    assert placed.lever is not None and placed.shaped is not None
    by_row = mix[..., targets.columns]
    to_rows = picture.by_point(xp, targets).reshape(n, 3, -1)
    rows = picture.rows.reshape(n, -1)
    if bones is not None:
        to_rows = xp.concatenate([to_rows, bones.by_bone(xp, targets, up).reshape(n, 3, -1)], 2)
        rows = xp.concatenate([rows, bones.rows.reshape(n, -1)], 1)
    q = rows.shape[1]
    if problem.lift is not None:
        by_row = xp.concatenate([by_row, problem.lift.mix], 2)
        to_rows = xp.concatenate([to_rows, problem.lift.to_rows], 2)
    Jt = zeros(xp, energy, (n, size, to_rows.shape[2]))
    lever = (placed.lever.reshape(n, 66, -1) @ by_row).reshape(n, N_BODY_JOINTS, 3, -1)
    axes = body_axes(xp, s, placed, left)
    Jt[:, : 69 + b] = row_jacobian(
        xp, lever, (placed.shaped.reshape(n, 3 * b, -1) @ by_row).reshape(n, 3, b, -1), axes, to_rows
    )
    _add_factor(targets, placed, to_rows, Jt)
    if bones is not None:
        Jt[:, 69 + b : 71 + b, 2 * d : q] = bones.by_tilt(targets, up, by_tilt)
    Jt[:, MOVE, 2 * d :] = 0  # neither a direction nor a bone's depth moves with the body
    weighted = Jt
    if lifted is not None:
        rows = xp.concatenate([rows, lifted.gradient], 1)
        weighted = xp.concatenate([Jt[..., :q], Jt[..., q:] @ lifted.matrix], 2)
    g = (Jt @ rows[..., None])[..., 0]
    H = weighted @ Jt.swapaxes(1, 2)
    _add_prior(xp, x, up, by_tilt, g, H, Pz, prior_matrix)
    g += pull + over / LIMIT_SIGMA
    H.reshape(n, -1)[:, :: size + 1] += beliefs.diagonal + (over != 0) / LIMIT_SIGMA**2
    if problem.stature_row is not None:
        row = problem.stature_row[:b] / problem.stature_sigma
        g[:, 69 : 69 + b] += stature_gap[:, None] * row
        H[:, 69 : 69 + b, 69 : 69 + b] += row[:, None] * row
    if contour is not None:
        g += contour.gradient
        H += contour.matrix
    bend = None
    if bent:
        pull = to_rows[..., :d] * rows[:, None, :d] + to_rows[..., d : 2 * d] * rows[:, None, d : 2 * d]
        pull = xp.concatenate([pull, to_rows[..., q:] * rows[:, None, q:]], 2)
        bent_lever = xp.concatenate([lever[..., :d], lever[..., q:]], 3)
        bend = turning_curvature(s, lever=bent_lever, pull=pull, axes=axes)
    return Evaluation(energy, g, H, placed, shares, problem, picture, Jt, bend)


def _mix(targets: Targets, x: Unknowns) -> Array:
    """Return how the compared points are mixed from the skeleton's at the present factors (equation 3)."""
    if not targets.slots:
        return targets.mix
    mix = targets.mix + 0.0
    ends = slice(targets.n_points - len(targets.slots), targets.n_points)
    mix[..., ends] += targets.along * x.factor[:, None, list(targets.slots)]
    return mix


def body_axes(xp: Any, skeleton: Skeleton, placed: Placed, left: Array) -> Array:
    """Return, per joint, the camera-frame axes (N, 22, 3, 3) about which its unknowns turn it (columns).

    The root's are the camera's own; the others' come from the left Jacobian (N, 21, 3, 3) of their rotation vectors.
    """
    axes = zeros(xp, left, (left.shape[0], N_BODY_JOINTS, 3, 3))
    axes[:, 0] = identity(xp, left)
    axes[:, 1:] = placed.rotations[:, skeleton.parents[1:]] @ left
    return axes


def row_jacobian(xp: Any, lever: Array, shaped: Array, axes: Array, to_rows: Array) -> Array:
    """Return d(rows)/d(root, pose, move, shape) as columns, (N, 69 + B, Q).

    Each of the Q rows is a direction q at some point, to_rows (N, 3, Q). lever (N, 22, 3, Q), shaped (N, 3, B, Q): the
    points' derivatives, as in Placed. axes (N, 22, 3, 3): as `body_axes` returns them.
    """
    (lx, ly, lz), (qx, qy, qz) = (lever[:, :, i] for i in range(3)), (to_rows[:, None, i] for i in range(3))
    # A row turns with its joint by q . (w x L) = w . (L x q) about any axis w.
    turned = xp.stack([ly * qz - lz * qy, lz * qx - lx * qz, lx * qy - ly * qx], 2)
    posed = (axes.swapaxes(2, 3) @ turned).reshape(len(axes), 66, -1)
    return xp.concatenate([posed, to_rows, (shaped * to_rows[:, :, None]).sum(1)], 1)


def _add_factor(targets: Targets, placed: Placed, to_rows: Array, Jt: Array) -> None:
    """Write what the factors do to their ends' rows."""
    if not targets.slots:
        return
    d, first = targets.n_points, Jt.shape[1] - N_LIMBS
    bones = placed.columns @ targets.along  # (N, 3, L): from anchor to upstream
    for i, slot in enumerate(targets.slots):
        end = d - len(targets.slots) + i
        for row in (end, d + end):
            Jt[:, first + slot, row] = (to_rows[:, :, row] * bones[:, :, i]).sum(1)


def _add_prior(
    xp: Any, x: Unknowns, up: Array, by_tilt: Array, g: Array, H: Array, Pz: Array, P: Array
) -> None:
    """Add the pose prior to gradient and matrix: z = [up in the pelvis frame, pose]. P is used up."""
    tilt = slice(69 + x.shape.shape[1], 71 + x.shape.shape[1])
    # d(R^T exp(-d) up)/dd = R^T [up]x for the root's three, then the two of the tilt.
    du = x.root.swapaxes(1, 2) @ xp.concatenate([cross_matrix(xp, up), by_tilt], 2)  # (N, 3, 5)
    dut = du.swapaxes(1, 2)
    gu = (dut @ Pz[:, :3, None])[..., 0]
    g[:, ROOT] += gu[:, :3]
    g[:, POSE] += Pz[:, 3:]
    g[:, tilt] += gu[:, 3:]
    across = P[:, :, :3] @ du  # (N, 66, 5)
    P[:, :, :3] = across[..., :3]
    beside = dut @ P[:, :3]  # (N, 5, 66): rows of root and tilt by root and pose
    P[:, :3] = beside[:, :3]
    H[:, :66, :66] += P
    H[:, tilt, :66] += beside[:, 3:]
    H[:, :66, tilt] += beside[:, 3:].swapaxes(1, 2)
    H[:, tilt, tilt] += dut[:, 3:] @ across[:, :3, 3:]


@dataclass(frozen=True, eq=False)
class BoneRows:
    """The part of each bone that gravity says should vanish: rows (N, 3 xyz, R), weighted by 1 / sigma.

    direction (N, 3, R): of the bones. vertical (N, 1, R): their component along up. length (N, 1, R) metres.
    """

    rows: Array
    direction: Array
    vertical: Array
    length: Array

    def by_bone(self, xp: Any, targets: Targets, up: Array) -> Array:
        """Return the rows by the bone, (N, 3 xyz, 3 rows, R)."""
        uu = (up[:, :, None] * up[:, None])[..., None]
        lengthwise = targets.lengthwise[:, None]
        # Along gravity I - u u^T is kept of a bone, across it u u^T.
        kept = (1 - 2 * lengthwise) * uu + lengthwise * identity(xp, up)[..., None]
        # d(K v / |v|) = (K - K d d^T) dv / |v| for a bone v = |v| d
        turned = self.direction[:, :, None] * self.rows[:, None]
        return (kept * targets.bone_weight[:, None] - turned) / self.length[:, None]

    def by_tilt(self, targets: Targets, up: Array, by_tilt: Array) -> Array:
        """Return the rows by pitch and roll, (N, 2, 3 * R)."""
        # d(vertical)/d(tilt) = (d . up') up + (d . up) up', in units of the bone's length
        turned = by_tilt.swapaxes(1, 2) @ self.direction  # (N, 2, R)
        change = turned[:, :, None] * up[:, None, :, None]
        change = change + self.vertical[:, None] * by_tilt.swapaxes(1, 2)[..., None]
        weight = ((1 - 2 * targets.lengthwise) * targets.bone_weight)[:, None]
        return (change * weight).reshape(len(up), 2, -1)


def _bone_rows(xp: Any, targets: Targets, bones: Array, up: Array) -> BoneRows:
    """Compare bone vectors (N, 3, R) with gravity."""
    length = xp.sqrt((bones * bones).sum(1))[:, None] + 1e-9
    direction = bones / length
    vertical = up[:, None] @ direction
    flat = vertical * up[..., None]
    rows = targets.lengthwise * (direction - flat) + (1 - targets.lengthwise) * flat
    return BoneRows(rows * targets.bone_weight, direction, vertical, length)
