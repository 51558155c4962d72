"""A mask over the photo: one byte per pixel, drawn in the layer's colour, changed in place while a brush works."""

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.domain.mask_layers import MaskKind
from limbstudio.formats.mask_tiles import Bounds
from limbstudio.ui import theme as tokens

LAYER_COLOURS = {
    MaskKind.PERSON: "#8A96FF",
    MaskKind.RESIDUAL_LIMB: tokens.PHOTO_RESIDUAL,
    MaskKind.PROSTHESIS: tokens.PHOTO_PROSTHESIS,
    MaskKind.OCCLUDER: tokens.PHOTO_UNSURE,
}
_Z = 1.5  # over the fitted body, under the points


class LayerItem(QGraphicsItem):
    """Draws `pixels`, (H, W) uint8, 1 inside; what is changed there is told by `changed`.

    Takes the array over where it can: nobody else writes to it any more.
    """

    def __init__(self, pixels: np.ndarray, kind: MaskKind, opacity: float) -> None:
        super().__init__()
        pixels = pixels.view(np.uint8) if pixels.dtype == bool else pixels
        self.pixels = np.ascontiguousarray(pixels, np.uint8)
        height, width = self.pixels.shape
        self._size = (width, height)
        # The picture looks at the array's memory: a stroke changes it without a copy.
        self._image = QImage(self.pixels.data, width, height, width, QImage.Format.Format_Indexed8)
        self._kind = kind
        self._drawn: Bounds | None = None
        self.set_opacity(opacity)
        self.setZValue(_Z)

    def set_opacity(self, opacity: float) -> None:
        """opacity: 0 to 1."""
        colour = QColor(LAYER_COLOURS[self._kind])
        colour.setAlphaF(opacity)
        self._image.setColorTable([0, colour.rgba()])
        self.update()

    def changed(self, left: int, top: int, right: int, bottom: int) -> None:
        """Draw a part of the photo anew, where somebody draws, and remember it for `take_drawn`."""
        if self._drawn is None:
            self._drawn = left, top, right, bottom
        else:
            a, b, c, d = self._drawn
            self._drawn = min(a, left), min(b, top), max(c, right), max(d, bottom)
        self.show_again((left, top, right, bottom))

    def show_again(self, part: Bounds) -> None:
        """Draw a part of the photo anew: left, top, right, bottom."""
        left, top, right, bottom = part
        self.update(QRectF(left - 1.5, top - 1.5, right - left + 3, bottom - top + 3))

    @property
    def mask(self) -> np.ndarray:
        """Return the pixels as (H, W) bool; they go on changing."""
        return self.pixels.view(bool)

    def take_drawn(self) -> Bounds:
        """Return the part that was changed since this was last asked: left, top, right, bottom."""
        drawn, self._drawn = self._drawn, None
        return drawn or (0, 0, 0, 0)

    def boundingRect(self) -> QRectF:
        return QRectF(-0.5, -0.5, *self._size)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        target = option.exposedRect.intersected(self.boundingRect())  # pyright: ignore[reportAttributeAccessIssue]
        if target.isEmpty():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(target, self._image, target.translated(0.5, 0.5))
