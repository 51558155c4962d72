"""BPAC-Net: which limbs are missing, told from a photo crop and heatmaps of its keypoints (supplement section G).

ResNet-34 on 15 channels with CBAM in every block, four heads of four classes, and a projection. Names and shapes are
those of the released classifier, whose weights a user may have.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import N_CLASSES, N_HEADS, BpacNumbers


@dataclass(frozen=True, eq=False)
class BpacOutput:
    """logits: (B, 4 heads, 4 classes). features: (B, 512). projected: (B, 1280)."""

    logits: Tensor
    features: Tensor
    projected: Tensor

    @property
    def classes(self) -> Tensor:
        """Return the most likely class of each head, (B, 4)."""
        return self.logits.argmax(2)


class KeypointHeatmaps(nn.Module):
    """Draw one Gaussian with peak 1 per keypoint on the grid of the crop's pixels."""

    x_grid: Tensor
    y_grid: Tensor

    def __init__(self, numbers: BpacNumbers) -> None:
        super().__init__()
        self.sigma_px = numbers.sigma_px
        places = torch.arange(numbers.picture_px, dtype=torch.float32)
        self.register_buffer("x_grid", places[None])
        self.register_buffer("y_grid", places[:, None])

    def forward(self, keypoints: Tensor) -> Tensor:
        """Return (B, K, S, S) for keypoints (B, K, 2 or more): x, y in pixels of the crop; more columns are not read.

        A keypoint that was not found is at (0, 0) and is drawn there: the released weights were trained so.
        """
        rows = torch.exp(-((self.y_grid - keypoints[..., 1, None, None]) ** 2) / (2 * self.sigma_px**2))
        columns = torch.exp(-((self.x_grid - keypoints[..., 0, None, None]) ** 2) / (2 * self.sigma_px**2))
        return rows * columns  # a Gaussian of two variables is the product of two of one


class ChannelAttention(nn.Module):
    """Weigh channels by their mean and their maximum over the map (CBAM, equation 2 of Woo et al. 2018)."""

    def __init__(self, channels: int, numbers: BpacNumbers) -> None:
        super().__init__()
        hidden = channels // numbers.attention_reduction
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mean, highest = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        return x * torch.sigmoid(self._weigh(mean) + self._weigh(highest))

    def _weigh(self, pooled: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(pooled)))


class SpatialAttention(nn.Module):
    """Weigh places by the mean and the maximum over channels, in this order (CBAM, equation 3)."""

    def __init__(self, numbers: BpacNumbers) -> None:
        super().__init__()
        kernel = numbers.attention_kernel
        self.conv1 = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.conv1(pooled))


class Cbam(nn.Module):
    """Channel attention, then spatial attention."""

    def __init__(self, channels: int, numbers: BpacNumbers) -> None:
        super().__init__()
        self.ca = ChannelAttention(channels, numbers)
        self.sa = SpatialAttention(numbers)

    def forward(self, x: Tensor) -> Tensor:
        return self.sa(self.ca(x))


class AttentionBlock(nn.Module):
    """ResNet's basic block with CBAM on its branch, before the sum; the shortcut is left alone."""

    def __init__(self, channels: int, width: int, stride: int, numbers: BpacNumbers) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.cbam = Cbam(width, numbers)
        self.downsample = None
        if stride != 1 or channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.cbam(self.bn2(self.conv2(x))) + shortcut)


class AttentionResNet(nn.Module):
    """ResNet-34 with CBAM in its sixteen blocks: (B, channels, S, S) to (B, 512)."""

    def __init__(self, channels: int, numbers: BpacNumbers) -> None:
        super().__init__()
        width = numbers.widths[0]
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stages = tuple(f"layer{number}" for number in range(1, len(numbers.blocks) + 1))
        for stage, blocks, out in zip(self.stages, numbers.blocks, numbers.widths, strict=True):
            first_stride = 1 if stage == self.stages[0] else 2
            layers = [AttentionBlock(width, out, first_stride, numbers)]
            layers += [AttentionBlock(out, out, 1, numbers) for _ in range(blocks - 1)]
            self.add_module(stage, nn.Sequential(*layers))
            width = out

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)[-1].mean((2, 3))

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return what each stage makes of it, (B, width, height, width) each."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        made = []
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
            made.append(x)
        return made


class BpacNet(nn.Module):
    """The classifier of missing limbs."""

    def __init__(self, numbers: BpacNumbers) -> None:
        super().__init__()
        width = numbers.widths[-1]
        self.heatmap_generator = KeypointHeatmaps(numbers)
        self.resnet = AttentionResNet(3 + numbers.heatmaps, numbers)
        for head in range(1, N_HEADS + 1):
            self.add_module(f"head{head}", nn.Linear(width, N_CLASSES))
        self.projection = nn.Linear(width, numbers.projected)

    def forward(self, crops: Tensor, keypoints: Tensor) -> BpacOutput:
        """Classify limbs.

        crops: (B, 3, 256, 256) RGB less the ImageNet mean over its deviation. keypoints: (B, 12, 2 or 3) COCO's 5 to 16
        in pixels of the crop.
        """
        features = self.resnet(torch.cat([crops, self.heatmap_generator(keypoints)], 1))
        heads = [self.get_submodule(f"head{head}")(features) for head in range(1, N_HEADS + 1)]
        return BpacOutput(torch.stack(heads, 1), features, self.projection(features))
