"""The place under the pages where History and Jobs show themselves, one at a time."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from limbstudio.ui import icons
from limbstudio.ui.panels.parts import label, line
from limbstudio.ui.theme import Theme

HEIGHT = 200


class BottomDock(QFrame):
    """Hold parts of which one is shown, with its name and a button that closes it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("bottomDock")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "panel")
        self.setFixedHeight(HEIGHT)
        self._on_shown: dict[QWidget, Callable[[bool], None]] = {}
        self._titles: dict[QWidget, str] = {}
        self._title = label("", "section")
        self._close = QToolButton()
        self._close.setAccessibleName("Close")
        self._close.setToolTip("Close")
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(lambda _=False: self.hide_part())
        self._heading = QHBoxLayout()
        self._heading.setContentsMargins(16, 4, 8, 0)
        self._heading.addWidget(self._title)
        self._heading.addStretch(1)
        self._heading.addWidget(self._close)
        self._parts = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(line())
        column.addLayout(self._heading)
        column.addWidget(self._parts, 1)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._close.setIcon(icons.icon("ph.x", theme.text2))

    def add(self, title: str, part: QWidget, on_shown: Callable[[bool], None]) -> None:
        """Take in a part. on_shown: told whether the part is shown from now on."""
        self._titles[part] = title
        self._on_shown[part] = on_shown
        self._parts.addWidget(part)

    @property
    def shown(self) -> QWidget | None:
        """Return the part that is shown; None while the dock is closed."""
        return None if self.isHidden() else self._parts.currentWidget()

    def show_part(self, part: QWidget) -> None:
        """Show a part in place of another."""
        before = self.shown
        if before is part:
            return
        self._parts.setCurrentWidget(part)
        self._title.setText(self._titles[part].upper())
        self._close.setAccessibleName(f"Close {self._titles[part].lower()}")
        self._close.setToolTip(f"Close {self._titles[part].lower()}")
        self.show()
        if before is not None:
            self._on_shown[before](False)
        self._on_shown[part](True)

    def redraw(self) -> None:
        """Draw the rows of every part anew."""
        for view in self.findChildren(QAbstractItemView):
            view.viewport().update()

    def hide_part(self) -> None:
        """Close the dock."""
        before = self.shown
        self.hide()
        if before is not None:
            self._on_shown[before](False)
