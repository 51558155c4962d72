"""The limb classifier at the studio's size: BPAC-Net's idea and blocks, smaller, on cuts around limbs.

It sees the photo around a person and COCO's 17 points as a detector gives them; never residual ends, states of points
or what an annotator said of a limb. One network looks at all four limbs, those of the right as in a mirror, so that
what it learns of one it knows of all.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from limbstudio.ajahr.bpac import AttentionResNet, KeypointHeatmaps
from limbstudio.ajahr.build import HEAD_LIMBS, N_CLASSES, N_HEADS, StudioBpacNumbers
from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX, N_COCO, Side, limb_joints

# A point that a detector hardly believes in does not tell where a limb lies.
_LEAST_CONFIDENCE = 0.2
# A cut's side: so many times what the limb's points span, within these shares of the crop's side.
_MARGIN, _LEAST_SIDE, _MOST_SIDE = 1.5, 0.36, 0.9
# Of the points alone: place and confidence of 17, the cut's place and side, whether it is an arm.
_TOLD = 3 * N_COCO + 4


class ConfidentHeatmaps(KeypointHeatmaps):
    """Draw one Gaussian per keypoint, as high as its confidence: a point that was not found is not drawn."""

    def forward(self, keypoints: Tensor) -> Tensor:
        """Return (B, K, S, S) for keypoints (B, K, 3): x, y in pixels of the picture, confidence 0 to 1."""
        return super().forward(keypoints) * keypoints[..., 2, None, None]


@dataclass(frozen=True, eq=False)
class LimbCuts:
    """Squares around limbs, those of the right mirrored. middle: (B, 4, 2), pixels of the crop. side: (B, 4).

    points: (B, 4, 17, 3): places from -1 to 1 within the square, and confidence; those of a mirrored cut are named for
    the other side. Zeros where nothing was found.
    """

    middle: Tensor
    side: Tensor
    points: Tensor


class LimbCutter(nn.Module):
    """Find each limb's square by its points, and cut it out."""

    joints: Tensor
    mirror: Tensor
    order: Tensor
    arms: Tensor

    def __init__(self, numbers: StudioBpacNumbers) -> None:
        super().__init__()
        self.picture_px, self.limb_px = numbers.picture_px, numbers.limb_px
        same = list(range(N_COCO))
        swapped = [point.swap for point in LDPOSE[:N_COCO]]
        joints = [[LDPOSE_INDEX[name] for name in limb_joints(limb)] for limb in HEAD_LIMBS]
        right = [limb.side is Side.RIGHT for limb in HEAD_LIMBS]
        self._keep("joints", torch.tensor(joints))
        self._keep("mirror", torch.tensor([-1.0 if flag else 1.0 for flag in right]))
        self._keep("order", torch.tensor([swapped if flag else same for flag in right]))
        self._keep("arms", torch.tensor([float(limb.is_arm) for limb in HEAD_LIMBS]))

    def _keep(self, name: str, values: Tensor) -> None:
        self.register_buffer(name, values, persistent=False)

    def find(self, keypoints: Tensor) -> LimbCuts:
        """Return where limbs lie by keypoints (B, 17, 3), pixels of the crop and confidence."""
        size = float(self.picture_px)
        own = keypoints[:, self.joints]
        found = own[..., 2:] >= _LEAST_CONFIDENCE
        low = torch.where(found, own[..., :2], torch.inf).amin(2)
        high = torch.where(found, own[..., :2], -torch.inf).amax(2)
        any_found = found.any(2)
        middle = torch.where(any_found, (low + high) / 2, torch.full_like(low, size / 2))
        span = torch.where(any_found, high - low, torch.full_like(low, size)).amax(2)
        side = (span * _MARGIN).clamp(_LEAST_SIDE * size, _MOST_SIDE * size)
        points = keypoints[:, self.order]
        places = (points[..., :2] - middle[:, :, None]) / (side / 2)[..., None, None]
        places = torch.cat([places[..., :1] * self.mirror[:, None, None], places[..., 1:]], -1)
        sure = points[..., 2:]
        return LimbCuts(middle, side, torch.cat([places * (sure > 0), sure], -1))

    def cut(self, crops: Tensor, cuts: LimbCuts) -> Tensor:
        """Return (B, 4, 3, P, P) of crops (B, 3, S, S); what lies outside is zero, the mean colour."""
        steps = (torch.arange(self.limb_px, device=crops.device, dtype=crops.dtype) + 0.5) * (
            2.0 / self.limb_px
        ) - 1.0
        half = (cuts.side / 2)[..., None]
        x = cuts.middle[..., :1] + steps * half * self.mirror[:, None]
        y = cuts.middle[..., 1:] + steps * half
        grid = torch.stack(
            [
                x[:, :, None, :].expand(-1, -1, self.limb_px, -1),
                y[:, :, :, None].expand(-1, -1, -1, self.limb_px),
            ],
            -1,
        )
        grid = (2 * grid + 1) / self.picture_px - 1
        # One tall picture of four cuts: each crop is read once.
        tall = nn.functional.grid_sample(crops, grid.flatten(1, 2).to(crops.dtype), align_corners=False)
        return tall.unflatten(2, (N_HEADS, self.limb_px)).transpose(1, 2)


class StudioBpac(nn.Module):
    """Tells of each limb how it ends, with a probability. temperature: what logits are divided by for that."""

    temperature: Tensor

    def __init__(self, numbers: StudioBpacNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.cutter = LimbCutter(numbers)
        self.heatmap_generator = ConfidentHeatmaps(replace(numbers, picture_px=numbers.limb_px))
        self.resnet = AttentionResNet(3 + numbers.heatmaps, numbers)
        self.pose = nn.Sequential(
            nn.Linear(_TOLD, numbers.pose_width), nn.ReLU(),
            nn.Linear(numbers.pose_width, numbers.pose_width), nn.ReLU(),
        )  # fmt: skip
        self.together = nn.Sequential(
            nn.Linear(numbers.widths[-1] + numbers.pose_width, numbers.hidden), nn.ReLU(), nn.Dropout(0.1)
        )
        for head in range(1, N_HEADS + 1):
            self.add_module(f"head{head}", nn.Linear(numbers.hidden, N_CLASSES))
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
        return self.look(crops, keypoints)[0]

    def look(self, crops: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor, LimbCuts]:
        """Return logits as `forward`, the second stage's maps (4 B, width, height, width), and where limbs were cut."""
        cuts = self.cutter.find(keypoints)
        looks = torch.cat([self.cutter.cut(crops, cuts), self._heatmaps(cuts)], 2)
        maps = self.resnet.maps(looks.flatten(0, 1))
        seen = maps[-1].mean((2, 3)).unflatten(0, (-1, N_HEADS))
        known = self.pose(self._told(cuts))
        features = self.together(torch.cat([seen, known], -1))
        logits = torch.stack([head(features[:, row]) for row, head in enumerate(self.heads)], 1)
        return logits, maps[min(1, len(maps) - 1)], cuts

    def probabilities(self, crops: Tensor, keypoints: Tensor) -> Tensor:
        """Return calibrated probabilities (B, 4 heads, 4 classes)."""
        return torch.softmax(self(crops, keypoints).float() / self.temperature, 2)

    def _heatmaps(self, cuts: LimbCuts) -> Tensor:
        """Return (B, 4, 4, P, P): the limb's own three joints, and the highest of all others."""
        places = ((cuts.points[..., :2] + 1) * self.numbers.limb_px - 1) / 2
        maps = self.heatmap_generator(torch.cat([places, cuts.points[..., 2:]], -1).flatten(0, 1))
        maps = maps.unflatten(0, (-1, N_HEADS))
        rows = self.cutter.order.gather(1, self.cutter.joints)  # in a mirror a right elbow is a left one
        heads = torch.arange(N_HEADS, device=maps.device)[:, None]
        own = maps[:, heads, rows]
        others = torch.ones(N_HEADS, N_COCO, device=maps.device, dtype=maps.dtype)
        others[heads, rows] = 0
        return torch.cat([own, (maps * others[:, :, None, None]).amax(2, keepdim=True)], 2)

    def _told(self, cuts: LimbCuts) -> Tensor:
        size = self.numbers.picture_px
        middle = cuts.middle / size * 2 - 1
        mirrored = middle[..., :1] * self.cutter.mirror[:, None]
        arms = self.cutter.arms[:, None].expand(len(middle), -1, -1)
        own = torch.cat([mirrored, middle[..., 1:], cuts.side[..., None] / size, arms], -1)
        return torch.cat([cuts.points.flatten(2), own], -1)
