"""How the window looks: its theme, which may follow the system's, large targets, and the ring around the focus."""

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.focus_ring import FocusRing
from limbstudio.ui.marks import Marks, set_marks
from limbstudio.ui.theme import DARK, HIGH_CONTRAST, LARGE_SCALE, LIGHT, THEMES, Theme, apply_theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

SYSTEM = "system"
_CHOICES = (DARK.name, LIGHT.name, SYSTEM, HIGH_CONTRAST.name)
_CONTRAST_BONE_PX = 5.0


def system_scheme() -> Qt.ColorScheme:
    """Return what the desktop asks for; `Unknown` where it does not say."""
    return QGuiApplication.styleHints().colorScheme()


def system_theme() -> Theme:
    """Return light or dark, whichever the desktop asks for; dark where it does not say."""
    return LIGHT if system_scheme() is Qt.ColorScheme.Light else DARK


def theme_of(choice: str) -> Theme:
    """Return the theme that a choice means now: a theme's name, or 'system'."""
    return system_theme() if choice == SYSTEM else THEMES.get(choice, DARK)


def remembered_theme(memory: QSettings) -> Theme:
    """Return the theme of last time; dark at first."""
    return theme_of(str(memory.value("theme", DARK.name)))


def remembered_large(memory: QSettings) -> bool:
    """Tell whether targets were large last time."""
    return memory.value("large_targets", False, bool) is True


class Appearance(Feature):
    """Own the choice of the theme and of the targets' size."""

    owner = Owner.APPEARANCE

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._memory = window.memory
        choice = str(self._memory.value("theme", window.theme.name))
        self.choice = choice if choice in _CHOICES else DARK.name
        self.large = remembered_large(self._memory)
        self._sizes: dict[QWidget, tuple[QSize, QSize]] = {}
        self._note_sizes()
        self.ring = FocusRing(window.theme, window)
        self._hints = QGuiApplication.styleHints()
        self._hints.colorSchemeChanged.connect(self._follow_system)
        window.actions_table["large_targets"].setChecked(self.large)
        self._show_choice()
        if self.large or window.theme.has_high_contrast:
            self._show(window.theme)
        else:
            set_marks(Marks())

    def set_theme(self, theme: Theme) -> None:
        self.ring.set_theme(theme)

    def close(self) -> None:
        self._hints.colorSchemeChanged.disconnect(self._follow_system)
        self.ring.close_ring()

    # ---------------------------------------------------------------------------------------------------- the actions

    def switch_theme(self) -> None:
        """Change between dark and light, now and for the next start."""
        self._choose(LIGHT.name if self.window.theme.is_dark else DARK.name)

    def set_dark(self, checked: bool = True) -> None:
        self._choose(DARK.name)

    def set_light(self, checked: bool = True) -> None:
        self._choose(LIGHT.name)

    def set_system(self, checked: bool = True) -> None:
        self._choose(SYSTEM)

    def set_high_contrast(self, checked: bool = True) -> None:
        self._choose(HIGH_CONTRAST.name)

    def set_large_targets(self, large: bool) -> None:
        """Make what is pressed, dragged or chosen half as large again."""
        if not self.large:
            self._note_sizes()
        self.large = large
        self._memory.setValue("large_targets", large)
        self._show(self.window.theme)
        if not large:
            for widget, (least, most) in self._sizes.items():
                if shiboken6.isValid(widget):
                    widget.setMinimumSize(least)
                    widget.setMaximumSize(most)

    # -------------------------------------------------------------------------------------------------------- within

    def _note_sizes(self) -> None:
        """Note the sizes that the code gave: the style sheet of large targets takes their place and forgets them."""
        self._sizes = {w: (w.minimumSize(), w.maximumSize()) for w in self.window.findChildren(QWidget)}

    def _choose(self, choice: str) -> None:
        self.choice = choice
        self._memory.setValue("theme", choice)
        self._show_choice()
        self._show(theme_of(choice))

    def _show_choice(self) -> None:
        for name in _CHOICES:
            self.window.actions_table[f"theme_{name}"].setChecked(name == self.choice)

    def _follow_system(self) -> None:
        if self.choice == SYSTEM and system_theme() is not self.window.theme:
            self._show(system_theme())

    def _show(self, theme: Theme) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme, large=self.large)
        bone_px = _CONTRAST_BONE_PX if theme.has_high_contrast else Marks().bone_px
        set_marks(Marks(LARGE_SCALE if self.large else 1.0, bone_px))
        self.window.show_theme(theme)
        self.window.annotate_page.view.refresh()
        self.window.annotate_page.view.viewport().update()
