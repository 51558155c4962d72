"""From where views look at a limb, as values: the main view and the linked ones are aimed with the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from limbstudio.ui.mesh_view import Axes, View, view_direction

FIELD_OF_VIEW_DEG = 22.0
_ROOM = 1.25


@dataclass(frozen=True, eq=False)
class Aim:
    """Where a camera stands. eye, focus, up: (3,) in the frame of the mesh that is shown."""

    eye: np.ndarray
    focus: np.ndarray
    up: np.ndarray


def aim_at(points: np.ndarray, towards_eye: np.ndarray, up: np.ndarray, ratio: float) -> Aim:
    """Return a camera that sees all points (N, 3). towards_eye: unit, from them to the eye; ratio: width / height."""
    up = up - towards_eye * float(up @ towards_eye)
    length = float(np.linalg.norm(up))
    up = up / length if length > 1e-6 else _across(towards_eye)
    right = np.cross(up, towards_eye)
    centre = (points.min(0) + points.max(0)) / 2
    arms = points - centre
    half = max(float(np.abs(arms @ up).max()), float(np.abs(arms @ right).max()) / max(ratio, 1e-3)) * _ROOM
    depth = float(np.abs(arms @ towards_eye).max())
    distance = half / np.tan(np.radians(FIELD_OF_VIEW_DEG / 2)) + depth
    return Aim(centre + towards_eye * distance, centre, up)


def _across(direction: np.ndarray) -> np.ndarray:
    other = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    return other / np.linalg.norm(other)


def body_aim(axes: Axes, view: View, points: np.ndarray, ratio: float) -> Aim:
    """Return a standard view of the body, brought near to the points (N, 3)."""
    eye, up = view_direction(axes, view)
    return aim_at(points, eye, up, ratio)


def axis_aim(axes: Axes, line: tuple[np.ndarray, np.ndarray], points: np.ndarray, ratio: float) -> Aim:
    """Look along a bone at its distal end. line: its proximal and distal ends (3,), as shown; forward is up."""
    along = line[1] - line[0]
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    return aim_at(points, along, axes.forward, ratio)


def pixels_of(aim: Aim, points: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Return where points (N, 3) are drawn in a picture of `size` px, (N, 2), y down."""
    ahead = aim.focus - aim.eye
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, aim.up)
    right = right / np.linalg.norm(right)
    arms = np.asarray(points, float) - aim.eye
    scale = size[1] / 2 / np.tan(np.radians(FIELD_OF_VIEW_DEG / 2))
    depth = np.maximum(arms @ ahead, 1e-6)
    x, y = arms @ right / depth, arms @ np.cross(right, ahead) / depth
    return np.column_stack([size[0] / 2 + scale * x, size[1] / 2 - scale * y])


def take_aim(camera: Any, aim: Aim) -> None:  # noqa: ANN401 - a vtkCamera, whose type is loaded late
    camera.SetViewAngle(FIELD_OF_VIEW_DEG)
    camera.SetPosition(*aim.eye)
    camera.SetFocalPoint(*aim.focus)
    camera.SetViewUp(*aim.up)


def aim_of(camera: Any) -> Aim:  # noqa: ANN401
    return Aim(*(np.array(v) for v in (camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp())))


def clip_matrix(camera: Any, ratio: float) -> np.ndarray:  # noqa: ANN401
    """Return the (4, 4) matrix from the scene to clip coordinates."""
    matrix = camera.GetCompositeProjectionTransformMatrix(ratio, -1.0, 1.0)
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
