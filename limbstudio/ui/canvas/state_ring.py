"""The ring about a point: its seven states and more, by mouse, by digit or by arrows."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.ui import icons
from limbstudio.ui import theme as tokens
from limbstudio.ui.glyphs import STATE_ORDER, STATE_WORDS, Glyph, glyph_icon, glyph_of
from limbstudio.ui.shortcuts.layouts import latin_key
from limbstudio.ui.theme import Theme

_SLOT = 44
_RADIUS = 84
_NUMBERS = _RADIUS + _SLOT / 2 + 11  # how far out the numbers stand
_MORE = len(STATE_ORDER)


class StateRing(QWidget):
    """Eight slots about a point, numbered clockwise from the top; it covers the canvas while it is open.

    Signals:
        chosen(KeypointState): one of the states.
        more_asked(): the last slot.
        closed(): nothing was chosen, or something was: the ring is gone.
    """

    chosen = Signal(object)
    more_asked = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._page = parent
        self._middle = QPointF()
        self._at = 0
        self._slots: list[QToolButton] = []
        for number in range(_MORE + 1):
            button = QToolButton(self)
            words = "More" if number == _MORE else STATE_WORDS[STATE_ORDER[number]]
            button.setAccessibleName(f"{words}, {number + 1}")
            button.setToolTip(f"{words}   {number + 1}")
            button.setFixedSize(_SLOT, _SLOT)
            button.setIconSize(QSize(24, 24))
            button.setProperty("role", "ring")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, n=number: self._choose(n))
            self._slots.append(button)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._slots[_MORE].setIcon(icons.icon("ph.dots-three", theme.text))
        for button in self._slots:
            button.setStyleSheet(
                f"QToolButton {{ background: {theme.panel}; border: 1px solid {theme.line2};"
                f" border-radius: {_SLOT // 2}px; }}"
                f'QToolButton[current="true"] {{ border: 2px solid {theme.accent};'
                f" background: {theme.accent_bg}; }}"
            )

    def open(self, point: int, state: KeypointState, middle: QPointF) -> None:
        """Show the ring about `middle`, px of the parent. point: LDPose index; state: that it has."""
        area = self._page.rect()
        self.setGeometry(area)
        reach = _RADIUS + _SLOT / 2 + 52
        self._middle = QPointF(
            min(max(middle.x(), reach), max(area.width() - reach, reach)),
            min(max(middle.y(), reach), max(area.height() - reach, reach)),
        )
        for number, button in enumerate(self._slots):
            angle = 2 * math.pi * number / len(self._slots)
            x = self._middle.x() + _RADIUS * math.sin(angle) - _SLOT / 2
            y = self._middle.y() - _RADIUS * math.cos(angle) - _SLOT / 2
            button.move(round(x), round(y))
            if number < _MORE:
                drawn = glyph_of(LDPOSE[point], STATE_ORDER[number])
                button.setIcon(glyph_icon(Glyph(drawn.frame, drawn.state, False, 13.0), 24))
        self.setAccessibleName(f"States of {LDPOSE[point].label.lower()}: 1 to 7, 8 for more")
        self._look_at(STATE_ORDER.index(state))
        self.show()
        self.raise_()
        self.setFocus()

    @property
    def middle(self) -> QPointF:
        """Return where the ring's middle is, px of the ring's own."""
        return self._middle

    def _look_at(self, number: int) -> None:
        self._at = number % len(self._slots)
        for n, button in enumerate(self._slots):
            button.setProperty("current", "true" if n == self._at else "false")
            button.style().unpolish(button)
            button.style().polish(button)
        self.setAccessibleDescription(self._slots[self._at].accessibleName())
        self.update()

    def _choose(self, number: int) -> None:
        self._close()
        if number == _MORE:
            self.more_asked.emit()
        else:
            self.chosen.emit(STATE_ORDER[number])

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        digit = latin_key(event) - Qt.Key.Key_1
        if event.key() in steps:
            self._look_at(self._at + steps[Qt.Key(event.key())])
        elif 0 <= digit <= _MORE:
            self._choose(digit)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self._at)
        else:
            self._close()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # Who has the focus now keeps it. Another window on top, as of another program, is no reason to go.
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._close()  # beside the slots

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._slot_towards(event.position())
        if number is not None and number != self._at:
            self._look_at(number)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press that was held and drawn to a slot chooses it by letting go."""
        number = self._slot_towards(event.position())
        if number is not None:
            self._choose(number)

    def _slot_towards(self, position: QPointF) -> int | None:
        way = position - self._middle
        if math.hypot(way.x(), way.y()) < _RADIUS * 0.5:
            return None
        angle = math.atan2(way.x(), -way.y())
        return round(angle / (2 * math.pi) * len(self._slots)) % len(self._slots)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = QColor(tokens.PHOTO_HALO)
        back.setAlphaF(0.7)
        painter.setPen(QPen(back, _SLOT + 28))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(self._middle, _RADIUS + 8, _RADIUS + 8)
        painter.setPen(QColor("#FFFFFF"))
        for number in range(len(self._slots)):
            angle = 2 * math.pi * number / len(self._slots)
            cell = QRectF(0, 0, 16, 16)
            cell.moveCenter(self._middle + QPointF(math.sin(angle), -math.cos(angle)) * _NUMBERS)
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(number + 1))
        words = self._slots[self._at].accessibleName()
        width = painter.fontMetrics().horizontalAdvance(words) + 20
        plate = QRectF(0, 0, width, 26)
        plate.moveCenter(self._middle + QPointF(0, _RADIUS + _SLOT / 2 + 38))
        painter.setPen(QPen(QColor(self._theme.line2), 1))
        painter.setBrush(QColor(self._theme.panel))
        painter.drawRoundedRect(plate, 6, 6)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)
