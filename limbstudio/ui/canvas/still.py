"""What stays where it is while a point is dragged, drawn once: one picture in place of forty marks a frame."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap, QTransform
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QStyleOptionGraphicsItem,
)

_Z = 4.5  # above the box, below the bones that move
# The picture begins at a multiple of this, so that its pixels are the screen's also where a px is 1.25 or 1.5 of them.
_GRID_PX = 4


class StillMarks:
    """Hold marks of a scene as one picture, as long as the view looks the same way."""

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self._picture: QGraphicsPixmapItem | None = None
        self._held: list[QGraphicsItem] = []
        self._key: object = None

    @property
    def holds(self) -> bool:
        return self._picture is not None

    def hold(self, items: Sequence[QGraphicsItem], key: object) -> None:
        """Show a picture of the items in their place. key: names them; the same ones are not drawn again."""
        view = next(iter(self._scene.views()), None)
        if view is None:
            return
        key = (key, view.viewportTransform(), view.viewport().size(), view.devicePixelRatioF())
        if key == self._key:
            return
        self.let_go()
        seen = [(item, item.deviceTransform(view.viewportTransform())) for item in items if item.isVisible()]
        area = _area(view, seen)
        if area.isEmpty():
            return
        picture = QGraphicsPixmapItem(_picture(seen, area, view.devicePixelRatioF()))
        picture.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        picture.setPos(view.viewportTransform().inverted()[0].map(area.topLeft()))
        picture.setZValue(_Z)
        self._scene.addItem(picture)
        for item, _ in seen:
            item.setVisible(False)
        self._picture, self._held, self._key = picture, [item for item, _ in seen], key

    def let_go(self) -> None:
        """Show the items themselves again."""
        if self._picture is None:
            return
        self._scene.removeItem(self._picture)
        for item in self._held:
            item.setVisible(True)
        self._picture, self._held, self._key = None, [], None


def _area(view: QGraphicsView, seen: Sequence[tuple[QGraphicsItem, QTransform]]) -> QRectF:
    """Return where the items are seen, viewport px, from a whole step of the grid."""
    area = QRectF()
    for item, transform in seen:
        area = area.united(transform.mapRect(item.boundingRect()))
    area = area.intersected(QRectF(view.viewport().rect()))
    if not area.isEmpty():
        left, top = (math.floor(side / _GRID_PX) * _GRID_PX for side in (area.left(), area.top()))
        area = QRectF(left, top, math.ceil(area.right()) - left, math.ceil(area.bottom()) - top)
    return area


def _picture(seen: Sequence[tuple[QGraphicsItem, QTransform]], area: QRectF, ratio: float) -> QPixmap:
    pixmap = QPixmap(math.ceil(area.width() * ratio), math.ceil(area.height() * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    to_picture = QTransform.fromTranslate(-area.left(), -area.top())
    option = QStyleOptionGraphicsItem()
    for item, transform in sorted(seen, key=lambda pair: pair[0].zValue()):
        painter.setWorldTransform(transform * to_picture)
        painter.setOpacity(item.opacity())
        item.paint(painter, option, None)
    painter.end()
    return pixmap
