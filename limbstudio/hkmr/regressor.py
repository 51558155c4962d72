"""HKMR's regressor: six kinematic chains, each walked forward and backward, refined over several outer steps.

A joint's update depends on the updates of all joints before it on the walk (equations 1 and 2); the limbs' chains
depend on the root chain's result. A joint that a person does not have takes no part: its slot is zero wherever it is
read and nothing is ever written to it, so that no update of an absent joint reaches an existing one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbstudio.hkmr.build import CHAINS, FACING, N_JOINTS, N_SHAPE, ROOT_CHAIN, HkmrNumbers


@dataclass(frozen=True, eq=False)
class Estimate:
    """What the regressor says after one outer step.

    pose: (B, 24, 3) rotation vectors in SMPL's order, the first is the orientation, body to camera; zero at joints that
    do not exist. shape: (B, 10). camera: (B, 3) scale and translation of a weak-perspective camera.
    """

    pose: Tensor
    shape: Tensor
    camera: Tensor


class Chain(nn.Module):
    """One kinematic chain: an embedding E_c and one layer per joint for each direction (figure 4)."""

    def __init__(self, joints: int, numbers: HkmrNumbers, extra: int) -> None:
        """extra: width of what the chain is told beside features, shape and its own pose (the root chain's pose)."""
        super().__init__()
        self.embed = nn.Linear(numbers.features + N_SHAPE + 3 * joints + extra, numbers.embedding)
        # The first joint on a walk sees three zeros in place of earlier updates.
        widths = [numbers.embedding + 3 * max(1, done) for done in range(joints)]
        self.fwd = nn.ModuleList(_output_layer(width, 3, numbers) for width in widths)
        self.bwd = nn.ModuleList(_output_layer(width, 3, numbers) for width in widths)

    def forward(self, told: Tensor, pose: Tensor, exists: Tensor, passes: int, root: Tensor | None) -> Tensor:
        """Refine the chain's pose by `passes` walks, forward and backward in turn.

        told: (B, features + 10), features and shape. pose: (B, K, 3). exists: (B, K) 0 or 1. root: (B, 12) or None.
        """
        after = [] if root is None else [root]
        for walk in range(passes):
            psi = torch.relu(self.embed(torch.cat([told, pose.flatten(1), *after], 1)))
            pose = pose + self._updates(psi, exists, backward=walk % 2 == 1)
        return pose

    def _updates(self, psi: Tensor, exists: Tensor, *, backward: bool) -> Tensor:
        """Return the updates (B, K, 3) of one walk: f_i([psi, earlier updates, nearest first]) (equations 1 and 2)."""
        layers = self.bwd if backward else self.fwd
        order = range(exists.shape[1] - 1, -1, -1) if backward else range(exists.shape[1])
        done: list[Tensor] = []
        for layer, joint in zip(layers, order, strict=True):
            earlier = done[::-1] or [psi.new_zeros(len(psi), 3)]
            done.append(layer(torch.cat([psi, *earlier], 1)) * exists[:, joint, None])
        return torch.stack(done[::-1] if backward else done, 1)


class HkmrRegressor(nn.Module):
    """Picture features to pose, shape and camera (section 3.2)."""

    mean_pose: Tensor
    mean_shape: Tensor

    def __init__(self, numbers: HkmrNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        mean = torch.zeros(3 * N_JOINTS)
        mean[:3] = torch.tensor(FACING)
        self.register_buffer("mean_pose", mean)
        self.register_buffer("mean_shape", torch.zeros(N_SHAPE))
        root_width = 3 * len(CHAINS[ROOT_CHAIN])
        self.chains = nn.ModuleDict({
            name: Chain(len(joints), numbers, 0 if name == ROOT_CHAIN else root_width)
            for name, joints in CHAINS.items()
        })  # fmt: skip
        width = numbers.features + 3 * N_JOINTS + N_SHAPE
        self.shape = _two_layers(width, numbers, _output_layer(numbers.hidden, N_SHAPE, numbers))
        camera = _output_layer(numbers.hidden, 3, numbers)
        with torch.no_grad():
            camera.bias[0] = numbers.first_scale
        self.camera = _two_layers(width, numbers, camera)

    def forward(self, features: Tensor, exists: Tensor | None = None) -> list[Estimate]:
        """Return the estimate after each outer step, best last.

        features: (B, 2048). exists: (B, 24) bool, False at joints the person does not have; all exist by default.
        """
        size = len(features)
        if exists is None:
            exists = features.new_ones(size, N_JOINTS)
        present = exists.to(features.dtype)
        pose = self.mean_pose.view(1, N_JOINTS, 3) * present[..., None]
        shape = self.mean_shape.expand(size, -1)
        estimates = []
        for _ in range(self.numbers.outer_steps):
            pose = self._next_pose(features, pose, shape, present)
            told = torch.cat([features, pose.flatten(1)], 1)
            shape = shape + self.shape(torch.cat([told, shape], 1))
            camera = self.camera(torch.cat([told, shape], 1))
            estimates.append(Estimate(pose, shape, camera))
        return estimates

    def _next_pose(self, features: Tensor, pose: Tensor, shape: Tensor, present: Tensor) -> Tensor:
        """Run the root chain, then the others with its result."""
        told = torch.cat([features, shape], 1)
        parts: dict[int, Tensor] = {}
        root = None
        for name, chain in self.chains.items():
            joints = list(CHAINS[name])
            moved = chain(told, pose[:, joints], present[:, joints], self.numbers.inner_passes, root)
            parts.update(zip(joints, moved.unbind(1), strict=True))
            if name == ROOT_CHAIN:
                root = moved.flatten(1)
        return torch.stack([parts[joint] for joint in range(N_JOINTS)], 1)


def _two_layers(width: int, numbers: HkmrNumbers, last: nn.Linear) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, numbers.hidden), nn.ReLU(), last)


def _output_layer(width: int, out: int, numbers: HkmrNumbers) -> nn.Linear:
    """Return a layer that says almost nothing before training."""
    layer = nn.Linear(width, out)
    nn.init.xavier_uniform_(layer.weight, gain=numbers.output_gain)
    nn.init.zeros_(layer.bias)
    return layer


def project_weak_perspective(points: Tensor, camera: Tensor) -> Tensor:
    """Project points (B, N, 3) to (B, N, 2): s * (x, y) + rho, with camera = (s, rho) (section 3.2)."""
    return camera[:, None, :1] * points[..., :2] + camera[:, None, 1:]
