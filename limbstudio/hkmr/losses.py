"""HKMR's losses, one function per term (section 3.2 and equation 3).

Sums over joints as in the paper, means over the batch. A joint without truth, or that the person does not have, has
weight 0 in its term.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossWeights:
    """The lambdas of equation 3. The text does not give them; these are our own choice.

    2D and 3D terms lead, as in training of this kind; the prior only keeps poses in the range it was trained on.
    """

    smpl: float = 1.0
    joints: float = 5.0
    points: float = 5.0
    kl: float = 1e-3


def smpl_loss(pose: Tensor, shape: Tensor, true_pose: Tensor, true_shape: Tensor, weight: Tensor) -> Tensor:
    """Return L_smpl = |[pose, shape] - truth|_2^2; pose (B, 24, 3), shape (B, 10), weight (B, 24) of the joints."""
    by_joint = ((pose - true_pose) ** 2).sum(2) * weight
    return (by_joint.sum(1) + ((shape - true_shape) ** 2).sum(1)).mean()


def joints_loss(joints: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return L_3D = sum_i |X_i - truth_i|_1 over joints (B, N, 3), metres; weight (B, N)."""
    return _weighted_l1(joints, truth, weight)


def points_loss(points: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return L_2D = sum_i |x_i - truth_i|_1 over points (B, N, 2); weight (B, N)."""
    return _weighted_l1(points, truth, weight)


def _weighted_l1(value: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    # Where there is no truth there may be NaN, and NaN times zero is NaN.
    gap = torch.where(weight[..., None] > 0, value - truth, torch.zeros_like(value))
    return (gap.abs().sum(2) * weight).sum(1).mean()


def kl_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return L_KL = KL(N(mean, variance) || N(0, I)) of the prior's latent (B, L) (section 3.2, pose prior)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
