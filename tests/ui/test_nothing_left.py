"""What a window leaves behind when it is closed: nothing. What all windows share is made once."""

import weakref
from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QFontDatabase, QIcon
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shiboken6 import getCppPointer

from limbstudio.ui import icons
from limbstudio.ui.app import make_window
from limbstudio.ui.benches.closing import close_window, let_go
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, LIGHT, apply_theme, load_fonts, style_sheet

# Actions that make something as they are first used, and wait for nobody.
OPENED = (
    "history", "jobs", "palette", "tones", "state_ring", "minimap", "loupe", "definition", "tool_card", "masks",
    "tour", "keys", "edit_shortcuts", "switch_settings", "photo_table", "fit_options", "pick_point", "reshape",
    "point_details", "large_body", "linked_views", "section_card", "cover",
)  # fmt: skip


def work_in_it(window: MainWindow, qtbot) -> None:
    """Use what makes widgets as it is first used: canvas, search, palette, pages, dialogs, cards, themes."""
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    window.annotate_page.new_person()
    view = window.annotate_page.view
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.viewport().rect().center())
    QTest.mouseMove(view.viewport(), view.viewport().rect().center() / 2)
    QTest.keyClicks(window.photos_panel.search.edit, "lim")
    for action in OPENED:
        window.actions_table[action].trigger()
        QApplication.processEvents()
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Escape)
    window.show_residual_limb()
    QApplication.processEvents()
    window.show_annotate()
    window.session.step_photo(1)
    window.session.undo()
    QApplication.processEvents()


def test_a_closed_window_is_let_go_with_all_that_it_held(qtbot, project_folder: Path, tmp_path: Path):
    let_go()
    before = {getCppPointer(widget) for widget in QApplication.allWidgets()}
    memory = QSettings(str(tmp_path / "left.ini"), QSettings.Format.IniFormat)
    window = make_window(project_folder, memory=memory)
    window.show()
    work_in_it(window, qtbot)
    held = [window, window.session, window.studio, window.annotate_page, window.mesh_page, *window.features]
    left = [(type(thing).__name__, weakref.ref(thing)) for thing in held]

    close_window(window)
    del window, held
    let_go()

    assert [name for name, thing in left if thing() is not None] == []
    assert [widget for widget in QApplication.allWidgets() if getCppPointer(widget) not in before] == []


def test_fonts_are_loaded_and_the_style_is_set_once_for_all_windows(qtbot):
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, DARK)
    style, families = app.style(), len(QFontDatabase.families())

    load_fonts()
    apply_theme(app, DARK)

    assert app.style() is style
    assert len(QFontDatabase.families()) == families
    apply_theme(app, LIGHT)
    assert app.styleSheet() == style_sheet(LIGHT)
    apply_theme(app, DARK)
    assert app.styleSheet() == style_sheet(DARK)


def test_an_icon_is_made_once_and_each_size_of_it_drawn_once(qtbot, monkeypatch):
    drawn = []
    paint = icons.paint_icon
    monkeypatch.setattr(icons, "paint_icon", lambda *args: (drawn.append(args[2]), paint(*args)))
    icons.icon.cache_clear()

    for _ in range(5):
        scissors = icons.icon("ph.scissors", "#112233")
        small, off = scissors.pixmap(QSize(16, 16)), scissors.pixmap(QSize(16, 16), QIcon.Mode.Disabled)
        large = scissors.pixmap(QSize(32, 32))

    assert len(drawn) == 3
    assert (small.width(), off.width(), large.width()) == (16, 16, 32)
    assert small.toImage() != off.toImage()
    assert icons.icon("ph.scissors", "#332211") is not scissors
