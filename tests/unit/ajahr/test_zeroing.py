"""Limb loss as AJAHR draws it: which rotations are zero, and what that does to a skeleton."""

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS, INTACT_LABEL
from limbstudio.ajahr.zeroing import (
    amputation_flags,
    classes_of,
    classes_of_label,
    label_of,
    level_of,
    zero_absent,
    zeroed_joints,
)
from limbstudio.body.kinematics import global_transforms, rotation_matrices
from limbstudio.domain.anatomy import SMPLX_PARENTS, Level, Limb, LimbState, intact_limbs, levels_of

# The twelve rows of the published table: body_pose indices (SMPL joint less one) per label.
PUBLISHED = {
    0: {20, 22}, 1: {18, 20, 22}, 2: {16, 18, 20, 22}, 3: {19, 21}, 4: {17, 19, 21}, 5: {15, 17, 19, 21},
    6: {6, 9}, 7: {3, 6, 9}, 8: {0, 3, 6, 9}, 9: {7, 10}, 10: {4, 7, 10}, 11: {1, 4, 7, 10}, 12: set(),
}  # fmt: skip
SMPL_PARENTS = (*SMPLX_PARENTS[:22], 20, 21)


@pytest.mark.parametrize("label", PUBLISHED)
def test_each_label_zeroes_the_published_joints(label: int):
    assert set(np.flatnonzero(zeroed_joints(classes_of_label(label)))) == PUBLISHED[label]


def test_several_limbs_zero_the_union():
    zeroed = zeroed_joints(np.array([0, 3, 3, 2]))

    assert set(np.flatnonzero(zeroed)) == PUBLISHED[0] | PUBLISHED[11]


def test_labels_and_classes_lead_back_to_each_other():
    for label in range(INTACT_LABEL):
        classes = classes_of_label(label)
        (head,) = np.flatnonzero(amputation_flags(classes))
        assert label_of(HEAD_LIMBS[head], int(classes[head])) == label
    assert label_of(Limb.LEFT_LEG, INTACT_CLASS) == INTACT_LABEL
    with pytest.raises(KeyError):
        classes_of_label(13)


@pytest.mark.parametrize("limb", Limb)
def test_every_class_is_drawn_by_a_level_of_that_limb(limb: Limb):
    head = HEAD_LIMBS.index(limb)

    for ajahr_class in range(4):
        level = level_of(limb, ajahr_class)
        classes = classes_of({**intact_limbs(), limb: LimbState(level)})

        assert level in levels_of(limb)
        assert classes[head] == ajahr_class
        assert (np.delete(classes, head) == INTACT_CLASS).all()


def test_a_level_between_joints_takes_the_lost_joint():
    limbs = {
        **intact_limbs(),
        Limb.RIGHT_ARM: LimbState(Level.TRANSRADIAL),
        Limb.LEFT_LEG: LimbState(Level.TRANSFEMORAL),
        Limb.RIGHT_LEG: LimbState(Level.UNSURE),
    }

    assert classes_of(limbs).tolist() == [0, 3, 1, 3]


def test_the_limb_below_collapses_onto_the_joint_where_it_ends():
    rng = np.random.default_rng(3)
    rotations = rotation_matrices(rng.normal(size=(24, 3)))
    rest = rng.normal(size=(24, 3))
    zeroed = np.concatenate([rotations[:1], zero_absent(rotations[1:], classes_of_label(10))])

    _, joints = global_transforms(rotations=zeroed, rest_joints=rest, parents=SMPL_PARENTS)
    _, whole = global_transforms(rotations=rotations, rest_joints=rest, parents=SMPL_PARENTS)

    right_knee, right_ankle, right_foot = 5, 8, 11
    assert np.allclose(joints[[right_ankle, right_foot]], joints[right_knee])
    others = [j for j in range(24) if j not in (right_ankle, right_foot)]
    assert np.allclose(joints[others], whole[others])


def test_arrays_and_tensors_are_zeroed_alike_and_left_as_they_were():
    rotations = rotation_matrices(np.random.default_rng(4).normal(size=(2, 23, 3)))
    classes = np.array([[1, 3, 0, 3], [3, 3, 3, 3]])
    before = rotations.copy()

    array = zero_absent(rotations, classes)
    tensor = zero_absent(torch.tensor(rotations, requires_grad=True), classes)

    assert np.array_equal(tensor.detach().numpy(), array)
    assert np.array_equal(rotations, before)
    assert np.array_equal(array[1], before[1])
