"""A second look: the body that the network said is placed and seen as points, and corrected where these are off.

Ours; AJAHR says everything in one go. That a network learns better from its own error than from the picture alone goes
back to Carreira et al. 2016 (iterative error feedback) and HMR (Kanazawa et al. 2018); here the error is that of points
of a body, as a solver sees it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import N_SHAPE, ROTATION_NUMBERS, SecondLookNumbers
from limbstudio.ajahr.keypoint_block import KeypointBlock
from limbstudio.ajahr.rotations import six_numbers
from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import N_BODY_JOINTS, N_COCO
from limbstudio.resihmr.lifter import LEAST_DEPTH, N_INPUTS, N_POINTS
from limbstudio.resihmr.skeleton import N_SEGMENT_JOINTS, Placed, Skeleton, joint_jumps, place

_N_CAMERA = 3
_N_SIX = N_BODY_JOINTS * ROTATION_NUMBERS
_N_TURNS = 3 * N_BODY_JOINTS
# Inputs; places and errors of COCO's points; joints; what was said before; which way it should change.
_N_TOLD = N_INPUTS + 4 * N_COCO + 3 * N_BODY_JOINTS + _N_SIX + N_SHAPE + _N_CAMERA + _N_TURNS + N_SHAPE
# Errors are a few hundredths of a person, and steps a tenth of a radian: a network learns from numbers around one.
_ERROR_UNIT, _STEP_UNIT, _SHAPE_UNIT, _TURN_UNIT = 0.1, 0.2, 1.0, 0.1
# So much of a person's size, squared, that no step becomes endless where points say nothing.
_LEAST_SLOPE = 0.02
_K = N_COCO + N_SEGMENT_JOINTS
_SHAPES: dict[str, tuple[int, ...]] = {
    "root0": (3,), "root_by_shape": (N_SHAPE, 3),
    "bones0": (N_BODY_JOINTS, 3), "bones_by_shape": (N_SHAPE, 3 * N_BODY_JOINTS),
    "rest0": (3 * N_BODY_JOINTS * _K,), "rest_by_shape": (N_SHAPE, 3 * N_BODY_JOINTS * _K),
    "shape_dirs": (3 * N_BODY_JOINTS, N_SHAPE * _K), "share": (_K,),
    "subtree": (N_BODY_JOINTS, N_BODY_JOINTS),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Said:
    """Of B people, in the camera turned toward them. rotations: (B, 22, 3, 3), zeros where absent. shape: (B, 10).

    camera: (B, 3), as the head says it.
    """

    rotations: Tensor
    shape: Tensor
    camera: Tensor


class BodyBones(nn.Module):
    """The skeleton of the body that was trained on, kept with the weights."""

    root0: Tensor
    root_by_shape: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, shape in _SHAPES.items():
            self.register_buffer(name, torch.zeros(shape))
        jumps, self.parents = joint_jumps()
        self.jumps = tuple((torch.as_tensor(a), torch.as_tensor(b)) for a, b in jumps)

    def take(self, skeleton: Skeleton) -> None:
        """Take a body's numbers."""
        for name in _SHAPES:
            getattr(self, name).copy_(torch.as_tensor(np.asarray(getattr(skeleton, name))))

    def forward(self, said: Said, root: Tensor) -> Placed:
        """Place bodies with their root at (B, 3), metres; points are COCO's, then those of segments."""
        own = {name: getattr(self, name) for name in _SHAPES}
        skeleton = Skeleton(torch, _K, N_SHAPE, jumps=self.jumps, parents=self.parents, **own)
        rest = self.root0 + said.shape @ self.root_by_shape
        turns = said.rotations
        return place(skeleton, turns[:, 0], turns[:, 1:], said.shape, root - rest, derivatives=True)


class SecondLook(nn.Module):
    """Correct a body by how far its points lie from those that were seen, and by the way that this asks for.

    The network is told the gradient of the square error by each joint's rotation and by shape, each over its own
    curvature (learned descent: Song, Chen and Hilliges 2020), and answers with a turn of each joint in its own frame.
    """

    def __init__(self, numbers: SecondLookNumbers) -> None:
        super().__init__()
        self.bones = BodyBones()
        self.first = nn.Linear(_N_TOLD, numbers.width)
        self.blocks = nn.ModuleList(KeypointBlock(numbers.width) for _ in range(numbers.blocks))
        self.norm = nn.LayerNorm(numbers.width)
        self.last = nn.Linear(numbers.width, _N_TURNS + N_SHAPE + _N_CAMERA)
        nn.init.zeros_(self.last.weight)  # at first it changes nothing
        nn.init.zeros_(self.last.bias)

    def forward(self, inputs: Tensor, said: Said, root: Tensor, size: Tensor, absent: Tensor) -> Said:
        """Return a better body.

        inputs: (B, N_INPUTS) as `sight` shows people. root: (B, 3), where the body is, metres. size: (B,), how large
        people appear, in distances from the camera. absent: (B, 22) rotations.
        """
        with torch.autocast(inputs.device.type, enabled=False):
            said = Said(said.rotations.float(), said.shape.float(), said.camera.float())
            told = self._told(inputs, said, root.float(), size, absent)
        h = self.first(told)
        for block in self.blocks:
            h = block(h)
        change = self.last(torch.relu(self.norm(h))).float()
        turn, shape, camera = change.split([_N_TURNS, N_SHAPE, _N_CAMERA], 1)
        turned = said.rotations @ rotation(torch, _TURN_UNIT * turn.unflatten(1, (-1, 3)))
        rotations = turned.masked_fill(absent[..., None, None], 0.0)
        return Said(rotations, said.shape + shape, said.camera + _TURN_UNIT * camera)

    def _told(self, inputs: Tensor, said: Said, root: Tensor, size: Tensor, absent: Tensor) -> Tensor:
        """Return what the network is told, (B, _N_TOLD)."""
        placed = self.bones(said, root)
        points = placed.points[:, :N_COCO]
        depth = points[..., 2:].clamp_min(LEAST_DEPTH)
        per_metre = 2 / size[:, None, None] / depth
        drawn = points[..., :2] * per_metre
        there = inputs[:, 2 * N_POINTS : 2 * N_POINTS + N_COCO, None]  # how sure points are, 0 for none
        error = (drawn - inputs[:, : 2 * N_COCO].unflatten(1, (-1, 2))) * there
        along = -(points[..., :2] / depth * error).sum(-1, keepdim=True)
        slope = torch.cat([error, along], -1) * per_metre  # of half the square error by places, (B, 17, 3)
        strength = there * per_metre**2

        lever = placed.lever[..., :N_COCO].transpose(2, 3)  # (B, 22, 17, 3)
        turns = torch.linalg.cross(lever, slope[:, None].expand_as(lever), dim=-1).sum(2)
        weight = (lever.square() * strength[:, None]).sum((2, 3)) + _LEAST_SLOPE
        local = (placed.rotations.transpose(2, 3) @ turns[..., None])[..., 0]
        steps = (local / weight[..., None]).masked_fill(absent[..., None], 0.0)

        shaped = placed.shaped[..., :N_COCO]  # (B, 3, 10, 17)
        by_shape = (shaped * slope.transpose(1, 2)[:, :, None]).sum((1, 3))
        weight = (shaped.square() * strength.transpose(1, 2)[:, :, None]).sum((1, 3)) + _LEAST_SLOPE
        joints = placed.joints - placed.joints[:, :1]
        return torch.cat(
            [
                inputs, drawn.flatten(1), error.flatten(1) / _ERROR_UNIT, joints.flatten(1),
                six_numbers(said.rotations).flatten(1), said.shape, said.camera,
                steps.flatten(1) / _STEP_UNIT, by_shape / weight / _SHAPE_UNIT,
            ], 1,
        )  # fmt: skip
