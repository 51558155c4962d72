"""Rotations and forward kinematics of a joint tree, batched, in numpy only.

Frames: a joint's rotation is relative to its parent; the rest pose (T-pose) has identity rotations
everywhere.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]

# Below this angle (radians) sin(a)/a and its relatives are taken from their series; at 1e-3 the first
# left-out term of each series (a^4/120) is 1e-14, under the rounding of float64.
_SMALL_ANGLE = 1e-3


def rotation_matrices(axis_angles: Float) -> Float:
    """Turn rotation vectors into matrices (Rodrigues' formula).

    axis_angles: (..., 3) radians. Returns (..., 3, 3), in the dtype given.
    """
    vectors = np.asarray(axis_angles)
    angle_sq = np.einsum("...i,...i->...", vectors, vectors)
    angle = np.sqrt(angle_sq)
    small = angle < _SMALL_ANGLE
    safe = np.where(small, 1, angle)
    sine_ratio = np.where(small, 1 - angle_sq / 6, np.sin(safe) / safe)
    # (1 - cos a) / a^2 through the half angle, which does not lose digits as 1 - cos a does.
    half_sine = np.sin(safe / 2) / safe
    versine_ratio = np.where(small, 0.5 - angle_sq / 24, 2 * half_sine * half_sine)

    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    sx, sy, sz = sine_ratio * x, sine_ratio * y, sine_ratio * z
    vx, vy, vz = versine_ratio * x, versine_ratio * y, versine_ratio * z
    R = np.empty((*vectors.shape[:-1], 3, 3), vectors.dtype)
    R[..., 0, 0] = 1 - (vy * y + vz * z)
    R[..., 1, 1] = 1 - (vx * x + vz * z)
    R[..., 2, 2] = 1 - (vx * x + vy * y)
    R[..., 0, 1] = vx * y - sz
    R[..., 1, 0] = vx * y + sz
    R[..., 0, 2] = vx * z + sy
    R[..., 2, 0] = vx * z - sy
    R[..., 1, 2] = vy * z - sx
    R[..., 2, 1] = vy * z + sx
    return R


def rotation_vectors(rotations: Float) -> Float:
    """Turn rotation matrices into rotation vectors of length 0..pi, safe near both ends.

    rotations: (..., 3, 3). Returns (..., 3) radians, in the dtype given. By way of the unit quaternion whose
    largest component is found first (Shepperd 1978), so that neither the trace near pi nor its arc cosine
    near 0 is used.
    """
    R = np.asarray(rotations)
    trace = R[..., 0, 0] + R[..., 1, 1] + R[..., 2, 2]
    # Four times the squares of (w, x, y, z); the largest of the four is at least 1.
    squares = np.stack(
        [
            1 + trace,
            1 + 2 * R[..., 0, 0] - trace,
            1 + 2 * R[..., 1, 1] - trace,
            1 + 2 * R[..., 2, 2] - trace,
        ],
        axis=-1,
    )
    wx, wy, wz = (
        R[..., 2, 1] - R[..., 1, 2],
        R[..., 0, 2] - R[..., 2, 0],
        R[..., 1, 0] - R[..., 0, 1],
    )
    xy, xz, yz = (
        R[..., 0, 1] + R[..., 1, 0],
        R[..., 0, 2] + R[..., 2, 0],
        R[..., 1, 2] + R[..., 2, 1],
    )
    s = squares
    candidates = np.stack(
        [
            np.stack([s[..., 0], wx, wy, wz], axis=-1),
            np.stack([wx, s[..., 1], xy, xz], axis=-1),
            np.stack([wy, xy, s[..., 2], yz], axis=-1),
            np.stack([wz, xz, yz, s[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(squares, axis=-1)[..., None, None]
    quaternion = np.take_along_axis(candidates, best, axis=-2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)

    sine = np.linalg.norm(quaternion[..., 1:], axis=-1)
    angle = 2 * np.arctan2(sine, quaternion[..., 0])
    small = sine < _SMALL_ANGLE
    ratio = np.where(small, 2 + sine * sine / 3, angle / np.where(small, 1, sine))
    return (ratio[..., None] * quaternion[..., 1:]).astype(R.dtype, copy=False)


def rotation_between(*, source: Float, target: Float) -> Float:
    """Return the smallest rotations that turn directions `source` into `target`; both (..., 3), any length >
    0."""
    a = source / np.linalg.norm(source, axis=-1, keepdims=True)
    b = target / np.linalg.norm(target, axis=-1, keepdims=True)
    a, b = np.broadcast_arrays(a, b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    cosine = np.einsum("...i,...i->...", a, b)[..., None]
    # Opposite directions have no unique axis: any one across `a` will do.
    across = np.cross(a, np.eye(3, dtype=a.dtype)[np.argmin(np.abs(a), axis=-1)])
    opposite = (sine < 1e-9) & (cosine < 0)
    axis = np.where(opposite, across, axis)
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    unit = axis / np.where(length > 0, length, 1)
    return rotation_matrices(unit * np.arctan2(sine, cosine))


@lru_cache(maxsize=16)
def _levels(parents: tuple[int, ...]) -> tuple[tuple[Int, Int], ...]:
    depth = [0] * len(parents)
    for joint, parent in enumerate(parents):
        if parent >= joint:
            raise ValueError(f"joint {joint} comes before its parent {parent}")
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    levels = []
    for level in range(1, max(depth) + 1):
        joints = np.array([j for j, d in enumerate(depth) if d == level], np.intp)
        levels.append((joints, np.array([parents[j] for j in joints], np.intp)))
    return tuple(levels)


def tree_levels(parents: Sequence[int] | Int) -> tuple[tuple[Int, Int], ...]:
    """Split a joint tree into levels of equal depth: (joints, their parents) for each depth from 1 on.

    parents: (J,) with -1 for the root; a parent comes before its children. Raises ValueError otherwise.
    """
    return _levels(tuple(int(p) for p in parents))


def global_transforms(
    *, rotations: Float, rest_joints: Float, parents: Sequence[int] | Int
) -> tuple[Float, Float]:
    """Carry joint rotations down the tree.

    rotations: (..., J, 3, 3) relative to the parent. rest_joints: (..., J, 3) positions in the rest pose,
    metres. Returns the global rotations (..., J, 3, 3) and joint positions (..., J, 3); the root stays where
    it rests.
    """
    R = np.asarray(rotations)
    rest = np.asarray(rest_joints)
    batch = np.broadcast_shapes(R.shape[:-3], rest.shape[:-2])
    G = np.array(np.broadcast_to(R, (*batch, *R.shape[-3:])))
    P = np.array(np.broadcast_to(rest, (*batch, *rest.shape[-2:])), dtype=np.result_type(R, rest))
    for joints, above in tree_levels(parents):
        parent_rotation = G[..., above, :, :]
        offset = rest[..., joints, :] - rest[..., above, :]
        P[..., joints, :] = P[..., above, :] + (parent_rotation @ offset[..., None])[..., 0]
        G[..., joints, :, :] = parent_rotation @ G[..., joints, :, :]
    return G, P


def descendants(parents: Sequence[int] | Int) -> NDArray[np.bool_]:
    """Return (J, J) truth: entry [a, b] says that b is a or hangs below it."""
    below = np.eye(len(parents), dtype=bool)
    for joint in range(len(parents) - 1, -1, -1):
        if parents[joint] >= 0:
            below[parents[joint]] |= below[joint]
    return below


def mirrored_axis_angles(axis_angles: Float, mirror_joints: Int) -> Float:
    """Reflect a pose in the sagittal plane: swap left and right joints, map (x, y, z) to (x, -y, -z).

    axis_angles: (..., J, 3). mirror_joints: (J,) index of each joint's twin.
    """
    return np.asarray(axis_angles)[..., mirror_joints, :] * np.array(
        [1, -1, -1], np.asarray(axis_angles).dtype
    )
