"""Several people in one photo: merged, copied, corrected; limb records by chip and menu; notes by key."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QSpinBox

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, Cause, Device, Level, Limb
from limbstudio.domain.notes import note_key
from limbstudio.ui.people_feature import People

CTRL = Qt.KeyboardModifier.ControlModifier
NOSE, KNEE = LDPOSE_INDEX["nose"], LDPOSE_INDEX["left_knee"]


@pytest.fixture
def window(open_window, project_folder, qtbot):
    window = open_window(project_folder)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    return window


def person_with(window, index: int, x: float, y: float):
    window.annotate_page.new_person()
    window.session.do(edits.place_point(window.session.person, index, x, y))
    return window.session.person


def canvas_key(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    window.annotate_page.view.setFocus()
    QTest.keyClick(window.annotate_page.view, key, modifier)


def test_two_halves_become_one_person_and_undo_makes_them_two_again(window):
    person_with(window, NOSE, 300, 120)
    person_with(window, KNEE, 340, 540)
    assert len(window.session.people) == 2

    canvas_key(window, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)

    (merged,) = window.session.people
    assert merged.keypoints.points[NOSE].x == 300
    assert merged.keypoints.points[KNEE].x == 340
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert len(window.session.people) == 2


def test_a_selected_point_is_given_to_the_other_person(window):
    first = person_with(window, NOSE, 300, 120)
    second = person_with(window, KNEE, 340, 540)
    window.session.select_point(KNEE)

    canvas_key(window, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)

    assert window.studio.person(first.id).keypoints.points[KNEE].x == 340
    assert window.studio.person(second.id).keypoints.points[KNEE].x is None


def test_a_person_is_copied_to_another_photo_by_keys(window, qtbot):
    person_with(window, NOSE, 300, 120)
    canvas_key(window, Qt.Key.Key_C, CTRL)
    window.session.step_photo(1)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)

    QTest.keyClick(window, Qt.Key.Key_V, CTRL)

    assert window.session.person.photo == window.studio.photos[1].sha256
    assert window.session.person.keypoints.points[NOSE].x == 300


def test_copying_happens_only_when_it_is_asked_for(window, qtbot):
    person_with(window, NOSE, 300, 120)
    window.session.step_photo(1)
    assert window.session.people == ()

    window.actions_table["copy_from_previous"].trigger()

    assert len(window.session.people) == 1


def test_the_record_of_a_limb_is_set_by_its_chips(window, qtbot):
    person_with(window, NOSE, 300, 120)
    assert window.person_panel.record.chips == {}
    window.session.do(edits.set_limb_level(window.session.person, Limb.RIGHT_LEG, Level.TRANSTIBIAL))
    qtbot.waitUntil(lambda: (Limb.RIGHT_LEG, "certain") in window.person_panel.record.chips)

    QTest.mouseClick(window.person_panel.record.chips[Limb.RIGHT_LEG, "certain"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.person_panel.record.chips[Limb.RIGHT_LEG, "certain"].text() == "Not sure")
    QTest.mouseClick(window.person_panel.record.chips[Limb.RIGHT_LEG, "cause"], Qt.MouseButton.LeftButton)
    menu = next(m for m in window.person_panel.record.findChildren(QMenu) if m.isVisible())
    next(a for a in menu.actions() if a.text() == "Acquired").trigger()
    menu.close()
    window.actions_table["device_worn"].trigger()

    state = window.session.person.limbs[Limb.RIGHT_LEG]
    assert (state.certain, state.cause, state.device) == (False, Cause.ACQUIRED, Device.WORN)
    device = Limb.RIGHT_LEG, "device"
    qtbot.waitUntil(lambda: window.person_panel.record.chips[device].text() == "Prosthesis worn")


def test_confidence_and_note_of_a_point_are_typed_in_a_card(window, qtbot):
    person = person_with(window, NOSE, 300, 120)
    window.session.select_point(NOSE)

    canvas_key(window, Qt.Key.Key_F2)
    card = next(f for f in window.features if isinstance(f, People)).card
    card.findChild(QSpinBox).setValue(40)
    QTest.keyClicks(card.findChildren(QLineEdit)[-1], "behind the hand")
    QTest.keyClick(card.findChildren(QLineEdit)[-1], Qt.Key.Key_Return)
    QApplication.processEvents()

    assert window.session.person.keypoints.points[NOSE].confidence == 0.4
    assert window.studio.project.records[note_key(person.id, NOSE)].text == "behind the hand"
