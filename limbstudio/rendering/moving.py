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
    raster = rasterise(small, 1 / depth, faces, size_px=(width, height))
    rgba = np.zeros((height, width, 4), np.uint8)
    if len(raster.ys):
        is_seen = np.zeros(len(faces), bool)
        is_seen[raster.face] = True
        seen = np.flatnonzero(is_seen)
        table = np.empty(len(faces), np.uint32)  # four bytes at once: a tenth of the time
        table[seen] = _face_colours(v, faces.take(seen, 0), residual).view(np.uint32)[:, 0]
        rgba.view(np.uint32).reshape(-1)[raster.ys * width + raster.xs] = table.take(raster.face)
    found, _ = cv2.findContours((rgba[..., 3] > 0).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = tuple(
        (cv2.approxPolyDP(line, _OUTLINE_OFF_PX, True)[:, 0].astype(np.float32) + 0.5) * scale + low - 0.5
        for line in found
        if len(line) > 6
    )
    return MovingPicture(rgba, (float(low[0]) - 0.5, float(low[1]) - 0.5), scale, outlines)


def _face_colours(v: np.ndarray, faces: Ints, residual: np.ndarray) -> np.ndarray:
    """Return a colour per face, (F, 4) uint8."""
    corners = np.ascontiguousarray(faces.T, np.intp)
    x, y, z = (column.take(corners) for column in np.ascontiguousarray(v.T))  # each (3, F)
    ux, uy, uz = x[1] - x[0], y[1] - y[0], z[1] - z[0]
    wx, wy, wz = x[2] - x[0], y[2] - y[0], z[2] - z[0]
    normals = _unit(np.stack([uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx]))
    towards = _unit(np.stack([-x[0], -y[0], -z[0]]))
    lit = np.clip(shade(normals.T, towards.T), 0, 1)
    marked = np.asarray(residual, bool).take(corners).sum(0) >= 2
    colours = np.empty((len(faces), 4), np.uint8)
    for channel, (body, limb) in enumerate(zip(BODY_COLOUR, RESIDUAL_COLOUR, strict=True)):
        colours[:, channel] = lit * np.where(marked, float(limb), float(body))
    colours[:, 3] = np.where(marked, int(_RESIDUAL_OPACITY * 255), int(_OPACITY * 255))
    return colours


def _unit(vectors: Floats) -> Floats:
    """Return vectors (3, N) of length one."""
    return vectors / np.maximum(np.sqrt((vectors * vectors).sum(0)), 1e-20)
