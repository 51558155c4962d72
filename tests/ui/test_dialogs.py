"""Where dialogs begin, and how rows and menus look that a stranger stumbled over."""

from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from limbstudio.ui.action_row import ActionRow
from limbstudio.ui.dialogs import Dialogs
from limbstudio.ui.panels.photo_rows import code_width


@pytest.fixture
def asked(monkeypatch, tmp_path) -> list[str]:
    """Answer every dialog with a file in tmp_path; return the folders or files they began with."""
    began: list[str] = []

    def answer(parent, title, start="", filters="", options=None):
        began.append(start)
        return str(tmp_path / "answer.json"), ""

    def answer_folder(parent, title, start=""):
        began.append(start)
        (tmp_path / "inside").mkdir(exist_ok=True)
        return str(tmp_path / "inside")

    def answer_files(parent, title, start="", filters="", options=None):
        began.append(start)
        return [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")], ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", answer_files)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", answer_folder)
    return began


def test_each_dialog_begins_where_the_last_was_answered(qtbot, asked, tmp_path):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialogs = Dialogs(parent)

    assert len(dialogs.photos()) == 2
    assert dialogs.annotations() == tmp_path / "answer.json"
    dialogs.folder_of("Anywhere")
    dialogs.new_project()

    assert Path(asked[0]) != Path.cwd()
    assert asked[1:3] == [str(tmp_path), str(tmp_path)]
    assert asked[3] == str(tmp_path / "inside" / "Untitled.limb")


def test_a_folder_that_is_gone_is_not_taken_for_the_name_of_a_file(qtbot, asked, tmp_path, monkeypatch):
    monkeypatch.setattr(
        QStandardPaths, "writableLocation", lambda place: str(tmp_path / "Documents" / "Mine")
    )
    parent = QWidget()
    qtbot.addWidget(parent)

    Dialogs(parent).photos()

    assert asked == [str(tmp_path)]


def test_a_limb_code_leaves_room_for_the_state_beside_it():
    assert code_width(30, 100) == 48
    assert code_width(120, 90) == 90


def test_what_plugins_export_stands_above_quit(window):
    table = window.actions_table
    row = ActionRow("plugin_test", "Export: test...", "ph.puzzle-piece", "", "File/Export with one", group=2)

    table.add(row, lambda: None)

    menu = table["quit"].associatedObjects()
    file_menu = next(m for m in menu if isinstance(m, QMenu))
    assert file_menu.actions()[-1] is table["quit"]
    assert any(entry.text() == "Export with one" for entry in file_menu.actions())


def test_the_inset_has_room_to_say_that_the_body_is_older_than_an_edit(window, qtbot):
    inset = window.annotate_page.floats.inset

    inset.say("before edit", "warn")
    qtbot.wait(20)

    note = inset._note
    assert note.width() >= note.fontMetrics().horizontalAdvance("before edit")
