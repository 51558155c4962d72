"""Edits of several points at once: geometry about the middle, one change of one record, states kept."""

import pytest

from limbstudio.domain import edits
from limbstudio.domain.anatomy import KeypointState
from limbstudio.domain.edits import Edit
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.domain.point_edits import (
    Motion,
    clear_points,
    leaving_photo,
    move_points_by,
    set_point_states,
    transform_person,
    transform_points,
    within_photo,
)


@pytest.fixture
def person() -> Person:
    made = Person("1", "photo", box=Box(80, 80, 140, 240))
    for index, at in {5: (100, 100), 7: (100, 200), 9: (200, 300)}.items():
        made = after(edits.place_point(made, index, *at))
    return after(edits.set_point_state(made, 9, KeypointState.OCCLUDED))


def places(person: Person) -> dict[int, tuple[float, float]]:
    return {
        i: (p.x, p.y) for i, p in enumerate(person.keypoints.points) if p.x is not None and p.y is not None
    }


def after(edit: Edit) -> Person:
    (change,) = edit.changes
    assert isinstance(change.after, Person)
    return change.after


def test_points_turn_clockwise_about_their_mean(person):
    middle = (400 / 3, 200)

    turned = places(after(transform_points(person, {5, 7, 9}, Motion(turn=90))))

    assert turned[5] == pytest.approx((middle[0] + 100, middle[1] + (100 - middle[0])))
    assert turned[7] == pytest.approx((middle[0], middle[1] + (100 - middle[0])))
    assert after(transform_points(person, {5, 7, 9}, Motion(turn=90))).box == person.box


def test_scaling_keeps_the_mean_and_the_states(person):
    made = after(transform_points(person, {5, 7, 9}, Motion(scale=2)))

    assert sum(x for x, _ in places(made).values()) == pytest.approx(400)
    assert places(made)[9][1] - places(made)[5][1] == pytest.approx(400)
    assert made.keypoints.states == person.keypoints.states


def test_mirroring_keeps_the_rectangle(person):
    made = places(after(transform_points(person, {5, 7, 9}, Motion(mirror_x=True))))

    assert made == {5: (200, 100), 7: (200, 200), 9: (100, 300)}


def test_only_the_selected_points_move(person):
    edit = move_points_by(person, {5, 9}, 3, -2)

    assert places(after(edit)) == {5: (103, 98), 7: (100, 200), 9: (203, 298)}
    assert edit.label == "Move 2 points"


def test_a_person_moves_with_hidden_points_and_box(person):
    hidden = after(edits.set_point_state(person, 7, KeypointState.ABSENT))

    moved = after(transform_person(hidden, Motion(dx=10, dy=20)))

    assert places(moved) == {5: (110, 120), 7: (110, 220), 9: (210, 320)}
    assert moved.box == Box(90, 100, 140, 240)


def test_the_box_of_a_turned_person_lies_about_what_it_held(person):
    turned = after(transform_person(person, Motion(turn=90)))

    assert turned.box is not None
    assert (turned.box.width, turned.box.height) == pytest.approx((240, 140))


def test_turning_a_whole_round_in_steps_comes_back(person):
    made = person
    for _ in range(24):
        made = after(transform_person(made, Motion(turn=15)))

    for index, at in places(person).items():
        assert places(made)[index] == pytest.approx(at, abs=1e-6)


def test_a_group_that_is_pushed_against_the_edge_keeps_its_shape(person):
    assert within_photo(list(places(person).values()), -500, 30, (640, 480)) == (-100, 30)
    assert within_photo(list(places(person).values()), 20, 900, (640, 480)) == (20, 179)


def test_points_that_would_leave_the_photo_are_named(person):
    assert leaving_photo(person, {5, 7, 9}, Motion(scale=10), (640, 480)) == (5, 7, 9)
    assert leaving_photo(person, {5, 7, 9}, Motion(turn=20), (640, 480)) == ()


def test_several_points_get_a_state_or_are_cleared_in_one_edit(person):
    unsure = after(set_point_states(person, {5, 7}, KeypointState.UNSURE))
    cleared = after(clear_points(person, {5, 7}))

    assert [unsure.keypoints.points[i].state.value for i in (5, 7, 9)] == ["unsure", "unsure", "occluded"]
    assert unsure.keypoints.points[5].x == 100
    assert places(cleared) == {9: (200, 300)}
