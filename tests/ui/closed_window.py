"""Open a window on a project, work in it, close it, and print as JSON what it left behind.

Usage: closed_window.py PROJECT SETTINGS.ini. In a process of its own, where no other window ever was.
"""

import json
import sys
import time
import weakref
from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.ui.app import make_application, make_window
from limbstudio.ui.benches.closing import close_window, let_go
from limbstudio.ui.main_window import MainWindow

# Actions that make something as they are first used, and wait for nobody.
OPENED = (
    "history", "jobs", "palette", "tones", "state_ring", "minimap", "loupe", "definition", "tool_card", "masks",
    "tour", "keys", "edit_shortcuts", "switch_settings", "photo_table", "fit_options", "pick_point", "reshape",
    "point_details", "large_body", "linked_views", "section_card", "cover",
)  # fmt: skip
_PATIENCE_S = 30.0


def work_in_it(window: MainWindow) -> None:
    """Use what makes widgets as it is first used: canvas, search, palette, pages, dialogs, cards, themes."""
    until = time.monotonic() + _PATIENCE_S
    while not window.annotate_page.view.has_photo and time.monotonic() < until:
        QTest.qWait(10)
    assert window.annotate_page.view.has_photo
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


def main(project: Path, settings: Path) -> None:
    app = make_application()
    before = len(app.allWidgets())
    window = make_window(project, memory=QSettings(str(settings), QSettings.Format.IniFormat))
    window.show()
    work_in_it(window)
    held = [window, window.session, window.studio, window.annotate_page, window.mesh_page, *window.features]
    left = [(type(thing).__name__, weakref.ref(thing)) for thing in held]
    made = len(app.allWidgets()) - before
    close_window(window)
    del window, held
    let_go()
    objects = [name for name, thing in left if thing() is not None]
    print(json.dumps({"made": made, "objects": objects, "widgets": [repr(w) for w in app.allWidgets()]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
