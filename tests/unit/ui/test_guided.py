"""The guide is a pure state machine: the table of the design, row by row."""

from dataclasses import replace

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.edits import Edit
from limbstudio.domain.photo import Person
from limbstudio.ui import guided
from limbstudio.ui.guided import Phase


def _after(edit: Edit) -> Person:
    return edit.changes[0].after


def _person_with(level: Level, limb: Limb = Limb.RIGHT_LEG) -> Person:
    return _after(edits.set_limb_level(Person("1", "photo"), limb, level))


def test_a_new_person_begins_with_the_limbs():
    guide = guided.start(Person("1", "photo"))

    assert guide.phase is Phase.LIMBS
    assert guide.next_point is None


def test_all_intact_asks_for_seventeen_points_from_the_nose():
    person = Person("1", "photo")

    guide = guided.limbs_settled(guided.start(person), person)

    assert guide.next_point == LDPOSE_INDEX["nose"]
    assert len(guide.order) == 17


def test_one_residual_limb_asks_for_its_end_first_and_never_for_what_cannot_exist():
    person = _person_with(Level.TRANSTIBIAL)

    guide = guided.limbs_settled(guided.start(person), person)

    assert guide.next_point == LDPOSE_INDEX["below_right_knee_end"]
    assert LDPOSE_INDEX["right_ankle"] not in guide.order
    assert len(guide.order) == 17


def test_placing_asks_for_the_next():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)

    person = _after(edits.place_point(person, 0, 10, 10))
    guide = guided.placed(guide, person)

    assert guide.next_point == LDPOSE_INDEX["left_eye"]


def test_a_state_that_takes_a_place_waits_for_the_click_and_counts_once():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)

    guide = guided.arm(guide, KeypointState.OCCLUDED)
    assert guide.next_point == 0
    person = _after(edits.place_point(person, 0, 10, 10, guide.armed))
    guide = guided.placed(guide, person)

    assert guide.armed is KeypointState.VISIBLE
    assert person.keypoints.states[0] is KeypointState.OCCLUDED


def test_skipping_leaves_the_point_and_does_not_ask_again_until_the_guide_is_resumed():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)

    guide = guided.skip(guide, person)
    for index in guide.order[1:]:
        person = _after(edits.place_point(person, index, 5, 5))
        guide = guided.placed(guide, person)

    assert guide.phase is Phase.CHECK
    assert guided.resume(guide, person).next_point == 0


def test_step_back_names_the_point_to_be_undone():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)
    person = _after(edits.place_point(person, 0, 10, 10))
    guide = guided.placed(guide, person)

    guide, undone = guided.step_back(guide)

    assert undone == 0
    assert guide.next_point == 0


def test_step_back_at_the_beginning_does_nothing():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)

    back, undone = guided.step_back(guide)

    assert undone is None
    assert back == guide


def test_a_changed_limb_asks_for_the_first_open_point_of_the_new_order():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)
    person = _after(edits.place_point(person, 0, 10, 10))
    guide = guided.placed(guide, person)

    person = _after(edits.set_limb_level(person, Limb.LEFT_ARM, Level.TRANSRADIAL))
    guide = guided.limb_state_changed(guide, person)

    assert guide.next_point == LDPOSE_INDEX["below_left_elbow_end"]


def test_after_undo_the_undone_point_is_asked_for_again():
    person = Person("1", "photo")
    guide = guided.limbs_settled(guided.start(person), person)
    placed = _after(edits.place_point(person, 0, 10, 10))
    guide = guided.placed(guide, placed)

    guide = guided.synced(guide, person, undone=True)

    assert guide.next_point == 0


def test_progress_counts_only_points_that_can_exist():
    person = _person_with(Level.TRANSFEMORAL)

    done, total = guided.progress(person)

    assert (done, total) == (0, 16)


def test_the_guess_mirrors_the_other_side():
    person = Person("1", "photo")
    for name, xy in {
        "left_hip": (60, 100),
        "right_hip": (40, 100),
        "left_knee": (62, 150),
        "right_knee": (38, 150),
        "right_ankle": (37, 200),
    }.items():
        person = _after(edits.place_point(person, LDPOSE_INDEX[name], *xy))

    guess = guided.predicted_position(person, LDPOSE_INDEX["left_ankle"])

    assert guess == (63, 200)
    assert guided.predicted_position(replace(person), 0) is None


def test_every_keypoint_has_a_definition():
    assert all(guided.definition_of(i).endswith(".") for i in range(25))
