"""The 3D view: a fitted body with its residual limbs, seen from all sides. It and `mesh_stage` alone know pyvista,
which is loaded late: it costs more than a second, and the first paint must not wait for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.rendering.raster import vertex_normals
from limbstudio.ui import mesh_accessible
from limbstudio.ui import theme as tokens
from limbstudio.ui.mesh_stage import MeshStage
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
    """Import pyvista; in any thread."""
    import pyvista  # noqa: F401


def colours_of(residual: np.ndarray, *, stale: bool = False) -> np.ndarray:
    """Return a body's colours, (V, 3) uint8: the residual limb in its colour; all grey where it is stale."""
    colours = np.tile(np.array(_SKIN_RGB, np.uint8), (len(residual), 1))
    if stale:
        return (colours * 0.62).astype(np.uint8)
    colours[np.asarray(residual, bool)] = _residual_rgb()
    return colours


def _residual_rgb() -> tuple[int, int, int]:
    pink = tokens.PHOTO_RESIDUAL.lstrip("#")
    return int(pink[:2], 16), int(pink[2:4], 16), int(pink[4:6], 16)


class MeshView(QWidget):
    """Show one body. Until there is one, a sentence says how to get it.

    stage: the scene, the mouse and its tools; `stage.plotter` takes more actors, `stage.redraw()` shows them.
    """

    def __init__(self, theme: Theme, empty_text: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mesh: Any = None
        self._actor: Any = None
        self._faces: np.ndarray | None = None
        self._residual: np.ndarray | None = None
        self._is_flat = False
        self._axes = REST_AXES
        self._view = View.FRONT
        self._clear_top = 0
        self._empty = label(empty_text, "small")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self.stage = MeshStage(theme)
        self.stage.pressed.connect(lambda: self.setFocus(Qt.FocusReason.MouseFocusReason))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.stage)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._speak: mesh_accessible.Speak = mesh_accessible.Spoken
        mesh_accessible.install()

    def speak_by(self, speak: mesh_accessible.Speak) -> None:
        """Let `speak` say in words what is shown."""
        self._speak = speak

    def speak(self) -> mesh_accessible.Spoken:
        """Return what is shown in words, for screen readers."""
        return self._speak()

    @property
    def standard_view(self) -> View:
        """Return the side that was asked for last."""
        return self._view

    @property
    def has_body(self) -> bool:
        return self._actor is not None

    @property
    def mesh(self) -> Any:  # noqa: ANN401 - a pyvista.PolyData
        """Return what is shown, None without a body."""
        return self._mesh

    @property
    def axes(self) -> Axes:
        """Return which way the body that is shown faces."""
        return self._axes

    def set_empty_text(self, text: str) -> None:
        self._empty.setText(text)

    def set_theme(self, theme: Theme) -> None:
        self.stage.set_theme(theme)

    def keep_clear(self, top: int) -> None:
        """Frame whole bodies below what lies over the view's upper edge. top: px."""
        self._clear_top = top

    def show_body(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        residual: np.ndarray,
        axes: Axes,
        *,
        stale: bool = False,
        keep_camera: bool = False,
        live: bool = False,
        normals: np.ndarray | None = None,
    ) -> None:
        """Show a body. vertices (V, 3) metres; faces (F, 3); residual (V,) bool; stale: drawn grey.

        normals (V, 3): unit, where they are known; else those of these faces.
        live: it moves; drawn quickly, flat and small, and the camera stays. The next `show_body` without it is sharp.
        """
        was_there = self._mesh is not None
        same = was_there and self._same_faces(faces)
        if same:
            self._mesh.points[:] = vertices
            self._mesh.GetPoints().Modified()
        else:
            self._make_mesh(vertices, faces)
        known = self._residual
        if not (same and live and not stale and known is not None and np.array_equal(residual, known)):
            self._set_colours(colours_of(residual, stale=stale))
        self._residual = None if stale else np.asarray(residual, bool)
        if not (live and same and self._is_flat):
            self._set_smooth(not live, faces, normals)
        self._axes = axes
        self._stack.setCurrentWidget(self.stage)
        if not was_there or not (live or keep_camera):
            self._place_camera(self._view)
        else:
            self.stage.plotter.reset_camera_clipping_range()
        self.stage.redraw(live=live)

    def show_colours(self, colours: np.ndarray) -> None:
        """Colour the body that is shown. colours: (V, 3) uint8."""
        if self._mesh is not None:
            self._set_colours(colours)
            self._residual = None
            self.stage.redraw()

    def set_body_visible(self, visible: bool) -> None:
        """Hide the body while something else stands in its place, or show it again."""
        if self._actor is not None:
            self._actor.visibility = visible

    def clear(self) -> None:
        """Show no body."""
        if self._actor is not None and self.stage.has_scene:
            self.stage.plotter.remove_actor(self._actor, render=False)
        self._mesh = self._actor = self._faces = self._residual = None
        self._stack.setCurrentWidget(self._empty)

    def look_from(self, view: View) -> None:
        """Turn to a standard view of the whole body."""
        self._view = view
        if self._mesh is not None:
            self._place_camera(view)
            self.stage.redraw()

    def frame(self, points: np.ndarray | None = None, *, bottom: int = 0) -> None:
        """Bring points (N, 3), or without any the body, whole into the view, which goes on looking the same way.

        bottom: px that something else takes at the view's lower edge.
        """
        if self._mesh is not None:
            camera = self.stage.plotter.camera
            back = np.array(camera.position) - np.array(camera.focal_point)
            eye = back / max(float(np.linalg.norm(back)), 1e-9)
            up = np.array(camera.up) - eye * float(eye @ np.array(camera.up))
            self._place_looking((eye, up / max(float(np.linalg.norm(up)), 1e-9)), points, bottom=bottom)
            self.stage.redraw()

    def frame_residual(self) -> None:
        """Bring the residual limb near, from where the view looks now."""
        if self._mesh is not None and self._residual is not None and self._residual.any():
            self._place_camera(self._view, np.asarray(self._mesh.points)[self._residual], room=2.2)
            self.stage.redraw()

    def orbit(self, turn_deg: float, tilt_deg: float) -> None:
        """Turn the view about the body."""
        if self._mesh is not None:
            self.stage.turn(turn_deg, tilt_deg)

    def close_view(self) -> None:
        """Give VTK's memory back."""
        self.stage.close_scene()
        self._mesh = self._actor = self._faces = self._residual = None

    def picture(self) -> np.ndarray | None:
        """Return what is shown, (H, W, 3) uint8; None without a body."""
        return None if self._mesh is None else self.stage.screenshot()

    # -------------------------------------------------------------------------------------------------------- within

    def _same_faces(self, faces: np.ndarray) -> bool:
        known = self._faces
        if known is faces:
            return True
        return known is not None and known.shape == faces.shape and bool(np.array_equal(known, faces))

    def _make_mesh(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        import pyvista as pv

        padded = np.empty((len(faces), 4), np.int64)
        padded[:, 0], padded[:, 1:] = 3, faces
        mesh = pv.PolyData(np.array(vertices, np.float32), padded.ravel())
        self._faces = faces
        if self._actor is not None:
            self._mesh = mesh
            self._actor.mapper.SetInputData(mesh)
            return
        mesh.point_data["colour"] = np.zeros((len(vertices), 3), np.uint8)
        self._mesh = mesh
        self._actor = self.stage.plotter.add_mesh(
            mesh,
            scalars="colour",
            rgb=True,
            specular=0.12,
            specular_power=18,
            ambient=0.2,
            diffuse=0.85,
            render=False,
            reset_camera=False,
            show_scalar_bar=False,
        )

    def _set_colours(self, colours: np.ndarray) -> None:
        self._mesh.point_data["colour"] = colours
        self._mesh.point_data.active_scalars_name = "colour"

    def _set_smooth(self, smooth: bool, faces: np.ndarray, normals: np.ndarray | None) -> None:
        """Light each point by the surface's normal there; flat, from the picture itself, takes no normals."""
        data = self._mesh.point_data
        if smooth:
            known = vertex_normals(self._mesh.points, faces) if normals is None else normals
            data["Normals"] = known.astype(np.float32)
        self._is_flat = not smooth
        data.active_normals_name = "Normals" if smooth else None
        self._actor.prop.interpolation = "Phong" if smooth else "Flat"

    def _place_camera(self, view: View, points: np.ndarray | None = None, room: float = _ROOM) -> None:
        self._place_looking(view_direction(self._axes, view), points, room)

    def _place_looking(
        self,
        direction: tuple[np.ndarray, np.ndarray],
        points: np.ndarray | None,
        room: float = _ROOM,
        bottom: int = 0,
    ) -> None:
        """direction: from the body to the eye, and up, as `view_direction` gives them. bottom: px to leave free."""
        points = np.asarray(self._mesh.points) if points is None else points
        centre = (points.min(0) + points.max(0)) / 2
        eye, up = direction
        right = np.cross(up, eye)
        spans = points - centre
        half_height = float(np.abs(spans @ up).max())
        half_width = float(np.abs(spans @ right).max())
        depth = float(np.abs(spans @ eye).max())
        width, height = max(self.stage.width(), 1), max(self.stage.height(), 1)
        free = max(height - self._clear_top - bottom, height // 2)
        half = max(half_height * height / free, half_width * height / width) * room
        centre = centre + up * half * (self._clear_top - bottom) / height
        distance = half / np.tan(np.radians(_FIELD_OF_VIEW_DEG / 2)) + depth
        camera = self.stage.plotter.camera
        camera.view_angle = _FIELD_OF_VIEW_DEG
        camera.position = tuple(centre + eye * distance)
        camera.focal_point = tuple(centre)
        camera.up = tuple(up)
        self.stage.plotter.reset_camera_clipping_range()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_view()
        super().closeEvent(event)
