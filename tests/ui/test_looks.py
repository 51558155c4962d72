"""What is seen: nothing covered that need not be, nothing cut off, every choice visible in every theme."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QCheckBox, QRadioButton, QSlider, QSpinBox, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState, Level, Limb
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.canvas.selecting import Selecting
from limbstudio.ui.glyphs import glyph_of, glyph_pixmap
from limbstudio.ui.limb.colour_switch import ColourSwitch
from limbstudio.ui.panels.parts import off_the_edge
from limbstudio.ui.panels.photo_rows import fitting_code
from limbstudio.ui.theme import DARK, HIGH_CONTRAST, LIGHT, THEMES, apply_theme

from .canvas_window import placed, shared_window  # noqa: F401 - fixtures


def application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def stands_out(widget: QWidget, ground: str) -> float:
    """Return the largest difference of lightness between a widget's pixels and the ground, 0 to 255."""
    shown = pixels_of(widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)).astype(int)
    colour = QColor(ground)
    return float(np.abs(shown - [colour.red(), colour.green(), colour.blue()]).sum(axis=2).max() / 3)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_choices_and_sliders_are_seen_in_every_theme(window, theme, qtbot):
    apply_theme(application(), theme)
    for made in (QCheckBox(), QRadioButton(), QSlider(Qt.Orientation.Horizontal)):
        qtbot.addWidget(made)
        made.resize(40, 24)
        made.show()
        assert stands_out(made, theme.bg) > 40
    apply_theme(application(), DARK)


def test_a_number_keeps_off_the_edge_of_its_field(window, qtbot):
    field = QSpinBox()
    qtbot.addWidget(field)
    off_the_edge(field)
    assert field.lineEdit().textMargins().left() == field.lineEdit().textMargins().right() == 7


def test_a_photo_that_is_seen_whole_lies_between_the_bars(placed):  # noqa: F811
    view, floats = placed.annotate_page.view, placed.annotate_page.floats
    width, height = view.photo_size
    top, bottom = view.on_screen(0, 0).y(), view.on_screen(width, height).y()

    assert top >= floats.tool_bar.geometry().bottom()
    assert bottom <= floats.state_bar.geometry().top()


def test_names_at_all_points_do_not_cover_each_other(placed, qtbot):  # noqa: F811
    person = placed.session.person
    near = {index: (300.0 + index, 400.0 + 3 * index) for index in range(6)}
    placed.session.do(edits.move_points(person, near))

    placed.actions_table["names"].trigger()
    view = placed.annotate_page.view
    labels = view.scene().person.labels.values()
    boxes = [n.boundingRect().translated(view.on_screen(n.pos().x(), n.pos().y())) for n in labels]

    assert len(boxes) == 17
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[:n])
    placed.actions_table["names"].trigger()


def test_the_ring_of_states_goes_when_the_focus_goes(placed):  # noqa: F811
    placed.session.select_point(9)
    placed.actions_table["state_ring"].trigger()
    ring = next(f for f in placed.features if isinstance(f, Selecting)).ring
    assert ring.isVisible()

    placed.actions_table["palette"].trigger()

    assert not ring.isVisible()
    assert placed.palette_card.isVisible()
    placed.palette_card.close_palette()


def test_what_contradicts_itself_is_seen_without_scrolling(placed, qtbot):  # noqa: F811
    person = placed.session.person
    placed.session.do(edits.set_limb_level(person, Limb.LEFT_LEG, Level.TRANSFEMORAL))
    placed.session.do(edits.place_point(placed.session.person, 15, 300.0, 700.0))
    panel = placed.person_panel

    area = panel._findings_area
    qtbot.waitUntil(area.isVisible)
    assert area.visibleRegion().boundingRect().height() >= 40
    qtbot.waitUntil(lambda: area.mapTo(panel, QPoint(0, area.height())).y() <= panel.fit_button.y())


def test_the_table_of_photos_leaves_the_canvas_room_for_its_bars(placed):  # noqa: F811
    placed.actions_table["photo_table"].trigger()
    assert placed.annotate_page.width() >= 540
    assert placed.annotate_page.floats.tool_bar.width() <= placed.annotate_page.width()

    placed.actions_table["photo_table"].trigger()
    assert placed.photos_panel.width() == placed.side_width


def test_the_panels_are_narrower_in_a_window_of_1366(placed, qtbot):  # noqa: F811
    placed.resize(1366, 768)
    qtbot.waitUntil(lambda: placed.photos_panel.width() == 212)
    assert placed.person_panel.width() == 288
    placed.resize(1440, 860)
    qtbot.waitUntil(lambda: placed.photos_panel.width() == 248)


@pytest.mark.parametrize(("room", "shown"), [(100, "R TT  L TT"), (60, "R TT +1"), (45, "R TT"), (5, "R TT")])
def test_a_code_that_has_no_room_says_how_many_more(room, shown):
    assert fitting_code("R TT  L TT", lambda text: 6.0 * len(text), room) == shown


@pytest.mark.parametrize("theme", [DARK, LIGHT, HIGH_CONTRAST], ids=lambda t: t.name)
def test_marks_on_lists_are_told_apart_from_their_ground(window, theme):
    apply_theme(application(), theme)
    shown = {}
    for state in KeypointState:
        pixmap = glyph_pixmap(glyph_of(LDPOSE[5], state), 22)
        on_ground = QImage(pixmap.size(), QImage.Format.Format_RGB888)
        on_ground.fill(QColor(theme.panel))
        painter = QPainter(on_ground)
        painter.drawImage(0, 0, pixmap.toImage())
        painter.end()
        shown[state] = pixels_of(on_ground).astype(int)
    apply_theme(application(), DARK)

    colour = QColor(theme.panel)
    ground = np.array([colour.red(), colour.green(), colour.blue()])
    for state, picture in shown.items():
        far = np.abs(picture - ground).sum(axis=2) > 150
        assert far.sum() > 20, state
    black = [(p.sum(axis=2) < 60).mean() for p in shown.values()]
    assert theme.is_dark or max(black) < 0.05  # no dark halo on light lists


def test_the_colours_become_one_button_where_there_is_no_room(window, qtbot):
    switch = ColourSwitch(window.actions_table)
    qtbot.addWidget(switch)
    switch.resize(switch.sizeHint())
    switch.show()
    assert not switch.is_compact

    switch.resize(switch.minimumSizeHint().width() + 4, switch.height())

    assert switch.is_compact
    assert [a.objectName() for a in switch.one.menu().actions()][0] == "colours_plain"
    switch.resize(switch.sizeHint())
    assert not switch.is_compact


def test_what_a_tool_says_goes_to_the_status_bar_where_its_own_bar_is_full(window, qtbot):
    window.status.set_in_3d(True)
    bar = window.mesh_page.options
    bar.say("A sentence that is a good deal longer than any bar is wide. " * 8)

    assert window.status._hint.isVisibleTo(window.status)
    assert window.status._hint.full_text.startswith("A sentence")
    bar.say("Short.")
    window.status.set_in_3d(False)
    assert not window.status._hint.isVisibleTo(window.status)
