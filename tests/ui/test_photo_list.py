"""The photo list: found, walked, counted and listed as people do it, by keys and typing in a real window."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog

from limbstudio.domain.anatomy import KeypointState, Level, Limb, LimbState, intact_limbs
from limbstudio.domain.edits import add_person
from limbstudio.domain.geometry import Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.services.studio import Studio
from limbstudio.ui.main_window import MainWindow

NAMES = ("arm.png", "empty.png", "leg.png", "predicted.png", "scar.png")


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    """Return a project of five photos: three with people, of whom one was predicted."""
    for n, name in enumerate(NAMES):
        Image.fromarray(np.full((40, 60, 3), 40 * n, np.uint8)).save(tmp_path / name)
    folder = tmp_path / "list.limb"
    studio = Studio(who="test", run_inline=True)
    studio.create(folder)
    studio.import_photos([tmp_path / name for name in NAMES])
    placed = Keypoints((Point(KeypointState.VISIBLE, 5.0, 5.0, 0.4), *(Point(),) * 24))
    leg = {**intact_limbs(), Limb.LEFT_LEG: LimbState(Level.TRANSTIBIAL)}
    arm = {**intact_limbs(), Limb.RIGHT_ARM: LimbState(Level.TRANSRADIAL)}
    ids = {Path(p.path).name: p.sha256 for p in studio.photos}
    studio.do(add_person(Person("a", ids["arm.png"], placed, arm)))
    studio.do(add_person(Person("l", ids["leg.png"], placed, leg)))
    machine = Provenance(Source.PREDICTED, "rtmpose")
    studio.do(add_person(Person("p", ids["predicted.png"], placed, provenance=machine)))
    studio.do(add_person(Person("s", ids["scar.png"], notes="A scar at the end")))
    studio.quit()
    return folder


@pytest.fixture
def shown(window: MainWindow) -> Callable[[], list[str]]:
    """Return a function that says which photos are listed."""
    model = window.photos_panel.model
    return lambda: [model.index(row, 0).data() for row in range(model.rowCount())]


def in_view(window: MainWindow) -> str:
    photo = window.session.photo
    return "" if photo is None else Path(photo.path).name


def type_search(qtbot, window: MainWindow, words: str) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.photos_panel.search.edit.hasFocus)
    qtbot.keyClicks(window.photos_panel.search.edit, words)


def test_typing_finds_photos_and_escape_brings_all_back(qtbot, window, shown):
    type_search(qtbot, window, "limb:transtibial side:left")

    qtbot.waitUntil(lambda: shown() == ["leg.png"])
    assert window.photos_panel._count.text() == "1 of 5"
    qtbot.keyClick(window.photos_panel.search.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: shown() == list(NAMES))


def test_a_search_that_finds_nothing_says_what_to_do(qtbot, window, shown):
    type_search(qtbot, window, "people>3")

    qtbot.waitUntil(window.photos_panel._nothing.isVisible)
    assert "Change the search" in window.photos_panel._nothing.text()


def test_a_wrong_word_is_underlined_and_the_right_one_named(qtbot, window, shown):
    type_search(qtbot, window, "limb:transtibail")

    field = window.photos_panel.search
    qtbot.waitUntil(field.sentence.isVisible)
    assert "transtibail" in field.edit.underlined
    assert "transtibial" in field.sentence.text()
    assert shown() == list(NAMES)


def test_walking_stays_within_what_is_found(qtbot, window, shown):
    type_search(qtbot, window, "has:person")
    qtbot.waitUntil(lambda: len(shown()) == 4)
    qtbot.keyClick(window.photos_panel.search.edit, Qt.Key.Key_Return)
    window.annotate_page.view.setFocus()

    seen = []
    for _ in range(5):
        seen.append(in_view(window))
        qtbot.keyClick(window.annotate_page.view, Qt.Key.Key_D)

    assert seen == ["arm.png", "leg.png", "predicted.png", "scar.png", "scar.png"]


def test_the_next_photo_of_a_kind_is_a_key_away(qtbot, window):
    qtbot.waitUntil(lambda: window.studio.searching.is_ready)
    view = window.annotate_page.view
    view.setFocus()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

    qtbot.keyClick(view, Qt.Key.Key_D, control | shift)
    assert in_view(window) == "predicted.png"
    qtbot.keyClick(view, Qt.Key.Key_A, shift)
    assert in_view(window) == "leg.png"
    qtbot.keyClick(view, Qt.Key.Key_D, control)
    assert in_view(window) == "scar.png"
    qtbot.keyClick(view, Qt.Key.Key_D, control)
    assert in_view(window) == "scar.png"
    assert "follows" in window.message_bar.text


def test_no_person_is_confirmed_and_taken_back_by_key(qtbot, window):
    qtbot.waitUntil(lambda: window.studio.searching.is_ready)
    view, panel = window.annotate_page.view, window.photos_panel
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_D)
    assert in_view(window) == "empty.png"
    assert panel.progress_words.text() == "0 ready, 5 to do"

    qtbot.keyClick(view, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)

    qtbot.waitUntil(lambda: panel.progress_words.text() == "1 ready, 4 to do")
    assert window.session.photo.no_person
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.progress_words.text() == "0 ready, 5 to do")
    qtbot.keyClick(view, Qt.Key.Key_A)
    qtbot.keyClick(view, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert "There is a person" in window.message_bar.text


def test_a_search_is_kept_found_in_the_menu_and_undone(qtbot, window, shown):
    type_search(qtbot, window, "is:predicted")
    qtbot.waitUntil(lambda: len(shown()) == 1)
    window.actions_table["save_search"].trigger()
    dialog = window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setTextValue("Machine made")
    dialog.accept()
    field = window.photos_panel.search
    qtbot.waitUntil(lambda: bool(field._saved))
    qtbot.keyClick(field.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(shown()) == 5)

    field._fill_menu()
    next(action for action in field.menu.actions() if action.text() == "Machine made").trigger()

    qtbot.waitUntil(lambda: shown() == ["predicted.png"])
    window.studio.undo(None)
    qtbot.waitUntil(lambda: not field._saved)


def test_an_edit_takes_a_photo_out_of_what_is_searched(qtbot, window, shown):
    type_search(qtbot, window, "is:unfinished -has:person")
    qtbot.waitUntil(lambda: shown() == ["empty.png"])
    qtbot.keyClick(window.photos_panel.search.edit, Qt.Key.Key_Return)
    window.session.select_photo(window.photos_panel.model.sha256(0))

    window.actions_table["no_person"].trigger()

    qtbot.waitUntil(lambda: shown() == [])
    assert in_view(window) == "empty.png", "it stays in view: one may have erred"


def test_the_table_shows_state_people_limbs_and_who_edited_last(qtbot, window, shown):
    qtbot.waitUntil(lambda: window.studio.searching.is_ready)
    window.actions_table["photo_table"].trigger()

    table, model = window.photos_panel.table, window.photos_panel.model
    qtbot.waitUntil(table.isVisible)
    row = [model.index(2, column).data() for column in range(model.columnCount())]
    assert row[:4] == ["leg.png", "In work", "1", "L TT"]
    assert row[4].endswith("test")
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_End)
    assert in_view(window) == "scar.png"
    qtbot.keyClick(table, Qt.Key.Key_Home)
    assert in_view(window) == "arm.png"
    window.actions_table["photo_table"].trigger()
    assert window.photos_panel.list.isVisible()


def test_go_to_a_photo_by_number_or_name(qtbot, window):
    for text, name in (("4", "predicted.png"), ("SCAR", "scar.png"), ("9", "scar.png")):
        window.actions_table["go_to_photo"].trigger()
        dialog = window.findChild(QInputDialog)
        assert dialog is not None
        dialog.setTextValue(text)
        dialog.accept()
        dialog.deleteLater()
        qtbot.waitUntil(lambda: window.findChild(QInputDialog) is None)
        assert in_view(window) == name
    assert "There is no photo" in window.message_bar.text


def test_only_photos_on_the_screen_are_looked_up(qtbot, window):
    """Fifty thousand photos must not be asked for one by one."""
    panel = window.photos_panel
    asked: set[int] = set()
    plain = panel.model.photo
    panel.model.photo = lambda row: asked.add(row) or plain(row)  # type: ignore[method-assign]
    number = 50_000
    names = [photo.sha256 for photo in window.studio.photos]

    window.session.show_only([names[n % 5] for n in range(number)])
    qtbot.wait(30)
    panel.list.scrollToBottom()
    qtbot.wait(30)

    assert panel.model.rowCount() == number
    assert asked and len(asked) < 100
    assert number - 1 in asked


def test_the_grammar_is_offered_and_taken_by_keys(qtbot, window, shown):
    field = window.photos_panel.search
    type_search(qtbot, window, "li")
    assert field.completion.choices == ("limb:",)

    qtbot.keyClick(field.edit, Qt.Key.Key_Tab)
    assert field.edit.text() == "limb:"
    assert "limb:transtibial" in field.completion.choices
    qtbot.keyClicks(field.edit, "tib")
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)
    assert field.edit.text() == "limb:transtibial "
    assert not field.completion.is_open
    qtbot.keyClicks(field.edit, "side:")
    qtbot.keyClick(field.edit, Qt.Key.Key_Down)
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)

    assert field.edit.text() == "limb:transtibial side:left "
    assert field.edit.hasFocus()
    qtbot.waitUntil(lambda: shown() == ["leg.png"])


def test_escape_closes_the_offer_first_and_enter_searches_what_is_typed(qtbot, window, shown):
    field = window.photos_panel.search
    type_search(qtbot, window, "s")  # a part of a name, too
    assert field.completion.is_open

    qtbot.keyClick(field.edit, Qt.Key.Key_Escape)
    assert not field.completion.is_open
    assert field.edit.text() == "s"
    qtbot.keyClicks(field.edit, "c")
    assert field.completion.choices == ("score>",)
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)

    assert field.edit.text() == "sc"
    assert not field.completion.is_open
    qtbot.waitUntil(lambda: shown() == ["scar.png"])
    assert window.photos_panel.view.hasFocus()


def test_a_click_takes_what_is_offered_and_the_field_keeps_the_focus(qtbot, window):
    field = window.photos_panel.search
    type_search(qtbot, window, "-is:")
    rows = field.completion.list
    item = rows.topLevelItem(field.completion.choices.index("is:predicted"))
    assert item.text(1) == "With a prediction"

    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.visualItemRect(item).center())

    assert field.edit.text() == "-is:predicted "
    assert field.edit.hasFocus()
    type_search(qtbot, window, "st")
    window.annotate_page.view.setFocus()
    assert not field.completion.is_open


def test_panels_follow_when_the_photo_was_painted_or_a_key_comes(qtbot, window):
    view, actions = window.annotate_page.view, window.actions_table
    qtbot.waitUntil(lambda: in_view(window) == "arm.png" and view.has_photo)
    assert actions["delete_person"].isEnabled()

    actions["next_photo"].trigger()
    assert in_view(window) == "empty.png"
    assert window.session.is_unsettled
    qtbot.waitUntil(lambda: not actions["delete_person"].isEnabled())
    assert window.person_panel._title.text() == "No person"
    assert window.photos_panel.list.currentIndex().row() == 1

    qtbot.wait(100)  # a step right after another would wait for keys behind it
    actions["next_photo"].trigger()
    qtbot.keyClick(view, Qt.Key.Key_Shift)  # no event of the window's own was handled meanwhile
    assert not window.session.is_unsettled
    assert actions["delete_person"].isEnabled()
    assert window.person_panel._title.text() == "Person 1"
