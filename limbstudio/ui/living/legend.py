"""A scale of colours beside a 3D view, and the colours themselves: dark blue to yellow, readable without hue."""

import numpy as np
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from limbstudio.ui.panels.parts import QFont
from limbstudio.ui.theme import text_font
from limbstudio.ui.words import said

# Even steps in lightness from dark blue over grey to yellow: the order survives any colour vision and grey printing.
_STOPS = np.array([[0, 34, 78], [60, 78, 106], [124, 123, 120], [187, 172, 103], [254, 232, 56]], float)

_WIDTH, _HEIGHT = 236, 62
_WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


def colours_of_amounts(amounts: np.ndarray, highest: float) -> np.ndarray:
    """Return colours (N, 3) uint8 of amounts (N,) from 0 to `highest`."""
    at = np.clip(amounts / max(highest, 1e-12), 0, 1) * (len(_STOPS) - 1)
    low = np.minimum(at.astype(int), len(_STOPS) - 2)
    share = (at - low)[:, None]
    return (_STOPS[low] * (1 - share) + _STOPS[low + 1] * share).astype(np.uint8)


class Legend(QWidget):
    """Show what the colours mean: what is measured, from 0 to the highest, its unit, and a note where one is due."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._highest, self._unit, self._note = "", 0.0, "", ""
        self.setFixedSize(_WIDTH, _HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def text(self) -> str:
        return f"{self._title}: 0 to {self._highest:.1f} {self._unit}"

    @property
    def note(self) -> str:
        return self._note

    def show_scale(self, title: str, highest: float, unit: str, note: str = "") -> None:
        """Show a scale from 0 to `highest`. note: what the amounts hold and what they do not."""
        self._title, self._highest, self._unit, self._note = title, highest, unit, note
        self.setAccessibleName(". ".join(text for text in (self.text, note) if text))
        self.setFixedHeight(_HEIGHT + (self._note_height() + 8 if note else 0))
        self.show()
        self.raise_()
        self.update()

    def _note_height(self) -> int:
        room = QRect(0, 0, self.width() - 24, 1000)
        return QFontMetrics(text_font(11)).boundingRect(room, _WRAPPED, said(self._note)).height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(10, 12, 15, 220))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        bar = QRectF(12, 26, self.width() - 24, 10)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for n, stop in enumerate(_STOPS):
            gradient.setColorAt(n / (len(_STOPS) - 1), QColor(*(int(c) for c in stop)))
        painter.setBrush(gradient)
        painter.drawRect(bar)
        painter.setPen(QColor("#E8EBF0"))
        painter.setFont(text_font(11, QFont.Weight.DemiBold))
        painter.drawText(QRectF(12, 6, self.width() - 24, 16), Qt.AlignmentFlag.AlignLeft, said(self._title))
        painter.setFont(text_font(11))
        under = QRectF(12, 40, self.width() - 24, 16)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(under, Qt.AlignmentFlag.AlignRight, f"{self._highest:.1f} {said(self._unit)}")
        if self._note:
            painter.setPen(QColor("#B0B9C6"))
            painter.drawText(
                QRectF(12, _HEIGHT, self.width() - 24, self._note_height()), _WRAPPED, said(self._note)
            )
