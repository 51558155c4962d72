"""A small pin at each point of the canvas that fits must keep."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from limbstudio.ui import theme as tokens
from limbstudio.ui.icons import paint_icon

_Z = 12.5  # above the points, below the crosshair
_DISC = QRectF(7, -23, 16, 16)  # right above its point, screen px


class _Pin(QGraphicsItem):
    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(_Z)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        return _DISC.adjusted(-1, -1, 1, 1)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.PHOTO_HALO))
        painter.drawEllipse(_DISC)
        paint_icon(painter, _DISC.adjusted(2, 2, -2, -2), "ph.push-pin", QColor("#FFFFFF"))


class PinMarks:
    """The pins of the person in work."""

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self.items: dict[int, QGraphicsItem] = {}

    def show_pins(self, places: Mapping[int, tuple[float, float]]) -> None:
        """Show pins. places: pixels of the photo, by LDPose index."""
        for index in set(self.items) - set(places):
            self._scene.removeItem(self.items.pop(index))
        for index, place in places.items():
            if index not in self.items:
                self.items[index] = _Pin()
                self._scene.addItem(self.items[index])
            self.items[index].setPos(*place)

    def follow_drag(self, places: Mapping[int, tuple[float, float]]) -> None:
        """Keep to points that are dragged."""
        for index, place in places.items():
            if index in self.items:
                self.items[index].setPos(*place)
