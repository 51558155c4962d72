"""One window for the tests of a file: its photos are annotated anew for each test, because windows are slow to make."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PIL import Image
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest

from limbstudio.domain import edits
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.dialogs import Dialogs
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

from .conftest import STANDING_INDEX, Answers, plain_photo


@pytest.fixture(scope="module")
def shared_window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    folder: Path = tmp_path_factory.mktemp("canvas")
    files = []
    for n in range(2):
        files.append(folder / f"photo_{n}.png")
        Image.fromarray(plain_photo(n)).save(files[-1])
    app = make_application()
    apply_theme(app, DARK)
    bridge = Bridge()
    studio = Studio(who="test", run_inline=True, deliver=bridge.deliver)
    studio.create(folder / "test.limb")
    studio.import_photos(files)
    memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    window = MainWindow(studio, bridge, DARK, memory=memory, dialogs=cast(Dialogs, Answers(files)))
    window.resize(1400, 860)
    window.show()
    QTest.qWaitForWindowExposed(window)
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    yield window
    close_window(window)


@pytest.fixture
def placed(shared_window: MainWindow, qtbot) -> MainWindow:
    """Return the window with one person all of whose points are placed, in free editing, on the first photo."""
    window = shared_window
    page, session = window.annotate_page, window.session
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    session.select_photo(session.studio.photos[0].sha256)
    qtbot.waitUntil(lambda: page.view.has_photo)
    for person in session.people:
        session.do(edits.delete_person(person))
    made = page.new_person()
    assert made is not None
    placed = made
    for index in range(17):
        placed = edits.place_point(placed, index, *STANDING_INDEX[index]).changes[0].after
        assert placed is not None
    session.do(edits.change_person(made, placed, "Place all"))
    for action_id in ("turn_upright", "plain_tones"):
        window.actions_table[action_id].trigger()
    page.guiding.leave_guide()
    page.view.choose(None)
    page.view.fit()
    page.view.setFocus()
    qtbot.wait(10)
    return window
