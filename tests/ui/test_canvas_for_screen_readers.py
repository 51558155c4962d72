"""What a screen reader finds on the canvas: its points as children, and what is said when they change."""

# ruff: noqa: F811 (fixtures are imported)
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface

from limbstudio.domain.anatomy import LDPOSE_INDEX, Level, Limb
from limbstudio.domain.edits import set_limb_level
from limbstudio.ui.canvas import accessible
from limbstudio.ui.main_window import MainWindow

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import at, click, key, settle


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the announcements that are made while an assistive program runs."""
    words: list[str] = []
    real = accessible.QAccessibleAnnouncementEvent

    def note(about, message):
        words.append(message)
        return real(about, message)

    monkeypatch.setattr(accessible, "QAccessibleAnnouncementEvent", note)
    was_active = QAccessible.isActive()
    QAccessible.setActive(True)
    yield words
    QAccessible.setActive(was_active)


def canvas(window: MainWindow) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(window.annotate_page.view)
    assert found is not None
    return found


def child(window: MainWindow, name: str) -> QAccessibleInterface:
    view = window.annotate_page.view
    made = canvas(window).child(list(view.spoken_points).index(LDPOSE_INDEX[name]))
    assert made is not None
    return made


def test_every_point_is_a_child_with_a_name_a_state_and_a_number(placed, heard):
    assert canvas(placed).role() == QAccessible.Role.Canvas
    assert canvas(placed).childCount() == 17
    names = [canvas(placed).child(n).text(QAccessible.Text.Name) for n in range(17)]
    assert names[0] == "Nose, visible, 1 of 17"
    assert names[15] == "Left ankle, visible, 16 of 17"


def test_a_child_lies_where_its_point_is_drawn_and_is_found_there(placed, heard):
    place = placed.annotate_page.view.viewport().mapToGlobal(at(placed, *STANDING_INDEX[13]))

    knee = child(placed, "left_knee")

    assert knee.rect().contains(place)
    found = canvas(placed).childAt(place.x(), place.y())
    assert found.text(QAccessible.Text.Name) == knee.text(QAccessible.Text.Name)
    assert canvas(placed).indexOfChild(knee) == 13
    assert knee.parent().role() == QAccessible.Role.Canvas


def test_the_selected_point_says_so(placed, heard):
    click(placed, *STANDING_INDEX[13])

    assert child(placed, "left_knee").state().selected
    assert child(placed, "left_knee").state().focused
    assert not child(placed, "nose").state().selected


def test_a_state_given_by_a_key_is_announced(placed, heard, qtbot):
    click(placed, *STANDING_INDEX[13])
    heard.clear()

    key(placed, Qt.Key.Key_2)
    settle(qtbot)

    assert heard == ["Left knee, occluded, 14 of 17"]


def test_a_level_changes_the_children(placed, heard, qtbot):
    placed.session.do(set_limb_level(placed.session.person, Limb.RIGHT_LEG, Level.TRANSTIBIAL))
    settle(qtbot)

    names = [canvas(placed).child(n).text(QAccessible.Text.Name) for n in range(canvas(placed).childCount())]
    assert names[0] == "Right below-knee end, unlabelled, 1 of 17"
    assert not any("Right ankle" in name for name in names)
    assert not child(placed, "below_right_knee_end").rect().isValid()  # it has no place yet
