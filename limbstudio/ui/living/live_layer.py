"""The body over the photo while it moves: a small lit picture and a crisp outline, drawn in one item of the canvas."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.services.live import LivePicture
from limbstudio.ui import theme as tokens

_Z = 1.5  # above the kept fit's overlay, below box, bones and points
_MARGIN_PX = 3.0  # what an outline's pen needs, screen px


class LiveLayer(QGraphicsItem):
    """Draw the newest live picture."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(_Z)
        self._image = QImage()
        self._pixels: object = None  # the picture's memory
        self._rect = QRectF()
        self._outlines: list[QPolygonF] = []
        self._is_sharp = False
        self.setVisible(False)

    def show_picture(self, picture: LivePicture) -> None:
        """Show a picture in place of the last."""
        self.prepareGeometryChange()
        self._is_sharp = picture.is_last
        height, width = picture.rgba.shape[:2]
        self._pixels = picture.rgba
        self._image = QImage(picture.rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        x, y = picture.origin_px
        self._rect = QRectF(x, y, width * picture.scale, height * picture.scale)
        self._outlines = [QPolygonF([QPointF(x, y) for x, y in line.tolist()]) for line in picture.outlines]
        self.setVisible(True)
        self.update()

    def boundingRect(self) -> QRectF:
        margin = _MARGIN_PX * self._unit()
        return self._rect.adjusted(-margin, -margin, margin, margin)

    def _unit(self) -> float:
        """Return how many photo px a screen px is wide."""
        scene = self.scene()
        views = scene.views() if scene is not None else []
        return 1.0 / max(views[0].transform().m11(), 1e-6) if views else 1.0

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._rect, self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # Any line but one of exactly one pixel takes Qt ten times as long: halo and width wait until the body rests.
        halo = ((QColor(tokens.PHOTO_HALO), 3.0),) if self._is_sharp else ()
        for colour, width in (*halo, (QColor("#E8EBF0"), 1.2 if self._is_sharp else 1.0)):
            pen = QPen(colour, width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            for outline in self._outlines:
                painter.drawPolygon(outline)
