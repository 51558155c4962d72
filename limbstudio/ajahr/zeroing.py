"""AJAHR's picture of limb loss: rotation matrices of absent joints and of all below them are zeros.

A zero matrix in the kinematic tree brings every joint and vertex below it onto the joint where the limb ends. It is a
form of exchange, not how LimbStudio models a residual limb: it knows joints only, and no length of the limb.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.ajahr.build import (
    HEAD_LIMBS,
    INTACT_CLASS,
    INTACT_LABEL,
    N_AMPUTATIONS,
    N_CLASSES,
    N_HEADS,
)
from limbstudio.domain.anatomy import SMPLX_INDEX, Level, Limb, LimbStates, level_rule, limb_joints

# SMPL's joints below its root: index in `body_pose` is the joint's index less one. Hands exist in SMPL only.
N_BODY_POSE = 23
_SMPL_HANDS = {"left_hand": 22, "right_hand": 23}
# What a class says in clinical words: the limb ends at the joint, without a rest of the next segment.
_LEVELS = {
    True: (Level.WRIST_DISARTICULATION, Level.ELBOW_DISARTICULATION, Level.SHOULDER_DISARTICULATION),
    False: (Level.ANKLE_DISARTICULATION, Level.KNEE_DISARTICULATION, Level.HIP_DISARTICULATION),
}


def _limb_rows(limb: Limb) -> tuple[int, int, int, int]:
    """Return the rows of `body_pose` of the limb's joints, proximal to distal."""
    last = f"{limb.side.value}_{'hand' if limb.is_arm else 'foot'}"
    numbers = [_SMPL_HANDS[n] if n in _SMPL_HANDS else SMPLX_INDEX[n] for n in (*limb_joints(limb), last)]
    return tuple(number - 1 for number in numbers)  # type: ignore[return-value]


def _zero_table() -> NDArray[np.bool_]:
    """Return (4, 4, 23): which rows of `body_pose` are zeros for each head and class."""
    table = np.zeros((N_HEADS, N_CLASSES, N_BODY_POSE), bool)
    for head, limb in enumerate(HEAD_LIMBS):
        rows = _limb_rows(limb)
        for lost in range(INTACT_CLASS):  # 0 ends at the wrist or ankle: the last two joints of the four
            table[head, lost, list(rows[2 - lost :])] = True
    return table


_ZEROED = _zero_table()


def zeroed_joints(classes: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return which of the 23 joints are zeros, (..., 23), for the heads' classes (..., 4): the union over heads."""
    return np.asarray(_ZEROED[np.arange(N_HEADS), np.asarray(classes)].any(-2))


def zero_absent(body_pose: Any, classes: NDArray[np.integer[Any]]) -> Any:
    """Return rotations (..., 23, 3, 3), array or tensor, with those of absent joints zeroed.

    classes: (..., 4) as `bpac` gives them. Zeros, not identities: an identity would straighten the limb.
    """
    absent = zeroed_joints(classes)[..., None, None]
    if isinstance(body_pose, np.ndarray):
        return np.where(absent, np.zeros((), body_pose.dtype), body_pose)
    return body_pose.masked_fill(body_pose.new_tensor(absent) != 0, 0.0)


def amputation_flags(classes: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return (..., 4): whether each head's limb is not intact. Any of them chooses the tokenizer for limb loss."""
    return np.asarray(classes) != INTACT_CLASS


def classes_of(limbs: LimbStates) -> NDArray[np.int64]:
    """Return the class of each head, (4,), for a person's limbs.

    Levels between joints take the joint that is lost: transradial as wrist, transhumeral as elbow. Partial hands and
    feet, and limbs the annotator is unsure of, count as intact: AJAHR has no class for them.
    """
    return np.array([level_rule(limb, limbs[limb].level).ajahr_class for limb in HEAD_LIMBS])


def level_of(limb: Limb, ajahr_class: int) -> Level:
    """Return the level that a class draws; the zeroed body ends at the joint, so all of them are disarticulations."""
    return Level.INTACT if ajahr_class == INTACT_CLASS else _LEVELS[limb.is_arm][ajahr_class]


def label_of(limb: Limb, ajahr_class: int) -> int:
    """Return AJAHR's single label 0 to 11 of a limb's class, or 12 for intact."""
    if ajahr_class == INTACT_CLASS:
        return INTACT_LABEL
    return HEAD_LIMBS.index(limb) * INTACT_CLASS + ajahr_class


def classes_of_label(label: int) -> NDArray[np.int64]:
    """Return the heads' classes (4,) of a single label 0 to 12; raise KeyError for another number."""
    classes = np.full(N_HEADS, INTACT_CLASS)
    if 0 <= label < N_AMPUTATIONS:
        classes[label // INTACT_CLASS] = label % INTACT_CLASS
    elif label != INTACT_LABEL:
        raise KeyError(label)
    return classes
