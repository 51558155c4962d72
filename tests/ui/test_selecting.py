"""Selecting several points and working on them together, with a real mouse and real keys."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState
from limbstudio.domain.geometry import Box
from limbstudio.ui.main_window import MainWindow

from .conftest import STANDING_INDEX
from .test_annotating import _move, at, click, drag, key, settle

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEG = frozenset(LDPOSE_INDEX[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))


@pytest.fixture
def placed(window: MainWindow, qtbot) -> MainWindow:
    """Return the window with a person all of whose points are placed, in free editing."""
    person = window.annotate_page.new_person()
    assert person is not None
    for index in range(17):
        person = edits.place_point(person, index, *STANDING_INDEX[index]).changes[0].after
    window.session.do(edits.change_person(window.session.person, person, "Place all"))
    key(window, Qt.Key.Key_S)
    settle(qtbot)
    return window


def where(window: MainWindow) -> dict[int, tuple[float, float]]:
    person = window.session.person
    assert person is not None
    points = enumerate(person.keypoints.points)
    return {i: (p.x, p.y) for i, p in points if p.x is not None and p.y is not None}


def test_a_drag_over_empty_photo_selects_what_lies_inside(placed):
    drag(placed, (300, 395), (390, 720))

    assert placed.annotate_page.view.selection == LEG
    assert placed.session.point in LEG


def test_shift_and_ctrl_clicks_add_points_and_take_them_back(placed):
    view = placed.annotate_page.view
    click(placed, *STANDING_INDEX[13])
    for modifier, index in ((CTRL, 15), (SHIFT, 11), (CTRL, 13)):
        QTest.mouseClick(view.viewport(), LEFT, modifier, at(placed, *STANDING_INDEX[index]))

    assert view.selection == {15, 11}
    click(placed, 560, 760)
    assert view.selection == frozenset()


def test_selected_points_are_moved_together_in_one_undo(placed, qtbot):
    before = where(placed)
    drag(placed, (300, 395), (390, 720))

    drag(placed, STANDING_INDEX[13], (STANDING_INDEX[13][0] + 40, STANDING_INDEX[13][1] + 10))
    settle(qtbot)

    moved = where(placed)
    for index in before:
        shift = (40, 10) if index in LEG else (0, 0)
        assert moved[index] == pytest.approx(
            (before[index][0] + shift[0], before[index][1] + shift[1]), abs=2
        )
    assert placed.annotate_page.view.selection == LEG
    key(placed, Qt.Key.Key_Z, CTRL)
    settle(qtbot)
    assert where(placed) == before


def test_arrows_digits_and_delete_act_on_all_that_is_selected(placed, qtbot):
    before = where(placed)
    drag(placed, (300, 395), (390, 720))

    for _ in range(3):
        key(placed, Qt.Key.Key_Up, SHIFT)
    key(placed, Qt.Key.Key_2)
    settle(qtbot)

    points = placed.session.person.keypoints.points
    assert all(points[i].state is KeypointState.OCCLUDED for i in LEG)
    assert where(placed)[13] == (before[13][0], before[13][1] - 30)
    key(placed, Qt.Key.Key_Delete)
    settle(qtbot)
    assert not LEG & set(where(placed))
    for _ in range(3):
        key(placed, Qt.Key.Key_Z, CTRL)
    assert where(placed) == before


def test_a_group_pushed_over_the_edge_keeps_its_shape(placed, qtbot):
    drag(placed, (300, 395), (390, 720))

    drag(placed, STANDING_INDEX[13], (STANDING_INDEX[13][0], 795))
    settle(qtbot)

    moved = where(placed)
    assert moved[15][1] == placed.session.photo.height - 1
    assert moved[15][1] - moved[13][1] == pytest.approx(150, abs=1)


def test_escape_gives_a_drag_up(placed, qtbot):
    before = where(placed)
    viewport = placed.annotate_page.view.viewport()
    start = at(placed, *STANDING_INDEX[13])
    QTest.mousePress(viewport, LEFT, pos=start)
    _move(viewport, start + QPoint(60, 0), Qt.KeyboardModifier.NoModifier)

    key(placed, Qt.Key.Key_Escape)
    QTest.mouseRelease(viewport, LEFT, pos=start + QPoint(60, 0))
    settle(qtbot)

    assert where(placed) == before


def test_the_box_handle_moves_the_person_and_the_others_change_the_box(placed, qtbot):
    placed.session.do(edits.set_box(placed.session.person, Box(150, 80, 300, 650)))
    settle(qtbot)
    view = placed.annotate_page.view
    before, handles = where(placed), view._box_item.handles

    drag(placed, handles["move"], (handles["move"][0] + 30, handles["move"][1] + 20))
    settle(qtbot)
    moved = placed.session.person.box
    drag(placed, view._box_item.handles["e"], (540, 300))
    settle(qtbot)

    assert where(placed)[0] == pytest.approx((before[0][0] + 30, before[0][1] + 20), abs=2)
    assert (moved.x, moved.y, moved.width) == pytest.approx((180, 100, 300), abs=2)
    box = placed.session.person.box
    assert (box.x, box.x + box.width) == pytest.approx((moved.x, 540), abs=2)
    key(placed, Qt.Key.Key_Z, CTRL)
    key(placed, Qt.Key.Key_Z, CTRL)
    assert where(placed) == before
