"""Rotations as six numbers (Zhou et al. 2019), in the layout of AJAHR's weights: the first two rows of the matrix."""

import torch
from torch import Tensor
from torch.nn import functional


def six_numbers(rotations: Tensor) -> Tensor:
    """Return (..., 6) for rotation matrices (..., 3, 3): the first row, then the second."""
    return rotations[..., :2, :].flatten(-2)


def rotations_of(six: Tensor) -> Tensor:
    """Return rotation matrices (..., 3, 3) for (..., 6), not necessarily orthonormal.

    The first three numbers give the direction of the first row, the other three the plane of the second (Gram-Schmidt).
    Rows, where HMR and its family have columns.
    """
    first, second = six[..., :3], six[..., 3:]
    row_1 = functional.normalize(first, dim=-1)
    row_2 = functional.normalize(second - (row_1 * second).sum(-1, keepdim=True) * row_1, dim=-1)
    return torch.stack([row_1, row_2, torch.linalg.cross(row_1, row_2, dim=-1)], -2)
