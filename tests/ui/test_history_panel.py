"""History in the window: by key, of this photo or of all, and the ways back, by real keys and clicks."""

import pytest
from PySide6.QtCore import Qt

from limbstudio.domain import edits
from limbstudio.services.journal import JournalLine
from limbstudio.ui.history_panel import ALL, MOMENTS, History


@pytest.fixture
def feature(window) -> History:
    return next(f for f in window.features if isinstance(f, History))


@pytest.fixture
def worked(window, feature, qtbot) -> History:
    """Return History shown, after one person was made and three points were placed."""
    studio, session = window.studio, window.session
    person = studio.new_person(session.photo.sha256)
    for index in range(3):
        studio.do(edits.place_point(studio.person(person.id), index, 10.0 * index + 5, 20.0))
    qtbot.keyClick(
        window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    qtbot.waitUntil(lambda: len(labels(feature)) == 5)
    return feature


def labels(feature: History) -> list[str]:
    return [row.label for row in feature.panel.model.rows if isinstance(row, JournalLine)]


def select(feature: History, *numbers: int) -> None:
    feature.panel.table.clearSelection()
    for number in numbers:
        index = feature.panel.model.index(number, 0)
        feature.panel.table.selectionModel().select(
            index, feature.panel.table.selectionModel().SelectionFlag.Select
            | feature.panel.table.selectionModel().SelectionFlag.Rows,
        )  # fmt: skip


def points(window) -> list[float | None]:
    return [p.x for p in window.session.people[0].keypoints.points[:3]]


def test_history_opens_by_key_and_says_who_did_what(window, worked, qtbot):
    panel = worked.panel
    texts = [panel.model.data(panel.model.index(0, column)) for column in range(4)]

    assert labels(worked) == [
        "Place right eye",
        "Place left eye",
        "Place nose",
        "Add person",
        "Import photos",
    ]
    assert texts[0].startswith("Today ")
    assert texts[1:] == ["test", "Place right eye", "photo_0.png"]
    assert window.bottom_dock.height() == 200
    assert window.actions_table["history"].isChecked()
    qtbot.keyClick(
        window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert window.bottom_dock.isHidden()
    assert not window.actions_table["history"].isChecked()


def test_a_photo_goes_back_to_a_line_and_that_can_be_undone(window, worked, qtbot):
    select(worked, 2)

    qtbot.mouseClick(worked.panel.back, Qt.MouseButton.LeftButton)
    assert points(window) == [5.0, None, None]
    qtbot.waitUntil(lambda: len(labels(worked)) == 6)
    window.actions_table["undo"].trigger()

    assert points(window) == [5.0, 15.0, 25.0]


def test_selected_edits_are_taken_back_as_one(window, worked, qtbot):
    select(worked, 0, 1)

    qtbot.mouseClick(worked.panel.take_back, Qt.MouseButton.LeftButton)

    assert points(window) == [5.0, None, None]
    assert "Take back: 2 edits" in window.message_bar.text
    qtbot.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)
    assert points(window) == [5.0, 15.0, 25.0]


def test_what_something_stands_on_is_not_taken_back_alone(window, worked, qtbot):
    select(worked, 3)

    qtbot.mouseClick(worked.panel.take_back, Qt.MouseButton.LeftButton)

    assert "cannot be taken back alone" in window.message_bar.text
    assert points(window) == [5.0, 15.0, 25.0]


def test_an_import_is_taken_back_from_all_photos(window, feature, qtbot):
    feature.show_history()
    qtbot.mouseClick(
        next(b for b in feature.panel.choices.buttons() if b.text() == ALL), Qt.MouseButton.LeftButton
    )
    qtbot.waitUntil(lambda: labels(feature) == ["Import photos"])
    select(feature, 0)

    window.actions_table["take_back"].trigger()

    assert not list(window.studio.photos)
    window.message_bar.button.click()
    assert len(window.studio.photos) == 2


def test_a_moment_is_named_by_key_and_gone_back_to(window, worked, qtbot):
    person = window.session.people[0]
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert worked.panel.name.hasFocus()
    qtbot.keyClicks(worked.panel.name, "Before review")
    qtbot.keyClick(worked.panel.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: worked.panel.choice == MOMENTS and len(worked.panel.model.rows) == 1)
    window.studio.do(edits.delete_person(person))
    assert not window.session.people
    select(worked, 0)

    qtbot.mouseClick(worked.panel.back_to_moment, Qt.MouseButton.LeftButton)

    assert points(window) == [5.0, 15.0, 25.0]
    backups = window.studio.safekeeping.backups
    qtbot.waitUntil(lambda: [b.name for b in backups()] == ["Before review"], timeout=5000)


def test_an_empty_name_is_refused(window, worked, qtbot):
    worked.name_moment()

    qtbot.keyClick(worked.panel.name, Qt.Key.Key_Return)

    assert "needs a name" in window.message_bar.text


def test_in_a_read_only_window_history_can_be_read_and_nothing_gone_back_to(
    open_window, project_folder, qtbot
):
    first = open_window(project_folder)
    second = open_window(project_folder)
    feature = next(f for f in second.features if isinstance(f, History))
    feature.show_history()
    qtbot.waitUntil(lambda: labels(feature) == ["Import photos"])

    first.studio.new_person(first.session.photo.sha256)

    qtbot.waitUntil(lambda: labels(feature) == ["Add person", "Import photos"], timeout=5000)
    qtbot.waitUntil(lambda: len(second.session.people) == 1)
    select(feature, 0)
    assert not second.actions_table["photo_back_to"].isEnabled()
    assert not second.actions_table["checkpoint"].isEnabled()
