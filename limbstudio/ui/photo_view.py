"""The canvas: one photo, the people's points on it, and the mouse and keys that place and move them.

It shows what it is given and says what a person did; it changes nothing itself.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsItem,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QStyleOptionGraphicsItem,
    QWidget,
)

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_EDGES, KeypointState, Side
from limbstudio.domain.edits import distal_points
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.ui import theme as tokens
from limbstudio.ui.canvas_tools import CanvasTool
from limbstudio.ui.glyphs import (
    Frame,
    Glyph,
    draw_bone,
    draw_glyph,
    frame_of,
    glyph_of,
    glyph_reach,
    side_colour,
)
from limbstudio.ui.targets import HitTarget, TargetKind, find_target

_DRAG_STARTS_PX = 4.0
_SMALLEST_BOX_PX = 8.0  # on the screen: smaller is a slip of the hand
_ZOOM_STEP = 1.2
_ZOOM_LIMITS = (0.02, 40.0)
_FIT_MARGIN_PX = 14
_DRAWN = (
    KeypointState.VISIBLE,
    KeypointState.OCCLUDED,
    KeypointState.UNSURE,
    KeypointState.PROSTHESIS,
    KeypointState.OUT_OF_FRAME,
)
_ALWAYS_NAMED = (KeypointState.UNSURE, KeypointState.PROSTHESIS)
_LOUPE_PX = 132
_LOUPE_FACTOR = 4.0


def shown_points(person: Person | None) -> dict[int, tuple[float, float]]:
    """Return the points that are drawn and can be grabbed: LDPose index -> pixels of the photo."""
    if person is None:
        return {}
    return {
        i: (p.x, p.y)
        for i, p in enumerate(person.keypoints.points)
        if p.x is not None and p.y is not None and p.state in _DRAWN
    }


def short_name(index: int) -> str:
    """Return a point's name as the label says it: 'R below-knee end', 'Nose'."""
    definition = LDPOSE[index]
    if definition.side is None:
        return definition.label
    return f"{definition.side.value[0].upper()} {definition.label.split(' ', 1)[1]}"


def image_of(pixels: np.ndarray) -> QImage:
    """Return (H, W, 3) RGB or (H, W, 4) RGBA uint8 pixels as a picture that owns its memory."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    form = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, channels * width, form).copy()


class _PointItem(QGraphicsItem):
    """One keypoint's glyph; its size does not follow the zoom."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.glyph: Glyph = glyph_of(LDPOSE[index], KeypointState.UNLABELLED)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(10)

    def set_glyph(self, glyph: Glyph) -> None:
        if glyph != self.glyph:
            self.prepareGeometryChange()
            self.glyph = glyph
            self.setZValue(12 if glyph.selected else 10)
            self.update()

    def boundingRect(self) -> QRectF:
        reach = glyph_reach(self.glyph) + 4.0
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        draw_glyph(painter, QPointF(0, 0), self.glyph)


class _BoneItem(QGraphicsItem):
    """A bone between two points; its width does not follow the zoom."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self._ends = (QPointF(), QPointF())
        self._unit = 1.0
        a, b = LDPOSE[start], LDPOSE[end]
        same_side = a.side if a.side is b.side else (a.side or b.side) if None in (a.side, b.side) else None
        self._frame = {Side.LEFT: Frame.CIRCLE, Side.RIGHT: Frame.SQUARE, None: Frame.TRIANGLE}[same_side]
        residual = a.is_residual_end or b.is_residual_end
        self._colour = QColor(tokens.PHOTO_RESIDUAL) if residual else side_colour(self._frame)
        self.setZValue(5)

    def set_ends(self, start: QPointF, end: QPointF) -> None:
        if (start, end) != self._ends:
            self.prepareGeometryChange()
            self._ends = (start, end)

    def set_unit(self, unit: float) -> None:
        """unit: photo px per screen px."""
        self.prepareGeometryChange()
        self._unit = unit

    def boundingRect(self) -> QRectF:
        margin = 5.0 * self._unit
        return QRectF(*self._ends).normalized().adjusted(-margin, -margin, margin, margin)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        draw_bone(painter, *self._ends, self._frame, self._colour, self._unit)


class _LabelItem(QGraphicsItem):
    """A point's name beside it: side colour, then the state where it is not `visible`."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._state, self._colour = "", "", QColor()
        self._to_the_left = False
        self._font = tokens.text_font(11, tokens.QFont.Weight.DemiBold)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(9)

    def set_text(self, name: str, state: str, colour: QColor, *, to_the_left: bool) -> None:
        self.prepareGeometryChange()
        self._name, self._state, self._colour, self._to_the_left = name, state, colour, to_the_left
        self.update()

    def boundingRect(self) -> QRectF:
        text = f"{self._name}  {self._state}" if self._state else self._name
        width = QFontMetricsF(self._font).horizontalAdvance(text) + 14
        return QRectF(-width - 18 if self._to_the_left else 18, -10, width, 20)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        box = self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = QColor(tokens.PHOTO_HALO)
        back.setAlphaF(0.86)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(self._font)
        painter.setPen(self._colour)
        inner = box.adjusted(7, 0, -7, 0)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, left, self._name)
        if self._state:
            painter.setPen(QColor("#E8EBF0"))
            painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._state)


class _ExpectedItem(QGraphicsItem):
    """The dashed circle where the point asked for is expected, and the keyboard's crosshair."""

    def __init__(self) -> None:
        super().__init__()
        self.crosshair = False
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(8)

    def boundingRect(self) -> QRectF:
        return QRectF(-30, -30, 60, 60)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        if self.crosshair:
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                path.moveTo(5 * dx, 5 * dy)
                path.lineTo(16 * dx, 16 * dy)
        else:
            path.addEllipse(QPointF(0, 0), 25, 25)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.PHOTO_HALO), 4))
        painter.drawPath(path)
        style = Qt.PenStyle.SolidLine if self.crosshair else Qt.PenStyle.DashLine
        painter.setPen(QPen(QColor("#FFFFFF" if self.crosshair else tokens.DARK.accent), 1.6, style))
        painter.drawPath(path)


class _PersonItems:
    """The scene items of one person."""

    def __init__(self, scene: QGraphicsScene, opacity: float) -> None:
        self._scene = scene
        self.points: dict[int, _PointItem] = {}
        self.bones: dict[tuple[int, int], _BoneItem] = {}
        self.labels: dict[int, _LabelItem] = {}
        self._opacity = opacity

    def show(
        self,
        person: Person,
        moved: Mapping[int, tuple[float, float]],
        *,
        selected: int | None,
        named: frozenset[int],
        unit: float,
        middle_x: float,
        all_names: bool,
    ) -> None:
        positions = {**shown_points(person), **moved}
        states = person.keypoints.states
        for index in set(self.points) - set(positions):
            self._scene.removeItem(self.points.pop(index))
        for index, (x, y) in positions.items():
            item = self.points.get(index)
            if item is None:
                item = self.points[index] = _PointItem(index)
                item.setOpacity(self._opacity)
                self._scene.addItem(item)
            item.set_glyph(glyph_of(LDPOSE[index], states[index], selected=index == selected))
            item.setPos(x, y)
        self._show_bones(positions, unit)
        self._show_labels(
            positions, states, selected=selected, named=named, middle_x=middle_x, all_names=all_names
        )

    def _show_bones(self, positions: Mapping[int, tuple[float, float]], unit: float) -> None:
        edges = [edge for edge in LDPOSE_EDGES if edge[0] in positions and edge[1] in positions]
        for edge in set(self.bones) - set(edges):
            self._scene.removeItem(self.bones.pop(edge))
        for edge in edges:
            bone = self.bones.get(edge)
            if bone is None:
                bone = self.bones[edge] = _BoneItem(*edge)
                bone.set_unit(unit)
                bone.setOpacity(self._opacity)
                self._scene.addItem(bone)
            bone.set_ends(QPointF(*positions[edge[0]]), QPointF(*positions[edge[1]]))

    def _show_labels(
        self,
        positions: Mapping[int, tuple[float, float]],
        states: Sequence[KeypointState],
        *,
        selected: int | None,
        named: frozenset[int],
        middle_x: float,
        all_names: bool,
    ) -> None:
        wanted = {
            i
            for i in positions
            if all_names
            or i == selected
            or i in named
            or states[i] in _ALWAYS_NAMED
            or LDPOSE[i].is_residual_end
        }
        if self._opacity < 1.0:
            wanted = set()
        for index in set(self.labels) - wanted:
            self._scene.removeItem(self.labels.pop(index))
        for index in wanted:
            label = self.labels.get(index)
            if label is None:
                label = self.labels[index] = _LabelItem()
                self._scene.addItem(label)
            state = states[index]
            colour = side_colour(frame_of(LDPOSE[index]))
            if LDPOSE[index].is_residual_end:
                colour = QColor(tokens.PHOTO_RESIDUAL)
            if state is KeypointState.UNSURE:
                colour = QColor(tokens.PHOTO_UNSURE)
            word = "" if state is KeypointState.VISIBLE else state.value.replace("_", " ")
            x, y = positions[index]
            label.set_text(short_name(index), word, colour, to_the_left=x < middle_x)
            label.setPos(x, y)

    def set_unit(self, unit: float) -> None:
        for bone in self.bones.values():
            bone.set_unit(unit)

    def remove(self) -> None:
        for item in (*self.points.values(), *self.bones.values(), *self.labels.values()):
            self._scene.removeItem(item)
        self.points, self.bones, self.labels = {}, {}, {}


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
        self._expected_item = _ExpectedItem()
        self._expected_item.setVisible(False)
        scene.addItem(self._expected_item)
        self._crosshair_item = _ExpectedItem()
        self._crosshair_item.crosshair = True
        self._crosshair_item.setVisible(False)
        self._crosshair_item.setZValue(13)
        scene.addItem(self._crosshair_item)

        self._person: Person | None = None
        self._others: dict[str, Person] = {}
        self._items = _PersonItems(scene, 1.0)
        self._other_items: dict[str, _PersonItems] = {}
        self._selected: int | None = None
        self._hovered: int | None = None
        self._asks = False
        self._asks_keys = False
        self._all_names = False
        self._fitted = True

        self._pressed_at: QPointF | None = None
        self._target = HitTarget()
        self._dragged: dict[int, tuple[float, float]] = {}
        self._draws_box = False
        self._drawn_box: Box | None = None
        self._pan_from: QPointF | None = None
        self._space_held = False
        self._space_panned = False
        self._tool: CanvasTool | None = None
        self._tool_pressed = False

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
        self._refresh()

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
        self._refresh()

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
        self._show_cursor()

    @property
    def selected(self) -> int | None:
        return self._selected

    def select(self, index: int | None) -> None:
        """Select a point without saying so."""
        if index != self._selected:
            self._selected = index
            self._refresh()

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
        self._tool, self._tool_pressed = tool, False
        self._show_cursor()

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
        self._pan(self.on_screen(before.x(), before.y()) - anchor)
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

    def _pan(self, by: QPointF) -> None:
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() + round(by.x()))
        vertical.setValue(vertical.value() + round(by.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        self.moved.emit()

    # --------------------------------------------------------------------------------------------------- the mouse

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
        if not self.has_photo:
            return
        panning = event.button() is Qt.MouseButton.MiddleButton or (
            event.button() is Qt.MouseButton.LeftButton and self._space_held
        )
        if panning:
            self._pan_from = event.position()
            self._space_panned = self._space_held
            self._show_cursor()
        elif self._tool is not None and self._tool.press(self.on_photo(event.position()), event):
            self._tool_pressed = True
        elif event.button() is Qt.MouseButton.LeftButton:
            self._pressed_at = event.position()
            self._target = self.target_at(event.position())
            self._crosshair_item.setVisible(False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.has_photo:
            return
        at = self.on_photo(event.position())
        if self._pan_from is not None:
            self._pan(self._pan_from - event.position())
            self._pan_from = event.position()
            self._fitted = False
            self.moved.emit()
        elif self._tool is not None and self._pressed_at is None:
            self._tool.move(at, event, pressed=self._tool_pressed)
        elif self._pressed_at is not None and self.draws_box:
            self._draw_box(event, at)
        elif self._pressed_at is not None and self._target.kind is TargetKind.POINT:
            self._drag(event, at)
        elif self._pressed_at is None:
            self._hover(self.target_at(event.position()))
        self.pointer_at.emit(at.x(), at.y())

    def _drag(self, event: QMouseEvent, at: QPointF) -> None:
        assert self._pressed_at is not None and self._target.point is not None
        if not self._dragged:
            if (event.position() - self._pressed_at).manhattanLength() < _DRAG_STARTS_PX:
                return
            self._choose(self._target.point)
        index = self._target.point
        x, y = at.x(), at.y()
        shown = shown_points(self._person)
        start_x, start_y = shown[index]
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            if abs(x - start_x) > abs(y - start_y):
                y = start_y
            else:
                x = start_x
        self._dragged = {index: (x, y)}
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            followers = [i for i in distal_points(index) if i in shown]
            self._dragged = {i: (shown[i][0] + x - start_x, shown[i][1] + y - start_y) for i in followers}
        self._refresh()
        self.dragging.emit(dict(self._dragged))

    @property
    def draws_box(self) -> bool:
        """Tell whether a drag draws a person's box: asked for, or because there is no person yet."""
        return self._draws_box or (self._person is None and self._asks)

    def set_drawing_box(self, draws: bool) -> None:
        """Let the next drag draw the box of the person in work."""
        self._draws_box = draws
        self._show_cursor()

    def _draw_box(self, event: QMouseEvent, at: QPointF) -> None:
        """Follow a drag from corner to corner, within the photo."""
        assert self._pressed_at is not None
        if (
            self._drawn_box is None
            and (event.position() - self._pressed_at).manhattanLength() < _DRAG_STARTS_PX
        ):
            return
        width, height = self.photo_size
        corners = [self.on_photo(self._pressed_at), at]
        xs = sorted(min(max(c.x(), 0.0), width) for c in corners)
        ys = sorted(min(max(c.y(), 0.0), height) for c in corners)
        self._drawn_box = Box(xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0])
        self._show_box(self._drawn_box)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() in (
            Qt.MouseButton.MiddleButton,
            Qt.MouseButton.LeftButton,
        ):
            self._pan_from = None
            self._show_cursor()
            return
        if self._tool_pressed and self._tool is not None:
            self._tool_pressed = False
            self._tool.release(self.on_photo(event.position()), event)
            return
        if event.button() is not Qt.MouseButton.LeftButton or self._pressed_at is None:
            return
        self._pressed_at = None
        if self._drawn_box is not None:
            box, self._drawn_box = self._drawn_box, None
            self._refresh()
            if min(box.width, box.height) * self.zoom >= _SMALLEST_BOX_PX:
                self.box_drawn.emit(box)
        elif self._dragged:
            places, self._dragged = self._dragged, {}
            if len(places) > 1:
                self.points_moved.emit(places)
            else:
                ((index, (x, y)),) = places.items()
                self.point_moved.emit(index, x, y)
            self._refresh()
        elif self._asks:
            at = self.on_photo(event.position())
            self.clicked_to_place.emit(at.x(), at.y())
        elif self._target.kind is TargetKind.OTHER_PERSON:
            self.person_clicked.emit(self._target.person)
        else:
            self._choose(self._target.point)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._tool is not None and self._tool.double_click(self.on_photo(event.position()), event):
            return
        if event.button() is Qt.MouseButton.LeftButton and not self._asks:
            if self.target_at(event.position()).kind is TargetKind.NOTHING:
                self.fit()
        else:
            self.mousePressEvent(event)  # quick clicks place quick points

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._tool is not None and self._tool.wheel(event):
            event.accept()
            return
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._pan(QPointF(-delta.x() or -delta.y(), 0) / 2)
            self.moved.emit()
        else:
            self.zoom_by(math.pow(_ZOOM_STEP, delta.y() / 120), event.position())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.has_photo:
            return
        target = self.target_at(QPointF(self.viewport().mapFrom(self, event.pos())))
        if target.kind is TargetKind.POINT and target.point is not None:
            self._choose(target.point)
        index = self._selected if target.point is None else target.point
        self.menu_asked.emit(-1 if index is None else index, event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(HitTarget())
        self.pointer_left.emit()

    def _hover(self, target: HitTarget) -> None:
        hovered = target.point if target.kind is TargetKind.POINT else None
        if hovered != self._hovered:
            self._hovered = hovered
            self._refresh()
            self._show_cursor()

    def _choose(self, index: int | None) -> None:
        if index != self._selected:
            self._selected = index
            self._refresh()
            self.point_selected.emit(-1 if index is None else index)

    def _show_cursor(self) -> None:
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space_held:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._tool is not None:
            shape = self._tool.cursor
        elif self._asks or self._draws_box:
            shape = Qt.CursorShape.CrossCursor
        elif self._hovered is not None:
            shape = Qt.CursorShape.PointingHandCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    # ---------------------------------------------------------------------------------------------------- the keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if self._tool is not None and self._tool.key(event):
            event.accept()
        elif event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space_held, self._space_panned = True, False
                self._show_cursor()
        elif event.key() in steps and self.has_photo:
            far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            dx, dy = steps[Qt.Key(event.key())]
            self._step(dx * far, dy * far)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._asks_keys and self.has_photo:
            self._place_at_crosshair()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            tapped = self._space_held and not self._space_panned
            self._space_held = False
            self._show_cursor()
            if tapped:
                self.skip_asked.emit()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._space_held = False

    def _step(self, dx: int, dy: int) -> None:
        """Move the crosshair while a point is asked for, else the selected point."""
        if self._asks_keys:
            at = self._crosshair() + QPointF(dx, dy)
            self._crosshair_item.setPos(at)
            self._crosshair_item.setVisible(True)
            self.pointer_at.emit(at.x(), at.y())
        elif self._selected is not None:
            self.point_nudged.emit(self._selected, dx, dy)

    def _crosshair(self) -> QPointF:
        if self._crosshair_item.isVisible():
            return self._crosshair_item.pos()
        if self._expected_item.isVisible():
            return self._expected_item.pos()
        pointer = self.viewport().mapFromGlobal(self.cursor().pos())
        if not self.viewport().rect().contains(pointer):
            pointer = self.viewport().rect().center()
        at = self.on_photo(QPointF(pointer))
        return QPointF(round(at.x()), round(at.y()))

    def _place_at_crosshair(self) -> None:
        at = self._crosshair()
        self._crosshair_item.setPos(at)
        self._crosshair_item.setVisible(True)
        self.clicked_to_place.emit(at.x(), at.y())

    # ------------------------------------------------------------------------------------------------- the drawing

    def _refresh(self) -> None:
        unit = 1.0 / self.zoom
        for person_id in set(self._other_items) - set(self._others):
            self._other_items.pop(person_id).remove()
        for person_id, person in self._others.items():
            items = self._other_items.setdefault(person_id, _PersonItems(self.scene(), 0.35))
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
        self._show_box(self._person.box)

    def _show_box(self, box: Box | None) -> None:
        self._box_item.setVisible(box is not None)
        if box is not None:
            self._box_item.setRect(QRectF(box.x - 0.5, box.y - 0.5, box.width, box.height))
