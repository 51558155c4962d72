"""How far lambda and the residual limb's length can be trusted: the Laplace approximation at the optimum.

The energy is twice the negative log posterior up to a constant, so its Gauss-Newton matrix is the posterior's
precision, once the clicks weigh what their own noise, estimated from the residuals, says. Quantities follow by the
delta method. The matrix leaves out the bends of the energy, so intervals are widened by a factor measured on synthetic
people of the training poses and checked on those of the validation poses.
"""

from dataclasses import dataclass

import numpy as np

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_COCO
from limbstudio.resihmr.alignment import noise_ratio
from limbstudio.resihmr.energy import Evaluation, body_axes, row_jacobian
from limbstudio.resihmr.terms import MOVE, Problem, Unknowns

# 97.5 % quantile of the standard normal distribution.
Z95 = 1.959964
# The factor on the Laplace standard deviation, and the power below, that make the intervals honest on 1,350 synthetic
# people (0.6 % and 1.5 % noise) in poses of training clips that neither prior nor lifter was learned from.
SPREAD_FACTOR = 1.12
# The body bends to noisy clicks, so their residuals show less than their noise: the estimate is raised to this power.
NOISE_POWER = 4.5


@dataclass(frozen=True)
class SegmentUncertainty:
    """Standard deviations of lambda and of the residual length, metres."""

    factor_sigma: float
    length_sigma_m: float

    @classmethod
    def of_widths(cls, factor: tuple[float, float], length_m: tuple[float, float]) -> "SegmentUncertainty":
        """Return the standard deviations that 95 % intervals speak of (less than true where a bound cut one off)."""
        return cls((factor[1] - factor[0]) / (2 * Z95), (length_m[1] - length_m[0]) / (2 * Z95))

    def factor_interval(self, factor: float) -> tuple[float, float]:
        """Return the 95 % interval of lambda about `factor`, within [0, 1]."""
        reach = Z95 * self.factor_sigma
        return max(0.0, factor - reach), min(1.0, factor + reach)

    def length_interval_m(self, length_m: float) -> tuple[float, float]:
        """Return the 95 % interval of the residual length about `length_m`, metres, not below zero."""
        reach = Z95 * self.length_sigma_m
        return max(0.0, length_m - reach), length_m + reach


def segment_uncertainty(
    problem: Problem, x: Unknowns, evaluation: Evaluation, limb: int
) -> SegmentUncertainty:
    """Return the uncertainty of limb `limb` (0-3) of a single-person problem at its optimum."""
    assert evaluation.data is not None and evaluation.matrix is not None
    J_data = evaluation.data.jacobian[0]
    noise = max(1.0, float(noise_ratio(evaluation)[0])) ** NOISE_POWER
    covariance = np.linalg.inv(evaluation.matrix[0] - (1 - 1 / noise**2) * J_data.T @ J_data)
    b = x.shape.shape[1]
    n = covariance.shape[0]
    placed = evaluation.placed
    pair = [N_COCO + int(problem.anchor[0, limb]), N_COCO + int(problem.upstream[0, limb])]
    _, left = rotation_and_left_jacobian(np, x.pose.reshape(1, 21, 3))
    axes = body_axes(np, problem.skeleton, placed, left)
    assert placed.lever is not None and placed.shaped is not None
    lever = placed.lever[..., pair[1:]] - placed.lever[..., pair[:1]]
    shaped = placed.shaped[..., pair[1:]] - placed.shaped[..., pair[:1]]
    bone = placed.points[0, pair[1]] - placed.points[0, pair[0]]
    whole = float(np.linalg.norm(bone))
    factor = float(x.factor[0, limb])
    by_length = np.zeros(n)
    to_length = (1 - factor) * (bone / whole).reshape(1, 3, 1)
    by_length[: 69 + b] = row_jacobian(np, lever, shaped, axes, to_length)[0, :, 0]
    by_length[MOVE] = 0.0  # a length does not move with the body
    by_length[71 + b + limb] = -whole
    factor_sigma = SPREAD_FACTOR * float(np.sqrt(covariance[71 + b + limb, 71 + b + limb]))
    length_sigma = SPREAD_FACTOR * float(np.sqrt(by_length @ covariance @ by_length))
    return SegmentUncertainty(factor_sigma, length_sigma)
