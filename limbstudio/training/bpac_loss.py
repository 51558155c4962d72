"""What the limb classifier learns from: losses, which limbs count how much, and where their points are."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS
from limbstudio.ajahr.losses import UNKNOWN_CLASS
from limbstudio.ajahr.studio_bpac import LimbCuts, LimbCutter, StudioBpac
from limbstudio.domain.anatomy import LDPOSE_INDEX, limb_ends, limb_joints

# A class that the shards do not hold must not weigh without end.
_LEAST_SHARE = 1e-3

Floats = NDArray[np.floating[Any]]


def class_weights(shares: Floats, balance: float) -> Floats:
    """Return weights (4 heads, 4 classes) of shares: their power, with mean 1 over what the shards hold."""
    weights = np.maximum(shares, _LEAST_SHARE) ** -balance
    return weights / np.maximum((weights * shares).sum(1, keepdims=True), 1e-9)


def balanced_loss(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Return the cross-entropy of logits (B, 4, 4) from classes (B, 4), each weighed by its class's weight (4, 4).

    Unknown classes do not count. The mean is over limbs, not over weights, so that every batch counts alike.
    """
    known = classes != UNKNOWN_CLASS
    sure = classes.clamp_min(0)
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), sure.flatten(), reduction="none")
    own = weights.expand(len(classes), -1, -1).gather(2, sure[..., None])[..., 0]
    return (losses.view_as(own) * own * known).sum() / known.sum().clamp_min(1)


def limbs_to_learn_from(classes: Tensor, share: float, draws: torch.Generator | None = None) -> Tensor:
    """Return which limbs (B, 4) bool to learn from: all whose end is known, of intact ones a random share.

    draws: what to draw with, on the classes' device; None for torch's own.
    """
    drawn = torch.rand(classes.shape, device=classes.device, generator=draws) < share
    return (classes != UNKNOWN_CLASS) & ((classes != INTACT_CLASS) | drawn)


def take_back_weights(network: StudioBpac, weights: Floats) -> None:
    """Turn what was learnt under weights into probabilities as often true as in the shards.

    Under weights w the logits come to be those of w p; less log w they are those of p.
    """
    with torch.no_grad():
        for head, row in zip(network.heads, weights, strict=True):
            head.bias.sub_(torch.as_tensor(np.log(row), dtype=head.bias.dtype, device=head.bias.device))


class LimbPlaces(torch.nn.Module):
    """Find a limb's three joints and two residual ends on the maps of a cut: taught along, not shipped (ours).

    Each point lies in one cell of the map, or not there. Four classes alone teach a network from nothing slowly; where
    things are is told in every picture.
    """

    points: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        points = [[LDPOSE_INDEX[n] for n in limb_joints(limb)] + list(limb_ends(limb)) for limb in HEAD_LIMBS]
        self.register_buffer("points", torch.tensor(points))
        self.cells = torch.nn.Conv2d(width, 2 * len(points[0]), 1)  # of arms and of legs
        self.nowhere = torch.nn.Conv2d(width, 2 * len(points[0]), 1)

    def loss(self, maps: Tensor, cuts: LimbCuts, rows: Tensor, cutter: LimbCutter, places: Tensor) -> Tensor:
        """Return the mean cross-entropy of maps (N, width, h, w) from true places (B, 25, 2), shares of the crop.

        rows: (N,) which of the B x 4 cuts were looked at.
        """
        size = maps.shape[-1]
        count = self.points.shape[1]
        near = cutter.near(places[:, self.points], cuts.middle, cuts.side).flatten(0, 1)[rows]  # (N, 5, 2)
        cell = ((near + 1) / 2 * size).floor()
        there = (torch.isfinite(near) & (cell >= 0) & (cell < size)).all(-1)
        cell = torch.nan_to_num(cell).clamp(0, size - 1).long()
        truth = torch.where(
            there, cell[..., 1] * size + cell[..., 0], torch.full_like(cell[..., 0], size * size)
        )
        arms = (1 - cutter.arms).long()[rows % len(HEAD_LIMBS)]  # 0: the first half of the outputs is of arms
        own = arms[:, None] * count + torch.arange(count, device=maps.device)
        nowhere = self.nowhere(maps.amax((2, 3), keepdim=True)).flatten(2)
        said = torch.cat([self.cells(maps).flatten(2), nowhere], -1)
        said = said.gather(1, own[..., None].expand(-1, -1, said.shape[-1]))
        return torch.nn.functional.cross_entropy(said.flatten(0, 1).float(), truth.flatten())
