"""Help: the definition of every point with its example, the card of every tool, the tour of the window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX
from limbstudio.ui.actions import ACTIONS, ROWS
from limbstudio.ui.app import make_application
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.floats import ToolBar
from limbstudio.ui.help import cards, examples, figure, tour
from limbstudio.ui.help.definitions import definition_of, side_words
from limbstudio.ui.help.feature import Help
from limbstudio.ui.theme import DARK, HIGH_CONTRAST, LIGHT

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
FORBIDDEN = ("stump", "amputee", "normal", "defect", "bad side", "missing")


def help_of(window) -> Help:
    return next(feature for feature in window.features if isinstance(feature, Help))


def picture(pixmap) -> np.ndarray:
    return pixels_of(pixmap.toImage())


def test_every_point_says_where_it_lies_and_what_is_taken_for_it():
    for definition in LDPOSE:
        found = definition_of(definition.index)
        assert found.where.endswith(".") and found.beware.startswith("Not") and found.hidden
        assert bool(side_words(definition.index)) is (definition.side is not None)
    ends = {definition_of(d.index).where for d in LDPOSE if d.is_residual_end}
    assert len(ends) == 4


def test_the_words_are_respectful():
    from limbstudio.ui.help import definitions

    for words in (*definitions.every_sentence(), *cards.every_sentence(), *tour.every_sentence()):
        assert not [word for word in FORBIDDEN if word in words.lower()], words


@pytest.mark.parametrize("theme", [DARK, LIGHT, HIGH_CONTRAST], ids=lambda theme: theme.name)
def test_every_point_has_an_example_of_its_own(theme):
    make_application()
    size = QSize(240, 120)
    seen = [picture(figure.definition_picture(index, theme, size, 1.0)) for index in range(len(LDPOSE))]

    assert all(len(np.unique(one.reshape(-1, 3), axis=0)) > 10 for one in seen)
    for n, one in enumerate(seen):
        assert not any(np.array_equal(one, other) for other in seen[:n])


def test_the_figure_has_its_points_where_they_belong():
    def at(name: str):
        return figure.place_of(LDPOSE_INDEX[name])

    for definition in LDPOSE[1:]:
        here, twin = figure.place_of(definition.index), figure.place_of(definition.swap)
        assert here.x() + twin.x() == pytest.approx(200) and here.y() == pytest.approx(twin.y())
    assert at("left_eye").x() > 100 > at("right_eye").x()  # the figure faces the viewer
    for end, upper, lower in (
        ("above_left_elbow_end", "left_shoulder", "left_elbow"),
        ("below_right_elbow_end", "right_elbow", "right_wrist"),
        ("above_right_knee_end", "right_hip", "right_knee"),
        ("below_left_knee_end", "left_knee", "left_ankle"),
    ):
        assert at(upper).y() < at(end).y() < at(lower).y()
    inside = figure.silhouette(None)
    for index in range(17):
        assert inside.contains(figure.place_of(index)) or "ear" in LDPOSE[index].name


def test_every_tool_has_a_card_and_every_card_an_example():
    tools = {action_id for group in ToolBar._IDS for action_id in group} - {"fit_view", "undo", "redo"}
    tools |= {
        "draw_box",
        "state_ring",
        "reshape",
        "mask_polygon",
        "mask_brush",
        "mask_eraser",
        "mask_grab_cut",
    }

    tools |= {row.id for row in ACTIONS if row.menu in ("Limb/Correct", "Limb/Measure") and row.checkable}

    assert tools <= set(cards.CARDS)
    assert set(cards.CARDS) == set(examples.EXAMPLES)
    assert {more for card in cards.CARDS.values() for more in card.more if more in ROWS}


@pytest.mark.parametrize("tool", sorted(cards.CARDS))
def test_the_example_of_a_tool_shows_something(tool):
    make_application()

    drawn = picture(examples.example_picture(tool, "", DARK, 1.0))

    assert (drawn != drawn[0, 0]).any(axis=2).mean() > 0.02


def test_f1_explains_the_selected_point_and_goes_away_with_esc(window, qtbot):
    window.annotate_page.new_person()
    window.session.select_point(LDPOSE_INDEX["left_wrist"])
    view = window.annotate_page.view
    view.setFocus()

    QTest.keyClick(view, Qt.Key.Key_F1)

    card = help_of(window).card
    assert card.page is not None and card.page.title == "Left wrist"
    assert "bony bumps" in card.accessibleName()
    assert card.hasFocus()
    area = QRect(card.pos(), card.size())
    assert window.centralWidget().rect().contains(area)
    QTest.keyClick(card, Qt.Key.Key_Right)
    assert card.page.title == "Right wrist"
    QTest.keyClick(card, Qt.Key.Key_Escape)
    assert card.page is None
    assert view.hasFocus()


def test_shift_f1_explains_the_tool_in_use(window):
    window.annotate_page.new_person()
    window.actions_table["select"].trigger()
    help_of(window).window.cursor().setPos(QPoint(2, 2))

    QTest.keyClick(window.annotate_page.view, Qt.Key.Key_F1, SHIFT)

    card = help_of(window).card
    assert card.page is not None and card.page.title == "Select and drag points"
    assert ("S", "Select and drag points") in card.page.keys
    for _ in help_of(window).tools:  # every card can be shown
        QTest.mouseClick(card.next, LEFT)
        assert card.page is not None and card.page.paragraphs[0][1]
    assert card.page.title == "Select and drag points"


def test_the_tour_points_at_real_widgets_and_can_be_walked_back(window, qtbot):
    QTest.keyClick(window, Qt.Key.Key_F1, CTRL)
    shown = help_of(window).tour

    for number, step in enumerate(tour.STEPS):
        assert shown.at == number
        anchor = step.anchor(window)
        assert anchor.isVisible()
        middle = anchor.mapTo(window.centralWidget(), anchor.rect().center())
        assert shown.framed.contains(middle)
        assert not QRect(shown.pos(), shown.size()).contains(middle)
        assert window.centralWidget().rect().contains(QRect(shown.pos(), shown.size()))
        if number:
            QTest.mouseClick(shown.back, LEFT)
            assert shown.at == number - 1
            QTest.keyClick(shown, Qt.Key.Key_Right)
        QTest.mouseClick(shown.go_on, LEFT)

    assert shown.at is None
    assert window.memory.value("tour_seen", False, bool) is True


def test_the_tour_comes_by_itself_once_and_can_be_left(window, qtbot):
    help_of(window).begin_first_tour()
    shown = help_of(window).tour
    assert shown.at == 0

    QTest.mouseClick(next(b for b in shown.findChildren(QPushButton) if b.text() == "Leave the tour"), LEFT)

    assert shown.at is None
    help_of(window).begin_first_tour()
    assert shown.at is None
    assert isinstance(window.memory, QSettings)


def test_the_tour_blocks_nothing(window, qtbot):
    window.actions_table["tour"].trigger()

    window.annotate_page.view.setFocus()
    QTest.keyClick(window.annotate_page.view, Qt.Key.Key_D)

    assert window.studio.photos.place_of(window.session.photo.sha256) == 1
