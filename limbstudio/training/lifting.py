"""From keypoints to a body by HKMR's regressor: what stands in for picture features is an embedding of the keypoints.

This trains on synthetic people without a single photo. Joints that a person does not have are told to the regressor,
which leaves them out, and have no weight in any loss.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from limbstudio.body.model import BodyModel
from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_BODY_JOINTS, N_COCO, N_KEYPOINTS
from limbstudio.hkmr.build import PAPER, HkmrNumbers, build_regressor
from limbstudio.hkmr.losses import LossWeights, joints_loss, points_loss
from limbstudio.hkmr.regressor import Estimate, project_weak_perspective
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.skeleton import Skeleton, place, to_torch
from limbstudio.training.people import PeopleArrays

LEARNING_RATE = 1e-3
EMBEDDING_WIDTH = 512
# Weight of the squared shape numbers (standard normal over adults): our choice.
SHAPE_PULL = 1e-2


@dataclass(frozen=True, eq=False)
class Batch:
    """keypoints (B, 25, 3), joints (B, 22, 3), exists (B, 24) bool: as in `people.PeopleArrays`, tensors."""

    keypoints: Tensor
    joints: Tensor
    exists: Tensor


def as_batch(people: PeopleArrays) -> Batch:
    """Return all people as one batch."""
    return Batch(
        torch.from_numpy(people.keypoints), torch.from_numpy(people.joints), torch.from_numpy(people.exists)
    )


class KeypointLifter(nn.Module):
    """Keypoints to HKMR's estimates. numbers.features is the width of the keypoints' embedding."""

    def __init__(self, numbers: HkmrNumbers = PAPER) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            nn.Flatten(), nn.Linear(3 * N_KEYPOINTS, EMBEDDING_WIDTH), nn.ReLU(),
            nn.Linear(EMBEDDING_WIDTH, numbers.features), nn.ReLU(),
        )  # fmt: skip
        self.regressor = build_regressor(numbers)

    def forward(self, keypoints: Tensor, exists: Tensor) -> list[Estimate]:
        """Return the estimate after each outer step for keypoints (B, 25, 3) and existing joints (B, 24)."""
        return self.regressor(self.embedding(keypoints), exists)


class EstimatedBody:
    """The bundled body's joints and COCO points under an estimate, differentiable."""

    def __init__(self, body: BodyModel, device: str = "cpu") -> None:
        self._skeleton = single_precision(to_torch(fit_model(body).skeleton, device))

    def __call__(self, estimate: Estimate) -> tuple[Tensor, Tensor]:
        """Return joints (B, 22, 3) and COCO points (B, 17, 3), metres from the pelvis, in the camera's axes."""
        pose = estimate.pose[:, :N_BODY_JOINTS]
        rotations, _ = rotation_and_left_jacobian(torch, pose)
        nowhere = torch.zeros_like(pose[:, 0])
        placed = place(
            self._skeleton, rotations[:, 0], rotations[:, 1:], estimate.shape, nowhere, derivatives=False
        )
        pelvis = placed.joints[:, :1]
        return placed.joints - pelvis, placed.points[:, :N_COCO] - pelvis


def lifting_loss(
    estimates: list[Estimate], batch: Batch, body: EstimatedBody, weights: LossWeights | None = None
) -> Tensor:
    """Return HKMR's loss (equation 3) of the terms that synthetic people have truth for: L_3D and L_2D, over all steps.

    A small pull on the shape stands for L_smpl's: keypoints say little of it.
    """
    weights = weights or LossWeights()
    exists = batch.exists[:, :N_BODY_JOINTS].to(batch.joints.dtype)
    seen = batch.keypoints[:, :N_COCO, 2]
    total = batch.joints.new_zeros(())
    for estimate in estimates:
        joints, points = body(estimate)
        total = total + weights.joints * joints_loss(joints, batch.joints, exists)
        flat = project_weak_perspective(points, estimate.camera)
        total = total + weights.points * points_loss(flat, batch.keypoints[:, :N_COCO, :2], seen)
        total = total + SHAPE_PULL * (estimate.shape**2).sum(1).mean()
    return total


def joint_error_mm(estimate: Estimate, batch: Batch, body: EstimatedBody) -> Tensor:
    """Return each person's mean distance over existing joints (B,), pelvis-aligned, millimetres (MPJPE)."""
    joints, _ = body(estimate)
    exists = batch.exists[:, :N_BODY_JOINTS]
    distance = (joints - batch.joints).norm(dim=2) * exists
    return 1000 * distance.sum(1) / exists.sum(1)


def single_precision(skeleton: Skeleton) -> Skeleton:
    """Return a torch skeleton with float32 numbers."""
    moved = {
        name: value.float()
        for name, value in vars(skeleton).items()
        if isinstance(value, Tensor) and value.is_floating_point()
    }
    return replace(skeleton, **moved)
