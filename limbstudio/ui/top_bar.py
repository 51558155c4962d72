"""The bar at the top of the window, and the program's mark that begins it."""

import functools
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from limbstudio.ui import icons
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import key_cap
from limbstudio.ui.theme import DARK, Theme


@functools.cache
def program_icon(size: int = 64) -> QIcon:
    """Return the program's mark: a bent limb that ends, on the accent colour."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 24, size / 24)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(DARK.accent_fill))
    painter.drawRoundedRect(QRectF(0, 0, 24, 24), 5.5, 5.5)
    limb = QPainterPath(QPointF(8, 5.5))
    limb.lineTo(9, 13)
    limb.lineTo(13, 16.5)
    pen = QPen(QColor("#FFFFFF"), 4)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(limb, pen)
    painter.setBrush(QColor(DARK.residual))
    painter.drawEllipse(QPointF(16.5, 17.5), 3, 3)
    painter.end()
    return QIcon(pixmap)


class TopBar(QWidget):
    """Menus, perspectives and the way into the palette."""

    def __init__(self, actions: Actions, theme: Theme, show_palette: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(44)
        mark = QLabel()
        mark.setPixmap(program_icon().pixmap(QSize(24, 24)))
        self.menus = QMenuBar()
        self.menus.setNativeMenuBar(False)
        self.menus.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        actions.fill(self.menus)
        switch = QFrame()
        switch.setProperty("role", "card")
        switch.setFixedHeight(36)
        inside = QHBoxLayout(switch)
        inside.setContentsMargins(2, 2, 2, 2)
        inside.setSpacing(2)
        self._perspectives: list[QToolButton] = []
        for action_id in ("annotate", "residual_limb"):
            button = QToolButton()
            button.setProperty("role", "perspective")
            button.setDefaultAction(actions[action_id])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(16, 16))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            inside.addWidget(button)
        self.search = QPushButton("  Search or run a command")
        self.search.setProperty("role", "search")
        self.search.setFixedWidth(262)
        self.search.setAccessibleName("Search or run a command")
        self.search.clicked.connect(lambda _=False: show_palette())
        key_row = QHBoxLayout(self.search)
        key_row.setContentsMargins(0, 0, 6, 0)
        key_row.addStretch(1)
        self._palette_key = key_cap("")
        key_row.addWidget(self._palette_key)
        self._help = QToolButton()
        self._help.setFixedSize(32, 32)
        self._help.setIconSize(QSize(18, 18))
        self._help.setAccessibleName("Keys")
        self._help.clicked.connect(lambda _=False: actions["keys"].trigger())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(mark)
        row.addWidget(self.menus, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(switch)
        row.addStretch(1)
        row.addWidget(self.search)
        row.addWidget(self._help)
        self._actions = actions
        actions.when_keys_change(self._show_keys)
        self.set_theme(theme)

    def _show_keys(self) -> None:
        key = self._actions.key_words("palette")
        self._palette_key.setText(key)
        self._palette_key.setVisible(bool(key))
        self._help.setToolTip(self._actions["keys"].toolTip())

    def set_narrow(self, narrow: bool) -> None:
        """Leave room for the menus."""
        self.search.setText("  Search" if narrow else "  Search or run a command")
        self.search.setFixedWidth(140 if narrow else 262)

    def set_theme(self, theme: Theme) -> None:
        self.search.setIcon(icons.icon("ph.magnifying-glass", theme.text3))
        self._help.setIcon(icons.icon("ph.question", theme.text2))
