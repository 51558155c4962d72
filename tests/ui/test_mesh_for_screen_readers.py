"""What a screen reader finds in the 3D view: a summary, and landmarks, ends and girths as children."""

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface

from limbstudio.domain.anatomy import Level
from limbstudio.ui import mesh_accessible
from limbstudio.ui.mesh_view import load_pyvista

from .test_window import placed_person


@pytest.fixture
def limb_window(window, qtbot, body_fit_stand_in):
    """Return the window in the Residual limb perspective with a fitted body."""
    load_pyvista()
    window.annotate_page.allow_meshes()
    window.mesh_page.allow_meshes()
    placed_person(window, qtbot, Level.TRANSTIBIAL)
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.session.fit is not None)
    window.show_residual_limb()
    qtbot.waitUntil(lambda: window.mesh_page.view.has_body)
    return window


def scene(window) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(window.mesh_page.view)
    assert found is not None
    return found


def children(window) -> list[str]:
    about = scene(window)
    return [about.child(n).text(QAccessible.Text.Name) for n in range(about.childCount())]


def test_without_a_body_the_view_says_so(window):
    window.show_residual_limb()

    assert scene(window).text(QAccessible.Text.Description) == "No body is fitted yet."
    assert scene(window).childCount() == 0


def test_the_view_has_a_name_and_says_what_it_shows(limb_window, qtbot):
    about = scene(limb_window)

    assert about.role() is QAccessible.Role.Graphic
    assert about.text(QAccessible.Text.Name) == "Fitted body in 3D"
    said = about.text(QAccessible.Text.Description)
    assert said == "Person 1, seen from the front, as in the photo, Right leg: Transtibial."

    limb_window.actions_table["view_back"].trigger()
    limb_window.actions_table["t_pose"].trigger()

    said = about.text(QAccessible.Text.Description)
    assert "seen from the back" in said and "in T-pose" in said


def test_landmarks_and_the_end_are_children(limb_window):
    said = children(limb_window)

    assert "Left ankle" in said and "Right knee" in said
    assert "Right ankle" not in said  # it does not exist
    end = next(words for words in said if words.startswith("End of the residual limb"))
    assert end == "End of the residual limb, Right leg, about 25 centimetres from Right knee"
    about = scene(limb_window)
    assert [about.indexOfChild(about.child(n)) for n in range(about.childCount())] == list(range(len(said)))


def test_an_end_lies_where_it_is_drawn_and_is_found_there(limb_window, qtbot):
    about = scene(limb_window)
    number = next(n for n, words in enumerate(children(limb_window)) if words.startswith("End of"))
    end = about.child(number)

    area = end.rect()
    stage = limb_window.mesh_page.view.stage
    shown = QRect(stage.mapToGlobal(stage.rect().topLeft()), stage.size())
    assert shown.contains(area.center())
    found = about.childAt(area.center().x(), area.center().y())
    assert found is not None and found.text(QAccessible.Text.Name) == end.text(QAccessible.Text.Name)
    assert end.parent() is about

    limb_window.actions_table["t_pose"].trigger()
    assert not end.rect().isValid()  # at rest the joints of the photo's posture are nowhere
    assert end.state().offscreen


def test_girths_are_read_row_by_row(limb_window, qtbot):
    table = limb_window.limb_panel.table
    qtbot.waitUntil(lambda: table.rowCount() > 0)

    said = children(limb_window)

    first = table.item(0, 0).text()
    assert any(first in words and "Girth" in words for words in said)


def test_another_fit_is_announced(limb_window, monkeypatch):
    heard: list[str] = []
    real = mesh_accessible.QAccessibleAnnouncementEvent

    def note(about, message):
        heard.append(message)
        return real(about, message)

    monkeypatch.setattr(mesh_accessible, "QAccessibleAnnouncementEvent", note)
    was_active = QAccessible.isActive()
    QAccessible.setActive(True)
    try:
        limb_window.session.fit_changed.emit()
    finally:
        QAccessible.setActive(was_active)

    assert heard == ["Person 1, seen from the front, as in the photo, Right leg: Transtibial."]
