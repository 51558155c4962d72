"""Placing by resting: where the pointer stays for a while, the point asked for is placed, without a click."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.ui import theme as tokens
from limbstudio.ui.canvas.scene import CanvasScene

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

_STAYS_PX = 8.0  # on the screen: a head or an eye tracker trembles
_TICK_MS = 40
_RADIUS = 22.0


class RestItem(QGraphicsItem):
    """A ring about the resting pointer that closes as the time runs."""

    def __init__(self) -> None:
        super().__init__()
        self.share = 0.0
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(15)
        self.setVisible(False)

    def boundingRect(self) -> QRectF:
        reach = _RADIUS + 4
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle = QRectF(-_RADIUS, -_RADIUS, 2 * _RADIUS, 2 * _RADIUS)
        painter.setPen(QPen(QColor(tokens.PHOTO_HALO), 6))
        painter.drawEllipse(circle)
        pen = QPen(QColor("#FFFFFF"), 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(circle, 90 * 16, -round(self.share * 360 * 16))


class Dwell(QObject):
    """Waits for the pointer to rest over the photo while a point is asked for.

    After a placement the pointer has to leave before it can rest again: a pointer left lying places one point.
    """

    def __init__(self, view: "PhotoView") -> None:
        super().__init__(view)
        self._view = view
        self.wait_ms = 1000
        self.is_on = False
        self._at: tuple[float, float] | None = None
        self._done = False
        self._waited = 0
        self._item = RestItem()
        view.scene().addItem(self._item)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        view.pointer_at.connect(self._on_pointer)
        view.pointer_left.connect(self._leave)

    def set_on(self, on: bool) -> None:
        """Begin or cease to place by resting."""
        self.is_on = on
        self._leave()

    def _leave(self) -> None:
        self._at, self._done = None, False
        self._stop()

    def _stop(self) -> None:
        self._timer.stop()
        self._waited = 0
        self._item.setVisible(False)

    def _on_pointer(self, x: float, y: float) -> None:
        by_keys = isinstance(scene := self._view.scene(), CanvasScene) and scene.crosshair.isVisible()
        if not self.is_on or not self._view.asks or by_keys:
            self._leave()
            return
        stays = self._at is not None and math.dist(self._at, (x, y)) * self._view.zoom <= _STAYS_PX
        if not stays:
            self._at, self._done = (x, y), False
            self._stop()
            self._timer.start()

    def _tick(self) -> None:
        if self._at is None or self._done or not self._view.asks:
            self._stop()
            return
        self._waited += _TICK_MS
        self._item.share = min(self._waited / self.wait_ms, 1.0)
        self._item.setPos(*self._at)
        self._item.setVisible(True)
        self._item.update()
        if self._waited >= self.wait_ms:
            self._done = True
            self._stop()
            self._view.clicked_to_place.emit(*self._at)
