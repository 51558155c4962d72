"""Synthetic people with known truth, for measuring the fit: validation poses, random bodies, cameras and clicks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import (
    N_COCO,
    N_KEYPOINTS,
    KeypointState,
    Level,
    Limb,
    LimbState,
    intact_limbs,
    level_rule,
)
from limbstudio.domain.geometry import Box, Camera, FocalSource, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.resihmr.pose_prior import mirror_poses, read_motion
from limbstudio.resihmr.problem import FitModel, free_pose, residual_limbs
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS, place

LEVELS = (Level.TRANSFEMORAL, Level.TRANSTIBIAL, Level.TRANSHUMERAL, Level.TRANSRADIAL)
PICTURE_PX = 1000
PITCH_SIGMA_DEG = 7.0
FOCAL_ERROR = 0.15
FACTOR_RANGE = (0.15, 0.7)


@dataclass(frozen=True, eq=False)
class SyntheticPerson:
    """A person, what the fit is told (camera), and the truth: joints (22, 3) camera metres, exists (22,), lambda;
    orientation (3, 3), pose (21, 3, 3), shape (B,) and move (3,) as `skeleton.place` takes them."""

    person: Person
    camera: Camera
    joints: np.ndarray
    exists: np.ndarray
    limb: Limb
    level: Level
    factor: float
    length_m: float
    orientation: np.ndarray
    pose: np.ndarray
    shape: np.ndarray
    move: np.ndarray


def make_people(model: FitModel, poses: Path, count: int, *, noise: float, seed: int, validation: bool = True,
                levels: Sequence[Level] = LEVELS) -> list[SyntheticPerson]:  # fmt: skip
    """Make `count` people with one residual limb each, levels in turn.

    Any yaw, camera pitch sigma 7 degrees, focal told wrong by up to 15 %, lambda 0.15-0.7, Gaussian noise per
    coordinate of `noise` shares of the box height. The box is that of the points, 12 % taller.
    """
    rng = np.random.default_rng(seed)
    pose, up = read_motion(poses, validation=validation)
    if rng.random() < 2:  # mirror images count as poses too
        mirrored = mirror_poses(pose, up)
        pose, up = np.concatenate([pose, mirrored[0]]), np.concatenate([up, mirrored[1]])
    return [_person(model, pose, up, levels[i % len(levels)], noise, rng, i) for i in range(count)]


def _person(model: FitModel, poses: np.ndarray, ups: np.ndarray, level: Level, noise: float, rng: np.random.Generator,
            index: int) -> SyntheticPerson:  # fmt: skip
    pick = int(rng.integers(len(poses)))
    arm = level in (Level.TRANSHUMERAL, Level.TRANSRADIAL)
    limb = Limb(f"{rng.choice(['left', 'right'])}_{'arm' if arm else 'leg'}")
    factor = float(rng.uniform(*FACTOR_RANGE))
    shape = rng.standard_normal(model.skeleton.n_shape)
    focal = float(rng.uniform(0.9, 1.6)) * PICTURE_PX
    told = focal * (1 + float(rng.uniform(-FOCAL_ERROR, FOCAL_ERROR)))
    root = _root_rotation(
        ups[pick], rng.uniform(0, 2 * np.pi), np.radians(PITCH_SIGMA_DEG) * rng.standard_normal()
    )
    local, _ = rotation_and_left_jacobian(np, poses[pick][None])
    distance = focal / PICTURE_PX * rng.uniform(2.2, 3.2)
    middle = np.array([[0.0, 0.0, distance]])
    placed = place(model.skeleton, root[None], local, shape[None], middle, derivatives=False)
    middle[:, :2] -= placed.points[0, :N_COCO, :2].mean(0)
    placed = place(model.skeleton, root[None], local, shape[None], middle, derivatives=False)
    center = ((PICTURE_PX - 1) / 2, (PICTURE_PX - 1) / 2)
    limbs = {**intact_limbs(), limb: LimbState(level=level)}
    rule = level_rule(limb, level)
    assert rule.anchor is not None and rule.upstream is not None and rule.endpoint is not None
    segment = placed.points[0, N_COCO:]
    anchor, upstream = (
        segment[SEGMENT_JOINTS.index(rule.anchor)],
        segment[SEGMENT_JOINTS.index(rule.upstream)],
    )
    end = anchor + factor * (upstream - anchor)
    px = np.full((N_KEYPOINTS, 2), np.nan)
    px[:N_COCO] = focal * placed.points[0, :N_COCO, :2] / placed.points[0, :N_COCO, 2:] + center
    px[list(rule.absent)] = np.nan
    px[rule.endpoint] = focal * end[:2] / end[2] + center
    low, high = np.nanmin(px, 0), np.nanmax(px, 0)
    size = (high - low) * 1.12
    box = Box(*(low - (size - (high - low)) / 2), *size)
    px = px + noise * box.height * rng.standard_normal(px.shape)
    points = tuple(
        Point(KeypointState.ABSENT) if np.isnan(x) else Point(KeypointState.VISIBLE, float(x), float(y))
        for x, y in px
    )
    person = Person(str(index), "synthetic", Keypoints(points), limbs, box)
    free = free_pose(residual_limbs(person)).reshape(21, 3)[:, 0]
    exists = np.concatenate([[True], free])
    camera = Camera(told, center, (PICTURE_PX, PICTURE_PX), FocalSource.DIAGONAL)
    length = (1 - factor) * float(np.linalg.norm(anchor - upstream))
    return SyntheticPerson(
        person,
        camera,
        placed.joints[0],
        exists,
        limb,
        level,
        factor,
        length,
        root,
        local[0],
        shape,
        middle[0],
    )


def _root_rotation(up_pelvis: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Return a body-to-camera rotation with the given up direction in the pelvis frame, any yaw, camera pitch."""
    up = up_pelvis / np.linalg.norm(up_pelvis)
    side = np.cross(up, [0.0, 0.0, 1.0]) if abs(up[2]) < 0.9 else np.cross(up, [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    world_from_body = np.stack([side, up, np.cross(side, up)])  # rows: world x, y (up), z
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    return tilt @ np.diag([1.0, -1.0, -1.0]) @ turn @ world_from_body
