"""The mouse on the canvas: presses, drags and the wheel become what a person means."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from limbstudio.domain.edits import distal_points
from limbstudio.domain.geometry import Box
from limbstudio.ui.canvas.people import shown_points
from limbstudio.ui.targets import HitTarget, TargetKind

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

_DRAG_STARTS_PX = 4.0
_SMALLEST_BOX_PX = 8.0  # on the screen: smaller is a slip of the hand
_ZOOM_STEP = 1.2


class CanvasMouse:
    """What the mouse is doing between two of its events; it changes the view and lets it speak.

    space_held: the space bar is down, which turns a drag into panning.
    """

    def __init__(self, view: "PhotoView") -> None:
        self._view = view
        self._pressed_at: QPointF | None = None
        self._target = HitTarget()
        self._dragged: dict[int, tuple[float, float]] = {}
        self._drawn_box: Box | None = None
        self._pan_from: QPointF | None = None
        self._tool_pressed = False
        self.draws_box = False
        self.space_held = False
        self.space_panned = False

    def drop_tool(self) -> None:
        """Another tool has the mouse now."""
        self._tool_pressed = False

    def press(self, event: QMouseEvent) -> None:
        view = self._view
        panning = event.button() is Qt.MouseButton.MiddleButton or (
            event.button() is Qt.MouseButton.LeftButton and self.space_held
        )
        if panning:
            self._pan_from = event.position()
            self.space_panned = self.space_held
            view.show_cursor()
        elif view.tool is not None and view.tool.press(view.on_photo(event.position()), event):
            self._tool_pressed = True
        elif event.button() is Qt.MouseButton.LeftButton:
            self._pressed_at = event.position()
            self._target = view.target_at(event.position())
            view.hide_crosshair()

    def move(self, event: QMouseEvent) -> None:
        view = self._view
        at = view.on_photo(event.position())
        if self._pan_from is not None:
            view.pan_by(self._pan_from - event.position())
            self._pan_from = event.position()
        elif view.tool is not None and self._pressed_at is None:
            view.tool.move(at, event, pressed=self._tool_pressed)
        elif self._pressed_at is not None and view.draws_box:
            self._draw_box(event, at)
        elif self._pressed_at is not None and self._target.kind is TargetKind.POINT:
            self._drag(event, at)
        elif self._pressed_at is None:
            view.hover(view.target_at(event.position()))
        view.pointer_at.emit(at.x(), at.y())

    def _drag(self, event: QMouseEvent, at: QPointF) -> None:
        assert self._pressed_at is not None and self._target.point is not None
        view = self._view
        if not self._dragged:
            if (event.position() - self._pressed_at).manhattanLength() < _DRAG_STARTS_PX:
                return
            view.choose(self._target.point)
        index = self._target.point
        x, y = at.x(), at.y()
        shown = shown_points(view.person)
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
        view.show_dragged(self._dragged)
        view.dragging.emit(dict(self._dragged))

    def _draw_box(self, event: QMouseEvent, at: QPointF) -> None:
        """Follow a drag from corner to corner, within the photo."""
        assert self._pressed_at is not None
        if (
            self._drawn_box is None
            and (event.position() - self._pressed_at).manhattanLength() < _DRAG_STARTS_PX
        ):
            return
        width, height = self._view.photo_size
        corners = [self._view.on_photo(self._pressed_at), at]
        xs = sorted(min(max(c.x(), 0.0), width) for c in corners)
        ys = sorted(min(max(c.y(), 0.0), height) for c in corners)
        self._drawn_box = Box(xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0])
        self._view.show_box(self._drawn_box)

    def release(self, event: QMouseEvent) -> None:
        view = self._view
        if self._pan_from is not None and event.button() in (
            Qt.MouseButton.MiddleButton,
            Qt.MouseButton.LeftButton,
        ):
            self._pan_from = None
            view.show_cursor()
            return
        if self._tool_pressed and view.tool is not None:
            self._tool_pressed = False
            view.tool.release(view.on_photo(event.position()), event)
            return
        if event.button() is not Qt.MouseButton.LeftButton or self._pressed_at is None:
            return
        self._pressed_at = None
        if self._drawn_box is not None:
            box, self._drawn_box = self._drawn_box, None
            view.refresh()
            if min(box.width, box.height) * view.zoom >= _SMALLEST_BOX_PX:
                view.box_drawn.emit(box)
        elif self._dragged:
            places, self._dragged = self._dragged, {}
            if len(places) > 1:
                view.points_moved.emit(places)
            else:
                ((index, (x, y)),) = places.items()
                view.point_moved.emit(index, x, y)
            view.show_dragged({})
        elif view.asks:
            at = view.on_photo(event.position())
            view.clicked_to_place.emit(at.x(), at.y())
        elif self._target.kind is TargetKind.OTHER_PERSON:
            view.person_clicked.emit(self._target.person)
        else:
            view.choose(self._target.point)

    def double_click(self, event: QMouseEvent) -> None:
        view = self._view
        if view.tool is not None and view.tool.double_click(view.on_photo(event.position()), event):
            return
        if event.button() is Qt.MouseButton.LeftButton and not view.asks:
            if view.target_at(event.position()).kind is TargetKind.NOTHING:
                view.fit()
        elif view.has_photo:
            self.press(event)  # quick clicks place quick points

    def wheel(self, event: QWheelEvent) -> None:
        view = self._view
        if view.tool is not None and view.tool.wheel(event):
            return
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            view.pan_by(QPointF(-delta.x() or -delta.y(), 0) / 2)
        else:
            view.zoom_by(math.pow(_ZOOM_STEP, delta.y() / 120), event.position())

    def cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape for what the mouse would do now."""
        view = self._view
        if self._pan_from is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self.space_held:
            return Qt.CursorShape.OpenHandCursor
        if view.tool is not None:
            return view.tool.cursor
        if view.asks or self.draws_box:
            return Qt.CursorShape.CrossCursor
        if view.hovered is not None:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.ArrowCursor
