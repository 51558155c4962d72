"""The keys that the canvas takes itself: arrows, Enter at the crosshair, and the space bar held or tapped."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from limbstudio.ui.canvas.drags import screen_step

if TYPE_CHECKING:
    from limbstudio.ui.canvas.mouse import CanvasMouse
    from limbstudio.ui.photo_view import PhotoView

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class CanvasKeys:
    """What a key on the canvas means; every method tells whether the key was taken."""

    def __init__(self, view: "PhotoView", mouse: "CanvasMouse") -> None:
        self._view = view
        self._mouse = mouse

    def press(self, event: QKeyEvent) -> bool:
        view, mouse = self._view, self._mouse
        if view.tool is not None and view.tool.key(event):
            return True
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                mouse.space_held, mouse.space_panned = True, False
                view.show_cursor()
        elif event.key() in _STEPS and view.has_photo:
            far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            dx, dy = _STEPS[Qt.Key(event.key())]
            self._step(dx * far, dy * far)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and view.asks_keys and view.has_photo:
            at = self._crosshair()
            view.show_crosshair(at)
            view.clicked_to_place.emit(at.x(), at.y())
        else:
            return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        mouse = self._mouse
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        tapped = mouse.space_held and not mouse.space_panned
        mouse.space_held = False
        self._view.show_cursor()
        if tapped:
            self._view.skip_asked.emit()
        return True

    def _step(self, dx: int, dy: int) -> None:
        """Move the crosshair while a point is asked for, else what is selected; up is up on the screen."""
        view = self._view
        dx, dy = screen_step(dx, dy, view.turn)
        if view.asks_keys:
            at = self._crosshair() + QPointF(dx, dy)
            view.show_crosshair(at)
            view.pointer_at.emit(at.x(), at.y())
        elif len(view.selection) > 1:
            view.selection_nudged.emit(dx, dy)
        elif view.selected is not None:
            view.point_nudged.emit(view.selected, dx, dy)

    def _crosshair(self) -> QPointF:
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
