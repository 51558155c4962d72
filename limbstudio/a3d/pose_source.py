"""Where poses come from: a motion file's training or validation clips, or the starts that ship with the pose prior."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.samples import relaxed_fingers
from limbstudio.body.kinematics import rotation_matrices, rotation_vectors
from limbstudio.domain.anatomy import SMPLX_INDEX, SMPLX_JOINTS, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.rendering.raster import Floats, Ints
from limbstudio.resihmr.pose_prior import load, mirror_poses, read_motion
from limbstudio.resihmr.starts import turned_upright
from limbstudio.resources import resource_path

Bools = NDArray[np.bool_]

BUNDLED = "starts of the bundled pose prior"
ACKNOWLEDGEMENT = "Poses: mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
# A person stands where thighs and trunk are no further from the vertical than that, degrees.
_UPRIGHT_THIGH_DEG, _UPRIGHT_TRUNK_DEG = 42.0, 30.0
# A person sits where both thighs are further from it than that, and the knees not bent as in a squat.
_SEATED_THIGH_DEG, _SEATED_TRUNK_DEG, _SEATED_KNEE_DEG = 50.0, 45.0, 130.0
_LOOSENED_RAD = np.radians(3.0)


@dataclass(frozen=True, eq=False)
class PoseBank:
    """Poses to draw from.

    name: where they come from, for people. pose (N, 21, 3), up (N, 3): as in `pose_prior`. upright: rows of those who
    stand; unseated: of all but those who sit, who would need the stool that was there. Every pose may be mirrored.
    """

    name: str
    pose: Floats
    up: Floats
    upright: Ints
    unseated: Ints


@lru_cache(maxsize=4)
def read_poses(path: Path | None, *, validation: bool = False) -> PoseBank:
    """Read a motion file, or without one the bundled poses; KnownError where it has no poses of people who stand."""
    if path is None:
        starts = load(resource_path("priors/pose_prior.npz")).starts
        pose, up, name = starts[:, 3:].reshape(-1, 21, 3), starts[:, :3], BUNDLED
    else:
        if not path.is_file():
            raise KnownError(f"The motion file {path} is not there.", "Name a poses.npz with --poses.")
        pose, up = read_motion(path, validation=validation)
        name = f"{'validation' if validation else 'training'} clips of {path.name}"
    if not len(pose):
        raise KnownError(f"There are no poses among the {name}.", "Choose the other split, or another file.")
    stands, sits = _stands_sits(pose, up)
    if not stands.any():
        raise KnownError(f"Nobody stands among the {name}.", "Use a motion file that has standing people.")
    return PoseBank(name, pose, up, np.flatnonzero(stands), np.flatnonzero(~sits))


def _stands_sits(pose: Floats, up: Floats) -> tuple[Bools, Bools]:
    """Return who stands and who sits as on a stool, (N,) each."""
    root = turned_upright(up)
    trunk = np.degrees(np.arccos(np.clip(root[:, 1, 1], -1, 1)))
    stands, sits = trunk < _UPRIGHT_TRUNK_DEG, trunk < _SEATED_TRUNK_DEG
    for side in ("left", "right"):
        hip = rotation_matrices(pose[:, SMPLX_INDEX[f"{side}_hip"] - 1])
        thigh = np.degrees(np.arccos(np.clip((root @ hip)[:, 1, 1], -1, 1)))  # from hanging straight down
        knee = np.degrees(np.linalg.norm(pose[:, SMPLX_INDEX[f"{side}_knee"] - 1], axis=1))
        stands &= thigh < _UPRIGHT_THIGH_DEG
        sits &= (thigh > _SEATED_THIGH_DEG) & (knee < _SEATED_KNEE_DEG)
    return stands, sits


def standing_pose(bank: PoseBank, pick: float, *, mirrored: bool, upright: bool) -> Floats:
    """Return rotation vectors (55, 3) of the pose at `pick` (0..1) of the bank, upright and facing +z.

    upright: only of people who stand.
    """
    rows = bank.upright if upright else bank.unseated
    row = rows[min(int(pick * len(rows)), len(rows) - 1)]
    pose, up = bank.pose[row : row + 1], bank.up[row : row + 1]
    if mirrored:
        pose, up = mirror_poses(pose, up)
    root = turned_upright(up)[0]
    ahead = root[:, 2]
    yaw = np.arctan2(ahead[0], ahead[2])
    turn = rotation_matrices(np.array([[0.0, -yaw, 0.0]]))[0]
    vectors = np.zeros((len(SMPLX_JOINTS), 3))
    vectors[0] = rotation_vectors((turn @ root)[None])[0]
    vectors[1:22] = pose[0]
    vectors[25:] = relaxed_fingers()
    return vectors


def loosened(vectors: Floats, rng: np.random.Generator) -> Floats:
    """Return the pose with every body joint turned a little, so that one pose stands for several."""
    result = vectors.copy()
    result[1:22] += _LOOSENED_RAD * rng.standard_normal((21, 3))
    return result


def seated(vectors: Floats, rng: np.random.Generator) -> Floats:
    """Return the pose with legs as on a seat; the trunk keeps what it does."""
    result = vectors.copy()
    pitch = float(rotation_vectors(rotation_matrices(vectors[:1]))[0, 0])
    spread, flexion = rng.uniform(0.02, 0.2), np.radians(rng.uniform(82, 94))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        lift = flexion + np.radians(rng.uniform(-4, 4)) + pitch
        bend = np.radians(rng.uniform(68, 98))
        turn = rotation_matrices(np.array([[0.0, sign * spread, 0.0], [-lift, 0.0, 0.0]]))
        result[SMPLX_INDEX[f"{side}_hip"]] = rotation_vectors((turn[0] @ turn[1])[None])[0]
        result[SMPLX_INDEX[f"{side}_knee"]] = (bend, 0, 0)
        result[SMPLX_INDEX[f"{side}_ankle"]] = (flexion - bend, 0, 0)
        result[SMPLX_INDEX[f"{side}_foot"]] = 0
    return result


def arms_on_crutches(vectors: Floats, limbs: tuple[Limb, ...], rng: np.random.Generator) -> Floats:
    """Return the pose with the arms `limbs` beside the body, hands forward at the height of the hips."""
    result = vectors.copy()
    for limb in limbs:
        side, sign = limb.side.value, 1.0 if limb.side.value == "left" else -1.0
        down, bend = np.radians(rng.uniform(66, 74)), np.radians(rng.uniform(22, 42))
        result[SMPLX_INDEX[f"{side}_collar"]] = 0
        result[SMPLX_INDEX[f"{side}_shoulder"]] = (np.radians(rng.uniform(0, 10)), 0, -sign * down)
        result[SMPLX_INDEX[f"{side}_elbow"]] = (0, -sign * bend, 0)
        result[SMPLX_INDEX[f"{side}_wrist"]] = 0
    return result
