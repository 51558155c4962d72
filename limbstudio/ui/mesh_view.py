"""The 3D view: a fitted body with its residual limbs, seen from all sides. The only file of the window that knows
pyvista, which it loads late: it costs more than a second, and the first paint must not wait for it.
"""

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.ui import theme as tokens
from limbstudio.ui.panels.parts import label
from limbstudio.ui.theme import Theme

_FIELD_OF_VIEW_DEG = 22.0
_ROOM = 1.12  # how much larger than the body the view is
_SKIN_RGB = (201, 205, 212)


class View(StrEnum):
    """A standard view, named by the side of the person that is seen."""

    FRONT = "front"
    BACK = "back"
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, eq=False)
class Axes:
    """Which way a person faces. up, forward, left: unit vectors (3,) in the frame of the mesh."""

    up: np.ndarray
    forward: np.ndarray
    left: np.ndarray


REST_AXES = Axes(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))


def camera_axes(orientation: np.ndarray) -> Axes:
    """Return the axes of a person in the camera frame (x right, y down, z forward).

    orientation: (3,) rotation vector from the body's frame (y up, z forward). Up is the picture's up, so that people
    who stand or sit are seen upright; for somebody who lies it is the body's own.
    """
    rotation = np.asarray(rotation_and_left_jacobian(np, np.asarray(orientation, float))[0])
    up, forward = np.array([0.0, -1.0, 0.0]), rotation @ np.array([0.0, 0.0, 1.0])
    if abs(float(up @ (rotation @ np.array([0.0, 1.0, 0.0])))) < 0.5:
        up = rotation @ np.array([0.0, 1.0, 0.0])
    forward = forward - up * float(forward @ up)
    forward /= max(float(np.linalg.norm(forward)), 1e-9)
    return Axes(up, forward, np.cross(up, forward))


def view_direction(axes: Axes, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return from where a standard view looks (a unit vector from the body to the eye), and its up."""
    return {
        View.FRONT: (axes.forward, axes.up),
        View.BACK: (-axes.forward, axes.up),
        View.LEFT: (axes.left, axes.up),
        View.RIGHT: (-axes.left, axes.up),
        View.TOP: (axes.up, axes.forward),
        View.BOTTOM: (-axes.up, axes.forward),
    }[view]


def load_pyvista() -> None:
    """Import pyvista and what embeds it in Qt; in any thread."""
    import pyvista  # noqa: F401
    import pyvistaqt  # noqa: F401


@functools.cache
def _interactor_class() -> type:
    from pyvistaqt import QtInteractor

    class _Interactor(QtInteractor):
        """Leaves all keys to the window: VTK would take 3, W, S, Q and more for itself."""

        def keyPressEvent(self, event: QKeyEvent) -> None:
            event.ignore()

        def keyReleaseEvent(self, event: QKeyEvent) -> None:
            event.ignore()

    return _Interactor


class MeshView(QWidget):
    """Show one body. Until there is one, a sentence says how to get it."""

    def __init__(self, theme: Theme, empty_text: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._plotter: Any = None
        self._mesh: Any = None
        self._actor: Any = None
        self._axes = REST_AXES
        self._view = View.FRONT
        self._empty = label(empty_text, "small")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._host = QWidget()
        host_row = QVBoxLayout(self._host)
        host_row.setContentsMargins(0, 0, 0, 0)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._host)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def has_body(self) -> bool:
        return self._actor is not None

    def set_empty_text(self, text: str) -> None:
        self._empty.setText(text)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._plotter is not None:
            self._paint_background()
            self._plotter.render()

    def show_body(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        residual: np.ndarray,
        axes: Axes,
        *,
        stale: bool = False,
        keep_camera: bool = False,
    ) -> None:
        """Show a body. vertices (V, 3) metres; faces (F, 3); residual (V,) bool; stale: drawn grey."""
        import pyvista as pv

        plotter = self._ensure_plotter()
        colours = np.tile(np.array(_SKIN_RGB, np.uint8), (len(vertices), 1))
        if stale:
            colours = (colours * 0.62).astype(np.uint8)
        else:
            pink = tokens.PHOTO_RESIDUAL.lstrip("#")
            colours[np.asarray(residual, bool)] = [int(pink[i : i + 2], 16) for i in (0, 2, 4)]
        shown = self._mesh
        same = shown is not None and self._same_faces(faces)
        if shown is not None and same:
            shown.points = np.asarray(vertices, np.float32)
            shown.point_data["colour"] = colours
            shown.point_data.active_normals_name = None
            shown.compute_normals(cell_normals=False, inplace=True, split_vertices=False)
        else:
            padded = np.column_stack([np.full(len(faces), 3), faces]).astype(np.int64)
            self._mesh = pv.PolyData(np.asarray(vertices, np.float32), padded.ravel())
            self._mesh.point_data["colour"] = colours
            self._mesh.compute_normals(cell_normals=False, inplace=True, split_vertices=False)
            if self._actor is not None:
                plotter.remove_actor(self._actor, render=False)
            self._actor = plotter.add_mesh(
                self._mesh,
                scalars="colour",
                rgb=True,
                smooth_shading=True,
                specular=0.15,
                specular_power=18,
                ambient=0.16,
                render=False,
                reset_camera=False,
                show_scalar_bar=False,
            )
        self._axes = axes
        self._stack.setCurrentWidget(self._host)
        if not keep_camera or not same:
            self._place_camera(self._view)
        plotter.render()

    def clear(self) -> None:
        """Show no body."""
        if self._plotter is not None and self._actor is not None:
            self._plotter.remove_actor(self._actor, render=False)
        self._mesh = self._actor = None
        self._stack.setCurrentWidget(self._empty)

    def look_from(self, view: View) -> None:
        """Turn to a standard view of the whole body."""
        self._view = view
        if self._plotter is not None and self._mesh is not None:
            self._place_camera(view)
            self._plotter.render()

    def frame_residual(self) -> None:
        """Bring the residual limb near, from where the view looks now."""
        if self._plotter is None or self._mesh is None:
            return
        pink = tokens.PHOTO_RESIDUAL.lstrip("#")
        wanted = np.array([int(pink[i : i + 2], 16) for i in (0, 2, 4)], np.uint8)
        chosen = (np.asarray(self._mesh.point_data["colour"]) == wanted).all(1)
        if chosen.any():
            self._place_camera(self._view, np.asarray(self._mesh.points)[chosen], room=2.2)
            self._plotter.render()

    def orbit(self, turn_deg: float, tilt_deg: float) -> None:
        """Turn the view about the body."""
        if self._plotter is not None and self._mesh is not None:
            camera = self._plotter.camera
            camera.Azimuth(turn_deg)
            camera.Elevation(tilt_deg)
            camera.OrthogonalizeViewUp()
            self._plotter.reset_camera_clipping_range()
            self._plotter.render()

    def close_view(self) -> None:
        """Give VTK's window back; before the Qt window goes."""
        if self._plotter is not None:
            self._plotter.close()
            self._plotter = self._mesh = self._actor = None

    def picture(self) -> np.ndarray | None:
        """Return what is shown, (H, W, 3) uint8; None without a body."""
        return None if self._plotter is None else np.asarray(self._plotter.screenshot(None, return_img=True))

    # -------------------------------------------------------------------------------------------------------- within

    def _same_faces(self, faces: np.ndarray) -> bool:
        shown = self._mesh.faces.reshape(-1, 4)[:, 1:]
        return shown.shape == faces.shape and bool(np.array_equal(shown, faces))

    def _ensure_plotter(self) -> Any:  # noqa: ANN401 - a QtInteractor, whose type is loaded late
        if self._plotter is None:
            # No multisampling, no timer of its own, one render per step: four times as fast as the defaults.
            self._plotter = _interactor_class()(self._host, multi_samples=0, auto_update=False)
            self._plotter.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._plotter.installEventFilter(self)
            self._plotter.enable_trackball_style()
            self._paint_background()
            layout = self._host.layout()
            assert layout is not None
            layout.addWidget(self._plotter)
        return self._plotter

    def eventFilter(self, watched: Any, event: QEvent) -> bool:  # noqa: ANN401 - Qt's signature
        if event.type() is QEvent.Type.MouseButtonPress:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        return False

    def _paint_background(self) -> None:
        dark = self._theme.name == "dark"
        self._plotter.set_background("#0E1115" if dark else "#DDE1E7", top="#29313A" if dark else "#F3F5F8")

    def _place_camera(self, view: View, points: np.ndarray | None = None, room: float = _ROOM) -> None:
        points = np.asarray(self._mesh.points) if points is None else points
        centre = (points.min(0) + points.max(0)) / 2
        eye, up = view_direction(self._axes, view)
        right = np.cross(up, eye)
        spans = points - centre
        half_height = float(np.abs(spans @ up).max())
        half_width = float(np.abs(spans @ right).max())
        depth = float(np.abs(spans @ eye).max())
        aspect = max(self._host.width(), 1) / max(self._host.height(), 1)
        half = max(half_height, half_width / aspect) * room
        distance = half / np.tan(np.radians(_FIELD_OF_VIEW_DEG / 2)) + depth
        camera = self._plotter.camera
        camera.view_angle = _FIELD_OF_VIEW_DEG
        camera.position = tuple(centre + eye * distance)
        camera.focal_point = tuple(centre)
        camera.up = tuple(up)
        self._plotter.reset_camera_clipping_range()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_view()
        super().closeEvent(event)
