"""The whole work without a mouse: every step is a key press in the real window, sent to whatever has the focus."""

import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QMenuBar, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.edits import distal_points
from limbstudio.domain.geometry import Box
from limbstudio.domain.mask_layers import LayerName, MaskKind
from limbstudio.domain.review import ReviewState
from limbstudio.services import masking
from limbstudio.ui.background.feature import Jobs
from limbstudio.ui.canvas.keys import STEP_SIZES
from limbstudio.ui.guided import Phase
from limbstudio.ui.history_panel import History
from limbstudio.ui.limb_diagram import LimbDiagram
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.masks.feature import Masks
from limbstudio.ui.shortcuts.feature import Shortcuts

from .canvas_window import shared_window  # noqa: F401
from .conftest import STANDING_INDEX

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
ANKLE, END = LDPOSE_INDEX["right_ankle"], LDPOSE_INDEX["below_right_knee_end"]


def press(key: Qt.Key | str, held: Qt.KeyboardModifier = NONE, times: int = 1) -> None:
    """Press a key where the keyboard is: in the open menu, else in what has the focus."""
    for _ in range(times):
        where = QApplication.activePopupWidget() or QApplication.focusWidget()
        assert where is not None, "nothing has the keyboard"
        QTest.keyClick(where, key, held)


def go_to(kind: type[QWidget] | QWidget, most: int = 60) -> QWidget:
    """Reach a widget, or one of a kind, by Tab alone."""
    for _ in range(most):
        focus = QApplication.focusWidget()
        if focus is kind or (isinstance(kind, type) and isinstance(focus, kind)):
            return focus
        press(Key.Key_Tab)
    raise AssertionError(f"Tab does not come to {kind}")


def go_to_pane(pane: QWidget) -> None:
    """Reach a part of the window by F6 alone."""
    for _ in range(8):
        focus = QApplication.focusWidget()
        if focus is not None and pane.isAncestorOf(focus):
            return
        press(Key.Key_F6)
    raise AssertionError(f"F6 does not come to {pane}")


def choose_in_menu(qtbot, text: str) -> None:
    """Choose an entry of the menu that opens, by arrows and Enter."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    for _ in range(40):
        active = menu.activeAction()
        if active is not None and text in active.text():
            press(Key.Key_Return)
            return
        press(Key.Key_Down)
    raise AssertionError([action.text() for action in menu.actions()])


def aim(window: MainWindow, x: float, y: float) -> None:
    """Bring the crosshair to a pixel by arrows, with the longest steps that fit, as somebody in a hurry would."""
    view = window.annotate_page.view
    while view.keyboard_place is None:
        press(Key.Key_Left)
    for axis, (less, more) in enumerate(((Key.Key_Left, Key.Key_Right), (Key.Key_Up, Key.Key_Down))):
        for size, held in ((10 * view.keys.step, SHIFT), (view.keys.step, NONE)):
            for _ in range(400):
                at = view.keyboard_place
                left = (x, y)[axis] - (at.x(), at.y())[axis]
                if abs(left) < size / 2 or (held and abs(left) < size):
                    break
                press(more if left > 0 else less, held)


def place_all(window: MainWindow, qtbot) -> None:
    page = window.annotate_page
    while page.guide.phase is Phase.PLACE:
        asked = page.guide.next_point
        aim(window, *STANDING_INDEX[asked])
        press(Key.Key_Return)
        qtbot.waitUntil(lambda asked=asked: page.guide.next_point != asked)


def test_from_an_empty_window_to_an_exported_file(
    open_window, answers, tmp_path: Path, qtbot, body_fit_stand_in
):
    answers.new_answer, answers.coco_answer = tmp_path / "keys.limb", tmp_path / "keys.json"
    window = open_window(None)
    page, session = window.annotate_page, window.session
    press(Key.Key_N, CTRL)
    qtbot.waitUntil(lambda: session.studio.is_open)
    press(Key.Key_O, CTRL)
    qtbot.waitUntil(lambda: page.view.has_photo, timeout=20_000)
    go_to_pane(page)
    qtbot.waitUntil(lambda: page.view.asks)

    press(Key.Key_Return)  # somebody is here
    qtbot.waitUntil(lambda: page.guide.phase is Phase.LIMBS)
    go_to_pane(window.person_panel)
    go_to(LimbDiagram)
    press(Key.Key_Right)
    press(Key.Key_Left)  # the right leg
    press(Key.Key_Return)
    choose_in_menu(qtbot, Level.TRANSTIBIAL.label)
    qtbot.waitUntil(lambda: page.guide.phase is Phase.PLACE)
    assert session.person.limbs[Limb.RIGHT_LEG].level is Level.TRANSTIBIAL

    go_to_pane(page)
    press(".", times=2)  # arrows go 5 px, with Shift 50
    assert page.view.keys.step == 5
    place_all(window, qtbot)
    points = session.person.keypoints.points
    for index, place in STANDING_INDEX.items():
        if index == ANKLE:
            assert points[index].state is KeypointState.ABSENT
        elif index < 17 or index == END:
            assert (points[index].x, points[index].y) == pytest.approx(place, abs=3), index

    press(Key.Key_S)
    press(Key.Key_E)
    press(Key.Key_2)
    assert points[session.point].state is KeypointState.VISIBLE
    assert session.person.keypoints.points[session.point].state is KeypointState.OCCLUDED
    press(Key.Key_Z, CTRL)
    press(Key.Key_F)
    qtbot.waitUntil(lambda: session.fit is not None)
    press(Key.Key_R)
    qtbot.waitUntil(lambda: session.review_of(session.person) is ReviewState.READY)
    press(Key.Key_E, CTRL)
    qtbot.waitUntil(lambda: answers.coco_answer.is_file())
    press(Key.Key_D)
    qtbot.waitUntil(lambda: session.photo is session.studio.photos[1])


@pytest.fixture
def window(shared_window, qtbot):  # noqa: F811
    """Return the window with one person all of whose points are placed, in free editing, the canvas in focus."""
    window, session = shared_window, shared_window.session
    page = window.annotate_page
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    session.select_photo(session.studio.photos[0].sha256)
    qtbot.waitUntil(lambda: page.view.has_photo)
    for person in session.people:
        session.do(edits.delete_person(person))
    made = page.new_person()
    placed = made
    for index in range(17):
        placed = edits.place_point(placed, index, *STANDING_INDEX[index]).changes[0].after
    session.do(edits.change_person(made, placed, "Place all"))
    page.guiding.leave_guide()
    page.view.keys.step = STEP_SIZES[0]
    page.view.choose(None)
    page.view.fit()
    page.view.setFocus()
    yield window
    page.view.give_up()
    page.view.set_tool(None)
    if window.actions_table["draw_box"].isChecked():
        window.actions_table["draw_box"].trigger()
    for feature in window.features:
        if isinstance(feature, Masks):
            feature.choose_layer(LayerName())
            feature.card.radius.setValue(12)


def kept(window, name: LayerName | None = None) -> np.ndarray:
    return masking.read_layer(window.studio, window.session.person, name or LayerName())


def where(window, index: int) -> tuple[float, float]:
    point = window.session.person.keypoints.points[index]
    return point.x, point.y


def test_a_joint_moves_with_its_chain_and_several_points_together(window):
    knee, hip = LDPOSE_INDEX["left_knee"], LDPOSE_INDEX["left_hip"]
    window.session.select_point(knee)
    press(Key.Key_J)
    assert window.annotate_page.view.selection == set(distal_points(knee)) & set(range(17))
    press(Key.Key_Right, SHIFT)
    for index in (knee, LDPOSE_INDEX["left_ankle"]):
        assert where(window, index)[0] == STANDING_INDEX[index][0] + 10
    assert where(window, hip) == STANDING_INDEX[hip]

    window.session.select_point(0)
    press(Key.Key_J, SHIFT, times=2)
    assert window.annotate_page.view.selection == {0, 1, 2}
    press(".")
    press(Key.Key_Up)
    assert where(window, 0) == (STANDING_INDEX[0][0], STANDING_INDEX[0][1] - 2)
    assert where(window, 2) == (STANDING_INDEX[2][0], STANDING_INDEX[2][1] - 2)


def test_a_box_is_drawn_from_corner_to_corner_and_given_up_by_escape(window):
    view = window.annotate_page.view
    press(Key.Key_G, SHIFT)
    aim(window, 200, 60)
    press(Key.Key_Space)
    aim(window, 250, 200)
    press(Key.Key_Escape)
    assert window.session.person.box is None
    aim(window, 200, 60)
    press(Key.Key_Space)
    aim(window, 410, 720)
    press(Key.Key_Space)

    box = window.session.person.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((200, 60, 210, 660), abs=1)
    assert view.crosshair is None
    assert not window.actions_table["draw_box"].isChecked()


def test_a_mask_is_outlined_brushed_and_erased(window, qtbot):
    (masks,) = [feature for feature in window.features if isinstance(feature, Masks)]
    press(Key.Key_F7)
    press(".", times=3)  # 10 px, with Shift 100
    for corner in ((220, 100), (380, 100), (380, 400), (220, 400)):
        aim(window, *corner)
        press(Key.Key_Space)
    press(Key.Key_Backspace)
    aim(window, 220, 420)
    press(Key.Key_Return)  # a corner: the crosshair has moved on
    press(Key.Key_Return)  # closes
    (polygon,) = window.session.person.polygons
    assert len(polygon) == 8
    assert kept(window)[200, 300]
    qtbot.waitUntil(lambda: LayerName() in masks.items and masks.items[LayerName()].pixels[200, 300])

    press(Key.Key_F8)
    aim(window, 300, 500)
    press(Key.Key_Space)
    for _ in range(5):
        press(Key.Key_Down)
    before = window.session.person.mask_file
    press(Key.Key_Space)
    assert window.session.person.mask_file != before
    mask = kept(window)
    assert mask[500:550, 300].all()
    assert mask[200, 300]
    assert not mask[520, 340]

    press(Key.Key_PageUp, times=2)
    press(Key.Key_F9)
    aim(window, 300, 500)
    press(Key.Key_Return)  # one dab
    assert not kept(window)[500, 300]
    assert kept(window)[545, 300]
    press(Key.Key_Z, CTRL)
    assert kept(window)[500, 300]


def test_one_hand_draws_a_mask_with_the_key_that_places(window):
    table = window.actions_table
    (shortcuts,) = [feature for feature in window.features if isinstance(feature, Shortcuts)]
    before = shortcuts.own.profile
    try:
        shortcuts.use_profile("one_hand_left")
        table["mask_brush"].trigger()
        press(Key.Key_S)  # down
        press(Key.Key_Space)
        press(Key.Key_S, times=12)
        press(Key.Key_Space)
        assert kept(window).any()
        assert table.keys_of("press_on_limb") == ("Space",)
    finally:
        shortcuts.use_profile(before)


def test_another_layer_is_drawn_and_its_numbers_are_typed(window, qtbot):
    press(Key.Key_F8)
    press(Key.Key_F7, SHIFT)
    (masks,) = [feature for feature in window.features if isinstance(feature, Masks)]
    assert masks.layer.kind is not MaskKind.PERSON
    field = masks.card.radius
    go_to(field)
    press("a", CTRL)
    QTest.keyClicks(QApplication.focusWidget(), "25")
    press(Key.Key_Return)
    assert masks.brush.radius == 25
    go_to_pane(window.annotate_page)


def test_a_first_key_draws_nothing_and_a_stroke_is_never_lost(window, qtbot):
    session = window.session
    first, second = (photo.sha256 for photo in session.studio.photos)
    before = len(window.studio.journal(first))
    press(Key.Key_F8)
    press(Key.Key_Space)  # only brings the crosshair up
    assert window.annotate_page.view.crosshair is not None
    assert len(window.studio.journal(first)) == before
    aim(window, 300, 300)
    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT)
    press(Key.Key_Escape)  # lets go: what was painted is kept
    assert kept(window)[305, 300]

    aim(window, 300, 500)
    press(Key.Key_Space)
    press(Key.Key_Down, SHIFT)
    person = session.person
    press(Key.Key_D)  # another photo in the middle of a stroke
    qtbot.waitUntil(lambda: session.photo.sha256 == second)
    mask = masking.read_layer(window.studio, window.studio.person(person.id), LayerName())
    assert mask[505, 300]
    assert not window.annotate_page.view.keys.is_down


def test_the_persons_outline_is_found_by_key(window, qtbot):
    window.session.do(edits.set_box(window.session.person, Box(200, 40, 220, 680)))
    before = window.session.person.mask_file
    press(Key.Key_F9, SHIFT)
    qtbot.waitUntil(lambda: window.session.person.mask_file != before, timeout=30_000)
    assert kept(window)[300, 300]


def test_arrows_move_the_view_while_nothing_is_selected(window):
    view = window.annotate_page.view
    press("+", CTRL, times=6)
    before = view.on_photo(QPointF(0, 0))
    press(Key.Key_Right)
    press(Key.Key_Down)
    after = view.on_photo(QPointF(0, 0))
    assert after.x() > before.x()
    assert after.y() > before.y()


def test_the_crosshair_stays_in_view_and_zoom_goes_to_it(window):
    view = window.annotate_page.view
    press(Key.Key_F8)
    aim(window, 500, 700)
    press("+", CTRL, times=8)
    port = view.viewport().rect()
    assert port.contains(view.on_screen(500, 700).toPoint())
    press(".", times=4)
    press(Key.Key_Left, SHIFT, times=2)
    at = view.crosshair
    assert at.x() < 200
    assert port.contains(view.on_screen(at.x(), at.y()).toPoint())


def test_history_goes_back(window, qtbot):
    photo = window.session.photo.sha256
    (history,) = [f for f in window.features if isinstance(f, History)]
    window.session.select_point(0)
    press(Key.Key_Right, SHIFT)
    moved = where(window, 0)
    press(Key.Key_H, CTRL | SHIFT)
    qtbot.waitUntil(lambda: len(history.panel.model.rows) > 1)
    assert QApplication.focusWidget() is history.panel.table
    press(Key.Key_Down, times=2)
    go_to(history.panel.back)
    entries = len(window.studio.journal(photo))
    press(Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.studio.journal(photo)) > entries)
    assert where(window, 0) != moved
    press(Key.Key_H, CTRL | SHIFT)
    go_to_pane(window.annotate_page)


def test_a_job_is_cancelled(open_window, project_folder, qtbot):
    window = open_window(project_folder)
    window.annotate_page.view.setFocus()
    (jobs,) = [f for f in window.features if isinstance(f, Jobs)]
    window.studio._workshop.run_inline = False

    def work(context):
        while True:
            context.report(0.3, "Working")
            time.sleep(0.005)

    window.studio.run(work, title="Work")
    qtbot.waitUntil(lambda: bool(jobs.panel.rows) and "Working" in jobs.panel.rows[0].text)
    press(Key.Key_J, CTRL)
    go_to(jobs.panel.rows[0].cancel)
    press(Key.Key_Space)
    qtbot.waitUntil(lambda: jobs.panel.rows[0].text == "Cancelled")
    press(Key.Key_J, CTRL)
    go_to_pane(window.annotate_page)


def test_every_action_is_in_a_menu_that_keys_open(window, qtbot):
    """Alt and a letter, arrows and Enter: what has no key of its own is reached so."""
    go_to_pane(window.annotate_page)
    bar = window.findChild(QMenuBar)
    press(Key.Key_L, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    press(Key.Key_Escape, times=2)
    menus = [action.menu() for action in bar.actions() if action.menu() is not None]
    found = set()

    def gather(menu: QMenu) -> None:
        for action in menu.actions():
            if action.menu() is not None:
                gather(action.menu())
            found.add(action.objectName())

    for menu in menus:
        gather(menu)
    rows = {row.id for row in window.actions_table.rows if row.menu}
    assert rows <= found
    assert all("&" in action.text() for action in bar.actions())
