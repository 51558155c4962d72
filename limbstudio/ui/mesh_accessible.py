"""The 3D view for screen readers: what is shown, and landmarks, residual limbs' ends and measures as children.

What is said is asked for when an assistive program asks, so that it is never behind what is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRect
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget

if TYPE_CHECKING:
    from limbstudio.ui.mesh_view import MeshView

_REACH_PX = 12
# Interfaces of Python must be held here: Qt keeps pointers to them. By the view's id, until the view goes.
_held: dict[int, "MeshAccessible"] = {}
_installed: list[bool] = []


@dataclass(frozen=True, eq=False)
class SpokenPart:
    """Something in the scene. words: its name and reading. at: where in the scene, (3,) metres, None where nowhere."""

    words: str
    at: np.ndarray | None = None


@dataclass(frozen=True)
class Spoken:
    """What a view shows, in words. summary: a sentence on the whole; parts: in the order in which they are read."""

    summary: str = ""
    parts: tuple[SpokenPart, ...] = ()


Speak = Callable[[], Spoken]


class PartAccessible(QAccessibleInterface):
    """One landmark, end or measure. number: its place among the parts."""

    def __init__(self, scene: "MeshAccessible", number: int) -> None:
        super().__init__()
        self._scene = scene
        self.number = number

    def _part(self) -> SpokenPart | None:
        parts = self._scene.parts()
        return parts[self.number] if self.number < len(parts) else None

    def isValid(self) -> bool:
        return self._scene.view is not None

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> Any:
        return self._scene.window()

    def relations(self, match: Any = None) -> list[Any]:
        return []

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def parent(self) -> QAccessibleInterface:
        return self._scene

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def text(self, what: QAccessible.Text) -> str:
        part = self._part()
        return part.words if part is not None and what is QAccessible.Text.Name else ""

    def setText(self, what: QAccessible.Text, text: str) -> None:
        pass

    def rect(self) -> QRect:
        view, part = self._scene.view, self._part()
        if view is None or part is None or part.at is None or not view.stage.has_scene:
            return QRect()
        x, y = view.stage.on_view(part.at[None, :])[0]
        if not (np.isfinite(x) and np.isfinite(y)):
            return QRect()
        middle = view.stage.mapToGlobal(QPointF(float(x), float(y))).toPoint()
        return QRect(middle.x() - _REACH_PX, middle.y() - _REACH_PX, 2 * _REACH_PX, 2 * _REACH_PX)

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.StaticText

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.readOnly = 1
        state.offscreen = int(not self.rect().isValid())
        return state


class MeshAccessible(QAccessibleWidget):
    """The 3D view. Its description is the summary, its children are the parts."""

    def __init__(self, view: "MeshView") -> None:
        super().__init__(view, QAccessible.Role.Graphic, view.accessibleName())
        self.view: MeshView | None = view
        self._children: list[PartAccessible] = []

    def spoken(self) -> Spoken:
        return Spoken() if self.view is None else self.view.speak()

    def parts(self) -> tuple[SpokenPart, ...]:
        return self.spoken().parts

    def text(self, what: QAccessible.Text) -> str:
        if what is QAccessible.Text.Description:
            return self.spoken().summary
        return super().text(what)

    def childCount(self) -> int:
        return len(self.parts())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        if not 0 <= index < self.childCount():
            return None
        while len(self._children) <= index:
            made = PartAccessible(self, len(self._children))
            QAccessible.registerAccessibleInterface(made)
            self._children.append(made)
        return self._children[index]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.number if isinstance(child, PartAccessible) and child.number < self.childCount() else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        for index in range(self.childCount()):
            found = self.child(index)
            if found is not None and found.rect().contains(x, y):
                return found
        return None


def install() -> None:
    """Let screen readers find what every 3D view made from now on shows."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)


def _make(name: str, about: QObject) -> QAccessibleInterface | None:
    from limbstudio.ui.mesh_view import MeshView  # it imports this module

    if not isinstance(about, MeshView):
        return None
    key = id(about)
    made = _held[key] = MeshAccessible(about)
    about.destroyed.connect(lambda: _forget(key))
    return made


def _forget(key: int) -> None:
    gone = _held.pop(key, None)
    if gone is not None:
        gone.view = None


def tell_change(view: "MeshView") -> None:
    """Say what the view shows now."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, view.speak().summary))
