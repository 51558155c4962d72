"""The ResNet-50 trunk that HKMR takes its picture features from (He et al. 2016; HMR's encoder).

Parameters are named as in the usual ImageNet checkpoints, so that a user's own weights load.
"""

from torch import Tensor, nn

from limbstudio.hkmr.build import TRUNK_BLOCKS, TRUNK_EXPANSION, TRUNK_WIDTHS


class Bottleneck(nn.Module):
    """A residual block: 1x1 down, 3x3, 1x1 up, added to its input."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * TRUNK_EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4 width, H / stride, W / stride)."""
        kept = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + kept)


class ResNet50(nn.Module):
    """The trunk without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, TRUNK_WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(TRUNK_WIDTHS[0])
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = TRUNK_WIDTHS[0]
        for stage, (blocks, width) in enumerate(zip(TRUNK_BLOCKS, TRUNK_WIDTHS, strict=True), 1):
            layers = []
            for block in range(blocks):
                layers.append(Bottleneck(channels, width, 2 if stage > 1 and block == 0 else 1))
                channels = width * TRUNK_EXPANSION
            self.add_module(f"layer{stage}", nn.Sequential(*layers))

    def forward(self, crops: Tensor) -> Tensor:
        """Return features (B, 2048) of normalised RGB crops (B, 3, H, W): the mean over the last map."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(crops))))
        for stage in range(1, len(TRUNK_BLOCKS) + 1):
            x = self.get_submodule(f"layer{stage}")(x)
        return x.mean((2, 3))
