"""What the validity strip says of a correction before it is applied, and what follows a stroke in turns."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest

from limbstudio.domain.corrections import CutPlane, TipKind, TipShape
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.limb.colours import Colouring
from limbstudio.ui.limb.correcting import Correcting
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.limb.turns import Turns
from limbstudio.ui.main_window import MainWindow

from .limb_window import SHIFT, feature, in_focus, mouse, on_limb, open_limb_window, wait

COUNTED = ("watertight", "self_intersections", "mask")


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[MainWindow]:
    made = open_limb_window(tmp_path_factory.mktemp("previews"))
    yield made
    close_window(made)


@pytest.fixture
def correcting(window) -> Iterator[Correcting]:
    """The feature, its limb counted and nothing corrected; what a test did is taken back."""
    with in_focus(window) as found:
        wait(lambda: found.work.facts is not None)
        yield found


def said(window) -> dict[str, str]:
    strip = window.mesh_page.strip
    return {name: strip.text(name) for name in (*COUNTED, "volume", "mesh")}


def number(words: str) -> float:
    return float(words.removeprefix("≈ ").split()[0])


def test_the_strip_follows_the_end_before_it_is_applied(window, correcting):
    before = said(window)
    correcting.toolbox.choose("limb_end")
    for _ in range(2):
        QTest.keyClick(window.mesh_page.view, Qt.Key.Key_Down, SHIFT)

    wait(lambda: said(window)["mesh"].startswith("≈ "))
    assert number(said(window)["mesh"]) == pytest.approx(number(before["mesh"]) + 20, abs=3)
    assert number(said(window)["volume"]) > number(before["volume"])
    assert all(said(window)[name] == "Checking ..." for name in COUNTED)
    wait(lambda: said(window)["watertight"] == "Closed")
    counted = said(window)
    assert counted["self_intersections"] == "0"
    assert counted["mask"].endswith("px mean")
    assert not counted["mesh"].startswith("≈")
    assert not correcting.work.operations

    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_Return)
    wait(lambda: correcting.work.operations and correcting.work.facts is not None)
    assert said(window) == counted  # as it was foretold


def test_a_plane_that_is_given_up_leaves_the_strip_as_it_was(window, correcting):
    before = said(window)
    correcting.toolbox.choose("cut_plane")
    plane = correcting.plane.plane
    correcting.plane.set_plane(plane.offset - 0.1, 0.2, 0.0)
    wait(lambda: said(window)["watertight"] == "Closed" and said(window)["mesh"] != before["mesh"])
    assert number(said(window)["volume"]) < number(before["volume"])

    QTest.keyClick(window.mesh_page.view, Qt.Key.Key_Escape)

    assert said(window) == before
    assert correcting.work.previews.facts is None


@pytest.mark.parametrize("tool", ["tip_shape", "mirror_other"])
def test_the_strip_says_what_a_shape_or_a_mirror_image_would_do(window, correcting, tool):
    before = said(window)
    correcting.toolbox.choose(tool)
    if tool == "tip_shape":
        correcting.tip.kind.setCurrentIndex(list(TipKind).index(TipKind.BULBOUS))
        correcting.tip.roundness.setValue(20)

    wait(lambda: correcting.work.previews.facts is not None and correcting.work.previews.facts.whole)
    shown, whole = said(window), correcting.work.previews.facts.whole
    assert shown["watertight"] == "Closed"
    assert shown["self_intersections"] == str(whole.self_intersections)
    assert shown["mask"] == f"{whole.from_mask_px:.1f} px mean"
    assert shown["volume"] == f"{whole.volume_m3 * 1e6:.0f} ml"
    assert (shown["volume"] != before["volume"]) is (tool == "tip_shape")  # both sides of this body are alike

    correcting.toolbox.leave()
    assert said(window) == before


def test_what_cannot_be_done_is_said_while_it_is_previewed(window, correcting, monkeypatch):
    from limbstudio.corrections import replay

    real = replay.preview_cut

    def refused(person, fit, body, corrections):
        made = real(person, fit, body, corrections)
        no = replay.Outcome(False, "The plane misses the limb.")
        return replay.Corrected(made.mesh, {}, {limb: (no,) for limb in made.outcomes})

    monkeypatch.setattr(replay, "preview_cut", refused)
    correcting.toolbox.choose("cut_plane")
    correcting.work.preview(CutPlane(0.5, 0.1, 0.0))

    wait(lambda: "The plane misses the limb." in window.mesh_page.options.hint)
    assert not correcting.scene.previews


def test_an_older_preview_does_not_speak_for_a_newer_one(window, correcting):
    work = correcting.work
    work.preview_whole(TipShape(TipKind.CONICAL, 0.9))
    work.preview_whole(TipShape(TipKind.BULBOUS, 0.1))
    wait(lambda: work.previews.facts is not None and work.previews.facts.whole)
    newest = work.previews.facts.volume_m3

    work.preview_whole(None)
    work.preview_whole(TipShape(TipKind.BULBOUS, 0.1))
    wait(lambda: work.previews.facts is not None and work.previews.facts.whole)

    assert work.previews.facts.volume_m3 == newest
    work.preview_whole(None)


def test_turns_come_one_at_a_time_and_skip_who_has_nothing_to_do(qtbot):
    turns, seen = Turns(), []

    def turn(name: str, has_work: bool):
        def take() -> bool:
            seen.append(name)
            return has_work

        return take

    for name, has_work in (("a", True), ("b", False), ("c", True)):
        turns.add(turn(name, has_work))
    turns.moved()
    turns.moved()
    qtbot.waitUntil(lambda: "a" in seen)
    assert seen == ["a"]
    qtbot.waitUntil(lambda: "c" in seen)
    assert seen == ["a", "b", "c"]

    turns.moved()
    turns.stop()
    QTest.qWait(80)
    assert len(seen) == 3


def test_linked_views_follow_a_stroke_three_times_a_second(window, correcting):
    views = feature(window, Measuring).views
    drawn = dict.fromkeys(views.views, 0)
    draw = views._draw
    try:
        views._draw = lambda slot: (drawn.__setitem__(slot, drawn[slot] + 1), draw(slot))
        stage, start = window.mesh_page.view.stage, on_limb(window, 0.55)
        correcting.toolbox.choose("brush_pull")
        mouse(stage, QEvent.Type.MouseButtonPress, start)
        steps = 0
        while min(drawn.values()) < 2 and steps < 400:
            steps += 1
            mouse(stage, QEvent.Type.MouseMove, start + QPointF(20 * np.sin(steps / 5), steps % 9))
            QTest.qWait(5)
        assert min(drawn.values()) >= 2
        assert max(drawn.values()) - min(drawn.values()) <= 1  # in turns
    finally:
        views._draw = draw
        correcting.brushes[correcting.toolbox.current.brush].drop()


def test_the_map_of_uncertainty_says_what_it_holds(window, correcting):
    measuring = feature(window, Measuring)
    measuring.set_colouring(Colouring.DOUBT)
    wait(measuring.legend.isVisible)

    assert measuring.legend.text.startswith("95 %")
    assert "from the camera" in measuring.legend.note
    assert measuring.legend.note in measuring.legend.accessibleName()
    height = measuring.legend.height()
    measuring.set_colouring(Colouring.EDITED)
    wait(lambda: measuring.legend.text.startswith("From the unedited"))
    assert not measuring.legend.note
    assert measuring.legend.height() < height
    measuring.set_colouring(Colouring.PLAIN)
