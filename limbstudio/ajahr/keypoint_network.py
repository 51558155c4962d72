"""AJAHR at the studio's size: the same decoder, token head and tokenizers, on keypoints in place of a picture.

What stands for the picture's features are tokens of a person's points: one per point, one per limb (how it ends), one
for how large and where in the picture the person appears. Points are told as a camera turned toward the person would
see them (`resihmr.lifter.sight`), and the body is answered in that camera's frame.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbstudio.ajahr.backbone import Block
from limbstudio.ajahr.build import StudioNumbers
from limbstudio.ajahr.network import BodyEstimate, BodyHead
from limbstudio.ajahr.zeroing import zero_absent
from limbstudio.domain.anatomy import N_BODY_JOINTS, SMPLX_INDEX, Limb
from limbstudio.resihmr.lifter import (
    END_OF_LOWER,
    GONE,
    IN_UPPER,
    INTACT,
    N_ENDINGS,
    N_INPUTS,
    N_LIMBS,
    N_POINTS,
)

_N_VIEW = N_INPUTS - 3 * N_POINTS - N_LIMBS * (N_ENDINGS - 1)
# AJAHR's class of each ending of a limb: intact, two from the wrist or ankle on, two from the elbow or knee, gone.
_CLASS_OF_ENDING = torch.tensor([3, 0, 0, 1, 1, 2])
# Heads in the order of the released classifier, as rows of `Limb`.
_HEADS: tuple[int, ...] = StudioNumbers.head_rows()
_LOG_SIZE_SHIFT = 1.0


def head_classes(endings: Tensor) -> Tensor:
    """Return the classes (B, 4) of AJAHR's heads for how limbs end (B, 4), in the lifter's order and words."""
    return _CLASS_OF_ENDING.to(endings.device)[endings][:, list(_HEADS)]


def endings_shown(inputs: Tensor) -> Tensor:
    """Return how the limbs end (B, 4) as the inputs (B, N_INPUTS) say it."""
    told = inputs[:, 3 * N_POINTS : N_INPUTS - _N_VIEW].view(-1, N_LIMBS, N_ENDINGS - 1)
    return torch.where(told.amax(2) > 0, told.argmax(2) + 1, torch.zeros_like(told.argmax(2)))


def seen(inputs: Tensor) -> Tensor:
    """Return which points are seen (B, 21), 1 or 0, as the inputs say it."""
    return inputs[:, 2 * N_POINTS : 3 * N_POINTS]


def appearing_size(inputs: Tensor) -> Tensor:
    """Return how large people appear (B,), in distances from the camera, as the inputs say it."""
    return torch.exp(inputs[:, N_INPUTS - _N_VIEW] - _LOG_SIZE_SHIFT)


class KeypointEncoder(nn.Module):
    """Points, limb endings and view of a person to tokens (B, 26, width)."""

    def __init__(self, numbers: StudioNumbers) -> None:
        super().__init__()
        width = numbers.encoder.width
        self.point = nn.Linear(3, width)
        self.limb = nn.Linear(N_ENDINGS - 1, width)
        self.view = nn.Linear(_N_VIEW, width)
        self.names = nn.Parameter(torch.randn(N_POINTS + N_LIMBS + 1, width) * 0.02)
        self.blocks = nn.ModuleList(Block(numbers.encoder, 0.0) for _ in range(numbers.encoder.blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return tokens for what `sight` shows of people (B, N_INPUTS)."""
        places = inputs[:, : 2 * N_POINTS].view(-1, N_POINTS, 2)
        limbs = inputs[:, 3 * N_POINTS : N_INPUTS - _N_VIEW].view(-1, N_LIMBS, N_ENDINGS - 1)
        tokens = [
            self.point(torch.cat([places, seen(inputs)[..., None]], 2)),
            self.limb(limbs),
            self.view(inputs[:, N_INPUTS - _N_VIEW :])[:, None],
        ]
        x = torch.cat(tokens, 1) + self.names
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


@dataclass(frozen=True, eq=False)
class KeypointBody:
    """estimate: the body in the camera turned toward the person, absent rotations zeroed. place: (B, 3), where its root
    is in that camera, metres."""

    estimate: BodyEstimate
    place: Tensor


class KeypointAjahr(nn.Module):
    """From points to a body."""

    def __init__(self, numbers: StudioNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.encoder = KeypointEncoder(numbers)
        self.smpl_head = BodyHead(numbers.ajahr)

    def forward(self, inputs: Tensor) -> KeypointBody:
        """Estimate bodies of people as `sight` shows them (B, N_INPUTS)."""
        classes = head_classes(endings_shown(inputs))
        body = self.smpl_head(self.encoder(inputs), classes != _CLASS_OF_ENDING[INTACT])
        pose = zero_absent(body.pose, classes.cpu().numpy())
        estimate = BodyEstimate(body.orientation, pose, body.shape, body.camera, body.logits)
        return KeypointBody(estimate, self.place(body.camera, inputs))

    def place(self, camera: Tensor, inputs: Tensor) -> Tensor:
        """Return where roots are (B, 3): scale and offsets (B, 3) are in units of how large the person appears."""
        size = appearing_size(inputs)
        depth = 2 / (size * camera[:, 0].clamp_min(0.05))
        offsets = camera[:, 1:] * (size * depth)[:, None] / 2
        return torch.cat([offsets, depth[:, None]], 1)


def existing_joints(endings: Tensor) -> Tensor:
    """Return which of the body's 22 joints exist (B, 22) bool for how limbs end (B, 4)."""
    exists = torch.ones(len(endings), N_BODY_JOINTS, dtype=torch.bool, device=endings.device)
    for row, limb in enumerate(Limb):
        side = limb.side.value
        middle, last = ("elbow", "wrist") if limb.is_arm else ("knee", "ankle")
        ending = endings[:, row]
        whole = ending == INTACT
        exists[:, SMPLX_INDEX[f"{side}_{last}"]] = whole | (ending == END_OF_LOWER)
        exists[:, SMPLX_INDEX[f"{side}_{middle}"]] = (ending != IN_UPPER) & (ending != GONE)
        if not limb.is_arm:
            exists[:, SMPLX_INDEX[f"{side}_foot"]] = whole
    return exists
