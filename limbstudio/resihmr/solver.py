"""Levenberg-Marquardt for many starts or many people at once, with Nielsen's damping."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbstudio.resihmr.energy import Array, Evaluation, Problem, Unknowns, evaluate

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
    n = x.pose.shape[0]
    now = evaluate(problem, x, derivatives=True)
    state = _State(x, now.energy, now.gradient, now.matrix)
    damping = xp.ones_like(now.energy) * FIRST_DAMPING
    growth = xp.ones_like(now.energy) * GROWTH
    quiet = xp.zeros_like(now.energy)
    active, sub = np.arange(n), problem
    taken = 0
    for _ in range(steps):
        if not len(active):
            break
        taken += 1
        part = state.taken(active) if len(active) < n else state
        step = _solve(xp, part, damping[active])
        trial = part.x.stepped(xp, step)
        new = evaluate(sub, trial, derivatives=True)
        gain = part.energy - new.energy
        scaled = damping[active][:, None] * _diagonal(xp, part.matrix) * step
        predicted = xp.sum(step * (scaled - part.gradient), 1)
        ratio = gain / xp.clip(predicted, 1e-300, None)
        better = gain > 0
        shrink = xp.clip(1 - (2 * ratio - 1) ** 3, 1 / 3, None)
        damping[active] = xp.clip(xp.where(better, damping[active] * shrink, damping[active] * growth[active]),
                                  SMALLEST_DAMPING, LARGEST_DAMPING)  # fmt: skip
        growth[active] = xp.where(better, xp.ones_like(gain) * GROWTH, growth[active] * 2)
        # A refused step counts as quiet only where even the model promised nothing.
        little = xp.where(better, gain, predicted) < tolerance * part.energy
        quiet[active] = xp.where(
            better & ~little, xp.zeros_like(gain), quiet[active] + xp.where(little, 1.0, 0.0)
        )
        state = state.accepted(active, better, trial, new)
        left = quiet[active] < QUIET_STEPS
        left = left if xp is np else left.cpu().numpy()
        if not left.all():
            active = active[left]
            sub = problem.taken(active)
    return Solution(state.x, state.energy, taken)


@dataclass(frozen=True, eq=False)
class _State:
    x: Unknowns
    energy: Array
    gradient: Any
    matrix: Any

    def taken(self, index: np.ndarray) -> "_State":
        return _State(self.x.taken(index), self.energy[index], self.gradient[index], self.matrix[index])

    def accepted(self, active: np.ndarray, better: Array, trial: Unknowns, new: Evaluation) -> "_State":
        """Write the accepted items of a trial into the whole batch (its own arrays, made for this run)."""
        where = active[np.asarray(better) if isinstance(better, np.ndarray) else better.cpu().numpy()]
        pairs = [*zip(self.x.values, trial.values, strict=True), (self.energy, new.energy),
                 (self.gradient, new.gradient), (self.matrix, new.matrix)]  # fmt: skip
        merged = []
        for old, fresh in pairs:
            value = old.copy() if isinstance(old, np.ndarray) else old.clone()
            value[where] = fresh[better]
            merged.append(value)
        return _State(Unknowns(*merged[:6]), *merged[6:])


def _diagonal(xp: Any, matrix: Array) -> Array:
    index = np.arange(matrix.shape[-1])
    return matrix[:, index, index]


def _solve(xp: Any, state: _State, damping: Array) -> Array:
    """Solve (H + mu diag(H)) step = -g for every item."""
    index = np.arange(state.matrix.shape[-1])
    damped = state.matrix.copy() if isinstance(state.matrix, np.ndarray) else state.matrix.clone()
    damped[:, index, index] = damped[:, index, index] * (1 + damping[:, None]) + 1e-12
    return -xp.linalg.solve(damped, state.gradient[..., None])[..., 0]
