"""AJAHR at the studio's size: the same decoder, token head and tokenizers, on keypoints in place of a picture.

What stands for the picture's features are a few tokens that a small network makes of a person's points, how the limbs
end, and how large and where in the picture the person appears. Points are told as a camera turned toward the person
would see them (`resihmr.lifter.sight`), and the body is answered in that camera's frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import KeypointEncoderNumbers, StudioNumbers
from limbstudio.ajahr.keypoint_block import KeypointBlock
from limbstudio.ajahr.network import BodyEstimate, BodyHead
from limbstudio.ajahr.picture_encoder import PictureEncoder, PictureNotes
from limbstudio.ajahr.second_look import Said, SecondLook
from limbstudio.ajahr.zeroing import zero_absent, zeroed_joints
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


def confidences(inputs: Tensor) -> Tensor:
    """Return how sure points are (B, 21), 0 for one that is not seen, as the inputs say it."""
    return inputs[:, 2 * N_POINTS : 3 * N_POINTS]


def appearing_size(inputs: Tensor) -> Tensor:
    """Return how large people appear (B,), in distances from the camera, as the inputs say it."""
    return torch.exp(inputs[:, N_INPUTS - _N_VIEW] - _LOG_SIZE_SHIFT)


class KeypointEncoder(nn.Module):
    """Points, limb endings and view of a person to tokens (B, tokens, width).

    The trunk's layers are named and shaped as the lifter's (`resihmr.lifter`), so that training may begin with what
    that has learned of depths.
    """

    def __init__(self, numbers: KeypointEncoderNumbers) -> None:
        super().__init__()
        self.first = nn.Linear(N_INPUTS, numbers.width)
        self.blocks = nn.ModuleList(KeypointBlock(numbers.width) for _ in range(numbers.blocks))
        self.norm = nn.LayerNorm(numbers.width)
        self.tokens = nn.Linear(numbers.width, numbers.tokens * numbers.token_width)
        self.token_width = numbers.token_width

    def forward(self, inputs: Tensor) -> Tensor:
        """Return tokens for what `sight` shows of people (B, N_INPUTS)."""
        h = self.first(inputs)
        for block in self.blocks:
            h = block(h)
        return self.tokens(torch.relu(self.norm(h))).unflatten(1, (-1, self.token_width))

    def begin_with(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the numbers of a trained lifter's trunk; blocks that it has not stay as they are."""
        kept = {name: torch.as_tensor(value, dtype=torch.float32) for name, value in arrays.items()}
        own = self.state_dict()
        self.load_state_dict({**own, **{name: value for name, value in kept.items() if name in own}})


@dataclass(frozen=True, eq=False)
class KeypointBody:
    """estimate: the body in the camera turned toward the person, absent rotations zeroed. place: (B, 3), where its root
    is in that camera, metres."""

    estimate: BodyEstimate
    place: Tensor


@dataclass(frozen=True, eq=False)
class SeenPeople:
    """Those of B people whose picture is there. rows: (N,) of them. notes: of their pictures."""

    rows: Tensor
    notes: PictureNotes


class KeypointAjahr(nn.Module):
    """From points to a body.

    tokenizer: which one's words a pose is said in: by limb flags, or always one (for ablations).
    """

    tokenizer: Literal["switched", "intact", "loss"] = "switched"

    def __init__(self, numbers: StudioNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.encoder = KeypointEncoder(numbers.encoder)
        self.smpl_head = BodyHead(numbers.ajahr)
        self.second_look = SecondLook(numbers.second_look)
        self.picture: PictureEncoder | None = None
        if numbers.picture is not None:
            self.picture = PictureEncoder(numbers.picture, numbers.decoder)

    def forward(self, inputs: Tensor, seen: SeenPeople | None = None) -> KeypointBody:
        """Estimate bodies of people as `sight` shows them (B, N_INPUTS). seen: those whose picture is there."""
        return self.looks(inputs, seen)[-1]

    def looks(self, inputs: Tensor, seen: SeenPeople | None = None) -> list[KeypointBody]:
        """Return what the head says, and what becomes of it with each further look."""
        bodies = [self.first_look(inputs, seen)]
        classes = head_classes(endings_shown(inputs)).cpu().numpy()
        absent = zeroed_joints(classes)[:, : N_BODY_JOINTS - 1]
        absent = torch.as_tensor(np.pad(absent, ((0, 0), (1, 0))), device=inputs.device)
        size = appearing_size(inputs)
        for _ in range(self.numbers.second_look.times):
            before = bodies[-1].estimate
            rotations = torch.cat([before.orientation, before.pose[:, : N_BODY_JOINTS - 1]], 1)
            said = Said(rotations, before.shape, before.camera)
            said = self.second_look(inputs, said, bodies[-1].place, size, absent)
            pose = torch.cat([said.rotations[:, 1:], before.pose[:, N_BODY_JOINTS - 1 :]], 1)
            after = BodyEstimate(said.rotations[:, :1], pose, said.shape, said.camera, before.logits)
            bodies.append(KeypointBody(after, self.place(said.camera, inputs)))
        return bodies

    def first_look(self, inputs: Tensor, seen: SeenPeople | None = None) -> KeypointBody:
        """Return what AJAHR's head says."""
        classes = head_classes(endings_shown(inputs))
        flags = classes != _CLASS_OF_ENDING[INTACT]
        if self.tokenizer != "switched":
            flags = torch.full_like(flags, self.tokenizer == "loss")
        vector = self.smpl_head.transformer(self.encoder(inputs))
        if seen is not None and self.picture is not None:
            vector = vector.index_add(0, seen.rows, self.picture(vector[seen.rows], seen.notes))
        body = self.smpl_head.read(vector, flags)
        pose = zero_absent(body.pose, classes.cpu().numpy())
        estimate = BodyEstimate(body.orientation, pose, body.shape, body.camera, body.logits)
        return KeypointBody(estimate, self.place(body.camera, inputs))

    def place(self, camera: Tensor, inputs: Tensor) -> Tensor:
        """Return where roots are (B, 3): scale and offsets (B, 3) are in units of how large the person appears."""
        size = appearing_size(inputs)
        depth = 2 / (size * camera[:, 0].clamp_min(0.05))
        offsets = camera[:, 1:] * (size * depth)[:, None] / 2
        return torch.cat([offsets, depth[:, None]], 1)


def is_of_picture(name: str) -> bool:
    """Tell whether a tensor of the network is of what looks at pictures."""
    return name.startswith("picture.")


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
