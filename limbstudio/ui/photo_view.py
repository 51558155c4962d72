"""The canvas: one photo, the people's points on it, and the mouse and keys that place and move them.

It shows what it is given and says what a person did; it changes nothing itself.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.rendering.photo_tiles import Adjustment, PhotoPyramid
from limbstudio.ui.canvas import accessible
from limbstudio.ui.canvas.keys import CanvasKeys
from limbstudio.ui.canvas.mouse import CanvasMouse
from limbstudio.ui.canvas.people import short_name, shown_points
from limbstudio.ui.canvas.pixels import image_of, pixels_of
from limbstudio.ui.canvas.scene import CanvasScene
from limbstudio.ui.canvas.veil import Veil
from limbstudio.ui.canvas.viewpoint import Viewpoint
from limbstudio.ui.canvas_tools import CanvasTool
from limbstudio.ui.targets import HitTarget, TargetKind, find_target

__all__ = ["PhotoView", "image_of", "short_name", "shown_points"]

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
        person_moved(dx, dy): a drag of the box's handle that moves the person ended.
        point_nudged(index, dx, dy): an arrow key on the selected point.
        selection_nudged(dx, dy): an arrow key while several points are selected.
        selection_changed(frozenset): the selected points, LDPose indices.
        point_selected(index): -1 for none.
        person_clicked(id): a point of another person.
        skip_asked(): a tap on the space bar.
        pointer_at(x, y), pointer_left(): for the status bar and the loupe.
        zoomed(zoom): screen px per photo px.
        moved(): another part of the photo is seen, or it is seen turned or larger.
        menu_asked(index, global position): a right click or a long press; -1 for none.
        tool_changed(): another tool, or none, has the mouse.
    """

    clicked_to_place = Signal(float, float)
    point_moved = Signal(int, float, float)
    points_moved = Signal(object)
    dragging = Signal(object)
    box_drawn = Signal(object)
    person_moved = Signal(float, float)
    point_nudged = Signal(int, int, int)
    selection_nudged = Signal(int, int)
    selection_changed = Signal(object)
    point_selected = Signal(int)
    person_clicked = Signal(str)
    skip_asked = Signal()
    pointer_at = Signal(float, float)
    pointer_left = Signal()
    zoomed = Signal(float)
    moved = Signal()
    menu_asked = Signal(int, QPoint)
    tool_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        scene = self._scene = CanvasScene(self)
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
        accessible.install()
        self.spoken_points: Mapping[int, str] = {}

        self._photo_item = scene.photo
        self._overlay_item = scene.overlay
        self._box_item = scene.box
        self._crosshair_item = scene.crosshair

        self._person: Person | None = None
        self._others: dict[str, Person] = {}
        self._selected: int | None = None
        self._selection: frozenset[int] = frozenset()
        self._hovered: int | None = None
        self._hovered_handle: str | None = None
        self._solo = False
        self._asks = False
        self._asks_keys = False
        self._all_names = False
        self.viewpoint = Viewpoint(self)
        self._dragged: Mapping[int, tuple[float, float]] = {}
        self._dragged_box: Box | None = None
        self._tool: CanvasTool | None = None
        self._mouse = CanvasMouse(self)
        self.keys = CanvasKeys(self, self._mouse)

    # ------------------------------------------------------------------------------------------------ what is shown

    def show_photo(
        self,
        photo: np.ndarray | PhotoPyramid | None,
        *,
        size: tuple[int, int] | None = None,
        keep_view: bool = False,
    ) -> None:
        """Show a photo, (H, W, 3) uint8 RGB, fitted to the view; None clears the canvas.

        size: the photo's width and height, when these are the pixels of a smaller copy. keep_view: it is the same
        photo, better read: where it is seen from stays.
        """
        if photo is None:
            self.viewpoint.remember()
        self._show(PhotoPyramid(photo) if isinstance(photo, np.ndarray) else photo, size)
        if photo is not None and not keep_view:
            self.viewpoint.begin()
            self.moved.emit()

    def show_picture(self, pixmap: QPixmap, size: tuple[int, int] | None) -> None:
        """Show a picture of the photo. size: the photo's width and height, when the picture is a smaller one."""
        self._show(None if pixmap.isNull() else PhotoPyramid(pixels_of(pixmap.toImage())), size)

    def _show(self, photo: PhotoPyramid | None, size: tuple[int, int] | None) -> None:
        self.give_up()
        self._photo_item.set_photo(photo, size)
        width, height = self._photo_item.size
        # Room around the photo, so that any part of it can be brought to the middle of the view.
        room = max(width, height)
        self.setSceneRect(QRectF(-room, -room, width + 2 * room, height + 2 * room))

    @property
    def photo_size(self) -> tuple[float, float]:
        """Return the shown photo's width and height in pixels, (0, 0) when there is none."""
        width, height = self._photo_item.size
        return float(width), float(height)

    @property
    def has_photo(self) -> bool:
        return self._photo_item.size != (0, 0)

    @property
    def photo_key(self) -> object:
        """Return what changes with every photo that is shown."""
        return self._photo_item.key

    @property
    def adjustment(self) -> Adjustment:
        """Return how bright the photo is shown; it is never changed."""
        return self._photo_item.adjustment

    def adjust(self, adjustment: Adjustment) -> None:
        """Show the photo brighter, with more contrast or grey."""
        self._photo_item.adjust(adjustment)
        self.moved.emit()

    def set_veil(self, veil: Veil | None) -> None:
        """Blur parts of the photo on the canvas, in the loupe and in the minimap."""
        self._photo_item.set_veil(veil)
        if self.has_photo:
            self.moved.emit()

    def small_photo(self, width: int, height: int) -> QImage:
        """Return the whole photo as it is shown, upright, within width x height px."""
        return self._photo_item.small(width, height)

    def show_people(self, person: Person | None, others: Sequence[Person] = ()) -> None:
        """Show the person in work, and the other people of the photo pale."""
        changed = (person.id if person else None) != (self._person.id if self._person else None)
        self._person = person
        self._others = {other.id: other for other in others}
        if changed:
            self.give_up()
            self._scene.person.remove()
            self._selected = self._hovered = self._hovered_handle = None
            self._set_selection(frozenset())
        self.refresh()
        if not self._selection <= set(shown_points(person)):
            self._set_selection(self._selection & set(shown_points(person)) | self._primary())

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
        self._scene.expected.setVisible(asks and expected is not None)
        if expected is not None:
            self._scene.expected.setPos(*expected)
        if not asks:
            self._crosshair_item.setVisible(False)
        if self._person is not None:
            self.show_box(self._person.box)
        self.show_cursor()

    @property
    def selected(self) -> int | None:
        """Return the point that was selected last: it is named, and the panels show it."""
        return self._selected

    @property
    def selection(self) -> frozenset[int]:
        """Return all selected points; `selected` is one of them."""
        return self._selection

    def speak_points(self, points: Mapping[int, str]) -> None:
        """Give screen readers the points in the order of asking: LDPose index -> name, state, place in the order."""
        before, self.spoken_points = self.spoken_points, dict(points)
        accessible.tell_changes(self, before, self.spoken_points)

    def select(self, index: int | None) -> None:
        """Select a point without saying so; what else is selected stays only if it is one of those."""
        if index != self._selected:
            self._selected = index
            if index is None or index not in self._selection:
                self._set_selection(self._primary())
            self.refresh()

    def choose(self, index: int | None) -> None:
        """Select one point, or none, and say so."""
        changed = index != self._selected
        self._selected = index
        self._set_selection(self._primary())
        self.refresh()
        if changed:
            self.point_selected.emit(-1 if index is None else index)

    def choose_all(self, points: Collection[int]) -> None:
        """Select several points and say so; one that was selected before stays the one that is named."""
        wanted = frozenset(points) & set(shown_points(self._person))
        if wanted == self._selection:
            return
        before = self._selected
        if before not in wanted:
            self._selected = min(wanted - self._selection or wanted, default=None)
        self._set_selection(wanted)
        self.refresh()
        if before != self._selected:
            self.point_selected.emit(-1 if self._selected is None else self._selected)

    def _primary(self) -> frozenset[int]:
        return frozenset() if self._selected is None else frozenset({self._selected})

    def _set_selection(self, points: frozenset[int]) -> None:
        if points != self._selection:
            self._selection = points
            accessible.tell_selection(self)
            self.selection_changed.emit(points)

    def set_solo(self, solo: bool) -> None:
        """Show only the person in work."""
        self._solo = solo
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
        zoom = _LOUPE_FACTOR * self.zoom
        middle = QTransform.fromTranslate(_LOUPE_PX / 2, _LOUPE_PX / 2).rotate(self.turn).scale(zoom, zoom)
        self._photo_item.draw_at(painter, middle.translate(-centre[0], -centre[1]), _LOUPE_PX)

    @property
    def tool(self) -> CanvasTool | None:
        """Return the tool that has the mouse; None for placing and dragging points."""
        return self._tool

    def set_tool(self, tool: CanvasTool | None) -> None:
        """Give mouse and keys to a tool, or take them back with None."""
        if self._tool is not None and tool is not self._tool:
            self.keys.give_up()
            self._tool.leave()
            self.hide_crosshair()
        changed = tool is not self._tool
        self._tool = tool
        self._mouse.drop_tool()
        self.refresh()
        self.show_cursor()
        if changed:
            self.tool_changed.emit()

    # ---------------------------------------------------------------------------------------------------- the view

    @property
    def zoom(self) -> float:
        """Return how many screen px one photo px takes."""
        return self.viewpoint.zoom

    @property
    def turn(self) -> float:
        """Return by how many degrees the photo is seen turned, clockwise."""
        return self.viewpoint.turn

    def fit(self) -> None:
        """Show the whole photo."""
        self.viewpoint.fit()
        self.moved.emit()

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom, keeping what lies under `anchor` (viewport px; the crosshair or the middle by default) where it is."""
        if self.has_photo:
            self.viewpoint.zoom_by(factor, anchor or self._zoom_anchor())
            self.moved.emit()

    def _zoom_anchor(self) -> QPointF:
        at = self.crosshair
        return QPointF(self.viewport().rect().center()) if at is None else self.on_screen(at.x(), at.y())

    def turn_to(self, degrees: float) -> None:
        """See the photo turned; what is recorded stays in the photo's own pixels."""
        if self.has_photo:
            self.viewpoint.turn_to(degrees)
            self.refresh()  # names change sides
            self.moved.emit()

    def pan_by(self, by: QPointF) -> None:
        """Move the view over the photo, in px of the screen."""
        self.viewpoint.scroll(by)
        self.viewpoint.fitted = False
        self.moved.emit()

    def centre_on(self, x: float, y: float) -> None:
        """Bring a pixel of the photo to the middle of the view."""
        self.centerOn(x, y)
        self.viewpoint.fitted = False
        self.moved.emit()

    def follow_zoom(self) -> None:
        """Draw what keeps its size on the screen for a zoom that has changed."""
        self._scene.set_unit(1.0 / self.zoom)
        if self._person is not None:
            self.show_box(self._person.box)
        self.zoomed.emit(self.zoom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewpoint.fitted:
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
    def hovered_handle(self) -> str | None:
        """Return the handle of the person's box under the pointer."""
        return self._hovered_handle

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
        if not draws:
            self.keys.give_up()
        self._mouse.draws_box = draws
        self.show_cursor()

    def target_at(self, position: QPointF) -> HitTarget:
        """Return what a press at a position in the viewport would take hold of."""
        at = self.on_photo(position)
        return find_target(
            (at.x(), at.y()),
            shown_points(self._person),
            selected=self._selected,
            others={} if self._solo else {i: shown_points(p) for i, p in self._others.items()},
            handles=self._box_item.handles,
            zoom=self.zoom,
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.has_photo:
            self.keys.give_up()
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
        at = QPointF(self.viewport().mapFrom(self, event.pos()))
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        if by_key and self._selected in shown_points(self._person):
            at = self.points_on_screen()[self._selected]
        self.ask_menu(self.target_at(at).point, at)

    def ask_menu(self, index: int | None, at: QPointF) -> None:
        """Ask for the menu of a point, or of the selected one. at: viewport px."""
        if index is not None and index not in self._selection:
            self.choose(index)
        index = self._selected if index is None else index
        self.menu_asked.emit(-1 if index is None else index, self.viewport().mapToGlobal(at).toPoint())

    def give_up(self) -> bool:
        """Give up the drag that goes on, by mouse or crosshair; tell whether there was one."""
        by_keys = self.keys.give_up()
        return self._mouse.give_up() or by_keys

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hover(HitTarget())
        self.pointer_left.emit()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.ShortcutOverride
            and self._wants(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def _wants(self, event: QKeyEvent) -> bool:
        return self._tool is not None and self._tool.wants(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self.keys.press(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self.keys.release(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mouse.space_held = False

    def hover(self, target: HitTarget) -> None:
        """Name the point under the pointer."""
        hovered = target.point if target.kind is TargetKind.POINT else None
        if (hovered, target.handle) != (self._hovered, self._hovered_handle):
            self._hovered, self._hovered_handle = hovered, target.handle
            self.refresh()
            self.show_cursor()

    def show_cursor(self) -> None:
        """Give the pointer the shape of what the mouse would do now."""
        self.viewport().setCursor(self._mouse.cursor())

    @property
    def keyboard_place(self) -> QPointF | None:
        """Return where the keyboard's crosshair is, or else where the point is expected, in pixels of the photo."""
        for item in (self._crosshair_item, self._scene.expected):
            if item.isVisible():
                return item.pos()
        return None

    @property
    def crosshair(self) -> QPointF | None:
        """Return where the keyboard's crosshair is, in pixels of the photo; None while it is not shown."""
        return self._crosshair_item.pos() if self._crosshair_item.isVisible() else None

    def show_crosshair(self, at: QPointF) -> None:
        """Show the keyboard's crosshair at a pixel of the photo, and that part of the photo."""
        self._crosshair_item.setPos(at)
        self._crosshair_item.setVisible(True)
        self.viewpoint.keep_in_view(at)

    def hide_crosshair(self) -> None:
        self._crosshair_item.setVisible(False)

    # ------------------------------------------------------------------------------------------------- the drawing

    def show_dragged(self, places: Mapping[int, tuple[float, float]], *, box: Box | None = None) -> None:
        """Draw points, and the box, where a drag has them instead of where they are recorded."""
        self._dragged, self._dragged_box = dict(places), box
        self.refresh()

    def refresh(self) -> None:
        """Draw everything anew that is drawn on the photo."""
        unit = 1.0 / self.zoom
        others = {} if self._solo else self._others
        self._scene.show_others(others, unit)
        if self._person is None:
            self._scene.person.remove()
            self.show_box(None)
            return
        named = {i for i in (self._selected, self._hovered) if i is not None}
        self._scene.person.show(
            self._person,
            self._dragged,
            selected=self._selection | self._primary(),
            named=frozenset(named),
            unit=unit,
            turn=self.turn,
            all_names=self._all_names,
        )
        self.show_box(self._dragged_box or self._person.box)

    def show_box(self, box: Box | None) -> None:
        """Draw a person's box; it has handles while nothing is asked for."""
        self._box_item.show_box(box, 1.0 / self.zoom, handles=not self._asks and self._tool is None)

    def show_band(self, area: QRectF | None) -> None:
        """Draw the rectangle that selects, viewport px."""
        polygon = QPolygonF() if area is None else self.mapToScene(area.toAlignedRect())
        self._scene.band.setPolygon(polygon)
