"""Placing and editing points with a real mouse and real keys in the real window."""

from collections.abc import Mapping

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.review import ReviewState
from limbstudio.ui.guided import Phase
from limbstudio.ui.main_window import MainWindow

from .conftest import STANDING_INDEX

LEFT = Qt.MouseButton.LeftButton


def at(window: MainWindow, x: float, y: float) -> QPoint:
    return window.annotate_page.view.on_screen(x, y).toPoint()


def click(window: MainWindow, x: float, y: float) -> None:
    QTest.mouseClick(window.annotate_page.view.viewport(), LEFT, pos=at(window, x, y))


def drag(window: MainWindow, start: tuple[float, float], end: tuple[float, float], modifier=None) -> None:
    viewport = window.annotate_page.view.viewport()
    keys = modifier or Qt.KeyboardModifier.NoModifier
    a, b = at(window, *start), at(window, *end)
    QTest.mousePress(viewport, LEFT, keys, a)
    for n in range(1, 6):
        step = a + (b - a) * n / 5
        # QTest.mouseMove carries no buttons on some platforms: send what a drag sends.
        _move(viewport, step, keys)
    QTest.mouseRelease(viewport, LEFT, keys, b)


def _move(viewport, position: QPoint, modifiers) -> None:
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    where = QPointF(position)
    event = QMouseEvent(QEvent.Type.MouseMove, where, viewport.mapToGlobal(where), LEFT, LEFT, modifiers)
    QApplication.sendEvent(viewport, event)


def key(window: MainWindow, code: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.annotate_page.view, code, modifier)


def begin(window: MainWindow, qtbot, level: Level | None = None) -> None:
    """Make a person and answer the question about limbs."""
    key(window, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.session.person is not None)
    if level is None:
        key(window, Qt.Key.Key_Return)
    else:
        choice = window.person_panel.levels[Limb.RIGHT_LEG]
        choice.setCurrentIndex(choice.findData(level))
        choice.activated.emit(choice.currentIndex())
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.PLACE)


def place_all(window: MainWindow, qtbot, places: Mapping[int, tuple[float, float]] = STANDING_INDEX) -> None:
    page = window.annotate_page
    for _ in range(30):
        asked = page.guide.next_point
        if asked is None:
            break
        click(window, *places[asked])
        qtbot.waitUntil(lambda a=asked: page.guide.next_point != a)
    settle(qtbot)


def settle(qtbot) -> None:
    """Let what was queued for the GUI thread arrive."""
    qtbot.wait(30)


def point(window: MainWindow, name: str):
    person = window.session.person
    assert person is not None
    return person.keypoints.points[LDPOSE_INDEX[name]]


def test_the_first_click_makes_a_person_and_asks_for_limb_differences(window, qtbot):
    click(window, 300, 120)

    qtbot.waitUntil(lambda: window.session.person is not None)
    assert window.annotate_page.guide.phase is Phase.LIMBS


def test_seventeen_clicks_place_a_person_with_intact_limbs(window, qtbot):
    begin(window, qtbot)

    place_all(window, qtbot)

    person = window.session.person
    assert [p.state for p in person.keypoints.points[:17]] == [KeypointState.VISIBLE] * 17
    for index in range(17):
        assert person.keypoints.points[index].x == pytest.approx(STANDING_INDEX[index][0], abs=1.5)
        assert person.keypoints.points[index].y == pytest.approx(STANDING_INDEX[index][1], abs=1.5)
    assert window.annotate_page.guide.phase is Phase.CHECK


def test_a_level_from_the_panel_asks_for_the_end_first_and_excludes_the_ankle(window, qtbot):
    begin(window, qtbot, Level.TRANSTIBIAL)

    assert window.annotate_page.guide.next_point == LDPOSE_INDEX["below_right_knee_end"]
    place_all(window, qtbot)

    assert point(window, "below_right_knee_end").state is KeypointState.VISIBLE
    assert point(window, "right_ankle").state is KeypointState.ABSENT


def test_state_keys_follow_the_table(window, qtbot):
    begin(window, qtbot)
    page = window.annotate_page

    key(window, Qt.Key.Key_2)
    click(window, *STANDING_INDEX[0])
    qtbot.waitUntil(lambda: page.guide.next_point == 1)
    key(window, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: page.guide.next_point == 2)
    key(window, Qt.Key.Key_7)
    click(window, *STANDING_INDEX[2])
    qtbot.waitUntil(lambda: page.guide.next_point == 3)
    settle(qtbot)

    states = window.session.person.keypoints.states
    assert states[:3] == (KeypointState.OCCLUDED, KeypointState.OUT_OF_FRAME, KeypointState.UNSURE)


def test_space_skips_and_w_steps_back(window, qtbot):
    begin(window, qtbot)
    page = window.annotate_page

    key(window, Qt.Key.Key_Space)
    assert page.guide.next_point == 1
    click(window, *STANDING_INDEX[1])
    qtbot.waitUntil(lambda: page.guide.next_point == 2)
    key(window, Qt.Key.Key_W)
    settle(qtbot)

    assert page.guide.next_point == 1
    assert point(window, "left_eye").state is KeypointState.UNLABELLED


def test_enter_places_at_the_crosshair_and_arrows_move_it(window, qtbot):
    begin(window, qtbot)
    page = window.annotate_page

    key(window, Qt.Key.Key_Right)
    start = page.view._crosshair_item.pos()
    key(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    key(window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.guide.next_point == 1)

    assert point(window, "nose").x == pytest.approx(start.x())
    assert point(window, "nose").y == pytest.approx(start.y() + 10)


def test_a_drag_is_one_undo_written_at_release(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)
    entries = []
    window.session.people_changed.connect(entries.append)

    drag(window, STANDING_INDEX[13], (370, 560))
    settle(qtbot)

    assert len(entries) == 1
    assert (point(window, "left_knee").x, point(window, "left_knee").y) == pytest.approx((370, 560), abs=2)
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot)
    assert point(window, "left_knee").x == pytest.approx(STANDING_INDEX[13][0], abs=2)
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    settle(qtbot)
    assert point(window, "left_knee").x == pytest.approx(370, abs=2)


def test_shift_locks_a_drag_to_one_axis(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)

    drag(window, STANDING_INDEX[13], (400, 552), Qt.KeyboardModifier.ShiftModifier)
    settle(qtbot)

    assert point(window, "left_knee").x == pytest.approx(400, abs=2)
    assert point(window, "left_knee").y == pytest.approx(STANDING_INDEX[13][1], abs=1.5)


def test_ctrl_drags_a_joint_with_all_that_is_distal_to_it_in_one_undo(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)
    ankle = STANDING_INDEX[LDPOSE_INDEX["left_ankle"]]

    drag(window, STANDING_INDEX[13], (370, 560), Qt.KeyboardModifier.ControlModifier)
    settle(qtbot)

    assert point(window, "left_knee").x == pytest.approx(370, abs=2)
    assert point(window, "left_ankle").x == pytest.approx(ankle[0] + 30, abs=2)
    assert point(window, "left_ankle").y == pytest.approx(ankle[1] + 20, abs=2)
    assert point(window, "left_hip").x == pytest.approx(STANDING_INDEX[11][0], abs=2)
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot)
    assert point(window, "left_ankle").x == pytest.approx(ankle[0], abs=2)
    assert point(window, "left_knee").x == pytest.approx(STANDING_INDEX[13][0], abs=2)


def test_a_box_drawn_where_nobody_is_makes_a_person(window, qtbot):
    drag(window, (400, 700), (180, 60))
    settle(qtbot)

    box = window.session.person.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((180, 60, 220, 640), abs=3)
    assert window.annotate_page.guide.phase is Phase.LIMBS


def test_the_box_of_a_person_is_drawn_anew_and_stays_in_the_photo(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    people = len(window.session.people)

    window.actions_table["draw_box"].trigger()
    drag(window, (200, 100), (500, 2000))
    settle(qtbot)

    box = window.session.person.box
    assert len(window.session.people) == people
    assert box.y + box.height == pytest.approx(window.session.photo.height, abs=1)
    assert not window.actions_table["draw_box"].isChecked()
    drag(window, (550, 100), (580, 200))  # the next drag draws nothing
    assert window.session.person.box == box


def test_an_absent_joint_proposes_the_level_and_one_click_sets_it(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    window.session.select_point(LDPOSE_INDEX["right_knee"])
    key(window, Qt.Key.Key_S)
    window.session.select_point(LDPOSE_INDEX["right_knee"])
    key(window, Qt.Key.Key_4)
    settle(qtbot)
    assert window.session.person.limbs[Limb.RIGHT_LEG].level is Level.INTACT

    buttons = [b for b in window.person_panel.findChildren(QPushButton) if b.text() == "Set it"]
    buttons[-1].click()
    settle(qtbot)

    assert window.session.person.limbs[Limb.RIGHT_LEG].level is Level.TRANSFEMORAL
    assert point(window, "right_ankle").state is KeypointState.ABSENT
    assert edits.proposed_levels(window.session.person) == ()


def test_undo_of_a_placed_point_asks_for_it_again(window, qtbot):
    begin(window, qtbot)
    click(window, *STANDING_INDEX[0])
    qtbot.waitUntil(lambda: window.annotate_page.guide.next_point == 1)
    settle(qtbot)

    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot)

    assert window.annotate_page.guide.next_point == 0


def test_a_click_selects_and_a_digit_sets_the_state(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)

    click(window, *STANDING_INDEX[13])
    assert window.session.point == 13
    key(window, Qt.Key.Key_2)
    settle(qtbot)

    assert point(window, "left_knee").state is KeypointState.OCCLUDED
    assert window.person_panel._rows[13].text(1) == "Occluded"


def test_arrows_move_the_selected_point_and_many_steps_are_one_undo(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)
    click(window, *STANDING_INDEX[13])
    before = point(window, "left_knee").x

    for _ in range(3):
        key(window, Qt.Key.Key_Right)
        settle(qtbot)

    assert point(window, "left_knee").x == pytest.approx(before + 3)
    key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot)
    assert point(window, "left_knee").x == pytest.approx(before)


def test_x_swaps_the_limb_and_shift_x_the_body(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    key(window, Qt.Key.Key_S)
    click(window, *STANDING_INDEX[13])

    key(window, Qt.Key.Key_X)
    settle(qtbot)
    assert point(window, "left_knee").x == pytest.approx(STANDING_INDEX[14][0], abs=2)
    assert point(window, "left_wrist").x == pytest.approx(STANDING_INDEX[9][0], abs=2)

    key(window, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    settle(qtbot)
    assert point(window, "left_knee").x == pytest.approx(STANDING_INDEX[13][0], abs=2)
    assert point(window, "left_wrist").x == pytest.approx(STANDING_INDEX[10][0], abs=2)


def test_a_contradiction_is_found_and_mended(window, qtbot):
    begin(window, qtbot, Level.TRANSTIBIAL)
    place_all(window, qtbot)
    person = window.session.person
    window.session.do(edits.set_point_state(person, LDPOSE_INDEX["right_ankle"], KeypointState.VISIBLE))
    settle(qtbot)
    assert window.person_panel._findings_count.text() == "1"

    key(window, Qt.Key.Key_R)
    assert "cannot exist" in window.message_bar.text
    window.actions_table["mend"].trigger()
    settle(qtbot)

    assert point(window, "right_ankle").state is KeypointState.ABSENT
    assert window.person_panel._findings_count.text() == "Nothing to mend"


def test_r_marks_ready_and_the_list_says_so(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)

    key(window, Qt.Key.Key_R)
    settle(qtbot)

    assert window.session.review_of(window.session.person) is ReviewState.READY
    assert window.photos_panel.model.state(window.session.photo)[2] == "Ready"


def test_a_person_without_points_or_with_an_unsure_one_does_not_become_ready(window, qtbot):
    begin(window, qtbot)
    key(window, Qt.Key.Key_R)
    settle(qtbot)
    assert window.session.review_of(window.session.person) is ReviewState.NEW
    assert "No point" in window.message_bar.text

    place_all(window, qtbot)
    window.session.do(edits.set_point_state(window.session.person, 9, KeypointState.UNSURE))
    key(window, Qt.Key.Key_R)
    settle(qtbot)

    assert window.session.review_of(window.session.person) is ReviewState.IN_WORK
    assert "Left wrist is unsure" in window.message_bar.text
    assert window.session.point == 9


def test_letters_still_act_after_a_level_was_chosen_in_the_panel(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    choice = window.person_panel.levels[Limb.RIGHT_LEG]
    choice.setFocus()

    QTest.keyClick(choice, Qt.Key.Key_R)
    settle(qtbot)

    assert window.session.review_of(window.session.person) is ReviewState.READY


def test_a_hidden_position_comes_back_with_the_level(window, qtbot):
    begin(window, qtbot)
    place_all(window, qtbot)
    choice = window.person_panel.levels[Limb.RIGHT_LEG]

    for level in (Level.TRANSTIBIAL, Level.INTACT):
        choice.setCurrentIndex(choice.findData(level))
        choice.activated.emit(choice.currentIndex())
        settle(qtbot)

    assert point(window, "right_ankle").state is KeypointState.VISIBLE
    assert point(window, "right_ankle").x == pytest.approx(STANDING_INDEX[16][0], abs=2)


def test_a_click_on_the_diagram_offers_the_levels_of_that_limb(window, qtbot):
    begin(window, qtbot)
    diagram = window.person_panel.diagram
    chosen = []
    diagram.limb_chosen.connect(chosen.append)

    QTest.mouseClick(diagram, LEFT, pos=QPoint(54, 150))

    assert chosen == [Limb.RIGHT_LEG]
    from PySide6.QtWidgets import QApplication, QMenu

    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    names = [a.text() for a in menu.actions()]
    assert "Transtibial (below the knee)" in names
    assert not any("Transradial" in name for name in names)
    next(a for a in menu.actions() if a.text().startswith("Transfemoral")).trigger()
    menu.close()
    settle(qtbot)
    assert window.session.person.limbs[Limb.RIGHT_LEG].level is Level.TRANSFEMORAL


def test_d_and_a_go_through_the_photos(window, qtbot):
    first = window.session.photo

    key(window, Qt.Key.Key_D)
    assert window.session.photo != first
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    key(window, Qt.Key.Key_A)

    assert window.session.photo == first


def test_the_wheel_zooms_at_the_pointer_and_a_double_click_fits(window, qtbot):
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    view = window.annotate_page.view
    window.annotate_page.guiding.leave_guide()
    fitted = view.zoom
    place = QPointF(at(window, 150, 150))
    event = QWheelEvent(
        place,
        view.viewport().mapToGlobal(place),
        QPoint(0, 0),
        QPoint(0, 360),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )

    QApplication.sendEvent(view.viewport(), event)

    assert view.zoom == pytest.approx(fitted * 1.2**3)
    assert view.on_photo(place).x() == pytest.approx(150, abs=1.5)
    assert view.on_photo(place).y() == pytest.approx(150, abs=1.5)
    QTest.mouseDClick(view.viewport(), LEFT, pos=at(window, 150, 150))
    assert view.zoom == pytest.approx(fitted)


def test_holding_space_pans_and_does_not_skip(window, qtbot):
    begin(window, qtbot)
    view = window.annotate_page.view
    view.zoom_by(3.0)
    before = view.on_screen(300, 400)

    QTest.keyPress(view, Qt.Key.Key_Space)
    start = view.viewport().rect().center()
    QTest.mousePress(view.viewport(), LEFT, pos=start)
    _move(view.viewport(), start + QPoint(40, 30), Qt.KeyboardModifier.NoModifier)
    QTest.mouseRelease(view.viewport(), LEFT, pos=start + QPoint(40, 30))
    QTest.keyRelease(view, Qt.Key.Key_Space)

    moved = view.on_screen(300, 400) - before
    assert (moved.x(), moved.y()) == pytest.approx((40, 30), abs=1)
    assert window.annotate_page.guide.next_point == 0


def test_letters_typed_into_the_search_field_move_no_photo(window, qtbot):
    first = window.session.photo
    field = window.photos_panel._search
    field.setFocus()
    QTest.keyClicks(field, "d")

    assert field.text() == "d"
    assert window.session.photo == first
