"""Crowds of synthetic people as arrays, made on the fly to train the lifter on.

Half of them are much like the people that fits are measured on (`resihmr.synthetic`); the other half are broader:
farther from the middle of the picture, from nearer and farther, with points and parts of the body that are not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import N_COCO, SMPLX_INDEX, Level, Limb, level_rule
from limbstudio.resihmr import skeleton as bones
from limbstudio.resihmr.lifter import (
    BONES,
    END_OF_LOWER,
    END_OF_UPPER,
    GONE,
    IN_LOWER,
    IN_UPPER,
    INTACT,
    LEAST_CONFIDENCE,
    N_ENDINGS,
    N_LIMBS,
    N_POINTS,
    Sight,
    sight,
)
from limbstudio.resihmr.pose_prior import mirror_poses
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS, Skeleton
from limbstudio.resihmr.starts import turned_upright

PICTURE_PX = 1000.0
# Every body is seen from so many sides, each time with other limbs.
VIEWS = 4
# How many limbs of a person are residual (0, 1, 2, 3), and how they end.
COUNT_SHARES = (0.25, 0.5, 0.17, 0.08)
ENDING_SHARES = {IN_LOWER: 0.36, END_OF_LOWER: 0.1, IN_UPPER: 0.36, END_OF_UPPER: 0.1, GONE: 0.08}
FACTOR_RANGE = (0.1, 0.75)
# Poses are loosened by a standard deviation of up to so much, and some have another pose's arms.
LOOSENED_DEG = 8.0
ARMS_SWAPPED = 0.2
PLAIN_SHARE = 0.5
LOG_NOISE_RANGE = (np.log(0.002), np.log(0.025))  # shares of the box height
BOX_MARGIN = 1.12
DROPPED, CUT_OFF = 0.07, 0.06
# Confidences: a beta distribution's a and b. A point is off by its inverse as much as a sure one of the same person;
# with a third of the chance that it is wrong it lies elsewhere altogether, by a deviation in shares of the box height.
CONFIDENCE_SHAPE = (2.5, 1.0)
ELSEWHERE, ELSEWHERE_OFF = 1 / 3, 0.15
NEAREST_M = 1.5
LEVELS = {
    True: {IN_LOWER: Level.TRANSRADIAL, END_OF_LOWER: Level.WRIST_DISARTICULATION, IN_UPPER: Level.TRANSHUMERAL,
           END_OF_UPPER: Level.ELBOW_DISARTICULATION, GONE: Level.SHOULDER_DISARTICULATION},
    False: {IN_LOWER: Level.TRANSTIBIAL, END_OF_LOWER: Level.ANKLE_DISARTICULATION, IN_UPPER: Level.TRANSFEMORAL,
            END_OF_UPPER: Level.KNEE_DISARTICULATION, GONE: Level.HIP_DISARTICULATION},
}  # fmt: skip
ARM_JOINTS = [
    SMPLX_INDEX[f"{side}_{joint}"] - 1
    for side in ("left", "right")
    for joint in ("collar", "shoulder", "elbow", "wrist")
]
ANKLES, KNEES = [15, 16], [13, 14]


@dataclass(frozen=True, eq=False)
class Crowd:
    """N people: what the network is shown, and depths (N, 13), metres: the truth of its bones along the ray.

    endings: (N, 4) how their limbs end. turn: (N, 3, 3) from their upright bodies to the camera, which stand at `place`
    (N, 3), metres. told: (N,) the focal length as told over the true one. bodies: (N,) whose body it is. pose
    (M, 21, 3), root (M, 3, 3), shape (M, B): of the M bodies.
    """

    sight: Sight
    depths: np.ndarray
    endings: np.ndarray
    turn: np.ndarray
    place: np.ndarray
    told: np.ndarray
    bodies: np.ndarray
    pose: np.ndarray
    root: np.ndarray
    shape: np.ndarray


def _limb_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return absent (4, 6, 17) bool, anchor and upstream rows (4, 6) of the segment joints by limb and ending."""
    absent = np.zeros((N_LIMBS, N_ENDINGS, N_COCO), bool)
    anchor, upstream = np.zeros((2, N_LIMBS, N_ENDINGS), int)
    for i, limb in enumerate(Limb):
        for ending, level in LEVELS[limb.is_arm].items():
            rule = level_rule(limb, level)
            absent[i, ending, [k for k in rule.absent if k < N_COCO]] = True
            assert rule.anchor is not None and rule.upstream is not None
            anchor[i, ending] = SEGMENT_JOINTS.index(rule.anchor)
            upstream[i, ending] = SEGMENT_JOINTS.index(rule.upstream)
    return absent, anchor, upstream


_ABSENT, _ANCHOR, _UPSTREAM = _limb_tables()


class CrowdMaker:
    """Makes crowds from poses (N, 21, 3) and up directions (N, 3), and their mirror images.

    vary: loosen the poses and swap arms between them, so that a few thousand poses stand for more. loss_share: of
    people who lack a limb, None for that of COUNT_SHARES. with_confidence: share of people whose points are told with
    confidences, and off accordingly; those of all others are told as sure.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        poses: np.ndarray,
        ups: np.ndarray,
        *,
        vary: bool = True,
        loss_share: float | None = None,
        with_confidence: float = 0.0,
    ) -> None:
        mirrored, mirrored_ups = mirror_poses(poses, ups)
        self._poses = np.concatenate([poses, mirrored]).astype(np.float32)
        self._ups = np.concatenate([ups, mirrored_ups]).astype(np.float32)
        single = {
            name: value.astype(np.float32)
            for name, value in vars(skeleton).items()
            if isinstance(value, np.ndarray) and value.dtype == float
        }
        self._skeleton = replace(skeleton, **single)
        self._vary = vary
        self._counts = COUNT_SHARES if loss_share is None else counts_with(loss_share)
        self._with_confidence = with_confidence

    def crowd(self, bodies: int, rng: np.random.Generator) -> Crowd:
        """Make VIEWS people of each of `bodies` bodies."""
        pick = rng.integers(len(self._poses), size=bodies)
        pose, up = self._poses[pick], self._ups[pick]
        if self._vary:
            pose, up = self._varied(pose, up, rng)
        shape = rng.standard_normal((bodies, self._skeleton.n_shape), dtype=np.float32)
        root = turned_upright(up).astype(np.float32)
        nowhere = np.zeros((bodies, 3), np.float32)
        placed = bones.place(self._skeleton, root, rotation(np, pose), shape, nowhere, derivatives=False)
        points = np.repeat(placed.points, VIEWS, 0).astype(float)
        taken = _photographed(points, rng, self._counts, confidences(len(points), self._with_confidence, rng))
        return Crowd(*taken, np.repeat(np.arange(bodies), VIEWS), pose, root, shape)

    def _varied(
        self, pose: np.ndarray, up: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        n = len(pose)
        other = self._poses[rng.integers(len(self._poses), size=n)]
        swapped = rng.random(n) < ARMS_SWAPPED
        pose = pose.copy()
        pose[:, ARM_JOINTS] = np.where(swapped[:, None, None], other[:, ARM_JOINTS], pose[:, ARM_JOINTS])
        loose = np.radians(LOOSENED_DEG) * rng.random((n, 1, 1))
        pose = pose + loose * rng.standard_normal(pose.shape)
        up = up + 0.5 * loose[:, 0] * rng.standard_normal(up.shape)
        return pose.astype(np.float32), up.astype(np.float32)


def confidences(n: int, share: float, rng: np.random.Generator) -> np.ndarray | None:
    """Draw how sure the points of n people are (N, 21), where a share of them has confidences; None for no share."""
    if not share:
        return None
    drawn = np.clip(rng.beta(*CONFIDENCE_SHAPE, (n, N_POINTS)), LEAST_CONFIDENCE, 1.0)
    return np.where(rng.random((n, 1)) < share, drawn, 1.0)


def _photographed(
    points: np.ndarray, rng: np.random.Generator, counts: Sequence[float], confidence: np.ndarray | None
) -> tuple[Sight, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Photograph upright bodies, points (N, 29, 3): any yaw, a camera each, limbs that end, and noisy clicks.

    confidence: (N, 21) of points; None where all are sure.
    Returns sight, depths, endings, turn, place and told of a `Crowd`.
    """
    n = len(points)
    plain = rng.random(n) < PLAIN_SHARE

    def either(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
        return np.where(plain, a, b)

    pitch = np.radians(either(7.0, 11.0)) * rng.standard_normal(n)
    roll = np.radians(either(0.0, 2.5)) * rng.standard_normal(n)
    facing = np.diag([1.0, -1.0, -1.0]) @ _about(1, rng.uniform(0, 2 * np.pi, n))
    turn = _about(2, roll) @ _about(0, pitch) @ facing
    focal = PICTURE_PX * either(rng.uniform(0.9, 1.6, n), rng.uniform(0.6, 2.2, n))
    told = focal * (1 + either(rng.uniform(-0.15, 0.15, n), rng.uniform(-0.2, 0.2, n)))
    distance = focal / PICTURE_PX * either(rng.uniform(2.2, 3.2, n), rng.uniform(1.8, 5.0, n))
    distance = np.maximum(distance, NEAREST_M)
    aside = either(0.0, PICTURE_PX / focal)[:, None] * rng.uniform(-0.25, 0.25, (n, 2))
    middle = points[:, :N_COCO].mean(1)
    place = distance[:, None] * np.concatenate([aside, np.ones((n, 1))], 1)
    place -= (turn @ middle[:, :, None])[..., 0]
    points = points @ turn.swapaxes(1, 2) + place[:, None]
    endings = _endings(n, rng, counts)
    observed = np.concatenate([points[:, :N_COCO], _ends(points[:, N_COCO:], endings, rng)], 1)
    px = focal[:, None, None] * observed[..., :2] / np.maximum(observed[..., 2:], 0.2)
    seen = np.ones((n, N_POINTS), bool)
    seen[:, :N_COCO] = ~_ABSENT[np.arange(N_LIMBS), endings].any(1)
    seen[:, N_COCO:] = (endings != INTACT) & (endings != GONE)
    down = px[..., 1]
    height = np.where(seen, down, -np.inf).max(1) - np.where(seen, down, np.inf).min(1)
    px = clicked(px, BOX_MARGIN * height, confidence, rng)
    seen &= rng.random(seen.shape) >= either(0.0, DROPPED)[:, None]
    cut_off = (rng.random(n) < CUT_OFF) & ~plain  # the picture ends above the ankles, or above the knees
    seen[:, ANKLES] &= ~cut_off[:, None]
    seen[:, KNEES] &= ~(cut_off & (rng.random(n) < 0.5))[:, None]
    shown = sight(px, seen, endings, told, np.zeros((n, 2)), confidence)
    return shown, (points @ shown.ray[:, :, None])[..., 0] @ BONES.T, endings, turn, place, told / focal


def clicked(
    px: np.ndarray, height: np.ndarray, confidence: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Return points (N, 21, 2) off by noise: a share of the box's height (N,), more where they are unsure.

    confidence: (N, 21) of points; None where all are sure.
    """
    noise = height * np.exp(rng.uniform(*LOG_NOISE_RANGE, len(px)))
    off = np.repeat(noise[:, None], N_POINTS, 1)
    if confidence is not None:
        off = off / confidence
        lost = rng.random(off.shape) < ELSEWHERE * (1 - confidence)
        off = np.where(lost, height[:, None] * ELSEWHERE_OFF, off)
    return px + off[..., None] * rng.standard_normal(px.shape)


def _ends(segment: np.ndarray, endings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return where each limb ends, (N, 4, 3), from segment joints (N, 12, 3)."""
    rows, limbs = np.arange(len(segment))[:, None], np.arange(N_LIMBS)
    anchor, upstream = segment[rows, _ANCHOR[limbs, endings]], segment[rows, _UPSTREAM[limbs, endings]]
    factor = rng.uniform(*FACTOR_RANGE, endings.shape)
    factor[(endings == END_OF_LOWER) | (endings == END_OF_UPPER)] = 0.0
    return anchor + factor[..., None] * (upstream - anchor)


def counts_with(loss_share: float) -> tuple[float, ...]:
    """Return the shares of people by how many limbs they lack, where this share lacks one or more."""
    some = np.array(COUNT_SHARES[1:], float)
    return (1 - loss_share, *(float(v) for v in loss_share * some / some.sum()))


def _endings(n: int, rng: np.random.Generator, counts: Sequence[float]) -> np.ndarray:
    """Draw how the limbs of n people end, (N, 4)."""
    count = rng.choice(len(counts), size=n, p=counts)
    order = rng.random((n, N_LIMBS)).argsort(1)
    ending = rng.choice(list(ENDING_SHARES), size=(n, N_LIMBS), p=list(ENDING_SHARES.values()))
    return np.where(order < count[:, None], ending, INTACT)


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    """Return rotations (N, 3, 3) about a coordinate axis."""
    vector = np.zeros((len(angle), 3))
    vector[:, axis] = angle
    return rotation(np, vector)
