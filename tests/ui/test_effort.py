"""How many key presses and clicks annotating a person takes, counted by a robot with real events in the real window.

Every key press counts one (a chord too), every click, every drag; the window stands at the photo, nothing is there.
The people are made up: where a point lies is known to the robot, so it never has to look twice as a person might.
"""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.domain.review import ReviewState
from limbstudio.services import pipeline
from limbstudio.ui.guided import Phase
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.shortcuts.feature import Shortcuts

from .conftest import STANDING_INDEX
from .test_annotating import click, drag

END = LDPOSE_INDEX["below_right_knee_end"]
ANKLE = LDPOSE_INDEX["right_ankle"]
PLACED = [i for i in range(17) if i != ANKLE] + [END]
BAR_FROM_NOTHING = 22
BAR_FROM_PREDICTION = 8
_NONE = Qt.KeyboardModifier.NoModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier


class Robot:
    """Does what a person does and counts it."""

    def __init__(self, window: MainWindow, qtbot) -> None:
        self.window, self.qtbot = window, qtbot
        self.clicks = self.drags = self.keys = 0

    @property
    def count(self) -> int:
        return self.clicks + self.drags + self.keys

    def click(self, index: int) -> None:
        self.clicks += 1
        click(self.window, *STANDING_INDEX[index])

    def drag(self, start: tuple[float, float], index: int) -> None:
        self.drags += 1
        drag(self.window, start, STANDING_INDEX[index])
        self.qtbot.wait(20)

    def key(self, code: Qt.Key, held=_NONE, on: QWidget | None = None) -> None:
        self.keys += 1
        QTest.keyClick(on or QApplication.focusWidget() or self.window, code, held)

    def choose_in_menu(self, text: str) -> None:
        """Click an entry of the menu that is open."""
        self.qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        entry = next(a for a in menu.actions() if a.text() == text)
        self.clicks += 1
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(entry).center())

    def place(self, index: int) -> None:
        """Click where the guide asks for a point."""
        page = self.window.annotate_page
        assert page.guide.next_point == index
        self.click(index)
        self.qtbot.waitUntil(lambda: page.guide.next_point != index)


def check(window: MainWindow, tolerance: float) -> None:
    """Check that the person is whole: level, every point near its place, no contradiction, ready."""
    person = window.session.person
    assert person is not None
    assert person.limbs[Limb.RIGHT_LEG].level is Level.TRANSTIBIAL
    for index in PLACED:
        point = person.keypoints.points[index]
        assert point.state is KeypointState.VISIBLE
        assert (point.x, point.y) == pytest.approx(STANDING_INDEX[index], abs=tolerance), index
    assert person.keypoints.points[ANKLE].state is KeypointState.ABSENT
    assert person_contradictions(person) == ()
    assert window.session.review_of(person) is ReviewState.READY


def report(robot: Robot, what: str, bar: int, record_property) -> None:
    words = f"{what}: {robot.count} ({robot.clicks} clicks, {robot.drags} drags, {robot.keys} keys; at most {bar})"
    record_property("effort", words)
    print(words)
    assert robot.count <= bar


def test_from_nothing(window, qtbot, record_property):
    robot = Robot(window, qtbot)
    robot.click(0)  # somebody is here
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.LIMBS)
    robot.click(END)
    robot.choose_in_menu("Right below-knee end")
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.PLACE)
    for index in PLACED[:-1]:
        robot.place(index)
    robot.key(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.session.review_of(window.session.person) is ReviewState.READY)

    check(window, 1.5)
    report(robot, "from nothing", BAR_FROM_NOTHING, record_property)


WRONG = {9: (440.0, 360.0), 8: (180.0, 330.0)}  # where the prediction has the left wrist and the right elbow


def predicted(seed: int = 0) -> dict[int, tuple[float, float]]:
    """Return a good prediction: 2 px of noise on every point, and two that are 45 px off."""
    rng = np.random.default_rng(seed)
    near = {
        i: tuple(np.array(xy) + rng.normal(0, 2.0, 2))
        for i, xy in STANDING_INDEX.items()
        if i < 17 or i == END
    }
    return {**near, **WRONG}


@pytest.fixture
def predicting_fit(body_fit_stand_in, monkeypatch):
    """Let the fit's body have its points where the prediction has them."""
    made = pipeline.run_fit

    def run_fit(context, work):
        answer = made(context, work)
        projected = np.full((25, 2), np.nan)
        for index, xy in predicted().items():
            projected[index] = xy
        return replace(answer, fit=replace(answer.fit, projected_px=projected))

    monkeypatch.setattr(pipeline, "run_fit", run_fit)


def fitted_person(window, qtbot, level: Level) -> None:
    """Leave a person whom nobody has worked on, with a fitted body; the robot comes after that."""
    session = window.session
    person = window.annotate_page.new_person()
    if level is not Level.INTACT:
        session.do(edits.set_limb_level(person, Limb.RIGHT_LEG, level))
    session.start(lambda: session.studio.fit(session.person.id))
    qtbot.waitUntil(lambda: session.fit is not None)
    qtbot.waitUntil(lambda: window.actions_table["accept_proposals"].isEnabled())
    window.annotate_page.view.setFocus()


def test_from_a_fitted_body_without_a_level(window, qtbot, predicting_fit, record_property):
    fitted_person(window, qtbot, Level.INTACT)
    robot = Robot(window, qtbot)
    robot.click(END)
    robot.choose_in_menu("Right below-knee end")
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.PLACE)
    robot.key(Qt.Key.Key_Y, on=window.annotate_page.view)
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.CHECK)
    for index, place in WRONG.items():
        robot.drag(place, index)
    robot.key(Qt.Key.Key_R, on=window.annotate_page.view)
    qtbot.waitUntil(lambda: window.session.review_of(window.session.person) is ReviewState.READY)

    check(window, 8.0)
    report(robot, "from a fitted body, level unknown", BAR_FROM_PREDICTION, record_property)
    window.actions_table["undo"].trigger()  # the mark
    for _ in WRONG:
        window.actions_table["undo"].trigger()
    window.actions_table["undo"].trigger()  # all proposals were one edit
    qtbot.wait(20)
    observed = window.session.person.keypoints.observed
    assert list(np.flatnonzero(observed)) == [END]


def test_from_a_fitted_body_with_its_level(window, qtbot, predicting_fit, record_property):
    fitted_person(window, qtbot, Level.TRANSTIBIAL)
    robot = Robot(window, qtbot)
    robot.key(Qt.Key.Key_Y)
    qtbot.waitUntil(lambda: window.annotate_page.guide.phase is Phase.CHECK)
    for index, place in WRONG.items():
        robot.drag(place, index)
    robot.key(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.session.review_of(window.session.person) is ReviewState.READY)

    check(window, 8.0)
    report(robot, "from a fitted body with its level", BAR_FROM_PREDICTION, record_property)


def test_from_points_that_a_model_predicted(window, qtbot, record_property):
    session = window.session
    person = window.annotate_page.new_person()
    made = edits.set_limb_level(person, Limb.RIGHT_LEG, Level.TRANSTIBIAL).changes[0].after
    for index, (x, y) in predicted().items():
        if index != ANKLE:
            made = edits.place_point(made, index, float(x), float(y)).changes[0].after
    made = replace(made, provenance=Provenance(Source.PREDICTED, by="a model"))
    session.do(edits.change_person(person, made, "Prediction"))
    window.annotate_page.guiding.begin_person()
    window.annotate_page.view.setFocus()
    qtbot.waitUntil(lambda: set(PLACED) <= set(window.annotate_page.view.points_on_screen()))
    robot = Robot(window, qtbot)
    for index, place in WRONG.items():
        robot.drag(place, index)
    robot.key(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: session.review_of(session.person) is ReviewState.READY)

    check(window, 8.0)
    report(robot, "from predicted points", BAR_FROM_PREDICTION, record_property)


def test_proposals_are_taken_one_by_one_with_enter(window, qtbot, predicting_fit):
    fitted_person(window, qtbot, Level.TRANSTIBIAL)
    page, view = window.annotate_page, window.annotate_page.view
    order = []
    for _ in range(3):
        order.append(page.guide.next_point)
        QTest.keyClick(view, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page.guide.next_point != order[-1])

    points = window.session.person.keypoints.points
    for index in order:
        assert (points[index].x, points[index].y) == pytest.approx(predicted()[index], abs=0.6)
    assert len({(points[i].x, points[i].y) for i in order}) == 3


def test_proposals_can_be_hidden_and_nothing_is_stored_by_showing_them(window, qtbot, predicting_fit):
    fitted_person(window, qtbot, Level.TRANSTIBIAL)
    person = window.session.person
    assert not person.keypoints.observed.any()
    window.actions_table["proposals"].trigger()
    qtbot.waitUntil(lambda: not window.actions_table["accept_proposals"].isEnabled())
    assert window.session.person == person
    window.actions_table["proposals"].trigger()
    qtbot.waitUntil(lambda: window.actions_table["accept_proposals"].isEnabled())


# --------------------------------------------------------------------------------------------------- by keys alone


def steer(window: MainWindow, target: tuple[float, float]) -> None:
    """Bring the crosshair within 5 px of a place by the arrow keys."""
    view = window.annotate_page.view
    if view.keyboard_place is None:
        QTest.keyClick(view, Qt.Key.Key_Left)
    for axis, (less, more) in enumerate(
        ((Qt.Key.Key_Left, Qt.Key.Key_Right), (Qt.Key.Key_Up, Qt.Key.Key_Down))
    ):
        for _ in range(200):
            place = view.keyboard_place
            off = target[axis] - (place.x(), place.y())[axis]
            if abs(off) <= 5.0:
                break
            QTest.keyClick(view, more if off > 0 else less, _SHIFT)


def test_a_person_is_annotated_by_keys_alone(window, qtbot):
    page, view = window.annotate_page, window.annotate_page.view
    window.cursor().setPos(window.mapToGlobal(QPoint(2, 2)))
    robot = Robot(window, qtbot)
    robot.key(Qt.Key.Key_N, _SHIFT)
    qtbot.waitUntil(lambda: page.guide.phase is Phase.LIMBS)
    robot.key(Qt.Key.Key_F6)
    diagram = window.person_panel.diagram
    for _ in range(8):
        if diagram.hasFocus():
            break
        robot.key(Qt.Key.Key_Tab)
    assert diagram.hasFocus()
    robot.key(Qt.Key.Key_Return)  # the right leg is chosen at first
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    for _ in range(20):
        if menu.activeAction() is not None and menu.activeAction().text().startswith("Transtibial"):
            break
        robot.key(Qt.Key.Key_Down, on=menu)
    robot.key(Qt.Key.Key_Return, on=menu)
    qtbot.waitUntil(lambda: page.guide.next_point == END)
    for _ in range(4):
        if view.hasFocus():
            break
        robot.key(Qt.Key.Key_F6, _SHIFT)
    assert view.hasFocus()

    for index in (END, *PLACED[:-1]):
        assert page.guide.next_point == index
        steer(window, STANDING_INDEX[index])
        robot.key(Qt.Key.Key_Return)
        qtbot.waitUntil(lambda i=index: page.guide.next_point != i)
    robot.key(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.session.review_of(window.session.person) is ReviewState.READY)

    check(window, 6.0)
    assert robot.clicks == robot.drags == 0


@pytest.mark.parametrize("profile", ["left_handed", "one_hand_numbers", "one_hand_left", "one_hand_right"])
def test_three_points_are_placed_by_the_keys_of_each_profile(window, qtbot, profile):
    next(f for f in window.features if isinstance(f, Shortcuts)).use_profile(profile)
    actions, page, view = window.actions_table, window.annotate_page, window.annotate_page.view

    def press(action_id: str, otherwise: Qt.Key | None = None) -> None:
        """Press the key that the action has in this profile, or the view's own."""
        shortcut = actions[action_id].shortcut()
        if shortcut.isEmpty():
            assert otherwise is not None, action_id
            QTest.keyClick(view, otherwise)
        else:
            combination = shortcut[0]
            QTest.keyClick(view, combination.key(), combination.keyboardModifiers())

    view.setFocus()
    press("new_person")
    qtbot.waitUntil(lambda: page.guide.phase is Phase.LIMBS)
    press("place_here", Qt.Key.Key_Return)  # all limbs are intact
    qtbot.waitUntil(lambda: page.guide.next_point == 0)
    for index in range(3):
        press("move_right", Qt.Key.Key_Right)
        press("move_down", Qt.Key.Key_Down)
        press("place_here", Qt.Key.Key_Return)
        qtbot.waitUntil(lambda i=index: page.guide.next_point == i + 1)
    press("step_back")
    qtbot.waitUntil(lambda: page.guide.next_point == 2)
    press("skip", Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.guide.next_point == 3)
    press("undo")
    assert window.session.person is not None
