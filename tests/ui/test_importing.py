"""Photos and annotations come in by key, drop and paste in the real window."""

import json

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.domain import edits
from limbstudio.services import settings
from limbstudio.services.importing import OnConflict
from limbstudio.ui.preflight_dialog import PreflightDialog

CTRL = Qt.KeyboardModifier.ControlModifier


def labelme_beside(photo, x=300.0):
    shapes = [{"label": "nose", "points": [[x, 120.0]], "shape_type": "point", "flags": {}}]
    path = photo.with_suffix(".json")
    path.write_text(
        json.dumps({"shapes": shapes, "imagePath": photo.name, "imageWidth": 600, "imageHeight": 800})
    )
    return path


def dialog_of(window):
    return next((d for d in window.findChildren(PreflightDialog) if d.isVisible()), None)


def test_an_annotation_file_without_questions_is_imported_and_can_be_taken_back(
    open_window, photo_files, qtbot
):
    window = open_window(None)

    window.open_paths([labelme_beside(photo_files[0])])
    qtbot.waitUntil(lambda: len(window.studio.photos) == 1, timeout=20000)
    qtbot.waitUntil(lambda: "1 person" in window.message_bar.text, timeout=20000)
    assert dialog_of(window) is None
    window.message_bar.button.click()

    qtbot.waitUntil(lambda: len(window.studio.photos) == 0, timeout=20000)


def test_conflicts_are_asked_about_and_mine_stays_unless_i_say_so(open_window, photo_files, qtbot):
    window = open_window(None)
    file = labelme_beside(photo_files[0])
    window.open_paths([file])
    qtbot.waitUntil(lambda: window.session.person is not None, timeout=20000)
    window.session.do(edits.place_point(window.session.person, 0, 5.0, 5.0))

    window.open_paths([file])
    qtbot.waitUntil(lambda: dialog_of(window) is not None, timeout=20000)
    dialog = dialog_of(window)

    assert dialog.on_conflict is OnConflict.KEEP
    QTest.mouseClick(dialog.choices[OnConflict.BESIDE], Qt.MouseButton.LeftButton)
    assert dialog.on_conflict is OnConflict.BESIDE
    QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.session.people) == 2, timeout=20000)
    assert window.session.people[0].keypoints.points[0].x == 5.0


@pytest.mark.parametrize("what", ["files", "picture", "nothing"])
def test_the_clipboard_is_pasted(open_window, photo_files, qtbot, what):
    window = open_window(None)
    window.studio.create(photo_files[0].parent / "paste.limb")
    data = QMimeData()
    if what == "files":
        data.setUrls([QUrl.fromLocalFile(str(photo_files[0]))])
    elif what == "picture":
        picture = QImage(32, 24, QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor.darkGray)
        data.setImageData(picture)
    QApplication.clipboard().setMimeData(data)

    QTest.keyClick(window, Qt.Key.Key_V, CTRL)

    if what == "nothing":
        assert "no photo in the clipboard" in window.message_bar.text
    else:
        qtbot.waitUntil(lambda: len(window.studio.photos) == 1, timeout=20000)
        size = (600, 800) if what == "files" else (32, 24)
        assert (window.studio.photos[0].width, window.studio.photos[0].height) == size


def test_a_photo_is_collected_and_survives_the_loss_of_its_folder(
    open_window, photo_files, project_folder, qtbot
):
    window = open_window(project_folder)

    window.actions_table["collect_photos"].trigger()
    qtbot.waitUntil(lambda: "were copied into the project" in window.message_bar.text, timeout=20000)
    for photo in photo_files:
        photo.unlink()

    assert window.studio.photo_pixels(window.studio.photos[0]).shape == (800, 600, 3)


def nothing_is_left(window) -> bool:
    projects = settings.home_folder() / "projects"
    return not window.studio.is_open and not (projects.is_dir() and any(projects.iterdir()))


@pytest.mark.parametrize("how", ["pasted", "dropped"])
def test_a_file_that_cannot_be_read_leaves_no_empty_project_behind(
    open_window, tmp_path, monkeypatch, qtbot, how
):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    window = open_window(None)
    file = tmp_path / "broken.jpg"
    file.write_bytes(b"no picture")

    if how == "pasted":
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(file))])
        QApplication.clipboard().setMimeData(data)
        QTest.keyClick(window, Qt.Key.Key_V, CTRL)
    else:
        window.open_paths([file])

    qtbot.waitUntil(lambda: "broken.jpg" in window.message_bar.text, timeout=20000)
    assert window.message_bar.isVisible()
    assert nothing_is_left(window)
    qtbot.waitUntil(window.start_page.isVisible)
    assert window.recent() == []


def test_an_annotation_file_that_is_none_leaves_no_empty_project_behind(
    open_window, tmp_path, monkeypatch, qtbot
):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    window = open_window(None)
    file = tmp_path / "broken.json"
    file.write_text("{")

    window.open_paths([file])

    qtbot.waitUntil(lambda: "broken.json" in window.message_bar.text, timeout=20000)
    assert nothing_is_left(window)


def test_a_project_that_was_made_for_photos_stays_when_some_came_in(
    open_window, photo_files, tmp_path, monkeypatch, qtbot
):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    window = open_window(None)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")

    window.open_paths([photo_files[0], broken])
    qtbot.waitUntil(lambda: "broken.jpg" in window.message_bar.text, timeout=20000)

    assert len(window.studio.photos) == 1
    window.open_paths([broken])
    qtbot.waitUntil(lambda: "Nothing was added" in window.message_bar.text, timeout=20000)
    assert window.studio.is_open
