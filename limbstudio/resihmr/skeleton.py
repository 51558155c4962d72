"""The joints-only body: keypoints and their exact derivatives without skinning a single vertex.

A keypoint that is a fixed combination of skinned vertices is, once its weights are folded with the skinning weights,
``p_k = sum_j G_j (a0_kj + aB_kj beta) + c_kj P_j`` with G_j, P_j the global rotation and position of joint j. Its
derivative by a rotation of joint j about an axis w is ``w x (sum over j's subtree of the contributions - c P_j)``.

Everything is batch first and written against the array-API namespace of its inputs, so the same lines run on numpy
for one person and on torch for many, on CPU or CUDA.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbstudio.body.folding import FoldedKeypoints
from limbstudio.body.model import BodyModel
from limbstudio.body.rotations import cross_matrix
from limbstudio.domain.anatomy import N_BODY_JOINTS, SMPLX_INDEX, SMPLX_PARENTS, Limb, limb_joints

Array = Any  # a numpy array or a torch tensor

# Joints that residual segments run between, after the 17 COCO keypoints: all limbs' joints, proximal to distal.
SEGMENT_JOINTS: tuple[str, ...] = tuple(name for limb in Limb for name in limb_joints(limb))
N_SEGMENT_JOINTS = len(SEGMENT_JOINTS)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The folded body in arrays of one namespace.

    offsets0 (22, 3), offsetsB (B, 22*3): rest offset of each joint from its parent, metres, and its shape derivative.
    a0 (22*K*3,), aB (B, 22*K*3), c (22, K): folded keypoints, joint-major. subtree (22, 22): 1 where the column's joint
    lies in the row's subtree. levels: joints by depth, with their parents, for the forward pass.
    """

    xp: Any
    n_points: int
    n_shape: int
    root0: Array
    rootB: Array
    offsets0: Array
    offsetsB: Array
    a0: Array
    aB: Array
    c: Array
    c_subtree: Array
    subtree: Array
    levels: tuple[tuple[Array, Array], ...]
    parents: Array


@dataclass(frozen=True, eq=False)
class Placed:
    """A posed skeleton. points (N, K, 3) and joints (N, 22, 3): camera frame, metres; rotations (N, 22, 3, 3) global.

    by_axis (N, 22, K, 3, 3): derivative of a point by joint j's rotation about each world axis, last index xyz of the
    point. by_shape (N, B, K, 3).
    """

    points: Array
    joints: Array
    rotations: Array
    by_axis: Array | None
    by_shape: Array | None


def fold_skeleton(body: BodyModel, folded: FoldedKeypoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fold contributions of hands, jaw and eyes (unposed in a fit) into the 22 body joints.

    Return a0 (22, K, 3), aB (22, K, 3, B), c (22, K).
    """
    a0 = np.array(folded.a0, dtype=float).transpose(1, 0, 2).copy()
    aB = np.array(folded.aB, dtype=float).transpose(1, 0, 2, 3).copy()
    c = np.array(folded.c, dtype=float).T.copy()
    J0, JB = np.asarray(body.joint_template, float), np.asarray(body.joint_shape_dirs, float)
    for joint in range(len(SMPLX_PARENTS) - 1, N_BODY_JOINTS - 1, -1):  # children come after their parents
        parent = SMPLX_PARENTS[joint]
        a0[parent] += a0[joint] + c[joint][:, None] * (J0[joint] - J0[parent])
        aB[parent] += aB[joint] + c[joint][:, None, None] * (JB[joint] - JB[parent])
        c[parent] += c[joint]
    return a0[:N_BODY_JOINTS], aB[:N_BODY_JOINTS], c[:N_BODY_JOINTS]


def build_skeleton(
    body: BodyModel, folded: FoldedKeypoints, click_offsets: np.ndarray | None = None
) -> Skeleton:
    """Build the numpy skeleton of `folded` keypoints followed by the 12 segment joints.

    click_offsets: (K, 4): carrying joint index and an xyz offset in its rest frame, in metres, added to each keypoint
    (where annotators click is not where the model's points lie), or None.
    """
    a0, aB, c = fold_skeleton(body, folded)
    if click_offsets is not None:
        for k, (joint, *offset) in enumerate(np.asarray(click_offsets, float)):
            a0[int(joint), k] += offset
    extra = N_SEGMENT_JOINTS
    n_shape = aB.shape[-1]
    a0 = np.concatenate([a0, np.zeros((N_BODY_JOINTS, extra, 3))], axis=1)
    aB = np.concatenate([aB, np.zeros((N_BODY_JOINTS, extra, 3, n_shape))], axis=1)
    one_hot = np.zeros((N_BODY_JOINTS, extra))
    one_hot[[SMPLX_INDEX[name] for name in SEGMENT_JOINTS], range(extra)] = 1
    return _assemble(body, a0, aB, np.concatenate([c, one_hot], axis=1))


def _assemble(body: BodyModel, a0: np.ndarray, aB: np.ndarray, c: np.ndarray) -> Skeleton:
    parents = np.array(SMPLX_PARENTS[:N_BODY_JOINTS])
    J0 = np.asarray(body.joint_template, float)[:N_BODY_JOINTS]
    JB = np.asarray(body.joint_shape_dirs, float)[:N_BODY_JOINTS]
    n_shape = JB.shape[-1]
    offsets0, offsetsB = J0.copy(), JB.copy()
    offsets0[1:] -= J0[parents[1:]]
    offsetsB[1:] -= JB[parents[1:]]
    subtree = np.eye(N_BODY_JOINTS)
    for joint in range(N_BODY_JOINTS - 1, 0, -1):
        subtree[parents[joint]] += subtree[joint]
    depth = np.zeros(N_BODY_JOINTS, int)
    for joint in range(1, N_BODY_JOINTS):
        depth[joint] = depth[parents[joint]] + 1
    levels = tuple((np.flatnonzero(depth == d), parents[depth == d]) for d in range(1, depth.max() + 1))
    return Skeleton(
        np, a0.shape[1], n_shape, J0[0], JB[0].T.copy(), offsets0, offsetsB.transpose(2, 0, 1).reshape(n_shape, -1).copy(),
        a0.reshape(-1).copy(), aB.transpose(3, 0, 1, 2).reshape(n_shape, -1).copy(), c, subtree @ c, subtree, levels, parents,
    )  # fmt: skip


def vertex_skeleton(body: BodyModel, folded: FoldedKeypoints) -> Skeleton:
    """Build a skeleton whose points are single folded vertices (for silhouettes), without the segment joints."""
    return _assemble(body, *fold_skeleton(body, folded))


def to_torch(skeleton: Skeleton, device: str) -> Skeleton:
    """Return the same skeleton as float64 torch tensors on `device`."""
    import torch  # only batches on a device need it; importing it costs two seconds

    def moved(value: Any) -> Any:
        return torch.as_tensor(value, device=device)

    names = ("root0", "rootB", "offsets0", "offsetsB", "a0", "aB", "c", "c_subtree", "subtree", "parents")
    tensors = {name: moved(getattr(skeleton, name)) for name in names}
    levels = tuple((moved(joints), moved(parents)) for joints, parents in skeleton.levels)
    return Skeleton(torch, skeleton.n_points, skeleton.n_shape, levels=levels, **tensors)


def place(
    skeleton: Skeleton, root: Array, local: Array, shape: Array, translation: Array, *, derivatives: bool
) -> Placed:
    """Pose the skeleton.

    root (N, 3, 3): body-to-camera rotation. local (N, 21, 3, 3): rotations of the other joints. shape (N, B).
    translation (N, 3) metres. derivatives: also compute by_axis and by_shape.
    """
    s, xp = skeleton, skeleton.xp
    n, k, b = shape.shape[0], s.n_points, s.n_shape
    offsets = s.offsets0 + (shape @ s.offsetsB).reshape(n, N_BODY_JOINTS, 3)
    G = (
        xp.empty((n, N_BODY_JOINTS, 3, 3), dtype=shape.dtype)
        if xp is np
        else shape.new_empty((n, N_BODY_JOINTS, 3, 3))
    )
    P = (
        xp.empty((n, N_BODY_JOINTS, 3), dtype=shape.dtype)
        if xp is np
        else shape.new_empty((n, N_BODY_JOINTS, 3))
    )
    G[:, 0] = root
    P[:, 0] = translation + s.root0 + shape @ s.rootB
    for joints, parents in s.levels:
        Gp = G[:, parents]
        G[:, joints] = Gp @ local[:, joints - 1]
        P[:, joints] = P[:, parents] + (Gp @ offsets[:, joints, :, None])[..., 0]
    a = (s.a0 + shape @ s.aB).reshape(n, N_BODY_JOINTS, k, 3)
    parts = a @ xp.swapaxes(G, -1, -2) + s.c[..., None] * P[:, :, None]
    points = xp.sum(parts, 1)
    if not derivatives:
        return Placed(points, P, G, None, None)
    subtree_sum = (s.subtree @ parts.reshape(n, N_BODY_JOINTS, k * 3)).reshape(n, N_BODY_JOINTS, k, 3)
    lever = subtree_sum - s.c_subtree[..., None] * P[:, :, None]
    # axis x lever for the three world axes: row w of this matrix is e_w x lever.
    by_axis = cross_matrix(xp, lever)
    Gp = xp.concatenate([G[:, :1], G[:, s.parents[1:]]], 1)
    moved = Gp[:, None] @ s.offsetsB.reshape(
        b, N_BODY_JOINTS, 3, 1
    )  # (N, B, 22, 3, 1): what shape does to each bone
    moved[:, :, 0] = s.rootB[:, :, None]
    joint_by_shape = xp.swapaxes(s.subtree, 0, 1) @ moved[..., 0]  # ancestors and self add up
    aB = s.aB.reshape(b, N_BODY_JOINTS, k, 3)
    by_shape = xp.sum(aB @ xp.swapaxes(G, -1, -2)[:, None], 2) + xp.swapaxes(s.c, 0, 1) @ joint_by_shape
    return Placed(points, P, G, by_axis, by_shape)
