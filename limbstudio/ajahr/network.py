"""AJAHR whole: picture and keypoints to limb states, pose, shape and camera (paper, figure 2)."""

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn

from limbstudio.ajahr.backbone import VisionTransformer, person_columns
from limbstudio.ajahr.bpac import BpacNet, BpacOutput
from limbstudio.ajahr.build import (
    HEATMAP_KEYPOINTS,
    N_HAND_JOINTS,
    N_SHAPE,
    POSE_NUMBERS,
    ROTATION_NUMBERS,
    AjahrNumbers,
)
from limbstudio.ajahr.decoder import QueryDecoder
from limbstudio.ajahr.rotations import rotations_of
from limbstudio.ajahr.token_head import TokenHead
from limbstudio.ajahr.zeroing import amputation_flags, zero_absent

# Focal length of the imagined camera of a crop, pixels, and the side of the crop (released configuration).
CROP_FOCAL_PX, CROP_PX = 5000.0, 256
_SMALL = 1e-9


class BpacContext(StrEnum):
    """What the decoder does with BPAC-Net's feature.

    OFF: nothing, as the released program does, which computes it and leaves it. SECOND_PASS: the same layers look at it
    after the picture, the reading that the paper's figure suggests; for weights that were trained so.
    """

    OFF = "off"
    SECOND_PASS = "second_pass"


@dataclass(frozen=True, eq=False)
class BodyEstimate:
    """What the head says of B people.

    orientation: (B, 1, 3, 3). pose: (B, 23, 3, 3), SMPL's joints 1 to 23. shape: (B, 10). camera: (B, 3), scale and the
    offsets x, y in a crop's frame (`crop_translation`). logits: (B, tokens, codes), the words of the pose.
    """

    orientation: Tensor
    pose: Tensor
    shape: Tensor
    camera: Tensor
    logits: Tensor


class BodyHead(nn.Module):
    """A map of features to a body: one query, then a small layer for each part."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_cam: Tensor

    def __init__(self, numbers: AjahrNumbers) -> None:
        super().__init__()
        width = numbers.decoder.width
        self.transformer = QueryDecoder(numbers.decoder)
        self.decpose_grot = nn.Linear(width, ROTATION_NUMBERS)
        words_loss = numbers.tokenizer_loss or numbers.tokenizer
        self.decpose = TokenHead(width, numbers.head, numbers.tokenizer, words_loss)
        self.decpose_hands = nn.Linear(width, N_HAND_JOINTS * ROTATION_NUMBERS)
        self.decshape = nn.Linear(width, N_SHAPE)
        self.deccam = nn.Linear(width, 3)
        # The mean body and camera that all answers are differences from; a user's file or our own training sets them.
        identity = torch.eye(3)[:2].reshape(1, -1).repeat(1, POSE_NUMBERS // ROTATION_NUMBERS)
        self.register_buffer("init_body_pose", identity)
        self.register_buffer("init_betas", torch.zeros(1, N_SHAPE))
        self.register_buffer("init_cam", torch.tensor([[0.9, 0.0, 0.0]]))

    def forward(
        self, features: Tensor, flags: Tensor, feature_of_limbs: Tensor | None = None
    ) -> BodyEstimate:
        """Estimate bodies.

        features: (B, N, context width), in row-major order where they come from a map. flags: (B, 4), not zero where
        a limb is not intact. feature_of_limbs: (B, context width) of BPAC-Net, for a second pass of the decoder.
        """
        second = None if feature_of_limbs is None else feature_of_limbs[:, None]
        return self.read(self.transformer(features, second), flags)

    def read(self, vector: Tensor, flags: Tensor) -> BodyEstimate:
        """Return what the decoder's vectors (B, width) say; flags: as of `forward`."""
        body = self.decpose(vector, flags)
        six = torch.cat([self.decpose_grot(vector), body.six.flatten(1), self.decpose_hands(vector)], 1)
        rotations = rotations_of((six.float() + self.init_body_pose).unflatten(1, (-1, ROTATION_NUMBERS)))
        return BodyEstimate(
            rotations[:, :1], rotations[:, 1:],
            self.decshape(vector) + self.init_betas, self.deccam(vector) + self.init_cam, body.logits,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class AjahrOutput:
    """body: the estimate, rotations of absent joints zeroed. limbs: what BPAC-Net said. translation: (B, 3) metres in
    the crop's camera. features: the picture's, (B, width, rows, columns)."""

    body: BodyEstimate
    limbs: BpacOutput
    translation: Tensor
    features: Tensor


class AjahrNet(nn.Module):
    """The network at the paper's size, named as in the released checkpoint; SMPL itself is the caller's."""

    def __init__(self, numbers: AjahrNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.backbone = VisionTransformer(numbers.backbone)
        self.smpl_head = BodyHead(numbers)
        self.classifier = BpacNet(numbers.bpac)

    def forward(
        self, crops: Tensor, keypoints: Tensor, context: BpacContext = BpacContext.OFF
    ) -> AjahrOutput:
        """Estimate limbs and bodies.

        crops: (B, 3, 256, 256) RGB less the ImageNet mean over its deviation. keypoints: (B, 17, 2 or 3) of COCO in
        pixels of the crop (the released demo gives those of the whole photo, with which heatmaps lie elsewhere).
        """
        limbs = self.classifier(crops, keypoints[:, HEATMAP_KEYPOINTS])
        features = self.backbone(person_columns(crops, self.numbers.backbone))
        flags = torch.as_tensor(amputation_flags(limbs.classes.cpu().numpy()), device=crops.device)
        said = limbs.projected if context is BpacContext.SECOND_PASS else None
        body = self.smpl_head(features.flatten(2).transpose(1, 2), flags, said)
        pose = zero_absent(body.pose, limbs.classes.cpu().numpy())
        body = BodyEstimate(body.orientation, pose, body.shape, body.camera, body.logits)
        return AjahrOutput(body, limbs, crop_translation(body.camera), features)


def crop_translation(camera: Tensor) -> Tensor:
    """Return where the body stands, (B, 3) metres, for scale and offsets (B, 3) in the crop's imagined camera."""
    scale, x, y = camera.unbind(-1)
    return torch.stack([x, y, 2 * CROP_FOCAL_PX / (CROP_PX * scale + _SMALL)], -1)


def photo_translation(
    camera: Tensor, box_center: Tensor, box_px: Tensor, size_px: Tensor
) -> tuple[Tensor, Tensor]:
    """Return where the body stands for the whole photo's camera, (B, 3) metres, and that camera's focal length (B,).

    camera: (B, 3) scale and offsets. box_center: (B, 2), box_px: (B,) the square crop in the photo, pixels.
    size_px: (B, 2) width and height of the photo; its principal point is its middle.
    """
    focal = CROP_FOCAL_PX / CROP_PX * size_px.amax(-1)
    scale = box_px * camera[:, 0] + _SMALL
    offsets = 2 * (box_center - size_px / 2) / scale[:, None] + camera[:, 1:]
    return torch.cat([offsets, (2 * focal / scale)[:, None]], 1), focal
