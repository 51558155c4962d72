"""The whole photo, small, with what is in view: shown while the view holds only a part."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from limbstudio.rendering.photo_tiles import Adjustment
from limbstudio.ui import theme as tokens
from limbstudio.ui.photo_view import PhotoView

_LARGEST = (168, 132)


class Minimap(QWidget):
    """A small photo; a press or a drag on it brings that place to the middle of the view."""

    def __init__(self, view: PhotoView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._picture = QPixmap()
        self._picture_of: tuple[object, Adjustment] | None = None
        self.wanted = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Minimap: what part of the photo is in view")
        self.hide()
        view.moved.connect(self.follow)

    def follow(self) -> None:
        """Show what is in view now; hide where that is the whole photo."""
        if not (self.wanted and self._view.has_photo) or self._sees_all():
            self.hide()
            return
        key = (self._view.photo_key, self._view.adjustment)
        if key != self._picture_of:
            self._picture_of = key
            self._picture = QPixmap.fromImage(self._view.small_photo(*_LARGEST))
            self.resize(self._picture.width() + 4, self._picture.height() + 4)
        if self.isHidden():
            self.show()
            self.raise_()
        self.update()

    def _sees_all(self) -> bool:
        width, height = self._view.photo_size
        seen = QPolygonF(self._seen())
        corners = [QPointF(0, 0), QPointF(width, 0), QPointF(width, height), QPointF(0, height)]
        return all(seen.containsPoint(corner, Qt.FillRule.OddEvenFill) for corner in corners)

    def _seen(self) -> list[QPointF]:
        """Return the corners of what is in view, in pixels of the photo."""
        area = QRectF(self._view.viewport().rect())
        corners = (area.topLeft(), area.topRight(), area.bottomRight(), area.bottomLeft())
        return [self._view.on_photo(corner) for corner in corners]

    def _scale(self) -> float:
        return self._picture.width() / max(self._view.photo_size[0], 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.PHOTO_HALO))
        painter.drawPixmap(2, 2, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(2, 2)
        painter.setClipRect(QRectF(0, 0, self._picture.width(), self._picture.height()))
        scale = self._scale()
        seen = QPainterPath()
        seen.addPolygon(QPolygonF([corner * scale for corner in self._seen()]))
        seen.closeSubpath()
        whole = QPainterPath()
        whole.addRect(QRectF(self.rect()))
        painter.fillPath(whole.subtracted(seen), QColor(0, 0, 0, 120))
        for colour, width in ((QColor(tokens.PHOTO_HALO), 4.0), (QColor("#FFFFFF"), 1.6)):
            painter.setPen(QPen(colour, width))
            painter.drawPath(seen)

    def _go(self, event: QMouseEvent) -> None:
        at = (event.position() - QPointF(2, 2)) / self._scale()
        width, height = self._view.photo_size
        self._view.centre_on(min(max(at.x(), 0.0), width), min(max(at.y(), 0.0), height))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)
