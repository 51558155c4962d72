"""One BodyModel for the bundled body and for a user's SMPL, SMPL-H or SMPL-X: shape, pose, skinning,
keypoints.

Frame of the rest pose (T-pose): metres, y up, z forward, x to the person's left. The bundled body keeps its
pelvis at the origin; SMPL files keep their own origin. Every model has the 55 joints of SMPL-X, in its order.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float, global_transforms, rotation_matrices
from limbstudio.domain.anatomy import SMPLX_JOINTS
from limbstudio.domain.errors import KnownError
from limbstudio.resources import resource_path

BUNDLED_BODY = "body/limb_body.npz"
FORMAT_VERSION = 1
N_JOINTS = len(SMPLX_JOINTS)
# Vertices skinned by one matrix product. 12 x 55 x 384 multiplications are few enough (under 2^18) for
# OpenBLAS to stay on the calling thread: woken threads cost 16 ms where the product takes 0.3 ms when other
# work holds the cores.
_BLOCK_VERTICES = 384


@dataclass(frozen=True, eq=False)
class KeypointRegressor:
    """Keypoints as weighted means of vertices, kept sparse.

    names: of the K keypoints. rows (ascending), cols, values: (N,) entries of the (K, V) matrix; rows sum to
    1.
    """

    names: tuple[str, ...]
    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    values: NDArray[np.float32]
    n_vertices: int

    def __post_init__(self) -> None:
        if np.any(np.diff(self.rows) < 0) or not np.array_equal(
            np.unique(self.rows), np.arange(len(self.names))
        ):
            raise ValueError("rows must ascend and each keypoint needs at least one vertex")

    @classmethod
    def from_dense(cls, names: tuple[str, ...], matrix: Float) -> "KeypointRegressor":
        """Keep the non-zero entries of a (K, V) matrix."""
        rows, cols = np.nonzero(matrix)
        values = matrix[rows, cols].astype(np.float32)
        return cls(names, rows.astype(np.int32), cols.astype(np.int32), values, matrix.shape[1])

    def dense(self) -> Float:
        """Return the (K, V) float32 matrix."""
        matrix = np.zeros((len(self.names), self.n_vertices), np.float32)
        matrix[self.rows, self.cols] = self.values
        return matrix

    def apply(self, vertices: Float) -> Float:
        """Return the keypoints (..., K, 3) of vertices (..., V, 3)."""
        starts = np.searchsorted(self.rows, np.arange(len(self.names)))
        return np.add.reduceat(vertices[..., self.cols, :] * self.values[:, None], starts, axis=-2)

    def select(self, names: tuple[str, ...]) -> "KeypointRegressor":
        """Return a regressor of these keypoints in this order; raise KeyError for an unknown name."""
        index = {name: i for i, name in enumerate(self.names)}
        picks = [np.flatnonzero(self.rows == index[name]) for name in names]
        rows = np.repeat(np.arange(len(names)), [len(p) for p in picks]).astype(np.int32)
        entries = np.concatenate(picks)
        return KeypointRegressor(names, rows, self.cols[entries], self.values[entries], self.n_vertices)


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A posed body.

    vertices: (..., V, 3) and joints: (..., 55, 3) metres. joint_transforms: (..., 55, 4, 4), each joint's
    global rotation and position (not relative to rest).
    """

    vertices: Float
    joints: Float
    joint_transforms: Float


@dataclass(frozen=True, eq=False)
class BodyModel:
    """A linear body with 55 joints: shape blend shapes, optional pose blend shapes, linear blend skinning.

    template: (V, 3) rest vertices of the mean shape. faces: (F, 3) int32, outward, closed. shape_dirs: (V, 3,
    B), one column per standard deviation. joints = joint_template (55, 3) + joint_shape_dirs (55, 3, B) @
    shape. skin_weights: (V, 55), rows sum to 1. pose_dirs: (V, 3, 9 P) on the rotations less identity of
    pose_joints (P,), or None. part_labels: (V,) uint8 into `parts.PARTS`. mirror_vertices, mirror_joints:
    permutations that reflect the body in the sagittal plane, or None for a mesh that has no such symmetry.
    keypoint_regressors: "coco17", "body25", "feet".
    """

    name: str
    kind: str
    licence: str
    template: Float
    faces: NDArray[np.int32]
    shape_dirs: Float
    joint_template: Float
    joint_shape_dirs: Float
    parents: NDArray[np.int32]
    joint_names: tuple[str, ...]
    skin_weights: Float
    part_labels: NDArray[np.uint8]
    keypoint_regressors: Mapping[str, KeypointRegressor]
    mirror_vertices: NDArray[np.int32] | None = None
    mirror_joints: NDArray[np.int32] | None = None
    pose_dirs: Float | None = None
    pose_joints: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    @property
    def n_vertices(self) -> int:
        return len(self.template)

    @property
    def n_joints(self) -> int:
        return len(self.joint_template)

    @property
    def n_shape(self) -> int:
        return self.shape_dirs.shape[-1]

    @cached_property
    def _weight_blocks(self) -> Float:
        return weight_blocks(self.skin_weights)

    def full_shape(self, shape: Float | None) -> Float:
        """Return shape (..., B) with missing trailing components zero; raise KnownError for too many."""
        if shape is None:
            return np.zeros(self.n_shape, np.float32)
        given = np.asarray(shape, np.float32)
        missing = self.n_shape - given.shape[-1]
        if missing < 0:
            raise KnownError(
                f"A shape of {given.shape[-1]} numbers was given to the body '{self.name}', "
                f"which has {self.n_shape}.",
                "Use the body model the shape was made with.",
            )
        return np.pad(given, [(0, 0)] * (given.ndim - 1) + [(0, missing)])

    def rest_vertices(self, shape: Float | None = None) -> Float:
        """Return the T-pose vertices (..., V, 3) of shape (..., B)."""
        return self.template + _blend(self.shape_dirs, self.full_shape(shape))

    def rest_joints(self, shape: Float | None = None) -> Float:
        """Return the T-pose joints (..., 55, 3) of shape (..., B)."""
        return self.joint_template + _blend(self.joint_shape_dirs, self.full_shape(shape))

    def pose(
        self,
        *,
        rotations: Float | None = None,
        axis_angles: Float | None = None,
        shape: Float | None = None,
        translation: Float | None = None,
    ) -> PosedBody:
        """Pose and skin the body, in float32.

        rotations: (..., 55, 3, 3) or axis_angles: (..., 55, 3), each joint relative to its parent; neither is
        the T-pose. shape: (..., B). translation: (..., 3) metres, added last.
        """
        if rotations is not None and axis_angles is not None:
            raise ValueError("give rotations or axis_angles, not both")
        if rotations is None:
            vectors = np.zeros((N_JOINTS, 3), np.float32) if axis_angles is None else axis_angles
            rotations = rotation_matrices(np.asarray(vectors, np.float32))
        R = np.asarray(rotations, np.float32)
        rest_joints = self.rest_joints(shape)
        rest = self.rest_vertices(shape)
        if self.pose_dirs is not None:
            rest = rest + _blend(self.pose_dirs, pose_feature(R, self.pose_joints))
        G, P = global_transforms(rotations=R, rest_joints=rest_joints, parents=self.parents)
        if translation is not None:
            P = P + np.asarray(translation, np.float32)[..., None, :]
        vertices = skin(rest=rest, blocks=self._weight_blocks, rotations=G, joints=P, rest_joints=rest_joints)
        transforms = np.zeros((*P.shape[:-1], 4, 4), np.float32)
        transforms[..., :3, :3], transforms[..., :3, 3], transforms[..., 3, 3] = G, P, 1
        return PosedBody(vertices, P, transforms)


def _blend(directions: Float, coefficients: Float) -> Float:
    """Return sum over b of directions (N, 3, B) times coefficients (..., B), as (..., N, 3).

    Fast when the memory order is (B, N, 3). einsum, not a matrix product: see `_BLOCK_VERTICES`.
    """
    rows = np.moveaxis(directions, -1, 0).reshape(directions.shape[-1], -1)
    blended = np.einsum("bn,...b->...n", rows, coefficients)
    return blended.reshape(*coefficients.shape[:-1], *directions.shape[:-1])


def pose_feature(rotations: Float, pose_joints: NDArray[np.int32]) -> Float:
    """Return the flattened rotations less identity (..., 9 P) that drive SMPL's pose blend shapes.

    rotations: (..., J, 3, 3). SMPL (Loper et al. 2015), equation 9.
    """
    bent = rotations[..., pose_joints, :, :] - np.eye(3, dtype=rotations.dtype)
    return bent.reshape(*bent.shape[:-3], -1)


def weight_blocks(weights: Float) -> Float:
    """Lay skinning weights (V, J) out for `skin`: (blocks, J, vertices per block), the last block padded with
    zeros."""
    n_blocks = -(-len(weights) // _BLOCK_VERTICES)
    blocks = np.zeros((n_blocks * _BLOCK_VERTICES, weights.shape[1]), weights.dtype)
    blocks[: len(weights)] = weights
    return np.ascontiguousarray(blocks.reshape(n_blocks, _BLOCK_VERTICES, -1).transpose(0, 2, 1))


def skin(*, rest: Float, blocks: Float, rotations: Float, joints: Float, rest_joints: Float) -> Float:
    """Move rest vertices by the weighted mean of their joints' rigid motions (linear blend skinning).

    rest: (..., V, 3). blocks: of `weight_blocks`. rotations: (..., J, 3, 3) and joints: (..., J, 3), global.
    rest_joints: (..., J, 3). Returns (..., V, 3).
    """
    shift = joints - (rotations @ rest_joints[..., None])[..., 0]
    motion = np.concatenate([rotations, shift[..., None]], axis=-1)  # (..., J, 3, 4)
    batch = np.broadcast_shapes(motion.shape[:-3], rest.shape[:-2])
    motion = np.broadcast_to(motion, (*batch, *motion.shape[-3:]))
    rest = np.broadcast_to(rest, (*batch, *rest.shape[-2:]))
    n_joints, n_vertices = motion.shape[-3], rest.shape[-2]
    skinned = np.empty(rest.shape, np.result_type(rest, motion))
    for index in np.ndindex(batch):
        # Twelve rows as long as the body: each of the sums below then runs through memory in order.
        rows = (
            (motion[index].reshape(n_joints, 12).T @ blocks)
            .transpose(1, 0, 2)
            .reshape(12, -1)[:, :n_vertices]
        )
        x, y, z = rest[index].T
        for axis in range(3):
            a, b, c, d = rows[4 * axis : 4 * axis + 4]
            skinned[index][:, axis] = a * x + b * y + c * z + d
    return skinned


# ------------------------------------------------------------------------------------------------------- file


def save_body(model: BodyModel, path: Path) -> None:
    """Write a body to an .npz file that `load_body` reads.

    Shape directions are rounded to float16 (relative error 5e-4: under 0.1 mm per standard deviation);
    skinning weights are stored sparse, at most eight joints per vertex.
    """
    order = np.argsort(-model.skin_weights, axis=1, kind="stable")[:, :8]
    weights = np.take_along_axis(model.skin_weights, order, axis=1)
    arrays: dict[str, NDArray] = {
        "format_version": np.array(FORMAT_VERSION),
        "name": np.array(model.name),
        "kind": np.array(model.kind),
        "licence": np.array(model.licence),
        "template": model.template.astype(np.float32),
        "faces": model.faces.astype(np.uint16 if model.n_vertices < 2**16 else np.int32),
        "shape_dirs": np.moveaxis(model.shape_dirs, -1, 0).astype(np.float16),
        "joint_template": model.joint_template.astype(np.float32),
        "joint_shape_dirs": model.joint_shape_dirs.astype(np.float32),
        "parents": model.parents.astype(np.int32),
        "joint_names": np.array(model.joint_names),
        "skin_joints": order.astype(np.uint8),
        "skin_weights": (weights / weights.sum(1, keepdims=True)).astype(np.float32),
        "part_labels": model.part_labels.astype(np.uint8),
        "regressor_keys": np.array(list(model.keypoint_regressors)),
    }
    if model.mirror_vertices is not None and model.mirror_joints is not None:
        arrays["mirror_vertices"] = model.mirror_vertices.astype(np.int32)
        arrays["mirror_joints"] = model.mirror_joints.astype(np.int32)
    for key, regressor in model.keypoint_regressors.items():
        arrays[f"regressor_{key}_names"] = np.array(regressor.names)
        arrays[f"regressor_{key}_rows"] = regressor.rows
        arrays[f"regressor_{key}_cols"] = regressor.cols
        arrays[f"regressor_{key}_values"] = regressor.values
    np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]


def load_body(path: Path | None = None) -> BodyModel:
    """Load the bundled body, a file written by `save_body`, or a user's SMPL, SMPL-H or SMPL-X .npz or .pkl.

    Raises KnownError when the file is missing, damaged or none of these.
    """
    if path is None:
        return _read_limb_body(bundled_body_path())
    path = Path(path)
    if not path.is_file():
        raise KnownError(f"There is no body model at {path}.", "Give the path of an .npz or .pkl file.")
    if path.suffix == ".npz" and _is_limb_body(path):
        return _read_limb_body(path)
    # Only users with a file of their own pay for the reader of foreign files.
    from limbstudio.body.smpl_files import load_smpl

    return load_smpl(path)


def bundled_body_path() -> Path:
    """Return where the bundled body lies; raise KnownError when it is missing."""
    path = resource_path(BUNDLED_BODY)
    if not path.is_file():
        raise KnownError(
            f"The bundled body {path} is missing.",
            "Install LimbStudio again, or make it with: limbstudio body bake",
        )
    return path


def _is_limb_body(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {"format_version.npy", "skin_joints.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False  # the reader of foreign files says what is wrong with it


def _read_limb_body(path: Path) -> BodyModel:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        if int(arrays["format_version"]) != FORMAT_VERSION:
            raise KnownError(
                f"The body model {path} has format {int(arrays['format_version'])}, this LimbStudio reads "
                f"{FORMAT_VERSION}.",
                "Install LimbStudio again, or make the body anew with: limbstudio body bake",
            )
        return _body_from_arrays(arrays)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError) as error:
        raise KnownError(
            f"The body model {path} is damaged ({error}).",
            "Copy it again, or make it anew with: limbstudio body bake",
        ) from error


def _body_from_arrays(arrays: Mapping[str, NDArray]) -> BodyModel:
    template = arrays["template"]
    skin_weights = np.zeros((len(template), N_JOINTS), np.float32)
    np.put_along_axis(skin_weights, arrays["skin_joints"].astype(np.intp), arrays["skin_weights"], axis=1)
    regressors = {}
    for key in arrays["regressor_keys"].tolist():
        names, rows, cols, values = (
            arrays[f"regressor_{key}_{part}"] for part in ("names", "rows", "cols", "values")
        )
        regressors[key] = KeypointRegressor(tuple(names.tolist()), rows, cols, values, len(template))
    return BodyModel(
        name=str(arrays["name"]),
        kind=str(arrays["kind"]),
        licence=str(arrays["licence"]),
        template=template,
        faces=arrays["faces"].astype(np.int32),
        shape_dirs=np.moveaxis(arrays["shape_dirs"].astype(np.float32), 0, -1),
        joint_template=arrays["joint_template"],
        joint_shape_dirs=arrays["joint_shape_dirs"],
        parents=arrays["parents"],
        joint_names=tuple(arrays["joint_names"].tolist()),
        skin_weights=skin_weights,
        part_labels=arrays["part_labels"],
        keypoint_regressors=MappingProxyType(regressors),
        mirror_vertices=arrays.get("mirror_vertices"),
        mirror_joints=arrays.get("mirror_joints"),
    )
