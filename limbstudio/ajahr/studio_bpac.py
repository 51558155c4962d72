"""The limb classifier at the studio's size: BPAC-Net's idea and blocks, smaller, on keypoints with confidence.

It sees the photo around a person and COCO's 17 points as a detector gives them; never residual ends, states of points
or what an annotator said of a limb.
"""

import torch
from torch import Tensor, nn

from limbstudio.ajahr.bpac import AttentionResNet, KeypointHeatmaps
from limbstudio.ajahr.build import N_CLASSES, N_HEADS, StudioBpacNumbers


class ConfidentHeatmaps(KeypointHeatmaps):
    """Draw one Gaussian per keypoint, as high as its confidence: a point that was not found is not drawn."""

    def forward(self, keypoints: Tensor) -> Tensor:
        """Return (B, K, S, S) for keypoints (B, K, 3): x, y in pixels of the crop, confidence 0 to 1."""
        return super().forward(keypoints) * keypoints[..., 2, None, None]


class StudioBpac(nn.Module):
    """Tells of each limb how it ends, with a probability. temperature: what logits are divided by for that."""

    temperature: Tensor

    def __init__(self, numbers: StudioBpacNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.heatmap_generator = ConfidentHeatmaps(numbers)
        self.resnet = AttentionResNet(3 + numbers.heatmaps, numbers)
        for head in range(1, N_HEADS + 1):
            self.add_module(f"head{head}", nn.Linear(numbers.widths[-1], N_CLASSES))
        self.register_buffer("temperature", torch.ones(()))

    @property
    def heads(self) -> tuple[nn.Linear, ...]:
        """Return the four heads, in the order of `HEAD_LIMBS`."""
        return tuple(self.get_submodule(f"head{head}") for head in range(1, N_HEADS + 1))  # type: ignore[misc]

    def forward(self, crops: Tensor, keypoints: Tensor) -> Tensor:
        """Return logits (B, 4 heads, 4 classes).

        crops: (B, 3, S, S) RGB less the ImageNet mean over its deviation. keypoints: (B, 17, 3), pixels of the crop and
        confidence; a point that was not found is zeros.
        """
        features = self.resnet(torch.cat([crops, self.heatmap_generator(keypoints)], 1))
        return torch.stack([head(features) for head in self.heads], 1)

    def probabilities(self, crops: Tensor, keypoints: Tensor) -> Tensor:
        """Return calibrated probabilities (B, 4 heads, 4 classes)."""
        return torch.softmax(self(crops, keypoints).float() / self.temperature, 2)
