"""AJAHR's losses, one function per term, and their weights (paper, "Loss and training"; supplement, section H).

The paper gives the weights and names the terms; where it does not write a formula, ours says so. A joint that a person
does not have, or whose truth is unknown, has weight 0 in its term and may be NaN.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

# A head whose truth is unknown (the annotator is unsure) takes no part in the loss.
UNKNOWN_CLASS = -100
# A distance of nothing has no gradient: a hundredth of a millimetre is added, squared metres.
_TINY_SQUARE = 1e-10


@dataclass(frozen=True)
class TokenizerWeights:
    """L_total = 100 L_mix + 1.0 L_codebook + 1.0 L_commitment; L_mix sums vertices, joints and pose."""

    mix: float = 100.0
    codebook: float = 1.0
    commitment: float = 1.0


@dataclass(frozen=True)
class OverallWeights:
    """L_overall = 1e-3 L_theta + 5e-4 L_beta + 1e-2 L_2D + 5e-2 L_3D + 1e-2 L_cls."""

    pose: float = 1e-3
    shape: float = 5e-4
    points: float = 1e-2
    joints: float = 5e-2
    classes: float = 1e-2


# ------------------------------------------------------------------------------------------------ the tokenizer


def mix_loss(
    rotations: Tensor, joints: Tensor, vertices: Tensor,
    true_rotations: Tensor, true_joints: Tensor, true_vertices: Tensor, *,
    rotations_exist: Tensor, joints_exist: Tensor, vertices_exist: Tensor,
) -> Tensor:  # fmt: skip
    """Return L_mix: the mean square differences of rotations, joints and vertices, added.

    rotations: (B, 21, 3, 3). joints: (B, 21, 3) and vertices (B, V, 3), metres from the root. ..._exist: (B, 21),
    (B, 21), (B, V), 0 for what the person does not have. The paper says l2 over the three; the means are our reading.
    """
    return (
        _weighted_square(rotations.flatten(2), true_rotations.flatten(2), rotations_exist)
        + _weighted_square(joints, true_joints, joints_exist)
        + _weighted_square(vertices, true_vertices, vertices_exist)
    )


def codebook_loss(features: Tensor, codes: Tensor) -> Tensor:
    """Return L_codebook = |sg(z) - e|^2, the mean: it moves codes only; moving means do without it."""
    return (features.detach() - codes).square().mean()


def commitment_loss(features: Tensor, codes: Tensor) -> Tensor:
    """Return L_commitment = |z - sg(e)|^2, the mean: it moves features only."""
    return (features - codes.detach()).square().mean()


# -------------------------------------------------------------------------------------------------- the network


def pose_loss(rotations: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return L_theta: square differences of rotation matrices (B, J, 3, 3), summed over joints; weight (B, J)."""
    gap = torch.where(weight[..., None, None] > 0, rotations - truth, torch.zeros_like(rotations))
    return (gap.square().sum((2, 3)) * weight).sum(1).mean()


def shape_loss(shape: Tensor, truth: Tensor) -> Tensor:
    """Return L_beta: square differences of shape numbers (B, 10), summed."""
    return (shape - truth).square().sum(1).mean()


def points_loss(points: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return L_2D: absolute differences of projected points (B, N, 2) in crop widths by confidence (B, N), summed."""
    return _weighted_absolute(points, truth, weight)


def joints_loss(joints: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return L_3D: absolute differences of joints (B, N, 3), metres from the pelvis, by confidence (B, N), summed."""
    return _weighted_absolute(joints, truth, weight)


def vertices_loss(vertices: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the mean distance of vertices (B, V, 3) from the truth, metres from the pelvis; weight (B, V) 1 or 0.

    Not in the paper, which compares meshes in its tokenizers only; ours, and 0 in the paper's weights.
    """
    gap = torch.where(weight[..., None] > 0, vertices - truth, torch.zeros_like(vertices))
    distance = (gap.square().sum(-1) + _TINY_SQUARE).sqrt()
    return ((distance * weight).sum(1) / weight.sum(1).clamp_min(1)).mean()


def classification_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Return L_cls: the mean cross-entropy over all heads of known truth; logits (B, 4, 4), classes (B, 4).

    The paper names L_cls without a formula and its code is not public; this is our reading.
    """
    return nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), ignore_index=UNKNOWN_CLASS)


def words_loss(logits: Tensor, words: Tensor) -> Tensor:
    """Return the mean cross-entropy of words (B, T, codes) from those that the tokenizer writes of the truth (B, T).

    Not in the paper, which lets the decoded pose teach the words; ours, and 0 in the paper's weights.
    """
    return nn.functional.cross_entropy(logits.flatten(0, 1), words.flatten())


def _weighted_square(value: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    gap = torch.where(weight[..., None] > 0, value - truth, torch.zeros_like(value))
    return (gap.square().mean(-1) * weight).sum() / weight.sum().clamp_min(1)


def _weighted_absolute(value: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    # Where there is no truth there may be NaN, and NaN times zero is NaN.
    gap = torch.where(weight[..., None] > 0, value - truth, torch.zeros_like(value))
    return (gap.abs().sum(-1) * weight).sum(1).mean()
