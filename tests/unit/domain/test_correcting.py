"""Corrections as records and edits: ordered, undoable, apart from the 2D label."""

import math
from dataclasses import replace

import pytest

from limbstudio.domain.anatomy import LDPOSE_INDEX, Level, Limb, LimbState, Segment, intact_limbs
from limbstudio.domain.correcting import (
    all_corrections,
    clear_corrections,
    correct,
    corrections_of,
    counting,
    drop_operation,
    move_label_too,
    replace_operation,
)
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    ResetHere,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.domain.project import Project

PERSON = Person("p", "0" * 64, limbs={**intact_limbs(), Limb.LEFT_LEG: LimbState(Level.TRANSTIBIAL)})
STROKE = BrushStroke(Brush.PULL, (SurfacePoint(0.5, 0.0),), 0.1, 0.02)


def after(project: Project, *operations) -> Project:
    for operation in operations:
        now = corrections_of(project.records, PERSON, Limb.LEFT_LEG)
        project = project.applied(correct(now, operation))
    return project


def test_operations_are_kept_in_the_order_in_which_they_were_made():
    project = after(Project(), STROKE, EndAlongLimb(0.3), STROKE)

    (kept,) = all_corrections(project.records, "p")

    assert kept.limb is Limb.LEFT_LEG
    assert kept.operations == (STROKE, EndAlongLimb(0.3), STROKE)


def test_dragging_the_end_twice_is_one_operation_but_two_undos():
    project = after(Project(), EndAlongLimb(0.3))
    edit = correct(corrections_of(project.records, PERSON, Limb.LEFT_LEG), EndAlongLimb(0.35))

    project = project.applied(edit)

    assert corrections_of(project.records, PERSON, Limb.LEFT_LEG).operations == (EndAlongLimb(0.35),)
    back = project.applied(edit.inverse)
    assert corrections_of(back.records, PERSON, Limb.LEFT_LEG).operations == (EndAlongLimb(0.3),)


def test_another_level_has_corrections_of_its_own_and_the_old_ones_come_back_with_the_old_level():
    above = replace(PERSON, limbs={**PERSON.limbs, Limb.LEFT_LEG: LimbState(Level.TRANSFEMORAL)})
    project = after(Project(), STROKE)

    assert corrections_of(project.records, above, Limb.LEFT_LEG).operations == ()
    project = project.applied(
        correct(corrections_of(project.records, above, Limb.LEFT_LEG), EndAlongLimb(0.2))
    )

    kept = all_corrections(project.records, "p")
    assert [item.segment for item in kept] == [Segment.THIGH, Segment.SHANK]
    assert counting(kept, above)[Limb.LEFT_LEG].operations == (EndAlongLimb(0.2),)
    assert counting(kept, PERSON)[Limb.LEFT_LEG].operations == (STROKE,)
    assert corrections_of(project.records, PERSON, Limb.LEFT_LEG).operations == (STROKE,)


def test_corrections_of_no_known_segment_count_until_there_are_some_of_the_present_one():
    old = Corrections("p", PERSON.photo, Limb.LEFT_LEG, (STROKE,))
    new = Corrections("p", PERSON.photo, Limb.LEFT_LEG, (EndAlongLimb(0.3),), Segment.SHANK)

    assert counting((old,), PERSON) == {Limb.LEFT_LEG: old}
    assert counting((old, new), PERSON) == counting((new, old), PERSON) == {Limb.LEFT_LEG: new}
    assert corrections_of({old.key: old}, PERSON, Limb.LEFT_LEG) == old


def test_undoing_the_first_correction_leaves_no_record():
    edit = correct(corrections_of({}, PERSON, Limb.LEFT_LEG), STROKE)

    project = Project().applied(edit).applied(edit.inverse)

    assert dict(project.records) == {}
    assert edit.photo == PERSON.photo
    assert edit.label == "Pull of the left leg"


def test_one_operation_is_taken_out_or_replaced_and_all_are_cleared():
    project = after(Project(), STROKE, EndAlongLimb(0.3), TipShape(TipKind.CONICAL))
    now = corrections_of(project.records, PERSON, Limb.LEFT_LEG)

    dropped = project.applied(drop_operation(now, 1))
    replaced = project.applied(replace_operation(now, 2, TipShape(TipKind.BULBOUS, fold=0.5)))
    cleared = project.applied(clear_corrections(now))

    assert corrections_of(dropped.records, PERSON, Limb.LEFT_LEG).operations == (
        STROKE,
        TipShape(TipKind.CONICAL),
    )
    assert corrections_of(replaced.records, PERSON, Limb.LEFT_LEG).operations[2].fold == 0.5
    assert all_corrections(cleared.records, "p") == ()


def test_the_label_moves_only_by_an_edit_of_its_own():
    edit = move_label_too(PERSON, Limb.LEFT_LEG, x=12.0, y=30.5)

    (change,) = edit.changes
    assert change.key == ("person", "p")
    point = change.after.keypoints.points[LDPOSE_INDEX["below_left_knee_end"]]
    assert (point.x, point.y) == (12.0, 30.5)
    assert edit.label == "Move label of the left leg's end too"


def test_an_intact_limb_has_no_label_to_move():
    with pytest.raises(KnownError, match="no end point in the photo"):
        move_label_too(PERSON, Limb.RIGHT_ARM, x=1.0, y=1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EndAlongLimb(math.nan),
        lambda: EndAlongLimb(1.2),
        lambda: CutPlane(0.5, tilt_ap=math.radians(75)),
        lambda: SurfacePoint(0.5, math.inf),
        lambda: SurfacePoint(0.5, 0.0, 1.5),
        lambda: BrushStroke(Brush.PULL, (), 0.1, 0.1),
        lambda: BrushStroke(Brush.SMOOTH, (SurfacePoint(0.5, 0),), 0.1, -0.1),
        lambda: BrushStroke(Brush.PULL, (SurfacePoint(0.5, 0),), 0.0, 0.1),
        lambda: TipShape(TipKind.CONICAL, 2.0),
        lambda: ResetHere(SurfacePoint(0.5, 0), math.nan),
    ],
)
def test_numbers_out_of_range_are_no_operation(make):
    with pytest.raises(ValueError, match=r"must lie between|needs a path"):
        make()
