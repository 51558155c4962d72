"""The bundled body's joints and some of its vertices as torch sees them: poses to positions, with gradients."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from limbstudio.ajahr.build import POSE_JOINTS
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_BODY_JOINTS


@dataclass(frozen=True, eq=False)
class PosedMesh:
    """The mean body.

    offsets: (22, 3) of each joint from its parent, metres, at rest. parents: of the 22 joints. weights: (V, 22)
    skinning weights of the vertices that are kept; fingers and head's joints count to their nearest body joint.
    joints: (22, 3) and vertices: (V, 3), metres, at rest. owner: (V,) the joint that moves a vertex most.
    """

    offsets: Tensor
    parents: tuple[int, ...]
    weights: Tensor
    joints: Tensor
    vertices: Tensor
    owner: Tensor

    @classmethod
    def of(cls, body: BodyModel, *, every: int = 12, device: str = "cpu") -> "PosedMesh":
        """Take every n-th vertex of a body."""
        joints = torch.as_tensor(body.joint_template, dtype=torch.float32)
        vertices = torch.as_tensor(body.template[::every], dtype=torch.float32)
        weights = torch.zeros(len(vertices), N_BODY_JOINTS)
        for joint in range(body.n_joints):
            near = joint
            while near >= N_BODY_JOINTS:
                near = int(body.parents[near])
            weights[:, near] += torch.as_tensor(body.skin_weights[::every, joint], dtype=torch.float32)
        joints = joints[:N_BODY_JOINTS]
        parents = tuple(int(parent) for parent in body.parents[:N_BODY_JOINTS])
        offsets = torch.stack(
            [joints[i] - joints[p] if p >= 0 else joints[i] * 0 for i, p in enumerate(parents)]
        )
        return cls(
            offsets.to(device),
            parents,
            weights.to(device),
            joints.to(device),
            vertices.to(device),
            weights.argmax(1).to(device),
        )

    def to(self, device: torch.device | str) -> "PosedMesh":
        """Return it on a device."""
        names = ("offsets", "weights", "joints", "vertices", "owner")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def __call__(self, rotations: Tensor) -> tuple[Tensor, Tensor]:
        """Return joints (B, 21, 3) and vertices (B, V, 3), metres from an unturned root, for (B, 21, 3, 3)."""
        batch = len(rotations)
        turned = [torch.eye(3, device=rotations.device).expand(batch, 3, 3)]
        places = [rotations.new_zeros(batch, 3)]
        for joint in range(1, POSE_JOINTS + 1):
            parent = self.parents[joint]
            places.append(places[parent] + turned[parent] @ self.offsets[joint])
            turned.append(turned[parent] @ rotations[:, joint - 1])
        spins, positions = torch.stack(turned, 1), torch.stack(places, 1)
        moved = positions - (spins @ self.joints[:, :, None])[..., 0]
        blended = self.weights @ torch.cat([spins, moved[..., None]], -1).flatten(
            2
        )  # of each vertex, as skinning is
        turn, shift = blended.unflatten(2, (3, 4)).split([3, 1], -1)
        return positions[:, 1:], (turn * self.vertices[:, None]).sum(-1) + shift[..., 0]
