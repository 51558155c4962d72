"""How a body lies in the memory that the window shares with the live process.

One request is answered before the next is sent, and the window copies what it is told of, so one place of each kind
serves.
"""

from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

_MOST_VERTICES, _MOST_FACES = 60_000, 120_000
_MOST_PICTURE_BYTES = 4 * 1600 * 1600
_JOINTS, _KEYPOINTS = 55, 25

_VERTICES_AT = 0
_FACES_AT = _VERTICES_AT + 12 * _MOST_VERTICES
_RESIDUAL_AT = _FACES_AT + 12 * _MOST_FACES
_JOINTS_AT = _RESIDUAL_AT + _MOST_VERTICES
_PROJECTED_AT = _JOINTS_AT + 24 * _JOINTS
_ORIENTATION_AT = _PROJECTED_AT + 16 * _KEYPOINTS
_PICTURE_AT = _ORIENTATION_AT + 24
SIZE = _PICTURE_AT + _MOST_PICTURE_BYTES


@dataclass(frozen=True, eq=False)
class BodyArrays:
    """The arrays of one body; `live.LiveBody` says what they are."""

    vertices: np.ndarray
    residual: np.ndarray
    joints: np.ndarray
    projected_px: np.ndarray
    orientation: np.ndarray


def _view(memory: SharedMemory, shape: tuple[int, ...], kind: type, at: int) -> np.ndarray:
    return np.ndarray(shape, kind, memory.buf, at)


def holds(vertex_count: int, face_count: int) -> bool:
    """Tell whether a body of that many vertices and faces finds room."""
    return vertex_count <= _MOST_VERTICES and face_count <= _MOST_FACES


def holds_picture(height: int, width: int) -> bool:
    return 4 * height * width <= _MOST_PICTURE_BYTES


def write_body(memory: SharedMemory, body: BodyArrays) -> None:
    for (shape, kind, at), value in zip(_places(len(body.vertices)), _values(body), strict=True):
        _view(memory, shape, kind, at)[:] = value


def read_body(memory: SharedMemory, vertex_count: int, face_count: int) -> BodyArrays:
    return BodyArrays(*(_view(memory, *place).copy() for place in _places(vertex_count)))


def _places(vertex_count: int) -> list[tuple[tuple[int, ...], type, int]]:
    return [
        ((vertex_count, 3), np.float32, _VERTICES_AT),
        ((vertex_count,), np.bool_, _RESIDUAL_AT),
        ((_JOINTS, 3), np.float64, _JOINTS_AT),
        ((_KEYPOINTS, 2), np.float64, _PROJECTED_AT),
        ((3,), np.float64, _ORIENTATION_AT),
    ]


def _values(body: BodyArrays) -> list[np.ndarray]:
    return [body.vertices, body.residual, body.joints, body.projected_px, body.orientation]


def write_faces(memory: SharedMemory, faces: np.ndarray) -> None:
    _view(memory, (len(faces), 3), np.int32, _FACES_AT)[:] = faces


def read_faces(memory: SharedMemory, face_count: int) -> np.ndarray:
    return _view(memory, (face_count, 3), np.int32, _FACES_AT).copy()


def write_picture(memory: SharedMemory, rgba: np.ndarray) -> None:
    _view(memory, rgba.shape, np.uint8, _PICTURE_AT)[:] = rgba


def read_picture(memory: SharedMemory, size: tuple[int, int]) -> np.ndarray:
    """size: height, width."""
    return _view(memory, (*size, 4), np.uint8, _PICTURE_AT).copy()
