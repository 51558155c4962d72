"""The anatomy LimbStudio speaks: limbs, amputation levels, LDPose-25 keypoints and the SMPL-X tree.

Left and right are the person's own. Names of amputation levels are those of ISO 8549-4. The keypoint order, swaps,
sigmas and edges are those of the LDPose authors' dataset configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Side(StrEnum):
    """The person's own side."""

    LEFT = "left"
    RIGHT = "right"


class Segment(StrEnum):
    """A rigid part of a limb between two joints, or its end."""

    UPPER_ARM = "upper_arm"
    FOREARM = "forearm"
    HAND = "hand"
    THIGH = "thigh"
    SHANK = "shank"
    FOOT = "foot"


class Limb(StrEnum):
    """One of the four limbs."""

    LEFT_ARM = "left_arm"
    RIGHT_ARM = "right_arm"
    LEFT_LEG = "left_leg"
    RIGHT_LEG = "right_leg"

    @property
    def side(self) -> Side:
        return Side(self.value.split("_")[0])

    @property
    def is_arm(self) -> bool:
        return self.value.endswith("arm")

    @property
    def opposite(self) -> "Limb":
        other = "right" if self.side is Side.LEFT else "left"
        return Limb(f"{other}_{self.value.split('_')[1]}")

    @property
    def segments(self) -> tuple[Segment, Segment, Segment]:
        """Return the limb's segments from proximal to distal."""
        if self.is_arm:
            return (Segment.UPPER_ARM, Segment.FOREARM, Segment.HAND)
        return (Segment.THIGH, Segment.SHANK, Segment.FOOT)


class KeypointState(StrEnum):
    """What the annotator says of a keypoint; an axis of its own, never folded into COCO's v."""

    VISIBLE = "visible"
    OCCLUDED = "occluded"
    OUT_OF_FRAME = "out_of_frame"
    ABSENT = "absent"
    PROSTHESIS = "prosthesis"
    UNLABELLED = "unlabelled"
    UNSURE = "unsure"

    @property
    def coco_v(self) -> int:
        """Return COCO's visibility flag: visible 2, occluded 1, all others 0."""
        return {KeypointState.VISIBLE: 2, KeypointState.OCCLUDED: 1}.get(self, 0)

    @property
    def constrains_fit(self) -> bool:
        """Tell whether a point in this state is an observation of the body."""
        return self in (KeypointState.VISIBLE, KeypointState.OCCLUDED)


# ---------------------------------------------------------------------------------------------------- LDPose-25


@dataclass(frozen=True)
class KeypointDefinition:
    """One LDPose-25 keypoint. sigma: OKS sigma. swap: index of its mirror twin. limb: None for head and trunk."""

    index: int
    name: str
    swap: int
    sigma: float
    limb: Limb | None

    @property
    def side(self) -> Side | None:
        for side in Side:
            if side.value in self.name:
                return side
        return None

    @property
    def is_residual_end(self) -> bool:
        return self.name.endswith("_end")

    @property
    def label(self) -> str:
        """Return the name as people read it: 'Right below-knee end'."""
        words = self.name.replace("above_", "above-").replace("below_", "below-").replace("_", " ").split()
        if self.is_residual_end:  # "above-left elbow end" -> "left above-elbow end"
            place, side = words[0].split("-")
            words = [side, f"{place}-{words[1]}", "end"]
        return " ".join(words).capitalize()


def _keypoint_table() -> tuple[KeypointDefinition, ...]:
    pairs = [("eye", 0.025), ("ear", 0.035), ("shoulder", 0.079), ("elbow", 0.072), ("wrist", 0.062)]
    pairs += [("hip", 0.107), ("knee", 0.087), ("ankle", 0.089)]
    rows: list[tuple[str, float]] = [("nose", 0.026)]
    rows += [(f"{side}_{name}", sigma) for name, sigma in pairs for side in ("left", "right")]
    # The residual sigmas are borrowed from elbow, wrist, knee and ankle; nobody has measured them.
    ends = [
        ("above", "elbow", 0.072),
        ("below", "elbow", 0.062),
        ("above", "knee", 0.087),
        ("below", "knee", 0.089),
    ]
    rows += [
        (f"{place}_{side}_{joint}_end", sigma) for place, joint, sigma in ends for side in ("left", "right")
    ]

    def limb_of(name: str) -> Limb | None:
        side = next((s for s in ("left", "right") if s in name.split("_")), None)
        kind = next(
            (
                k
                for k, joints in {
                    "arm": ("shoulder", "elbow", "wrist"),
                    "leg": ("hip", "knee", "ankle"),
                }.items()
                if any(joint in name for joint in joints)
            ),
            None,
        )
        return Limb(f"{side}_{kind}") if side and kind else None

    return tuple(
        KeypointDefinition(i, name, i if i == 0 else i + 1 if i % 2 else i - 1, sigma, limb_of(name))
        for i, (name, sigma) in enumerate(rows)
    )


LDPOSE: tuple[KeypointDefinition, ...] = _keypoint_table()
LDPOSE_NAMES: tuple[str, ...] = tuple(k.name for k in LDPOSE)
LDPOSE_INDEX: Mapping[str, int] = MappingProxyType({k.name: k.index for k in LDPOSE})
N_KEYPOINTS = len(LDPOSE)
N_COCO = 17
# Edges of the LDPose-25 skeleton as pairs of 0-based indices (COCO files write them 1-based).
LDPOSE_EDGES: tuple[tuple[int, int], ...] = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    (5, 17), (6, 18), (7, 19), (8, 20), (11, 21), (12, 22), (13, 23), (14, 24),
)  # fmt: skip


# ------------------------------------------------------------------------------------------------ amputation levels


class Level(StrEnum):
    """An amputation level (ISO 8549-4), or `intact`, or `unsure`."""

    INTACT = "intact"
    PARTIAL_HAND = "partial_hand"
    PARTIAL_FOOT = "partial_foot"
    WRIST_DISARTICULATION = "wrist_disarticulation"
    ANKLE_DISARTICULATION = "ankle_disarticulation"
    TRANSRADIAL = "transradial"
    TRANSTIBIAL = "transtibial"
    ELBOW_DISARTICULATION = "elbow_disarticulation"
    KNEE_DISARTICULATION = "knee_disarticulation"
    TRANSHUMERAL = "transhumeral"
    TRANSFEMORAL = "transfemoral"
    SHOULDER_DISARTICULATION = "shoulder_disarticulation"
    FOREQUARTER = "forequarter"
    HIP_DISARTICULATION = "hip_disarticulation"
    HEMIPELVECTOMY = "hemipelvectomy"
    UNSURE = "unsure"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


@dataclass(frozen=True)
class LevelRule:
    """What a level means for one limb: where it ends and which keypoints cannot exist.

    endpoint: LDPose index of the residual end, or None. segment: the segment the limb ends in, or None when intact.
    anchor, upstream: SMPL-X joint names; the end lies at anchor + lambda (upstream - anchor) (ResiHMR equation 3).
    absent: LDPose indices that cannot exist. ends_at_joint: lambda is 0 by definition (disarticulation).
    removed_at_root: the whole limb is gone (no endpoint in LDPose-25). ajahr_class: 0 hand or foot, 1 elbow or knee,
    2 shoulder or hip, 3 intact.
    """

    endpoint: int | None
    segment: Segment | None
    anchor: str | None
    upstream: str | None
    absent: frozenset[int]
    ends_at_joint: bool
    removed_at_root: bool
    ajahr_class: int


_ARM_LEVELS = {
    Level.WRIST_DISARTICULATION: "below", Level.TRANSRADIAL: "below",
    Level.ELBOW_DISARTICULATION: "above", Level.TRANSHUMERAL: "above",
    Level.SHOULDER_DISARTICULATION: "root", Level.FOREQUARTER: "root",
}  # fmt: skip
_LEG_LEVELS = {
    Level.ANKLE_DISARTICULATION: "below", Level.TRANSTIBIAL: "below",
    Level.KNEE_DISARTICULATION: "above", Level.TRANSFEMORAL: "above",
    Level.HIP_DISARTICULATION: "root", Level.HEMIPELVECTOMY: "root",
}  # fmt: skip
_AT_JOINT = frozenset({Level.WRIST_DISARTICULATION, Level.ANKLE_DISARTICULATION,
                       Level.ELBOW_DISARTICULATION, Level.KNEE_DISARTICULATION})  # fmt: skip


def levels_of(limb: Limb) -> tuple[Level, ...]:
    """Return the levels this limb can have, from intact to the most proximal, then unsure."""
    partial = Level.PARTIAL_HAND if limb.is_arm else Level.PARTIAL_FOOT
    return (Level.INTACT, partial, *(_ARM_LEVELS if limb.is_arm else _LEG_LEVELS), Level.UNSURE)


def limb_joints(limb: Limb) -> tuple[str, str, str]:
    """Return the SMPL-X names of the limb's proximal, middle and distal joints."""
    names = ("shoulder", "elbow", "wrist") if limb.is_arm else ("hip", "knee", "ankle")
    side = limb.side.value
    return (f"{side}_{names[0]}", f"{side}_{names[1]}", f"{side}_{names[2]}")


def limb_ends(limb: Limb) -> tuple[int, int]:
    """Return the LDPose indices of the limb's above- and below-joint residual ends."""
    middle = "elbow" if limb.is_arm else "knee"
    return tuple(LDPOSE_INDEX[f"{place}_{limb.side.value}_{middle}_end"] for place in ("above", "below"))  # type: ignore[return-value]


def _level_rule(limb: Limb, level: Level) -> LevelRule:
    proximal, middle, distal = limb_joints(limb)
    above_end, below_end = limb_ends(limb)
    middle_index, distal_index = LDPOSE_INDEX[middle], LDPOSE_INDEX[distal]
    segments = limb.segments
    place = (_ARM_LEVELS if limb.is_arm else _LEG_LEVELS).get(level)
    at_joint = level in _AT_JOINT
    if place == "below":
        absent = {above_end} if at_joint else {distal_index, above_end}
        return LevelRule(below_end, segments[1], distal, middle, frozenset(absent), at_joint, False, 0)
    if place == "above":
        # A limb that ends at a joint still has that joint; only what lies beyond it cannot exist.
        absent = {distal_index, below_end} if at_joint else {middle_index, distal_index, below_end}
        return LevelRule(above_end, segments[0], middle, proximal, frozenset(absent), at_joint, False, 1)
    if place == "root":
        absent = {middle_index, distal_index, above_end, below_end}
        return LevelRule(None, segments[0], middle, proximal, frozenset(absent), False, True, 2)
    if level is Level.UNSURE:
        return LevelRule(None, None, None, None, frozenset(), False, False, 3)
    return LevelRule(None, None, None, None, frozenset({above_end, below_end}), False, False, 3)


_RULES = {(limb, level): _level_rule(limb, level) for limb in Limb for level in levels_of(limb)}


def level_rule(limb: Limb, level: Level) -> LevelRule:
    """Return what `level` means for `limb`; raise KeyError for a level the limb cannot have."""
    return _RULES[limb, level]


def level_implied_by_end(endpoint: int) -> tuple[Limb, Level]:
    """Return the limb and the level that an annotated residual end implies (17 -> left arm, transhumeral)."""
    definition = LDPOSE[endpoint]
    if not definition.is_residual_end or definition.limb is None:
        raise KeyError(endpoint)
    above = definition.name.startswith("above")
    if definition.limb.is_arm:
        return definition.limb, Level.TRANSHUMERAL if above else Level.TRANSRADIAL
    return definition.limb, Level.TRANSFEMORAL if above else Level.TRANSTIBIAL


class Cause(StrEnum):
    ACQUIRED = "acquired"
    CONGENITAL = "congenital"
    UNKNOWN = "unknown"


class Device(StrEnum):
    """A prosthesis: none in the picture, worn, or beside the person."""

    NONE = "none"
    WORN = "worn"
    BESIDE = "beside"
    UNKNOWN = "unknown"


class Posture(StrEnum):
    UNKNOWN = "unknown"
    STANDING = "standing"
    SITTING = "sitting"
    LYING = "lying"


@dataclass(frozen=True)
class LimbState:
    """The record of one limb: level, cause, whether the annotator is sure, and the device."""

    level: Level = Level.INTACT
    cause: Cause = Cause.UNKNOWN
    certain: bool = True
    device: Device = Device.UNKNOWN


LimbStates = Mapping[Limb, LimbState]


def intact_limbs() -> LimbStates:
    return MappingProxyType({limb: LimbState() for limb in Limb})


def impossible_keypoints(limbs: LimbStates) -> frozenset[int]:
    """Return the LDPose indices that cannot exist given the limb states."""
    return frozenset().union(*(level_rule(limb, state.level).absent for limb, state in limbs.items()))


@dataclass(frozen=True)
class Contradiction:
    """A keypoint whose state cannot hold with its limb's level. message: for people."""

    keypoint: int
    limb: Limb
    message: str


def contradictions(states: Sequence[KeypointState], limbs: LimbStates) -> tuple[Contradiction, ...]:
    """List the keypoints that are marked as present although their limb's level rules them out."""
    found = []
    for limb, state in limbs.items():
        for index in sorted(level_rule(limb, state.level).absent):
            if states[index] in (KeypointState.VISIBLE, KeypointState.OCCLUDED, KeypointState.OUT_OF_FRAME):
                text = f"{LDPOSE[index].label} cannot exist with {state.level.value.replace('_', ' ')}."
                found.append(Contradiction(index, limb, f"{text} Mark it absent or change the level."))
    return tuple(found)


# -------------------------------------------------------------------------------------------------- SMPL-X tree

SMPLX_JOINTS: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "jaw", "left_eye_smplhf",
    "right_eye_smplhf",
    *(f"{side}_{finger}{n}" for side in ("left", "right") for finger in ("index", "middle", "pinky", "ring", "thumb")
      for n in (1, 2, 3)),
)  # fmt: skip
SMPLX_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    *(p for wrist in (20, 21) for f in range(5) for p in (
        (wrist, 25 + 15 * (wrist - 20) + 3 * f, 26 + 15 * (wrist - 20) + 3 * f))),
)  # fmt: skip
SMPLX_INDEX: Mapping[str, int] = MappingProxyType({name: i for i, name in enumerate(SMPLX_JOINTS)})
N_BODY_JOINTS = 22  # pelvis to wrists: the joints that SMPL, SMPL-H and SMPL-X share
