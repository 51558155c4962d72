"""Marks on the canvas: copies look like what is drawn, and a drag moves what it touches and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX, KeypointState
from limbstudio.domain.geometry import Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.ui.app import make_application
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.canvas.scene import CanvasScene
from limbstudio.ui.glyphs import STATE_ORDER, draw_glyph, glyph_of, glyph_reach
from limbstudio.ui.marks import Marks, marks, set_marks
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.stamps import draw_stamp
from limbstudio.ui.theme import DARK, apply_theme

from .conftest import plain_photo

WRIST, ELBOW, KNEE = (LDPOSE_INDEX[name] for name in ("left_wrist", "left_elbow", "right_knee"))


def drawn(ratio: float, draw) -> np.ndarray:
    """What `draw` paints on grey, (H, W, 3)."""
    side = round(64 * ratio)
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.darkGray)
    painter = QPainter(image)
    draw(painter)
    painter.end()
    image.setDevicePixelRatio(1.0)
    return pixels_of(image).astype(int)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("state", STATE_ORDER)
def test_a_copied_mark_looks_like_the_drawn_one(qtbot, state, ratio):
    glyph = glyph_of(next(d for d in LDPOSE if d.is_residual_end), state, selected=True)
    for at in (QPointF(32, 32), QPointF(30.25 / ratio, 31.5 / ratio), QPointF(31.1, 29.9)):
        by_hand = drawn(ratio, lambda p, at=at: draw_glyph(p, at, glyph))

        def copy(painter: QPainter, at: QPointF = at) -> None:
            draw_stamp(painter, at, glyph, glyph_reach(glyph) + 4, lambda p: draw_glyph(p, QPointF(), glyph))

        for copied in (drawn(ratio, copy), drawn(ratio, copy)):
            # An eighth of a pixel at an edge of full contrast is an eighth of 255.
            assert np.abs(copied - by_hand).max() < 80
            assert np.abs(copied - by_hand).mean() < 1.5


def test_a_mark_keeps_its_size_and_stands_upright_in_a_turned_and_larger_view(qtbot):
    glyph = glyph_of(LDPOSE[KNEE], KeypointState.VISIBLE)

    def turned(painter: QPainter) -> None:
        painter.translate(32, 32)
        painter.rotate(30)
        painter.scale(5, 5)
        draw_stamp(painter, QPointF(), glyph, glyph_reach(glyph), lambda p: draw_glyph(p, QPointF(), glyph))
        assert painter.worldTransform().m11() == pytest.approx(5 * np.cos(np.radians(30)))

    plain = drawn(1.0, lambda p: draw_glyph(p, QPointF(32, 32), glyph))

    assert np.abs(drawn(1.0, turned) - plain).max() < 8


def test_a_very_large_mark_is_drawn_and_not_kept(qtbot):
    glyph = replace(glyph_of(LDPOSE[KNEE], KeypointState.VISIBLE), diameter=150.0)

    plain = drawn(1.0, lambda p: draw_glyph(p, QPointF(32, 32), glyph))
    copied = drawn(
        1.0, lambda p: draw_stamp(p, QPointF(32, 32), glyph, 90.0, lambda q: draw_glyph(q, QPointF(), glyph))
    )

    assert np.array_equal(plain, copied)


@pytest.fixture
def someone() -> Person:
    points = tuple(Point(KeypointState.VISIBLE, 100.0 + 7 * i, 50.0 + 9 * i) for i in range(17))
    return Person("a", "photo", keypoints=Keypoints(points + (Point(),) * 8))


@pytest.fixture
def items(qtbot, someone):
    scene = CanvasScene(None)
    scene.person.show(someone, {}, selected=frozenset({WRIST}), named=frozenset({WRIST}), unit=1.0)
    return scene.person


def show(items, person, moved, **changes) -> None:
    shown = {"selected": frozenset({WRIST}), "named": frozenset({WRIST}), "unit": 1.0} | changes
    items.show(person, moved, **shown)


def place(item) -> tuple[float, float]:
    return item.pos().x(), item.pos().y()


def test_a_drag_moves_the_point_its_name_and_its_bones_and_nothing_else(items, someone):
    before = {index: place(item) for index, item in items.points.items()}
    bones = {edge: bone.boundingRect() for edge, bone in items.bones.items()}

    show(items, someone, {WRIST: (300.0, 20.0)})

    assert place(items.points[WRIST]) == (300.0, 20.0)
    assert place(items.labels[WRIST]) == (300.0, 20.0)
    assert all(place(item) == before[i] for i, item in items.points.items() if i != WRIST)
    moved = {edge for edge, bone in items.bones.items() if bone.boundingRect() != bones[edge]}
    assert moved == {edge for edge in items.bones if WRIST in edge}
    show(items, someone, {ELBOW: (10.0, 10.0)})
    assert place(items.points[WRIST]) == before[WRIST]
    assert place(items.points[ELBOW]) == (10.0, 10.0)
    show(items, someone, {})
    assert {index: place(item) for index, item in items.points.items()} == before
    assert {edge: bone.boundingRect() for edge, bone in items.bones.items()} == bones


def test_whatever_else_changes_during_a_drag_is_shown(items, someone):
    show(items, someone, {WRIST: (300.0, 20.0)})
    other = replace(someone.keypoints.points[KNEE], x=5.0, state=KeypointState.OCCLUDED)
    changed = replace(someone, keypoints=someone.keypoints.replaced(KNEE, other))

    show(items, changed, {WRIST: (301.0, 20.0)})
    assert place(items.points[KNEE])[0] == 5.0
    assert items.points[KNEE].glyph.state is KeypointState.OCCLUDED
    show(items, changed, {WRIST: (302.0, 20.0)}, selected=frozenset({KNEE}))
    assert items.points[KNEE].glyph.selected
    before = marks()
    set_marks(Marks(scale=2.0))
    try:
        show(items, changed, {WRIST: (302.0, 20.0)}, selected=frozenset({KNEE}))
        assert items.points[KNEE].glyph.diameter == 26.0
    finally:
        set_marks(before)
    absent = replace(someone.keypoints.points[WRIST], state=KeypointState.ABSENT)
    show(items, replace(someone, keypoints=someone.keypoints.replaced(WRIST, absent)), {})
    assert WRIST not in items.points
    assert all(WRIST not in edge for edge in items.bones)
    items.remove()
    show(items, someone, {})
    assert len(items.points) == 17


@pytest.fixture
def view(qtbot, someone):
    """A canvas with a person whose wrist is dragged; its marks are shown as they are."""
    apply_theme(make_application(), DARK)
    view = PhotoView()
    qtbot.addWidget(view)
    view.resize(480, 640)
    view.show()
    qtbot.waitExposed(view)
    view.show_photo(plain_photo(0))
    view.show_people(someone)
    view.set_names_visible(True)
    return view


def seen(view) -> np.ndarray:
    return pixels_of(view.viewport().grab().toImage()).astype(int)


@pytest.mark.parametrize("turn", [0, 60])
def test_what_a_drag_leaves_in_place_is_held_as_one_picture_that_looks_the_same(view, someone, turn):
    view.turn_to(turn)
    at = view.scene().person.points[WRIST].pos()
    before = seen(view)

    view.show_dragged({WRIST: (at.x(), at.y())})
    held = seen(view)
    items = view.scene().person
    hidden = {index for index, item in items.points.items() if not item.isVisible()}
    view.show_dragged({})

    assert hidden == set(items.points) - {WRIST} - {i for edge in items.bones if WRIST in edge for i in edge}
    assert len(hidden) > 10
    # What moves lies over what does not, and edges of letters fall between other pixels: nothing else looks otherwise.
    assert (np.abs(held - before).max(-1) > 24).mean() < 0.006
    assert np.abs(held - before).mean() < 0.4
    assert all(item.isVisible() for item in (*items.points.values(), *items.bones.values()))
    assert np.array_equal(seen(view), before)


def test_without_names_a_held_picture_is_the_marks_themselves(view, someone):
    view.set_names_visible(False)
    at = view.scene().person.points[WRIST].pos()
    before = seen(view)

    view.show_dragged({WRIST: (at.x(), at.y())})

    # Bones that move lie over points that do not: nothing else may look otherwise.
    assert (np.abs(seen(view) - before).max(-1) > 24).mean() < 0.002


def test_zooming_or_another_state_during_a_drag_shows_the_marks_themselves(view, someone):
    view.show_dragged({WRIST: (200.0, 300.0)})
    items = view.scene().person
    assert not items.points[KNEE].isVisible()

    view.zoom_by(2.0)
    assert items.points[KNEE].isVisible()
    for x in (201.0, 202.0):  # the first shows everything for the new zoom
        view.show_dragged({WRIST: (x, 300.0)})
    assert not items.points[KNEE].isVisible()
    other = replace(someone.keypoints.points[KNEE], state=KeypointState.OCCLUDED)
    view.show_people(replace(someone, keypoints=someone.keypoints.replaced(KNEE, other)))

    assert items.points[KNEE].glyph.state is KeypointState.OCCLUDED
    view.show_dragged({})
    assert all(item.isVisible() for item in items.points.values())
