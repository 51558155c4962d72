"""What a drag on the canvas does, one class for each: points, the person's box, the person, a selection."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from limbstudio.domain.edits import distal_points
from limbstudio.domain.geometry import Box
from limbstudio.ui.canvas.box_frame import resized
from limbstudio.ui.canvas.people import shown_points

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

_SMALLEST_BOX_PX = 8.0  # on the screen: smaller is a slip of the hand


class Drag:
    """A drag that has begun. start: where the button went down, viewport px."""

    def __init__(self, view: "PhotoView", start: QPointF) -> None:
        self._view = view
        self._start = start

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Follow the pointer, viewport px."""

    def end(self) -> None:
        """Say what was done."""

    def give_up(self) -> None:
        """Leave everything as it was."""

    def _moved_by(self, position: QPointF) -> tuple[float, float]:
        """Return how far the pointer is from the start, in pixels of the photo."""
        by = self._view.on_photo(position) - self._view.on_photo(self._start)
        return by.x(), by.y()


class PointDrag(Drag):
    """Move a point; with it all that is selected, and with Ctrl all that is distal. Shift keeps to one axis."""

    def __init__(self, view: "PhotoView", start: QPointF, index: int) -> None:
        super().__init__(view, start)
        if index not in view.selection:
            view.choose(index)
        self._index = index
        self._shown = shown_points(view.person)
        self._places: dict[int, tuple[float, float]] = {}

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view = self._view
        # The point is brought under the pointer, wherever in its reach it was grabbed.
        start = view.on_screen(*self._shown[self._index])
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            by = position - start
            axis = QPointF(by.x(), 0) if abs(by.x()) > abs(by.y()) else QPointF(0, by.y())
            position = start + axis
        at = view.on_photo(position)
        x, y = self._shown[self._index]
        dx, dy = at.x() - x, at.y() - y
        moved = set(view.selection) | {self._index}
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            moved |= {follower for index in moved for follower in distal_points(index)}
        order = [self._index, *sorted(moved - {self._index})]
        self._places = {
            i: (self._shown[i][0] + dx, self._shown[i][1] + dy) for i in order if i in self._shown
        }
        view.show_dragged(self._places)
        view.dragging.emit(dict(self._places))

    def end(self) -> None:
        if len(self._places) > 1:
            self._view.points_moved.emit(self._places)
        else:
            for index, (x, y) in self._places.items():
                self._view.point_moved.emit(index, x, y)
        self._view.show_dragged({})

    def give_up(self) -> None:
        self._view.show_dragged({})
        self._view.dragging.emit({})


class PersonDrag(Drag):
    """Move a person with its box, by the box's handle."""

    def __init__(self, view: "PhotoView", start: QPointF) -> None:
        super().__init__(view, start)
        self._shown = shown_points(view.person)
        self._by = (0.0, 0.0)

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self._by = self._moved_by(position)
        dx, dy = self._by
        view = self._view
        places = {i: (x + dx, y + dy) for i, (x, y) in self._shown.items()}
        box = view.person.box if view.person is not None else None
        view.show_dragged(places, box=Box(box.x + dx, box.y + dy, box.width, box.height) if box else None)
        view.dragging.emit(dict(places))

    def end(self) -> None:
        self._view.person_moved.emit(*self._by)
        self._view.show_dragged({})

    def give_up(self) -> None:
        self._view.show_dragged({})
        self._view.dragging.emit({})


class BoxResize(Drag):
    """Change the person's box by one of its handles."""

    def __init__(self, view: "PhotoView", start: QPointF, box: Box, handle: str) -> None:
        super().__init__(view, start)
        self._before = box
        self._handle = handle
        self._box = box

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        at = self._view.on_photo(position)
        self._box = resized(self._before, self._handle, at.x(), at.y(), self._view.photo_size)
        self._view.show_box(self._box)

    def end(self) -> None:
        self._view.refresh()
        if min(self._box.width, self._box.height) * self._view.zoom >= _SMALLEST_BOX_PX:
            self._view.box_drawn.emit(self._box)

    def give_up(self) -> None:
        self._view.refresh()


class BoxDraw(Drag):
    """Draw a person's box from corner to corner, within the photo."""

    def __init__(self, view: "PhotoView", start: QPointF) -> None:
        super().__init__(view, start)
        self._corner = view.on_photo(start)  # the photo may be scrolled under the crosshair meanwhile
        self._box: Box | None = None

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        width, height = self._view.photo_size
        corners = [self._corner, self._view.on_photo(position)]
        xs = sorted(min(max(c.x(), 0.0), width) for c in corners)
        ys = sorted(min(max(c.y(), 0.0), height) for c in corners)
        self._box = Box(xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0])
        self._view.show_box(self._box)

    def end(self) -> None:
        self._view.refresh()
        box = self._box
        if box is not None and min(box.width, box.height) * self._view.zoom >= _SMALLEST_BOX_PX:
            self._view.box_drawn.emit(box)

    def give_up(self) -> None:
        self._view.refresh()


class SelectDrag(Drag):
    """Select what lies in a rectangle of the screen. adds: to what is selected already."""

    def __init__(self, view: "PhotoView", start: QPointF, *, adds: bool) -> None:
        super().__init__(view, start)
        self._before = view.selection if adds else frozenset()

    def move(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        area = QRectF(self._start, position).normalized()
        inside = {i for i, at in self._view.points_on_screen().items() if area.contains(at)}
        self._view.show_band(area)
        self._view.choose_all(self._before | inside)

    def end(self) -> None:
        self._view.show_band(None)

    def give_up(self) -> None:
        self._view.show_band(None)
        self._view.choose_all(self._before)


def screen_step(dx: int, dy: int, turn: float) -> tuple[int, int]:
    """Return a step of the screen as whole pixels of a photo that is seen turned by `turn` degrees."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return round(dx * cos + dy * sin), round(dy * cos - dx * sin)
