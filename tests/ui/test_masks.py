"""Masks drawn in the window: brush, eraser, polygon, GrabCut, layers, undo, and what is shown of them."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, Level, Limb
from limbstudio.domain.geometry import Box
from limbstudio.domain.mask_layers import LayerName, MaskKind
from limbstudio.services import masking
from limbstudio.services.kept_masks import blobs_of, recent
from limbstudio.ui.masks.feature import Masks

from .canvas_window import shared_window  # noqa: F401

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
BRUSH, ERASER, POLYGON, NEXT_LAYER = Qt.Key.Key_F8, Qt.Key.Key_F9, Qt.Key.Key_F7, Qt.Key.Key_F7
DEVICE = LayerName(MaskKind.PROSTHESIS, Limb.LEFT_LEG)


@pytest.fixture
def window(shared_window, qtbot):  # noqa: F811
    """Return the window with one person who has a box and nothing else."""
    window, session = shared_window, shared_window.session
    window.activateWindow()
    session.select_photo(session.studio.photos[0].sha256)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    for person in session.people:
        session.do(edits.delete_person(person))
    window.annotate_page.new_person()
    session.do(edits.set_box(session.person, Box(200, 60, 200, 650)))
    yield window
    window.annotate_page.view.set_tool(None)
    for feature in window.features:
        if isinstance(feature, Masks):
            feature.choose_layer(LayerName())
            feature.card.radius.setValue(12)


@pytest.fixture
def masks(window) -> Masks:
    (feature,) = [f for f in window.features if isinstance(f, Masks)]
    return feature


def key(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    view = window.annotate_page.view
    view.setFocus()
    QTest.keyClick(view, key, modifier)


def at(window, x: float, y: float) -> QPoint:
    return window.annotate_page.view.on_screen(x, y).toPoint()


def stroke(window, *places: tuple[float, float], modifier=Qt.KeyboardModifier.NoModifier):
    port = window.annotate_page.view.viewport()
    points = [at(window, *place) for place in places]
    QTest.mousePress(port, LEFT, modifier, points[0])
    for point in points[1:]:
        QTest.mouseMove(port, point)
        QApplication.processEvents()
    QTest.mouseRelease(port, LEFT, modifier, points[-1])


def click(window, x, y, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(window.annotate_page.view.viewport(), LEFT, modifier, at(window, x, y))


def kept(window, name=None) -> np.ndarray:
    return masking.read_layer(window.studio, window.session.person, name or LayerName())


def test_a_stroke_is_one_edit_and_undo_takes_it_back(window, masks, qtbot):
    key(window, BRUSH)
    stroke(window, (250, 200), (300, 260), (350, 320))

    assert kept(window)[260, 300]
    assert kept(window)[230, 275]
    assert not kept(window)[260, 400]
    assert window.session.person.mask_file.startswith("blobs/")

    stroke(window, (300, 500), (300, 520))
    assert kept(window)[510, 300]
    key(window, Qt.Key.Key_Z, CTRL)
    assert kept(window)[260, 300]
    assert not kept(window)[510, 300]
    qtbot.waitUntil(lambda: masks.is_settled and masks.items[LayerName()].pixels[510, 300] == 0)
    assert masks.items[LayerName()].pixels[260, 300] == 1


def test_nothing_is_placed_or_dragged_while_a_mask_is_drawn(window):
    key(window, BRUSH)
    stroke(window, (250, 200), (300, 260))

    assert not window.session.person.keypoints.observed.any()
    assert window.session.person.box == Box(200, 60, 200, 650)


def test_the_eraser_and_shift_take_away(window):
    key(window, BRUSH)
    stroke(window, (250, 300), (350, 300))
    stroke(window, (250, 300), (262, 300), modifier=SHIFT)
    assert not kept(window)[300, 250]
    key(window, ERASER)
    stroke(window, (350, 300), (340, 300))
    assert not kept(window)[300, 345]
    assert kept(window)[300, 300]


def test_what_is_erased_whole_leaves_no_mask(window):
    key(window, BRUSH)
    stroke(window, (250, 300), (260, 300))
    for _ in range(4):
        key(window, Qt.Key.Key_PageUp)
    stroke(window, (250, 300), (260, 300), modifier=SHIFT)

    assert window.session.person.mask_file is None
    assert masking.layers_there(window.studio.project, window.session.person) == ()


def test_an_outline_is_closed_by_enter_and_by_its_first_corner(window):
    key(window, POLYGON)
    for corner in ((220, 100), (380, 100), (380, 400)):
        click(window, *corner)
    key(window, Qt.Key.Key_Return)
    assert len(window.session.person.polygons) == 1
    for corner in ((220, 500), (380, 500), (380, 600), (220, 500)):
        click(window, *corner)
    assert len(window.session.person.polygons) == 2
    assert kept(window)[150, 370]
    assert kept(window)[520, 370]


def test_backspace_takes_a_corner_back_and_escape_leaves(window):
    key(window, POLYGON)
    for corner in ((220, 100), (380, 100), (380, 400), (300, 700)):
        click(window, *corner)
    key(window, Qt.Key.Key_Backspace)
    key(window, Qt.Key.Key_Return)
    (polygon,) = window.session.person.polygons
    assert len(polygon) == 6

    click(window, 220, 100)
    key(window, Qt.Key.Key_Escape)  # the outline
    assert window.actions_table["mask_polygon"].isChecked()
    key(window, Qt.Key.Key_Escape)  # the tool
    assert not window.actions_table["mask_polygon"].isChecked()


def test_two_corners_are_refused_in_words(window):
    key(window, POLYGON)
    click(window, 220, 100)
    click(window, 380, 100)
    key(window, Qt.Key.Key_Return)

    assert "three corners" in window.message_bar.text


def test_a_prosthesis_is_a_layer_of_its_own(window, masks, qtbot):
    window.session.do(edits.set_limb_level(window.session.person, Limb.LEFT_LEG, Level.TRANSTIBIAL))
    key(window, BRUSH)
    stroke(window, (300, 300), (310, 300))
    names = set()
    for _ in range(6):
        key(window, NEXT_LAYER, SHIFT)
        names.add(masks.layer)
        if masks.layer == DEVICE:
            break
    assert LayerName(MaskKind.PROSTHESIS, Limb.RIGHT_ARM) not in names
    stroke(window, (340, 600), (340, 640))

    assert kept(window, DEVICE)[620, 340]
    assert not kept(window)[620, 340]
    assert "left out" in masks.card.facts.text()


def test_a_layer_is_deleted_and_comes_back(window, masks, qtbot):
    key(window, BRUSH)
    stroke(window, (300, 300), (310, 300))
    action = window.actions_table["mask_clear"]
    qtbot.waitUntil(action.isEnabled)
    action.trigger()
    assert not kept(window).any()
    key(window, Qt.Key.Key_Z, CTRL)
    assert kept(window)[300, 305]


def test_grab_cut_finds_the_figure_in_the_background(window, masks, qtbot):
    places = {"left_shoulder": (360, 150), "right_shoulder": (240, 150), "left_hip": (350, 400),
              "right_hip": (250, 400), "left_ankle": (350, 660), "right_ankle": (250, 660)}  # fmt: skip
    for name, place in places.items():
        window.session.do(edits.place_point(window.session.person, LDPOSE_INDEX[name], *place))

    key(window, ERASER, SHIFT)

    qtbot.waitUntil(lambda: window.session.person.mask_file is not None, timeout=8000)
    truth = np.zeros((800, 600), bool)
    truth[60:700, 220:380] = True
    found = kept(window)
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    qtbot.waitUntil(lambda: masks.is_settled and LayerName() in masks.items)


def test_a_follower_window_draws_nothing(window, masks, monkeypatch):
    monkeypatch.setattr(type(window.session), "can_edit", property(lambda self: False))
    key(window, BRUSH)
    stroke(window, (250, 200), (300, 260))

    assert not kept(window).any()


def test_the_tool_shows_in_the_card_and_another_tool_takes_over(window, masks, qtbot):
    key(window, BRUSH)
    assert masks.card.isVisible()
    assert window.actions_table["mask_brush"].isChecked()
    key(window, ERASER)
    assert not window.actions_table["mask_brush"].isChecked()
    key(window, Qt.Key.Key_S)
    assert not masks.card.isVisible()
    assert not window.actions_table["mask_eraser"].isChecked()
    assert window.annotate_page.view.tool is None


def test_the_next_person_has_masks_of_its_own(window, masks, qtbot):
    key(window, BRUSH)
    stroke(window, (250, 200), (300, 260))
    window.annotate_page.new_person()
    qtbot.waitUntil(lambda: masks.is_settled)
    assert LayerName() not in masks.items
    stroke(window, (100, 100), (120, 100))
    assert not kept(window)[230, 275]
    assert kept(window)[100, 110]


def test_the_size_of_the_brush_follows_wheel_keys_and_field(window, masks):
    key(window, BRUSH)
    key(window, Qt.Key.Key_PageUp)
    assert masks.brush.radius == pytest.approx(15)
    masks.card.radius.setValue(40)
    assert masks.eraser.radius == 40
    stroke(window, (300, 300), (301, 300))
    assert kept(window)[300, 338]
    assert not kept(window)[300, 344]


def test_strokes_undo_and_redo_hold_when_the_project_is_opened_again(window, masks, qtbot):
    studio, folder = window.studio, window.studio.folder

    def shown_is_kept() -> bool:
        item = masks.items.get(LayerName())
        return masks.is_settled and item is not None and np.array_equal(item.pixels > 0, kept(window))

    key(window, BRUSH)
    stroke(window, (250, 100), (300, 500))
    first = kept(window)
    stroke(window, (300, 400), (320, 420), modifier=SHIFT)
    stroke(window, (350, 650), (360, 660))
    drawn_in = masks.items[LayerName()]
    last, names = kept(window), blobs_of(window.session.person.mask_file)
    key(window, Qt.Key.Key_Z, CTRL)
    key(window, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(kept(window), first)
    qtbot.waitUntil(shown_is_kept)
    assert (
        masks.items[LayerName()] is drawn_in
    )  # it is changed where it differs, not taken away and read anew
    key(window, Qt.Key.Key_Y, CTRL)
    key(window, Qt.Key.Key_Y, CTRL)
    assert np.array_equal(kept(window), last)
    qtbot.waitUntil(shown_is_kept)
    assert masks.items[LayerName()] is drawn_in

    recent.clear()
    person, photo = window.session.person.id, window.session.photo.sha256
    studio.open(folder)
    window.session.select_photo(photo)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    window.session.select_person(person)

    assert blobs_of(window.session.person.mask_file) == names
    assert np.array_equal(kept(window), last)
    window.actions_table["masks"].setChecked(False)
    window.actions_table["masks"].trigger()
    qtbot.waitUntil(shown_is_kept)
    window.annotate_page.view.set_tool(None)
    key(window, BRUSH)
    stroke(window, (250, 600), (260, 610))
    assert kept(window)[600, 250]
    assert np.array_equal(kept(window)[:560], last[:560])
    for _ in range(3):
        key(window, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(kept(window), first)


def test_a_stroke_after_an_undo_goes_on_from_what_is_shown(window, masks, qtbot):
    key(window, BRUSH)
    stroke(window, (250, 200), (300, 260))
    stroke(window, (300, 560), (310, 580))
    key(window, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: masks.is_settled and not masks.items[LayerName()].pixels[570, 305])

    stroke(window, (340, 560), (350, 580))

    assert kept(window)[230, 275]
    assert kept(window)[570, 345]
    assert not kept(window)[560, 300]
    assert np.array_equal(masks.items[LayerName()].pixels > 0, kept(window))
