"""The photo on the canvas: only what is in view is drawn, as bright as it was set."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.rendering.photo_tiles import Adjustment, PhotoPyramid, ViewTile
from limbstudio.ui.canvas.veil import Veil, VeilPainter


class PhotoItem(QGraphicsItem):
    """A photo. Its coordinates are the photo's pixels, (0, 0) the centre of the top-left one."""

    def __init__(self) -> None:
        super().__init__()
        self._photo: PhotoPyramid | None = None
        self._size = (0, 0)
        self._tile = ViewTile()
        self._drawn: tuple[object, np.ndarray] | None = None  # how the view was, and what it showed
        self._adjustment = Adjustment()
        self._veil: Veil | None = None
        self._veil_painter = VeilPainter()

    @property
    def size(self) -> tuple[int, int]:
        """Return the photo's width and height in pixels, (0, 0) when there is none."""
        return self._size

    @property
    def key(self) -> object:
        """Return what changes with every photo that is shown, and with what of it is blurred."""
        return self._photo, self._veil

    def set_photo(self, photo: PhotoPyramid | None, size: tuple[int, int] | None = None) -> None:
        """Show a photo. size: the real one, when `photo` is a smaller copy."""
        self.prepareGeometryChange()
        self._photo = photo
        self._size = (0, 0) if photo is None else (size or photo.size)
        self._tile = ViewTile()
        self._drawn = None
        self.update()

    @property
    def adjustment(self) -> Adjustment:
        return self._adjustment

    def adjust(self, adjustment: Adjustment) -> None:
        self._adjustment = adjustment
        self.update()

    def set_veil(self, veil: Veil | None) -> None:
        """Blur parts of the photo wherever it is drawn."""
        if veil != self._veil:
            self._veil = veil
            self.update()

    def _draw_veil(self, painter: QPainter) -> None:
        if self._veil is not None and self._photo is not None:
            self._veil_painter.draw(painter, self._veil, self._photo, self._size, self._adjustment)

    def boundingRect(self) -> QRectF:
        return QRectF(-0.5, -0.5, *self._size)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._photo is None or widget is None:
            return
        ratio = widget.devicePixelRatioF()
        size = (round(widget.width() * ratio), round(widget.height() * ratio))
        seen = (painter.worldTransform(), ratio, size, self._adjustment)
        if self._drawn is None or self._drawn[0] != seen:  # a drag draws the same part again and again
            into_photo = self._copy_from_tile(painter.worldTransform(), ratio)
            self._drawn = seen, self._tile.of(self._photo, into_photo, size, self._adjustment)
        painter.save()
        painter.setClipRect(self.boundingRect())
        painter.resetTransform()
        painter.drawImage(QPointF(), _image(self._drawn[1], ratio))
        painter.restore()
        if self._veil is not None:
            painter.save()
            painter.setClipRect(self.boundingRect())
            self._draw_veil(painter)
            painter.restore()

    def draw_at(self, painter: QPainter, view: QTransform, side: int) -> None:
        """Draw a square of side x side px whose pixels show what `view` takes to them from the photo."""
        if self._photo is not None:
            ratio = painter.device().devicePixelRatioF()
            whole = round(side * ratio)
            tile = self._photo.tile(self._copy_from_tile(view, ratio), (whole, whole))
            painter.drawImage(QPointF(), _image(self._adjustment.of(tile), ratio))
            if self._veil is not None:
                painter.save()
                painter.setTransform(view, combine=True)
                self._draw_veil(painter)
                painter.restore()

    def small(self, width: int, height: int) -> QImage:
        """Return the whole photo, as it is shown, within width x height px."""
        scale = min(width / self._size[0], height / self._size[1])
        size = (max(round(self._size[0] * scale), 1), max(round(self._size[1] * scale), 1))
        assert self._photo is not None
        view = QTransform.fromTranslate(0.5, 0.5) * QTransform.fromScale(scale, scale)
        tile = self._photo.tile(self._copy_from_tile(view, 1.0), size)
        picture = _image(self._adjustment.of(tile), 1.0).copy()
        if self._veil is not None:
            painter = QPainter(picture)
            painter.setTransform(view)
            self._draw_veil(painter)
            painter.end()
        return picture

    def _copy_from_tile(self, device_from_photo: QTransform, ratio: float) -> np.ndarray:
        """Return the (2, 3) map from the pixels of a tile to those of the copy that is shown.

        ratio: pixels of the tile per unit of the device.
        """
        inverse = device_from_photo.inverted()[0]
        turn = np.array([[inverse.m11(), inverse.m21()], [inverse.m12(), inverse.m22()]]) / ratio
        start = turn @ (0.5, 0.5) + (inverse.dx(), inverse.dy())  # a pixel's centre lies half a pixel in
        assert self._photo is not None
        smaller = self._photo.size[0] / self._size[0]
        return np.column_stack([turn * smaller, (start + 0.5) * smaller - 0.5])


def _image(tile: np.ndarray, ratio: float) -> QImage:
    """Return BGRA pixels as a picture; it borrows them."""
    height, width = tile.shape[:2]
    image = QImage(tile.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    return image
