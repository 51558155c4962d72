"""Correcting and measuring a residual limb without a mouse: every step is a key press in the real window."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox

from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    ResetHere,
    TipKind,
    TipShape,
)
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.limb.correcting import Correcting
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.main_window import MainWindow

from .limb_window import CTRL, SHIFT, feature, in_focus, open_limb_window, settle, wait

Key = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[MainWindow]:
    made = open_limb_window(tmp_path_factory.mktemp("keys"))
    yield made
    close_window(made)


@pytest.fixture
def correcting(window) -> Iterator[Correcting]:
    """The feature, nothing corrected, the view in focus from the front; what a test did is taken back."""
    with in_focus(window) as found:
        found.size.resize(30)
        found.size.height_mm = 4.0
        found.work.move_ring(0.1)
        yield found


def press(key: Qt.Key | str, held: Qt.KeyboardModifier = NONE, times: int = 1) -> None:
    """Press a key in what has the focus."""
    for _ in range(times):
        where = QApplication.focusWidget()
        assert where is not None, "nothing has the keyboard"
        QTest.keyClick(where, key, held)


def made(window, correcting, kind):
    """Wait for one operation of a kind to be recorded, and for its mesh; return it."""
    wait(lambda: correcting.work.operations and not correcting.work.is_busy)
    settle(window)
    (last,) = correcting.work.operations
    assert isinstance(last, kind)
    assert all(outcome.ok for outcome in correcting.work.outcomes)
    return last


def test_a_stroke_is_begun_drawn_by_arrows_and_ended(window, correcting):
    before = correcting.work.surface.points
    cursor = window.mesh_page.limb_cursor
    press("a")
    press(Key.Key_Right, times=5)
    start = cursor.place()[1]
    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT)
    press(Key.Key_Down, times=3)
    end = cursor.place()[1]
    assert not correcting.work.operations
    press(Key.Key_Space)

    stroke = made(window, correcting, BrushStroke)
    assert stroke.brush is Brush.PULL
    assert len(stroke.path) >= 3
    assert np.linalg.norm(end - start) == pytest.approx(0.013, abs=0.004)
    moved = np.linalg.norm(correcting.work.surface.points - before, axis=1)
    assert moved.max() == pytest.approx(0.004, rel=0.05)
    press("z", CTRL)
    wait(lambda: not correcting.work.operations)
    settle(window)
    assert np.allclose(correcting.work.surface.points, before)


def test_escape_gives_a_stroke_up_and_what_is_hidden_ends_it(window, correcting):
    before, drawn = correcting.work.surface.points, correcting.scene.points.copy()
    press("v")
    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT)
    assert np.abs(correcting.scene.points - drawn).max() > 0.0005
    press(Key.Key_Escape)
    assert np.allclose(correcting.scene.points, drawn)
    assert np.allclose(correcting.work.surface.points, before)
    assert correcting.toolbox.current_id == "brush_inflate"  # the tool is left by the next
    assert not correcting.work.is_busy

    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT)
    press("1", CTRL)  # Annotate
    wait(lambda: not correcting.work.is_busy)
    press("2", CTRL)
    wait(lambda: window.mesh_page.isVisible())
    made(window, correcting, BrushStroke)
    window.mesh_page.view.setFocus()


def test_a_dab_is_where_the_cursor_is_and_the_cursor_stays_on_the_limb(window, correcting):
    cursor = window.mesh_page.limb_cursor
    press("x")
    assert not cursor.is_shown  # at the ring's front
    press(Key.Key_Left, SHIFT, times=30)  # past the outline: it stays
    assert cursor.is_shown
    x, y = (round(v) for v in (cursor.at().x(), cursor.at().y()))
    assert window.mesh_page.view.stage.rect().contains(x, y)
    press(Key.Key_Return)
    made(window, correcting, BrushStroke)


def test_the_end_and_the_plane_are_moved_by_arrows(window, correcting):
    length = correcting.work.surface.end_axial * correcting.work.surface.frame.length_m
    press("e")
    press(Key.Key_Up, SHIFT)
    press(Key.Key_Up)
    press(Key.Key_Return)
    moved = made(window, correcting, EndAlongLimb)
    assert (1 - moved.factor) * correcting.work.surface.frame.length_m == pytest.approx(
        length - 0.011, abs=1e-3
    )
    press("z", CTRL)
    wait(lambda: not correcting.work.operations)
    settle(window)
    press("c")
    press(Key.Key_Left, times=4)
    press(Key.Key_Up)
    press(Key.Key_Return)
    plane = made(window, correcting, CutPlane)
    assert abs(plane.tilt_ap) == pytest.approx(np.radians(4), abs=0.03)


def test_numbers_are_typed_and_the_view_has_the_keys_again(window, correcting):
    press("k")
    press("o")
    kind = QApplication.focusWidget()
    assert isinstance(kind, QComboBox)
    wanted = TipKind.BULBOUS
    press(Key.Key_Home)
    press(Key.Key_Down, times=list(TipKind).index(wanted))
    press(Key.Key_Tab)
    field = QApplication.focusWidget()
    assert isinstance(field, QDoubleSpinBox)
    press("a", CTRL)
    QTest.keyClicks(field, "80")
    press(Key.Key_Return)
    tip = made(window, correcting, TipShape)
    assert tip.kind is wanted
    assert tip.roundness == pytest.approx(0.8)
    press(Key.Key_Escape)
    assert correcting.toolbox.current is None
    assert window.mesh_page.view.hasFocus()


def test_the_other_side_is_mirrored_and_a_place_reset(window, correcting):
    press("m")
    press(Key.Key_Return)
    made(window, correcting, MirrorOther)
    press("z", CTRL)
    wait(lambda: not correcting.work.operations)
    settle(window)
    press("r")
    press(Key.Key_Down, times=3)
    press(Key.Key_Return)
    made(window, correcting, ResetHere)


def test_ring_and_tape_measure_between_two_places(window, correcting):
    measuring = feature(window, Measuring)
    level = correcting.work.level_m
    press(Key.Key_PageUp, SHIFT)
    assert correcting.work.level_m == pytest.approx(level + 0.005)
    press("t")
    press(Key.Key_Right, times=3)
    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT, times=2)
    press(Key.Key_Space)
    tape = measuring.overlay.tape[0]
    assert tape.straight_m == pytest.approx(0.02, abs=0.008)
    assert tape.along_m >= tape.straight_m - 1e-6
    assert window.mesh_page.options.hint.startswith("Straight")


def test_the_view_comes_nearer_and_turns_while_a_brush_is_chosen(window, correcting):
    scene = correcting.scene

    def distance() -> float:
        return float(np.linalg.norm(scene.aim.eye - scene.aim.focus))

    before, eye = distance(), scene.aim.eye
    press("+")
    assert distance() < before
    press("-")
    assert distance() == pytest.approx(before)
    press("a")
    press(Key.Key_Right)
    assert np.allclose(scene.aim.eye, eye)
    press(Key.Key_Right, CTRL)
    assert not np.allclose(scene.aim.eye, eye)
    press(".")
    assert np.allclose(scene.aim.focus, window.mesh_page.limb_cursor.place()[1])
    press("8")
    assert window.mesh_page.placed is None
    towards = scene.aim.eye - scene.aim.focus
    middle = (scene.points.min(axis=0) + scene.points.max(axis=0)) / 2
    assert np.allclose(
        np.cross(towards / np.linalg.norm(towards), -middle / np.linalg.norm(middle)), 0, atol=1e-6
    )
