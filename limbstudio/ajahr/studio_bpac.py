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
from limbstudio.ajahr.person_features import PersonFeatures
from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX, N_COCO, Side, limb_joints

# A point that a detector hardly believes in does not tell where a limb lies.
_LEAST_CONFIDENCE = 0.2
# The side of a cut around a limb: so many times what its points span, within these shares of the crop's side.
_MARGIN, _LEAST_SIDE, _MOST_SIDE = 1.5, 0.36, 0.9
# The side of a cut around a wrist or ankle: so much of that of its limb's, within these shares of the crop's side.
_END_SHARE, _LEAST_END, _MOST_END = 0.6, 0.24, 0.4
# How far beyond elbow or knee an end is looked for whose point was not found, in lengths of the segment above.
_ONWARD = 0.9
# Of the points alone: place and confidence of 17, the cut's place and side, whether it is an arm.
_TOLD = 3 * N_COCO + 4
# On maps of features: the limb's own joints, drawn so wide, and how many places of the coarse map a limb takes.
_N_OWN, _OWN_SIGMA_CELLS, _COARSE_CELLS = 3, 1.2, 4


class ConfidentHeatmaps(KeypointHeatmaps):
    """Draw one Gaussian per keypoint, as high as its confidence: a point that was not found is not drawn."""

    def forward(self, keypoints: Tensor) -> Tensor:
        """Return (B, K, S, S) for keypoints (B, K, 3): x, y in pixels of the picture, confidence 0 to 1."""
        rows, columns = self._apart(keypoints)
        return rows[..., None] * columns[..., None, :]

    def together(self, keypoints: Tensor) -> Tensor:
        """Return (B, S, S): the sum of all keypoints' maps, where it is less than 1."""
        rows, columns = self._apart(keypoints)
        return (rows.transpose(1, 2) @ columns).clamp_max(1)

    def _apart(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Return (B, K, S) twice: down and across; a Gaussian of two variables is the product of two of one."""
        across, down = (
            torch.exp(-((grid.flatten() - keypoints[..., axis, None]) ** 2) / (2 * self.sigma_px**2))
            for axis, grid in enumerate((self.x_grid, self.y_grid))
        )
        return down * keypoints[..., 2, None], across


@dataclass(frozen=True, eq=False)
class LimbCuts:
    """Squares in crops, those of right limbs mirrored. middle: (B, 4, 2), side: (B, 4), in shares of the crop's side.

    points: (B, 4, 17, 3): places from -1 to 1 within the square, and confidence; those of a mirrored cut are named for
    the other side. Zeros where nothing was found.
    """

    middle: Tensor
    side: Tensor
    points: Tensor


class LimbCutter(nn.Module):
    """Find each limb's squares by its points, and cut them out."""

    joints: Tensor
    mirror: Tensor
    order: Tensor
    arms: Tensor

    def __init__(self) -> None:
        super().__init__()
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

    def limbs(self, keypoints: Tensor) -> LimbCuts:
        """Return where whole limbs lie by keypoints (B, 17, 3): shares of the crop's side, and confidence."""
        own = keypoints[:, self.joints]
        found = own[..., 2:] >= _LEAST_CONFIDENCE
        low = torch.where(found, own[..., :2], torch.inf).amin(2)
        high = torch.where(found, own[..., :2], -torch.inf).amax(2)
        any_found = found.any(2)
        middle = torch.where(any_found, (low + high) / 2, torch.full_like(low, 0.5))
        span = torch.where(any_found, high - low, torch.ones_like(low)).amax(2)
        return self._within(keypoints, middle, (span * _MARGIN).clamp(_LEAST_SIDE, _MOST_SIDE))

    def ends(self, keypoints: Tensor, limbs: LimbCuts) -> LimbCuts:
        """Return where wrists and ankles lie, or would lie, within limbs that `limbs` found."""
        own = keypoints[:, self.joints]
        first, second, last = own[..., :2].unbind(2)
        found = own[..., 2] >= _LEAST_CONFIDENCE
        onward = second + _ONWARD * (second - first)
        middle = torch.where((found[..., 0] & found[..., 1])[..., None], onward, limbs.middle)
        middle = torch.where(found[..., 2:], last, middle)
        return self._within(keypoints, middle, (limbs.side * _END_SHARE).clamp(_LEAST_END, _MOST_END))

    def _within(self, keypoints: Tensor, middle: Tensor, side: Tensor) -> LimbCuts:
        points = keypoints[:, self.order]
        places = self.near(points[..., :2], middle, side)
        sure = points[..., 2:]
        return LimbCuts(middle, side, torch.cat([places * (sure > 0), sure], -1))

    def near(self, places: Tensor, middle: Tensor, side: Tensor) -> Tensor:
        """Return places (B, 4, N, 2) in shares of the crop's side as they lie in squares, from -1 to 1."""
        within = (places - middle[:, :, None]) / (side / 2)[..., None, None]
        return torch.cat([within[..., :1] * self.mirror[:, None, None], within[..., 1:]], -1)

    def cut(self, crops: Tensor, cuts: LimbCuts, size_px: int, *, mirrored: bool = True) -> Tensor:
        """Return (B, 4, C, P, P) of crops or maps (B, C, S, S); what lies outside is zero, the mean colour.

        mirrored: turn those of right limbs over, as points are told; else all are as in the crop.
        """
        mirror = self.mirror if mirrored else torch.ones_like(self.mirror)
        steps = torch.arange(size_px, device=crops.device, dtype=crops.dtype)
        steps = (steps + 0.5) * (2.0 / size_px) - 1.0
        half = (cuts.side / 2)[..., None]
        x = cuts.middle[..., :1] + steps * half * mirror[:, None]
        y = cuts.middle[..., 1:] + steps * half
        grid = torch.stack(
            [x[:, :, None, :].expand(-1, -1, size_px, -1), y[:, :, :, None].expand(-1, -1, -1, size_px)], -1
        )
        # One tall picture of four cuts: each crop is read once.
        tall = nn.functional.grid_sample(
            crops, (2 * grid - 1).flatten(1, 2).to(crops.dtype), align_corners=False
        )
        return tall.unflatten(2, (N_HEADS, size_px)).transpose(1, 2)


@dataclass(frozen=True, eq=False)
class Notes:
    """What is noted of N limbs before it is read: features of pictures, told points, cuts of maps of features.

    rows: (N,), which of the B x 4; the limb is its rest by 4. seen, near: (N, width) of the two cuts. told: (N, 55).
    limb_map, end_map: (N, C, P, P) and limb_joints, end_joints (N, 3, 3). far: (N, C, 4, 4), of the coarse map.
    """

    rows: Tensor
    seen: Tensor
    near: Tensor
    told: Tensor
    limb_map: Tensor
    limb_joints: Tensor
    end_map: Tensor
    end_joints: Tensor
    far: Tensor


@dataclass(frozen=True, eq=False)
class Look:
    """What is seen of N limbs of B people. notes: of them. logits: (N, 4 classes).

    limbs, ends: where was looked. limb_maps, end_maps: what the second stage makes of it, (N, width, h, w).
    """

    notes: Notes
    logits: Tensor
    limbs: LimbCuts
    ends: LimbCuts
    limb_maps: Tensor
    end_maps: Tensor


class FeatureReader(nn.Module):
    """Read a cut of a map of features, with where the limb's own three joints lie on it: (N, C, P, P) to (N, width)."""

    places: Tensor

    def __init__(self, channels: int, cells: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.cells = cells
        strides, layers = (1, 2, 2), []
        width = channels + _N_OWN
        for out, stride in zip(widths, strides, strict=True):
            layers += [nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            width = out
        self.layers = nn.Sequential(*layers)
        self.register_buffer("places", (torch.arange(cells) + 0.5) * (2 / cells) - 1, persistent=False)

    def forward(self, maps: Tensor, own: Tensor) -> Tensor:
        """Read maps of cuts; own: (N, 3, 3), the joints' places from -1 to 1 in the cut and confidence."""
        spread = 2 * (2 * _OWN_SIGMA_CELLS / self.cells) ** 2
        across = torch.exp(-((self.places - own[..., :1]) ** 2) / spread)
        down = torch.exp(-((self.places - own[..., 1:2]) ** 2) / spread) * own[..., 2:]
        drawn = down[..., None] * across[..., None, :]
        read = self.layers(torch.cat([maps, drawn.to(maps.dtype)], 1))
        return torch.cat([read.mean((2, 3)), read.amax((2, 3))], 1)


class StudioBpac(nn.Module):
    """Tells of each limb how it ends, with a probability. temperature: what logits are divided by for that.

    It looks twice, at the whole limb and nearer at where wrist or ankle is or would be; each time at the picture and at
    features of people (`person_features`).
    """

    temperature: Tensor

    def __init__(self, numbers: StudioBpacNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.cutter = LimbCutter()
        self.limb_heatmaps = ConfidentHeatmaps(replace(numbers, picture_px=numbers.limb_px))
        self.end_heatmaps = ConfidentHeatmaps(replace(numbers, picture_px=numbers.end_px))
        self.resnet = AttentionResNet(3 + numbers.heatmaps, numbers)
        self.end_resnet = AttentionResNet(3 + numbers.heatmaps, numbers)
        self.pose = nn.Sequential(
            nn.Linear(_TOLD, numbers.pose_width), nn.ReLU(),
            nn.Linear(numbers.pose_width, numbers.pose_width), nn.ReLU(),
        )  # fmt: skip
        self.features = PersonFeatures(numbers.features)
        fine, coarse = numbers.features.fine, numbers.features.stages[-1][-1].width
        read = numbers.feature_widths
        self.limb_reader = FeatureReader(fine, numbers.limb_cells, read)
        self.end_reader = FeatureReader(fine, numbers.end_cells, read)
        self.coarse_reader = nn.Sequential(
            nn.Conv2d(coarse, read[0], 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(read[0] * _COARSE_CELLS**2, read[-1]), nn.ReLU(),
        )  # fmt: skip
        told = 2 * numbers.widths[-1] + numbers.pose_width + 5 * read[-1] + N_HEADS
        self.together = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(told, numbers.hidden), nn.ReLU(), nn.Dropout(0.1)
        )
        for head in range(1, N_HEADS + 1):
            self.add_module(f"head{head}", nn.Linear(numbers.hidden, N_CLASSES))
        self.register_buffer("temperature", torch.ones(()))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU

    @property
    def heads(self) -> tuple[nn.Linear, ...]:
        """Return the four heads, in the order of `HEAD_LIMBS`."""
        return tuple(self.get_submodule(f"head{head}") for head in range(1, N_HEADS + 1))  # type: ignore[misc]

    def forward(self, crops: Tensor, keypoints: Tensor) -> Tensor:
        """Return logits (B, 4 heads, 4 classes).

        crops: (B, 3, S, S) RGB less the ImageNet mean over its deviation. keypoints: (B, 17, 3), pixels of the crop and
        confidence; a point that was not found is zeros.
        """
        return self.look(crops, keypoints).logits.unflatten(0, (-1, N_HEADS))

    def look(self, crops: Tensor, keypoints: Tensor, only: Tensor | None = None) -> Look:
        """Look at limbs, all or those that `only` (B, 4) names; otherwise as `forward`."""
        size = self.numbers.picture_px
        shares = torch.cat([(keypoints[..., :2] + 0.5) / size, keypoints[..., 2:]], -1)
        limbs = self.cutter.limbs(shares)
        ends = self.cutter.ends(shares, limbs)
        rows = torch.arange(limbs.side.numel(), device=crops.device)
        rows = rows if only is None else rows[only.flatten()]
        smaller = nn.functional.interpolate(
            crops, size=self.numbers.limbs_from_px, mode="bilinear", align_corners=False, antialias=True
        )
        seen, limb_maps = self._see(self.resnet, self.limb_heatmaps, smaller, limbs, rows)
        near, end_maps = self._see(self.end_resnet, self.end_heatmaps, crops, ends, rows)
        fine, coarse = self.features(crops)

        def cut(maps: Tensor, cuts: LimbCuts, cells: int) -> Tensor:
            return self.cutter.cut(maps, cuts, cells, mirrored=False).flatten(0, 1)[rows]

        notes = Notes(
            rows, seen, near, self._told(limbs).flatten(0, 1)[rows],
            cut(fine, limbs, self.limb_reader.cells), self._own_joints(limbs)[rows],
            cut(fine, ends, self.end_reader.cells), self._own_joints(ends)[rows],
            cut(coarse, limbs, _COARSE_CELLS),
        )  # fmt: skip
        return Look(notes, self.read(notes), limbs, ends, limb_maps, end_maps)

    def read(self, notes: Notes) -> Tensor:
        """Return logits (N, 4 classes) of what is noted."""
        which = notes.rows % N_HEADS
        features = self.together(
            torch.cat(
                [
                    notes.seen, notes.near, self.pose(notes.told),
                    self.limb_reader(notes.limb_map, notes.limb_joints),
                    self.end_reader(notes.end_map, notes.end_joints),
                    self.coarse_reader(notes.far),
                    nn.functional.one_hot(which, N_HEADS).to(notes.seen.dtype),
                ], 1,
            )
        )  # fmt: skip
        every = torch.stack([head(features) for head in self.heads], 1)
        return every[torch.arange(len(which), device=which.device), which]

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """Return all that `read` uses."""
        return self.pose, self.limb_reader, self.end_reader, self.coarse_reader, self.together, *self.heads

    def probabilities(self, crops: Tensor, keypoints: Tensor) -> Tensor:
        """Return calibrated probabilities (B, 4 heads, 4 classes)."""
        return torch.softmax(self(crops, keypoints).float() / self.temperature, 2)

    def _see(
        self,
        resnet: AttentionResNet,
        heatmaps: ConfidentHeatmaps,
        crops: Tensor,
        cuts: LimbCuts,
        rows: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return features (N, width) and the second stage's maps of cuts, of these rows alone."""
        size_px = heatmaps.x_grid.numel()
        pictures = self.cutter.cut(crops, cuts, size_px).flatten(0, 1)[rows]
        drawn = self._heatmaps(heatmaps, cuts.points.flatten(0, 1)[rows], rows, size_px)
        looks = torch.cat([pictures, drawn.to(pictures.dtype)], 1).contiguous(
            memory_format=torch.channels_last
        )
        maps = resnet.maps(looks)
        return maps[-1].mean((2, 3)), maps[min(1, len(maps) - 1)]

    def _own_joints(self, cuts: LimbCuts) -> Tensor:
        """Return a limb's own three joints in its cut, not mirrored, (B x 4, 3, 3)."""
        own = self.cutter.order.gather(1, self.cutter.joints)[None, ..., None]
        joints = cuts.points.gather(2, own.expand(len(cuts.points), -1, -1, 3))
        across = joints[..., :1] * self.cutter.mirror[:, None, None]
        return torch.cat([across, joints[..., 1:]], -1).flatten(0, 1)

    def _heatmaps(self, heatmaps: ConfidentHeatmaps, points: Tensor, rows: Tensor, size_px: int) -> Tensor:
        """Return (N, 4, P, P) for points (N, 17, 3): the limb's own three joints, and all others together."""
        points = torch.cat([((points[..., :2] + 1) * size_px - 1) / 2, points[..., 2:]], -1)
        own = self.cutter.order.gather(1, self.cutter.joints)  # in a mirror a right elbow is a left one
        own = own[rows % N_HEADS][..., None].expand(-1, -1, 3)
        others = points.scatter(1, own, 0.0)
        return torch.cat([heatmaps(points.gather(1, own)), heatmaps.together(others)[:, None]], 1)

    def _told(self, cuts: LimbCuts) -> Tensor:
        middle = cuts.middle * 2 - 1
        mirrored = middle[..., :1] * self.cutter.mirror[:, None]
        arms = self.cutter.arms[:, None].expand(len(middle), -1, -1)
        own = torch.cat([mirrored, middle[..., 1:], cuts.side[..., None], arms], -1)
        return torch.cat([cuts.points.flatten(2), own], -1)
