"""The canvas: one photo, the people's points on it, and the mouse and keys that place and move them.

It shows what it is given and says what a person did; it changes nothing itself.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView, QWidget

from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.ui.canvas.items import ExpectedItem
from limbstudio.ui.canvas.keys import CanvasKeys
from limbstudio.ui.canvas.mouse import CanvasMouse
from limbstudio.ui.canvas.people import PersonItems, short_name, shown_points
from limbstudio.ui.canvas.pixels import image_of
from limbstudio.ui.canvas_tools import CanvasTool
from limbstudio.ui.targets import HitTarget, TargetKind, find_target

__all__ = ["PhotoView", "image_of", "short_name", "shown_points"]

_ZOOM_LIMITS = (0.02, 40.0)
_FIT_MARGIN_PX = 14
_LOUPE_PX = 132
_LOUPE_FACTOR = 4.0


class PhotoView(QGraphicsView):
    """Show a photo with its people and turn the mouse and keys into what a person means.

    Signals (x, y: pixels of the photo):
        clicked_to_place(x, y): a click, or Enter at the crosshair, while a point is asked for.
        point_moved(index, x, y): a drag ended.
        points_moved(index -> (x, y)): a drag with Ctrl, of a joint with all that is distal to it, ended.
        box_drawn(Box): a drag that drew a person's box ended.
        dragging(index -> (x, y)): the points of a drag that goes on; empty when it was given up.
        point_nudged(index, dx, dy): an arrow key on the selected point.
        point_selected(index): -1 for none.
        person_clicked(id): a point of another person.
        skip_asked(): a tap on the space bar.
        pointer_at(x, y), pointer_left(): for the status bar and the loupe.
        zoomed(zoom): screen px per photo px.
        menu_asked(index, global position): a right click; -1 for none.
    """

    clicked_to_place = Signal(float, float)
    point_moved = Signal(int, float, float)
    points_moved = Signal(object)
    dragging = Signal(object)
    box_drawn = Signal(object)
    point_nudged = Signal(int, int, int)
    point_selected = Signal(int)
    person_clicked = Signal(str)
    skip_asked = Signal()
    pointer_at = Signal(float, float)
    pointer_left = Signal()
    zoomed = Signal(float)
    moved = Signal()
    menu_asked = Signal(int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)  # few items, all of them move
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)  # the window takes drops
        self.setAccessibleName("Photo with points")

        self._pixmap = QPixmap()
        self._photo_item = QGraphicsPixmapItem()
        self._photo_item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        # Pixel (0, 0) is the centre of the top-left pixel, so the picture begins half a pixel before it.
        self._photo_item.setOffset(-0.5, -0.5)
        scene.addItem(self._photo_item)
        self._overlay_item = QGraphicsPixmapItem()
        self._overlay_item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._overlay_item.setZValue(1)
        scene.addItem(self._overlay_item)
        self._box_item = scene.addRect(QRectF(), QPen(Qt.PenStyle.NoPen))
        box_pen = QPen(QColor(255, 255, 255, 150), 1.2, Qt.PenStyle.DashLine)
        box_pen.setCosmetic(True)
        self._box_item.setPen(box_pen)
        self._box_item.setZValue(2)
        self._box_item.setVisible(False)
        self._expected_item = ExpectedItem()
        self._expected_item.setVisible(False)
        scene.addItem(self._expected_item)
        self._crosshair_item = ExpectedItem()
        self._crosshair_item.crosshair = True
        self._crosshair_item.setVisible(False)
        self._crosshair_item.setZValue(13)
        scene.addItem(self._crosshair_item)

        self._person: Person | None = None
        self._others: dict[str, Person] = {}
        self._items = PersonItems(scene, 1.0)
        self._other_items: dict[str, PersonItems] = {}
        self._selected: int | None = None
        self._hovered: int | None = None
        self._asks = False
        self._asks_keys = False
        self._all_names = False
        self._fitted = True

        self._dragged: Mapping[int, tuple[float, float]] = {}
        self._tool: CanvasTool | None = None
        self._mouse = CanvasMouse(self)
        self._keys = CanvasKeys(self, self._mouse)

    # ------------------------------------------------------------------------------------------------ what is shown

    def show_photo(self, pixels: np.ndarray | None, *, keep_view: bool = False) -> None:
        """Show a photo, (H, W, 3) uint8 RGB, fitted to the view; None clears the canvas."""
        self.show_picture(QPixmap() if pixels is None else QPixmap.fromImage(image_of(pixels)), None)
        if not keep_view:
            self.fit()

    def show_picture(self, pixmap: QPixmap, size: tuple[int, int] | None) -> None:
        """Show a picture of the photo. size: the photo's width and height, when the picture is a smaller one."""
        self._pixmap = pixmap
        self._photo_item.setPixmap(pixmap)
        scale = 1.0 if size is None or pixmap.isNull() else size[0] / pixmap.width()
        self._photo_item.setScale(scale)
        width, height = size or (pixmap.width(), pixmap.height())
        # Room around the photo, so that any part of it can be brought to the middle of the view.
        self.setSceneRect(QRectF(-width, -height, 3 * width, 3 * height))

    @property
    def photo_size(self) -> tuple[float, float]:
        """Return the shown photo's width and height in pixels, (0, 0) when there is none."""
        scale = self._photo_item.scale()
        return self._pixmap.width() * scale, self._pixmap.height() * scale

    @property
    def has_photo(self) -> bool:
        return not self._pixmap.isNull()

    def show_people(self, person: Person | None, others: Sequence[Person] = ()) -> None:
        """Show the person in work, and the other people of the photo pale."""
        changed = (person.id if person else None) != (self._person.id if self._person else None)
        self._person = person
        self._others = {other.id: other for other in others}
        if changed:
            self._items.remove()
            self._selected = self._hovered = None
        self.refresh()

    def show_overlay(self, picture: np.ndarray | None, scale: float = 1.0) -> None:
        """Lay a picture over the photo, (H, W, 4) uint8 RGBA. scale: photo px per px of the picture."""
        self._overlay_item.setPixmap(QPixmap() if picture is None else QPixmap.fromImage(image_of(picture)))
        self._overlay_item.setScale(scale)
        self._overlay_item.setPos(-0.5, -0.5)

    def set_overlay_visible(self, visible: bool) -> None:
        self._overlay_item.setVisible(visible)

    def set_names_visible(self, visible: bool) -> None:
        """Show every point's name, not only those that matter now."""
        self._all_names = visible
        self.refresh()

    def set_asking(
        self, asks: bool, expected: tuple[float, float] | None = None, *, by_keys: bool = True
    ) -> None:
        """Say whether a click places a point, and where it is expected (the dashed circle).

        by_keys: whether arrows and Enter place it too.
        """
        self._asks = asks
        self._asks_keys = asks and by_keys
        self._expected_item.setVisible(asks and expected is not None)
        if expected is not None:
            self._expected_item.setPos(*expected)
        if not asks:
            self._crosshair_item.setVisible(False)
        self.show_cursor()

    @property
    def selected(self) -> int | None:
        return self._selected

    def select(self, index: int | None) -> None:
        """Select a point without saying so."""
        if index != self._selected:
            self._selected = index
            self.refresh()

    def points_on_screen(self) -> dict[int, QPointF]:
        """Return where the points of the person in work are drawn, in the viewport's px."""
        return {i: self.on_screen(*xy) for i, xy in shown_points(self._person).items()}

    def on_screen(self, x: float, y: float) -> QPointF:
        """Return where a pixel of the photo is drawn, in the viewport's px."""
        return self.viewportTransform().map(QPointF(x, y))

    def on_photo(self, position: QPointF) -> QPointF:
        """Return the pixel of the photo under a position in the viewport."""
        return self.viewportTransform().inverted()[0].map(position)

    def draw_loupe(self, painter: QPainter, centre: tuple[float, float]) -> None:
        """Draw the surroundings of a photo pixel, four times as large as in the view, in a disc of 132 px."""
        reach = _LOUPE_PX / (_LOUPE_FACTOR * self.zoom)
        source = QRectF(centre[0] + 0.5 - reach / 2, centre[1] + 0.5 - reach / 2, reach, reach)
        scale = self._photo_item.scale()
        source = QRectF(source.topLeft() / scale, source.size() / scale)
        painter.drawPixmap(QRectF(0, 0, _LOUPE_PX, _LOUPE_PX), self._pixmap, source)

    @property
    def tool(self) -> CanvasTool | None:
        """Return the tool that has the mouse; None for placing and dragging points."""
        return self._tool

    def set_tool(self, tool: CanvasTool | None) -> None:
        """Give mouse and keys to a tool, or take them back with None."""
        if self._tool is not None and tool is not self._tool:
            self._tool.leave()
        self._tool = tool
        self._mouse.drop_tool()
        self.show_cursor()

    # ---------------------------------------------------------------------------------------------------- the view

    @property
    def zoom(self) -> float:
        """Return how many screen px one photo px takes."""
        return self.transform().m11()

    def fit(self) -> None:
        """Show the whole photo."""
        width, height = self.photo_size
        if not width:
            return
        room = self.viewport().size() - QSize(2 * _FIT_MARGIN_PX, 2 * _FIT_MARGIN_PX)
        zoom = min(room.width() / width, room.height() / height)
        self._set_zoom(max(zoom, _ZOOM_LIMITS[0]))
        self.centerOn(width / 2, height / 2)
        self._fitted = True
        self.moved.emit()

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom, keeping what lies under `anchor` (viewport px; the middle by default) where it is."""
        if not self.has_photo:
            return
        anchor = anchor or QPointF(self.viewport().rect().center())
        before = self.on_photo(anchor)
        self._set_zoom(min(max(self.zoom * factor, _ZOOM_LIMITS[0]), _ZOOM_LIMITS[1]))
        self._scroll(self.on_screen(before.x(), before.y()) - anchor)
        self._fitted = False
        self.moved.emit()

    def _set_zoom(self, zoom: float) -> None:
        self.resetTransform()
        self.scale(zoom, zoom)
        unit = 1.0 / zoom
        for items in (self._items, *self._other_items.values()):
            items.set_unit(unit)
        smooth = zoom < 3.0  # beyond that single pixels are what one wants to see
        mode = (
            Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        )
        self._photo_item.setTransformationMode(mode)
        self.zoomed.emit(zoom)

    def pan_by(self, by: QPointF) -> None:
        """Move the view over the photo, in px of the screen."""
        self._scroll(by)
        self._fitted = False
        self.moved.emit()

    def _scroll(self, by: QPointF) -> None:
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() + round(by.x()))
        vertical.setValue(vertical.value() + round(by.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        self.moved.emit()

    # ----------------------------------------------------------------------------------------------- mouse and keys

    @property
    def person(self) -> Person | None:
        """Return the person in work."""
        return self._person

    @property
    def hovered(self) -> int | None:
        """Return the point under the pointer."""
        return self._hovered

    @property
    def asks(self) -> bool:
        """Tell whether a click places a point."""
        return self._asks

    @property
    def asks_keys(self) -> bool:
        """Tell whether arrows and Enter place a point."""
        return self._asks_keys

    @property
    def draws_box(self) -> bool:
        """Tell whether a drag draws a person's box: asked for, or because there is no person yet."""
        return self._mouse.draws_box or (self._person is None and self._asks)

    def set_drawing_box(self, draws: bool) -> None:
        """Let the next drag draw the box of the person in work."""
        self._mouse.draws_box = draws
        self.show_cursor()

    def target_at(self, position: QPointF) -> HitTarget:
        """Return what a press at a position in the viewport would take hold of."""
        at = self.on_photo(position)
        return find_target(
            (at.x(), at.y()),
            shown_points(self._person),
            selected=self._selected,
            others={i: shown_points(p) for i, p in self._others.items()},
            zoom=self.zoom,
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.has_photo:
            self._mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.has_photo:
            self._mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._mouse.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._mouse.wheel(event)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.has_photo:
            return
        target = self.target_at(QPointF(self.viewport().mapFrom(self, event.pos())))
        if target.kind is TargetKind.POINT and target.point is not None:
            self.choose(target.point)
        index = self._selected if target.point is None else target.point
        self.menu_asked.emit(-1 if index is None else index, event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hover(HitTarget())
        self.pointer_left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.press(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.release(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mouse.space_held = False

    def hover(self, target: HitTarget) -> None:
        """Name the point under the pointer."""
        hovered = target.point if target.kind is TargetKind.POINT else None
        if hovered != self._hovered:
            self._hovered = hovered
            self.refresh()
            self.show_cursor()

    def choose(self, index: int | None) -> None:
        """Select a point and say so."""
        if index != self._selected:
            self._selected = index
            self.refresh()
            self.point_selected.emit(-1 if index is None else index)

    def show_cursor(self) -> None:
        """Give the pointer the shape of what the mouse would do now."""
        self.viewport().setCursor(self._mouse.cursor())

    def crosshair(self) -> QPointF:
        """Return where the keyboard's crosshair is or would come up, in pixels of the photo."""
        if self._crosshair_item.isVisible():
            return self._crosshair_item.pos()
        if self._expected_item.isVisible():
            return self._expected_item.pos()
        pointer = self.viewport().mapFromGlobal(self.cursor().pos())
        if not self.viewport().rect().contains(pointer):
            pointer = self.viewport().rect().center()
        at = self.on_photo(QPointF(pointer))
        return QPointF(round(at.x()), round(at.y()))

    def show_crosshair(self, at: QPointF) -> None:
        self._crosshair_item.setPos(at)
        self._crosshair_item.setVisible(True)

    def hide_crosshair(self) -> None:
        self._crosshair_item.setVisible(False)

    # ------------------------------------------------------------------------------------------------- the drawing

    def show_dragged(self, places: Mapping[int, tuple[float, float]]) -> None:
        """Draw points where a drag has them, instead of where they are recorded."""
        self._dragged = dict(places)
        self.refresh()

    def refresh(self) -> None:
        """Draw everything anew that is drawn on the photo."""
        unit = 1.0 / self.zoom
        for person_id in set(self._other_items) - set(self._others):
            self._other_items.pop(person_id).remove()
        for person_id, person in self._others.items():
            items = self._other_items.setdefault(person_id, PersonItems(self.scene(), 0.35))
            items.show(person, {}, selected=None, named=frozenset(), unit=unit, middle_x=0.0, all_names=False)
        if self._person is None:
            self._items.remove()
            self._box_item.setVisible(False)
            return
        positions = shown_points(self._person)
        xs = [x for x, _ in positions.values()]
        middle = sum(xs) / len(xs) if xs else self.photo_size[0] / 2
        self._items.show(
            self._person,
            self._dragged,
            selected=self._selected,
            named=frozenset() if self._hovered is None else frozenset({self._hovered}),
            unit=unit,
            middle_x=middle,
            all_names=self._all_names,
        )
        self.show_box(self._person.box)

    def show_box(self, box: Box | None) -> None:
        """Draw a person's box."""
        self._box_item.setVisible(box is not None)
        if box is not None:
            self._box_item.setRect(QRectF(box.x - 0.5, box.y - 0.5, box.width, box.height))
