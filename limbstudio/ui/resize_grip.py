"""The grip that the keyboard moves panels with: a slider to screen readers, a mark with its hint to the eye."""

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractSlider, QVBoxLayout, QWidget

from limbstudio.ui.floats import FloatFrame
from limbstudio.ui.focus_ring import SHOWS_FOCUS
from limbstudio.ui.panels.parts import label
from limbstudio.ui.theme import Theme

_KNOB_PX = 14
_GAP_PX = 12
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SIZES = {
    Qt.Key.Key_Plus: 1,
    Qt.Key.Key_Equal: 1,
    Qt.Key.Key_PageUp: 1,
    Qt.Key.Key_Minus: -1,
    Qt.Key.Key_PageDown: -1,
}
_ENDS = {Qt.Key.Key_Home: -1, Qt.Key.Key_End: 1}
_LEAVES = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STILL_HERE = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


class GripHint(FloatFrame):
    """What is moved, how large it is, and by which keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = label("", "title")
        self._keys = label("", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(4)
        column.addWidget(self._title)
        column.addWidget(self._keys)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def words(self) -> str:
        return self._title.text()

    def show_words(self, title: str, keys: str) -> None:
        self._title.setText(title)
        self._keys.setText(keys)
        self.adjustSize()


class ResizeGrip(QAbstractSlider):
    """Lies over the edge or frame that is moved, and has the keyboard.

    Signals:
        arrow(int, int, bool): an arrow key, to the right and down; whether far.
        sized(int): larger or smaller by one step. ended_at(int): smallest (-1) or largest (1).
        stepped(int): Tab: the next thing to move, or the one before.
        left(): Esc, Enter, or the keyboard went elsewhere.
    """

    arrow = Signal(int, int, bool)
    sized = Signal(int)
    ended_at = Signal(int)
    stepped = Signal(int)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_edge = True
        self.hint = GripHint(parent)
        self.setProperty(SHOWS_FOCUS, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def lie_over(self, area: QRect, *, is_edge: bool) -> None:
        """Take a place of the parent. is_edge: a line to be moved, else a frame; the hint lies beside it."""
        self._is_edge = is_edge
        around = area.adjusted(-_KNOB_PX, 0, _KNOB_PX, 0) if is_edge else area.adjusted(-3, -3, 3, 3)
        self.setGeometry(around)
        room = self.parentWidget()
        if room is None:
            return
        hint = self.hint
        left = around.right() + _GAP_PX
        if left + hint.width() > room.width() - _GAP_PX:
            left = around.left() - hint.width() - _GAP_PX
        top = around.center().y() + (3 * _KNOB_PX if is_edge else -hint.height() // 2)
        hint.move(max(_GAP_PX, left), min(max(_GAP_PX, top), room.height() - hint.height() - _GAP_PX))
        self.show()
        hint.show()
        self.raise_()
        hint.raise_()
        self.update()

    def put_away(self) -> None:
        self.hide()
        self.hint.hide()

    # --------------------------------------------------------------------------------------------------------- keys

    def event(self, event: QEvent) -> bool:
        own = (*_ARROWS, *_SIZES, *_ENDS, *_LEAVES)
        is_early = event.type() is QEvent.Type.ShortcutOverride
        if is_early and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()  # these keys are the grip's, whatever else they do in the window
            return True
        return super().event(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        self.stepped.emit(1 if next else -1)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _LEAVES:
            self.left.emit()
        elif key in _ARROWS:
            far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.arrow.emit(*_ARROWS[key], far)
        elif key in _SIZES:
            self.sized.emit(_SIZES[key])
        elif key in _ENDS:
            self.ended_at.emit(_ENDS[key])
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in _STILL_HERE and self.isVisible():
            self.left.emit()

    # ------------------------------------------------------------------------------------------------------ drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = QColor(self._theme.accent)
        if not self._is_edge:
            painter.setPen(QPen(accent, 3))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 8, 8)
            return
        middle = QRectF(self.rect()).center()
        painter.fillRect(QRectF(middle.x() - 1.5, 0, 3, self.height()), accent)
        painter.setPen(QPen(accent, 2))
        painter.setBrush(QColor(self._theme.panel))
        painter.drawEllipse(middle, _KNOB_PX - 1, _KNOB_PX - 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        for side in (-1, 1):
            tip, back = middle.x() + side * 9, middle.x() + side * 3.5
            painter.drawPolygon(
                QPolygonF(
                    [
                        QPointF(tip, middle.y()),
                        QPointF(back, middle.y() - 4.5),
                        QPointF(back, middle.y() + 4.5),
                    ]
                )
            )
