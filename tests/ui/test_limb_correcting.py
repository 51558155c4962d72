"""Correcting the residual limb in 3D by real events: each tool makes an edit, with undo; a fold is refused."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from limbstudio.domain.correcting import correct
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    ResetHere,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.limb.correcting import Correcting
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.mesh_view import View

from .limb_window import SHIFT, click, drag, feature, in_focus, on_limb, open_limb_window, settle, wait, wheel


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[MainWindow]:
    made = open_limb_window(tmp_path_factory.mktemp("correcting"))
    yield made
    close_window(made)


@pytest.fixture
def correcting(window) -> Iterator[Correcting]:
    """The feature, nothing corrected, the view in focus from the front; what a test did is taken back."""
    with in_focus(window) as found:
        found.size.resize(30)
        found.size.height_mm, found.size.share = 4.0, 0.5
        yield found


def key(window, pressed, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.mesh_page.view, pressed, modifiers)


def made(window, correcting, kind):
    """Wait for an operation of a kind to be recorded, and for its mesh; return it."""
    wait(lambda: correcting.work.operations and not correcting.work.is_busy)
    settle(window)
    last = correcting.work.operations[-1]
    assert isinstance(last, kind)
    assert all(outcome.ok for outcome in correcting.work.outcomes)
    return last


@pytest.mark.parametrize(
    ("brush", "pressed"),
    [
        (Brush.PULL, "a"),
        (Brush.PUSH, "z"),
        (Brush.SMOOTH, "x"),
        (Brush.INFLATE, "v"),
        (Brush.FLATTEN, "b"),
    ],
)
def test_a_stroke_is_one_edit_and_undo_takes_it_back(window, correcting, brush, pressed):
    before, eye = correcting.work.surface.points, correcting.scene.aim.eye
    key(window, pressed)
    assert correcting.toolbox.current_id == f"brush_{brush.value}"

    start = on_limb(window, 0.55)
    drag(window.mesh_page.view.stage, start, start + QPointF(25, 30))

    stroke = made(window, correcting, BrushStroke)
    assert stroke.brush is brush
    assert len(correcting.work.operations) == 1
    after = correcting.work.surface.points
    moved = np.linalg.norm(after - before, axis=1)
    length = correcting.work.surface.frame.length_m
    assert moved.max() > 0.0003
    if brush.strength_is_a_length:
        assert stroke.strength * length == pytest.approx(0.004)
        assert moved.max() == pytest.approx(0.004, rel=0.05)
        outward = (after - before) * correcting.work.surface.normals
        assert np.sign(outward.sum()) == (-1 if brush is Brush.PUSH else 1)
    assert stroke.radius * length == pytest.approx(0.03)
    assert (moved > 0).mean() < 0.5
    assert np.allclose(correcting.scene.aim.eye, eye)

    window.session.undo()
    wait(lambda: not correcting.work.operations)
    settle(window)
    assert np.allclose(correcting.work.surface.points, before)


def test_a_stroke_is_seen_while_it_is_drawn_and_is_not_yet_recorded(window, correcting, qtbot):
    from PySide6.QtCore import QEvent

    from .limb_window import mouse

    stage = window.mesh_page.view.stage
    plain = window.mesh_page.view.picture()
    photo = window.session.photo.sha256
    recorded = len(window.studio.journal(photo))
    qtbot.waitUntil(lambda: correcting.work.facts is not None, timeout=20_000)
    before = window.mesh_page.strip.text("volume")
    section = feature(window, Measuring).section
    correcting.work.move_ring((1 - 0.55) * correcting.work.highest_level_m)
    qtbot.waitUntil(lambda: section.value("doubt").startswith("± "))
    girth = section.value("girth")
    key(window, "a")
    correcting.size.height_mm = 12.0
    start = on_limb(window, 0.55)
    mouse(stage, QEvent.Type.MouseButtonPress, start)
    for n in range(1, 5):
        mouse(stage, QEvent.Type.MouseMove, start + QPointF(5 * n, 0))
        QTest.qWait(30)

    qtbot.waitUntil(lambda: correcting.work.moving is not None)
    assert len(window.studio.journal(photo)) == recorded
    qtbot.waitUntil(lambda: window.mesh_page.strip.text("volume") != before)  # it follows, a little behind
    assert window.mesh_page.strip.text("self_intersections") == "0 so far"
    qtbot.waitUntil(lambda: section.value("girth") != girth)
    assert section.value("doubt") == "edited"  # the fit's interval no longer stands beside it
    mouse(stage, QEvent.Type.MouseButtonRelease, start + QPointF(20, 0))
    made(window, correcting, BrushStroke)
    assert len(window.studio.journal(photo)) == recorded + 1
    wait(
        lambda: correcting.work.facts is not None and window.mesh_page.strip.text("self_intersections") == "0"
    )
    changed = np.abs(window.mesh_page.view.picture().astype(int) - plain).max(axis=2) > 12
    assert changed.mean() > 0.001


def test_a_stroke_that_folds_the_surface_is_refused_and_shown(window, correcting):
    before = correcting.work.surface.points
    key(window, "v")
    correcting.size.resize(90)
    correcting.size.height_mm = -95.0  # inward beyond the bone
    start = on_limb(window, 0.6)

    drag(window.mesh_page.view.stage, start, start + QPointF(20, 0))
    wait(lambda: "fold" in window.message_bar.text)
    settle(window)

    assert "was not applied" in window.message_bar.text
    assert "from the end" in window.message_bar.text
    assert correcting.mark.place is not None
    assert not correcting.work.operations
    assert np.array_equal(correcting.work.surface.points, before)
    assert np.allclose(correcting.scene.points, correcting.work.surface.posed())


def test_size_by_key_wheel_and_number(window, correcting):
    key(window, "x")
    key(window, Qt.Key.Key_PageUp)
    assert correcting.size.radius_mm == pytest.approx(37.5)
    wheel(window.mesh_page.view.stage, on_limb(window, 0.5), -1, Qt.KeyboardModifier.ControlModifier)
    assert correcting.size.radius_mm == pytest.approx(30)
    field = correcting.brushes[Brush.SMOOTH].options.radius
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "18")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert correcting.size.radius_mm == 18
    assert field.text() == "18 mm"


def test_a_dab_without_a_mouse(window, correcting):
    key(window, "v")
    key(window, Qt.Key.Key_Return)

    stroke = made(window, correcting, BrushStroke)

    assert len(stroke.path) == 1
    surface = correcting.work.surface
    level = (surface.end_axial - stroke.path[0].axial) * surface.frame.length_m
    assert level == pytest.approx(correcting.work.level_m, abs=0.005)


def test_the_end_is_dragged_and_lambda_is_the_persons(window, correcting):
    surface, stage = correcting.work.surface, window.mesh_page.view.stage
    person = window.session.person
    wait(lambda: correcting.work.facts is not None)
    key(window, "e")
    start, tip = correcting.end._arrow()

    drag(stage, (start + tip) / 2, (start + tip) / 2 + QPointF(0, 30))

    operation = made(window, correcting, EndAlongLimb)
    now = correcting.work.surface
    assert 1 - operation.factor > surface.end_axial + 0.02
    assert now.end_axial == pytest.approx(1 - operation.factor, abs=0.02)
    assert window.session.person == person  # the label in the photo stays
    panel = window.limb_panel
    assert panel._rows["length"].text() == f"{now.end_axial * now.frame.length_m * 1000:.0f} mm"
    assert "edited by hand" in panel._rows["length_interval"].text()
    assert "95 %" not in panel._rows["length_interval"].text()
    assert panel.table.item(0, 2).text() == "edited"

    place = correcting.work.end_px()
    key(window, Qt.Key.Key_L, SHIFT)

    from limbstudio.domain.anatomy import LDPOSE_INDEX

    point = window.session.person.keypoints.points[LDPOSE_INDEX["below_right_knee_end"]]
    assert (point.x, point.y) == pytest.approx(place)


def test_the_end_by_keys_is_previewed_and_cancelled_or_applied(window, correcting):
    before = correcting.work.surface
    key(window, "e")
    key(window, Qt.Key.Key_Up, SHIFT)
    wait(lambda: correcting.scene.previews)
    assert correcting.end.length.value() == pytest.approx(
        before.end_axial * before.frame.length_m * 1000 - 10, abs=0.6
    )

    key(window, Qt.Key.Key_Escape)
    assert not correcting.scene.previews
    assert not correcting.work.operations
    key(window, Qt.Key.Key_Up, SHIFT)
    key(window, Qt.Key.Key_Return)

    made(window, correcting, EndAlongLimb)
    assert correcting.work.surface.end_axial < before.end_axial


def test_the_cut_plane_by_typed_numbers_and_by_a_handle(window, correcting):
    key(window, "c")
    was = correcting.plane.plane
    field = correcting.plane.tilt_ap
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "12")
    QTest.keyClick(field, Qt.Key.Key_Return)
    typed = made(window, correcting, CutPlane)
    assert np.degrees(typed.tilt_ap) == pytest.approx(12)
    assert typed.offset == pytest.approx(was.offset, abs=0.01)

    window.mesh_page.view.setFocus()
    window.mesh_page.look_from(View.RIGHT)
    anterior = QPointF(*correcting.plane._px()[1][0])
    drag(window.mesh_page.view.stage, anterior, anterior + QPointF(0, 25))
    wait(lambda: correcting.work.operations[-1] != typed)
    tilted = made(window, correcting, CutPlane)
    assert tilted.tilt_ap < typed.tilt_ap - 0.05

    assert len(correcting.work.operations) == 1  # a plane takes the place of the plane before
    key(window, Qt.Key.Key_Down)
    key(window, Qt.Key.Key_Return)
    wait(lambda: correcting.work.operations[-1] != tilted)
    lower = made(window, correcting, CutPlane)
    length = correcting.work.surface.frame.length_m
    assert (lower.offset - tilted.offset) * length == pytest.approx(0.001, abs=1e-6)


@pytest.mark.parametrize("kind", TipKind)
def test_the_shape_of_the_end_is_previewed_and_applied(window, correcting, kind):
    key(window, "k")
    tool = correcting.tip
    tool.kind.setCurrentIndex(list(TipKind).index(kind))
    tool.roundness.setValue(30)
    tool.fold.setValue(40)
    wait(lambda: correcting.scene.previews)
    assert not correcting.work.operations

    key(window, Qt.Key.Key_Return)

    shape = made(window, correcting, TipShape)
    assert (shape.kind, shape.roundness, shape.fold) == (kind, 0.3, 0.4)
    assert not correcting.scene.previews


def test_the_other_side_is_mirrored(window, correcting):
    before = correcting.work.surface.points
    key(window, "m")
    wait(lambda: correcting.scene.previews)
    key(window, Qt.Key.Key_Return)

    made(window, correcting, MirrorOther)

    assert np.linalg.norm(correcting.work.surface.points - before, axis=1).max() < 0.05


def test_a_place_is_reset(window, correcting):
    record = correcting.work.corrections
    stroke = BrushStroke(Brush.PULL, (SurfacePoint(0.35, 0.0),), 0.06, 0.01)
    window.session.do(correct(record, stroke))
    made(window, correcting, BrushStroke)
    surface = correcting.work.surface
    moved = np.linalg.norm(surface.points - surface.unedited, axis=1)
    peak = surface.posed()[np.argmax(moved)]
    correcting.size.resize(60)
    key(window, "r")

    click(window.mesh_page.view.stage, QPointF(*window.mesh_page.view.stage.on_view(peak[None])[0]))
    wait(lambda: len(correcting.work.operations) == 2)

    made(window, correcting, ResetHere)
    now = correcting.work.surface
    assert np.linalg.norm(now.points - now.unedited, axis=1).max() < 0.1 * moved.max()


def test_the_list_removes_from_the_middle_and_marks_what_cannot_be_repeated(window, correcting):
    record = correcting.work.corrections
    strokes = [
        BrushStroke(Brush.PULL, (SurfacePoint(0.35, 0.0),), 0.06, 0.008),
        BrushStroke(Brush.INFLATE, (SurfacePoint(0.4, 0.0),), 0.25, -0.4),  # folds on any fit
        BrushStroke(Brush.SMOOTH, (SurfacePoint(0.35, 0.0),), 0.06, 0.5),
    ]
    for stroke in strokes:
        edit = correct(record, stroke)
        window.session.do(edit)
        record = edit.changes[0].after
    wait(lambda: len(correcting.work.outcomes) == 3)
    settle(window)

    part = correcting.list
    assert [outcome.ok for outcome in correcting.work.outcomes] == [True, False, True]
    assert part.list.item(1).text().endswith("not applied")
    assert "fold" in part.note
    part.list.setFocus()
    part.list.setCurrentRow(1)
    QTest.keyClick(part.list, Qt.Key.Key_Delete)
    wait(lambda: len(correcting.work.operations) == 2 and len(correcting.work.outcomes) == 2)
    assert correcting.work.operations == (strokes[0], strokes[2])
    assert not part.note

    window.actions_table["clear_corrections"].trigger()
    wait(lambda: not correcting.work.operations)
    settle(window)
    assert part._empty.isVisible()
