"""The keyboard's place on the limb: arrows move it over the surface that is seen, tools press there."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from limbstudio.domain.corrections import SurfacePoint
from limbstudio.ui.limb.scene import LimbScene
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.theme import PHOTO_HALO

if TYPE_CHECKING:
    from limbstudio.corrections.limb_surface import LimbSurface

Place = tuple[SurfacePoint, np.ndarray]
_WAYS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STEP_M, _LARGE_STEP_M = 0.001, 0.01
_TRIES, _FARTHEST, _LEAST = 3, 1.1, 0.25  # at a step: how often it is shortened, from when on, at most to
_ARM_PX, _GAP_PX = 13, 4


class LimbCursor(QObject):
    """One place for all tools of the limb in work. Until an arrow moves it, it is the front of the girth ring."""

    def __init__(self, work: LimbWork, scene: LimbScene) -> None:
        super().__init__(work)
        self._work, self._scene = work, scene
        self._found: Place | None = None
        # On which surface, and whether at rest, `_found` was seen.
        self._known: tuple[int, bool] | None = None
        self._limb: object = None
        work.changed.connect(self._on_changed)

    @property
    def is_shown(self) -> bool:
        """Tell whether arrows have moved it: then tools press here."""
        return self._found is not None

    def forget(self) -> None:
        """Go back to the front of the ring."""
        self._found = None
        self._scene.stage.update()

    def _on_changed(self) -> None:
        surface = self._work.surface
        limb = None if surface is None else surface.limb
        if surface is not None and limb is not self._limb:
            self._limb = limb
            self._found = None

    def place(self) -> Place | None:
        """Return the place and where it is drawn (3,); None without a limb."""
        surface = self._scene.surface
        if surface is None:
            return None
        if self._found is None:
            return front_of_ring(self._work, self._scene)
        seen = (id(surface), self._scene.rest)
        if self._known != seen:  # the limb was changed, or is shown otherwise, since
            self._found = self._found[0], self._drawn(surface, self._found[0])
            self._known = seen
        return self._found

    def _drawn(self, surface: "LimbSurface", place: SurfacePoint) -> np.ndarray:
        return self._scene.as_shown(surface.locate(place)[None])[0]

    def rest(self) -> np.ndarray | None:
        """Return the place (3,) on the limb at rest."""
        found, surface = self.place(), self._scene.surface
        return None if found is None or surface is None else surface.locate(found[0])

    def at(self) -> QPointF | None:
        """Return where it is in the view, px; None while it is not shown."""
        found = self.place() if self.is_shown else None
        return None if found is None else self._px(found[1])

    def _px(self, shown: np.ndarray) -> QPointF:
        x, y = self._scene.stage.on_view(shown[None])[0]
        return QPointF(float(x), float(y))

    def key(self, event: QKeyEvent) -> bool:
        """Take an arrow: 1 mm over the surface as it is seen, with Shift 10 mm; with Ctrl they turn the view."""
        way = _WAYS.get(Qt.Key(event.key()))
        held = event.modifiers()
        if way is None or held & Qt.KeyboardModifier.ControlModifier:
            return False
        self.move(way, _LARGE_STEP_M if held & Qt.KeyboardModifier.ShiftModifier else _STEP_M)
        return True

    def move(self, way: tuple[float, float], metres: float) -> bool:
        """Go on by so much; tell whether there is limb: past its outline it stays."""
        now = self.place()
        if now is None:
            return False
        stage, start = self._scene.stage, self._px(now[1])
        # How many px a metre is here: along the view's own horizontal, at this depth.
        aim = self._scene.aim
        across = np.cross(aim.focus - aim.eye, aim.up)
        aside = self._px(now[1] + across / np.linalg.norm(across) * metres)
        step = float(np.hypot(aside.x() - start.x(), aside.y() - start.y()))
        found = self._scene.place_at(start.x() + way[0] * step, start.y() + way[1] * step)
        for _ in range(_TRIES):  # where the surface leads into the depth, less of the screen is as far
            gone = float("inf") if found is None else float(np.linalg.norm(found[1] - now[1]))
            if gone <= _FARTHEST * metres:
                break
            step *= max(metres / gone, _LEAST)
            found = self._scene.place_at(start.x() + way[0] * step, start.y() + way[1] * step)
        if found is None:
            if self._found is None:
                self._take(now)
            return False
        self._take(found)
        stage.update()
        return True

    def _take(self, found: Place) -> None:
        self._found = found
        self._known = (id(self._scene.surface), self._scene.rest)
        self._scene.stage.update()

    def paint(self, painter: QPainter) -> None:
        """Draw a crosshair where it is."""
        at = self.at()
        if at is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in (QPen(QColor(PHOTO_HALO), 4), QPen(QColor("#FFFFFF"), 1.6)):
            painter.setPen(pen)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(
                    at + QPointF(_GAP_PX * dx, _GAP_PX * dy), at + QPointF(_ARM_PX * dx, _ARM_PX * dy)
                )


def front_of_ring(work: LimbWork, scene: LimbScene) -> Place | None:
    """Return the place of the limb at the ring that faces the eye, and where it is drawn (3,)."""
    surface, section = work.surface, work.section
    if surface is None or section is None or section.loop is None:
        return None
    shown = scene.as_shown(section.loop.points)
    nearest = int(np.argmin(np.linalg.norm(shown - scene.aim.eye, axis=1)))
    vertex = int(surface.tree.query(section.loop.points[nearest])[1])
    return surface.point_of(vertex), scene.points[vertex]
