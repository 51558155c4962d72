"""Small pieces that every panel is made of: headings, lines, buttons with a key beside the word."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget


def label(text: str = "", role: str = "") -> QLabel:
    """Return a label in one of the style sheet's roles; its text is never taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another role of the style sheet and have it drawn so."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def line(vertical: bool = False) -> QFrame:
    made = QFrame()
    made.setProperty("role", "vline" if vertical else "line")
    if vertical:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def section(text: str, right: QWidget | None = None) -> QWidget:
    """Return a section heading in small capitals, with something at its right end."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(label(text.upper(), "section"))
    row.addStretch(1)
    if right is not None:
        row.addWidget(right)
    return made


def tool_button(action: QAction, size: int = 18, button: int = 32) -> QToolButton:
    """Return a square icon button for an action of the table."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setIconSize(QSize(size, size))
    made.setFixedSize(button, button)
    made.setAccessibleName(action.text().removesuffix("..."))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def action_button(action: QAction, role: str = "") -> QPushButton:
    """Return a push button that follows an action: text, icon, whether it is enabled."""
    made = QPushButton(action.icon(), action.text().removesuffix("..."))
    if role:
        made.setProperty("role", role)
    made.setToolTip(action.toolTip())
    made.setEnabled(action.isEnabled())
    made.clicked.connect(lambda _=False: action.trigger())

    def follow() -> None:
        made.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    return made
