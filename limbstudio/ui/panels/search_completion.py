"""The list under the search field: what can be typed next, chosen by Tab, the arrows or a click."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QKeyEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from limbstudio.domain.anatomy import Level
from limbstudio.services.search_completion import Completion, Completions, completions
from limbstudio.ui.level_words import level_words
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import said

_MOST_ROWS = 9
_ROW_PX, _GAP_PX = 24, 22
_WIDTH = 500
_GAP = 4
_LEVELS = frozenset(level.value for level in Level)


class SearchCompletion(QObject):
    """Offer completions while a query is typed; the focus stays in the field.

    Tab takes the chosen row, or the first; Down and Up choose; Enter takes a row that is chosen, and else searches;
    Esc closes the list. A word that cannot be searched as it stands has its first row chosen from the beginning.
    """

    def __init__(self, edit: QLineEdit, theme: Theme) -> None:
        super().__init__(edit)
        self._edit = edit
        self.theme = theme
        self._offered = Completions(0, ())
        self._card: QFrame | None = None
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("What can be typed next")
        self.list.header().setStretchLastSection(True)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        # A method, not a lambda: a lambda would hold this and the list, which no other widget owns at first, for good.
        self.list.itemClicked.connect(self._take_item)
        edit.textEdited.connect(lambda _text: self.offer())
        edit.cursorPositionChanged.connect(lambda _before, _now: self.offer() if self.is_open else None)
        edit.installEventFilter(self)

    @property
    def is_open(self) -> bool:
        """Tell whether the list is shown."""
        return self._card is not None and self._card.isVisible()

    @property
    def choices(self) -> tuple[str, ...]:
        """Return what is offered, as it would be typed; nothing while the list is closed."""
        return tuple(choice.text for choice in self._offered.choices) if self.is_open else ()

    def offer(self) -> None:
        """Show what the word at the cursor can become, or nothing."""
        self._offered = completions(self._edit.text(), self._edit.cursorPosition())
        if not self._offered.choices:
            self.close()
            return
        self.list.clear()
        for choice in self._offered.choices:
            self.list.addTopLevelItem(self._row(choice))
        self._choose_none()
        self._lay()
        if self._offered.is_partial:
            self._choose(0)

    def close(self) -> None:
        """Offer nothing."""
        if self._card is not None:
            self._card.hide()

    def _row(self, choice: Completion) -> QTreeWidgetItem:
        field, _, value = choice.text.partition(":")
        words = level_words(Level(value)) if field == "limb" and value in _LEVELS else said(choice.words)
        item = QTreeWidgetItem()
        item.setSizeHint(0, QSize(self.list.fontMetrics().horizontalAdvance(choice.text) + _GAP_PX, _ROW_PX))
        # As data: what is typed has one language, and is not translated as words are.
        item.setData(0, Qt.ItemDataRole.DisplayRole, choice.text)
        if words.casefold() != value.replace("_", " "):
            item.setData(1, Qt.ItemDataRole.DisplayRole, words)
        item.setForeground(1, QColor(self.theme.text2))
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{choice.text}, {words}")
        return item

    def _lay(self) -> None:
        """Lie under the field, over whatever is there."""
        window = self._edit.window()
        if self._card is None or self._card.parentWidget() is not window:
            self._card = QFrame(window)
            self._card.setProperty("role", "float")
            self._card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            column = QVBoxLayout(self._card)
            column.setContentsMargins(4, 4, 4, 4)
            column.addWidget(self.list)
        corner = self._edit.mapTo(window, QPoint(0, self._edit.height() + _GAP))
        rows = min(self.list.topLevelItemCount(), _MOST_ROWS)
        self.list.setFixedHeight(rows * self.list.visualRect(self.list.model().index(0, 0)).height())
        self._card.adjustSize()
        self._card.resize(min(_WIDTH, window.width() - corner.x() - _GAP), self._card.sizeHint().height())
        self._card.move(corner)
        self._card.show()
        self._card.raise_()

    def _choose(self, row: int) -> None:
        item = self.list.topLevelItem(row)
        if item is not None:
            self.list.setCurrentItem(item)
            words = item.data(0, Qt.ItemDataRole.AccessibleTextRole)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._edit, words))

    @property
    def _chosen(self) -> int:
        """Return the chosen row, -1 for none."""
        return self.list.currentIndex().row()

    def _choose_none(self) -> None:
        self.list.setCurrentIndex(QModelIndex())

    def _take_item(self, item: QTreeWidgetItem) -> None:
        self._take(self.list.indexOfTopLevelItem(item))

    def _take(self, row: int) -> None:
        """Put a row's text in place of the word at the cursor; a space follows what is whole."""
        choice = self._offered.choices[row].text
        text, cursor = self._edit.text(), self._edit.cursorPosition()
        is_whole = choice[-1] not in ":>"
        after = text[cursor:]
        added = choice + (" " if is_whole and not after.startswith(" ") else "")
        self._edit.setText(text[: self._offered.at] + added + after)
        self._edit.setCursorPosition(self._offered.at + len(added))
        self.offer()

    def _step(self, step: int) -> None:
        """Go down or up; above the first row nothing is chosen."""
        to = min(max(self._chosen + step, -1), self.list.topLevelItemCount() - 1)
        if to < 0:
            self._choose_none()
        else:
            self._choose(to)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self.is_open:
            return False
        kind = event.type()
        if kind in (QEvent.Type.FocusOut, QEvent.Type.Hide, QEvent.Type.Move, QEvent.Type.Resize):
            self.close()
        if kind is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = event.key()
        if key == Qt.Key.Key_Tab:
            self._take(max(self._chosen, 0))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._chosen >= 0:
            self._take(self._chosen)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            return False
        return True
