"""The canvas for screen readers: every point is a child with a name, a place and whether it is selected.

Qt asks the factory for an interface only when an assistive program runs.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget

from limbstudio.ui.marks import marks
from limbstudio.ui.targets import GRAB_PX
from limbstudio.ui.words import said

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

# Interfaces of Python must be held here: Qt keeps pointers to them. By the view's id, until the view goes.
_held: dict[int, "CanvasAccessible"] = {}
_installed: list[bool] = []


class PointAccessible(QAccessibleInterface):
    """One point of the person in work. index: its LDPose index."""

    def __init__(self, canvas: "CanvasAccessible", index: int) -> None:
        super().__init__()
        self._canvas = canvas
        self._index = index

    @property
    def index(self) -> int:
        return self._index

    def isValid(self) -> bool:
        return self._canvas.view is not None

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> Any:
        return self._canvas.window()

    def relations(self, match: Any = None) -> list[Any]:
        return []

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def parent(self) -> QAccessibleInterface:
        return self._canvas

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def text(self, what: QAccessible.Text) -> str:
        if what is QAccessible.Text.Name and self._canvas.view is not None:
            return said(self._canvas.view.spoken_points.get(self._index, ""))
        return ""

    def setText(self, what: QAccessible.Text, text: str) -> None:
        pass

    def rect(self) -> QRect:
        view = self._canvas.view
        at = None if view is None else view.points_on_screen().get(self._index)
        if view is None or at is None:
            return QRect()
        middle = view.viewport().mapToGlobal(at).toPoint()
        reach = round(GRAB_PX * marks().scale)
        return QRect(middle.x() - reach, middle.y() - reach, 2 * reach, 2 * reach)

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        view = self._canvas.view
        state.selectable = state.focusable = 1
        if view is not None:
            state.selected = int(self._index in view.selection)
            state.focused = int(self._index == view.selected and view.hasFocus())
            state.offscreen = int(not self.rect().isValid())
        return state


class CanvasAccessible(QAccessibleWidget):
    """The canvas; its children are the points in the order in which they are asked for."""

    def __init__(self, view: "PhotoView") -> None:
        super().__init__(view, QAccessible.Role.Canvas, view.accessibleName())
        self.view: PhotoView | None = view
        self._points: dict[int, PointAccessible] = {}

    def _order(self) -> list[int]:
        return [] if self.view is None else list(self.view.spoken_points)

    def point(self, index: int) -> PointAccessible:
        """Return the child of an LDPose index."""
        made = self._points.get(index)
        if made is None:
            made = self._points[index] = PointAccessible(self, index)
            QAccessible.registerAccessibleInterface(made)
        return made

    def childCount(self) -> int:
        return len(self._order())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        order = self._order()
        return self.point(order[index]) if 0 <= index < len(order) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        if not isinstance(child, PointAccessible) or child.index not in self._order():
            return -1
        return self._order().index(child.index)

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        for index in self._order():
            if self.point(index).rect().contains(x, y):
                return self.point(index)
        return None


def install() -> None:
    """Let screen readers find the points of every canvas that is made from now on."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)


def _make(name: str, about: QObject) -> QAccessibleInterface | None:
    from limbstudio.ui.photo_view import PhotoView  # it imports this module

    if not isinstance(about, PhotoView):
        return None
    made = _held[id(about)] = CanvasAccessible(about)
    key = id(about)
    about.destroyed.connect(lambda: _forget(key))
    return made


def _forget(key: int) -> None:
    gone = _held.pop(key, None)
    if gone is not None:
        gone.view = None


def tell_selection(view: "PhotoView") -> None:
    """Move a screen reader to the selected point."""
    canvas, index = _held.get(id(view)), view.selected
    if canvas is not None and index is not None and index in view.spoken_points:
        QAccessible.updateAccessibility(QAccessibleEvent(canvas.point(index), QAccessible.Event.Focus))


def tell_changes(view: "PhotoView", before: Mapping[int, str], after: Mapping[int, str]) -> None:
    """Say what became of points: one by its name, many by their number."""
    if not QAccessible.isActive():
        return
    changed = [words for index, words in after.items() if index in before and before[index] != words]
    if list(before) != list(after):
        QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))
    if changed:
        words = changed[0] if len(changed) == 1 else f"{len(changed)} points changed"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, said(words)))
