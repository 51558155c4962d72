"""Levenberg-Marquardt for many starts or many people at once, with Nielsen's damping."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbstudio.resihmr.energy import Array, Problem, Unknowns, evaluate

# Nielsen (1999), "Damping parameter in Marquardt's method": first damping, and its growth after a refusal.
FIRST_DAMPING = 1e-2
GROWTH = 2.0
# An item is done after two accepted steps in a row that lower its energy by less than this share.
TOLERANCE = 1e-5
QUIET_STEPS = 2
SMALLEST_DAMPING, LARGEST_DAMPING = 1e-9, 1e9


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the solver stopped: estimate, energy (N,), and the number of steps it took."""

    x: Unknowns
    energy: Array
    steps: int


def minimise(problem: Problem, x: Unknowns, *, steps: int, tolerance: float = TOLERANCE) -> Solution:
    """Lower the energy of every item by at most `steps` damped Gauss-Newton steps; no item ever gets worse."""
    xp = problem.skeleton.xp
    first = evaluate(problem, x, derivatives=True)
    assert first.gradient is not None and first.matrix is not None
    one = xp.ones_like(first.energy)
    now = _State(x, first.energy, first.gradient, first.matrix, one * FIRST_DAMPING, one * GROWTH, 0 * one)
    settled: list[tuple[np.ndarray, _State]] = []
    items = np.arange(len(one))  # the items that `now` still works on
    taken = 0
    for _ in range(steps):
        taken += 1
        now = _stepped(problem, now, tolerance)
        quiet = now.quiet >= QUIET_STEPS
        quiet = quiet if xp is np else quiet.cpu().numpy()
        if quiet.all():
            break
        if quiet.any():
            settled.append((items[quiet], now.taken(np.flatnonzero(quiet))))
            left = np.flatnonzero(~quiet)
            problem, now, items = problem.taken(left), now.taken(left), items[left]
    return _gathered(xp, [*settled, (items, now)], taken)


@dataclass(frozen=True, eq=False)
class _State:
    """Where each item is, the energy's derivatives there, and how boldly it goes on."""

    x: Unknowns
    energy: Array
    gradient: Array
    matrix: Array
    damping: Array
    growth: Array
    quiet: Array

    @property
    def values(self) -> tuple[Array, ...]:
        return (
            *self.x.values,
            self.energy,
            self.gradient,
            self.matrix,
            self.damping,
            self.growth,
            self.quiet,
        )

    def taken(self, index: np.ndarray) -> "_State":
        return _state_of(tuple(value[index] for value in self.values))


def _state_of(values: tuple[Array, ...]) -> _State:
    return _State(Unknowns(*values[:6]), *values[6:])


def _stepped(problem: Problem, now: _State, tolerance: float) -> _State:
    """Try one step for every item; those that it makes worse stay where they are, with more damping."""
    xp = problem.skeleton.xp
    step, scaled = _damped_step(xp, now)
    trial = now.x.stepped(xp, step)
    new = evaluate(problem, trial, derivatives=True)
    assert new.gradient is not None and new.matrix is not None
    gain = now.energy - new.energy
    predicted = xp.sum(step * (scaled - now.gradient), 1)
    ratio = gain / xp.clip(predicted, 1e-300, None)
    better = gain > 0
    shrink = xp.clip(1 - (2 * ratio - 1) ** 3, 1 / 3, None)
    damping = xp.clip(now.damping * xp.where(better, shrink, now.growth), SMALLEST_DAMPING, LARGEST_DAMPING)
    growth = xp.where(better, 0 * now.growth + GROWTH, 2 * now.growth)
    # A refused step counts as quiet only where even the model promised nothing.
    little = xp.where(better, gain, predicted) < tolerance * now.energy
    quiet = xp.where(better & ~little, 0 * now.quiet, now.quiet + little)
    after = _State(trial, new.energy, new.gradient, new.matrix, damping, growth, quiet)
    if bool(better.all()):
        return after
    stay = ~better
    for old, fresh in zip(now.values[:9], after.values[:9], strict=True):
        fresh[stay] = old[stay]  # the trial's arrays were made for this step only
    return after


def _damped_step(xp: Any, now: _State) -> tuple[Array, Array]:
    """Solve (H + mu diag(H)) step = -g for every item; return the step and mu diag(H) step."""
    index = np.arange(now.matrix.shape[-1])
    damped = now.matrix + 0.0
    extra = now.damping[:, None] * now.matrix[:, index, index]
    damped[:, index, index] += extra + 1e-12
    step = -xp.linalg.solve(damped, now.gradient[..., None])[..., 0]
    return step, extra * step


def _gathered(xp: Any, parts: list[tuple[np.ndarray, _State]], steps: int) -> Solution:
    """Put the items back into their first order."""
    if len(parts) == 1:
        return Solution(parts[0][1].x, parts[0][1].energy, steps)
    back = np.argsort(np.concatenate([items for items, _ in parts]))
    columns = zip(*((*state.x.values, state.energy) for _, state in parts), strict=True)
    *values, energy = (xp.concatenate(column)[back] for column in columns)
    return Solution(Unknowns(*values), energy, steps)
