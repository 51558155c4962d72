"""Keys in force in the real window: profiles, own keys, the editor, the key sheet, the numbered menu."""

# ruff: noqa: F811 (fixtures are imported)
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton

from limbstudio.domain.anatomy import KeypointState
from limbstudio.domain.errors import KnownError
from limbstudio.ui.actions import ActionRow, Where
from limbstudio.ui.guided import Phase
from limbstudio.ui.key_sheet import KeySheet
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.shortcuts import stored
from limbstudio.ui.shortcuts.editor import ShortcutsDialog
from limbstudio.ui.shortcuts.feature import Shortcuts
from limbstudio.ui.shortcuts.keys import clashes
from limbstudio.ui.shortcuts.profiles import PROFILES

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import click, key, settle

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
PAD = Qt.KeyboardModifier.KeypadModifier


def shortcuts_of(window: MainWindow) -> Shortcuts:
    return next(f for f in window.features if isinstance(f, Shortcuts))


@pytest.fixture
def shortcuts(placed):
    """Return the feature, with the keys as they are at the first start before and after."""
    feature = shortcuts_of(placed)
    yield feature
    if feature.dialog is not None:
        feature.dialog.close()
        QTest.qWait(1)
    feature.own = stored.OwnKeys()
    feature.apply()
    placed.message_bar.hide()


@pytest.fixture
def editor(shortcuts, placed, qtbot) -> ShortcutsDialog:
    placed.actions_table["edit_shortcuts"].trigger()
    dialog = shortcuts.dialog
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def choose(editor: ShortcutsDialog, words: str, action_id: str) -> None:
    editor.search.setText(words)
    rows = [
        n
        for n in range(editor.table.rowCount())
        if editor.table.item(n, 0).data(Qt.ItemDataRole.UserRole) == action_id
    ]
    editor.table.selectRow(rows[0])
    editor.field.setFocus()


def state(window: MainWindow, index: int) -> KeypointState:
    return window.session.person.keypoints.points[index].state


# ------------------------------------------------------------------------------------------------------- profiles


def test_no_profile_makes_qt_hesitate_between_two_actions(shortcuts, placed):
    for profile in PROFILES:
        shortcuts.use_profile(profile.id)
        actions = placed.actions_table
        assert clashes({row.id: actions.keys_of(row.id) for row in actions.rows}, actions.rows) == ()


def test_the_left_handed_keys_act_and_the_others_no_longer_do(shortcuts, placed, qtbot):
    click(placed, *STANDING_INDEX[13])
    shortcuts.use_profile("left_handed")

    key(placed, Qt.Key.Key_9)
    settle(qtbot)
    assert state(placed, 13) is KeypointState.OCCLUDED
    key(placed, Qt.Key.Key_L)
    assert placed.session.photo == placed.session.studio.photos[1]


def test_the_number_pad_gives_states_and_steps_back(shortcuts, placed, qtbot):
    shortcuts.use_profile("one_hand_numbers")
    click(placed, *STANDING_INDEX[13])

    QTest.keyClick(placed.annotate_page.view, Qt.Key.Key_2, PAD)
    settle(qtbot)
    assert state(placed, 13) is KeypointState.OCCLUDED
    QTest.keyClick(placed.annotate_page.view, Qt.Key.Key_End)
    settle(qtbot)
    assert state(placed, 13) is KeypointState.VISIBLE


def test_one_hand_moves_the_crosshair_by_letters_and_places_with_the_space_bar(shortcuts, placed, qtbot):
    shortcuts.use_profile("one_hand_left")
    placed.actions_table["clear_point"].setEnabled(True)
    placed.session.select_point(0)
    placed.annotate_page.point_edits.clear_point()
    key(placed, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 0)
    view = placed.annotate_page.view
    view.show_crosshair(view.on_photo(view.viewport().rect().center().toPointF()))
    before = view.keyboard_place

    for code in (Qt.Key.Key_W, Qt.Key.Key_W, Qt.Key.Key_A):
        key(placed, code)
    moved = view.keyboard_place - before
    assert (moved.x(), moved.y()) == (-1, -2)
    key(placed, Qt.Key.Key_Space)
    settle(qtbot)

    point = placed.session.person.keypoints.points[0]
    assert (point.x, point.y) == pytest.approx((before.x() - 1, before.y() - 2))


def test_a_held_direction_goes_ten_times_as_far(shortcuts, placed):
    view = placed.annotate_page.view
    click(placed, *STANDING_INDEX[0])
    before = placed.session.person.keypoints.points[0].x

    for _ in range(10):
        shortcuts.move_right()
    QTest.qWait(10)

    assert placed.session.person.keypoints.points[0].x == pytest.approx(before + 6 + 4 * 10)
    assert view.hasFocus()


def test_tooltips_caps_hints_and_menus_show_the_keys_in_force(shortcuts, placed):
    actions, floats = placed.actions_table, placed.annotate_page.floats
    shortcuts.use_profile("left_handed")

    assert actions["mark_ready"].toolTip() == "Mark ready   P"
    assert placed.person_panel.ready_button.toolTip() == "Mark ready   P"
    assert [key.toString() for key in actions["mark_ready"].shortcuts()] == ["P"]
    shown = [label.text() for label in floats.state_bar.findChildren(QLabel)]
    assert "".join(shown) == "0987654"
    assert "press P" in placed.annotate_page.guiding._actions.how("mark_ready")
    shortcuts.set_keys("find_photos", ("F12",))
    assert placed.photos_panel.search.edit.toolTip().startswith("Search photos   F12\n")
    shortcuts.set_keys("jobs", ())
    assert placed.status.findChild(QToolButton, "jobsButton").toolTip() == "Show jobs"
    shortcuts.use_profile("one_hand_left")
    palette_keys = [label.text() for label in placed._top.findChildren(QLabel) if label.isVisibleTo(placed)]
    assert "`" in palette_keys


def test_long_names_of_keys_still_fit_on_the_canvas(shortcuts, placed, qtbot):
    placed.session.select_point(0)
    placed.annotate_page.point_edits.clear_point()
    placed.annotate_page.guiding.start_guide()
    qtbot.waitUntil(lambda: placed.annotate_page.guide.next_point == 0)
    shortcuts.use_profile("switch")
    settle(qtbot)
    shortcuts.use_profile("one_hand_numbers")
    settle(qtbot)
    page, floats = placed.annotate_page, placed.annotate_page.floats

    assert floats.state_bar.width() <= page.width() - 2 * 12
    assert floats.state_bar.geometry().right() < page.width()
    words = [label for label in floats.hint.findChildren(QLabel) if label.isVisible() and label.text()]
    assert {"Num 0", "Num ."} <= {label.text() for label in words}
    for label in words:
        assert label.width() >= min(label.sizeHint().width(), 196), label.text()
    shortcuts.use_profile("switch")
    assert "Space" not in {label.text() for label in floats.hint.findChildren(QLabel) if label.isVisible()}


def test_the_key_sheet_shows_the_keys_in_force_and_follows(shortcuts, placed, qtbot):
    placed.actions_table["keys"].trigger()
    sheet = placed.findChild(KeySheet)
    qtbot.waitUntil(sheet.isActiveWindow)

    def caps() -> list[str]:
        return [label.text() for label in sheet._scroll.widget().findChildren(QLabel)]

    assert "Ctrl K   Ctrl Shift P" in caps()
    shortcuts.set_keys("palette", ("F12",))
    assert "F12" in caps()
    assert "Ctrl K   Ctrl Shift P" not in caps()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    shortcuts.set_keys("palette", ("F9",))  # nobody listens any more


# -------------------------------------------------------------------------------------------------------- editor


def test_a_new_key_acts_at_once_and_several_do_the_same(editor, placed, qtbot):
    choose(editor, "names at all", "names")
    QTest.keyClick(editor.field, Qt.Key.Key_H, CTRL)

    assert placed.actions_table.keys_of("names") == ("T", "Ctrl+H")
    assert "runs “Names at all points” now" in editor.message.text()
    editor.close()
    placed.activateWindow()
    qtbot.waitUntil(placed.isActiveWindow)
    placed.annotate_page.view.setFocus()
    before = placed.actions_table["names"].isChecked()
    key(placed, Qt.Key.Key_H, CTRL)
    assert placed.actions_table["names"].isChecked() is not before
    key(placed, Qt.Key.Key_T)
    assert placed.actions_table["names"].isChecked() is before


def test_a_key_in_use_says_where_and_is_taken_or_kept(editor, placed):
    choose(editor, "names at all", "names")
    QTest.keyClick(editor.field, Qt.Key.Key_F)

    assert "“Fit body” (photo and points)" in editor.message.text()
    assert placed.actions_table.keys_of("names") == ("T",)
    QTest.mouseClick(editor.keep, Qt.MouseButton.LeftButton)
    assert placed.actions_table.keys_of("fit_body") == ("F",)
    QTest.keyClick(editor.field, Qt.Key.Key_F)
    QTest.mouseClick(editor.take, Qt.MouseButton.LeftButton)
    assert placed.actions_table.keys_of("names") == ("T", "F")
    assert placed.actions_table.keys_of("fit_body") == ()
    assert placed.actions_table["fit_body"].shortcuts() == []
    QTest.keyClick(editor, Qt.Key.Key_Z, CTRL)
    assert placed.actions_table.keys_of("fit_body") == ("F",)


def test_a_key_given_by_hand_is_taken_from_one_who_had_it_by_hand(editor, placed):
    for words, action in (("names at all", "names"), ("loupe", "loupe")):
        choose(editor, words, action)
        QTest.keyClick(editor.field, Qt.Key.Key_F12)
        if editor.take.isVisible():
            QTest.mouseClick(editor.take, Qt.MouseButton.LeftButton)

    assert placed.actions_table.keys_of("names") == ("T",)
    assert placed.actions_table.keys_of("loupe") == ("Z", "F12")


@pytest.mark.parametrize(
    ("code", "modifier"), [(Qt.Key.Key_W, CTRL), (Qt.Key.Key_F10, Qt.KeyboardModifier.NoModifier)]
)
def test_a_reserved_key_is_refused_with_the_reason(editor, placed, code, modifier):
    choose(editor, "names at all", "names")
    QTest.keyClick(editor.field, code, modifier)

    assert "Press another key" in editor.message.text()
    assert not editor.take.isVisible()
    assert placed.actions_table.keys_of("names") == ("T",)


def test_a_key_of_the_view_itself_asks_first(editor, placed):
    choose(editor, "names at all", "names")
    QTest.keyClick(editor.field, Qt.Key.Key_Space)

    assert "skips the point" in editor.message.text()
    assert editor.take.isVisible()


def test_keys_are_taken_away_and_reset_one_by_one_and_all(editor, placed):
    choose(editor, "redo", "redo")
    QTest.qWait(10)  # what was put into the card is shown
    chips = [b for b in editor.findChildren(QPushButton) if b.accessibleName() == "Take Ctrl Y away"]
    QTest.mouseClick(chips[0], Qt.MouseButton.LeftButton)
    assert placed.actions_table.keys_of("redo") == ("Ctrl+Shift+Z",)
    choose(editor, "loupe", "loupe")
    QTest.keyClick(editor.table, Qt.Key.Key_Delete)
    assert placed.actions_table.keys_of("loupe") == ()
    QTest.mouseClick(editor.reset_one, Qt.MouseButton.LeftButton)
    assert placed.actions_table.keys_of("loupe") == ("Z",)
    assert placed.actions_table.keys_of("redo") == ("Ctrl+Shift+Z",)
    QTest.mouseClick(editor.reset_all, Qt.MouseButton.LeftButton)
    assert placed.actions_table.keys_of("redo") == ("Ctrl+Shift+Z", "Ctrl+Y")


def test_the_search_finds_actions_by_word_and_by_key(editor):
    editor.search.setText("ctrl+shift+p")
    found = [editor.table.item(n, 0).text() for n in range(editor.table.rowCount())]
    assert found == ["Search or run a command"]
    editor.search.setText("nothing like it")
    assert editor.table.rowCount() == 0
    assert not editor.field.isEnabled()


def test_all_is_done_by_keys_alone(editor, placed):
    QTest.keyClicks(editor.search, "names at")
    QTest.keyClick(editor.search, Qt.Key.Key_Return)
    assert editor.table.hasFocus()
    QTest.keyClick(editor.table, Qt.Key.Key_Return)
    assert editor.field.hasFocus()
    QTest.keyClick(editor.field, Qt.Key.Key_F12)
    assert placed.actions_table.keys_of("names") == ("T", "F12")
    QTest.keyClick(editor.field, Qt.Key.Key_Escape)
    assert editor.table.hasFocus()


def test_what_was_changed_is_there_at_the_next_start(editor, shortcuts, placed):
    choose(editor, "names at all", "names")
    QTest.keyClick(editor.field, Qt.Key.Key_F12)
    editor._use_profile("left_handed")

    again = stored.load(QSettings(placed.memory.fileName(), QSettings.Format.IniFormat))
    assert again.profile == "left_handed"
    assert again.keys["right_handed"] == {"names": ("T", "F12")}


# --------------------------------------------------------------------------------------------------------- files


def test_keys_go_out_as_a_file_and_come_back(editor, shortcuts, placed, tmp_path: Path, monkeypatch):
    file = tmp_path / "mine.keys.json"
    shortcuts.set_keys("names", ("F12",))
    monkeypatch.setattr(placed.dialogs, "file_to_write", lambda _title, _suffix: file, raising=False)
    monkeypatch.setattr(placed.dialogs, "file_to_read", lambda _title, _suffix: file, raising=False)
    QTest.mouseClick(editor.export_button, Qt.MouseButton.LeftButton)
    assert str(file) in editor.message.text()
    shortcuts.reset()

    QTest.mouseClick(editor.import_button, Qt.MouseButton.LeftButton)

    assert placed.actions_table.keys_of("names") == ("F12",)
    assert "are in force" in editor.message.text()
    QTest.keyClick(editor, Qt.Key.Key_Z, CTRL)
    assert placed.actions_table.keys_of("names") == ("T",)


def test_a_file_says_what_of_it_was_left_out(shortcuts, placed, tmp_path: Path):
    keys = {"right_handed": {"names": ["F12", "Ctrl+W", "gibberish"], "no_such": ["F9"]}, "elsewhere": {}}
    file = tmp_path / "odd.keys.json"
    file.write_text(json.dumps({"limbstudio_keys": 1, "profile": "nowhere", "keys": keys}))

    left_out = shortcuts.import_keys(file)

    assert placed.actions_table.keys_of("names") == ("F12",)
    assert shortcuts.profile.id == "right_handed"
    assert len(left_out) == 4
    assert any("Ctrl+W" in words for words in left_out)


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"keys": {}}', '{"limbstudio_keys": 2, "keys": {}}', "\x00\x01"]
)
def test_other_files_are_refused_and_nothing_changes(
    editor, shortcuts, placed, tmp_path: Path, content, monkeypatch
):
    file = tmp_path / "other.json"
    file.write_text(content)
    with pytest.raises(KnownError):
        shortcuts.import_keys(file)
    monkeypatch.setattr(placed.dialogs, "file_to_read", lambda _title, _suffix: file, raising=False)
    QTest.mouseClick(editor.import_button, Qt.MouseButton.LeftButton)
    assert file.name in editor.message.text()
    assert placed.actions_table.keys_of("names") == ("T",)


def test_a_damaged_memory_is_as_never_changed(tmp_path: Path):
    memory = QSettings(str(tmp_path / "w.ini"), QSettings.Format.IniFormat)
    memory.setValue("shortcuts/profile", "gone")
    memory.setValue("shortcuts/right_handed", "{not json")
    memory.setValue("shortcuts/left_handed", '{"names": ["F12"]}')

    own = stored.load(memory)

    assert own.profile == "right_handed"
    assert own.keys == {"left_handed": {"names": ("F12",)}}


# ------------------------------------------------------------------------------------------------- numbered menu


def test_two_digits_from_one_key_give_a_state(shortcuts, placed, qtbot):
    click(placed, *STANDING_INDEX[13])
    key(placed, Qt.Key.Key_F4)
    menu = shortcuts.menu
    qtbot.waitUntil(menu.isVisible)
    QTest.keyClick(menu, Qt.Key.Key_1)
    submenu = menu.actions()[0].menu()
    assert submenu.isVisible()
    QTest.keyClick(submenu, Qt.Key.Key_7)
    settle(qtbot)

    assert state(placed, 13) is KeypointState.UNSURE
    assert QApplication.activePopupWidget() is None


def test_the_last_digit_opens_the_palette(shortcuts, placed, qtbot):
    key(placed, Qt.Key.Key_F4)
    qtbot.waitUntil(shortcuts.menu.isVisible)
    QTest.keyClick(shortcuts.menu, Qt.Key.Key_8)

    qtbot.waitUntil(placed.palette_card.isVisible)
    assert placed.palette_card.field.hasFocus()
    placed.palette_card.close_palette()


# --------------------------------------------------------------------------------------------------------- panes


def test_f6_goes_round_the_parts_of_the_window(shortcuts, placed):
    seen = []
    for _ in range(3):
        key(placed, Qt.Key.Key_F6)
        focus = QApplication.focusWidget()
        pane = next(
            name
            for name in ("photos_panel", "annotate_page", "person_panel")
            if getattr(placed, name).isAncestorOf(focus)
        )
        seen.append(pane)
    assert sorted(seen) == ["annotate_page", "person_panel", "photos_panel"]
    assert seen[-1] == "annotate_page"
    key(placed, Qt.Key.Key_F6, SHIFT)
    assert placed.photos_panel.isAncestorOf(QApplication.focusWidget())
    placed.annotate_page.view.setFocus()


def test_a_plugin_s_action_gets_no_key_that_is_in_use_now(shortcuts, placed):
    shortcuts.set_keys("names", ("F12",))
    row = ActionRow("late_one", "Late one", "", "", "Person", ("F12", "Ctrl+Alt+9"), where=Where.WINDOW)

    refused = placed.actions_table.add(row, lambda: None)

    assert refused == ("F12",)
    assert placed.actions_table.keys_of("late_one") == ("Ctrl+Alt+9",)
    assert placed.annotate_page.guide.phase is Phase.FREE
