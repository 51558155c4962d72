"""Where a fit begins and how it narrows down: a bank of poses matched to the points, then fewer and better starts."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_COCO
from limbstudio.resihmr.energy import Problem, Unknowns, evaluate
from limbstudio.resihmr.problem import FitModel, FitSettings
from limbstudio.resihmr.skeleton import N_SEGMENT_JOINTS, place
from limbstudio.resihmr.solver import minimise


@lru_cache(maxsize=4)
def _bank(model: FitModel, yaws: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bank of starts seen from evenly spaced yaws: points (S * Y, K, 2) metres, roots (S * Y, 3, 3), poses."""
    starts = model.prior.starts
    local, _ = rotation_and_left_jacobian(np, starts[:, 3:].reshape(-1, 21, 3))
    upright = _upright(starts[:, :3])
    none = np.zeros((len(starts), model.skeleton.n_shape))
    points = place(model.skeleton, upright, local, none, np.zeros((len(starts), 3)), derivatives=False).points
    angle = np.arange(yaws) * (2 * np.pi / yaws)
    zero, one = np.zeros_like(angle), np.ones_like(angle)
    turn = np.array(
        [[np.cos(angle), zero, np.sin(angle)], [zero, one, zero], [-np.sin(angle), zero, np.cos(angle)]]
    )
    view = np.diag([1.0, -1.0, -1.0]) @ turn.transpose(2, 0, 1)  # camera from an upright world
    seen = np.einsum("yab,skb->syka", view[:, :2], points).astype(np.float32)
    roots = view[None] @ upright[:, None]
    return seen.reshape(-1, *seen.shape[2:]), roots.reshape(-1, 3, 3), np.repeat(starts[:, 3:], yaws, axis=0)


def _upright(up: np.ndarray) -> np.ndarray:
    """Return rotations (S, 3, 3) that carry each up direction in the pelvis frame to world up by the shortest way."""
    up = up / np.linalg.norm(up, axis=1, keepdims=True)
    axis = np.cross(up, [0.0, 1.0, 0.0])
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, up[:, 1:2])
    rotation, _ = rotation_and_left_jacobian(np, axis / np.clip(sine, 1e-9, None) * angle)
    return rotation


def start_unknowns(model: FitModel, problem: Problem, settings: FitSettings) -> tuple[np.ndarray, Unknowns]:
    """Return the person index (S,) and the starts (S, ...) of every person.

    The bank's poses, seen from every yaw, are matched to the observed points under the best scale and shift; the
    nearest ones that differ enough from each other are the starts, their translation solved linearly.
    """
    seen, roots, poses = _bank(model, settings.yaws)
    picks = [_nearest_starts(problem, i, seen, settings) for i in range(len(problem.focal))]
    people = np.repeat(np.arange(len(picks)), [len(p) for p in picks])
    index = np.concatenate(picks)
    count = len(index)
    # A number that nothing hangs on stays at zero: the limb that is gone is drawn straight until it is cut.
    pose = np.where(problem.pose_ridge[people] > 0, 0.0, poses[index])
    local, _ = rotation_and_left_jacobian(np, pose.reshape(-1, 21, 3))
    none = np.zeros((count, model.skeleton.n_shape))
    placed = place(model.skeleton, roots[index], local, none, np.zeros((count, 3)), derivatives=False)
    move = _translations(problem, people, placed.points[:, :N_COCO])
    factor = np.where(problem.factor_on[people] > 0, problem.factor_mean[people], 0.5)
    return people, Unknowns(roots[index], pose, move, none, np.zeros((count, 2)), factor)


def _nearest_starts(problem: Problem, person: int, seen: np.ndarray, settings: FitSettings) -> np.ndarray:
    """Return the bank indices of the starts nearest to one person's points, best first."""
    k = problem.skeleton.n_points - N_SEGMENT_JOINTS
    rows = np.flatnonzero(problem.scale[person, :k] > 0)
    ends = np.flatnonzero(problem.scale[person, k:] > 0)
    points = seen[:, rows]
    if len(ends):
        anchor, upstream = (
            seen[:, k + problem.anchor[person, ends]],
            seen[:, k + problem.upstream[person, ends]],
        )
        middle = anchor + problem.factor_mean[person, ends, None].astype(np.float32) * (upstream - anchor)
        points = np.concatenate([points, middle], 1)
    target = problem.observed_px[person, np.concatenate([rows, k + ends])].astype(np.float32)
    target = (target - target.mean(0)).reshape(-1)
    points = (points - points.mean(1, keepdims=True)).reshape(len(seen), -1)
    dot, square = points @ target, np.einsum("sk,sk->s", points, points)
    error = 1 - np.clip(dot, 0, None) ** 2 / (square * (target @ target) + 1e-9)
    chosen: list[int] = []
    flat = points / np.sqrt(square[:, None] + 1e-9)
    order = np.argsort(error)[: settings.bank_candidates]
    for candidate in order:
        # A start must differ from the chosen ones in the bank's own view or in where it looks.
        same_view = candidate % settings.yaws
        if all(
            c % settings.yaws != same_view or flat[c] @ flat[candidate] < settings.bank_apart for c in chosen
        ):
            chosen.append(int(candidate))
        if len(chosen) == settings.starts:
            break
    return np.array(chosen)


def _translations(problem: Problem, people: np.ndarray, points: np.ndarray) -> np.ndarray:
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


def solve_starts(problem: Problem, people: np.ndarray, x: Unknowns, settings: FitSettings) -> "Survivors":
    """Run the schedule: smooth prior from many starts, then the mixture on each person's survivors, the best to the end."""
    energy = evaluate(problem.taken(people), x, derivatives=False).energy
    for keep, steps in zip(settings.smooth_keep, settings.smooth_steps, strict=True):
        best = take_best(people, energy, keep)
        people, x = people[best], x.taken(best)
        solution = minimise(problem.taken(people), x, steps=steps, tolerance=settings.tolerance)
        x, energy = solution.x, solution.energy
    sharp = sharpened(problem)
    for steps in settings.sharp_steps:
        solution = minimise(sharp.taken(people), x, steps=steps, tolerance=settings.tolerance)
        if steps == settings.sharp_steps[-1]:
            break
        others = Survivors(people, solution.x, solution.energy)
        best = take_best(people, solution.energy, 1)
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
