"""Panels and the body's inset are moved and sized by keys, and the inset by the mouse, in the real window."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.ui.inset_frame import Corner, InsetFrame
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.resizing import Resizing

from .canvas_window import placed, shared_window  # noqa: F401

Key = Qt.Key
CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


def press(key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    where = QApplication.focusWidget()
    assert where is not None
    QTest.keyClick(where, key, held)


@pytest.fixture
def resizing(placed: MainWindow):  # noqa: F811
    """The feature; the window is left as it was."""
    window = placed
    feature = next(f for f in window.features if isinstance(f, Resizing))
    inset, columns = window.annotate_page.floats.inset, window.columns
    assert columns is not None
    sizes, corner, scale = columns.sizes(), inset.corner, inset.scale_pct
    window.annotate_page.view.setFocus()
    yield feature
    feature.end()
    columns.setSizes(sizes)
    inset.corner, inset.scale_pct = corner, scale
    window.annotate_page.arrange()


def test_arrows_move_the_edges_of_both_panels_and_escape_gives_the_keyboard_back(resizing):
    window, grip = resizing.window, resizing.grip
    photos, person = window.photos_panel, window.person_panel
    before = photos.width(), person.width()

    press(Key.Key_P, CTRL_ALT)
    assert grip.hasFocus()
    assert grip.hint.words == f"Photo list: {before[0]} px"
    for _ in range(3):
        press(Key.Key_Right)
    assert photos.width() == before[0] + 24
    assert grip.hint.words == f"Photo list: {before[0] + 24} px"
    press(Key.Key_Tab)
    press(Key.Key_Left, SHIFT)
    assert person.width() == before[1] + 64
    press(Key.Key_Home)
    assert person.width() == grip.minimum()
    press(Key.Key_Backtab, SHIFT)
    assert "Photo list" in grip.hint.words
    press(Key.Key_Escape)

    assert not grip.isVisible()
    assert not grip.hint.isVisible()
    assert window.annotate_page.view.hasFocus()
    assert photos.width() == before[0] + 24


def test_an_edge_goes_no_farther_than_its_panel_and_the_canvas_allow(resizing):
    photos = resizing.window.photos_panel
    press(Key.Key_P, CTRL_ALT)
    press(Key.Key_End)
    assert photos.width() == photos.maximumWidth()
    press(Key.Key_Right)
    assert photos.width() == photos.maximumWidth()
    press(Key.Key_Home)
    press(Key.Key_Left, SHIFT)

    assert photos.width() == resizing.grip.minimum() >= photos.minimumWidth()


def test_keys_bring_the_inset_to_another_corner_and_make_it_larger(resizing):
    window, grip = resizing.window, resizing.grip
    inset, page = window.annotate_page.floats.inset, window.annotate_page
    before = inset.size()
    press(Key.Key_P, CTRL_ALT)
    press(Key.Key_Backtab, SHIFT)
    assert grip.hint.words == "Body inset: 100 %, lower left"
    press(Key.Key_Right)
    assert inset.geometry().right() > page.width() - 20
    press(Key.Key_Up)
    press(Key.Key_Plus)
    press(Key.Key_Plus)

    assert inset.corner is Corner.UPPER_RIGHT
    assert inset.width() == round(before.width() * 1.5)
    assert grip.hint.words == "Body inset: 150 %, upper right"
    bar = page.floats.guide_bar.geometry()
    assert not inset.geometry().intersects(bar)
    assert window.memory.value("inset_corner") == "upper right"
    assert int(window.memory.value("inset_scale")) == 150


def test_screen_readers_hear_a_slider_with_a_name_and_its_value(resizing):
    press(Key.Key_P, CTRL_ALT)
    press(Key.Key_Right)
    spoken = QAccessible.queryAccessibleInterface(resizing.grip)

    assert spoken is not None
    assert spoken.role() is QAccessible.Role.Slider
    assert spoken.text(QAccessible.Text.Name) == resizing.grip.hint.words
    assert spoken.valueInterface().currentValue() == resizing.window.photos_panel.width()
    assert "Esc" in spoken.text(QAccessible.Text.Description)


def test_the_mode_ends_when_the_mouse_goes_on_with_the_work(resizing):
    page = resizing.window.annotate_page
    resizing.window.actions_table["resize_panels"].trigger()
    assert resizing.grip.isVisible()

    QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, 300))

    assert not resizing.grip.isVisible()


def test_the_page_of_the_limb_has_its_own_edge(resizing, qtbot):
    window = resizing.window
    window.actions_table["residual_limb"].trigger()
    before = window.limb_panel.width()
    press(Key.Key_P, CTRL_ALT)
    assert [part.title for part in resizing.parts] == [f"Residual limb panel: {before} px"]
    press(Key.Key_Left)

    assert window.limb_panel.width() == before + 8
    press(Key.Key_Right)
    press(Key.Key_Escape)
    window.actions_table["annotate"].trigger()


def test_the_mouse_drags_the_inset_by_its_title_into_the_nearest_corner(resizing):
    page = resizing.window.annotate_page
    inset: InsetFrame = page.floats.inset
    title = QPoint(40, 10)
    QTest.mousePress(inset, Qt.MouseButton.LeftButton, pos=title)
    for _ in range(6):
        QTest.mouseMove(inset, title + QPoint(page.width() // 8, -10))
    QTest.mouseRelease(inset, Qt.MouseButton.LeftButton, pos=title)

    assert inset.corner is Corner.LOWER_RIGHT
    assert inset.geometry().right() == page.width() - 13
    assert resizing.window.memory.value("inset_corner") == "lower right"
