"""Shortcuts under other keyboard layouts: made-up key events, and real ones where xdotool and setxkbmap are there."""

# ruff: noqa: F811 (fixtures are imported)
import shutil
import subprocess
import sys

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.domain.anatomy import KeypointState
from limbstudio.ui.canvas.selecting import Selecting
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.shortcuts.layouts import key_text, latin_key

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import click, settle

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
# Key codes of X11: where the keys lie, whatever is printed on them.
CODE = {"1": 10, "2": 11, "7": 16, "Q": 24, "Y": 29, "Z": 52, "A": 38, "D": 40, ";": 47}
x11 = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the key codes here are those of X11")


def event(letter: str, place: str, held=NONE, kind=QEvent.Type.KeyPress) -> QKeyEvent:
    """Return what a layout gives that has `letter` where a US keyboard has `place`."""
    return QKeyEvent(kind, ord(letter.upper()), held, CODE[place], 0, 0, letter)


def send(widget: QWidget, letter: str, place: str, held=NONE) -> None:
    QApplication.sendEvent(widget, event(letter, place, held))


def state(window: MainWindow, index: int) -> KeypointState:
    return window.session.person.keypoints.points[index].state


@x11
@pytest.mark.parametrize(
    ("letter", "place", "meant"),
    [
        ("ф", "A", "A"),  # Cyrillic
        ("я", "Z", "Z"),
        ("ж", ";", ";"),
        ("α", "A", "A"),  # Greek
        ("ש", "A", "A"),  # Hebrew
        ("&", "1", "1"),  # AZERTY, without Shift
        ("é", "2", "2"),
        ("è", "7", "7"),
        ("+", "1", "1"),  # Czech
        ("a", "Q", "A"),  # AZERTY: the letter that is printed
        ("z", "Y", "Z"),  # QWERTZ
        ("~", "2", "~"),  # AZERTY with AltGr: meant as it is
        ("a", "A", "A"),
        ("1", "1", "1"),
    ],
)
def test_the_key_that_is_meant(letter, place, meant):
    assert latin_key(event(letter, place)) == ord(meant)
    assert key_text(event(letter, place, CTRL)) == f"Ctrl+{meant}"


def test_keys_that_write_nothing_are_left_alone():
    for code in (Qt.Key.Key_F1, Qt.Key.Key_Return, Qt.Key.Key_Left, Qt.Key.Key_Space):
        press = QKeyEvent(QEvent.Type.KeyPress, code, NONE, 10, 0, 0, "")
        assert latin_key(press) == code
    pad = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_7, Qt.KeyboardModifier.KeypadModifier, 79, 0, 0, "7")
    assert key_text(pad) == "Num+7"
    assert key_text(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, NONE)) == ""


@x11
def test_cyrillic_letters_walk_through_the_photos(placed):
    first, second = placed.session.studio.photos[0], placed.session.studio.photos[1]
    send(placed.annotate_page.view, "в", "D")
    assert placed.session.photo == second
    send(placed.annotate_page.view, "ф", "A")
    assert placed.session.photo == first


@x11
def test_the_digits_of_azerty_give_states_without_shift(placed, qtbot):
    click(placed, *STANDING_INDEX[13])
    send(placed.annotate_page.view, "é", "2")
    settle(qtbot)
    assert state(placed, 13) is KeypointState.OCCLUDED


@x11
def test_the_ring_takes_the_digits_of_azerty(placed, qtbot):
    click(placed, *STANDING_INDEX[13])
    ring = next(f for f in placed.features if isinstance(f, Selecting)).ring
    placed.actions_table["state_ring"].trigger()
    send(ring, "è", "7")
    settle(qtbot)
    assert state(placed, 13) is KeypointState.UNSURE


@x11
def test_other_letters_are_written_into_fields_and_do_nothing_else(placed):
    first = placed.session.photo
    field = placed.photos_panel.search.edit
    field.setFocus()
    send(field, "в", "D")
    assert field.text() == "в"
    assert placed.session.photo == first
    field.clear()
    placed.annotate_page.view.setFocus()


@x11
def test_an_action_of_the_3d_view_does_not_act_on_the_photo(placed):
    before = placed.actions_table["t_pose"].isChecked()
    send(placed.annotate_page.view, "è", "7")
    assert placed.actions_table["t_pose"].isChecked() is before


# ----------------------------------------------------------------------------------------------------- real keys

_MISSING = [tool for tool in ("xdotool", "setxkbmap") if shutil.which(tool) is None]
real = pytest.mark.skipif(bool(_MISSING), reason=f"for real keys this is not there: {', '.join(_MISSING)}")


@pytest.fixture
def layout():
    """Return a function that gives the display another layout; the one before comes back."""
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("real keys need an X11 display")
    query = subprocess.run(["setxkbmap", "-query"], capture_output=True, text=True, check=True).stdout
    before = next((line.split()[1] for line in query.splitlines() if line.startswith("layout")), "us")

    def use(name: str) -> None:
        subprocess.run(["setxkbmap", name], check=True)
        QTest.qWait(100)

    yield use
    use(before)


def press(keycode: int, *, held: str = "") -> None:
    keys = f"{held}+{keycode}" if held else str(keycode)
    subprocess.run(["xdotool", "key", keys], check=True)
    QTest.qWait(60)


@real
@pytest.mark.parametrize("name", ["us", "ru", "fr", "de", "gr"])
def test_real_digits_give_states_under_every_layout(placed, layout, name, qtbot):
    layout(name)
    click(placed, *STANDING_INDEX[13])
    press(CODE["2"])
    qtbot.waitUntil(lambda: state(placed, 13) is KeypointState.OCCLUDED)


@real
@pytest.mark.parametrize(("name", "place"), [("us", "D"), ("ru", "D"), ("fr", "D"), ("gr", "D")])
def test_real_letters_walk_through_the_photos_under_every_layout(placed, layout, name, place, qtbot):
    layout(name)
    first = placed.session.photo
    press(CODE[place])
    qtbot.waitUntil(lambda: placed.session.photo != first)


@real
def test_a_real_undo_under_cyrillic(placed, layout, qtbot):
    layout("ru")
    click(placed, *STANDING_INDEX[13])
    press(CODE["2"])
    qtbot.waitUntil(lambda: state(placed, 13) is KeypointState.OCCLUDED)
    press(CODE["Z"], held="ctrl")
    qtbot.waitUntil(lambda: state(placed, 13) is KeypointState.VISIBLE)


@real
def test_azerty_keeps_the_letters_that_are_printed(placed, layout, qtbot):
    layout("fr")
    second = placed.session.studio.photos[1]
    placed.session.select_photo(second.sha256)
    placed.annotate_page.view.setFocus()
    press(CODE["Q"])  # AZERTY has A there: previous photo
    qtbot.waitUntil(lambda: placed.session.photo != second)
