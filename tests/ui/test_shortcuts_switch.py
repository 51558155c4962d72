"""One or two keys, and a pointer that rests: everything by stepping and taking, in the real window."""

# ruff: noqa: F811 (fixtures are imported)

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.review import ReviewState
from limbstudio.ui.canvas.selecting import Selecting
from limbstudio.ui.guided import Phase
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.shortcuts import stored
from limbstudio.ui.shortcuts.scan_card import SwitchSettings
from limbstudio.ui.shortcuts.switches import Switches

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import at
from .test_shortcuts import shortcuts_of

STEP, TAKE = Qt.Key.Key_Space, Qt.Key.Key_Return


@pytest.fixture
def switches(placed, qtbot):
    """Return the feature with the profile of a switch in force, on a photo without people."""
    feature = next(f for f in placed.features if isinstance(f, Switches))
    shortcuts = shortcuts_of(placed)
    for person in placed.session.people:
        placed.session.do(edits.delete_person(person))
    placed.annotate_page.guiding.start_guide()
    shortcuts.use_profile("switch")
    qtbot.waitUntil(feature.card.isVisible)
    qtbot.waitUntil(lambda: bool(feature.scan.choices))
    yield feature
    feature.pace_s = 0.0
    feature.dwell.set_on(False)
    feature._end_aim()
    shortcuts.own = stored.OwnKeys()
    shortcuts.apply()


def press(window: MainWindow, code: Qt.Key) -> None:
    """Press one of the two keys, wherever the focus is."""
    QTest.keyClick(QApplication.focusWidget() or window, code)
    QTest.qWait(10)


def take(window: MainWindow, switches: Switches, choice: str) -> int:
    """Step to a choice and take it; return how many presses that took."""
    steps = 0
    while switches.scan.chosen != choice:
        press(window, STEP)
        steps += 1
        assert steps < 20, (choice, switches.scan)
    press(window, TAKE)
    return steps + 1


def aim(window: MainWindow, switches: Switches, x: float, y: float) -> None:
    """Let the line be at a place, twice, and take it: as a person waits for it."""
    take(window, switches, "aim")
    view = window.annotate_page.view
    size, there = view.viewport().size(), view.on_screen(x, y)
    from dataclasses import replace

    switches._aiming.stop()
    switches.aim = replace(switches.aim, position=there.x() / size.width())
    press(window, TAKE)
    switches._aiming.stop()
    switches.aim = replace(switches.aim, position=there.y() / size.height())
    press(window, TAKE)


def test_two_keys_make_a_person_place_a_point_and_mark_ready(placed, switches, qtbot):
    take(placed, switches, "new_person")
    qtbot.waitUntil(lambda: placed.annotate_page.guide.phase is Phase.LIMBS)
    qtbot.waitUntil(lambda: switches.scan.chosen == "skip")
    take(placed, switches, "skip")
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 0)
    qtbot.waitUntil(lambda: "aim" in switches.scan.choices)

    aim(placed, switches, *STANDING_INDEX[0])
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 1)
    nose = placed.session.person.keypoints.points[0]
    assert (nose.x, nose.y) == pytest.approx(STANDING_INDEX[0], abs=1)

    take(placed, switches, "select")
    qtbot.waitUntil(lambda: "mark_ready" in switches.scan.choices)
    take(placed, switches, "mark_ready")
    assert placed.session.review_of(placed.session.person) is ReviewState.READY


def test_a_level_is_set_through_two_menus(placed, switches, qtbot):
    take(placed, switches, "new_person")
    qtbot.waitUntil(lambda: "limb_levels" in switches.scan.choices)
    take(placed, switches, "limb_levels")
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    press(placed, TAKE)  # the right leg is the first
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    for _ in range(20):
        if menu.activeAction() is not None and menu.activeAction().text().startswith("Transtibial"):
            break
        press(placed, STEP)
    press(placed, TAKE)

    qtbot.waitUntil(lambda: placed.session.person.limbs[Limb.RIGHT_LEG].level is Level.TRANSTIBIAL)
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == LDPOSE_INDEX["below_right_knee_end"])


def test_the_ring_of_states_is_walked(placed, switches, qtbot):
    take(placed, switches, "new_person")
    qtbot.waitUntil(lambda: "skip" in switches.scan.choices)
    take(placed, switches, "skip")
    qtbot.waitUntil(lambda: "state_ring" in switches.scan.choices)
    take(placed, switches, "state_ring")
    ring = next(f for f in placed.features if isinstance(f, Selecting)).ring
    qtbot.waitUntil(ring.isVisible)
    for _ in range(len(KeypointState)):
        if "Out of frame" in ring.accessibleDescription():
            break
        press(placed, STEP)
    press(placed, TAKE)

    qtbot.waitUntil(lambda: placed.session.person.keypoints.points[0].state is KeypointState.OUT_OF_FRAME)


def test_a_menu_closes_past_its_end(placed, switches, qtbot):
    take(placed, switches, "number_menu")
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    for _ in range(12):
        if QApplication.activePopupWidget() is None:
            break
        press(placed, STEP)
    assert QApplication.activePopupWidget() is None


def test_buttons_of_a_dialog_are_walked_and_pressed(placed, switches, qtbot):
    placed.actions_table["edit_shortcuts"].trigger()
    dialog = shortcuts_of(placed).dialog
    qtbot.waitUntil(dialog.isActiveWindow)
    close = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Close")
    for _ in range(20):
        if close.hasFocus():
            break
        press(dialog, STEP)
    assert close.hasFocus()
    press(dialog, TAKE)
    qtbot.waitUntil(lambda: not QApplication.activeWindow() or QApplication.activeWindow() is placed)


def test_one_key_is_enough_when_choices_follow_by_themselves(placed, switches, qtbot):
    switches._apply(0.1, 6.0, 1.0, False)
    first = switches.scan.chosen
    qtbot.waitUntil(lambda: switches.scan.chosen != first)
    # After three rounds without a choice it waits; the first press begins anew and takes nothing.
    qtbot.waitUntil(lambda: not switches._pace.isActive(), timeout=8000)
    press(placed, TAKE)
    assert switches._pace.isActive()
    assert placed.session.person is None
    assert placed.memory.value("switch/pace_s", type=float) == pytest.approx(0.1)


def test_the_line_goes_by_itself_and_turns_round(placed, switches, qtbot):
    take(placed, switches, "new_person")
    qtbot.waitUntil(lambda: "skip" in switches.scan.choices)
    take(placed, switches, "skip")
    qtbot.waitUntil(lambda: "aim" in switches.scan.choices)
    take(placed, switches, "aim")
    qtbot.waitUntil(lambda: switches.aim.position > 0.02)
    assert switches.line.isVisible()
    press(placed, STEP)
    assert switches.aim.way == -1


def test_the_keys_are_free_again_in_another_profile(placed, switches, qtbot):
    shortcuts_of(placed).use_profile("right_handed")
    qtbot.waitUntil(lambda: not switches.card.isVisible())
    placed.annotate_page.view.setFocus()
    QTest.keyClick(placed.annotate_page.view, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: placed.session.person is not None)
    QTest.keyClick(placed.annotate_page.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 0)


# ---------------------------------------------------------------------------------------------------- resting


@pytest.fixture
def resting(placed, qtbot):
    """Return the window with the nose asked for and points placed where the pointer rests for 0.2 s."""
    feature = next(f for f in placed.features if isinstance(f, Switches))
    placed.session.select_point(0)
    placed.annotate_page.point_edits.clear_point()
    placed.annotate_page.guiding.start_guide()
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 0)
    feature.dwell.wait_ms = 200
    placed.annotate_page.view.hide_crosshair()
    placed.actions_table["dwell"].trigger()
    assert feature.dwell.is_on
    yield placed
    placed.actions_table["dwell"].setChecked(False)
    feature.set_dwell(False)


def hover(window: MainWindow, x: float, y: float) -> None:
    QTest.mouseMove(window.annotate_page.view.viewport(), at(window, x, y))
    QTest.qWait(20)


def test_a_point_is_placed_where_the_pointer_rests(resting, qtbot):
    hover(resting, 200, 200)
    hover(resting, *STANDING_INDEX[0])
    hover(resting, STANDING_INDEX[0][0] + 1, STANDING_INDEX[0][1])  # a tremble

    qtbot.waitUntil(lambda: resting.session.person.keypoints.points[0].x is not None)
    nose = resting.session.person.keypoints.points[0]
    assert (nose.x, nose.y) == pytest.approx(STANDING_INDEX[0], abs=2)


def test_a_pointer_on_its_way_places_nothing_and_one_left_lying_places_once(resting, qtbot):
    resting.session.select_point(1)
    resting.annotate_page.point_edits.clear_point()
    resting.annotate_page.guiding.start_guide()
    for step in range(8):
        hover(resting, 200 + 30 * step, 300)
    assert resting.session.person.keypoints.points[0].x is None
    qtbot.waitUntil(lambda: resting.session.person.keypoints.points[0].x is not None)
    qtbot.wait(400)
    assert resting.session.person.keypoints.points[1].x is None


def test_the_settings_are_live_and_kept(placed, qtbot):
    feature = next(f for f in placed.features if isinstance(f, Switches))
    placed.actions_table["switch_settings"].trigger()
    dialog = placed.findChild(SwitchSettings)
    qtbot.waitUntil(dialog.isVisible)
    dialog.rest.setValue(0.7)
    dialog.rests.setChecked(True)

    assert feature.dwell.wait_ms == 700
    assert placed.actions_table["dwell"].isChecked()
    assert placed.memory.value("switch/dwell") == "true"
    dialog.rests.setChecked(False)
    assert not feature.dwell.is_on
    dialog.close()
