"""Measuring the residual limb in 3D by real events: ring, section, tape, linked views, standard views, colours."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest

from limbstudio.measures.limb_sections import section_at
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.limb.colours import Colouring
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.mesh_view import View

from .limb_window import (
    CTRL,
    SHIFT,
    click,
    drag,
    feature,
    mouse,
    on_limb,
    open_limb_window,
    settle,
    wait,
    wheel,
)


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[MainWindow]:
    made = open_limb_window(tmp_path_factory.mktemp("measuring"))
    yield made
    close_window(made)


@pytest.fixture
def measuring(window) -> Iterator[Measuring]:
    """The feature, with the view in focus, no tool, seen from the front."""
    page = window.mesh_page
    window.show_residual_limb()
    settle(window)
    page.view.setFocus()
    page.look_from(View.FRONT)
    found = feature(window, Measuring)
    found.work.move_ring(0.1)
    yield found
    found.toolbox.leave()
    found.tape.clear()
    found.set_colouring(Colouring.PLAIN)
    found.set_section_card(False)


def ring_at(measuring) -> QPointF:
    """Return a place on the front of the ring."""
    px, facing = measuring.overlay.ring.seen(measuring.seen())
    middle = px[facing][np.argmin(np.abs(px[facing][:, 0] - px[facing][:, 0].mean()))]
    return QPointF(*middle)


def test_the_ring_is_dragged_along_the_limb_and_its_numbers_are_the_sections(window, measuring):
    stage, work = window.mesh_page.view.stage, measuring.work
    eye = measuring.scene.aim.eye
    start = ring_at(measuring)

    drag(stage, start, start + QPointF(0, -60))
    assert work.level_m > 0.13
    found = section_at(work.surface, work.level_m)
    wait(lambda: measuring.section.value("girth") == f"{found.girth_m * 1000:.0f} mm")
    wait(lambda: not measuring._settled.isActive())
    assert measuring.section.value("area") == f"{found.area_m2 * 1e4:.1f} cm²"
    assert measuring.section.value("ml") == f"{found.ml_m * 1000:.0f} mm"
    assert measuring.section.value("ap") == f"{found.ap_m * 1000:.0f} mm"
    assert measuring.section.value("doubt").startswith("± ")
    assert "stature" in measuring.section.scale_words
    assert len(measuring.section.chart.outline) > 20
    assert np.allclose(measuring.scene.aim.eye, eye)  # the view did not turn


def test_shift_drags_the_ring_finely(window, measuring):
    stage, work = window.mesh_page.view.stage, measuring.work
    start = ring_at(measuring)

    drag(stage, start, start + QPointF(0, -60), SHIFT)

    assert 0.1 < work.level_m < 0.11


def test_keys_and_wheel_move_the_ring(window, measuring):
    view, work = window.mesh_page.view, measuring.work
    QTest.keyClick(view, Qt.Key.Key_G)
    assert measuring.toolbox.current_id == "girth_ring"

    QTest.keyClick(view, Qt.Key.Key_Up)
    assert work.level_m == pytest.approx(0.101)
    QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
    assert work.level_m == pytest.approx(0.091)
    wheel(view.stage, ring_at(measuring), 1, SHIFT)
    assert work.level_m == pytest.approx(0.096)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert measuring.toolbox.current is None


def test_a_row_of_the_girths_and_the_ring_mark_each_other(window, measuring):
    table = window.limb_panel.table
    assert table.rowCount() >= 6
    row = [table.item(1, column).text() for column in range(5)]
    found = section_at(measuring.work.surface, 0.05)
    assert row[0] == "50 mm"
    assert row[1] == f"{found.girth_m * 1000:.0f} mm"
    assert row[2].startswith("± ")
    assert row[4].endswith("%")

    table.setFocus()
    table.selectRow(1)

    assert measuring.work.level_m == pytest.approx(0.05)
    measuring.work.move_ring(0.125)
    wait(lambda: [i.row() for i in table.selectionModel().selectedRows()] == [4])


def test_a_tape_between_two_places_is_straight_and_along_the_surface(window, measuring):
    stage = window.mesh_page.view.stage
    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_T)

    click(stage, on_limb(window, 0.5))
    assert measuring.overlay.tape is None
    click(stage, on_limb(window, 0.9))

    tape = measuring.overlay.tape[0]
    limb = measuring.work.surface
    assert tape.straight_m == pytest.approx(0.4 * limb.end_axial * limb.frame.length_m, rel=0.2)
    assert tape.straight_m <= tape.along_m < 1.3 * tape.straight_m
    assert f"{tape.along_m * 1000:.0f} mm" in window.mesh_page.options.hint

    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_Return)
    assert measuring.overlay.tape[0].along_m > 0.1  # from the end to the ring, without a mouse


def test_standard_views_by_key_are_of_the_limb(window, measuring):
    view, scene = window.mesh_page.view, measuring.scene
    seen = {}
    for key in "1234560":
        QTest.keyClick(view, key)
        px = view.stage.on_view(scene.points)
        assert (px > 0).all()
        assert (px < [view.stage.width(), view.stage.height()]).all()  # whole and in the middle
        seen[key] = scene.aim.eye - scene.aim.focus
    assert seen["1"] @ seen["2"] < 0
    assert seen["3"] @ seen["4"] < 0
    along = np.subtract(*scene.axis_line[::-1])
    assert seen["0"] @ along > 0.9 * np.linalg.norm(seen["0"]) * np.linalg.norm(along)


def test_orbit_by_mouse_and_keys_and_ctrl_drag_moves(window, measuring):
    view, scene = window.mesh_page.view, measuring.scene
    empty = QPointF(30, view.stage.height() - 90)
    before = scene.aim

    drag(view.stage, empty, empty + QPointF(80, 0))
    turned = scene.aim
    QTest.keyClick(view, Qt.Key.Key_Left)
    keyed = scene.aim
    drag(view.stage, on_limb(window, 0.6), on_limb(window, 0.6) + QPointF(50, 0), CTRL)
    moved = scene.aim

    assert np.linalg.norm(turned.eye - before.eye) > 0.05
    assert np.linalg.norm(keyed.eye - turned.eye) > 0.05
    assert np.allclose(moved.eye - keyed.eye, moved.focus - keyed.focus)
    assert np.linalg.norm(moved.focus - keyed.focus) > 0.005


def test_vtk_has_no_keys_of_its_own(window, measuring):
    view, scene = window.mesh_page.view, measuring.scene
    before, body = scene.aim, scene._body_actor()
    for key in "wsrpjeq3":  # VTK's: wireframe, surface, reset, pick, joystick, exit, quit, stereo
        QTest.keyClick(view.stage, key)
    QTest.keyClick(view, Qt.Key.Key_Q)
    window.mesh_page.look_from(View.FRONT)

    assert body.prop.style == "Surface"
    assert not view.stage.plotter.render_window.GetStereoRender()
    assert window.isVisible()
    assert np.allclose(scene.aim.eye, before.eye)


def test_linked_views_show_the_limb_from_four_sides_and_swap(window, measuring):
    views = measuring.views
    wait(lambda: all(v.has_picture for v in (views.photo, *views.views.values())))

    front = views.views[View.FRONT]
    for small in views.views.values():
        px = small.seen.pixels(measuring.scene.points)
        centre = (px.min(axis=0) + px.max(axis=0)) / 2
        assert np.abs(centre - [small.width() / 2, small.height() / 2]).max() < 12
    px = views.photo.seen.pixels(measuring.work.surface.posed())
    assert (
        np.abs(
            (px.min(axis=0) + px.max(axis=0)) / 2 - [views.photo.width() / 2, views.photo.height() / 2]
        ).max()
        < 6
    )
    assert [v.name for v in views.views.values()] == ["Front", "Right side", "Back"]

    back = views.views[View.BACK]
    window.mesh_page.look_from(View.TOP)
    mouse(back, QEvent.Type.MouseButtonDblClick, QPointF(40, 60))

    assert window.mesh_page.placed is View.BACK
    assert back.name == "Top"
    mouse(back, QEvent.Type.MouseButtonDblClick, QPointF(40, 60))
    assert back.name == "Back"
    assert front.isVisible()


def test_the_section_is_shown_large_by_key(window, measuring):
    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_S)

    assert measuring.card.isVisible()
    assert measuring.large.value("girth") == measuring.section.value("girth")
    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_S)
    assert not measuring.card.isVisible()


def test_colours_say_what_they_measure(window, measuring):
    legend = measuring.legend
    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_D, SHIFT)
    wait(legend.isVisible)
    assert measuring.colouring is Colouring.RESIDUAL
    assert legend.text.startswith("Outline from the mask")
    assert legend.text.endswith("px")
    coloured = np.asarray(measuring.scene._mesh.point_data["colour"])
    assert len(np.unique(coloured, axis=0)) > 10

    window.actions_table["colours_doubt"].trigger()
    wait(lambda: legend.text.startswith("95 %"))
    values = measuring.amounts.values
    axial = measuring.work.surface.frame.axial_of(measuring.work.surface.points)
    assert legend.text.endswith("mm")
    assert values[axial > 0.9 * axial.max()].mean() > values[axial < 0.3 * axial.max()].mean() > 0

    window.actions_table["colours_edited"].trigger()
    wait(lambda: legend.text.startswith("From the unedited"))
    assert measuring.amounts.values.max() == 0  # nothing was edited
    window.actions_table["colours_plain"].trigger()
    assert not legend.isVisible()


def test_the_strip_counts_the_limb(window, measuring):
    strip, work = window.mesh_page.strip, measuring.work
    wait(lambda: work.facts is not None)

    assert strip.text("watertight") == "Closed"
    assert strip.text("self_intersections") == "0"
    assert strip.text("volume") == f"{work.facts.volume_m3 * 1e6:.0f} ml"
    assert strip.text("mesh") == f"{work.facts.length_m * 1000:.0f} mm"
    assert strip.text("mask").endswith("px mean")


def test_the_limb_alone_and_in_the_t_pose(window, measuring):
    view, page = window.mesh_page.view, window.mesh_page
    QTest.keyClick(view, Qt.Key.Key_Q)
    alone = view.picture()
    QTest.keyClick(view, Qt.Key.Key_Q)
    with_body = view.picture()
    assert (np.abs(alone.astype(int) - with_body).max(axis=2) > 30).mean() > 0.05

    posed = measuring.scene.points.copy()
    QTest.keyClick(view, "7")
    settle(window)
    assert page.scene.rest
    assert np.abs(measuring.scene.points - posed).max() > 0.05
    found = measuring.scene.at(*on_limb(window, 0.7).toTuple())
    assert found is not None
    QTest.keyClick(view, "7")
    settle(window)
    assert np.allclose(measuring.scene.points, posed, atol=1e-5)


def test_without_a_scale_no_millimetres_are_said(measuring):
    from limbstudio.domain.body import ScaleSource
    from limbstudio.ui.limb.words import area_words, doubt_words, length_words, volume_words

    prior = ScaleSource.PRIOR
    said = [
        length_words(0.343, prior),
        area_words(0.009, prior),
        volume_words(0.002, prior),
        doubt_words(0.003, prior),
    ]
    assert said == ["≈ 34 cm", "≈ 90 cm²", "≈ 2.0 l", "no scale"]
