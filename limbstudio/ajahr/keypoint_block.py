"""What the networks on keypoints are made of."""

import torch
from torch import Tensor, nn


class KeypointBlock(nn.Module):
    """Two layers beside their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.two(torch.relu(self.one(self.norm(h))))
