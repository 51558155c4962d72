"""The chip in the status bar that says when fits start by themselves."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton

from limbstudio.ui import icons
from limbstudio.ui.theme import Theme


class SelfFitChip(QToolButton):
    """Say the setting; a press goes on to the next."""

    def __init__(self, theme: Theme, act: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._is_on = False
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(14, 14))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("When a fit starts by itself. Press to change (menu Person, Fit by itself).")
        self.clicked.connect(lambda _=False: act())

    def say(self, words: str, *, is_on: bool) -> None:
        self._is_on = is_on
        self.setText(words)
        self.setAccessibleName(f"{words}. Press to change.")
        self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setIcon(icons.icon("ph.person-simple", theme.accent if self._is_on else theme.text3))
