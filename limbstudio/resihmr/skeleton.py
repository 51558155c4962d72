"""The joints-only body: keypoints and their exact derivatives without skinning a single vertex.

A keypoint that is a fixed combination of skinned vertices is, once its weights are folded with the skinning weights,
``p_k = sum_j G_j (a0_kj + aB_kj beta) + c_kj P_j`` with G_j, P_j the global rotation and position of joint j. P_j is
itself a sum of bones ``G_parent(i) (o0_i + oB_i beta)`` over the joints i from the root to j. Folding the bones into
their parents' contributions leaves ``p_k = c_k P_root + sum_j G_j (r0_jk + rB_jk beta)``. The derivative by a rotation
of joint j about an axis w is ``w x L_jk``, where the lever L_jk is the same sum over j's subtree only.

Everything is batch first and written against the array-API namespace of its inputs, so the same lines run on numpy
for one person and on torch for many, on CPU or CUDA.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from limbstudio.body.folding import FoldedKeypoints
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_BODY_JOINTS, SMPLX_INDEX, SMPLX_PARENTS, Limb, limb_joints

Array = Any  # a numpy array or a torch tensor

# Joints that residual segments run between, after the 17 COCO keypoints: all limbs' joints, proximal to distal.
SEGMENT_JOINTS: tuple[str, ...] = tuple(name for limb in Limb for name in limb_joints(limb))
N_SEGMENT_JOINTS = len(SEGMENT_JOINTS)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The folded body in arrays of one namespace.

    rest0 (22*3*K,), rest_by_shape (B, 22*3*K): what each joint's rotation carries to each point, joint-major, then xyz.
    shape_dirs (22*3, B*K): the same numbers, for the derivative by shape. share (K,): how much of the root's position
    each point has (1 but for sloppy regressors). root0 (3,), root_by_shape (B, 3): rest position of the root, metres.
    bones0 (22, 3), bones_by_shape (B, 22*3): rest offset of each joint from its parent. subtree (22, 22): 1 where the
    column's joint lies in the row's subtree. jumps: pairs (joints, their ancestors 1, 2, 4... links up).
    """

    xp: Any
    n_points: int
    n_shape: int
    root0: Array
    root_by_shape: Array
    bones0: Array
    bones_by_shape: Array
    rest0: Array
    rest_by_shape: Array
    shape_dirs: Array
    share: Array
    subtree: Array
    jumps: tuple[tuple[Array, Array], ...]
    parents: Array


@dataclass(frozen=True, eq=False)
class Placed:
    """A posed skeleton, camera frame, metres.

    rotations (N, 22, 3, 3) global. root (N, 3): where the root joint is. columns (N, 3, K): the points.
    lever (N, 22, 3, K): a rotation of joint j about w moves point k by w x lever[:, j, :, k]. shaped (N, 3, B, K):
    derivative of the points by shape. Both None unless derivatives were asked for.
    """

    skeleton: Skeleton
    shape: Array
    rotations: Array
    root: Array
    columns: Array
    lever: Array | None
    shaped: Array | None

    @property
    def points(self) -> Array:
        """The points as (N, K, 3)."""
        return self.columns.swapaxes(1, 2)

    @cached_property
    def joints(self) -> Array:
        """The joints, (N, 22, 3)."""
        s = self.skeleton
        bones = (s.bones0 + (self.shape @ s.bones_by_shape).reshape(-1, N_BODY_JOINTS, 3))[:, 1:, :, None]
        turned = (self.rotations[:, s.parents[1:]] @ bones)[..., 0]
        return self.root[:, None] + s.subtree.swapaxes(0, 1)[:, 1:] @ turned


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
    jumps, parents = joint_jumps()
    J0 = np.asarray(body.joint_template, float)[:N_BODY_JOINTS]
    JB = np.asarray(body.joint_shape_dirs, float)[:N_BODY_JOINTS]
    n_shape, n_points = JB.shape[-1], c.shape[1]
    bones0, bonesB = J0.copy(), JB.copy()
    bones0[1:] -= J0[parents[1:]]
    bonesB[1:] -= JB[parents[1:]]
    subtree = np.eye(N_BODY_JOINTS)
    for joint in range(N_BODY_JOINTS - 1, 0, -1):
        subtree[parents[joint]] += subtree[joint]
    carried = subtree @ c  # how much of each point hangs on each bone
    rest0, restB = a0.copy(), aB.copy()
    for joint in range(1, N_BODY_JOINTS):
        rest0[parents[joint]] += carried[joint][:, None] * bones0[joint]
        restB[parents[joint]] += carried[joint][:, None, None] * bonesB[joint]
    return Skeleton(
        np, n_points, n_shape,
        root0=J0[0], root_by_shape=JB[0].T.copy(),
        bones0=bones0, bones_by_shape=bonesB.transpose(2, 0, 1).reshape(n_shape, -1).copy(),
        rest0=rest0.transpose(0, 2, 1).reshape(-1).copy(),
        rest_by_shape=restB.transpose(3, 0, 2, 1).reshape(n_shape, -1).copy(),
        shape_dirs=restB.transpose(0, 2, 3, 1).reshape(3 * N_BODY_JOINTS, -1).copy(),
        share=carried[0], subtree=subtree, jumps=jumps, parents=parents,
    )  # fmt: skip


def _jumps(parents: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return, for strides 1, 2, 4..., the joints that have an ancestor so many links up, and those ancestors."""
    ancestor = np.where(np.arange(len(parents)) > 0, parents, -1)
    jumps = []
    while (ancestor >= 0).any():
        joints = np.flatnonzero(ancestor >= 0)
        jumps.append((joints, ancestor[joints]))
        ancestor = np.where(ancestor >= 0, ancestor[ancestor], -1)
    return tuple(jumps)


def joint_jumps() -> tuple[tuple[tuple[np.ndarray, np.ndarray], ...], np.ndarray]:
    """Return a skeleton's `jumps` and `parents`, which are the same for every body."""
    parents = np.array(SMPLX_PARENTS[:N_BODY_JOINTS])
    return _jumps(parents), parents


def vertex_skeleton(body: BodyModel, folded: FoldedKeypoints) -> Skeleton:
    """Build a skeleton whose points are single folded vertices (for silhouettes), without the segment joints."""
    return _assemble(body, *fold_skeleton(body, folded))


def to_torch(skeleton: Skeleton, device: str) -> Skeleton:
    """Return the same skeleton as float64 torch tensors on `device`."""
    import torch  # only batches on a device need it; importing it costs two seconds

    def moved(value: Any) -> Any:
        return torch.as_tensor(value, device=device)

    names = ("root0", "root_by_shape", "bones0", "bones_by_shape", "rest0", "rest_by_shape", "shape_dirs", "share",
             "subtree", "parents")  # fmt: skip
    tensors = {name: moved(getattr(skeleton, name)) for name in names}
    jumps = tuple((moved(joints), moved(ancestors)) for joints, ancestors in skeleton.jumps)
    return Skeleton(torch, skeleton.n_points, skeleton.n_shape, jumps=jumps, **tensors)


def place(
    skeleton: Skeleton, root: Array, local: Array, shape: Array, translation: Array, *, derivatives: bool
) -> Placed:
    """Pose the skeleton.

    root (N, 3, 3): body-to-camera rotation. local (N, 21, 3, 3): rotations of the other joints. shape (N, B).
    translation (N, 3) metres. derivatives: also compute lever and shaped.
    """
    s, xp = skeleton, skeleton.xp
    n, k, b = shape.shape[0], s.n_points, s.n_shape
    G = xp.concatenate([root[:, None], local], 1)
    for (
        joints,
        ancestors,
    ) in s.jumps:  # chains of 1, 2, 4... rotations are joined to chains of twice the length
        G[:, joints] = G[:, ancestors] @ G[:, joints]
    position = translation + s.root0 + shape @ s.root_by_shape
    rest = (s.rest0 + shape @ s.rest_by_shape).reshape(n, N_BODY_JOINTS, 3, k)
    parts = G @ rest
    at_root = position[:, :, None] * s.share
    if not derivatives:
        return Placed(s, shape, G, position, at_root + parts.sum(1), None, None)
    lever = (s.subtree @ parts.reshape(n, N_BODY_JOINTS, 3 * k)).reshape(n, N_BODY_JOINTS, 3, k)
    side_by_side = G.swapaxes(1, 2).reshape(n, 3, 3 * N_BODY_JOINTS)  # [G_0 G_1 ...]
    shaped = (side_by_side @ s.shape_dirs).reshape(n, 3, b, k)
    shaped += s.root_by_shape.swapaxes(0, 1)[..., None] * s.share
    return Placed(s, shape, G, position, at_root + lever[:, 0], lever, shaped)
