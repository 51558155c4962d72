"""The card in which a point is picked by the letters of its name."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.ui.canvas.names import matching_points
from limbstudio.ui.glyphs import STATE_WORDS, glyph_icon, glyph_of
from limbstudio.ui.panels.parts import label

_ROWS = 6


class PickCard(QFrame):
    """A field and the points that its letters find; Up and Down choose among them.

    Signals:
        looked_at(index): the point that Enter would pick; -1 for none.
        picked(index): Enter, or a click.
        closed(): Esc, or the focus went elsewhere.
    """

    looked_at = Signal(int)
    picked = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Pick a point by its name")
        self._states: dict[int, KeypointState] = {}
        self._order: Sequence[int] = ()
        self.field = QLineEdit()
        self.field.setPlaceholderText("Letters of a name: lk for left knee")
        self.field.setAccessibleName("Letters of a point's name")
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Points found")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._on_row)
        self.list.itemClicked.connect(lambda _item: self._pick())
        self._nothing = label("No point begins like this.", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        column.addWidget(self._nothing)
        self.setFixedWidth(280)

    def open(self, order: Sequence[int], states: Sequence[KeypointState]) -> None:
        """Begin anew. order: the points that can be picked; states: of all points."""
        self._order = order
        self._states = dict(enumerate(states))
        self.field.clear()
        self._find("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def _find(self, text: str) -> None:
        found = matching_points(text, self._order)
        self.list.blockSignals(True)
        self.list.clear()
        for index in found:
            words = STATE_WORDS[self._states[index]].lower()
            item = QListWidgetItem(
                glyph_icon(glyph_of(LDPOSE[index], self._states[index])), LDPOSE[index].label
            )
            item.setData(Qt.ItemDataRole.UserRole, index)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{LDPOSE[index].label}, {words}")
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        if found:
            height = self.list.sizeHintForRow(0) * min(len(found), _ROWS) + 4
            self.list.setFixedHeight(height)
        self.list.setCurrentRow(0 if found else -1)
        self._on_row(self.list.currentRow())
        self.adjustSize()

    def _on_row(self, row: int) -> None:
        item = self.list.item(row) if row >= 0 else None
        self.looked_at.emit(-1 if item is None else item.data(Qt.ItemDataRole.UserRole))

    def _pick(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.picked.emit(item.data(Qt.ItemDataRole.UserRole))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.closed.emit()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
        if event.key() in steps and self.list.count():
            row = (self.list.currentRow() + steps[Qt.Key(event.key())]) % self.list.count()
            self.list.setCurrentRow(row)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick()
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            return False
        return True
