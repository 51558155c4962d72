"""The menus: each fits a small screen in both languages, and in German the keys in them have German names."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialogButtonBox, QMenu

from limbstudio.ui.action_row import ActionRow
from limbstudio.ui.actions import ACTIONS
from limbstudio.ui.benches.closing import let_go
from limbstudio.ui.language import speak

SCREEN_PX = 768
TOP_BAR_PX = 44
NATIVE = QKeySequence.SequenceFormat.NativeText


@pytest.fixture(params=["en", "de"])
def language(request) -> Iterator[str]:
    let_go()  # windows of other tests hear nothing any more
    speak(request.param)
    yield request.param
    speak("en")


@pytest.fixture
def german() -> Iterator[None]:
    let_go()
    speak("de")
    yield
    speak("en")


def with_plugins(window) -> None:
    """Add what two plugins would: an entry of a submenu of File, and one of Person."""
    for menu in ("File/Export with a plugin", "Person/Plugins"):
        window.actions_table.add(ActionRow(menu, "Of a plugin", "", "", menu), lambda: None)


def menus_of(menu: QMenu) -> Iterator[QMenu]:
    yield menu
    for action in menu.actions():
        sub = action.menu()
        if isinstance(sub, QMenu):
            yield from menus_of(sub)


def every_menu(window) -> list[QMenu]:
    tops = [action.menu() for action in window._top.menus.actions()]
    return [menu for top in tops if isinstance(top, QMenu) for menu in menus_of(top)]


def test_every_menu_fits_below_the_bar_on_a_small_screen(language, open_window, project_folder):
    window = open_window(project_folder)
    with_plugins(window)
    tall = {}
    for menu in every_menu(window):
        menu.ensurePolished()
        height = menu.sizeHint().height()
        columns = {menu.actionGeometry(a).x() for a in menu.actions() if menu.actionGeometry(a).height()}
        if height > SCREEN_PX - TOP_BAR_PX or len(columns) > 1:  # Qt breaks what is too tall into columns
            tall[menu.title()] = height

    assert tall == {}
    assert len(every_menu(window)) > 20


def test_every_action_with_a_menu_is_in_it_once(window):
    names = [a.objectName() for menu in every_menu(window) for a in menu.actions()]
    there = [name for name in names if name and not name.startswith("plugin_")]

    assert sorted(there) == sorted(row.id for row in ACTIONS if row.menu)


def test_keys_in_german_menus_have_german_names_and_act_as_before(german, open_window, project_folder, qtbot):
    window = open_window(project_folder)
    shown = {
        name: window.actions_table[name].shortcut().toString(NATIVE)
        for name in ("undo", "redo", "clear_point", "fit_view", "mask_larger", "brighter", "step_out", "quit")
    }

    assert shown == {
        "undo": "Strg+Z",
        "redo": "Strg+Umschalt+Z",
        "clear_point": "Entf",
        "fit_view": "Pos1",
        "mask_larger": "Bild auf",
        "brighter": "Strg+Auf",
        "step_out": "Esc",
        "quit": "Strg+Q",
    }
    for row in ACTIONS:
        assert window.actions_table[row.id].shortcuts() == [
            QKeySequence(key, QKeySequence.SequenceFormat.PortableText) for key in row.keys
        ]


def test_submenus_of_plugins_and_buttons_of_qt_speak_german(german, open_window, project_folder, qtbot):
    window = open_window(project_folder)
    with_plugins(window)
    titles = {menu.title() for menu in every_menu(window)}
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(box)

    assert {"Mit einer Erweiterung exportieren", "Erweiterungen"} <= titles
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text() == "Abbrechen"


def test_keys_are_english_again_in_an_english_window(window):
    assert window.actions_table["clear_point"].shortcut().toString(NATIVE) == "Del"
