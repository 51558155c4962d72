"""Which points a fitted body proposes, and taking them."""

from dataclasses import replace

import numpy as np

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.body import BodyFit, FitMode
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.domain.proposals import proposed_points, take_proposals

SIZE = (200, 300)
KNEE, ANKLE, END = (LDPOSE_INDEX[n] for n in ("right_knee", "right_ankle", "below_right_knee_end"))


def fit() -> BodyFit:
    nothing = np.zeros(3)
    projected = np.column_stack([np.arange(25.0) * 7, np.arange(25.0) * 10])
    projected[0] = np.nan
    return BodyFit(
        "stand-in", FitMode.JOINT, Camera(900.0, (100, 150), SIZE), nothing, np.zeros((54, 3)), np.zeros(10), nothing,
        np.zeros((55, 3)), projected, np.zeros(25, bool),
    )  # fmt: skip


def test_what_can_exist_is_open_and_lies_in_the_photo_is_proposed():
    person = edits.place_point(Person("p", "photo"), 1, 5.0, 5.0).changes[0].after
    found = proposed_points(person, fit(), SIZE)

    assert 0 not in found  # the body says nothing
    assert 1 not in found  # placed by a person
    assert found[2] == (14.0, 20.0)
    assert max(found) == 16  # no residual end on intact limbs
    small = proposed_points(person, fit(), (30, 300))
    assert max(small) == 4


def test_a_level_takes_the_joint_away_and_brings_its_end():
    person = edits.set_limb_level(Person("p", "photo"), Limb.RIGHT_LEG, Level.TRANSTIBIAL).changes[0].after
    found = proposed_points(person, fit(), SIZE)

    assert ANKLE not in found
    assert KNEE in found
    assert found[END] == (END * 7.0, END * 10.0)


def test_a_state_that_was_said_is_not_proposed_over():
    person = edits.set_point_state(Person("p", "photo"), 3, KeypointState.OUT_OF_FRAME).changes[0].after
    assert 3 not in proposed_points(person, fit(), SIZE)


def test_taking_all_is_one_edit_and_keeps_what_was_placed():
    person = edits.place_point(Person("p", "photo"), 1, 5.0, 5.0).changes[0].after
    edit = take_proposals(person, proposed_points(person, fit(), SIZE))
    after = edit.changes[0].after

    assert len(edit.changes) == 1
    assert edit.human
    assert edit.label == "Take 15 proposed points"
    assert (after.keypoints.points[1].x, after.keypoints.points[2].x) == (5.0, 14.0)
    assert after.keypoints.points[2].state is KeypointState.VISIBLE
    assert replace(after, keypoints=person.keypoints) == person
