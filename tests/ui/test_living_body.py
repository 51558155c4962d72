"""The body follows a dragged point, earlier fits are compared, and fit options are given, in a real window."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSettings, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.domain.edits import Change, Edit
from limbstudio.services.fit_options import options_of
from limbstudio.services.live import LiveBody, LivePicture
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.living.comparing import Comparing, Comparison
from limbstudio.ui.living.fit_options import FitOptionsFeature
from limbstudio.ui.living.live_body import LivingBody, SelfFit
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

LEFT = Qt.MouseButton.LeftButton
WRIST = 9
CTRL, SHIFT, PLAIN = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.NoModifier,
)
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[MainWindow]:
    """The window on the sample project, whose first person is fitted; 3D is there."""
    folder = tmp_path_factory.mktemp("living")
    shutil.copytree(sample_project(), folder / "sample.limb")
    app = make_application()
    apply_theme(app, DARK)
    bridge = Bridge()
    studio = Studio(who="test", run_inline=True, deliver=bridge.deliver)
    studio.open(folder / "sample.limb")
    memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    made = MainWindow(studio, bridge, DARK, memory=memory)
    made.show()
    made.activateWindow()
    wait(made.isActiveWindow)
    wait(lambda: made.annotate_page.view.has_photo)
    made.load_3d()
    made.studio.fit(made.session.person.id)
    wait(lambda: made.annotate_page.mesh_view.has_body)
    made.actions_table["select"].trigger()
    yield made
    close_window(made)


def wait(holds) -> None:
    until = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < until
        QTest.qWait(5)


@pytest.fixture
def view(window):
    """The canvas, with the focus; what a test did is taken back."""
    photo = window.session.photo.sha256
    before = len(window.studio.journal(photo))
    window.actions_table["annotate"].trigger()
    window.annotate_page.view.setFocus()
    yield window.annotate_page.view
    while len(window.studio.journal(photo)) > before and window.studio.undo(photo) is not None:
        pass
    QTest.qWait(20)


def feature(window, kind):
    return next(f for f in window.features if isinstance(f, kind))


def send(view, kind: QEvent.Type, at: QPoint) -> None:
    buttons = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else LEFT
    where = QPointF(at)
    glob = view.viewport().mapToGlobal(where)
    QApplication.sendEvent(view.viewport(), QMouseEvent(kind, where, glob, LEFT, buttons, PLAIN))


def begin_drag(view) -> QPoint:
    start = view.points_on_screen()[WRIST].toPoint()
    send(view, QEvent.Type.MouseButtonPress, start)
    for n in range(1, 6):
        send(view, QEvent.Type.MouseMove, start + QPoint(4 * n, -9 * n))
    return start + QPoint(20, -45)


def test_the_body_follows_a_drag_and_nothing_is_recorded_before_the_release(window, view):
    living, photo = feature(window, LivingBody), window.session.photo.sha256
    answers = []
    stop = living.shown.connect(answers.append)
    recorded = len(window.studio.journal(photo))
    kept = np.array(window.annotate_page.mesh_view.mesh.points)

    end = begin_drag(view)
    wait(lambda: any(isinstance(a, LivePicture) for a in answers))
    while_dragging = len(window.studio.journal(photo))
    was_drawn = living.layer.isVisible()
    words = window.annotate_page.floats.inset._note.text()
    moved = np.array(window.annotate_page.mesh_view.mesh.points)
    send(view, QEvent.Type.MouseButtonRelease, end)
    wait(lambda: any(isinstance(a, LivePicture) and a.is_last for a in answers))

    living.shown.disconnect(stop)
    assert while_dragging == recorded
    assert len(window.studio.journal(photo)) == recorded + 1
    assert was_drawn
    assert words == "live, not kept"
    assert moved.shape != kept.shape or np.abs(moved - kept).max() > 0.02
    assert living.shows_live
    assert window.session.fit is not None
    assert window.studio.is_stale(window.session.fit)


def test_undo_brings_the_kept_body_back(window, view):
    living = feature(window, LivingBody)
    send(view, QEvent.Type.MouseButtonRelease, begin_drag(view))
    wait(lambda: living.shows_live and living.layer.isVisible())

    QTest.keyClick(view, Qt.Key.Key_Z, CTRL)
    wait(lambda: not living.shows_live)

    assert not living.layer.isVisible()
    assert window.annotate_page.floats.inset._note.text() == ""


def test_the_body_stands_large_beside_the_canvas_and_follows_there(window, view):
    living, inset = feature(window, LivingBody), window.annotate_page.floats.inset
    small, canvas = inset.size(), view.width()

    QTest.keyClick(view, Qt.Key.Key_V, CTRL | SHIFT)
    wait(lambda: view.width() < 0.8 * canvas)
    large = inset.size()
    before = np.array(window.annotate_page.mesh_view.mesh.points)
    end = begin_drag(view)
    wait(lambda: living.layer.isVisible())
    moved = np.array(window.annotate_page.mesh_view.mesh.points)
    send(view, QEvent.Type.MouseButtonRelease, end)
    QTest.mouseDClick(inset, LEFT, pos=QPoint(20, 10))
    wait(lambda: view.width() == canvas)

    assert large.height() > 2 * small.height()
    assert inset.geometry().left() == 12
    assert moved.shape != before.shape or np.abs(moved - before).max() > 0.02
    assert not living.large_view.is_large
    assert inset.parentWidget() is window.annotate_page
    assert inset.size() == small


def test_a_killed_live_process_comes_back_within_the_drag(window, view):
    living = feature(window, LivingBody)
    answers = []
    stop = living.shown.connect(answers.append)
    end = begin_drag(view)
    wait(lambda: bool(answers))

    os.kill(living.lane.process_id, signal.SIGKILL)
    answers.clear()
    send(view, QEvent.Type.MouseMove, end + QPoint(5, 0))
    wait(lambda: any(isinstance(a, LiveBody) for a in answers))

    send(view, QEvent.Type.MouseButtonRelease, end)
    living.shown.disconnect(stop)


def test_a_fit_starts_by_itself_after_an_edit_where_the_setting_says_so(window, view):
    living = feature(window, LivingBody)
    window.actions_table["self_fit_after_edit"].trigger()
    fits = len(window.studio.fits_of(window.session.person.id))

    window.session.select_point(WRIST)
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Up, SHIFT)
    wait(lambda: len(window.studio.fits_of(window.session.person.id)) == fits + 1)
    wait(lambda: not living.shows_live)

    assert "after each edit" in living.chip.text()
    assert not window.studio.is_stale(window.session.fit)
    QTest.mouseClick(living.chip, LEFT)
    assert living.self_fit is SelfFit.ON_READY
    window.actions_table["self_fit_never"].trigger()
    assert living.chip.text() == "Fit: when asked"


def test_b_chooses_the_other_explanation_and_undo_the_first(window, view):
    person, first = window.session.person, window.session.fit
    turned = replace(first.fit, orientation=first.fit.orientation + 0.2, joints=first.fit.joints + 0.1)
    ambiguous = replace(
        first, id="ambiguous", fit=replace(first.fit, alternatives=(replace(turned, alternatives=()),))
    )
    window.studio.do(
        Edit("Two explanations", (Change(("fit", "ambiguous"), None, ambiguous),), None, person.photo)
    )
    window.studio.choose_fit(ambiguous)

    QTest.keyClick(view, Qt.Key.Key_B)
    wait(lambda: window.session.fit.id != "ambiguous")
    flipped = window.session.fit
    QTest.keyClick(view, Qt.Key.Key_Z, CTRL)
    wait(lambda: window.session.fit.id == "ambiguous")

    assert np.allclose(flipped.fit.orientation, turned.orientation)


def test_earlier_fits_are_listed_chosen_and_deleted_by_keys(window, view):
    comparing, person, first = feature(window, Comparing), window.session.person, window.session.fit
    second = replace(first, id="second", made_at="2026-01-02T10:00:00+00:00")
    window.studio.do(Edit("Another", (Change(("fit", "second"), None, second),), None, person.photo))

    QTest.keyClick(window, Qt.Key.Key_F, CTRL | SHIFT)
    card = comparing.card
    wait(lambda: card.isVisible() and card.table.topLevelItemCount() >= 2)
    row = next(
        card.table.topLevelItem(i)
        for i in range(card.table.topLevelItemCount())
        if card.table.topLevelItem(i).data(0, Qt.ItemDataRole.UserRole) == "second"
    )
    card.table.setCurrentItem(row)
    errors = row.text(3)
    QTest.mouseClick(card.choose, LEFT)
    wait(lambda: window.session.fit.id == "second")
    window.studio.choose_fit(first)
    wait(lambda: card.choose.isEnabled() or card.current == first.id)
    for i in range(card.table.topLevelItemCount()):
        item = card.table.topLevelItem(i)
        if item.data(0, Qt.ItemDataRole.UserRole) == "second":
            card.table.setCurrentItem(item)
    wait(lambda: card.delete.isEnabled())
    QTest.keyClick(card.table, Qt.Key.Key_Delete)
    wait(lambda: ("fit", "second") not in window.studio.project.records)
    QTest.keyClick(card.table, Qt.Key.Key_Escape)

    assert 0 < float(errors) < 5
    assert not card.isVisible()
    assert view.hasFocus()


def test_the_list_of_earlier_fits_lies_beside_the_canvas_and_not_over_its_points(window, view):
    comparing, action = feature(window, Comparing), window.actions_table["candidates"]
    QTest.keyClick(window, Qt.Key.Key_F, CTRL | SHIFT)
    wait(lambda: comparing.card.isVisible() and comparing.card.table.topLevelItemCount() > 0)
    card, canvas = (
        QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()) for widget in (comparing.card, view)
    )
    at = [view.mapTo(window, p.toPoint()) for p in view.points_on_screen().values()]

    assert action.isChecked()
    assert not card.intersects(canvas)
    assert at
    assert not any(card.contains(point) for point in at)
    window.actions_table["history"].trigger()
    assert not comparing.card.isVisible()
    assert not action.isChecked()
    window.actions_table["history"].trigger()


def rows_of(plotter, points: np.ndarray) -> tuple[float, float]:
    """Return where points (N, 3) lie in the picture, the highest and the lowest: 0 is the upper edge, 1 the lower."""
    camera = plotter.camera
    width, height = plotter.window_size
    matrix = camera.GetCompositeProjectionTransformMatrix(width / height, -1, 1)
    clip = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    seen = np.column_stack([points, np.ones(len(points))]) @ clip.T
    rows = 0.5 - 0.5 * seen[:, 1] / seen[:, 3]
    return float(rows.min()), float(rows.max())


def test_two_fits_stand_side_by_side_blink_and_show_their_difference(window, view):
    comparing, person, first = feature(window, Comparing), window.session.person, window.session.fit
    mesh = window.studio.body_mesh(first)
    lifted = window.studio._opened()[0].put_blob(_as_bytes(mesh.vertices + np.float32([0.0, 0.02, 0.0])))
    second = replace(first, id="moved", body=replace(first.body, vertices=lifted))
    window.studio.do(Edit("Another", (Change(("fit", "moved"), None, second),), None, person.photo))
    window.actions_table["residual_limb"].trigger()
    page = window.mesh_page
    wait(lambda: page.view.has_body and page.view.hasFocus())
    wait(window.actions_table["compare_cycle"].isEnabled)

    QTest.keyClick(page.view, Qt.Key.Key_W)
    wait(lambda: comparing._actor is not None)
    assert comparing.comparison is Comparison.SIDE_BY_SIDE
    assert "beside" in comparing.note.text()
    wait(lambda: comparing._both is not None)
    top, bottom = rows_of(page.view.stage.plotter, comparing._both)
    bar, height = page._bar, page.view.stage.height()
    assert bar.y() + bar.height() <= top * height
    assert bottom * height <= comparing.note.y()
    QTest.keyClick(page.view, Qt.Key.Key_W)
    wait(lambda: comparing._blink.isActive())
    shown = comparing.note.text()
    wait(lambda: comparing.note.text() != shown)
    assert comparing._blink.interval() >= 500
    QTest.keyClick(page.view, Qt.Key.Key_D)
    wait(lambda: comparing.legend.isVisible())

    assert "% of height" in comparing.legend.text  # nobody gave a stature, so there are no millimetres
    assert not comparing._blink.isActive()
    QTest.keyClick(page.view, Qt.Key.Key_D)
    wait(lambda: not comparing.legend.isVisible())


def _as_bytes(array: np.ndarray) -> bytes:
    from limbstudio.services.blobs import array_to_bytes

    return array_to_bytes(np.asarray(array, np.float32))


def test_pins_shape_and_stature_are_given_by_keys_and_make_the_fit_stale(window, view):
    options, studio = feature(window, FitOptionsFeature), window.studio
    window.session.select_point(WRIST)

    QTest.keyClick(view, Qt.Key.Key_P)
    QTest.keyClick(view, Qt.Key.Key_L)
    wait(lambda: options_of(studio.project, window.session.person).shape is not None)
    stale = studio.is_stale(window.session.fit)
    QTest.keyClick(view, Qt.Key.Key_O, SHIFT)
    wait(options.card.isVisible)
    options.card.stature.clear()
    QTest.keyClicks(options.card.stature, "1750")
    QTest.keyClick(options.card.stature, Qt.Key.Key_Return)
    wait(lambda: window.session.person.stature_mm == 1750.0)
    QTest.keyClick(options.card.stature, Qt.Key.Key_Escape)

    (pin,) = options_of(studio.project, window.session.person).pins
    assert pin.keypoint == WRIST
    point = window.session.person.keypoints.points[WRIST]
    assert {i: (item.x(), item.y()) for i, item in options.marks.items.items()} == {WRIST: (point.x, point.y)}
    assert stale
    assert options.card.hold.isChecked()
    assert options.card.pins.item(0).text() == "Left wrist, in the picture"
    assert not options.card.isVisible()


def test_a_stature_that_is_no_stature_is_refused_in_words(window, view):
    options = feature(window, FitOptionsFeature)
    QTest.keyClick(view, Qt.Key.Key_O, SHIFT)
    wait(options.card.isVisible)

    options.card.stature.clear()
    QTest.keyClicks(options.card.stature, "17")
    QTest.keyClick(options.card.stature, Qt.Key.Key_Return)

    assert "from 500 to 2800" in options.card._wrong.text()
    assert window.session.person.stature_mm is None
    options.card.stature.clear()
    QTest.keyClick(options.card.stature, Qt.Key.Key_Escape)
