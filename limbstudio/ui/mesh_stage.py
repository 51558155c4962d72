"""A 3D scene drawn off the screen and shown as a picture, and the mouse that turns it.

VTK draws into memory and Qt shows the result as it shows any picture. A window with a widget that OpenGL draws itself
is put together by OpenGL as a whole: on a computer without a graphics card each stroke on the canvas would then cost
four times as much. Nor does anything depend on the windowing system, and what floats above may be translucent.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from limbstudio.ui.theme import Theme

# While the scene moves it is drawn no larger than this many pixels; sharp again when it rests.
_MOST_LIVE_PIXELS = 150_000
_ORBIT_DEG_PER_PX = 0.45
_FINE = 0.1  # Shift: a tenth
_ZOOM_STEP = 1.15


class MeshTool:
    """A tool of the 3D view. Positions are the view's px; `stage.ray` turns them into space."""

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        """Begin at a press; False leaves the press to the view (turning, panning)."""
        return False

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        """Follow the pointer. pressed: between a press that was taken and its release."""

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        """End what `press` began."""

    def wheel(self, event: QWheelEvent) -> bool:
        """Take a turn of the wheel; False lets it zoom."""
        return False

    def double_click(self, at: QPointF, event: QMouseEvent) -> bool:
        """Take a double click; False leaves it to the view."""
        return False

    def paint(self, painter: QPainter) -> None:
        """Draw over the picture, in the view's px."""

    def leave(self) -> None:
        """Take back what is shown only while the tool is chosen."""


class MeshStage(QWidget):
    """Show what a plotter holds.

    Signals:
        turned(): the camera moved by the mouse or the wheel.
        double_clicked(QPointF): where no tool took it.
        pressed(): a mouse button went down; the view around takes the focus.
    """

    turned = Signal()
    pressed = Signal()
    double_clicked = Signal(QPointF)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._plotter: Any = None
        self._pixels: Any = None
        self._picture = QImage()
        self._held: np.ndarray | None = None  # the picture's memory
        self._is_due = False
        self._is_live = False
        self._dragged_from: QPointF | None = None
        self._pans = False
        self.overlay: Callable[[QPainter], None] | None = None  # draws over the picture, below the tool
        self._tool: MeshTool | None = None
        self._tool_pressed = False
        self.compose: Callable[[np.ndarray], np.ndarray] | None = None  # the last hand on a live picture
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)

    # -------------------------------------------------------------------------------------------------- the scene

    @property
    def plotter(self) -> Any:  # noqa: ANN401 - a pyvista.Plotter, whose type is loaded late
        """Return the scene; made at the first call."""
        if self._plotter is None:
            import pyvista as pv

            # One light at the eye: the five of pyvista's kit cost a software renderer twice the time.
            self._plotter = pv.Plotter(off_screen=True, window_size=list(self._size(1.0)), lighting="none")
            self._plotter.add_light(pv.Light(light_type="headlight", intensity=1.0))
            window = self._plotter.render_window
            window.SetMultiSamples(0)
            window.SetSwapBuffers(0)  # nobody looks at the window itself
            self.set_theme(self._theme)
        return self._plotter

    @property
    def has_scene(self) -> bool:
        return self._plotter is not None

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._plotter is not None:
            self._plotter.set_background(theme.canvas, top=theme.scene_top)
            self.redraw()

    def redraw(self, *, live: bool = False) -> None:
        """Draw the scene anew at the next paint. live: quickly, as it moves; several calls are one drawing."""
        self._is_due, self._is_live = True, live
        self.update()

    def draw_now(self, *, live: bool = False) -> None:
        """Draw at once, without a paint: for what needs the drawing's depths."""
        if self._plotter is not None:
            self._draw(live=live)

    def close_scene(self) -> None:
        """Give VTK's memory back."""
        if self._plotter is not None:
            self._plotter.close()
            self._plotter = self._pixels = self._held = None
            self._picture = QImage()

    def screenshot(self) -> np.ndarray | None:
        """Return what is shown, sharp, (H, W, 3) uint8; None without a scene."""
        if self._plotter is None:
            return None
        self._draw(live=False)
        return None if self._held is None else self._held[..., :3].copy()

    def ray(self, at: QPointF) -> tuple[np.ndarray, np.ndarray]:
        """Return where the line of sight through a position begins (3,) and its unit direction (3,)."""
        camera = self.plotter.camera
        ratio = max(self.width(), 1) / max(self.height(), 1)
        to_clip = camera.GetCompositeProjectionTransformMatrix(ratio, -1.0, 1.0)
        to_world = np.linalg.inv(np.array([[to_clip.GetElement(i, j) for j in range(4)] for i in range(4)]))
        x, y = 2 * at.x() / max(self.width(), 1) - 1, 1 - 2 * at.y() / max(self.height(), 1)
        ends = np.array([[x, y, -1.0, 1.0], [x, y, 1.0, 1.0]]) @ to_world.T
        near, far = ends[:, :3] / ends[:, 3:]
        return near, (far - near) / np.linalg.norm(far - near)

    def on_view(self, points: np.ndarray) -> np.ndarray:
        """Return where points (N, 3) of the scene are drawn, (N, 2) px of the view."""
        camera = self.plotter.camera
        ratio = max(self.width(), 1) / max(self.height(), 1)
        matrix = camera.GetCompositeProjectionTransformMatrix(ratio, -1.0, 1.0)
        to_clip = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
        clip = np.column_stack([points, np.ones(len(points))]) @ to_clip.T
        flat = clip[:, :2] / clip[:, 3:]
        return np.column_stack([(flat[:, 0] + 1) / 2 * self.width(), (1 - flat[:, 1]) / 2 * self.height()])

    # ------------------------------------------------------------------------------------------------ the picture

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._is_due and self._plotter is not None:
            self._draw(live=self._is_live)
        painter = QPainter(self)
        if self._picture.isNull():
            painter.fillRect(self.rect(), self.palette().window())
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._is_live)
            painter.drawImage(QRectF(self.rect()), self._picture)
        if self.overlay is not None and self._plotter is not None:
            self.overlay(painter)
        if self._tool is not None and self._plotter is not None:
            self._tool.paint(painter)
        painter.end()

    def _size(self, scale: float) -> tuple[int, int]:
        ratio = self.devicePixelRatioF() * scale
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def _draw(self, *, live: bool) -> None:
        import vtk  # loaded with pyvista, late

        self._is_due = False
        width, height = self._size(1.0)
        if live and width * height > _MOST_LIVE_PIXELS:
            width, height = self._size((_MOST_LIVE_PIXELS / (width * height)) ** 0.5)
        window = self.plotter.render_window
        if tuple(window.GetSize()) != (width, height):
            window.SetSize(width, height)
        window.Render()
        if self._pixels is None:
            self._pixels = vtk.vtkUnsignedCharArray()
        window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, self._pixels)
        drawn = np.asarray(memoryview(self._pixels)).reshape(height, width, 4)
        if live and self.compose is not None:
            drawn = self.compose(drawn)
        self._held = np.ascontiguousarray(drawn[::-1])
        self._picture = QImage(self._held.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._plotter is not None:
            self.redraw()

    # --------------------------------------------------------------------------------------------------- the mouse

    @property
    def tool(self) -> MeshTool | None:
        return self._tool

    def set_tool(self, tool: MeshTool | None) -> None:
        """Give the mouse to a tool, or take it back with None."""
        if self._tool is not None and tool is not self._tool:
            self._tool.leave()
        self._tool, self._tool_pressed = tool, False
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()
        if self._plotter is None:
            return
        if self._tool is not None and self._tool.press(event.position(), event):
            self._tool_pressed = True
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._dragged_from = event.position()
            held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._pans = held or event.button() is Qt.MouseButton.MiddleButton
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._plotter is None:
            return
        if self._tool is None or not self._tool.double_click(event.position(), event):
            self.double_clicked.emit(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged_from is None:
            if self._tool is not None:
                self._tool.move(event.position(), event, pressed=self._tool_pressed)
            return
        by = event.position() - self._dragged_from
        self._dragged_from = event.position()
        fine = _FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        if self._pans:
            self.pan(by.x() * fine, by.y() * fine, live=True)
        else:
            self.turn(-by.x() * _ORBIT_DEG_PER_PX * fine, by.y() * _ORBIT_DEG_PER_PX * fine, live=True)
        self.turned.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._tool_pressed and self._tool is not None:
            self._tool_pressed = False
            self._tool.release(event.position(), event)
        elif self._dragged_from is not None:
            self._dragged_from = None
            self.redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._plotter is None or (self._tool is not None and self._tool.wheel(event)):
            return
        self.zoom(_ZOOM_STEP ** (event.angleDelta().y() / 120))
        self.turned.emit()
        event.accept()

    def turn(self, turn_deg: float, tilt_deg: float, *, live: bool = False) -> None:
        """Turn the view about its focal point."""
        camera = self.plotter.camera
        camera.Azimuth(turn_deg)
        camera.Elevation(tilt_deg)
        camera.OrthogonalizeViewUp()
        self.plotter.reset_camera_clipping_range()
        self.redraw(live=live)

    def pan(self, right_px: float, down_px: float, *, live: bool = False) -> None:
        """Move the scene with the pointer."""
        camera = self.plotter.camera
        eye, focus, up = (np.array(v) for v in (camera.position, camera.focal_point, camera.up))
        ahead = focus - eye
        distance = float(np.linalg.norm(ahead))
        right = np.cross(ahead / distance, up)
        per_px = 2 * distance * np.tan(np.radians(camera.view_angle / 2)) / max(self.height(), 1)
        shift = (-right_px * right + down_px * up) * per_px
        camera.position, camera.focal_point = tuple(eye + shift), tuple(focus + shift)
        self.plotter.reset_camera_clipping_range()
        self.redraw(live=live)

    def zoom(self, factor: float) -> None:
        """Bring the scene nearer."""
        self.plotter.camera.Dolly(factor)
        self.plotter.reset_camera_clipping_range()
        self.redraw()

    def contains_global(self, at: QPoint) -> bool:
        """Tell whether a position on the screen lies in this view."""
        return self.isVisible() and self.rect().contains(self.mapFromGlobal(at))
