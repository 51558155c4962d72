"""What others may not see: names, faces and, when nobody works, anything at all."""

import hashlib

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX
from limbstudio.domain.geometry import Box
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.history_panel import History
from limbstudio.ui.privacy import names
from limbstudio.ui.privacy.feature import Privacy
from limbstudio.ui.recent_menu import RecentMenu

CTRL = Qt.KeyboardModifier.ControlModifier
CTRL_ALT = CTRL | Qt.KeyboardModifier.AltModifier
CTRL_SHIFT = CTRL | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def names_shown():
    yield
    names.show()


def privacy(window) -> Privacy:
    return next(feature for feature in window.features if isinstance(feature, Privacy))


def canvas(window) -> np.ndarray:
    """Return the pixels of the canvas, without what floats over it."""
    view = window.annotate_page.view
    return pixels_of(view.viewport().grab().toImage())


def detail(window, x: float, y: float, reach: int = 14) -> float:
    """Return how much neighbouring pixels differ on the canvas around a pixel of the photo."""
    at = window.annotate_page.view.on_screen(x, y).toPoint()
    piece = canvas(window)[at.y() - reach : at.y() + reach, at.x() - reach : at.x() + reach].astype(float)
    return float(np.abs(np.diff(piece, axis=1)).mean())


@pytest.fixture
def noisy_window(open_window, project_folder, photo_files):
    """Return a window on a photo in which every pixel differs from its neighbours."""
    from PIL import Image

    from limbstudio.services.studio import Studio

    noise = np.random.default_rng(4).integers(0, 255, (800, 600, 3), np.uint8)
    path = photo_files[0].parent / "noise.png"
    Image.fromarray(noise).save(path)
    folder = photo_files[0].parent / "noise.limb"
    studio = Studio(who="test", run_inline=True)
    studio.create(folder)
    studio.import_photos([path])
    studio.quit()
    return open_window(folder)


def test_names_are_hidden_in_list_title_messages_and_panels(window, qtbot):
    window.annotate_page.new_person()
    window.message_bar.say("photo_0.png has moved.")
    assert "photo_0.png" in window.message_bar.text

    QTest.keyClick(window, Qt.Key.Key_N, CTRL_ALT)

    model = window.photos_panel.model
    shown = [model.data(model.index(0, 0), role) for role in (0, Qt.ItemDataRole.ToolTipRole)]
    assert shown[0] == "Photo 1" and "photo_0" not in str(shown[1])
    assert "photo_0" not in model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert window.message_bar.text == "Photo 1 has moved."
    assert window.windowTitle() == "Project – LimbStudio"
    assert window.person_panel.findChild(type(window.person_panel._title)) is not None
    assert "Person A" in window.person_panel._title.text()

    QTest.keyClick(window, Qt.Key.Key_N, CTRL_ALT)
    assert model.data(model.index(0, 0), 0) == "photo_0.png"
    assert window.windowTitle() == "test – LimbStudio"
    assert window.message_bar.text == "photo_0.png has moved."


def test_hidden_names_are_hidden_at_the_next_start(window):
    window.actions_table["hide_names"].trigger()

    assert window.memory.value("hide_names", False, bool) is True


def test_a_whole_photo_is_blurred_until_the_head_is_known(noisy_window, qtbot):
    window = noisy_window
    assert detail(window, 300, 120) > 20

    QTest.keyClick(window, Qt.Key.Key_B, CTRL_ALT)

    assert detail(window, 300, 120) < 3
    assert detail(window, 300, 700) < 3
    assert privacy(window).note.isVisible()

    person = window.annotate_page.new_person()
    window.session.do(edits.set_box(person, Box(150.0, 50.0, 300.0, 700.0)))
    qtbot.waitUntil(lambda: not privacy(window).note.isVisible())
    assert detail(window, 300, 120) < 3  # the top of the box
    assert detail(window, 300, 700) > 20

    window.session.do(edits.place_point(window.session.person, LDPOSE_INDEX["nose"], 300.0, 400.0))
    qtbot.waitUntil(lambda: detail(window, 300, 100) > 20)
    assert detail(window, 300, 440) < 4  # the head is where the nose is


def test_loupe_minimap_and_thumbnail_are_blurred_too(noisy_window, qtbot):
    window = noisy_window
    view, photo = window.annotate_page.view, window.session.photo
    qtbot.waitUntil(lambda: window.photos_panel.model.thumbnail(photo) is not None)

    def spread(image) -> float:
        return float(np.abs(np.diff(pixels_of(image).astype(float), axis=1)).mean())

    def thumbnail():
        return window.photos_panel.model.thumbnail(photo).toImage()

    before = spread(view.small_photo(160, 160)), spread(thumbnail())
    window.annotate_page.floats.show_loupe(300, 120)
    loupe = window.annotate_page.floats.loupe
    clear = spread(loupe.grab().toImage())

    window.actions_table["blur_faces"].trigger()

    assert spread(view.small_photo(160, 160)) < before[0] / 4
    assert spread(thumbnail()) < before[1] / 4
    assert spread(loupe.grab().toImage()) < clear / 2


def test_the_pixels_on_disk_stay_as_they_are(window, photo_files, qtbot):
    before = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photo_files]
    pixels = window.studio.photo_pixels(window.session.photo).copy()

    window.actions_table["blur_faces"].trigger()
    qtbot.wait(50)

    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in photo_files] == before
    assert np.array_equal(window.studio.photo_pixels(window.session.photo), pixels)


def test_the_cover_hides_everything_and_any_key_takes_it_off(window, qtbot):
    view = window.annotate_page.view
    view.setFocus()
    place = window.session.photo

    QTest.keyClick(window, Qt.Key.Key_L, CTRL_SHIFT)

    cover = privacy(window).cover_sheet
    assert cover.is_on
    assert cover.sheets[0].geometry() == window.rect()
    assert "cover" in cover.sheets[0].accessibleName().lower()
    picture = pixels_of(window.grab().toImage())
    middle = np.zeros(picture.shape[:2], bool)
    middle[
        window.height() // 2 - 80 : window.height() // 2 + 80,
        window.width() // 2 - 240 : window.width() // 2 + 240,
    ] = True
    assert len(np.unique(picture[~middle], axis=0)) == 1  # one ground around a few words
    assert window.windowTitle() == "LimbStudio"
    QTest.keyClick(view, Qt.Key.Key_D)  # would be the next photo

    assert not cover.is_on
    assert window.session.photo is place


def test_the_cover_comes_when_nothing_is_done_and_not_before(window, qtbot):
    cover = privacy(window).cover_sheet
    cover.set_idle(300)
    for _ in range(4):
        qtbot.wait(120)
        QTest.mouseMove(window.annotate_page.view.viewport())
        QTest.keyClick(window, Qt.Key.Key_Shift)
    assert not cover.is_on

    qtbot.waitUntil(lambda: cover.is_on, timeout=2000)

    QTest.mouseClick(window, Qt.MouseButton.LeftButton)
    assert not cover.is_on


def test_a_dialog_that_opens_while_covered_is_covered_too(window, qtbot):
    window.actions_table["cover"].trigger()

    dialog = QDialog(window)
    qtbot.addWidget(dialog)
    dialog.show()

    qtbot.waitUntil(lambda: len(privacy(window).cover_sheet.sheets) == 2)
    dialog.close()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not privacy(window).cover_sheet.is_on


@pytest.mark.parametrize("minutes", [0, 15])
def test_the_minutes_are_chosen_in_the_menu_and_remembered(window, minutes):
    window.actions_table[f"cover_after_{minutes}"].trigger()

    checked = [m for m in (0, 1, 5, 15) if window.actions_table[f"cover_after_{m}"].isChecked()]
    assert checked == [minutes]
    assert window.memory.value("cover_minutes", -1, int) == minutes


def test_who_worked_is_hidden_in_history_and_in_the_table_of_photos(window, qtbot):
    window.annotate_page.new_person()
    window.actions_table["history"].trigger()
    history = next(f for f in window.features if isinstance(f, History)).panel.model
    qtbot.waitUntil(lambda: history.rowCount() > 0)
    photos = window.photos_panel.model

    def said() -> list[str]:
        who = [history.data(history.index(row, 1)) for row in range(history.rowCount())]
        return [*who, *(str(photos.data(photos.index(0, column))) for column in range(photos.columnCount()))]

    assert any("test" in words for words in said())

    window.actions_table["hide_names"].trigger()

    assert not any("test" in words for words in said())
    assert any("Annotator A" in words for words in said())
    window.actions_table["hide_names"].trigger()
    assert any("test" in words for words in said())


def test_recent_projects_are_not_named_in_the_menu_either(window, tmp_path, qtbot):
    other = tmp_path / "Anna Muster.limb"
    other.mkdir()
    window.memory.setValue("recent", [str(other)])
    window.actions_table["hide_names"].trigger()

    menu = next(menu for menu in window.findChildren(RecentMenu))
    menu.aboutToShow.emit()

    assert [action.text() for action in menu.actions()] == ["Project"]
    window.actions_table["hide_names"].trigger()
