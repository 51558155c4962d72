"""The body over the photo while it moves: small, flat-lit, and its outline as lines that stay crisp at every zoom."""

from dataclasses import dataclass

import cv2
import numpy as np

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import Floats, Ints, in_front, rasterise
from limbstudio.rendering.shading import BODY_COLOUR, RESIDUAL_COLOUR, shade

# A moving body is drawn no taller or wider than this; the eye sees no more of what moves.
LONGEST_SIDE_PX = 260
_OPACITY, _RESIDUAL_OPACITY = 0.62, 0.85
_OUTLINE_OFF_PX = 0.6  # of the small picture: by how much an outline may leave out its steps


@dataclass(frozen=True, eq=False)
class MovingPicture:
    """rgba: (H, W, 4) uint8. origin_px, scale: pixel (0, 0) of it has its corner at `origin_px` of the photo, and is
    `scale` photo px wide. outlines: closed lines, each (N, 2) float32, pixels of the photo.
    """

    rgba: np.ndarray
    origin_px: tuple[float, float]
    scale: float
    outlines: tuple[np.ndarray, ...]


def draw_moving(
    vertices_camera: Floats,
    faces: Ints,
    residual: np.ndarray,
    camera: Camera,
    longest_px: int = LONGEST_SIDE_PX,
) -> MovingPicture:
    """Draw a body as the camera sees it, cropped to the body and small."""
    faces = in_front(vertices_camera, faces)
    v = np.asarray(vertices_camera)
    depth = np.where(v[:, 2] > 0, v[:, 2], 1.0)
    points = v[:, :2] * (camera.focal_px / depth)[:, None] + np.asarray(camera.center_px)
    x, y = points.T  # least and greatest of a column cost a tenth of those of rows
    low = np.clip(np.floor([x.min(), y.min()]), 0, np.asarray(camera.size_px) - 1)
    high = np.minimum(np.ceil([x.max(), y.max()]) + 1, camera.size_px)
    extent = np.maximum(high - low, 1)
    scale = max(float(extent.max()) / longest_px, 1.0)
    width, height = (max(int(np.ceil(side / scale)), 1) for side in extent)
    # Pixel centres: photo px p lies at (p + 0.5 - low) / scale - 0.5 of the small picture, low being its corner.
    small = (points + 0.5 - low) / scale - 0.5
    faces = _facing(small, faces)
    raster = rasterise(small, 1 / depth, faces, size_px=(width, height), cull=False)
    rgba = np.zeros((height, width, 4), np.uint8)
    if len(raster.ys):
        is_seen = np.zeros(len(faces), bool)
        is_seen[raster.face] = True
        seen = np.flatnonzero(is_seen)
        table = np.empty((len(faces), 4), np.uint8)
        table[seen] = _face_colours(v, faces[seen], residual)
        rgba.reshape(-1, 4)[raster.ys * width + raster.xs] = table[raster.face]
    found, _ = cv2.findContours((rgba[..., 3] > 0).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = tuple(
        (cv2.approxPolyDP(line, _OUTLINE_OFF_PX, True)[:, 0].astype(np.float32) + 0.5) * scale + low - 0.5
        for line in found
        if len(line) > 6
    )
    return MovingPicture(rgba, (float(low[0]) - 0.5, float(low[1]) - 0.5), scale, outlines)


def _facing(points_px: Floats, faces: Ints) -> Ints:
    """Return the faces that are seen from outside: all that follows costs half as much."""
    a, b, c = (points_px[faces[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    return faces[ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1] < 0]


def _face_colours(v: np.ndarray, faces: Ints, residual: np.ndarray) -> np.ndarray:
    """Return a colour per face, (F, 4) uint8."""
    a, b, c = (v[faces[:, i]] for i in range(3))
    (ux, uy, uz), (wx, wy, wz) = (b - a).T, (c - a).T
    normals = np.stack([uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx], 1)
    normals /= np.maximum(np.sqrt((normals * normals).sum(1)), 1e-20)[:, None]
    towards = -a / np.maximum(np.sqrt((a * a).sum(1)), 1e-12)[:, None]
    lit = np.clip(shade(normals, towards), 0, 1)[:, None]
    marked = np.asarray(residual, bool)[faces].sum(1) >= 2
    colours = np.where(marked[:, None], RESIDUAL_COLOUR, BODY_COLOUR)
    strength = np.where(marked, _RESIDUAL_OPACITY, _OPACITY)[:, None] * 255
    return np.concatenate([lit * colours, strength], 1).astype(np.uint8)
