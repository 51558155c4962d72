"""Maps of features of a crop around a person, by a network that has learnt from photos where people's joints are.

The shape is that of the landmark network of BlazePose (Bazarevsky et al. 2020, "full") up to its finest map of
features: inverted residual blocks (Sandler et al. 2018) down to a 32nd, and up again to a quarter of the crop. Its
published numbers (Apache-2.0) begin ours: drawn people alone teach a network little about photos
(`training.person_feature_file`).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import FeatureBlock, PersonFeatureNumbers
from limbstudio.ajahr.limb_crop import DEVIATION, MEAN

# On a CPU a few crops at once stay in its caches; many are slower.
_AT_ONCE = 4


class BoundedConv(nn.Conv2d):
    """A convolution with its bias, kept from 0 to 6 unless it is linear. depthwise: each channel for itself."""

    def __init__(
        self, channels: int, width: int, kernel: int = 1, stride: int = 1, *,
        depthwise: bool = False, linear: bool = False,
    ) -> None:  # fmt: skip
        groups = channels if depthwise else 1
        super().__init__(channels, width, kernel, stride, kernel // 2, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.linear else nn.functional.relu6(x, inplace=True)


class InvertedResidual(nn.Module):
    """Wider, one filter for each channel, narrower; beside its input where nothing changes shape."""

    def __init__(self, channels: int, block: FeatureBlock) -> None:
        super().__init__()
        self.same = block.stride == 1 and block.width == channels
        self.wider = BoundedConv(channels, block.hidden)
        self.filter = BoundedConv(block.hidden, block.hidden, block.kernel, block.stride, depthwise=True)
        self.narrower = BoundedConv(block.hidden, block.width, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrower(self.filter(self.wider(x)))
        return x + y if self.same else y


class Separable(nn.Sequential):
    """One filter for each channel, then a mixture of channels."""

    def __init__(self, channels: int, width: int, *, linear: bool = False) -> None:
        super().__init__(
            BoundedConv(channels, channels, 3, depthwise=True), BoundedConv(channels, width, linear=linear)
        )

    @property
    def convolutions(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """Return the two."""
        return self[0], self[1]  # type: ignore[return-value]


class PersonFeatures(nn.Module):
    """A crop to a fine map at a quarter of its side, and a coarse one at a 32nd."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, numbers: PersonFeatureNumbers) -> None:
        super().__init__()
        self.first = BoundedConv(3, numbers.first, 3, 2)
        self.second = Separable(numbers.first, numbers.second, linear=True)
        width, stages, aside = numbers.second, [], []
        for stage in numbers.stages:
            blocks = []
            for block in stage:
                blocks.append(InvertedResidual(width, block))
                width = block.width
            stages.append(nn.Sequential(*blocks))
            aside.append(Separable(width, numbers.fine))
        self.stages, self.aside = nn.ModuleList(stages), nn.ModuleList(aside[:-1])
        widest = numbers.stages[-1][-1].hidden
        self.summary = BoundedConv(width, widest)
        self.summary_filter = BoundedConv(widest, widest, 3, depthwise=True)
        self.upward = Separable(widest, numbers.fine)
        scale = 1 / 255
        self._keep("mean", torch.tensor(MEAN)[:, None, None] * scale)
        self._keep("deviation", torch.tensor(DEVIATION)[:, None, None] * scale)

    def _keep(self, name: str, values: Tensor) -> None:
        self.register_buffer(name, values, persistent=False)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fine and the coarse map of crops (B, 3, S, S), told as `limb_crop.as_input` does; S is a multiple
        of 32."""
        parts = crops.split(_AT_ONCE if crops.device.type == "cpu" else len(crops))
        fine, coarse = zip(*(self._maps(part) for part in parts), strict=True)
        return torch.cat(fine), torch.cat(coarse)

    def _maps(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        colours = (crops * self.deviation + self.mean).clamp(0, 1)
        x = self.second(self.first(colours.contiguous(memory_format=torch.channels_last)))
        sides = []
        for stage in self.stages:
            x = stage(x)
            sides.append(x)
        coarse = sides.pop()
        fine = self.upward(self.summary_filter(self.summary(coarse)))
        for side, aside in zip(reversed(sides), reversed(self.aside), strict=True):
            fine = nn.functional.interpolate(fine, size=side.shape[2:], mode="bilinear", align_corners=False)
            fine = fine + aside(side)
        return fine, coarse

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """Yield all convolutions in the order of the published file: a map's way aside comes before its way down, but
        behind what next makes it wider."""
        yield self.first
        yield from self.second.convolutions
        for number, stage in enumerate(self.stages):
            blocks: list[InvertedResidual] = list(stage)  # type: ignore[arg-type]
            yield blocks[0].wider
            if number > 0:
                yield from self.aside[number - 1].convolutions  # type: ignore[operator,union-attr]
            yield from (blocks[0].filter, blocks[0].narrower)
            for block in blocks[1:]:
                yield from (block.wider, block.filter, block.narrower)
        yield from (self.summary, self.summary_filter, *self.upward.convolutions)
