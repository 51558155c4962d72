"""Where the limb ends: its end moved along the bone, and the cut plane by handles, keys or typed numbers."""

from collections.abc import Callable
from math import atan, degrees, radians, tan

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from limbstudio.domain.corrections import MAX_TILT, CutPlane, EndAlongLimb
from limbstudio.ui.limb.brush_tool import number
from limbstudio.ui.limb.measuring_tools import axial_at, level_step
from limbstudio.ui.limb.scene import LimbScene
from limbstudio.ui.limb.toolbox import LimbTool
from limbstudio.ui.limb.words import is_given
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import label
from limbstudio.ui.theme import DARK, PHOTO_HALO

_GRAB_PX = 12.0
_END_ON_M_PER_PX = 0.001
_TILT_STEP = radians(1.0)
_FINE = 0.1


class _CutTool(LimbTool):
    """What end and plane share: an operation that is dragged or typed, previewed, and applied."""

    def __init__(self, work: LimbWork, scene: LimbScene, say: Callable[[str], None]) -> None:
        self._work, self._scene, self._say = work, scene, say
        self._pending: EndAlongLimb | CutPlane | None = None
        self.apply_button = QPushButton("Apply")
        self.apply_button.setToolTip("Apply   Enter")
        self.apply_button.clicked.connect(lambda _=False: self.apply())
        work.changed.connect(self._on_changed)

    @property
    def _length_m(self) -> float:
        surface = self._work.surface
        return surface.frame.length_m if surface is not None else 1.0

    @property
    def _unit(self) -> str:
        return " mm" if is_given(self._work.scale) else " mm*"

    def enter(self) -> None:
        self._pending = None
        self.fill()

    def leave(self) -> None:
        self.cancel()

    def fill(self) -> None:
        """Show the numbers as they are."""

    def _on_changed(self) -> None:
        self._pending = None
        self.fill()

    def propose(self, operation: EndAlongLimb | CutPlane) -> None:
        """Show what an operation would do; nothing is recorded."""
        self._pending = operation
        self._work.preview(operation)
        self.fill()
        self._scene.stage.update()

    def apply(self) -> None:
        """Make an edit of what is shown."""
        pending, self._pending = self._pending, None
        if pending is not None and not self._work.propose(pending):
            self._work.preview(None)

    def cancel(self) -> None:
        """Show the limb as it is again."""
        if self._pending is not None:
            self._pending = None
            self._work.preview(None)
            self.fill()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
            return True
        if event.key() == Qt.Key.Key_Escape and self._pending is not None:
            self.cancel()
            return True
        return False

    def _moved(self, at: QPointF, start: QPointF, event: QMouseEvent) -> float:
        """Return how far a drag goes along the bone, axial share, positive distally; Shift: a tenth."""
        fine = _FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        here, there = axial_at(self._scene, at), axial_at(self._scene, start)
        if here is None or there is None:
            return (at.y() - start.y()) * _END_ON_M_PER_PX * fine / self._length_m
        return (here - there) * fine


class EndTool(_CutTool):
    """Move the limb's end along the bone; lambda is then the person's, whatever the fit says."""

    id = "limb_end"
    hint = "Drag the arrow, or Up and Down by 1 mm and Enter. The point in the photo stays; “Move label too” moves it."

    def __init__(self, work: LimbWork, scene: LimbScene, say: Callable[[str], None]) -> None:
        super().__init__(work, scene, say)
        self._from: tuple[float, QPointF] | None = None
        self.length = number(0, 0, 900, 1, "Length from the joint to the end")
        self.length.editingFinished.connect(self._typed)
        self.options = _row(("From joint", self.length), self.apply_button)

    @property
    def axial(self) -> float:
        """Return where the limb ends, or would: axial share."""
        if isinstance(self._pending, EndAlongLimb):
            return 1 - self._pending.factor
        surface = self._work.surface
        return surface.end_axial if surface is not None else 1.0

    def fill(self) -> None:
        self.length.blockSignals(True)
        self.length.setSuffix(self._unit)
        self.length.setValue(self.axial * self._length_m * 1000)
        self.length.blockSignals(False)
        self.apply_button.setEnabled(self._pending is not None)

    def _typed(self) -> None:
        if abs(self.length.value() - self.axial * self._length_m * 1000) >= 0.5:
            self.go_to(self.length.value() / 1000 / self._length_m)
            self.apply()

    def go_to(self, axial: float) -> None:
        """Show the limb ending at an axial share of its segment."""
        from limbstudio.corrections.handles import END_RANGE

        self.propose(EndAlongLimb(1 - float(np.clip(axial, *END_RANGE))))

    def _arrow(self) -> tuple[QPointF, QPointF] | None:
        """Return the arrow from the limb's end outward, px."""
        surface = self._scene.surface
        if surface is None:
            return None
        step = 0.05 / surface.frame.length_m
        places = surface.frame.position(np.array([[self.axial, 0, 0], [self.axial + step, 0, 0]]))
        (x, y), (u, v) = self._scene.stage.on_view(self._scene.as_shown(places))
        return QPointF(x, y), QPointF(u, v)

    def hits(self, at: QPointF) -> bool:
        arrow = self._arrow()
        return arrow is not None and _distance(at, *arrow) < _GRAB_PX

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        if not self.hits(at):
            return False
        if self._work.may_edit():
            self._from = self.axial, at
        return True

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        if self._from is not None:
            self.go_to(self._from[0] + self._moved(at, self._from[1], event))

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        if self._from is not None:
            self._from = None
            self.apply()

    def key(self, event: QKeyEvent) -> bool:
        step = level_step(event)
        if step is None:
            return super().key(event)
        if self._work.may_edit():
            self.go_to(self.axial - step / self._length_m)
        return True

    def paint(self, painter: QPainter) -> None:
        arrow = self._arrow()
        if arrow is not None:
            _paint_arrow(painter, *arrow)


class PlaneTool(_CutTool):
    """Move and tilt the plane on which the cap stands."""

    id = "cut_plane"
    hint = (
        "Drag the arrow to move, a handle to tilt, Shift for fine steps; arrow keys do both. Enter applies."
    )

    def __init__(self, work: LimbWork, scene: LimbScene, say: Callable[[str], None]) -> None:
        super().__init__(work, scene, say)
        self._held: tuple[int, CutPlane, QPointF] | None = None
        self._known: tuple[object, CutPlane] | None = None
        limit = degrees(MAX_TILT)
        self.offset = number(0, 0, 900, 1, "Plane, from the joint")
        self.tilt_ap = number(0, -limit, limit, 1, "Tilt towards anterior", decimals=1)
        self.tilt_ml = number(0, -limit, limit, 1, "Tilt towards lateral", decimals=1)
        for field in (self.offset, self.tilt_ap, self.tilt_ml):
            field.editingFinished.connect(self._typed)
        self.tilt_ap.setSuffix("°")
        self.tilt_ml.setSuffix("°")
        self.options = _row(
            ("From joint", self.offset),
            ("Tilt AP", self.tilt_ap),
            ("Tilt ML", self.tilt_ml),
            self.apply_button,
        )

    @property
    def plane(self) -> CutPlane:
        """Return the plane as it is, or would be."""
        if isinstance(self._pending, CutPlane):
            return self._pending
        placing = [item for item in self._work.operations if isinstance(item, EndAlongLimb | CutPlane)]
        if placing and isinstance(placing[-1], CutPlane):
            return placing[-1]
        surface, corrected = self._work.surface, self._work.corrected
        if surface is None or corrected is None:
            return CutPlane(0.5)
        if self._known is None or self._known[0] is not surface:
            from limbstudio.corrections.handles import plane_through
            from limbstudio.resihmr.cap import loop_normal

            stump = next(item for item in corrected.stumps if item.limb is surface.limb)
            ring = np.asarray(corrected.tpose[np.asarray(stump.boundary)], float)
            self._known = surface, plane_through(surface.frame, ring.mean(axis=0), loop_normal(ring))
        return self._known[1]

    def fill(self) -> None:
        plane = self.plane
        values = (plane.offset * self._length_m * 1000, degrees(plane.tilt_ap), degrees(plane.tilt_ml))
        for field, value in zip((self.offset, self.tilt_ap, self.tilt_ml), values, strict=True):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)
        self.offset.setSuffix(self._unit)
        self.apply_button.setEnabled(self._pending is not None)

    def _typed(self) -> None:
        plane = self.plane
        shown = (plane.offset * self._length_m * 1000, degrees(plane.tilt_ap), degrees(plane.tilt_ml))
        typed = (self.offset.value(), self.tilt_ap.value(), self.tilt_ml.value())
        if any(abs(a - b) > room for a, b, room in zip(shown, typed, (0.51, 0.051, 0.051), strict=True)):
            self.set_plane(typed[0] / 1000 / self._length_m, radians(typed[1]), radians(typed[2]))
            self.apply()

    def set_plane(self, offset: float, tilt_ap: float, tilt_ml: float) -> None:
        """Show the limb cut by another plane."""
        from limbstudio.corrections.handles import END_RANGE

        tilts = (float(np.clip(tilt, -MAX_TILT, MAX_TILT)) for tilt in (tilt_ap, tilt_ml))
        self.propose(CutPlane(float(np.clip(offset, *END_RANGE)), *tilts))

    # --------------------------------------------------------------------------------------------------- the handles

    def _places(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Return the rim of the plane's disc (48, 3) at rest, its four handles and centre and arrow (6, 3), radius."""
        surface = self._scene.surface
        if surface is None:
            return None
        from limbstudio.corrections.handles import plane_normal, plane_origin

        plane, frame = self.plane, surface.frame
        origin, normal = plane_origin(frame, plane), plane_normal(frame, plane.tilt_ap, plane.tilt_ml)
        radius = 1.35 * surface.mesh.girth * frame.length_m
        first = frame.anterior - (frame.anterior @ normal) / (frame.axis @ normal) * frame.axis
        second = frame.lateral - (frame.lateral @ normal) / (frame.axis @ normal) * frame.axis
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        rim = origin + radius * (np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second)
        handles = np.array([first, second, -first, -second]) * radius + origin
        return rim, np.concatenate([handles, [origin, origin + 0.08 * normal]]), radius

    def _px(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        places = self._places()
        if places is None:
            return None
        rim, handles, radius = places
        stage, scene = self._scene.stage, self._scene
        return stage.on_view(scene.as_shown(rim)), stage.on_view(scene.as_shown(handles)), radius

    def _handle_at(self, at: QPointF) -> int | None:
        found = self._px()
        if found is None:
            return None
        handles = found[1]
        for n in range(4):
            if np.hypot(handles[n, 0] - at.x(), handles[n, 1] - at.y()) < _GRAB_PX:
                return n
        return 4 if _distance(at, QPointF(*handles[4]), QPointF(*handles[5])) < _GRAB_PX else None

    def hits(self, at: QPointF) -> bool:
        return self._handle_at(at) is not None

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        handle = self._handle_at(at)
        if handle is None:
            return False
        if self._work.may_edit():
            self._held = handle, self.plane, at
        return True

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        places = self._places()
        if self._held is None or places is None:
            return
        handle, plane, start = self._held
        moved = self._moved(at, start, event)
        if handle == 4:
            self.set_plane(plane.offset + moved, plane.tilt_ap, plane.tilt_ml)
            return
        # A rim that is drawn towards the body turns the plane's normal to its own side.
        rise = -moved * self._length_m / places[2] * (1 if handle < 2 else -1)
        if handle % 2 == 0:
            self.set_plane(plane.offset, atan(tan(plane.tilt_ap) + rise), plane.tilt_ml)
        else:
            self.set_plane(plane.offset, plane.tilt_ap, atan(tan(plane.tilt_ml) + rise))

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held = None
            self.apply()

    def key(self, event: QKeyEvent) -> bool:
        plane, step = self.plane, level_step(event)
        tilt = {Qt.Key.Key_Left: -_TILT_STEP, Qt.Key.Key_Right: _TILT_STEP}.get(Qt.Key(event.key()))
        if step is None and tilt is None:
            return super().key(event)
        if not self._work.may_edit():
            return True
        if step is not None:
            self.set_plane(plane.offset - step / self._length_m, plane.tilt_ap, plane.tilt_ml)
        elif tilt is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_plane(plane.offset, plane.tilt_ap, plane.tilt_ml + tilt)
        elif tilt is not None:
            self.set_plane(plane.offset, plane.tilt_ap + tilt, plane.tilt_ml)
        return True

    def paint(self, painter: QPainter) -> None:
        found = self._px()
        if found is None:
            return
        rim, handles, _ = found
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = QColor(DARK.accent)
        fill.setAlpha(46)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(DARK.accent), 1.6))
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in rim.tolist()]))
        _paint_arrow(painter, QPointF(*handles[4]), QPointF(*handles[5]))
        for n in range(4):
            painter.setPen(QPen(QColor("#FFFFFF"), 2))
            painter.setBrush(QColor(DARK.accent_fill))
            painter.drawEllipse(QPointF(*handles[n]), 5, 5)


def _row(*parts: tuple[str, QDoubleSpinBox] | QPushButton) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for part in parts:
        if isinstance(part, QPushButton):
            row.addWidget(part)
        else:
            row.addWidget(label(part[0], "small"))
            row.addWidget(part[1])
    return made


def _distance(at: QPointF, start: QPointF, end: QPointF) -> float:
    """Return how far a place lies from a line between two."""
    along, arm = end - start, at - start
    length = max(QPointF.dotProduct(along, along), 1e-9)
    share = min(max(QPointF.dotProduct(arm, along) / length, 0.0), 1.0)
    rest = arm - along * share
    return float(np.hypot(rest.x(), rest.y()))


def _paint_arrow(painter: QPainter, start: QPointF, end: QPointF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    along = end - start
    length = max(float(np.hypot(along.x(), along.y())), 1e-6)
    unit = along / length
    side = QPointF(-unit.y(), unit.x())
    head = QPolygonF([end + unit * 10, end + side * 7, end - side * 7])
    for pen, width in ((QColor(PHOTO_HALO), 6.0), (QColor(DARK.accent), 3.0)):
        painter.setPen(QPen(pen, width))
        painter.drawLine(start, end)
    painter.setPen(QPen(QColor(PHOTO_HALO), 1))
    painter.setBrush(QColor(DARK.accent))
    painter.drawPolygon(head)
