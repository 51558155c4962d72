"""Where a fit begins and how it narrows down: a bank of poses matched to the points, then fewer and better starts."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import N_COCO
from limbstudio.resihmr.energy import evaluate
from limbstudio.resihmr.problem import FitModel, FitSettings
from limbstudio.resihmr.skeleton import N_SEGMENT_JOINTS, place
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.terms import Problem, Unknowns, as_numpy


@dataclass(frozen=True, eq=False)
class _Bank:
    """The starting poses seen from evenly spaced yaws, S poses times Y yaws, single precision.

    across, down (S * Y, K): the points, metres. square (S * Y, K): of their distance from the axis of view.
    roots (S * Y, 3, 3): orientations. poses (S * Y, 63).
    """

    across: np.ndarray
    down: np.ndarray
    square: np.ndarray
    roots: np.ndarray
    poses: np.ndarray


@lru_cache(maxsize=4)
def _bank(model: FitModel, yaws: int) -> _Bank:
    starts = model.prior.starts
    local = rotation(np, starts[:, 3:].reshape(-1, 21, 3))
    upright = turned_upright(starts[:, :3])
    none = np.zeros((len(starts), model.skeleton.n_shape))
    points = place(model.skeleton, upright, local, none, np.zeros((len(starts), 3)), derivatives=False).points
    angle = np.arange(yaws) * (2 * np.pi / yaws)
    zero, one = np.zeros_like(angle), np.ones_like(angle)
    turn = np.array(
        [[np.cos(angle), zero, np.sin(angle)], [zero, one, zero], [-np.sin(angle), zero, np.cos(angle)]]
    )
    view = np.diag([1.0, -1.0, -1.0]) @ turn.transpose(2, 0, 1)  # camera from an upright world
    seen = np.einsum("yab,skb->asyk", view[:, :2], points).reshape(2, -1, points.shape[1])
    across, down = seen.astype(np.float32)
    roots = (view[None] @ upright[:, None]).reshape(-1, 3, 3)
    return _Bank(across, down, across**2 + down**2, roots, np.repeat(starts[:, 3:], yaws, axis=0))


def turned_upright(up: np.ndarray) -> np.ndarray:
    """Return rotations (S, 3, 3) that carry each up direction in the pelvis frame to world up by the shortest way."""
    up = up / np.linalg.norm(up, axis=1, keepdims=True)
    axis = np.cross(up, [0.0, 1.0, 0.0])
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, up[:, 1:2])
    return rotation(np, axis / np.clip(sine, 1e-9, None) * angle)


def start_unknowns(model: FitModel, problem: Problem, settings: FitSettings) -> tuple[np.ndarray, Unknowns]:
    """Return the person index (S,) and the starts (S, ...) of every person.

    The bank's poses, seen from every yaw, are matched to the observed points under the best scale and shift; the
    nearest ones that differ enough from each other are the starts, their translation solved linearly.
    """
    bank = _bank(model, settings.yaws)
    picks = [_nearest_starts(problem, i, bank, settings) for i in range(len(problem.focal))]
    people = np.repeat(np.arange(len(picks)), [len(p) for p in picks])
    index = np.concatenate(picks)
    count = len(index)
    # A number that nothing hangs on stays at zero: the limb that is gone is drawn straight until it is cut.
    pose = np.where(problem.pose_ridge[people] > 0, 0.0, bank.poses[index])
    local = rotation(np, pose.reshape(-1, 21, 3))
    none = np.zeros((count, model.skeleton.n_shape))
    placed = place(model.skeleton, bank.roots[index], local, none, np.zeros((count, 3)), derivatives=False)
    move = translations(problem, people, placed.points[:, :N_COCO])
    factor = np.where(problem.factor_on[people] > 0, problem.factor_mean[people], 0.5)
    return people, Unknowns(bank.roots[index], pose, move, none, np.zeros((count, 2)), factor)


def _nearest_starts(problem: Problem, person: int, bank: _Bank, settings: FitSettings) -> np.ndarray:
    """Return the bank indices of the starts nearest to one person's points, best first."""
    mix, target = _weak_targets(problem, person)
    target = target - target.mean(0)
    # Distances under the best scale and shift follow from sums over the points; only the ends are mixed.
    plain = (mix.max(1) == 1) & (mix.sum(1) == 1)
    single, ends = mix[plain].sum(0), mix[~plain]
    dot = bank.across @ (target[:, 0] @ mix) + bank.down @ (target[:, 1] @ mix)
    square = bank.square @ single
    for end in ends:
        square += (bank.across @ end) ** 2 + (bank.down @ end) ** 2
    total = mix.sum(0)
    square -= ((bank.across @ total) ** 2 + (bank.down @ total) ** 2) / len(mix)
    likeness = np.maximum(dot, 0) ** 2 / (square + 1e-9)
    count = min(settings.bank_candidates, len(likeness))
    order = np.argpartition(-likeness, count - 1)[:count]
    order = order[np.argsort(-likeness[order], kind="stable")]
    flat = np.concatenate([bank.across[order] @ mix.T, bank.down[order] @ mix.T], 1).reshape(count, 2, -1)
    flat = (flat - flat.mean(2, keepdims=True)).reshape(count, -1)
    flat /= np.sqrt((flat * flat).sum(1, keepdims=True) + 1e-9)
    # A start must differ from the chosen ones in the bank's own view or in where it looks.
    view = order % settings.yaws
    left = np.ones(count, bool)
    chosen: list[int] = []
    while left.any() and len(chosen) < settings.starts:
        best = int(np.argmax(left))
        chosen.append(best)
        left &= (view != view[best]) | (flat @ flat[best] < settings.bank_apart)
        left[best] = False
    return order[chosen]


def _weak_targets(problem: Problem, person: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how a person's observed points are mixed from the skeleton's, (M, K), and where they are seen, (M, 2)."""
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    rows = np.flatnonzero(problem.scale[person] > 0)
    mix = np.zeros((len(rows), problem.skeleton.n_points), np.float32)
    for i, row in enumerate(rows):
        if row < k:
            mix[i, row] = 1
            continue
        factor = problem.factor_mean[person, row - k]
        mix[i, k + problem.anchor[person, row - k]] = 1 - factor
        mix[i, k + problem.upstream[person, row - k]] += factor
    return mix, problem.observed_px[person, rows].astype(np.float32)


def translations(problem: Problem, people: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Solve f (X + t) / (Z + tz) = u for t by least squares over the observed points, for every start."""
    w = (problem.scale[people, :N_COCO] > 0).astype(float)
    u = (problem.observed_px[people, :N_COCO] - problem.center[people][:, None]) / problem.focal[people][
        :, None, None
    ]
    # Rows: tx - u tz = u Z - X, and the same for y.
    A = np.zeros((len(people), N_COCO, 2, 3))
    A[..., 0, 0] = A[..., 1, 1] = 1
    A[..., 2] = -u
    rhs = u * points[..., 2:] - points[..., :2]
    A = (A * w[..., None, None]).reshape(len(people), -1, 3)
    rhs = (rhs * w[..., None]).reshape(len(people), -1, 1)
    At = A.transpose(0, 2, 1)
    t = np.linalg.solve(At @ A + 1e-9 * np.eye(3), At @ rhs)[..., 0]
    nearest = 0.3 - points[..., 2].min(1)
    t[:, 2] = np.maximum(t[:, 2], nearest)
    return t


def take_best(people: np.ndarray, energy: np.ndarray, keep: int) -> np.ndarray:
    """Return the indices of each person's `keep` lowest energies, best first within a person."""
    order = np.lexsort((energy, people))
    rank = np.arange(len(order)) - np.searchsorted(people[order], people[order])
    return order[rank < keep]


def smooth_rounds(problem: Problem, people: np.ndarray, x: Unknowns, settings: FitSettings) -> "Survivors":
    """Run the schedule's first half: the single Gaussian from many starts, fewer of them in each round."""
    energy = evaluate(problem.taken(people), x, derivatives=False).energy
    for keep, steps in zip(settings.smooth_keep, settings.smooth_steps, strict=True):
        best = take_best(people, as_numpy(energy), keep)
        people, x = people[best], x.taken(best)
        solution = minimise(problem.taken(people), x, steps=steps, tolerance=settings.tolerance)
        x, energy = solution.x, solution.energy
    return Survivors(people, x, energy)


def solve_starts(problem: Problem, people: np.ndarray, x: Unknowns, settings: FitSettings) -> "Survivors":
    """Run the schedule: smooth prior from many starts, then the mixture on the survivors, the best to the end."""
    smooth = smooth_rounds(problem, people, x, settings)
    people, x = smooth.people, smooth.x
    sharp = sharpened(problem)
    for steps in settings.sharp_steps:
        last = steps == settings.sharp_steps[-1]
        solution = minimise(sharp.taken(people), x, steps=steps, tolerance=settings.tolerance, bent=last)
        if steps == settings.sharp_steps[-1]:
            break
        others = Survivors(people, solution.x, solution.energy)
        best = take_best(people, as_numpy(solution.energy), 1)
        people, x = people[best], solution.x.taken(best)
    return Survivors(people, solution.x, solution.energy, others)


@dataclass(frozen=True, eq=False)
class Survivors:
    """Estimates of several people: people (M,) index, x, energy (M,); others: the last round's, the best included."""

    people: np.ndarray
    x: Unknowns
    energy: np.ndarray
    others: "Survivors | None" = None


def sharpened(problem: Problem) -> Problem:
    """Return the problem with the mixture in place of the single Gaussian."""
    return replace(problem, use_mixture=True)
