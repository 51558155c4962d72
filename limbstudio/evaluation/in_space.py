"""Bodies against the truth in space: MPJPE, PA-MPJPE and MVE, and how what a person does not have is treated.

The pelvis is laid on the true one; joints are SMPL's first 22. Absent joints are those that AJAHR's class of a limb
turns off; absent vertices are those of the segment's part that was cut and of all beyond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel
from limbstudio.body.parts import distal_vertices
from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import Level, Limb, level_rule
from limbstudio.evaluation.metrics import aligned_joint_error_m, joint_error_m

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

N_JOINTS = 22


class Absent(StrEnum):
    """How joints and vertices that a person does not have are treated.

    SKIPPED: they count in no error. ZEROED: as AJAHR does it (`ajahr.zeroing`), their rotations are zero matrices in
    truth and answer, which draws them into the joint where the limb ends, and they count like all others.
    """

    SKIPPED = "skipped"
    ZEROED = "zeroed"


@dataclass(frozen=True, eq=False)
class Pose:
    """A body in the camera's frame. orientation: (3, 3). pose: (21, 3, 3), SMPL's joints 1 to 21. shape: (B,)."""

    orientation: Floats
    pose: Floats
    shape: Floats


@dataclass(frozen=True, eq=False)
class BodyTruth:
    """The truth of one person. exists: (22,). absent_vertices: (V,), of the uncut body."""

    name: str
    true: Pose
    exists: Bools
    absent_vertices: Bools


@dataclass(frozen=True)
class SpaceErrors:
    """Means over joints or vertices, millimetres."""

    mpjpe: float
    pa_mpjpe: float
    mve: float


def absent_vertices(body: BodyModel, levels: Mapping[Limb, Level]) -> Bools:
    """Return which vertices (V,) of a body a person with these levels does not have."""
    found = np.zeros(len(body.part_labels), bool)
    for limb, level in levels.items():
        segment = level_rule(limb, level).segment
        if segment is not None:
            found[distal_vertices(body.part_labels, limb, segment)] = True
    return found


def truth_of_sample(sample: Mapping[str, Any], body: BodyModel) -> BodyTruth:
    """Return the truth of an A3D sample; ValueError or KeyError where it was made with another body."""
    if sample["body"] != body.name:
        raise ValueError(f"it was made with {sample['body']}, not with {body.name}")
    numbers = sample["parameters"]
    vectors = np.array(numbers["pose"], float)[: N_JOINTS - 1]
    true = Pose(
        rotation(np, np.array(numbers["orientation"], float)),
        rotation(np, vectors),
        np.array(numbers["shape"], float),
    )
    exists = np.ones(N_JOINTS, bool)
    exists[[joint for joint in sample["zeroed_joints"] if joint < N_JOINTS]] = False
    levels = {limb: Level(sample["limbs"][limb.value]["level"]) for limb in Limb}
    return BodyTruth(str(sample["key"]), true, exists, absent_vertices(body, levels))


def space_errors(
    body: BodyModel, said: Pose, truth: BodyTruth, absent: Absent = Absent.SKIPPED
) -> SpaceErrors:
    """Compare a body with the truth; both are posed uncut, as `absent` says."""
    gone = ~truth.exists[1:, None, None]
    if absent is Absent.ZEROED:
        own, true = np.where(gone, 0.0, said.pose), np.where(gone, 0.0, truth.true.pose)
        exists, there = np.ones(N_JOINTS, bool), np.ones(len(truth.absent_vertices), bool)
    else:  # what hangs on nothing is nowhere: it takes the true rotation, so that skinning has one answer
        own, true = np.where(gone, truth.true.pose, said.pose), truth.true.pose
        exists, there = truth.exists, ~truth.absent_vertices
    vertices, joints = _placed(body, Pose(said.orientation, own, said.shape))
    true_vertices, true_joints = _placed(body, Pose(truth.true.orientation, true, truth.true.shape))
    off = np.linalg.norm(vertices[there] - true_vertices[there], axis=1).mean()
    return SpaceErrors(
        1000 * joint_error_m(joints, true_joints, exists),
        1000 * aligned_joint_error_m(joints, true_joints, exists),
        1000 * float(off),
    )


def mean_errors(errors: Sequence[SpaceErrors]) -> SpaceErrors:
    """Return the means over people."""
    return SpaceErrors(*(float(v) for v in np.mean([(e.mpjpe, e.pa_mpjpe, e.mve) for e in errors], 0)))


def _placed(body: BodyModel, pose: Pose) -> tuple[Floats, Floats]:
    """Return vertices (V, 3) and joints (22, 3) with the pelvis at the origin."""
    rotations = np.tile(np.eye(3), (55, 1, 1))
    rotations[0], rotations[1:N_JOINTS] = pose.orientation, pose.pose
    posed = body.pose(rotations=rotations, shape=pose.shape)
    return posed.vertices - posed.joints[0], posed.joints[:N_JOINTS] - posed.joints[0]
