"""People merged, points exchanged, people copied, and what is said of a limb and a point."""

from dataclasses import replace

import pytest

from limbstudio.domain import people_edits
from limbstudio.domain.anatomy import Cause, Device, KeypointState, Level, Limb, LimbState, intact_limbs
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.notes import PointNote, write_note
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project


def person(identity: str, **places: tuple[float, float]) -> Person:
    keypoints = Keypoints()
    for name, (x, y) in places.items():
        keypoints = keypoints.replaced(int(name[1:]), Point(KeypointState.VISIBLE, x, y))
    return Person(identity, "photo", keypoints)


def test_merged_halves_fill_each_other_and_the_first_counts():
    upper = replace(person("a", p0=(1, 1), p5=(2, 2)), box=Box(0, 0, 10, 10))
    limbs = {**intact_limbs(), Limb.LEFT_LEG: LimbState(Level.TRANSTIBIAL)}
    lower = replace(person("b", p0=(9, 9), p13=(3, 30)), box=Box(5, 8, 10, 30), limbs=limbs)

    edit = people_edits.merge_people(upper, lower)

    merged = edit.changes[0].after
    assert [merged.keypoints.points[i].x for i in (0, 5, 13)] == [1, 2, 3]
    assert merged.limbs[Limb.LEFT_LEG].level is Level.TRANSTIBIAL
    assert merged.box == Box(0, 0, 15, 38)
    assert edit.changes[1].after is None


def test_merging_is_undone_by_its_inverse():
    a, b = person("a", p0=(1, 1)), person("b", p1=(2, 2))
    project = Project("x").applied(people_edits.paste_person(a)).applied(people_edits.paste_person(b))
    edit = people_edits.merge_people(a, b)

    back = project.applied(edit).applied(edit.inverse)

    assert dict(back.records) == dict(project.records)


def test_points_are_exchanged_between_two_people():
    a, b = person("a", p7=(1, 1)), person("b", p7=(5, 5), p9=(6, 6))

    first, second = (c.after for c in people_edits.reassign_points(a, b, [7, 9]).changes)

    assert (first.keypoints.points[7].x, first.keypoints.points[9].x) == (5, 6)
    assert second.keypoints.points[7].x == 1
    assert second.keypoints.points[9].state is KeypointState.UNLABELLED


@pytest.mark.parametrize(
    "edit", [people_edits.merge_people, lambda a, b: people_edits.reassign_points(a, b, [0])]
)
def test_one_person_is_no_two(edit):
    with pytest.raises(ValueError, match="people"):
        edit(person("a"), person("a"))


def test_a_copy_lies_in_the_same_part_of_a_photo_of_another_size():
    corner = person("a", p0=(-0.5, -0.5), p1=(99.5, 49.5))
    source, target = Photo("photo", 100, 50, "a.jpg"), Photo("other", 200, 200, "b.jpg")

    copy = people_edits.copied_person(corner, source, target, "new")

    assert (copy.photo, copy.id) == ("other", "new")
    assert (copy.keypoints.points[0].x, copy.keypoints.points[1].x, copy.keypoints.points[1].y) == (
        -0.5, 199.5, 199.5
    )  # fmt: skip


def test_the_record_of_a_limb_is_changed_field_by_field():
    one = person("a")
    limb = Limb.RIGHT_ARM

    cause = people_edits.set_cause(one, limb, Cause.CONGENITAL).changes[0].after
    device = people_edits.set_device(cause, limb, Device.BESIDE).changes[0].after
    sure = people_edits.set_certainty(device, limb, False)

    state = sure.changes[0].after.limbs[limb]
    assert (state.cause, state.device, state.certain) == (Cause.CONGENITAL, Device.BESIDE, False)
    assert sure.label == "Right arm: not sure"


def test_a_confidence_lies_between_0_and_1():
    assert (
        people_edits.set_confidence(person("a"), 3, 0.5).changes[0].after.keypoints.points[3].confidence
        == 0.5
    )
    with pytest.raises(ValueError, match="between 0 and 1"):
        people_edits.set_confidence(person("a"), 3, 1.5)


def test_an_empty_note_takes_the_note_away():
    note = PointNote("a", "photo", 3, "hidden by the chair")

    assert write_note(None, note).changes[0].after == note
    assert write_note(note, replace(note, text=" ")).changes[0].after is None
