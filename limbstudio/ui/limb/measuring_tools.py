"""The girth ring and the tape, as tools of the limb's 3D view."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent

from limbstudio.ui.limb.cursor import ENTER, LimbCursor
from limbstudio.ui.limb.overlay import Curve, LimbOverlay, Seen
from limbstudio.ui.limb.scene import LimbScene
from limbstudio.ui.limb.toolbox import LimbTool
from limbstudio.ui.limb.work import LimbWork

if TYPE_CHECKING:
    from collections.abc import Callable

_GRAB_PX = 9.0
_SHORT_AXIS_PX = 40.0  # the bone is seen end-on: up and down on the screen move along it
_STEP_M, _LARGE_STEP_M = 0.001, 0.01


def axial_at(scene: LimbScene, at: QPointF) -> float | None:
    """Return the axial fraction of the bone's place that is nearest to a place of the view; None seen end-on."""
    surface = scene.surface
    if surface is None:
        return None
    start, end = scene.stage.on_view(np.asarray(scene.axis_line))
    along = end - start
    length = float(along @ along)
    if length < _SHORT_AXIS_PX**2:
        return None
    share = float((np.array([at.x(), at.y()]) - start) @ along) / length
    return share * surface.end_axial


def level_step(event: QKeyEvent) -> float | None:
    """Return by how many metres an arrow moves something towards the body, 1 mm or with Shift 10; None: no arrow."""
    size = _LARGE_STEP_M if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP_M
    return {Qt.Key.Key_Up: size, Qt.Key.Key_Down: -size}.get(Qt.Key(event.key()))


class RingTool(LimbTool):
    """Drag the girth ring along the limb; its handle can be taken whichever tool is chosen."""

    id = "girth_ring"
    hint = "Drag the ring along the limb; Up and Down move it 1 mm, with Shift 10 mm."

    def __init__(
        self, work: LimbWork, scene: LimbScene, overlay: LimbOverlay, seen: "Callable[[], Seen]"
    ) -> None:
        self._work, self._scene, self._overlay, self._seen = work, scene, overlay, seen
        self._from: tuple[float, QPointF] | None = None
        self._fine_from: float | None = None

    def hits(self, at: QPointF) -> bool:
        ring = self._overlay.ring
        if ring is None or self._scene.surface is None:
            return False
        px, facing = ring.seen(self._seen())
        near = np.hypot(px[:, 0] - at.x(), px[:, 1] - at.y())
        return bool((near[facing] < _GRAB_PX).any())

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        if self._scene.surface is None:
            return False
        if not self.hits(at):
            if self._scene.at(at.x(), at.y()) is None:
                return False  # turns the view
            axial = axial_at(self._scene, at)
            if axial is not None:
                self._go(axial)
        self._from = self._work.level_m, at
        return True

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        surface = self._scene.surface
        if self._from is None or surface is None:
            return
        level, start = self._from
        fine = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        here, there = axial_at(self._scene, at), axial_at(self._scene, start)
        if here is None or there is None:
            self._work.move_ring(level + (start.y() - at.y()) * _STEP_M * fine)
        else:
            self._work.move_ring(level - (here - there) * surface.frame.length_m * fine)

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        self._from = None

    def _go(self, axial: float) -> None:
        surface = self._scene.surface
        if surface is not None:
            self._work.move_ring((surface.end_axial - axial) * surface.frame.length_m)

    def wheel(self, event: QWheelEvent) -> bool:
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier or self._scene.surface is None:
            return False
        turned = event.angleDelta().y() or event.angleDelta().x()
        self._work.move_ring(self._work.level_m + np.sign(turned) * 5 * _STEP_M)
        event.accept()
        return True

    def key(self, event: QKeyEvent) -> bool:
        step = level_step(event)
        if step is None:
            return False
        self._work.move_ring(self._work.level_m + step)
        return True


class TapeTool(LimbTool):
    """Measure between two places of the limb: straight, and along the surface."""

    id = "tape"
    covers = True
    hint = "Click two places, or arrows and Space. Enter: from the end to the ring's front."

    def __init__(
        self,
        work: LimbWork,
        scene: LimbScene,
        overlay: LimbOverlay,
        cursor: LimbCursor,
        measured: "Callable[[], None]",
    ) -> None:
        self._work, self._scene, self._overlay, self._measured = work, scene, overlay, measured
        self._cursor = cursor
        self._first: np.ndarray | None = None

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        surface, found = self._scene.surface, self._scene.at(at.x(), at.y())
        if surface is None or found is None:
            return False
        face, place = found
        self._set(place if self._scene.rest else surface.locate(surface.at_rest(face, place)))
        return True

    def _set(self, rest: np.ndarray) -> None:
        """Take a place (3,) at rest as the first, or lay the tape to it."""
        surface = self._scene.surface
        assert surface is not None
        if self._first is None:
            self._first = rest
            self._overlay.tape, self._overlay.first_place = None, Curve(surface, rest[None], closed=False)
        else:
            self.lay(self._first, rest)
        self._measured()

    def lay(self, start: np.ndarray, end: np.ndarray) -> None:
        """Lay the tape from place to place, (3,) at rest."""
        from limbstudio.measures.limb_sections import tape_between

        surface = self._scene.surface
        assert surface is not None
        made = tape_between(surface, start, end)
        self._overlay.tape = made, Curve(surface, made.path, closed=False)
        self._overlay.first_place = self._first = None

    def key(self, event: QKeyEvent) -> bool:
        if self._cursor.key(event):
            return True
        rest = self._cursor.rest()
        sets = event.key() == Qt.Key.Key_Space or (event.key() in ENTER and self._cursor.is_shown)
        if sets and rest is not None:
            if not event.isAutoRepeat():
                self._set(rest)
            return True
        return event.key() in ENTER and self._measure_end()

    def _measure_end(self) -> bool:
        """Measure from the limb's end to the front of the ring."""
        surface, section = self._scene.surface, self._work.section
        if surface is None or section is None or section.loop is None:
            return False
        tip = surface.points[int(np.argmax(surface.frame.axial_of(surface.points)))]
        front = section.loop.points[int(np.argmax(section.loop.points @ surface.frame.anterior))]
        self.lay(tip, front)
        self._measured()
        return True

    def clear(self) -> None:
        """Take the tape away."""
        self._overlay.tape = self._overlay.first_place = self._first = None

    def leave(self) -> None:
        self._overlay.first_place = self._first = None
        self._cursor.forget()

    def paint(self, painter: QPainter) -> None:
        self._cursor.paint(painter)
