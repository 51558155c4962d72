"""Selecting several points and working on them together, with a real mouse and real keys."""

# ruff: noqa: F811 (fixtures are imported)
import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState
from limbstudio.domain.geometry import Box
from limbstudio.ui.canvas.selecting import Selecting
from limbstudio.ui.main_window import MainWindow

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import _move, at, click, drag, key, settle

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEG = frozenset(LDPOSE_INDEX[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))


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


def test_ctrl_a_selects_all_and_keys_turn_scale_and_mirror_it(placed, qtbot):
    before = where(placed)
    key(placed, Qt.Key.Key_A, CTRL)
    assert placed.annotate_page.view.selection == frozenset(range(17))

    for _ in range(3):
        key(placed, Qt.Key.Key_PageDown, CTRL)
    turned = where(placed)
    key(placed, Qt.Key.Key_Z, CTRL)
    assert where(placed) == before  # three presses are one undo
    key(placed, Qt.Key.Key_M, CTRL)
    mirrored = where(placed)

    legs = [(places[15][0] - places[11][0], places[15][1] - places[11][1]) for places in (before, turned)]
    cos, sin = math.cos(math.radians(15)), math.sin(math.radians(15))
    assert legs[1] == pytest.approx(
        (legs[0][0] * cos - legs[0][1] * sin, legs[0][0] * sin + legs[0][1] * cos)
    )
    assert mirrored[5][0] == pytest.approx(before[6][0])
    assert mirrored[5][1] == before[5][1]


def test_numbers_typed_into_the_card_move_the_whole_person_in_one_undo(placed, qtbot):
    before = where(placed)
    key(placed, Qt.Key.Key_T, CTRL)
    card = next(f for f in placed.features if isinstance(f, Selecting)).reshape
    assert card.isVisible()

    card.across.setFocus()
    card.across.selectAll()
    QTest.keyClicks(card.across, "-20")
    QTest.keyClick(card.across, Qt.Key.Key_Return)
    settle(qtbot)

    assert {i: (x + 20, y) for i, (x, y) in where(placed).items()} == before
    assert card.across.value() == 0
    QTest.keyClick(card.across, Qt.Key.Key_Escape)
    assert not card.isVisible()
    assert placed.annotate_page.view.hasFocus()
    key(placed, Qt.Key.Key_Z, CTRL)
    assert where(placed) == before


def test_a_motion_that_leaves_the_photo_is_refused_and_said(placed, qtbot):
    before = where(placed)
    key(placed, Qt.Key.Key_A, CTRL)

    for _ in range(6):
        key(placed, Qt.Key.Key_PageUp, CTRL | SHIFT)
    settle(qtbot)

    places = where(placed).values()
    assert all(0 <= x <= 599 and 0 <= y <= 799 for x, y in places)
    assert "would leave the photo" in placed.message_bar.text
    assert where(placed) != before


def test_a_point_is_picked_by_the_letters_of_its_name(placed, qtbot):
    key(placed, Qt.Key.Key_F3)
    picker = next(f for f in placed.features if isinstance(f, Selecting)).picker
    assert picker.field.hasFocus()

    QTest.keyClicks(picker.field, "ra")
    assert placed.annotate_page.view.hovered == LDPOSE_INDEX["right_ankle"]
    QTest.keyClick(picker.field, Qt.Key.Key_Return)

    assert placed.session.point == LDPOSE_INDEX["right_ankle"]
    assert placed.annotate_page.view.selection == {LDPOSE_INDEX["right_ankle"]}
    assert not picker.isVisible()
    assert placed.annotate_page.view.hasFocus()


def test_the_ring_opens_by_key_and_takes_a_digit_or_arrows(placed, qtbot):
    ring = next(f for f in placed.features if isinstance(f, Selecting)).ring
    click(placed, *STANDING_INDEX[13])

    key(placed, Qt.Key.Key_S, SHIFT)
    assert ring.hasFocus()
    QTest.keyClick(ring, Qt.Key.Key_7)
    settle(qtbot)
    assert placed.session.person.keypoints.points[13].state is KeypointState.UNSURE

    key(placed, Qt.Key.Key_S, SHIFT)
    for _ in range(3):
        QTest.keyClick(ring, Qt.Key.Key_Right)  # from unsure over more and visible to occluded
    QTest.keyClick(ring, Qt.Key.Key_Return)
    settle(qtbot)
    assert placed.session.person.keypoints.points[13].state is KeypointState.OCCLUDED
    assert placed.annotate_page.view.hasFocus()


def test_a_right_click_or_a_long_press_opens_the_ring_at_the_point(placed, qtbot):
    ring = next(f for f in placed.features if isinstance(f, Selecting)).ring
    viewport = placed.annotate_page.view.viewport()
    place = at(placed, *STANDING_INDEX[13])

    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, viewport.mapToGlobal(place))
    QApplication.sendEvent(viewport, event)
    assert ring.isVisible()
    assert placed.session.point == 13
    QTest.keyClick(ring, Qt.Key.Key_Escape)
    assert not ring.isVisible()

    QTest.mousePress(viewport, LEFT, pos=at(placed, *STANDING_INDEX[14]))
    qtbot.waitUntil(ring.isVisible, timeout=2000)
    slot = ring._slots[1].geometry().center()
    QTest.mouseMove(ring, slot)
    QTest.mouseRelease(ring, LEFT, pos=slot)
    settle(qtbot)
    assert placed.session.person.keypoints.points[14].state is KeypointState.OCCLUDED
    assert not ring.isVisible()
