"""The keys that the canvas takes itself: arrows and the crosshair, Enter and space in place of the mouse's button."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from limbstudio.ui.canvas.drags import BoxDraw, screen_step

if TYPE_CHECKING:
    from limbstudio.ui.canvas.mouse import CanvasMouse
    from limbstudio.ui.photo_view import PhotoView

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
STEP_SIZES = (1, 2, 5, 10, 20, 50)
_FAR = 10  # Shift: so many times as far
_PAN_PX = 40.0  # of the screen, for each arrow while nothing is moved by it
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LEFT, _NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


class CanvasKeys:
    """What a key on the canvas means; every method tells whether the key was taken.

    A tool, and the drawing of a box, are worked by the crosshair: arrows move it, Enter clicks, a tap on the space bar
    presses the button and the next lets it go. The first key only brings the crosshair up.

    step: how many pixels of the photo an arrow moves, one of STEP_SIZES.
    """

    def __init__(self, view: "PhotoView", mouse: "CanvasMouse") -> None:
        self._view = view
        self._mouse = mouse
        self._is_down = False
        self._box: BoxDraw | None = None
        self.step = STEP_SIZES[0]

    @property
    def is_down(self) -> bool:
        """Tell whether the crosshair holds the tool's button, or draws a box."""
        return self._is_down or self._box is not None

    def press(self, event: QKeyEvent) -> bool:
        view, mouse = self._view, self._mouse
        if view.tool is not None and view.tool.key(event):
            return True
        by_crosshair = view.tool is not None or mouse.draws_box
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                mouse.space_held, mouse.space_panned = True, False
                view.show_cursor()
        elif event.key() in _STEPS and view.has_photo:
            far = _FAR if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            dx, dy = _STEPS[Qt.Key(event.key())]
            if by_crosshair:
                self._carry(dx * far, dy * far)
            else:
                self._step(dx * far, dy * far)
        elif event.key() in _ENTER and view.has_photo and by_crosshair:
            if not event.isAutoRepeat():
                self._click(event.modifiers())
        elif event.key() in _ENTER and view.asks_keys and view.has_photo:
            at = self._place()
            view.show_crosshair(at)
            view.clicked_to_place.emit(at.x(), at.y())
        else:
            return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        view, mouse = self._view, self._mouse
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        tapped = mouse.space_held and not mouse.space_panned
        mouse.space_held = False
        view.show_cursor()
        if tapped and view.has_photo and (view.tool is not None or mouse.draws_box):
            self._tap(event.modifiers())
        elif tapped:
            view.skip_asked.emit()
        return True

    def give_up(self) -> bool:
        """Let go of what the crosshair holds: a box is dropped, a stroke stays as far as it went."""
        box, self._box = self._box, None
        if box is not None:
            box.give_up()
        was_down, self._is_down = self._is_down, False
        if was_down and self._view.tool is not None:
            at = self._place()
            self._view.tool.release(at, self._event(QEvent.Type.MouseButtonRelease, at))
        return was_down or box is not None

    # ------------------------------------------------------------------------------------- the crosshair as a mouse

    def _carry(self, dx: int, dy: int) -> None:
        """Move the crosshair, and what it holds."""
        view = self._view
        dx, dy = screen_step(dx, dy, view.turn)
        at = self._place() + QPointF(dx, dy) * self.step
        width, height = view.photo_size
        at = QPointF(min(max(at.x(), 0.0), width - 1), min(max(at.y(), 0.0), height - 1))
        self._follow(at)

    def _follow(self, at: QPointF) -> None:
        view = self._view
        view.show_crosshair(at)
        if view.tool is not None:
            view.tool.move(at, self._event(QEvent.Type.MouseMove, at), pressed=self._is_down)
        elif self._box is not None:
            self._box.move(view.on_screen(at.x(), at.y()), Qt.KeyboardModifier.NoModifier)
        view.pointer_at.emit(at.x(), at.y())

    def _brought_up(self) -> bool:
        """Bring the crosshair up; tell whether it was there, so that nobody draws where nobody looks."""
        if self._view.crosshair is not None:
            return True
        self._follow(self._place())
        return False

    def _click(self, held: Qt.KeyboardModifier) -> None:
        if self._view.tool is None or self._is_down:
            self._tap(held)
        elif self._brought_up():
            self._press(held)
            self._let_go()

    def _tap(self, held: Qt.KeyboardModifier) -> None:
        if self.is_down:
            self._let_go()
        elif self._brought_up():
            self._press(held)
            if self._view.tool is not None and not self._view.tool.holds:
                self._let_go()

    def _press(self, held: Qt.KeyboardModifier) -> None:
        view, at = self._view, self._place()
        if view.tool is None:
            self._box = BoxDraw(view, view.on_screen(at.x(), at.y()))
        else:
            self._is_down = view.tool.press(at, self._event(QEvent.Type.MouseButtonPress, at, held))

    def _let_go(self) -> None:
        view, box, at = self._view, self._box, self._place()
        was_down, self._box, self._is_down = self._is_down, None, False
        if box is not None:
            box.end()
            view.hide_crosshair()
        elif was_down and view.tool is not None:
            view.tool.release(at, self._event(QEvent.Type.MouseButtonRelease, at))

    def _event(
        self,
        kind: QEvent.Type,
        at: QPointF,
        held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> QMouseEvent:
        """Return what the mouse would send from the crosshair: a tool need not know which of the two it was."""
        port = self._view.viewport()
        on_screen = self._view.on_screen(at.x(), at.y())
        button = _NO_BUTTON if kind is QEvent.Type.MouseMove else _LEFT
        holds = _LEFT if self._is_down or kind is QEvent.Type.MouseButtonPress else _NO_BUTTON
        return QMouseEvent(kind, on_screen, QPointF(port.mapToGlobal(on_screen)), button, holds, held)

    # ----------------------------------------------------------------------------------------------------- the points

    def _step(self, dx: int, dy: int) -> None:
        """Move the crosshair while a point is asked for, else what is selected, else the view; up is up on screen."""
        view = self._view
        across, down = dx * _PAN_PX, dy * _PAN_PX
        dx, dy = (self.step * step for step in screen_step(dx, dy, view.turn))
        if view.asks_keys:
            at = self._place() + QPointF(dx, dy)
            view.show_crosshair(at)
            view.pointer_at.emit(at.x(), at.y())
        elif len(view.selection) > 1:
            view.selection_nudged.emit(dx, dy)
        elif view.selected is not None:
            view.point_nudged.emit(view.selected, dx, dy)
        else:
            view.pan_by(QPointF(across, down))

    def _place(self) -> QPointF:
        """Return where the crosshair is or would come up: the expected place, the pointer, the middle."""
        view = self._view
        place = view.keyboard_place
        if place is not None:
            return place
        pointer = view.viewport().mapFromGlobal(view.cursor().pos())
        if not view.viewport().rect().contains(pointer):
            pointer = view.viewport().rect().center()
        at = view.on_photo(QPointF(pointer))
        return QPointF(round(at.x()), round(at.y()))
