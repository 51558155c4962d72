"""Brushes on the limb: pull, push, smooth, inflate, flatten; and setting a place back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QWidget

from limbstudio.domain.corrections import Brush, ResetHere, SurfacePoint
from limbstudio.ui.limb.cameras import FIELD_OF_VIEW_DEG
from limbstudio.ui.limb.cursor import ENTER, LimbCursor
from limbstudio.ui.limb.scene import LimbScene
from limbstudio.ui.limb.toolbox import LimbTool
from limbstudio.ui.limb.words import is_given
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import label, off_the_edge
from limbstudio.ui.theme import DARK, PHOTO_HALO

if TYPE_CHECKING:
    from limbstudio.corrections.brushes import BrushSession, Changed
    from limbstudio.corrections.limb_surface import LimbSurface

_SMALLEST_MM, _LARGEST_MM = 5, 120
_LOWEST_MM, _HIGHEST_MM = 0.5, 100.0
_STEP = 1.25


class BrushSize(QObject):
    """The size that all brushes share, and the strengths of the two sorts.

    Signals:
        changed(): size or a strength.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.radius_mm = 30.0
        self.height_mm = 4.0
        self.share = 0.5

    def resize(self, radius_mm: float) -> None:
        self.radius_mm = float(np.clip(radius_mm, _SMALLEST_MM, _LARGEST_MM))
        self.changed.emit()

    def larger(self) -> None:
        self.resize(self.radius_mm * _STEP)

    def smaller(self) -> None:
        self.resize(self.radius_mm / _STEP)


def number(
    value: float, low: float, high: float, step: float, name: str, *, decimals: int = 0
) -> QDoubleSpinBox:
    """Return a field for a number of the options bar."""
    field = QDoubleSpinBox()
    field.setDecimals(decimals)
    field.setRange(low, high)
    field.setSingleStep(step)
    field.setValue(value)
    field.setKeyboardTracking(False)
    field.setFixedWidth(84)
    field.setAlignment(Qt.AlignmentFlag.AlignRight)
    off_the_edge(field)
    field.setAccessibleName(name)
    field.setToolTip(name)
    return field


class BrushOptions(QWidget):
    """Size and strength of one brush."""

    def __init__(self, size: BrushSize, work: LimbWork, brush: Brush | None) -> None:
        super().__init__()
        self._size, self._work, self._brush = size, work, brush
        self.radius = QSpinBox()
        self.radius.setRange(_SMALLEST_MM, _LARGEST_MM)
        self.radius.setFixedWidth(84)
        self.radius.setAlignment(Qt.AlignmentFlag.AlignRight)
        off_the_edge(self.radius)
        self.radius.setKeyboardTracking(False)
        self.radius.setAccessibleName("Size: radius of the brush")
        self.radius.setToolTip("Size: radius of the brush. Ctrl+wheel changes it.")
        self.radius.valueChanged.connect(lambda value: size.resize(value))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(label("Size", "small"))
        row.addWidget(self.radius)
        self.strength: QDoubleSpinBox | None = None
        if brush is not None:
            if brush.strength_is_a_length:
                low = -_HIGHEST_MM if brush is Brush.INFLATE else _LOWEST_MM
                words = "Strength: how far the surface moves" + (", negative inward" if low < 0 else "")
                self.strength = number(size.height_mm, low, _HIGHEST_MM, 0.5, words, decimals=1)
            else:
                self.strength = number(size.share * 100, 5, 100, 5, "Strength")
                self.strength.setSuffix(" %")
            self.strength.valueChanged.connect(self._set_strength)
            row.addWidget(label("Strength", "small"))
            row.addWidget(self.strength)
        size.changed.connect(self.refresh)
        work.changed.connect(self.refresh)
        self.refresh()

    def _set_strength(self, value: float) -> None:
        if self._brush is not None and self._brush.strength_is_a_length:
            self._size.height_mm = value
        else:
            self._size.share = value / 100
        self._size.changed.emit()

    def refresh(self) -> None:
        unit = " mm" if is_given(self._work.scale) else " mm*"
        fields: list[QSpinBox | QDoubleSpinBox] = [self.radius]
        self.radius.blockSignals(True)
        self.radius.setValue(round(self._size.radius_mm))
        self.radius.blockSignals(False)
        if self.strength is not None and self._brush is not None and self._brush.strength_is_a_length:
            self.strength.blockSignals(True)
            height = self._size.height_mm
            self.strength.setValue(height if self._brush is Brush.INFLATE else abs(height))
            self.strength.blockSignals(False)
            fields.append(self.strength)
        for field in fields:
            field.setSuffix(unit)
        self.setToolTip("" if is_given(self._work.scale) else "* estimated: no scale was given")


class BrushTool(LimbTool):
    """Draw strokes of one brush; a stroke becomes one edit when the button is let go."""

    covers = True

    def __init__(
        self,
        brush: Brush,
        size: BrushSize,
        work: LimbWork,
        scene: LimbScene,
        cursor: LimbCursor,
        say: Callable[[str], None],
    ) -> None:
        self.id = f"brush_{brush.value}"
        self.hint = "Draw. By keys: arrows, Space to begin and end, Enter for a dab."
        self.brush = brush
        self.options = BrushOptions(size, work, brush)
        self._size, self._work, self._scene, self._say = size, work, scene, say
        self._cursor = cursor
        self._base: LimbSurface | None = None  # what the stroke began on
        work.changed.connect(self._on_changed)
        self._stroke: BrushSession | None = None
        self._hover: QPointF | None = None
        self._folds = False

    @property
    def radius_m(self) -> float:
        return self._size.radius_mm / 1000

    @property
    def folds(self) -> int:
        """Return how many faces the stroke that goes on has turned over."""
        return self._flipped

    _flipped = 0

    def _strength(self, length_m: float) -> float:
        """Return the strength as an operation has it."""
        if not self.brush.strength_is_a_length:
            return self._size.share
        height_m = self._size.height_mm / 1000
        return (height_m if self.brush is Brush.INFLATE else abs(height_m)) / length_m

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        found = self._scene.place_at(at.x(), at.y())
        if found is None:
            return False  # turns the view
        if self._work.may_edit():
            self.begin(*found)
        return True

    def begin(self, place: SurfacePoint, shown: np.ndarray) -> None:
        """Begin a stroke at a place. shown (3,): where it is drawn."""
        from limbstudio.corrections.brushes import BrushSession

        surface = self._base = self._work.surface
        assert surface is not None
        length = surface.frame.length_m
        self._stroke = BrushSession(
            surface, self.brush, radius=self.radius_m / length, strength=self._strength(length)
        )
        self._flipped = 0
        self._scene.begin_stroke(shown, self.radius_m)
        self._step(place, shown)

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        self._hover = at
        if self._stroke is None:
            return
        found = self._scene.place_at(at.x(), at.y())
        if found is not None:
            self._step(*found)

    def _step(self, place: SurfacePoint, shown: np.ndarray) -> None:
        assert self._stroke is not None
        changed: Changed = self._stroke.step(place)
        self._scene.move_stroke(changed, shown, self.radius_m)
        if len(changed.flipped) and not self._flipped:
            self._say("The surface turns over here: the stroke would be refused. Let go, or go back.")
        self._flipped = len(changed.flipped)
        if len(changed.ids):
            self._work.stroke_goes_on(self._stroke)

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        self.end()

    def end(self) -> None:
        """End the stroke; it is checked and becomes an edit, or is refused."""
        session, self._stroke = self._stroke, None
        if session is None:
            return
        stroke = session.finish()
        self._scene.end_stroke()
        if stroke is None:
            self._work.drop_stroke()
        else:
            self._work.end_stroke(stroke, session.surface, session.moved)

    def key(self, event: QKeyEvent) -> bool:
        if self._cursor.key(event):
            self._hover = None
            found = self._cursor.place()
            if self._stroke is not None and found is not None:
                self._step(*found)
        elif event.key() in ENTER or event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._press_key(dab=event.key() != Qt.Key.Key_Space)
        elif event.key() == Qt.Key.Key_Escape and self._stroke is not None:
            self.drop()
        else:
            return False
        return True

    def _press_key(self, *, dab: bool) -> None:
        """Begin a stroke at the keyboard's place, or end it. dab: at once."""
        if self._stroke is not None:
            self.end()
            return
        found = self._cursor.place()
        if found is not None and self._work.may_edit():
            self.begin(*found)
            if dab:
                self.end()

    def pause(self) -> None:
        self.end()

    def _on_changed(self) -> None:
        """Another limb or mesh: a stroke on what was there before goes nowhere."""
        if self._stroke is not None and self._work.surface is not self._base:
            self._stroke = None
            self._flipped = 0
            self._say("The stroke was given up: the limb has changed meanwhile.")

    def drop(self) -> None:
        """Give the stroke up: the limb is as it was."""
        if self._stroke is not None:
            self._stroke = None
            self._flipped = 0
            self._work.drop_stroke()
            self._work.changed.emit()  # also where the stroke was too short to have been looked at

    def wheel(self, event: QWheelEvent) -> bool:
        return _resize_by_wheel(self._size, event)

    def hover(self, at: QPointF | None) -> None:
        self._hover = at
        self._scene.stage.update()

    def leave(self) -> None:
        self._hover = None
        self.end()
        self._cursor.forget()

    def paint(self, painter: QPainter) -> None:
        at = self._hover or self._cursor.at()
        if at is not None:
            bad = self._flipped > 0 and self._stroke is not None
            paint_brush(painter, self._scene, at, self.radius_m, bad=bad)
        if self._hover is None:
            self._cursor.paint(painter)


class ResetTool(LimbTool):
    """Set a place back to what the cut made, before any brush."""

    id = "reset_here"
    covers = True
    hint = "Click a place: it is again as the fit made it. By keys: arrows, Enter."

    def __init__(self, size: BrushSize, work: LimbWork, scene: LimbScene, cursor: LimbCursor) -> None:
        self.options = BrushOptions(size, work, None)
        self._size, self._work, self._scene, self._cursor = size, work, scene, cursor
        self._hover: QPointF | None = None

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        found = self._scene.place_at(at.x(), at.y())
        if found is None:
            return False
        self._reset(found[0])
        return True

    def _reset(self, place: SurfacePoint) -> None:
        surface = self._work.surface
        if surface is not None:
            # Wholly as it was under the brush: a reset fades out from half of its radius on.
            self._work.propose(
                ResetHere(place, min(2 * self._size.radius_mm / 1000 / surface.frame.length_m, 3.0))
            )

    def key(self, event: QKeyEvent) -> bool:
        if self._cursor.key(event):
            self._hover = None
            return True
        found = self._cursor.place()
        if event.key() not in (*ENTER, Qt.Key.Key_Space) or found is None:
            return False
        if not event.isAutoRepeat():
            self._reset(found[0])
        return True

    def wheel(self, event: QWheelEvent) -> bool:
        return _resize_by_wheel(self._size, event)

    def hover(self, at: QPointF | None) -> None:
        self._hover = at
        self._scene.stage.update()

    def leave(self) -> None:
        self._hover = None
        self._cursor.forget()

    def paint(self, painter: QPainter) -> None:
        at = self._hover or self._cursor.at()
        if at is not None:
            paint_brush(painter, self._scene, at, self._size.radius_mm / 1000, bad=False)
        if self._hover is None:
            self._cursor.paint(painter)


def _resize_by_wheel(size: BrushSize, event: QWheelEvent) -> bool:
    if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return False
    size.resize(size.radius_mm * _STEP ** (event.angleDelta().y() / 120))
    event.accept()
    return True


def paint_brush(painter: QPainter, scene: LimbScene, at: QPointF, radius_m: float, *, bad: bool) -> None:
    """Draw how large a brush is where the pointer is."""
    aim = scene.aim
    distance = float(np.linalg.norm(aim.eye - aim.focus))
    px = radius_m * scene.stage.height() / 2 / (distance * np.tan(np.radians(FIELD_OF_VIEW_DEG / 2)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(PHOTO_HALO), 3.4), QPen(QColor(DARK.error if bad else "#FFFFFF"), 1.6)):
        painter.setPen(pen)
        painter.drawEllipse(at, px, px)
