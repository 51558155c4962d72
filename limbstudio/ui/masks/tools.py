"""The tools that draw a mask: brush and eraser by strokes, the polygon by corners."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen, QWheelEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.ui import theme as tokens
from limbstudio.ui.canvas_tools import CanvasTool
from limbstudio.ui.masks.layer_item import LayerItem
from limbstudio.ui.photo_view import PhotoView

SMALLEST_RADIUS, LARGEST_RADIUS = 0.5, 400.0
_CLOSES_PX = 10.0  # on screen: a click this near the first corner closes the outline


class _Ring(QGraphicsItem):
    """Where the brush would paint: a circle of its size, light and dark so that it shows on everything."""

    def __init__(self) -> None:
        super().__init__()
        self.radius = 10.0
        self.setZValue(14)

    def set_radius(self, radius: float) -> None:
        self.prepareGeometryChange()
        self.radius = radius

    def boundingRect(self) -> QRectF:
        reach = self.radius * 1.1 + 8
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        for colour, width in ((QColor(tokens.PHOTO_HALO), 3.0), (QColor("#FFFFFF"), 1.4)):
            pen = QPen(colour, width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawEllipse(QPointF(0, 0), self.radius, self.radius)


@dataclass(eq=False)
class BrushTool(CanvasTool):
    """Paint (or erase) discs along the pointer's way into the layer's pixels; a stroke begun with Shift does the other.

    layer: gives the item that is painted in, None while it is being read; a stroke stays in the item that it began in.
    done: called once for every stroke.
    """

    view: PhotoView
    layer: Callable[[], LayerItem | None]
    done: Callable[[str], None]
    erases: bool = False
    radius_changed: Callable[[float], None] = lambda radius: None
    radius: float = 12.0
    _ring: _Ring = field(default_factory=_Ring)
    _item: LayerItem | None = None
    _begins_at: QPointF | None = None
    _last: QPointF | None = None
    _inverts: bool = False
    cursor = Qt.CursorShape.BlankCursor

    def __post_init__(self) -> None:
        self._ring.setVisible(False)
        self.view.scene().addItem(self._ring)
        self.set_radius(self.radius)

    def set_radius(self, radius: float) -> None:
        """radius: px of the photo."""
        self.radius = min(max(radius, SMALLEST_RADIUS), LARGEST_RADIUS)
        self._ring.set_radius(self.radius)
        self.radius_changed(self.radius)

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        self._inverts = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._begins_at = at
        self._begin()
        return True

    def _begin(self) -> None:
        """Begin where the button went down, as soon as there is something to paint in."""
        self._item = self.layer() if self._begins_at is not None else None
        if self._item is not None and self._begins_at is not None:
            self._last, self._begins_at = self._begins_at, None
            self._paint(self._last, self._last)

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        self._ring.setPos(at)
        self._ring.setVisible(True)
        if pressed and self._last is None:
            self._begin()
        if pressed and self._last is not None:
            self._paint(self._last, at)
            self._last = at

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        if self._last is None:
            self._begin()
            if self._last is not None:
                self._paint(self._last, at)
        self._end()

    def _end(self) -> None:
        self._begins_at = None
        if self._last is not None:
            self._last = self._item = None
            self.done("Erase" if self.erases else "Brush")

    def wheel(self, event: QWheelEvent) -> bool:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        self.set_radius(self.radius * (1.15 if event.angleDelta().y() > 0 else 1 / 1.15))
        return True

    def leave(self) -> None:
        self._ring.setVisible(False)
        self._end()  # what was painted is seen, so it is kept

    def remove(self) -> None:
        """Take what it draws off the canvas."""
        self.view.scene().removeItem(self._ring)

    def _paint(self, start: QPointF, end: QPointF) -> None:
        import cv2

        layer = self._item
        if layer is None:
            return
        value = int(self.erases == self._inverts)
        shift = 4  # positions to a sixteenth of a pixel
        places = [(round(p.x() * 2**shift), round(p.y() * 2**shift)) for p in (start, end)]
        steps = max(1, int(np.hypot(end.x() - start.x(), end.y() - start.y()) / max(self.radius * 0.35, 0.5)))
        for n in range(steps + 1):
            x = round(places[0][0] + (places[1][0] - places[0][0]) * n / steps)
            y = round(places[0][1] + (places[1][1] - places[0][1]) * n / steps)
            cv2.circle(layer.pixels, (x, y), round(self.radius * 2**shift), value, -1, cv2.LINE_8, shift)
        reach = self.radius + 2
        layer.changed(
            int(min(start.x(), end.x()) - reach), int(min(start.y(), end.y()) - reach),
            int(max(start.x(), end.x()) + reach), int(max(start.y(), end.y()) + reach),
        )  # fmt: skip


class PolygonTool(CanvasTool):
    """Set corners by clicks; Enter, a double click or a click on the first corner closes the outline.

    By keys, Enter sets a corner at the crosshair, and closes the outline where the last corner is.

    done: called with the corners and whether it is a hole (Shift held at the end). Backspace drops the last corner.
    """

    cursor = Qt.CursorShape.CrossCursor
    holds = False

    def __init__(self, view: PhotoView, done: Callable[[list[tuple[float, float]], bool], None]) -> None:
        self._view = view
        self._done = done
        self.corners: list[tuple[float, float]] = []
        self._pointer: tuple[float, float] | None = None
        self._items = [QGraphicsPathItem(), QGraphicsPathItem()]
        for item, colour, width in zip(self._items, (tokens.PHOTO_HALO, "#FFFFFF"), (3.5, 1.5), strict=True):
            pen = QPen(QColor(colour), width)
            pen.setCosmetic(True)
            item.setPen(pen)
            item.setZValue(14)
            view.scene().addItem(item)

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        if len(self.corners) >= 3:
            first = self._view.on_screen(*self.corners[0])
            if (first - self._view.on_screen(at.x(), at.y())).manhattanLength() < _CLOSES_PX:
                self._close(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
        self.corners.append((at.x(), at.y()))
        self._draw()
        return True

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        self._pointer = (at.x(), at.y())
        self._draw()

    def double_click(self, at: QPointF, event: QMouseEvent) -> bool:
        if len(self.corners) < 3:
            return self.press(at, event)
        self._close(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        return True

    def wants(self, event: QKeyEvent) -> bool:
        taken = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)
        return bool(self.corners) and event.key() in taken

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.corners and not self._is_away():
            self._close(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() == Qt.Key.Key_Backspace and self.corners:
            self.corners.pop()
            self._draw()
        elif event.key() == Qt.Key.Key_Escape and self.corners:
            self.leave()
        else:
            return False
        return True

    def leave(self) -> None:
        self.corners = []
        self._pointer = None
        self._draw()

    def remove(self) -> None:
        """Take what it draws off the canvas."""
        for item in self._items:
            self._view.scene().removeItem(item)

    def _is_away(self) -> bool:
        """Tell whether the crosshair has been moved on from the last corner."""
        at = self._view.crosshair
        return at is not None and (at.x(), at.y()) != self.corners[-1]

    def _close(self, is_hole: bool) -> None:
        corners = self.corners
        self.leave()
        self._done(corners, is_hole)

    def _draw(self) -> None:
        path = QPainterPath()
        places = [*self.corners, *([self._pointer] if self._pointer and self.corners else [])]
        for n, (x, y) in enumerate(places):
            if n:
                path.lineTo(x, y)
            else:
                path.moveTo(x, y)
        unit = 3.0 / self._view.zoom
        for x, y in self.corners:
            path.addEllipse(QPointF(x, y), unit, unit)
        for item in self._items:
            item.setPath(path)
