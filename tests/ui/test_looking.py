"""How the photo is seen on the canvas: turned, kept, brighter, one person alone, with real keys and a real mouse."""

# ruff: noqa: F811 (fixtures are imported)
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX
from limbstudio.rendering.photo_tiles import Adjustment
from limbstudio.ui.canvas.looking import Looking
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.floats import HINT_USES
from limbstudio.ui.help.feature import Help
from limbstudio.ui.main_window import MainWindow

from .canvas_window import placed, shared_window  # noqa: F401
from .conftest import STANDING_INDEX
from .test_annotating import at, drag, key, settle

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def looking(window: MainWindow) -> Looking:
    return next(feature for feature in window.features if isinstance(feature, Looking))


def shown(window: MainWindow) -> np.ndarray:
    return pixels_of(window.annotate_page.view.viewport().grab().toImage()).astype(int)


def test_a_turned_view_leaves_the_annotation_in_the_photos_own_pixels(placed, qtbot):
    view = placed.annotate_page.view
    before = placed.session.person

    for _ in range(2):
        key(placed, Qt.Key.Key_Right, CTRL)
    key(placed, Qt.Key.Key_E, SHIFT)
    assert view.turn == 195
    assert placed.session.person == before
    place = QPointF(at(placed, 300, 400))
    assert (view.on_photo(place).x(), view.on_photo(place).y()) == pytest.approx((300, 400), abs=1.5)
    drag(placed, STANDING_INDEX[13], (380, 500))
    settle(qtbot)

    point = placed.session.person.keypoints.points[13]
    assert (point.x, point.y) == pytest.approx((380, 500), abs=2)
    key(placed, Qt.Key.Key_Home, SHIFT)
    assert view.turn == 0


def test_arrows_go_up_on_the_screen_in_a_turned_view(placed, qtbot):
    view = placed.annotate_page.view
    key(placed, Qt.Key.Key_Right, CTRL)
    view.choose(13)
    before = view.points_on_screen()[13]

    for _ in range(4):
        key(placed, Qt.Key.Key_Up)
    settle(qtbot)

    after = view.points_on_screen()[13]
    assert after.y() == pytest.approx(before.y() - 4 * view.zoom, abs=0.1)
    assert after.x() == pytest.approx(before.x(), abs=0.1)


def test_a_turned_photo_still_fits(placed):
    view = placed.annotate_page.view
    for _ in range(3):
        key(placed, Qt.Key.Key_Q, SHIFT)

    for x, y in ((0, 0), (599, 0), (599, 799), (0, 799)):
        assert view.viewport().rect().contains(view.on_screen(x, y).toPoint())


def test_zoom_and_place_are_kept_between_photos_when_asked_for(placed, qtbot):
    view = placed.annotate_page.view
    view.zoom_by(4)
    key(placed, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: view.has_photo)
    whole = view.zoom
    key(placed, Qt.Key.Key_K, SHIFT)
    assert placed.actions_table["keep_view"].isChecked()

    view.zoom_by(4)
    middle = view.on_photo(QPointF(view.viewport().rect().center()))
    key(placed, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: view.has_photo)

    assert view.zoom == pytest.approx(4 * whole)
    now = view.on_photo(QPointF(view.viewport().rect().center()))
    assert (now.x(), now.y()) == pytest.approx((middle.x(), middle.y()), abs=1)
    key(placed, Qt.Key.Key_K, SHIFT)
    assert not placed.actions_table["keep_view"].isChecked()


def test_keys_and_sliders_change_the_tones_and_one_key_takes_all_back(placed):
    view = placed.annotate_page.view
    plain = shown(placed)

    for _ in range(4):
        key(placed, Qt.Key.Key_Up, CTRL)
    key(placed, Qt.Key.Key_Right, CTRL | SHIFT)
    assert view.adjustment == Adjustment(brightness=20, gamma=1.1)
    assert (shown(placed) - plain).mean() > 5
    key(placed, Qt.Key.Key_T, SHIFT)
    card = looking(placed).tones
    assert card._brightness.value() == 20
    QTest.keyClick(card._contrast, Qt.Key.Key_Right)
    assert view.adjustment.contrast == 1
    QTest.keyClick(card._contrast, Qt.Key.Key_Escape)
    assert not card.isVisible()

    key(placed, Qt.Key.Key_Backspace, SHIFT)
    assert view.adjustment == Adjustment()
    assert np.abs(shown(placed) - plain).max() == 0


def test_shades_of_grey_are_grey(placed):
    key(placed, Qt.Key.Key_Y, SHIFT)

    corner = at(placed, 40, 40)
    pixel = shown(placed)[corner.y(), corner.x()]
    assert pixel.max() - pixel.min() == 0
    assert placed.actions_table["grey"].isChecked()


def test_the_minimap_comes_with_zoom_and_a_click_on_it_goes_there(placed, qtbot):
    view, minimap = placed.annotate_page.view, looking(placed).minimap
    assert not minimap.isVisible()

    view.zoom_by(6)
    assert minimap.isVisible()
    QTest.mouseClick(minimap, LEFT, pos=minimap.rect().center() / 2)
    settle(qtbot)

    middle = view.on_photo(QPointF(view.viewport().rect().center()))
    assert (middle.x(), middle.y()) == pytest.approx((150, 200), abs=12)
    key(placed, Qt.Key.Key_Z, SHIFT)
    assert not minimap.isVisible()
    key(placed, Qt.Key.Key_Z, SHIFT)
    assert minimap.isVisible()


def test_one_person_alone_hides_the_others_and_their_points_cannot_be_hit(placed, qtbot):
    first = placed.session.person
    placed.annotate_page.new_person()
    placed.annotate_page.guiding.leave_guide()
    view = placed.annotate_page.view
    place = QPointF(at(placed, *STANDING_INDEX[13]))
    assert view.target_at(place).person == first.id

    key(placed, Qt.Key.Key_H, SHIFT)
    assert view.target_at(place).person is None
    key(placed, Qt.Key.Key_H, SHIFT)

    assert view.target_at(place).person == first.id
    placed.session.do(edits.delete_person(placed.session.person))


def test_a_definition_that_was_shown_twenty_times_takes_one_line_and_f1_still_says_it(placed, qtbot):
    placed.memory.setValue("hints/knee", HINT_USES - 1)
    page = placed.annotate_page
    for name in ("left_knee", "right_knee"):
        edit = edits.clear_point(placed.session.person, LDPOSE_INDEX[name])
        placed.session.do(edit)
    hint = page.floats.hint

    key(placed, Qt.Key.Key_G)
    assert page.guide.next_point == LDPOSE_INDEX["left_knee"]
    assert hint._sentence.isVisible()  # the twentieth time
    tall = hint.height()
    placed.session.select_point(LDPOSE_INDEX["right_knee"])
    settle(qtbot)

    assert not hint._sentence.isVisible()
    assert hint.height() < tall / 2
    assert "kneecap" in hint.accessibleName()
    key(placed, Qt.Key.Key_F1)
    card = next(f.card for f in placed.features if isinstance(f, Help))
    assert card.page is not None and card.page.title == "Right knee"
