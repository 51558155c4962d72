"""The mouse on the canvas: presses, drags and the wheel become what a person means."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent

from limbstudio.ui.canvas.box_frame import MOVE, handle_cursor
from limbstudio.ui.canvas.drags import BoxDraw, BoxResize, Drag, PersonDrag, PointDrag, SelectDrag
from limbstudio.ui.targets import HitTarget, TargetKind

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

_DRAG_STARTS_PX = 4.0
_ZOOM_STEP = 1.2
_LONG_PRESS_MS = 400
_ADDS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier


class CanvasMouse:
    """What the mouse is doing between two of its events; it changes the view and lets it speak.

    space_held: the space bar is down, which turns a drag into panning.
    """

    def __init__(self, view: "PhotoView") -> None:
        self._view = view
        self._pressed_at: QPointF | None = None
        self._target = HitTarget()
        self._drag: Drag | None = None
        self._pan_from: QPointF | None = None
        self._tool_pressed = False
        self._long_press = QTimer(view)
        self._long_press.setSingleShot(True)
        self._long_press.setInterval(_LONG_PRESS_MS)
        self._long_press.timeout.connect(self._on_long_press)
        self.draws_box = False
        self.space_held = False
        self.space_panned = False

    def drop_tool(self) -> None:
        """Another tool has the mouse now."""
        self._tool_pressed = False

    def give_up(self) -> bool:
        """Give up the drag that goes on; tell whether there was one."""
        self._long_press.stop()
        drag, self._drag = self._drag, None
        self._pressed_at = None
        if drag is not None:
            drag.give_up()
        return drag is not None

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
            view.hide_crosshair()
        elif event.button() is Qt.MouseButton.LeftButton:
            self._pressed_at = event.position()
            self._target = view.target_at(event.position())
            view.hide_crosshair()
            if self._target.kind is TargetKind.POINT and not view.asks:
                self._long_press.start()

    def move(self, event: QMouseEvent) -> None:
        view = self._view
        at = view.on_photo(event.position())
        if self._pan_from is not None:
            view.pan_by(self._pan_from - event.position())
            self._pan_from = event.position()
        elif view.tool is not None and self._pressed_at is None:
            view.tool.move(at, event, pressed=self._tool_pressed)
        elif self._pressed_at is not None:
            if self._drag is None and _distance(event.position(), self._pressed_at) >= _DRAG_STARTS_PX:
                self._long_press.stop()
                self._drag = self._begin_drag(self._pressed_at, event.modifiers())
            if self._drag is not None:
                self._drag.move(event.position(), event.modifiers())
        else:
            view.hover(view.target_at(event.position()))
        view.pointer_at.emit(at.x(), at.y())

    def _begin_drag(self, start: QPointF, modifiers: Qt.KeyboardModifier) -> Drag | None:
        view, target = self._view, self._target
        if view.draws_box:
            return BoxDraw(view, start)
        if target.kind is TargetKind.POINT and target.point is not None:
            return PointDrag(view, start, target.point)
        if target.kind is TargetKind.HANDLE and view.person is not None and view.person.box is not None:
            if target.handle == MOVE:
                return PersonDrag(view, start)
            return BoxResize(view, start, view.person.box, target.handle or "")
        if not view.asks and target.kind is TargetKind.NOTHING:
            return SelectDrag(view, start, adds=bool(modifiers & _ADDS))
        return None

    def release(self, event: QMouseEvent) -> None:
        view = self._view
        self._long_press.stop()
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
        if self._drag is not None:
            drag, self._drag = self._drag, None
            drag.end()
        else:
            self._click(event)

    def _click(self, event: QMouseEvent) -> None:
        view, target = self._view, self._target
        if view.asks:
            at = view.on_photo(event.position())
            view.clicked_to_place.emit(at.x(), at.y())
        elif target.kind is TargetKind.OTHER_PERSON:
            view.person_clicked.emit(target.person)
        elif target.point is not None and event.modifiers() & _ADDS:
            view.choose_all(view.selection ^ {target.point})
        elif not event.modifiers() & _ADDS and target.kind is not TargetKind.HANDLE:
            view.choose(target.point)

    def _on_long_press(self) -> None:
        """A press that stayed where it was asks for the menu of its point."""
        if self._pressed_at is not None and self._drag is None and self._target.point is not None:
            at, self._pressed_at = self._pressed_at, None
            self._view.ask_menu(self._target.point, at)

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
        if view.hovered_handle is not None:
            return handle_cursor(view.hovered_handle, view.turn)
        if view.hovered is not None:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.ArrowCursor


def _distance(a: QPointF, b: QPointF) -> float:
    return (a - b).manhattanLength()
