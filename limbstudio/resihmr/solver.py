"""Levenberg-Marquardt for many starts or many people at once, with Nielsen's damping."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbstudio.resihmr.energy import Evaluation, evaluate
from limbstudio.resihmr.skeleton import Array
from limbstudio.resihmr.terms import Problem, Unknowns, as_numpy

# Nielsen (1999), "Damping parameter in Marquardt's method": first damping, and its growth after a refusal.
FIRST_DAMPING = 1e-2
GROWTH = 2.0
# An item is done after two accepted steps in a row that lower its energy by less than this share.
TOLERANCE = 1e-5
QUIET_STEPS = 2
# Polishing begins near an optimum, where the model can be believed.
POLISH_DAMPING = 1e-4
SMALLEST_DAMPING, LARGEST_DAMPING = 1e-9, 1e9


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the solver stopped: estimate, energy (N,), and the number of steps it took.

    evaluation: with derivatives at x, where the solver still has it (always for a single item).
    """

    x: Unknowns
    energy: Array
    steps: int
    evaluation: Evaluation | None = None


def minimise(
    problem: Problem,
    x: Unknowns,
    *,
    steps: int,
    tolerance: float = TOLERANCE,
    bent: bool = False,
) -> Solution:
    """Lower the energy of every item by at most `steps` damped Gauss-Newton steps; no item ever gets worse.

    An item is done after QUIET_STEPS steps in a row that lower its energy by a smaller share than `tolerance`.
    bent: take Newton's steps where they lead down, for the last stretch to an optimum (see `curvature`).
    """
    xp = problem.skeleton.xp
    now = _begun(problem, x, FIRST_DAMPING, bent)
    settled: list[tuple[np.ndarray, _Point]] = []
    items = np.arange(len(now.damping))  # the items that are still at work
    taken = 0
    while taken < steps:
        step, promised = _damped_step(xp, now.point, now.damping)
        taken += 1
        now = _stepped(problem, now, step, promised, tolerance)
        quiet = now.quiet >= QUIET_STEPS
        if quiet.all():
            break
        if quiet.any():
            settled.append((items[quiet], now.point.taken(np.flatnonzero(quiet))))
            left = np.flatnonzero(~quiet)
            problem, now, items = problem.taken(left), now.taken(left), items[left]
    return _gathered(xp, [*settled, (items, now.point)], taken)


def polish(problem: Problem, x: Unknowns, *, steps: int, within_px: float) -> Solution:
    """Go the last stretch to an optimum nearby, by Newton's steps, until the next one moves no point by `within_px`."""
    xp = problem.skeleton.xp
    now = _begun(problem, x, POLISH_DAMPING, bent=True)
    taken = 0
    while taken < steps:
        step, promised = _damped_step(xp, now.point, now.damping)
        assert now.point.evaluation is not None
        if (now.point.evaluation.moves_px(step) < within_px).all():
            break
        taken += 1
        now = _stepped(problem, now, step, promised, tolerance=0.0)
    return _gathered(xp, [(np.arange(len(now.damping)), now.point)], taken)


def _begun(problem: Problem, x: Unknowns, damping: float, bent: bool) -> "_State":
    first = evaluate(problem, x, derivatives=True, bent=bent)
    one = np.ones(len(first.energy))
    point = _Point(x, first.energy, first.gradient, first.matrix, first.bend, first)
    return _State(point, one * damping, one * GROWTH, 0 * one)


@dataclass(frozen=True, eq=False)
class _Point:
    """Where each item is, and the energy and its derivatives there; evaluation: that of all items, if it is one."""

    x: Unknowns
    energy: Array
    gradient: Any
    matrix: Any
    bend: Any
    evaluation: Evaluation | None = None

    @property
    def values(self) -> tuple[Array, ...]:
        bend = () if self.bend is None else (self.bend,)
        return (*self.x.values, self.energy, self.gradient, self.matrix, *bend)

    def taken(self, index: np.ndarray) -> "_Point":
        x = Unknowns(*(value[index] for value in self.x.values))
        bend = None if self.bend is None else self.bend[index]
        return _Point(x, self.energy[index], self.gradient[index], self.matrix[index], bend)


@dataclass(frozen=True, eq=False)
class _State:
    """A point and how boldly each item goes on from there: damping, its growth, quiet steps so far, each (N,) numpy."""

    point: _Point
    damping: np.ndarray
    growth: np.ndarray
    quiet: np.ndarray

    def taken(self, index: np.ndarray) -> "_State":
        return _State(self.point.taken(index), self.damping[index], self.growth[index], self.quiet[index])


def _stepped(problem: Problem, now: _State, step: Array, predicted: np.ndarray, tolerance: float) -> _State:
    """Try one step for every item; those that it makes worse stay where they are, with more damping."""
    here = now.point
    trial = here.x.stepped(problem.skeleton.xp, step)
    new = evaluate(problem, trial, derivatives=True, bent=here.bend is not None)
    there = _Point(trial, new.energy, new.gradient, new.matrix, new.bend, new)
    energy = as_numpy(here.energy)
    gain = energy - as_numpy(new.energy)
    better = gain > 0
    ratio = gain / np.maximum(predicted, 1e-300)
    shrink = np.maximum(1 - (2 * ratio - 1) ** 3, 1 / 3)
    damping = now.damping * np.where(better, shrink, now.growth)
    damping = np.minimum(np.maximum(damping, SMALLEST_DAMPING), LARGEST_DAMPING)
    growth = np.where(better, GROWTH, 2 * now.growth)
    # A refused step counts as quiet only where even the model promised nothing.
    little = np.where(better, gain, predicted) < tolerance * energy
    quiet = np.where(better & ~little, 0, now.quiet + little)
    if not better.any():
        there = here
    elif not better.all():
        stay = np.flatnonzero(~better)
        for old, fresh in zip(here.values, there.values, strict=True):
            fresh[stay] = old[stay]  # the trial's arrays were made for this step only
        there = replace(there, evaluation=None)
    return _State(there, damping, growth, quiet)


def _damped_step(xp: Any, here: _Point, damping: np.ndarray) -> tuple[Array, np.ndarray]:
    """Solve (H + mu diag(H)) step = -g for every item; return the step and what it should lower the energy by."""
    mu = damping if xp is np else xp.as_tensor(damping, device=here.matrix.device)
    damped = here.matrix + 0.0
    diagonal = damped.reshape(len(damped), -1)[:, :: damped.shape[-1] + 1]
    extra = mu[:, None] * diagonal
    diagonal += extra + 1e-12
    if here.bend is not None:
        _bend(xp, damped, here.bend)
    step = -xp.linalg.solve(damped, here.gradient[..., None])[..., 0]
    return step, as_numpy((step * (extra * step - here.gradient)).sum(1))


def _bend(xp: Any, damped: Array, bend: Array) -> None:
    """Make damped Gauss-Newton matrices damped Hessians, where those are positive: only then do their steps descend."""
    part = damped[:, : bend.shape[1], : bend.shape[1]]
    part += bend
    for i in np.flatnonzero(~_positive(xp, damped)):
        part[i] -= bend[i]


def _positive(xp: Any, matrices: Array) -> np.ndarray:
    """Tell which of symmetric matrices (N, n, n) are positive definite."""
    if xp is not np:
        return as_numpy(xp.linalg.cholesky_ex(matrices).info == 0)
    found = np.ones(len(matrices), bool)
    for i, matrix in enumerate(matrices):
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            found[i] = False
    return found


def _gathered(xp: Any, parts: list[tuple[np.ndarray, _Point]], steps: int) -> Solution:
    """Put the items back into their first order."""
    if len(parts) == 1:
        end = parts[0][1]
        return Solution(end.x, end.energy, steps, end.evaluation)
    back = np.argsort(np.concatenate([items for items, _ in parts]))
    columns = zip(*(point.values[:7] for _, point in parts), strict=True)
    *x, energy = (xp.concatenate(column)[back] for column in columns)
    return Solution(Unknowns(*x), energy, steps)
