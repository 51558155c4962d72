"""overlay.png: the fitted body over the photo, each annotated point beside where the body puts it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.geometry import Camera, Keypoints
from limbstudio.rendering.glyphs import draw_annotated, draw_link, draw_projected
from limbstudio.rendering.raster import Floats, Ints
from limbstudio.rendering.shading import blend, draw_body

LONGEST_SIDE_PX = 1600  # larger photos are drawn smaller: an overlay is to be looked at, not measured
_BODY_OPACITY = 0.62
_RESIDUAL_OPACITY = 0.85
_BODY_COLOUR = (0xD5, 0xDC, 0xE8)


def overlay_scale(camera: Camera) -> float:
    """Return the size of an overlay of this camera's photo relative to the photo, at most 1."""
    return min(1.0, LONGEST_SIDE_PX / max(camera.size_px))


def scaled_camera(camera: Camera, scale: float) -> Camera:
    """Return the camera of the same photo at another size. scale: new size over old."""
    size = (max(1, round(camera.size_px[0] * scale)), max(1, round(camera.size_px[1] * scale)))
    exact = size[0] / camera.size_px[0]
    center = tuple((c + 0.5) * exact - 0.5 for c in camera.center_px)
    return Camera(camera.focal_px * exact, (center[0], center[1]), size, camera.focal_source)


def draw_overlay(
    photo: NDArray[np.uint8],
    vertices_camera: Floats,
    faces: Ints,
    camera: Camera,
    *,
    residual: NDArray[np.generic] | None = None,
    keypoints: Keypoints | None = None,
    projected_px: Floats | None = None,
) -> NDArray[np.uint8]:
    """Draw the body over the photo; return (H, W, 3) uint8 RGB, `overlay_scale` times the photo's size.

    photo: (H, W, 3) uint8 RGB of `camera.size_px`. vertices_camera: (V, 3) metres, camera frame. residual:
    (V,) 1 on the residual limb. keypoints, projected_px (25, 2): in pixels of the photo; NaN where a point
    cannot exist. Filled glyphs are annotated points, crosses the body's, a line joins the two.
    """
    if photo.shape[:2] != camera.size_px[::-1]:
        raise ValueError(f"the photo is {photo.shape[1::-1]} and the camera's picture {camera.size_px}")
    scale = overlay_scale(camera)
    if scale < 1:
        camera = scaled_camera(camera, scale)
        photo = np.asarray(cv2.resize(photo, camera.size_px, interpolation=cv2.INTER_AREA), np.uint8)
    # At its own pixels: twice as fine costs four times as much and shows no more under the glyphs.
    lit = draw_body(
        vertices_camera, faces, camera, residual=residual, body_colour=_BODY_COLOUR, smooth_edges=False
    )
    picture = blend(photo, lit, opacity=_BODY_OPACITY, residual_opacity=_RESIDUAL_OPACITY)
    if keypoints is not None:
        radius = glyph_radius(keypoints, camera.size_px, scale)
        draw_points(picture, keypoints, projected_px, scale=scale, radius=radius)
    return picture


def glyph_radius(keypoints: Keypoints, size_px: tuple[int, int], scale: float) -> float:
    """Return a radius that suits the person's size in the picture."""
    at = keypoints.positions_px[keypoints.observed] * scale
    extent = float(np.ptp(at, axis=0).max()) if len(at) > 1 else float(max(size_px))
    return float(np.clip(0.0085 * extent, 2.0, 0.008 * max(size_px) + 2))


def draw_points(
    picture: NDArray[np.uint8],
    keypoints: Keypoints,
    projected_px: Floats | None,
    *,
    scale: float = 1.0,
    radius: float = 6.0,
) -> None:
    """Draw annotated and projected points into `picture`, whose size is `scale` times the photo's."""
    for index, point in enumerate(keypoints.points):
        if not point.constrains_fit or point.x is None or point.y is None:
            continue
        at = ((point.x + 0.5) * scale - 0.5, (point.y + 0.5) * scale - 0.5)
        if not all(abs(c) < 4 * max(picture.shape) for c in at):
            continue  # far outside the picture; cv2's fixed-point coordinates would overflow
        size = radius * (0.7 if index < 5 else 1.0)
        there = None if projected_px is None else (np.asarray(projected_px[index], float) + 0.5) * scale - 0.5
        visible = there is not None and bool((np.abs(there) < 4 * max(picture.shape)).all())
        if there is not None and visible:
            draw_link(picture, at, (there[0], there[1]), max(1.0, radius * 0.25))
        draw_annotated(picture, index, point.state, at, size)
        if there is not None and visible:
            draw_projected(picture, index, (there[0], there[1]), size * 0.8)
