"""Keypoints without skinning: a regressor folded with the skinning weights, so that no vertex is ever moved.

A skinned vertex is linear in each joint's global rotation G_j and position P_j, and so is any weighted mean
of vertices: keypoint k = sum over j of G_j (offsets_kj + shape_offsets_kj shape) + shares_kj P_j. The same
function as skinning first and regressing afterwards, to rounding, at a thousandth of its cost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float
from limbstudio.body.model import BodyModel, KeypointRegressor, pose_feature


@dataclass(frozen=True, eq=False)
class FoldedKeypoints:
    """K keypoints as functions of joint motions.

    a0: (K, J, 3) metres and aB: (K, J, 3, B), weighted rest offsets from each joint. c: (K, J), each joint's
    share; rows sum to 1. aP: (K, J, 3, 9 P) for models with pose blend shapes, else None. pose_joints: (P,).
    """

    names: tuple[str, ...]
    a0: Float
    aB: Float
    c: Float
    aP: Float | None
    pose_joints: NDArray[np.int32]

    def offsets(self, shape: Float) -> Float:
        """Return the offsets (..., K, J, 3) of shape (..., B)."""
        return self.a0 + np.einsum("kjcb,...b->...kjc", self.aB, shape)

    def apply(
        self, *, global_rotations: Float, joints: Float, shape: Float, local_rotations: Float | None = None
    ) -> Float:
        """Return the keypoints (..., K, 3).

        global_rotations: (..., J, 3, 3). joints: (..., J, 3) posed positions, metres. shape: (..., B).
        local_rotations: (..., J, 3, 3), needed by models with pose blend shapes only.
        """
        offsets = self.offsets(np.asarray(shape))
        if self.aP is not None:
            if local_rotations is None:
                raise ValueError("this body has pose blend shapes: give local_rotations")
            offsets = offsets + np.einsum(
                "kjcp,...p->...kjc", self.aP, pose_feature(local_rotations, self.pose_joints)
            )
        turned = np.einsum("...jab,...kjb->...ka", global_rotations, offsets, optimize=True)
        return turned + self.c @ joints

    def select(self, rows: NDArray[np.integer]) -> "FoldedKeypoints":
        """Return the keypoints at these indices, in this order."""
        picks = np.asarray(rows)
        return FoldedKeypoints(
            names=tuple(self.names[i] for i in picks),
            a0=self.a0[picks],
            aB=self.aB[picks],
            c=self.c[picks],
            aP=None if self.aP is None else self.aP[picks],
            pose_joints=self.pose_joints,
        )


def fold_keypoints(
    model: BodyModel, regressor: KeypointRegressor, *, dtype: type = np.float64
) -> FoldedKeypoints:
    """Fold a keypoint regressor with the body's skinning; arrays in `dtype`."""
    n_keypoints, n_joints = len(regressor.names), model.n_joints
    values = regressor.values.astype(np.float64)
    weights = model.skin_weights[regressor.cols].astype(np.float64)  # (N, J)
    entry = values[:, None] * weights
    vertices = model.template[regressor.cols].astype(np.float64)
    shape_dirs = model.shape_dirs[regressor.cols].astype(np.float64)

    starts = np.searchsorted(regressor.rows, np.arange(n_keypoints))
    stops = np.append(starts[1:], len(regressor.rows))
    c = np.zeros((n_keypoints, n_joints))
    a0 = np.zeros((n_keypoints, n_joints, 3))
    aB = np.zeros((n_keypoints, n_joints, 3, model.n_shape))
    aP = None if model.pose_dirs is None else np.zeros((n_keypoints, n_joints, 3, model.pose_dirs.shape[-1]))
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        part = entry[start:stop]
        c[k] = part.sum(0)
        a0[k] = part.T @ vertices[start:stop] - c[k][:, None] * model.joint_template
        aB[k] = np.einsum("nj,ncb->jcb", part, shape_dirs[start:stop], optimize=True)
        aB[k] -= c[k][:, None, None] * model.joint_shape_dirs
        if aP is not None and model.pose_dirs is not None:
            pose_dirs = model.pose_dirs[regressor.cols[start:stop]]
            aP[k] = np.tensordot(part.T, pose_dirs.astype(np.float64), axes=1)
    return FoldedKeypoints(
        names=regressor.names,
        a0=a0.astype(dtype),
        aB=aB.astype(dtype),
        c=c.astype(dtype),
        aP=None if aP is None else aP.astype(dtype),
        pose_joints=model.pose_joints,
    )


def fold_vertices(
    model: BodyModel, vertex_indices: NDArray[np.integer], *, dtype: type = np.float64
) -> FoldedKeypoints:
    """Fold single vertices, as a silhouette needs them: keypoint k is the vertex vertex_indices[k]."""
    vertices = np.asarray(vertex_indices)
    weights = model.skin_weights[vertices].astype(np.float64)
    offsets = model.template[vertices].astype(np.float64)[:, None] - model.joint_template
    shape_offsets = model.shape_dirs[vertices].astype(np.float64)[:, None] - model.joint_shape_dirs
    aP = None
    if model.pose_dirs is not None:
        aP = (weights[:, :, None, None] * model.pose_dirs[vertices][:, None]).astype(dtype)
    return FoldedKeypoints(
        names=tuple(f"vertex_{v}" for v in vertices),
        a0=(weights[..., None] * offsets).astype(dtype),
        aB=(weights[..., None, None] * shape_offsets).astype(dtype),
        c=weights.astype(dtype),
        aP=aP,
        pose_joints=model.pose_joints,
    )


def fold_joints(model: BodyModel, names: tuple[str, ...], *, dtype: type = np.float64) -> FoldedKeypoints:
    """Fold joints themselves, as if they were keypoints; raise KeyError for an unknown joint name."""
    index = {name: i for i, name in enumerate(model.joint_names)}
    c = np.zeros((len(names), model.n_joints), dtype)
    c[np.arange(len(names)), [index[name] for name in names]] = 1
    n_pose = None if model.pose_dirs is None else model.pose_dirs.shape[-1]
    return FoldedKeypoints(
        names=names,
        a0=np.zeros((*c.shape, 3), dtype),
        aB=np.zeros((*c.shape, 3, model.n_shape), dtype),
        c=c,
        aP=None if n_pose is None else np.zeros((*c.shape, 3, n_pose), dtype),
        pose_joints=model.pose_joints,
    )


def stack_folded(*parts: FoldedKeypoints) -> FoldedKeypoints:
    """Join several folded sets of the same body into one."""
    pose = [part.aP for part in parts if part.aP is not None]
    return FoldedKeypoints(
        names=tuple(name for part in parts for name in part.names),
        a0=np.concatenate([part.a0 for part in parts]),
        aB=np.concatenate([part.aB for part in parts]),
        c=np.concatenate([part.c for part in parts]),
        aP=np.concatenate(pose) if pose else None,
        pose_joints=parts[0].pose_joints,
    )
