"""Anny's bones: which joint of SMPL-X each goes with, and how they turn until the body stands in SMPL's T-pose."""

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float, rotation_between, rotation_matrices
from limbstudio.domain.anatomy import SMPLX_INDEX, SMPLX_JOINTS

# Offsets of SMPL's first 22 joints from their parents in the rest pose, metres (y up, z forward, x to the
# left): approximate values of the mean shape, symmetrised, as published with open humanoid robot models that
# follow SMPL's skeleton. Only directions are used. They are those the shipped pose data were retargeted to.
SMPL_REST_OFFSETS: Float = np.array(
    [
        [0.0000, 0.0000, 0.0000],
        [0.0686, -0.0910, -0.0056],
        [-0.0686, -0.0910, -0.0056],
        [0.0000, 0.1090, -0.0267],
        [0.0363, -0.3789, -0.0067],
        [-0.0363, -0.3789, -0.0067],
        [0.0000, 0.1352, 0.0011],
        [-0.0147, -0.3982, -0.0430],
        [0.0147, -0.3982, -0.0430],
        [0.0000, 0.0529, 0.0254],
        [0.0259, -0.0520, 0.1213],
        [-0.0259, -0.0520, 0.1213],
        [0.0000, 0.2139, -0.0429],
        [0.0803, 0.1203, -0.0364],
        [-0.0803, 0.1203, -0.0364],
        [0.0000, 0.0650, 0.0513],
        [0.0935, 0.0316, -0.0090],
        [-0.0935, 0.0316, -0.0090],
        [0.2567, -0.0131, -0.0245],
        [-0.2567, -0.0131, -0.0245],
        [0.2523, 0.0084, -0.0034],
        [-0.2523, 0.0084, -0.0034],
    ]
)
# From wrist to the middle of the hand, left side, of the same source.
SMPL_HAND_DIRECTION = np.array([0.0843, -0.0072, -0.0126])

# Which SMPL-X joint moves each Anny bone (left side; `.L`/`.R` and left/right go together). Bones that only
# spread a twist over a segment, metacarpals and toes go with the joint they hang on.
_MIDDLE_BONES = {
    "root": "pelvis",
    "spine05": "pelvis",
    "spine04": "spine1",
    "spine03": "spine1",
    "spine02": "spine2",
    "spine01": "spine3",
    "neck01": "neck",
    "neck02": "neck",
    "neck03": "neck",
    "head": "head",
}
_SIDE_BONES = {
    "pelvis": "pelvis",
    "upperleg01": "hip",
    "upperleg02": "hip",
    "lowerleg01": "knee",
    "lowerleg02": "knee",
    "foot": "ankle",
    "clavicle": "collar",
    "shoulder01": "collar",
    "upperarm01": "shoulder",
    "upperarm02": "shoulder",
    "lowerarm01": "elbow",
    "lowerarm02": "elbow",
    "wrist": "wrist",
    "eye": "head",
    **{f"toe{toe}-{n}": "foot" for toe in range(1, 6) for n in (1, 2, 3)},
    **{f"metacarpal{n}": "wrist" for n in range(1, 5)},
    **{
        f"finger{i}-{n}": f"{finger}{n}"
        for i, finger in enumerate(("thumb", "index", "middle", "ring", "pinky"), start=1)
        for n in (1, 2, 3)
    },
}
# The bone whose head is the joint, where more than one is merged into it or none is.
_JOINT_BONES = {
    "pelvis": "root",
    "spine1": "spine04",
    "spine2": "spine02",
    "spine3": "spine01",
    "neck": "neck01",
    "head": "head",
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
    "foot": "toe2-1",
    "collar": "clavicle",
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
}


def joint_of(bone: str) -> str:
    """Return the SMPL-X joint that moves an Anny bone."""
    plain, _, side = bone.partition(".")
    if not side:
        return _MIDDLE_BONES[plain]
    joint = _SIDE_BONES[plain]
    return joint if joint in ("pelvis", "head") else f"{'left' if side == 'L' else 'right'}_{joint}"


def bones_of_joints(labels: tuple[str, ...]) -> NDArray[np.int32]:
    """Return the bone whose head is each SMPL-X joint, -1 where Anny's rig has none (the jaw)."""
    joint_of_bone = np.array([SMPLX_INDEX[joint_of(label)] for label in labels], np.int32)
    bone_of_joint = np.full(len(SMPLX_JOINTS), -1, np.int32)
    for joint, name in enumerate(SMPLX_JOINTS):
        side, _, plain = name.partition("_")
        if side in ("left", "right") and plain in _JOINT_BONES:
            bone_of_joint[joint] = labels.index(f"{_JOINT_BONES[plain]}.{side[0].upper()}")
        elif name in _JOINT_BONES:
            bone_of_joint[joint] = labels.index(_JOINT_BONES[name])
        elif name in ("left_eye_smplhf", "right_eye_smplhf"):
            bone_of_joint[joint] = labels.index(f"eye.{side[0].upper()}")
        elif np.any(joint_of_bone == joint):  # fingers: one bone each
            bone_of_joint[joint] = int(np.flatnonzero(joint_of_bone == joint)[0])
    return bone_of_joint


def t_pose_rotations(heads: Float, labels: tuple[str, ...]) -> Float:
    """Return the global rotation (N, bones, 3, 3) of each bone that brings Anny's rest into SMPL's T-pose.

    heads: (N, bones, 3), our frame. Thigh, shank, upper arm, forearm and hand come to lie along SMPL's rest
    directions by the smallest rotations, the arm from shoulder to hand one after the other, so that the elbow
    straightens about its own hinge. Feet turn about the vertical only: soles stay flat. Trunk, head and
    collars stay.
    """
    index = {label: i for i, label in enumerate(labels)}
    R = np.tile(np.eye(3), (*heads.shape[:2], 1, 1))

    def bone(name: str) -> Float:
        return heads[:, index[name]]

    def put(names: list[str], rotation: Float) -> None:
        R[:, [index[name] for name in names]] = rotation[:, None]

    for side, sign in (("L", 1.0), ("R", -1.0)):
        offsets = {
            name: SMPL_REST_OFFSETS[SMPLX_INDEX[f"{'left' if side == 'L' else 'right'}_{name}"]]
            for name in ("knee", "ankle", "foot", "elbow", "wrist")
        }
        hip, knee, ankle = (bone(f"{name}.{side}") for name in ("upperleg01", "lowerleg01", "foot"))
        put(
            [f"upperleg01.{side}", f"upperleg02.{side}"],
            rotation_between(source=knee - hip, target=offsets["knee"]),
        )
        put(
            [f"lowerleg01.{side}", f"lowerleg02.{side}"],
            rotation_between(source=ankle - knee, target=offsets["ankle"]),
        )
        toe = bone(f"toe2-1.{side}") - ankle
        yaw = np.arctan2(offsets["foot"][0], offsets["foot"][2]) - np.arctan2(toe[:, 0], toe[:, 2])
        foot_bones = [f"foot.{side}"] + [f for f in labels if f.startswith("toe") and f.endswith(side)]
        put(foot_bones, rotation_matrices(yaw[:, None] * np.array([0.0, 1.0, 0.0])))

        shoulder, elbow, wrist = (bone(f"{name}.{side}") for name in ("upperarm01", "lowerarm01", "wrist"))
        upper = rotation_between(source=elbow - shoulder, target=offsets["elbow"])
        put([f"upperarm01.{side}", f"upperarm02.{side}"], upper)
        fore = _turn_on(upper, wrist - elbow, offsets["wrist"])
        put([f"lowerarm01.{side}", f"lowerarm02.{side}"], fore)
        hand_direction = SMPL_HAND_DIRECTION * np.array([sign, 1.0, 1.0])
        hand = _turn_on(fore, bone(f"finger3-1.{side}") - wrist, hand_direction)
        hand_bones = [
            b for b in labels if b.startswith(("finger", "metacarpal", "wrist")) and b.endswith(side)
        ]
        put(hand_bones, hand)
    return R


def _turn_on(before: Float, direction: Float, target: Float) -> Float:
    """Return `before` followed by the smallest rotation that brings the turned `direction` onto `target`."""
    turned = (before @ direction[..., None])[..., 0]
    return rotation_between(source=turned, target=target) @ before
