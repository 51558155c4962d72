"""The command palette: every action by a few letters of its name."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.ui import icons
from limbstudio.ui.actions import ACTIONS, ActionRow, Actions, readable_key
from limbstudio.ui.panels.parts import key_cap, label, line
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import said, tr


def matches(text: str, rows: tuple[ActionRow, ...] = ACTIONS) -> list[ActionRow]:
    """Return the actions that a text means, best first. All its words must be found, in any order.

    A word at the beginning of an action's text counts more than one inside it, and that more than a synonym. In another
    language the English words find it too.
    """
    words = text.lower().split()
    found = []
    for place, row in enumerate(rows):
        name = tr(row.text).lower()
        everything = f"{name} {row.text} {row.menu} {row.synonyms}".lower()
        if row.id == "palette" or not all(word in everything for word in words):
            continue
        score = sum(
            3 if name.startswith(word) else 2 if f" {word}" in name else 1 if word in name else 0
            for word in words
        )
        found.append((-score, place, row))
    return [row for _, _, row in sorted(found, key=lambda item: item[:2])]


class Palette(QFrame):
    """A card over the window: type, choose with the arrows, Enter runs, Esc closes."""

    WIDTH = 620

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(self.WIDTH)
        self._actions = actions
        self._theme = theme
        self._focus_before: QWidget | None = None
        self._glass = QLabel()
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search or run a command")
        self.field.setAccessibleName("Search or run a command")
        self.field.setFrame(False)
        self.field.setStyleSheet("border: none; background: transparent; font-size: 15px;")
        self.field.textChanged.connect(self._show_matches)
        self.field.installEventFilter(self)
        self._count = label("", "caption")
        top = QHBoxLayout()
        top.setContentsMargins(14, 8, 16, 6)
        top.addWidget(self._glass)
        top.addWidget(self.field, 1)
        top.addWidget(self._count)
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setIconSize(QSize(18, 18))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _item: self.run_chosen())
        hint = label("Enter runs     Up and Down choose     Esc closes", "caption")
        hint.setContentsMargins(16, 5, 16, 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(line())
        column.addWidget(self.list)
        column.addWidget(line())
        column.addWidget(hint)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def open(self) -> None:
        """Show the palette with an empty field; the focus comes back to where it was when it closes."""
        parent = self.parentWidget()
        assert parent is not None
        self._focus_before = parent.focusWidget()
        self._glass.setPixmap(icons.icon("ph.magnifying-glass", self._theme.text2).pixmap(QSize(18, 18)))
        self.field.clear()
        self._show_matches("")
        self.move((parent.width() - self.width()) // 2, 56)
        self.show()
        self.adjustSize()  # again: the words below know how high they are only now
        self.raise_()
        self.field.setFocus()

    def close_palette(self) -> None:
        self.hide()
        if self._focus_before is not None:
            self._focus_before.setFocus()

    def run_chosen(self) -> None:
        """Close and run the chosen action."""
        item = self.list.currentItem()
        action: QAction | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.close_palette()
        if action is not None and action.isEnabled():
            action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.FocusOut:
            self.hide()
        if event.type() is not QEvent.Type.KeyPress:
            return False
        assert isinstance(event, QKeyEvent)
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}
        if event.key() in steps:
            row = self.list.currentRow() + steps[Qt.Key(event.key())]
            self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run_chosen()
        elif event.key() == Qt.Key.Key_Escape:
            self.close_palette()
        else:
            return False
        return True

    def _show_matches(self, text: str) -> None:
        self.list.clear()
        rows = matches(text, self._actions.rows)
        for row in rows:
            action = self._actions[row.id]
            item = QListWidgetItem(self.list)
            item.setData(Qt.ItemDataRole.UserRole, action)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said(row.text))
            item.setSizeHint(QSize(0, 36))
            self.list.setItemWidget(item, self._row(row, action))
        self._count.setText(f"{len(rows)} result" + ("" if len(rows) == 1 else "s"))
        self.list.setFixedHeight(min(max(len(rows), 1), 10) * 36 + 4)
        self.list.setCurrentRow(0)
        self.adjustSize()

    def _row(self, row: ActionRow, action: QAction) -> QWidget:
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(10)
        sign = QLabel()
        sign.setFixedWidth(20)
        if row.icon:
            colour = self._theme.text2 if action.isEnabled() else self._theme.disabled
            sign.setPixmap(icons.icon(row.icon, colour).pixmap(QSize(17, 17)))
        layout.addWidget(sign)
        name = label(row.text.removesuffix("..."))
        name.setEnabled(action.isEnabled())
        if not action.isEnabled():
            name.setStyleSheet(f"color: {self._theme.text3};")
        layout.addWidget(name)
        where = row.menu.partition("/")[0]
        note = where if action.isEnabled() else _NEEDS.get(row.needs, where)
        layout.addWidget(label(note, "caption"))
        layout.addStretch(1)
        for key in self._actions.keys_of(row.id)[:1]:
            for part in readable_key(key).split(" "):
                layout.addWidget(key_cap("+" if part == "plus" else part))
        return widget


_NEEDS = {
    "project": "needs an open project",
    "photos": "needs photos",
    "photo": "needs a photo",
    "person": "needs a person",
    "point": "needs a selected point",
    "asked": "needs guided placement",
    "fit": "needs a fitted body",
    "fits": "needs a fitted body",
    "contradictions": "nothing to mend",
    "jobs": "no job is running",
    "proposals": "nothing is proposed",
}
