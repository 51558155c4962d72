"""Themes and their contrasts, the system's scheme followed live, large targets, the ring around the focus."""

import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget

from limbstudio.ui import appearance
from limbstudio.ui.appearance import Appearance, remembered_large, remembered_theme
from limbstudio.ui.focus_ring import FocusRing
from limbstudio.ui.marks import Marks, marks, set_marks
from limbstudio.ui.targets import TargetKind, find_target
from limbstudio.ui.theme import DARK, HIGH_CONTRAST, LIGHT, THEMES, Theme

from .test_window import placed_person

TEXTS = ("text", "text2", "text3")
SIGNS = ("accent", "ok", "warn", "error", "left", "right", "residual")
GROUNDS = ("bg", "panel", "raised", "hover", "accent_bg")
CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def pairs(theme: Theme) -> dict[str, float]:
    """Return the contrast of everything that is read in a theme."""
    found = {
        f"{text} on {ground}": contrast(getattr(theme, text), getattr(theme, ground))
        for text, ground in itertools.product((*TEXTS, *SIGNS), GROUNDS)
    }
    found |= {
        f"{s} on its ground": contrast(getattr(theme, s), getattr(theme, f"{s}_bg")) for s in ("ok", "warn")
    }
    found |= {"error on its ground": contrast(theme.error, theme.error_bg)}
    found |= {
        f"text on {s}": contrast(theme.text, getattr(theme, f"{s}_bg")) for s in ("ok", "warn", "error")
    }
    return found | {"white on the filled button": contrast("#FFFFFF", theme.accent_fill)}


@pytest.fixture(autouse=True)
def plain_marks():
    yield
    set_marks(Marks())


@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)])
def test_everything_that_is_read_stands_out(theme, least):
    poor = {pair: round(ratio, 2) for pair, ratio in pairs(theme).items() if ratio < least}

    assert poor == {}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_edges_of_fields_and_the_ring_of_the_focus_stand_out(theme):
    for ground in ("panel", "raised", "bg"):
        assert contrast(theme.edge, getattr(theme, ground)) >= 3.0
        assert contrast(theme.accent, getattr(theme, ground)) >= 3.0


def test_high_contrast_is_readable_even_where_it_cannot_be_used():
    assert contrast(HIGH_CONTRAST.disabled, HIGH_CONTRAST.panel) >= 7.0
    assert HIGH_CONTRAST.disabled != HIGH_CONTRAST.text


@pytest.mark.parametrize(
    ("action", "theme"),
    [("theme_light", LIGHT), ("theme_high_contrast", HIGH_CONTRAST), ("theme_dark", DARK)],
)
def test_a_theme_is_shown_at_once_and_remembered(window, action, theme):
    window.actions_table["theme_light" if theme is DARK else "theme_dark"].trigger()

    window.actions_table[action].trigger()

    assert window.theme is theme
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    assert theme.panel in app.styleSheet()
    assert remembered_theme(window.memory) is theme
    checked = [name for name in (*THEMES, "system") if window.actions_table[f"theme_{name}"].isChecked()]
    assert checked == [theme.name]


def test_the_system_s_scheme_is_followed_while_it_changes(window, monkeypatch):
    # A bare X server has no scheme to set; what the style hints say and tell is put in its place.
    hints, now = QGuiApplication.styleHints(), [Qt.ColorScheme.Light]
    monkeypatch.setattr(appearance, "system_scheme", lambda: now[0])

    def set_scheme(scheme: Qt.ColorScheme) -> None:
        now[0] = scheme
        hints.colorSchemeChanged.emit(scheme)

    window.actions_table["theme_system"].trigger()
    assert window.theme is LIGHT
    assert remembered_theme(window.memory) is LIGHT

    set_scheme(Qt.ColorScheme.Dark)
    assert window.theme is DARK
    set_scheme(Qt.ColorScheme.Light)
    assert window.theme is LIGHT

    window.actions_table["theme_dark"].trigger()
    set_scheme(Qt.ColorScheme.Light)
    assert window.theme is DARK  # the choice is no longer the system's


def test_the_key_switches_between_dark_and_light(window):
    QTest.keyClick(window, Qt.Key.Key_D, CTRL_ALT)
    assert window.theme is LIGHT

    QTest.keyClick(window, Qt.Key.Key_D, CTRL_ALT)
    assert window.theme is DARK


def test_large_targets_are_large_and_go_back(window, qtbot):
    button = next(b for b in window.annotate_page.floats.tool_bar.findChildren(QToolButton))
    small = button.height()
    push = next(
        b for b in window.person_panel.findChildren(QPushButton) if b.isVisible() and b.text() == "Fit body"
    )

    window.actions_table["large_targets"].trigger()

    qtbot.waitUntil(lambda: button.height() >= 44 and push.height() >= 44)
    assert remembered_large(window.memory)
    assert marks().scale == 1.5
    window.actions_table["large_targets"].trigger()
    qtbot.waitUntil(lambda: button.height() == small)
    assert marks().scale == 1.0


def test_large_targets_are_grabbed_from_farther_away():
    points = {5: (100.0, 100.0)}
    assert find_target((115.0, 100.0), points).kind is TargetKind.NOTHING

    set_marks(Marks(1.5))

    assert find_target((115.0, 100.0), points).kind is TargetKind.POINT


def test_points_are_drawn_larger_and_bones_wider(window, qtbot):
    placed_person(window, qtbot)
    from limbstudio.ui.canvas.items import PointItem

    def diameter() -> float:
        items = window.annotate_page.view.scene().items()
        return next(i for i in items if isinstance(i, PointItem) and i.index == 5).glyph.diameter

    before = diameter()

    window.actions_table["large_targets"].trigger()
    window.actions_table["theme_high_contrast"].trigger()

    assert diameter() == pytest.approx(1.5 * before)
    assert marks().bone_px == 5.0


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def ring_of(window) -> FocusRing:
    return next(f for f in window.features if isinstance(f, Appearance)).ring


def test_the_ring_follows_the_focus_by_keys_and_goes_with_the_mouse(window, qtbot):
    ring = ring_of(window)
    window.annotate_page.view.setFocus()
    assert ring.around is None

    seen = set()
    for _ in range(12):
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
        widget = focused()
        assert ring.around is widget
        place = widget.mapTo(window, widget.rect().center())
        assert ring.ring_area().contains(place)
        seen.add(widget)
    assert len(seen) >= 8

    QTest.mouseClick(window.status, Qt.MouseButton.LeftButton)
    assert ring.around is None


def test_with_high_contrast_the_ring_is_always_there(window):
    window.actions_table["theme_high_contrast"].trigger()
    window.annotate_page.new_person()

    window.annotate_page.view.setFocus()
    window.person_panel.tree.setFocus()

    assert ring_of(window).around is window.person_panel.tree
