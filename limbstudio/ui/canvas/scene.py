"""The canvas's scene: the photo, what lies over it, the people, and the marks that come and go."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsPixmapItem, QGraphicsScene

from limbstudio.domain.photo import Person
from limbstudio.ui.canvas.box_frame import BoxFrame
from limbstudio.ui.canvas.items import ExpectedItem
from limbstudio.ui.canvas.people import PersonItems
from limbstudio.ui.canvas.photo_item import PhotoItem

_PALE = 0.35


class CanvasScene(QGraphicsScene):
    """Its coordinates are the photo's pixels. z: photo 0, overlay 1, box 2, bones 5, labels 9, points 10 to 12."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)  # few items, all of them move
        self.photo = PhotoItem()
        self.addItem(self.photo)
        self.overlay = QGraphicsPixmapItem()
        self.overlay.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self.overlay.setZValue(1)
        self.addItem(self.overlay)
        self.box = BoxFrame()
        self.addItem(self.box)
        self.expected = ExpectedItem()
        self.expected.setVisible(False)
        self.addItem(self.expected)
        self.crosshair = ExpectedItem()
        self.crosshair.crosshair = True
        self.crosshair.setVisible(False)
        self.crosshair.setZValue(13)
        self.addItem(self.crosshair)
        band_pen = QPen(QColor("#FFFFFF"), 1.2, Qt.PenStyle.DashLine)
        band_pen.setCosmetic(True)
        self.band = self.addPolygon(QPolygonF(), band_pen, QColor(255, 255, 255, 26))
        self.band.setZValue(14)
        self.person = PersonItems(self, 1.0)
        self._others: dict[str, PersonItems] = {}

    def show_others(self, people: Mapping[str, Person], unit: float) -> None:
        """Show the people who are not in work, pale. unit: photo px per screen px."""
        for person_id in set(self._others) - set(people):
            self._others.pop(person_id).remove()
        for person_id, person in people.items():
            items = self._others.setdefault(person_id, PersonItems(self, _PALE))
            items.show(person, {}, unit=unit)

    def set_unit(self, unit: float) -> None:
        """Keep widths on the screen. unit: photo px per screen px."""
        for items in (self.person, *self._others.values()):
            items.set_unit(unit)
